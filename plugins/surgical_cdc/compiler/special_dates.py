"""Finds strings that stand for a moment, 'today' or 'now', where Redshift makes a date of them by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types

from surgical_cdc.compiler.derived_tables import selects_in
from surgical_cdc.compiler.redshift_functions import DATE_FUNCTIONS, called_by

MOMENTS = frozenset({"now", "today", "tomorrow", "yesterday"})
# Where a string becomes a date if a date is beside it.
TAKING_DATES = (
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Coalesce, exp.Nullif, exp.Sub),
    *(exp.Greatest, exp.Least, exp.DateDiff, exp.TsOrDsDiff, exp.DateAdd, exp.TsOrDsAdd, exp.TimestampTrunc),
    *(exp.DecodeCase, exp.Nvl2),
)


def is_moment(part: exp.Expr) -> bool:
    """Return whether a part of a query is such a string.

    >>> is_moment(exp.Literal.string(" Today "))
    True
    """
    return isinstance(part, exp.Literal) and part.is_string and part.name.strip().lower() in MOMENTS


def moments(query: exp.Select, schema: Mapping[str, object], dates: Sequence[str]) -> Iterator[exp.Expr]:
    """Yield the parts of a query in which such a string becomes a date; `dates` are its columns that are dates.

    A string beside it says that it stays one.
    """
    if not any(map(is_moment, query.find_all(exp.Literal))):
        return
    typed = annotate_types(query.copy(), schema=dict(schema), dialect="redshift")
    for literal in filter(is_moment, typed.find_all(exp.Literal)):
        parent = literal.parent
        if parent is None:
            continue
        if isinstance(parent, exp.Alias) and parent.parent is typed and parent.alias in dates:
            yield parent
        if called_by(parent) in DATE_FUNCTIONS:
            yield parent
        elif _is_date([part for part in _beside(literal, parent) if not isinstance(part, exp.Literal)]):
            yield parent.parent if isinstance(parent, exp.If) and parent.parent else parent


def _is_date(parts: Sequence[exp.Expr]) -> bool:
    """Return whether parts of one type are dates: a column in them is one, and no part is a string."""
    columns = [column for part in parts for column in part.find_all(exp.Column)]
    dated = any(column.is_type(*exp.DataType.TEMPORAL_TYPES) for column in columns)
    return dated and not any(part.is_type(*exp.DataType.TEXT_TYPES) for part in parts)


def _beside(literal: exp.Expr, parent: exp.Expr) -> Sequence[exp.Expr]:
    """Return what must have one type with a string: what it is compared with, or stands for, or is a branch beside."""
    beside = BESIDE.get(type(parent))
    return [part for part in beside(literal, parent) if part] if beside else []


def _in_case(literal: exp.Expr, case: exp.Expr | None) -> Sequence[exp.Expr | None]:
    """Return what a CASE compares, or all that it can give."""
    if not isinstance(case, exp.Case):
        return []
    if literal.arg_key == "this":
        return [case.this]
    return [*(branch.args.get("true") for branch in case.args["ifs"]), case.args.get("default")]


def _in_other_branches(select: exp.Expr | None, projection: exp.Expr) -> Sequence[exp.Expr]:
    """Return what the other branches of a UNION show in the place of a projection."""
    if not isinstance(select, exp.Select):
        return []
    operation: exp.Expr = select
    while isinstance(operation.parent, exp.SetOperation) or (
        isinstance(operation.parent, exp.Subquery) and isinstance(operation.parent.parent, exp.SetOperation)
    ):
        operation = operation.parent
    position = next(index for index, part in enumerate(select.selects) if part is projection)
    return [branch.selects[position].unalias() for branch in selects_in(operation)]


BESIDE: Mapping[type[exp.Expr], Callable[[exp.Expr, exp.Expr], Sequence[exp.Expr | None]]] = {
    exp.Case: _in_case,
    exp.If: lambda literal, branch: _in_case(literal, branch.parent),
    exp.Select: lambda literal, select: _in_other_branches(select, literal),
    exp.Alias: lambda _, alias: _in_other_branches(alias.parent, alias),
    **dict.fromkeys(TAKING_DATES, lambda _, parent: list(parent.iter_expressions())),
}

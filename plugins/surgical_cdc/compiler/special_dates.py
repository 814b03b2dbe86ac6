"""Finds texts that stand for a moment, 'today' or 'now', where Redshift makes a date of them by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types

from surgical_cdc.compiler.redshift_functions import DATE_FUNCTIONS, called_by

MOMENTS = frozenset({"now", "today", "tomorrow", "yesterday"})
# Where a text becomes a date if a date is beside it.
TAKING_DATES = (
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Coalesce, exp.Nullif, exp.Sub),
    *(exp.Greatest, exp.Least, exp.DateDiff, exp.TsOrDsDiff, exp.DateAdd, exp.TsOrDsAdd, exp.TimestampTrunc),
    *(exp.DecodeCase, exp.Nvl2),
)


def is_moment(part: exp.Expr) -> bool:
    """Return whether a part of a query is such a text.

    >>> is_moment(exp.Literal.string(" Today "))
    True
    """
    return isinstance(part, exp.Literal) and part.is_string and part.name.strip().lower() in MOMENTS


def moments(query: exp.Select, schema: Mapping[str, object], dates: Sequence[str]) -> Iterator[exp.Expr]:
    """Yield the parts of a query in which such a text becomes a date; `dates` are its columns that are stored as dates.

    A text beside it says that it stays one.
    """
    if not any(map(is_moment, query.find_all(exp.Literal))):
        return
    typed = annotate_types(query.copy(), schema=dict(schema), dialect="redshift")
    for literal in filter(is_moment, typed.find_all(exp.Literal)):
        beside = literal.parent
        if beside is None:
            continue
        clause = beside.parent if isinstance(beside, exp.If) and beside.parent else beside
        if isinstance(beside, exp.Alias) and beside.parent is typed and beside.alias in dates:
            yield beside
        if called_by(beside) in DATE_FUNCTIONS:
            yield beside
            continue
        others = [part for part in _beside(literal, beside) if not isinstance(part, exp.Literal)]
        columns = [column for part in others for column in part.find_all(exp.Column)]
        dated = any(column.is_type(*exp.DataType.TEMPORAL_TYPES) for column in columns)
        if dated and not any(part.is_type(*exp.DataType.TEXT_TYPES) for part in others):
            yield clause


def _beside(literal: exp.Expr, around: exp.Expr) -> list[exp.Expr]:
    """Return what has to have one type with a text: what it is compared with, or stands for, or is a branch beside."""
    case = around.parent if isinstance(around, exp.If) else around
    if isinstance(case, exp.Case):
        compared = literal.arg_key == "this"
        parts = (
            [case.this] if compared else [*(one.args.get("true") for one in case.args["ifs"]), case.args.get("default")]
        )
        return [part for part in parts if part]
    select = around.parent if isinstance(around, exp.Alias) else around
    if isinstance(select, exp.Select):
        return _in_other_branches(select, around if isinstance(around, exp.Alias) else literal)
    return list(around.iter_expressions()) if isinstance(around, TAKING_DATES) else []


def _in_other_branches(select: exp.Select, shown: exp.Expr) -> list[exp.Expr]:
    """Return what the other branches of a UNION show in the place of a projection."""
    operation: exp.Expr = select
    while isinstance(operation.parent, exp.SetOperation) or (
        isinstance(operation.parent, exp.Subquery) and isinstance(operation.parent.parent, exp.SetOperation)
    ):
        operation = operation.parent
    position = next(index for index, part in enumerate(select.selects) if part is shown)
    return [branch.selects[position].unalias() for branch in _branches(operation)]


def _branches(query: exp.Expr) -> list[exp.Select]:
    query = query.unnest()
    if isinstance(query, exp.SetOperation):
        return [*_branches(query.left), *_branches(query.right)]
    return [query] if isinstance(query, exp.Select) else []

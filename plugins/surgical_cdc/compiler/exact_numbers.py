"""Numbers that are computed without error: integers and decimals, which can be added up in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from surgical_cdc.compiler.derived_tables import definition_of, selects_of
from surgical_cdc.compiler.fact_query import DIALECT, relation_of
from surgical_cdc.contract.tables import spelled, type_family

if TYPE_CHECKING:
    from surgical_cdc.contract.tables import Table


class Exact(NamedTuple):
    """A number without error; `scale` is how many decimals it has, None where they may depend on the row."""

    is_integer: bool
    scale: int | None


def exact(tables: Mapping[str, Table], scope: Scope, expression: exp.Expr) -> Exact | None:
    """Return what is known of an expression of a scope as a number, None where it may have an error, or be none."""
    expression = expression.unnest()
    if isinstance(expression, exp.Column):
        return _column(tables, scope, expression)
    if isinstance(expression, exp.Cast):
        return _type(spelled(expression.to.sql(DIALECT)))
    if isinstance(expression, exp.Literal):
        return None if expression.is_string else _literal(expression.name)
    if isinstance(expression, exp.Neg):
        return exact(tables, scope, expression.this)
    parts = _parts(expression)
    numbers = [exact(tables, scope, part) for part in parts]
    known = [number for number in numbers if number]
    return _together(expression, known) if known and len(known) == len(numbers) else None


def _column(tables: Mapping[str, Table], scope: Scope, column: exp.Column) -> Exact | None:
    source = scope.selected_sources[column.table][1] if column.table in scope.selected_sources else None
    if isinstance(source, Scope):
        found = {exact(tables, one, definition_of(source, one, column.name)) for one in selects_of(source)}
        return found.pop() if len(found) == 1 else None
    if not isinstance(source, exp.Table) or relation_of(source) not in tables:
        return None
    return _type(tables[relation_of(source)].column(column.name).data_type)


def _type(data_type: str) -> Exact | None:
    if type_family(data_type) == "integer":
        return Exact(is_integer=True, scale=0)
    if data_type.startswith("numeric("):
        return Exact(is_integer=False, scale=int(data_type[:-1].rpartition(",")[2]))
    return None


def _literal(text: str) -> Exact | None:
    whole, point, decimals = text.partition(".")
    return Exact(not point, len(decimals)) if f"{whole}{decimals}".isdecimal() else None


def _parts(expression: exp.Expr) -> Sequence[exp.Expr]:
    """Return the operands of arithmetic, and what an expression shows one of, without a NULL that is written out."""
    if isinstance(expression, (exp.Add, exp.Sub, exp.Mul)):
        return expression.left, expression.right
    parts: list[exp.Expr] = []
    if isinstance(expression, exp.Coalesce):
        parts = [expression.this, *expression.expressions]
    elif isinstance(expression, exp.Case):
        default = expression.args.get("default")
        parts = [*(branch.args["true"] for branch in expression.args["ifs"]), *([default] if default else [])]
    return [part for part in parts if not isinstance(part.unnest(), exp.Null)]


def _together(expression: exp.Expr, numbers: Sequence[Exact]) -> Exact:
    """Return what is known of an expression by its parts."""
    is_integer = all(number.is_integer for number in numbers)
    scales = [number.scale for number in numbers if number.scale is not None]
    if len(scales) < len(numbers):
        return Exact(is_integer, None)
    if isinstance(expression, exp.Mul):
        return Exact(is_integer, sum(scales))
    if isinstance(expression, (exp.Add, exp.Sub)):
        return Exact(is_integer, max(scales))
    return Exact(is_integer, scales[0] if len({*scales}) == 1 else None)

"""Reads through derived tables: the SELECTs whose rows one shows, and what its columns are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from surgical_cdc.contract.tables import spelled, type_family

# What a text is whatever its length.
TEXT = "varchar(65535)"
# Functions whose value is a text.
TEXTS = (exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.MD5, exp.DPipe)


def query_of(scope: Scope) -> exp.Query:
    """Return the query of a scope."""
    return cast("exp.Query", scope.expression)


def selects_of(scope: Scope) -> list[Scope]:
    """Return the SELECTs of a set operation, or the scope itself."""
    if not isinstance(scope.expression, exp.SetOperation):
        return [scope]
    return [select for operand in scope.set_operation_scopes for select in selects_of(operand)]


def selects_in(query: exp.Expr) -> list[exp.Select]:
    """Return the SELECTs of a set operation, or the query itself, where there are no scopes."""
    query = query.unnest()
    if isinstance(query, exp.SetOperation):
        return [*selects_in(query.left), *selects_in(query.right)]
    return [query] if isinstance(query, exp.Select) else []


def definition_of(source: Scope, branch: Scope, name: str) -> exp.Expr:
    """Return what a column of a derived table is in one of its SELECTs: columns of a UNION go by their position."""
    index = query_of(source).named_selects.index(name)
    return query_of(branch).selects[index].unalias()


def projection(scope: Scope, name: str) -> exp.Expr:
    """Return what a column of a SELECT is."""
    return definition_of(scope, scope, name)


def merges_rows(query: exp.Query) -> bool:
    """Return whether a query shows equal rows once: by DISTINCT, or a set operation without ALL."""
    return bool(query.args.get("distinct", isinstance(query, exp.SetOperation)))


def type_of(expression: exp.Expr, column_type: Callable[[exp.Column], str | None]) -> str | None:
    """Return the type of an expression, None where it is not known.

    It is known of columns, of CAST, of functions that give texts, and of what shows one of several of one type.
    """
    expression = expression.unnest()
    if isinstance(expression, exp.Cast):
        return spelled(expression.to.sql("redshift"))
    if isinstance(expression, exp.Column):
        return column_type(expression)
    if isinstance(expression, exp.Literal):
        return TEXT if expression.is_string else "integer" if expression.is_int else None
    if isinstance(expression, TEXTS):
        return TEXT
    if isinstance(expression, exp.Neg):
        return type_of(expression.this, column_type)
    types = {type_of(part, column_type) for part in _one_of(expression)}
    families = {kind and type_family(kind) for kind in types}
    return next(iter(types)) if families and None not in families and len(families) == 1 else None


def _one_of(expression: exp.Expr) -> list[exp.Expr]:
    """Return what an expression shows one of, without a NULL that is written out; nothing where it is another kind."""
    parts: list[exp.Expr] = []
    if isinstance(expression, exp.Coalesce):
        parts = [expression.this, *expression.expressions]
    elif isinstance(expression, exp.Case):
        parts = [
            *(branch.args["true"] for branch in expression.args["ifs"]),
            expression.args.get("default") or exp.null(),
        ]
    return [part for part in parts if not isinstance(part, exp.Null)]

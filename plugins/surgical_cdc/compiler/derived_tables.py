"""Reads through derived tables: the SELECTs whose rows one shows, and what its columns are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from surgical_cdc.contract.tables import spelled


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
    """Return the type of a column or a CAST, None of anything else."""
    expression = expression.unnest()
    if isinstance(expression, exp.Cast):
        return spelled(expression.to.sql("redshift"))
    return column_type(expression) if isinstance(expression, exp.Column) else None

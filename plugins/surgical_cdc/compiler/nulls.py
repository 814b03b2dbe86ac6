"""Whether a query keeps no row in which a value is NULL, as its WHERE says."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from surgical_cdc.compiler.checks import branches
from surgical_cdc.compiler.derived_tables import definition_of, query_of
from surgical_cdc.compiler.predicates import is_null, rejects_null
from surgical_cdc.compiler.scopes import conjuncts_of, optional_aliases


def compares_no_null(scope: Scope, subquery: Scope, membership: exp.In) -> bool:
    """Return whether an IN in SELECT, WHERE or HAVING compares no NULL, so that it is true or false of each row."""
    # In a join it is asked before the WHERE is.
    if isinstance(membership.find_ancestor(exp.Join, exp.Select), exp.Join) or membership.this.find(
        exp.Tuple, exp.Query
    ):
        return False
    name = query_of(subquery).named_selects[0]
    return never_null(scope, membership.this) and all(
        never_null(branch, definition_of(subquery, branch, name)) for branch in branches(subquery)
    )


def never_null(scope: Scope, value: exp.Expr) -> bool:
    """Return whether no row of a SELECT, behind its WHERE, has NULL for a value."""
    for conjunct in conjuncts_of(scope):
        if conjunct.joined is None and _is_false_for_null(conjunct.predicate, value):
            return True
    if not isinstance(value, exp.Column) or value.table in optional_aliases(scope):
        return False
    source = scope.selected_sources[value.table][1] if value.table in scope.selected_sources else None
    return isinstance(source, Scope) and all(
        never_null(branch, definition_of(source, branch, value.name)) for branch in branches(source)
    )


def _is_false_for_null(predicate: exp.Expr, value: exp.Expr) -> bool:
    if isinstance(predicate, exp.Not) and isinstance(is_ := predicate.this.unnest(), exp.Is):
        return is_null(is_.expression) and bool(is_.this.unnest() == value)
    return rejects_null(predicate) and value in predicate.find_all(type(value))

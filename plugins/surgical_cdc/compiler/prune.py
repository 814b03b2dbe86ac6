"""Reduces a fact's query to some of its columns: other projections go, and joins that only add columns to rows.

An outer join adds columns alone if it joins at most one row to each: by the key of a source, by all that a relation is
grouped by, by all columns of a DISTINCT.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.optimizer.pushdown_projections import pushdown_projections
from sqlglot.optimizer.scope import Scope, traverse_scope

from surgical_cdc.compiler.derived_tables import projection, type_of
from surgical_cdc.compiler.fact_query import relation_of
from surgical_cdc.compiler.predicates import aliases_of, equalities
from surgical_cdc.contract.tables import Source, type_family

if TYPE_CHECKING:
    from surgical_cdc.contract.tables import Static


def prune(query: exp.Select, columns: Sequence[str], sources: Mapping[str, Source | Static]) -> exp.Select:
    """Return the query with some of its columns: the same rows, but for the other columns.

    Args:
        query: it is changed.
        columns: names of its columns.
        sources: what the query's tables hold rows of, by relation.
    """
    pruned = exp.select(*(exp.column(name, table="pruned") for name in columns)).from_(query.subquery("pruned"))
    pushdown_projections(pruned)
    while _drop_joins(pruned, sources):
        # What stood in the ON of a join is needed no more.
        pushdown_projections(pruned)
    return pruned


def _drop_joins(query: exp.Select, sources: Mapping[str, Source | Static]) -> bool:
    """Drop joins that add columns alone, none of which is read; return whether there were any."""
    dropped = False
    for scope in traverse_scope(query):
        # The last first: it may be the only one that reads one before it.
        for join in reversed(scope.expression.args.get("joins") or []):
            if _adds_columns_alone(scope, join, sources) and not _is_read(scope, join):
                join.pop()
                scope.clear_cache()
                dropped = True
    return dropped


def _is_read(scope: Scope, join: exp.Join) -> bool:
    """Return whether a column of what is joined is read anywhere but in the join's own ON."""
    on = {id(column) for column in join.args["on"].find_all(exp.Column)}
    return any(column.table == join.alias_or_name and id(column) not in on for column in scope.columns)


def _adds_columns_alone(scope: Scope, join: exp.Join, sources: Mapping[str, Source | Static]) -> bool:
    """Return whether an outer join joins at most one row to each: by equality with columns that tell its rows apart."""
    alias, on = join.alias_or_name, join.args.get("on")
    if join.side != "LEFT" or on is None or on.find(exp.Query):
        return False
    equal = {
        own.name
        for own, other in equalities(on)
        if _is_of(own, alias) and not _reads(other, alias) and _have_one_type(scope, own, other, sources)
    }
    return any(names <= equal for names in _unique(scope.selected_sources[alias][1], sources))


def _is_of(expression: exp.Expr, alias: str) -> bool:
    return isinstance(expression, exp.Column) and expression.table == alias


def _reads(expression: exp.Expr, alias: str) -> bool:
    return alias in aliases_of(expression)


def _have_one_type(scope: Scope, one: exp.Expr, other: exp.Expr, sources: Mapping[str, Source | Static]) -> bool:
    """Return whether both sides have one type: a float may equal several whole numbers, which it rounds."""
    types = [_data_type(scope, side, sources) for side in (one, other)]
    return None not in types and len({type_family(data_type) for data_type in types if data_type}) == 1


def _unique(relation: object, sources: Mapping[str, Source | Static]) -> list[set[str]]:
    """Return the unique keys of a relation, each as a set of columns."""
    if isinstance(relation, exp.Table):
        # One that holds no rows of a source has one row, by whose columns it can not be told that it has.
        source = sources.get(relation_of(relation))
        return [{*source.key}] if isinstance(source, Source) else []
    if not isinstance(relation, Scope) or not isinstance(relation.expression, exp.Select):
        return []
    select = relation.expression
    if select.args.get("distinct"):
        return [set(select.named_selects)]
    group = select.args.get("group")
    if group is not None:
        return _shown(select, [group.expressions])
    if select.args.get("joins"):
        return []
    return [
        names
        for alias, (_, inner) in relation.selected_sources.items()
        for names in _shown(
            select, [[exp.column(name, table=alias) for name in one] for one in _unique(inner, sources)]
        )
    ]


def _shown(select: exp.Select, keys: Iterable[Sequence[exp.Expr]]) -> list[set[str]]:
    """Return the keys, given by their expressions, under the names that a query shows them by; whole ones only."""
    names = {projection.unalias(): projection.alias_or_name for projection in select.selects}
    return [{names[part] for part in key} for key in keys if all(part in names for part in key)]


def _data_type(scope: Scope, expression: exp.Expr, sources: Mapping[str, Source | Static]) -> str | None:
    """Return the type of an expression, None where it is not known."""

    def column_type(column: exp.Column) -> str | None:
        source = scope.selected_sources[column.table][1] if column.table in scope.selected_sources else None
        if isinstance(source, exp.Table) and relation_of(source) in sources:
            return sources[relation_of(source)].column(column.name).data_type
        if isinstance(source, Scope) and isinstance(source.expression, exp.Select):
            return _data_type(source, projection(source, column.name), sources)
        return None

    return type_of(expression, column_type)

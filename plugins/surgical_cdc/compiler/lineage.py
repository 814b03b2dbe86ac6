"""Where the values of a fact come from: projections feed columns, all that decides on rows feeds every column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope, traverse_scope

from surgical_cdc.compiler.derived_tables import definition_of, merges_rows, query_of, selects_of
from surgical_cdc.compiler.fact_query import relation_of, tables_of
from surgical_cdc.compiler.trailing_spaces import keeps_trailing_spaces
from surgical_cdc.dictionary import EVERY_COLUMN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Column, Fact
    from surgical_cdc.dictionary import FactColumns

Origin = tuple[str, str]
ROW_DECIDING_CLAUSES = ("where", "group", "having", "qualify", "limit", "offset", "order")


@dataclass(frozen=True)
class Lineage:
    """Where the values of a fact come from.

    `feeds` gives for each source column that the fact reads the fact columns that it feeds, `origins` for each column
    of the fact the source columns that its value is computed from. `exact` are the strings and floats that the query
    shows as they are, down to what tells equal ones apart.
    """

    feeds: Mapping[Origin, FactColumns]
    origins: Mapping[str, tuple[Origin, ...]]
    exact: tuple[Column, ...]


def fact_lineage(project: Project, fact: Fact, query: exp.Select) -> Lineage:
    """Derive the lineage of a fact from its query; of one with CTEs all that it reads feeds every column."""
    if query.args.get("with_"):
        return _coarse(project, query)
    scope = cast("Scope", build_scope(query))
    origins = {selected.alias_or_name: tuple(dict.fromkeys(_origins(scope, selected))) for selected in query.selects}
    row_key = [origin for name in fact.unique_key for origin in origins[name]]
    feeds = _feeds(project, scope, origins, row_key)
    return Lineage(feeds, origins, _exact(project, fact, scope))


def _coarse(project: Project, query: exp.Select) -> Lineage:
    """Return the lineage of a query that is so large that nobody follows each column's way through it."""
    read = {
        (relation_of(source), column.name)
        for scope in traverse_scope(query)
        for column in scope.columns
        if isinstance(source := scope.sources.get(column.table), exp.Table)
    }
    return Lineage(dict.fromkeys(sorted(read.union(_keys(project, query))), EVERY_COLUMN), {}, ())


def _keys(project: Project, query: exp.Expr) -> Iterable[Origin]:
    """Yield the keys of the sources that a query reads: COUNT(*) names no column, and yet every row matters."""
    keys = {source.relation: source.key for source in project.sources.values()}
    for relation in map(relation_of, tables_of(query)):
        yield from ((relation, name) for name in keys.get(relation, ()))


def _feeds(
    project: Project, scope: Scope, origins: Mapping[str, Sequence[Origin]], row_key: Sequence[Origin]
) -> dict[Origin, FactColumns]:
    """Return for each source column that a query reads the columns that it feeds.

    A source's key counts as read wherever the source is. What the row key is computed from feeds every column: two rows
    may have changed keys, and then all else is the other's.
    """
    feeds: dict[Origin, FactColumns] = {}
    for name, read in origins.items():
        for origin in read:
            feeds[origin] = (*feeds.get(origin, ()), name)
    return feeds | dict.fromkeys([*row_key, *_deciding(scope), *_keys(project, scope.expression)], EVERY_COLUMN)


def _exact(project: Project, fact: Fact, scope: Scope) -> tuple[Column, ...]:
    """Return the strings and floats of a fact that its query shows as they are, trailing spaces and signs of zero too.

    Redshift takes strings that differ in trailing spaces for equal, and 0 and -0. It does not say which of them a
    group, DISTINCT, MIN, MAX or a set operation shows. Where a query keeps one of several strings so, no string of it
    is exact, and likewise for floats.
    """
    merged = [
        project.tables[relation].column(name)
        for select, expression in _merged(scope)
        for relation, name in _origins(select, expression, within=keeps_trailing_spaces)
    ]
    strings_are_open = any(column.is_text for column in merged)
    # A float may be shown as a string.
    floats_are_open = any(column.is_float for column in merged)
    return tuple(
        column
        for column in fact.columns
        if (column.is_text and not strings_are_open) or (column.is_float and not floats_are_open)
    )


def _merged(scope: Scope) -> Iterable[tuple[Scope, exp.Expr]]:
    """Yield the expressions that a query merges equal values of, each with its scope."""
    for part in scope.traverse():
        distinct = [inner for inner in part.find_all(exp.Distinct) if not isinstance(inner.parent, exp.Count)]
        yield from ((part, inner) for inner in (*part.find_all(exp.Group, exp.Max, exp.Min), *distinct))
        if merges_rows(query_of(part)):
            yield from ((select, column) for select in selects_of(part) for column in query_of(select).selects)


def _origins(
    scope: Scope, expression: exp.Expr, *, within: Callable[[exp.Expr], bool] = lambda _: True
) -> Iterable[Origin]:
    """Yield the source columns that an expression is computed from, through derived tables; subqueries aside.

    Left out is also what stands in parts for which `within` is false.
    """
    for column in expression.walk(prune=lambda part: isinstance(part, exp.Query) or not within(part)):
        if not isinstance(column, exp.Column) or column.table not in scope.selected_sources:
            continue
        source = scope.selected_sources[column.table][1]
        if isinstance(source, Scope):
            for select in selects_of(source):
                yield from _origins(select, definition_of(source, select, column.name), within=within)
        else:
            yield f"{source.db}.{source.name}", column.name


def _deciding(scope: Scope) -> Iterable[Origin]:
    """Yield the source columns that decide which rows a query gives."""
    if isinstance(scope.expression, exp.SetOperation):
        yield from _deciding_in_set_operation(scope)
        return
    yield from _deciding_in_select(scope)
    for _, source in scope.selected_sources.values():
        if isinstance(source, Scope):
            yield from _deciding(source)
    for subquery in scope.subquery_scopes:
        yield from _deciding_in_subquery(scope, subquery)


def _deciding_in_set_operation(scope: Scope) -> Iterable[Origin]:
    for branch in scope.set_operation_scopes:
        yield from _deciding(branch)
    clauses = scope.expression.args
    # The order, which a LIMIT goes by, is by what is shown.
    if clauses.get("distinct", True) or clauses.get("limit") or clauses.get("offset"):
        yield from _shown(scope)


def _deciding_in_select(scope: Scope) -> Iterable[Origin]:
    select = query_of(scope)
    parts = [select.args[clause] for clause in ROW_DECIDING_CLAUSES if select.args.get(clause)]
    parts += _ordered_by_name(select)
    parts += [join.args["on"] for join in select.args.get("joins") or () if join.args.get("on")]
    if select.args.get("distinct"):
        parts += select.selects
    for part in parts:
        yield from _origins(scope, part)


def _deciding_in_subquery(scope: Scope, subquery: Scope) -> Iterable[Origin]:
    """Yield what decides on the rows of a subquery, and what it is compared by."""
    yield from _deciding(subquery)
    for column in subquery.external_columns:
        yield from _origins(scope, column)
    yield from _shown(subquery)


def _ordered_by_name(select: exp.Query) -> list[exp.Expr]:
    """Return the projections that an ORDER BY names as columns of the result."""
    order = select.args.get("order")
    names = {column.name for column in order.find_all(exp.Column) if not column.table} if order else set()
    return [projection for projection in select.selects if projection.alias_or_name in names]


def _shown(scope: Scope) -> Iterable[Origin]:
    """Yield the source columns that a query's projections are computed from."""
    for select in selects_of(scope):
        for projection in query_of(select).selects:
            yield from _origins(select, projection)

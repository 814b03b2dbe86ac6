"""Derives the dictionary from the models: projections feed columns, all that decides on rows feeds every column."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope, traverse_scope

from surgical_cdc.compiler.fact_query import fact_query
from surgical_cdc.compiler.fingerprint import fingerprint
from surgical_cdc.compiler.join_tree import join_tree
from surgical_cdc.compiler.predicates import keeps_blanks
from surgical_cdc.compiler.unsupported import place
from surgical_cdc.dictionary import EVERY_COLUMN, Dictionary, FactColumns
from surgical_cdc.errors import UnsupportedQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from surgical_cdc.dbt.project import Project
    from surgical_cdc.dbt.tables import Column, Source

Origin = tuple[str, str]
ROW_DECIDING_CLAUSES = ("where", "group", "having", "qualify", "limit", "offset", "order")


def compile_fact(project: Project, fact_name: str) -> None:
    """Derive what a fact is maintained by: its lineage and, unless it is rebuilt in full, its join tree; all is kept.

    Raises:
        UnsupportedQuery: the fact can not be maintained.
    """
    if project.fact(fact_name).maintenance == "incremental":
        join_tree(project, fact_name)
    fact_lineage(project, fact_name)
    fingerprint(project, fact_name)


def compile_dictionary(project: Project) -> Dictionary:
    """Derive the dictionary of a project from its facts' SELECTs, sources and columns in the contract's order."""
    lineage = {fact: fact_lineage(project, fact) for fact in project.facts}
    feeds = {
        source.name: {
            column: facts
            for column in source.column_names
            if (
                facts := {
                    fact: fed[source.relation, column]
                    for fact, fed in lineage.items()
                    if (source.relation, column) in fed
                }
            )
        }
        for source in project.sources.values()
    }
    return Dictionary(tuple(project.facts), feeds, project.fingerprint)


@cache
def fact_lineage(project: Project, fact_name: str) -> Mapping[Origin, FactColumns]:
    """Return for each source column that a fact reads, keyed (relation, column), the fact columns that it feeds.

    A source's key counts as read wherever the source is: COUNT(*) names no column, and yet every row matters. What the
    row key is computed from feeds every column: two rows may have changed keys, and then all else is the other's.

    Raises:
        UnsupportedQuery: the fact reads the cursor of a source.
    """
    query = fact_query(project, fact_name)
    scope = cast("Scope", build_scope(query))
    columns = projected_columns(project, fact_name)
    fed: dict[Origin, FactColumns] = {}
    for name, origins in columns.items():
        for origin in origins:
            fed[origin] = (*fed.get(origin, ()), name)
    row_key = columns[project.fact(fact_name).unique_key]
    keys = {source.relation: source.key for source in project.sources.values()}
    read = [f"{table.db}.{table.name}" for table in query.find_all(exp.Table)]
    rows = [(relation, keys[relation]) for relation in read if relation in keys]
    found = fed | dict.fromkeys([*row_key, *_deciding(scope), *rows], EVERY_COLUMN)
    for source in project.sources.values():
        if (source.relation, source.cursor) in found:
            where = place(_reader(project, fact_name, source), project.models[fact_name])
            raise UnsupportedQuery(
                f"{where}: {source.relation}.{source.cursor}, the cursor, moves with every edit."
                " Leave it out: a change of the cursor alone updates no fact, not even one that is maintained in full."
            )
    return found


def _reader(project: Project, fact_name: str, source: Source) -> exp.Column:
    """Return where a fact's query reads the cursor of a source."""
    for scope in traverse_scope(fact_query(project, fact_name, placed=True)):
        for column in scope.columns:
            table = scope.sources.get(column.table)
            is_source = isinstance(table, exp.Table) and f"{table.db}.{table.name}" == source.relation
            if is_source and column.name == source.cursor:
                return column
    raise AssertionError(f"{source.relation}.{source.cursor} is read nowhere")


@cache
def projected_columns(project: Project, fact_name: str) -> Mapping[str, tuple[Origin, ...]]:
    """Return for each column of a fact the source columns that its value is computed from."""
    query = fact_query(project, fact_name)
    scope = cast("Scope", build_scope(query))
    return {projection.alias_or_name: tuple(dict.fromkeys(_origins(scope, projection))) for projection in query.selects}


@cache
def exact_columns(project: Project, fact_name: str) -> tuple[Column, ...]:
    """Return the strings and floats of a fact that its query shows as they are, down to what tells equal ones apart.

    Redshift takes strings that differ in trailing spaces for equal, and 0 and -0. It does not say which of them a
    group, DISTINCT, MIN, MAX or a set operation shows. Where a query keeps one of several strings so, no string of it
    is exact, and likewise for floats.
    """
    read = {(source.relation, column.name): column for source in project.sources.values() for column in source.columns}
    scope = cast("Scope", build_scope(fact_query(project, fact_name)))
    merged = [
        read[origin]
        for part, one in _merged(scope)
        for origin in _origins(part, one, within=keeps_blanks)
        if origin in read
    ]
    texts_are_open = any(column.is_text for column in merged)
    # A float may be shown as a string.
    floats_are_open = any(column.is_float for column in merged)
    return tuple(
        column
        for column in project.fact(fact_name).columns
        if (column.is_text and not texts_are_open) or (column.is_float and not floats_are_open)
    )


def _merged(scope: Scope) -> Iterable[tuple[Scope, exp.Expr]]:
    """Yield the expressions, each with its scope, of which a query shows one value for several that are equal."""
    for part in scope.traverse():
        distinct = [inner for inner in part.find_all(exp.Distinct) if not isinstance(inner.parent, exp.Count)]
        yield from ((part, inner) for inner in (*part.find_all(exp.Group, exp.Max, exp.Min), *distinct))
        query = _query(part)
        if query.args.get("distinct", isinstance(query, exp.SetOperation)):
            yield from ((select, shown) for select in _selects(part) for shown in _query(select).selects)


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
            index = _query(source).named_selects.index(column.name)
            for select in _selects(source):
                yield from _origins(select, _query(select).selects[index], within=within)
        else:
            yield f"{source.db}.{source.name}", column.name


def _deciding(scope: Scope) -> Iterable[Origin]:
    """Yield the source columns that decide which rows a query gives."""
    if isinstance(scope.expression, exp.SetOperation):
        for branch in scope.set_operation_scopes:
            yield from _deciding(branch)
        clauses = scope.expression.args
        # The order, which a LIMIT goes by, is by what is shown.
        if clauses.get("distinct", True) or clauses.get("limit") or clauses.get("offset"):
            yield from _shown(scope)
        return
    select = _query(scope)
    parts = [select.args[clause] for clause in ROW_DECIDING_CLAUSES if select.args.get(clause)]
    parts += _ordered_by_name(select)
    parts += [join.args["on"] for join in select.args.get("joins") or () if join.args.get("on")]
    if select.args.get("distinct"):
        parts += select.selects
    for part in parts:
        yield from _origins(scope, part)
    for _, source in scope.selected_sources.values():
        if isinstance(source, Scope):
            yield from _deciding(source)
    for subquery in scope.subquery_scopes:
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
    for select in _selects(scope):
        for projection in _query(select).selects:
            yield from _origins(select, projection)


def _query(scope: Scope) -> exp.Query:
    return cast("exp.Query", scope.expression)


def _selects(scope: Scope) -> list[Scope]:
    """Return the SELECTs of a set operation, or the scope itself."""
    if not isinstance(scope.expression, exp.SetOperation):
        return [scope]
    return [select for branch in scope.set_operation_scopes for select in _selects(branch)]

"""A fact of the first rows of its SELECT: the SELECT without its LIMIT is maintained, and what comes first is kept.

The fact's rows of unaffected keys and the recomputed ones are all that there is as far as the fact's last row: what the
fact has not seen comes after that. Where there are fewer than it keeps, the successors of those that left are unknown,
and the fact is computed as a whole. A fact with room left has seen all rows (docs/adr/0001).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from surgical_cdc.compiler.derived_tables import definition_of, selects_of
from surgical_cdc.compiler.fact_query import table_named
from surgical_cdc.compiler.join_tree import join_tree
from surgical_cdc.compiler.nodes import JoinTree, Limit
from surgical_cdc.compiler.slices import AFFECTED_KEYS, RECOMPUTED, temp_table
from surgical_cdc.compiler.unsupported import not_incremental
from surgical_cdc.contract.tables import spelled, type_family
from surgical_cdc.names import PREFIX

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Fact

PLACED = f"{PREFIX}placed"
PLACE = f"{PREFIX}place"
# 1 in a row that may be among the first, 0 in one that says how far the fact has been.
IS_KNOWN = f"{PREFIX}known"


def limited_tree(project: Project, fact: Fact, query: exp.Select, *, with_whole: bool = False) -> JoinTree:
    """Derive the tree of joins of a fact whose query may end in LIMIT; see `join_tree`.

    Raises:
        Refused: a part of the query can not be maintained.
    """
    rows = _rows(query)
    if rows is None:
        return join_tree(project, fact, query, with_whole=with_whole)
    every_row = query.copy()
    every_row.set("order", None)
    every_row.set("limit", None)
    tree = join_tree(project, fact, every_row, with_whole=with_whole)
    # What is one row for all is computed as a whole whenever a row counts in it.
    return tree if tree.is_of_all else replace(tree, limit=Limit(rows, _order(project, fact, query)))


def place_rows(fact: Fact, limit: Limit, *, null_key: bool) -> exp.Create:
    """Return the statement that makes scdc_placed: the rows that may be among the first, with their places.

    Beside them are the fact's rows as they were. `null_key` says that NULL is an affected key.
    """
    keys, anchor = exp.column("anchor", table=AFFECTED_KEYS), exp.column(fact.anchor, table="f")
    unaffected = _candidates(fact, fact.relation, is_known=1).join(
        table_named(AFFECTED_KEYS), on=keys.eq(anchor), join_type="left"
    )
    unaffected = unaffected.where(keys.is_(exp.null()))
    if null_key:
        unaffected = unaffected.where(exp.not_(anchor.is_(exp.null())))
    recomputed = _candidates(fact, RECOMPUTED, is_known=1)
    seen = _candidates(fact, fact.relation, is_known=0)
    rank = exp.Window(this=exp.Rank(), order=exp.Order(expressions=[term.copy() for term in limit.order]))
    rows = exp.union(unaffected, recomputed, seen, distinct=False)
    columns = [exp.column(name) for name in (*fact.column_names, IS_KNOWN)]
    return temp_table(PLACED, exp.select(*columns, exp.alias_(rank, PLACE)).from_(rows.subquery(f"{PREFIX}rows")))


def _candidates(fact: Fact, relation: str, *, is_known: int) -> exp.Select:
    columns = [exp.column(name, table="f") for name in fact.column_names]
    known = exp.alias_(exp.cast(exp.convert(is_known), "smallint"), IS_KNOWN)
    return exp.select(*columns, known).from_(exp.alias_(table_named(relation), "f", table=True))


def _rows(query: exp.Select) -> int | None:
    """Return how many rows a query is limited to, None where it is not, or not by that alone."""
    limit = query.args.get("limit")
    count = limit.expression if isinstance(limit, exp.Limit) else None
    if not isinstance(count, exp.Literal) or not count.is_int or query.args.get("offset"):
        return None
    return int(count.name)


def _order(project: Project, fact: Fact, query: exp.Select) -> tuple[exp.Expr, ...]:
    """Return the order of a query as one of the fact's columns, which must show just what it is ordered by."""
    scope = cast("Scope", build_scope(query))
    shown = {part.alias_or_name: part.unalias() for part in query.selects}
    order = []
    for term in query.args["order"].expressions if query.args.get("order") else ():
        by = term.this
        own = by.name if isinstance(by, exp.Column) and not by.table else ""
        name = own if own in shown else next((name for name, part in shown.items() if part == by), None)
        if name is None:
            raise not_incremental(
                f"LIMIT {_rows(query)} by {by.sql('redshift')}, which the fact does not show,",
                "Show in a column what the rows are ordered by.",
                query.args["limit"],
            )
        declared = fact.column(name).data_type
        types = _types(project, scope, shown[name])
        if {kind and type_family(kind) for kind in types} != {type_family(declared)}:
            given = " and ".join(sorted(kind or "an unknown type" for kind in types))
            raise not_incremental(
                f"LIMIT {_rows(query)} by {name}, {given} that the fact shows as {declared},",
                f"Write CAST(… AS {declared}) for it.",
                query.args["limit"],
            )
        ordered = term.copy()
        ordered.set("this", exp.column(name))
        order.append(ordered)
    return tuple(order)


def _types(project: Project, scope: Scope, expression: exp.Expr) -> set[str | None]:
    """Return the types that an expression may have, None among them where one is not known."""
    expression = expression.unnest()
    if isinstance(expression, exp.Cast):
        return {spelled(expression.to.sql("redshift"))}
    if isinstance(expression, exp.Count):
        return {"bigint"}
    if isinstance(expression, exp.Literal) and (expression.is_string or expression.is_int):
        return {"varchar" if expression.is_string else "integer"}
    if not isinstance(expression, exp.Column) or expression.table not in scope.selected_sources:
        return {None}
    source = scope.selected_sources[expression.table][1]
    if not isinstance(source, Scope):
        return {project.tables[f"{source.db}.{source.name}"].column(expression.name).data_type}
    ways = [(select, definition_of(source, select, expression.name)) for select in selects_of(source)]
    return {kind for select, part in ways for kind in _types(project, select, part)}

"""What a query may not have if its fact is to be maintained incrementally."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, walk_in_scope

from surgical_cdc.compiler.derived_tables import merges_rows
from surgical_cdc.compiler.full_joins import is_key
from surgical_cdc.compiler.predicates import aliases_of, is_null
from surgical_cdc.compiler.trailing_spaces import stand_in, tells_equals_apart
from surgical_cdc.compiler.unsupported import Refused, not_incremental, shortened
from surgical_cdc.contract.tables import type_family

if TYPE_CHECKING:
    from surgical_cdc.compiler.full_joins import Key
    from surgical_cdc.compiler.trailing_spaces import LookAlike
    from surgical_cdc.contract.tables import Fact

EQUAL_APART = "{}, which tells equal values apart (texts by trailing spaces, 0 from -0), into {}"
AS_THEY_ARE = "Compare these by = as they are, or group by TRIM(…), or by CAST(… AS NUMERIC)."
ONE_RELATION = "Join, anchor and group by a column of one relation"
OTHER_ANCHOR = " Or name a column of the fact that shows one of a source as it is: meta: {cdc: {anchor: …}}."


def branches(scope: Scope) -> list[Scope]:
    """Return the SELECTs that a derived table or a subquery is made of: several where it is a set operation.

    Which rows an EXCEPT or INTERSECT shows is decided by equal rows of all of them, so whoever enters one by the value
    of a column enters all by it, as with UNION.

    Raises:
        Refused: the rows are limited.
    """
    query = scope.expression
    if not isinstance(query, exp.SetOperation):
        return [scope]
    check_limit(query)
    return [branch for operand in scope.set_operation_scopes for branch in branches(operand)]


def check_joins(scope: Scope) -> None:
    """Refuse joins that are neither INNER, LEFT nor FULL JOIN, and other relations than tables and queries."""
    for join in scope.expression.args.get("joins") or ():
        if join.side == "RIGHT" or join.method or join.kind in {"SEMI", "ANTI"}:
            raise not_incremental(
                f"{join.side or join.kind or join.method} JOIN {join.alias_or_name}",
                "Write INNER or LEFT JOIN … ON.",
                join,
            )
    for alias, (_, source) in scope.selected_sources.items():
        if not isinstance(source, (Scope, exp.Table)):
            raise not_incremental(f"{alias} in FROM", "Read sources, models, or derived tables.", scope.expression)


def check_limit(query: exp.Query) -> None:
    """Refuse LIMIT and OFFSET."""
    for name in ("limit", "offset"):
        clause = query.args.get(name)
        if clause is not None:
            raise not_incremental(
                f"{clause.sql('redshift').strip()}, by which one row pushes out another,",
                "Rank by a window function with PARTITION BY.",
                clause,
            )


def check_entry(
    scope: Scope,
    predicate: exp.Expr,
    aliases: Collection[str],
    kind_of: Callable[[exp.Expr], LookAlike],
    is_settled: Callable[[exp.Expr, Collection[exp.Expr]], bool] = lambda _, __: False,
) -> None:
    """Refuse to enter a SELECT by anything that does not take whole groups and whole partitions.

    Args:
        scope: that of the SELECT.
        predicate: what it is entered by.
        aliases: the relations of the scope that the predicate reads.
        kind_of: which equal values of an expression of the scope can be told apart.
        is_settled: whether a predicate has one value for all rows in which some expressions are equal.
    """
    select = cast("exp.Select", scope.expression)
    check_limit(select)
    parts = list(walk_in_scope(select))
    group = select.args.get("group")
    windows = [part for part in parts if isinstance(part, exp.Window)]
    windowed = {id(inner) for window in windows for inner in window.this.walk()}
    aggregates = [part for part in parts if isinstance(part, exp.AggFunc) and id(part) not in windowed]
    groupings: list[tuple[exp.Expr, Sequence[exp.Expr], str]] = [
        (window, window.args.get("partition_by") or [], window.sql("redshift")) for window in windows
    ]
    if group is not None or aggregates:
        keys = group.expressions if group is not None else []
        listed = ", ".join(key.sql("redshift") for key in keys) or "(nothing)"
        groupings.insert(0, (group or aggregates[0], keys, f"GROUP BY {listed}"))
    for clause, keys, grouping in groupings:
        settled = partial(is_settled, predicate, keys)
        _require(predicate, aliases, {key: kind_of(key) for key in keys}, settled, grouping=grouping, clause=clause)


def _require(
    predicate: exp.Expr,
    aliases: Collection[str],
    keys: Mapping[exp.Expr, LookAlike],
    is_settled: Callable[[], bool],
    *,
    grouping: str,
    clause: exp.Expr,
) -> None:
    """Refuse a predicate on anything but keys of some relations, unless these settle it: it holds for a group or not.

    Nor may it tell equal keys apart: they make one group.
    """
    beside = predicate.copy().transform(lambda part: stand_in(part, keys[part]) if part in keys else part)
    if tells_equals_apart(beside):
        raise not_incremental(EQUAL_APART.format(predicate.sql("redshift"), grouping), AS_THEY_ARE, clause)
    if not aliases_of(beside).isdisjoint(aliases) and not is_settled():
        raise not_incremental(
            f"{predicate.sql('redshift')} into {grouping}",
            "Enter the relation by what stands in its GROUP BY or in each PARTITION BY.",
            clause,
        )


def check_key(predicate: exp.Expr, key: Key, kind_of: Callable[[exp.Expr], LookAlike]) -> None:
    """Refuse to enter a FULL JOIN by what tells equal keys apart: they bring rows together."""
    kind = next((kind for own in key.values() if (kind := kind_of(own))), None)
    beside = predicate.copy().transform(lambda part: stand_in(part, kind) if is_key(part, key) else part)
    if tells_equals_apart(beside):
        raise not_incremental(EQUAL_APART.format(predicate.sql("redshift"), "FULL JOIN"), AS_THEY_ARE, predicate)


def check_key_types(key: Key, types: Sequence[str | None], clause: exp.Expr) -> None:
    """Refuse to enter a FULL JOIN by keys that differ in type: compared, a value may be rounded."""
    if None in types or len({type_family(data_type) for data_type in types if data_type}) > 1:
        shown = " and ".join(own.sql("redshift") for own in key.values())
        given = " and ".join(data_type or "an unknown type" for data_type in types)
        raise not_incremental(
            f"a FULL JOIN by {shown}, given as {given},", "Cast the keys to the same type, each in a subquery.", clause
        )


def check_merged(source: Scope, predicate: exp.Expr, alias: str, kinds: Mapping[str, LookAlike]) -> None:
    """Refuse to enter a DISTINCT or a set operation by what tells equal rows apart.

    Args:
        source: the scope of what `alias` stands for: a SELECT or a set operation.
        predicate: what it is entered by.
        alias: its name in the predicate.
        kinds: by its columns, which equal values of them can be told apart.
    """
    query = cast("exp.Query", source.expression)
    if not merges_rows(query):
        return

    def without_columns(part: exp.Expr) -> exp.Expr:
        kind = kinds.get(part.name) if isinstance(part, exp.Column) and part.table == alias else None
        return stand_in(part, kind) if kind else part

    if tells_equals_apart(predicate.copy().transform(without_columns)):
        shown = query.key.upper() if isinstance(query, exp.SetOperation) else "SELECT DISTINCT"
        raise not_incremental(EQUAL_APART.format(predicate.sql("redshift"), shown), AS_THEY_ARE, query)


def check_membership(membership: exp.In) -> None:
    """Refuse an IN that would need all its rows, not only those of a slice."""
    if membership.this.find(exp.Tuple, exp.Query):
        raise not_incremental(shortened(membership), "Write EXISTS with a correlation.", membership)
    around = membership.parent
    while isinstance(around, (exp.And, exp.Or, exp.Paren)):
        around = around.parent
    if not isinstance(around, (exp.Where, exp.Having, exp.Join)):
        raise not_incremental(
            f"{shortened(membership)} outside a plain condition, where a NULL among its rows matters,",
            "Write [NOT] EXISTS with a correlation, or ask in both WHERE that neither side IS NULL.",
            membership,
        )


def of_several_rows(part: str, clause: exp.Expr) -> Refused:
    """Return the refusal of a part that is computed from several rows where it should be of one."""
    return not_incremental(f"{part}, computed from several rows,", f"{ONE_RELATION}.", clause)


def of_groups(key: str, clause: exp.Expr) -> Refused:
    """Return the refusal of a fact whose rows are grouped or named by what is computed from several rows."""
    return not_incremental(
        f"a fact with a row for each {key}, which is computed from several others,",
        f"{ONE_RELATION}: by what is computed, one changed row moves others.{OTHER_ANCHOR}",
        clause,
    )


def untied(scope: Scope, waiting: Sequence[str], reached: Collection[str], failures: Sequence[Refused]) -> Refused:
    """Return why relations of a scope are tied to none that are reached: the first failure, if there is one."""
    if failures:
        return failures[0]
    joins = scope.expression.args.get("joins") or ()
    return not_incremental(
        f"{' and '.join(waiting)}, tied to {' and '.join(sorted(reached))} by no usable predicate,",
        "Join on columns of two relations; enter a grouped or windowed one by columns of its GROUP BY or PARTITION BY.",
        next((join for join in joins if join.alias_or_name in waiting), scope.expression),
    )


def check_branch_types(
    name: str, definitions: Sequence[exp.Expr], source: Scope, data_type: Callable[[exp.Expr], str | None]
) -> None:
    """Refuse to tie branches of a UNION, or EXCEPT, whose columns differ in type: there a value may be another one."""
    types = [data_type(definition) for definition in definitions if not is_null(definition)]
    families = {kind and type_family(kind) for kind in types} - {None}
    if len(definitions) > 1 and len(families) + types.count(None) > 1:
        given = " and ".join(kind or "an unknown type" for kind in types)
        raise not_incremental(
            f"the tie to {name} of {_named(source)}, given as {given},",
            f"Cast {name} to the same type in each branch.",
            source.expression,
        )


def _named(scope: Scope) -> str:
    """Return a set operation by its name."""
    return "a UNION" if isinstance(scope.expression, exp.Union) else f"an {scope.expression.key.upper()}"


def check_anchor_type(fact: Fact, anchor: exp.Expr, data_type: str | None, clause: exp.Expr) -> None:
    """Refuse an anchor that the fact's column rounds or cuts off: its rows would not be found by the source's value.

    Integers convert into one another without loss, and so do texts.
    """
    declared, shown = fact.column(fact.anchor).data_type, anchor.sql("redshift")
    if data_type is None:
        raise not_incremental(
            f"the anchor {shown}, whose type is not known,",
            f"Write CAST({shown} AS {declared}).{OTHER_ANCHOR}",
            clause,
        )
    if type_family(data_type) != type_family(declared):
        raise not_incremental(
            f"the anchor {shown}, a {data_type} that {fact.name}.{fact.anchor} shows as {declared},",
            f"List the column as {data_type}, or write CAST({shown} AS {declared}).",
            clause,
        )

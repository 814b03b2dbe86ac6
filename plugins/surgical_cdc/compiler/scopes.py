"""Questions about the scopes of a query: its SELECTs, each with the relations in its FROM; and what none may have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, walk_in_scope

from surgical_cdc.compiler.predicates import CONDITIONS, aliases_of, operands, tells_blanks_apart, with_definitions
from surgical_cdc.compiler.unsupported import refuse, shortened

# Stands for a key of a grouping, a text or a float, as an alias that no query can have.
KEY = "(key)"
EQUAL_APART = "{}, which tells equal values apart (texts by trailing spaces, 0 from -0), into {}"
AS_THEY_ARE = "Compare these by = as they are, or group by TRIM(…), or by CAST(… AS NUMERIC)."
# Which equal values of an expression a query can tell apart: texts by trailing spaces, floats by the sign of zero.
LookAlike = Literal["text", "float"] | None


@dataclass(frozen=True)
class Conjunct:
    """A predicate of a scope's ON or WHERE: of the ON of the outer join of `joined`, or one that filters every row."""

    predicate: exp.Expr
    joined: str | None


def branches(scope: Scope) -> list[Scope]:
    """Return the SELECTs whose rows a derived table or a subquery shows: several where it is a UNION."""
    query = scope.expression
    if not isinstance(query, exp.SetOperation):
        return [scope]
    if not isinstance(query, exp.Union):
        refuse(query.key.upper(), "Write EXISTS or NOT EXISTS with a correlation.", query.expression)
    check_limit(query)
    return [branch for operand in scope.set_operation_scopes for branch in branches(operand)]


def definition_of(source: Scope, branch: Scope, name: str) -> exp.Expr:
    """Return what a column of a derived table is in one of its branches: columns of a UNION go by their position."""
    index = cast("exp.Query", source.expression).named_selects.index(name)
    return cast("exp.Select", branch.expression).selects[index].unalias()


def projection(scope: Scope, name: str) -> exp.Expr:
    """Return what a column of a SELECT is."""
    return definition_of(scope, scope, name)


def opened_in(source: Scope, branch: Scope, alias: str, predicate: exp.Expr) -> exp.Expr:
    """Return the predicate with the columns of a derived table replaced by what defines them in a branch of it."""
    names = {column.name for column in predicate.find_all(exp.Column) if column.table == alias}
    return with_definitions(predicate, {(alias, name): definition_of(source, branch, name) for name in names})


def optional_aliases(scope: Scope) -> set[str]:
    """Return the relations of a scope that outer joins can leave absent."""
    return {join.alias_or_name for join in scope.expression.args.get("joins") or () if join.side == "LEFT"}


def conjuncts_of(scope: Scope) -> list[Conjunct]:
    """Return the parts of the scope's ON and WHERE that must all hold and read no subquery."""
    select = scope.expression
    found = [Conjunct(part, None) for part in operands(select.args["where"].this)] if select.args.get("where") else []
    for join in select.args.get("joins") or ():
        alias = join.alias_or_name if join.side == "LEFT" else None
        # The ON of an outer join filters nothing but the relation that it joins.
        found += [
            Conjunct(part, alias)
            for part in operands(join.args.get("on"))
            if alias is None or alias in aliases_of(part)
        ]
    return [conjunct for conjunct in found if not conjunct.predicate.find(exp.Query)]


def reads_source(source: exp.Expr | Scope) -> bool:
    """Return whether a relation has rows of a table."""
    expression = source.expression if isinstance(source, Scope) else source
    return expression.find(exp.Table) is not None


def check_joins(scope: Scope) -> None:
    """Refuse joins that are neither INNER nor LEFT JOIN, and other relations than tables and queries."""
    for join in scope.expression.args.get("joins") or ():
        if join.side in {"RIGHT", "FULL"} or join.method or join.kind in {"SEMI", "ANTI"}:
            refuse(
                f"{join.side or join.kind or join.method} JOIN {join.alias_or_name}",
                "Write INNER or LEFT JOIN … ON.",
                join,
            )
    for alias, (_, source) in scope.selected_sources.items():
        if not isinstance(source, (Scope, exp.Table)):
            refuse(f"{alias} in FROM", "Read sources, models, or derived tables.", scope.expression)


def check_limit(query: exp.Query) -> None:
    """Refuse LIMIT and OFFSET."""
    for name in ("limit", "offset"):
        clause = query.args.get(name)
        if clause is not None:
            refuse(f"{clause.sql('redshift').strip()}", "Rank by a window function with PARTITION BY.", clause)


def check_entry(scope: Scope, predicate: exp.Expr, alias: str, kind_of: Callable[[exp.Expr], LookAlike]) -> None:
    """Refuse to enter a SELECT by anything that does not take whole groups and whole partitions.

    Args:
        scope: that of the SELECT.
        predicate: what it is entered by.
        alias: the relation of the scope that the predicate reads.
        kind_of: which equal values of an expression of the scope can be told apart.
    """
    select = cast("exp.Select", scope.expression)
    check_limit(select)
    parts = list(walk_in_scope(select))
    group = select.args.get("group")
    windows = [part for part in parts if isinstance(part, exp.Window)]
    windowed = {id(inner) for window in windows for inner in window.this.walk()}
    aggregates = [part for part in parts if isinstance(part, exp.AggFunc) and id(part) not in windowed]
    if group is not None or aggregates:
        keys = group.expressions if group is not None else []
        shown = f"GROUP BY {', '.join(key.sql('redshift') for key in keys) or '(nothing)'}"
        _require(predicate, alias, {key: kind_of(key) for key in keys}, shown=shown, clause=group or aggregates[0])
    for window in windows:
        keys = window.args.get("partition_by") or []
        _require(predicate, alias, {key: kind_of(key) for key in keys}, shown=window.sql("redshift"), clause=window)


def _require(
    predicate: exp.Expr,
    alias: str,
    keys: Mapping[exp.Expr, LookAlike],
    *,
    shown: str,
    clause: exp.Expr,
) -> None:
    """Refuse a predicate that reads of a relation anything but keys: then it holds for all rows of a group or none.

    Nor may it tell equal keys apart: they make one group.
    """
    beside = predicate.copy().transform(lambda part: _key(part, keys[part]) if part in keys else part)
    if tells_blanks_apart(beside, KEY):
        refuse(EQUAL_APART.format(predicate.sql("redshift"), shown), AS_THEY_ARE, clause)
    if alias in aliases_of(beside):
        refuse(
            f"{predicate.sql('redshift')} into {shown}",
            "Enter the relation by what stands in its GROUP BY or in each PARTITION BY.",
            clause,
        )


def _key(part: exp.Expr, kind: LookAlike) -> exp.Expr:
    """Return what stands for a key in a predicate, NULL where nothing can tell equal keys apart."""
    if kind == "text":
        return exp.column(kind, table=KEY)
    # Whatever is not a comparison may show the sign of zero, and is taken for what shows trailing spaces.
    is_compared = isinstance(part.parent, CONDITIONS) or part.parent is None
    return exp.null() if kind is None or is_compared else exp.func("LENGTH", exp.column(kind, table=KEY))


def check_merged(source: Scope, predicate: exp.Expr, alias: str, kinds: Mapping[str, LookAlike]) -> None:
    """Refuse to enter rows without duplicates by what tells apart those that are equal.

    Args:
        source: the scope of what `alias` stands for: a SELECT or a UNION.
        predicate: what it is entered by.
        alias: its name in the predicate.
        kinds: by its columns, which equal values of them can be told apart.
    """
    query = cast("exp.Query", source.expression)
    if not query.args.get("distinct", isinstance(query, exp.SetOperation)):
        return

    def known(part: exp.Expr) -> exp.Expr:
        kind = kinds.get(part.name) if isinstance(part, exp.Column) and part.table == alias else None
        return _key(part, kind) if kind else part

    if tells_blanks_apart(predicate.copy().transform(known), KEY):
        shown = "UNION" if isinstance(query, exp.SetOperation) else "SELECT DISTINCT"
        refuse(EQUAL_APART.format(predicate.sql("redshift"), shown), AS_THEY_ARE, query)


def check_membership(membership: exp.In) -> None:
    """Refuse an IN whose rows would have to be all those that it has in the whole tables."""
    if membership.this.find(exp.Tuple, exp.Query):
        refuse(shortened(membership), "Write EXISTS with a correlation.", membership)
    around = membership.parent
    while isinstance(around, (exp.And, exp.Or, exp.Paren)):
        around = around.parent
    if not isinstance(around, (exp.Where, exp.Having, exp.Join)):
        refuse(
            f"{shortened(membership)} outside a plain condition, where a NULL among its rows matters,",
            "Write [NOT] EXISTS with a correlation.",
            membership,
        )

"""Questions about the scopes of a query: its SELECTs, each with the relations in its FROM; and what none may have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, walk_in_scope

from surgical_cdc.predicates import aliases_of, operands, tells_blanks_apart, with_definitions
from surgical_cdc.refusal import refuse, shortened

# Stands for a key of a grouping, a text, as an alias that no query can have.
KEY = "(key)"
BLANKS = "{}, which tells texts apart that are equal but for trailing blanks, into {}"
WITHOUT_BLANKS = "Compare these texts by = as they are, or group by TRIM(…)."


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


def check_entry(scope: Scope, predicate: exp.Expr, alias: str, ends_in_blanks: Callable[[exp.Expr], bool]) -> None:
    """Refuse to enter a SELECT by anything that does not take whole groups and whole partitions.

    Args:
        scope: that of the SELECT.
        predicate: what it is entered by.
        alias: the relation of the scope that the predicate reads.
        ends_in_blanks: whether an expression of the scope may be a text with trailing blanks.
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
        texts = [key for key in keys if ends_in_blanks(key)]
        _require(predicate, alias, keys, texts, shown=shown, clause=group or aggregates[0])
    for window in windows:
        keys = window.args.get("partition_by") or []
        texts = [key for key in keys if ends_in_blanks(key)]
        _require(predicate, alias, keys, texts, shown=window.sql("redshift"), clause=window)


def _require(
    predicate: exp.Expr,
    alias: str,
    keys: Sequence[exp.Expr],
    texts: Sequence[exp.Expr],
    *,
    shown: str,
    clause: exp.Expr,
) -> None:
    """Refuse a predicate that reads of a relation anything but keys: then it holds for all rows of a group or none.

    Of keys that are texts it may not tell apart those that are equal but for trailing blanks: they make one group.
    """

    def known(part: exp.Expr) -> exp.Expr:
        if part not in keys:
            return part
        return exp.column("text", table=KEY) if part in texts else exp.null()

    beside = predicate.copy().transform(known)
    if tells_blanks_apart(beside, KEY):
        refuse(BLANKS.format(predicate.sql("redshift"), shown), WITHOUT_BLANKS, clause)
    if alias in aliases_of(beside):
        refuse(
            f"{predicate.sql('redshift')} into {shown}",
            "Enter the relation by what stands in its GROUP BY or in each PARTITION BY.",
            clause,
        )


def check_merged(source: Scope, predicate: exp.Expr, alias: str, texts: Sequence[str]) -> None:
    """Refuse to enter rows without duplicates by what tells apart those that are equal.

    Args:
        source: the scope of what `alias` stands for: a SELECT or a UNION.
        predicate: what it is entered by.
        alias: its name in the predicate.
        texts: its columns of which equal ones may differ in trailing blanks.
    """
    query = cast("exp.Query", source.expression)
    if not query.args.get("distinct", isinstance(query, exp.SetOperation)):
        return

    def known(part: exp.Expr) -> exp.Expr:
        is_text = isinstance(part, exp.Column) and part.table == alias and part.name in texts
        return exp.column(part.name, table=KEY) if is_text else part

    if tells_blanks_apart(predicate.copy().transform(known), KEY):
        shown = "UNION" if isinstance(query, exp.SetOperation) else "SELECT DISTINCT"
        refuse(BLANKS.format(predicate.sql("redshift"), shown), WITHOUT_BLANKS, query)


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

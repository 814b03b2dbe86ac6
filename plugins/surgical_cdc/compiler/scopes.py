"""Questions about the scopes of a query: its SELECTs, each with the relations in its FROM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, walk_in_scope

from surgical_cdc.compiler.constants import is_constant
from surgical_cdc.compiler.derived_tables import selects_of
from surgical_cdc.compiler.predicates import aliases_of, operands

# The joins that leave what they join NULL-extended; RIGHT JOIN is refused.
OUTER = frozenset({"LEFT", "FULL"})
MORE_OR_LESS_THAN_ONE_ROW = ("group", "having", "qualify", "limit", "offset")


@dataclass(frozen=True)
class Conjunct:
    """A predicate that filters every row of a scope, or one of the ON by which `joined` is outer-joined."""

    predicate: exp.Expr
    joined: str | None


def optional_aliases(scope: Scope) -> set[str]:
    """Return the relations of a scope that an outer join can leave NULL-extended."""
    from_ = scope.expression.args.get("from_")
    before, optional = [from_.this.alias_or_name] if from_ else [], set()
    for join in scope.expression.args.get("joins") or ():
        if join.side == "FULL":
            optional.update(before)
        before.append(join.alias_or_name)
        if join.side in OUTER:
            optional.add(join.alias_or_name)
    return optional


def conjuncts_of(scope: Scope) -> list[Conjunct]:
    """Return the parts of the scope's ON and WHERE that must all hold and read no subquery."""
    select = scope.expression
    where = select.args.get("where")
    conjuncts = [Conjunct(part, None) for part in operands(where and where.this)]
    for join in select.args.get("joins") or ():
        alias = join.alias_or_name if join.side in OUTER else None
        # The ON of an outer join filters nothing but the relation that it joins.
        conjuncts += [
            Conjunct(part, alias)
            for part in operands(join.args.get("on"))
            if alias is None or alias in aliases_of(part)
        ]
    return [conjunct for conjunct in conjuncts if not conjunct.predicate.find(exp.Query)]


def filters_of(scope: Scope) -> dict[str, exp.Expr]:
    """Return by relation what its rows must fulfil to matter: what reads it alone, where no outer join lacks it."""
    filters: dict[str, list[exp.Expr]] = {}
    for conjunct in conjuncts_of(scope):
        for alias in aliases_of(conjunct.predicate) - optional_aliases(scope):
            if conjunct.joined is None and aliases_of(conjunct.predicate) == {alias}:
                filters.setdefault(alias, []).append(conjunct.predicate)
    return {alias: exp.and_(*parts, copy=True) for alias, parts in filters.items()}


def is_of_all(scope: Scope) -> bool:
    """Return whether each SELECT of a query gives one row at most: an aggregate without groups, or of such queries."""
    if isinstance(scope.expression, exp.SetOperation):
        return all(is_of_all(select) for select in selects_of(scope))
    if scope.expression.args.get("group") or not reads_source(scope):
        return False
    return aggregates(scope) or all(
        isinstance(source, Scope) and is_of_all(source) for _, source in scope.selected_sources.values()
    )


def is_value(scope: Scope) -> bool:
    """Return whether a query gives exactly one row, and the same beside any row of the query around it."""
    select = scope.expression
    return (
        isinstance(select, exp.Select)
        and not any(select.args.get(clause) for clause in MORE_OR_LESS_THAN_ONE_ROW)
        and aggregates(scope)
        and reads_source(scope)
        and not scope.external_columns
        and len({*select.named_selects}) == len(select.named_selects)
    )


def aggregates(scope: Scope) -> bool:
    """Return whether a SELECT aggregates, be it in groups or not."""
    parts = list(walk_in_scope(scope.expression))
    windowed = {id(inner) for part in parts if isinstance(part, exp.Window) for inner in part.this.walk()}
    return any(isinstance(part, exp.AggFunc) and id(part) not in windowed for part in parts)


def reads_source(source: exp.Expr | Scope) -> bool:
    """Return whether a relation has rows of a source, or of a static table."""
    return any(not is_constant(table) for table in _tables(source))


def reads_table(source: exp.Expr | Scope) -> bool:
    """Return whether a relation has rows of a source, or of a table that is always the same."""
    return any(True for _ in _tables(source))


def _tables(source: exp.Expr | Scope) -> Iterator[exp.Table]:
    expression = source.expression if isinstance(source, Scope) else source
    return expression.find_all(exp.Table)

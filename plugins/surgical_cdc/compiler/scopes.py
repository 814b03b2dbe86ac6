"""Questions about the scopes of a query: its SELECTs, each with the relations in its FROM."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from surgical_cdc.compiler.predicates import aliases_of, operands


@dataclass(frozen=True)
class Conjunct:
    """A predicate that filters every row of a scope, or one of the ON by which `joined` is outer-joined."""

    predicate: exp.Expr
    joined: str | None


def optional_aliases(scope: Scope) -> set[str]:
    """Return the relations of a scope that an outer join can leave NULL-extended."""
    return {join.alias_or_name for join in scope.expression.args.get("joins") or () if join.side == "LEFT"}


def conjuncts_of(scope: Scope) -> list[Conjunct]:
    """Return the parts of the scope's ON and WHERE that must all hold and read no subquery."""
    select = scope.expression
    where = select.args.get("where")
    conjuncts = [Conjunct(part, None) for part in operands(where and where.this)]
    for join in select.args.get("joins") or ():
        alias = join.alias_or_name if join.side == "LEFT" else None
        # The ON of an outer join filters nothing but the relation that it joins.
        conjuncts += [
            Conjunct(part, alias)
            for part in operands(join.args.get("on"))
            if alias is None or alias in aliases_of(part)
        ]
    return [conjunct for conjunct in conjuncts if not conjunct.predicate.find(exp.Query)]


def reads_source(source: exp.Expr | Scope) -> bool:
    """Return whether a relation has rows of a table."""
    expression = source.expression if isinstance(source, Scope) else source
    return expression.find(exp.Table) is not None

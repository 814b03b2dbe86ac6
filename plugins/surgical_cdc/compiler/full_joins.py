"""Reads the FULL JOINs that a SELECT begins with: their rows are brought together by equal keys, and entered by them.

In each row all relations that are there have one key, COALESCE(a.k, b.k); and which rows of them meet, or meet none,
is decided among the rows with that key. So whoever takes all rows with some keys of each relation has all such rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from surgical_cdc.compiler.predicates import aliases_of, equalities
from surgical_cdc.compiler.unsupported import not_incremental

# What the rows of full-joined relations have in common: by each relation's alias, an expression of its columns.
Key = Mapping[str, exp.Expr]


def is_full(join: exp.Join) -> bool:
    """Return whether a join is a FULL JOIN."""
    return join.side == "FULL"


def keys_of(scope: Scope) -> list[Key]:
    """Return the keys that the relations of a FULL JOIN have in common, one for each equality; none without one.

    Raises:
        Refused: it is on no equality, or stands behind another join.
    """
    joins = scope.expression.args.get("joins") or []
    chain = list(takewhile(is_full, joins))
    for join in joins[len(chain) :]:
        if is_full(join):
            raise not_incremental(
                f"FULL JOIN {join.alias_or_name} behind another join",
                "Put the joins before it into a subquery.",
                join,
            )
    keys: list[Key] = []
    first = scope.expression.args["from_"].this.alias_or_name if chain else ""
    for join in chain:
        keys = list(_extended(keys, join) if keys else _begun(first, join))
        if not keys:
            raise not_incremental(
                f"FULL JOIN {join.alias_or_name}, which is not on the equality of keys,",
                "Write FULL JOIN … ON a.key = b.key, or ON COALESCE(a.key, b.key) = c.key.",
                join,
            )
    return keys


def _begun(first: str, join: exp.Join) -> Iterator[Key]:
    """Yield what two relations have in common."""
    for one, other in equalities(join.args.get("on") or exp.true()):
        if aliases_of(one) == {first} and aliases_of(other) == {join.alias_or_name}:
            yield {first: one, join.alias_or_name: other}


def _extended(keys: Sequence[Key], join: exp.Join) -> Iterator[Key]:
    """Yield what a further relation has in common with those before it."""
    for key in keys:
        for one, other in equalities(join.args.get("on") or exp.true()):
            if aliases_of(other) == {join.alias_or_name} and _shown_by(one) <= {*key.values()}:
                yield {**key, join.alias_or_name: other}


def _shown_by(expression: exp.Expr) -> set[exp.Expr]:
    """Return what a COALESCE may show, or the expression itself."""
    return {expression.this, *expression.expressions} if isinstance(expression, exp.Coalesce) else {expression}


def with_key(predicate: exp.Expr, key: Key, replacement: Callable[[], exp.Expr]) -> exp.Expr:
    """Return a predicate in which something else stands for the key, that is for COALESCE of all of it.

    >>> from sqlglot import parse_one
    >>> key = {"a": exp.column("k", "a"), "b": exp.column("k", "b")}
    >>> with_key(parse_one("COALESCE(b.k, a.k) > c.n"), key, key["a"].copy).sql()
    'a.k > c.n'
    """
    return predicate.copy().transform(lambda part: replacement() if is_key(part, key) else part)


def is_key(part: exp.Expr, key: Key) -> bool:
    """Return whether a part of a query is COALESCE of all of a key."""
    return isinstance(part, exp.Coalesce) and _shown_by(part) == {*key.values()}

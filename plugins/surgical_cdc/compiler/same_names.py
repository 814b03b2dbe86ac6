"""Refuses to read a column by a name that two columns have, as `SELECT *` from a join leaves them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from surgical_cdc.compiler.derived_tables import query_of
from surgical_cdc.compiler.unsupported import Refused, shortened
from surgical_cdc.names import own_name

HINT = "List the columns that are needed in place of *, and name them apart by AS."


def check_names(query: exp.Select) -> None:
    """Refuse two columns of one name in a query's result, and where a column of a derived table is read by it.

    Raises:
        Refused: either of two columns may be meant.
    """
    for scope in traverse_scope(query):
        for column in scope.columns:
            source = scope.sources.get(column.table)
            if isinstance(source, Scope) and query_of(source).named_selects.count(column.name) > 1:
                both = _shown_as(query_of(source), column.name)
                raise Refused(f"{column.sql('redshift')} is the name of several columns there, {both}", HINT, column)
    for name, times in Counter(query.named_selects).items():
        if times > 1:
            raise Refused(f"several columns of the result are named {name}, {_shown_as(query, name)}", HINT, query)


def tell_apart(query: exp.Query) -> bool:
    """Give columns of one name others, where a `*` reads them and nothing reads one by its name.

    sqlglot leaves such a `*` as it is. Whoever reads one of them by its name further out is refused as by an unknown
    name: either may be meant. Returns whether there were any.
    """
    found = False
    for scope in traverse_scope(query):
        if not any(part.is_star for part in query_of(scope).selects):
            continue
        for alias, (_, source) in scope.selected_sources.items():
            if isinstance(source, Scope):
                named = {column.name for column in scope.columns if column.table in {"", alias}}
                found = _rename_twice_named(query_of(source), named) or found
    return found


def _rename_twice_named(query: exp.Query, kept: Collection[str]) -> bool:
    """Name columns that have one name by their places, unless that is among those that are kept."""
    times = Counter(query.named_selects)
    twice = [
        (part, own_name("twice", str(place)))
        for place, part in enumerate(query.selects, start=1)
        if times[part.alias_or_name] > 1 and part.alias_or_name not in kept
    ]
    for part, name in twice:
        part.replace(exp.alias_(part.unalias().copy(), name))
    return bool(twice)


def _shown_as(query: exp.Query, name: str) -> str:
    shown = [part.unalias() for part in query.selects if part.alias_or_name == name]
    return " and ".join(shortened(part) for part in shown)

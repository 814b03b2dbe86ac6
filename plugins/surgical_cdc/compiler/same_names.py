"""Refuses to read a column by a name that two columns have, as `SELECT *` from a join leaves them."""

from __future__ import annotations

from collections import Counter

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from surgical_cdc.compiler.derived_tables import query_of
from surgical_cdc.compiler.unsupported import Refused, shortened

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


def _shown_as(query: exp.Query, name: str) -> str:
    shown = [part.unalias() for part in query.selects if part.alias_or_name == name]
    return " and ".join(shortened(part) for part in shown)

"""What is in the way of maintaining a fact: the clause, where it stands, and what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from surgical_cdc.contract.tables import Select

SHOWN_CHARACTERS = 160


class Refused(Exception):
    """What is in the way.

    `problem` is a sentence without its full stop. `hint` says what to write instead. The problem is in `clause`.
    """

    def __init__(self, problem: str, hint: str, clause: exp.Expr) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint
        self.clause = clause


def not_incremental(part: str, hint: str, clause: exp.Expr) -> Refused:
    """Return what is in the way of incremental maintenance alone: a part of the query, as the subject of a sentence."""
    return Refused(
        f"{part} can not be maintained incrementally",
        f"{hint} Or set meta: {{cdc: {{maintenance: full}}}}.",
        clause,
    )


def place(clause: exp.Expr, select: Select) -> str:
    """Return the file of a clause, of the SELECT or of a model that it reads, and the clause's first line there."""
    # `meta` itself would make an empty mapping.
    places = [part.meta for part in clause.bfs() if part._meta and "path" in part._meta]  # noqa: SLF001
    if not places:
        return select.path
    path = places[0]["path"]
    return f"{path}, line {min(one['line'] for one in places if one['path'] == path)}"


def shortened(expression: exp.Expr) -> str:
    """Return the beginning of an expression, for a message."""
    text = expression.sql("redshift")
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"

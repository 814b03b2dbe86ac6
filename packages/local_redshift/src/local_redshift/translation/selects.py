"""The clauses of a SELECT, and those that PostgreSQL writes in another way: TOP and GROUP BY ALL."""

from __future__ import annotations

from typing import NamedTuple

from local_redshift.rules.functions import AGGREGATES
from local_redshift.rules.reading import SET_OPERATIONS, Query, Statement, called, words
from local_redshift.translation.tokens import Token

# Each ends the clause before it; no name without double quotes is one of these.
CLAUSES = words("into from where connect start group having qualify order limit offset for with") | SET_OPERATIONS
TRIGGERS = frozenset({"top", "all"})
NUMBER_BEHIND = 2  # SELECT TOP 10: the word, and its number


class Select(NamedTuple):
    """Where the parts of a SELECT stand: a part that is missing begins where it would, and is empty."""

    query: Query
    top: int
    """TOP, or the first word of the select list."""
    items: int
    items_end: int
    """EXCLUDE, or the end of the select list."""
    exclude_end: int
    source: int
    """FROM."""
    source_end: int
    where: int
    where_end: int
    end: int
    """The set operation behind it, the closing parenthesis, or the end of the statement."""


def selects(statement: Statement) -> list[Select]:
    """The SELECTs of a statement, each behind those that it reads."""

    def ends(query: Query) -> int:
        return statement.partner.get(query.opening, len(statement.words))

    ordered = sorted(statement.queries[1:], key=lambda query: (ends(query), query.start))
    return [select_of(statement, query) for query in ordered]


def select_of(statement: Statement, query: Query) -> Select:
    """Find the parts of one SELECT."""
    top = query.start + 1
    items = top + (NUMBER_BEHIND if is_top(statement, top) else 0)
    items += statement.word(items) in ("all", "distinct")
    clauses = []
    end = statement.partner.get(query.opening, len(statement.words))
    for at in statement.level(items):
        if statement.words[at] in SET_OPERATIONS:
            end = at
            break
        if statement.words[at] in CLAUSES:
            clauses.append(at)
    clauses.append(end)

    def clause(word: str) -> tuple[int, int]:
        start = next((at for at in clauses if statement.word(at) == word), end)
        return start, next((at for at in clauses if at > start), end)

    exclude = _exclude(statement, items, clauses[0])
    return Select(query, top, items, exclude, clauses[0], *clause("from"), *clause("where"), end)


def is_top(statement: Statement, at: int) -> bool:
    """Whether TOP and a number stand at a position."""
    return statement.word(at) == "top" and [token.kind for token in statement.tokens[at + 1 : at + 2]] == ["number"]


def _exclude(statement: Statement, start: int, end: int) -> int:
    """The position of the EXCLUDE that ends a select list; its end without one."""
    for at in statement.level(start, end) if "exclude" in statement.places else ():
        follows = statement.word(at + 1) == "(" or (statement.is_name(at + 1) and at + 1 < end)
        if statement.words[at] == "exclude" and at > start and follows:
            between = statement.word(at - 1) in (",", ".", "as", "(")
            return end if between else at
    return end


def translate_selects(tokens: list[Token]) -> list[Token]:
    """Give TOP as LIMIT, and GROUP BY ALL as the numbers of the columns.

    >>> from local_redshift.translation.tokens import tokenize, write
    >>> write(translate_selects(tokenize("SELECT TOP 2 a, SUM(b) FROM t GROUP BY ALL ORDER BY a")))
    'SELECT a, SUM(b) FROM t GROUP BY 1 ORDER BY a LIMIT 2'
    """
    if TRIGGERS.isdisjoint(token.word for token in tokens):
        return tokens
    statement = Statement(tokens)
    edits: dict[int, list[Token]] = {}
    for select in selects(statement):
        if select.top + 1 < select.items and is_top(statement, select.top):
            number = statement.tokens[select.top + 1].text
            edits |= {select.top: [], select.top + 1: []}
            # A LIMIT behind a set operation would be all of its operands' (the rules refuse that).
            at = statement.partner.get(select.query.opening, len(statement.words))
            edits[at] = [_word(f"LIMIT {number}"), *tokens[at : at + 1]]
        edits |= _group_by_all(statement, select)
    return [written for at, token in enumerate(tokens) for written in edits.get(at, [token])]


def _group_by_all(statement: Statement, select: Select) -> dict[int, list[Token]]:
    """What stands in place of GROUP BY ALL; nothing when there is none."""
    for at in statement.level(select.items, select.end):
        if statement.words[at : at + 3] == ["group", "by", "all"]:
            behind = at + 3
            if behind >= select.end or statement.words[behind] in CLAUSES:
                numbers = _grouping(statement, select)
                if not numbers:
                    return {at: [], at + 1: [], at + 2: []}
                return {at + 2: [_word(", ".join(map(str, numbers)))]}
    return {}


def _grouping(statement: Statement, select: Select) -> list[int]:
    """The numbers of the columns that compute no aggregate."""
    computed = {at for at in called(statement, AGGREGATES) if statement.query(at) is select.query}
    computed |= {at for at in statement.find("over", "(") if statement.query(at) is select.query}
    items = list(statement.split(select.items, select.items_end))
    return [number for number, (start, end) in enumerate(items, 1) if computed.isdisjoint(range(start, end))]


def _word(text: str) -> Token:
    return Token(" ", "word", text, text.lower())

"""The shape of a statement: what a grammar sees of it.

Two names are the same to a grammar, so are two literals of a kind, and so are a list of two and a list of a hundred
equal elements. sqlfluff takes seconds for a statement with a hundred columns; it parses each shape once, for all the
statements that have it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from sqlfluff.core.dialects import dialect_selector

from local_redshift.translation.tokens import Token, tokenize

DIALECT = "redshift"
# What separates equal things, from the loosest to the tightest.
SET_OPERATORS = frozenset({"UNION", "EXCEPT", "INTERSECT", "MINUS"})
BRANCHES = frozenset({"WHEN"})
CLAUSES = frozenset(
    {"SELECT", "FROM", "WHERE", "GROUP", "HAVING", "QUALIFY", "ORDER", "LIMIT", "PARTITION", "ROWS", "WITH"}
    | {"INSERT", "VALUES", "UPDATE", "SET", "DELETE", "USING", "JOIN", "ON", "CREATE"}
)
COMMA = frozenset({","})
SEPARATORS = (SET_OPERATORS, BRANCHES, CLAUSES, COMMA, frozenset({"OR"}), frozenset({"AND"}), frozenset({"||"}))
# A name stands after these even when a parenthesis follows it, as in INSERT INTO t (a, b).
BEFORE_NAMES = frozenset({"INTO", "TABLE"})
# A parenthesis after these holds a list; after any other word it holds the arguments of a function or a type.
BEFORE_LISTS = frozenset({"IN", "VALUES", "AS", "USING", "BY", "SELECT", "x", "SORTKEY"})
OPERATOR = frozenset("<>=!|~+-*/%^&@#?")


def shape(statement: str) -> str:
    """Give a text that the grammar takes exactly when it takes the statement.

    Comments and line breaks are gone. Names are `x`, literals `'x'`, `1` or `1.0`, bind parameters `$1`. The dialect's
    keywords and the names of functions stay. Of equal elements of one list (what commas, OR, AND or || separate in a
    clause, rows of VALUES, branches of a CASE, SELECTs of a UNION) two stay: the first, and one after a separator.

    >>> shape("INSERT INTO cdc.t (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c') -- three rows")
    "INSERT INTO x.x ( x , NAME ) VALUES ( 1 , 'x' ) , ( 1 , 'x' )"
    """
    frames: list[list[str]] = [[]]
    openings: list[str] = []
    before = ""
    for word in _words(tokenize(statement)):
        if word in {"(", "CASE"}:
            openings.append(word if word == "CASE" or _holds_a_list(before) else "call")
            frames.append([])
        elif openings and word == ("END" if openings[-1] == "CASE" else ")"):
            opening = openings.pop()
            inner = _collapsed(frames.pop(), arguments=opening == "call")
            frames[-1].append(f"CASE {inner} END" if opening == "CASE" else f"( {inner} )")
        else:
            frames[-1].append(word)
        before = word
    # Of parentheses that are not closed nothing is left out: the grammar is to see them.
    return " ".join([_collapsed(frames[0]), *(f"( {' '.join(frame)}" for frame in frames[1:])])


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    """Yield the words of the shape; a dotted name is one word."""
    word = ""
    for position, token in enumerate(tokens[:-1]):
        text = _word(tokens, position)
        glued = not token.space and (
            text.startswith(".") or word.endswith(".") or (token.kind == "literal" and word in {"E", "B", "X"})
        )
        if glued or (not token.space and word and OPERATOR.issuperset(word + text)):
            word += text
            continue
        if word:
            yield word
        word = text
    if word:
        yield word


def _word(tokens: Sequence[Token], position: int) -> str:
    token = tokens[position]
    match token.kind:
        case "literal":
            return "'x'"
        case "name":
            return '"x"'
        case "parameter":
            return "$1"
        case "number":
            return "1.0" if set(token.text) & set(".eE") else "1"
        case "word":
            return _name_or_keyword(tokens, position)
        case _:
            return token.text


def _name_or_keyword(tokens: Sequence[Token], position: int) -> str:
    upper = tokens[position].text.upper()
    before = tokens[position - 1] if position else None
    after = tokens[position + 1]
    if upper in _reserved():
        return upper
    if (before and before.word == ".") or after.word == ".":
        return "x"
    if after.kind == "literal" and not after.space:
        return upper
    if after.word == "(" and not (before and before.word.upper() in BEFORE_NAMES):
        return upper
    return upper if upper in _keywords() else "x"


def _holds_a_list(before: str) -> bool:
    return before.endswith(".x") or before in BEFORE_LISTS or not before[:1].isalpha() or before in _reserved()


def _collapsed(words: Sequence[str], *, arguments: bool = False, level: int = 0) -> str:
    """Join words, leaving out what repeats an element of the same list.

    A function's arguments all stay: their number is part of the shape.
    """
    if level == len(SEPARATORS):
        return " ".join(words)
    separators = SEPARATORS[level]
    parts: list[list[str]] = [[]]
    between = False
    for word in words:
        if word in separators and not between:
            parts.append([])
        # The AND of `a BETWEEN b AND c` separates nothing.
        between = word == "BETWEEN" or (between and word != "AND")
        parts[-1].append(word)
    texts = [_collapsed(part, arguments=arguments, level=level + 1) for part in parts if part]
    if separators is CLAUSES or (arguments and separators is COMMA and not CLAUSES.intersection(words)):
        return " ".join(texts)
    return " ".join(dict.fromkeys(texts))


@cache
def _reserved() -> frozenset[str]:
    return frozenset(dialect_selector(DIALECT).sets("reserved_keywords"))


@cache
def _keywords() -> frozenset[str]:
    """Every word that the dialect's grammar names."""
    dialect = dialect_selector(DIALECT)
    names = ("unreserved_keywords", "bare_functions", "datetime_units", "date_part_function_name")
    return frozenset(word.upper() for name in names for word in dialect.sets(name))

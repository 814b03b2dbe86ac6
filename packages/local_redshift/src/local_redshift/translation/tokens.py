"""A statement as tokens: enough to find names, literals and parentheses, and to write it back.

A parser would have to know all of Redshift's and PostgreSQL's grammar, and would write every
statement anew. Tokens leave alone what no rule asks about, bind parameters (`$1`) included.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# Comments nest, as deep as anyone writes them; one of two dashes ends with the line, however that ends.
COMMENT = r"/\*(?>[^*/]++|\*(?!/)|/(?!\*))*+\*/"
for _ in range(3):
    COMMENT = rf"/\*(?>[^*/]++|\*(?!/)|/(?!\*)|{COMMENT})*+\*/"
DASHES = r"--[^\n\r]*+"

# A backslash escapes in every literal, as in Redshift: the gateway's database runs with
# standard_conforming_strings off. A hash that follows no operand at once begins the name of a temporary table.
TOKEN = re.compile(
    rf"""
    (?P<space> (?: \s++ | {DASHES} | {COMMENT} )*+ )
    (?: (?P<word> (?: (?<![\w$)\]'"]) \# )? [^\W\d][\w$]* )
      | (?P<number> \d+ (?:\.\d*)? (?:[eE][+-]?\d+)? | \.\d+ )
      | (?P<literal> ' (?: [^'\\]++ | \\. | '' )*+ (?: ' | \Z ) | \$(?P<tag>(?:[^\W\d]\w*)?)\$ .*? \$(?P=tag)\$ )
      | (?P<name> " (?: [^"]++ | "" )*+ " )
      | (?P<parameter> \$\d+ )
      | (?P<sign> :: | . )
      | (?P<end> $ ) )
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A token: what stands before it (space, comments), its kind, and its text."""

    space: str
    kind: str
    text: str
    word: str
    """The lower-case text of an unquoted word or a sign; empty for anything else."""


def tokenize(statement: str, *, until: str = "") -> list[Token]:
    """Split a statement; the last token is its end. Joining the tokens gives the statement.

    With `until`, what follows this word outside parentheses is left in one piece.

    >>> [token.text for token in tokenize("SELECT a, 'x--y' FROM t -- all")]
    ['SELECT', 'a', ',', "'x--y'", 'FROM', 't', '']
    """
    tokens: list[Token] = []
    depth = 0
    for match in TOKEN.finditer(statement):
        kind = match.lastgroup or "end"
        if kind == "tag":
            kind = "literal"
        text = match[kind]
        word = text.lower() if kind in ("word", "sign") else ""
        tokens.append(Token(match["space"], kind, text, word))
        depth += (word == "(") - (word == ")")
        if kind == "end":
            break
        if until and word == until and depth == 0:
            return [*tokens, Token("", "rest", statement[match.end() :], ""), Token("", "end", "", "")]
    return tokens


def write(tokens: list[Token]) -> str:
    """The text of the tokens, with the space before each."""
    return "".join(token.space + token.text for token in tokens)


def literal(text: str) -> str:
    r"""The literal of a text, in which a backslash escapes.

    >>> literal("it's")
    "'it''s'"
    """
    doubled = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


def split(tokens: list[Token], sign: str) -> list[list[Token]]:
    """Split at a sign that stands outside parentheses.

    >>> [write(part) for part in split(tokenize("a, f(b, c)"), ",")]
    ['a', ' f(b, c)']
    """
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.word == "(") - (token.word == ")")
        if token.word == sign and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def closing(tokens: list[Token], opening: int) -> int:
    """Position of the parenthesis that closes the one at `opening`; the end when it is missing."""
    depth = 0
    for position in range(opening, len(tokens)):
        word = tokens[position].word
        depth += (word == "(") - (word == ")")
        if depth == 0:
            return position
    return len(tokens)


def is_call(tokens: list[Token], position: int) -> bool:
    """Whether an unqualified name followed by a parenthesis stands at this position."""
    follows = position + 1 < len(tokens) and tokens[position + 1].word == "("
    return follows and (position == 0 or tokens[position - 1].word != ".")

"""The one place where every statement passes on its way from the client to PostgreSQL.

`translate` is all that the gateway calls. A statement in which nothing is Redshift's own passes as
it came, and finding that out costs some microseconds; the rest is translated once for all runs and remembered.
"""

from __future__ import annotations

import re
from functools import lru_cache

from local_redshift.rules import Situation
from local_redshift.rules.refusing import refusing, without_run
from local_redshift.translation.definitions import (
    UNSIZED,
    fold_names,
    name_temporary,
    size_numbers,
    translate_definition,
)
from local_redshift.translation.expressions import FUNCTIONS, WORDS, translate_expressions
from local_redshift.translation.selects import TRIGGERS as CLAUSES
from local_redshift.translation.selects import translate_selects
from local_redshift.translation.settings import translate_setting
from local_redshift.translation.tokens import COMMENT, DASHES, Token, split, tokenize

WORD = re.compile(rb"[a-z_][a-z_0-9]*")
TRIGGERS = frozenset(word.encode() for word in (*FUNCTIONS, *WORDS, *CLAUSES, *UNSIZED))
# Most such words are somebody's data or column; only these need a look at the tokens.
CALL = re.compile(
    rb"\b(?:" + b"|".join(name.encode() for name in FUNCTIONS) + rb")\s*\("
    rb"|\b(?:qualify|sysdate|approximate|minus)\b|\(\s*max\s*\)|\btop\s+\d|\bgroup\s+by\s+all\b"
    rb"|\b(?:numeric|decimal|dec)\b(?!\s*\()"
)
# A temporary table's name, or bits that are compared.
HASH = re.compile(rb"#[a-z_\x80-\xff]")
CAPITALS = re.compile(rb'"[^"\']*[A-Z\x80-\xff][^"\']*"')
LONGEST = re.compile(rb"\(\s*max\s*\)")
SPACE = rf"(?:\s++|{DASHES}[\n\r]|{COMMENT})".encode()
# A CREATE TABLE AS that says no more than its name is PostgreSQL's as well; the engine sends many.
PLAIN_CTAS = rb"(?!create" + SPACE + rb'++(?:temp(?:orary)?\s+)?table\s+[\w.$"]+\s+as\b)'
STATEMENTS = rb"(?:(?:begin|start)(?=.*isolation)|create|alter|set|reset|show|vacuum|analyze|delete(?!\s+from))\b"
BY_KIND = re.compile(SPACE + rb"*+" + PLAIN_CTAS + STATEMENTS, re.IGNORECASE | re.DOTALL)
CREATE_TABLE = re.compile(SPACE + rb"*+create" + SPACE + rb"++(?:temp(?:orary)?\s+)?table\b", re.IGNORECASE | re.DOTALL)
ALWAYS = frozenset({Situation.ALWAYS})
REMEMBERED = 1024
REMEMBERED_BYTES = 100_000


def translate(statement: bytes, *, situations: frozenset[Situation] = ALWAYS) -> bytes:
    """Give the statement as PostgreSQL understands it; the same object when nothing changes.

    One that Redshift refuses becomes another that fails with Redshift's words.

    Args:
        statement: text of one statement, or of several.
        situations: in which the statement is; without any nothing is refused.

    >>> translate(b"SELECT NVL(a, 0) FROM t")
    b'SELECT COALESCE(a, 0) FROM t'
    """
    if situations and (failing := refusing(statement, situations)) is not None:
        return failing
    if not BY_KIND.match(statement) and not _has_expressions(statement):
        return statement
    if len(statement) > REMEMBERED_BYTES:
        return _translated(statement)
    general, run = without_run(statement)
    translated = _remembered(general)
    if translated == general:
        return statement
    for place, hashes in run.items():
        translated = translated.replace(place, hashes)
    return translated


def _has_expressions(statement: bytes) -> bool:
    if CAPITALS.search(statement):
        return True
    lower = statement.lower()
    if TRIGGERS.isdisjoint(WORD.findall(lower)):
        return bool(LONGEST.search(lower) or HASH.search(lower))
    return bool(CALL.search(lower) or HASH.search(lower))


def _translated(statement: bytes) -> bytes:
    text = statement.decode(errors="surrogateescape")
    one = b";" not in statement.rstrip(b"; \n")
    only_header = one and CREATE_TABLE.match(statement) and not _has_expressions(statement)
    tokens = tokenize(text, until="as" if only_header else "")
    try:
        translated = ";".join(_one(part) for part in split(tokens, ";"))
    except (IndexError, ValueError, RecursionError):
        # Not what the rules expect, so no valid statement either: PostgreSQL says what is wrong.
        return statement
    return statement if translated == text else translated.encode(errors="surrogateescape")


_remembered = lru_cache(REMEMBERED)(_translated)


def _one(tokens: list[Token]) -> str:
    tokens = translate_setting(name_temporary(fold_names(tokens)))
    tokens, keys = translate_definition(tokens)
    return translate_expressions(translate_selects(size_numbers(tokens))) + keys

"""What Redshift refuses as a name."""

from __future__ import annotations

import re

from local_redshift.rules.definitions import defined_names
from local_redshift.rules.reading import Statement, words
from local_redshift.rules.rule import Glance, rule

MOST_BYTES = 63
MOST_BYTES_THERE = 127
LONG = re.compile(r'"[^"]{64}')
# Reserved there and not in PostgreSQL.
RESERVED = words(
    "aes128 aes256 allowoverwrite az64 backup blanksasnull bytedict bzip2 connect credentials current_user_id deflate "
    "defrag delta delta32k disable emptyasnull enable encode encrypt encryption explicit globaldict256 globaldict64k "
    "gzip identity ignore language lun luns lzo lzop minus mostly13 mostly32 mostly8 new nulls off offline offset oid "
    "old open parallel partition percent permissions raw readratio recover rejectlog resort respect restore snapshot "
    "sysdate system tag tdes text255 text32k timestamp top truncatecolumns wallet without"
)
# No part of any clause: behind a value they can only be its alias.
NEVER_KEYWORDS = words(
    "credentials delta disable enable explicit new offline old open permissions raw recover resort restore snapshot "
    "system tag wallet"
)
SYSTEM_COLUMNS = frozenset({"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"})
BEFORE_NAME = words(
    ", ( . = < > + - * / % | and any between by case column distinct else from having in into join not on or select "
    "set table then update when where"
)
AFTER_NAME = words(
    ", ) . ; = < > ! + - * / % | and as asc between desc else end from group having ilike in is join like limit not "
    "on or order set then union when where"
)
# What stands behind these is a table, a view or a schema.
BEFORE_RELATION = frozenset({"exists", "from", "into", "join", "schema", "table", "update", "view"})
# These stand in many statements as what they are.
COMMON = frozenset({"backup", "encode", "identity", "nulls", "oid", "partition", "percent", "sysdate", "timestamp"})
COMMON_AS_NAME = re.compile(
    rf"(?:\bas\s+|\.\s*)(?:{'|'.join(COMMON)})\b"
    rf"|[,(.=<>+*/-]\s*(?:{'|'.join(COMMON - {'timestamp', 'sysdate'})})\b(?!\s*by\b)",
    re.DOTALL,
)


def may_be_reserved(glance: Glance) -> bool:
    """Whether a reserved word may be somebody's name."""
    present = RESERVED.intersection(glance.words)
    return bool(present) and (not present <= COMMON or COMMON_AS_NAME.search(glance.lower) is not None)


WITH_OPTIONS = frozenset({"copy", "unload", "set", "show", "reset", "grant", "revoke", "create", "alter"})


@rule(
    glance=may_be_reserved,
    evidence="DG/r_pg_keywords",
    refused="SELECT a AS tag FROM t",
    accepted='SELECT a AS "tag" FROM t',
)
def reserved_names(statement: Statement) -> int | None:
    """Words that are reserved in Redshift, as names without double quotes: `new`, `old`, `tag`, `open`, `system`."""
    defined = set(defined_names(statement))
    for at in sorted(at for word in RESERVED.intersection(statement.places) for at in statement.places[word]):
        if at in defined or _is_name(statement, at):
            return at
    return None


def _is_name(statement: Statement, at: int) -> bool:
    """Whether a reserved word stands where only a name or a value can."""
    word, before = statement.words[at], statement.word(at - 1)
    after = statement.word(at + 1) if at + 1 < len(statement.words) else ";"
    if before in BEFORE_RELATION and word not in COMMON:
        return True
    if statement.word(0) == "alter" and before == "to":
        return True
    if statement.word(0) in WITH_OPTIONS and at < statement.body and word != "tag":
        return False
    if word == "oid" and not statement.on_compute_nodes:
        return False
    if before == "as":
        return word != "timestamp" and after != "("
    if word in ("current_user_id", "offset", "sysdate", "timestamp"):
        return before == "."
    ends = before == ")" or statement.is_name(at - 1) or statement.tokens[at - 1].kind in ("literal", "number")
    if word in NEVER_KEYWORDS and ends and before not in BEFORE_NAME:
        return after in AFTER_NAME and before not in ("encode", "nulls")
    return before in BEFORE_NAME and after in AFTER_NAME


@rule(
    "cmax cmin ctid tableoid xmax xmin",
    message='column "{near}" does not exist',
    sqlstate="42703",
    evidence="DG/c_unsupported-postgresql-features",
    refused="SELECT ctid FROM t",
    accepted="SELECT a FROM t",
)
def system_columns(statement: Statement) -> int | None:
    """PostgreSQL's system columns."""
    if not statement.on_compute_nodes:
        return None
    return next(
        (at for at in range(len(statement.tokens)) if statement.is_name(at) and statement.name(at) in SYSTEM_COLUMNS),
        None,
    )


@rule(
    pattern=r"(?<![\w.$])\d[\d.]*+(?:_|[box](?:_|[\da-f]))",
    message="the number ends at {near}, and what follows is another word",
    sqlstate="42601",
    evidence="DG/r_numeric_literals201; as in PostgreSQL before version 15",
    refused="SELECT 10_000",
    accepted="SELECT 10000",
)
def numbers_with_letters(statement: Statement) -> int | None:
    """`0x1F`, `0b1` and `10_000`: Redshift reads a number and the name of its column."""
    for at, token in enumerate(statement.tokens[1:]):
        if statement.tokens[at].kind == "number" and token.kind == "word" and not token.space:
            return at
    return None


def may_be_long(glance: Glance) -> bool:
    """Whether there is a long word, or one that these words do not show."""
    return (
        not glance.text.isascii()
        or LONG.search(glance.text) is not None
        or any(len(word) > MOST_BYTES for word in glance.words)
    )


def _names_of_relations(statement: Statement) -> set[str]:
    """Return the names of common tables, and those that stand before a point."""
    before_point = (at - 1 for at in statement.find("."))
    return {*statement.common_tables, *(statement.name(at) for at in before_point if statement.is_name(at))}


@rule(
    glance=may_be_long,
    message='the name "{near}" has more than 63 bytes',
    sqlstate="42622",
    evidence="DG/r_names: up to 127 bytes there, and longer ones cut; PostgreSQL cuts them at 63",
    refused="SELECT 1 AS " + "x" * 64,
    accepted="SELECT 1 AS " + "x" * 63,
)
def long_names(statement: Statement) -> int | None:
    """Names of more than 63 bytes, which PostgreSQL cuts, and Redshift those of more than 127.

    But for those of a WITH, or before a point: no one else sees them, and of two that were cut to one PostgreSQL tells.
    """
    inner: set[str] | None = None
    for at, token in enumerate(statement.tokens):
        size = len(token.text.strip('"').encode(errors="surrogateescape")) if token.kind in ("word", "name") else 0
        if size > MOST_BYTES:
            inner = _names_of_relations(statement) if inner is None else inner
            if size > MOST_BYTES_THERE or at == statement.table or statement.name(at) not in inner:
                return at
    return None

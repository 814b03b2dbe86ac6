"""What Redshift refuses in CREATE, ALTER and DROP."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator

from local_redshift.rules.reading import TABLE_CONSTRAINTS, Statement, words
from local_redshift.rules.rule import Glance, Situation, rule

FEATURES = "DG/c_unsupported-postgresql-features"
CREATE_TABLE = "DG/r_CREATE_TABLE_NEW"
ALTER_TABLE = "DG/r_ALTER_TABLE"
# What CREATE, ALTER and DROP may make, by the first word.
OBJECTS = words(
    "constraint database datashare default external function group identity library masking materialized model "
    "procedure rls role schema table user view"
)
BEFORE_OBJECT = frozenset({"or", "replace", "local", "temp", "temporary", "late", "binding", "nonatomic"})
NAME = r"(?:if\s++not\s++exists\s++)?[\w.$#\"]++"
TABLE_ATTRIBUTES = frozenset({"as", "backup", "compound", "distkey", "diststyle", "encode", "interleaved", "sortkey"})
ENCODINGS = words("auto az64 bytedict delta delta32k lzo mostly8 mostly16 mostly32 raw runlength text255 text32k zstd")
SORTING_ACTIONS = frozenset({"sortkey", "distkey", "diststyle", "compound", "encode", "column"})
RESIZED = frozenset({"varchar", "character", "nvarchar", "varbyte", "varbinary", "binary"})


@rule(
    "index reindex",
    message='SQL command "{statement}" not supported on Redshift tables.',
    wording="stackoverflow.com: How to create an index in Amazon Redshift",
    sqlstate="0A000",
    evidence=FEATURES,
    refused="CREATE INDEX of_a ON t (a)",
    accepted="CREATE TABLE sorted (a INT) SORTKEY (a)",
)
def indexes(statement: Statement) -> int | None:
    """`CREATE INDEX`, `DROP INDEX`, `REINDEX`."""
    if statement.word(0) == "reindex":
        return 0
    return statement.first("index", stop=3) if statement.word(0) in ("create", "alter", "drop") else None


@rule(
    "create alter drop",
    pattern=r"(?:\A|;)\s*+(?:create|alter|drop)\s++"
    rf"(?!(?:(?:{'|'.join(BEFORE_OBJECT)})\s++)*+(?:{'|'.join(OBJECTS)})\b)",
    message='SQL command "{statement}" not supported.',
    sqlstate="0A000",
    evidence=f"DG/c_SQL_commands; {FEATURES}",
    refused="CREATE SEQUENCE numbers",
    accepted="CREATE TABLE numbered (a BIGINT IDENTITY(1, 1))",
)
def unknown_objects(statement: Statement) -> int | None:
    """Sequences, triggers, types, domains, rules, extensions and what else Redshift does not have."""
    if statement.word(0) not in ("create", "alter", "drop"):
        return None
    at = 1
    while statement.word(at) in BEFORE_OBJECT:
        at += 1
    known = statement.word(at) in OBJECTS | {"index", "unique", "unlogged"}
    return None if known else min(at, len(statement.words) - 1)


@rule(
    "temp temporary unlogged replace",
    pattern=r"\bcreate\s++(?:unlogged|or\s++replace\s++(?:table|temp)|(?:local\s++)?temp(?:orary)?\s++view)\b",
    evidence=f"{CREATE_TABLE}; DG/r_CREATE_VIEW",
    refused="CREATE UNLOGGED TABLE fast (a INT)",
    accepted="CREATE TEMP TABLE fast (a INT)",
)
def table_kinds(statement: Statement) -> int | None:
    """`CREATE UNLOGGED TABLE`, `CREATE OR REPLACE TABLE`, `CREATE TEMP VIEW`."""
    if statement.word(0) != "create":
        return None
    start = " ".join(statement.words[1:5]).removeprefix("local ")
    if start.startswith(("unlogged", "or replace table", "or replace temp", "temp view", "temporary view")):
        return 1
    return None


@rule(
    "exists",
    evidence="DG/r_CREATE_TABLE_AS; SQLMesh's adapter for Redshift",
    refused="CREATE TABLE IF NOT EXISTS copied AS SELECT a FROM t",
    accepted="CREATE TABLE copied AS SELECT a FROM t",
)
def create_as_if_not_exists(statement: Statement) -> int | None:
    """`CREATE TABLE IF NOT EXISTS … AS`."""
    if statement.word(0) != "create" or statement.table is None or statement.word(statement.table - 1) != "exists":
        return None
    return next((at for at in statement.level(statement.table) if statement.words[at] == "as"), None)


@rule(
    "data",
    evidence="DG/r_CREATE_TABLE_AS",
    refused="CREATE TABLE copied AS SELECT a FROM t WITH NO DATA",
    accepted="CREATE TABLE copied (LIKE t)",
)
def create_as_with_data(statement: Statement) -> int | None:
    """`CREATE TABLE … AS … WITH [NO] DATA`."""
    at = len(statement.words) - 2 - (statement.word(len(statement.words) - 2) == "no")
    ended = statement.word(len(statement.words) - 1) == "data" and statement.word(at) == "with"
    return at if ended and statement.word(0) == "create" else None


@rule(
    "table",
    pattern=rf"\bcreate\s++(?:local\s++)?(?:temp(?:orary)?\s++)?table\s++(?!{NAME}\s++as\b)",
    evidence=f"{FEATURES}; {CREATE_TABLE}",
    refused="CREATE TABLE parted (a INT, b INT) PARTITION BY RANGE (a)",
    accepted="CREATE TABLE parted (a INT, b INT) SORTKEY (a)",
)
def table_options(statement: Statement) -> int | None:
    """What stands behind a table's columns and is no attribute of Redshift: partitions, inheritance, `ON COMMIT`."""
    if statement.word(0) != "create" or statement.table is None or statement.first("external", stop=3) is not None:
        return None
    at = statement.dotted(statement.table)
    if statement.word(at) in ("partition", "of"):
        return at
    if statement.word(at) == "(":
        at = statement.after(at)
    while at < len(statement.words) and statement.words[at] not in ("as", ";"):
        if statement.words[at] not in TABLE_ATTRIBUTES:
            return at
        if statement.words[at] in ("compound", "interleaved"):
            at += 1
        at = statement.after(at + 1)  # the attribute's value: a word, or names in parentheses
    return None


def attributes(statement: Statement) -> Iterator[int]:
    """The positions of the words behind a new table's name and columns, up to its query."""
    if statement.word(0) == "create" and statement.table is not None:
        at = statement.dotted(statement.table)
        start = statement.after(at) if statement.columns else at
        yield from itertools.takewhile(lambda each: statement.words[each] != "as", statement.level(start))


def distribution_keys(statement: Statement) -> list[int]:
    """The positions at which a new table is given a distribution key."""
    of_columns = (at for start, end in statement.columns for at in statement.level(start, end) if at > start)
    return [at for at in (*of_columns, *attributes(statement)) if statement.words[at] == "distkey"]


@rule(
    "distkey",
    message="a table has one distribution key",
    sqlstate="42601",
    evidence=CREATE_TABLE,
    refused="CREATE TABLE spread (a INT DISTKEY, b INT DISTKEY)",
    accepted="CREATE TABLE spread (a INT DISTKEY, b INT)",
)
def several_distribution_keys(statement: Statement) -> int | None:
    """More than one `DISTKEY`, or one of several columns."""
    keys = distribution_keys(statement)
    for at in keys:
        if statement.word(at + 1) == "(" and len(list(statement.split(at + 2, statement.partner.get(at + 1)))) > 1:
            return at
    return keys[1] if keys[1:] else None


@rule(
    "diststyle",
    message="DISTSTYLE {near} contradicts the table's DISTKEY, or the lack of one",
    sqlstate="42601",
    evidence=CREATE_TABLE,
    refused="CREATE TABLE spread (a INT) DISTSTYLE KEY",
    accepted="CREATE TABLE spread (a INT) DISTSTYLE KEY DISTKEY (a)",
)
def distribution_style(statement: Statement) -> int | None:
    """`DISTSTYLE KEY` without a `DISTKEY`, `EVEN` and `ALL` with one, and other styles."""
    has_key = bool(distribution_keys(statement))
    for at in attributes(statement):
        if statement.words[at] == "diststyle":
            style = statement.word(at + 1)
            known = style in ("auto", "key") if has_key else style in ("all", "auto", "even")
            return None if known else at + 1
    return None


@rule(
    "encode",
    pattern=rf"\bencode\s++(?!(?:{'|'.join(sorted(ENCODINGS))})\b)",
    message='the encoding "{near}" does not exist',
    sqlstate="42601",
    evidence="DG/c_Compression_encodings",
    refused="CREATE TABLE packed (a INT ENCODE gzip)",
    accepted="CREATE TABLE packed (a INT ENCODE az64)",
)
def encodings(statement: Statement) -> int | None:
    """`ENCODE` with a name that is no encoding of Redshift's."""
    of_columns = (at for start, end in statement.columns for at in statement.level(start, end) if at > start)
    for at in (*of_columns, *attributes(statement)):
        if statement.words[at] == "encode" and statement.word(at + 1) not in ENCODINGS:
            return at + 1
    return None


@rule(
    "identity",
    pattern=r"\balter\s++table\b",
    message="an identity column can not be added to a table",
    sqlstate="0A000",
    evidence=ALTER_TABLE,
    refused="ALTER TABLE t ADD COLUMN number BIGINT IDENTITY(1, 1)",
    accepted="CREATE TABLE numbered (number BIGINT IDENTITY(1, 1), a INT)",
)
def added_identity(statement: Statement) -> int | None:
    """`ALTER TABLE … ADD COLUMN … IDENTITY`."""
    if statement.word(0) != "alter":
        return None
    return next(
        (at for start, end in statement.columns for at in statement.find("identity", start=start, stop=end)), None
    )


@rule(
    "check",
    pattern=r"\bcheck\s++option\b",
    evidence="DG/r_CREATE_VIEW",
    refused="CREATE VIEW checked AS SELECT a FROM t WHERE a > 0 WITH CHECK OPTION",
    accepted="CREATE VIEW checked AS SELECT a FROM t WHERE a > 0",
)
def check_option(statement: Statement) -> int | None:
    """A view `WITH CHECK OPTION`."""
    return statement.first("check", "option") if statement.word(0) == "create" else None


@rule(
    "check exclude",
    evidence=FEATURES,
    refused="CREATE TABLE checked (a INT CHECK (a > 0))",
    accepted="CREATE TABLE checked (a INT NOT NULL)",
)
def check_constraints(statement: Statement) -> int | None:
    """`CHECK` and `EXCLUDE` constraints."""
    for start, end in statement.columns:
        for at in statement.level(start, end):
            if statement.words[at] in ("check", "exclude") and statement.word(at + 1) in ("(", "using"):
                return at
    return None


@rule(
    "generated",
    evidence=CREATE_TABLE,
    refused="CREATE TABLE computed (a INT, b INT GENERATED ALWAYS AS (a * 2) STORED)",
    accepted="CREATE TABLE numbered (a BIGINT GENERATED BY DEFAULT AS IDENTITY(1, 1))",
)
def generated_columns(statement: Statement) -> int | None:
    """`GENERATED ALWAYS`, and an identity column without its seed and step."""
    for start, end in statement.columns:
        for at in statement.level(start, end):
            if statement.words[at] == "generated" and statement.word(at + 1) == "always":
                return at + 1
            if statement.words[at] == "identity" and statement.word(at + 1) != "(":
                return at
    return None


@rule(
    "references constraint deferrable initially",
    evidence=CREATE_TABLE,
    refused="CREATE TABLE child (a INT REFERENCES t (a) ON DELETE CASCADE)",
    accepted="CREATE TABLE child (a INT REFERENCES t (a))",
)
def constraint_options(statement: Statement) -> int | None:
    """`ON DELETE`, `ON UPDATE`, `DEFERRABLE` and `INITIALLY` behind a constraint."""
    for start, end in statement.columns:
        for at in statement.level(start, end):
            if statement.words[at] in ("deferrable", "initially") and at > start:
                return at
            if statement.words[at] == "on" and statement.word(at + 1) in ("delete", "update"):
                return at
    return None


@rule(
    "collate",
    evidence=f"{FEATURES}; {CREATE_TABLE}",
    refused='CREATE TABLE sorted (a VARCHAR(20) COLLATE "de_DE")',
    accepted="CREATE TABLE sorted (a VARCHAR(20) COLLATE CASE_SENSITIVE)",
)
def collations(statement: Statement) -> int | None:
    """`COLLATE` with anything but `CASE_SENSITIVE` and `CASE_INSENSITIVE`, `CS` and `CI` in short."""
    known = ("case_sensitive", "cs", "case_insensitive", "ci", "(")
    return next((at for at in statement.find("collate") if statement.word(at + 1) not in known), None)


@rule(
    "function",
    pattern=r"\bcreate\b",
    message="functions in {near} are not supported",
    sqlstate="0A000",
    evidence="DG/r_CREATE_FUNCTION",
    refused="CREATE FUNCTION f_one() RETURNS INT IMMUTABLE AS $$ BEGIN RETURN 1; END $$ LANGUAGE plpgsql",
    accepted="CREATE FUNCTION f_one() RETURNS INT IMMUTABLE AS $$ SELECT 1 $$ LANGUAGE sql",
)
def function_languages(statement: Statement) -> int | None:
    """Functions in anything but SQL and Python; PL/pgSQL is for procedures."""
    if statement.word(0) != "create" or "function" not in statement.words[1:4]:
        return None
    for at in statement.find("language"):
        if statement.tokens[at + 1].text.strip("'\"").lower() not in ("sql", "plpythonu"):
            return at + 1
    return None


@rule(
    "procedure",
    pattern=r"\bcreate\b",
    message="procedures in {near} are not supported",
    sqlstate="0A000",
    evidence="DG/r_CREATE_PROCEDURE",
    refused="CREATE PROCEDURE one() AS $$ SELECT 1 $$ LANGUAGE sql",
    accepted="CREATE PROCEDURE one() AS $$ BEGIN NULL; END $$ LANGUAGE plpgsql",
)
def procedure_languages(statement: Statement) -> int | None:
    """Procedures in anything but PL/pgSQL."""
    if statement.word(0) != "create" or "procedure" not in statement.words[1:4]:
        return None
    for at in statement.find("language"):
        if statement.tokens[at + 1].text.strip("'\"").lower() != "plpgsql":
            return at + 1
    return None


def actions(statement: Statement) -> Iterator[tuple[int, int]]:
    """The ranges of the actions of an ALTER TABLE."""
    if statement.word(0) == "alter" and statement.table is not None:
        yield from statement.split(statement.dotted(statement.table))


@rule(
    "alter",
    evidence=f"{ALTER_TABLE}; AWS agent toolkit for Redshift, syntax",
    refused="ALTER TABLE t ADD COLUMN x INT, ADD COLUMN y INT",
    accepted="ALTER TABLE t ADD COLUMN x INT",
)
def several_alterations(statement: Statement) -> int | None:
    """More than one action in an `ALTER TABLE`."""
    ranges = list(actions(statement))
    sorting = all(
        statement.word(start) == "alter" and statement.word(start + 1) in SORTING_ACTIONS for start, _ in ranges
    )
    return None if sorting or not ranges[1:] else ranges[1][0] - 1


@rule(
    "alter",
    evidence="openillumi.com/?p=50886; DG/r_ALTER_TABLE",
    refused="ALTER TABLE t SET SCHEMA elsewhere",
    accepted="ALTER TABLE t RENAME TO renamed",
)
def alter_table_set(statement: Statement) -> int | None:
    """`ALTER TABLE … SET SCHEMA`, and the other actions that PostgreSQL alone has."""
    for start, _end in actions(statement):
        first = statement.word(start)
        known = first in ("add", "alter", "append", "drop", "owner", "rename", "row", "masking")
        if not known and not (first == "set" and statement.word(start + 1) in ("location", "file", "table")):
            return start
    return None


@rule(
    "alter",
    pattern=r"\bexists\b",
    evidence=ALTER_TABLE,
    refused="ALTER TABLE t ADD COLUMN IF NOT EXISTS x INT",
    accepted="ALTER TABLE t ADD COLUMN x INT",
)
def alter_if_exists(statement: Statement) -> int | None:
    """`IF EXISTS` and `IF NOT EXISTS` in `ALTER TABLE`."""
    return statement.first("if") if statement.word(0) == "alter" and statement.table is not None else None


@rule(
    "alter",
    message="ALTER COLUMN {rest} is not supported",
    wording="practo/tipoca-stream#40",
    sqlstate="0A000",
    evidence=ALTER_TABLE,
    refused="ALTER TABLE t ALTER COLUMN a SET NOT NULL",
    accepted="ALTER TABLE t ADD COLUMN x INT DEFAULT 0 NOT NULL",
)
def alter_column(statement: Statement) -> int | None:
    """`ALTER COLUMN` but for its encoding and the size of a `VARCHAR`."""
    for start, _end in actions(statement):
        if statement.word(start) != "alter" or statement.word(start + 1) in SORTING_ACTIONS - {"column"}:
            continue
        at = start + 2 + (statement.word(start + 1) == "column")
        if statement.word(at) == "type" and statement.word(at + 1) in RESIZED:
            at = next((each for each in statement.level(at) if statement.words[each] == "using"), at)
            if statement.words[at] == "type":
                continue
        if statement.word(at) != "encode":
            return min(at, len(statement.words) - 1)
    return None


@rule(
    "alter",
    message="ALTER TABLE ALTER COLUMN cannot run inside a transaction block",
    wording="flyway/flyway#2438",
    sqlstate="25001",
    situation=Situation.IN_A_TRANSACTION,
    evidence=f"{ALTER_TABLE}; DG/r_ALTER_TABLE_APPEND",
    refused="ALTER TABLE t ALTER COLUMN c TYPE VARCHAR(40)",
    accepted="ALTER TABLE t ADD COLUMN x VARCHAR(40)",
)
def alter_column_in_transaction(statement: Statement) -> int | None:
    """`ALTER COLUMN … TYPE` and `ALTER TABLE … APPEND` within a transaction."""
    for start, end in actions(statement):
        if statement.word(start) == "append":
            return start
        if statement.word(start) == "alter" and statement.first("type", start=start + 2, stop=end) is not None:
            return start
    return None


# Types -------------------------------------------------------------------------------------------

TYPES = words(
    "smallint int2 integer int int4 bigint int8 decimal numeric real float4 double float8 float char character nchar "
    "bpchar varchar nvarchar text date datetime time timetz timestamp timestamptz interval boolean bool geometry "
    "geography hllsketch super varbyte varbinary binary"
)
LEADER_TYPES = words(
    "aclitem int2vector name oid oidvector regclass regproc regprocedure regoper regoperator regtype refcursor xid"
)
CAST = re.compile(r"::\s*([\w\"]++)", re.DOTALL)
CAST_AS = re.compile(r"\bas\s++(\w++)\s*[)(]", re.DOTALL)
COLUMNS = re.compile(rf"(?:\A|;)\s*+(?:create|alter)\s++[^();]*?\btable\s++{NAME}\s*(?:\(|add\b)", re.DOTALL)


def may_have_unknown_types(glance: Glance) -> bool:
    """Whether there is a column's definition, or a cast to a type that Redshift may not have."""
    words, lower = glance.words, glance.lower
    if "table" in words and not words.isdisjoint(("create", "alter")) and COLUMNS.search(lower):
        return True
    if "::" in lower and not TYPES.issuperset(CAST.findall(lower)):
        return True
    return not words.isdisjoint(("cast", "try_cast")) and not TYPES.issuperset(CAST_AS.findall(lower))


LENGTH = re.compile(r"\(\s*+(?:[1-9]\d{4}|409[7-9]|4[1-9]\d\d|[5-9]\d{3})")
LONGEST = {"varchar": 65535, "nvarchar": 65535, "char": 4096, "nchar": 4096, "bpchar": 4096, "character": 4096}


@rule(
    " ".join([*LONGEST, "varying"]),
    glance=lambda glance: LENGTH.search(glance.lower) is not None,
    message="Column length exceeds maximum allowed (maximum column length is 65535, of CHAR 4096)",
    sqlstate="42601",
    evidence="DG/r_Character_types; sicarul/redshiftTools#28",
    refused="CREATE TABLE long (a VARCHAR(70000))",
    accepted="CREATE TABLE long (a VARCHAR(65535))",
)
def long_strings(statement: Statement) -> int | None:
    """`VARCHAR` of more than 65,535 bytes, `CHAR` of more than 4,096."""
    for at in statement.types:
        varying = statement.word(at + 1) == "varying"
        length = at + 2 + varying
        longest = 65535 if varying else LONGEST.get(statement.word(at), math.inf)
        is_sized = statement.word(length - 1) == "(" and statement.tokens[length].kind == "number"
        if is_sized and float(statement.tokens[length].text) > longest:
            return length
    return None


@rule(
    glance=may_have_unknown_types,
    message='type "{near}" does not exist',
    sqlstate="42704",
    evidence="DG/c_Supported_data_types; DG/c_unsupported-postgresql-datatypes",
    refused="CREATE TABLE typed (a UUID, b JSONB)",
    accepted="CREATE TABLE typed (a CHAR(36), b SUPER)",
)
def unknown_types(statement: Statement) -> int | None:
    """Types that Redshift does not have: `UUID`, `JSON`, `BYTEA`, `SERIAL`, `MONEY`, `INET`, `XML`, ranges."""
    known = TYPES if statement.on_compute_nodes else TYPES | LEADER_TYPES
    for at in statement.types:
        end = statement.dotted(at) - 1
        if statement.is_name(at) and statement.name(end) not in known:
            return end
    return None


def defined_names(statement: Statement) -> Iterator[int]:
    """The positions of the names of the columns that a statement defines."""
    for start, _end in statement.columns:
        if statement.is_name(start) and statement.words[start] not in TABLE_CONSTRAINTS:
            yield start

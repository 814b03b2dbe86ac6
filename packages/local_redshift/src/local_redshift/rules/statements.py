"""What Redshift refuses as a whole: kinds of statements, transactions, sizes."""

from __future__ import annotations

from local_redshift.rules.reading import Statement, words
from local_redshift.rules.rule import Situation, rule
from local_redshift.translation.settings import READING

# Every command of AWS's list, by its first word.
COMMANDS = words(
    "abort alter analyze attach begin call cancel close comment commit copy create deallocate declare delete desc "
    "describe detach drop end execute explain fetch grant insert lock merge prepare refresh reset revoke rollback "
    "select set show start truncate unload update use vacuum with"
)
OTHERWISE_REFUSED = frozenset({"savepoint", "release", "values", "reindex"})
MOST_BYTES = 16 * 2**20


@rule(
    pattern=rf"(?:\A|;)(?:\s|\()*+(?!(?:{'|'.join(sorted(COMMANDS))})\b|;|\Z)",
    message='SQL command "{statement}" not supported.',
    wording="olirice/alembic_utils#123",
    sqlstate="0A000",
    evidence="DG/c_SQL_commands",
    refused="DO $$ BEGIN NULL; END $$",
    accepted="SELECT 1",
)
def unknown_commands(statement: Statement) -> int | None:
    """Commands that Redshift does not have, such as `DO`, `LISTEN`, `CLUSTER`, `DISCARD` and `TABLE t`."""
    at = 0
    while statement.word(at) == "(":
        at += 1
    known = statement.word(at) in COMMANDS or statement.word(at) in OTHERWISE_REFUSED
    return at if statement.words and not known else None


@rule(
    "savepoint release rollback",
    message='SQL command "{statement}" not supported.',
    wording="olirice/alembic_utils#123",
    sqlstate="0A000",
    evidence="DG/c_unsupported-postgresql-functions; DG/r_ROLLBACK",
    refused="SAVEPOINT before_all",
    accepted="ROLLBACK",
)
def savepoints(statement: Statement) -> int | None:
    """`SAVEPOINT`, `RELEASE` and `ROLLBACK TO`."""
    if statement.word(0) in ("savepoint", "release"):
        return 0
    return statement.first("to") if statement.word(0) == "rollback" else None


@rule(
    "truncate",
    evidence="DG/r_TRUNCATE",
    refused="TRUNCATE t, s",
    accepted="DELETE FROM t",
)
def truncate_options(statement: Statement) -> int | None:
    """`TRUNCATE` of several tables, or with more than the table's name."""
    if statement.word(0) != "truncate":
        return None
    end = statement.dotted(1 + (statement.word(1) == "table"))
    return end if end < len(statement.words) else None


@rule(
    "truncate",
    message="TRUNCATE would commit the transaction, and can not be rolled back",
    sqlstate="25001",
    situation=Situation.IN_A_TRANSACTION,
    evidence="DG/r_TRUNCATE",
    refused="TRUNCATE t",
    accepted="DELETE FROM t",
)
def truncate_in_transaction(statement: Statement) -> int | None:
    """`TRUNCATE` within a transaction. Redshift runs it, and commits all that the transaction did before."""
    return 0 if statement.word(0) == "truncate" else None


@rule(
    "copy",
    evidence="DG/copy-parameters-data-source",
    refused="COPY t FROM STDIN",
    accepted="INSERT INTO t (a) VALUES (1), (2)",
)
def copy_sources(statement: Statement) -> int | None:
    """`COPY` to anywhere, and from anything but S3, EMR, DynamoDB and hosts: the client, files, programs, a query."""
    if statement.word(0) != "copy":
        return None
    at = next((each for each in statement.level(0) if statement.words[each] in ("from", "to")), 0)
    source = statement.tokens[at + 1]
    known = source.kind == "parameter" or source.text.lower().startswith(COPIED_FROM)
    return None if statement.words[at] == "from" and known else at + 1


COPIED_FROM = ("'s3://", "'emr://", "'dynamodb://")


@rule(
    "lock",
    evidence="DG/r_LOCK",
    refused="LOCK TABLE t IN EXCLUSIVE MODE",
    accepted="LOCK TABLE t",
)
def lock_modes(statement: Statement) -> int | None:
    """`LOCK … IN … MODE`, and `NOWAIT`: a lock there is always exclusive."""
    return statement.first(frozenset({"in", "nowait"})) if statement.word(0) == "lock" else None


@rule(
    "explain",
    evidence="DG/r_EXPLAIN",
    refused="EXPLAIN ANALYZE SELECT a FROM t",
    accepted="EXPLAIN SELECT a FROM t",
)
def explain_options(statement: Statement) -> int | None:
    """`EXPLAIN` with `ANALYZE` or options in parentheses."""
    if statement.word(0) != "explain":
        return None
    given = statement.word(1) == "analyze" or (statement.word(1) == "(" and statement.word(2) not in ("select", "with"))
    return 1 if given else None


@rule(
    " ".join(READING) + " pg_settings set_config",
    message='unrecognized configuration parameter "{near}"',
    wording="sqlalchemy/sqlalchemy#9442",
    sqlstate="42704",
    evidence="sqlalchemy/sqlalchemy#9442; DG/cm_chap_ConfigurationRef",
    refused="SET standard_conforming_strings TO on",
    accepted="SET statement_timeout TO 60000",
)
def unknown_parameters(statement: Statement) -> int | None:
    """Parameters that change how PostgreSQL reads a statement; `SET_CONFIG` of a parameter that is no plain literal."""
    if statement.word(0) in ("set", "reset", "show", "alter", "create"):
        for verb in statement.find(frozenset({"set", "reset", "show"})):
            at = verb + 1 + (statement.word(verb + 1) in ("local", "session"))
            if statement.is_name(at) and statement.name(at) in READING:
                return at
    if statement.kind == "update":
        target = statement.dotted(statement.verb + 1) - 1
        if statement.is_name(target) and statement.name(target) == "pg_settings":
            return target
    for at in statement.calls:
        if statement.name(at) in ("set_config", "current_setting"):
            named = statement.tokens[at + 2]
            is_plain = named.text.startswith("'") and "\\" not in named.text and statement.word(at + 3) in (",", ")")
            if named.text.strip("'").lower() in READING or (not is_plain and statement.name(at) == "set_config"):
                return at + 2
    return None


@rule(
    pattern=r";(?!\s*+\Z)",
    message="cannot insert multiple commands into a prepared statement",
    wording="aws/amazon-redshift-python-driver#13",
    situation=Situation.PREPARED,
    evidence="aws/amazon-redshift-python-driver#13",
    refused="SELECT 1; SELECT 2",
    accepted="SELECT 1",
)
def several_statements(statement: Statement) -> int | None:
    """Several statements in one call of the driver."""
    at = statement.first(";")
    return at if at is not None and any(word != ";" for word in statement.words[at:]) else None


@rule(
    message="Statement is too large. The maximum is 16777216 bytes",
    sqlstate="54000",
    evidence="DG/c_SQL_commands",
    pattern=r"\A.{4194304}",  # bytes are counted below; a character has four at most
    refused="SELECT LENGTH('…')",  # 16 MB
    accepted="SELECT LENGTH('x')",
)
def statement_size(statement: Statement) -> int | None:
    """A statement of more than 16 MB."""
    size = sum(len((token.space + token.text).encode(errors="surrogateescape")) for token in statement.tokens)
    return 0 if size > MOST_BYTES else None

"""What Redshift refuses in INSERT, UPDATE, DELETE and MERGE."""

from __future__ import annotations

from collections.abc import Iterator

from local_redshift.rules.reading import QUERIES, Statement
from local_redshift.rules.rule import rule

SYNTAX = "AWS agent toolkit for Redshift, syntax"
CONVERSION = "AWS agent toolkit for Redshift, conversion rules"
CHANGING = frozenset({"insert", "update", "delete", "merge"})


@rule(
    "conflict",
    evidence=f"{SYNTAX}; DG/r_INSERT_30",
    refused="INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING",
    accepted="INSERT INTO t (a) SELECT 1 WHERE NOT EXISTS (SELECT t.a FROM t WHERE t.a = 1)",
)
def on_conflict(statement: Statement) -> int | None:
    """`INSERT … ON CONFLICT`."""
    return statement.first("on", "conflict") if statement.kind == "insert" else None


@rule(
    "returning",
    wording="sqlalchemy-redshift#330",
    evidence=f"{SYNTAX}; DG/r_INSERT_30",
    refused="INSERT INTO t (a) VALUES (1) RETURNING a",
    accepted="INSERT INTO t (a) VALUES (1)",
)
def returning(statement: Statement) -> int | None:
    """`RETURNING`."""
    if statement.kind not in CHANGING:
        return None
    level = statement.level(statement.verb)
    return next((at for at in level if statement.words[at] == "returning" and statement.word(at - 1) != "."), None)


@rule(
    "insert",
    pattern=r"\bwith\b",
    evidence="DG/r_INSERT_30; sqlalchemy-redshift#154",
    refused="WITH x AS (SELECT a FROM s) INSERT INTO t (a) SELECT a FROM x",
    accepted="INSERT INTO t (a) WITH x AS (SELECT a FROM s) SELECT a FROM x",
)
def with_before_insert(statement: Statement) -> int | None:
    """A `WITH` clause before `INSERT`."""
    return statement.verb if statement.kind == "insert" and statement.verb > statement.start else None


@rule(
    "insert",
    pattern=r"\binto\s+[\w.$#\"]+\s+as\b|\boverriding\b",
    evidence="DG/r_INSERT_30",
    refused="INSERT INTO t AS x (a) VALUES (1)",
    accepted="INSERT INTO t (a) VALUES (1)",
)
def insert_options(statement: Statement) -> int | None:
    """An alias of `INSERT`'s table, and `OVERRIDING`."""
    if statement.kind != "insert":
        return None
    at = statement.dotted(statement.verb + 2)
    return at if statement.word(at) == "as" else statement.first("overriding", frozenset({"system", "user"}))


@rule(
    "values",
    pattern=r"\(\s*(?:select|with)\b",
    message="subqueries are not allowed in a VALUES list of several rows",
    sqlstate="0A000",
    evidence="DG/r_INSERT_30",
    refused="INSERT INTO t (a) VALUES ((SELECT MAX(a) FROM s)), (2)",
    accepted="INSERT INTO t (a) SELECT MAX(a) FROM s UNION ALL SELECT 2",
)
def values_with_subquery(statement: Statement) -> int | None:
    """A subquery in `VALUES` of more than one row."""
    if statement.kind != "insert" or "select" not in statement.places:
        return None
    for at in statement.level(statement.verb):
        if statement.words[at] == "values" and statement.word(statement.after(at + 1)) == ",":
            return statement.first("(", QUERIES, start=at + 2)
    return None


@rule(
    "update",
    evidence=f"DG/r_UPDATE; {CONVERSION}",
    refused="UPDATE t AS x SET b = s.b FROM s WHERE x.a = s.a",
    accepted="UPDATE t SET b = s.b FROM s WHERE t.a = s.a",
)
def update_alias(statement: Statement) -> int | None:
    """An alias of `UPDATE`'s table, and `ONLY`."""
    if statement.kind != "update":
        return None
    at = statement.dotted(statement.verb + 1)
    return None if statement.word(at) == "set" else at


@rule(
    "delete",
    evidence="DG/r_DELETE",
    refused="DELETE FROM t AS x USING s WHERE x.a = s.a",
    accepted="DELETE FROM t USING s WHERE t.a = s.a",
)
def delete_alias(statement: Statement) -> int | None:
    """An alias of `DELETE`'s table, and `ONLY`."""
    if statement.kind != "delete":
        return None
    at = statement.dotted(statement.verb + 1 + (statement.word(statement.verb + 1) == "from"))
    return at if at < len(statement.words) and statement.words[at] not in ("using", "where", "returning", ";") else None


def assignments(statement: Statement) -> Iterator[int]:
    """The positions at which the assignments of UPDATE SET begin, in MERGE too."""
    if statement.kind not in ("update", "merge"):
        return
    for at in statement.level(statement.verb):
        if statement.words[at] == "set":
            stop = next(
                (end for end in statement.level(at) if statement.words[end] in ("from", "where", "when")),
                len(statement.words),
            )
            yield from (start for start, _end in statement.split(at + 1, stop))


@rule(
    "set",
    evidence="DG/r_UPDATE",
    refused="UPDATE t SET t.b = s.b FROM s WHERE t.a = s.a",
    accepted="UPDATE t SET b = s.b FROM s WHERE t.a = s.a",
)
def qualified_set(statement: Statement) -> int | None:
    """`SET` of a column with its table's name."""
    return next((start + 1 for start in assignments(statement) if statement.word(start + 1) == "."), None)


@rule(
    "set",
    evidence="DG/r_UPDATE",
    refused="UPDATE t SET (b, c) = (s.b, s.c) FROM s WHERE t.a = s.a",
    accepted="UPDATE t SET b = s.b, c = s.c FROM s WHERE t.a = s.a",
)
def set_of_several(statement: Statement) -> int | None:
    """`SET (a, b) = (…)`."""
    return next((start for start in assignments(statement) if statement.word(start) == "("), None)


@rule(
    "merge",
    evidence=f"DG/r_MERGE; {CONVERSION}",
    refused="MERGE INTO t AS x USING s ON x.a = s.a WHEN MATCHED THEN DELETE "
    "WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)",
    accepted="MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)",
)
def merge_alias(statement: Statement) -> int | None:
    """An alias of `MERGE`'s target."""
    if statement.kind != "merge":
        return None
    at = statement.dotted(statement.verb + 2)
    return None if statement.word(at) == "using" else at


@rule(
    "merge",
    evidence="DG/r_MERGE",
    refused="WITH x AS (SELECT a FROM s) MERGE INTO t USING x ON t.a = x.a WHEN MATCHED THEN DELETE "
    "WHEN NOT MATCHED THEN INSERT (a) VALUES (x.a)",
    accepted="MERGE INTO t USING (SELECT a FROM s) AS x ON t.a = x.a WHEN MATCHED THEN DELETE "
    "WHEN NOT MATCHED THEN INSERT (a) VALUES (x.a)",
)
def merge_with(statement: Statement) -> int | None:
    """A `WITH` clause in `MERGE`."""
    if statement.kind != "merge":
        return None
    return statement.first("with") if statement.verb == statement.start else statement.verb


@rule(
    "merge",
    evidence="DG/r_MERGE; SQLMesh's adapter for Redshift",
    refused="MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND s.b > 0 THEN UPDATE SET b = s.b "
    "WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)",
    accepted="MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = s.b "
    "WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)",
)
def merge_condition(statement: Statement) -> int | None:
    """`WHEN MATCHED AND …`."""
    at = statement.first("matched", "and") if statement.kind == "merge" else None
    return None if at is None else at + 1


@rule(
    "merge",
    evidence="DG/r_MERGE; SQLMesh's adapter for Redshift",
    refused="MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = s.b "
    "WHEN NOT MATCHED BY SOURCE THEN DELETE",
    accepted="DELETE FROM t WHERE NOT EXISTS (SELECT s.a FROM s WHERE s.a = t.a)",
)
def merge_by_source(statement: Statement) -> int | None:
    """`WHEN NOT MATCHED BY SOURCE` and `BY TARGET`."""
    at = statement.first("matched", "by") if statement.kind == "merge" else None
    return None if at is None else at + 1


@rule(
    "merge",
    evidence="DG/r_MERGE",
    refused="MERGE INTO t USING s ON t.a = s.a WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)",
    accepted="INSERT INTO t (a) SELECT s.a FROM s WHERE NOT EXISTS (SELECT t.a FROM t WHERE t.a = s.a)",
)
def merge_clauses(statement: Statement) -> int | None:
    """`MERGE` without exactly one `WHEN MATCHED` and one `WHEN NOT MATCHED`, `DO NOTHING` and `DEFAULT VALUES`."""
    if statement.kind != "merge" or "remove" in statement.places:
        return None
    for nothing in (("do", "nothing"), ("default", "values")):
        if (at := statement.first(*nothing)) is not None:
            return at
    matched = list(statement.find("when", "matched"))
    missing = list(statement.find("when", "not", "matched"))
    if len(matched) == len(missing) == 1:
        return None
    return (matched[1:] + missing[1:] + [len(statement.words) - 1])[0]


@rule(
    "merge",
    message="Source view/subquery in Merge statement cannot reference target table.",
    wording="DG/r_MERGE",
    sqlstate="0A000",
    evidence="DG/r_MERGE",
    refused="MERGE INTO t USING (SELECT s.a FROM s JOIN t ON t.a = s.a) AS x ON t.a = x.a WHEN MATCHED THEN DELETE "
    "WHEN NOT MATCHED THEN INSERT (a) VALUES (x.a)",
    accepted="MERGE INTO t USING (SELECT s.a FROM s) AS x ON t.a = x.a WHEN MATCHED THEN DELETE "
    "WHEN NOT MATCHED THEN INSERT (a) VALUES (x.a)",
)
def merge_source(statement: Statement) -> int | None:
    """`MERGE` whose source is, or reads, its target."""
    if statement.kind != "merge":
        return None
    start = statement.verb + 2
    target = statement.name(statement.dotted(start) - 1)
    return next((relation.at for relation in statement.relations if relation.names[-1] == target), None)

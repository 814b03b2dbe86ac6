"""What Redshift refuses in a query, wherever it stands."""

from __future__ import annotations

import re

from local_redshift.rules.reading import QUERIES, SET_OPERATIONS, Statement, Word, words
from local_redshift.rules.rule import rule

SYNTAX = "AWS agent toolkit for Redshift, syntax"
COMPARISONS = frozenset({"=", "<", ">", "!"})
MATCHES = frozenset({"like", "ilike", "~", "*"})
# Where an operand ends to the left, and nothing has compared it.
OPERAND_ENDS = words(
    "and or not where on having select when then else , ( by case distinct all as set values returning"
)


@rule(
    "distinct",
    message="SELECT DISTINCT ON is not supported",
    wording="jakob/Postico#420",
    sqlstate="0A000",
    evidence=f"{SYNTAX}; DG/r_SELECT_list",
    refused="SELECT DISTINCT ON (a) a, b FROM t ORDER BY a, b",
    accepted="SELECT a, b FROM "
    "(SELECT a, b, ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) AS n FROM t) AS numbered WHERE n = 1",
)
def distinct_on(statement: Statement) -> int | None:
    """`SELECT DISTINCT ON`."""
    return statement.first("distinct", "on", "(")


@rule(
    "lateral",
    evidence=f"{SYNTAX}; DG/r_FROM_clause30",
    refused="SELECT t.a, x.b FROM t, LATERAL (SELECT s.b FROM s WHERE s.a = t.a) AS x",
    accepted="SELECT t.a, s.b FROM t JOIN s ON s.a = t.a",
)
def lateral(statement: Statement) -> int | None:
    """`LATERAL` subqueries."""
    at = statement.first(frozenset({"join", ",", "from"}), "lateral")
    return None if at is None else at + 1


@rule(
    "filter",
    evidence=f"{SYNTAX}; DG/c_Aggregate_Functions",
    refused="SELECT COUNT(*) FILTER (WHERE b > 0) FROM t",
    accepted="SELECT COUNT(CASE WHEN b > 0 THEN 1 END) FROM t",
)
def aggregate_filter(statement: Statement) -> int | None:
    """`FILTER (WHERE …)` behind an aggregate."""
    at = statement.first(")", "filter", "(")
    return None if at is None else at + 1


@rule(
    "distinct",
    message="IS DISTINCT FROM is not supported",
    sqlstate="0A000",
    evidence="DG/c_unsupported-postgresql-functions",
    refused="SELECT a FROM t WHERE a IS DISTINCT FROM b",
    accepted="SELECT a FROM t WHERE CASE WHEN a = b OR (a IS NULL AND b IS NULL) THEN 0 ELSE 1 END = 1",
)
def is_distinct_from(statement: Statement) -> int | None:
    """`IS [NOT] DISTINCT FROM`."""
    at = statement.first("is", "distinct", "from")
    return statement.first("is", "not", "distinct", "from") if at is None else at


BEFORE_QUERY = SET_OPERATIONS | {"", "(", "all", "as", "distinct", "explain", "verbose"}
QUERY_BEGINS = rf"(?:[(;]|\A|\b(?:{'|'.join(sorted(BEFORE_QUERY - {'', '('}))})\b)\s*"


@rule(
    "values",
    pattern=rf"{QUERY_BEGINS}values\b",
    evidence=f"DG/c_unsupported-postgresql-features; {SYNTAX}",
    refused="SELECT v.a FROM (VALUES (1), (2)) AS v (a)",
    accepted="SELECT v.a FROM (SELECT 1 AS a UNION ALL SELECT 2) AS v",
)
def values_as_table(statement: Statement) -> int | None:
    """`VALUES` anywhere but in INSERT."""
    return next((at for at in statement.find("values", "(") if statement.word(at - 1) in BEFORE_QUERY), None)


@rule(
    "table",
    pattern=rf"{QUERY_BEGINS}table\b|\binsert\b",
    evidence="DG/r_SELECT_synopsis; DG/r_INSERT_30",
    refused="INSERT INTO t TABLE s",
    accepted="INSERT INTO t SELECT * FROM s",
)
def table_as_query(statement: Statement) -> int | None:
    """`TABLE t` in place of `SELECT * FROM t`."""
    inserted = statement.dotted(statement.verb + 2) if statement.kind == "insert" else -1
    for at in statement.find("table"):
        before = statement.partner.get(at - 1, at) if statement.word(at - 1) == ")" else at
        if at and (statement.word(at - 1) in BEFORE_QUERY or before == inserted):
            return at
    return None


AFTER_LOCK = words(") ; of nowait skip for limit offset fetch")


@rule(
    "for",
    pattern=r"\bfor\s+(?:update|share|no|key|read)\b",
    evidence="DG/r_SELECT_synopsis",
    refused="SELECT a FROM t WHERE a = 1 FOR UPDATE",
    accepted="LOCK TABLE t",
)
def row_locks(statement: Statement) -> int | None:
    """`FOR UPDATE`, `FOR SHARE` and their like, and `FOR READ ONLY`."""
    if (at := statement.first("for", "read", "only")) is not None:
        return at
    for at in statement.find("for", frozenset({"update", "share", "no", "key"})):
        rest = [word for word in statement.words[at + 1 : at + 5] if word not in ("no", "key")]
        if rest and rest[0] in ("update", "share") and (len(rest) == 1 or rest[1] in AFTER_LOCK):
            return at
    return None


@rule(
    "tablesample",
    evidence=f"{SYNTAX}; DG/r_FROM_clause30",
    refused="SELECT a FROM t TABLESAMPLE SYSTEM (10)",
    accepted="SELECT a FROM t WHERE RANDOM() < 0.1",
)
def tablesample(statement: Statement) -> int | None:
    """`TABLESAMPLE`."""
    return next((at for at in statement.find("tablesample") if statement.word(at + 2) == "("), None)


@rule(
    "except intersect minus",
    message="{near} ALL is not supported",
    sqlstate="0A000",
    evidence="DG/r_UNION",
    refused="SELECT a FROM t EXCEPT ALL SELECT a FROM s",
    accepted="SELECT a FROM t EXCEPT SELECT a FROM s",
)
def set_operation_all(statement: Statement) -> int | None:
    """`EXCEPT ALL`, `INTERSECT ALL`, `MINUS ALL`."""
    return statement.first(SET_OPERATIONS - {"union"}, "all")


@rule(
    "top limit offset",
    message="LIMIT may not be used within input to set operations.",
    wording="DG/r_UNION",
    sqlstate="0A000",
    evidence="DG/r_UNION",
    refused="(SELECT a FROM t ORDER BY a LIMIT 1) UNION ALL SELECT a FROM s",
    accepted="SELECT a FROM (SELECT a FROM t ORDER BY a LIMIT 1) AS first_of_t UNION ALL SELECT a FROM s",
)
def set_operation_limit(statement: Statement) -> int | None:
    """`LIMIT`, `OFFSET` or `TOP` in a query that is an operand of `UNION`, `EXCEPT` or `INTERSECT`."""
    operands = {(statement.query(at).parent, statement.query(at).opening) for at in statement.find(SET_OPERATIONS)}
    for at in statement.find("select", "top"):
        query = statement.query(at)
        if (query.parent, query.opening) in operands and _limits(statement, at + 1):
            return at + 1
    for at in statement.find(SET_OPERATIONS):
        right = at + 1 + (statement.word(at + 1) in ("all", "distinct"))
        left = statement.partner.get(at - 1, -1) if statement.word(at - 1) == ")" else -1
        for opening in (left, right):
            start = opening
            while statement.word(start) == "(":
                start += 1
            if start > opening and statement.word(start) in QUERIES:
                for position in statement.level(start):
                    if _limits(statement, position):
                        return position
    return None


def _limits(statement: Statement, at: int) -> bool:
    """Whether LIMIT, OFFSET, or TOP with its number, begins at a position."""
    if statement.words[at] == "top":
        return statement.word(at - 1) == "select" and statement.tokens[at + 1].kind == "number"
    return statement.words[at] in ("limit", "offset")


@rule(
    "fetch",
    evidence="DG/r_ORDER_BY_clause",
    refused="SELECT a FROM t ORDER BY a FETCH FIRST 1 ROW ONLY",
    accepted="SELECT a FROM t ORDER BY a LIMIT 1",
)
def fetch_first(statement: Statement) -> int | None:
    """`FETCH FIRST n ROWS ONLY`."""
    return None if statement.word(0) == "fetch" else statement.first("fetch", frozenset({"first", "next"}))


@rule(
    "is isnull notnull",
    message="IS and a comparison without parentheses: Redshift takes IS first, PostgreSQL the comparison",
    sqlstate="0A000",
    evidence="the grammar of PostgreSQL 8.0, from which Redshift comes",
    refused="SELECT a FROM t WHERE a = b IS NULL",
    accepted="SELECT a FROM t WHERE (a = b) IS NULL",
)
def is_beside_comparison(statement: Statement) -> int | None:
    """`IS` behind a comparison without parentheses: accepted there, with another meaning than here."""
    for at in statement.find(frozenset({"is", "isnull", "notnull"})):
        position = at - 1
        while position >= 0 and statement.words[position] not in OPERAND_ENDS:
            word = statement.words[position]
            if word in COMPARISONS or word in ("like", "ilike", "in", "between"):
                return at
            if word == ")":
                position = statement.partner.get(position, position)
            elif word == "end":
                position = _case_of(statement, position)
            position -= 1
    return None


def _case_of(statement: Statement, end: int) -> int:
    """The CASE that an END closes."""
    open_cases = 1
    position = end
    while open_cases and position > 0:
        position -= 1
        open_cases += (statement.words[position] == "end") - (statement.words[position] == "case")
    return position


@rule(
    "is",
    pattern=r"\bis\s+(?:not\s+)?(?:true|false|unknown)\b",
    message="IS TRUE, IS FALSE and IS UNKNOWN are documented in conditions only",
    sqlstate="0A000",
    evidence="DG/r_Boolean_type",
    refused="SELECT e IS TRUE AS is_e FROM t",
    accepted="SELECT CASE WHEN e IS TRUE THEN 1 ELSE 0 END AS is_e FROM t",
)
def is_true_as_value(statement: Statement) -> int | None:
    """`IS [NOT] TRUE`, `FALSE` or `UNKNOWN` as a column of a select list."""
    clause, open_cases = "", 0
    around: list[tuple[str, int]] = []
    for at, word in enumerate(statement.words):
        if word == "(":
            around.append((clause, open_cases))
        elif word == ")" and around:
            clause, open_cases = around.pop()
        elif word in CLAUSES:
            clause, open_cases = word, 0
        elif word in ("case", "end"):
            open_cases += 1 if word == "case" else -1
        elif word == "is" and clause == "select" and open_cases <= 0:
            tested = statement.word(at + 1 + (statement.word(at + 1) == "not"))
            if tested in ("true", "false", "unknown"):
                return at
    return None


CLAUSES = frozenset({"select", "where", "on", "having", "qualify", "from", "set"})


@rule(
    pattern=r"e'|u&",
    message="escape strings E'…' and U&'…' are not known",
    sqlstate="42704",
    evidence="PostgreSQL 8.0, from which Redshift comes, has none; jOOQ#10628",
    refused=r"SELECT E'it\'s'",
    accepted="SELECT 'it''s'",
)
def escape_strings(statement: Statement) -> int | None:
    r"""`E'…'`, `U&'…'` and `U&"…"`; a backslash escapes in any literal."""
    for at, token in enumerate(statement.tokens[:-1]):
        follows = statement.tokens[at + 1]
        of_codes = token.word == "&" and statement.word(at - 1) == "u"
        escaping = (follows.kind == "literal" and token.word == "e") or (
            of_codes and follows.kind in ("literal", "name")
        )
        if escaping and not follows.space:
            return at
    return None


@rule(
    pattern=r"\b[bx]'",
    message="bit strings B'…' and X'…' are not supported",
    sqlstate="0A000",
    evidence="DG/c_unsupported-postgresql-datatypes",
    refused="SELECT CAST(X'ff' AS INT)",
    accepted="SELECT STRTOL('ff', 16)",
)
def bit_strings(statement: Statement) -> int | None:
    """`B'…'` and `X'…'`: there is no type `BIT`."""
    for at in statement.find(frozenset({"b", "x"})):
        literal = statement.tokens[at + 1 : at + 2]
        if literal and literal[0].kind == "literal" and not literal[0].space:
            return at
    return None


@rule(
    "operator",
    pattern=r"\boperator\s*\(",
    evidence="DG/r_comparison_condition, which lists the operators",
    refused="SELECT a FROM t WHERE a OPERATOR(pg_catalog.=) b",
    accepted="SELECT a FROM t WHERE a = b",
)
def operators_by_schema(statement: Statement) -> int | None:
    """`OPERATOR(…)`, but in queries of the catalog."""
    return None if statement.on_catalog else statement.first("operator", "(")


@rule(
    pattern=r"->|#>|@>|<@|#-|@\?|@@|\^@",
    message="operator does not exist: {near}",
    sqlstate="42883",
    evidence="DG/c_unsupported-postgresql-datatypes",
    refused="""SELECT c -> 'a' FROM t""",
    accepted="SELECT JSON_EXTRACT_PATH_TEXT(c, 'a') FROM t",
)
def operators_of_json(statement: Statement) -> int | None:
    """PostgreSQL's operators of JSON, arrays and ranges: `->`, `->>`, `#>`, `@>`, `<@`."""
    for at in statement.find(frozenset("-#@<^"), frozenset({">", "@", "-", "?"})):
        pair = statement.words[at] + statement.words[at + 1]
        if pair in ("->", "#>", "@>", "<@", "#-", "@?", "@@", "^@") and not statement.tokens[at + 1].space:
            return at
    return None


@rule(
    pattern=r"\[",
    message="arrays are not supported",
    sqlstate="0A000",
    evidence=f"DG/c_unsupported-postgresql-features; DG/c_unsupported-postgresql-datatypes; {SYNTAX}",
    refused="SELECT ARRAY[a, b] FROM t",
    accepted="SELECT a, b FROM t",
)
def arrays(statement: Statement) -> int | None:
    """`ARRAY[…]`, types with `[]`, subscripts. Those of SUPER are not emulated either."""
    return None if statement.on_catalog else statement.first("[")


@rule(
    "any all some array",
    message="arrays are not supported",
    sqlstate="0A000",
    evidence="DG/c_unsupported-postgresql-features",
    refused="SELECT a FROM t WHERE a = ANY ('{1, 2}')",
    accepted="SELECT a FROM t WHERE a IN (1, 2)",
)
def any_of_array(statement: Statement) -> int | None:
    """`= ANY (…)` of anything but a query, and `ARRAY (SELECT …)`."""
    if statement.on_catalog:
        return None
    for at in statement.find(frozenset({"any", "all", "some"}), "("):
        if statement.word(at - 1) in COMPARISONS | MATCHES and statement.word(at + 2) not in QUERIES:
            return at
    return statement.first("array", "(", QUERIES)


@rule(
    "all cycle depth breadth distinct json local nfc nfd nfkc nfkd normalized order ordinality symmetric",
    pattern=r"\border\s+by\b|\bby\s+(?:distinct|all)\b|\b(?:is|at|with|search|between)\b",
    evidence="the grammar of PostgreSQL 8.0, from which Redshift comes, and DG/r_SELECT_synopsis",
    refused="SELECT MAX(a ORDER BY b) FROM t",
    accepted="SELECT MAX(a) FROM t",
)
def later_syntax(statement: Statement) -> int | None:
    """What PostgreSQL has learned since: `MAX(a ORDER BY b)`, `WITH ORDINALITY`, `BETWEEN SYMMETRIC`, `CYCLE`."""
    for sequence in LATER:
        if (at := statement.first(*sequence)) is not None:
            return at
    for at in statement.find("group", "by", "all"):
        if statement.word(at + 3) not in AFTER_GROUPS and at + 3 < len(statement.words):
            return at + 3
    for at in statement.find(")", "cycle"):
        if statement.word(statement.partner.get(at, 0) - 1) in ("as", "materialized"):
            return at + 1
    calls = set(statement.calls)
    for at in statement.find("order", "by"):
        opening = statement.around[at]
        if (
            opening - 1 in calls
            and statement.word(opening + 1) not in QUERIES
            and statement.words[opening - 1] != "over"
        ):
            return at
    return None


AFTER_GROUPS = words("having qualify order limit offset ) with") | SET_OPERATIONS
NORMALIZED = frozenset({"json", "normalized", "nfc", "nfd", "nfkc", "nfkd"})
LATER: tuple[tuple[Word, ...], ...] = (
    ("with", "ordinality"),
    ("is", NORMALIZED),
    ("is", "not", NORMALIZED),
    ("at", "local"),
    ("between", "symmetric"),
    ("group", "by", "distinct"),
    (")", "search", frozenset({"depth", "breadth"}), "first"),
)

ROW = re.compile(r"\brow\s*\(", re.DOTALL)
ROWS = re.compile(r"\)\s*(?:[=<>!]+|overlaps)\s*\(", re.DOTALL)


@rule(
    glance=lambda glance: ROW.search(glance.lower) is not None or ROWS.search(glance.lower) is not None,
    message="row comparisons are not supported",
    sqlstate="0A000",
    evidence="DG/c_unsupported-postgresql-features: row constructors",
    refused="SELECT a FROM t WHERE (a, b) = (1, 2)",
    accepted="SELECT a FROM t WHERE a = 1 AND b = 2",
)
def rows(statement: Statement) -> int | None:
    """`ROW (…)`, and comparing rows, `(a, b) = (c, d)` or with `OVERLAPS`; `(a, b) IN (SELECT …)` passes."""
    if statement.on_catalog:
        return None
    if (at := statement.first("row", "(")) is not None:
        return at
    if (at := statement.first(")", "overlaps", "(")) is not None:
        return at + 1
    for at in statement.find(")", COMPARISONS):
        opening = statement.partner.get(at, -1)
        grouped = statement.word(opening - 1) in ("and", "or", "not", "where", "on", "when", "having", "(", "select")
        if grouped and any(statement.words[each] == "," for each in statement.level(opening + 1)):
            return opening
    return None


@rule(
    "full",
    message="FULL JOIN is only supported with merge-joinable join conditions",
    wording="openillumi.com/en/en-redshift-full-join-workaround-sql",
    sqlstate="0A000",
    evidence="openillumi.com/en/en-redshift-full-join-workaround-sql",
    refused="SELECT t.a FROM t FULL JOIN s ON t.a = s.a AND t.b > 1",
    accepted="SELECT t.a FROM t FULL JOIN s ON t.a = s.a AND t.b = s.b",
)
def full_join(statement: Statement) -> int | None:
    """`FULL JOIN` with more in its condition than equalities of columns, or of COALESCE of them as USING makes it."""
    for at in statement.find("full", frozenset({"join", "outer"})):
        joined = (each for each in statement.level(at) if statement.words[each] in ("on", "using"))
        on = next(joined, None)
        if on is None or statement.words[on] == "using":
            continue
        end = statement.after(on + 1)
        whole = statement.word(on + 1) == "(" and statement.word(end) in JOIN_ENDS | {"", ")"}
        for position in statement.level(on + 1 + whole):
            word = statement.words[position]
            if word in JOIN_ENDS:
                break
            if word == "(" and statement.word(position - 1) == "coalesce":
                continue
            if word not in ("and", "=", ".") and not statement.is_name(position):
                return at
            if word in ("or", "is", "between", "like", "not", "in", "case"):
                return at
    return None


JOIN_ENDS = words(
    "join left right full inner cross natural where group order having limit union except intersect minus qualify ,"
)


@rule(
    "qualify",
    evidence=SYNTAX,
    refused="SELECT a FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) = 1",
    accepted="SELECT t.a FROM t AS t QUALIFY ROW_NUMBER() OVER (PARTITION BY t.a ORDER BY t.b) = 1",
)
def qualify_without_alias(statement: Statement) -> int | None:
    """`QUALIFY` that directly follows a table without an alias."""
    for at in statement.find("qualify"):
        if any(relation.at == at - 1 for relation in statement.relations) or statement.word(at - 1) == ")":
            opening = statement.partner.get(at - 1, at - 1)
            if statement.word(at - 1) != ")" or statement.word(opening - 1) in ("from", "join"):
                return at
    return None

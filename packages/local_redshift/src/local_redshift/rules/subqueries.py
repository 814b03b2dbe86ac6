"""What Redshift refuses of WITH clauses and of subqueries that refer to the query around them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from local_redshift.rules.reading import VERBS, Query, Statement, words
from local_redshift.rules.rule import Glance, rule

CORRELATED = "This type of correlated subquery pattern is not supported due to internal error"
CORRELATED_WORDING = "AWS agent toolkit for Redshift, common errors"
PATTERNS = "DG/r_correlated_subqueries"


def common_tables(statement: Statement) -> Iterator[int]:
    """The positions behind the opening parenthesis of each query that a WITH clause names."""
    if "with" in statement.places:
        for at in statement.find("as", "("):
            if statement.is_name(at - 1) or statement.word(at - 1) == ")":
                yield at + 2


@rule(
    "insert update delete merge",
    pattern=r"\bwith\b",
    evidence="DG/r_WITH_clause",
    refused="WITH x AS (INSERT INTO t (a) VALUES (1) RETURNING a) SELECT a FROM x",
    accepted="WITH x AS (SELECT a FROM t) SELECT a FROM x",
)
def modifying_with(statement: Statement) -> int | None:
    """`INSERT`, `UPDATE`, `DELETE` or `MERGE` in a `WITH` clause."""
    for start in common_tables(statement):
        verb = next((at for at in statement.level(start) if statement.words[at] in VERBS), start)
        if statement.word(verb) in VERBS - {"select"}:
            return verb
    return None


@rule(
    "materialized",
    evidence="DG/r_WITH_clause",
    refused="WITH x AS MATERIALIZED (SELECT a FROM t) SELECT a FROM x",
    accepted="WITH x AS (SELECT a FROM t) SELECT a FROM x",
)
def materialized_with(statement: Statement) -> int | None:
    """`AS [NOT] MATERIALIZED` in a `WITH` clause."""
    at = statement.first("as", "materialized", "(")
    return statement.first("as", "not", "materialized", "(") if at is None else at + 1


@rule(
    "recursive",
    evidence="DG/r_WITH_clause",
    refused="WITH RECURSIVE x (a) AS (SELECT 1 UNION SELECT a + 1 FROM x WHERE a < 3) SELECT a FROM x",
    accepted="WITH RECURSIVE x (a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM x WHERE a < 3) SELECT a FROM x",
)
def recursive_with(statement: Statement) -> int | None:
    """A query that reads itself without `UNION ALL`, or without names for its columns."""
    for start in common_tables(statement):
        end = statement.partner.get(start - 1, start)
        columns = statement.partner.get(start - 3, start - 3)
        named = columns - (statement.word(columns) == "(")
        reads = (each for each in statement.sources if start < each.start < end)
        if any(each.names == (statement.name(named),) for each in reads):
            unions = (at for at in statement.level(start) if statement.words[at] == "union")
            once = (at for at in unions if statement.word(at + 1) != "all")
            return named if named == columns else next(once, None)
    return None


def correlations(statement: Statement) -> Iterator[tuple[int, Query, Query]]:
    """Each column that belongs to a query around its own: its position, its own query and that query.

    Only columns with a table's name: another can not be placed without knowing the tables.
    """
    if all(query.is_table for query in statement.queries[1:]):
        return
    for point in statement.places.get(".", ()):
        if point == 0 or not statement.is_name(point - 1):
            continue
        own = statement.query(point)
        table, around = statement.name(point - 1), own
        while table not in around.names and around.parent is not None:
            around = around.parent
        if table in around.names and around is not own:
            yield point - 1, own, around


def subquery_of(query: Query) -> Query:
    """The value or condition that a query is, or is a table of."""
    while query.is_table and query.parent is not None:
        query = query.parent
    return query


SUBQUERY = re.compile(r"\(\s*(?:select|with)\b", re.DOTALL)
LAST_WORD = re.compile(r"(\w+)\s*\Z")
# Before the parenthesis of a subquery that is a table stand these words, and others before one that is a value.
LONGEST_GAP = 40
BEFORE_TABLE = frozenset({"from", "join", "as", "union", "except", "intersect", "minus"})


def may_correlate(glance: Glance) -> bool:
    """Whether there is a subquery that may be a value or a condition; most statements have none."""
    lower = glance.lower
    for subquery in SUBQUERY.finditer(lower):
        start = subquery.start()
        before = LAST_WORD.search(lower, max(0, start - LONGEST_GAP), start)
        if before is None or before[1] not in BEFORE_TABLE:
            return True
    return False


@rule(
    glance=may_correlate,
    message=CORRELATED,
    wording=CORRELATED_WORDING,
    sqlstate="0A000",
    evidence=PATTERNS,
    refused="SELECT t.a FROM t WHERE NOT EXISTS "
    "(SELECT s.a FROM s WHERE NOT EXISTS (SELECT u.a FROM u WHERE u.a = s.a AND u.b = t.b))",
    accepted="SELECT t.a FROM t WHERE NOT EXISTS (SELECT s.a FROM s WHERE s.a = t.a)",
)
def skipped_correlation(statement: Statement) -> int | None:
    """A subquery that refers to a query around it, and not to the nearest."""
    for at, own, around in correlations(statement):
        if around is not subquery_of(own).parent and not subquery_of(own).is_table:
            return at
    return None


@rule(
    "left right full",
    glance=may_correlate,
    message=CORRELATED,
    wording=CORRELATED_WORDING,
    sqlstate="0A000",
    evidence=PATTERNS,
    refused="SELECT t.a FROM t LEFT JOIN s ON s.a = t.a AND s.b = (SELECT MAX(u.b) FROM u WHERE u.a = s.a)",
    accepted="SELECT t.a FROM t LEFT JOIN (SELECT u.a, MAX(u.b) AS b FROM u GROUP BY u.a) AS s ON s.a = t.a",
)
def correlation_in_outer_join(statement: Statement) -> int | None:
    """A subquery in the `ON` of an outer join that refers to the joined tables."""
    for at, own, around in correlations(statement):
        outer = conditional = False
        for position in statement.level(max(around.start, 0)):
            word = statement.words[position]
            if position <= subquery_of(own).opening < statement.after(position):
                if outer and conditional:
                    return at
                break
            if word == "join":
                outer, conditional = statement.word(position - 1) in ("left", "right", "full", "outer"), False
            elif word == "on":
                conditional = True
            elif word in ("where", "group", "having", "order"):
                conditional = False
    return None


@rule(
    "over",
    glance=may_correlate,
    message=CORRELATED,
    wording=CORRELATED_WORDING,
    sqlstate="0A000",
    evidence=PATTERNS,
    refused="SELECT t.a FROM t WHERE t.b IN (SELECT SUM(s.b) OVER () FROM s WHERE s.a = t.a)",
    accepted="SELECT t.a FROM t WHERE t.b IN (SELECT SUM(s.b) OVER () FROM s)",
)
def correlation_with_window(statement: Statement) -> int | None:
    """A subquery with a window function that refers to the query around it."""
    for at, own, _around in correlations(statement):
        if any(statement.query(over) is own for over in statement.find("over", "(")):
            return at
    return None


@rule(
    "group",
    glance=may_correlate,
    message=CORRELATED,
    wording=CORRELATED_WORDING,
    sqlstate="0A000",
    evidence=PATTERNS,
    refused="SELECT t.a FROM t WHERE t.b IN (SELECT SUM(s.b) FROM s WHERE s.c = t.c GROUP BY s.a)",
    accepted="SELECT t.a FROM t WHERE t.b IN (SELECT MAX(s.b) FROM s WHERE s.c = t.c GROUP BY s.a)",
)
def correlation_with_groups(statement: Statement) -> int | None:
    """A subquery of `IN` with `GROUP BY` and an aggregate but `MIN` and `MAX` that refers to the query around it."""
    for at, own, _around in correlations(statement):
        if statement.word(own.opening - 1) == "in":
            grouped = any(statement.query(group) is own for group in statement.find("group", "by"))
            if grouped and any(statement.query(call) is own for call in statement.find(AGGREGATES, "(")):
                return at
    return None


AGGREGATES = words("avg count listagg median stddev stddev_pop stddev_samp sum var_pop var_samp variance")

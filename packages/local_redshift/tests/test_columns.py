"""What depends on the columns of a FROM clause: names of a select list that are used again, and EXCLUDE."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg2
import pytest
from redshift_connector.error import ProgrammingError

from local_redshift import LocalRedshift
from local_redshift.translation.columns import may_need_columns, resolving

Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def goods(rows: Rows) -> Rows:
    """Return the session's runner, with a small table that only its transaction sees."""
    rows("CREATE TABLE goods (id INT, name VARCHAR(20), price INT)")
    rows("INSERT INTO goods VALUES (1, 'a', 10), (2, 'a', 20), (3, 'b', 40)")
    return rows


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(
            "SELECT id + 1 AS n, n * 2 AS m, m + n AS k FROM goods ORDER BY 1",
            [(2, 4, 6), (3, 6, 9), (4, 8, 12)],
            id="each-of-those-before",
        ),
        pytest.param("SELECT 1 AS a, a + 1", [(1, 2)], id="without-a-table"),
        pytest.param("SELECT id + 1 n, n * 2 m FROM goods WHERE id = 1", [(2, 4)], id="without-as"),
        pytest.param('SELECT id + 1 AS "n", N + n, "n" * 2 FROM goods WHERE id = 1', [(2, 4, 4)], id="in-quotes"),
        pytest.param(
            "SELECT id + 1 AS price, price + 1 FROM goods WHERE id = 1", [(2, 11)], id="a-column-of-the-table-first"
        ),
        pytest.param(
            "SELECT id + 1 AS price, price + 1 FROM (SELECT id FROM goods WHERE id = 1) AS g",
            [(2, 3)],
            id="no-column-of-the-subquery",
        ),
        pytest.param(
            "WITH a AS (SELECT id AS i, i + 1 AS j FROM goods), b AS (SELECT j AS m, m + 1 AS k, j AS i, i * 1 FROM a)"
            " SELECT MAX(k) AS last, last + 1 AS next_one FROM b",
            [(5, 6)],
            id="common-tables",
        ),
        pytest.param(
            "SELECT name AS label, SUM(price) AS total, total / COUNT(*) AS mean FROM goods GROUP BY 1 ORDER BY 1",
            [("a", 30, 15), ("b", 40, 40)],
            id="of-an-aggregate",
        ),
        pytest.param(
            "SELECT UPPER(name) AS label, MAX(id) OVER (PARTITION BY label) AS last, last - id FROM goods ORDER BY id",
            [("A", 2, 1), ("A", 2, 0), ("B", 3, 0)],
            id="in-a-window",
        ),
        pytest.param(
            "SELECT CASE WHEN id > 1 THEN 'x' ELSE 'y' END AS kind, kind || 'z', kind::VARCHAR(1), DECODE(kind, 'x', 1)"
            " FROM goods WHERE id = 1",
            [("y", "yz", "y", None)],
            id="in-other-expressions",
        ),
        pytest.param(
            "SELECT DATE '2024-02-28' AS day, DATEADD(day, 1, day)::DATE AS date, date '2024-01-01' < day,"
            " EXTRACT(day FROM day), date::VARCHAR(10) FROM goods WHERE id = 1",
            [(date(2024, 2, 28), date(2024, 2, 29), True, 28, "2024-02-29")],
            id="named-as-a-date-part-and-a-type",
        ),
        pytest.param(
            "SELECT id + 1 AS n, n * 2 AS price FROM goods WHERE n > 2 AND price < 40", [(3, 6)], id="in-a-condition"
        ),
        pytest.param(
            "SELECT g.id AS n, (SELECT MAX(n) FROM (SELECT 7 AS n) AS o), n + 1 FROM goods AS g WHERE g.id = 1",
            [(1, 7, 2)],
            id="not-in-a-subquery",
        ),
        pytest.param(
            "SELECT id AS i, i + 1 AS j FROM goods WHERE id = 1 UNION ALL SELECT id + 5 AS i, i * 2 FROM goods"
            " WHERE id = 1 ORDER BY 1",
            [(1, 2), (6, 12)],
            id="in-each-operand",
        ),
    ],
)
def test_a_name_of_the_select_list_is_used_again(goods: Rows, query: str, expected: list[tuple[Any, ...]]) -> None:
    """A select list may use the names it has given, unless the table has a column of the name (DG/r_SELECT_list)."""
    assert goods(query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("SELECT * EXCLUDE (name) FROM goods ORDER BY 1", [(1, 10), (2, 20), (3, 40)], id="one"),
        pytest.param(
            "SELECT * EXCLUDE name, id FROM goods ORDER BY 1", [(10,), (20,), (40,)], id="without-parentheses"
        ),
        pytest.param(
            "SELECT g.*, price + 1 AS more EXCLUDE (id, NAME) FROM goods AS g ORDER BY 1",
            [(10, 11), (20, 21), (40, 41)],
            id="behind-other-columns",
        ),
        pytest.param("SELECT DISTINCT * EXCLUDE (id, price) FROM goods ORDER BY 1", [("a",), ("b",)], id="distinct"),
        pytest.param(
            "WITH g AS (SELECT *, ROW_NUMBER() OVER (PARTITION BY name ORDER BY id DESC) AS n FROM goods)"
            " SELECT * EXCLUDE (n) FROM g WHERE n = 1 ORDER BY 1",
            [(2, "a", 20), (3, "b", 40)],
            id="of-a-common-table",
        ),
    ],
)
def test_columns_are_excluded(goods: Rows, query: str, expected: list[tuple[Any, ...]]) -> None:
    """EXCLUDE behind a select list leaves columns out of its `*` (DG/r_EXCLUDE_list)."""
    assert goods(query) == expected


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("SELECT * EXCLUDE (nothing) FROM goods", id="no-such-column"),
        pytest.param("SELECT * EXCLUDE (UPPER(name)) FROM goods", id="an-expression"),
        pytest.param("SELECT * EXCLUDE (id), 1 AS one FROM goods", id="within-the-list"),
        pytest.param("SELECT n + 1 AS m, id AS n FROM goods", id="a-name-given-later"),
        pytest.param("SELECT id + 1 AS n FROM goods AS g JOIN goods AS h ON n = h.id", id="a-name-in-a-join"),
    ],
)
def test_what_redshift_has_not_fails(goods: Rows, query: str) -> None:
    """What the documentation does not have is not made up."""
    with pytest.raises(ProgrammingError, match=r"42601|42703|42883"):
        goods(query)


def test_views_and_tables_are_made_of_resolved_queries(goods: Rows) -> None:
    """A definition and an INSERT take such a query as well."""
    goods("CREATE VIEW shown AS SELECT id AS i, i + 1 AS j FROM goods WITH NO SCHEMA BINDING")
    goods("CREATE TEMP TABLE kept AS (SELECT * EXCLUDE (j) FROM shown)")
    goods("INSERT INTO kept WITH s AS (SELECT j AS k, k + 10 AS l FROM shown) SELECT l FROM s")
    assert goods("SELECT MIN(i), MAX(i), COUNT(*) FROM kept") == [(1, 14, 6)]


def test_a_question_does_not_end_a_transaction(goods: Rows) -> None:
    """The server may find no columns: the statement fails by itself, in a transaction that a question left whole."""
    assert goods("SELECT 1 AS a, a + 1 FROM goods WHERE id = %s", 1) == [(1, 2)]
    with pytest.raises(ProgrammingError, match='relation "nowhere" does not exist'):
        goods("SELECT 1 AS a, a + 1 FROM nowhere")


def test_bound_values_and_several_statements(rows: Rows, redshift: LocalRedshift) -> None:
    """Parameters keep their places; the simple protocol's statements are resolved too."""
    assert rows("SELECT %s::INT AS a, a + %s AS b, b * 2", 1, 2) == [(1, 3, 6)]
    settings = redshift.settings
    connection = psycopg2.connect(
        host=settings["host"],
        port=settings["port"],
        dbname=settings["database"],
        user=settings["user"],
        password=settings["password"],
    )
    cursor = connection.cursor()
    cursor.execute("SELECT 3 AS a; SELECT 1 AS a, a + 1 AS b FROM (SELECT 2 AS c) AS t")
    assert cursor.fetchall() == [(1, 2)]
    connection.close()


def test_nobody_else_asks(rows: Rows) -> None:
    """What the gateway asks with runs a text that no rule has read, so the stand-in's own schema is closed."""
    with pytest.raises(ProgrammingError, match="local_redshift"):
        rows("SELECT local_redshift.columns_of('SELECT 1')")


@pytest.mark.parametrize(
    "statement",
    [
        b"SELECT a AS b, c AS d FROM t",
        b"SELECT a + 1 AS b FROM t WHERE a IN (SELECT b FROM s) GROUP BY b ORDER BY b",
        b"SELECT t.a AS b, s.b AS c, b.d, b(1), x::b FROM t",
        b"SELECT x::DOUBLE PRECISION, y::DOUBLE PRECISION, a::TIME ZONE FROM t",
        b"SELECT a AS day, DATEADD(day, 1, b), EXTRACT(day FROM c), DATE_PART(day, d) FROM t",
        b"SELECT exclude AS b, t.exclude FROM t",
        b"INSERT INTO t VALUES (1)",
        b"SELECT a AS b, (SELECT b FROM s) FROM",
    ],
)
def test_other_statements_ask_nothing(statement: bytes) -> None:
    """A statement that uses no name of its select list again costs no round trip."""
    assert not may_need_columns(statement)


def test_a_subquery_is_asked_about_with_the_common_tables_around_it() -> None:
    """The question reads what the SELECT reads, in the words of PostgreSQL."""
    steps = resolving(
        b"WITH a AS (SELECT NVL(x, 1) AS y FROM t), b AS (SELECT 1 AS k, k + 1 FROM a) "
        b"SELECT 1 AS m, m + 1 FROM (WITH c AS (SELECT 2 AS z) SELECT z AS u, u + 1 FROM c) AS d"
    )
    asked = [next(steps), steps.send([]), steps.send([])]
    a = b"WITH a AS (SELECT COALESCE(x, 1) AS y FROM t)"
    b = a + b", b AS (SELECT 1 AS k, (1) + 1 FROM a)"
    queries = [
        a + b" SELECT * FROM a",
        b + b" SELECT * FROM (WITH c AS (SELECT 2 AS z) SELECT * FROM c) AS read_",
        b + b" SELECT * FROM (WITH c AS (SELECT 2 AS z) SELECT z AS u, (z) + 1 FROM c) AS d",
    ]
    assert asked == [b"SELECT local_redshift.columns_of('%s')" % query for query in queries]

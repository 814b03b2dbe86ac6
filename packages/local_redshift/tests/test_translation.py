from __future__ import annotations

import doctest
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from redshift_connector.core import Connection
from redshift_connector.error import ProgrammingError

from local_redshift import LocalRedshift
from local_redshift.testing import Connect, administer
from local_redshift.translation import columns, definitions, qualify, selects, statements, tokens
from local_redshift.translation.statements import translate

Rows = Callable[..., list[tuple[Any, ...]]]


def at(*parts: int) -> datetime:
    """Return a time without a zone, as a TIMESTAMP of the warehouse comes."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


SALES = """
    CREATE TEMP TABLE sales (id INT, seller INT, name VARCHAR(20), price NUMERIC(10, 2), sold TIMESTAMP)
"""
SALES_ROWS = """
    INSERT INTO sales VALUES
      (1, 10, 'b', 1.50, '2024-02-28 23:30:00'),
      (2, 9, 'a', 2.50, '2024-02-29 00:30:00'),
      (3, 10, 'a', 4.50, '2024-03-01 12:00:00'),
      (4, 9, NULL, NULL, NULL),
      (5, 10, '', 0.50, '2023-12-31 00:00:00')
"""


@pytest.fixture
def sales(rows: Rows) -> Rows:
    """Return the session's runner, with a small table to ask."""
    rows(SALES)
    rows(SALES_ROWS)
    return rows


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param("NVL(NULL, NULL, 3)", 3, id="nvl"),
        pytest.param("NVL2(NULL, 1, 2) + NVL2('', 10, 20)", 12, id="nvl2"),
        pytest.param("DECODE(2, 1, 'a', 2, 'b', 'c')", "b", id="decode"),
        pytest.param("DECODE(NULL, 1, 'a', NULL, 'b', 'c')", "b", id="decode-null-equals-null"),
        pytest.param("DECODE(7, 1, 'a', 2, 'b')", None, id="decode-without-default"),
        pytest.param("decode('YWI=', 'base64')::VARCHAR", r"\x6162", id="decode-of-postgres"),
        pytest.param("NVL(DECODE(1, 2, NVL(NULL, 'x')), LEN(NVL('abcd', ''))::VARCHAR)", "4", id="nested"),
        pytest.param("DATEADD(day, 1, '2024-02-28')", at(2024, 2, 29), id="dateadd-literal"),
        pytest.param("DATEADD(month, 1, DATE '2024-01-31')", at(2024, 2, 29), id="dateadd-month-end"),
        pytest.param("DATEADD(m, 30, '2008-02-28')", at(2008, 2, 28, 0, 30), id="dateadd-m-is-minute"),
        pytest.param("DATEADD(month, 12, '2016-02-29')", at(2017, 2, 28), id="dateadd-leap-month"),
        pytest.param("DATEADD(year, 1, '2016-02-29')", at(2017, 3, 1), id="dateadd-leap-year"),
        pytest.param("DATEADD('hrs', 12, TIME '13:24:55')", time(1, 24, 55), id="dateadd-time"),
        pytest.param("DATEADD(qtr, -1, DATEADD(w, 1, '2024-05-01'))", at(2024, 2, 8), id="dateadd-nested"),
        pytest.param("DATEDIFF(day, '2024-01-01 23:59', '2024-01-02 00:01')", 1, id="datediff-day-boundary"),
        pytest.param("DATEDIFF(year, '2008-12-31', '2009-01-01')", 1, id="datediff-year-boundary"),
        pytest.param("DATEDIFF(hour, '2009-01-01 8:30', '2009-01-01 10:00')", 2, id="datediff-hour-boundary"),
        pytest.param("DATEDIFF(mon, DATE '2024-03-01', TIMESTAMP '2023-12-31 10:00')", -3, id="datediff-backwards"),
        pytest.param("DATEDIFF(week, '2009-01-01', '2009-12-31')", 52, id="datediff-week"),
        pytest.param("DATEDIFF(ms, '2024-01-01', '2024-01-01 00:00:01.5')", 1500, id="datediff-milliseconds"),
        pytest.param("DATEDIFF(minute, TIME '20:00', TIME '21:00')", 60, id="datediff-time"),
        pytest.param("DATE_PART(dow, DATE '2024-05-05')", 0.0, id="date-part"),
        pytest.param("EXTRACT(EPOCH FROM TIMESTAMP '1970-01-02') / 7", 12342, id="extract-is-whole"),
        pytest.param("GETDATE() = DATE_TRUNC('second', GETDATE())", True, id="getdate-seconds"),
        pytest.param("SYSDATE <= DATEADD(s, 1, GETDATE())", True, id="sysdate"),
        pytest.param("TRUNC(TIMESTAMP '2024-05-05 10:00')", date(2024, 5, 5), id="trunc-to-date"),
        pytest.param("ADD_MONTHS('2008-04-30', 1)", at(2008, 5, 31), id="add-months"),
        pytest.param("LAST_DAY('2024-02-03')", date(2024, 2, 29), id="last-day"),
        pytest.param("MONTHS_BETWEEN('2024-03-31', '2024-02-29')", 1.0, id="months-between"),
        pytest.param("CONVERT_TIMEZONE('US/Pacific', '2008-08-24 09:36:12')", at(2008, 8, 24, 2, 36, 12), id="zone"),
        pytest.param("CONVERT_TIMEZONE('EST', 'PST', '20080305 12:25:29')", at(2008, 3, 5, 9, 25, 29), id="two-zones"),
        pytest.param("LEN('abc ')", 4, id="len"),
        pytest.param("CHARINDEX('b', 'abc')", 2, id="charindex"),
        pytest.param("STRTOL('0xf', 16) + STRTOL(' -110', 2)", 9, id="strtol"),
        pytest.param("CONCAT('a', NULL)", None, id="concat-null"),
        pytest.param("REGEXP_SUBSTR('a@b.c', '@[^.]*')", "@b", id="regexp-substr"),
        pytest.param("REGEXP_SUBSTR('abc', 'x')", "", id="regexp-substr-none"),
        pytest.param("REGEXP_REPLACE('aXbX', 'X', '-')", "a-b-", id="regexp-replace-all"),
        pytest.param("ROUND(1.257::FLOAT8, 2)", 1.26, id="round-float"),
        pytest.param("ROUND(3, 1)", Decimal("3.0"), id="round-integer"),
        pytest.param("SHA2('a', 256)", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", id="sha2"),
        pytest.param("""JSON_EXTRACT_PATH_TEXT('{"a": {"b": "x"}}', 'a', 'b')""", "x", id="json-path"),
        pytest.param("""JSON_EXTRACT_PATH_TEXT('{"a": 1}', 'b')""", None, id="json-path-missing"),
        pytest.param("JSON_EXTRACT_PATH_TEXT('{bad', 'b', TRUE)", None, id="json-path-null-if-invalid"),
        pytest.param("""JSON_EXTRACT_PATH_TEXT('{"a": {"b": 2}}', 'a', 'b', FALSE)""", "2", id="json-path-valid"),
        pytest.param("JSON_EXTRACT_ARRAY_ELEMENT_TEXT('[7,8]', 1)", "8", id="json-element"),
        pytest.param("JSON_ARRAY_LENGTH('[7,8]')", 2, id="json-array-length"),
        pytest.param("IS_VALID_JSON('{') OR NOT IS_VALID_JSON('{}')", False, id="is-valid-json"),
        pytest.param("CAST('x' AS VARCHAR(MAX))", "x", id="varchar-max"),
        pytest.param(r"'it\'s ' || 'a\\b'", r"it's a\b", id="backslash-escapes"),
        pytest.param("'NVL(1, 2) minus select' -- DECODE(\n", "NVL(1, 2) minus select", id="literal-and-comment"),
    ],
)
def test_expressions_mean_what_redshift_documents(rows: Rows, expression: str, expected: object) -> None:
    """An expression of Redshift gives Redshift's value through the driver."""
    assert rows(f"SELECT {expression}") == [(expected,)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(
            "SELECT seller, LISTAGG(name, '|') WITHIN GROUP (ORDER BY id DESC) FROM sales GROUP BY seller ORDER BY 1",
            [(9, "a"), (10, "a|b")],
            id="listagg-leaves-out-null-and-empty",
        ),
        pytest.param(
            "SELECT LISTAGG(DISTINCT seller, ', ') WITHIN GROUP (ORDER BY seller) FROM sales",
            [("9, 10",)],
            id="listagg-distinct-sorts-numbers",
        ),
        pytest.param(
            "SELECT LISTAGG(DISTINCT name, '') WITHIN GROUP (ORDER BY name DESC) AS names FROM sales",
            [("ba",)],
            id="listagg-distinct-descending",
        ),
        pytest.param("SELECT LISTAGG(seller) FROM sales WHERE seller = 9", [("99",)], id="listagg-plain"),
        pytest.param("SELECT LISTAGG(name, ',') FROM sales WHERE id > 3", [(None,)], id="listagg-nothing"),
        pytest.param(
            "SELECT id, LISTAGG(name) WITHIN GROUP (ORDER BY name) OVER (PARTITION BY seller) FROM sales ORDER BY id",
            [(1, "ab"), (2, "a"), (3, "ab"), (4, "a"), (5, "ab")],
            id="listagg-over",
        ),
        pytest.param("SELECT MEDIAN(price) FROM sales", [(2.0,)], id="median"),
        pytest.param("SELECT APPROXIMATE COUNT(DISTINCT name) FROM sales", [(3,)], id="approximate"),
        pytest.param(
            "SELECT seller FROM sales MINUS SELECT 9 ORDER BY 1",
            [(10,)],
            id="minus",
        ),
        pytest.param(
            "SELECT s.id FROM sales s QUALIFY ROW_NUMBER() OVER (PARTITION BY s.seller ORDER BY s.id) = 1 ORDER BY 1",
            [(1,), (2,)],
            id="qualify",
        ),
        pytest.param(
            "SELECT * FROM sales AS s WHERE id < 4 QUALIFY RANK() OVER (ORDER BY s.price DESC) = 1",
            [(3, 10, "a", Decimal("4.50"), at(2024, 3, 1, 12))],
            id="qualify-star",
        ),
        pytest.param(
            "SELECT seller, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*)) r FROM sales GROUP BY 1 QUALIFY r = 1",
            [(9, 2, 1)],
            id="qualify-by-alias-over-groups",
        ),
        pytest.param(
            "WITH first AS (SELECT s.id FROM sales AS s QUALIFY ROW_NUMBER() OVER (ORDER BY s.id) = 1)"
            " SELECT id FROM first UNION ALL"
            " SELECT s.id FROM sales AS s QUALIFY ROW_NUMBER() OVER (ORDER BY s.id DESC) = 1",
            [(1,), (5,)],
            id="qualify-twice",
        ),
        pytest.param("SELECT TOP 2 id FROM sales ORDER BY id DESC", [(5,), (4,)], id="top"),
        pytest.param(
            "SELECT COUNT(*) FROM"
            " (SELECT TOP 3 DISTINCT name FROM sales WHERE id IN (SELECT TOP 9 id FROM sales)) AS s",
            [(3,)],
            id="top-in-subqueries",
        ),
        pytest.param(
            "SELECT TOP 1 s.seller, s.id FROM sales AS s QUALIFY RANK() OVER (ORDER BY s.id) > 1 ORDER BY id",
            [(9, 2)],
            id="top-and-qualify",
        ),
        pytest.param(
            "SELECT seller, EXTRACT(YEAR FROM sold) AS sold_in, COUNT(*), SUM(id) + MIN(id) AS s FROM sales"
            " GROUP BY ALL HAVING COUNT(*) > 1 ORDER BY 1",
            [(10, 2024, 2, 5)],
            id="group-by-all",
        ),
        pytest.param("SELECT COUNT(*) FROM sales GROUP BY ALL", [(5,)], id="group-by-all-of-no-column"),
        pytest.param(
            "SELECT seller, (SELECT MAX(s.id) FROM sales AS s) AS last, SUM(id) AS total, total * 2 AS twice FROM sales"
            " GROUP BY ALL ORDER BY 1",
            [(9, 5, 6, 12), (10, 5, 9, 18)],
            id="group-by-all-and-a-name-used-again",
        ),
    ],
)
def test_queries_mean_what_redshift_documents(sales: Rows, query: str, expected: list[tuple[Any, ...]]) -> None:
    """A clause of Redshift that PostgreSQL lacks gives the rows that Redshift would."""
    assert sales(query) == expected


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(b"SELECT a, max(b), coalesce(c, 1) FROM t WHERE d = $1", id="plain"),
        pytest.param(b"CREATE TEMP TABLE x AS SELECT a::VARCHAR(20) FROM t", id="plain-ctas"),
        pytest.param(b"SELECT 'sysdate', \"nvl\", t.approximate FROM t /* LISTAGG(x) */", id="words-that-are-no-calls"),
        pytest.param(b"SELECT NVL2(1), LISTAGG( FROM t", id="broken"),
        pytest.param(b"SET statement_timeout TO 100", id="parameter-of-both"),
        pytest.param(b"begin transaction", id="begin"),
        pytest.param(b"SELECT '\xff', a FROM t", id="no-utf8"),
    ],
)
def test_statements_without_redshifts_own_pass_byte_for_byte(statement: bytes) -> None:
    """What PostgreSQL understands is not touched, and what nobody understands is left to PostgreSQL."""
    assert translate(statement) is statement


def test_bind_parameters_survive_a_translation(rows: Rows) -> None:
    """Values bound to a translated statement reach it in their places."""
    assert rows("SELECT NVL(%s::INT, %s::INT), DATEADD(day, %s, '2024-01-01')", None, 5, 2) == [(5, at(2024, 1, 3))]


def test_long_runs_of_space_cost_no_time() -> None:
    """A statement as dbt indents it is translated in linear time."""
    statement = b"/* x */\n" + b"  \n" * 20_000 + b"DELETE FROM t" + b" \n" * 20_000
    assert translate(statement) is statement


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        pytest.param(
            "t (a BIGINT DISTKEY ENCODE az64, b INT SORTKEY) BACKUP NO",
            [("a", "bigint", True, 0, False), ("b", "integer", False, 1, False)],
            id="column-attributes",
        ),
        pytest.param(
            "t (a INT, b TEXT, c VARCHAR, d VARCHAR(MAX)) DISTSTYLE KEY DISTKEY (b) COMPOUND SORTKEY (c, a)",
            [
                ("a", "integer", False, 2, False),
                ("b", "character varying(256)", True, 0, False),
                ("c", "character varying(256)", False, 1, False),
                ("d", "character varying(65535)", False, 0, False),
            ],
            id="table-attributes-and-lengths",
        ),
        pytest.param(
            "t DISTSTYLE EVEN INTERLEAVED SORTKEY (b) AS SELECT 1 AS a, NVL(2, 3) AS b",
            [("a", "integer", False, 0, False), ("b", "integer", False, 1, False)],
            id="ctas",
        ),
        pytest.param(
            "t (x, y) DISTKEY (y) AS (SELECT 1, 2)",
            [("x", "integer", False, 0, False), ("y", "integer", True, 0, False)],
            id="ctas-with-names",
        ),
        pytest.param(
            "t (a BIGINT IDENTITY(1, 1), b DECIMAL(9, 2), c DATETIME, PRIMARY KEY (a, c), UNIQUE (b)) SORTKEY AUTO --",
            [
                ("a", "bigint", False, 0, True),
                ("b", "numeric(9,2)", False, 0, False),
                ("c", "timestamp without time zone", False, 0, True),
            ],
            id="identity-and-keys",
        ),
    ],
)
@pytest.mark.parametrize("temporary", [pytest.param("", id="permanent"), pytest.param("TEMP ", id="temporary")])
def test_table_definitions(rows: Rows, temporary: str, definition: str, expected: list[tuple[Any, ...]]) -> None:
    """Redshift's attributes are accepted, seen in the catalog, and never reach PostgreSQL."""
    rows(f"CREATE {temporary}TABLE {definition}")
    assert (
        rows('SELECT "column", type, distkey, sortkey, "notnull" FROM pg_table_def WHERE tablename = \'t\'') == expected
    )


def test_keys_become_indexes_in_the_same_transaction(rows: Rows, session: Connection) -> None:
    """The stand-in keeps one index for each key column, which a rollback takes away with the table."""
    count = "SELECT COUNT(*) FROM pg_indexes WHERE schemaname = 'shop'"
    rows("CREATE SCHEMA shop")
    rows('CREATE TABLE "dev"."shop"."t" (a INT, b INT, c INT) DISTKEY (a) SORTKEY (a, b)')
    assert rows(count) == [(2,)]
    assert rows("""SELECT diststyle, sortkey1, sortkey_num FROM svv_table_info WHERE "schema" = 'shop'""") == [
        ("KEY(a)", "a", 2)
    ]
    session.rollback()
    assert rows(count) == [(0,)]


def test_a_materialized_view_has_attributes(rows: Rows) -> None:
    """What only Redshift's storage reads of a materialized view is left out."""
    rows("CREATE TABLE parts (a INT, b INT)")
    rows("INSERT INTO parts VALUES (1, 2), (1, 3)")
    rows(
        "CREATE MATERIALIZED VIEW sums BACKUP NO DISTSTYLE KEY DISTKEY (a) SORTKEY (a) AUTO REFRESH NO"
        " AS (SELECT a, SUM(b) AS total FROM parts GROUP BY a)"
    )
    rows("INSERT INTO parts VALUES (2, 4)")
    rows("REFRESH MATERIALIZED VIEW sums")
    assert rows("SELECT a, total FROM sums ORDER BY a") == [(1, 5), (2, 4)]


def test_names_in_quotes_are_lower_case(rows: Rows) -> None:
    """A name in double quotes is the same name without capitals (DG/r_names)."""
    rows('CREATE TEMP TABLE "Goods" ("Id" INT, "group" INT)')
    rows('INSERT INTO goods (id, "GROUP") VALUES (1, 2)')
    assert rows('SELECT "ID", g."Group" AS "Sum", \'"Id"\' FROM "GOODS" AS g') == [(1, 2, '"Id"')]


def test_keys_are_not_enforced(rows: Rows) -> None:
    """A primary key says something to Redshift's planner, and refuses no row but one with NULL."""
    rows("CREATE TEMP TABLE t (a INT PRIMARY KEY, b INT UNIQUE)")
    rows("INSERT INTO t VALUES (1, 1), (1, 1)")
    with pytest.raises(ProgrammingError, match="23502"):
        rows("INSERT INTO t VALUES (NULL, 1)")


@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        pytest.param("0, 1", [(0,), (1,)], id="from-zero"),
        pytest.param("-5, 5", [(-5,), (0,)], id="from-below-zero"),
        pytest.param("3, -2", [(1,), (3,)], id="downwards"),
    ],
)
def test_an_identity_begins_at_any_number(rows: Rows, seed: str, expected: list[tuple[int]]) -> None:
    """The seed of an identity column may be any whole number, its step negative."""
    rows(f"CREATE TEMP TABLE t (a INT IDENTITY({seed}), b INT)")
    rows("INSERT INTO t (b) VALUES (1), (2)")
    assert rows("SELECT a FROM t ORDER BY a") == expected


@pytest.mark.parametrize(
    "constraint",
    [
        "CONSTRAINT key_of_t PRIMARY KEY (a)",
        "CONSTRAINT key_of_t UNIQUE (a, b)",
        "CONSTRAINT key_of_t FOREIGN KEY (a) REFERENCES t (a)",
    ],
)
def test_a_key_that_is_added_is_not_enforced(rows: Rows, constraint: str) -> None:
    """ALTER TABLE adds a key that refuses no row, and takes it away again by its name."""
    rows("CREATE TEMP TABLE t (a INT NOT NULL, b INT)")
    rows(f"ALTER TABLE t ADD {constraint}")
    rows(f"ALTER TABLE t ADD {constraint.partition('key_of_t ')[2]}")
    rows("INSERT INTO t VALUES (1, 1), (1, 1)")
    rows("ALTER TABLE t DROP CONSTRAINT key_of_t")
    assert rows("SELECT COUNT(*) FROM t") == [(2,)]


def test_statements_of_two_runs_are_translated_once_each_with_its_names() -> None:
    """Nothing of one run is in the statement of another, and one that looks like neither is translated as it is."""
    sql = (
        'CREATE TEMP TABLE "orders__098f6b_%s_keys" DISTKEY ("id") AS SELECT NVL(s.id, 0) FROM s.orders__098f6b_%s AS s'
    )
    before = statements._remembered.cache_info()
    for run in ("6b0bf1c370bd", "81e047aa9039", "zq0000zzz"):
        expected = sql.replace(' DISTKEY ("id")', "").replace("NVL", "COALESCE") % (run, run)
        assert translate((sql % (run, run)).encode()).decode().startswith(expected)
    after = statements._remembered.cache_info()
    assert after.misses - before.misses == 2
    place = b"SELECT NVL(__zq0000.a, t__098f6b.a) FROM __zq0000, t__098f6b"
    assert translate(place) == place.replace(b"NVL", b"COALESCE")


@pytest.mark.parametrize(
    "definition",
    [
        "CREATE TABLE #Made (a INT SORTKEY, b INT)",
        'CREATE TABLE IF NOT EXISTS "#made" (a INT, b INT)',
        "CREATE TEMP TABLE #made (a INT, b INT)",
        "CREATE TABLE #made DISTKEY (a) AS SELECT 1 AS a, 1 AS b WHERE FALSE",
        "SELECT 1 AS a, 1 AS b INTO #made WHERE FALSE",
    ],
)
def test_a_name_with_a_hash_is_a_temporary_table(
    session: Connection, connect: Connect, rows: Rows, definition: str
) -> None:
    """A table whose name begins with a hash belongs to its session, and has that name in every statement."""
    session.autocommit = True
    rows(definition)
    rows("INSERT INTO #made (a, b) VALUES (1, 3), (2, 3)")
    rows("UPDATE #made SET b = #made.b + 1 FROM (SELECT 1 AS a) AS s WHERE #made.a = s.a")
    rows("DELETE #made WHERE #MADE.b = 3")
    assert rows("SELECT #made.a, b # 1, b#1 FROM #made") == [(1, 5, 5)]
    with pytest.raises(ProgrammingError, match="42P01"):
        connect().cursor().execute("SELECT a FROM #made")
    rows("DROP TABLE #made")


def test_delete_needs_no_from(rows: Rows) -> None:
    """DELETE t is DELETE FROM t, comments between or not."""
    rows("CREATE TEMP TABLE t AS SELECT 1 AS a UNION ALL SELECT 2 UNION ALL SELECT 3")
    rows("DELETE t WHERE a = 1")
    rows("delete /* from */ t USING (SELECT 2 AS a) AS s WHERE t.a = s.a")
    rows("DELETE\nFROM t WHERE a = 4")
    assert rows("SELECT a FROM t") == [(3,)]


def test_a_late_binding_view_and_an_added_column(rows: Rows) -> None:
    """WITH NO SCHEMA BINDING and ALTER TABLE with ENCODE are accepted."""
    rows("CREATE TABLE t (a INT)")
    rows("ALTER TABLE t ADD COLUMN b TEXT ENCODE lzo DEFAULT 'x'")
    rows("CREATE OR REPLACE VIEW v AS SELECT b FROM t WITH NO SCHEMA BINDING")
    assert rows("SELECT character_maximum_length FROM svv_columns WHERE table_name = 'v'") == [(256,)]


@pytest.mark.parametrize(
    "statement",
    [
        "SET query_group TO 'nightly'",
        "SET SESSION wlm_query_slot_count = 3",
        "SET error_on_nondeterministic_update TO true",
        "SET enable_case_sensitive_identifier TO off",
        "SET statement_timeout TO 10000",
        "RESET query_group",
    ],
)
def test_session_parameters_of_redshift_are_accepted(rows: Rows, statement: str) -> None:
    """A parameter that only Redshift knows is kept, and changes nothing."""
    assert rows(statement) == []


@pytest.mark.parametrize("level", ["READ COMMITTED", "read uncommitted", "REPEATABLE READ", "SERIALIZABLE"])
@pytest.mark.parametrize("begin", ["BEGIN", "begin work", "START /* one */ TRANSACTION"])
def test_the_isolation_level_of_a_transaction_is_ignored(
    session: Connection, rows: Rows, begin: str, level: str
) -> None:
    """BEGIN takes any level, and the transaction has the database's own; what else it says holds."""
    session.autocommit = True
    rows(f"{begin} ISOLATION LEVEL {level} READ ONLY")
    assert rows("SELECT CURRENT_SETTING('transaction_isolation')") == [("repeatable read",)]
    assert rows("SELECT CURRENT_SETTING('transaction_read_only')") == [("on",)]
    rows("ROLLBACK")


def test_the_isolation_level_is_ignored_before_another_statement() -> None:
    """Of several statements in one text each is read by itself."""
    assert translate(b"BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1") == b"BEGIN; SELECT 1"


def test_session_parameters_are_set_by_a_function(rows: Rows) -> None:
    """SET_CONFIG is SET as a function; it knows the parameters that only Redshift has, and CURRENT_SETTING as well."""
    assert rows("SELECT SET_CONFIG('query_group', 'nightly', FALSE)") == [("nightly",)]
    assert rows("SELECT SET_CONFIG('statement_timeout', %s, FALSE)", "60000") == [("1min",)]
    assert rows("SELECT CURRENT_SETTING('query_group'), CURRENT_SETTING('statement_timeout')") == [("nightly", "1min")]
    assert rows("SHOW query_group") == [("nightly",)]


def test_a_list_that_is_too_long_is_refused(rows: Rows) -> None:
    """LISTAGG has Redshift's limit of 65,535 bytes."""
    rows("CREATE TEMP TABLE t AS SELECT REPEAT('x', 40000) AS a UNION ALL SELECT REPEAT('y', 40000)")
    with pytest.raises(ProgrammingError, match="Result size exceeds LISTAGG limit"):
        rows("SELECT LISTAGG(a) FROM t")


def test_a_user_without_a_password_is_made(session: Connection, rows: Rows) -> None:
    """A user who only logs in by IAM has no password, which Redshift wants to be said."""
    session.autocommit = True
    rows("CREATE USER reader PASSWORD DISABLE")
    assert rows("SELECT usename FROM pg_user WHERE usename = 'reader'") == [("reader",)]
    rows("DROP USER reader")


def test_maintenance_commands_are_accepted(session: Connection, rows: Rows) -> None:
    """VACUUM and ANALYZE pass with the words that only Redshift has."""
    session.autocommit = True
    rows("CREATE TEMP TABLE t (a INT)")
    assert rows("VACUUM DELETE ONLY t TO 99 PERCENT") == []
    assert rows("ANALYZE t PREDICATE COLUMNS") == []


SHOWN = """
    database_name schema_name table_name column_name ordinal_position column_default is_nullable data_type
    character_maximum_length numeric_precision numeric_scale remarks sort_key_type sort_key dist_key encoding collation
"""


def test_the_columns_of_a_table_are_shown(session: Connection) -> None:
    """SHOW COLUMNS gives Redshift's columns in its order, as the developer guide shows them."""
    cursor = session.cursor()
    cursor.execute("CREATE SCHEMA demo")
    cursor.execute(
        "CREATE TABLE demo.sorted (id INT DISTKEY, name VARCHAR(50), day DATE NOT NULL,"
        " amount NUMERIC(10, 2) DEFAULT 0) COMPOUND SORTKEY (id, name)"
    )
    for named in ("demo.sorted", 'dev.demo."sorted"', "DEV . Demo.SORTED"):
        cursor.execute(f"SHOW COLUMNS FROM TABLE {named};")
        assert [column[0] for column in cursor.description] == SHOWN.split()
        # Redshift chooses an encoding.
        assert [tuple(row) for row in cursor.fetchall()] == [
            ("dev", "demo", "sorted", *row, "none", collation)
            for *row, collation in (
                ("id", 1, None, "YES", "integer", None, 32, 0, None, "COMPOUND", 1, 1, None),
                ("name", 2, None, "YES", "character varying", 50, None, None, None, "COMPOUND", 2, None, "default"),
                ("day", 3, None, "NO", "date", None, None, None, None, None, 0, None, None),
                ("amount", 4, "0", "YES", "numeric", None, 10, 2, None, None, 0, None, None),
            )
        ]
    cursor.execute("show columns from table demo.sorted LIKE '%a%' LIMIT 2")
    assert [row[3] for row in cursor.fetchall()] == ["name", "day"]


@pytest.mark.parametrize("named", ["public.nowhere", "dev.public.nowhere"])
def test_columns_of_no_table_are_not_shown(rows: Rows, named: str) -> None:
    """A table that does not exist is an error, not an empty list."""
    with pytest.raises(ProgrammingError, match="42P01"):
        rows(f"SHOW COLUMNS FROM TABLE {named}")


def test_columns_keep_their_collation(rows: Rows) -> None:
    """A column's COLLATE is kept by CREATE TABLE, ALTER TABLE and CREATE TABLE AS, under both of its names."""
    rows("CREATE SCHEMA demo")
    rows(
        "CREATE TABLE demo.collated (a VARCHAR(9) COLLATE CASE_INSENSITIVE,"
        " b VARCHAR(9) COLLATE ci ENCODE lzo NOT NULL, c CHAR(9) ENCODE lzo COLLATE CASE_SENSITIVE, d TEXT COLLATE CS)"
    )
    rows("ALTER TABLE demo.collated ADD COLUMN e VARCHAR(9) COLLATE CASE_INSENSITIVE DEFAULT 'x'")
    rows("CREATE TABLE demo.copied AS SELECT a, c, d || 'x' AS f, 'y'::VARCHAR(9) AS g FROM demo.collated")
    shown = {
        row[2:4]: row[-1] for table in ("collated", "copied") for row in rows(f"SHOW COLUMNS FROM TABLE demo.{table}")
    }
    assert shown == {
        ("collated", "a"): "case_insensitive",
        ("collated", "b"): "case_insensitive",
        ("collated", "c"): "case_sensitive",
        ("collated", "d"): "case_sensitive",
        ("collated", "e"): "case_insensitive",
        ("copied", "a"): "case_insensitive",
        ("copied", "c"): "case_sensitive",
        ("copied", "f"): "case_sensitive",
        ("copied", "g"): "default",
    }
    rows("INSERT INTO demo.collated (a, b) VALUES ('x', 'y')")
    assert rows("SELECT a FROM demo.collated JOIN demo.copied USING (a) WHERE a = 'x' AND b <> a") == []


def test_the_collation_of_the_database_is_told(redshift: LocalRedshift, session: Connection, rows: Rows) -> None:
    """DB_COLLATION says what the administrator has set; by default strings differ by case."""
    session.autocommit = True
    assert rows("SELECT DB_COLLATION()") == [("case_sensitive",)]
    administer(redshift, "ALTER DATABASE dev SET redshift.db_collation = 'case_insensitive'")
    try:
        assert rows("SELECT DB_COLLATION()") == [("case_insensitive",)]
    finally:
        administer(redshift, "ALTER DATABASE dev RESET redshift.db_collation")
    assert rows("SELECT DB_COLLATION()") == [("case_sensitive",)]


def test_the_isolation_level_of_the_database_is_shown(redshift: LocalRedshift, session: Connection, rows: Rows) -> None:
    """SVV_REDSHIFT_DATABASES has Redshift's columns; the STV view can be taken away, as on Serverless."""
    session.autocommit = True
    level = "SELECT * FROM svv_redshift_databases"
    assert [row[2:] for row in rows(level)] == [("local", None, None, "Snapshot Isolation")]
    assert rows("SELECT TRIM(isolation_level) FROM stv_db_isolation_level") == [("Snapshot Isolation",)]
    rows("CREATE USER reader PASSWORD DISABLE")
    rows("SET SESSION AUTHORIZATION reader")
    administer(redshift, "REVOKE SELECT ON stv_db_isolation_level FROM PUBLIC")
    try:
        assert [row[0] for row in rows(level)] == ["dev"]
        with pytest.raises(ProgrammingError, match="42501"):
            rows("SELECT isolation_level FROM stv_db_isolation_level")
    finally:
        administer(redshift, "GRANT SELECT ON stv_db_isolation_level TO PUBLIC")
        rows("RESET SESSION AUTHORIZATION")
        rows("DROP USER reader")


@pytest.mark.parametrize(
    "module", [tokens, qualify, statements, selects, columns, definitions], ids=lambda module: module.__name__
)
def test_examples_in_docstrings_hold(module: ModuleType) -> None:
    """What a docstring shows is what the function gives."""
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0

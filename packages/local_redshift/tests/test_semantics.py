"""What PostgreSQL and Redshift both accept and mean differently: here it means what it means on Redshift.

The traps of this kind that a statement shows are refused instead; test_refusals.py has these.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from redshift_connector.core import Connection
from redshift_connector.error import ProgrammingError

Rows = Callable[..., list[tuple[Any, ...]]]

WORDS = "CREATE TEMP TABLE words (id INT, word VARCHAR(8), other VARCHAR(20), fixed CHAR(4)) DISTKEY (word)"
WORDS_ROWS = """
    INSERT INTO words VALUES
      (1, 'a', 'a ', 'a'), (2, 'a ', 'a', 'a'), (3, ' a', NULL, ' a'), (4, '', ' ', ''),
      (5, '  ', 'b', 'b'), (6, NULL, NULL, NULL)
"""


@pytest.fixture
def words(rows: Rows) -> Rows:
    """Return the session's runner, with a table of strings that differ in their blanks."""
    rows(WORDS)
    rows(WORDS_ROWS)
    return rows


@pytest.mark.parametrize(
    ("predicate", "ids"),
    [
        pytest.param("word = 'a'", [1, 2], id="equal"),
        pytest.param("word = 'a   '", [1, 2], id="equal-to-longer"),
        pytest.param("'a ' = word", [1, 2], id="literal-first"),
        pytest.param("word <> 'a'", [3, 4, 5], id="different"),
        pytest.param("word = ''", [4, 5], id="blank-is-empty"),
        pytest.param("word IN ('b', 'a  ')", [1, 2], id="in-list"),
        pytest.param("word IN (SELECT w.other FROM words AS w)", [1, 2, 4, 5], id="in-subquery"),
        pytest.param("word BETWEEN 'a ' AND 'a  '", [1, 2], id="between"),
        pytest.param("word < 'a'", [3, 4, 5], id="less"),
        pytest.param("word > 'a'", [], id="greater"),
        pytest.param("word >= 'a '", [1, 2], id="at-least"),
        pytest.param("word <= ''", [4, 5], id="at-most"),
        pytest.param("word = other", [1, 2, 4], id="two-columns"),
        pytest.param("word = fixed", [1, 2, 3, 4], id="varchar-and-char"),
        pytest.param("word || ' ' = 'a'", [1, 2], id="concatenation"),
        pytest.param("LOWER(word) = UPPER('A ')", [], id="function-of-each"),
        pytest.param("UPPER(word) = 'A '", [1, 2], id="function"),
        pytest.param("COALESCE(word, 'none') = 'none '", [6], id="coalesce"),
        pytest.param("CASE WHEN id > 1 THEN word END = 'a'", [2], id="case"),
        pytest.param("CASE word WHEN 'a  ' THEN 1 END = 1", [1, 2], id="case-of"),
        pytest.param("NULLIF(word, '') IS NULL", [4, 5, 6], id="nullif"),
        pytest.param("word::VARCHAR(4) = 'a'::VARCHAR(20)", [1, 2], id="casts"),
        pytest.param("GREATEST(word, 'a') = 'a'", [1, 2, 3, 4, 5, 6], id="greatest"),
        pytest.param("DECODE(word, 'a', 1) = 1", [1, 2], id="decode"),
        pytest.param("word LIKE 'a'", [1], id="like-sees-them"),
        pytest.param("LEN(word) = 1 OR LENGTH(word) = 0", [1, 4], id="length-counts-them"),
        pytest.param("LEN(fixed) = 1", [1, 2, 5], id="length-of-char-does-not"),
        pytest.param("word || 'x' = 'ax'", [1], id="concatenation-keeps-them"),
        pytest.param("MD5(word) = MD5('a')", [1], id="hash-sees-them"),
    ],
)
def test_trailing_blanks_do_not_count_in_comparisons(words: Rows, predicate: str, ids: list[int]) -> None:
    """Strings that differ in trailing blanks are equal, and the blanks are still there."""
    assert [number for (number,) in words(f"SELECT id FROM words WHERE {predicate} ORDER BY id")] == ids  # noqa: S608


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("SELECT COUNT(*) FROM words GROUP BY word ORDER BY 1", [(1,), (1,), (2,), (2,)], id="group-by"),
        pytest.param(
            "SELECT COUNT(*) FROM (SELECT word || '' AS w FROM words) AS x GROUP BY w HAVING w = 'a'",
            [(2,)],
            id="group-by-expression",
        ),
        pytest.param("SELECT COUNT(*) FROM (SELECT DISTINCT word FROM words) AS w", [(4,)], id="distinct"),
        pytest.param("SELECT COUNT(DISTINCT word) FROM words", [(3,)], id="count-distinct"),
        pytest.param(
            "SELECT COUNT(*) FROM (SELECT word FROM words UNION SELECT other FROM words) AS w", [(5,)], id="union"
        ),
        pytest.param("SELECT word FROM words EXCEPT SELECT other FROM words", [(" a",)], id="except"),
        pytest.param(
            "SELECT COUNT(*) FROM (SELECT word FROM words INTERSECT SELECT other FROM words) AS w",
            [(3,)],
            id="intersect",
        ),
        pytest.param(
            "SELECT w.id, x.id FROM words AS w JOIN words AS x ON w.word = x.other WHERE w.id < 3 ORDER BY 1, 2",
            [(1, 1), (1, 2), (2, 1), (2, 2)],
            id="join",
        ),
        pytest.param(
            "SELECT id, ROW_NUMBER() OVER (PARTITION BY word ORDER BY id) FROM words WHERE id < 4 ORDER BY id",
            [(1, 1), (2, 2), (3, 1)],
            id="partition-by",
        ),
        pytest.param(
            "SELECT id, RANK() OVER (ORDER BY word) FROM words WHERE id < 4 ORDER BY id",
            [(1, 2), (2, 2), (3, 1)],
            id="rank",
        ),
        pytest.param("SELECT id FROM words ORDER BY word, id DESC", [(5,), (4,), (3,), (2,), (1,), (6,)], id="order"),
        pytest.param("SELECT LEN(RTRIM(MAX(word))), LEN(RTRIM(MIN(word))) FROM words", [(1, 0)], id="max-and-min"),
        pytest.param(
            "SELECT LEN(REPLACE(LISTAGG(DISTINCT word) WITHIN GROUP (ORDER BY word), ' ', '')) FROM words WHERE id < 4",
            [(2,)],
            id="listagg-distinct",
        ),
    ],
)
@pytest.mark.parametrize(
    "planned",
    [pytest.param("enable_hashagg, enable_hashjoin", id="sorted"), pytest.param("enable_sort", id="hashed")],
)
def test_strings_that_differ_in_trailing_blanks_are_one(
    words: Rows, planned: str, query: str, expected: list[tuple[Any, ...]]
) -> None:
    """Grouping, set operations, joins and windows take them for the same, by sorting as by hashing."""
    for setting in planned.split(", "):
        words(f"SET {setting} TO off")
    assert words(query) == expected


def test_an_index_serves_comparisons_without_trailing_blanks(rows: Rows) -> None:
    """The index of a distribution or sort key on a VARCHAR finds a value with any number of trailing blanks."""
    rows("CREATE TEMP TABLE many (word VARCHAR(20)) SORTKEY (word)")
    rows(
        "INSERT INTO many WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 3000)"
        " SELECT 'word ' || n::VARCHAR(20) || '  ' FROM numbers"
    )
    rows("INSERT INTO many VALUES ('one'), ('one  ')")
    rows("ANALYZE many")
    plan = " ".join(line for (line,) in rows("EXPLAIN SELECT COUNT(*) FROM many WHERE word = %s::VARCHAR(99)", "one "))
    assert "Index" in plan
    assert rows("SELECT COUNT(*) FROM many WHERE word = %s::VARCHAR(99)", "one ") == [(2,)]


NUMBERS = "CREATE TEMP TABLE numbers (small SMALLINT, whole INT, big BIGINT, exact NUMERIC(10, 3), inexact FLOAT8)"
NUMBERS_ROWS = """
    INSERT INTO numbers VALUES
      (1, -1, 9007199254740993, 1.257, 1.5), (2, -2, 9007199254740993, -1.257, 2), (2, -2, NULL, 2.5, NULL)
"""


@pytest.fixture
def numbers(rows: Rows) -> Rows:
    """Return the session's runner, with a table of numbers of every type."""
    rows(NUMBERS)
    rows(NUMBERS_ROWS)
    return rows


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param("AVG(small)", 1, id="avg-of-smallint"),
        pytest.param("AVG(whole)", -1, id="avg-of-integer"),
        pytest.param("AVG(big)", 9007199254740993, id="avg-of-bigint"),
        pytest.param("AVG(DISTINCT big - small)", 9007199254740991, id="avg-distinct"),
        pytest.param("AVG(CASE WHEN small > 5 THEN big END)", None, id="avg-of-nothing"),
        pytest.param("AVG(small) * 1.5", Decimal("1.5"), id="avg-then-decimal"),
        pytest.param("ROUND(AVG(exact), 3)", Decimal("0.833"), id="avg-of-numeric"),
        pytest.param("AVG(inexact)", 1.75, id="avg-of-float"),
        pytest.param("SUM(small) / 2", 2, id="sum-of-smallint-is-whole"),
        pytest.param("SUM(whole) / 2", -2, id="sum-of-integer-is-whole"),
        pytest.param("COUNT(*) / 2", 1, id="count-is-whole"),
    ],
)
def test_averages_of_whole_numbers_are_whole(numbers: Rows, expression: str, expected: object) -> None:
    """AVG of SMALLINT, INTEGER and BIGINT is a BIGINT without the fraction."""
    (value,) = numbers(f"SELECT {expression} FROM numbers")[0]  # noqa: S608
    assert value == expected
    assert type(value) is type(expected)


def test_averages_over_windows_are_whole(numbers: Rows) -> None:
    """AVG of whole numbers loses its fraction as a window function as well, where rows leave the frame too."""
    frame = "OVER (ORDER BY small, whole ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)"
    found = numbers(f"SELECT AVG(small) {frame}, AVG(whole) {frame}, AVG(big) {frame} FROM numbers ORDER BY 1, 2 DESC")  # noqa: S608
    assert found == [(1, -1, 9007199254740993), (1, -1, 9007199254740993), (2, -2, 9007199254740993)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param("exact::NUMERIC(10, 2)", ["1.25", "-1.25", "2.50"], id="smaller-scale"),
        pytest.param("CAST(exact AS DECIMAL(10, 1))", ["1.2", "-1.2", "2.5"], id="decimal"),
        pytest.param("CAST(exact AS NUMERIC)", ["1", "-1", "2"], id="no-precision"),
        pytest.param('exact::"numeric"', ["1", "-1", "2"], id="no-precision-in-quotes"),
        pytest.param("exact::pg_catalog.decimal", ["1", "-1", "2"], id="no-precision-with-a-schema"),
        pytest.param("CAST(exact AS NUMERIC(12, 3))", ["1.257", "-1.257", "2.500"], id="same-scale"),
        pytest.param("CAST(exact AS NUMERIC(12, 5))", ["1.25700", "-1.25700", "2.50000"], id="greater-scale"),
        pytest.param("ROUND(exact, 2)::NUMERIC(10, 2)", ["1.26", "-1.26", "2.50"], id="rounded-first"),
        pytest.param("exact::INTEGER", ["1", "-1", "2"], id="integer"),
        pytest.param("exact::BIGINT", ["1", "-1", "2"], id="bigint"),
        pytest.param("exact::SMALLINT", ["1", "-1", "2"], id="smallint"),
        pytest.param("exact::VARCHAR(10)::NUMERIC(6, 1)", ["1.2", "-1.2", "2.5"], id="from-a-string"),
    ],
)
def test_casts_to_a_smaller_scale_cut_off(numbers: Rows, expression: str, expected: list[str]) -> None:
    """An explicit cast of a NUMERIC drops the digits that its new type has no place for."""
    assert [str(value) for (value,) in numbers(f"SELECT {expression} FROM numbers")] == expected  # noqa: S608


def test_a_floating_number_is_rounded(numbers: Rows) -> None:
    """A cast of a floating number to a scale rounds it."""
    assert numbers("SELECT DISTINCT 68.6029435::FLOAT8::NUMERIC(10, 6), 2.375::REAL::NUMERIC(4, 2) FROM numbers") == [
        (Decimal("68.602944"), Decimal("2.38"))
    ]
    numbers("CREATE TEMP TABLE typed AS SELECT (inexact * 2)::NUMERIC(7, 3) AS a FROM numbers")
    assert numbers("SELECT type FROM pg_table_def WHERE tablename = 'typed'") == [("numeric(7,3)",)]


def test_storing_a_number_rounds_it(numbers: Rows) -> None:
    """INSERT and UPDATE round to the column's scale, unless a cast has cut off before."""
    numbers("CREATE TEMP TABLE prices (place INT, price NUMERIC(6, 2))")
    numbers("INSERT INTO prices SELECT 2.5 * 1.0, exact FROM numbers WHERE exact = 1.257")
    numbers("INSERT INTO prices SELECT 2, exact::NUMERIC(6, 2) FROM numbers WHERE exact = 1.257")
    assert numbers("SELECT place, price FROM prices ORDER BY place") == [(2, Decimal("1.25")), (3, Decimal("1.26"))]
    numbers("UPDATE prices SET price = exact FROM numbers WHERE exact = 1.257")
    assert numbers("SELECT DISTINCT price FROM prices") == [(Decimal("1.26"),)]


def test_a_number_that_does_not_fit_is_refused(numbers: Rows) -> None:
    """What a cast can not hold left of the point is an error, whatever it does right of it."""
    with pytest.raises(ProgrammingError, match="22003"):
        numbers("SELECT (exact * 1000)::NUMERIC(5, 3) FROM numbers")


@pytest.mark.parametrize(
    ("stored", "kept"),
    [
        pytest.param("abcd", "abcd", id="bytes"),
        pytest.param("éé", "éé", id="two-bytes-each"),
        pytest.param("€a", "€a", id="three-bytes"),
        pytest.param("abcd   ", "abcd", id="only-blanks-too-many"),
        pytest.param("éa   ", "éa ", id="blanks-after-two-bytes"),
    ],
)
def test_a_varchar_takes_as_many_bytes_as_it_says(rows: Rows, stored: str, kept: str) -> None:
    """VARCHAR(4) has four bytes; blanks too many are dropped."""
    rows("CREATE TEMP TABLE short (word VARCHAR(4))")
    rows("INSERT INTO short VALUES (%s)", stored)
    assert rows("SELECT word FROM short") == [(kept,)]


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("INSERT INTO short VALUES (%s)", id="insert"),
        pytest.param("INSERT INTO short SELECT %s::VARCHAR(20)", id="insert-select"),
        pytest.param("UPDATE short SET word = %s::VARCHAR(20)", id="update"),
    ],
)
@pytest.mark.parametrize("word", [pytest.param("ééé", id="multibyte"), pytest.param("abcde", id="ascii")])
def test_a_string_of_too_many_bytes_is_refused(rows: Rows, statement: str, word: str) -> None:
    """What is longer than the column's bytes is not stored."""
    rows("CREATE TEMP TABLE short (word VARCHAR(4))")
    rows("INSERT INTO short VALUES ('a')")
    with pytest.raises(ProgrammingError, match=r"value too long for type character varying\(4\)"):
        rows(statement, word)


@pytest.mark.parametrize(
    ("word", "bytes_kept", "expected"),
    [
        pytest.param("abcdef", 3, "abc", id="ascii"),
        pytest.param("ééé", 4, "éé", id="whole-characters"),
        pytest.param("ééé", 5, "éé", id="between-two-characters"),
        pytest.param("a€€", 3, "a", id="no-place-for-the-second"),
        pytest.param("😀" * 50, 103, "😀" * 25, id="far-too-long"),
        pytest.param("a  ", 2, "a ", id="blanks"),
    ],
)
def test_an_explicit_cast_cuts_a_string_between_characters(
    rows: Rows, word: str, bytes_kept: int, expected: str
) -> None:
    """A cast to VARCHAR(n) keeps the whole characters within n bytes."""
    assert rows(f"SELECT %s::VARCHAR(400)::VARCHAR({bytes_kept})", word) == [(expected,)]


def test_a_whole_number_becomes_a_string(numbers: Rows) -> None:
    """Whole numbers of every size are cast to VARCHAR, with a length or without, and stored if there is room."""
    numbers("CREATE TEMP TABLE names (name VARCHAR(16))")
    numbers("INSERT INTO names SELECT big FROM numbers")
    numbers("INSERT INTO names SELECT small::VARCHAR || whole::VARCHAR(5) FROM numbers WHERE exact = 2.5")
    assert numbers("SELECT DISTINCT name FROM names ORDER BY 1") == [("2-2",), ("9007199254740993",), (None,)]
    with pytest.raises(ProgrammingError, match=r"value too long for type character varying\(16\)"):
        numbers("INSERT INTO names SELECT big * 10 FROM numbers")


def test_text_of_a_column_is_short(rows: Rows) -> None:
    """TEXT is VARCHAR(256), and a longer string is an error."""
    rows("CREATE TEMP TABLE notes (note TEXT)")
    with pytest.raises(ProgrammingError, match=r"value too long for type character varying\(256\)"):
        rows("INSERT INTO notes VALUES (%s)", "x" * 257)


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("(a = 1)::VARCHAR(5)", id="cast"),
        pytest.param("CAST(a = 1 AS VARCHAR)", id="without-length"),
        pytest.param("(a = 1)::CHAR(5)", id="char"),
        pytest.param("CONCAT('x', a = 1)", id="concat"),
        pytest.param("CONCAT(a = 1, 'x'::VARCHAR(3))", id="concat-first"),
    ],
)
def test_a_boolean_is_no_string(rows: Rows, expression: str) -> None:
    """A cast of a boolean to a string is refused, whether there are rows or not."""
    rows("CREATE TEMP TABLE t (a INT)")
    with pytest.raises(ProgrammingError, match="cannot cast type boolean to character varying"):
        rows(f"SELECT {expression} FROM t")  # noqa: S608


def test_a_string_expression_makes_a_varchar(rows: Rows) -> None:
    """What a query computes as a string is VARCHAR in the table made from it, with keys or without."""
    rows("CREATE TEMP TABLE made SORTKEY (a) AS SELECT 'a' || 'b' AS a, UPPER('c') AS b, 'd'::VARCHAR(3) AS c, 1 AS d")
    assert rows('SELECT "column", type FROM pg_table_def WHERE tablename = %s', "made") == [
        ("a", "character varying(65535)"),
        ("b", "character varying(65535)"),
        ("c", "character varying(3)"),
        ("d", "integer"),
    ]
    assert rows("SELECT a || b || c FROM made WHERE a = 'ab '") == [("abCd",)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param("7 / 2", 3, id="integers-divide-to-an-integer"),
        pytest.param("-7 / 2", -3, id="towards-zero"),
        pytest.param("ROUND(2.5) + ROUND(-2.5)", Decimal(0), id="round-half-away-from-zero"),
        pytest.param("GREATEST(NULL, 1, 2) + LEAST(NULL, 1, 2)", 3, id="greatest-and-least-skip-null"),
        pytest.param("CONCAT('a', NULL)", None, id="concat-with-null"),
        pytest.param("CONCAT('a', NULL::INT)", None, id="concat-with-null-of-a-number"),
        pytest.param("CONCAT('a', 1) || CONCAT(2, 3)", "a123", id="concat-of-numbers"),
        pytest.param("DATE_TRUNC('week', DATE '2024-05-05')", datetime(2024, 4, 29), id="date-trunc-of-a-date"),  # noqa: DTZ001
        pytest.param("EXTRACT(YEAR FROM DATE '2024-05-05') / 5", 404, id="extract-is-whole"),
        pytest.param(r"LEN('a\nb')", 3, id="backslash-escapes"),
        pytest.param("LOWER('ÀÉ') || UPPER('àé')", "àéÀÉ", id="case-of-all-letters"),
        pytest.param("'Z' < 'a' AND 'z' < 'é'", True, id="order-of-bytes"),
        pytest.param("DATE '2024-05-05' ~ '^2024-05'", True, id="a-date-matches-a-pattern"),
        pytest.param("TIMESTAMP '2024-05-05 10:00' LIKE '2024-05-05 1%'", True, id="a-time-is-like-a-pattern"),
        pytest.param("12 SIMILAR TO '1[0-9]' AND NOT 1.50::NUMERIC(4, 2) ILIKE '1.5'", True, id="a-number-is-similar"),
        pytest.param("TO_DATE(DATE '2024-05-05', 'YYYY-MM-DD') - DATE '2024-05-01'", 4, id="a-date-read-again"),
        pytest.param("DATE(TIMESTAMP '2024-05-05 10:00') - DATE('2024-05-01')", 4, id="a-type-called-as-a-cast"),
    ],
)
def test_values_that_depend_on_the_database(rows: Rows, expression: str, expected: object) -> None:
    """What could differ by a setting or a type gives Redshift's value."""
    (value,) = rows(f"SELECT {expression}")[0]
    assert value == expected
    assert type(value) is type(expected)


def test_a_relation_of_the_statement_alone_may_have_a_long_name(rows: Rows) -> None:
    """As on Redshift, though PostgreSQL cuts it; a table may not, which others would see."""
    name = "claims_" * 18
    assert rows(f"WITH {name} AS (SELECT 1 AS a) SELECT {name}.a FROM {name}") == [(1,)]  # noqa: S608
    assert rows(f"SELECT {name}.a FROM (SELECT 1 AS a) AS {name}") == [(1,)]  # noqa: S608
    with pytest.raises(ProgrammingError, match="has more than 63 bytes"):
        rows(f"CREATE TEMP TABLE {name} AS SELECT {name}.a FROM (SELECT 1 AS a) AS {name}")  # noqa: S608


def test_null_sorts_last_and_descending_first(words: Rows) -> None:
    """NULL counts as the greatest value."""
    assert words("SELECT id FROM words ORDER BY word LIMIT 1")[0] != (6,)
    assert words("SELECT id FROM words ORDER BY word DESC LIMIT 1") == [(6,)]


def test_sysdate_is_the_transactions_start_and_getdate_the_statements(rows: Rows, session: Connection) -> None:
    """Within a transaction SYSDATE stands still, and GETDATE moves on from statement to statement."""
    rows("CREATE TEMP TABLE moments AS SELECT SYSDATE AS of_transaction, GETDATE() AS of_statement")
    while rows("SELECT GETDATE() > of_statement FROM moments") == [(False,)]:
        pass
    assert rows("SELECT SYSDATE = of_transaction FROM moments") == [(True,)]
    session.commit()
    assert rows("SELECT SYSDATE > of_transaction FROM moments") == [(True,)]


def test_a_cast_gives_a_table_its_precision(rows: Rows) -> None:
    """A table that is made of a cast of a column has the precision and scale of the cast."""
    rows("CREATE TABLE prices (price NUMERIC(10, 3))")
    rows("CREATE TABLE cast_prices AS SELECT price::NUMERIC(6, 1) AS a, CAST(price + 1 AS NUMERIC(8, 2)) FROM prices")
    assert rows("SELECT type FROM pg_table_def WHERE tablename = 'cast_prices'") == [
        ("numeric(6,1)",),
        ("numeric(8,2)",),
    ]

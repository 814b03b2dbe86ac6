"""Window functions and aggregates that PostgreSQL lacks, and TRY_CAST."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from redshift_connector.error import ProgrammingError

Rows = Callable[..., list[tuple[Any, ...]]]
ALL_ROWS = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"


@pytest.fixture
def readings(rows: Rows) -> Rows:
    """Return the session's runner, with readings of two meters, some of them missing."""
    rows(
        "CREATE TEMP TABLE readings (id INT, meter INT, reading INT, price NUMERIC(10, 2), note VARCHAR(10), d DATE)",
    )
    rows(
        """
        INSERT INTO readings VALUES
          (1, 1, NULL, 1.50, 'a', '2024-01-01'),
          (2, 1, 10, 2.50, NULL, '2024-01-02'),
          (3, 1, NULL, 3.25, 'b', '2024-01-06'),
          (4, 1, 30, NULL, NULL, NULL),
          (5, 2, 5, 4.00, 'c', '2024-02-01')
        """
    )
    return rows


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        pytest.param(
            f"FIRST_VALUE(reading) IGNORE NULLS OVER (PARTITION BY meter ORDER BY id {ALL_ROWS})",
            [10, 10, 10, 10, 5],
            id="first",
        ),
        pytest.param(
            "FIRST_VALUE(reading) IGNORE NULLS OVER (ORDER BY id ROWS UNBOUNDED PRECEDING)",
            [None, 10, 10, 10, 10],
            id="first-of-a-growing-frame",
        ),
        pytest.param(
            "LAST_VALUE(note IGNORE NULLS) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING)",
            ["a", "a", "b", "b", "c"],
            id="last-in-the-older-place",
        ),
        pytest.param(
            f"LAST_VALUE(note) RESPECT NULLS OVER (PARTITION BY meter ORDER BY id {ALL_ROWS})",
            [None, None, None, None, "c"],
            id="last-with-nulls",
        ),
        pytest.param(
            f"NTH_VALUE(NVL(reading, NULL), 2) IGNORE NULLS OVER (PARTITION BY meter ORDER BY id {ALL_ROWS})",
            [30, 30, 30, 30, None],
            id="nth",
        ),
        pytest.param(
            f"NTH_VALUE(reading, 2) OVER (PARTITION BY meter ORDER BY id {ALL_ROWS})",
            [10, 10, 10, 10, None],
            id="nth-with",
        ),
        pytest.param(
            "LAG(reading) IGNORE NULLS OVER (PARTITION BY meter ORDER BY id)", [None, None, 10, 10, None], id="lag"
        ),
        pytest.param("LAG(note, 2) IGNORE NULLS OVER (ORDER BY id)", [None, None, None, "a", "a"], id="lag-by-two"),
        pytest.param(
            "LAG(note, 1) RESPECT NULLS OVER (ORDER BY id)", [None, "a", None, "b", None], id="lag-with-nulls"
        ),
        pytest.param("LEAD(reading) IGNORE NULLS OVER (ORDER BY id)", [10, 30, 30, 5, None], id="lead"),
        pytest.param("LEAD(reading, 2) IGNORE NULLS OVER (ORDER BY id)", [30, 5, 5, None, None], id="lead-by-two"),
        pytest.param(
            "MEDIAN(reading) OVER (PARTITION BY meter)", [Decimal(20)] * 4 + [Decimal(5)], id="median-of-a-partition"
        ),
        pytest.param("MEDIAN(price) OVER ()", [Decimal("2.875")] * 5, id="median-of-all"),
        pytest.param(
            "PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY price DESC) OVER (PARTITION BY meter)",
            [2.875] * 4 + [4.0],
            id="percentile",
        ),
        pytest.param(
            "RATIO_TO_REPORT(reading) OVER (PARTITION BY meter)", [None, 0.25, None, 0.75, 1.0], id="ratio-to-report"
        ),
    ],
)
def test_window_functions_give_what_is_documented(readings: Rows, function: str, expected: list[Any]) -> None:
    """NULLs are passed over where the call says so; medians and percentiles have windows (DG/c_Window_functions)."""
    assert readings(f"SELECT {function} AS value FROM readings ORDER BY id") == [(value,) for value in expected]  # noqa: S608


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param("MEDIAN(reading)", Decimal(10), id="whole"),
        pytest.param("MEDIAN(reading::SMALLINT)", Decimal(10), id="small"),
        pytest.param("MEDIAN(reading::BIGINT)", Decimal(10), id="big"),
        pytest.param("MEDIAN(price)", Decimal("2.875"), id="numeric"),
        pytest.param("MEDIAN(price::FLOAT8)", 2.875, id="float"),
        pytest.param("MEDIAN(d)", date(2024, 1, 4), id="date"),
        pytest.param("MEDIAN(d::TIMESTAMP)", datetime(2024, 1, 4), id="timestamp"),  # noqa: DTZ001
        pytest.param("MEDIAN(reading + NULL)", None, id="nothing"),
    ],
)
def test_a_median_has_its_own_type(readings: Rows, expression: str, expected: object) -> None:
    """Numbers give a DECIMAL, floating ones a DOUBLE, times a time; NULLs do not count (DG/r_MEDIAN)."""
    ((found,),) = readings(f"SELECT {expression} FROM readings")  # noqa: S608
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param("TRY_CAST('12' AS INT)", 12, id="converted"),
        pytest.param("TRY_CAST('12a' AS INT)", None, id="no-number"),
        pytest.param("TRY_CAST(99999 AS SMALLINT)", None, id="too-great"),
        pytest.param("TRY_CAST('2024-13-01' AS DATE)", None, id="no-date"),
        pytest.param("TRY_CAST('1.239' AS NUMERIC(10, 2))", Decimal("1.23"), id="with-a-scale"),
        pytest.param("TRY_CAST(12.50::NUMERIC(4, 2) AS INT)", 12, id="cut-off"),
        pytest.param("TRY_CAST('abcdef' AS VARCHAR(3))", "abc", id="shortened"),
        pytest.param("TRY_CAST(NULL AS INT)", None, id="null"),
        pytest.param("TRY_CAST(2 AS BOOLEAN)", True, id="number-to-boolean"),
        pytest.param("TRY_CAST(TRUE AS BIGINT)", 1, id="boolean-to-number"),
        pytest.param("NVL(TRY_CAST(NVL('x', 'y') AS INT), TRY_CAST(SPLIT_PART('7-8', '-', 1) AS INT))", 7, id="nested"),
    ],
)
def test_a_cast_is_tried(rows: Rows, expression: str, expected: object) -> None:
    """A value that can not be converted is NULL (DG/r_TRY_CAST)."""
    assert rows(f"SELECT {expression}") == [(expected,)]


@pytest.mark.parametrize(
    "expression",
    ["TRY_CAST(TRUE AS TIMESTAMP)", "TRY_CAST('t' AS BOOLEAN)", "TRY_CAST(TRUE AS VARCHAR(5))", "TRY_CAST(1 AS DATE)"],
)
def test_a_pair_of_types_that_is_not_listed_fails(rows: Rows, expression: str) -> None:
    """A conversion that is not permitted is an error, not NULL."""
    with pytest.raises(ProgrammingError, match="cannot cast type"):
        rows(f"SELECT {expression}")


def test_the_types_of_a_tried_cast_and_a_value_of_a_frame_are_kept(readings: Rows) -> None:
    """A table of them has the columns that it would have on Redshift."""
    readings(
        "CREATE TABLE typed AS SELECT TRY_CAST(note AS NUMERIC(6, 1)) AS a, "
        "LAG(reading) IGNORE NULLS OVER (ORDER BY id) AS b FROM readings"
    )
    assert readings("SELECT type FROM pg_table_def WHERE tablename = 'typed'") == [("numeric(6,1)",), ("integer",)]

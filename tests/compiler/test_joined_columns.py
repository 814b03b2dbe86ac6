from __future__ import annotations

import pytest
from sqlglot import parse_one

from surgical_cdc.compiler.joined_columns import merge_joined_columns

MERGED = [
    pytest.param(
        "SELECT COALESCE(a.id, b.id) AS id FROM a JOIN b ON a.id = b.id",
        "SELECT a.id AS id FROM a JOIN b ON a.id = b.id",
        id="inner",
    ),
    pytest.param(
        "SELECT COALESCE(a.id, b.id) AS id FROM a LEFT JOIN b ON b.id = a.id AND b.n > 1 GROUP BY COALESCE(a.id, b.id)",
        "SELECT a.id AS id FROM a LEFT JOIN b ON b.id = a.id AND b.n > 1 GROUP BY a.id",
        id="left, among other predicates",
    ),
    pytest.param(
        "SELECT COALESCE(a.id, b.id, c.id) FROM a JOIN b ON a.id = b.id LEFT JOIN c ON COALESCE(a.id, b.id) = c.id",
        "SELECT a.id FROM a JOIN b ON a.id = b.id LEFT JOIN c ON a.id = c.id",
        id="three relations",
    ),
    pytest.param(
        "SELECT x.id FROM (SELECT COALESCE(a.id, b.id) AS id FROM a JOIN b ON a.id = b.id) AS x",
        "SELECT x.id FROM (SELECT a.id AS id FROM a JOIN b ON a.id = b.id) AS x",
        id="derived table",
    ),
]
KEPT = [
    pytest.param("SELECT COALESCE(a.id, b.id) AS id FROM a FULL JOIN b ON a.id = b.id", id="full"),
    pytest.param("SELECT COALESCE(a.id, b.id) AS id FROM a RIGHT JOIN b ON a.id = b.id", id="right"),
    pytest.param("SELECT COALESCE(b.id, a.id) AS id FROM a LEFT JOIN b ON a.id = b.id", id="the right one first"),
    pytest.param("SELECT COALESCE(a.id, b.n) AS id FROM a LEFT JOIN b ON a.id = b.id", id="another column"),
    pytest.param("SELECT COALESCE(a.id, b.id) AS id FROM a LEFT JOIN b ON a.id = b.id OR b.n = 1", id="or"),
    pytest.param("SELECT COALESCE(a.id, b.id, 0) AS id FROM a LEFT JOIN b ON a.id = b.id", id="a default"),
    pytest.param(
        "SELECT (SELECT COALESCE(a.id, b.id) FROM c AS a CROSS JOIN d AS b) AS id FROM a JOIN b ON a.id = b.id",
        id="other relations of these names",
    ),
]


@pytest.mark.parametrize(("sql", "merged"), MERGED)
def test_joined_column_is_the_left_one(sql: str, merged: str) -> None:
    """Where the join says that both are equal, or that the right one is NULL because the left one is."""
    query = parse_one(sql, dialect="redshift")
    merge_joined_columns(query)
    assert query.sql("redshift") == merged


@pytest.mark.parametrize("sql", KEPT)
def test_other_coalesce_is_kept(sql: str) -> None:
    """A row may have the second value and not the first, or shows the second as it is written."""
    query = parse_one(sql, dialect="redshift")
    merge_joined_columns(query)
    assert query == parse_one(sql, dialect="redshift")

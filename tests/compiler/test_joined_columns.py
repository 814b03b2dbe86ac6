from __future__ import annotations

import pytest
from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify

from surgical_cdc.compiler.joined_columns import complete_using, merge_joined_columns, names_in_using

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
        "SELECT COALESCE(a.id, b.id, c.id) FROM a FULL JOIN b ON a.id = b.id LEFT JOIN c"
        " ON COALESCE(a.id, b.id) = c.id",
        "SELECT COALESCE(a.id, b.id) FROM a FULL JOIN b ON a.id = b.id LEFT JOIN c ON COALESCE(a.id, b.id) = c.id",
        id="behind a full join",
    ),
    pytest.param(
        "SELECT x.id FROM (SELECT COALESCE(a.id, b.id) AS id FROM a JOIN b ON a.id = b.id) AS x",
        "SELECT x.id FROM (SELECT a.id AS id FROM a JOIN b ON a.id = b.id) AS x",
        id="derived table",
    ),
]
KEPT = [
    pytest.param("SELECT COALESCE(a.id, b.id) AS id FROM a FULL JOIN b ON a.id = b.id", id="full"),
    pytest.param(
        "SELECT COALESCE(a.id, b.id, c.id) FROM a FULL JOIN b ON a.id = b.id FULL JOIN c"
        " ON COALESCE(a.id, b.id) = c.id",
        id="full, of three",
    ),
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


@pytest.mark.parametrize(
    ("sql", "on"),
    [
        pytest.param(
            "SELECT a.n FROM a FULL JOIN b USING (id) FULL JOIN c USING (id)",
            ["a.id = b.id", "COALESCE(a.id, b.id) = c.id"],
        ),
        pytest.param(
            "SELECT a.n FROM a FULL JOIN b USING (id) JOIN c USING (id)", ["a.id = b.id", "COALESCE(a.id, b.id) = c.id"]
        ),
        pytest.param(
            "SELECT a.n FROM a RIGHT JOIN b USING (id) LEFT JOIN c USING (id)",
            ["a.id = b.id", "COALESCE(a.id, b.id) = c.id"],
        ),
        pytest.param("SELECT a.n FROM a LEFT JOIN b USING (id) LEFT JOIN c USING (id)", ["a.id = b.id", "a.id = c.id"]),
        pytest.param("SELECT a.n FROM a FULL JOIN b ON b.n = a.n LEFT JOIN c ON c.n = a.n", ["b.n = a.n", "c.n = a.n"]),
        pytest.param(
            "SELECT a.n FROM a FULL JOIN b USING (id) LEFT JOIN c USING (id) LEFT JOIN d USING (id)",
            ["a.id = b.id", "COALESCE(a.id, b.id) = c.id", "COALESCE(a.id, b.id, c.id) = d.id"],
        ),
    ],
    ids=["full", "inner behind full", "left behind right", "left", "on", "left behind left behind full"],
)
def test_using_behind_a_full_join_is_on_whatever_is_there(sql: str, on: list[str]) -> None:
    """A name in USING means the column of each relation before that has it, of which the first may be NULL."""
    query = parse_one(sql, dialect="redshift")
    by_name = names_in_using(query)
    qualify(query, schema={name: {"id": "int", "n": "int"} for name in "abcd"}, quote_identifiers=False)
    complete_using(by_name)
    assert [join.args["on"].sql("redshift") for join in query.find_all(exp.Join)] == on


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

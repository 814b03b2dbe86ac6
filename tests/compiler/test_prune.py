from __future__ import annotations

from pathlib import Path

import pytest
from sqlglot import exp

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.compiler.prune import prune
from tests.random.one_model import one_model


def tables_left(folder: Path, sql: str, *columns: str) -> list[str]:
    """Return the tables that a fact with the columns id, n and x reads for some of them."""
    project = one_model(folder, sql, "id n x")
    pruned = prune(compile_fact(project, "fact").query.copy(), columns, project.tables)
    assert pruned.named_selects == list(columns)
    return [table.name for table in pruned.find_all(exp.Table)]


@pytest.mark.parametrize(
    "joined",
    [
        pytest.param("LEFT JOIN live.cities t ON t.id = c.city_id", id="source by its key"),
        pytest.param("LEFT JOIN live.cities t ON t.id = c.city_id AND t.status = 1", id="and more"),
        pytest.param(
            "LEFT JOIN (SELECT y.id, y.name FROM live.cities y WHERE y.status = 1) t ON t.id = c.city_id",
            id="source behind a SELECT",
        ),
        pytest.param(
            "LEFT JOIN (SELECT o.customer_id AS id, COUNT(*) AS n FROM live.orders o GROUP BY o.customer_id) t"
            " ON c.id = t.id",
            id="groups by their key",
        ),
        pytest.param(
            "LEFT JOIN (SELECT DISTINCT o.kind AS id FROM live.orders o) t ON t.id = c.city_id", id="all of DISTINCT"
        ),
        pytest.param(
            "LEFT JOIN live.customers r ON r.id = c.referrer_id LEFT JOIN live.cities t ON t.id = r.city_id",
            id="one that reads another",
        ),
        pytest.param(
            "LEFT JOIN (SELECT r.id AS referrer_id, y.id FROM live.customers r LEFT JOIN live.cities y"
            " ON y.id = r.city_id) t ON t.referrer_id = c.referrer_id",
            id="one that joins another",
        ),
    ],
)
def test_join_that_adds_only_columns_is_left_out(tmp_path: Path, joined: str) -> None:
    """An outer join by what tells the joined rows apart is left out where none of its columns is wanted."""
    sql = f"SELECT c.id, c.city_id AS n, t.id AS x FROM live.customers c {joined}"  # noqa: S608
    assert tables_left(tmp_path / "without", sql, "id", "n") == ["customers"]
    assert tables_left(tmp_path / "with", sql, "id", "x")[-1] != "customers"


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param("JOIN live.cities t ON t.id = c.city_id", id="inner join"),
        pytest.param("LEFT JOIN live.cities t ON t.parent_id = c.city_id", id="by another column than the key"),
        pytest.param("LEFT JOIN live.cities t ON t.id >= c.city_id", id="by no equality"),
        pytest.param("LEFT JOIN live.cities t ON t.id = c.city_id OR t.id = 1", id="by an equality or something else"),
        pytest.param("LEFT JOIN live.cities t ON t.id = c.city_id WHERE t.status = 1", id="read in WHERE"),
        pytest.param(
            "LEFT JOIN live.cities t ON t.id = c.city_id WHERE EXISTS"
            " (SELECT 1 FROM live.orders o WHERE o.kind = t.parent_id)",
            id="read in a subquery",
        ),
        pytest.param(
            "LEFT JOIN (SELECT o.customer_id AS id, o.kind, COUNT(*) AS n FROM live.orders o"
            " GROUP BY o.customer_id, o.kind) t ON t.id = c.id",
            id="by part of a group key",
        ),
        pytest.param(
            "LEFT JOIN (SELECT y.id, o.kind FROM live.cities y JOIN live.orders o ON o.kind = y.id) t"
            " ON t.id = c.city_id",
            id="key of rows that a join repeats",
        ),
        pytest.param(
            "LEFT JOIN (SELECT y.id FROM live.cities y UNION ALL SELECT y.id FROM live.cities y) t ON t.id = c.city_id",
            id="union",
        ),
        pytest.param(
            "LEFT JOIN live.cities t ON t.id = CAST(c.city_id AS DOUBLE PRECISION)", id="another type than the key's"
        ),
    ],
)
def test_join_that_decides_on_rows_stays(tmp_path: Path, rest: str) -> None:
    """A join that can repeat or drop rows, or of which something else is read, is needed by all columns."""
    sql = f"SELECT c.id, c.city_id AS n, t.id AS x FROM live.customers c {rest}"  # noqa: S608
    assert len(tables_left(tmp_path, sql, "id", "n")) > 1

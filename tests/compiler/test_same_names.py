from __future__ import annotations

from pathlib import Path

import pytest

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.errors import UnsupportedQuery
from tests.random.one_model import one_model

BOTH = "a AS (SELECT c.id, c.city_id FROM live.customers c), b AS (SELECT t.id, t.parent_id FROM live.cities t)"


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        pytest.param(
            "SELECT * FROM a JOIN b ON b.id = a.city_id", "of the result are named id, a.id and b.id", id="top"
        ),
        pytest.param(
            "SELECT j.id, j.city_id, j.parent_id FROM (SELECT * FROM a JOIN b ON b.id = a.city_id) j",
            "j.id is the name of several columns there, a.id and b.id",
            id="below",
        ),
        pytest.param(
            "SELECT j.id, j.city_id, j.parent_id FROM (SELECT *, city_id AS parent_id, 1 AS parent_id FROM a UNION ALL"
            " SELECT id, 1, 2, 3 FROM b) j",
            "j.parent_id is the name of several columns there, a.city_id and 1",
            id="in a union",
        ),
    ],
)
def test_name_of_two_columns_is_refused(tmp_path: Path, sql: str, said: str) -> None:
    """Either may be meant; the message names both, and its place."""
    with pytest.raises(UnsupportedQuery, match=said) as refused:
        one_model(tmp_path, f"WITH {BOTH} {sql}", "id city_id parent_id")
    assert str(refused.value).startswith(f"{tmp_path}/sql/target/compiled/small/models/fact.sql, line 2: ")


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT * FROM a JOIN b USING (id)", id="using"),
        pytest.param(
            "SELECT j.id, k.city_id, k.parent_id FROM a j JOIN (SELECT * FROM a JOIN b ON b.id = a.city_id) k"
            " ON k.city_id = j.id",
            id="not read",
        ),
    ],
)
def test_name_that_means_one_column_is_read(tmp_path: Path, sql: str) -> None:
    """USING leaves one of both columns, and a name that nobody reads is in nobody's way."""
    assert compile_fact(one_model(tmp_path, f"WITH {BOTH} {sql}", "id city_id parent_id"), "fact").tree

from __future__ import annotations

from pathlib import Path

import pytest

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.errors import UnsupportedQuery
from tests.random.one_model import one_model

ORDERS = "SELECT o.kind FROM live.orders o"


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(f"c.city_id > 0 AND NOT c.city_id IN ({ORDERS} WHERE o.kind > 1)", id="compared"),
        pytest.param(f"NOT c.city_id IS NULL AND NOT c.city_id IN ({ORDERS} WHERE NOT o.kind IS NULL)", id="asked for"),
        pytest.param(
            "NOT c.city_id IS NULL AND NOT c.city_id IN (SELECT x.kind FROM (SELECT o.kind, o.id FROM live.orders o"
            " WHERE NOT o.kind IS NULL) x)",
            id="asked for below",
        ),
        pytest.param(
            "NOT c.city_id IS NULL AND NOT c.city_id IN (SELECT t.id FROM live.cities t WHERE t.id > 0 UNION ALL SELECT"
            " o.kind FROM live.orders o WHERE o.kind = 1)",
            id="in each branch",
        ),
    ],
)
def test_not_in_without_null_is_maintained(tmp_path: Path, sql: str) -> None:
    """Where no NULL is left on either side, NOT IN asks for no more than the rows that are equal."""
    model = f"SELECT c.id, 1 AS n FROM live.customers c WHERE {sql}"  # noqa: S608 - a model, not a statement
    assert compile_fact(one_model(tmp_path, model, "id n"), "fact").tree


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(f"NOT c.city_id IN ({ORDERS} WHERE o.kind > 1)", id="around it may be one"),
        pytest.param(f"c.city_id > 0 AND NOT c.city_id IN ({ORDERS})", id="in it may be one"),
        pytest.param(f"c.city_id > 0 AND NOT c.city_id IN ({ORDERS} WHERE o.kind > 1 OR o.id = 1)", id="or not"),
        pytest.param(
            f"c.city_id > 0 AND NOT c.city_id IN ({ORDERS} WHERE o.kind > 1 UNION ALL {ORDERS})", id="in another branch"
        ),
        pytest.param(
            "c.city_id > 0 AND NOT c.city_id IN (SELECT x.kind FROM live.cities t LEFT JOIN (SELECT o.kind, o.id FROM"
            " live.orders o WHERE o.kind > 0) x ON x.id = t.id)",
            id="made by an outer join",
        ),
    ],
)
def test_not_in_that_may_compare_null_is_refused(tmp_path: Path, sql: str) -> None:
    """A NULL on either side makes NOT IN neither true nor false, whatever the slice has."""
    model = f"SELECT c.id, 1 AS n FROM live.customers c WHERE {sql}"  # noqa: S608
    with pytest.raises(UnsupportedQuery, match=r"where a NULL among its rows matters.* neither side IS NULL"):
        compile_fact(one_model(tmp_path, model, "id n"), "fact")

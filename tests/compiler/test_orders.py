from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlglot import exp

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.contract.project import Project
from surgical_cdc.errors import UnsupportedQuery
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.verify import verify
from tests.conftest import Site, at
from tests.random.one_model import one_model

KEYED = "unique_key='id'"
BY_CITY = "FROM live.customers c GROUP BY c.city_id"


def row(key: int, **columns: object) -> dict[str, object]:
    """Return a row of a source."""
    return {"id": key, "status": 1, "updated_at": at(0), **columns}


@pytest.mark.parametrize(
    ("lists", "orders"),
    [
        pytest.param("LISTAGG(c.name, ',')", ["c.name, LENGTH(c.name)"], id="text"),
        pytest.param("LISTAGG(c.referrer_id, ',')", ["c.referrer_id"], id="integer"),
        pytest.param("LISTAGG(DISTINCT c.name, ',')", ["c.name"], id="distinct"),
        pytest.param(
            "LISTAGG(c.name, ',') || LISTAGG(c.referrer_id)",
            ["c.name, LENGTH(c.name), c.referrer_id"] * 2,
            id="several share one",
        ),
        pytest.param("LISTAGG(c.name, ',') WITHIN GROUP (ORDER BY c.joined)", ["c.joined"], id="ordered"),
    ],
)
def test_list_is_ordered_by_what_it_lists(tmp_path: Path, lists: str, orders: list[str]) -> None:
    """Behind it only identical values are tied; an order that is written stays."""
    query = compile_fact(one_model(tmp_path, f"SELECT c.city_id AS id, {lists} AS n {BY_CITY}", "id n"), "fact").query
    found = [
        ", ".join(term.this.sql("redshift") for term in within.expression.expressions)
        for within in query.find_all(exp.WithinGroup)
    ]
    assert found == orders


@pytest.mark.parametrize(
    "lists",
    [
        pytest.param("LISTAGG(c.name) || LISTAGG(c.name) WITHIN GROUP (ORDER BY c.id)", id="beside another order"),
        pytest.param("LISTAGG(DISTINCT c.name) || LISTAGG(c.id)", id="distinct beside another list"),
    ],
)
def test_list_that_no_order_is_left_for_is_refused(tmp_path: Path, lists: str) -> None:
    """Redshift takes one order for all lists of a SELECT, and DISTINCT none but that of its own values."""
    with pytest.raises(UnsupportedQuery, match="gives another value at each run"):
        one_model(tmp_path, f"SELECT c.city_id AS id, LENGTH({lists}) AS n {BY_CITY}", "id n", config=KEYED)


@pytest.mark.parametrize(
    ("sql", "orders"),
    [
        pytest.param("SELECT c.id, 1 AS n FROM live.customers c LIMIT 2", ["id"], id="none"),
        pytest.param(
            "SELECT c.id, 1 AS n FROM live.customers c ORDER BY c.joined LIMIT 2", ["c.joined, id"], id="tied"
        ),
        pytest.param("SELECT c.id, 1 AS n FROM live.customers c ORDER BY c.id DESC LIMIT 2", ["c.id"], id="total"),
        pytest.param(
            "SELECT x.id, x.n FROM (SELECT c.id, c.city_id AS n, c.name FROM live.customers c OFFSET 1) x",
            ["id, n"],
            id="below, by all that is read",
        ),
        pytest.param(
            "SELECT c.id, 1 AS n FROM live.customers c UNION ALL SELECT t.id, t.parent_id FROM live.cities t LIMIT 2",
            ["id, n"],
            id="union",
        ),
        pytest.param(
            "SELECT c.id, 1 AS n FROM live.customers c WHERE EXISTS (SELECT 1 FROM live.cities t LIMIT 1)",
            [],
            id="of constants",
        ),
    ],
)
def test_limit_is_ordered_to_the_end(tmp_path: Path, sql: str, orders: list[str]) -> None:
    """A LIMIT keeps the same rows each time: those that its own order leaves tied are ordered by what is shown."""
    query = compile_fact(one_model(tmp_path, sql, "id n", config=KEYED), "fact").query
    found = [", ".join(term.this.sql("redshift") for term in order.expressions) for order in query.find_all(exp.Order)]
    assert found == orders


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(f"SELECT c.city_id AS id, LISTAGG(c.name, ',') AS n {BY_CITY}", id="list"),
        pytest.param(
            "SELECT x.city_id AS id, MIN(x.name) AS n FROM (SELECT c.city_id, c.name, c.referrer_id FROM live.customers"
            " c ORDER BY c.joined LIMIT 1) x GROUP BY x.city_id",
            id="limit",
        ),
    ],
)
def test_result_is_one_however_rows_are_stored(site: Callable[[Project], Site], tmp_path: Path, sql: str) -> None:
    """The rebuild of a fact that its query leaves open gives the same rows over a table that was written anew."""
    project = one_model(tmp_path, sql, "id n:varchar(99)", config=KEYED)
    place = site(project)
    rows = [row(number, city_id=1, name=name) for number, name in enumerate(("b", "a ", "c", "a", "a  "), 1)]
    place.load("customers", *rows)
    run_cycle(project, place.connect, place.run(at(30), run_id="first"))
    place.execute("DELETE FROM live.customers")
    place.load("customers", *reversed(rows))
    assert verify(project, "fact", place.warehouse).equal

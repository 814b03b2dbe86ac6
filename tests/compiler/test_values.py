"""A value for all rows, such as a subquery of MAX, affects all keys when it is another one, and none when it is not."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from surgical_cdc.cli.report import paths
from surgical_cdc.contract.project import Project
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.rehearsal import rehearse_fact
from surgical_cdc.steps.verify import verify
from tests.conftest import Filled, Site, at
from tests.random.one_model import one_model

IN_SELECT = "SELECT c.id, (SELECT MAX(o.note) FROM live.orders o WHERE o.kind > 0) || '.' AS n FROM live.customers c"
IN_WHERE = """
SELECT c.id, c.name AS n FROM live.customers c WHERE c.city_id >= (SELECT MIN(o.kind) FROM live.orders o)
"""
JOINED = """
SELECT c.id, m.note AS n FROM live.customers c
CROSS JOIN (SELECT MAX(o.kind) AS kind, MAX(o.note) AS note FROM live.orders o) m WHERE c.city_id <= m.kind
"""


def row(key: int, minutes: float, **columns: object) -> dict[str, object]:
    """Return a row of a source."""
    return {"id": key, "status": 1, "updated_at": at(minutes), **columns}


@pytest.fixture(scope="module")
def project_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Project]:
    """Return a function that makes a project with the fact of a query, once."""
    return cache(lambda sql: one_model(tmp_path_factory.mktemp("value"), sql, "id n:varchar(40)"))


@pytest.fixture
def build(filled: Filled, project_of: Callable[[str], Project]) -> Callable[[str], Site]:
    """Return a function that makes a warehouse with three customers, two orders, and the fact of a query."""
    return lambda sql: filled(project_of(sql), first_cycle)


def first_cycle(place: Site) -> None:
    """Load customers and orders, and build the fact."""
    place.load("customers", *(row(key, -60, name="x", city_id=key) for key in (1, 2, 3)))
    place.load("orders", row(1, -60, kind=2, note="b"), row(2, -60, kind=3, note="a"))
    run_cycle(place.project, place.connect, place.run(at(-30), run_id="first"))


@pytest.mark.parametrize(
    ("sql", "changed", "affected"),
    [
        pytest.param(IN_SELECT, {"id": 1, "kind": 2, "note": "c"}, 3, id="another value"),
        pytest.param(IN_SELECT, {"id": 1, "kind": 2, "note": "b  "}, 3, id="another value to LENGTH"),
        pytest.param(IN_SELECT, {"id": 2, "kind": 3, "note": "aa"}, 0, id="the same value"),
        pytest.param(IN_SELECT, {"id": 2, "kind": 0, "note": "a"}, 0, id="the same without a row"),
        pytest.param(
            IN_SELECT, {"id": 2, "kind": 3, "note": "a", "day": at(0).date()}, 0, id="a column that is not read"
        ),
        pytest.param(IN_WHERE, {"id": 1, "kind": 3}, 3, id="another limit"),
        pytest.param(IN_WHERE, {"id": 2, "kind": 9}, 0, id="the same limit"),
        pytest.param(JOINED, {"id": 2, "kind": 1, "note": "a"}, 3, id="another joined value"),
        pytest.param(JOINED, {"id": 1, "kind": 1, "note": "b"}, 0, id="the same joined values"),
    ],
)
def test_value_affects_all_keys_when_it_is_another_one(
    build: Callable[[str], Site], sql: str, changed: dict[str, object], affected: int
) -> None:
    """The value as it is and as it will be are compared, down to what tells equal ones apart."""
    place = build(sql)
    place.stage("orders", row(1, -5, **changed) | changed)
    result = run_cycle(place.project, place.connect, place.run(at(0), run_id="second")).fact_results["fact"]
    assert result.affected == affected
    assert verify(place.project, "fact", place.warehouse).equal


@pytest.mark.parametrize("sql", [IN_SELECT, IN_WHERE, JOINED], ids=["in SELECT", "in WHERE", "joined"])
def test_value_of_no_rows_is_one_like_another(build: Callable[[str], Site], sql: str) -> None:
    """When the last row goes the value is NULL, and when one comes it is none: all keys are affected both times."""
    place = build(sql)
    for number, status in enumerate((-1, 1), 2):
        minutes = -20 + number
        gone = [row(key, minutes, kind=2, note="b") | {"status": status} for key in (1, 2)]
        place.stage("orders", *gone)
        run = place.run(at(minutes + 1), run_id=f"run {number}")
        assert run_cycle(place.project, place.connect, run).fact_results["fact"].affected == 3
        assert verify(place.project, "fact", place.warehouse).equal


def test_rows_are_maintained_beside_a_value(build: Callable[[str], Site]) -> None:
    """A change of one row, the value being the same, affects that row alone; a new one has the value too."""
    place = build(JOINED)
    place.stage("customers", row(4, -5, name="new", city_id=1), row(1, -5, name="x", city_id=9))
    result = run_cycle(place.project, place.connect, place.run(at(0), run_id="second")).fact_results["fact"]
    assert result.affected == 2
    assert place.table("facts.fact", "id", "n") == [(2, "b"), (3, "b"), (4, "b")]


def test_statements_and_ways_of_a_value_are_shown(build: Callable[[str], Site]) -> None:
    """`check` lets the warehouse prepare its statements, and `explain` says where it comes from."""
    place = build(JOINED)
    with place.warehouse.transaction(dry_run=True):
        rehearse_fact(place.project, "fact", place.warehouse)
    assert paths(place.project, "orders", "kind") == "fact: orders: a value that all rows share is computed from it"

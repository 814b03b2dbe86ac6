"""A relation that reads no table, such as a calendar, can hold the anchor, and others can be tied to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from surgical_cdc.cli.report import paths
from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.contract.project import Project
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.rehearsal import rehearse_fact
from surgical_cdc.steps.verify import verify
from tests.conftest import Site, at
from tests.random.one_model import one_model

CALENDAR = """
WITH numbers AS (SELECT 0 AS i UNION ALL SELECT 1 UNION ALL SELECT 2), days AS (
  SELECT DATEADD(day, ROW_NUMBER() OVER (ORDER BY n.i) - 1, CAST('2026-01-01' AS DATE)) AS day FROM numbers n
)
SELECT d.day AS id, COUNT(o.id) AS n FROM days d LEFT JOIN live.orders o ON o.day = d.day GROUP BY d.day
"""
# Twice the same number; behind a predicate that is no equality each is joined to each customer below it.
TWICE = """
SELECT c.id, COUNT(k.k) AS n FROM live.customers c
LEFT JOIN (SELECT 5 AS k UNION ALL SELECT 5 UNION ALL SELECT 7) k ON k.k > c.city_id
LEFT JOIN live.orders o ON o.kind = k.k GROUP BY c.id
"""
FIRST, SECOND, THIRD = date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)


def row(key: int, minutes: float, **columns: object) -> dict[str, object]:
    """Return a row of a source."""
    return {"id": key, "status": 1, "updated_at": at(minutes), **columns}


@pytest.fixture
def build(site: Callable[[Project], Site], tmp_path: Path) -> Callable[[str, str], Site]:
    """Return a function that makes a warehouse with two orders, two customers, and the fact of a query."""

    def make(sql: str, columns: str) -> Site:
        project = one_model(tmp_path, sql, columns)
        place = site(project)
        place.load("orders", row(1, -60, day=FIRST, kind=5), row(2, -60, day=FIRST, kind=7))
        place.load("customers", row(1, -60, city_id=1), row(2, -60, city_id=6))
        run_cycle(project, place.connect, place.run(at(-30), run_id="first"))
        return place

    return make


def test_row_of_a_calendar_is_affected_by_what_is_tied_to_it(build: Callable[[str, str], Site]) -> None:
    """An order that moves to another day affects the rows of both, and no other; a day without one keeps its row."""
    place = build(CALENDAR, "id:date n")
    assert place.table("facts.fact", "id", "n") == [(FIRST, 2), (SECOND, 0), (THIRD, 0)]
    place.stage("orders", row(2, -5, day=THIRD, kind=7))
    result = run_cycle(place.project, place.connect, place.run(at(0), run_id="second")).fact_results["fact"]
    assert (result.affected, result.updated) == (2, 2)
    assert place.table("facts.fact", "id", "n") == [(FIRST, 1), (SECOND, 0), (THIRD, 1)]


def test_equal_rows_of_a_constant_count_each(build: Callable[[str, str], Site]) -> None:
    """They have no key by which one could be told from another, so that all of its rows are taken."""
    place = build(TWICE, "id n")
    assert place.table("facts.fact", "id", "n") == [(1, 3), (2, 1)]
    place.stage("customers", row(1, -5, city_id=6), row(2, -5, city_id=1))
    place.stage("orders", row(1, -5, day=FIRST, kind=7))
    assert run_cycle(place.project, place.connect, place.run(at(0), run_id="second")).fact_results["fact"].affected == 2
    assert place.table("facts.fact", "id", "n") == [(1, 2), (2, 4)]
    assert verify(place.project, "fact", place.warehouse).equal


def test_statements_and_ways_of_a_constant_are_shown(build: Callable[[str, str], Site]) -> None:
    """`check` lets the warehouse prepare its statements, and `explain` shows it by its alias."""
    place = build(CALENDAR, "id:date n")
    with place.warehouse.transaction(dry_run=True):
        rehearse_fact(place.project, "fact", place.warehouse)
    shown = paths(place.project, "orders", "day")
    assert shown.startswith("fact: orders, by orders.day = ")
    assert shown.endswith(".day AS DATE) is its id")


def test_column_of_an_unknown_type_keeps_a_relation_in_its_place(tmp_path: Path) -> None:
    """Who knows what tells its equal values apart? Beside other relations it need be no table."""
    sql = (
        "SELECT c.id, c.city_id * k.share AS n FROM live.customers c"
        " CROSS JOIN (SELECT CAST('0.5' AS NUMERIC(3, 1)) AS share) k"
    )
    tree = compile_fact(one_model(tmp_path, sql, "id n:numeric(24,4)"), "fact").tree
    assert tree is not None
    assert tree.constants == {}

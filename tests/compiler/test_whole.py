"""What nothing ties to the rest of a query is read as a whole: its changes rebuild a fact, all others are followed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from surgical_cdc.cli.report import paths
from surgical_cdc.compiler.compilation import compile_dictionary
from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.contract.project import Project
from surgical_cdc.errors import DictionaryError
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.rehearsal import rehearse_fact
from surgical_cdc.steps.verify import verify
from tests.conftest import Site, at
from tests.random.one_model import one_model

# Cities are joined by a value of several orders.
SQL = """
SELECT c.id, t.name AS n FROM live.customers c
LEFT JOIN (SELECT o.customer_id, MAX(o.kind) AS kind FROM live.orders o GROUP BY o.customer_id) g
  ON g.customer_id = c.id
LEFT JOIN live.cities t ON t.id = g.kind
"""
# Payments would be tied to rows of cities, which lead nowhere.
TIED_TO_IT = SQL.replace("t.name", "CAST((SELECT COUNT(*) FROM live.payments p WHERE p.order_id = t.id) AS VARCHAR(9))")
AUTO = "unique_key='id'"


def row(key: int, minutes: float, **columns: object) -> dict[str, object]:
    """Return a row of a source."""
    return {"id": key, "status": 1, "updated_at": at(minutes), **columns}


@pytest.fixture
def build(site: Callable[[Project], Site], tmp_path: Path) -> Callable[[str], Site]:
    """Return a function that makes a warehouse with three customers, two of them with orders, and the fact."""

    def make(sql: str) -> Site:
        project = one_model(tmp_path, sql, "id n:varchar(40)", config=AUTO)
        place = site(project)
        place.load("customers", *(row(key, -60) for key in (1, 2, 3)))
        place.load("orders", row(1, -60, customer_id=1, kind=7), row(2, -60, customer_id=2, kind=8))
        place.load("cities", row(7, -60, name="north"), row(8, -60, name="south"))
        run_cycle(project, place.connect, place.run(at(-30), run_id="first"))
        return place

    return make


@pytest.mark.parametrize(
    ("source", "changed", "affected"),
    [
        pytest.param("cities", row(8, -5, name="east"), 3, id="a column that is read there"),
        pytest.param("cities", row(9, -5, name="west"), 3, id="a row comes"),
        pytest.param("cities", row(8, -5, name="south", parent_id=7), 0, id="a column that is not read"),
        pytest.param("orders", row(2, -5, customer_id=2, kind=7), 1, id="what is tied"),
        pytest.param("customers", row(4, -5), 1, id="a row of the root"),
    ],
)
def test_only_changes_of_what_is_read_as_a_whole_rebuild_the_fact(
    build: Callable[[str], Site], source: str, changed: dict[str, object], affected: int
) -> None:
    """All others affect the keys that they lead to."""
    place = build(SQL)
    place.stage(source, changed)
    run = place.run(at(0), run_id="second")
    assert run_cycle(place.project, place.connect, run).fact_results["fact"].affected == affected
    assert verify(place.project, "fact", place.warehouse).equal


def test_what_is_tied_to_it_alone_is_read_as_a_whole_too(build: Callable[[str], Site]) -> None:
    """For what leads to one of its rows leads to no key."""
    place = build(TIED_TO_IT)
    tree = compile_fact(place.project, "fact").tree
    assert tree is not None
    assert {*tree.read_whole} == {"cities", "payments"}
    assert tree.followed == {"customers", "orders"}
    place.stage("payments", row(1, -5, order_id=8))
    run_cycle(place.project, place.connect, place.run(at(0), run_id="second"))
    assert place.table("facts.fact", "id", "n") == [(1, "0"), (2, "1"), (3, "0")]


def test_fact_that_reads_each_source_as_a_whole_is_rebuilt_in_full(tmp_path: Path) -> None:
    """Where no change is followed nothing is won; the reason is that of the first."""
    sql = "SELECT c.id, d.n FROM live.customers c LEFT JOIN (SELECT MAX(x.id) AS n FROM live.customers x HAVING TRUE) d"
    compiled = compile_fact(one_model(tmp_path, f"{sql} ON d.n > c.id", "id n", config=AUTO), "fact")
    assert compiled.tree is None
    assert compiled.reason is not None
    assert compiled.reason.startswith("cdc/facts/fact.sql, line ")


def test_dictionary_says_what_is_read_as_a_whole(build: Callable[[str], Site]) -> None:
    """A run whose compiler would go another way than the one that was reviewed does not begin."""
    place = build(SQL)
    reason = "a tie to MAX(o.kind), computed from several rows, can not be maintained incrementally"
    assert compile_dictionary(place.project).whole == {"fact": {"cities": reason}}
    shown = paths(place.project, "cities", "name")
    assert shown == f"fact: cities: it is read as a whole, and the fact rebuilt in full ({reason})"
    file = place.project.dictionary_path
    file.write_text(file.read_text().replace("\n  fact: {cities: ", "\n  fact: {customers: "))
    with pytest.raises(DictionaryError, match=r"another way of maintenance .* for fact"):
        run_cycle(place.project, place.connect, place.run(at(0), run_id="second"))


def test_statements_of_both_ways_are_prepared(build: Callable[[str], Site]) -> None:
    """`check` lets the warehouse prepare the rebuild, and what follows a change to its keys."""
    place = build(SQL)
    with place.warehouse.transaction(dry_run=True):
        rehearse_fact(place.project, "fact", place.warehouse)

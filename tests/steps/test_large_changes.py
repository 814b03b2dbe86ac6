"""Which way a fact is recomputed: from slices of the tables that it reads, or from whole tables if that costs less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.steps import update
from surgical_cdc.steps.announce import announced
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.verify import verify
from tests.conftest import at
from tests.random.one_model import FactModel, small_project
from tests.support.logs import collected
from tests.support.ways import SLICES, WHOLE_TABLES, read_by

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.values import FactResult
    from tests.conftest import Filled, Site

MOST = update.MOST
# Enough of them that the first rows of a table are not all of it.
ORDERS = 3 * update.FIRST_ROWS
KINDS = 3
FACTS = {
    # A key for each row, and one for each group.
    "line": FactModel(
        "SELECT o.id, o.note, c.name FROM live.orders AS o LEFT JOIN live.customers AS c ON c.id = o.customer_id",
        "id note:varchar(20) name:varchar(20)",
    ),
    "kind": FactModel(
        "SELECT o.kind AS id, COUNT(*) AS n, MAX(o.note) AS last FROM live.orders AS o GROUP BY o.kind",
        "id:smallint n last:varchar(20)",
    ),
    # Many rows of one key lie side by side.
    "payment": FactModel(
        "SELECT p.id, p.order_id, o.note FROM live.payments AS p INNER JOIN live.orders AS o ON o.id = p.order_id",
        "id order_id note:varchar(20)",
        "unique_key='id', meta={'cdc': {'maintenance': 'incremental', 'anchor': 'order_id'}}",
    ),
    "first": FactModel(
        "SELECT o.id, o.note FROM live.orders AS o ORDER BY o.note, o.id LIMIT 3", "id note:varchar(20)"
    ),
    # Two sources may change at once, of which one is read in a subquery of each row.
    "paid": FactModel(
        "SELECT o.id, o.note FROM live.orders AS o INNER JOIN live.customers AS c ON c.id = o.customer_id"
        " WHERE o.id < (SELECT MAX(p.id) FROM live.payments AS p WHERE p.payer_id = o.customer_id)",
        "id note:varchar(20)",
    ),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Give a project with the facts."""
    return small_project(tmp_path_factory.mktemp("large"), FACTS)


@pytest.fixture
def place(filled: Filled, project: Project) -> Site:
    """Give a warehouse with so many orders, and their facts."""
    return filled(project, many_orders)


def many_orders(opened: Site) -> None:
    """Load them, and build the facts."""
    load(opened, ORDERS)


def some_orders(opened: Site) -> None:
    """Load some orders, and build the facts."""
    load(opened, 59)


def load(opened: Site, orders: int) -> None:
    """Load so many orders, as many payments, and ten customers, and build the facts."""
    opened.load("orders", *(order(key) for key in range(1, orders + 1)))
    opened.load("customers", *(customer(key) for key in range(10)))
    opened.load("payments", *(payment(key) for key in range(1, orders + 1)))
    run_cycle(opened.project, opened.connect, opened.run(at(-60), run_id="first"))


def order(key: int, **values: Any) -> dict[str, Any]:
    """Return an order; the first thirty have one kind, of the others each the next."""
    kind = 0 if key <= 10 * KINDS else key % KINDS
    return {"id": key, "customer_id": key % 10, "kind": kind, "note": f"note {key}", "updated_at": at(-90), **values}


def customer(key: int, **values: Any) -> dict[str, Any]:
    """Return a customer."""
    return {"id": key, "name": f"name {key}", "updated_at": at(-90), **values}


def payment(key: int, **values: Any) -> dict[str, Any]:
    """Return a payment, of which four in a row are for one order, and many by one customer."""
    return {"id": key, "order_id": key // 4, "payer_id": key % 7, "updated_at": at(-90), **values}


def changed(place: Site, orders: int, **values: Any) -> dict[str, FactResult]:
    """Run a cycle in which so many orders have changed, and check the facts after it."""
    given = {"note": "new", "updated_at": at(-5), **values}
    place.stage("orders", *(order(key, **given) for key in range(1, orders + 1)))
    results = run_cycle(place.project, place.connect, place.run(run_id=f"{orders} orders")).fact_results
    for fact in FACTS:
        assert verify(place.project, fact, place.warehouse).equal, fact
    return dict(results)


def test_a_small_change_is_read_from_slices(place: Site) -> None:
    """But for the fact of few groups, of which it reaches most; the ledger says so."""
    read_by(MOST)
    results = changed(place, 40)
    assert [name for name, result in results.items() if result.whole_tables] == ["kind"]
    lines = place.rows("SELECT fact_name, whole_tables FROM cdc.run_facts WHERE run_key = 'test/40 orders' ORDER BY 1")
    assert lines == [(name, name == "kind") for name in sorted(FACTS)]


def test_a_change_that_costs_more_in_slices_is_read_from_whole_tables(
    place: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log says how many keys are affected, and of how many."""
    logged = collected(monkeypatch, update)
    read_by(MOST)
    results = changed(place, ORDERS // 2)
    assert all(result.whole_tables for result in results.values())
    assert f"line: {ORDERS // 2} keys of about {ORDERS} are affected, so that whole tables are read" in logged


@pytest.mark.parametrize("share", [0.05, 0.15, 0.25])
def test_the_share_is_of_keys_whatever_rows_they_have(place: Site, share: float) -> None:
    """Rows that lie side by side and have one key are not taken for many keys."""
    read_by(MOST)
    results = changed(place, int(ORDERS / 4 * share))
    assert results["payment"].whole_tables == (share > MOST)
    assert not results["line"].whole_tables


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({}, id="one column"),
        pytest.param({"kind": 7, "customer_id": 3}, id="keys"),
        pytest.param({"customer_id": None}, id="NULL"),
        pytest.param({"status": -1}, id="deletions"),
        pytest.param({"note": "a"}, id="first rows"),
        pytest.param({"note": "z"}, id="no first rows any more"),
    ],
)
def test_both_ways_do_the_same(filled: Filled, project: Project, values: dict[str, Any]) -> None:
    """Keys, and rows inserted, updated and deleted, are the same, and a dry run announces them."""
    counted = []
    for share in (SLICES, WHOLE_TABLES):
        read_by(share)
        place = filled(project, some_orders)
        place.stage("customers", customer(3, name="other", updated_at=at(-5)), customer(11, updated_at=at(-5)))
        place.stage("payments", payment(5, payer_id=1, updated_at=at(-5)))
        dry = run_cycle(project, place.connect, place.run(run_id="dry", dry_run=True)).fact_results
        said = run_cycle(project, place.connect, place.run(run_id="dry 2", dry_run=True)).fact_results
        assert list(map(announced, dry.values())) == list(map(announced, said.values()))
        results = changed(place, 9, **values)
        # First rows of which more have left than came are computed anew either way.
        followed = [result for name, result in results.items() if result.affected and name != "first"]
        assert {result.whole_tables for result in followed} == {share == WHOLE_TABLES}
        counted.append({name: (one.affected, one.inserted, one.updated, one.deleted) for name, one in results.items()})
        place.warehouse.close()
    assert counted[0] == counted[1]


def test_keys_that_wait_for_a_sync_are_among_those_affected(place: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run has left that has failed before its sync is made up for from whole tables too."""
    read_by(WHOLE_TABLES)
    place.stage("orders", order(1, note="half", updated_at=at(-9)))
    monkeypatch.setattr("surgical_cdc.steps.cycle.sync", _fails)
    with pytest.raises(RuntimeError, match="before the sync"):
        run_cycle(place.project, place.connect, place.run(run_id="half"))
    monkeypatch.undo()
    read_by(WHOLE_TABLES)
    place.execute("DELETE FROM staging.orders")
    results = changed(place, 0)
    assert {name: result.affected for name, result in results.items()} == {
        "line": 1,
        "kind": 1,
        "payment": 1,
        "first": 3,
        "paid": 1,
    }


def _fails(*_: object, **__: object) -> None:
    raise RuntimeError("before the sync")

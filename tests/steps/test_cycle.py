from __future__ import annotations

import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.control import lease
from surgical_cdc.errors import DataError, LeaseError
from surgical_cdc.steps import cycle
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.prepare import prepare
from surgical_cdc.warehouse.session import Warehouse
from tests.conftest import at
from tests.support.bookshop import ORDER, PRODUCT, equal, open_shop, run

if TYPE_CHECKING:
    from surgical_cdc.steps.cycle import CycleResult
    from surgical_cdc.values import Preparation
    from tests.conftest import Site


def test_first_cycle_builds_the_facts(shop: Site) -> None:
    """The first cycle builds every fact from nothing but what is staged."""
    open_shop(shop)
    result = run(shop, 0)
    assert {name: done.built for name, done in result.fact_results.items()} == {"fact_line": True, "fact_order": True}
    assert shop.table("shop_public.fact_order", "order_id", "customer_name", "line_count", "quantity") == [
        (1, "Bela", 1, 1),
        (2, "Asha", 1, 2),
        (3, "Bela", 1, 3),
        (4, "Asha", 1, 4),
    ]
    assert equal(shop)


def test_change_reaches_the_rows_that_show_it(open_site: Site) -> None:
    """A customer's new name reaches that customer's orders, and no other row is written."""
    open_site.stage("customers", {"customer_id": 7, "name": "Asha R", "country": "IN", "changed_at": at(10)})
    result = run(open_site, 30)
    done = result.fact_results["fact_order"]
    assert (done.affected, done.inserted, done.updated, done.deleted) == (2, 0, 2, 0)
    assert result.fact_results["fact_line"].reason == "no change in order_lines, products"
    assert equal(open_site)


def test_column_that_no_fact_reads_touches_no_fact(open_site: Site) -> None:
    """The baseline follows a change of an unread column; the facts are skipped without a statement, and say why."""
    open_site.stage("orders", {**ORDER, "status": "paid", "customer_id": 8, "note": "gift wrap", "changed_at": at(10)})
    result = run(open_site, 30)
    assert result.change_sets["orders"].changed_columns == {"note": 1}
    assert result.fact_results["fact_order"].reason == "no column that fact_order reads has changed in orders"
    assert open_site.rows("SELECT note FROM shop_raw.orders WHERE order_id = 1") == [("gift wrap",)]
    assert equal(open_site)


def test_dry_run_announces_what_then_happens(open_site: Site) -> None:
    """A dry run leaves tables and scratch as they were, and its counts are those of the run that follows."""
    open_site.stage("customers", {"customer_id": 7, "name": "Asha R", "changed_at": at(10)})
    open_site.stage("orders", {**ORDER, "order_id": 5, "status": "paid", "changed_at": at(10)})
    before = {fact: open_site.table(f"shop_public.{fact}", "order_id") for fact in open_site.project.facts}
    announced = run(open_site, 30, run_id="dry", dry_run=True)
    assert before == {fact: open_site.table(f"shop_public.{fact}", "order_id") for fact in open_site.project.facts}
    assert open_site.table("cdc.runs", "run_key", "result") == [("test/dry", "dry run"), ("test/until 0", "success")]
    assert open_site.rows("SELECT 1 FROM information_schema.tables WHERE table_schema = 'cdc_scratch'") == []
    happened = run(open_site, 30)

    def figures(result: CycleResult) -> list[tuple[int, ...]]:
        found = [(each.inserts, each.updates, each.deletes, each.touched) for each in result.change_sets.values()]
        done = [(each.affected, each.inserted, each.updated, each.deleted) for each in result.fact_results.values()]
        return [*found, *done]

    assert figures(announced) == figures(happened)
    assert happened.fact_results["fact_order"].affected == 3
    assert equal(open_site)


def test_run_of_some_sources_leaves_the_others(open_site: Site) -> None:
    """A run that asks for one source detects that one alone; the rest is applied by the next run."""
    open_site.stage("orders", {**ORDER, "order_id": 5, "status": "paid", "changed_at": at(10)})
    open_site.stage("products", {**PRODUCT, "title": "Great Atlas", "changed_at": at(10)})
    first = run(open_site, 30, sources=("products",))
    assert list(first.change_sets) == ["products"]
    assert equal(open_site)
    second = run(open_site, 60)
    assert second.change_sets["orders"].inserts == 1
    assert second.change_sets["products"].rewrites == 0
    assert equal(open_site)


def test_paused_cycle_catches_up(open_site: Site) -> None:
    """What was staged for windows that never ran is applied by the next run."""
    for key, minute in ((5, 10), (6, 40), (7, 70)):
        open_site.stage("orders", {**ORDER, "order_id": key, "status": "paid", "changed_at": at(minute)})
    assert run(open_site, 90).change_sets["orders"].inserts == 3
    assert equal(open_site)


def test_crash_between_update_and_sync_heals(open_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that dies after its facts and before the sync leaves facts ahead; the next run mends them all.

    The change is taken back meanwhile, so that the next run finds nothing staged that leads to those rows.
    """
    open_site.stage("customers", {"customer_id": 7, "name": "Wrong", "country": "IN", "changed_at": at(10)})

    def die(*_: object, **__: object) -> None:
        raise RuntimeError("the machine is gone")

    with monkeypatch.context() as patched:
        patched.setattr(cycle, "sync", die)
        with pytest.raises(RuntimeError, match="the machine is gone"):
            run(open_site, 30)
    assert not equal(open_site)
    assert open_site.table("cdc.runs", "run_key", "result", "reason")[1] == (
        "test/until 30",
        "failed",
        "RuntimeError (sync): the machine is gone",
    )
    open_site.execute("DELETE FROM shop_staging.customers WHERE name = 'Wrong'")
    result = run(open_site, 60)
    assert result.preparation.pending == ("fact_order",)
    assert result.fact_results["fact_order"].updated == 2
    assert equal(open_site)
    assert open_site.table("cdc.pending__fact_order", "token") == []


def test_failed_run_frees_the_lease(open_site: Site) -> None:
    """After an error the lease is free, the error goes on to the caller, and the ledger has the reason."""
    open_site.execute("DELETE FROM shop_staging.products")
    with pytest.raises(DataError, match="would delete 2 of the 2 rows"):
        run(open_site, 30)
    assert lease.holder(open_site.project, open_site.warehouse) is None
    ((reason,),) = open_site.rows("SELECT reason FROM cdc.runs WHERE result = 'failed'")
    assert reason.startswith("shop_staging.products: this snapshot of 0 rows would delete 2 of the 2 rows")


def test_cycle_does_not_begin_beside_another(open_site: Site) -> None:
    """While a run holds the lease a second one says so and does not clean up after the first."""
    prepare(open_site.project, open_site.warehouse, open_site.run(run_id="first"))
    with pytest.raises(LeaseError, match="run test/first holds the warehouse"):
        run(open_site, 30)
    assert str(lease.holder(open_site.project, open_site.warehouse)).startswith("run test/first holds")


def test_second_cycle_of_a_synced_run_does_nothing_and_says_so(open_site: Site) -> None:
    """A run that is triggered twice changes nothing twice, though more is staged for its window by then."""
    open_site.stage("orders", {**ORDER, "order_id": 5, "status": "paid", "changed_at": at(-10)})
    lines: list[str] = []
    again = run_cycle(
        open_site.project, open_site.connect, open_site.run(at(0), run_id="until 0"), progress=lines.append
    )
    assert lines[-1] == "Run test/until 0 has been synced: there is nothing left to do."
    assert not any(found.rewrites for found in again.change_sets.values())
    assert not again.fact_results
    assert open_site.table("shop_public.fact_order", "order_id") == [(1,), (2,), (3,), (4,)]
    assert open_site.table("cdc.runs", "run_key", "result") == [("test/until 0", "success")]
    assert lease.holder(open_site.project, open_site.warehouse) is None
    assert run(open_site, 30).change_sets["orders"].inserts == 1


def test_each_step_is_one_transaction(open_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cycle commits once a step, however much there is to do in it."""
    open_site.stage("customers", {"customer_id": 7, "name": "Asha R", "country": "IN", "changed_at": at(10)})
    commits: list[Warehouse] = []
    commit = Warehouse.commit

    def counted(warehouse: Warehouse) -> None:
        commits.append(warehouse)
        commit(warehouse)

    monkeypatch.setattr(Warehouse, "commit", counted)
    result = run(open_site, 30)
    updated = [done for done in result.fact_results.values() if not done.reason]
    detected = [found for found in result.change_sets.values() if found.relation]
    assert len(commits) == len(["prepare", *detected, *updated, "sync", "cleanup"])


def test_progress_has_a_line_per_step(open_site: Site) -> None:
    """Whoever watches sees each source and fact with its counts as it is done."""
    open_site.stage("orders", {**ORDER, "order_id": 5, "status": "paid", "gift": True, "changed_at": at(10)})
    lines: list[str] = []
    run_cycle(open_site.project, open_site.connect, open_site.run(at(30)), progress=lines.append)
    steps = [line.partition(":")[0] for line in lines]
    assert sorted(steps[:-1]) == sorted(
        [
            *(f"detect.{source}" for source in open_site.project.sources),
            *(f"update.{fact}" for fact in open_site.project.facts),
        ]
    )
    (said,) = (line for line in lines if line.startswith("detect.orders:"))
    assert said.startswith("detect.orders: 5 rows compared, 1 inserted in ")
    assert lines[-1] == "synced 1 rows of the baselines"


def test_steps_run_side_by_side_on_two_threads(open_site: Site) -> None:
    """Two detections are at work at once, then two updates, each in a session of its own."""
    paid = {**ORDER, "customer_id": 8, "status": "paid", "total": Decimal("11.00"), "changed_at": at(10)}
    open_site.stage("orders", paid)
    open_site.stage("products", {**PRODUCT, "title": "Atlas II", "changed_at": at(10)})
    meeting = threading.Barrier(2, timeout=30)

    def connect() -> Warehouse:
        if threading.current_thread() is not threading.main_thread():
            meeting.wait()
        return open_site.connect()

    result = run_cycle(open_site.project, connect, open_site.run(at(30), run_id="side by side"), threads=2)
    assert {name: done.updated for name, done in result.fact_results.items()} == {"fact_line": 2, "fact_order": 1}
    assert equal(open_site)


@pytest.mark.timeout(60)
def test_interrupted_cycle_does_not_wait_for_its_statements(open_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends a detection in the middle of its statement, and the lease is free again."""
    open_site.stage("customers", {"customer_id": 7, "name": "Asha R", "country": "IN", "changed_at": at(10)})
    open_site.stage("orders", {**ORDER, "changed_at": at(10)})
    blocking = open_site.connect()

    def block_orders(*arguments: Any, **named: Any) -> Preparation | None:
        prepared = prepare(*arguments, **named)
        blocking.execute("LOCK TABLE shop_staging.orders")
        return prepared

    def interrupt(line: str) -> None:
        if line.startswith("detect.customers:"):
            raise KeyboardInterrupt

    monkeypatch.setattr(cycle, "prepare", block_orders)
    with blocking.transaction(), pytest.raises(KeyboardInterrupt):
        run_cycle(
            open_site.project,
            open_site.connect,
            open_site.run(at(30), run_id="stopped"),
            progress=interrupt,
            threads=2,
        )
    assert lease.holder(open_site.project, open_site.warehouse) is None

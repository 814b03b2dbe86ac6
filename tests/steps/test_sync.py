from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.control import lease
from surgical_cdc.control.scratch import RETENTION
from surgical_cdc.errors import AlreadySynced, LeaseError, OutdatedFact
from surgical_cdc.steps.prepare import prepare
from surgical_cdc.steps.update import update
from surgical_cdc.values import ChangeSet
from tests.conftest import at
from tests.support.bookshop import EDITED, ORDER, Prepared, cycle

if TYPE_CHECKING:
    from tests.conftest import Site

ORDERS = "shop_raw.orders"


def scratch_tables(site: Site) -> list[str]:
    """Return the names of all scratch tables."""
    found = site.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'cdc_scratch' ORDER BY 1")
    return [name for (name,) in found]


def table_of(run: Prepared) -> str:
    """Return the name of the change set of the orders."""
    return run.change_sets["orders"].relation.removeprefix("cdc_scratch.")


def test_baseline_follows_every_kind_of_change(shop: Site) -> None:
    """Inserted rows come, updated and touched ones are replaced, deleted ones go; stale and unchanged ones stay."""
    shop.load("orders", *({**ORDER, "order_id": key} for key in range(1, 6)))
    shop.stage(
        "orders",
        {**EDITED, "order_id": 1, "note": "updated"},
        {**EDITED, "order_id": 2},
        {**EDITED, "order_id": 3, "status": "void"},
        {**ORDER, "order_id": 4, "note": "stale", "changed_at": at(-90)},
        {**EDITED, "order_id": 6, "note": "inserted"},
    )
    Prepared(shop, shop.run()).sync()
    assert shop.table(ORDERS, "order_id", "note", "changed_at") == [
        (1, "updated", at(-5)),
        (2, "by hand", at(-5)),
        (4, "by hand", at(-60)),
        (5, "by hand", at(-60)),
        (6, "inserted", at(-5)),
    ]


def test_every_type_arrives_as_it_was_staged(shop: Site) -> None:
    """The baseline's row is the staged row, column by column."""
    shop.stage("orders", EDITED, {"order_id": 2, "changed_at": at(-5)})
    Prepared(shop, shop.run()).sync()
    columns = shop.project.sources["orders"].column_names
    assert shop.table(ORDERS, *columns) == shop.table("shop_staging.orders", *columns)


def test_second_sync_changes_nothing(shop: Site) -> None:
    """A sync that is tried again after its commit was lost on the way finds that it is done."""
    shop.stage("orders", {**EDITED, "order_id": 2})
    run = Prepared(shop, shop.run())
    run.sync()
    shop.execute("UPDATE shop_raw.orders SET note = 'after the sync'")
    with pytest.raises(AlreadySynced):
        run.sync()
    assert shop.table(ORDERS, "order_id", "note") == [(2, "after the sync")]
    assert shop.rows("SELECT COUNT(*) FROM cdc.runs") == [(1,)]


def test_sync_that_breaks_leaves_nothing(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error at the end of the transaction undoes every baseline, the ledger and the lease's note of the baseline."""
    shop.load("orders", ORDER)
    shop.stage("orders", {**EDITED, "note": "lost"})
    shop.stage("customers", {"customer_id": 1, "changed_at": at(-5)})
    run = Prepared(shop, shop.run(), ("orders", "customers"))

    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patched:
        patched.setattr("surgical_cdc.control.ledger._record_run", break_down)
        with pytest.raises(RuntimeError, match="power cut"):
            run.sync()
    assert shop.table(ORDERS, "note") == [("by hand",)]
    assert shop.table("shop_raw.customers", "customer_id") == []
    assert shop.table("cdc.run_sources", "run_key") == []
    assert shop.table("cdc.lease", "baseline_run") == [(None,)]
    run.sync()
    assert shop.table(ORDERS, "note") == [("lost",)]


def test_sync_needs_the_lease(shop: Site) -> None:
    """A run whose lease has gone to another run does not touch the baselines."""
    shop.stage("orders", EDITED)
    run = Prepared(shop, shop.run())
    run.cleanup(failure="timed out")
    other = prepare(shop.project, shop.warehouse, shop.run(run_id="other"))
    assert other
    assert (other.token, other.unbuilt) == (shop.run(run_id="other").token, ("fact_line", "fact_order"))
    with pytest.raises(LeaseError, match="test/other holds the warehouse"):
        run.sync()
    assert shop.table(ORDERS, "order_id") == []


def test_sync_refuses_change_sets_of_another_baseline(shop: Site) -> None:
    """After another run's sync the change sets of a failed run are void, though the lease is free."""
    shop.stage("orders", EDITED)
    failed = Prepared(shop, shop.run())
    failed.cleanup(failure="broken")
    cycle(shop, "other", 0)
    with pytest.raises(LeaseError, match="test/other has replaced, so its change sets are no longer valid"):
        failed.sync()


def test_preparing_again_does_not_bring_change_sets_back(shop: Site) -> None:
    """Where `prepare` alone is cleared, what was detected before another run's sync stays void."""
    shop.stage("orders", EDITED)
    failed = Prepared(shop, shop.run())
    failed.cleanup(failure="broken")
    cycle(shop, "other", 0)
    preparation = prepare(shop.project, shop.warehouse, failed.run)
    assert preparation
    assert preparation.baseline_token == shop.run(run_id="other").token
    void = "prepared on a baseline that test/other has replaced, so its change sets are no longer valid"
    with pytest.raises(LeaseError, match=void):
        update(shop.project, "fact_order", shop.warehouse, failed.run, preparation, failed.change_sets)
    with pytest.raises(LeaseError, match=void):
        failed.sync()


def test_sync_refuses_change_sets_that_a_fact_has_not_seen(shop: Site) -> None:
    """After a second detection the facts that its source feeds must be updated again; the message says which."""
    shop.stage("orders", EDITED)
    run = Prepared(shop, shop.run(), ("orders", "products"))
    shop.stage("orders", {**EDITED, "order_id": 2})
    run.detect("orders")
    with pytest.raises(OutdatedFact, match=r"fact_order would miss .* Clear update.fact_order and sync_public"):
        run.sync()
    assert shop.table(ORDERS, "order_id") == []
    run.fact_results["fact_order"] = run.result("fact_order")
    run.sync()
    assert shop.table(ORDERS, "order_id") == [(1,), (2,)]


def test_sync_refuses_a_fact_without_a_result(shop: Site) -> None:
    """An update that was marked as done by hand, and was not, does not let the baseline move past its fact."""
    run = Prepared(shop, shop.run())
    del run.fact_results["fact_line"]
    with pytest.raises(OutdatedFact, match=r"is not synced. Not brought up to date: fact_line"):
        run.sync()


def test_cleared_sync_of_a_failed_run_goes_on(shop: Site) -> None:
    """The scratch tables of a failed run are kept, so that its cleared task can finish the work."""
    shop.stage("orders", EDITED)
    failed = Prepared(shop, shop.run())
    failed.cleanup(failure="broken")
    failed.sync()
    failed.cleanup()
    assert shop.table(ORDERS, "order_id") == [(1,)]
    assert shop.table("cdc.runs", "run_key", "result", "reason") == [
        ("test/run", "failed", "broken"),
        ("test/run", "success", None),
    ]
    assert scratch_tables(shop) == []


def test_sources_without_changes_cost_no_statement(shop: Site) -> None:
    """The sync's statements are those of the sources that change, and no more."""
    run = Prepared(shop, shop.run(), shop.project.sources)
    before = len(shop.warehouse.statements)
    run.sync()
    idle = len(shop.warehouse.statements) - before
    run.cleanup()
    assert not [statement for statement in shop.warehouse.statements[before:] if "shop_raw" in statement.sql]
    shop.stage("orders", EDITED, *({**EDITED, "order_id": key} for key in range(2, 500)))
    run = Prepared(shop, shop.run(at(30), run_id="next"), shop.project.sources)
    before = len(shop.warehouse.statements)
    run.sync()
    # One INSERT into the baseline, one into its history, one look for tombstones of the keys that came.
    assert len(shop.warehouse.statements) - before == idle + 3


def test_quarantined_rows_are_kept_once(shop: Site) -> None:
    """Rows that stay in staging are quarantined by every run and kept by the first, a copy of one not at all."""
    shop.stage("orders", *[{**ORDER, "order_id": None}] * 2, {**EDITED, "note": None}, {**EDITED, "note": "x"})
    assert cycle(shop, "first", 0) == {"orders": 3}
    assert cycle(shop, "second", 30) == {}
    shop.stage("orders", {**EDITED, "note": "x "})
    assert cycle(shop, "third", 60) == {"orders": 1}
    assert shop.table("cdc.quarantine__orders", "scdc_run", "scdc_reason", "order_id", "note") == [
        ("test/first", "equally new versions of the key differ", 1, "x"),
        ("test/first", "equally new versions of the key differ", 1, None),
        ("test/first", "the key order_id is NULL", None, "by hand"),
        ("test/third", "equally new versions of the key differ", 1, "x "),
    ]
    assert shop.table(ORDERS, "order_id") == []


def test_newer_version_ends_the_quarantine_of_a_key(shop: Site) -> None:
    """When the upstream sends a version that is newer than those that differ, it is applied."""
    shop.stage("orders", {**EDITED, "note": "one"}, {**EDITED, "note": "two"})
    cycle(shop, "first", 0)
    shop.stage("orders", {**EDITED, "note": "three", "changed_at": at(5)})
    cycle(shop, "second", 30)
    assert shop.table(ORDERS, "order_id", "note") == [(1, "three")]


def test_backfill_over_applied_windows_changes_nothing(shop: Site) -> None:
    """Runs over old windows leave the baseline as the newest window made it, in any order."""
    for minute in (-5, 25, 55):
        shop.stage("orders", {**EDITED, "note": f"at {minute}", "changed_at": at(minute)})
        cycle(shop, f"run at {minute}", minute + 5)
    before = shop.table(ORDERS, *shop.project.sources["orders"].column_names)
    for end in (30, 0, 60):
        cycle(shop, f"backfill to {end}", end)
    assert shop.table(ORDERS, *shop.project.sources["orders"].column_names) == before
    assert before[0][6] == "at 55"


def test_pending_keys_go_with_the_sync(shop: Site) -> None:
    """Affected keys that a fact keeps until the sync are removed with it, those of this run only."""
    run = Prepared(shop, shop.run())
    shop.insert("cdc.pending__fact_order", {"token": run.run.token, "anchor": 1}, {"token": "older", "anchor": 2})
    run.fact_results["fact_order"] = run.result("fact_order", affected=1)
    run.sync()
    assert shop.table("cdc.pending__fact_order", "token", "anchor") == [("older", 2)]


def test_ledger_has_a_line_per_run_source_and_fact(shop: Site) -> None:
    """What the run compared and changed can be read from the control schema afterwards."""
    shop.load("orders", ORDER, {**ORDER, "order_id": 2})
    shop.stage(
        "orders",
        {**EDITED, "note": "a"},
        {**EDITED, "order_id": 2, "note": "b", "gift": True},
        {**EDITED, "order_id": 3},
    )
    run = Prepared(shop, shop.run(window_start=at(-30)), ("orders", "products"))
    run.fact_results = {
        "fact_line": run.result("fact_line", reason="no change in products"),
        "fact_order": run.result("fact_order", affected=3, inserted=1, updated=2, started_at=at(0), seconds=0.5),
    }
    run.sync()
    assert shop.table("cdc.runs", "run_key", "window_start", "window_end", "seconds_update", "result", "reason") == [
        ("test/run", at(-30), at(0), 0.5, "success", None)
    ]
    ((started, finished, detect_seconds, sync_seconds),) = shop.table(
        "cdc.runs", "started_at", "finished_at", "seconds_detect", "seconds_sync"
    )
    assert started <= finished
    assert detect_seconds > 0
    assert sync_seconds > 0
    counts = ("rows_compared", "cells_compared", "inserts", "updates", "deletes", "stale", "disagreements")
    assert shop.table("cdc.run_sources", "source_name", *counts, "changed_columns") == [
        ("orders", 3, 30, 1, 2, 0, 0, 1, json.dumps({"gift": 1, "note": 2})),
        ("products", 0, 0, 0, 0, 0, 0, 0, "{}"),
    ]
    assert shop.table("cdc.run_facts", "fact_name", "affected", "inserted", "updated", "deleted", "reason") == [
        ("fact_line", 0, 0, 0, 0, "no change in products"),
        ("fact_order", 3, 1, 2, 0, None),
    ]


def test_success_drops_the_scratch_tables(shop: Site) -> None:
    """After a run that succeeded nothing of it is left but its effect, and the lease is free."""
    run = Prepared(shop, shop.run(), ("orders", "products"))
    assert len(scratch_tables(shop)) == 2
    run.sync()
    run.cleanup()
    assert scratch_tables(shop) == []
    assert lease.holder(shop.project, shop.warehouse) is None


def test_failure_keeps_the_scratch_tables_and_says_why(shop: Site) -> None:
    """A failed run leaves its change sets for a cleared task, a line in the ledger, and a free lease."""
    run = Prepared(shop, shop.run())
    run.cleanup(failure="update.fact_order: the row key is not unique")
    assert scratch_tables(shop) == [table_of(run)]
    assert shop.table("cdc.runs", "run_key", "result", "reason") == [
        ("test/run", "failed", "update.fact_order: the row key is not unique")
    ]
    assert lease.holder(shop.project, shop.warehouse) is None
    run.cleanup(failure="again")
    assert shop.rows("SELECT COUNT(*) FROM cdc.runs") == [(1,)]


def test_failure_after_the_sync_keeps_the_line_of_success(shop: Site) -> None:
    """What was synced has happened, whatever breaks afterwards: a line is added, and none rewritten."""
    run = Prepared(shop, shop.run())
    run.sync()
    run.cleanup(failure="the alert could not be sent")
    assert shop.table("cdc.runs", "run_key", "result") == [("test/run", "failed"), ("test/run", "success")]


def test_clearing_an_old_run_adds_a_line(shop: Site) -> None:
    """The line of a run that was done long ago stays as it was when the run is cleared and done again."""
    shop.stage("orders", EDITED)
    cycle(shop, "old", 0)
    lines = shop.rows("SELECT * FROM cdc.run_sources"), shop.rows("SELECT * FROM cdc.runs")
    again = Prepared(shop, shop.run(run_id="old", token="cleared"))
    again.sync()
    again.cleanup()
    for old, table in zip(lines, ("run_sources", "runs"), strict=True):
        new = shop.rows(f"SELECT * FROM cdc.{table}")  # noqa: S608
        assert len(new) == 2
        assert set(old) < set(new)


def test_scratch_tables_of_the_newest_failed_run_are_kept(shop: Site) -> None:
    """A failed run takes the place of the one of its DAG that failed before; those of other DAGs go after a while."""
    older = Prepared(shop, shop.run(run_id="older"))
    older.cleanup(failure="broken")
    other = Prepared(shop, shop.run(run_id="other", dag_id="other"))
    other.cleanup(failure="broken")
    newer = Prepared(shop, shop.run(run_id="newer"))
    assert len(scratch_tables(shop)) == 3
    newer.cleanup(failure="broken")
    assert scratch_tables(shop) == sorted([table_of(other), table_of(newer)])
    made = f"{int(time.time() - RETENTION.total_seconds()) - 10:08x}0000"
    name = table_of(other)
    shop.execute(f"ALTER TABLE cdc_scratch.{name} RENAME TO {name[: -len(made)]}{made}")
    shop.execute("CREATE TABLE cdc_scratch.somebody_elses (id BIGINT)")
    cycle(shop, "next", 0)
    assert scratch_tables(shop) == [table_of(newer), "somebody_elses"]


def test_cleanup_leaves_the_scratch_tables_of_who_holds_the_lease(shop: Site) -> None:
    """A cleanup that comes late, when the next run is at work, does not take its change sets away."""
    late = Prepared(shop, shop.run(run_id="late"))
    shop.execute("UPDATE cdc.lease SET expires_at = DATEADD(second, -1, GETDATE())")
    working = Prepared(shop, shop.run(run_id="working"))
    late.cleanup(failure="it was killed")
    assert table_of(working) in scratch_tables(shop)
    working.sync()


def test_sync_ends_the_run(shop: Site) -> None:
    """A task that is cleared has no cleanup behind it: the sync frees the lease and drops the scratch tables."""
    failed = Prepared(shop, shop.run())
    failed.cleanup(failure="broken")
    failed.sync()
    assert lease.holder(shop.project, shop.warehouse) is None
    assert scratch_tables(shop) == []


def test_change_set_survives_the_way_through_xcom(shop: Site) -> None:
    """The values that tasks hand to one another come back from their plain form as they were."""
    shop.stage("orders", EDITED)
    run = Prepared(shop, shop.run())
    for value in (run.run, run.preparation, run.change_sets["orders"]):
        plain: dict[str, Any] = json.loads(json.dumps(value.to_dict()))
        assert type(value).from_dict(plain) == value
    assert isinstance(run.change_sets["orders"], ChangeSet)

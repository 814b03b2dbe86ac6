from __future__ import annotations

import html
import os
import signal
import subprocess
import sys
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil
import psycopg2
import pytest

from local_redshift.testing import administer
from local_redshift.wire.faults import Fault, FaultKind
from surgical_cdc.control import lease
from surgical_cdc.control.tables import complete_control
from surgical_cdc.errors import DataError
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.values import RunSummary
from surgical_cdc.warehouse.advice import refusal
from surgical_cdc.warehouse.retries import is_transient
from tests.conftest import at
from tests.dag.conftest import RUN_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Connect, Site
    from tests.dag.conftest import DagUnderTest
    from tests.dag.receivers import Inbox

CUSTOMER = {
    "customer_id": 7,
    "name": "Asha",
    "country": "IN",
    "closed": False,
    "joined_at": at(-60),
    "changed_at": at(-60),
}
ORDER = {"order_id": 1, "customer_id": 7, "status": "paid", "total": 10, "placed_at": at(-50), "changed_at": at(-50)}
PRODUCTS = [
    {"product_id": number, "title": f"Atlas {number}", "price": 30, "changed_at": at(-60)} for number in (1, 2, 3, 4)
]
FORM = {"window_end": at(10).isoformat() + "Z"}
# `airflow tasks test` for one task after the other in one process: Airflow takes seconds to import.
TRY_TASKS = """
import sys
from airflow.__main__ import main
for task_id in sys.argv[1:]:
    sys.argv = ["airflow", "tasks", "test", "shop_cdc", task_id]
    main()
"""


@pytest.fixture
def stocked(shop: Site) -> Site:
    """The bookshop with a baseline of one customer and four products, whose snapshot is staged again."""
    shop.load("customers", CUSTOMER)
    shop.load("products", *PRODUCTS)
    shop.stage("products", *PRODUCTS)
    return shop


LINE = {"line_code": "1-1", "order_id": 1, "product_id": 1, "quantity": 1, "changed_at": at(-60)}


def empty_snapshot(site: Site) -> None:
    """Leave an empty snapshot of the products: a load that went wrong."""
    site.execute("DELETE FROM shop_staging.products")


def mend_snapshot(site: Site) -> None:
    """Load the snapshot again."""
    site.stage("products", *PRODUCTS)


def test_a_failed_detection_fails_the_run_and_only_what_depends_on_it(stocked: Site, shop_cdc: DagUnderTest) -> None:
    """The other sources and their facts are brought up to date; cleanup does not hide the failure."""
    stocked.stage("orders", ORDER)
    empty_snapshot(stocked)
    run_id, state = shop_cdc.run(FORM)
    assert state == "failed"
    assert shop_cdc.states(run_id) == {
        "prepare": "success",
        "detect.customers": "skipped",
        "detect.orders": "success",
        "detect.order_lines": "skipped",
        "detect.products": "failed",
        "update.fact_order": "success",
        "update.fact_line": "upstream_failed",
        "sync_public": "failed",
        "cleanup": "success",
    }
    assert stocked.table("shop_raw.orders", "order_id") == [(1,)]
    assert stocked.table("shop_public.fact_order", "order_id") == [(1,)]
    assert stocked.table("cdc.run_sources", "source_name", "synced") == [
        ("customers", True),
        ("order_lines", False),
        ("orders", True),
    ]
    (ledger,) = stocked.rows("SELECT result, reason FROM cdc.runs WHERE run_key = %s", (f"shop_cdc/{run_id}",))
    assert ledger[0] == "failed"
    assert "detect.products: shop_staging.products: this snapshot of 0 rows would delete 4" in ledger[1]
    assert "Not synced: order_lines, products; what is staged there waits for the next run" in ledger[1]
    summary = shop_cdc.value(run_id, "sync_public", "summary")
    assert (summary["result"], summary["facts"]["fact_line"]["reason"]) == ("in part", "it has failed")
    synced = {name for name, found in summary["sources"].items() if found.get("synced")}
    assert synced == {"customers", "orders"}


def test_a_failed_run_alerts_once_through_every_target(
    stocked: Site, shop_cdc: DagUnderTest, inboxes: dict[str, Inbox]
) -> None:
    """One message by mail, by SNS and by Apprise names all; a target that is dead is logged, and hides nothing."""
    empty_snapshot(stocked)
    run_id, _ = shop_cdc.run(FORM)
    for kind, inbox in inboxes.items():
        message = inbox.wait_for(run_id)
        start = "shop_cdc failed (manual) and 1 more tasks: detect.products: shop_staging.products: this snapshot"
        assert message.subject.startswith(start), kind
        for part in (
            "DAG: shop_cdc",
            "Task: detect.products (source products)",
            "Error: shop_staging.products: this snapshot of 0 rows would delete 4 of the 4 rows",
            f"{shop_cdc.stack.url}/dags/shop_cdc/runs/{run_id.replace(':', '%3A').replace('+', '%2B')}",
            "/tasks/detect.products",
        ):
            assert part in message.text, kind
    shop_cdc.wait_until_told(run_id, "cleanup")
    assert {kind: len(inbox.about(run_id)) for kind, inbox in inboxes.items()} == dict.fromkeys(inboxes, 1)
    assert "could not be sent via smtp (smtp_dead)" in shop_cdc.log(run_id, "cleanup")


def test_a_run_that_is_cleared_and_fails_again_alerts_again(
    stocked: Site, shop_cdc: DagUnderTest, inboxes: dict[str, Inbox]
) -> None:
    """What was told of the run before it was cleared does not silence what happens after."""
    empty_snapshot(stocked)
    run_id, _ = shop_cdc.run(FORM)
    inboxes["smtp"].wait_for(run_id)
    shop_cdc.stack.airflow.clear("shop_cdc", run_id, task_ids=["detect.products"])
    assert shop_cdc.wait(run_id) == "failed"
    shop_cdc.stack.wait_for(lambda: len(inboxes["smtp"].about(run_id)) == 2, "another alert", seconds=RUN_SECONDS)


def test_what_was_asked_for_in_vain_alerts_nobody(shop_cdc: DagUnderTest, inboxes: dict[str, Inbox]) -> None:
    """Who has triggered a run by hand sees that its form asks for what can not be; nothing of ours is broken."""
    run_id, state = shop_cdc.run({"window_start": "2026-03-01T12:00:00Z", "window_end": "2026-03-01T11:00:00Z"})
    assert state == "failed"
    shop_cdc.wait_until_told(run_id, "cleanup")
    assert not any(inbox.about(run_id) for inbox in inboxes.values())
    assert "nobody is alerted" in shop_cdc.log(run_id, "cleanup")


def test_the_first_run_that_works_again_says_so(
    stocked: Site, shop_cdc: DagUnderTest, inboxes: dict[str, Inbox]
) -> None:
    """After a run that has failed, the next in the order of their dates tells that all is well, and no later one."""
    empty_snapshot(stocked)
    failed, succeeds, later = (f"2026-03-02T0{hour}:00:00Z" for hour in (1, 2, 3))
    run_id, _ = shop_cdc.run(FORM, logical_date=failed)
    mend_snapshot(stocked)
    again, state = shop_cdc.run(FORM, logical_date=succeeds)
    assert state == "success"
    message = inboxes["smtp"].wait_for(again)
    assert message.subject == "shop_cdc works again"
    assert f"which had failed: {run_id}" in message.text
    last, state = shop_cdc.run(FORM, logical_date=later)
    assert (state, inboxes["smtp"].about(last)) == ("success", [])


def test_a_killed_cleanup_leaves_the_alert_to_the_dag(
    stocked: Site, shop_cdc: DagUnderTest, connect: Connect, inboxes: dict[str, Inbox]
) -> None:
    """What the teardown can not tell any more is told by the DAG's callback, once."""
    with stocked.warehouse.transaction():
        complete_control(stocked.project, stocked.warehouse)
    empty_snapshot(stocked)
    with closing(connect()) as blocker, blocker.transaction():
        # After a failure the cleanup alone writes to the ledger.
        blocker.execute("LOCK TABLE cdc.runs")
        run_id = shop_cdc.trigger(FORM)
        shop_cdc.wait_for_state(run_id, "cleanup", "running")
        kill_task(shop_cdc, run_id, "cleanup")
        assert shop_cdc.wait(run_id) == "failed"
        for kind, inbox in inboxes.items():
            message = inbox.wait_for(run_id)
            assert "Task: detect.products" in message.text, kind
            assert "Task: cleanup" in message.text, kind
    assert shop_cdc.states(run_id)["cleanup"] == "failed"
    assert {kind: len(inbox.about(run_id)) for kind, inbox in inboxes.items()} == dict.fromkeys(inboxes, 1)


def test_a_cleanup_that_fails_alerts_with_the_rest(
    stocked: Site, shop_cdc: DagUnderTest, inboxes: dict[str, Inbox]
) -> None:
    """The failed cleanup itself tells of the run, once, and of what the run leaves behind."""
    with stocked.warehouse.transaction():
        complete_control(stocked.project, stocked.warehouse)
    administer(shop_cdc.stack._redshift, "ALTER TABLE cdc.runs ADD CHECK (result <> 'failed') NOT VALID")
    empty_snapshot(stocked)
    run_id, state = shop_cdc.run(FORM)
    assert (state, shop_cdc.states(run_id)["cleanup"]) == ("failed", "failed")
    message = inboxes["smtp"].wait_for(run_id)
    assert message.subject.startswith("shop_cdc failed (manual) and 2 more tasks: detect.products: ")
    assert "; cleanup): new row for relation" in message.text
    shop_cdc.wait_until_told(run_id, "cleanup")
    assert len(inboxes["smtp"].about(run_id)) == 1


def test_an_alert_says_what_the_command_line_says(
    stocked: Site, shop_cdc: DagUnderTest, connect: Connect, inboxes: dict[str, Inbox]
) -> None:
    """An error of the warehouse is told with the fact, the statement's purpose and what to do, by day and by night."""
    assert shop_cdc.run(FORM)[1] == "success"
    # A statement that divides by zero, which no model of the bookshop does.
    administer(
        shop_cdc.stack._redshift,
        "ALTER TABLE shop_public.fact_order ADD CHECK (1 / (total - 10) IS NOT NULL) NOT VALID",
    )
    stocked.stage("orders", ORDER)
    run_id, state = shop_cdc.run(FORM)
    assert state == "failed"
    message = inboxes["smtp"].wait_for(run_id)
    with pytest.raises(DataError) as caught:
        run_cycle(stocked.project, connect, stocked.run(at(10)))
    said = refusal(caught.value)
    assert said.startswith("fact_order is not updated. The warehouse refuses (Inserts")
    assert "; update.fact_order): division by zero. A row has a value" in said
    assert f"Error: {said}" in html.unescape(message.text)
    (ledger,) = stocked.rows("SELECT reason FROM cdc.runs WHERE run_key = %s", (f"shop_cdc/{run_id}",))
    assert said in ledger[0]


def test_a_cleared_task_resumes_a_failed_run(stocked: Site, shop_cdc: DagUnderTest) -> None:
    """With the cause mended, clearing the failed tasks finishes the run on the change sets that it has.

    Each attempt says what it did, and a sync that is cleared once more says the same again.
    """
    stocked.stage("order_lines", LINE)
    empty_snapshot(stocked)
    run_id, _ = shop_cdc.run(FORM)
    failed = RunSummary.from_dict(shop_cdc.value(run_id, "cleanup", "summary"))
    assert (failed.result, failed.token) == ("failed", shop_cdc.value(run_id, "prepare")["token"])
    assert failed.sources["order_lines"].inserts == 1
    assert not any(source.synced for source in failed.sources.values())
    assert {name: fact.failed for name, fact in failed.facts.items()} == {"fact_order": False, "fact_line": True}
    mend_snapshot(stocked)
    cleared = shop_cdc.stack.airflow.clear("shop_cdc", run_id, only_failed=True)
    assert sorted(cleared) == ["detect.products", "sync_public", "update.fact_line"]
    assert shop_cdc.wait(run_id) == "success"
    assert stocked.table("shop_raw.order_lines", "line_code") == [(LINE["line_code"],)]
    assert lease.holder(stocked.project, stocked.warehouse) is None
    summary = RunSummary.from_dict(shop_cdc.value(run_id, "sync_public", "summary"))
    shop_cdc.stack.airflow.clear("shop_cdc", run_id, task_ids=["sync_public"])
    assert shop_cdc.wait(run_id) == "success"
    assert shop_cdc.states(run_id)["sync_public"] == "skipped"
    again = RunSummary.from_dict(shop_cdc.value(run_id, "sync_public", "summary"))
    assert again.model_copy(update={"seconds": {}}) == summary.model_copy(update={"seconds": {}})


def test_a_run_that_is_synced_in_part_goes_on_from_its_beginning(stocked: Site, shop_cdc: DagUnderTest) -> None:
    """Its change sets are of the baseline before: clearing its failed tasks says what to clear, and that helps."""
    stocked.stage("orders", ORDER)
    stocked.stage("order_lines", LINE)
    empty_snapshot(stocked)
    run_id, _ = shop_cdc.run(FORM)
    mend_snapshot(stocked)
    summary = shop_cdc.value(run_id, "sync_public", "summary")
    shop_cdc.stack.airflow.clear("shop_cdc", run_id, only_failed=True)
    assert shop_cdc.wait(run_id) == "failed"
    again = shop_cdc.value(run_id, "sync_public", "summary")
    assert (again["result"], again["facts"]) == (summary["result"], summary["facts"]) == ("in part", again["facts"])
    assert "it has been synced in part. Clear it from `prepare` on" in shop_cdc.value(run_id, "sync_public", "error")
    shop_cdc.stack.airflow.clear("shop_cdc", run_id, task_ids=["prepare"], include_downstream=True)
    assert shop_cdc.wait(run_id) == "success"
    assert stocked.table("shop_raw.order_lines", "line_code") == [(LINE["line_code"],)]


def test_the_sync_refuses_what_was_detected_after_the_update(stocked: Site, shop_cdc: DagUnderTest) -> None:
    """When only a detection and what failed are cleared, the message says which fact must be, and that helps."""
    # One that is stale has to be detected, and changes nothing.
    stocked.load("orders", {**ORDER, "order_id": 9})
    stocked.stage("orders", {**ORDER, "order_id": 9, "changed_at": at(-90)})
    empty_snapshot(stocked)
    run_id, _ = shop_cdc.run(FORM)
    mend_snapshot(stocked)
    stocked.stage("orders", {**ORDER, "order_id": 2})
    again = ["detect.orders", "detect.products", "update.fact_line", "sync_public"]
    shop_cdc.stack.airflow.clear("shop_cdc", run_id, task_ids=again)
    assert shop_cdc.wait(run_id) == "failed"
    assert "Clear update.fact_order and sync_public" in shop_cdc.value(run_id, "sync_public", "error")
    assert stocked.table("shop_raw.orders", "order_id") == [(9,)]
    shop_cdc.stack.airflow.clear("shop_cdc", run_id, task_ids=["update.fact_order", "sync_public"])
    assert shop_cdc.wait(run_id) == "success"
    assert stocked.table("shop_public.fact_order", "order_id") == [(2,), (9,)]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(FaultKind.CUT_AFTER, 30), id="lost connection"),
        pytest.param(Fault(FaultKind.SERIALIZATION, 45), id="1023"),
    ],
)
def test_a_fault_is_borne_within_its_task(stocked: Site, shop_cdc: DagUnderTest, fault: Fault) -> None:
    """The task says so and goes on, without one of Airflow's retries, of which this DAG has none."""
    stocked.stage("orders", ORDER)
    redshift = shop_cdc.stack._redshift
    redshift.set_fault(fault)
    try:
        run_id, state = shop_cdc.run(FORM)
    finally:
        redshift.clear_faults()
    assert (state, redshift.struck) == ("success", 1)
    logs = [shop_cdc.log(run_id, task_id) for task_id, state in shop_cdc.states(run_id).items() if state == "success"]
    assert any("It is repeated on a new session in" in log for log in logs)
    assert stocked.table("shop_public.fact_order", "order_id") == [(1,)]


def test_run_waits_for_a_lease_no_longer_than_its_heart_beats(stocked: Site, shop_cdc: DagUnderTest) -> None:
    """Who has died with the lease is named in the log of the run that waits, until the lease has expired."""
    die_with_the_lease(stocked)
    run_id = shop_cdc.trigger(FORM)
    shop_cdc.stack.wait_for(lambda: waits(shop_cdc, run_id), "the run to wait", seconds=RUN_SECONDS)
    expire(stocked)
    assert shop_cdc.wait(run_id) == "success"


def die_with_the_lease(site: Site) -> None:
    """Take the lease for a run of another Airflow, which then no longer beats."""
    with site.warehouse.transaction():
        complete_control(site.project, site.warehouse)
    dead = site.run(run_id="dead", dag_id="another_airflow")
    with site.warehouse.transaction():
        assert not lease.take(site.project, site.warehouse, dead).taken_from(dead.token)


def expire(site: Site) -> None:
    """Let the lease be one that has not been renewed in time."""
    site.execute("UPDATE cdc.lease SET expires_at = DATEADD(second, -1, GETDATE())")


def waits(dag: DagUnderTest, run_id: str) -> int:
    """Return how often a run has found that the dead one holds the warehouse."""
    if dag.states(run_id).get("prepare") != "up_for_reschedule":
        return 0
    return dag.log(run_id, "prepare").count("waits: run another_airflow/dead holds the warehouse since")


def test_missed_window_alerts_once(stocked: Site, shop_cdc: DagUnderTest, inboxes: dict[str, Inbox]) -> None:
    """A run that still waits when a whole window has gone by tells who holds the warehouse, once, and waits on."""
    die_with_the_lease(stocked)
    interval = {"data_interval_start": "2026-03-01T11:30:00Z", "data_interval_end": "2026-03-01T12:00:00Z"}
    run_id = shop_cdc.stack.airflow.trigger("shop_cdc", FORM, logical_date="2026-03-01T11:30:00Z", **interval)
    message = inboxes["smtp"].wait_for(run_id)
    assert message.subject == "shop_cdc: a window was missed, another run holds the warehouse"
    assert "run another_airflow/dead holds the warehouse since" in message.text
    assert "python -m surgical_cdc release" in message.text
    shop_cdc.stack.wait_for(lambda: waits(shop_cdc, run_id) > 1, "the run to ask again", seconds=RUN_SECONDS)
    expire(stocked)
    assert shop_cdc.wait(run_id) == "success"
    assert len(inboxes["smtp"].about(run_id)) == 1
    assert stocked.rows("SELECT result FROM cdc.runs WHERE run_key = %s ORDER BY 1", (f"shop_cdc/{run_id}",)) == [
        ("success",),
        ("waiting",),
    ]


def test_a_task_of_an_outdated_run_may_not_go_on(stocked: Site, shop_cdc: DagUnderTest) -> None:
    """After a later run has moved the baseline, clearing an earlier one's task fails and says what to do."""
    empty_snapshot(stocked)
    old_id, _ = shop_cdc.run(FORM)
    mend_snapshot(stocked)
    stocked.stage("orders", ORDER)
    _, state = shop_cdc.run(FORM)
    assert state == "success"
    shop_cdc.stack.airflow.clear("shop_cdc", old_id, task_ids=["detect.products"])
    assert shop_cdc.wait(old_id) == "failed"
    assert "Clear the run from `prepare` on" in shop_cdc.value(old_id, "detect.products", "error")
    shop_cdc.stack.airflow.clear("shop_cdc", old_id, task_ids=["prepare"], include_downstream=True)
    assert shop_cdc.wait(old_id) == "success"


def test_a_killed_task_alerts_and_frees_the_lease(
    stocked: Site, shop_cdc: DagUnderTest, connect: Connect, inboxes: dict[str, Inbox]
) -> None:
    """A task that is killed can say nothing itself; the run fails, is told of, and keeps nobody waiting."""
    stocked.stage("orders", ORDER)
    with closing(connect()) as blocker, blocker.transaction():
        # Of a snapshot `prepare` reads nothing.
        blocker.execute("LOCK TABLE shop_staging.products")
        run_id = shop_cdc.trigger(FORM)
        shop_cdc.wait_for_state(run_id, "detect.products", "running")
        kill_task(shop_cdc, run_id, "detect.products")
        shop_cdc.wait_for_state(run_id, "detect.products", "failed")
    assert shop_cdc.wait(run_id) == "failed"
    message = inboxes["smtp"].wait_for(run_id)
    assert "Task: detect.products (source products)" in message.text
    assert "it was killed" in message.text
    assert shop_cdc.states(run_id)["cleanup"] == "success", shop_cdc.value(run_id, "cleanup", "error")
    assert lease.holder(stocked.project, stocked.warehouse) is None
    _, state = shop_cdc.run(FORM)
    assert state == "success"


def test_a_task_that_is_marked_as_failed_cancels_its_statement(
    stocked: Site, shop_cdc: DagUnderTest, connect: Connect
) -> None:
    """Nothing goes on in the warehouse for a task that somebody has stopped."""
    with closing(connect()) as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE shop_staging.products")
        run_id = shop_cdc.trigger(FORM)
        shop_cdc.wait_for_state(run_id, "detect.products", "running")
        shop_cdc.stack.wait_for(lambda: waiting(shop_cdc), "the statement", seconds=RUN_SECONDS)
        shop_cdc.stack.airflow.mark("shop_cdc", run_id, "detect.products", "failed")
        shop_cdc.stack.wait_for(lambda: not waiting(shop_cdc), "its end", seconds=RUN_SECONDS)
        # Else its process would be killed in the middle of it, and say nothing.
        heard = partial(shop_cdc.log, run_id, "detect.products")
        shop_cdc.stack.wait_for(lambda: "It failed" in heard(), "the task to hear of it", seconds=RUN_SECONDS)
    assert shop_cdc.wait(run_id) == "failed"


def waiting(dag: DagUnderTest) -> int:
    """Return how many statements wait for a lock in the warehouse."""
    with closing(psycopg2.connect(**dag.stack._redshift.administrator)) as direct, direct.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = 'dev'")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def kill_task(dag: DagUnderTest, run_id: str, task_id: str) -> None:
    """Kill the process of a running task, as the kernel does when memory runs out."""
    title = f"airflow worker -- {dag.stack.airflow.tasks(dag.dag_id, run_id)[task_id]['id']}"

    def kill() -> bool:
        commands = {
            process.pid: " ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])
        }
        found = [pid for pid, command in commands.items() if title in command]
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        return bool(found)

    dag.stack.wait_for(kill, f"the process of {task_id}", seconds=RUN_SECONDS)


def test_rows_in_quarantine_alert_without_failing_the_run(
    stocked: Site, shop_cdc: DagUnderTest, inboxes: dict[str, Inbox]
) -> None:
    """A row without a key is kept aside and told of once; the others are applied, and it is when it is staged well.

    That of the two which was staged before the window start is left for a later run.
    """
    stocked.stage("orders", ORDER, {**ORDER, "order_id": None})
    run_id, state = shop_cdc.run(FORM)
    assert state == "success"
    assert stocked.table("shop_raw.orders", "order_id") == [(1,)]
    message = inboxes["smtp"].wait_for(run_id)
    assert "orders: 1 rows, kept in cdc.quarantine__orders" in message.text
    stocked.stage("orders", *({**ORDER, "order_id": key, "changed_at": at(minute)} for key, minute in ((2, 8), (3, 2))))
    again, _ = shop_cdc.run({**FORM, "window_start": at(6).isoformat() + "Z"})
    assert inboxes["smtp"].about(again) == []
    assert stocked.table("shop_raw.orders", "order_id") == [(1,), (2,)]


def test_what_is_old_or_far_more_than_usual_alerts_without_failing_the_run(
    stocked: Site, shop_cdc: DagUnderTest, shop_project: Path, inboxes: dict[str, Inbox]
) -> None:
    """Each once: the facts with their age, and the source with its rows beside the usual ones."""
    assert shop_cdc.run(FORM)[1] == "success"
    before = [
        ("orders", at(minute), True, *(1 if name == "inserts" else 0 for name in ("inserts", "updates", "deletes")))
        for minute in range(5)
    ]
    for line in before:
        stocked.execute(
            "INSERT INTO cdc.run_sources (source_name, window_end, synced, inserts, updates, deletes)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            line,
        )
    contract = shop_project / "cdc" / "contract.yaml"
    text = contract.read_text()
    settings = "freshness: {warn_after: {count: 1, period: day}}\nvolume: {factor: 2, min_rows: 3}\n"
    contract.write_text(text + settings)
    try:
        stocked.stage("orders", *({**ORDER, "order_id": number, "changed_at": at(5)} for number in (1, 2, 3)))
        run_id, state = shop_cdc.run(FORM)
        again, _ = shop_cdc.run(FORM)
    finally:
        contract.write_text(text)
    assert state == "success"
    found = inboxes["smtp"].about(run_id)
    assert {message.subject for message in found} == {
        "shop_cdc: far more rows than usual: orders",
        "shop_cdc: 2 facts are too old: fact_line, fact_order",
    }
    said = " ".join(message.text for message in found)
    assert "orders: 3 rows, usually 1; of these 3 inserted, 0 updated, 0 deleted" in said
    assert f"fact_order: shows what was staged up to {at(10)} UTC" in said
    assert shop_cdc.value(run_id, "sync_public", "summary")["stale_after"] == {"warn": 86_400.0}
    assert inboxes["smtp"].about(again) == []


def test_a_table_that_differs_from_the_contract_stops_the_run(stocked: Site, shop_cdc: DagUnderTest) -> None:
    """The first task lists what differs, and nothing is detected."""
    stocked.execute("ALTER TABLE shop_staging.orders DROP COLUMN note")
    run_id, state = shop_cdc.run(FORM)
    states = shop_cdc.states(run_id)
    assert (state, states["prepare"], states["detect.orders"]) == ("failed", "failed", "upstream_failed")
    assert "shop_staging.orders" in shop_cdc.value(run_id, "prepare", "error")


def test_a_lost_connection_is_transient(stocked: Site, connect: Connect) -> None:
    """What the driver raises when the server ends the session counts as worth a retry."""
    with stocked.warehouse.transaction():
        complete_control(stocked.project, stocked.warehouse)
    with closing(connect()) as victim:
        (pid,) = victim.row("SELECT pg_backend_pid()")
        stocked.rows("SELECT pg_terminate_backend(%s)", (pid,))
        with pytest.raises(Exception, match=r".") as raised:
            victim.row("SELECT 1")
    assert is_transient(raised.value)


def test_a_wrong_fact_is_found_and_mended(stocked: Site, shop_cdc: DagUnderTest, inboxes: dict[str, Inbox]) -> None:
    """Verification fails and says in what; a refresh of the chosen fact builds it anew and verifies it."""
    stocked.stage("orders", ORDER)
    shop_cdc.run(FORM)
    stocked.execute("DELETE FROM shop_public.fact_order")
    verify, refresh = (type(shop_cdc)(shop_cdc.stack, dag_id) for dag_id in ("shop_verify", "shop_refresh"))
    conf: dict[str, Any] = {"facts": ["fact_order"]}
    run_id, state = verify.run(conf)
    states = verify.states(run_id)
    assert (state, states["verify.fact_order"], states["verify.fact_line"]) == ("failed", "failed", "skipped")
    message = inboxes["smtp"].wait_for(run_id)
    assert message.subject.startswith("shop_verify failed (manual): verify.fact_order: fact_order: DIFFERS")
    verify.wait_until_told(run_id, "alert")
    assert len(inboxes["smtp"].about(run_id)) == 1
    # A retry would find the same.
    assert verify.stack.airflow.tasks("shop_verify", run_id)["verify.fact_order"]["try_number"] == 1
    error = verify.value(run_id, "verify.fact_order", "error")
    assert "DIFFERS, 0 rows where its SELECT gives 1; 1 of these are missing, 0 are unexpected: 1 (missing)." in error

    run_id, state = refresh.run(conf)
    states = refresh.states(run_id)
    assert (states["refresh.fact_line"], states["verify.fact_line"]) == ("skipped", "skipped")
    assert (state, states["refresh.fact_order"], states["verify.fact_order"]) == ("success", "success", "success")
    assert refresh.value(run_id, "verify.fact_order")["rows"] == 1
    assert stocked.table("shop_public.fact_order", "order_id") == [(1,)]


def test_a_refresh_waits_for_a_lease_by_its_retries(stocked: Site, shop_cdc: DagUnderTest) -> None:
    """What goes away by itself is tried again, without a worker in between."""
    assert shop_cdc.run(FORM)[1] == "success"
    die_with_the_lease(stocked)
    refresh = type(shop_cdc)(shop_cdc.stack, "shop_refresh")
    run_id = refresh.trigger({"facts": ["fact_order"]})
    refresh.wait_for_state(run_id, "refresh.fact_order", "up_for_retry")
    assert "another_airflow/dead holds the warehouse" in refresh.value(run_id, "refresh.fact_order", "error")
    expire(stocked)
    assert refresh.wait(run_id) == "success"
    assert refresh.stack.airflow.tasks("shop_refresh", run_id)["refresh.fact_order"]["try_number"] > 1


def test_a_task_that_is_tried_alone_keeps_nobody_waiting(stocked: Site, shop_cdc: DagUnderTest) -> None:
    """`airflow tasks test` makes a run that nothing ends: its tasks take no lease, and the next run begins at once."""
    command = [sys.executable, "-c", TRY_TASKS, "prepare", "detect.orders"]
    environment = os.environ | shop_cdc.stack.environment
    # Else the scheduler takes up the run that the command makes and deletes, and the two may meet in a deadlock.
    shop_cdc.stack.airflow.set_paused("shop_cdc", paused=True)
    try:
        tried = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    finally:
        shop_cdc.stack.airflow.set_paused("shop_cdc", paused=False)
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "has no result of `prepare`" in tried.stdout, tried.stdout
    # Not even the control tables are there.
    assert stocked.rows("SELECT * FROM svv_tables WHERE table_schema = 'cdc'") == []
    assert shop_cdc.run(FORM)[1] == "success"

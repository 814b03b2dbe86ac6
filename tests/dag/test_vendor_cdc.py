from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from demo.feed import feed
from local_stack import StackError
from local_stack.airflow_api import time_of
from local_stack.demonstration import avoid_the_schedule, verify_facts
from surgical_cdc.contract.project import DEFAULT_PROJECT, load_project
from surgical_cdc.dictionary import load_dictionary
from surgical_cdc.values import RunSummary
from surgical_cdc.warehouse.templates import sql_name
from tests.conftest import SHOP
from tests.dag.conftest import TEST_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_stack import LocalStack
    from tests.conftest import Connect
    from tests.dag.conftest import DagUnderTest

DICTIONARY = load_dictionary(DEFAULT_PROJECT / "cdc" / "dictionary.yaml")
COUNTS = ("inserted", "updated", "deleted")


def counts(results: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """The rows that each fact has gained, changed and lost."""
    return {fact: tuple(result[name] for name in COUNTS) for fact, result in results.items()}


@dataclass(frozen=True)
class EditedRun:
    """A run over edited companies, which several tests look at: how many were staged, and what it has done."""

    staged: int
    run_id: str
    state: str
    seconds: float
    not_applied: tuple[int, int]


@pytest.fixture(scope="module")
def edited(scheduled: DagUnderTest) -> EditedRun:
    """One run over five edited companies."""
    avoid_the_schedule(scheduled.stack, seconds=TEST_SECONDS)
    staged = feed(scheduled.stack.connect, changes=5, kinds=["edit_company"])["edit_company"]["companies"]
    before = staged_and_not_applied(scheduled.stack.connect)
    started = time.monotonic()
    run_id, state = scheduled.run()
    seconds = time.monotonic() - started
    return EditedRun(staged, run_id, state, seconds, (before, staged_and_not_applied(scheduled.stack.connect)))


def staged_and_not_applied(connect: Connect) -> int:
    """How many staged rows of companies are newer than the baseline's."""
    with closing(connect()) as warehouse:
        query = """
            SELECT COUNT(*) FROM staging.companies AS staged
            LEFT JOIN public.companies AS baseline
              ON baseline.id = staged.id AND baseline.updated_at >= staged.updated_at
            WHERE baseline.id IS NULL
        """
        return int(warehouse.row(query)[0])


def test_a_scheduled_run_builds_the_missing_facts(vendor_cdc: DagUnderTest) -> None:
    """The first run, made by the schedule, has the last half hour as its window and leaves six complete facts."""
    first = vendor_cdc.stack.airflow.runs("vendor_cdc")[-1]
    assert (first["run_type"], first["state"]) == ("scheduled", "success")
    change_set = vendor_cdc.value(first["dag_run_id"], "detect.companies")
    assert change_set["window_start"] is None
    assert datetime.fromisoformat(change_set["window_end"]).replace(tzinfo=UTC) == time_of(first["data_interval_end"])
    assert time_of(first["data_interval_end"]) - time_of(first["data_interval_start"]) == timedelta(minutes=30)
    assert all(result["built"] for result in vendor_cdc.group(first["dag_run_id"], "update").values())
    assert all(found.equal and found.rows for found in verify_facts(vendor_cdc.stack))


def test_a_run_brings_the_changes_of_its_window_into_the_facts(scheduled: DagUnderTest, edited: EditedRun) -> None:
    """Edited companies reach the facts that read them; afterwards nothing is left to apply and the facts are right."""
    assert edited.state == "success"
    assert edited.not_applied == (edited.staged, 0)
    assert scheduled.value(edited.run_id, "detect.companies")["updates"] == edited.staged
    updated = counts(scheduled.group(edited.run_id, "update"))
    assert sum(rows for _, rows, _ in updated.values()) >= edited.staged
    assert all(found.equal for found in verify_facts(scheduled.stack))


def test_the_statements_of_a_task_can_be_read_in_the_ui(scheduled: DagUnderTest, edited: EditedRun) -> None:
    """What a task sent is in its Rendered Templates tab, with seconds and rows; its log has a line for each."""
    path = f"dags/vendor_cdc/dagRuns/{edited.run_id}/taskInstances/detect.companies"
    sql = scheduled.stack.airflow.get(path)["rendered_fields"]["sql"]
    relation = scheduled.value(edited.run_id, "detect.companies")["relation"]
    assert f"CREATE TABLE {sql_name(relation)}" in sql
    assert " rows, " in sql
    assert "-1 rows" not in sql
    assert "Truncated" not in sql
    assert "detect.companies: A source's change set" in scheduled.log(edited.run_id, "detect.companies")


def test_a_run_leaves_a_line_per_source_and_fact_in_the_ledger(
    scheduled: DagUnderTest, edited: EditedRun, connect: Connect
) -> None:
    """What the tasks have handed on is what the sync has written down."""
    with closing(connect()) as warehouse:
        key = (f"vendor_cdc/{edited.run_id}",)
        sources = dict(warehouse.rows("SELECT source_name, updates FROM cdc.run_sources WHERE run_key = %s", key))
        facts = dict(warehouse.rows("SELECT fact_name, updated FROM cdc.run_facts WHERE run_key = %s", key))
    assert sources == {name: found["updates"] for name, found in scheduled.group(edited.run_id, "detect").items()}
    assert facts == {name: result["updated"] for name, result in scheduled.group(edited.run_id, "update").items()}
    assert set(load_project().facts) == facts.keys()


def test_a_run_takes_seconds(edited: EditedRun) -> None:
    """A guard against a slow import or a wait that creeps into every task; benchmarks/ has the figures."""
    assert edited.seconds < 60


def test_the_page_shows_what_a_run_did(vendor_cdc: DagUnderTest, edited: EditedRun) -> None:
    """The page of Airflow has the rows of the run's summary, each fact as fresh, and a row's story by the button."""
    stack = vendor_cdc.stack
    with httpx.Client(base_url=stack.url, trust_env=False) as client:
        login = client.post("/auth/token", json={"username": stack.user, "password": stack.password})
        client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
        run = client.get("/surgical_cdc/run", params={"dag_id": "vendor_cdc", "run_id": edited.run_id})
        facts = client.get("/surgical_cdc/facts")
        asked = {"dag_id": "vendor_cdc", "table": "companies", "run": f"vendor_cdc/{edited.run_id}", "look_up": "1"}
        rows = client.get("/surgical_cdc/row", params=asked)
        asked["key"] = re.findall(r'name="key" value="(\d+)"', rows.text)[0]
        row = client.get("/surgical_cdc/row", params=asked)
    summary = RunSummary.from_dict(vendor_cdc.value(edited.run_id, "sync_public", "summary"))
    written = sum(done.written for done in summary.facts.values())
    assert f"{written:,} rows written in" in run.text
    assert "companies 5" in run.text
    assert "that vendor_cdc/" in rows.text
    assert f"companies {asked['key']} was changed by 1 run." in row.text
    assert edited.run_id in row.text
    assert facts.text.count('<span class="light ok">ok</span>') >= len(DICTIONARY.facts)


def test_a_task_of_a_synced_run_has_nothing_to_do_when_it_is_cleared(
    vendor_cdc: DagUnderTest, edited: EditedRun
) -> None:
    """Clearing an update and what follows it, after the sync, changes nothing twice and ends well.

    The last test that looks at this run.
    """
    updates = vendor_cdc.group(edited.run_id, "update")
    fact = next(fact for fact, result in updates.items() if result["reason"] is None)
    airflow = vendor_cdc.stack.airflow
    airflow.clear("vendor_cdc", edited.run_id, task_ids=[f"update.{fact}"], include_downstream=True)
    assert vendor_cdc.wait(edited.run_id) == "success"
    states = vendor_cdc.states(edited.run_id)
    assert (states[f"update.{fact}"], states["sync_public"]) == ("skipped", "skipped")
    assert "has been synced" in airflow.log("vendor_cdc", edited.run_id, f"update.{fact}", 2)
    assert all(found.equal for found in verify_facts(vendor_cdc.stack))


def test_facts_that_read_no_changed_column_are_skipped_and_the_sync_still_runs(
    vendor_cdc: DagUnderTest, stage: Callable[..., Any]
) -> None:
    """A window of changes that no fact reads opens no session for a fact, but the baseline follows."""
    stage("unread", changes=8)
    run_id, state = vendor_cdc.run()
    states = vendor_cdc.states(run_id)
    assert state == "success"
    assert {states[f"update.{fact}"] for fact in DICTIONARY.facts} == {"skipped"}
    assert states["sync_public"] == "success"
    reasons = {fact: result["reason"] for fact, result in vendor_cdc.group(run_id, "update").items()}
    assert all(reason.startswith(("no change in", "no column that")) for reason in reasons.values())
    assert reasons["fact_financial"] in vendor_cdc.log(run_id, "update.fact_financial")
    # The next window has nothing left of it.
    next_run, state = vendor_cdc.run()
    states = vendor_cdc.states(next_run)
    assert (state, states.pop("prepare"), set(states.values())) == ("success", "success", {"skipped"})
    assert "Nothing is staged that the baselines do not show" in vendor_cdc.log(next_run, "prepare")
    assert vendor_cdc.value(next_run, "prepare")["ended"]
    assert vendor_cdc.value(next_run, "prepare", "summary")["result"] == "nothing new"
    # That nothing is new is news of its own: the facts are up to date as of then.
    for run, task in ((run_id, "sync_public"), (next_run, "prepare")):
        assert events_of(vendor_cdc, run) == {
            "vendor_cdc.fresh": {"fresh_to": vendor_cdc.value(run, task, "summary")["window_end"], "run": run}
        }


def events_of(dag: DagUnderTest, run_id: str) -> dict[str, dict[str, Any]]:
    """Return what the asset events of a run say, by the asset's name."""
    events = dag.stack.airflow.get("assets/events", source_run_id=run_id, source_dag_id=dag.dag_id)["asset_events"]
    said = {event["name"]: event["extra"] for event in events}
    assert len(said) == len(events)
    return said


def test_only_a_fact_that_has_changed_raises_an_asset_event(
    vendor_cdc: DagUnderTest, stage: Callable[..., Any]
) -> None:
    """The event of a fact carries the counts; a skipped fact raises none.

    Every city is a row of fact_geography; fact_onboarding reads none.
    """
    stage("rename_city", changes=3)
    run_id, _ = vendor_cdc.run()
    results = counts(vendor_cdc.group(run_id, "update"))
    events = events_of(vendor_cdc, run_id)
    events.pop("vendor_cdc.fresh")
    assert {name: tuple(extra[count] for count in COUNTS) for name, extra in events.items()} == {
        f"redshift_default.{fact}": result for fact, result in results.items() if any(result)
    }
    assert 0 < len(events) < len(DICTIONARY.facts)


def test_an_asset_knows_the_tasks_that_write_its_fact(vendor_cdc: DagUnderTest) -> None:
    """The cycle, an undo and a refresh write one table, which is one asset."""
    found = vendor_cdc.stack.airflow.get("assets", name_pattern="redshift_default.fact_vendor")
    (asset,) = found["assets"]
    assert {(task["dag_id"], task["task_id"]) for task in asset["producing_tasks"]} == {
        ("vendor_cdc", "update.fact_vendor"),
        ("vendor_cdc_undo", "update.fact_vendor"),
        ("vendor_cdc_refresh", "refresh.fact_vendor"),
    }


def test_a_dry_run_announces_what_then_happens_and_writes_nothing(
    vendor_cdc: DagUnderTest, stage: Callable[..., Any], connect: Connect
) -> None:
    """A dry run gives the counts of the run after it, skips the sync, and leaves facts and baseline alone."""
    stage("edit_company", "new_vendor", "remove", changes=12)
    left = staged_and_not_applied(connect)
    dry_id, state = vendor_cdc.run({"dry_run": True})
    states = vendor_cdc.states(dry_id)
    assert (state, states["sync_public"], states["cleanup"]) == ("success", "skipped", "success")
    said = vendor_cdc.log(dry_id, "sync_public")
    assert "Dry run" in said
    assert staged_and_not_applied(connect) == left > 0
    assert all(found.equal for found in verify_facts(vendor_cdc.stack))
    assert events_of(vendor_cdc, dry_id) == {}
    real_id, _ = vendor_cdc.run()
    announced = counts(vendor_cdc.group(dry_id, "update"))
    dry, real = (RunSummary.from_dict(vendor_cdc.value(run, "sync_public", "summary")) for run in (dry_id, real_id))
    assert (dry.result, real.result) == ("dry run", "success")
    cells = {fact: done.cells for fact, done in real.facts.items()}
    assert any(cells.values())
    assert {fact: done.cells for fact, done in dry.facts.items()} == cells
    assert "Facts:" in vendor_cdc.log(real_id, "sync_public")
    for fact, (inserted, updated, deleted) in announced.items():
        rows = f"{inserted} inserted, {updated} updated, {deleted} deleted"
        assert not (inserted or updated or deleted) or f"{fact}: rows that would be written: {rows}" in said
    assert announced == counts(vendor_cdc.group(real_id, "update"))
    assert any(any(result) for result in announced.values())


def test_the_undo_dag_takes_a_run_back(vendor_cdc: DagUnderTest, stage: Callable[..., Any], connect: Connect) -> None:
    """Sources that the run has changed are what they were, the others are skipped, and facts are their SELECTs."""
    companies = "SELECT * FROM public.companies ORDER BY id"
    with closing(connect()) as warehouse:
        before = warehouse.rows(companies)
    stage("edit_company", changes=6)
    run_id, _ = vendor_cdc.run()
    undo = type(vendor_cdc)(vendor_cdc.stack, "vendor_cdc_undo")
    undo_id, state = undo.run({"run": f"vendor_cdc/{run_id}"})
    states = undo.states(undo_id)
    assert (state, states["detect.companies"], states["detect.users"]) == ("success", "success", "skipped")
    with closing(connect()) as warehouse:
        assert warehouse.rows(companies) == before
    assert undo.value(undo_id, "sync_public", "summary")["undoes"] == f"vendor_cdc/{run_id}"
    assert all(found.equal for found in verify_facts(vendor_cdc.stack))
    nothing, state = undo.run({"run": "vendor_cdc/none"})
    assert state == "failed"
    assert "There is nothing of run 'vendor_cdc/none' to undo" in undo.value(nothing, "prepare", "error")
    summary = undo.value(nothing, "cleanup", "summary")
    assert (summary["kind"], summary["undoes"], summary["result"]) == ("undo", "vendor_cdc/none", "failed")


def test_sources_that_the_form_leaves_out_are_not_compared(vendor_cdc: DagUnderTest, stage: Callable[..., Any]) -> None:
    """A run over one source skips the detection of the others, and leaves what they have staged to a later run."""
    staged = stage("edit_company", "edit_contact", changes=6)["edit_company"]["companies"]
    run_id, state = vendor_cdc.run({"sources": ["users"]})
    states = vendor_cdc.states(run_id)
    assert state == "success"
    assert {source for source in DICTIONARY.sources if states[f"detect.{source}"] == "success"} == {"users"}
    assert "vendor_cdc.fresh" not in events_of(vendor_cdc, run_id)
    assert all(found.equal for found in verify_facts(vendor_cdc.stack))
    next_run, _ = vendor_cdc.run()
    assert vendor_cdc.value(next_run, "detect.companies")["updates"] == staged


@pytest.mark.parametrize(
    "conf",
    [
        pytest.param({"window_end": "not a date"}, id="no time"),
        pytest.param({"sources": ["vendors"]}, id="unknown source"),
        pytest.param({"dry_run": "perhaps"}, id="no boolean"),
    ],
)
def test_the_form_refuses_what_it_can_check(vendor_cdc: DagUnderTest, conf: dict[str, Any]) -> None:
    """A value of the wrong type starts no run."""
    with pytest.raises(StackError, match="400"):
        vendor_cdc.trigger(conf)


def test_an_empty_window_fails_before_anything_is_touched(vendor_cdc: DagUnderTest) -> None:
    """What the form can not check, the first task does: nothing else runs."""
    run_id, state = vendor_cdc.run({"window_start": "2026-03-01T12:00:00Z", "window_end": "2026-03-01T11:00:00Z"})
    states = vendor_cdc.states(run_id)
    assert state == "failed"
    assert states.pop("prepare") == "failed"
    assert (states.pop("sync_public"), states.pop("cleanup")) == ("failed", "skipped")
    summary = vendor_cdc.value(run_id, "cleanup", "summary")
    assert summary["result"] == "failed"
    assert "prepare: " in summary["reason"]
    assert set(states.values()) == {"upstream_failed"}
    assert "is empty" in vendor_cdc.value(run_id, "prepare", "error")


def test_a_backfill_beside_a_run_waits_for_the_lease(
    vendor_cdc: DagUnderTest, stage: Callable[..., Any], connect: Connect
) -> None:
    """max_active_runs does not count a backfill's runs; the second run waits in prepare until the first has ended."""
    airflow = vendor_cdc.stack.airflow
    stage("edit_company", changes=3)
    with closing(connect()) as blocker, blocker.transaction():
        blocker.execute("LOCK TABLE staging_public.fact_company_profile")
        first = vendor_cdc.trigger()
        vendor_cdc.wait_for_state(first, "update.fact_company_profile", "running")
        noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
        airflow.backfill("vendor_cdc", noon, noon)
        vendor_cdc.stack.wait_for(lambda: backfill_runs(vendor_cdc), "the run of the backfill")
        (second,) = backfill_runs(vendor_cdc)
        vendor_cdc.wait_for_state(second, "prepare", "up_for_reschedule")
        assert first in vendor_cdc.log(second, "prepare")
        assert vendor_cdc.states(second)["detect.users"] is None
    assert (vendor_cdc.wait(first), vendor_cdc.wait(second)) == ("success", "success")
    ended, began = airflow.tasks("vendor_cdc", first)["cleanup"], airflow.tasks("vendor_cdc", second)["prepare"]
    assert time_of(ended["end_date"]) <= time_of(began["end_date"])
    # Its window is over and applied: a backfill changes nothing.
    assert {vendor_cdc.states(second)[f"update.{fact}"] for fact in DICTIONARY.facts} == {"skipped"}


def backfill_runs(dag: DagUnderTest) -> list[str]:
    """The runs that a backfill has made."""
    runs = dag.stack.airflow.runs(dag.dag_id)
    return [run["dag_run_id"] for run in runs if run["run_type"] == "backfill"]


def test_commands_know_the_connections_of_airflows_database(stack: LocalStack) -> None:
    """What somebody has added in the UI serves the command line too, beside the connections of the environment."""
    stack.airflow.add_connection("stored", json.loads(stack.environment["AIRFLOW_CONN_REDSHIFT_DEFAULT"]))
    check = [Path(sys.executable).with_name("surgical-cdc"), "check", "--conn-id", "stored", "--project", SHOP]
    environment = os.environ | stack.environment
    checked = subprocess.run(check, env=environment, capture_output=True, text=True, check=False)
    assert f"ok      connection: user {stack.database_user} in database {stack.database}" in checked.stdout

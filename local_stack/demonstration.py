"""The demo: load the warehouse once, bring one window of changes through Airflow, and report what it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from rich.table import Table

from local_stack.airflow_api import ENDED, time_of
from local_stack.errors import StackError
from local_stack.stack import LocalStack, Say
from surgical_cdc.contract.project import load_project
from surgical_cdc.steps.verify import Verification, verify
from surgical_cdc.values import ChangeSet, FactResult, RunSummary
from surgical_cdc.warehouse.catalog import read_catalog

__all__ = ["Report", "Say", "avoid_the_schedule", "feed_once", "load_once", "one_window", "start", "verify_facts"]

DAG_ID = "vendor_cdc"
# As Airflow's REST API has them. The engine's own names of them are beside its DAGs: with these Airflow would come into
# this process, and with it its log.
ENDING, SUMMARY = ("sync_public", "cleanup"), "summary"
RUN_SECONDS = 600
WINDOW_SECONDS = 45  # to feed a window and start its run


@dataclass(frozen=True)
class Report:
    """What one run did: its change sets, its fact results, and how the facts compare with their full queries.

    `summary` is what the run says of itself, None if it was killed before it could.
    """

    run_id: str
    state: str
    seconds: float
    change_sets: Sequence[ChangeSet]
    fact_results: Sequence[FactResult]
    verifications: Sequence[Verification]
    failures: Mapping[str, str]
    summary: RunSummary | None

    @property
    def page(self) -> str:
        """Where Airflow shows what the run did, below its own address."""
        return f"/dags/{DAG_ID}/runs/{quote(self.run_id)}/plugin/surgical_cdc_run"

    @property
    def is_good(self) -> bool:
        """Whether the run succeeded, changed something, and left every fact equal to its full query."""
        changed = any(change_set.changes for change_set in self.change_sets)
        return self.state == "success" and changed and all(found.equal for found in self.verifications)

    @property
    def verdict(self) -> str:
        """The result in a sentence."""
        if self.state != "success":
            return f"The run failed. {'; '.join(f'{task}: {error}' for task, error in self.failures.items())}"
        if unequal := [found.fact for found in self.verifications if not found.equal]:
            return f"These facts differ from their SELECTs run in full: {', '.join(unequal)}."
        if not self.is_good:
            return "The run found no changes, though a window of changes was fed."
        facts = f"All {len(self.verifications)} facts equal their SELECTs run in full."
        return f"{facts} The DAG run took {self.seconds:.1f} s."

    def tables(self) -> Iterator[Table]:
        """Yield one table of the sources and one of the facts."""
        sources = Table(title="Sources")
        for heading in ("source", "rows compared", "cells compared", "cells changed", "I", "U", "D", "seconds"):
            sources.add_column(heading, justify="left" if heading == "source" else "right")
        for found in self.change_sets:
            changed = sum(found.changed_columns.values())
            compared = (found.rows_compared, found.cells_compared, changed)
            counts = (*compared, found.inserts, found.updates, found.deletes)
            sources.add_row(found.source, *(f"{count:,}" for count in counts), f"{found.seconds:.3f}")
        yield sources
        facts = Table(title="Facts")
        for heading in (
            "fact",
            "inserted",
            "updated",
            "deleted",
            "seconds",
            "equals its full query",
            "skipped because",
        ):
            facts.add_column(heading, justify="left" if heading in {"fact", "skipped because"} else "right")
        verified = {found.fact: found for found in self.verifications}
        for result in self.fact_results:
            done = [f"{count:,}" for count in (result.inserted, result.updated, result.deleted)]
            comparison = _comparison(verified[result.fact]) if result.fact in verified else "not compared"
            facts.add_row(result.fact, *done, f"{result.seconds:.3f}", comparison, result.reason or "")
        yield facts


def start(stack: LocalStack, *, companies: int, dag_ids: Sequence[str]) -> None:
    """Start the whole stack, with the demo warehouse loaded if this folder has none yet."""
    stack.start_warehouse()
    wait_for_metadata = stack.prepare_airflow()
    load_once(stack, companies=companies)
    wait_for_metadata()
    stack.start_airflow(*dag_ids)


def load_once(stack: LocalStack, *, companies: int) -> None:
    """Load the demo warehouse unless it is there: its tables appear together with their rows or not at all."""
    from demo.load import load

    with closing(stack.connect()) as warehouse:
        loaded = read_catalog(load_project(), warehouse)
    if not loaded:
        with stack.phase(f"Loading the demo warehouse with {companies:,} companies"):
            load(stack.connect, companies=companies, progress=lambda line: stack.say(f"  {line}"))


def one_window(stack: LocalStack) -> Report:
    """Feed one window of changes, run vendor_cdc over it, and verify the facts.

    Raises:
        StackError: a run does not end, or a part of the stack has ended.
    """
    _build_facts(stack)
    avoid_the_schedule(stack, seconds=WINDOW_SECONDS)
    with stack.phase("Feeding one window of changes into staging"):
        feed_once(stack)
    run_id = stack.airflow.trigger(DAG_ID)
    with stack.phase(f"Running {DAG_ID} as {run_id}"):
        run = _wait(stack, run_id)
    handed_on = {
        task_id: stack.airflow.xcom(DAG_ID, run_id, task_id) for task_id in stack.airflow.tasks(DAG_ID, run_id)
    }
    verifications = []
    if run["state"] == "success":
        with stack.phase("Comparing each fact with its SELECT run in full"):
            verifications = verify_facts(stack)
    said = next(filter(None, (stack.airflow.xcom(DAG_ID, run_id, task, SUMMARY) for task in ENDING)), None)
    return Report(
        run_id=run_id,
        state=run["state"],
        seconds=(time_of(run["end_date"]) - time_of(run["start_date"])).total_seconds(),
        change_sets=[ChangeSet.from_dict(value) for value in _of_group(handed_on, "detect")],
        fact_results=[FactResult.from_dict(value) for value in _of_group(handed_on, "update")],
        verifications=verifications,
        failures=_failures(stack, run_id),
        summary=RunSummary.from_dict(said) if said else None,
    )


def avoid_the_schedule(stack: LocalStack, *, seconds: float) -> None:
    """Let a scheduled run that is due within these seconds go first: it would take the window that is about to be made.

    Raises:
        StackError: it does not come, does not end, or fails.
    """
    due = time_of(stack.airflow.get(f"dags/{DAG_ID}")["next_dagrun_run_after"])
    if (due - datetime.now(UTC)).total_seconds() > seconds:
        return
    run = f"the scheduled run of {due:%H:%M} UTC"
    with stack.phase(f"Letting {run} go first"):
        stack.wait_for(lambda: _has_begun(stack, due), run, seconds + RUN_SECONDS)
        _wait_for_runs(stack)


def feed_once(stack: LocalStack) -> None:
    """Play the upstream ETL once: write one window of changes into staging."""
    from demo.feed import feed

    feed(stack.connect, progress=lambda line: stack.say(f"  {line}"))


def verify_facts(stack: LocalStack) -> list[Verification]:
    """Compare every fact with its SELECT run in full."""
    project = load_project()
    with closing(stack.connect()) as warehouse:
        return [verify(project, fact, warehouse) for fact in project.facts]


def _build_facts(stack: LocalStack) -> None:
    """Un-pause the DAG and wait for the scheduled run that this starts: the first one ever builds the facts.

    Raises:
        StackError: it has failed.
    """
    stack.airflow.set_paused(DAG_ID, paused=False)
    with stack.phase(f"Waiting for the scheduled run of {DAG_ID}, which builds the facts if it is the first"):
        stack.wait_for(lambda: stack.airflow.runs(DAG_ID), f"a scheduled run of {DAG_ID}")
        _wait_for_runs(stack)


def _has_begun(stack: LocalStack, due: datetime) -> bool:
    runs = stack.airflow.runs(DAG_ID)
    return any(run["run_type"] == "scheduled" and time_of(run["run_after"]) >= due for run in runs)


def _wait_for_runs(stack: LocalStack) -> None:
    for run_id in [run["dag_run_id"] for run in stack.airflow.runs(DAG_ID) if run["state"] not in ENDED]:
        if _wait(stack, run_id)["state"] != "success":
            failures = "\n".join(f"{task}: {error}" for task, error in _failures(stack, run_id).items())
            raise StackError(f"The run {run_id} of {DAG_ID} failed; its logs are in {stack.home}/logs.\n{failures}")


def _wait(stack: LocalStack, run_id: str) -> dict[str, Any]:
    return stack.airflow.wait(DAG_ID, run_id, seconds=RUN_SECONDS, check=stack.check)


def _failures(stack: LocalStack, run_id: str) -> dict[str, str]:
    return {
        task_id: str(stack.airflow.xcom(DAG_ID, run_id, task_id, "error") or "see its log")
        for task_id, task in stack.airflow.tasks(DAG_ID, run_id).items()
        if task["state"] == "failed"
    }


def _of_group(handed_on: Mapping[str, Any], group: str) -> list[Any]:
    return [value for task_id, value in handed_on.items() if task_id.startswith(f"{group}.") and value]


def _comparison(found: Verification) -> str:
    if found.equal:
        return f"yes, {found.rows:,} rows"
    return f"NO: {found.missing:,} rows missing, {found.unexpected:,} unexpected"

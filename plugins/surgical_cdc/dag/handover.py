"""What the tasks of a run hand to one another by XCom, and under which names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from surgical_cdc.errors import NotPrepared
from surgical_cdc.values import ChangeSet, Preparation

if TYPE_CHECKING:
    from airflow.sdk import Context

PREPARE, DETECT, UPDATE, SYNC, CLEANUP, ALERT = "prepare", "detect", "update", "sync_public", "cleanup", "alert"
REFRESH, VERIFY = "refresh", "verify"
# By which the page finds the DAGs of this engine among all others.
TAG = "surgical_cdc"
# What Airflow's command `tasks test` calls the runs that it makes for a task.
TEST_RUN = "__airflow_temporary_run_"
# The XCom under which a failed task leaves its error in a sentence, for the ledger and the alert.
ERROR_KEY = "error"
# The XCom by which a failed task says that what was asked for can not be, so that nothing of ours is broken.
REFUSED_KEY = "refused"
# The XCom under which the task that ends a run leaves its RunSummary: prepare, the sync or the cleanup.
SUMMARY_KEY = "summary"


def preparation_of(context: Context) -> Preparation:
    """Return what the run has found when it took the lease.

    Raises:
        NotPrepared: there is nothing, or it was found by a test of the task alone, so that the run has no lease to work
            under.
    """
    preparation = found_preparation(context)
    if preparation is None:
        raise NotPrepared(
            f"Run {context['run_id']} has no result of `{PREPARE}`, so this task has no lease to work under. Nothing"
            " was written. `airflow tasks test` runs a task outside of a run: use `airflow dags test`, or a dry run."
            f" In a run, clear `{PREPARE}` and what follows it."
        )
    return preparation


def found_preparation(context: Context) -> Preparation | None:
    """Return what the run has found when it took the lease; None if it has not, or a task is tested alone."""
    prepared = context["ti"].xcom_pull(task_ids=PREPARE, map_indexes=-1)
    return Preparation.from_dict(prepared) if prepared and not is_test(context) else None


def change_sets_of(context: Context, sources: Sequence[str]) -> dict[str, ChangeSet]:
    """Return the run's change sets of these sources; those that the form left out are missing."""
    found = handed_on(context, DETECT, sources)
    return {source: ChangeSet.from_dict(value) for source, value in found.items()}


def handed_on(context: Context, group: str, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Return what the tasks of a group have handed on, by name; without those that handed on nothing."""
    values = context["ti"].xcom_pull(task_ids=[f"{group}.{name}" for name in names], map_indexes=-1)
    return {name: value for name, value in zip(names, values, strict=True) if value}


def failures_of(ti: Any, dag_id: str, run_id: str) -> dict[str, str]:
    """Return the failed tasks of a run, each with its error in a sentence."""
    states = ti.get_task_states(dag_id=dag_id, run_ids=[run_id]).get(run_id, {})
    # What the others have led to comes last.
    last = (SYNC, CLEANUP)
    failed = [task_id for task_id, state in states.items() if state == "failed"]
    failed.sort(key=lambda task_id: last.index(task_id) + 1 if task_id in last else 0)
    unknown = "ended without a word: it was killed, or the machine was out of memory."
    return {task_id: ti.xcom_pull(task_ids=task_id, key=ERROR_KEY, run_id=run_id) or unknown for task_id in failed}


def is_test(context: Context) -> bool:
    """Return whether `airflow tasks test` runs the task, in a run that has no other and that nothing ends."""
    return str(context["run_id"]).startswith(TEST_RUN)

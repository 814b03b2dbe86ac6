"""Makes the DAG of a project from its dictionary: a task per source and per fact, wired by what feeds what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, CronDataIntervalTimetable, Param, TaskGroup, TriggerRule
from airflow.sdk.definitions.param import ParamsDict

from surgical_cdc.dag import alerts
from surgical_cdc.dag.form import cycle_fields, fact_fields, undo_fields
from surgical_cdc.dag.handover import ALERT, CLEANUP, DETECT, PREPARE, REFRESH, SYNC, TAG, UPDATE, VERIFY
from surgical_cdc.dag.operators import (
    AlertOperator,
    CleanupOperator,
    DetectOperator,
    PrepareSensor,
    RefreshOperator,
    SyncOperator,
    UpdateOperator,
    VerifyOperator,
)
from surgical_cdc.dictionary import Dictionary, dictionary_path, load_dictionary

Callback = Callable[[Any], Any]

EVERY_HALF_HOUR, EVERY_NIGHT = "*/30 * * * *", "0 3 * * *"
# How long a run may wait for the lease, and how often it asks: a backfill of a week is done by then.
WAIT_FOR_LEASE = timedelta(hours=5)
ASK_FOR_LEASE = timedelta(seconds=10)
RETRIES: Mapping[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(seconds=15),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=2),
    "execution_timeout": timedelta(minutes=50),
}
# With their delays, so many retries outlast a run of the cycle, which keeps refreshes and verifications away.
OUTLASTING: Mapping[str, Any] = {"retries": 10}
START = datetime(2024, 1, 1, tzinfo=UTC)


def cdc_dag(
    dag_id: str,
    *,
    project: Path,
    schedule: Any = EVERY_HALF_HOUR,
    conn_id: str = "redshift_default",
    default_args: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Collection[str] = (),
    on_failure_callback: Callback | Sequence[Callback] = (),
    **dag_arguments: Any,
) -> DAG:
    """Return the DAG that keeps a project's facts up to date; what it costs to parse is reading one YAML file.

    Args:
        dag_id: name of the DAG.
        project: folder of the dbt project, in which the compiled folder `cdc` lies.
        schedule: cron expression in UTC, or whatever else Airflow takes: assets, a timetable, None for a DAG that is
            only triggered. The window of a run without a data interval ends when it was due.
        conn_id: Airflow connection of the warehouse, type `redshift`.
        default_args: arguments of every task, over those in RETRIES.
        params: further fields of the trigger form.
        tags: further tags, besides the one by which the page finds the DAG.
        on_failure_callback: further callbacks of a failed run, behind the alert.
        dag_arguments: further arguments of the DAG, such as doc_md and owner_links, over those that it has here.
    """
    path = dictionary_path(project)
    dictionary = load_dictionary(path)
    settings = {
        "start_date": START,
        # A run takes all that is staged up to its end, so one run makes up for all that were missed.
        "catchup": False,
        "max_active_runs": 1,
        "dagrun_timeout": WAIT_FOR_LEASE + timedelta(hours=2),
    }
    with DAG(
        dag_id,
        # A cron expression alone would give each run a window of no length.
        schedule=CronDataIntervalTimetable(schedule, "UTC") if isinstance(schedule, str) else schedule,
        default_args={**RETRIES, "project": project, "conn_id": conn_id, **(default_args or {})},
        tags={TAG, *tags},
        on_failure_callback=_behind_the_alert(on_failure_callback),
        **{**settings, **dag_arguments},
    ) as dag:
        _add_cycle(path, dictionary, conn_id, fresh=[Asset(f"{dag_id}.fresh")])
    _add_form(dag, params, cycle_fields(dictionary))
    return dag


def undo_dag(
    dag_id: str,
    *,
    project: Path,
    conn_id: str = "redshift_default",
    default_args: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Collection[str] = (),
    on_failure_callback: Callback | Sequence[Callback] = (),
    **dag_arguments: Any,
) -> DAG:
    """Return the DAG that takes back a run of the cycle, or of itself; it only runs when it is triggered.

    Its tasks are those of the cycle, which take what changes from the history. The arguments are those of `cdc_dag`.
    """
    path = dictionary_path(project)
    dictionary = load_dictionary(path)
    settings = {"max_active_runs": 1, "dagrun_timeout": WAIT_FOR_LEASE + timedelta(hours=2)}
    with DAG(
        dag_id,
        schedule=None,
        default_args={**RETRIES, "project": project, "conn_id": conn_id, **(default_args or {})},
        tags={TAG, *tags},
        on_failure_callback=_behind_the_alert(on_failure_callback),
        **{**settings, **dag_arguments},
    ) as dag:
        _add_cycle(path, dictionary, conn_id)
    _add_form(dag, params, undo_fields())
    return dag


def refresh_dag(
    dag_id: str,
    *,
    project: Path,
    conn_id: str = "redshift_default",
    default_args: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Collection[str] = (),
    on_failure_callback: Callback | Sequence[Callback] = (),
    **dag_arguments: Any,
) -> DAG:
    """Return the DAG that builds chosen facts anew and verifies them; it only runs when it is triggered.

    The arguments are those of `cdc_dag`.
    """
    dictionary = load_dictionary(dictionary_path(project))
    settings = {
        "max_active_runs": 1,
        # Each task locks the lease until it is done; side by side they would only wait in the warehouse.
        "max_active_tasks": 1,
    }
    with DAG(
        dag_id,
        schedule=None,
        default_args={**RETRIES, **OUTLASTING, "project": project, "conn_id": conn_id, **(default_args or {})},
        tags={TAG, *tags},
        on_failure_callback=_behind_the_alert(on_failure_callback),
        **{**settings, **dag_arguments},
    ) as dag:
        with TaskGroup(REFRESH, tooltip="Builds each fact anew from the baselines"):
            refresh = {
                fact: RefreshOperator(
                    task_id=fact,
                    fact=fact,
                    outlets=[_asset(conn_id, fact)],
                    doc_md=dictionary.descriptions["facts"].get(fact),
                )
                for fact in dictionary.facts
            }
        verify = _add_verifications(dictionary)
        for fact, task in refresh.items():
            task >> verify[fact]
        [*refresh.values(), *verify.values()] >> AlertOperator(task_id=ALERT).as_teardown()
    _add_form(dag, params, fact_fields(dictionary.facts))
    return dag


def verify_dag(
    dag_id: str,
    *,
    project: Path,
    schedule: Any = EVERY_NIGHT,
    conn_id: str = "redshift_default",
    default_args: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Collection[str] = (),
    on_failure_callback: Callback | Sequence[Callback] = (),
    **dag_arguments: Any,
) -> DAG:
    """Return the DAG that compares each fact with its SELECT run in full, at night; the arguments are `cdc_dag`'s."""
    dictionary = load_dictionary(dictionary_path(project))
    settings = {"start_date": START, "catchup": False, "max_active_runs": 1}
    with DAG(
        dag_id,
        schedule=schedule,
        default_args={**RETRIES, **OUTLASTING, "project": project, "conn_id": conn_id, **(default_args or {})},
        tags={TAG, *tags},
        on_failure_callback=_behind_the_alert(on_failure_callback),
        **{**settings, **dag_arguments},
    ) as dag:
        verify = _add_verifications(dictionary)
        list(verify.values()) >> AlertOperator(task_id=ALERT).as_teardown()
    _add_form(dag, params, fact_fields(dictionary.facts))
    return dag


def _add_verifications(dictionary: Dictionary) -> dict[str, VerifyOperator]:
    with TaskGroup(VERIFY, tooltip="Compares each fact with its SELECT run in full"):
        return {
            fact: VerifyOperator(
                task_id=fact,
                fact=fact,
                trigger_rule=TriggerRule.NONE_FAILED,
                doc_md=dictionary.descriptions["facts"].get(fact),
            )
            for fact in dictionary.facts
        }


def _add_cycle(path: Path, dictionary: Dictionary, conn_id: str, fresh: Sequence[Asset] = ()) -> None:
    """Add the tasks of a cycle to the DAG whose context this is called in.

    `fresh` are the assets of which an event says that all facts are up to date: `prepare` raises it where a run ends
    with it, else the sync.
    """
    # The default arguments say which project and connection; the page finds them there.
    prepare = PrepareSensor(  # type: ignore[call-arg]
        task_id=PREPARE,
        mode="reschedule",
        poke_interval=ASK_FOR_LEASE.total_seconds(),
        timeout=WAIT_FOR_LEASE.total_seconds(),
        outlets=[*fresh],
    )
    with TaskGroup(DETECT, tooltip="Compares each source with its baseline") as detections:
        detect = {
            source: DetectOperator(task_id=source, source=source, doc_md=dictionary.descriptions["sources"].get(source))
            for source in dictionary.sources
        }
    with TaskGroup(UPDATE, tooltip="Brings each fact up to date from the changes that feed it") as updates:
        update = {
            fact: UpdateOperator(
                task_id=fact,
                fact=fact,
                dictionary=path,
                outlets=[_asset(conn_id, fact)],
                trigger_rule=TriggerRule.NONE_FAILED,
                doc_md=dictionary.descriptions["facts"].get(fact),
            )
            for fact in dictionary.facts
        }
    # It syncs what failed facts do not read, and fails then.
    sync = SyncOperator(task_id=SYNC, dictionary=path, trigger_rule=TriggerRule.ALL_DONE, outlets=[*fresh])
    cleanup = CleanupOperator(task_id=CLEANUP, on_failure_callback=alerts.cleanup_failed)  # type: ignore[call-arg]

    # Whole groups where all of one is meant: the UI draws one edge then.
    prepare >> detections
    for fact, task in update.items():
        [detect[source] for source in dictionary.feeding(fact)] >> task
    # A baseline moves only when every fact that reads it has been brought up to what its change set holds. Not behind
    # the updates alone: Airflow gives one up as soon as one detection has failed, while others of it still work.
    [detections, updates] >> sync
    # A teardown runs after a failure as well, and its own success does not make a failed run look like a good one.
    # The sync, failed or not, is over when all other tasks are: none is left that needs the lease.
    sync >> cleanup.as_teardown()


def _asset(conn_id: str, fact: str) -> Asset:
    """Return the asset that a fact is: one for all DAGs that write it, another in another warehouse."""
    return Asset(f"{conn_id}.{fact}")


def _add_form(dag: DAG, params: Mapping[str, Any] | None, fields: Mapping[str, Param]) -> None:
    """Let the trigger form of a DAG have the user's fields, and the engine's own.

    Behind the tasks: of what a DAG has before, Airflow makes each task three copies, and stores one of them with it.
    """
    form = ParamsDict(dag.params)
    form.update({**(params or {}), **fields})
    dag.params = form


def _behind_the_alert(callbacks: Callback | Sequence[Callback]) -> list[Callback]:
    """Return the callbacks of a failed run: the alert first, which another's error must not keep away."""
    return [alerts.run_failed, *(callbacks if isinstance(callbacks, Sequence) else [callbacks])]

"""Fills Airflow's own database as its processes do: DAGs as they are parsed, runs with what their tasks hand on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.models.errors import ParseImportError
from airflow.models.taskinstance import TaskInstance, uuid7
from airflow.models.xcom import XComModel
from airflow.sdk import DAG
from airflow.utils.session import create_session
from sqlalchemy import func, insert, select, update

from surgical_cdc.dag.handover import SUMMARY_KEY, SYNC
from surgical_cdc.dictionary import EVERY_COLUMN, Dictionary, dictionary_path, dump_dictionary

HALF_HOUR = timedelta(minutes=30)
# The one that Airflow has without any setting.
BUNDLE = "dags-folder"
# SQLite binds at most as many values in one statement.
ROWS = 1_000


@dataclass(frozen=True)
class WrittenRun:
    """A run with what its tasks have handed on: task id -> key -> value."""

    due: datetime
    state: str = "success"
    run_type: str = "scheduled"
    conf: Mapping[str, Any] = field(default_factory=dict)
    handed_on: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    run_id: str = ""

    @property
    def name(self) -> str:
        """The run's id."""
        return self.run_id or f"{self.run_type}__{self.due.isoformat()}"


def ended(due: datetime, summary: Mapping[str, Any], *, task_id: str = SYNC, **values: Any) -> WrittenRun:
    """Return a run of which one task has handed on the summary, with what the summary needs."""
    names = {"dag_id": "any", "run_id": "any", "token": "0" * 12}
    whole = {**names, "window_end": due.replace(tzinfo=None).isoformat(), "result": "success", **summary}
    state = "failed" if whole["result"] in {"failed", "in part"} else "success"
    return WrittenRun(**{"due": due, "state": state, "handed_on": {task_id: {SUMMARY_KEY: whole}}, **values})


def write_dags(*dags: DAG) -> None:
    """Put DAGs into the database as the DAG processor does."""
    with create_session() as session:
        session.merge(DagBundleModel(name=BUNDLE))
    bag = DagBag("/dev/null", bundle_name=BUNDLE)
    for dag in dags:
        dag.relative_fileloc = f"{dag.dag_id}.py"
        bag.bag_dag(dag)
    sync_bag_to_db(bag, BUNDLE, None)
    with create_session() as session:
        errors = session.scalars(select(ParseImportError.stacktrace)).all()
    assert not errors, errors


def remove_dag(dag_id: str) -> None:
    """Take a DAG away as the DAG processor does when its file is gone."""
    with create_session() as session:
        session.execute(update(DagModel).where(DagModel.dag_id == dag_id).values(is_stale=True))


def write_runs(dag_id: str, runs: Iterable[WrittenRun]) -> None:
    """Put runs of a DAG into the database, the first as the oldest."""
    with create_session() as session:
        number = session.scalar(select(func.max(DagRun.id))) or 0
    rows: dict[Any, list[dict[str, Any]]] = {DagRun: [], TaskInstance: [], XComModel: []}
    for number, run in enumerate(runs, number + 1):  # noqa: B020 - it goes on where the database is
        rows[DagRun].append(
            {
                "id": number,
                "dag_id": dag_id,
                "run_id": run.name,
                "run_type": run.run_type,
                "state": run.state,
                "run_after": run.due,
                "logical_date": run.due - HALF_HOUR if run.run_type == "scheduled" else None,
                "data_interval_start": run.due - HALF_HOUR if run.run_type == "scheduled" else None,
                "data_interval_end": run.due if run.run_type == "scheduled" else None,
                "conf": dict(run.conf),
                "clear_number": 0,
                "span_status": "not_started",
            }
        )
        for task_id, values in run.handed_on.items():
            place = {"dag_id": dag_id, "run_id": run.name, "task_id": task_id, "map_index": -1}
            task = {"id": uuid7(), "state": run.state, "pool": "default_pool", "pool_slots": 1, "try_number": 1}
            rows[TaskInstance].append({**place, **task, "max_tries": 0, "span_status": "not_started"})
            rows[XComModel] += [
                {**place, "dag_run_id": number, "key": key, "value": value, "timestamp": run.due}
                for key, value in values.items()
            ]
    with create_session() as session:
        for model, lines in rows.items():
            for first in range(0, len(lines), ROWS):
                session.execute(insert(model.__table__), lines[first : first + ROWS])


def write_project(folder: Path, feeding: Mapping[str, Sequence[str]]) -> Path:
    """Write what a DAG file reads of a compiled project: its dictionary, for facts and the sources that they read."""
    sources = sorted({source for read in feeding.values() for source in read})
    feeds = {
        source: {"id": {fact: EVERY_COLUMN for fact, read in feeding.items() if source in read}} for source in sources
    }
    path = dictionary_path(folder)
    path.parent.mkdir(parents=True)
    path.write_text(dump_dictionary(Dictionary(tuple(feeding), {}, {}, (), feeds, "0" * 16)))
    return folder

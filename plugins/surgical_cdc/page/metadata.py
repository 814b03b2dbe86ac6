"""Reads Airflow's database: which DAGs are ours, what their last runs did, and when facts were verified.

Every statement reads a bounded number of rows by an index, however many runs there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.models.dag import DagModel, DagTag
from airflow.models.dagrun import DagRun
from airflow.models.serialized_dag import SerializedDagModel
from airflow.models.xcom import XComModel
from pydantic import ValidationError
from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from surgical_cdc.dag.form import UNDOES_FIELD
from surgical_cdc.dag.handover import CLEANUP, DETECT, ERROR_KEY, PREPARE, SUMMARY_KEY, SYNC, TAG, UPDATE, VERIFY
from surgical_cdc.values import FAILED, IN_PART, NOTHING_NEW, RUN, SUCCESS, UNDO, RunSummary

# How many runs of a refresh DAG are looked through for the last verification of each fact.
VERIFYING_RUNS = 100
ENDED = frozenset({"success", "failed"})
# The key of what a task returns; a verification that finds a difference raises.
_EQUAL = "return_value"


@dataclass(frozen=True)
class Deployment:
    """Whose facts a DAG keeps: the folder of the project, and the connection of the warehouse."""

    project: str
    conn_id: str


@dataclass(frozen=True)
class Cycle:
    """A DAG that keeps facts up to date; `feeding` has the sources that each fact reads.

    `refreshing` are the ids of the DAGs that build and verify the same facts, `undoing` of those that undo its runs.
    """

    dag_id: str
    deployment: Deployment
    sources: tuple[str, ...]
    feeding: Mapping[str, tuple[str, ...]]
    refreshing: tuple[str, ...] = ()
    undoing: tuple[str, ...] = ()

    @property
    def running(self) -> tuple[str, ...]:
        """Ids of the DAGs whose runs change the facts step by step: its own, and those that undo."""
        return (self.dag_id, *self.undoing)

    @property
    def facts(self) -> tuple[str, ...]:
        """All facts of the DAG."""
        return tuple(self.feeding)


@dataclass(frozen=True)
class PastRun:
    """A run of a cycle, also one that has not ended.

    `number` grows with the time at which Airflow made it. `kind` is `run` or `undo`. `is_whole` says that its form left
    out no source.
    `said` is its RunSummary as it travels, in which what is zero or empty is missing: of hundreds of facts and runs, to
    make values of it all would take seconds. It is empty for a run that has not ended, or was killed before it could
    say what it did.
    """

    dag_id: str
    run_id: str
    number: int
    kind: str
    run_type: str
    state: str
    due: datetime
    interval: timedelta | None
    is_whole: bool
    said: Mapping[str, Any]

    @property
    def key(self) -> str:
        """What people know it by."""
        return f"{self.dag_id}/{self.run_id}"

    @property
    def result(self) -> str:
        """How it ended, in a word or two; Airflow's state where it did not say so itself."""
        return str(self.said.get("result", self.state))

    @property
    def has_ended(self) -> bool:
        """Whether Airflow is done with it."""
        return self.state in ENDED

    @property
    def has_failed(self) -> bool:
        """Whether something of it has failed."""
        return self.state == FAILED or self.result in {FAILED, IN_PART}

    @property
    def time(self) -> datetime:
        """The end of its window; when it was due where nobody knows that."""
        end = self.said.get("window_end")
        return datetime.fromisoformat(end).replace(tzinfo=UTC) if end else self.due

    @property
    def seconds(self) -> float:
        """Wall seconds of its phases."""
        return float(sum(self.said.get("seconds", {}).values()))

    def fact(self, name: str) -> Mapping[str, Any] | None:
        """Return what it did to a fact, None if it does not say."""
        done: Mapping[str, Any] | None = self.said.get("facts", {}).get(name)
        return done

    def rows(self, fact: str) -> int:
        """Return how many rows of a fact it wrote."""
        done = self.fact(fact) or {}
        return sum(done.get(kind, 0) for kind in ("inserted", "updated", "deleted"))

    def shows(self, fact: str) -> bool:
        """Return whether the fact shows all that was staged until the end of the run's window."""
        if self.kind == UNDO or not self.is_whole or "window_start" in self.said:
            return False
        if self.result in {SUCCESS, NOTHING_NEW}:
            return True
        done = self.fact(fact)
        return self.result == IN_PART and done is not None and not done.get("failed")

    def summary(self) -> RunSummary | None:
        """Return what it said, as a value; None if it has said nothing that this engine can read."""
        try:
            return RunSummary.model_validate(self.said)
        except ValidationError:
            return None


@dataclass(frozen=True)
class Verified:
    """When a fact was last found equal to its SELECT, and what a later verification said that was not."""

    equal_at: datetime | None = None
    error: str = ""


def cycles(session: Session, *, is_readable: Callable[[str], bool]) -> list[Cycle]:
    """Return the DAGs of `cdc_dag` that the user may read, by id, as they are today."""
    tagged = select(DagTag.dag_id).join(DagModel, DagModel.dag_id == DagTag.dag_id)
    present = session.scalars(tagged.where(DagTag.name == TAG, ~DagModel.is_stale)).all()
    dag_ids = [dag_id for dag_id in present if is_readable(dag_id)]
    found = SerializedDagModel.get_latest_serialized_dags(dag_ids=dag_ids, session=session)
    data = {one.dag_id: one.data for one in sorted(found, key=lambda one: one.dag_id) if one.data}
    tasks = {dag_id: _tasks(dag) for dag_id, dag in data.items()}
    deployments = {dag_id: _deployment(dag) for dag_id, dag in data.items()}
    undoing = [dag_id for dag_id, dag in data.items() if UNDOES_FIELD in _fields(dag)]
    refreshing = [dag_id for dag_id, downstream in tasks.items() if PREPARE not in downstream]

    def beside(dag_id: str, others: Iterable[str]) -> tuple[str, ...]:
        return tuple(other for other in others if deployments[other] == deployments[dag_id])

    return [
        Cycle(
            dag_id,
            deployments[dag_id],
            sources=tuple(_names(downstream, DETECT)),
            feeding=_feeding(downstream),
            refreshing=beside(dag_id, refreshing),
            undoing=beside(dag_id, undoing),
        )
        for dag_id, downstream in tasks.items()
        if dag_id not in undoing and dag_id not in refreshing
    ]


def last_active(session: Session, cycles: Sequence[Cycle]) -> Cycle | None:
    """Return the DAG that ran last, the first where none has run, None where there is none."""
    ours = {cycle.dag_id: cycle for cycle in cycles}
    newest = select(DagRun.dag_id).where(DagRun.dag_id.in_(ours)).order_by(DagRun.id.desc()).limit(1)
    return ours.get(session.scalar(newest) or "", next(iter(cycles), None))


def last_runs(session: Session, cycle: Cycle, *, limit: int) -> list[PastRun]:
    """Return the last runs of a cycle and its undos, the newest first, each with what it did; `limit` at most."""
    return _with_summaries(session, cycle, _newest(session, cycle, _RUN, limit))


def timed_runs(session: Session, cycle: Cycle, *, limit: int, since: datetime) -> list[PastRun]:
    """Return the last runs of a cycle, without undos, that were due since a time, the newest first.

    Of what each did there are the seconds and the rows alone, which the database takes out of the summaries.
    """
    newest = select(*_RUN).where(DagRun.dag_id == cycle.dag_id, DagRun.run_after >= since)
    chosen = session.execute(newest.order_by(DagRun.id.desc()).limit(limit)).all()
    return _with_summaries(session, cycle, chosen, parts=("result", "seconds", "written"))


def one_run(session: Session, cycle: Cycle, key: str) -> PastRun | None:
    """Return a run of a cycle, or an undo of it, with its summary by its key; None if there is none."""
    dag_id, _, run_id = key.partition("/")
    if dag_id not in cycle.running:
        return None
    chosen = select(*_RUN).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
    return next(iter(_with_summaries(session, cycle, session.execute(chosen).all())), None)


def run_keys(session: Session, cycle: Cycle, *, limit: int) -> list[tuple[str, datetime]]:
    """Return the keys of a cycle's last runs and undos, the newest first, with the time at which each was due."""
    columns = (DagRun.id, DagRun.dag_id, DagRun.run_id, DagRun.run_after)
    return [(f"{row.dag_id}/{row.run_id}", row.run_after) for row in _newest(session, cycle, columns, limit)]


def undone_by(session: Session, cycle: Cycle, key: str, *, limit: int) -> list[PastRun]:
    """Return which of the last undos have taken a run back, the newest first; `limit` is how many are looked at."""
    undos = [row for dag_id in cycle.undoing for row in _newest_of(session, dag_id, _RUN, limit)]
    return [
        run
        for run in _with_summaries(session, cycle, undos, parts=("result", "undoes"))
        if run.said.get("undoes") == key and run.result == SUCCESS
    ]


def _newest(session: Session, cycle: Cycle, columns: Sequence[Any], limit: int) -> list[Any]:
    """Return columns of the last runs of a cycle and its undos; of each DAG as many are read by its index."""
    found = [row for dag_id in cycle.running for row in _newest_of(session, dag_id, columns, limit)]
    return sorted(found, key=lambda row: -row.id)[:limit]


def _newest_of(session: Session, dag_id: str, columns: Sequence[Any], limit: int) -> Sequence[Any]:
    newest = select(*columns).where(DagRun.dag_id == dag_id).order_by(DagRun.id.desc())
    return session.execute(newest.limit(limit)).all()


def errors(session: Session, run: PastRun) -> dict[str, str]:
    """Return the failed tasks of a run, each with its error in a sentence."""
    said = select(XComModel.task_id, XComModel.value).where(
        XComModel.dag_run_id == run.number, XComModel.key == ERROR_KEY
    )
    return {task_id: str(error) for task_id, error in session.execute(said)}


def verified(session: Session, cycle: Cycle) -> dict[str, Verified]:
    """Return what the last runs of its refresh DAGs have found of each fact; those that were not verified are missing.

    A verification hands on a value, or its error.
    """
    newest = (
        select(DagRun.id).where(DagRun.dag_id.in_(cycle.refreshing)).order_by(DagRun.id.desc()).limit(VERIFYING_RUNS)
    )
    numbers = session.scalars(newest).all()
    ended = session.execute(
        select(XComModel.task_id, XComModel.key, func.max(XComModel.dag_run_id), func.max(XComModel.timestamp))
        .where(
            XComModel.dag_run_id.in_(numbers),
            XComModel.task_id.startswith(f"{VERIFY}.", autoescape=True),
            XComModel.key.in_((_EQUAL, ERROR_KEY)),
        )
        .group_by(XComModel.task_id, XComModel.key)
    ).all()
    equal = {task_id: (number, time) for task_id, key, number, time in ended if key == _EQUAL}
    failed = {task_id: number for task_id, key, number, _ in ended if key == ERROR_KEY}
    later = [(number, task_id) for task_id, number in failed.items() if number > equal.get(task_id, (0, None))[0]]
    errors = {
        task_id: str(error)
        for task_id, error in session.execute(
            select(XComModel.task_id, XComModel.value).where(
                tuple_(XComModel.dag_run_id, XComModel.task_id).in_(later), XComModel.key == ERROR_KEY
            )
        )
    }
    return {
        task_id.removeprefix(f"{VERIFY}."): Verified(equal.get(task_id, (0, None))[1], errors.get(task_id, ""))
        for task_id in equal.keys() | errors.keys()
    }


_RUN = (
    DagRun.id,
    DagRun.dag_id,
    DagRun.run_id,
    DagRun.run_type,
    DagRun.state,
    DagRun.run_after,
    DagRun.data_interval_start,
    DagRun.data_interval_end,
    DagRun.conf,
)


def _with_summaries(session: Session, cycle: Cycle, rows: Sequence[Any], parts: Sequence[str] = ()) -> list[PastRun]:
    """Return runs with what they said that they did, or some parts of it; of several summaries the latest counts."""
    columns: list[Any] = [XComModel.value[part] for part in parts] or [XComModel.value]
    found = session.execute(
        select(XComModel.dag_run_id, *columns)
        .where(
            XComModel.dag_run_id.in_([row.id for row in rows]),
            XComModel.task_id.in_((PREPARE, SYNC, CLEANUP)),
            XComModel.key == SUMMARY_KEY,
        )
        .order_by(XComModel.timestamp)
    )
    said: dict[int, Any] = {}
    for number, *values in found:
        said[number] = {name: value for name, value in zip(parts, values, strict=True) if value} if parts else values[0]
    return [_past_run(cycle, row, said.get(row.id)) for row in rows]


def _past_run(cycle: Cycle, row: Any, said: Any) -> PastRun:
    start, end = row.data_interval_start, row.data_interval_end
    chosen = row.conf.get("sources") if isinstance(row.conf, Mapping) else None
    return PastRun(
        dag_id=row.dag_id,
        run_id=row.run_id,
        number=row.id,
        kind=UNDO if row.dag_id in cycle.undoing else RUN,
        run_type=str(row.run_type),
        state=str(row.state),
        due=row.run_after,
        interval=end - start if start and end and end > start else None,
        is_whole=not chosen,
        # An XCom backend may have put a reference in its place.
        said=said if isinstance(said, Mapping) else {},
    )


def _deployment(data: Mapping[str, Any]) -> Deployment:
    """Return what the DAG's default arguments say of all its tasks."""
    arguments = data["dag"].get("default_args", {}).get("__var", {})
    return Deployment(str(arguments.get("project")), str(arguments.get("conn_id")))


def _fields(data: Mapping[str, Any]) -> list[str]:
    """Return the fields of the trigger form of a serialized DAG."""
    return [name for name, _ in data["dag"].get("params", ())]


def _tasks(data: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the tasks of a serialized DAG, each with those that come after it."""
    tasks = [task["__var"] for task in data["dag"]["tasks"]]
    return {task["task_id"]: task.get("downstream_task_ids", []) for task in tasks}


def _names(task_ids: Iterable[str], group: str) -> list[str]:
    """Return the names of a group's tasks."""
    return sorted(task_id.removeprefix(f"{group}.") for task_id in task_ids if task_id.startswith(f"{group}."))


def _feeding(downstream: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """Return the sources that each fact reads."""
    feeding: dict[str, list[str]] = {fact: [] for fact in _names(downstream, UPDATE)}
    for source in _names(downstream, DETECT):
        for fact in _names(downstream[f"{DETECT}.{source}"], UPDATE):
            feeding[fact].append(source)
    return {fact: tuple(sources) for fact, sources in feeding.items()}

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import (
    DAG,
    Asset,
    AssetOrTimeSchedule,
    AsyncCallback,
    BaseSensorOperator,
    CronDataIntervalTimetable,
    DeadlineAlert,
    DeadlineReference,
    Param,
    TriggerRule,
)
from airflow.sdk.definitions.param import process_params
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.dag_edges import dag_edges

from surgical_cdc.contract.project import DEFAULT_PROJECT
from surgical_cdc.dag import alerts
from surgical_cdc.dag.dags import cdc_dag, refresh_dag, undo_dag, verify_dag
from surgical_cdc.dag.form import FormError, run_of
from surgical_cdc.dag.operators import WarehouseTask
from surgical_cdc.dictionary import EVERY_COLUMN, Dictionary, dictionary_path, dump_dictionary, load_dictionary
from surgical_cdc.errors import AlertSettingError, AlreadySynced, DataError, LeaseError
from surgical_cdc.warehouse.advice import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow.sdk import Context

ROOT = Path(__file__).resolve().parents[2]
PARSE_SECONDS = 0.5
PARSE_PROBE = """
import sys, time
from airflow.sdk import DAG, Asset, BaseOperator, BaseSensorOperator, CronDataIntervalTimetable, Param, TaskGroup
started = time.process_time()
import {module}
seconds = time.process_time() - started
heavy = sorted({{"sqlglot", "redshift_connector", "sqlalchemy_redshift", "boto3", "openlineage"}} & sys.modules.keys())
hooks = [name for name in sys.modules if name.startswith("airflow.providers.") and ".hooks." in name]
assert len({module}.dag.tasks) > 6, "no DAG was made"
print(seconds, heavy + hooks)
"""


@pytest.fixture(scope="module")
def dags() -> dict[str, DAG]:
    """The DAGs of dags/ and those of the demo and the benchmark, by id."""
    found: dict[str, DAG] = {}
    for folder in ("dags", "demo/dags", "benchmarks/dags"):
        bag = DagBag(str(ROOT / folder))
        assert bag.import_errors == {}
        found |= bag.dags
    return found


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    """The dictionary of the vendor domain."""
    return load_dictionary(ROOT / "include" / "sql" / "cdc" / "dictionary.yaml")


def test_every_dag_file_gives_its_dag(dags: dict[str, DAG]) -> None:
    """Each DAG file can be imported and gives the DAG that is named like it."""
    files = [file for folder in ("dags", "demo/dags", "benchmarks/dags") for file in (ROOT / folder).glob("*.py")]
    assert sorted(dags) == sorted(file.stem for file in files)


@pytest.mark.parametrize(
    "dag_id", ["vendor_cdc", "vendor_cdc_refresh", "vendor_cdc_undo", "vendor_cdc_verify", "demo_feed"]
)
def test_a_dag_explains_itself(dags: dict[str, DAG], dag_id: str) -> None:
    """A DAG's file says in its docstring what the DAG does, and the UI shows that."""
    assert len(dags[dag_id].doc_md or "") > 200


def test_tasks_are_the_sources_and_facts_of_the_dictionary(dags: dict[str, DAG], dictionary: Dictionary) -> None:
    """There is one detection per source, one update per fact, and the three tasks around them."""
    expected = {f"detect.{source}" for source in dictionary.sources} | {f"update.{fact}" for fact in dictionary.facts}
    assert set(dags["vendor_cdc"].task_ids) == expected | {"prepare", "sync_public", "cleanup"}


def test_a_fact_waits_only_for_the_sources_that_feed_it(dags: dict[str, DAG], dictionary: Dictionary) -> None:
    """What is upstream of an update is what the dictionary says, nothing more."""
    dag = dags["vendor_cdc"]
    waits = {fact: dag.get_task(f"update.{fact}").upstream_task_ids for fact in dictionary.facts}
    assert waits == {fact: {f"detect.{source}" for source in dictionary.feeding(fact)} for fact in dictionary.facts}
    assert any(len(upstream) < len(dictionary.sources) for upstream in waits.values())


def test_the_baseline_moves_after_every_detection_and_update(dags: dict[str, DAG]) -> None:
    """sync_public waits for all of them, or it would move a baseline that a fact has yet to be compared with."""
    dag = dags["vendor_cdc"]
    work = {task_id for task_id in dag.task_ids if task_id.startswith(("detect.", "update."))}
    assert dag.get_task("sync_public").upstream_task_ids == work


def test_cleanup_can_not_decide_the_state_of_the_run(dags: dict[str, DAG]) -> None:
    """Cleanup runs after a failure too, so it is a teardown, whose success does not count."""
    cleanup = dags["vendor_cdc"].get_task("cleanup")
    assert cleanup.is_teardown
    assert not cleanup.on_failure_fail_dagrun


def test_cleanup_waits_for_everything_that_needs_the_lease(dags: dict[str, DAG]) -> None:
    """The sync begins, or is given up, when no detection and no update works any more; cleanup comes behind it."""
    dag = dags["vendor_cdc"]
    assert dag.get_task("sync_public").trigger_rule == TriggerRule.ALL_DONE
    assert dag.get_task("cleanup").upstream_task_ids == {"sync_public"}


def test_the_fields_of_the_form_are_kept_once(dags: dict[str, DAG]) -> None:
    """A task has those of its DAG when it runs, and no copy of them where Airflow stores the DAG."""
    stored = DagSerialization.to_json(dags["vendor_cdc"])
    assert stored.count('"Window start"') == 1
    assert len(stored) < 25_000
    params = process_params(
        dags["vendor_cdc"], dags["vendor_cdc"].get_task("detect.users"), {"dry_run": True}, suppress_exception=False
    )
    form = {"window_start": None, "window_end": None, "sources": [], "dry_run": True, "ignore_volume": False}
    assert params == form


@pytest.mark.parametrize(
    "schedule",
    [
        pytest.param([Asset("loaded")], id="assets"),
        pytest.param(
            AssetOrTimeSchedule(timetable=CronDataIntervalTimetable("0 * * * *", "UTC"), assets=[Asset("loaded")]),
            id="assets or time",
        ),
        pytest.param(CronDataIntervalTimetable("*/5 * * * *", "UTC"), id="timetable"),
        pytest.param("@hourly", id="preset"),
        pytest.param(None, id="none"),
    ],
)
def test_a_run_can_follow_whatever_airflow_can_follow(schedule: Any) -> None:
    """Assets, a timetable, a preset: all that `schedule` of a DAG may be."""
    dag = cdc_dag("vendor_cdc", project=DEFAULT_PROJECT, schedule=schedule)
    expected = CronDataIntervalTimetable("@hourly", "UTC") if isinstance(schedule, str) else schedule
    assert type(dag.timetable) is type(DAG("other", schedule=expected).timetable)
    assert DagSerialization.to_json(dag)


def test_arguments_of_a_dag_are_added_to_ours_or_take_their_place() -> None:
    """A field of the form and a callback come beside the engine's own; a start or a limit in their place."""
    told: list[Any] = []
    given: dict[str, Any] = {
        "project": DEFAULT_PROJECT,
        "params": {"ticket": Param("", type="string")},
        "on_failure_callback": told.append,
        "start_date": datetime(2026, 1, 1, tzinfo=UTC),
        "dagrun_timeout": timedelta(hours=1),
        "max_active_tasks": 4,
    }
    for dag, fields in (
        (cdc_dag("cycle", **given), ["ticket", "window_start", "window_end", "sources", "dry_run", "ignore_volume"]),
        (refresh_dag("refresh", **given), ["ticket", "facts"]),
    ):
        assert list(dag.params) == fields
        assert dag.on_failure_callback == [alerts.run_failed, told.append]
        assert (dag.start_date, dag.dagrun_timeout) == (given["start_date"], given["dagrun_timeout"])
        assert dag.max_active_tasks == 4


def test_a_field_without_a_value_is_refused_on_a_schedule() -> None:
    """A scheduled run has no form in which somebody could fill it in."""
    with pytest.raises(ValueError, match="not allowed to define a Schedule"):
        cdc_dag("cycle", project=DEFAULT_PROJECT, params={"ticket": Param(type="string")})


def test_a_deadline_goes_with_the_dag() -> None:
    """Airflow watches it: the run of a window is to be done an hour and a quarter after the window began."""
    deadline = DeadlineAlert(
        reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
        interval=timedelta(minutes=75),
        callback=AsyncCallback(SmtpNotifier, kwargs={"to": "oncall@example.com", "subject": "vendor_cdc is late"}),
    )
    dag = cdc_dag("cycle", project=DEFAULT_PROJECT, deadline=deadline)
    assert dag.deadline in (deadline, [deadline])
    stored = DagSerialization.to_json(dag)
    assert all(part in stored for part in ("DagRunLogicalDateDeadline", str(75 * 60), "vendor_cdc is late"))


def test_a_large_dag_stays_small_where_airflow_stores_and_draws_it(tmp_path: Path) -> None:
    """Of 300 sources and 100 facts: the edges that a graph draws between groups, all edges, and bytes.

    A field of the form, or a list of names, in each task would be megabytes.
    """
    sources, facts = [f"source_of_rows_{n}" for n in range(300)], [f"fact_of_rows_{n}" for n in range(100)]
    reads = {fact: [sources[(n * 7 + step) % 300] for step in range(5)] for n, fact in enumerate(facts)}
    feeds = {name: {"id": {fact: EVERY_COLUMN for fact in facts if name in reads[fact]}} for name in sources}
    said = {"sources": dict.fromkeys(sources, "A row is one of them. " * 5), "facts": dict.fromkeys(facts, "So. " * 50)}
    path = dictionary_path(tmp_path)
    path.parent.mkdir()
    path.write_text(dump_dictionary(Dictionary(tuple(facts), {}, {}, (), feeds, "0" * 16, said)))
    dag = cdc_dag("large", project=tmp_path)
    stored = DagSerialization.to_dict(dag)
    assert len(json.dumps(stored)) < 500_000
    assert not any(task.params for task in dag.tasks)
    edges = [(task.task_id, name) for task in dag.tasks for name in task.downstream_task_ids]
    assert len(edges) == 300 + 5 * 100 + (300 + 100) + 1
    drawn = [(edge["source_id"], edge["target_id"]) for edge in dag_edges(DagSerialization.from_dict(stored))]
    between = [ends for ends in drawn if len({name.partition(".")[0] for name in ends}) > 1]
    assert len(between) == 1 + 5 * 100 + 2 + 1


def test_a_task_shows_what_dbt_says_of_its_table(dags: dict[str, DAG], dictionary: Dictionary) -> None:
    """The description of a source or a model stands at each task that is about it."""
    facts, sources = dictionary.descriptions["facts"], dictionary.descriptions["sources"]
    assert facts["fact_vendor"].startswith("Vendors of the client")
    for dag_id, groups in {
        "vendor_cdc": {"detect": sources, "update": facts},
        "vendor_cdc_refresh": {"refresh": facts, "verify": facts},
        "vendor_cdc_verify": {"verify": facts},
    }.items():
        for group, said in groups.items():
            assert {name: dags[dag_id].get_task(f"{group}.{name}").doc_md for name in said} == said


@pytest.mark.parametrize("make", [cdc_dag, refresh_dag, undo_dag, verify_dag])
def test_default_arguments_reach_every_task(make: Callable[..., DAG]) -> None:
    """A pool bounds what all DAGs do in the warehouse at once, and an owner is whom to ask."""
    dag = make("made", project=DEFAULT_PROJECT, default_args={"pool": "warehouse", "owner": "finance"})
    assert {(task.pool, task.owner) for task in dag.tasks} == {("warehouse", "finance")}
    assert dag.get_task(dag.task_ids[0]).retries >= 3


def test_runs_have_a_window_of_half_an_hour_and_do_not_overlap(dags: dict[str, DAG]) -> None:
    """The schedule gives each run a data interval; no run is made up for, and one is active."""
    dag = dags["vendor_cdc"]
    assert dag.timetable == CronDataIntervalTimetable("*/30 * * * *", "UTC")
    assert dag.catchup is False
    assert dag.max_active_runs == 1
    prepare = dag.get_task("prepare")
    assert isinstance(prepare, BaseSensorOperator)
    assert prepare.mode == "reschedule"


def test_the_empty_cycle_has_the_shape_of_the_real_one(dags: dict[str, DAG]) -> None:
    """The benchmark compares like with like: tasks, edges, trigger rules."""
    real, empty = dags["vendor_cdc"], dags["empty_cycle"]

    def shape(dag: DAG) -> dict[str, tuple[set[str], str, bool]]:
        return {task.task_id: (task.upstream_task_ids, task.trigger_rule, task.is_teardown) for task in dag.tasks}

    assert shape(empty) == shape(real)
    assert not {type(task) for task in empty.tasks} & {type(task) for task in real.tasks}


@pytest.mark.parametrize("module", ["vendor_cdc", "vendor_cdc_refresh", "vendor_cdc_undo", "vendor_cdc_verify"])
def test_parsing_costs_neither_a_query_nor_the_compiler(module: str, tmp_path: Path) -> None:
    """A DAG file needs little time beyond importing Airflow, and no sqlglot, driver or hook; it has no connection."""
    probe = subprocess.run(
        [sys.executable, "-c", PARSE_PROBE.format(module=module)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": f"{ROOT / 'dags'}:{ROOT / 'plugins'}", "AIRFLOW_HOME": str(tmp_path)},
    )
    assert probe.returncode == 0, probe.stderr
    seconds, heavy = probe.stdout.split(" ", 1)
    assert heavy.strip() == "[]"
    assert float(seconds) < PARSE_SECONDS


class FakeDagRun:
    """The fields of a DAG run that decide its window."""

    dag_id = "vendor_cdc"
    run_id = "manual__1"

    def __init__(self, data_interval_end: datetime | None, conf: Mapping[str, Any] | None) -> None:
        self.data_interval_end = data_interval_end
        self.conf = conf
        self.run_after = datetime(2026, 3, 1, 12, 7, tzinfo=UTC)


def context_of(data_interval_end: datetime | None = None, **conf: Any) -> Any:
    """A task's context with the form's defaults, but for what the run was triggered with."""
    dag = cdc_dag("vendor_cdc", project=DEFAULT_PROJECT)
    return {"dag": dag, "dag_run": FakeDagRun(data_interval_end, conf or None), "params": {**dag.params, **conf}}


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        pytest.param(context_of(datetime(2026, 3, 1, 12, tzinfo=UTC)), (None, "12:00"), id="data interval"),
        pytest.param(context_of(), (None, "12:07"), id="no data interval"),
        pytest.param(context_of(window_end="2026-03-01T11:00:00Z"), (None, "11:00"), id="end of the form"),
        pytest.param(
            context_of(window_start="2026-03-01T13:00:00+05:30", window_end="2026-03-01T11:00:00Z"),
            ("07:30", "11:00"),
            id="another time zone",
        ),
        pytest.param(context_of(window_start="2026-03-01T12:00:00"), ("12:00", "12:07"), id="no time zone is UTC"),
    ],
)
def test_window_of_a_run(context: Any, expected: tuple[str | None, str]) -> None:
    """The window ends with the data interval, else when the run was due; it starts only where the form says so."""
    run = run_of(context, "token")
    assert run.window_end.tzinfo is None
    start = run.window_start
    assert (start and f"{start:%H:%M}", f"{run.window_end:%H:%M}") == expected


@pytest.mark.parametrize(
    ("conf", "message"),
    [
        pytest.param({"window_start": "2026-03-01T13:00:00Z"}, "is empty", id="start after end"),
        pytest.param({"window_start": "2026-03-01T12:07:00Z"}, "is empty", id="no length"),
        pytest.param({"window_end": "yesterday"}, "no time", id="no time"),
        pytest.param(
            {"dryrun": True, "sources": ["tags"], "x": 1},
            r"form does not: dryrun \(dry_run\?\), x\. Fields: window_start, .*, dry_run, ignore_volume\. Trigger",
            id="no field",
        ),
    ],
)
def test_a_form_that_can_not_be_followed_is_refused(conf: dict[str, Any], message: str) -> None:
    """The task checks the form again: conf can hold anything, and a dry run that is misspelled must not write."""
    with pytest.raises(FormError, match=message):
        run_of(context_of(**conf), "token")


@pytest.mark.parametrize("group", ["refresh", "verify"])
def test_a_refresh_is_not_asked_for_by_a_misspelled_field(group: str) -> None:
    """A run that was to be of one fact, by a field that the form does not have, builds nothing anew."""
    dag = refresh_dag("vendor_cdc_refresh", project=DEFAULT_PROJECT)
    context: Any = {
        "dag": dag,
        "dag_run": FakeDagRun(None, {"fact": "fact_vendor"}),
        "params": {**dag.params, "fact": "fact_vendor"},
        "run_id": FakeDagRun.run_id,
        "ti": SimpleNamespace(xcom_push=lambda *_, **__: None),
    }
    with pytest.raises(AirflowFailException, match=r"fact \(facts\?\)\. Fields: facts\."):
        dag.get_task(f"{group}.fact_vendor").execute(context)


def test_a_run_that_could_not_alert_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in the Variable is seen at once, not in the night in which a run fails."""
    monkeypatch.setenv("AIRFLOW_VAR_SURGICAL_CDC_ALERTS", '[{"via": "pigeon"}]')
    context = context_of() | {"run_id": FakeDagRun.run_id}
    with pytest.raises(AlertSettingError, match=r"surgical_cdc_alerts does not say whom to tell: target 1: .*pigeon"):
        context["dag"].get_task("prepare").poke(context)


def server_error(code: str, message: str, detail: str = "") -> Exception:
    """An error as the driver raises it for the server's answer."""
    from redshift_connector.error import ProgrammingError

    return ProgrammingError({"S": "ERROR", "C": code, "M": message, "D": detail})


class Failing(WarehouseTask):
    """A task whose work ends with an error."""

    def __init__(self, *, error: Exception, **arguments: Any) -> None:
        super().__init__(task_id="failing", project=DEFAULT_PROJECT, conn_id="redshift_default", **arguments)
        self.error = error

    def work(self, context: Context) -> None:  # noqa: ARG002 - the base class names it
        """Fail."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        pytest.param(server_error("XX000", "1023", "Serializable isolation violation"), True, id="1023"),
        pytest.param(server_error("40P01", "deadlock detected"), True, id="deadlock"),
        pytest.param(
            server_error("XX000", "could not complete because of conflict with concurrent transaction"), True, id="ddl"
        ),
        pytest.param(ConnectionResetError("gone"), True, id="connection"),
        pytest.param(LeaseError("another run"), True, id="lease"),
        pytest.param(FileNotFoundError(2, "gone", "include/dictionary.yaml"), False, id="no file"),
        pytest.param(server_error("42P01", 'relation "x" does not exist'), False, id="no table"),
        pytest.param(DataError("two rows"), False, id="data"),
        pytest.param(ValueError("bug"), False, id="bug"),
    ],
)
def test_only_what_may_go_away_is_retried(error: Exception, *, transient: bool) -> None:
    """A lost connection, a conflict or another run's lease is tried again; what a retry can not mend fails at once.

    What went wrong is left for the ledger and the alert either way.
    """
    handed_on: dict[str, Any] = {}
    context: Any = {"ti": SimpleNamespace(xcom_push=handed_on.__setitem__)}
    with pytest.raises(type(error) if transient else AirflowFailException) as raised:
        Failing(error=error).execute(context)
    assert error in (raised.value, raised.value.__cause__)
    assert handed_on == {"error": refusal(error)}


@pytest.mark.parametrize("error", [AirflowSkipException("no"), AlreadySynced("by another attempt")], ids=repr)
def test_what_has_nothing_to_do_is_skipped(error: Exception) -> None:
    """That is no failure, and leaves no error."""
    with pytest.raises(AirflowSkipException, match=str(error)):
        Failing(error=error).execute({})  # type: ignore[typeddict-item]

"""What is read of Airflow's database, and that it does not grow with the number of runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from airflow import settings
from airflow.utils.session import create_session
from sqlalchemy import Engine, event, text

from surgical_cdc.dag import cdc_dag, refresh_dag, undo_dag
from surgical_cdc.dictionary import dictionary_path, load_dictionary
from surgical_cdc.page import metadata
from surgical_cdc.page.facts import Light, facts_today
from surgical_cdc.page.metadata import Cycle
from tests.page.airflow_database import HALF_HOUR, WrittenRun, ended, remove_dag, write_dags, write_project, write_runs
from tests.page.conftest import Client
from tests.page.test_views import text as shown
from tests.page.world import END, VENDORS

Statement = tuple[str, Any]


@contextmanager
def statements() -> Iterator[list[Statement]]:
    """Collect what is sent to Airflow's database."""
    sent: list[Statement] = []

    def collect(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", collect)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", collect)


def cycles() -> dict[str, Cycle]:
    """Return our DAGs by id."""
    with create_session() as session:
        return {cycle.dag_id: cycle for cycle in metadata.cycles(session, is_readable=lambda _: True)}


@pytest.fixture
def small(database: None, tmp_path: Path) -> Iterator[str]:
    """A DAG of one fact, without runs."""
    # A name of its own for each test: Airflow's database is kept.
    dag_id = tmp_path.name
    write_dags(cdc_dag(dag_id, project=write_project(tmp_path / "sql", {"fact": ["orders"]})))
    yield dag_id
    remove_dag(dag_id)


def test_what_feeds_what_is_that_of_the_dictionary(database: None) -> None:
    """The flow's edges come from the tasks as Airflow has them."""
    dictionary = load_dictionary(dictionary_path(VENDORS))
    found = cycles()["vendor_cdc"]
    assert set(found.sources) == set(dictionary.sources)
    assert {fact: set(read) for fact, read in found.feeding.items()} == {
        fact: set(dictionary.feeding(fact)) for fact in dictionary.facts
    }


def test_a_refresh_dag_belongs_to_its_project_and_connection(database: None) -> None:
    """That of the same project on another warehouse says nothing of these facts."""
    write_dags(refresh_dag("elsewhere_refresh", project=VENDORS, conn_id="elsewhere"))
    found = cycles()
    assert found["vendor_cdc"].refreshing == ("vendor_cdc_refresh",)
    assert found["vendor_cdc"].undoing == ("vendor_cdc_undo",)
    assert found["shop_cdc"].refreshing == found["shop_cdc"].undoing == ()
    assert "vendor_cdc_undo" not in found
    remove_dag("elsewhere_refresh")


def test_a_dag_whose_file_is_gone_is_gone(small: str) -> None:
    """What Airflow no longer finds is not shown."""
    assert small in cycles()
    remove_dag(small)
    assert small not in cycles()


def test_the_latest_summary_of_a_run_counts(small: str) -> None:
    """A run that was cleared and failed then says so."""
    first, last = ({"window_end": "2026-03-01T12:00:00", "result": result} for result in ("success", "failed"))
    names = {"dag_id": small, "run_id": "1", "token": ""}
    handed_on = {task: {"summary": {**names, **said}} for task, said in (("sync_public", first), ("cleanup", last))}
    write_runs(small, [WrittenRun(END, handed_on=handed_on)])
    with create_session() as session:
        session.execute(
            text("UPDATE xcom SET timestamp = '2020-01-01' WHERE dag_id = :dag AND task_id = 'sync_public'"),
            {"dag": small},
        )
    with create_session() as session:
        (run,) = metadata.last_runs(session, cycles()[small], limit=10)
    assert run.result == "failed"


def test_a_run_over_chosen_sources_shows_no_fact(small: str) -> None:
    """What was left out may still be staged; so may what came before a window start."""
    every = {"facts": {"fact": {"updated": 1}}}
    runs = [
        ended(END - HALF_HOUR, every),
        ended(END, every, conf={"sources": ["orders"]}),
        ended(END, {**every, "window_start": "2026-03-01T12:00:00"}, run_type="manual"),
    ]
    write_runs(small, runs)
    with create_session() as session:
        newest_first = metadata.last_runs(session, cycles()[small], limit=10)
    assert [run.shows("fact") for run in newest_first] == [False, False, True]


@pytest.fixture
def undone(small: str, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A DAG and the one that undoes its runs: a run, and two undos of it of which the last was refused."""
    undo_id = f"{small}_undo"
    write_dags(undo_dag(undo_id, project=tmp_path / "sql"))
    write_runs(small, [ended(END - HALF_HOUR, {"facts": {"fact": {"updated": 3}}}, run_id="1")])
    undo = {"kind": "undo", "undoes": f"{small}/1", "facts": {"fact": {"updated": 2}}}
    refused = {"kind": "undo", "undoes": f"{small}/1", "result": "failed", "reason": "There is nothing to undo."}
    manual = {"run_type": "manual", "conf": {"run": f"{small}/1"}}
    write_runs(undo_id, [ended(END, undo, run_id="2", **manual), ended(END + HALF_HOUR, refused, run_id="3", **manual)])
    yield small, undo_id
    remove_dag(undo_id)


def test_undos_are_among_the_runs(as_user: Callable[[str], Client], undone: tuple[str, str]) -> None:
    """They have changed facts as runs do, but bring none up to date, and a refused one keeps none from being so."""
    dag_id, undo_id = undone
    cycle = cycles()[dag_id]
    with create_session() as session:
        runs = metadata.last_runs(session, cycle, limit=10)
        assert [run.key for run in metadata.undone_by(session, cycle, f"{dag_id}/1", limit=9)] == [f"{undo_id}/2"]
    assert [(run.key, run.kind) for run in runs] == [
        (f"{undo_id}/3", "undo"),
        (f"{undo_id}/2", "undo"),
        (f"{dag_id}/1", "run"),
    ]
    (fact,) = facts_today(cycle, runs, {}, {}, now=END)
    assert (fact.light, fact.fresh_to) == (Light.OK, END - HALF_HOUR)
    assert (fact.changed and fact.changed.key, fact.rows) == (f"{undo_id}/2", 2)
    client = as_user("viewer")
    assert f"It was taken back by {undo_id}/2" in shown(client.get("run", dag_id=dag_id, run=f"{dag_id}/1"))
    said = shown(client.get("run", dag_id=undo_id, run_id="2"))
    assert f"The undo of {dag_id}/1 has taken it back, and brought the facts up to date with that." in said
    changes = client.get("changes", dag_id=dag_id)
    assert "✕" not in re.findall(r'<td class="h\d"[^>]*>(.)', changes.text)
    assert "UTC, undo: success" in changes.text
    assert client.get("run", dag_id=dag_id, run="other/1").status_code == 404


@pytest.mark.parametrize("view", ["facts", "run", "changes", "speed"])
def test_more_runs_are_no_more_work(as_user: Callable[[str], Client], small: str, view: str) -> None:
    """With 2,000 runs a view sends the same statements, each of which finds its rows by an index."""
    client = as_user("viewer")
    write_runs(small, [ended(END - 3 * HALF_HOUR, {"seconds": {"sync": 1}})])
    client.get(view, dag_id=small)  # Airflow keeps which team a DAG belongs to
    with statements() as few:
        assert client.get(view, dag_id=small).status_code == 200
    write_runs(small, [ended(END - number * HALF_HOUR / 1000, {"seconds": {"sync": 1}}) for number in range(2_000)])
    with statements() as many:
        assert client.get(view, dag_id=small).status_code == 200
    assert Counter(shape(statement) for statement, _ in many) == Counter(shape(statement) for statement, _ in few)
    assert len(many) <= 20
    assert {name for statement, values in many for name in scanned(statement, values)} == set()


def shape(statement: str) -> str:
    """Return a statement without the number of its bound values."""
    return re.sub(r"\?(, \?)*", "?", statement)


def scanned(statement: str, parameters: Any) -> list[str]:
    """Return which of the tables that grow with the runs SQLite reads from end to end for a statement."""
    if not statement.lstrip().startswith("SELECT"):
        return []
    assert settings.engine
    with settings.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    return [found[1] for line in plan if (found := re.match(r"SCAN (dag_run|xcom|task_instance)\b", line[-1]))]

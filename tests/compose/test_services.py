"""The services of docker-compose.yaml at work: a run under Celery, what is killed, what is told."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from demo.feed import feed
from surgical_cdc.contract.project import load_project
from surgical_cdc.steps.verify import compare

if TYPE_CHECKING:
    from local_stack.airflow_api import AirflowApi
    from tests.compose.services import Services
    from tests.conftest import Connect, Report
    from tests.dag.receivers import Inbox

DAG, FACT = "vendor_cdc", "fact_company_profile"
UPDATE = f"update.{FACT}"
RUN_SECONDS = 240
# What a fact is late by where a worker's machine is lost.
NOTICED_SECONDS = 60
# Each takes a process that runs beside the service, every half minute.
CHECK_SECONDS = 2.0
PROJECT = load_project()

pytestmark = pytest.mark.timeout(900)


def wait_for(found: Callable[[], Any], what: str, seconds: float = RUN_SECONDS) -> float:
    """Wait until something is so, and return after how many seconds it was."""
    started = time.monotonic()
    while not found():
        assert time.monotonic() - started < seconds, f"waited {seconds} s for {what}"
        time.sleep(0.25)
    return time.monotonic() - started


def state_of(airflow: AirflowApi, run_id: str, task_id: str) -> str | None:
    """Return the state of a task of a run."""
    task = airflow.tasks(DAG, run_id).get(task_id)
    return task and task["state"]


def ended(airflow: AirflowApi, run_id: str) -> str:
    """Wait until a run has ended, and return its state."""
    return str(airflow.wait(DAG, run_id, seconds=RUN_SECONDS, check=lambda: None)["state"])


def equal_facts(connect: Connect) -> list[str]:
    """Return the facts that equal their SELECTs."""
    with closing(connect()) as warehouse, warehouse.transaction():
        return [name for name in PROJECT.facts if compare(PROJECT, name, warehouse).equal]


@pytest.fixture(scope="module")
def first_run(airflow: AirflowApi) -> str:
    """The first scheduled run after the DAG was un-paused, ended."""
    wait_for(lambda: airflow.dag(DAG), "the DAG")
    assert airflow.import_errors() == {}
    airflow.set_paused(DAG, paused=False)
    wait_for(lambda: airflow.runs(DAG), "a scheduled run")
    run_id = str(airflow.runs(DAG)[-1]["dag_run_id"])
    ended(airflow, run_id)
    return run_id


def test_the_first_run_under_celery_builds_all_facts(airflow: AirflowApi, first_run: str, connect: Connect) -> None:
    """No task of it is tried twice: the API server was warm when it was called healthy."""
    assert airflow.run(DAG, first_run)["state"] == "success"
    assert {name for name, task in airflow.tasks(DAG, first_run).items() if task["try_number"] > 1} == set()
    assert equal_facts(connect) == [*PROJECT.facts]


@pytest.mark.usefixtures("first_run")
def test_health_checks_are_cheap(services: Services, report: Report) -> None:
    """What all of them take together, every half minute, is a share of a processor that nobody notices."""
    taken = {name: services.seconds_of_check(name) for name in services.running}
    report("processor seconds of health checks: " + ", ".join(f"{name} {spent:.2f}" for name, spent in taken.items()))
    assert sum(taken.values()) < CHECK_SECONDS, taken


@contextmanager
def held(airflow: AirflowApi, connect: Connect) -> Iterator[str]:
    """Give a run whose update of a fact waits for a lock, which goes at the end."""
    feed(connect, changes=4, kinds=("edit_company",))
    with closing(connect()) as blocker, blocker.transaction():
        blocker.execute(f"LOCK TABLE {PROJECT.facts[FACT].relation}")
        run_id = airflow.trigger(DAG)
        wait_for(lambda: state_of(airflow, run_id, UPDATE) == "running", "the update")
        wait_for(lambda: process_of(airflow, run_id), "its process")
        yield run_id


def until_noticed(airflow: AirflowApi, run_id: str) -> float:
    """Return after how many seconds Airflow has noticed that the update is not working any more."""
    return wait_for(lambda: state_of(airflow, run_id, UPDATE) != "running", "the end of the task", NOTICED_SECONDS)


def process_of(airflow: AirflowApi, run_id: str) -> list[int]:
    """Return the processes in which the update's work is done."""
    title = f"airflow worker -- {airflow.tasks(DAG, run_id)[UPDATE]['id']}"
    lines = {process.pid: " ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])}
    return [pid for pid, line in lines.items() if title in line]


@pytest.mark.usefixtures("first_run")
def test_a_killed_task_is_tried_again(airflow: AirflowApi, connect: Connect, report: Report) -> None:
    """It is noticed, and its retry brings the fact up to date."""
    with held(airflow, connect) as run_id:
        for pid in process_of(airflow, run_id):
            os.kill(pid, signal.SIGKILL)
        noticed = until_noticed(airflow, run_id)
    report(f"a killed task is noticed after {noticed:.0f} s")
    assert ended(airflow, run_id) == "success"
    assert airflow.tasks(DAG, run_id)[UPDATE]["try_number"] == 2
    assert equal_facts(connect) == [*PROJECT.facts]


@pytest.mark.usefixtures("first_run")
def test_a_killed_worker_is_noticed_within_a_minute(
    services: Services, airflow: AirflowApi, connect: Connect, report: Report
) -> None:
    """Its task is tried again by the next worker."""
    with held(airflow, connect) as run_id:
        services.kill("airflow-worker")
        noticed = until_noticed(airflow, run_id)
        services.start("airflow-worker")
    report(f"a killed worker is noticed after {noticed:.0f} s")
    assert ended(airflow, run_id) == "success"
    assert equal_facts(connect) == [*PROJECT.facts]


@pytest.mark.usefixtures("first_run")
def test_an_alert_arrives(airflow: AirflowApi, connect: Connect, inbox: Inbox) -> None:
    """A run that fails is told of by mail."""
    with closing(connect()) as warehouse:
        with warehouse.transaction():
            warehouse.execute("ALTER TABLE public.companies RENAME COLUMN phone TO telephone")
        run_id = airflow.trigger(DAG)
        assert ended(airflow, run_id) == "failed"
        assert "public.companies" in inbox.wait_for(run_id).text
        with warehouse.transaction():
            warehouse.execute("ALTER TABLE public.companies RENAME COLUMN telephone TO phone")

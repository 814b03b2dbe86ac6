"""One real Airflow for all tests of this folder, with its own stand-in for Redshift."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redshift_connector.error import InterfaceError

from demo.feed import feed
from local_stack import LocalStack, StackError
from local_stack.demonstration import avoid_the_schedule, start
from surgical_cdc.warehouse.session import Warehouse
from tests.conftest import LIBRARY, SHOP, Connect
from tests.dag import collectors
from tests.dag.collectors import Collector
from tests.dag.receivers import Inbox, http_server, smtp_server, sns_server

DAGS = Path(__file__).parent / "dags"
COMPANIES = 200
RUN_SECONDS = 120
# No test of one DAG takes longer, beside other tests on a slow machine.
TEST_SECONDS = 90
# Nothing listens there: this target fails, and the others must not notice.
DEAD_TARGET = {"via": "smtp", "to": ["nobody@example.com"], "conn_id": "smtp_dead"}
DEAD_CONNECTION = {"conn_type": "smtp", "host": "127.0.0.1", "port": 9, "extra": {"from_email": "cdc@example.com"}}


@dataclass(frozen=True)
class DagUnderTest:
    """A DAG in the running Airflow, with what tests do to it and read from it."""

    stack: LocalStack
    dag_id: str

    def trigger(self, conf: dict[str, Any] | None = None, **fields: Any) -> str:
        """Start a run, without a logical date unless it is among the `fields`, and return its id."""
        return self.stack.airflow.trigger(self.dag_id, conf, **fields)

    def wait(self, run_id: str) -> str:
        """Wait until a run has ended and return its state."""
        ended = self.stack.airflow.wait(self.dag_id, run_id, seconds=RUN_SECONDS, check=self.stack.check)
        return str(ended["state"])

    def wait_for_state(self, run_id: str, task_id: str, *states: str) -> None:
        """Wait until a task is in one of these states."""
        self.stack.wait_for(
            lambda: self.states(run_id).get(task_id) in states, f"{task_id} to be {states}", seconds=RUN_SECONDS
        )

    def run(self, conf: dict[str, Any] | None = None, **fields: Any) -> tuple[str, str]:
        """Trigger a run, wait for it, and return its id and state."""
        run_id = self.trigger(conf, **fields)
        return run_id, self.wait(run_id)

    def states(self, run_id: str) -> dict[str, str]:
        """Return the state of each task of a run."""
        return {task_id: task["state"] for task_id, task in self.stack.airflow.tasks(self.dag_id, run_id).items()}

    def value(self, run_id: str, task_id: str, key: str = "return_value") -> Any:
        """Return what a task has handed on."""
        return self.stack.airflow.xcom(self.dag_id, run_id, task_id, key)

    def group(self, run_id: str, group: str) -> dict[str, Any]:
        """Return what the tasks of a group have handed on, by the name of source or fact."""
        names = [task_id for task_id in self.states(run_id) if task_id.startswith(f"{group}.")]
        return {task_id.partition(".")[2]: self.value(run_id, task_id) for task_id in names}

    def log(self, run_id: str, task_id: str) -> str:
        """Return the log of a task's first try."""
        return self.stack.airflow.log(self.dag_id, run_id, task_id)

    def wait_until_told(self, run_id: str, task_id: str) -> None:
        """Wait until the DAG's callback of a failed run has found that this task has told of it."""
        told = f"Run {run_id} of {self.dag_id} has been told of by its {task_id}"
        logs = self.stack.home / "logs" / "dag_processor"

        def logged() -> str:
            return "".join(log.read_text() for log in logs.rglob("*.py.log"))

        try:
            self.stack.wait_for(lambda: told in logged(), "the DAG's callback", seconds=RUN_SECONDS)
        except StackError as error:
            raise AssertionError(f"{error}\n{logged()[-5000:]}") from error


@pytest.fixture(scope="session")
def inboxes() -> Iterator[dict[str, Inbox]]:
    """What alerts arrive at, by the kind of target."""
    with ExitStack() as servers:
        yield {
            "smtp": servers.enter_context(smtp_server()),
            "sns": servers.enter_context(sns_server()),
            "apprise": servers.enter_context(http_server()),
        }


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """What metrics arrive at: StatsD, or what METRICS names, as Airflow sends them to one place alone."""
    with getattr(collectors, os.environ.get("METRICS", "statsd"))() as running:
        yield running


@pytest.fixture(scope="session")
def shop_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bookshop's dbt project with its compiled folder."""
    folder = tmp_path_factory.mktemp("shop") / "sql"
    shutil.copytree(SHOP, folder)
    return folder


@pytest.fixture(scope="session")
def library_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lending library's dbt project with its committed folder `cdc`."""
    folder = tmp_path_factory.mktemp("library") / "library"
    shutil.copytree(LIBRARY.parent, folder)
    return folder / "sql"


@pytest.fixture(scope="package")
def stack(  # noqa: PLR0917 - pytest passes its fixtures
    tmp_path_factory: pytest.TempPathFactory,
    recordings: Path,
    inboxes: dict[str, Inbox],
    collector: Collector,
    shop_project: Path,
    library_project: Path,
) -> Iterator[LocalStack]:
    """The stack of `make run` with a small demo warehouse, the bookshop's DAGs, and targets for alerts."""
    targets = [DEAD_TARGET, *(inbox.target for inbox in inboxes.values())]
    connections = {
        "SMTP_DEAD": DEAD_CONNECTION,
        "SMTP_DEFAULT": inboxes["smtp"].connection,
        "AWS_DEFAULT": inboxes["sns"].connection,
        "APPRISE_DEFAULT": inboxes["apprise"].connection,
    }
    environment = {f"AIRFLOW_CONN_{name}": json.dumps(connection) for name, connection in connections.items()} | {
        "AIRFLOW_VAR_SURGICAL_CDC_ALERTS": json.dumps(targets),
        # No DAG file changes while the tests run, but a callback that comes while its file is processed waits for
        # the file's next turn.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        **collector.environment,
        "SHOP_PROJECT": str(shop_project),
        "LIBRARY_PROJECT": str(library_project),
    }
    data, record = tmp_path_factory.mktemp("stack"), recordings / "airflow.jsonl"
    with LocalStack(data, record=record, bundles={"tests": DAGS}, environment=environment) as running:
        paused = ("vendor_cdc_refresh", "vendor_cdc_undo", "shop_cdc", "shop_refresh", "shop_verify", "library_cdc")
        start(running, companies=COMPANIES, dag_ids=("vendor_cdc", *paused))
        for dag_id in paused:
            running.airflow.set_paused(dag_id, paused=False)
        yield running


@pytest.fixture
def connect(stack: LocalStack) -> Iterator[Connect]:
    """Open a session of the stack's warehouse; those that a test leaves open are closed after it."""
    opened: list[Warehouse] = []

    def open_session() -> Warehouse:
        opened.append(stack.connect())
        return opened[-1]

    yield open_session
    for warehouse in opened:
        with suppress(InterfaceError):  # closed already
            warehouse.close()


@pytest.fixture(scope="module")
def scheduled(stack: LocalStack) -> Iterator[DagUnderTest]:
    """vendor_cdc, un-paused, its first scheduled run done."""
    stack.airflow.set_paused("vendor_cdc", paused=False)
    stack.wait_for(lambda: stack.airflow.runs("vendor_cdc"), "a scheduled run of vendor_cdc")
    dag = DagUnderTest(stack, "vendor_cdc")
    dag.wait(stack.airflow.runs("vendor_cdc")[-1]["dag_run_id"])
    yield dag
    stack.airflow.set_paused("vendor_cdc", paused=True)


@pytest.fixture
def vendor_cdc(scheduled: DagUnderTest) -> DagUnderTest:
    """vendor_cdc, with time for a test until its next scheduled run, which would take what the test stages."""
    avoid_the_schedule(scheduled.stack, seconds=TEST_SECONDS)
    return scheduled


@pytest.fixture
def shop_cdc(stack: LocalStack) -> DagUnderTest:
    """The cycle of the bookshop, which runs when it is triggered."""
    return DagUnderTest(stack, "shop_cdc")


@pytest.fixture
def stage(stack: LocalStack) -> Callable[..., dict[str, dict[str, int]]]:
    """Stage some changes of given kinds in the vendor warehouse, as the upstream ETL would."""

    def stage(*kinds: str, changes: int = 5) -> dict[str, dict[str, int]]:
        return feed(stack.connect, changes=changes, kinds=kinds)

    return stage

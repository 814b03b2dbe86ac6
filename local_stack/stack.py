"""The stack: the stand-in for Redshift, the demo warehouse and Airflow, started in order and stopped together."""

from __future__ import annotations

import fcntl
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import redshift_connector

from local_redshift import LocalRedshift, LocalRedshiftError
from local_stack.airflow_api import POLL_SECONDS, AirflowApi, time_of
from local_stack.errors import StackError
from local_stack.programs import Program
from local_stack.settings import USER, airflow_environment, password
from surgical_cdc.warehouse.connection import session
from surgical_cdc.warehouse.session import Warehouse

MIGRATE_SECONDS = 300
START_SECONDS = 180
# How long a program may take to end by itself. The scheduler lets the running tasks end first. The API server, which
# they report to, has nothing to lose then, and would take seconds to free its memory.
STOP_SECONDS = {"scheduler": 10.0, "triggerer": 1.0, "dag-processor": 1.0, "db-migrate": 1.0, "api-server": 0.0}
# The scheduler first, while its tasks can still report to the API server.
PROGRAMS = {
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "triggerer": ("triggerer", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "api-server": ("api-server",),
}
# What the health page calls the programs that report to the database.
REPORTING = ("scheduler", "dag_processor", "triggerer")

Say = Callable[[str], None]


class LocalStack:
    """The stand-in for Redshift and Airflow with all their state in one folder; a context manager that stops both."""

    user = USER

    def __init__(
        self,
        data: Path,
        *,
        port: int = 0,
        redshift_port: int = 0,
        record: Path | None = None,
        bundles: Mapping[str, Path] | None = None,
        environment: Mapping[str, str] | None = None,
        say: Say = print,
    ) -> None:
        """Describe the stack; nothing is started yet.

        Args:
            data: folder of all state; made if it does not exist.
            port: of Airflow's API server and UI; 0 takes a free one.
            redshift_port: of the stand-in; 0 takes a free one.
            record: file that each distinct statement sent to the stand-in is appended to.
            bundles: further folders of DAGs besides dags/, by name.
            environment: further variables for Airflow, such as AIRFLOW_VAR_ and AIRFLOW_CONN_.
            say: is given one line for each thing that is done.
        """
        self.data = data.expanduser().resolve()
        self.home = self.data / "airflow"
        self.logs = self.data / "logs"
        self.port = port or _free_port()
        self.environment: dict[str, str] = {}
        self._bundles = dict(bundles or {})
        self._further_environment = dict(environment or {})
        self.say = say
        self._redshift = LocalRedshift(data=self.data / "redshift", port=redshift_port, record=record)
        self._programs: list[Program] = []
        self._lock: IO[str] | None = None
        self.airflow: AirflowApi

    @property
    def url(self) -> str:
        """Address of Airflow's UI."""
        return f"http://localhost:{self.port}"

    @property
    def password(self) -> str:
        """Password of the user `admin`, made once per data folder."""
        return password(self.home)

    @property
    def redshift_port(self) -> int:
        """Port of the stand-in for Redshift."""
        return self._redshift.port

    @property
    def database(self) -> str:
        """The warehouse's database."""
        return self._redshift.database

    @property
    def database_user(self) -> str:
        """The warehouse's user."""
        return self._redshift.user

    @property
    def database_password_file(self) -> Path:
        """File with the password of the warehouse's user, made once per data folder."""
        return self._redshift.password_file

    def connect(self) -> Warehouse:
        """Open a session on the warehouse with Redshift's driver."""
        return session(redshift_connector.connect(**self._redshift.settings), "local_stack")

    def start_warehouse(self) -> None:
        """Start the stand-in for Redshift.

        Raises:
            StackError: a port is taken, another stack uses the folder, or the stand-in does not start.
        """
        _require_free(self.port, use="Airflow's UI", option="--port N (make run PORT=N)")
        _require_free(self.redshift_port, use="the stand-in for Redshift", option="--redshift-port N")
        self._take_folder()
        with self.phase("Starting the stand-in for Redshift"):
            try:
                self._redshift.start()
            except LocalRedshiftError as error:
                raise StackError(str(error)) from error

    def prepare_airflow(self) -> Callable[[], None]:
        """Begin to create or upgrade Airflow's metadata if need be; return a function that waits until it is done.

        In between there is time to load the warehouse: both take seconds, each on a core of its own.
        """
        self.environment = {
            **airflow_environment(
                self.home,
                port=self.port,
                metadata_uri=self._redshift.metadata_uri,
                warehouse=self._airflow_connection(),
                bundles=self._bundles,
            ),
            **self._further_environment,
        }
        mark = self._redshift.data / "metadata-version"  # with the database that it tells of
        current = version("apache-airflow-core")
        if mark.exists() and mark.read_text() == current:
            return lambda: None
        migration = self._start("db-migrate", "db", "migrate")

        def finish() -> None:
            with self.phase("Creating Airflow's metadata tables"):
                migration.wait(MIGRATE_SECONDS)
            self._programs.remove(migration)
            mark.write_text(current)

        return finish

    def start_airflow(self, *dag_ids: str) -> None:
        """Start Airflow's programs and wait until they work and the DAGs of these ids are known.

        Raises:
            StackError: a program has ended, a DAG file can not be imported, or it takes too long.
        """
        started = datetime.now(UTC)
        self.airflow = AirflowApi(f"http://127.0.0.1:{self.port}", user=self.user, password=self.password)
        with self.phase("Starting Airflow: API server, scheduler, DAG processor, triggerer"):
            for name, arguments in PROGRAMS.items():
                self._start(name, *arguments)
            self.wait_for(self.airflow.is_up, "the API server to answer")
            self.wait_for(partial(self._all_report, started), "the scheduler, DAG processor and triggerer to report")
        with self.phase("Reading the DAG files"):
            self.wait_for(lambda: all(self._is_parsed(dag_id, started) for dag_id in dag_ids), f"{', '.join(dag_ids)}")

    def check(self) -> None:
        """Raise StackError when one of the programs has ended."""
        for program in self._programs:
            program.check()
        try:
            socket.create_connection((self._redshift.host, self._redshift.port), timeout=5).close()
        except OSError as error:
            log = self._redshift.data / "postgres.log"
            raise StackError(f"The stand-in for Redshift has ended ({error.strerror}). See {log}.") from error

    def wait_for(self, condition: Callable[[], object], what: str, seconds: float = START_SECONDS) -> None:
        """Wait until `condition` holds.

        Raises:
            StackError: a program has ended, or the condition does not hold after `seconds`.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise StackError(f"Waited {seconds:.0f} s in vain for {what}. See the logs in {self.logs}.")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Stop everything that was started; nothing that it forked is left."""
        if self._programs:
            self.say("Stopping Airflow ...")
        for program in self._programs:
            if STOP_SECONDS[program.name]:
                program.ask_to_end()
        for program in self._programs:
            program.end(STOP_SECONDS[program.name])
        self._programs.clear()
        if hasattr(self, "airflow"):
            self.airflow.close()
        self._redshift.stop()
        if self._lock:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @contextmanager
    def phase(self, what: str) -> Iterator[None]:
        """Say what begins, and how long it took."""
        self.say(f"{what} ...")
        started = time.monotonic()
        yield
        self.say(f"  done in {time.monotonic() - started:.1f} s")

    def _start(self, name: str, *arguments: str) -> Program:
        log = self.logs / f"{name}.log"
        program = Program(name, [_installed("airflow"), *arguments], environment=self.environment, log=log)
        self._programs.append(program)
        return program

    def _all_report(self, since: datetime) -> bool:
        health = self.airflow.health()
        for name in REPORTING:
            heartbeat = health[name][f"latest_{name}_heartbeat"]
            if heartbeat is None or time_of(heartbeat) < since:
                return False
        return True

    def _is_parsed(self, dag_id: str, since: datetime) -> bool:
        dag = self.airflow.dag(dag_id)
        if dag and dag["last_parsed_time"] and time_of(dag["last_parsed_time"]) >= since and not dag["is_stale"]:
            return True
        if errors := self.airflow.import_errors():
            texts = "\n".join(f"{file}:\n{trace}" for file, trace in errors.items())
            raise StackError(f"Airflow can not import these DAG files:\n{texts}")
        return False

    def _airflow_connection(self) -> dict[str, object]:
        return {
            "conn_type": "redshift",
            "host": self._redshift.host,
            "port": self._redshift.port,
            "schema": self.database,
            "login": self.database_user,
            "password": self._redshift.password,
            # Without a name the driver looks for one in the call stack, which costs every task a tenth of a second.
            "extra": {"ssl": False, "application_name": "surgical_cdc"},
        }

    def _take_folder(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        self._lock = (self.data / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(
                f"Another stack is running with the folder {self.data}. Stop it, or take another folder with --data."
            ) from None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _require_free(port: int, *, use: str, option: str) -> None:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise StackError(
            f"Port {port}, on which {use} is to listen, can not be had: {os.strerror(error.errno or 0)}. "
            f"Stop the program that uses it, or take another port: {option}."
        ) from error


def _installed(program: str) -> str:
    """Return the path of a program of this virtual environment, whether or not that is the one on the PATH."""
    return str(Path(sys.executable).with_name(program))

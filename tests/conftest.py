"""The warehouse of the tests: real sessions through the real driver, and a project's tables made anew for each test."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redshift_connector
from redshift_connector.error import InterfaceError

ROOT = Path(__file__).resolve().parents[1]
# Airflow reads its settings when it is first imported, which no test module may have done before this one.
AIRFLOW_HOME = Path(tempfile.mkdtemp(prefix="airflow_home_"))
if not os.environ.get("ACCEPTANCE_CONN"):
    # Of `make acceptance`, which looks for its connection in an Airflow of the user's.
    os.environ["AIRFLOW_HOME"] = str(AIRFLOW_HOME)
os.environ |= {
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
}

from local_redshift import LocalRedshift  # noqa: E402
from local_redshift.testing import keep, restore  # noqa: E402
from surgical_cdc.contract.project import Project, load_project  # noqa: E402
from surgical_cdc.steps import update  # noqa: E402
from surgical_cdc.values import Run  # noqa: E402
from surgical_cdc.warehouse import ddl, schema  # noqa: E402
from surgical_cdc.warehouse.connection import session  # noqa: E402
from surgical_cdc.warehouse.session import Warehouse  # noqa: E402
from surgical_cdc.warehouse.templates import sql_name  # noqa: E402
from tests.support.ways import SLICES  # noqa: E402

# What surgical_cdc.cli.commands.main sets where it is not set.
SET_BY_COMMANDS = ("_AIRFLOW_PROCESS_CONTEXT", "AIRFLOW__LOGGING__NAMESPACE_LEVELS")
PROJECTS = Path(__file__).parent / "projects"
SHOP, LIBRARY = PROJECTS / "shop" / "sql", PROJECTS / "library" / "sql"
RECORDINGS = ROOT / ".local" / "recordings"
NOON = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - the warehouse's timestamps are UTC without an offset
# The driver binds at most 32,767 values in one statement.
BATCH_ROWS = 500
# What is in this folder is in memory, and never on disk.
MEMORY, IN_MEMORY = Path("/dev/shm"), "surgical_cdc_tests_"  # noqa: S108 - the folder in it is made by mkdtemp
ROOM = 4 * 2**30
# The copy of the warehouse as it was first.
EMPTY = "empty"

Connect = Callable[[], Warehouse]
Report = Callable[..., None]
Fill = Callable[["Site"], object]
"""Puts something into an empty warehouse."""
Filled = Callable[[Project, Fill], "Site"]
"""Gives a project a warehouse that is filled so."""


def at(minutes: float) -> datetime:
    """Return a moment some minutes after noon, the end of the first window."""
    return NOON + timedelta(minutes=minutes)


@dataclass(frozen=True)
class Site:
    """A project and its warehouse, with what tests do to them: stage rows, read tables, name runs."""

    project: Project
    connect: Connect
    warehouse: Warehouse

    def clear(self) -> None:
        """Drop every schema of the project and create its empty source tables."""
        clear(self.project, self.warehouse)

    def run(self, end: datetime = NOON, *, run_id: str = "run", **values: Any) -> Run:
        """Return a run whose window ends at `end`; an id stands for one attempt, unless a token is given."""
        token = hashlib.md5(run_id.encode(), usedforsecurity=False).hexdigest()[:12]
        return Run(**{"run_id": run_id, "dag_id": "test", "token": token, "window_end": end} | values)

    def stage(self, source: str, *rows: dict[str, Any]) -> None:
        """Put rows into a source's staging table; columns that a row does not name are NULL."""
        self.insert(self.project.sources[source].staging, *rows)

    def load(self, source: str, *rows: dict[str, Any]) -> None:
        """Put rows into a source's baseline."""
        self.insert(self.project.sources[source].relation, *rows)

    def insert(self, relation: str, *rows: dict[str, Any]) -> None:
        """Put rows with the same columns into a table."""
        with self.warehouse.transaction():
            for first in range(0, len(rows), BATCH_ROWS):
                batch = rows[first : first + BATCH_ROWS]
                names = list(dict.fromkeys(name for row in batch for name in row))
                columns = ", ".join(sql_name(name) for name in names)
                marks = ", ".join(["(" + ", ".join(["%s"] * len(names)) + ")"] * len(batch))
                values = [row.get(name) for row in batch for name in names]
                self.warehouse.execute(f"INSERT INTO {sql_name(relation)} ({columns}) VALUES {marks}", values)  # noqa: S608

    def execute(self, statement: str, params: tuple[object, ...] = ()) -> None:
        """Run one statement and commit it."""
        with self.warehouse.transaction():
            self.warehouse.execute(statement, params)

    def rows(self, query: str, params: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Return a query's rows."""
        with self.warehouse.transaction():
            return self.warehouse.rows(query, params)

    def table(self, relation: str, *columns: str) -> list[tuple[Any, ...]]:
        """Return some columns of a table, ordered by them."""
        names = ", ".join(sql_name(column) for column in columns)
        return self.rows(f"SELECT {names} FROM {sql_name(relation)} ORDER BY {names}")  # noqa: S608


@pytest.fixture(autouse=True)
def process_settings() -> Iterator[None]:
    """Take back after each test what the command line tells Airflow of its own process."""
    before = {name: os.environ.get(name) for name in SET_BY_COMMANDS}
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)


@pytest.fixture(scope="session", autouse=True)
def slices() -> Iterator[None]:
    """Let updates make slices, however many keys are affected, in what several tests share too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(update, "MOST", SLICES)
        yield


@pytest.fixture(autouse=True)
def ways(slices: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take back after each test what it says of that."""
    monkeypatch.setattr(update, "MOST", SLICES)


@pytest.fixture(scope="session", autouse=True)
def airflow_home() -> Iterator[Path]:
    """Airflow's home of this test session, removed at its end."""
    yield AIRFLOW_HOME
    shutil.rmtree(AIRFLOW_HOME, ignore_errors=True)


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Report:
    """Report figures that a test is run for: lines that are printed after all tests."""
    return lambda *lines: record_property("figures", "\n".join(lines))


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Folder in which the stand-ins record the statements that they are sent; `make test` empties it first."""
    RECORDINGS.mkdir(parents=True, exist_ok=True)
    return RECORDINGS


@pytest.fixture(scope="session")
def in_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory, or on disk where there is little room: a disk has to find a place for each of many files."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        yield tmp_path_factory.mktemp("on_disk")
        return
    for left in MEMORY.glob(f"{IN_MEMORY}*/redshift/lock"):
        # Of tests that were killed, and the stand-in with them, which would hold it.
        with left.open() as lock, suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left.parents[1], ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=IN_MEMORY, dir=MEMORY, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def redshift(in_memory: Path, recordings: Path) -> Iterator[LocalRedshift]:
    """The stand-in for Redshift, which the Airflow connection redshift_default leads to."""
    record = recordings / "redshift.jsonl"
    with LocalRedshift(data=in_memory / "redshift", port=0, record=record) as running:
        os.environ["AIRFLOW_CONN_REDSHIFT_DEFAULT"] = airflow_connection(running)
        keep(running, EMPTY)
        yield running


@pytest.fixture
def connect(redshift: LocalRedshift) -> Iterator[Connect]:
    """Open a session of the stand-in; those that a test leaves open are closed after it."""
    opened: list[Warehouse] = []

    def open_session() -> Warehouse:
        opened.append(session(redshift_connector.connect(**redshift.settings), "tests"))
        return opened[-1]

    yield open_session
    for warehouse in opened:
        with suppress(InterfaceError):  # closed already
            warehouse.close()


@pytest.fixture
def site(connect: Connect) -> Iterator[Callable[[Project], Site]]:
    """Give a project an empty warehouse: its schemas are dropped and its source tables created."""
    with closing(connect()) as warehouse:

        def build(project: Project) -> Site:
            clear(project, warehouse)
            return Site(project, connect, warehouse)

        yield build


@pytest.fixture(scope="session")
def copies() -> dict[tuple[Path, Fill], str]:
    """The databases that the stand-in keeps of what was filled, by project and what has filled them."""
    return {}


@pytest.fixture
def filled(redshift: LocalRedshift, copies: dict[tuple[Path, Fill], str], connect: Connect) -> Filled:
    """Give a project a warehouse that a function has filled: once, of which each test gets a copy.

    What the function does must be the same each time; it and the project's folder name the copy.
    """

    def build(project: Project, fill: Fill) -> Site:
        key = (project.path, fill)
        restore(redshift, copies.get(key, EMPTY))
        if key not in copies:
            with closing(connect()) as warehouse:
                clear(project, warehouse)
                fill(Site(project, connect, warehouse))
            copies[key] = f"copy_{len(copies)}"
            keep(redshift, copies[key])
        return Site(project, connect, connect())

    return build


@pytest.fixture
def shop(site: Callable[[Project], Site]) -> Site:
    """A bookshop: a small business that has nothing to do with vendors."""
    return site(load_project(SHOP))


@pytest.fixture
def open_site(filled: Filled) -> Site:
    """The bookshop after its first cycle, at noon."""
    from tests.support.bookshop import first_cycle

    return filled(load_project(SHOP), first_cycle)


def airflow_connection(running: LocalRedshift, **settings: Any) -> str:
    """Return an Airflow connection that leads to a stand-in, but for some settings, as JSON."""
    values = {
        "conn_type": "redshift",
        "host": running.host,
        "port": running.port,
        "schema": running.database,
        "login": running.user,
        "password": running.password,
        "extra": {"ssl": False},
    }
    return json.dumps({**values, **settings})


def schemas_of_project(project: Project) -> list[str]:
    """Return every schema that a project reads or writes."""
    sources = list(project.sources.values())
    relations = [relation for source in sources for relation in (source.relation, source.staging)]
    return sorted({*schema.written_schemas(project), *(relation.partition(".")[0] for relation in relations)})


def clear(project: Project, warehouse: Warehouse) -> None:
    """Drop every schema of a project and create its empty source tables."""
    with warehouse.transaction():
        for name in schemas_of_project(project):
            warehouse.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        for statement in ddl.create_sources(project):
            warehouse.execute(statement)

"""The acceptance run: on the Airflow connection ACCEPTANCE_CONN, else on the stand-in, in schemas of its own."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from redshift_connector.error import InterfaceError

from surgical_cdc.contract.project import Project
from surgical_cdc.warehouse.connection import connect as connect_to
from surgical_cdc.warehouse.session import Warehouse
from tests.conftest import Connect, Site, schemas_of_project
from tests.support.compiled import compiled

# Every schema of this run begins so, and no schema of anybody else's: it is by chance, and looked for before.
PREFIX = f"accept_{secrets.token_hex(4)}_"
LABEL = f"acceptance/{PREFIX.rstrip('_')}"


@pytest.fixture(scope="session")
def conn_id(request: pytest.FixtureRequest) -> str:
    """The connection to run on; without one the stand-in is started, which redshift_default then leads to."""
    named = os.environ.get("ACCEPTANCE_CONN")
    if named:
        # As for the command line: a connection may be in the database of an Airflow.
        os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
        return named
    request.getfixturevalue("redshift")
    return "redshift_default"


@pytest.fixture(scope="session")
def own_schemas(conn_id: str, pytestconfig: pytest.Config) -> Iterator[None]:
    """Make sure that no schema has this run's names, and drop those that it has made, however it ends."""
    with closing(connect_to(conn_id, label=LABEL)) as warehouse:
        assert not _schemas(warehouse), f"{_schemas(warehouse)} exist already: begin again, under another name"
    yield
    # After a Ctrl-C pytest has closed what it catches logs with.
    logging.disable()
    left = [f"DROP SCHEMA {PREFIX}... CASCADE"]
    try:
        with closing(connect_to(conn_id, label=LABEL)) as warehouse:
            left = [f"DROP SCHEMA {name} CASCADE" for name in _schemas(warehouse)]
            while left:
                with warehouse.transaction():
                    warehouse.execute(left[0])
                del left[0]
    finally:
        if left:
            pytestconfig.get_terminal_writer().line(f"Left behind; run by hand: {'; '.join(left)}")


@pytest.fixture
def connect(conn_id: str) -> Iterator[Connect]:
    """Open a session through the connection; those that a test leaves open are closed after it."""
    with ExitStack() as opened:

        def open_session() -> Warehouse:
            warehouse = connect_to(conn_id, label=LABEL)
            opened.callback(_close, warehouse)
            return warehouse

        yield open_session


@pytest.fixture(scope="session")
def relocate(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Project]:
    """Return a function that gives the project in a folder schemas of this run, once."""
    return cache(lambda path: relocated(path, tmp_path_factory.mktemp("project")))


@pytest.fixture
def site(
    own_schemas: None, connect: Connect, relocate: Callable[[Path], Project]
) -> Iterator[Callable[[Project], Site]]:
    """Give a project an empty warehouse of its own: the project is copied, and the copy names this run's schemas."""
    with closing(connect()) as warehouse:

        def build(project: Project) -> Site:
            moved = Site(relocate(project.path), connect, warehouse)
            moved.clear()
            return moved

        yield build


def relocated(path: Path, folder: Path) -> Project:
    """Return a copy of the project in a folder in which every schema has a name of this run, and its own dictionary."""
    copy = folder / "sql"
    shutil.copytree(path, copy, ignore=shutil.ignore_patterns("cdc", "target", "logs", "dbt_packages"))
    _edit(copy / "dbt_project.yml", _engine_schemas)
    _edit(copy / "profiles.yml", _target_schema)
    for file in [*copy.rglob("*.yml"), *copy.rglob("*.yaml")]:
        _edit(file, _source_schemas)
    project = compiled(copy)
    others = [name for name in schemas_of_project(project) if not name.startswith(PREFIX)]
    assert not others, f"{path}: the schemas {others} are not this run's"
    return project


def _edit(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    content = yaml.safe_load(file.read_text()) or {}
    change(content)
    file.write_text(yaml.safe_dump(content, sort_keys=False))


def _engine_schemas(settings: dict[str, Any]) -> None:
    variables = settings.setdefault("vars", {})
    for name, default in (("cdc_control_schema", "cdc"), ("cdc_scratch_schema", "cdc_scratch")):
        variables[name] = PREFIX + variables.get(name, default)


def _target_schema(profiles: Mapping[str, Any]) -> None:
    for profile in profiles.values():
        for target in profile["outputs"].values():
            target["schema"] = PREFIX + target["schema"]


def _source_schemas(properties: Mapping[str, Any]) -> None:
    for group in properties.get("sources", []):
        group["schema"] = PREFIX + group.get("schema", group["name"])
        for table in group["tables"]:
            cdc = table.get("config", {}).get("meta", {}).get("cdc", {})
            if "staging" in cdc:
                cdc["staging"] = PREFIX + cdc["staging"]


def _schemas(warehouse: Warehouse) -> list[str]:
    """Return the schemas whose names begin with this run's prefix."""
    with warehouse.transaction():
        found = warehouse.rows(
            "SELECT nspname::VARCHAR(128) FROM pg_namespace WHERE LEFT(nspname::VARCHAR(128), %s) = %s ORDER BY 1",
            (len(PREFIX), PREFIX),
        )
    return [name for (name,) in found]


def _close(warehouse: Warehouse) -> None:
    with suppress(InterfaceError):  # closed already
        warehouse.close()

"""The vendor domain on a stand-in: 12 empty baselines, rows as they are needed, facts as their SELECT run in full."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import redshift_connector
from sqlglot import exp

from local_redshift import LocalRedshift
from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.contract.project import Project, load_project
from surgical_cdc.warehouse import ddl
from surgical_cdc.warehouse.connection import session
from surgical_cdc.warehouse.session import Warehouse

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]


@pytest.fixture(scope="session")
def project() -> Project:
    """The project under include/sql."""
    return load_project()


@pytest.fixture(scope="session")
def redshift(tmp_path_factory: pytest.TempPathFactory, recordings: Path) -> Iterator[LocalRedshift]:
    """A stand-in of this folder alone: its tables are made once, and rows replaced for each test."""
    with LocalRedshift(data=tmp_path_factory.mktemp("models"), port=0, record=recordings / "dbt.jsonl") as running:
        yield running


@pytest.fixture(scope="session")
def warehouse(redshift: LocalRedshift, project: Project) -> Iterator[Warehouse]:
    """A session in which the source tables exist."""
    with contextlib.closing(session(redshift_connector.connect(**redshift.settings), "tests")) as opened:
        with opened.transaction():
            for statement in ddl.create_sources(project):
                opened.execute(statement)
        yield opened


@pytest.fixture
def load(warehouse: Warehouse, project: Project) -> Callable[[Rows], None]:
    """Replace the baselines' rows; columns that a row does not name are NULL."""

    def replace(rows: Rows) -> None:
        with warehouse.transaction():
            for source in project.sources.values():
                warehouse.execute(exp.delete(source.relation))
                given = rows.get(source.name, [])
                if not given:
                    continue
                names = sorted({name for row in given for name in row})
                marks = exp.Tuple(expressions=[exp.Var(this="%s") for _ in names])
                values = exp.Values(expressions=[marks.copy() for _ in given])
                statement = exp.insert(values, source.relation, columns=names)
                warehouse.execute(statement, [row.get(name) for row in given for name in names])

    return replace


@pytest.fixture
def fact(warehouse: Warehouse, project: Project) -> Callable[[str], list[Row]]:
    """Return a fact's rows in full, ordered by the row key, as dicts."""

    def select(name: str) -> list[Row]:
        columns = project.facts[name].column_names
        query = compile_fact(project, name).query.order_by(*project.facts[name].unique_key)
        with warehouse.transaction():
            return [dict(zip(columns, row, strict=True)) for row in warehouse.rows(query)]

    return select

"""A demo warehouse for a module of tests, and what they ask of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
import redshift_connector

from demo.feed import feed
from demo.load import load
from surgical_cdc.contract.project import load_project
from surgical_cdc.warehouse.connection import session
from surgical_cdc.warehouse.session import Warehouse
from surgical_cdc.warehouse.templates import sql_name

if TYPE_CHECKING:
    from local_redshift import LocalRedshift
    from surgical_cdc.contract.project import Project

NOON = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - the warehouse's timestamps are UTC without an offset

Row = dict[str, Any]


@dataclass
class Demo:
    """The vendor project and a warehouse for it.

    `opened` are the sessions that loads and feeds used, `known` is what was read of the baseline, by source and key.
    """

    project: Project
    open_session: Callable[[], Warehouse]
    opened: list[Warehouse] = field(default_factory=list)
    known: dict[str, dict[int, Row]] = field(default_factory=dict)

    def connect(self) -> Warehouse:
        """Open a session and remember it."""
        self.opened.append(self.open_session())
        return self.opened[-1]

    def empty(self) -> None:
        """Drop all schemas of the project; create no table."""
        relations = [
            relation for source in self.project.sources.values() for relation in (source.relation, source.staging)
        ]
        names = {relation.partition(".")[0] for relation in relations} | {"staging_public", "cdc", "cdc_scratch"}
        self.execute(*(f"DROP SCHEMA IF EXISTS {name} CASCADE" for name in sorted(names)))
        self.known.clear()

    def load(self, companies: int, **values: Any) -> dict[str, int]:
        """Load the demo data into a warehouse that was emptied before."""
        self.empty()
        return load(self.connect, companies=companies, progress=silent, **values)

    def feed(self, **values: Any) -> dict[str, dict[str, int]]:
        """Stage a window of changes; up to noon if no end is given."""
        return feed(self.connect, progress=silent, **{"at": NOON} | values)

    def unstage(self) -> None:
        """Empty all staging tables."""
        self.execute(*(f"DELETE FROM {source.staging}" for source in self.project.sources.values()))  # noqa: S608

    def execute(self, *statements: str) -> None:
        """Run some statements and commit them."""
        with closing(self.open_session()) as warehouse, warehouse.transaction():
            for statement in statements:
                warehouse.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return a query's rows."""
        with closing(self.open_session()) as warehouse, warehouse.transaction():
            return warehouse.rows(query)

    def value(self, query: str) -> Any:
        """Return the only value of a query."""
        ((only,),) = self.rows(query)
        return only

    def table(self, relation: str) -> list[Row]:
        """Return all rows of a source's table, by key and version."""
        source = next(s for s in self.project.sources.values() if relation in (s.relation, s.staging))
        columns = ", ".join(map(sql_name, source.column_names))
        found = self.rows(f"SELECT {columns} FROM {relation} ORDER BY {columns}")  # noqa: S608
        return [dict(zip(source.column_names, row, strict=True)) for row in found]

    def baseline(self, source: str) -> dict[int, Row]:
        """Return a source's baseline by key, as it was loaded."""
        if source not in self.known:
            self.known[source] = {row["id"]: row for row in self.table(self.project.sources[source].relation)}
        return self.known[source]

    def staged(self, source: str) -> list[Row]:
        """Return a source's staged rows, by key and version."""
        return self.table(self.project.sources[source].staging)

    def checksums(self, part: str) -> dict[str, str]:
        """Return a hash of all rows per source; `part` is baseline or staging."""
        relations = {s.name: s.staging if part == "staging" else s.relation for s in self.project.sources.values()}
        return {
            name: hashlib.sha256(repr(self.table(relation)).encode()).hexdigest()
            for name, relation in relations.items()
        }


def silent(message: str) -> None:
    """Take a message of progress and say nothing."""


@pytest.fixture(scope="module")
def demo(redshift: LocalRedshift) -> Iterator[Demo]:
    """The vendor project and a warehouse without its tables."""

    def open_session() -> Warehouse:
        return session(redshift_connector.connect(**redshift.settings), "tests")

    demo = Demo(load_project(), open_session)
    demo.empty()
    yield demo
    demo.empty()

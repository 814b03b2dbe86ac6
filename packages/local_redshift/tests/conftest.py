"""A stand-in of this folder's own, and sessions on it through the real driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from redshift_connector.core import Connection

from local_redshift import LocalRedshift
from local_redshift.testing import Connect
from local_redshift.testing import connect as connect_to


@pytest.fixture(scope="session")
def redshift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRedshift]:
    """Return a stand-in that lives as long as the tests."""
    with LocalRedshift(data=tmp_path_factory.mktemp("local_redshift"), port=0) as running:
        yield running


@pytest.fixture
def connect(redshift: LocalRedshift) -> Iterator[Connect]:
    """Return a maker of sessions; what they leave uncommitted is rolled back."""
    opened: list[Connection] = []

    def make() -> Connection:
        opened.append(connect_to(redshift))
        return opened[-1]

    yield make
    for connection in opened:
        file = connection._sock
        connection.close()
        # The driver drops that of a connection that was cut, still open.
        if file is not None:
            with suppress(OSError, ValueError):
                file.close()


@pytest.fixture
def session(connect: Connect) -> Connection:
    """Return one session."""
    return connect()


@pytest.fixture
def rows(session: Connection) -> Callable[..., list[tuple[Any, ...]]]:
    """Return a function that runs one statement in that session and gives its rows."""

    def run(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        cursor = session.cursor()
        cursor.execute(statement, values or None)
        return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    return run

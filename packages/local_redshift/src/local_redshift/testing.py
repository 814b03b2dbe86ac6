"""What tests on the stand-in do that no session on Redshift could; needs Redshift's driver, redshift_connector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import redshift_connector
from redshift_connector.core import Connection

from local_redshift.server.launcher import LocalRedshift

Connect = Callable[[], Connection]
"""Opens a session on a stand-in."""

# Of the users that `database_user` makes.
PASSWORD = "Checked-by-tests-1"  # noqa: S105 - of users who live as long as a test


def connect(redshift: LocalRedshift) -> Connection:
    """Open a session of the warehouse's user."""
    return redshift_connector.connect(**redshift.settings)


def administer(redshift: LocalRedshift, statement: str) -> None:
    """Run a statement of PostgreSQL's superuser, beside the gateway."""
    with closing(psycopg2.connect(**redshift.administrator)) as direct:
        direct.autocommit = True
        direct.cursor().execute(statement)


@contextmanager
def database_user(redshift: LocalRedshift, name: str) -> Iterator[dict[str, Any]]:
    """Make a user who has been granted nothing; give the driver's settings of a session of theirs."""
    with closing(connect(redshift)) as owner:
        owner.autocommit = True
        owner.cursor().execute(f"CREATE USER {name} PASSWORD '{PASSWORD}'")
        try:
            yield {**redshift.settings, "user": name, "password": PASSWORD}
        finally:
            administer(redshift, f"DROP OWNED BY {name} CASCADE")
            owner.cursor().execute(f"DROP USER {name}")

"""What tests on the stand-in do that no session on Redshift could; needs Redshift's driver, redshift_connector."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import redshift_connector
from psycopg2 import sql
from psycopg2.extensions import cursor
from redshift_connector.core import Connection

from local_redshift.server.launcher import LocalRedshift

Connect = Callable[[], Connection]
"""Opens a session on a stand-in."""

# Of the users that `database_user` makes.
PASSWORD = "Checked-by-tests-1"  # noqa: S105 - of users who live as long as a test
# Until PostgreSQL has ended the session of a client that is gone.
SESSION_SECONDS = 10.0


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


def keep(redshift: LocalRedshift, name: str) -> None:
    """Copy the warehouse as it is into a database of that name, for `restore`.

    Raises:
        TimeoutError: a session is still open on the warehouse, which PostgreSQL can not copy then.
    """
    with _alone(redshift) as administrator:
        administrator.execute(_copy(name, redshift.database))


def restore(redshift: LocalRedshift, name: str) -> None:
    """Put a copy of what `keep` has kept in the place of the warehouse, whose settings and users stay.

    Raises:
        TimeoutError: a session is still open on the warehouse.
    """
    warehouse = sql.Identifier(redshift.database)
    with _alone(redshift) as administrator:
        administrator.execute(
            "SELECT UNNEST(setconfig) FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase"
            " WHERE datname = %s AND setrole = 0",
            (redshift.database,),
        )
        settings = [text.partition("=")[::2] for (text,) in administrator.fetchall()]
        administrator.execute(sql.SQL("DROP DATABASE {}").format(warehouse))
        administrator.execute(_copy(redshift.database, name))
        administrator.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(warehouse, sql.Identifier(redshift.user)))
        for setting, value in settings:
            names = (warehouse, sql.SQL(setting), sql.Literal(value))
            administrator.execute(sql.SQL("ALTER DATABASE {} SET {} = {}").format(*names))


@contextmanager
def _alone(redshift: LocalRedshift) -> Iterator[cursor]:
    """Give an administrator's cursor on another database, once nobody is connected to the warehouse."""
    with closing(psycopg2.connect(**{**redshift.administrator, "dbname": "postgres"})) as direct:
        direct.autocommit = True
        with direct.cursor() as administrator:
            deadline = time.monotonic() + SESSION_SECONDS
            while open_sessions := _sessions(administrator, redshift.database):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"Sessions are open on {redshift.database}; last statements: {open_sessions}")
                time.sleep(0.002)
            yield administrator


def _sessions(administrator: cursor, database: str) -> list[str]:
    """The last statement of each session of a client on a database."""
    administrator.execute(
        "SELECT query FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'", (database,)
    )
    return [query for (query,) in administrator.fetchall()]


def _copy(name: str, template: str) -> sql.Composed:
    # As files: row by row, with a line in the log for each page, takes twice as long.
    names = (sql.Identifier(name), sql.Identifier(template))
    return sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(*names)

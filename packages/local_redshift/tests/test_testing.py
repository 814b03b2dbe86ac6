from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2
import pytest

from local_redshift import LocalRedshift, testing
from local_redshift.testing import administer, connect, keep, restore

if TYPE_CHECKING:
    from pathlib import Path

MADE = "CREATE SCHEMA s; CREATE TABLE s.t (a INT); INSERT INTO s.t VALUES (1)"
CHANGED = "INSERT INTO s.t VALUES (2); CREATE SCHEMA later"


def send(redshift: LocalRedshift, *statements: str) -> list[tuple[object, ...]]:
    """Run statements in a session of their own, and return the rows of the last one."""
    with closing(connect(redshift)) as session:
        cursor = session.cursor()
        for statement in statements:
            cursor.execute(statement)
        session.commit()
        return [tuple(row) for row in cursor.fetchall()] if cursor.description else []


def described(redshift: LocalRedshift) -> tuple[str, list[str]]:
    """Return the owner of the warehouse's database, and its settings."""
    with closing(psycopg2.connect(**redshift.administrator)) as direct, direct.cursor() as cursor:
        cursor.execute(
            "SELECT datdba::REGROLE::TEXT, setconfig FROM pg_database"
            " JOIN pg_db_role_setting ON setdatabase = pg_database.oid WHERE datname = 'dev'"
        )
        ((owner, settings),) = cursor.fetchall()
    return owner, settings


def test_a_kept_warehouse_comes_back_as_often_as_it_is_asked_for(tmp_path: Path) -> None:
    """With its rows, its owner and the settings of the database; what was made since is gone."""
    with LocalRedshift(data=tmp_path / "data", port=0) as redshift:
        administer(redshift, "ALTER DATABASE dev SET redshift.db_collation = 'case_insensitive'")
        before = described(redshift)
        assert "redshift.db_collation=case_insensitive" in before[1]
        send(redshift, *MADE.split("; "))
        keep(redshift, "kept")
        for _ in range(2):
            send(redshift, *CHANGED.split("; "))
            restore(redshift, "kept")
            assert send(redshift, "SELECT a FROM s.t") == [(1,)]
            assert send(redshift, "SELECT 1 FROM pg_namespace WHERE nspname = 'later'") == []
            assert described(redshift) == before


def test_a_warehouse_with_an_open_session_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has what the session has sent last; the warehouse is as it was."""
    monkeypatch.setattr(testing, "SESSION_SECONDS", 0.1)
    with LocalRedshift(data=tmp_path / "data", port=0) as redshift:
        keep(redshift, "kept")
        with closing(connect(redshift)) as session:
            session.cursor().execute("SELECT 17 AS still_here")
            for replace in (keep, restore):
                with pytest.raises(TimeoutError, match=r"Sessions are open on dev; .*still_here"):
                    replace(redshift, "kept")
            session.rollback()

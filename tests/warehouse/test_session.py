from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2
import pytest
from redshift_connector import ProgrammingError

from surgical_cdc.warehouse import session as module
from tests.conftest import Connect
from tests.support.logs import collected

if TYPE_CHECKING:
    from local_redshift import LocalRedshift


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the sessions log, whatever Airflow has made of the process's logging."""
    return collected(monkeypatch, module)


def test_log_has_a_line_for_each_statement(connect: Connect, messages: list[str]) -> None:
    """The log says for which step and what a statement is, how many rows it gave and how long it took.

    Its text is kept aside.
    """
    warehouse = connect()
    warehouse.step = "detect.orders"
    warehouse.rows("-- Two numbers.\nSELECT 1 AS number UNION ALL SELECT 2")
    warehouse.execute("-- Nothing that has rows.\nCREATE TEMP TABLE scdc_nothing (id BIGINT)")
    counted, uncounted = messages
    assert re.fullmatch(r"detect\.orders: Two numbers, 2 rows, 0\.\d{3} s", counted)
    assert re.fullmatch(r"detect\.orders: Nothing that has rows, 0\.\d{3} s", uncounted)
    assert warehouse.statements[0].sql.startswith("-- Two numbers.\nSELECT 1")


def test_failed_statement_is_kept_and_logged_whole(connect: Connect, messages: list[str]) -> None:
    """Whoever looks for the error finds the statement that failed."""
    warehouse = connect()
    with pytest.raises(ProgrammingError):
        warehouse.execute("-- A mistake.\nSELECT nothing")
    assert warehouse.statements[-1].sql == "-- A mistake.\nSELECT nothing"
    assert messages[-1] == "It failed:\n-- A mistake.\nSELECT nothing"


def test_dry_run_is_rolled_back(connect: Connect) -> None:
    """What a transaction of a dry run has done is gone after it."""
    warehouse = connect()
    with warehouse.transaction(dry_run=True):
        warehouse.execute("CREATE SCHEMA dry")
        warehouse.execute("CREATE TABLE dry.run (id BIGINT)")
        assert warehouse.rows("SELECT id FROM dry.run") == []
    with pytest.raises(ProgrammingError, match="dry"), warehouse.transaction():
        warehouse.rows("SELECT id FROM dry.run")


def test_statement_is_cancelled_in_the_warehouse(connect: Connect, redshift: LocalRedshift) -> None:
    """A statement that nobody waits for any more ends, and the session goes on."""
    with closing(connect()) as blocker, closing(psycopg2.connect(**redshift.administrator)) as watcher:
        blocker.execute("CREATE SCHEMA aborted")
        blocker.execute("CREATE TABLE aborted.locked (id BIGINT)")
        blocker.commit()
        watcher.autocommit = True

        def is_waiting() -> bool:
            with watcher.cursor() as cursor:
                cursor.execute("SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
                return cursor.fetchone() != (0,)

        waiting = connect()
        with blocker.transaction(), ThreadPoolExecutor(1) as pool:
            blocker.execute("LOCK TABLE aborted.locked")
            failing = pool.submit(waiting.execute, "LOCK TABLE aborted.locked")
            until(is_waiting)
            waiting.cancel()
            with pytest.raises(ProgrammingError, match="57014"):
                failing.result(20)
            assert not is_waiting()
        waiting.rollback()
        assert waiting.row("SELECT 1") == (1,)
        waiting.rollback()
        blocker.execute("DROP SCHEMA aborted CASCADE")
        blocker.commit()


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; an AssertionError if it does not."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)

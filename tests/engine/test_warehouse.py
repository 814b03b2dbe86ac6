from __future__ import annotations

import logging

import pytest
from redshift_connector import ProgrammingError

from tests.conftest import Connect


def test_log_has_a_line_for_each_statement(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """The log says what a statement is for, how long it took and how many rows it gave; its text is kept aside."""
    caplog.set_level(logging.INFO)
    warehouse = connect()
    warehouse.rows("-- Two numbers.\nSELECT 1 AS number UNION ALL SELECT 2")
    (message,) = caplog.messages
    assert message.endswith(" s, 2 rows: Two numbers.")
    assert warehouse.statements[0].sql.startswith("-- Two numbers.\nSELECT 1")


def test_failed_statement_is_kept_and_logged_whole(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever looks for the error finds the statement that failed."""
    caplog.set_level(logging.INFO)
    warehouse = connect()
    with pytest.raises(ProgrammingError):
        warehouse.execute("-- A mistake.\nSELECT nothing")
    assert warehouse.statements[-1].sql == "-- A mistake.\nSELECT nothing"
    assert caplog.messages[-1] == "It failed:\n-- A mistake.\nSELECT nothing"


def test_dry_run_is_rolled_back(connect: Connect) -> None:
    """What a transaction of a dry run has done is gone after it."""
    warehouse = connect()
    with warehouse.transaction(dry_run=True):
        warehouse.execute("CREATE TABLE dry (id BIGINT)")
        assert warehouse.rows("SELECT id FROM dry") == []
    with pytest.raises(ProgrammingError, match="dry"), warehouse.transaction():
        warehouse.rows("SELECT id FROM dry")

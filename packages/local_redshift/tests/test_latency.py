"""What statements, commits and connections wait for when a latency is given, as the real driver meets it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from local_redshift import Latency, LocalRedshift
from local_redshift.testing import connect

GIVEN = Latency(statement=2.0, commit=2.5, connection=0.5)


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


def test_each_waits_for_what_is_given(tmp_path: Path) -> None:
    """A connection, each statement and a COMMIT wait; a BEGIN, which the driver sends before a statement, does not."""
    with LocalRedshift(data=tmp_path / "data", port=0, latency=GIVEN) as redshift:
        started = time.monotonic()
        with closing(connect(redshift)) as connection:
            assert time.monotonic() - started >= GIVEN.connection
            first = seconds(lambda: connection.cursor().execute("SELECT 1"))
            second = seconds(lambda: connection.cursor().execute("SELECT %s", (2,)))
            commit = seconds(connection.commit)
    assert GIVEN.statement <= first < 2 * GIVEN.statement
    assert GIVEN.statement <= second < 2 * GIVEN.statement
    assert GIVEN.commit <= commit < GIVEN.statement + GIVEN.commit


def test_less_than_no_time_is_refused(tmp_path: Path) -> None:
    """In Python and on the command line alike."""
    with pytest.raises(ValueError, match="commit=-1"):
        Latency(commit=-1)
    command = [sys.executable, "-m", "local_redshift", "--data", str(tmp_path), "--commit-latency", "-1"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert re.search(r"commit=-1.*expected seconds, 0 or more", refused.stderr)

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT, Connect

if TYPE_CHECKING:
    from surgical_cdc.warehouse import Warehouse

SECONDS = 120


@pytest.mark.parametrize("ending", [pytest.param(signal.SIGINT, id="ctrl-c"), pytest.param(None, id="failure")])
def test_acceptance_run_leaves_nothing_behind(connect: Connect, ending: signal.Signals | None) -> None:
    """The schemas of an acceptance run go when it is broken off by Ctrl-C, and when a test of it fails."""
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "tests/acceptance/test_cycle.py", "-p", "no:cacheprovider", "-q"],
        cwd=ROOT,
        # A run with a connection looks for it in the Airflow of whoever calls it: this test's own.
        env={**os.environ, "ACCEPTANCE_CONN": "redshift_default"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with closing(connect()) as warehouse:
        made = wait_for_fact(warehouse)
        if ending is None:
            # Under the feet of the test that is using it.
            with warehouse.transaction():
                warehouse.execute(f"DROP SCHEMA {made} CASCADE")
        else:
            run.send_signal(ending)
        output, _ = run.communicate(timeout=SECONDS)
        assert run.returncode, output
        assert "Left behind" not in output
        assert schemas(warehouse) == [], output


def wait_for_fact(warehouse: Warehouse) -> str:
    """Return the schema of the facts once a run has made it."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        for name in schemas(warehouse):
            if name.endswith("shop_public"):
                return name
        time.sleep(0.05)
    raise TimeoutError(f"No acceptance run has made a schema of facts within {SECONDS} s.")


def schemas(warehouse: Warehouse) -> list[str]:
    """Return the schemas of acceptance runs."""
    with warehouse.transaction():
        found = warehouse.rows(
            "SELECT nspname::VARCHAR(128) FROM pg_namespace WHERE LEFT(nspname::VARCHAR(128), 7) = 'accept_'"
        )
    return [name for (name,) in found]

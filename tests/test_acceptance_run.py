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
    from surgical_cdc.warehouse.session import Warehouse

SECONDS = 120


@pytest.mark.parametrize("ending", [pytest.param(signal.SIGINT, id="ctrl-c"), pytest.param(None, id="failure")])
def test_acceptance_run_leaves_nothing_behind(connect: Connect, ending: signal.Signals | None) -> None:
    """The schemas of an acceptance run go when it is broken off by Ctrl-C, and when a test of it fails."""
    with closing(connect()) as warehouse:
        # The tests of the acceptance run itself may have some on the same stand-in.
        others = schemas(warehouse)
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
        made = wait_for_fact(warehouse, others)
        if ending is None:
            # Under the feet of the test that is using it.
            with warehouse.transaction():
                warehouse.execute(f"DROP SCHEMA {made} CASCADE")
        else:
            run.send_signal(ending)
        output, _ = run.communicate(timeout=SECONDS)
        assert run.returncode, output
        assert "Left behind" not in output
        assert schemas(warehouse) == others, output


def wait_for_fact(warehouse: Warehouse, others: list[str]) -> str:
    """Return the schema of the facts once a run has made it, which is none of the others."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        for name in schemas(warehouse):
            if name.endswith("shop_public") and name not in others:
                return name
        time.sleep(0.05)
    raise TimeoutError(f"No acceptance run has made a schema of facts within {SECONDS} s.")


def schemas(warehouse: Warehouse) -> list[str]:
    """Return the schemas of acceptance runs, by name."""
    with warehouse.transaction():
        found = warehouse.rows(
            "SELECT nspname::VARCHAR(128) FROM pg_namespace WHERE LEFT(nspname::VARCHAR(128), 7) = 'accept_' ORDER BY 1"
        )
    return [name for (name,) in found]

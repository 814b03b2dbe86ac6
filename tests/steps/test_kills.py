"""A run that is killed, without a word, at any of its statements: the next one makes up for it, by itself and soon."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from local_redshift.wire.faults import Fault, FaultKind
from surgical_cdc.control import lease
from surgical_cdc.steps.verify import verify
from tests.conftest import ROOT, Site, at
from tests.support.bookshop import EDITED, ORDER, PRODUCT, run

if TYPE_CHECKING:
    from local_redshift import LocalRedshift

# As parts of a dry run's statements, to which a run adds those of its sync: all steps are among them.
MOMENTS = (0.05, 0.2, 0.4, 0.6, 0.85, 1.05)
# A killed run's lease has to be waited for, and the next run takes a little itself.
SOON = timedelta(minutes=10)
SECONDS = 60


def command(site: Site) -> list[str]:
    """Return the command of a run over all that is staged until an hour after noon."""
    arguments = ["run", "--project", str(site.project.path), "--end", f"{at(60):%Y-%m-%dT%H:%M:%S}"]
    return [sys.executable, "-m", "surgical_cdc", *arguments]


@pytest.fixture
def changed(open_site: Site) -> Site:
    """The bookshop after its first run, with changes staged in each source."""
    late = {"changed_at": at(10)}
    open_site.stage("orders", {**EDITED, "note": "changed", **late}, {**ORDER, "order_id": 9, "status": "paid", **late})
    open_site.stage("customers", {"customer_id": 7, "name": "Renamed", "country": "IN", **late})
    open_site.execute("DELETE FROM shop_staging.products WHERE product_id = 1")
    open_site.stage("products", {**PRODUCT, "title": "Changed", **late})
    return open_site


def killed(site: Site, redshift: LocalRedshift, number: int) -> None:
    """Start a run, and kill it when its statement of that number is about to be executed."""
    redshift.set_fault(Fault(FaultKind.DELAY, number, seconds=10 * SECONDS))
    process = subprocess.Popen(command(site), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + SECONDS
        while not redshift.struck:
            assert process.poll() is None, f"the run has ended before its statement {number}"
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        redshift.clear_faults()


@pytest.mark.parametrize("moment", MOMENTS)
def test_next_run_makes_up_for_a_killed_one(changed: Site, redshift: LocalRedshift, moment: float) -> None:
    """It waits no longer than the dead run's lease lasts, and then all facts are what their SELECTs give."""
    redshift.set_fault(Fault(FaultKind.CUT_BEFORE, 1_000_000))
    run(changed, 60, run_id="dry", dry_run=True)
    killed(changed, redshift, int(moment * redshift.clear_faults()))
    held = lease.holder(changed.project, changed.warehouse)
    if held and held.expires_at:
        assert held.expires_at - held.read_at < SOON
        # As if that time had passed.
        changed.execute("UPDATE cdc.lease SET expires_at = DATEADD(second, -1, GETDATE())")
    run(changed, 90)
    assert changed.table("shop_raw.products", "title") == [("Changed",), ("Globe",)]
    assert (9,) in changed.table("shop_public.fact_order", "order_id")
    for fact in changed.project.facts:
        assert verify(changed.project, fact, changed.warehouse).equal
    assert lease.holder(changed.project, changed.warehouse) is None

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from surgical_cdc import lease
from surgical_cdc.catalog import complete_control
from surgical_cdc.errors import LeaseError
from surgical_cdc.values import Preparation
from tests.conftest import at

if TYPE_CHECKING:
    from surgical_cdc.values import Run
    from tests.conftest import Site

FRESH = Preparation()


@pytest.fixture
def bare(shop: Site) -> Site:
    """The bookshop with its control tables, its lease free."""
    complete_control(shop.project, shop.warehouse)
    return shop


def take(site: Site, run: Run) -> bool:
    """Take the lease in a transaction of its own."""
    with site.warehouse.transaction():
        return lease.take(site.project, site.warehouse, run) is not None


def expire(site: Site) -> None:
    """Let the lease's time run out."""
    site.execute("UPDATE cdc.lease SET expires_at = DATEADD(second, -1, GETDATE())")


def synced(site: Site, key: str) -> None:
    """Let the baseline show another run."""
    with site.warehouse.transaction():
        lease.move_baseline(site.project, site.warehouse, key)


def test_one_run_holds_the_lease(bare: Site) -> None:
    """A second run does not get the lease until the first gives it back; the first gets it again at any time."""
    first, second = bare.run(run_id="first"), bare.run(run_id="second")
    assert take(bare, first)
    assert not take(bare, second)
    assert take(bare, first)
    with bare.warehouse.transaction():
        lease.release(bare.project, bare.warehouse, first.key)
    assert take(bare, second)


def test_runs_of_two_dags_with_one_id_are_two(bare: Site) -> None:
    """Run ids are unique within a DAG only: the same id of another DAG is another run."""
    run = bare.run()
    assert take(bare, run)
    assert not take(bare, run.model_copy(update={"dag_id": "other"}))


def test_runs_that_begin_at_once_get_one_lease(bare: Site) -> None:
    """Of six sessions that take the lease at the same moment exactly one gets it."""
    runs = [bare.run(run_id=f"run {number}") for number in range(6)]
    sessions = [bare.connect() for _ in runs]

    def attempt(number: int) -> bool:
        with sessions[number].transaction():
            return lease.take(bare.project, sessions[number], runs[number]) is not None

    with ThreadPoolExecutor(len(runs)) as threads:
        assert sum(threads.map(attempt, range(len(runs)))) == 1


def test_expired_lease_is_free(bare: Site) -> None:
    """A run that died without cleanup blocks the others no longer than its lease."""
    assert take(bare, bare.run(run_id="dead"))
    expire(bare)
    assert lease.holder(bare.project, bare.warehouse) is None
    assert take(bare, bare.run(run_id="next"))
    assert lease.holder(bare.project, bare.warehouse) == "test/next"


def test_release_leaves_the_lease_of_another_run(bare: Site) -> None:
    """A cleanup that comes late, after its lease has expired, does not free the lease of the run that took it."""
    take(bare, bare.run(run_id="late"))
    expire(bare)
    take(bare, bare.run(run_id="next"))
    with bare.warehouse.transaction():
        lease.release(bare.project, bare.warehouse, "test/late")
    assert lease.holder(bare.project, bare.warehouse) == "test/next"


def test_hold_writes_nothing_while_the_lease_lasts(bare: Site) -> None:
    """The start of most tasks costs one query: no lock, no write."""
    take(bare, bare.run())
    before = len(bare.warehouse.statements)
    assert lease.hold(bare.project, bare.warehouse, bare.run(), FRESH)
    assert len(bare.warehouse.statements) - before == 1


def test_hold_renews_a_lease_that_ends_soon(bare: Site) -> None:
    """A task that starts late in a run has time enough; the run's start stays as it was."""
    take(bare, bare.run())
    ((expires_at,),) = bare.table("cdc.lease", "expires_at")
    bare.execute("UPDATE cdc.lease SET taken_at = '2026-03-01 11:00', expires_at = DATEADD(minute, 10, GETDATE())")
    assert lease.hold(bare.project, bare.warehouse, bare.run(), FRESH)
    ((taken_at, renewed),) = bare.table("cdc.lease", "taken_at", "expires_at")
    assert renewed >= expires_at
    assert taken_at == at(-60)


@pytest.mark.parametrize("how", [pytest.param("released", id="released"), pytest.param("expired", id="expired")])
def test_cleared_task_takes_the_lease_again(bare: Site, how: str) -> None:
    """A task of a failed run that is cleared goes on if no other run has moved the baseline since."""
    run = bare.run()
    take(bare, run)
    if how == "expired":
        expire(bare)
    else:
        with bare.warehouse.transaction():
            lease.release(bare.project, bare.warehouse, run.key)
    assert lease.hold(bare.project, bare.warehouse, run, FRESH)
    assert lease.holder(bare.project, bare.warehouse) == run.key


def test_hold_refuses_while_another_run_works(bare: Site) -> None:
    """A cleared task of a failed run does not go on beside another run, and the message names that run."""
    take(bare, bare.run(run_id="other"))
    with pytest.raises(LeaseError, match=r"Run test/run may not go on: run test/other holds the warehouse until"):
        lease.hold(bare.project, bare.warehouse, bare.run(), FRESH)


def test_hold_refuses_when_the_baseline_has_moved(bare: Site) -> None:
    """Change sets that were made on another baseline are not applied; the message says what to clear."""
    take(bare, bare.run())
    synced(bare, "test/other")
    with pytest.raises(LeaseError, match=r"prepared on the baseline of no run, which test/other .* from `prepare` on"):
        lease.hold(bare.project, bare.warehouse, bare.run(), FRESH)


def test_hold_says_that_the_run_was_synced(bare: Site) -> None:
    """A cleared task of a run that was synced has nothing left to do, and takes no lease."""
    synced(bare, bare.run().key)
    assert not lease.hold(bare.project, bare.warehouse, bare.run(), FRESH)
    assert lease.holder(bare.project, bare.warehouse) is None


def test_between_runs_keeps_runs_away(bare: Site) -> None:
    """What runs between runs is refused while one works, and the message says when to try again."""
    take(bare, bare.run())
    with (
        pytest.raises(LeaseError, match=r"Can not verify facts now: run test/run holds the warehouse"),
        lease.between_runs(bare.project, bare.warehouse, "verify facts"),
    ):
        pytest.fail("must not be reached")


def test_run_waits_for_what_runs_between_runs(bare: Site) -> None:
    """A run that begins meanwhile gets the lease when the work between runs is done."""
    other = bare.connect()

    def attempt() -> bool:
        with other.transaction():
            return lease.take(bare.project, other, bare.run()) is not None

    with ThreadPoolExecutor(1) as threads:
        with lease.between_runs(bare.project, bare.warehouse, "refresh facts"):
            taken = threads.submit(attempt)
            with pytest.raises(TimeoutError):
                taken.result(timeout=0.3)
        assert taken.result(timeout=30)

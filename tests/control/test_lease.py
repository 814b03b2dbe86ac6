from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from redshift_connector import ProgrammingError

from surgical_cdc.control import lease
from surgical_cdc.control.tables import complete_control
from surgical_cdc.errors import AlreadySynced, ContractError, LeaseError
from surgical_cdc.values import new_token
from surgical_cdc.warehouse.retries import is_transient
from tests.conftest import at

if TYPE_CHECKING:
    from surgical_cdc.values import Run
    from tests.conftest import Site


@pytest.fixture
def bare(shop: Site) -> Site:
    """The bookshop with its control tables, its lease free."""
    with shop.warehouse.transaction():
        complete_control(shop.project, shop.warehouse)
    return shop


def take(site: Site, run: Run) -> bool:
    """Take the lease in a transaction of its own."""
    with site.warehouse.transaction():
        return not lease.take(site.project, site.warehouse, run).taken_from(run.token)


def expire(site: Site) -> None:
    """Let the lease's time run out."""
    site.execute("UPDATE cdc.lease SET expires_at = DATEADD(second, -1, GETDATE())")


def synced(site: Site, key: str) -> None:
    """Let the baseline show another run."""
    token = site.run(run_id=key.partition("/")[2]).token
    with site.warehouse.transaction():
        lease.move_baseline(site.project, site.warehouse, key, token)


def holder(site: Site) -> str | None:
    """Return what people know the run by that holds the lease."""
    found = lease.holder(site.project, site.warehouse)
    return found.holder if found else None


def test_one_run_holds_the_lease(bare: Site) -> None:
    """A second run does not get the lease until the first gives it back; the first gets it again at any time."""
    first, second = bare.run(run_id="first"), bare.run(run_id="second")
    assert take(bare, first)
    assert not take(bare, second)
    assert take(bare, first)
    with bare.warehouse.transaction():
        lease.release(bare.project, bare.warehouse, first.token)
    assert take(bare, second)


def test_runs_of_two_deployments_are_two_whatever_their_ids(bare: Site) -> None:
    """Two Airflows on one warehouse give their runs the same ids: each attempt draws a token, which nobody else has."""
    run = bare.run()
    assert take(bare, run)
    assert not take(bare, run.model_copy(update={"token": new_token()}))


def test_runs_that_begin_at_once_get_one_lease(bare: Site) -> None:
    """Of six sessions that take the lease at the same moment exactly one gets it."""
    runs = [bare.run(run_id=f"run {number}") for number in range(6)]
    sessions = [bare.connect() for _ in runs]
    all_have_begun = Barrier(len(runs))

    def attempt(number: int) -> bool:
        with sessions[number].transaction():
            sessions[number].row("SELECT COUNT(*) FROM cdc.lease")
            all_have_begun.wait(timeout=60)
            return not lease.take(bare.project, sessions[number], runs[number]).taken_from(runs[number].token)

    with ThreadPoolExecutor(len(runs)) as threads:
        attempts = [threads.submit(attempt, number) for number in range(len(runs))]
    errors = [attempted.exception() for attempted in attempts]
    assert [error for error in errors if error and not is_transient(error)] == []
    (taken,) = [run.key for run, error in zip(runs, errors, strict=True) if error is None]
    assert holder(bare) == taken


def test_expired_lease_is_free(bare: Site) -> None:
    """A run that died without cleanup blocks the others no longer than its lease."""
    assert take(bare, bare.run(run_id="dead"))
    expire(bare)
    assert holder(bare) is None
    assert take(bare, bare.run(run_id="next"))
    assert holder(bare) == "test/next"


def test_release_leaves_the_lease_of_another_run(bare: Site) -> None:
    """A cleanup that comes late, after its lease has expired, does not free the lease of the run that took it."""
    take(bare, bare.run(run_id="late"))
    expire(bare)
    take(bare, bare.run(run_id="next"))
    with bare.warehouse.transaction():
        lease.release(bare.project, bare.warehouse, bare.run(run_id="late").token)
    assert holder(bare) == "test/next"


def hold(site: Site, run: Run) -> None:
    """Hold the lease as a step of a run does that was prepared before any sync."""
    with site.warehouse.transaction():
        lease.hold(site.project, site.warehouse, run, {None})


def test_hold_writes_nothing_while_the_lease_lasts(bare: Site) -> None:
    """The start of most steps costs one query: no lock, no write."""
    take(bare, bare.run())
    before = len(bare.warehouse.statements)
    hold(bare, bare.run())
    assert len(bare.warehouse.statements) - before == 1


def test_hold_renews_a_lease_that_ends_soon(bare: Site) -> None:
    """A step that starts late in a run has time enough, and all see it at once; the run's start stays as it was."""
    take(bare, bare.run())
    ((expires_at,),) = bare.table("cdc.lease", "expires_at")
    bare.execute("UPDATE cdc.lease SET taken_at = '2026-03-01 11:00', expires_at = DATEADD(minute, 2, GETDATE())")
    other = bare.connect()
    with bare.warehouse.transaction():
        lease.hold(bare.project, bare.warehouse, bare.run(), {None})
        ((taken_at, renewed),) = other.rows("SELECT taken_at, expires_at FROM cdc.lease")
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
            lease.release(bare.project, bare.warehouse, run.token)
    hold(bare, run)
    assert holder(bare) == run.key


def test_hold_refuses_while_another_run_works(bare: Site) -> None:
    """A cleared task of a failed run does not go on beside another run, and the message names that run."""
    take(bare, bare.run(run_id="other"))
    with pytest.raises(LeaseError, match=r"Run test/run may not go on: run test/other holds the warehouse since"):
        hold(bare, bare.run())


def test_hold_refuses_when_the_baseline_has_moved(bare: Site) -> None:
    """Change sets that were made on another baseline are not applied; the message says what to clear."""
    take(bare, bare.run())
    synced(bare, "test/other")
    with pytest.raises(LeaseError, match=r"prepared on a baseline that test/other has replaced.* from `prepare` on"):
        hold(bare, bare.run())


def test_hold_says_that_the_run_was_synced(bare: Site) -> None:
    """A cleared task of a run that was synced has nothing left to do, and takes no lease."""
    synced(bare, bare.run().key)
    with pytest.raises(AlreadySynced, match="Run test/run has been synced: there is nothing left to do"):
        hold(bare, bare.run())
    assert holder(bare) is None


def test_work_between_runs_is_refused_beside_one(bare: Site) -> None:
    """What may be done between runs only is refused while one works, and the message says when to try again."""
    take(bare, bare.run())
    with pytest.raises(LeaseError, match=r"Can not verify facts now: run test/run holds the warehouse"):
        lease.refuse_beside_run(bare.project, bare.warehouse, "verify facts")


def test_run_waits_for_the_transaction_that_moves_the_baseline(bare: Site) -> None:
    """A run that begins while a refresh works waits for its end and fails as one that may try again."""
    other = bare.connect()

    def attempt() -> bool:
        with other.transaction():
            return not lease.take(bare.project, other, bare.run()).taken_from(bare.run().token)

    with ThreadPoolExecutor(1) as threads:
        with bare.warehouse.transaction():
            lease.move_baseline(bare.project, bare.warehouse, "refresh", new_token())
            taken = threads.submit(attempt)
            with pytest.raises(TimeoutError):
                taken.result(timeout=0.3)
        with pytest.raises(ProgrammingError) as raised:
            taken.result(timeout=30)
    assert is_transient(raised.value)
    assert attempt()


def test_a_run_that_begins_beside_a_refresh_keeps_it_from_committing(bare: Site) -> None:
    """A refresh that found no run working does not write once one has begun."""
    other = bare.connect()
    with other.transaction():
        lease.refuse_beside_run(bare.project, other, "refresh facts")
        assert take(bare, bare.run())
        with pytest.raises(ProgrammingError) as raised:
            lease.move_baseline(bare.project, other, "refresh", new_token())
    assert is_transient(raised.value)
    assert bare.table("cdc.lease", "holder", "baseline_run") == [("test/run", None)]


def test_lease_is_renewed_while_a_step_works(bare: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that takes longer than a lease lasts keeps it, and a run that asks meanwhile waits."""
    monkeypatch.setattr(lease, "BEAT", timedelta(seconds=0.05))
    run = bare.run()
    take(bare, run)
    bare.execute("UPDATE cdc.lease SET expires_at = DATEADD(second, 1, GETDATE())")
    with lease.beating(bare.project, bare.connect, run):
        deadline = time.monotonic() + 30
        while not ((held := lease.holder(bare.project, bare.warehouse)) and held.lasts(timedelta(minutes=4))):
            assert time.monotonic() < deadline
    assert not take(bare, bare.run(run_id="other"))


def test_heart_of_a_run_does_not_renew_the_lease_of_another(bare: Site) -> None:
    """A run whose lease was taken while it slept leaves it to the one that has it."""
    take(bare, bare.run(run_id="other"))
    expire(bare)
    lease.renew(bare.project, bare.warehouse, bare.run())
    assert lease.holder(bare.project, bare.warehouse) is None


def test_dead_run_is_released_by_hand(bare: Site) -> None:
    """Whose heart has stopped is named and freed; whoever has just beaten is not."""
    assert lease.free_dead(bare.project, bare.warehouse) == "Nobody holds the warehouse."
    take(bare, bare.run(run_id="working"))
    with pytest.raises(LeaseError, match=r"not freed: run test/working holds the warehouse since"):
        lease.free_dead(bare.project, bare.warehouse)
    bare.execute("UPDATE cdc.lease SET expires_at = DATEADD(second, 150, GETDATE())")
    assert lease.free_dead(bare.project, bare.warehouse).startswith("Freed the warehouse from run test/working")
    assert take(bare, bare.run(run_id="next"))


def test_tables_of_a_newer_engine_are_refused(bare: Site) -> None:
    """An engine that does not know what a newer one has made of the control tables leaves them alone."""
    bare.execute("UPDATE cdc.lease SET version = 99")
    with pytest.raises(ContractError, match="of version 99, made by a newer engine"):
        take(bare, bare.run())

"""The lease: one row that lets a single run write to the warehouse, and says whose sync the baseline shows.

It is held by the token of an attempt, and lasts as long as the attempt's heart beats: each step renews it, and one that
works for long does so all the while.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING

from surgical_cdc.errors import AlreadySynced, ContractError, LeaseError, SyncedInPart
from surgical_cdc.names import VERSION
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.values import ChangeSet, Run
    from surgical_cdc.warehouse.session import Warehouse

log = logging.getLogger(__name__)

# A run that died blocks the next one no longer than this; a scheduler may take as long to start a run's next task.
LEASE = timedelta(minutes=5)
# A step that finds less than this left renews the lease.
RENEW_BELOW = timedelta(minutes=4)
# How often a step that goes on working renews it.
BEAT = timedelta(minutes=1)
# Who has missed so many is taken for dead by who asks to free the lease.
MISSED_BEATS = 2


@dataclass(frozen=True)
class Lease:
    """The lease as it was read, times by the server's clock, UTC.

    `holder` and `baseline_run` are what people know the two attempts by, `token` and `baseline_token` what tells them
    from others. Who has given it back is still named until another attempt takes it; `expires_at` is None then.
    `swept_at` is when what is kept was last held against its retention; `version` is that of all control tables.
    """

    holder: str | None
    token: str | None
    taken_at: datetime | None
    expires_at: datetime | None
    read_at: datetime
    baseline_run: str | None
    baseline_token: str | None
    swept_at: datetime | None
    version: int

    def lasts(self, time: timedelta = timedelta()) -> bool:
        """Return whether it has not expired yet, and will not for so long."""
        return self.expires_at is not None and self.expires_at > self.read_at + time

    def taken_from(self, token: str | None) -> bool:
        """Return whether another attempt holds a lease that has not expired."""
        return self.token not in {None, token} and self.lasts()

    def __str__(self) -> str:
        """Say who holds it since when, and how long at least."""
        return (
            f"run {self.holder} holds the warehouse since {self.taken_at} UTC, until its cleanup, or until"
            f" {self.expires_at} UTC unless it is still working then"
        )


def take(project: Project, warehouse: Warehouse, run: Run) -> Lease:
    """Take the lease inside the caller's transaction, unless another attempt holds it.

    Two runs that find it free at the same moment write the same row: one of them waits, and fails when the other has
    committed, as both of Redshift's isolation levels have it. So nobody needs a lock, which would keep readers waiting.

    Returns:
        The lease as it was found; the run has it now unless it was `taken_from` the run's token.
    """
    found = read(project, warehouse)
    if not found.taken_from(run.token):
        _give(project, warehouse, run)
    return found


def hold(project: Project, warehouse: Warehouse, run: Run, baselines: Collection[str | None]) -> bool:
    """Make sure that the run may go on, at the start of a step's transaction; renew the lease or take a free one again.

    Args:
        project: the project.
        warehouse: the session of the step.
        run: the run.
        baselines: tokens of what the baseline showed when the step's inputs were made.

    Returns:
        Whether that was needed. It has been committed then, and the step is at the start of a transaction again.

    Raises:
        AlreadySynced: this attempt has been synced, so that its steps have nothing left to do; SyncedInPart if failed
            facts have kept sources back.
        LeaseError: another run has taken the lease since, or the baseline has moved.
    """
    found = read(project, warehouse)
    if found.baseline_token == in_part(run):
        raise SyncedInPart(
            f"Run {run.key} may not go on: it has been synced in part. Clear it from `prepare` on, or leave it to the"
            " next run, which applies what is still staged."
        )
    if found.baseline_token == run.token:
        raise AlreadySynced(f"Run {run.key} has been synced: there is nothing left to do.")
    if found.taken_from(run.token):
        raise LeaseError(
            f"Run {run.key} may not go on: {found}. Leave this run: what it has not applied is still staged for a later"
            " one."
        )
    if any(baseline != found.baseline_token for baseline in baselines):
        raise LeaseError(
            f"Run {run.key} may not go on: it was prepared on a baseline that {found.baseline_run} has replaced, so its"
            " change sets are no longer valid. Clear the run from `prepare` on, or leave it to the next run, which"
            " applies what is still staged."
        )
    if found.token not in {None, run.token}:
        raise LeaseError(
            f"Run {run.key} may not go on: run {found.holder} has begun since it was prepared. Clear the run from"
            " `prepare` on, or leave it to the next run, which applies what is still staged."
        )
    if found.token == run.token and found.lasts(RENEW_BELOW):
        return False
    _give(project, warehouse, run)
    # A transaction of its own: others must see it now, and steps that renew it too must not wait for this one.
    warehouse.commit()
    return True


def in_part(run: Run) -> str:
    """Return the token of a baseline that shows a part of what an attempt has found."""
    return f"{run.token} in part"


def baselines(run: Run, change_sets: Iterable[ChangeSet]) -> set[str | None]:
    """Return the tokens of the baselines that change sets were compared with.

    Raises:
        LeaseError: one was made by another attempt than this.
    """
    found = {change_set.source: change_set for change_set in change_sets}
    others = [source for source, change_set in found.items() if change_set.token != run.token]
    if others:
        raise LeaseError(
            f"Run {run.key} may not go on: `prepare` has run again since the changes of {', '.join(others)} were"
            " detected. Clear the run from `prepare` on."
        )
    return {change_set.baseline_token for change_set in found.values()}


@contextmanager
def beating(project: Project, connect: Callable[[], Warehouse], run: Run) -> Iterator[None]:
    """Renew the run's lease while the block works, in a session of its own that is opened when that is first needed."""
    ended = Event()

    def beat() -> None:
        while not ended.wait(BEAT.total_seconds()):
            try:
                with closing(connect()) as warehouse:
                    while True:
                        renew(project, warehouse, run)
                        if ended.wait(BEAT.total_seconds()):
                            return
            except Exception as error:  # noqa: BLE001 - it is tried again; if that is in vain the lease expires
                log.warning("The lease of run %s could not be renewed: %s", run.key, error)

    heart = Thread(target=beat, name=f"heart of {run.key}", daemon=True)
    heart.start()
    try:
        yield
    finally:
        ended.set()
        heart.join()


def renew(project: Project, warehouse: Warehouse, run: Run) -> None:
    """Let the lease last anew, if the run has it."""
    with warehouse.transaction():
        seconds = int(LEASE.total_seconds())
        warehouse.execute(render("renew_lease", control=project.control_schema), (seconds, run.token))


def holder(project: Project, warehouse: Warehouse) -> Lease | None:
    """Return the lease if somebody holds it now."""
    with warehouse.transaction():
        found = read(project, warehouse)
    return found if found.taken_from(None) else None


def free_dead(project: Project, warehouse: Warehouse) -> str:
    """Free the lease of an attempt whose heart has stopped; return in a sentence whose it was.

    Raises:
        LeaseError: its heart beats: it has renewed the lease within the last beats.
    """
    with warehouse.transaction():
        found = read(project, warehouse)
        if found.token is None or found.expires_at is None:
            return "Nobody holds the warehouse."
        if found.lasts(LEASE - MISSED_BEATS * BEAT):
            raise LeaseError(
                f"The warehouse is not freed: {found}. It was at work less than {MISSED_BEATS * BEAT} ago. Wait for its"
                " end, or end it and try again after that time."
            )
        release(project, warehouse, found.token)
    return f"Freed the warehouse from run {found.holder}, which held it since {found.taken_at} UTC."


def release(project: Project, warehouse: Warehouse, token: str) -> None:
    """Give the lease of an attempt back inside the caller's transaction; nothing happens if another one holds it."""
    warehouse.execute(render("release_lease", control=project.control_schema), (token,))


def move_baseline(project: Project, warehouse: Warehouse, key: str, token: str) -> None:
    """Say inside the caller's transaction what the baseline shows from now on: change sets made before are invalid.

    A run that wants the lease from here on waits for the end of the transaction, and then tries again.
    """
    warehouse.execute(render("move_baseline", control=project.control_schema), (key, token))


def refuse_beside_run(project: Project, warehouse: Warehouse, purpose: str) -> None:
    """Make sure inside the caller's transaction, which sees one moment, that no run is working in it.

    Only between runs do facts and baseline belong together.

    Raises:
        LeaseError: a run holds the lease; the message names `purpose`.
    """
    found = read(project, warehouse)
    if found.taken_from(None):
        raise LeaseError(f"Can not {purpose} now: {found}. Try again when it has finished.")


def read(project: Project, warehouse: Warehouse) -> Lease:
    """Return the lease as the caller's transaction sees it.

    Raises:
        ContractError: a newer version of the engine has made the control tables.
    """
    found = Lease(*warehouse.row(render("read_lease", control=project.control_schema)))
    if found.version > VERSION:
        raise ContractError(
            f"The tables in {project.control_schema} are of version {found.version}, made by a newer engine; this one"
            f" knows them up to version {VERSION}. Nothing was written. Install that engine here too."
        )
    return found


def _give(project: Project, warehouse: Warehouse, run: Run) -> None:
    params = (run.token, run.key, run.token, int(LEASE.total_seconds()))
    warehouse.execute(render("take_lease", control=project.control_schema), params)

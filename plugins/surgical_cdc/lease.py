"""The lease: one row that lets a single run write to the warehouse, and says which run's sync the baseline shows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from surgical_cdc.errors import AlreadySynced, LeaseError
from surgical_cdc.templates import render

if TYPE_CHECKING:
    from surgical_cdc.project import Project
    from surgical_cdc.values import Run
    from surgical_cdc.warehouse import Warehouse

# Longer than any task may take, so that a run is never overtaken while it works; a run that died without cleanup
# blocks the next one no longer than this.
LEASE_HOURS = 2
# A task that finds less than this left renews the lease, so its execution_timeout must be shorter than this.
RENEW_BELOW = timedelta(hours=1)


@dataclass(frozen=True)
class Lease:
    """The lease as it was read, times by the server's clock."""

    holder: str | None
    expires_at: datetime | None
    read_at: datetime
    baseline_run: str | None

    def lasts(self, time: timedelta = timedelta()) -> bool:
        """Return whether it has not expired yet, and will not for so long."""
        return self.expires_at is not None and self.expires_at > self.read_at + time

    def taken_from(self, run_key: str | None) -> bool:
        """Return whether somebody else holds a lease that has not expired."""
        return self.holder not in {None, run_key} and self.lasts()


def take(project: Project, warehouse: Warehouse, run: Run) -> Lease | None:
    """Take the lease inside the caller's transaction.

    Two runs that find it free at the same moment write the same row: one of them waits, and fails when the other has
    committed, as both of Redshift's isolation levels have it. So nobody needs a lock, which would keep readers waiting.

    Returns:
        The lease as it was found if it was free, expired or the run's own, None if another run holds it.
    """
    found = _read(project, warehouse)
    if found.taken_from(run.key):
        return None
    _give(project, warehouse, run)
    return found


def hold(project: Project, warehouse: Warehouse, run: Run, baselines: Collection[str | None]) -> bool:
    """Make sure that the run may go on, at the start of a step's transaction; renew the lease or take a free one again.

    `baselines` are the runs whose syncs the baseline showed when that was found which the step builds on.

    Returns:
        Whether that was needed. It has been committed then, and the step is at the start of a transaction again.

    Raises:
        AlreadySynced: this run has been synced, so that its steps have nothing left to do.
        LeaseError: another run holds the lease, or the baseline has moved since.
    """
    found = _read(project, warehouse)
    if found.baseline_run == run.key:
        raise AlreadySynced(f"Run {run.key} has been synced: there is nothing left to do.")
    if found.taken_from(run.key):
        raise LeaseError(
            f"Run {run.key} may not go on: run {found.holder} holds the warehouse until its cleanup, or until"
            f" {found.expires_at} UTC. Leave this run: what it has not applied is still staged for a later one."
        )
    if replaced := {baseline or "no run" for baseline in baselines if baseline != found.baseline_run}:
        raise LeaseError(
            f"Run {run.key} may not go on: it was prepared on the baseline of {', '.join(sorted(replaced))},"
            f" which {found.baseline_run} has replaced, so its change sets are no longer valid."
            " Clear the run from `prepare` on, or leave it to the next run, which applies what is still staged."
        )
    if found.holder == run.key and found.lasts(RENEW_BELOW):
        return False
    _give(project, warehouse, run)
    # A transaction of its own: others must see it now, and steps that renew it too must not wait for this one.
    warehouse.commit()
    return True


def holder(project: Project, warehouse: Warehouse) -> str | None:
    """Return the key of the run that holds the lease now, if one does."""
    with warehouse.transaction():
        found = _read(project, warehouse)
    return found.holder if found.taken_from(None) else None


def free(project: Project, warehouse: Warehouse, run_key: str) -> None:
    """Give back the lease of a run that has ended without doing so."""
    with warehouse.transaction():
        release(project, warehouse, run_key)


def release(project: Project, warehouse: Warehouse, run_key: str) -> None:
    """Give the lease of a run back inside the caller's transaction; nothing happens if another run holds it."""
    warehouse.execute(render("release_lease", control=project.control_schema), (run_key,))


def move_baseline(project: Project, warehouse: Warehouse, key: str) -> None:
    """Say inside the caller's transaction what the baseline shows from now on: change sets made before are invalid.

    A run that wants the lease from here on waits for the end of the transaction, and then tries again.
    """
    warehouse.execute(render("move_baseline", control=project.control_schema), (key,))


def refuse_beside_run(project: Project, warehouse: Warehouse, purpose: str) -> None:
    """Make sure inside the caller's transaction, which sees one moment, that no run is working in it.

    Only between runs do facts and baseline belong together.

    Raises:
        LeaseError: a run holds the lease; the message names `purpose`.
    """
    found = _read(project, warehouse)
    if found.taken_from(None):
        raise LeaseError(
            f"Can not {purpose} now: run {found.holder} holds the warehouse until its cleanup, or until"
            f" {found.expires_at} UTC. Try again when it has finished."
        )


def _give(project: Project, warehouse: Warehouse, run: Run) -> None:
    warehouse.execute(render("take_lease", control=project.control_schema), (run.key, run.key, LEASE_HOURS))


def _read(project: Project, warehouse: Warehouse) -> Lease:
    return Lease(*warehouse.row(render("read_lease", control=project.control_schema)))

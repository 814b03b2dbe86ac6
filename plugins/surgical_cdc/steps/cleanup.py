"""Ends a run: drops its scratch tables or keeps them for a cleared task, and gives the lease back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surgical_cdc.control import lease, ledger, scratch
from surgical_cdc.control.retention import sweep
from surgical_cdc.control.tables import complete_control
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.control.lease import Lease
    from surgical_cdc.values import Run
    from surgical_cdc.warehouse.session import Warehouse


def cleanup(project: Project, warehouse: Warehouse, run: Run, *, failure: str | None) -> None:
    """End a run however it went; after a failure keep its scratch tables and write the reason down.

    Once a day what is kept between runs is held against its retention.
    """
    with warehouse.transaction():
        if failure is not None:
            # The very first run may have failed before there was a ledger to write to.
            complete_control(project, warehouse)
            ledger.record_failure(project, warehouse, run, failure)
        found = end(project, warehouse, run, keep_scratch=failure is not None)
        if failure is None and run.dry_run:
            ledger.record_dry_run(project, warehouse, run)
        elif failure is None:
            sweep(project, warehouse, found)


def end(project: Project, warehouse: Warehouse, run: Run, *, keep_scratch: bool) -> Lease:
    """Drop the scratch tables that nobody needs any more and give the lease back, inside the caller's transaction.

    Returns:
        The lease as it was found.
    """
    found = lease.read(project, warehouse)
    relations = scratch.relations_to_drop(project, warehouse, run, found, keep_own=keep_scratch)
    if relations:
        warehouse.execute(render("drop_tables", relations=relations))
    if found.token == run.token:
        lease.release(project, warehouse, run.token)
    return found

"""Ends a run: drops its scratch tables or keeps them for a cleared task, and gives the lease back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surgical_cdc import lease, ledger, scratch
from surgical_cdc.catalog import complete_control
from surgical_cdc.templates import render

if TYPE_CHECKING:
    from surgical_cdc.project import Project
    from surgical_cdc.values import Run
    from surgical_cdc.warehouse import Warehouse


def cleanup(project: Project, warehouse: Warehouse, run: Run, *, failure: str | None) -> None:
    """Release the lease; drop the run's scratch tables, or after a failure keep them and write the reason down.

    Scratch tables of other runs go once they are older than the retention time.
    """
    with warehouse.transaction():
        if failure is not None:
            # The very first run may have failed before there was a ledger to write to.
            complete_control(project, warehouse)
        relations = scratch.relations_to_drop(project, warehouse, run, keep_own=failure is not None)
        if relations:
            warehouse.execute(render("drop_tables", relations=relations))
        if failure is not None:
            ledger.record_failure(project, warehouse, run, failure)
        lease.release(project, warehouse, run.key)

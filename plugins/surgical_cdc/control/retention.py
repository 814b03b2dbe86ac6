"""What is kept between runs, and for how long: the ledger, tombstones, quarantined rows, and history."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.control.lease import Lease
    from surgical_cdc.warehouse.session import Warehouse

EVERY = timedelta(days=1)


def sweep(project: Project, warehouse: Warehouse, found: Lease) -> None:
    """Delete inside the caller's transaction what has been kept for longer than the project says; once a day.

    `found` is the lease, which knows when that was done last.

    A tombstone stays as long as staging has a version of its key, which would come back without it.
    """
    if found.swept_at and found.read_at - found.swept_at < EVERY:
        return
    control, kept = project.control_schema, project.retention
    for table in ("run_sources", "run_facts", "run_columns"):
        warehouse.execute(render("sweep_lines", control=control, table=table), (kept.ledger_days,))
    warehouse.execute(render("sweep_runs", control=control), (kept.ledger_days,))
    for source in project.sources.values():
        relation = schema.quarantine(project, source).relation
        warehouse.execute(render("sweep_quarantine", relation=relation), (kept.quarantine_days,))
        if source.load == "window":
            params = (source.name, kept.tombstone_days)
            warehouse.execute(render("sweep_tombstones", control=control, source=source), params)
    for history in schema.histories(project):
        warehouse.execute(render("sweep_history", relation=history.relation), (kept.history_days,))
    warehouse.execute(render("record_sweep", control=control))

"""Full refresh: builds one fact anew from the baselines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.control import built_by, lease, ledger
from surgical_cdc.control.tables import complete_control
from surgical_cdc.steps import replacement
from surgical_cdc.steps.build import build
from surgical_cdc.steps.summary import fact_summary, of_fact
from surgical_cdc.values import REFRESH, FactResult, now
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.catalog import fact_differences
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.warehouse.session import Warehouse


def refresh(project: Project, fact_name: str, warehouse: Warehouse) -> FactResult:
    """Replace all rows of a fact by its SELECT, in one transaction, until whose end readers see the old rows.

    Where the columns are as the contract says, the table stays: its rows are deleted and inserted, so no reader waits,
    and nothing that hangs on the table is touched. Another table is built beside it where columns differ, and takes its
    place by a rename at the end: only for that do readers wait.

    Raises:
        LeaseError: a run is working; its facts are ahead of the baselines that this reads.
        DataError: a row key is NULL or not unique; the fact stays as it was.
        BoundViews, PrivilegeError: columns differ, and the table can not be replaced; nothing is written then.
    """
    started = time.perf_counter()
    fact = project.fact(fact_name)
    with warehouse.transaction():
        catalog = complete_control(project, warehouse)
        lease.refuse_beside_run(project, warehouse, f"refresh {fact_name}")
        standing = replacement.replaceable(fact, warehouse) if fact_differences(fact, catalog) else None
        # A failed run that has updated this fact may not go on: it would sync changes that the fact no longer shows.
        began = now()
        summary = of_fact(REFRESH, fact_name, began)
        moment = built_by.moment_of(fact, began, built_by.recorded(project, warehouse).get(fact_name))
        compiled = compile_fact(project, fact_name, moment)
        lease.move_baseline(project, warehouse, summary.key, summary.token)
        if standing:
            (deleted,) = warehouse.row(render("count_rows", relations=[fact.relation]))
            inserted = replacement.build_beside(compiled, warehouse, standing)
        else:
            deleted, inserted = build(compiled, warehouse)
        warehouse.execute(render("delete_rows", relation=schema.pending(project, fact).relation))
        result = FactResult(
            fact=fact_name,
            affected=inserted,
            inserted=inserted,
            deleted=deleted,
            built=True,
            definition=compiled.select_fingerprint,
            moment=moment,
            started_at=began,
            seconds=round(time.perf_counter() - started, 3),
        )
        built_by.record(project, warehouse, [result])
        done = {"facts": {fact_name: fact_summary(result)}, "seconds": {"update": result.seconds}}
        ledger.record(project, warehouse, summary.model_copy(update=done))
        if standing:
            replacement.swap(fact, warehouse)
    return result

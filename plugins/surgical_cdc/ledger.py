"""The ledger: one line per run, per source and per fact, written with the sync; a failed run has its own line only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from surgical_cdc import schema
from surgical_cdc.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract import Table
    from surgical_cdc.project import Project
    from surgical_cdc.values import ChangeSet, FactResult, Run
    from surgical_cdc.warehouse import Warehouse

# A reason is for a person; the log has the rest.
REASON_LENGTH = 2000


def record_success(
    project: Project,
    warehouse: Warehouse,
    run: Run,
    *,
    change_sets: Mapping[str, ChangeSet],
    fact_results: Mapping[str, FactResult],
    seconds_sync: float,
) -> None:
    """Write the lines of a synced run inside the caller's transaction."""
    runs, run_sources, run_facts = (schema.control(project, name) for name in ("runs", "run_sources", "run_facts"))
    for ledger in (runs, run_sources, run_facts):
        warehouse.execute(render("forget_run", ledger=ledger.relation), (run.key,))
    _record_lines(warehouse, run_sources, [_source_line(run, change_set) for change_set in change_sets.values()])
    _record_lines(warehouse, run_facts, [_fact_line(run, result) for result in fact_results.values()])
    seconds_detect = sum(change_set.seconds for change_set in change_sets.values())
    seconds_update = sum(result.seconds for result in fact_results.values())
    _record_run(project, warehouse, run, (seconds_detect, seconds_update, seconds_sync), result="success", reason=None)


def record_failure(project: Project, warehouse: Warehouse, run: Run, reason: str) -> None:
    """Write the line of a failed run inside the caller's transaction; a run that was synced keeps its line."""
    warehouse.execute(render("forget_failure", control=project.control_schema), (run.key,))
    _record_run(project, warehouse, run, (None, None, None), result="failed", reason=reason[:REASON_LENGTH])


def _record_run(
    project: Project,
    warehouse: Warehouse,
    run: Run,
    seconds: Iterable[float | None],
    *,
    result: str,
    reason: str | None,
) -> None:
    params = (run.key, run.window_start, run.window_end, *seconds, result, reason, run.key)
    warehouse.execute(render("record_run", control=project.control_schema), params)


def _record_lines(warehouse: Warehouse, ledger: Table, lines: Sequence[Mapping[str, object]]) -> None:
    if lines:
        statement = render("record_lines", ledger=ledger.relation, columns=ledger.columns, lines=lines)
        warehouse.execute(statement, [line[name] for line in lines for name in ledger.column_names])


def _source_line(run: Run, change_set: ChangeSet) -> dict[str, object]:
    columns = json.dumps(change_set.changed_columns)
    return {**dict(change_set), "run_key": run.key, "source_name": change_set.source, "changed_columns": columns}


def _fact_line(run: Run, result: FactResult) -> dict[str, object]:
    return {**dict(result), "run_key": run.key, "fact_name": result.fact}

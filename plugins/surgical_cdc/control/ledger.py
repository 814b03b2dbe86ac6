"""The ledger: a line per attempt at a run, per source and per fact, written with the sync and never rewritten."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from surgical_cdc.values import FactResult
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Table
    from surgical_cdc.values import ChangeSet, Run
    from surgical_cdc.warehouse.session import Warehouse

# A reason is for a person; the log has the rest.
REASON_LENGTH = 2000


def record(
    project: Project,
    warehouse: Warehouse,
    run: Run,
    *,
    change_sets: Mapping[str, ChangeSet],
    waiting: Collection[str],
    failed: Collection[str],
    fact_results: Iterable[FactResult],
    seconds_sync: float,
) -> None:
    """Write the lines of a synced run inside the caller's transaction.

    Where facts have `failed` or sources are kept `waiting` the run has failed: its cleanup writes its own line.
    """
    results = [*fact_results, *(FactResult(fact=fact, reason="it has failed") for fact in failed)]
    if not failed and not waiting:
        seconds_detect = sum(change_set.seconds for change_set in change_sets.values())
        seconds = (seconds_detect, sum(result.seconds for result in results), seconds_sync)
        if not _record_run(project, warehouse, run, seconds, result="success", reason=None):
            # The commit that brought these lines was not confirmed.
            return
    run_sources, run_facts = (schema.control(project, name) for name in ("run_sources", "run_facts"))
    synced = {name: name not in waiting for name in change_sets}
    lines = [{**_source_line(run, change_set), "synced": synced[name]} for name, change_set in change_sets.items()]
    _record_lines(warehouse, run_sources, lines)
    _record_lines(warehouse, run_facts, [_fact_line(run, result) for result in results])


def record_failure(project: Project, warehouse: Warehouse, run: Run, reason: str) -> None:
    """Write the line of an attempt that has failed inside the caller's transaction."""
    _record_run(project, warehouse, run, (None, None, None), result="failed", reason=reason[:REASON_LENGTH])


def record_waiting(project: Project, warehouse: Warehouse, run: Run, reason: str) -> bool:
    """Write in a transaction of its own that a run waits for another one; return False if that is written already.

    What waits has no attempt yet.
    """
    with warehouse.transaction():
        unbegun = run.model_copy(update={"token": ""})
        written = _record_run(project, warehouse, unbegun, (None, None, None), result="waiting", reason=reason)
    return written > 0


def _record_run(
    project: Project,
    warehouse: Warehouse,
    run: Run,
    seconds: Iterable[float | None],
    *,
    result: str,
    reason: str | None,
) -> int:
    window = (run.window_start, run.window_end)
    params = (run.key, run.token, *window, run.token, *seconds, result, reason, run.key, run.token, result)
    return warehouse.execute(render("record_run", control=project.control_schema), params)


def _record_lines(warehouse: Warehouse, ledger: Table, lines: Sequence[Mapping[str, object]]) -> None:
    if lines:
        statement = render("record_lines", ledger=ledger.relation, columns=ledger.columns, lines=lines)
        warehouse.execute(statement, [line[name] for line in lines for name in ledger.column_names])


def _source_line(run: Run, change_set: ChangeSet) -> dict[str, object]:
    columns = json.dumps(change_set.changed_columns)
    return {
        **dict(change_set),
        "run_key": run.key,
        "source_name": change_set.source,
        "changed_columns": columns,
    }


def _fact_line(run: Run, result: FactResult) -> dict[str, object]:
    return {**dict(result), "run_key": run.key, "token": run.token, "fact_name": result.fact}

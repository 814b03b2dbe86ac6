"""The ledger: a line per attempt at a run, per source and per fact, written with the sync and never rewritten."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from surgical_cdc.values import DRY_RUN, FAILED, IN_PART, RunSummary
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Table
    from surgical_cdc.values import Run, SourceSummary
    from surgical_cdc.warehouse.session import Warehouse

# A reason is for a person; the log has the rest.
REASON_LENGTH = 2000
# Another run held the warehouse until the window was over.
WAITING = "waiting"


def record(project: Project, warehouse: Warehouse, summary: RunSummary) -> None:
    """Write the lines of a run that was synced, or had nothing to do, or of a refresh, inside the caller's transaction.

    A verification has its line too. A run that was synced `in part` has that of a failure, by its cleanup.
    """
    if summary.result != IN_PART and not _record_run(project, warehouse, summary):
        # The commit that brought these lines was not confirmed.
        return
    tables = {name: schema.control(project, name) for name in ("run_sources", "run_facts", "run_columns")}
    sources = [_source_line(name, found, summary) for name, found in summary.sources.items()]
    _record_lines(warehouse, tables["run_sources"], summary, sources)
    facts = [{**dict(done), "fact_name": name} for name, done in summary.facts.items()]
    _record_lines(warehouse, tables["run_facts"], summary, facts)
    columns = [
        {"fact_name": name, "column_name": column, "cells": cells}
        for name, done in summary.facts.items()
        for column, cells in done.cells.items()
    ]
    _record_lines(warehouse, tables["run_columns"], summary, columns)


def record_dry_run(project: Project, warehouse: Warehouse, run: Run) -> None:
    """Write the line of a dry run that has ended well inside the caller's transaction."""
    _record_run(project, warehouse, RunSummary.of_run(run, DRY_RUN))


def record_failure(project: Project, warehouse: Warehouse, run: Run, reason: str) -> None:
    """Write the line of an attempt that has failed inside the caller's transaction."""
    _record_run(project, warehouse, RunSummary.of_run(run, FAILED, reason=reason))


def record_waiting(project: Project, warehouse: Warehouse, run: Run, reason: str) -> bool:
    """Write in a transaction of its own that a run waits for another one; return False if that is written already.

    What waits has no attempt yet.
    """
    with warehouse.transaction():
        unbegun = run.model_copy(update={"token": ""})
        written = _record_run(project, warehouse, RunSummary.of_run(unbegun, WAITING, reason=reason))
    return written > 0


def _record_run(project: Project, warehouse: Warehouse, summary: RunSummary) -> int:
    attempt, window = (summary.key, summary.token), (summary.window_start, summary.window_end)
    began = (summary.started_at, summary.token)
    seconds = [summary.seconds.get(phase) for phase in ("detect", "update", "sync")]
    outcome = (summary.undoes, summary.result, summary.reason and summary.reason[:REASON_LENGTH])
    params = (*attempt, summary.kind, *window, *began, *seconds, *outcome, *attempt, summary.result)
    return warehouse.execute(render("record_run", control=project.control_schema), params)


def _record_lines(
    warehouse: Warehouse, ledger: Table, summary: RunSummary, lines: Sequence[Mapping[str, object]]
) -> None:
    if lines:
        statement = render("record_lines", ledger=ledger.relation, columns=ledger.columns, lines=lines)
        attempt = {"run_key": summary.key, "token": summary.token}
        values = [{**line, **attempt} for line in lines]
        warehouse.execute(statement, [line[name] for line in values for name in ledger.column_names])


def _source_line(name: str, found: SourceSummary, summary: RunSummary) -> dict[str, object]:
    window = {"window_start": summary.window_start, "window_end": summary.window_end}
    return {**dict(found), **window, "source_name": name, "changed_columns": json.dumps(found.changed_columns)}

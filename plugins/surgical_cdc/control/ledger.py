"""The ledger: a line per attempt at a run, per source and per fact, written with the sync and never rewritten."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from surgical_cdc.values import (
    DRY_RUN,
    FAILED,
    HAS_FAILED,
    IN_PART,
    PHASES,
    SUCCESS,
    FactSummary,
    RunSummary,
    SourceSummary,
    Value,
)
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Table
    from surgical_cdc.values import Run
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


def recorded(project: Project, warehouse: Warehouse, run: Run) -> RunSummary | None:
    """Return what a sync has written down of its attempt, as a summary; None if nothing is kept of that any more."""
    with warehouse.transaction(dry_run=True):
        lines = {
            name: _read_lines(warehouse, schema.control(project, name), run)
            for name in ("runs", "run_sources", "run_facts", "run_columns")
        }
    if not lines["runs"]:
        return None
    # One that was synced in part has the line of its failure besides, which is written later.
    line = next((line for line in lines["runs"] if line["result"] == SUCCESS), {**lines["runs"][0], "result": IN_PART})
    cells: dict[str, dict[str, int]] = {}
    for found in lines["run_columns"]:
        cells.setdefault(found["fact_name"], {})[found["column_name"]] = found["cells"]
    facts = {
        found["fact_name"]: FactSummary(
            **_fields(FactSummary, found),
            cells=cells.get(found["fact_name"], {}),
            failed=line["result"] == IN_PART and found["reason"] == HAS_FAILED,
        )
        for found in lines["run_facts"]
    }
    sources = {
        found["source_name"]: SourceSummary(
            **_fields(SourceSummary, {**found, "changed_columns": json.loads(found["changed_columns"])})
        )
        for found in lines["run_sources"]
    }
    seconds = {phase: line[f"seconds_{phase}"] for phase in PHASES if line[f"seconds_{phase}"]}
    return RunSummary.of_run(
        run,
        line["result"],
        started_at=line["started_at"],
        seconds=seconds,
        written=sum(fact.written for fact in facts.values()),
        sources=sources,
        facts=facts,
    )


class PastRun(NamedTuple):
    """A line of a run, undo or refresh: when it was written (UTC), the end of its window, how it ended.

    `seconds` are those of its phases, 0 where it took none of them; `written` are rows of all facts.
    """

    key: str
    finished_at: datetime
    window_end: datetime | None
    result: str
    seconds: float
    written: int


class ChangedColumn(NamedTuple):
    """A column of a fact, and how many cells of updated rows runs have changed in it."""

    fact: str
    column: str
    cells: int


def last_runs(project: Project, warehouse: Warehouse, *, most: int) -> list[PastRun]:
    """Return the last runs, undos and refreshes, the newest first, so many at most."""
    with warehouse.transaction(dry_run=True):
        lines = warehouse.rows(render("read_last_runs", control=project.control_schema, most=most))
    return [
        PastRun(key, finished_at, window_end, result, sum(phase or 0.0 for phase in phases), int(written))
        for key, window_end, finished_at, result, *phases, written in lines
    ]


def changed_columns(project: Project, warehouse: Warehouse, *, days: int, most: int) -> list[ChangedColumn]:
    """Return the columns of which runs have changed most cells in the last days, so many at most."""
    with warehouse.transaction(dry_run=True):
        lines = warehouse.rows(render("read_changed_columns", control=project.control_schema, most=most), (days,))
    return [ChangedColumn(fact, column, int(cells)) for fact, column, cells in lines]


def record_dry_run(project: Project, warehouse: Warehouse, run: Run) -> None:
    """Write the line of a dry run that has ended well inside the caller's transaction."""
    _record_run(project, warehouse, RunSummary.of_run(run, DRY_RUN))


def record_failure(project: Project, warehouse: Warehouse, run: Run, reason: str) -> None:
    """Write the line of an attempt that has failed inside the caller's transaction."""
    _record_run(project, warehouse, RunSummary.of_run(run, FAILED, reason=reason))


def record_once(project: Project, warehouse: Warehouse, summary: RunSummary) -> bool:
    """Write a line inside the caller's transaction; return False if it is there already."""
    return _record_run(project, warehouse, summary) > 0


def record_waiting(project: Project, warehouse: Warehouse, run: Run, reason: str) -> bool:
    """Write in a transaction of its own that a run waits for another one; return False if that is written already.

    What waits has no attempt yet.
    """
    with warehouse.transaction():
        unbegun = run.model_copy(update={"token": ""})
        return record_once(project, warehouse, RunSummary.of_run(unbegun, WAITING, reason=reason))


def _record_run(project: Project, warehouse: Warehouse, summary: RunSummary) -> int:
    attempt, window = (summary.key, summary.token), (summary.window_start, summary.window_end)
    began = (summary.started_at, summary.token)
    seconds = [summary.seconds.get(phase) for phase in PHASES]
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


def _read_lines(warehouse: Warehouse, ledger: Table, run: Run) -> list[dict[str, Any]]:
    statement = render("read_lines", ledger=ledger.relation, columns=ledger.columns)
    found = warehouse.rows(statement, (run.key, run.token))
    return [dict(zip(ledger.column_names, line, strict=True)) for line in found]


def _fields(kind: type[Value], line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in kind.model_fields if name in line}


def _source_line(name: str, found: SourceSummary, summary: RunSummary) -> dict[str, object]:
    window = {"window_start": summary.window_start, "window_end": summary.window_end}
    return {**dict(found), **window, "source_name": name, "changed_columns": json.dumps(found.changed_columns)}

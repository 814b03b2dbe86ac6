"""The history: what runs have changed in baselines and facts, row by row, so that it can be told and taken back."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from surgical_cdc.contract.tables import Fact, Source
from surgical_cdc.errors import ProjectError, RequestError, did_you_mean, shortened
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Column
    from surgical_cdc.values import ChangeSet, Run
    from surgical_cdc.warehouse.session import Warehouse

log = logging.getLogger(__name__)

NOT_KEPT = "(not kept)"
WITHOUT_COLUMNS = {"I": "inserted", "D": "deleted", "G": NOT_KEPT}
# How many changed rows are shown as examples.
EXAMPLES = 20


def keep(project: Project, source: Source, change_set: ChangeSet, warehouse: Warehouse, run: Run) -> int:
    """Keep what a change set is about to do to its baseline inside the caller's transaction; return the rows kept."""
    if not source.history or not _fits(project, source, warehouse, run, change_set.rewrites):
        return 0
    history = schema.history(project, source).relation
    statement = render("keep_history", source=source, relation=change_set.relation, history=history)
    return warehouse.execute(statement, (run.key, run.token))


def keep_of_fact(  # noqa: PLR0917
    project: Project,
    fact: Fact,
    warehouse: Warehouse,
    run: Run,
    rows: int,
    columns: Sequence[Column],
    *,
    null_key: bool,
) -> None:
    """Keep what an update is about to do to a fact inside its transaction: so many rows, and these columns differ."""
    if fact.history and _fits(project, fact, warehouse, run, rows):
        history = schema.history(project, fact).relation
        names = {"fact": fact, "columns": columns, "null_key": null_key, "history": history}
        warehouse.execute(render("keep_fact_history", **names), (run.key, run.token))


class Event(NamedTuple):
    """What happened to a row: when (UTC), by which run, and to which column; values are as the warehouse has them.

    `change` is inserted, updated or deleted; or not kept: a run has changed more rows than that, this one among them or
    not. Only updated rows have columns; a value that is not known is NOT_KEPT. `undoes` is the run that the run has
    taken back, if it is an undo.
    """

    at: datetime
    run: str
    change: str
    column: str = ""
    old: object = None
    new: object = None
    undoes: str = ""


class ChangedRow(NamedTuple):
    """A row that a run has changed: its key as text, when (UTC), by which run, how, and which columns of it."""

    key: tuple[str, ...]
    at: datetime
    run: str
    change: str
    columns: str


def key_of(table: Source | Fact) -> tuple[str, ...]:
    """Return the columns by which the history of a source or fact tells rows."""
    return table.key if isinstance(table, Source) else table.unique_key


def story(project: Project, name: str, key: Sequence[str], warehouse: Warehouse) -> list[Event]:
    """Return what is kept of a source's or fact's row with a key, the oldest event first.

    Raises:
        ProjectError: there is no such source or fact, it has no history, or its key has another number of columns.
    """
    table = _with_history(project, name)
    columns = key_of(table)
    if len(key) != len(columns):
        listed = ", ".join(columns)
        raise ProjectError(f"The key of {name} is {listed}: expected {len(columns)} values, found {len(key)}.")
    history = schema.history(project, table)
    names = {"table": table, "key": columns}
    with warehouse.transaction(dry_run=True):
        read = render("read_key", relation=history.relation, columns=history.columns, **names)
        kept = [dict(zip(history.column_names, row, strict=True)) for row in warehouse.rows(read, key)]
        read = render("read_key", relation=table.relation, columns=table.columns, **names)
        rows = [dict(zip(table.column_names, row, strict=True)) for row in warehouse.rows(read, key)]
        undos = dict(warehouse.rows(render("read_undos", control=project.control_schema)))
    following = [*kept[1:], rows[0] if rows else None][: len(kept)]
    events = [event for row, after in zip(kept, following, strict=True) for event in _events(row, after)]
    return [event._replace(undoes=undos.get(event.run, "")) for event in events]


def changed_rows(project: Project, name: str, run_key: str, warehouse: Warehouse) -> list[ChangedRow]:
    """Return some rows of a source or fact that were changed last, the newest first; by one run alone if it is given.

    Raises:
        ProjectError: there is no such source or fact, or it has no history.
    """
    table = _with_history(project, name)
    read = render(
        "read_changed_keys",
        table=table,
        key=key_of(table),
        history=schema.history(project, table).relation,
        of_run=bool(run_key),
        most=EXAMPLES,
    )
    with warehouse.transaction(dry_run=True):
        found = warehouse.rows(read, [run_key] if run_key else [])
    return [
        ChangedRow(tuple(key), at, run, WITHOUT_COLUMNS.get(change, "updated"), columns or "")
        for *key, at, run, change, columns in found
    ]


def _with_history(project: Project, name: str) -> Source | Fact:
    table = project.sources.get(name) or project.facts.get(name)
    if table is None:
        known = [*project.sources, *project.facts]
        raise ProjectError(f"There is no source or fact {shortened(name)}{did_you_mean(name, known)}.")
    if not table.history:
        raise ProjectError(
            f"{name} has no history. Set `history: true` under its `meta: cdc:`, and compile; it begins with the next"
            " run."
        )
    return table


def _events(row: Mapping[str, Any], after: Mapping[str, Any] | None) -> Iterator[Event]:
    """Yield what a row of a history says, by what came after it: the next row of the history, or the row as it is."""
    what = (row["scdc_at"], row["scdc_run"])
    if row["scdc_change"] in WITHOUT_COLUMNS:
        yield Event(*what, WITHOUT_COLUMNS[row["scdc_change"]])
        return
    for column in row["scdc_columns"].split(","):
        is_known = after and after.get("scdc_change") in {None, "U", "T", "D"}
        yield Event(*what, "updated", column, row[column], after[column] if after and is_known else NOT_KEPT)


def find_attempt(project: Project, warehouse: Warehouse, run_key: str) -> tuple[str, dict[str, bool]]:
    """Return the last attempt at a run that has changed baselines, and of which sources, each with whether all is kept.

    Raises:
        RequestError: no history knows of the run.
    """
    kept = {
        name: schema.history(project, source).relation for name, source in project.sources.items() if source.history
    }
    found = warehouse.rows(render("find_undoable", histories=kept), [run_key] * len(kept)) if kept else []
    if not found:
        raise RequestError(
            f"There is nothing of run {shortened(run_key)} to undo: no history has a row that it has changed. Expected"
            f" the run_key of a run in {project.control_schema}.runs, such as"
            " vendor_cdc/scheduled__2026-03-01T12:30:00+00:00, that has changed rows in the last"
            f" {project.retention.history_days} days."
        )
    token = max(found, key=lambda line: line[2])[1]
    return token, {source: not gaps for source, attempt, _, gaps in found if attempt == token}


def _fits(project: Project, table: Source | Fact, warehouse: Warehouse, run: Run, rows: int) -> bool:
    """Return whether there are rows to keep, and no more than a run may; what is not kept leaves a gap."""
    most = project.retention.history_rows
    if rows > most:
        log.warning(
            "%s: %s rows change, and at most %s of a run are kept (history_rows): its history has a gap from here on.",
            table.name,
            f"{rows:,}",
            f"{most:,}",
        )
        warehouse.execute(
            render("keep_history_gap", history=schema.history(project, table).relation), (run.key, run.token)
        )
    return 0 < rows <= most

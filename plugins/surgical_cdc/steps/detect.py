"""Detection: compares the staged rows of one source with its baseline and freezes what differs as a change set."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from surgical_cdc.compiler.deletion import deletion
from surgical_cdc.control import lease, scratch
from surgical_cdc.errors import DataError, RequestError
from surgical_cdc.names import fitted
from surgical_cdc.steps.quiet import is_buried
from surgical_cdc.steps.volume import unusual
from surgical_cdc.values import ChangeSet, Preparation, Run, SourceCounts, now
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Source
    from surgical_cdc.warehouse.session import Warehouse


def detect(project: Project, source_name: str, warehouse: Warehouse, run: Run, preparation: Preparation) -> ChangeSet:
    """Write the change set of one source as a new scratch table.

    Raises:
        AlreadySynced, LeaseError: the run may not go on; see `lease.hold`.
        DataError: a key is in the baseline more than once, or NULL there, so that nobody can say which row a staged one
            replaces; or a snapshot would delete more of the baseline than `max_delete_share` allows; or far more rows
            change than usually do, and the project says that such a run stops.
        RequestError: rows that the run is to undo have changed again since.
    """
    source = project.source(source_name)
    relation = scratch.new_relation(project, source, run)
    started, started_at = time.perf_counter(), now()
    with warehouse.transaction():
        lease.hold(project, warehouse, run, {preparation.baseline_token})
        if run.undoes:
            figures = _take_back(project, source, relation, warehouse, run, preparation)
        else:
            figures = write_change_set(project, source, relation, warehouse, run, preparation.voided)
        if source.load == "snapshot":
            _refuse_erasure(source, figures["deletes"], warehouse)
        counts = {name: int(figures[name]) for name in SourceCounts.model_fields if name in figures}
        usual = unusual(project, source, warehouse, run, SourceCounts(**counts).changes)
    return ChangeSet(
        source=source.name,
        relation=relation,
        token=run.token,
        baseline_token=preparation.baseline_token,
        window_start=run.window_start,
        window_end=run.window_end,
        cells_compared=counts["rows_compared"] * len(source.columns),
        farthest_cursor=figures["farthest_cursor"],
        changed_columns=_changed_columns(source, figures),
        usual=usual,
        started_at=started_at,
        seconds=round(time.perf_counter() - started, 3),
        **counts,
    )


def refuse_keys(source: Source, warehouse: Warehouse, *, candidates: str | None = None) -> None:
    """Refuse keys that are NULL in a source's baseline or there more than once: Redshift enforces neither.

    Args:
        source: the source.
        warehouse: a session.
        candidates: its temporary table with the only keys to look at, besides NULL; None: all.

    Raises:
        DataError: there are such keys; the message names up to five of them.
    """
    found = warehouse.rows(render("find_wrong_keys", source=source, candidates=candidates))
    if found:
        shown = ", ".join(f"{key!r} ({count} rows)" for key, count in found)
        key = ", ".join(source.key)
        raise DataError(
            f"{source.relation}: the key {key} of source {source.name} is not unique there, or NULL: {shown}."
            " Nothing was written. Leave one row of each key, and none without a key, and see what has loaded the"
            " others; then clear the task."
        )


def write_change_set(  # noqa: PLR0917
    project: Project, source: Source, relation: str, warehouse: Warehouse, run: Run, voided: Collection[str] = ()
) -> Mapping[str, Any]:
    """Write a change set inside the caller's transaction, and return it in figures, as detect_summary.sql names them.

    `voided` are the sources of which versions have been undone.

    Raises:
        DataError: see `detect`.
    """
    # A temporary table of the change set's own name, so that no other one of the session has it.
    candidates = relation.rpartition(".")[2]
    staged = fitted(f"{candidates}_keys")
    names = {"source": source, "candidates": candidates, "staged": staged, "keys": run.keys}
    is_deleted = deletion(project, source.name)
    buried = is_buried(source, voided)
    keys = render("detect_keys", control=project.control_schema, deletion=is_deleted, buried=buried, **names)
    window = (run.window_end, run.window_start, *run.keys)
    warehouse.execute(keys, (*window, *run.keys) if source.load == "snapshot" else window)
    warehouse.execute(render("detect_candidates", deletion=is_deleted, **names), window)
    _compare(project, source, candidates, relation, warehouse, buried=buried)
    if source.load == "snapshot":
        full_mask = "1" * len(source.columns)
        warehouse.execute(render("detect_absent", source=source, staged=staged, relation=relation, full_mask=full_mask))
    summary = render("detect_summary", relation=relation, **names)
    figures = warehouse.record(summary, (run.window_end, *run.keys))
    if figures["surplus_rows"] or figures["null_keys"]:
        refuse_keys(source, warehouse, candidates=candidates)
    return figures


def _take_back(  # noqa: PLR0917
    project: Project, source: Source, relation: str, warehouse: Warehouse, run: Run, preparation: Preparation
) -> Mapping[str, Any]:
    """Write the change set that undoes what a run did to a source, inside the caller's transaction.

    Raises:
        RequestError: rows have changed again since, and the undo is not to be partial.
    """
    statement = render(
        "undo_change_set",
        source=source,
        relation=relation,
        history=schema.history(project, source).relation,
        touched_mask=_touched_mask(source),
        full_mask="1" * len(source.columns),
    )
    warehouse.execute(statement, (preparation.undone_token,))
    figures = warehouse.record(render("undo_summary", source=source, relation=relation))
    if figures["stale"] and not run.partial:
        found = warehouse.rows(render("find_changed_since", source=source, relation=relation))
        raise RequestError(
            f"{source.relation}: {figures['stale']} of the {figures['rows_compared']} rows that run {run.undoes} has"
            f" changed are no longer as it has left them: {', '.join(repr(key) for (key,) in found)}. Nothing was"
            " written. Undo the later runs first, or ask for `partial` to undo the other rows alone."
        )
    return {**figures, "farthest_cursor": None}


def _touched_mask(source: Source) -> str:
    """Return the mask of a row in which only the cursor moved; where facts read the cursor none is merely touched."""
    flags = ("1" if name == source.cursor else "0" for name in source.column_names)
    return "" if source.cursor_is_read else "".join(flags)


def _compare(
    project: Project, source: Source, candidates: str, relation: str, warehouse: Warehouse, *, buried: bool
) -> None:
    statement = render(
        "detect_change_set",
        control=project.control_schema,
        source=source,
        candidates=candidates,
        relation=relation,
        buried=buried,
        unchanged_mask="0" * len(source.columns),
        touched_mask=_touched_mask(source),
        full_mask="1" * len(source.columns),
    )
    warehouse.execute(statement)


def _refuse_erasure(source: Source, deletes: int, warehouse: Warehouse) -> None:
    baseline_rows, staged_rows = warehouse.row(render("count_snapshot", source=source))
    if not baseline_rows or (staged_rows and deletes <= baseline_rows * source.max_delete_share):
        return
    raise DataError(
        f"{source.staging}: this snapshot of {staged_rows} rows would delete {deletes} of the {baseline_rows} rows of"
        f" {source.relation}; at most {source.max_delete_share:.0%} may go in one run, so that a load that is empty or"
        " broken off can not erase the baseline. Load the whole table into staging, or, if the rows are really gone,"
        f" raise max_delete_share of {source.name} in the project's YAML for this run; then clear the task."
    )


def _changed_columns(source: Source, figures: Mapping[str, Any]) -> dict[str, int]:
    """Return the updates per column, without unchanged columns; and without a cursor that no fact reads.

    It moves with every update.
    """
    counts = {name: int(figures[f"changed_{number}"]) for number, name in enumerate(source.column_names, 1)}
    without = None if source.cursor_is_read else source.cursor
    return {name: count for name, count in counts.items() if count and name != without}

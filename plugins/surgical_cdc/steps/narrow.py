"""Narrows a dry run to what is asked of a source: the change of one column, or some keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.values import ChangeSet, Run
    from surgical_cdc.warehouse.session import Warehouse


def only_column(project: Project, change_set: ChangeSet, warehouse: Warehouse, *, column: str) -> ChangeSet:
    """Leave in a change set what one column changed, every other column being as in the baseline; a retry is the same.

    A row that comes or goes does so by its key: it is left where that is the column.
    """
    source, relation = project.source(change_set.source), change_set.relation
    mask = "".join("1" if name == column else "0" for name in source.column_names)
    others = [name for name in source.column_names if name not in {column, *source.key}]
    keeping = render(
        "keep_column_changes", source=source, relation=relation, column=column, position=mask.index("1") + 1
    )
    with warehouse.transaction():
        warehouse.execute(keeping)
        if column in source.key:
            return change_set.model_copy(update={"updates": 0, "touched": 0, "changed_columns": {}})
        warehouse.execute(
            render("take_back_other_columns", source=source, relation=relation, columns=others, mask=mask)
        )
    changed = {name: rows for name, rows in change_set.changed_columns.items() if name == column}
    return change_set.model_copy(
        update={"inserts": 0, "updates": sum(changed.values()), "deletes": 0, "touched": 0, "changed_columns": changed}
    )


def not_staged(project: Project, source_name: str, warehouse: Warehouse, *, run: Run) -> list[str]:
    """Return the keys of a run that no staged row in its window has."""
    statement = render("find_staged_keys", source=project.source(source_name), keys=run.keys)
    with warehouse.transaction(dry_run=True):
        found = {key for (key,) in warehouse.rows(statement, (run.window_end, run.window_start, *run.keys))}
    return [key for key in run.keys if key not in found]

"""Makes a fact's rows equal to the recomputed ones, and counts before it writes what differs, cell by cell."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple

from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.compiler.compiled_fact import CompiledFact
    from surgical_cdc.contract.tables import Column
    from surgical_cdc.warehouse.session import Warehouse


class Differences(NamedTuple):
    """How a fact's rows of the affected keys differ from recomputed, in rows.

    `cells` counts per column the updated rows in which it differs.
    """

    inserted: int
    updated: int
    deleted: int
    cells: Mapping[str, int]


def count_differences(
    compiled: CompiledFact,
    warehouse: Warehouse,
    columns: tuple[Column, ...],
    *,
    exact: Collection[str],
    null_key: bool,
) -> Differences:
    """Compare recomputed with the fact's rows of the affected keys, in the session that has both.

    Args:
        compiled: the fact.
        warehouse: its session.
        columns: those that can differ in a row that stays.
        exact: names of those in which equal values that can be told apart differ.
        null_key: whether NULL is one of the affected keys.
    """
    fact = compiled.fact
    # What decides on rows and on their keys feeds every column, so with some alone there are the same rows as before.
    same_rows = bool(compiled.tree) and len(columns) < len(fact.columns)
    if same_rows and not columns:
        return Differences(0, 0, 0, {})
    statement = render(
        "count_differences", fact=fact, columns=columns, exact=exact, null_key=null_key, same_rows=same_rows
    )
    inserted, deleted, updated, *cells = map(int, warehouse.row(statement))
    counts = zip(columns, cells, strict=True)
    return Differences(inserted, updated, deleted, {column.name: count for column, count in counts if count})


def apply(
    compiled: CompiledFact,
    warehouse: Warehouse,
    columns: tuple[Column, ...],
    found: Differences,
    *,
    null_key: bool,
) -> None:
    """Make the fact's rows of the affected keys equal to recomputed, by no more statements than the differences need.

    Of the columns that can differ those are set that do.
    """
    fact = compiled.fact
    if found.deleted:
        warehouse.execute(render("apply_delete", fact=fact))
        if null_key:
            warehouse.execute(render("apply_delete_without_anchor", fact=fact))
    if found.updated:
        differing = [column for column in columns if column.name in found.cells]
        warehouse.execute(render("apply_update", fact=fact, columns=differing))
    if found.inserted:
        warehouse.execute(render("apply_insert", fact=fact))

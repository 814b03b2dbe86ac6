"""Says what an update is about to do to a fact, cell by cell, before it writes: the counts, and some examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from surgical_cdc.values import Announcement, Example
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.tables import Column, Fact
    from surgical_cdc.values import FactResult
    from surgical_cdc.warehouse.session import Warehouse

EXAMPLES = 20


def announce(fact: Fact, warehouse: Warehouse, columns: tuple[Column, ...], *, null_key: bool) -> Announcement:
    """Compare recomputed with the fact's rows of the affected keys, in the session that has both; nothing is written.

    Args:
        fact: the fact.
        warehouse: its session.
        columns: those that can differ in a row that stays.
        null_key: whether NULL is one of the affected keys.
    """
    updates: dict[str, int] = {}
    if columns:
        counts = warehouse.row(render("announce_updates", fact=fact, columns=columns))
        updates = {column.name: int(count) for column, count in zip(columns, counts, strict=True) if count}
    examples = _examples(fact, warehouse, [column for column in columns if column.name in updates], null_key=null_key)
    return Announcement(updated_cells=updates, examples=tuple(examples)[:EXAMPLES])


def _examples(fact: Fact, warehouse: Warehouse, columns: list[Column], *, null_key: bool) -> Iterator[Example]:
    if columns:
        for row_key, *values in warehouse.rows(render("announce_cells", fact=fact, columns=columns, limit=EXAMPLES)):
            old, new = values[: len(columns)], values[len(columns) :]
            for column, before, after in zip(columns, old, new, strict=True):
                if before != after:
                    yield Example("updated", str(row_key), column.name, _text(before), _text(after))
    for (row_key,) in warehouse.rows(render("announce_inserts", fact=fact, limit=EXAMPLES)):
        yield Example("inserted", str(row_key))
    for (row_key,) in warehouse.rows(render("announce_deletes", fact=fact, null_key=null_key, limit=EXAMPLES)):
        yield Example("deleted", str(row_key))


def _text(value: object) -> str:
    return "NULL" if value is None else str(value)


def announced(result: FactResult) -> str:
    """Return what a dry run found for a fact as lines for a person: counts of rows and cells, then the examples."""
    if result.reason:
        return f"{result.fact}: {result.reason}"
    found = result.announcement or Announcement()
    columns = ", ".join(f"{name} {count}" for name, count in found.updated_cells.items())
    rows = f"{result.inserted} inserted, {result.updated} updated, {result.deleted} deleted"
    cells = f"{sum(found.updated_cells.values())} cells of the updated ones would differ"
    head = f"{result.fact}: rows that would be written: {rows}; {cells}{f': {columns}' if columns else ''}"
    return "\n".join([head, *map(_line, found.examples)])


def _line(example: Example) -> str:
    cell = f": {example.column} {example.old} → {example.new}" if example.column else ""
    return f"  {example.change} {example.row_key}{cell}"

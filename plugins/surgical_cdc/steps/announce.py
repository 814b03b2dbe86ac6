"""Says what an update would do to a fact, for a person: the counts, and some examples."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from surgical_cdc.values import Example
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.tables import Column, Fact
    from surgical_cdc.steps.apply import Differences
    from surgical_cdc.values import FactResult
    from surgical_cdc.warehouse.session import Warehouse

EXAMPLES = 20


def examples(fact: Fact, warehouse: Warehouse, found: Differences, *, null_key: bool) -> tuple[Example, ...]:
    """Return some of the differences between recomputed and the fact, in the session that has both.

    Args:
        fact: the fact.
        warehouse: its session.
        found: how many there are.
        null_key: whether NULL is one of the affected keys.
    """
    columns = [column for column in fact.columns if column.name in found.cells]
    return tuple(islice(_examples(fact, warehouse, columns, found, null_key=null_key), EXAMPLES))


def _examples(
    fact: Fact, warehouse: Warehouse, columns: list[Column], found: Differences, *, null_key: bool
) -> Iterator[Example]:
    if columns:
        for row_key, *values in warehouse.rows(render("announce_cells", fact=fact, columns=columns, limit=EXAMPLES)):
            old, new = values[: len(columns)], values[len(columns) :]
            for column, before, after in zip(columns, old, new, strict=True):
                if before != after:
                    yield Example("updated", str(row_key), column.name, _text(before), _text(after))
    if found.inserted:
        for (row_key,) in warehouse.rows(render("announce_inserts", fact=fact, limit=EXAMPLES)):
            yield Example("inserted", str(row_key))
    if found.deleted:
        for (row_key,) in warehouse.rows(render("announce_deletes", fact=fact, null_key=null_key, limit=EXAMPLES)):
            yield Example("deleted", str(row_key))


def _text(value: object) -> str:
    return "NULL" if value is None else str(value)


def announced(result: FactResult) -> str:
    """Return what a dry run found for a fact as lines for a person: counts of rows and cells, then the examples."""
    if result.reason:
        return f"{result.fact}: {result.reason}"
    columns = ", ".join(f"{name} {count}" for name, count in result.cells.items())
    rows = f"{result.inserted} inserted, {result.updated} updated, {result.deleted} deleted"
    cells = f"{sum(result.cells.values())} cells of the updated ones would differ"
    head = f"{result.fact}: rows that would be written: {rows}; {cells}{f': {columns}' if columns else ''}"
    return "\n".join([head, *map(_line, result.examples)])


def _line(example: Example) -> str:
    cell = f": {example.column} {example.old} → {example.new}" if example.column else ""
    return f"  {example.change} {example.row_key}{cell}"

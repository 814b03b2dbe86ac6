"""What a run has done to the facts, found by comparing them before and after in Python."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from surgical_cdc.values import FactResult
    from tests.conftest import Site

Rows = dict[Any, tuple[Any, ...]]


@dataclass(frozen=True)
class Difference:
    """Rows inserted, updated and deleted, and in how many of the updated ones each column differs."""

    inserted: int
    updated: int
    deleted: int
    cells: Mapping[str, int] = field(default_factory=dict)


def written(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return rows with their floats as text, which tells 0 from -0."""
    return [tuple(repr(value) if isinstance(value, float) else value for value in row) for row in rows]


def facts(site: Site) -> dict[str, Rows]:
    """Return all facts, their rows by row key, which is without the blanks that end it: they make no other key."""
    found = {}
    for name, fact in site.project.facts.items():
        keys = [fact.column_names.index(key) for key in fact.unique_key]
        rows = written(site.table(fact.relation, *fact.column_names))
        found[name] = {tuple(_without_blanks(row[key]) for key in keys): row for row in rows}
    return found


def _without_blanks(value: Any) -> Any:
    return value.rstrip(" ") if isinstance(value, str) else value


def differences(site: Site, before: dict[str, Rows], after: dict[str, Rows]) -> dict[str, Difference]:
    """Return what has happened to each fact."""
    found = {}
    for name, fact in site.project.facts.items():
        old, new = before[name], after[name]
        cells: Counter[str] = Counter()
        updated = [key for key in old.keys() & new.keys() if old[key] != new[key]]
        for key in updated:
            values = zip(fact.column_names, old[key], new[key], strict=True)
            cells.update(column for column, first, second in values if first != second)
        found[name] = Difference(
            inserted=len(new.keys() - old.keys()),
            updated=len(updated),
            deleted=len(old.keys() - new.keys()),
            cells=dict(cells),
        )
    return found


def said(results: Mapping[str, FactResult]) -> dict[str, Difference]:
    """Return what a run says that has happened to each fact, or a dry run will."""
    return {name: Difference(done.inserted, done.updated, done.deleted, done.cells) for name, done in results.items()}

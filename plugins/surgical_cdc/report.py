"""What the command line prints: the dictionary of a source, and what a cycle did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table

from surgical_cdc.dictionary import EVERY_COLUMN

if TYPE_CHECKING:
    from surgical_cdc.cycle import CycleResult
    from surgical_cdc.dictionary import Dictionary


def feeds(dictionary: Dictionary, source: str, column: str) -> RenderableType:
    """Return the facts and columns that a source feeds, or one column of it if `column` is not empty."""
    table = Table("column", "fact", "columns that it feeds")
    for name in [column] if column else dictionary.feeds[source]:
        for fact, columns in dictionary.feeds[source].get(name, {}).items():
            decides = columns == EVERY_COLUMN
            table.add_row(
                name, fact, "every column: it decides which rows there are" if decides else ", ".join(columns)
            )
    if not table.row_count:
        return f"No fact reads {f'{source}.{column}' if column else source}."
    return table


def cycle(result: CycleResult) -> RenderableType:
    """Return what a cycle compared and changed, by source and by fact."""
    sources = Table(
        "source", "rows compared", "columns compared", "columns changed", "rewrites", "stale", "quarantined"
    )
    for found in result.change_sets.values():
        changed = sum(found.changed_columns.values())
        figures = (found.rows_compared, found.columns_compared, changed, found.rewrites, found.stale, found.quarantined)
        sources.add_row(found.source, *(str(figure) for figure in figures))
    facts = Table("fact", "keys affected", "inserted", "updated", "deleted", "seconds", "")
    for done in result.fact_results.values():
        counts = [str(count) for count in (done.affected, done.inserted, done.updated, done.deleted)]
        facts.add_row(done.fact, *counts, f"{done.seconds:.2f}", done.reason or "")
    ended = "Dry run: nothing was written." if result.run.dry_run else "The baselines are synced."
    return Group(sources, facts, f"Window: staged before {result.run.window_end} UTC. {ended} {result.seconds:.2f} s.")

"""Which cells of the facts the last runs have changed: fact columns by runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from surgical_cdc.page.metadata import Cycle, PastRun
from surgical_cdc.page.wording import counted, moment
from surgical_cdc.values import RUN

# What is shown of the facts if none is chosen: those with most changes.
MOST_FACTS = 20
# One class of colour for each power of ten.
LEVELS = 5
MARKS = {"failed": "✕", "skipped": "·", "built": "■", "": ""}


@dataclass(frozen=True)
class HeatCell:
    """What a run did to a fact, or to a column of it: `level` from 0 for nothing to LEVELS, a mark, and it in words."""

    level: int
    mark: str
    title: str


@dataclass(frozen=True)
class HeatRow:
    """A fact, or a column of it if that is not empty."""

    fact: str
    column: str
    total: int
    cells: tuple[HeatCell, ...]


def heat_rows(cycle: Cycle, runs: Sequence[PastRun], fact: str = "") -> list[HeatRow]:
    """Return the facts that were changed, or failed, each with its changed columns; or one chosen fact alone."""
    totals = {name: _column_totals(runs, name) for name in ([fact] if fact else cycle.facts)}
    failures = {name: sum(_what(run, name) == "failed" for run in runs) for name in totals}
    written = {name: sum(run.rows(name) for run in runs) for name in totals}
    chosen = [name for name in totals if fact or written[name] or failures[name]]
    chosen.sort(key=lambda name: (-totals[name].total(), -written[name], name))
    return [row for name in chosen[:MOST_FACTS] for row in _rows_of(name, runs, totals[name], written[name])]


def changed_columns(cycle: Cycle, runs: Sequence[PastRun], fact: str = "") -> dict[str, int]:
    """Return how many cells were changed in each column, with its fact in front; or in those of one chosen fact."""
    return {
        column if fact else f"{name}.{column}": total
        for name in ([fact] if fact else cycle.facts)
        for column, total in _column_totals(runs, name).items()
    }


def level(count: int) -> int:
    """Return the class of a count.

    Example:
        >>> [level(count) for count in (0, 1, 9, 10, 250, 10**9)]
        [0, 1, 1, 2, 3, 5]
    """
    return min(len(str(count)), LEVELS) if count else 0


def _rows_of(fact: str, runs: Sequence[PastRun], columns: Counter[str], written: int) -> list[HeatRow]:
    head = HeatRow(fact, "", written, tuple(_fact_cell(run, fact) for run in runs))
    return [
        head,
        *(
            HeatRow(fact, column, total, tuple(_column_cell(run, fact, column) for run in runs))
            for column, total in sorted(columns.items(), key=lambda item: (-item[1], item[0]))
        ),
    ]


def _fact_cell(run: PastRun, fact: str) -> HeatCell:
    rows, what = run.rows(fact), _what(run, fact)
    reason = (run.fact(fact) or {}).get("reason")
    said = f"{counted(rows, 'row')} {what}".strip()
    return HeatCell(level(rows), MARKS[what], f"{fact}, {moment(run.time)}: {said}{f': {reason}' if reason else ''}")


def _column_cell(run: PastRun, fact: str, column: str) -> HeatCell:
    count = (run.fact(fact) or {}).get("cells", {}).get(column, 0)
    return HeatCell(level(count), "", f"{fact}.{column}, {moment(run.time)}: {counted(count, 'cell')}")


def _what(run: PastRun, fact: str) -> str:
    """Return what became of a fact in a run, as MARKS has it."""
    done = run.fact(fact)
    # An undo that has failed is no reason why a fact is not up to date.
    if run.has_failed and (run.kind == RUN if done is None else done.get("failed")):
        return "failed"
    if done is None:
        return ""
    return "built" if done.get("built") else "skipped" if done.get("reason") else ""


def _column_totals(runs: Sequence[PastRun], fact: str) -> Counter[str]:
    totals: Counter[str] = Counter()
    for done in filter(None, (run.fact(fact) for run in runs)):
        totals.update(done.get("cells", {}))
    return totals

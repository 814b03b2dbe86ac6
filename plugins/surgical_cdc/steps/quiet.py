"""Finds out what need not begin: sources in which nothing new is staged, and runs that have no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from surgical_cdc.compiler.deletion import deletion
from surgical_cdc.steps.relevance import unaffected
from surgical_cdc.steps.summary import summarise
from surgical_cdc.values import Quiet
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Source
    from surgical_cdc.dictionary import Dictionary
    from surgical_cdc.values import FactResult, Preparation, Run, RunSummary
    from surgical_cdc.warehouse.session import Warehouse

# Redshift gives a statement 30 segments, of which a source takes three: two scans, and what joins and counts them.
AT_ONCE = 8


def quiet_sources(project: Project, warehouse: Warehouse, run: Run) -> dict[str, Quiet]:
    """Return the sources of a run in which there is nothing to detect, inside the caller's transaction.

    A snapshot is always detected: it says by what is absent what was deleted. What waits beyond the window is counted.
    """
    if run.keys:
        return {}
    probed = [source for source in project.sources.values() if source.load == "window" and run.covers(source.name)]
    batches = (probed[first : first + AT_ONCE] for first in range(0, len(probed), AT_ONCE))
    return {name: quiet for batch in batches for name, quiet in _probed(project, batch, warehouse, run)}


def _probed(project: Project, sources: Sequence[Source], warehouse: Warehouse, run: Run) -> Iterator[tuple[str, Quiet]]:
    statement = render(
        "probe",
        control=project.control_schema,
        sources=[(source, deletion(project, source.name)) for source in sources],
    )
    params = [run.window_end, run.window_start, run.window_end] * len(sources)
    for name, keys, news, waiting, farthest_cursor in warehouse.rows(statement, params):
        if not news:
            yield (
                name,
                Quiet(
                    rows_compared=keys,
                    cells_compared=keys * len(project.source(name).columns),
                    waiting=waiting,
                    farthest_cursor=farthest_cursor,
                ),
            )


def summary_of_nothing(run: Run, preparation: Preparation, results: Mapping[str, FactResult]) -> RunSummary:
    """Return the summary of a run that has ended with `prepare`; `results` are those of `nothing_to_do`."""
    return summarise(run, preparation, preparation.quiet_change_sets(run), results)


def nothing_to_do(
    project: Project, dictionary: Dictionary, run: Run, preparation: Preparation
) -> dict[str, FactResult] | None:
    """Return the results of all facts, each with the reason, where a run has nothing to do; None if it has.

    A dry run goes on, so that each of its tasks says what it has found.
    """
    if run.dry_run or not all(name in preparation.quiet for name in project.sources if run.covers(name)):
        return None
    quiet = preparation.quiet_change_sets(run)
    results = {}
    for fact in dictionary.facts:
        feeding = {name: quiet[name] for name in dictionary.feeding(fact) if name in quiet}
        result = unaffected(dictionary, fact, feeding, preparation)
        if result is None:
            return None
        results[fact] = result
    return results

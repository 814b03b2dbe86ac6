"""Finds out what need not begin: sources in which nothing new is staged, and runs that have no others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from surgical_cdc.compiler.deletion import deletion
from surgical_cdc.control import history
from surgical_cdc.errors import RequestError
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


def what_to_do(project: Project, warehouse: Warehouse, run: Run, preparation: Preparation) -> Preparation:
    """Return the preparation with the sources of the run in which there is nothing to detect, or to undo, as quiet.

    It is found inside the caller's transaction. A snapshot is always detected: it says by what is absent what was
    deleted. What waits beyond the window is counted.

    Raises:
        RequestError: there is nothing that the run could undo, or not all of it.
    """
    if run.keys:
        return preparation
    if run.undoes:
        return _what_to_undo(project, warehouse, run, preparation)
    probed = [source for source in project.sources.values() if source.load == "window" and run.covers(source.name)]
    batches = (probed[first : first + AT_ONCE] for first in range(0, len(probed), AT_ONCE))
    voided = preparation.voided
    quiet = {name: found for batch in batches for name, found in _probed(project, batch, voided, warehouse, run)}
    return preparation.model_copy(update={"quiet": quiet})


def _what_to_undo(project: Project, warehouse: Warehouse, run: Run, preparation: Preparation) -> Preparation:
    token, changed = history.find_attempt(project, warehouse, run.undoes)
    refused = {}
    for name, is_complete in changed.items():
        if project.source(name).load != "window":
            refused[name] = "what is staged there is its whole table: stage the right rows"
        elif not is_complete:
            refused[name] = "the run has changed more rows of it than history_rows"
    if refused and (not run.partial or refused.keys() == changed.keys()):
        listed = "; ".join(f"{name} ({reason})" for name, reason in refused.items())
        rest = "" if refused.keys() == changed.keys() else " Ask for `partial` to undo what else it has changed."
        raise RequestError(f"Run {run.undoes} can not be undone: {listed}. Nothing was written.{rest}")
    quiet = {name: Quiet() for name in project.sources if name not in changed or name in refused}
    return preparation.model_copy(update={"undone_token": token, "quiet": quiet})


def _probed(
    project: Project, sources: Sequence[Source], voided: Collection[str], warehouse: Warehouse, run: Run
) -> Iterator[tuple[str, Quiet]]:
    statement = render(
        "probe",
        control=project.control_schema,
        sources=[(source, deletion(project, source.name), is_buried(source, voided)) for source in sources],
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


def is_buried(source: Source, voided: Collection[str]) -> bool:
    """Return whether staged versions of a source may be older than a tombstone, or have been undone."""
    return source.keeps_tombstones or source.name in voided


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

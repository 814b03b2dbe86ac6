"""What a run did, in one value: for the log, the XCom of the task that ends it, the ledger and the page."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from surgical_cdc.values import (
    DRY_RUN,
    HAS_FAILED,
    IN_PART,
    NOTHING_NEW,
    SUCCESS,
    ChangeSet,
    FactResult,
    FactSummary,
    RunSummary,
    SourceSummary,
    new_token,
)

if TYPE_CHECKING:
    from surgical_cdc.values import Preparation, Run

DAY = timedelta(days=1)
# Rows that a run found and did not apply.
ODD = ("stale", "quarantined", "waiting")


def of_fact(kind: str, fact: str, began: datetime) -> RunSummary:
    """Return the summary of a refresh or verification of one fact that has succeeded."""
    return RunSummary(
        kind=kind, dag_id=kind, run_id=f"{fact} at {began}", token=new_token(), started_at=began, result=SUCCESS
    )


def summarise(
    run: Run,
    preparation: Preparation,
    change_sets: Mapping[str, ChangeSet],
    fact_results: Mapping[str, FactResult],
    *,
    failed: Collection[str] = (),
    waiting: Collection[str] = (),
    history_rows: Mapping[str, int] = MappingProxyType({}),
    seconds_sync: float | None = None,
) -> RunSummary:
    """Return what a run did that has got as far as its sync, or has ended with `prepare`.

    Args:
        run: the run.
        preparation: what it found.
        change_sets: of the sources that were detected.
        fact_results: of the facts that were brought up to date, or looked at.
        failed: facts that were not.
        waiting: sources that were not synced.
        history_rows: rows that the sources' histories have kept.
        seconds_sync: how long the sync took; None where there was none.
    """
    if run.dry_run:
        result = DRY_RUN
    elif preparation.ended:
        result = NOTHING_NEW
    else:
        result = IN_PART if failed or waiting else SUCCESS
    phases = {"detect": wall_seconds(change_sets.values()), "update": wall_seconds(fact_results.values())}
    if seconds_sync is not None:
        phases["sync"] = round(seconds_sync, 3)
    sources = {
        name: _source(found, synced=_is_synced(run, name, waiting), history_rows=history_rows.get(name, 0))
        for name, found in change_sets.items()
    }
    facts = {name: fact_summary(done) for name, done in fact_results.items()}
    return RunSummary.of_run(
        run,
        result,
        started_at=preparation.started_at,
        seconds={phase: seconds for phase, seconds in phases.items() if seconds},
        written=sum(done.written for done in fact_results.values()),
        sources=sources,
        facts=facts | {name: FactSummary(failed=True, reason=HAS_FAILED) for name in failed},
    )


def wall_seconds(parts: Iterable[ChangeSet | FactResult]) -> float:
    """Return the seconds from the first beginning to the last end of what ran side by side."""
    begun = [(part.started_at, part.started_at + timedelta(seconds=part.seconds)) for part in parts if part.started_at]
    if not begun:
        return 0.0
    return round((max(end for _, end in begun) - min(start for start, _ in begun)).total_seconds(), 3)


class Pace(NamedTuple):
    """Median seconds of the runs of the last day, and of those before; None where there were none."""

    today: float | None
    before: float | None


def pace(took: Iterable[tuple[datetime, float]], now: datetime) -> Pace:
    """Return how long runs take today beside how long they took before, by when each was and its seconds.

    Runs that had nothing to do, and took none, do not count.
    """
    ages = [(now - time, seconds) for time, seconds in took if seconds]
    today = [seconds for age, seconds in ages if age <= DAY]
    before = [seconds for age, seconds in ages if age > DAY]
    return Pace(*(statistics.median(found) if found else None for found in (today, before)))


def told(summary: RunSummary) -> str:
    """Return a run as lines for a person."""
    window = f"staged before {summary.window_end} UTC" if summary.window_end else ""
    if summary.undoes:
        window = f"takes back {summary.undoes}"
    elif summary.window_start:
        window += f", from {summary.window_start} on"
    took = ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in summary.seconds.items())
    head = "; ".join(part for part in (f"{summary.key}: {summary.result}", window, took) if part)
    sources, facts = summary.sources.items(), summary.facts.items()
    lines = [f"{head}.", *([summary.reason] if summary.reason else [])]
    lines += _listed("Sources", {name: _changed(found) for name, found in sources}, "without a change")
    lines += _listed("Facts", {name: _written(done) for name, done in facts}, "left as they are")
    unusual = {name: f"{found.changes} rows, usually {found.usual}" for name, found in sources if found.usual}
    lines += _listed("Far more than usual", unusual)
    odd = {name: _counted({kind: getattr(found, kind) for kind in ODD}) for name, found in sources}
    return "\n".join([*lines, *_listed("Left out of it", odd)])


def _is_synced(run: Run, source: str, waiting: Collection[str]) -> bool:
    return not run.dry_run and source not in waiting


def _source(found: ChangeSet, **more: Any) -> SourceSummary:
    values = dict(found)
    return SourceSummary(**{name: values[name] for name in SourceSummary.model_fields if name in values}, **more)


def fact_summary(done: FactResult) -> FactSummary:
    """Return what an update or refresh did to its fact, without what only tasks need."""
    values = dict(done)
    return FactSummary(**{name: values[name] for name in FactSummary.model_fields if name in values})


def _changed(found: SourceSummary) -> str:
    counts = {"inserted": found.inserts, "updated": found.updates, "deleted": found.deletes}
    return _counted(counts, found.changed_columns)


def _written(done: FactSummary) -> str:
    counts = {"inserted": done.inserted, "updated": done.updated, "deleted": done.deleted}
    return ("built in full, " if done.built else "") + _counted(counts, done.cells)


def _counted(counts: Mapping[str, int], columns: Mapping[str, int] = MappingProxyType({})) -> str:
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    if columns:
        told += f", {sum(columns.values())} cells ({', '.join(f'{name} {count}' for name, count in columns.items())})"
    return told


def _listed(what: str, words: Mapping[str, str], otherwise: str = "") -> list[str]:
    quiet = sum(not said for said in words.values())
    rest = f" {quiet} {otherwise}." if quiet and otherwise else ""
    said = [f"  {name}: {said}" for name, said in words.items() if said]
    return [f"{what}:{rest}", *said] if said or rest else []

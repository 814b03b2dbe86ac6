"""A run as a sentence."""

from __future__ import annotations

from surgical_cdc.page.metadata import PastRun
from surgical_cdc.page.wording import counted, duration, largest, listed, moment
from surgical_cdc.values import DRY_RUN, FAILED, IN_PART, NOTHING_NEW, SUCCESS, UNDO, RunSummary

ENDINGS = {
    SUCCESS: "has brought the facts up to date",
    NOTHING_NEW: "has found nothing new",
    IN_PART: "has brought a part of the facts up to date",
    FAILED: "has failed",
    DRY_RUN: "was a dry run, and has written nothing",
}
UNDO_ENDINGS = {**ENDINGS, SUCCESS: "has taken it back, and brought the facts up to date with that"}


def sentences(run: PastRun, summary: RunSummary | None) -> list[str]:
    """Return what a run did, in a few sentences."""
    if summary is None:
        return [_without_summary(run)]
    since = f" from {moment(summary.window_start)}" if summary.window_start else ""
    took = f" in {duration(run.seconds)}" if run.seconds else ""
    kind = "manual" if run.run_type == "manual" else run.run_type.replace("_", " ")
    first = f"The {kind} run{since} to {moment(run.time)} UTC {ENDINGS[summary.result]}{took}."
    if run.kind == UNDO:
        first = f"The undo of {summary.undoes} {UNDO_ENDINGS[summary.result]}{took}."
    said = [first, _sources(summary), _facts(summary)]
    if summary.reason:
        said.append(summary.reason)
    return [sentence for sentence in said if sentence]


def _without_summary(run: PastRun) -> str:
    due = moment(run.due)
    if run.has_ended:
        return (
            f"The {run.kind} that was due {due} UTC has ended as {run.state}, and has left no summary of what it did."
        )
    return f"The {run.kind} that was due {due} UTC is {run.state}; what it does is said when it ends."


def _sources(summary: RunSummary) -> str:
    changed = {name: source.changes for name, source in summary.sources.items() if source.changes}
    compared = sum(source.rows_compared for source in summary.sources.values())
    if not changed:
        return f"{counted(compared, 'row')} compared, none of them changed." if compared else ""
    total = counted(sum(changed.values()), "row")
    return f"{total} changed in {counted(len(changed), 'source')}: {largest(changed)}."


def _facts(summary: RunSummary) -> str:
    written = {name: fact.written for name, fact in summary.facts.items() if fact.written}
    built = [name for name, fact in summary.facts.items() if fact.built]
    if not written and not built:
        return "No fact has changed." if summary.sources else ""
    would = "would be written" if summary.result == DRY_RUN else "written"
    said = [f"{counted(sum(written.values()), 'row')} {would} in {counted(len(written), 'fact')}: {largest(written)}"]
    if cells := sum(sum(fact.cells.values()) for fact in summary.facts.values()):
        said.append(f"{counted(cells, 'cell')} of updated rows")
    if built:
        said.append(f"built in full: {listed(sorted(built))}")
    return f"{'; '.join(said)}."

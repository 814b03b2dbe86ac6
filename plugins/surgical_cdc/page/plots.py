"""What Plotly draws: data and layout as it reads them; colours and fonts are the browser's to add."""

from __future__ import annotations

import html
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

from surgical_cdc.page.metadata import Cycle, PastRun
from surgical_cdc.page.wording import counted
from surgical_cdc.values import PHASES, RunSummary

Plot = dict[str, Any]
# More bands than these can not be told apart.
FLOW_FACTS = 40


class Medians(NamedTuple):
    """Median seconds of some runs, by phase and of the whole."""

    detect: float
    update: float
    sync: float
    total: float


def label(text: str) -> str:
    """Return a text as Plotly shows it as it is: it reads some HTML in labels.

    Example:
        >>> label("<b>")
        '&lt;b&gt;'
    """
    return html.escape(text, quote=False)


def flow(cycle: Cycle, summary: RunSummary) -> Plot | None:
    """Return the flow of a run from the changed sources into the facts; None if no fact was written.

    A band is as wide as the rows that were written into the fact; where several sources of it have changed, these are
    divided by the rows that changed there.
    """
    written = {
        fact: found.written for fact, found in summary.facts.items() if found.written and cycle.feeding.get(fact)
    }
    facts = sorted(written, key=lambda fact: (-written[fact], fact))[:FLOW_FACTS]
    changes = {source: found.changes for source, found in summary.sources.items()}
    bands = [band for fact in facts for band in _bands(fact, written[fact], cycle.feeding[fact], changes)]
    if not bands:
        return None
    sources = sorted({source for source, _, _ in bands}, key=lambda source: (-changes.get(source, 0), source))
    nodes = [f"{label(source)}  {changes.get(source, 0):,}" for source in sources]
    nodes += [f"{label(fact)}  {written[fact]:,}" for fact in facts]
    place = {("source", name): number for number, name in enumerate(sources)}
    place |= {("fact", name): number for number, name in enumerate(facts, len(sources))}
    trace = {
        "type": "sankey",
        "arrangement": "fixed",
        "node": {"label": nodes, "pad": 14, "thickness": 10, "hoverinfo": "none"},
        "link": {
            "source": [place["source", source] for source, _, _ in bands],
            "target": [place["fact", fact] for _, fact, _ in bands],
            "value": [value for _, _, value in bands],
            "customdata": [f"{label(source)} → {label(fact)}" for source, fact, _ in bands],
            "hovertemplate": "%{customdata}: %{value:,.0f} rows<extra></extra>",
        },
    }
    return {"data": [trace], "layout": {"height": max(220, 34 * max(len(sources), len(facts)) + 40)}}


def speed(runs: Sequence[PastRun]) -> Plot:
    """Return the wall seconds of runs by phase with their median, and the rows that they wrote; the oldest first."""
    times = [run.due.isoformat() for run in runs]
    bars = [
        {
            "type": "bar",
            "name": phase,
            "x": times,
            "y": [_seconds(run, phase) for run in runs],
            "hovertemplate": f"%{{y:.1f}} s {phase}<extra></extra>",
        }
        for phase in PHASES
    ]
    median = medians(runs).total
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": f"median {median:.1f} s",
        "x": [times[0], times[-1]],
        "y": [median, median],
        "hoverinfo": "skip",
    }
    rows = {
        "type": "bar",
        "name": "rows written",
        "x": times,
        "y": [run.said.get("written", 0) for run in runs],
        "xaxis": "x",
        "yaxis": "y2",
        "hovertemplate": "%{y:,} rows<extra></extra>",
    }
    layout = {
        "barmode": "stack",
        "height": 420,
        "hovermode": "x unified",
        "legend": {"orientation": "h", "y": 1.03, "yanchor": "bottom", "traceorder": "normal"},
        "yaxis": {"domain": [0.36, 1], "ticksuffix": " s", "rangemode": "tozero"},
        "yaxis2": {"domain": [0, 0.24], "tickformat": ",", "nticks": 4, "rangemode": "tozero"},
        "xaxis": {"anchor": "y2", "type": "date"},
    }
    return {"data": [*bars, line, rows], "layout": layout}


def medians(runs: Sequence[PastRun]) -> Medians:
    """Return the median seconds of runs that have said how long they took."""
    detect, update, sync = (statistics.median(_seconds(run, phase) for run in runs) for phase in PHASES)
    return Medians(detect, update, sync, statistics.median(run.seconds for run in runs))


def _seconds(run: PastRun, phase: str) -> float:
    return float(run.said["seconds"].get(phase, 0))


def _bands(fact: str, rows: int, sources: Sequence[str], changes: dict[str, int]) -> list[tuple[str, str, float]]:
    """Divide the rows of a fact among the sources that have changed; among all alike where it was built in full."""
    shares = {source: changes.get(source, 0) for source in sources}
    if not any(shares.values()):
        shares = dict.fromkeys(sources, 1)
    total = sum(shares.values())
    return [(source, fact, rows * share / total) for source, share in shares.items() if share]


def described(plot: Plot | None) -> str:
    """Return what a plot shows, for those who do not see it."""
    if plot is None:
        return "No row of a fact was written."
    return f"Flow with {counted(len(plot['data'][0]['link']['value']), 'band')}; the tables below have its numbers."

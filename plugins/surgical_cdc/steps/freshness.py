"""Freshness: which facts are older than the project says, by what the ledger has of the sources that they read.

A fact is in step with the baselines of its sources: what keeps it from being brought up to date keeps them back too. So
it shows all that was staged up to the earliest of the times up to which its sources were synced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from surgical_cdc.control import lease, ledger
from surgical_cdc.dictionary import load_dictionary
from surgical_cdc.values import FRESHNESS, RunSummary
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.warehouse.session import Warehouse


class Stale(NamedTuple):
    """A fact that is too old: the end of the last window that it shows (UTC), its age, and `warn` or `error`."""

    fact: str
    fresh_to: datetime
    age: timedelta
    level: str


class Ages(NamedTuple):
    """The end of the last window that each fact shows (UTC), where it shows any; and those that are newly too old."""

    fresh_to: Mapping[str, datetime]
    stale: Sequence[Stale]


def look(project: Project, warehouse: Warehouse) -> Ages:
    """Return how old the facts are, and which have become too old since this was asked last.

    Each of these is told of once for each level of its age: that it was is a line of the ledger. A fact that was never
    brought up to date is none of them: nobody can say how old it is.
    """
    with warehouse.transaction():
        now = lease.read(project, warehouse).read_at
        fresh_to = shown(project, warehouse)
        stale = [
            Stale(fact, time, now - time, level)
            for fact, time in fresh_to.items()
            if (level := _level(project, now - time))
            and ledger.record_once(project, warehouse, _line(fact, time, level))
        ]
    return Ages(fresh_to, stale)


def shown(project: Project, warehouse: Warehouse) -> dict[str, datetime]:
    """Return up to when (UTC) each fact shows all that was staged, inside the caller's transaction.

    A fact of which a source was never synced is missing.
    """
    dictionary = load_dictionary(project.dictionary_path)
    synced = dict(warehouse.rows(render("read_freshness", control=project.control_schema)))
    feeding = {fact: dictionary.feeding(fact) for fact in dictionary.facts}
    return {
        fact: min(synced[source] for source in sources)
        for fact, sources in feeding.items()
        if sources and synced.keys() >= set(sources)
    }


def read_shown(project: Project, warehouse: Warehouse) -> dict[str, datetime]:
    """Return what `shown` does, in a transaction of its own."""
    with warehouse.transaction(dry_run=True):
        return shown(project, warehouse)


def _level(project: Project, age: timedelta) -> str | None:
    """Return how much too old a fact of an age is, None if it is not."""
    return next((level for level, most in reversed(project.freshness.ages.items()) if age > most), None)


def _line(fact: str, fresh_to: datetime, level: str) -> RunSummary:
    return RunSummary(
        kind=FRESHNESS, dag_id=FRESHNESS, run_id=f"{fact} at {fresh_to}", window_end=fresh_to, result=level
    )

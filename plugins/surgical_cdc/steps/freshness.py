"""Freshness: which facts are older than the project says, by what the ledger has of the sources that they read.

A fact is in step with the baselines of its sources: what keeps it from being brought up to date keeps them back too. So
it shows all that was staged up to the earliest of the times up to which its sources were synced.
"""

from __future__ import annotations

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


def newly_stale(project: Project, warehouse: Warehouse) -> list[Stale]:
    """Return the facts that have become too old since this was asked last, each once for each level of its age.

    That they were is a line of the ledger, so that nobody is told twice.
    """
    ages = project.freshness.ages
    if not ages:
        return []
    dictionary = load_dictionary(project.dictionary_path)
    with warehouse.transaction():
        now = lease.read(project, warehouse).read_at
        shown = dict(warehouse.rows(render("read_freshness", control=project.control_schema)))
        found = []
        for fact in dictionary.facts:
            times = [shown.get(source) for source in dictionary.feeding(fact)]
            # Of one that was never brought up to date, nobody can say how old it is.
            if not times or not all(times):
                continue
            fresh_to = min(time for time in times if time)
            level = next((level for level, age in reversed(ages.items()) if now - fresh_to > age), None)
            if level and ledger.record_once(project, warehouse, _line(fact, fresh_to, level)):
                found.append(Stale(fact, fresh_to, now - fresh_to, level))
    return found


def _line(fact: str, fresh_to: datetime, level: str) -> RunSummary:
    return RunSummary(
        kind=FRESHNESS, dag_id=FRESHNESS, run_id=f"{fact} at {fresh_to}", window_end=fresh_to, result=level
    )

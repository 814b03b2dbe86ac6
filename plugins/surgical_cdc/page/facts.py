"""How fresh each fact is, and which of them want a look."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from surgical_cdc.dag.handover import UPDATE
from surgical_cdc.page.metadata import Cycle, PastRun, Verified
from surgical_cdc.values import DRY_RUN, RUN

# A fact is stale once it is as many intervals of the schedule behind: one run may be late by its own length.
STALE_INTERVALS = 2
LEVELS = ("warn", "error")


class Light(IntEnum):
    """What a fact's light says; what needs a look comes first."""

    FAILED = 0
    STALE = 1
    NEVER = 2
    OK = 3

    @property
    def word(self) -> str:
        """The light as a word."""
        return self.name.lower()


@dataclass(frozen=True)
class FactToday:
    """A fact as it is now.

    `fresh_to` is the end of the last window of which it shows all that was staged; `changed` the last run, of those
    that were looked through, which wrote rows of it. `note` says what is wrong.
    """

    dag_id: str
    fact: str
    light: Light
    fresh_to: datetime | None
    changed: PastRun | None
    verified_at: datetime | None
    note: str

    @property
    def rows(self) -> int:
        """How many rows that run wrote."""
        return self.changed.rows(self.fact) if self.changed else 0


def facts_today(
    cycle: Cycle,
    runs: Sequence[PastRun],
    verified: Mapping[str, Verified],
    errors: Mapping[str, str],
    *,
    now: datetime,
) -> list[FactToday]:
    """Return the facts of a cycle.

    Args:
        cycle: whose facts.
        runs: its last ones and undos of them, the newest first.
        verified: when each fact was last verified, without those that never were.
        errors: of the failed tasks of the last run that has ended.
        now: the time by which a fact is stale.
    """
    ended = lasting(runs)
    intervals = [run.interval for run in runs if run.run_type == "scheduled" and run.interval]
    ages: Mapping[str, float] = next((run.said["stale_after"] for run in ended if "stale_after" in run.said), {})
    if ages:
        warned, failed = (now - timedelta(seconds=ages[level]) if level in ages else None for level in LEVELS)
    else:
        warned, failed = now - STALE_INTERVALS * statistics.median_low(intervals) if intervals else None, None
    by_window = sorted(ended, key=lambda run: run.time, reverse=True)
    found = []
    for fact in cycle.facts:
        fresh_to = next((run.time for run in by_window if run.shows(fact)), None)
        changed = next((run for run in runs if run.result != DRY_RUN and run.rows(fact)), None)
        verification = verified.get(fact, Verified())
        if verification.error:
            light, note = Light.FAILED, f"Last verification: {verification.error}"
        elif ended and ended[0].has_failed and not ended[0].shows(fact):
            light, note = Light.FAILED, _failure(ended[0], fact, errors)
        elif fresh_to is None:
            light, note = Light.NEVER, ""
        elif failed and fresh_to < failed:
            light, note = Light.FAILED, "It is older than error_after of the project's cdc_freshness."
        elif warned and fresh_to < warned:
            light, note = Light.STALE, "No run has brought it up to date since."
        else:
            light, note = Light.OK, ""
        found.append(FactToday(cycle.dag_id, fact, light, fresh_to, changed, verification.equal_at, note))
    return found


def lasting(runs: Sequence[PastRun]) -> list[PastRun]:
    """Return those that have ended and take what is staged: no dry runs, and no undos."""
    return [run for run in runs if run.kind == RUN and run.has_ended and run.result != DRY_RUN]


def by_need(facts: Sequence[FactToday]) -> list[FactToday]:
    """Return the facts so that what needs a look comes first, and the oldest of a kind before the others."""
    return sorted(facts, key=lambda one: (one.light, str(one.fresh_to or ""), one.dag_id, one.fact))


def _failure(run: PastRun, fact: str, errors: Mapping[str, str]) -> str:
    """Return why a run has not brought a fact up to date: its own task's error, else what the run says."""
    own = errors.get(f"{UPDATE}.{fact}")
    return own or run.said.get("reason") or "The last run has failed."

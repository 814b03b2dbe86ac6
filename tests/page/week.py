"""A week of runs as a small company's warehouse might have had it: the same at each call, but for its end."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from surgical_cdc.dag.handover import CLEANUP, PREPARE, SYNC
from surgical_cdc.dictionary import Dictionary
from tests.page.airflow_database import HALF_HOUR, WrittenRun, ended

RUNS = 336
NIGHT, DAY = range(6), range(9, 18)
# Of the first run, so that the last one is a run of the day, whenever the tests run.
FIRST_HOUR = 10
FAILED_RUNS, PART_RUN, DRY_RUN = {210, 211}, 331, 300
ERRORS = {
    "failed": "The connection was lost three times. The next run takes what is staged.",
    "in part": "A row key is NULL in 2 rows. The sources that it reads were not synced.",
}


def week(dictionary: Dictionary, end: datetime, *, runs: int = RUNS) -> list[WrittenRun]:
    """Return runs of the project up to a time, the oldest first: quiet at night, two failures, one synced in part."""
    draw = random.Random(7)
    last = end - runs * HALF_HOUR
    return [_run(dictionary, number, last + (number + 1) * HALF_HOUR, draw) for number in range(runs)]


def _run(dictionary: Dictionary, number: int, due: datetime, draw: random.Random) -> WrittenRun:
    if number in FAILED_RUNS:
        run = ended(due, {"result": "failed", "reason": f"detect.users: {ERRORS['failed']}"}, task_id=CLEANUP)
        return replace(run, handed_on={**run.handed_on, "detect.users": {"error": ERRORS["failed"]}})
    hour = (FIRST_HOUR + number // 2) % 24
    if hour in NIGHT and draw.random() < 0.6:
        return ended(due, {"result": "nothing new"}, task_id=PREPARE)
    busy = 3 if hour in DAY else 1
    sources = {name: _source(dictionary, name, draw, busy) for name in dictionary.sources}
    facts = {fact: _fact(dictionary, fact, sources, draw) for fact in dictionary.facts}
    written = sum(done.get(kind, 0) for done in facts.values() for kind in ("inserted", "updated", "deleted"))
    summary = {"sources": sources, "facts": facts, "seconds": _seconds(draw, busy), "written": written}
    if number == PART_RUN:
        fact = dictionary.facts[-1]
        facts[fact] = {"failed": True, "reason": "it has failed"}
        run = ended(due, {**summary, "result": "in part"}, task_id=SYNC)
        return replace(run, handed_on={**run.handed_on, f"update.{fact}": {"error": ERRORS["in part"]}})
    if number == DRY_RUN:
        return ended(due, {**summary, "result": "dry run"}, run_type="manual", conf={"dry_run": True})
    return ended(due, summary, task_id=SYNC)


def _source(dictionary: Dictionary, name: str, draw: random.Random, busy: int) -> dict[str, Any]:
    if draw.random() > 0.3 * busy:
        return {"synced": True}
    updates = int(draw.lognormvariate(2.2, 1.1)) * busy
    columns = draw.sample(sorted(dictionary.feeds[name]), k=min(3, len(dictionary.feeds[name])))
    found = {
        "inserts": int(draw.lognormvariate(0.8, 1)) * busy,
        "updates": updates,
        "deletes": draw.choice((0, 0, 0, 1, 2)),
        "quarantined": draw.choice((0,) * 30 + (2,)),
        "stale": draw.choice((0,) * 20 + (3,)),
        "waiting": draw.choice((0,) * 8 + (5,)),
        "rows_compared": updates * draw.randrange(2, 9),
        "changed_columns": {column: draw.randrange(updates + 1) for column in columns},
        "seconds": draw.uniform(0.1, 0.6),
        "synced": True,
    }
    return {key: value for key, value in found.items() if value}


def _fact(dictionary: Dictionary, fact: str, sources: Mapping[str, Any], draw: random.Random) -> dict[str, Any]:
    feeding = dictionary.feeding(fact)
    changes = sum(sources[name].get("updates", 0) for name in feeding)
    if not changes:
        return {"reason": f"no change in {', '.join(sorted(feeding))}"}
    updated = int(changes * draw.uniform(0.3, 2))
    columns = _columns(dictionary, fact)
    touched = draw.sample(columns, k=min(len(columns), 4))
    return {
        "affected": updated + 3,
        "inserted": changes // 9,
        "updated": updated,
        "deleted": changes // 40,
        "cells": {column: draw.randrange(1, updated + 2) for column in touched},
        "seconds": draw.uniform(0.2, 1.5),
    }


def _columns(dictionary: Dictionary, fact: str) -> Sequence[str]:
    """Return the first columns of a fact that sources feed by name."""
    named = {
        column
        for columns in dictionary.feeds.values()
        for facts in columns.values()
        if facts.get(fact, "*") != "*"
        for column in facts[fact]
    }
    return sorted(named)[:9]


def _seconds(draw: random.Random, busy: int) -> dict[str, float]:
    slow = draw.choice((1,) * 40 + (3,))
    return {
        "detect": slow * draw.uniform(0.8, 1.4) * busy,
        "update": slow * draw.uniform(1.2, 2.6) * busy,
        "sync": slow * draw.uniform(0.3, 0.6) * busy,
    }

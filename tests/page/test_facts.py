"""The light of a fact, and what else is said of it, from runs as the page reads them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from surgical_cdc.page.facts import FactToday, Light, by_need, facts_today
from surgical_cdc.page.heat import heat_rows
from surgical_cdc.page.metadata import Cycle, Deployment, PastRun, Verified
from surgical_cdc.page.plots import flow, label
from surgical_cdc.page.sentence import sentences
from surgical_cdc.values import RunSummary

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)
CYCLE = Cycle("cdc", Deployment("sql", "redshift"), ("a", "b", "c"), {"fact": ("a", "b"), "other": ("c",)})


def past(number: int, result: str = "success", **values: Any) -> PastRun:
    """Return the run of a half hour after noon, with what its summary has besides."""
    due = NOON + number * HALF_HOUR
    summary = {"dag_id": "cdc", "run_id": str(number), "result": result, "window_end": due.replace(tzinfo=None)}
    state = "failed" if result in {"failed", "in part"} else "success"
    said = RunSummary.model_validate({**summary, **values}).to_dict()
    return PastRun("cdc", str(number), number, "run", "scheduled", state, due, HALF_HOUR, is_whole=True, said=said)


def today(*runs: PastRun, now: datetime = NOON + HALF_HOUR, **values: Any) -> FactToday:
    """Return the fact after these runs, the oldest first."""
    given = {"verified": {}, "errors": {}, **values}
    found = facts_today(CYCLE, runs[::-1], given["verified"], given["errors"], now=now)
    return next(one for one in found if one.fact == "fact")


FAILED = {"facts": {"fact": {"failed": True, "reason": "it has failed"}, "other": {"updated": 1}}}


@pytest.mark.parametrize(
    ("runs", "light"),
    [
        pytest.param([], Light.NEVER, id="no run"),
        pytest.param([past(0)], Light.OK, id="a run that had nothing to do for it"),
        pytest.param([past(0, "nothing new")], Light.OK, id="a run that ended with prepare"),
        pytest.param([past(0, "dry run")], Light.NEVER, id="a dry run alone"),
        pytest.param([past(-1), past(0, "dry run")], Light.OK, id="a dry run after a good one"),
        pytest.param([past(-1), past(0, "failed")], Light.FAILED, id="a failure"),
        pytest.param([past(-1), past(0, "in part", **FAILED)], Light.FAILED, id="its own failure"),
        pytest.param([past(-1), past(0, "in part", facts={"fact": {"updated": 1}})], Light.OK, id="another's failure"),
        pytest.param([past(-2, "failed"), past(0)], Light.OK, id="a run that works again"),
        pytest.param([past(-9)], Light.STALE, id="no run for hours"),
        pytest.param([past(-1), replace(past(0), state="running", said={})], Light.OK, id="a run that works"),
        pytest.param([past(-1), replace(past(0), state="failed", said={})], Light.FAILED, id="a killed run"),
    ],
)
def test_light(runs: list[PastRun], light: Light) -> None:
    """The light says whether the fact shows what it should, and what keeps it from that."""
    assert today(*runs).light == light


@pytest.mark.parametrize(
    ("hours", "light"), [pytest.param(1.9, Light.OK), pytest.param(2.1, Light.STALE), pytest.param(7, Light.FAILED)]
)
def test_a_fact_is_stale_when_the_project_says_so(hours: float, light: Light) -> None:
    """Its ages come with the summaries of the runs, and stand in the place of the schedule's intervals."""
    ages = {"stale_after": {"warn": 7_200.0, "error": 21_600.0}}
    assert today(past(0, **ages), now=NOON + timedelta(hours=hours)).light == light
    only_error = {"stale_after": {"error": 21_600.0}}
    expected = Light.FAILED if light is Light.FAILED else Light.OK
    assert today(past(0, **only_error), now=NOON + timedelta(hours=hours)).light == expected


def test_a_verification_that_differs_counts_until_the_next() -> None:
    """It fails the fact, whatever the runs say."""
    found = today(past(0), verified={"fact": Verified(NOON, "fact: DIFFERS")})
    assert (found.light, found.note) == (Light.FAILED, "Last verification: fact: DIFFERS")
    assert found.verified_at == NOON


def test_the_note_has_the_error_of_the_facts_own_task() -> None:
    """Not that of the run, which may be another's."""
    found = today(past(0, "in part", **FAILED), errors={"update.fact": "a key is NULL", "update.other": "no"})
    assert found.note == "a key is NULL"


def test_fresh_to_is_the_last_window_that_is_shown() -> None:
    """A backfill over an older window does not make a fact older; a failure does not make it newer."""
    found = today(past(0), past(-5), past(1, "failed"), now=NOON + HALF_HOUR)
    assert found.fresh_to == NOON


def test_changed_is_the_last_run_that_wrote_rows() -> None:
    """Runs that left the fact as it was are passed over."""
    found = today(past(-2, facts={"fact": {"inserted": 2, "updated": 3}}), past(-1), past(0))
    assert found.changed
    assert (found.changed.number, found.rows) == (-2, 5)


def test_what_needs_a_look_comes_first() -> None:
    """Failed before stale before never before ok."""
    one = today(past(0))
    found = by_need([replace(one, light=light) for light in (Light.OK, Light.STALE, Light.NEVER, Light.FAILED)])
    assert [fact.light.word for fact in found] == ["failed", "stale", "never", "ok"]


def test_a_flow_divides_a_facts_rows_by_what_changed() -> None:
    """Bands end in the facts with as many rows as were written there."""
    sources = {"a": {"updates": 3}, "b": {"inserts": 1}, "c": {"deletes": 5}}
    summary = past(0, sources=sources, facts={"fact": {"updated": 8}, "other": {"reason": "no"}}).summary()
    assert summary
    plot = flow(CYCLE, summary)
    assert plot
    assert plot["data"][0]["link"]["value"] == [6, 2]
    assert plot["data"][0]["node"]["label"] == ["a  3", "b  1", "fact  8"]


def test_a_fact_that_is_built_flows_from_all_that_it_reads() -> None:
    """Nothing may have changed in them; without rows there is no flow."""
    summary = past(0, facts={"fact": {"inserted": 8, "built": True}}).summary()
    assert summary
    plot = flow(CYCLE, summary)
    assert plot
    assert plot["data"][0]["link"]["value"] == [4, 4]
    assert flow(CYCLE, RunSummary(dag_id="", run_id="", result="success")) is None


def test_names_stay_text_in_plots() -> None:
    """Plotly reads HTML in labels."""
    assert label("<b>fact</b></script>") == "&lt;b&gt;fact&lt;/b&gt;&lt;/script&gt;"


def test_heat_marks_failures_and_skips() -> None:
    """A failure, a skip, a build, and cells by their power of ten."""
    runs = [
        past(0, facts={"fact": {"updated": 120, "cells": {"x": 120, "y": 4}}}),
        past(1, "in part", **FAILED),
        past(2, facts={"fact": {"reason": "no change in a, b"}}),
        past(3, facts={"fact": {"inserted": 7, "built": True}}),
    ]
    head, x, y = heat_rows(CYCLE, runs, "fact")
    assert [cell.mark for cell in head.cells] == ["", "✕", "·", "■"]
    assert [cell.level for cell in head.cells] == [3, 0, 0, 1]
    assert [(row.column, row.total, row.cells[0].level) for row in (x, y)] == [("x", 120, 3), ("y", 4, 1)]
    assert head.cells[2].title.endswith("skipped: no change in a, b")


@pytest.mark.parametrize(
    ("run", "said"),
    [
        pytest.param(past(0, "nothing new"), ["The scheduled run to 2026-03-01 12:00 UTC has found nothing new."]),
        pytest.param(
            past(
                0,
                sources={"a": {"updates": 1, "rows_compared": 2}},
                facts={"fact": {"updated": 2, "cells": {"x": 2}}},
                seconds={"detect": 1, "sync": 0.5},
            ),
            [
                "The scheduled run to 2026-03-01 12:00 UTC has brought the facts up to date in 1.5 s.",
                "1 row changed in 1 source: a 1.",
                "2 rows written in 1 fact: fact 2; 2 cells of updated rows.",
            ],
        ),
        pytest.param(
            replace(past(0), said={}, state="running"),
            ["The run that was due 2026-03-01 12:00 UTC is running; what it does is said when it ends."],
        ),
    ],
)
def test_a_run_in_sentences(run: PastRun, said: list[str]) -> None:
    """What a person asks first, in the order of asking."""
    assert sentences(run, run.summary()) == said

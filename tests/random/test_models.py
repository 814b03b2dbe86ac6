from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.contract.project import Project
from surgical_cdc.dictionary import EVERY_COLUMN, load_dictionary
from surgical_cdc.steps.cycle import CycleResult, run_cycle
from surgical_cdc.steps.verify import compare
from tests.conftest import Report, Site
from tests.random.models import models
from tests.random.one_model import FactModel, small_project
from tests.support.upstream import DOMAINS, START, Steps, Upstream, update_and_die, windows
from tests.support.ways import take_turns

MODELS_PER_EXAMPLE = 15
WINDOWS_PER_EXAMPLE = 4
# In which window a run dies before its sync.
DEAD_IN = 2
# `make test` tries 75 models, `make nightly` 2,000.
EXAMPLES = -(-int(os.environ.get("EQUIVALENCE_MODELS", "75")) // MODELS_PER_EXAMPLE)
MAINTAINED = "maintained"
IN_PART = "in part"
CONTRIBUTED = "contributed"
Rows = dict[Any, tuple[Any, ...]]


@pytest.mark.timeout(7200)
def test_generated_facts_equal_their_selects(
    site: Callable[[Project], Site],
    report: Report,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After any windows a fact of any SELECT within the supported shapes is its SELECT run in full.

    What differs in it is among the columns that the dictionary names for the columns that changed.
    """
    # Texts that differ in trailing blanks alone are one group, and which of them it shows is open.
    for column in ("orders.note", "customers.name", "cities.name"):
        monkeypatch.setitem(DOMAINS, column, ("a", "b ", " b", "", None))
    for column in ("orders.code", "customers.code"):
        monkeypatch.setitem(DOMAINS, column, ("a", " b", "c", "", None))
    # So it is with the two zeros. Numbers and moments of several types are to meet.
    for column in ("orders.rate", "customers.score", "cities.share-of-all"):
        monkeypatch.setitem(DOMAINS, column, (0.5, -3.25, 1.0, 2.0, 0.0, None))
    midnight = datetime.combine(START, time())
    for column in ("orders.placed", "payments.booked", "cities.founded"):
        monkeypatch.setitem(DOMAINS, column, (START, midnight, midnight + timedelta(days=40), None))
    refused: Counter[str] = Counter()
    small = small_project(tmp_path, {"fact": FactModel("SELECT c.id FROM live.customers AS c", "id")})

    @settings(max_examples=EXAMPLES, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
    @given(
        drawn=st.lists(models(), min_size=MODELS_PER_EXAMPLE, max_size=MODELS_PER_EXAMPLE),
        steps=windows(small.sources, WINDOWS_PER_EXAMPLE),
    )
    def play(drawn: list[FactModel], steps: list[Steps]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            project = _supported(Path(folder), drawn, refused)
            _play(site(project), steps)

    play()
    in_part, contributed = refused.pop(IN_PART), refused.pop(CONTRIBUTED)
    tried, maintained = refused.total(), refused.pop(MAINTAINED)
    lines = [f"{tried} generated models, {tried - maintained} of them refused:"]
    lines.append(f"  {in_part} of the others read a source as a whole, or all; {contributed} are kept by contributions")
    lines += [f"  {count}: {reason}" for reason, count in refused.most_common()]
    report(*lines)
    # Most of the refused ones were drawn near a limit on purpose.
    assert maintained >= 0.85 * tried, lines


def _supported(folder: Path, drawn: Iterable[FactModel], refused: Counter[str]) -> Project:
    """Return a project of the facts that are not refused, with its dictionary; count what is said of the others."""
    facts = {f"fact_{number}": model for number, model in enumerate(drawn)}
    project = small_project(folder, facts, select=[])
    refused[MAINTAINED] += len(project.facts)
    refused[CONTRIBUTED] += sum(bool(compile_fact(project, fact).groups) for fact in project.facts)
    refused[IN_PART] += sum(compile_fact(project, fact).in_full for fact in project.facts)
    for reason in project.left_out.values():
        # Names and values aside, so that the same reason counts as one.
        refused[re.sub(r"^\S+, line \d+: |\b\w+\.(?=\w)|'[^']*'|\d+", "", reason)[:100]] += 1
    return project


def _play(place: Site, drawn: list[Steps]) -> None:
    project = place.project
    upstream = Upstream(project)
    before: dict[str, Rows] = {}
    for number, steps in enumerate(drawn):
        take_turns(number)
        half = len(steps) // 2 if number == DEAD_IN else 0
        _stage(place, upstream, steps[:half])
        if half:
            # What it has changed may be as it was by the end of the window.
            update_and_die(place, place.run(upstream.end, run_id="dead"), project.facts)
        _stage(place, upstream, steps[half:])
        result = run_cycle(project, place.connect, place.run(upstream.end, run_id=f"window {number}"))
        upstream.sync()
        with place.warehouse.transaction():
            for fact in project.facts:
                found = compare(project, fact, place.warehouse)
                assert found.equal, f"{found} after window {number} of {project.selects[fact].sql}"
        after = {name: _rows(place, name) for name in project.facts}
        if before:
            for name in project.facts:
                if result.fact_results[name].built:
                    # By what the current time has moved, no source has changed.
                    continue
                _check_dictionary(project, name, result, before[name], after[name])
        before = after


def _stage(place: Site, upstream: Upstream, steps: Steps) -> None:
    for name, rows in upstream.window(steps).items():
        place.stage(name, *rows)


def _rows(place: Site, name: str) -> Rows:
    fact = place.project.facts[name]
    return {row[-1]: row for row in place.rows(f"SELECT {', '.join(fact.column_names)} FROM {fact.relation}")}  # noqa: S608


def _check_dictionary(project: Project, fact: str, result: CycleResult, before: Rows, after: Rows) -> None:
    """Check that for what has changed the dictionary names each column of a fact that differs."""
    named: set[str] = set()
    feeds = load_dictionary(project.dictionary_path).feeds
    columns = project.facts[fact].column_names
    absent = (None,) * len(columns)
    for change_set in result.change_sets.values():
        every = change_set.inserts or change_set.deletes
        for column, facts in feeds[change_set.source].items():
            if fact in facts and (every or column in change_set.changed_columns):
                named |= set(columns) if facts[fact] == EVERY_COLUMN else set(facts[fact])
    differing = {
        name
        for key in before.keys() | after.keys()
        for name, old, new in zip(columns, before.get(key, absent), after.get(key, absent), strict=True)
        if old != new or (key in before) != (key in after)
    }
    assert differing <= named, f"{fact} differs in {differing - named}: {project.selects[fact].sql}"

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
import redshift_connector

from local_redshift import LocalRedshift
from local_redshift.testing import administer
from surgical_cdc.contract.project import load_project
from surgical_cdc.dictionary import EVERY_COLUMN, Dictionary, load_dictionary
from surgical_cdc.warehouse.connection import session
from tests.conftest import Report, clear
from tests.support.worlds import Pair, Seen, Worlds, has_shown, misses, pairs

VENDOR = load_project()
DICTIONARY = load_dictionary(VENDOR.dictionary_path)
# Each changes every column once; `SOUNDNESS_ROUNDS=100 make test` looks longer.
ROUNDS = int(os.environ.get("SOUNDNESS_ROUNDS", "5"))
PRECISE = 0.9


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """Where a change of each column has shown in facts that were rebuilt in full."""
    with LocalRedshift(data=tmp_path_factory.mktemp("worlds"), port=0) as running:
        # All worlds together are many rows, of which it takes any derived table to have one.
        administer(running, "ALTER DATABASE dev SET enable_nestloop TO off")
        with closing(session(redshift_connector.connect(**running.settings), "tests")) as warehouse:
            clear(VENDOR, warehouse)
            worlds = Worlds(VENDOR, warehouse)
            for seed in range(ROUNDS):
                worlds.play(seed)
            yield worlds.seen


def without(dictionary: Dictionary, pair: Pair) -> Dictionary:
    """Return the dictionary without one of its pairs."""
    source, column, fact, name = pair
    facts = dict(dictionary.feeds[source][column])
    named = facts.pop(fact)
    if named != EVERY_COLUMN and len(named) > 1:
        facts[fact] = tuple(other for other in named if other != name)
    columns = {**dictionary.feeds[source], column: facts}
    return replace(dictionary, feeds={**dictionary.feeds, source: columns})


def test_what_differs_is_named(seen: Seen, report: Report) -> None:
    """Whatever column of a source changes, the facts and columns that then differ are among those of the dictionary."""
    found = misses(DICTIONARY, seen)
    shown = sum(len(names) for facts in seen.values() for names in facts.values())
    report(f"{len(seen)} columns, each changed {ROUNDS} times: {shown} effects seen, {len(found)} not named")
    assert len(seen) == sum(len(source.columns) for source in VENDOR.sources.values()) == 359
    assert found == []


def test_what_is_named_can_differ(seen: Seen, report: Report) -> None:
    """Nine of ten pairs of the dictionary are seen to differ; "*" is seen when anything in that fact does."""
    named = pairs(DICTIONARY)
    unseen = [pair for pair in named if not has_shown(pair, seen)]
    share = 1 - len(unseen) / len(named)
    lines = [f"  {source}.{column} -> {fact}.{name}" for source, column, fact, name in unseen]
    report(f"{len(named)} pairs named, {share:.1%} seen to differ; not seen:", *lines)
    assert share >= PRECISE


def test_missing_entry_is_noticed(seen: Seen) -> None:
    """Without any one of the pairs that have been seen, the first test fails, and names just that one."""
    shown = [pair for pair in pairs(DICTIONARY) if has_shown(pair, seen)]
    assert len(shown) > 200
    for pair in shown:
        found = misses(without(DICTIONARY, pair), seen)
        assert found, pair
        assert {miss[:3] for miss in found} == {pair[:3]}


def test_cursor_feeds_nothing(seen: Seen) -> None:
    """A change of the cursor alone shows nowhere, which is why a row that was only touched reaches no fact."""
    assert [seen[source.name, source.cursor] for source in VENDOR.sources.values()] == [{}] * len(VENDOR.sources)

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from local_redshift import LocalRedshift
from surgical_cdc.contract.project import Project, load_project
from surgical_cdc.dictionary import load_dictionary
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.verify import compare
from tests.conftest import PROJECTS, Report, Site
from tests.support.tpch import Database, generated, load
from tests.support.ways import take_turns

TPCH = load_project(PROJECTS / "tpch" / "sql")
QUERIES = 22
# A row moves another from one group to the next: customers are grouped by how many orders each has.
IN_FULL = {"q13_customer_distribution"}
# `make test` plays four windows, one of each kind, on 6,000 lines; `make nightly` plays 300, TPCH_SCALE=0.01 ten times
# as many lines.
WINDOWS = max(int(os.environ.get("EQUIVALENCE_WINDOWS", "40")) // 10, 4)
SCALE = float(os.environ.get("TPCH_SCALE", "0.001"))
# Before the first window, by which there is something that each query looks for.
FIRST_EDITS = 1500


def test_all_but_one_query_are_maintained_incrementally() -> None:
    """The compiler takes all 22, and says which are rebuilt in full."""
    assert len(TPCH.facts) == QUERIES
    assert load_dictionary(TPCH.dictionary_path).full.keys() == IN_FULL


@pytest.mark.timeout(600 + 60 * WINDOWS)
def test_queries_equal_their_facts(
    site: Callable[[Project], Site], redshift: LocalRedshift, report: Report, tmp_path: Path
) -> None:
    """After each refresh, and after edits of any table, each of the 22 facts is its query run in full."""
    place = site(TPCH)
    seed = random.randrange(10**6)
    report(f"{WINDOWS} windows of TPC-H at scale {SCALE:g}, drawn by seed {seed}")
    database = generated(TPCH, tmp_path, scale=SCALE, seed=seed)
    database.suit_queries(FIRST_EDITS)
    load(TPCH, database, redshift)
    empty = {*TPCH.facts}
    for number in range(WINDOWS):
        take_turns(number)
        _change(database, number)
        for name, rows in database.take().items():
            place.stage(name, *rows)
        run_cycle(TPCH, place.connect, place.run(database.end, run_id=f"window {number}"))
        with place.warehouse.transaction():
            for fact in TPCH.facts:
                found = compare(TPCH, fact, place.warehouse)
                assert found.equal, f"{found} after window {number} by seed {seed}"
        empty -= {name for name in empty if _has_a_value(place, name)}
    assert not empty, f"never had a value by seed {seed}"
    for name, source in TPCH.sources.items():
        expected = [tuple(row[column] for column in source.column_names) for row in database.tables[name].values()]
        assert sorted(place.table(source.relation, *source.column_names), key=str) == sorted(expected, key=str), name


def _has_a_value(place: Site, name: str) -> bool:
    """Return whether a fact has a row without NULL; a sum of no rows is NULL."""
    fact = place.project.facts[name]
    return any(None not in row for row in place.table(fact.relation, *fact.column_names))


def _change(database: Database, number: int) -> None:
    """Let a window be one of RF1, RF2, edits, or all of these."""
    kind = ("insert", "delete", "edit", "all")[number % 4]
    if kind in {"insert", "all"}:
        database.insert_orders(3)
    if kind in {"delete", "all"}:
        database.delete_orders(3)
    if kind in {"edit", "all"}:
        database.edit(8)

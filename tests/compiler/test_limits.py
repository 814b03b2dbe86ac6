"""A fact of the first rows of its SELECT keeps them from what it has and what is recomputed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.contract.project import Project
from surgical_cdc.errors import UnsupportedQuery
from surgical_cdc.steps import update as updating
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.rehearsal import rehearse_fact
from surgical_cdc.steps.verify import verify
from tests.conftest import Fill, Filled, Site, at
from tests.random.one_model import INCREMENTAL, one_model

FIRST = """
SELECT c.id, c.city_id AS n, c.name FROM live.customers c WHERE c.city_id > 0 ORDER BY c.city_id DESC LIMIT 3
"""
COLUMNS = "id n name:varchar(20)"


def row(key: int, minutes: float = -60, **columns: object) -> dict[str, object]:
    """Return a row of a source, whose city is its key unless another is given."""
    return {"id": key, "status": 1, "city_id": key, "name": "a", "updated_at": at(minutes), **columns}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the fact of the first customers."""
    return one_model(tmp_path_factory.mktemp("first"), FIRST, COLUMNS)


@cache
def customers(there: int) -> Fill:
    """Return what loads so many customers, and builds the fact."""

    def fill(place: Site) -> None:
        place.load("customers", *(row(key) for key in range(1, there + 1)))
        run_cycle(place.project, place.connect, place.run(at(-30), run_id="first"))

    return fill


@pytest.fixture
def computed_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which facts an update has computed as a whole."""
    found: list[str] = []
    recompute_all = updating.recompute_all

    def noted(project: Project, compiled: Any, *rest: Any) -> tuple[int, bool]:
        found.append(compiled.fact.name)
        return recompute_all(project, compiled, *rest)

    monkeypatch.setattr(updating, "recompute_all", noted)
    return found


@pytest.mark.parametrize(
    ("there", "changed", "kept", "as_a_whole"),
    [
        pytest.param(5, [row(9, -5)], [9, 5, 4], False, id="a row comes before all"),
        pytest.param(5, [row(1, -5, city_id=4)], [5, 1, 4], False, id="a tied row comes in by its key"),
        pytest.param(5, [row(1, -5, city_id=2)], [5, 4, 3], False, id="a row stays behind"),
        pytest.param(5, [row(3, -5, city_id=9)], [3, 5, 4], False, id="a row moves within"),
        pytest.param(5, [row(9, -5), row(4, -5, status=-1)], [9, 5, 3], False, id="one goes and another comes"),
        pytest.param(5, [row(4, -5, status=-1)], [5, 3, 2], True, id="a row goes"),
        pytest.param(5, [row(4, -5, city_id=1)], [5, 3, 2], True, id="a row falls behind"),
        pytest.param(5, [row(4, -5, city_id=0)], [5, 3, 2], True, id="a row does not qualify any more"),
        pytest.param(3, [row(2, -5, status=-1)], [3, 1], True, id="the last one of all goes"),
        pytest.param(2, [row(2, -5, city_id=1)], [1, 2], False, id="there is room, so that all is known"),
        pytest.param(2, [row(2, -5, status=-1)], [1], False, id="one of few goes"),
    ],
)
def test_first_rows_are_kept(  # noqa: PLR0917
    filled: Filled,
    project: Project,
    computed_as_a_whole: list[str],
    there: int,
    changed: Sequence[dict[str, object]],
    kept: Sequence[int],
    as_a_whole: bool,  # noqa: FBT001
) -> None:
    """The whole is computed only where more of the first rows have left than came."""
    place = filled(project, customers(there))
    place.stage("customers", *changed)
    run_cycle(project, place.connect, place.run(at(0), run_id="second"))
    assert place.rows("SELECT id FROM facts.fact ORDER BY n DESC, id") == [(key,) for key in kept]
    assert computed_as_a_whole == ["fact"] * as_a_whole
    assert verify(project, "fact", place.warehouse).equal


def test_what_only_is_shown_is_updated_where_it_stands(
    filled: Filled, project: Project, computed_as_a_whole: list[str]
) -> None:
    """No row comes or goes by a column that the order does not read; one behind the first stays there."""
    place = filled(project, customers(5))
    place.stage("customers", row(1, -5, name="b"), row(4, -5, name="b"))
    result = run_cycle(project, place.connect, place.run(at(0), run_id="second")).fact_results["fact"]
    assert (result.inserted, result.updated, result.deleted) == (0, 1, 0)
    assert not computed_as_a_whole
    assert verify(project, "fact", place.warehouse).equal


def test_keys_that_wait_for_a_sync_make_it_whole(
    filled: Filled, project: Project, computed_as_a_whole: list[str]
) -> None:
    """What a lost run took for gone may come after all: it took row 4 and row 2, which meanwhile is as it was."""
    place = filled(project, customers(5))
    place.execute("DELETE FROM facts.fact WHERE id = 4")
    place.insert("facts.fact", {"id": 1, "n": 1, "name": "a"})
    place.insert("cdc.pending__fact", *({"token": "lost", "anchor": key} for key in (5, 4, 3, 1)))
    place.stage("customers", row(4, -5, status=-1))
    run_cycle(project, place.connect, place.run(at(0), run_id="second"))
    assert place.rows("SELECT id FROM facts.fact ORDER BY n DESC, id") == [(5,), (3,), (2,)]
    assert computed_as_a_whole == ["fact"]


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        pytest.param(
            "SELECT c.id, 1 AS n, c.name FROM live.customers c ORDER BY LENGTH(c.name) LIMIT 1",
            r"LIMIT 1 by LENGTH\(c\.name\), which the fact does not show, can not",
            id="not shown",
        ),
        pytest.param(
            "SELECT o.id, CAST(o.amount AS NUMERIC(8, 1)) AS n, o.note AS name FROM live.orders o ORDER BY n LIMIT 1",
            r"LIMIT 1 by n, numeric\(8,1\) that the fact shows as bigint, can not",
            id="rounded when it is stored",
        ),
    ],
)
def test_order_by_other_values_than_those_of_the_fact_is_refused(tmp_path: Path, sql: str, says: str) -> None:
    """The fact's last row must come where the SELECT puts it."""
    with pytest.raises(UnsupportedQuery, match=says):
        one_model(tmp_path, sql, COLUMNS, config=INCREMENTAL)


def test_limit_of_one_row_for_all_keeps_that(tmp_path: Path) -> None:
    """It is one row, and computed as a whole."""
    sql = "SELECT 1 AS id, COUNT(*) AS n, MAX(c.name) AS name FROM live.customers c LIMIT 5"
    tree = compile_fact(one_model(tmp_path, sql, COLUMNS), "fact").tree
    assert tree
    assert tree.is_of_all
    assert tree.limit is None


def test_statements_of_first_rows_are_rehearsed(site: Callable[[Project], Site], project: Project) -> None:
    """`check` lets the warehouse prepare them as it does those of other facts."""
    place = site(project)
    with place.warehouse.transaction(dry_run=True):
        rehearse_fact(project, "fact", place.warehouse)

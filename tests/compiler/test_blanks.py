"""Redshift takes 'a' and 'a ' for equal wherever it compares; LIKE, LENGTH and || do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.contract.project import Project
from surgical_cdc.steps.cycle import CycleResult, run_cycle
from surgical_cdc.steps.verify import verify
from tests.conftest import Site, at
from tests.random.one_model import INCREMENTAL, REBUILT, one_model

IN_LIST = """
SELECT ci.id, COUNT(o.id) AS order_count
FROM {{ source('live', 'cities') }} AS ci
LEFT JOIN {{ source('live', 'orders') }} AS o
  ON ',' || o.note || ',' LIKE '%,' || CAST(ci.id AS VARCHAR(20)) || ',%'
GROUP BY ci.id
"""
LABEL = "SELECT CAST(c.id AS VARCHAR(20)) || ' ' || c.name AS label, c.id FROM {{ source('live', 'customers') }} AS c"
BY_LABEL = "unique_key='label', meta={'cdc': {'anchor': 'id', 'maintenance': 'incremental'}}"
BY_NAME = "unique_key='name', meta={'cdc': {'maintenance': 'incremental'}}"
NAMES = "SELECT c.name, COUNT(*) AS customer_count FROM {{ source('live', 'customers') }} AS c GROUP BY c.name"


def row(key: int, minutes: float = -60, **values: Any) -> dict[str, Any]:
    """Return a row of any of the sources."""
    return {"id": key, "status": 1, "updated_at": at(minutes), **values}


def cycle(place: Site, run_id: str, end: float = 0) -> CycleResult:
    """Run a cycle over what is staged, and check that the fact is what its SELECT gives."""
    result = run_cycle(place.project, place.connect, place.run(at(end), run_id=run_id))
    assert verify(place.project, "fact", place.warehouse).equal
    return result


@pytest.fixture
def build(site: Callable[[Project], Site], tmp_path: Path) -> Callable[..., Site]:
    """Return a function that makes the warehouse of a project with one fact."""

    def make(sql: str, columns: str, config: str) -> Site:
        project = one_model(tmp_path, sql, columns, config=config)
        return site(project)

    return make


@pytest.mark.parametrize("notes", [("1,2", "1,2 "), ("1,2 ", "1,2")], ids=["blank last", "blank first"])
def test_strings_that_differ_in_blanks_lead_to_their_own_rows(
    build: Callable[..., Site], notes: tuple[str, str]
) -> None:
    """Of two changed lists that are equal to Redshift, LIKE finds another id in the one than in the other."""
    place = build(IN_LIST, "id order_count", INCREMENTAL)
    place.load("cities", row(1), row(2))
    cycle(place, "first", -30)
    place.stage("orders", *(row(key, -5, note=note) for key, note in enumerate(notes)))
    cycle(place, "second")
    assert place.table("facts.fact", "id", "order_count") == [(1, 2), (2, 1)]


def test_row_key_that_changes_in_its_blanks_is_the_same_row(build: Callable[..., Site]) -> None:
    """A row whose key is given a trailing blank is updated, blank included."""
    place = build(
        LABEL,
        "label:varchar(40) id",
        BY_LABEL,
    )
    place.load("customers", row(1, name="Bela"))
    cycle(place, "first", -30)
    place.stage("customers", row(1, -5, name="Bela "))
    found = cycle(place, "second").fact_results["fact"]
    assert (found.inserted, found.updated, found.deleted) == (0, 1, 0)
    assert place.table("facts.fact", "label") == [("1 Bela ",)]


def test_anchor_that_changes_in_its_blanks_moves_no_row(build: Callable[..., Site]) -> None:
    """Customers whose names differ in blanks are one group before and after."""
    place = build(NAMES, "name:varchar(20) customer_count", BY_NAME)
    place.load("customers", row(1, name="Bela"), row(2, name="Bela "), row(3, name=" Bela"))
    cycle(place, "first", -30)
    place.stage("customers", row(1, -5, name="Bela   "), row(3, -5, name="Bela"))
    found = cycle(place, "second").fact_results["fact"]
    assert (found.inserted, found.updated, found.deleted) == (0, 1, 1)
    assert [count for _, count in place.table("facts.fact", "name", "customer_count")] == [3]


def test_verification_takes_either_string_of_a_group(build: Callable[..., Site]) -> None:
    """Redshift does not say which of two equal strings GROUP BY shows, so a fact may hold either; nothing else."""
    place = build(NAMES, "name:varchar(20) customer_count", BY_NAME)
    place.load("customers", row(1, name="Bela"))
    cycle(place, "first", -30)
    place.execute("UPDATE facts.fact SET name = 'Bela  '")
    assert verify(place.project, "fact", place.warehouse).equal
    place.execute("UPDATE facts.fact SET name = ' Bela'")
    assert not verify(place.project, "fact", place.warehouse).equal


@pytest.mark.parametrize(
    ("sql", "is_open"),
    [
        pytest.param("SELECT id, name FROM customers", False, id="plain"),
        pytest.param("SELECT MIN(id) AS id, name FROM customers GROUP BY name", True, id="group"),
        pytest.param("SELECT MIN(id) AS id, RTRIM(name) AS name FROM customers GROUP BY 2", False, id="rtrim"),
        pytest.param("SELECT MIN(id) AS id, TRIM(name) AS name FROM customers GROUP BY 2", False, id="trim"),
        pytest.param("SELECT MIN(id) AS id, LTRIM(name) AS name FROM customers GROUP BY 2", True, id="ltrim"),
        pytest.param("SELECT MIN(id) AS id, TRIM('x' FROM name) AS name FROM customers GROUP BY 2", True, id="trim-x"),
        pytest.param("SELECT id, MAX(name) AS name FROM customers GROUP BY id", True, id="max"),
        pytest.param("SELECT id, MAX(UPPER(name)) AS name FROM customers GROUP BY id", True, id="max-of-function"),
        pytest.param(
            "SELECT id, MAX(UPPER(TRIM(name))) AS name FROM customers GROUP BY id", False, id="max-of-trimmed"
        ),
        pytest.param("SELECT id, MAX(city_id)::VARCHAR(20) AS name FROM customers GROUP BY id", False, id="max-of-id"),
        pytest.param("SELECT DISTINCT id, name FROM customers", True, id="distinct"),
        pytest.param(
            "SELECT id, COUNT(DISTINCT name)::VARCHAR(20) AS name FROM customers GROUP BY id", False, id="count"
        ),
        pytest.param(
            "SELECT id, LISTAGG(DISTINCT name, ',') WITHIN GROUP (ORDER BY name) AS name FROM customers GROUP BY id",
            True,
            id="listagg-distinct",
        ),
        pytest.param(
            "SELECT id, LISTAGG(name, ',') WITHIN GROUP (ORDER BY id) AS name FROM customers GROUP BY id",
            False,
            id="listagg",
        ),
        pytest.param("SELECT id, MAX(name) OVER (PARTITION BY city_id) AS name FROM customers", True, id="window"),
        pytest.param(
            "SELECT c.id, n.name FROM customers AS c JOIN (SELECT MIN(c.id) AS id, c.name FROM customers AS c"
            " GROUP BY c.name) AS n ON n.id = c.id",
            True,
            id="below",
        ),
        pytest.param(
            "SELECT MIN(c.id) AS id, c.name FROM (SELECT c.id, TRIM(c.name) AS name FROM customers AS c) AS c"
            " GROUP BY c.name",
            False,
            id="trimmed-below",
        ),
        pytest.param("SELECT id, name FROM customers UNION SELECT id, name FROM cities", True, id="union"),
        pytest.param("SELECT id, name FROM customers UNION ALL SELECT id, name FROM cities", False, id="union-all"),
    ],
)
def test_queries_that_leave_trailing_blanks_open(tmp_path: Path, sql: str, *, is_open: bool) -> None:
    """Where one string stands for several that are equal, nobody knows its blanks, unless they are trimmed before."""
    for name in ("customers", "cities"):
        sql = sql.replace(f"FROM {name}", f"FROM {{{{ source('live', '{name}') }}}}")
    exact = compile_fact(one_model(tmp_path, sql, "id name:varchar(20)", config=REBUILT), "fact").lineage.exact
    assert [column.name for column in exact] == ([] if is_open else ["name"])

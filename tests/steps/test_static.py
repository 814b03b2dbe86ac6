from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.verify import verify
from tests.conftest import at
from tests.support.small import COLUMNS, Small, small, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from surgical_cdc.contract.project import Project
    from surgical_cdc.values import FactResult
    from tests.conftest import Site

KINDS = {"n": "integer", "name": "varchar(20)"}
# Each kind is there twice, so that a row that were merged with its like would be missed.
ROWS = "INSERT INTO live.kinds VALUES (1, 'one'), (2, 'two'), (2, 'two')"
JOINED = """
SELECT o.id, o.n, COUNT(k.n) AS kinds, MAX(k.name) AS name
FROM {{ source('live', 'orders') }} AS o
LEFT JOIN {{ source('live', 'kinds') }} AS k ON k.n = o.n
GROUP BY o.id, o.n
"""
# The static table is tied to both branches of a UNION.
OF_TWO = """
SELECT x.id, MIN(x.n) AS n, COUNT(k.n) AS kinds, MAX(k.name) AS name
FROM (
  SELECT o.id, o.n FROM {{ source('live', 'orders') }} AS o WHERE o.n < 5
  UNION ALL
  SELECT o.id, o.n FROM {{ source('live', 'orders') }} AS o WHERE o.n >= 5 OR o.n IS NULL
) AS x
LEFT JOIN {{ source('live', 'kinds') }} AS k ON k.n = x.n
GROUP BY x.id
"""
FACT = {"id": "bigint", "n": "integer", "kinds": "bigint", "name": "varchar(20)"}


@pytest.fixture
def opened(site: Callable[[Project], Site], tmp_path: Path) -> Callable[[str], Site]:
    """Give a warehouse in which a fact reads a static table, after a first run."""

    def build(sql: str) -> Site:
        project: Small = small(tmp_path)
        static = {"config": {"meta": {"cdc": {"load": "static"}}}}
        project.sources(table("orders", types=COLUMNS), table("kinds", types=KINDS, **static))
        project.model("fact", sql, "unique_key='id', meta={'cdc': {'maintenance': 'incremental'}}", types=FACT)
        compiled = project.compile("fact")
        compiled.write()
        place = site(compiled.project)
        place.execute("DROP TABLE IF EXISTS live.kinds")
        place.execute("CREATE TABLE live.kinds (n INTEGER, name VARCHAR(20))")
        place.execute(ROWS)
        place.stage("orders", order(1, 1, -60), order(2, 2, -60), order(3, None, -60))
        assert cycle(place, 0).built
        return place

    return build


def order(key: int, n: int | None, minute: int) -> dict[str, Any]:
    """Return a staged order."""
    return {"id": key, "n": n, "updated_at": at(minute)}


def cycle(place: Site, minute: int) -> FactResult:
    """Run a cycle, after which the fact is what its SELECT gives."""
    done = run_cycle(place.project, place.connect, place.run(at(minute), run_id=f"until {minute}"))
    assert verify(place.project, "fact", place.warehouse).equal
    return done.fact_results["fact"]


@pytest.mark.parametrize("sql", [pytest.param(JOINED, id="joined"), pytest.param(OF_TWO, id="joined to a union")])
def test_fact_over_a_static_table_is_maintained_incrementally(opened: Callable[[str], Site], sql: str) -> None:
    """A change of the source reaches its row, with all rows of the static table that belong to it."""
    place = opened(sql)
    place.stage("orders", order(1, 2, 10))
    result = cycle(place, 30)
    assert (result.built, result.affected, result.updated) == (False, 1, 1)
    assert place.table("facts.fact", "id", "kinds", "name") == [(1, 2, "two"), (2, 2, "two"), (3, 0, None)]


def test_static_table_is_not_looked_at(opened: Callable[[str], Site]) -> None:
    """It has no staging and no task; the contract is checked all the same."""
    place = opened(JOINED)
    assert list(place.project.sources) == ["orders"]
    place.execute("ALTER TABLE live.kinds ADD COLUMN more INTEGER")
    with pytest.raises(Exception, match=r"live\.kinds\.more: new \(integer\), not in the contract"):
        cycle(place, 30)

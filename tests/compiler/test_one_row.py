"""A fact of one row for all is recomputed as a whole, and only if a changed row counts in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.contract.project import Project
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.rehearsal import rehearse_fact
from surgical_cdc.steps.verify import verify
from tests.conftest import Filled, Site, at
from tests.random.one_model import one_model

RECENT = """
SELECT 1 AS id, COUNT(*) AS orders, SUM(c.city_id) AS n FROM live.orders o
JOIN live.customers c ON c.id = o.customer_id WHERE o.kind = 1 AND c.city_id > 0
"""


def row(key: int, minutes: float, **columns: object) -> dict[str, object]:
    """Return a row of a source."""
    return {"id": key, "status": 1, "updated_at": at(minutes), **columns}


@pytest.fixture(scope="module")
def recent(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the fact of recent orders."""
    return one_model(tmp_path_factory.mktemp("recent"), RECENT, "id orders n")


def two_orders(place: Site) -> None:
    """Load two orders, of which one counts, with their customers, and build the fact."""
    place.load("orders", row(1, -60, kind=1, customer_id=1), row(2, -60, kind=2, customer_id=2))
    place.load("customers", row(1, -60, city_id=5), row(2, -60, city_id=6))
    run_cycle(place.project, place.connect, place.run(at(-30), run_id="first"))


@pytest.mark.parametrize(
    ("source", "changed", "affected"),
    [
        pytest.param("orders", {"id": 1, "kind": 1, "customer_id": 2}, 1, id="a row that counts changes"),
        pytest.param("orders", {"id": 1, "kind": 2, "customer_id": 1}, 1, id="a row counts no more"),
        pytest.param("orders", {"id": 2, "kind": 1, "customer_id": 1}, 1, id="a row counts from now on"),
        pytest.param("orders", {"id": 1, "status": -1, "kind": 1, "customer_id": 1}, 1, id="a row that counts goes"),
        pytest.param("orders", {"id": 3, "kind": 1, "customer_id": 1}, 1, id="a row that counts comes"),
        pytest.param("orders", {"id": 3, "kind": 2, "customer_id": 1}, 0, id="a row comes that does not count"),
        pytest.param("orders", {"id": 2, "kind": 0, "customer_id": 2}, 0, id="a row changes that does not count"),
        pytest.param("orders", {"id": 1, "kind": 1, "customer_id": 1, "note": "x"}, 0, id="a column that is not read"),
        pytest.param("customers", {"id": 1, "city_id": 9}, 1, id="a row changes beside one that counts"),
        pytest.param("customers", {"id": 2, "city_id": 9}, 0, id="a row changes beside one that does not count"),
    ],
)
def test_one_row_is_recomputed_if_a_changed_row_counts_in_it(
    filled: Filled, recent: Project, source: str, changed: dict[str, int], affected: int
) -> None:
    """What the query asks of its rows is asked of both images of a changed row, and of what it leads to."""
    place = filled(recent, two_orders)
    place.stage(source, row(1, -5, **changed) | changed)
    result = run_cycle(recent, place.connect, place.run(at(0), run_id="second")).fact_results["fact"]
    assert result.affected == affected
    assert verify(recent, "fact", place.warehouse).equal


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param(
            "SELECT 1 AS id, COUNT(*) AS orders, SUM(o.kind) AS n FROM live.orders o WHERE o.kind = 1 AND o.customer_id"
            " >= (SELECT MIN(c.city_id) FROM live.customers c)",
            id="in WHERE",
        ),
        pytest.param(
            "SELECT 1 AS id, COUNT(*) AS orders, MAX(c.city_id) AS n FROM live.orders o CROSS JOIN (SELECT"
            " MIN(x.city_id) AS city_id FROM live.customers x) c WHERE o.kind = 1",
            id="joined",
        ),
        pytest.param(
            "SELECT 1 AS id, (SELECT COUNT(*) FROM live.orders o) AS orders, (SELECT MIN(c.city_id) FROM live.customers"
            " c) AS n",
            id="alone",
        ),
    ],
)
def test_what_a_subquery_reads_counts(site: Callable[[Project], Site], tmp_path: Path, sql: str) -> None:
    """A value that the one row is computed from is no value of other rows: its rows count in it too."""
    project = one_model(tmp_path, sql, "id orders n")
    place = site(project)
    place.load("orders", row(1, -60, kind=1, customer_id=1), row(2, -60, kind=1, customer_id=2))
    place.load("customers", row(1, -60, city_id=1))
    run_cycle(project, place.connect, place.run(at(-30), run_id="first"))
    place.stage("customers", row(1, -5, city_id=2))
    assert run_cycle(project, place.connect, place.run(at(0), run_id="second")).fact_results["fact"].affected == 1
    assert verify(project, "fact", place.warehouse).equal


def test_what_is_asked_of_a_row_stands_in_the_tree(tmp_path: Path) -> None:
    """A filter is a root's, also through a derived table; what it can not be asked of counts as it is."""
    sql = RECENT.replace("live.orders", "(SELECT * FROM live.orders)")
    tree = compile_fact(one_model(tmp_path, sql, "id orders n"), "fact").tree
    assert tree
    assert tree.is_of_all
    assert {name: anchor.sql("redshift") for name, anchor in tree.anchors.items()} == {
        "n2_orders": "n2_orders.kind = 1"
    }
    assert [edge.predicate.sql("redshift") for node in tree.nodes for edge in node.edges] == [
        "n1_customers.id = n2_orders.customer_id"
    ]


def test_statements_of_one_row_are_rehearsed(site: Callable[[Project], Site], recent: Project) -> None:
    """`check` lets the warehouse prepare them as it does those of other facts."""
    place = site(recent)
    with place.warehouse.transaction(dry_run=True):
        rehearse_fact(recent, "fact", place.warehouse)

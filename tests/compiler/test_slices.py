from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.compiler.slices import SourceChange, overlaid_query, sliced_query, slices
from surgical_cdc.contract.project import Project
from surgical_cdc.contract.tables import Column, Source
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.verify import verify
from surgical_cdc.warehouse.session import Warehouse
from tests.conftest import Site, at
from tests.random.one_model import one_model


def test_overlay_keeps_a_source_apart_from_its_change_set() -> None:
    """A source may be called as the change set is inside the overlay: its keys are still compared with those there."""
    columns = (Column(name="id", data_type="bigint"), Column(name="updated_at", data_type="timestamp"))
    source = Source(
        name="changed",
        relation="live.changed",
        columns=columns,
        staging="staging.changed",
        key="id",
        cursor="updated_at",
    )
    query = sqlglot.parse_one("SELECT changed.id AS id FROM live.changed AS changed", read="redshift", into=exp.Select)
    overlaid = overlaid_query(query, {source.relation: source}, {"changed": SourceChange("scratch.changed", None)})
    (same_key,) = overlaid.find_all(exp.EQ)
    assert isinstance(same_key.left, exp.Column)
    assert isinstance(same_key.right, exp.Column)
    assert {same_key.left.table, same_key.right.table} == {"scdc_changed", "scdc_whole"}


@pytest.mark.parametrize(
    ("changed", "read"),
    [
        pytest.param({"kind": 2}, ["orders"], id="no join is needed"),
        # Cities are as they were, and joined to customers where they stand; payments are grouped.
        pytest.param({"customer_id": 8}, ["orders", "customers", "payments"], id="all are needed"),
    ],
)
def test_update_reads_what_its_columns_need(
    site: Callable[[Project], Site], tmp_path: Path, changed: dict[str, int], read: list[str]
) -> None:
    """A join that neither the columns to set nor the rows need is left out of the recomputing, and so is its slice."""
    sql = """
    SELECT o.id, o.kind AS n, t.id AS city, p.n AS payments FROM live.orders AS o
    LEFT JOIN live.customers AS c ON c.id = o.customer_id LEFT JOIN live.cities AS t ON t.id = c.city_id
    LEFT JOIN (SELECT p.payer_id, COUNT(*) AS n FROM live.payments AS p GROUP BY p.payer_id) AS p ON p.payer_id = c.id
    """
    project = one_model(tmp_path, sql, "id n city payments")
    place = site(project)
    first = {"updated_at": at(-60)}
    order = {"id": 1, "customer_id": 7, "kind": 1}
    place.stage("orders", {**order, **first}, {"id": 2, "customer_id": 8, "kind": 1, **first})
    place.stage("customers", {"id": 7, "city_id": 3, **first}, {"id": 8, "city_id": 4, **first})
    place.stage("cities", {"id": 3, **first}, {"id": 4, **first})
    place.stage("payments", {"id": 5, "payer_id": 7, **first})
    run_cycle(project, place.connect, place.run(at(-30), run_id="first"))
    sessions: list[Warehouse] = []

    def connect() -> Warehouse:
        sessions.append(place.connect())
        return sessions[-1]

    place.stage("orders", {**order, **changed, "updated_at": at(-20)})
    result = run_cycle(project, connect, place.run(run_id="second"))
    statements = [statement.sql for session in sessions for statement in session.statements]
    slices = [sql.split()[3] for sql in statements if sql.startswith('CREATE TEMPORARY TABLE "scdc_slice_')]
    assert sorted(name.strip('"').rpartition("_")[2] for name in slices) == sorted(read)
    assert result.fact_results["fact"].updated == 1
    assert verify(project, "fact", place.warehouse).equal


def test_occurrences_that_are_tied_alike_share_a_slice(tmp_path: Path) -> None:
    """Two occurrences that need the same rows are read once, with the columns of both; a third is tied otherwise."""
    sql = """
    SELECT c.id, o.n, p.m, q.k FROM live.customers AS c
    LEFT JOIN (SELECT customer_id, COUNT(*) AS n FROM live.orders GROUP BY customer_id) AS o ON o.customer_id = c.id
    LEFT JOIN (SELECT customer_id, MAX(kind) AS m FROM live.orders GROUP BY customer_id) AS p ON p.customer_id = c.id
    LEFT JOIN (SELECT kind, MAX(id) AS k FROM live.orders GROUP BY kind) AS q ON q.kind = c.id
    """
    tree = compile_fact(one_model(tmp_path, sql, "id n m k"), "fact").tree
    assert tree
    made = slices(tree, {}, sliced_query(tree, ["id", "n", "m", "k"], {}, null_key=False), null_key=False)
    orders = [statement for statement in made if "live.orders" in statement.sql()]
    assert [[column.name for column in statement.expression.selects] for statement in orders] == [
        ["id", "customer_id", "kind"],
        ["id", "kind"],
    ]

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest

from surgical_cdc.cli.checks import run_checks
from surgical_cdc.contract.project import Project, load_project
from surgical_cdc.control.lease import holder
from surgical_cdc.errors import DataError
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.refresh import refresh
from surgical_cdc.steps.verify import verify
from tests.acceptance.conftest import PREFIX
from tests.conftest import SHOP, Connect, Site, at
from tests.support.bookshop import ORDER, open_shop


@pytest.fixture
def shop(site: Callable[[Project], Site]) -> Site:
    """The bookshop in schemas of this run."""
    return site(load_project(SHOP))


def test_checks_pass_on_an_empty_shop(shop: Site, connect: Connect) -> None:
    """The connection can be used, and its user may do what a run does; what only costs time may be warned of."""
    findings = list(run_checks(shop.project, connect))
    assert [finding for finding in findings if finding.state == "FAILED"] == []
    assert [finding.name for finding in findings][-1] == "statements"


def test_a_day_in_the_shop(shop: Site, connect: Connect) -> None:
    """Runs build, update, fail, heal and are repeated; the facts equal their SELECTs, and nothing is left behind."""
    project, fact = shop.project, shop.project.facts["fact_order"].relation
    open_shop(shop)
    built = run_cycle(project, connect, shop.run(at(0), run_id="first"))
    assert built.fact_results["fact_order"].built
    assert shop.table(fact, "order_id", "line_count") == [(key, 1) for key in range(1, 5)]

    edited = {**ORDER, "customer_id": 8, "status": "paid", "total": Decimal("99.00"), "changed_at": at(5)}
    shop.stage("orders", edited)
    announced = run_cycle(project, connect, shop.run(at(10), run_id="dry", dry_run=True))
    updated = run_cycle(project, connect, shop.run(at(10), run_id="second"))
    assert updated.change_sets["orders"].changed_columns == {"total": 1}
    for name, result in updated.fact_results.items():
        expected = announced.fact_results[name]
        assert (result.affected, result.updated) == (expected.affected, expected.updated)
    assert shop.table(fact, "order_id", "total")[0] == (1, Decimal("99.00"))

    shop.stage("customers", {"customer_id": 7, "name": "Asha", "country": "IN", "closed": True, "changed_at": at(15)})
    shop.execute(f"DELETE FROM {project.sources['products'].staging}")  # noqa: S608
    with pytest.raises(DataError, match="would delete"):
        run_cycle(project, connect, shop.run(at(20), run_id="fails"))
    open_shop(shop)
    run_cycle(project, connect, shop.run(at(20), run_id="heals"))
    again = run_cycle(project, connect, shop.run(at(20), run_id="again"))
    assert [change_set.rewrites for change_set in again.change_sets.values()] == [0] * len(project.sources)

    assert all(verify(project, name, shop.warehouse).equal for name in project.facts)
    shop.execute(f"DELETE FROM {fact} WHERE order_id = 1")  # noqa: S608
    assert not verify(project, "fact_order", shop.warehouse).equal
    refresh(project, "fact_order", shop.warehouse)
    assert verify(project, "fact_order", shop.warehouse).equal

    kinds = shop.table(f"{project.control_schema}.runs", "kind", "result")
    assert Counter(kinds) == {
        ("run", "success"): 4,
        ("run", "dry run"): 1,
        ("run", "failed"): 1,
        ("refresh", "success"): 1,
        ("verification", "success"): len(project.facts) + 1,
        ("verification", "failed"): 1,
    }
    assert holder(project, shop.warehouse) is None


def test_schemas_are_this_runs_own(shop: Site) -> None:
    """Nothing that the run makes or drops has a name that others use."""
    assert PREFIX.startswith("accept_")
    assert all(table.relation.startswith(PREFIX) for table in shop.project.sources.values())
    assert all(table.relation.startswith(PREFIX) for table in shop.project.facts.values())
    assert shop.project.control_schema == f"{PREFIX}cdc"

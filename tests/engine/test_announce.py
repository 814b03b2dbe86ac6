from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.announce import EXAMPLES
from surgical_cdc.cycle import run_cycle
from surgical_cdc.values import Example
from tests.conftest import at
from tests.engine.bookshop import ORDER, PRODUCT, open_shop
from tests.engine.differences import announced, differences, facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from surgical_cdc.cycle import CycleResult
    from surgical_cdc.values import FactResult
    from tests.conftest import Site


@pytest.fixture
def open_site(shop: Site) -> Site:
    """The bookshop after its first cycle, at noon."""
    open_shop(shop)
    run(shop, 0)
    return shop


def run(site: Site, end: float, **values: Any) -> CycleResult:
    """Run a cycle whose window ends some minutes after noon."""
    return run_cycle(site.project, site.connect, site.run(at(end), **{"run_id": f"until {end}"} | values))


def dry_run(site: Site, end: float, **values: Any) -> Mapping[str, FactResult]:
    """Return what a dry run says of each fact."""
    return run(site, end, run_id="dry", dry_run=True, **values).fact_results


def examples(site: Site, fact: str, end: float, **values: Any) -> tuple[Example, ...]:
    """Return the examples that a dry run shows of a fact."""
    announcement = dry_run(site, end, **values)[fact].announcement
    return announcement.examples if announcement else ()


def test_announced_cells_are_the_cells_that_then_differ(open_site: Site) -> None:
    """A dry run names for each fact the columns that will differ, and in how many rows."""
    open_site.stage("customers", {"customer_id": 7, "name": "Asha R", "country": "FR", "changed_at": at(10)})
    open_site.stage("orders", {**ORDER, "order_id": 3, "customer_id": 7, "status": "paid", "changed_at": at(10)})
    open_site.stage("products", {**PRODUCT, "price": Decimal("31.00"), "changed_at": at(10)})
    before = facts(open_site)
    said = announced(dry_run(open_site, 30))
    assert facts(open_site) == before
    run(open_site, 30)
    found = differences(open_site, before, facts(open_site))
    assert all(difference.cells for difference in found.values())
    assert said == found


def test_examples_show_old_and_new_values(open_site: Site) -> None:
    """A changed cell is shown with both values, a row that comes or goes by its key."""
    open_site.stage("customers", {"customer_id": 7, "name": "Asha R", "country": "IN", "changed_at": at(10)})
    open_site.stage("orders", {**ORDER, "order_id": 9, "customer_id": 8, "status": "paid", "changed_at": at(10)})
    shown = examples(open_site, "fact_order", 30)
    assert Example("updated", "2", "customer_name", "Asha", "Asha R") in shown
    assert Example("inserted", "9") in shown


def test_examples_are_few(open_site: Site) -> None:
    """However many cells change, a person is shown twenty."""
    orders = [{**ORDER, "order_id": key, "status": "paid", "changed_at": at(5)} for key in range(100, 140)]
    open_site.stage("orders", *orders)
    assert len(examples(open_site, "fact_order", 30)) == EXAMPLES


def test_values_do_not_travel(open_site: Site) -> None:
    """What a task hands on has the counts of a dry run, and no value of any row."""
    open_site.stage("customers", {"customer_id": 7, "name": "Asha R", "country": "IN", "changed_at": at(10)})
    assert dry_run(open_site, 30)["fact_order"].to_dict()["announcement"] == {"updated_cells": {"customer_name": 2}}


def test_chosen_keys_alone_are_announced(open_site: Site) -> None:
    """Asked for some keys of a source, a dry run leaves out what else is staged."""
    for key, name in ((7, "Asha R"), (8, "Bela S")):
        open_site.stage("customers", {"customer_id": key, "name": name, "country": "IN", "changed_at": at(10)})
    shown = examples(open_site, "fact_order", 30, sources=("customers",), keys=("8",))
    assert {example.row_key for example in shown} == {"1", "3"}

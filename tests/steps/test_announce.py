from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.steps.announce import EXAMPLES
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.values import Example
from tests.conftest import at
from tests.support.bookshop import ORDER, PRODUCT, run
from tests.support.differences import differences, facts, said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from surgical_cdc.values import FactResult
    from tests.conftest import Site


def dry_run(site: Site, end: float, **values: Any) -> Mapping[str, FactResult]:
    """Return what a dry run says of each fact."""
    return run(site, end, run_id="dry", dry_run=True, **values).fact_results


def examples(site: Site, fact: str, end: float, **values: Any) -> tuple[Example, ...]:
    """Return the examples that a dry run shows of a fact."""
    return dry_run(site, end, **values)[fact].examples


def test_announced_cells_are_the_cells_that_then_differ(open_site: Site) -> None:
    """A dry run names for each fact the columns that will differ, and in how many rows."""
    open_site.stage("customers", {"customer_id": 7, "name": "Asha R", "country": "FR", "changed_at": at(10)})
    open_site.stage("orders", {**ORDER, "order_id": 3, "customer_id": 7, "status": "paid", "changed_at": at(10)})
    open_site.stage("products", {**PRODUCT, "price": Decimal("31.00"), "changed_at": at(10)})
    before = facts(open_site)
    announced = said(dry_run(open_site, 30))
    assert facts(open_site) == before
    done = said(run(open_site, 30).fact_results)
    found = differences(open_site, before, facts(open_site))
    assert all(difference.cells for difference in found.values())
    assert announced == done == found


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
    handed_on = dry_run(open_site, 30)["fact_order"].to_dict()
    assert handed_on["cells"] == {"customer_name": 2}
    assert "examples" not in handed_on


def test_chosen_keys_alone_are_announced(open_site: Site) -> None:
    """Asked for some keys of a source, a dry run leaves out what else is staged."""
    for key, name in ((7, "Asha R"), (8, "Bela S")):
        open_site.stage("customers", {"customer_id": key, "name": name, "country": "IN", "changed_at": at(10)})
    shown = examples(open_site, "fact_order", 30, sources=("customers",), keys=("8",))
    assert {example.row_key for example in shown} == {"1", "3"}


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        pytest.param("customers", {"name": "Asha R"}, id="computed into a column"),
        pytest.param("orders", {"status": "open"}, id="decides on rows"),
        pytest.param("orders", {"customer_id": 7}, id="joins"),
        pytest.param("orders", {"note": "again"}, id="feeds nothing"),
    ],
)
def test_change_of_one_column_is_announced_alone(open_site: Site, source: str, changes: Mapping[str, Any]) -> None:
    """Asked for a column, a dry run counts what its change does where all else is as it was."""
    customer = {"customer_id": 7, "name": "Asha", "country": "IN", "closed": False, "joined_at": at(-90)}
    row = {"customers": customer, "orders": {**ORDER, "customer_id": 8, "status": "paid"}}[source]
    others = {
        "customers": {"name": "?", "country": "FR"},
        "orders": {"total": Decimal(99), "gift": True, "weight": 2.0},
    }
    (column,) = changes
    (key,) = open_site.project.source(source).key
    new = {key: 50}
    staged = {**row, **others[source], **changes, "changed_at": at(10)}
    open_site.stage(source, staged, {**staged, **new}, {**row, "changed_at": at(5)})
    before = facts(open_site)
    asked = open_site.run(at(30), run_id="dry", dry_run=True, sources=(source,))
    announced = said(run_cycle(open_site.project, open_site.connect, asked, column=column).fact_results)
    assert facts(open_site) == before
    open_site.stage(source, {**row, **changes, "changed_at": at(20)})
    run(open_site, 30, window_start=at(15))
    assert announced == differences(open_site, before, facts(open_site))


def test_key_stands_for_the_rows_that_come_and_go(open_site: Site) -> None:
    """Asked for a source's key, a dry run counts new and deleted rows, and no changed one."""
    paid = {**ORDER, "status": "paid", "changed_at": at(10)}
    void = {**ORDER, "status": "void", "changed_at": at(10)}
    open_site.stage("orders", {**paid, "total": Decimal(99)}, {**paid, "order_id": 9}, {**void, "order_id": 2})
    asked = open_site.run(at(30), run_id="dry", dry_run=True, sources=("orders",))
    done = run_cycle(open_site.project, open_site.connect, asked, column="order_id").fact_results["fact_order"]
    assert (done.inserted, done.updated, done.deleted) == (1, 0, 1)

"""A run is taken back by another: baselines and facts are as before it, and stay so until something newer is staged."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.contract.tables import Retention
from surgical_cdc.control.history import story
from surgical_cdc.errors import ProjectError, RequestError
from surgical_cdc.steps.cycle import CycleResult, run_cycle
from tests.conftest import at
from tests.support.bookshop import ORDER, PRODUCT, equal, open_shop, run
from tests.support.differences import written

if TYPE_CHECKING:
    from tests.conftest import Site

ASHA = {"customer_id": 7, "name": "Asha", "country": "IN", "closed": False, "joined_at": at(-90)}


def everything(site: Site) -> dict[str, list[tuple[Any, ...]]]:
    """Return all baselines and facts, row by row."""
    tables = [*site.project.sources.values(), *site.project.facts.values()]
    return {table.relation: written(site.table(table.relation, *table.column_names)) for table in tables}


def undo(site: Site, run_id: str, end: float = 60, **values: Any) -> CycleResult:
    """Take a run back."""
    asked = site.run(at(end), run_id=f"undo {run_id} at {end}", undoes=f"test/{run_id}", **values)
    return run_cycle(site.project, site.connect, asked)


def stage_changes(site: Site) -> None:
    """Stage an update, an insert, a deletion and a row that is merely touched."""
    site.stage("customers", {**ASHA, "name": "Asha R", "changed_at": at(10)})
    order = {**ORDER, "status": "paid", "changed_at": at(10)}
    site.stage("orders", {**order, "order_id": 9, "customer_id": 8}, {**order, "order_id": 2, "status": "void"})


def test_what_a_run_did_is_taken_back_and_stays_so(open_site: Site) -> None:
    """Updated, inserted and deleted rows are as they were; what had brought them is not applied again."""
    before = everything(open_site)
    stage_changes(open_site)
    done = run(open_site, 30)
    assert {name: found.changes for name, found in done.change_sets.items() if found.changes} == {
        "customers": 1,
        "orders": 2,
    }
    after = everything(open_site)
    undone = undo(open_site, "until 30")
    assert everything(open_site) == before
    assert equal(open_site)
    found = undone.change_sets["orders"]
    assert (found.inserts, found.updates, found.deletes) == (1, 0, 1)
    again = run(open_site, 90)
    assert [change_set.rewrites for change_set in again.change_sets.values()] == [0] * len(open_site.project.sources)
    assert everything(open_site) == before
    # An undo is a run as any other: it can be taken back as well.
    undo(open_site, "undo until 30 at 60", 120)
    assert everything(open_site) == after
    assert equal(open_site)


def test_a_newer_version_ends_what_is_void(open_site: Site) -> None:
    """A version that is staged later is applied as ever, and later ones and deletions after it."""
    stage_changes(open_site)
    run(open_site, 30)
    undo(open_site, "until 30", 40)
    order = {**ORDER, "status": "paid", "customer_id": 8}
    open_site.stage("customers", {**ASHA, "name": "Asha T", "changed_at": at(41)})
    open_site.stage(
        "orders",
        {**order, "order_id": 9, "total": Decimal(5), "changed_at": at(41)},
        {**order, "order_id": 2, "status": "void", "changed_at": at(42)},
    )
    found = run(open_site, 60).change_sets["orders"]
    assert (found.inserts, found.updates, found.deletes, found.stale) == (1, 0, 1, 0)
    assert open_site.rows("SELECT name FROM shop_raw.customers WHERE customer_id = 7") == [("Asha T",)]
    assert equal(open_site)
    assert open_site.rows("SELECT COUNT(*) FROM cdc.tombstones WHERE is_void") == [(0,)]


def test_a_late_version_is_void_too(open_site: Site) -> None:
    """What is older than an undone version does not come in its place; nor does a row without a cursor change that."""
    stage_changes(open_site)
    run(open_site, 30)
    undo(open_site, "until 30", 40)
    before = everything(open_site)
    open_site.stage("customers", {**ASHA, "name": "Asha Q", "changed_at": at(9)}, {**ASHA, "changed_at": None})
    found = run(open_site, 60).change_sets["customers"]
    assert (found.changes, found.quarantined) == (0, 1)
    assert everything(open_site) == before


def test_rows_that_have_changed_since_are_named(open_site: Site) -> None:
    """They keep the undo from beginning, unless it may be in part: then the others are taken back."""
    stage_changes(open_site)
    run(open_site, 30)
    open_site.stage("orders", {**ORDER, "order_id": 9, "customer_id": 8, "status": "paid", "changed_at": at(31)})
    run(open_site, 40)
    before = everything(open_site)
    with pytest.raises(RequestError, match=r"orders: 1 of the 2 rows that run test/until 30 has changed .*: '?9"):
        undo(open_site, "until 30", 50)
    assert everything(open_site) == before
    done = undo(open_site, "until 30", 60, partial=True)
    assert done.change_sets["orders"].stale == 1
    assert open_site.rows("SELECT name FROM shop_raw.customers WHERE customer_id = 7") == [("Asha",)]
    assert open_site.table("shop_raw.orders", "order_id")[-1] == (9,)
    assert equal(open_site)


def test_a_row_that_came_back_and_went_again_has_changed_since(open_site: Site) -> None:
    """Though it is absent, as the run had left it, what it was then is not what it was before."""
    gone = {**ORDER, "order_id": 2, "status": "void"}
    open_site.stage("orders", {**gone, "changed_at": at(10)})
    run(open_site, 30)
    open_site.stage("orders", {**gone, "status": "paid", "total": Decimal(77), "changed_at": at(31)})
    run(open_site, 40)
    open_site.stage("orders", {**gone, "changed_at": at(41)})
    run(open_site, 50)
    with pytest.raises(RequestError, match="no longer as it has left them"):
        undo(open_site, "until 30", 60)
    undo(open_site, "until 50", 70)
    assert open_site.rows("SELECT total FROM shop_raw.orders WHERE order_id = 2") == [(Decimal("77.00"),)]
    assert equal(open_site)


def test_a_dry_undo_says_what_it_would_do(open_site: Site) -> None:
    """It counts rows and cells, and writes nothing."""
    stage_changes(open_site)
    run(open_site, 30)
    before = everything(open_site)
    said = undo(open_site, "until 30", 40, dry_run=True).fact_results["fact_order"]
    assert everything(open_site) == before
    done = undo(open_site, "until 30", 50).fact_results["fact_order"]
    assert (said.inserted, said.updated, said.deleted, said.cells) == (
        done.inserted,
        done.updated,
        done.deleted,
        done.cells,
    )
    assert done.deleted


def test_a_snapshot_is_not_undone(open_site: Site) -> None:
    """What is staged there would bring the change again at once; the rest of the run can be taken back."""
    stage_changes(open_site)
    open_site.stage("products", {**PRODUCT, "title": "Great Atlas", "changed_at": at(10)})
    run(open_site, 30)
    with pytest.raises(RequestError, match=r"products \(what is staged there is its whole table: stage .*\)"):
        undo(open_site, "until 30", 40)
    undo(open_site, "until 30", 50, partial=True)
    assert open_site.rows("SELECT name FROM shop_raw.customers WHERE customer_id = 7") == [("Asha",)]
    assert ("Great Atlas",) in open_site.table("shop_raw.products", "title")
    assert equal(open_site)


def test_a_run_without_history_is_not_undone(open_site: Site) -> None:
    """One that nobody knows, and one that has changed more rows than a history keeps."""
    with pytest.raises(RequestError, match="There is nothing of run 'test/until 99' to undo"):
        undo(open_site, "until 99")
    stage_changes(open_site)
    few = replace(open_site.project, retention=Retention(history_rows=1))
    done = run_cycle(few, open_site.connect, open_site.run(at(30), run_id="large"))
    assert done.summary
    assert {name: found.history_rows for name, found in done.summary.sources.items()}["orders"] == 0
    with pytest.raises(RequestError, match=r"orders \(the run has changed more rows of it than history_rows\)"):
        undo(open_site, "large", 40)


def test_what_is_not_in_the_history_may_have_changed_since(open_site: Site) -> None:
    """Behind a gap nobody knows which rows a later run has changed."""
    stage_changes(open_site)
    run(open_site, 30)
    few = replace(open_site.project, retention=Retention(history_rows=1))
    rows = [{**ORDER, "order_id": key, "status": "paid", "changed_at": at(31)} for key in (20, 21)]
    open_site.stage("orders", *rows)
    run_cycle(few, open_site.connect, open_site.run(at(40), run_id="large"))
    with pytest.raises(RequestError, match="2 of the 2 rows"):
        undo(open_site, "until 30", 50)


def test_history_has_the_old_image_of_each_row(open_site: Site) -> None:
    """With the run, what it did, and the columns that it changed; of an inserted row there is the key alone."""
    stage_changes(open_site)
    run(open_site, 30)
    lines = "SELECT name, scdc_change, scdc_columns FROM cdc.history__customers WHERE scdc_run = 'test/until 30'"
    assert open_site.rows(lines) == [("Asha", "U", "name,changed_at")]
    lines = "SELECT order_id, status, scdc_change FROM cdc.history__orders WHERE scdc_run = 'test/until 30' ORDER BY 1"
    assert open_site.rows(lines) == [(2, "paid", "D"), (9, None, "I")]


def test_the_story_of_a_row_has_each_change_with_both_values(open_site: Site) -> None:
    """By run, from the first that is kept; an undo is a part of it."""
    stage_changes(open_site)
    run(open_site, 30)
    undo(open_site, "until 30", 40)
    told = story(open_site.project, "customers", ["7"], open_site.warehouse)
    assert [(event.run, event.change, event.column, event.old, event.new) for event in told] == [
        ("test/until 0", "inserted", "", None, None),
        ("test/until 30", "updated", "name", "Asha", "Asha R"),
        ("test/until 30", "updated", "changed_at", told[2].old, at(10)),
        ("test/undo until 30 at 40", "updated", "name", "Asha R", "Asha"),
        ("test/undo until 30 at 40", "updated", "changed_at", at(10), told[2].old),
    ]
    gone = story(open_site.project, "orders", ["2"], open_site.warehouse)
    assert [(event.change, event.run) for event in gone] == [
        ("inserted", "test/until 0"),
        ("deleted", "test/until 30"),
        ("inserted", "test/undo until 30 at 40"),
    ]
    assert story(open_site.project, "orders", ["no key"], open_site.warehouse) == []


def test_a_story_that_can_not_be_told_says_why(open_site: Site) -> None:
    """A table that there is not, and a key of another length."""
    for name, key, message in (
        ("customer", ["7"], "There is no source or fact 'customer' (customers?)."),
        ("customers", ["7", "8"], "The key of customers is customer_id: expected 1 values, found 2."),
    ):
        with pytest.raises(ProjectError, match=re.escape(message)):
            story(open_site.project, name, key, open_site.warehouse)


def test_a_fact_has_a_history_where_it_is_asked_for(shop: Site) -> None:
    """Old images of the rows that an update changes or deletes, and the keys of those that it inserts."""
    open_shop(shop)
    run(shop, 0)
    stage_changes(shop)
    run(shop, 30)
    for key, change in (("2", "deleted"), ("9", "inserted")):
        event = story(shop.project, "fact_order", [key], shop.warehouse)[-1]
        assert (event.run, event.change) == ("test/until 30", change)
    shop.stage("customers", {**ASHA, "customer_id": 8, "name": "Bela T", "changed_at": at(31)})
    done = run(shop, 60).fact_results["fact_order"]
    assert done.cells["customer_name"] > 1
    kept = shop.rows("SELECT COUNT(*) FROM cdc.history__fact_order WHERE scdc_run = 'test/until 60'")
    assert kept == [(done.inserted + done.updated + done.deleted,)]
    event = story(shop.project, "fact_order", ["9"], shop.warehouse)[-1]
    assert (event.column, event.new) == ("customer_name", "Bela T")

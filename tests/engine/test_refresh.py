from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from surgical_cdc.cycle import run_cycle
from surgical_cdc.errors import DataError, LeaseError
from surgical_cdc.lease import hold
from surgical_cdc.prepare import prepare
from surgical_cdc.refresh import refresh
from surgical_cdc.update import update
from surgical_cdc.verify import Verification, verify
from tests.conftest import at
from tests.engine.bookshop import EDITED, Prepared, open_shop, run

if TYPE_CHECKING:
    from tests.conftest import Site

ORDERS = "shop_public.fact_order"


@pytest.fixture
def open_site(shop: Site) -> Site:
    """The bookshop after its first cycle, at noon."""
    open_shop(shop)
    run_cycle(shop.project, shop.connect, shop.run(run_id="first"))
    return shop


def verified(site: Site) -> Verification:
    """Verify the orders' fact."""
    return verify(site.project, "fact_order", site.warehouse)


def test_equal_fact_is_verified(open_site: Site) -> None:
    """A fact that is what its SELECT gives is equal, row for row."""
    assert verified(open_site) == Verification("fact_order", rows=4, expected_rows=4, missing=0, unexpected=0)
    assert verified(open_site).equal


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        pytest.param("UPDATE {} SET total = 0 WHERE order_id = 1", (4, 4, 1, 1), id="another value"),
        pytest.param("UPDATE {} SET gift = NULL WHERE order_id = 1", (4, 4, 1, 1), id="NULL"),
        pytest.param("UPDATE {} SET customer_name = 'Bela ' WHERE order_id = 1", (4, 4, 1, 1), id="trailing blank"),
        pytest.param("DELETE FROM {} WHERE order_id = 1", (3, 4, 1, 0), id="missing row"),
        pytest.param("INSERT INTO {} (order_id) VALUES (99)", (5, 4, 0, 1), id="row too many"),
        pytest.param("INSERT INTO {0} SELECT * FROM {0} WHERE order_id = 1", (5, 4, 0, 0), id="duplicate row"),
    ],
)
def test_difference_is_found(open_site: Site, damage: str, expected: tuple[int, ...]) -> None:
    """Whatever is wrong in a fact is counted, be it a blank or a row that is there twice."""
    open_site.execute(damage.format(ORDERS))
    found = verified(open_site)
    assert (found.rows, found.expected_rows, found.missing, found.unexpected) == expected
    assert not found.equal


def test_a_fact_ahead_of_its_baselines_is_told_from_a_wrong_one(open_site: Site) -> None:
    """After a run that failed before its sync, the advice is to let the next one end, not to refresh."""
    open_site.stage("orders", EDITED)
    failed = Prepared(open_site, open_site.run(at(0), run_id="failed"))
    with closing(open_site.connect()) as warehouse:
        update(open_site.project, "fact_order", warehouse, failed.run, failed.preparation, failed.change_sets)
    failed.cleanup(failure="broken")
    assert verified(open_site).pending == 1
    assert "A run has updated 1 of its keys and failed before its sync" in verified(open_site).verdict(
        open_site.project
    )
    run(open_site, 30)
    assert verified(open_site).equal


def test_verification_waits_for_the_run(open_site: Site) -> None:
    """In the middle of a run a fact may be ahead of the baseline, so nothing is verified then."""
    prepare(open_site.project, open_site.warehouse, open_site.run(run_id="second"))
    with pytest.raises(LeaseError, match="Can not verify fact_order now: run test/second holds"):
        verified(open_site)


def test_fact_without_a_table_can_not_be_verified(shop: Site) -> None:
    """The message says how the table comes to be."""
    with pytest.raises(DataError, match=r"fact_order does not exist yet.*refresh fact_order"):
        verified(shop)


def test_refresh_replaces_all_rows(open_site: Site) -> None:
    """A damaged fact is what its SELECT gives again."""
    open_site.execute("DELETE FROM shop_public.fact_order WHERE order_id > 1")
    open_site.execute("UPDATE shop_public.fact_order SET total = 0")
    done = refresh(open_site.project, "fact_order", open_site.warehouse)
    assert (done.deleted, done.inserted) == (1, 4)
    assert verified(open_site).equal


def test_refresh_makes_a_table_with_other_columns_anew(open_site: Site) -> None:
    """After the model has gained or lost columns the table follows."""
    open_site.execute(f"ALTER TABLE {ORDERS} DROP COLUMN total")
    open_site.execute(f"ALTER TABLE {ORDERS} ADD COLUMN colour VARCHAR(8)")
    refresh(open_site.project, "fact_order", open_site.warehouse)
    assert verified(open_site).equal


def test_refresh_creates_a_missing_table(shop: Site) -> None:
    """A fact can be built before any run."""
    assert refresh(shop.project, "fact_order", shop.warehouse).inserted == 0
    assert verified(shop).equal


def test_refresh_refuses_wrong_row_keys_and_keeps_the_fact(open_site: Site) -> None:
    """If the SELECT gives a row key twice the fact stays as it was."""
    before = open_site.table(ORDERS, "order_id", "total")
    open_site.execute("INSERT INTO shop_raw.orders SELECT * FROM shop_raw.orders WHERE order_id = 1")
    with pytest.raises(DataError, match=r"row key order_id would be NULL or not unique: 1 \(2 rows\)"):
        refresh(open_site.project, "fact_order", open_site.warehouse)
    assert open_site.table(ORDERS, "order_id", "total") == before


def test_refresh_forgets_keys_that_wait_for_a_sync(open_site: Site) -> None:
    """A refreshed fact is level with the baseline: nothing of it is pending."""
    open_site.execute("INSERT INTO cdc.pending__fact_order (run_key, anchor) VALUES ('test/lost', 1)")
    refresh(open_site.project, "fact_order", open_site.warehouse)
    assert open_site.table("cdc.pending__fact_order", "anchor") == []


def test_refresh_waits_for_the_run(open_site: Site) -> None:
    """A refresh in the middle of a run would undo what the run's sync then takes for done."""
    prepare(open_site.project, open_site.warehouse, open_site.run(run_id="second"))
    with pytest.raises(LeaseError, match="Can not refresh fact_order now: run test/second holds"):
        refresh(open_site.project, "fact_order", open_site.warehouse)


def test_failed_run_can_not_go_on_after_a_refresh(shop: Site) -> None:
    """The change sets of a run that failed before the refresh are void: the fact no longer shows them."""
    refresh(shop.project, "fact_order", shop.warehouse)
    with pytest.raises(LeaseError, match=r"which refresh of fact_order at .* has replaced"):
        hold(shop.project, shop.warehouse, shop.run(at(0)), {None})

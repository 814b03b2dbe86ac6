"""A run that changes far more rows of a source than runs usually do is seen, and stopped if the project says so."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from surgical_cdc.contract.project import load_project
from surgical_cdc.contract.tables import Volume
from surgical_cdc.errors import DataError
from surgical_cdc.steps.summary import told
from tests.conftest import SHOP, at
from tests.support.bookshop import ORDER, equal, first_cycle, run

if TYPE_CHECKING:
    from surgical_cdc.steps.cycle import CycleResult
    from tests.conftest import Filled, Site

WATCHED = Volume(factor=3, min_rows=4)
USUAL = (2, 2, 1, 3, 2)


@pytest.fixture
def watched(filled: Filled) -> Site:
    """The bookshop after six runs that have changed four orders, and then about two."""
    place = filled(load_project(SHOP), change_some)
    return replace(place, project=replace(place.project, volume=WATCHED))


def change_some(site: Site) -> None:
    """Run a first cycle, and one over each usual number of changed orders."""
    first_cycle(site)
    for number, orders in enumerate(USUAL, 1):
        stage(site, orders, number)
        run(site, number)


def stage(site: Site, orders: int, minute: int) -> None:
    """Stage some orders with another total than before."""
    rows = ({**ORDER, "order_id": 100 + number, "customer_id": 7, "status": "paid"} for number in range(orders))
    site.stage("orders", *({**row, "total": Decimal(minute), "changed_at": at(minute - 0.5)} for row in rows))


def usual(done: CycleResult) -> dict[str, int]:
    """Return what is usual of the sources that are far from it."""
    return {name: found.usual for name, found in done.change_sets.items() if found.usual}


def test_a_large_load_is_told_of_and_goes_on(watched: Site) -> None:
    """Beside the median of the runs before, in the log and in the summary; by itself it does not become usual."""
    stage(watched, 7, 10)
    done = run(watched, 10)
    assert usual(done) == {"orders": 2}
    assert done.summary
    assert "Far more than usual:\n  orders: 7 rows, usually 2" in told(done.summary)
    assert equal(watched)
    stage(watched, 8, 11)
    assert usual(run(watched, 11)) == {"orders": 2}


@pytest.mark.parametrize(
    ("volume", "orders"),
    [
        pytest.param(Volume(), 50, id="nobody watches"),
        pytest.param(WATCHED, 6, id="just three times as many"),
        pytest.param(Volume(factor=3, min_rows=8), 7, id="few rows"),
        pytest.param(Volume(factor=60, min_rows=4), 50, id="another factor"),
    ],
)
def test_what_is_not_far_more_is_not_told_of(watched: Site, volume: Volume, orders: int) -> None:
    """By the factor of the project, and from its number of rows on."""
    stage(watched, orders, 10)
    assert usual(run(replace(watched, project=replace(watched.project, volume=volume)), 10)) == {}


def test_of_a_few_runs_nobody_can_say_what_is_usual(open_site: Site) -> None:
    """The first loads are large."""
    stage(open_site, 50, 10)
    assert usual(run(replace(open_site, project=replace(open_site.project, volume=WATCHED)), 10)) == {}


def test_a_run_stops_before_it_writes_and_is_let_through(watched: Site) -> None:
    """The source is kept back with what reads it; a dry run looks at it, and a run that is asked to goes on."""
    stopping = replace(watched, project=replace(watched.project, volume=WATCHED.model_copy(update={"stop": True})))
    stage(stopping, 7, 10)
    before = stopping.table("shop_public.fact_order", "order_id", "total")
    with pytest.raises(DataError, match=r"7 rows change, more than 3 times the 2 .* run --ignore-volume --project"):
        run(stopping, 10)
    assert stopping.table("shop_public.fact_order", "order_id", "total") == before
    assert usual(run(stopping, 10, run_id="dry", dry_run=True)) == {"orders": 2}
    done = run(stopping, 10, run_id="through", ignore_volume=True)
    assert usual(done) == {"orders": 2}
    assert equal(stopping)
    assert stopping.table("shop_public.fact_order", "order_id", "total") != before

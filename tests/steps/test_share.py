"""Whoever writes to a fact by hand is found by the runs, within the days that the project gives them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.compiler.slices import share_of_keys
from surgical_cdc.contract.tables import Verification
from surgical_cdc.control import lease
from surgical_cdc.errors import DataError
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.share import EPOCH, TURNS, Share, ranges_of, verify_share
from surgical_cdc.steps.update import count_affected_keys
from tests.conftest import at
from tests.support.bookshop import ORDER, equal

if TYPE_CHECKING:
    from datetime import datetime

    from tests.conftest import Site

WEEK = timedelta(days=7)


@pytest.fixture
def open_site(open_site: Site) -> Site:
    """The bookshop after its first cycle, at noon, with all keys still to be verified."""
    assert open_site.rows("SELECT COUNT(verified_to) FROM cdc.definitions") == [(2,)]
    wait(open_site, days=8)
    return open_site


def wait(site: Site, *, days: float, fact: str = "%") -> None:
    """Let facts have been verified some days ago for the last time."""
    hours = round(days * 24)
    site.execute(
        f"UPDATE cdc.definitions SET verified_to = DATEADD(hour, -{hours}, GETDATE()) WHERE fact_name LIKE '{fact}'"  # noqa: S608
    )


def shares(site: Site) -> dict[str, Share]:
    """Verify until no fact has its turn any more."""
    found: dict[str, Share] = {}
    while share := verify_share(site.project, site.warehouse):
        assert share.fact not in found
        found[share.fact] = share
    return found


def test_ranges_cover_all_keys_once_in_the_period() -> None:
    """What time passes over is a part of the circle of keys, all of it in a period, and over its end the beginning."""
    begin = EPOCH + 5 * WEEK
    assert ranges_of(begin, begin + WEEK / 4, WEEK) == [(0.0, 0.25)]
    assert ranges_of(begin + WEEK * 0.75, begin + WEEK * 1.5, WEEK) == [(0.75, 1.0), (0.0, 0.5)]
    assert ranges_of(begin, begin + WEEK, WEEK) == ranges_of(begin, begin + 3 * WEEK, WEEK) == [(0.0, 1.0)]


def test_all_keys_have_their_turn_in_the_period(open_site: Site) -> None:
    """By shares that follow each other no key is left out, and none looked at twice."""
    (whole,) = (share.keys for name, share in shares(open_site).items() if name == "fact_order")
    looked_at = 0
    for day in range(7):
        first, last = day / 7, (day + 1) / 7
        since, now = EPOCH + first * WEEK, EPOCH + last * WEEK
        looked_at += keys_between(open_site, since, now)
    assert looked_at == whole == 4


def keys_between(site: Site, since: datetime, until: datetime) -> int:
    """Return how many keys of fact_order have their turn between two times."""
    tree = compile_fact(site.project, "fact_order").tree
    assert tree
    with site.warehouse.transaction(dry_run=True):
        site.warehouse.execute(share_of_keys(tree, ranges_of(since, until, WEEK)))
        return count_affected_keys(site.warehouse)[0]


def test_a_fact_has_its_turn_only_after_a_while(open_site: Site) -> None:
    """Choosing keys costs a look at all of them, so that most runs choose none."""
    assert shares(open_site).keys() == {"fact_line", "fact_order"}
    before = len(open_site.warehouse.statements)
    assert shares(open_site) == {}
    assert len(open_site.warehouse.statements) - before == 2
    wait(open_site, days=7 / TURNS + 0.1, fact="fact_line")
    assert shares(open_site).keys() <= {"fact_line"}
    assert shares(open_site) == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(
            "UPDATE shop_public.fact_order SET customer_name = 'x' WHERE order_id = 2", "2 (customer_name)", id="cell"
        ),
        pytest.param(
            "UPDATE shop_public.fact_order SET customer_name = NULL WHERE order_id = 2", "(customer_name 1)", id="NULL"
        ),
        pytest.param(
            "DELETE FROM shop_public.fact_order WHERE order_id = 3", "1 rows are missing", id="row that is gone"
        ),
        pytest.param(
            "INSERT INTO shop_public.fact_order SELECT * FROM shop_public.fact_order WHERE order_id = 1;"
            "UPDATE shop_public.fact_order SET order_id = 99 WHERE order_id = 1 AND customer_name <> ''",
            "unexpected",
            id="key that is too much",
        ),
    ],
)
@pytest.mark.parametrize("repair", [pytest.param(False, id="tell"), pytest.param(True, id="mend")])
def test_a_fact_that_was_changed_by_hand_is_found(open_site: Site, change: str, said: str, *, repair: bool) -> None:
    """The run that comes upon it is synced and fails; what is wrong is named, and mended if the project says so."""
    for statement in change.split(";"):
        open_site.execute(statement)
    site = replace(open_site, project=replace(open_site.project, verification=Verification(repair=repair)))
    wait(site, days=9, fact="fact_order")
    site.stage("orders", {**ORDER, "order_id": 8, "status": "paid", "changed_at": at(10)})
    with pytest.raises(DataError, match="fact_order: DIFFERS in") as raised:
        run_cycle(site.project, site.connect, site.run(at(30), run_id="finds"))
    assert said in str(raised.value)
    assert site.table("shop_raw.orders", "order_id")[-1] == (8,)
    assert equal(site) == repair
    lines = "SELECT kind, result FROM cdc.runs WHERE kind = 'verification' AND reason LIKE 'fact_order: DIFFERS in%'"
    assert site.rows(lines) == [("verification", "failed")]
    assert lease.holder(site.project, site.warehouse) is None


def test_what_a_failed_run_left_behind_is_no_difference(open_site: Site) -> None:
    """A fact with keys that wait for a sync is ahead of its SELECT, and is left to the next run."""
    open_site.execute("INSERT INTO cdc.pending__fact_order VALUES ('token', 1)")
    open_site.execute("UPDATE shop_public.fact_order SET customer_name = 'x' WHERE order_id = 1")
    assert shares(open_site).keys() == {"fact_line"}


def test_a_project_may_leave_it_to_the_night(open_site: Site) -> None:
    """Without days, no statement is sent."""
    project = replace(open_site.project, verification=Verification(days=None))
    before = len(open_site.warehouse.statements)
    assert verify_share(project, open_site.warehouse) is None
    assert len(open_site.warehouse.statements) == before

"""Facts that are older than the project says are told of, once for each age."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from surgical_cdc.contract.tables import Age, Freshness
from surgical_cdc.steps.freshness import look
from tests.conftest import at
from tests.support.bookshop import ORDER, run

if TYPE_CHECKING:
    from tests.conftest import Site

HOUR, DAY = Age(count=1, period="hour"), Age(count=1, period="day")


@pytest.fixture
def aging(open_site: Site) -> Site:
    """The bookshop after its first cycle, of which facts may be an hour old, and not a day."""
    project = replace(open_site.project, freshness=Freshness(warn_after=HOUR, error_after=DAY))
    return replace(open_site, project=project)


def age(site: Site, hours: float) -> None:
    """Let the runs that the ledger knows have been so long ago."""
    site.execute("UPDATE cdc.run_sources SET window_end = DATEADD(minute, %s, GETDATE())", (int(-60 * hours),))


def told(site: Site) -> dict[str, str]:
    """Return the level of each fact that is told of now."""
    return {one.fact: one.level for one in look(site.project, site.warehouse).stale}


def test_a_fact_that_is_too_old_is_told_of_once_for_each_age(aging: Site) -> None:
    """First as a warning, then as an error; what was told stands in the ledger."""
    age(aging, 0.5)
    assert told(aging) == {}
    age(aging, 2)
    assert told(aging) == {"fact_line": "warn", "fact_order": "warn"}
    assert told(aging) == {}
    aging.execute("UPDATE cdc.run_sources SET window_end = DATEADD(day, -2, GETDATE())")
    assert told(aging) == {"fact_line": "error", "fact_order": "error"}
    lines = aging.rows("SELECT result, COUNT(*) FROM cdc.runs WHERE kind = 'freshness' GROUP BY result")
    assert dict(lines) == {"warn": 2, "error": 2}


def test_a_fact_is_as_old_as_the_oldest_of_what_it_reads(aging: Site) -> None:
    """One source that was left out, or kept back, makes the facts old that read it, and no others."""
    age(aging, 0.5)
    old = "UPDATE cdc.run_sources SET window_end = DATEADD(hour, -2, GETDATE()) WHERE source_name = 'products'"
    aging.execute(old)
    (stale,) = look(aging.project, aging.warehouse).stale
    assert (stale.fact, stale.level) == ("fact_line", "warn")
    assert timedelta(hours=2) <= stale.age < timedelta(hours=2.1)


def test_an_undo_or_a_window_start_makes_nothing_fresh(aging: Site) -> None:
    """They leave open whether something older is staged."""
    age(aging, 2)
    aging.stage("orders", {**ORDER, "order_id": 1, "customer_id": 8, "status": "paid", "changed_at": at(10)})
    run(aging, 30, window_start=at(0))
    aging.execute("UPDATE cdc.run_sources SET window_end = GETDATE() WHERE NOT window_start IS NULL")
    run(aging, 60, run_id="undo", undoes="test/until 30")
    aging.execute("UPDATE cdc.run_sources SET window_end = GETDATE() WHERE run_key = 'test/undo'")
    assert told(aging) == {"fact_line": "warn", "fact_order": "warn"}


def test_without_the_setting_ages_are_known_and_nobody_is_told(aging: Site) -> None:
    """They are sent as metrics."""
    age(aging, 48)
    found = look(replace(aging.project, freshness=Freshness()), aging.warehouse)
    assert found.stale == []
    assert found.fresh_to.keys() == set(aging.project.facts)


def test_what_was_never_brought_up_to_date_has_no_age(aging: Site) -> None:
    """The first run, or its failure, says that."""
    aging.execute("DELETE FROM cdc.run_sources")
    assert told(aging) == {}

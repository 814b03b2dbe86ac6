from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.refresh import refresh
from surgical_cdc.steps.verify import verify
from tests.conftest import at
from tests.random.one_model import one_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from surgical_cdc.contract.project import Project
    from surgical_cdc.values import FactResult
    from tests.conftest import Site

DAY = 24 * 60
AGES = "SELECT c.id, DATEDIFF(DAY, c.joined, CURRENT_DATE) AS days, c.name AS name FROM live.customers AS c"
HOURS = "SELECT c.id, EXTRACT(HOUR FROM GETDATE()) AS days, c.name AS name FROM live.customers AS c"
COLUMNS = "id days:integer name:varchar(20)"


@pytest.fixture
def aged(site: Callable[[Project], Site], tmp_path: Path) -> Callable[[str], Site]:
    """Give a warehouse in which a fact reads the current time, after a first run at noon."""

    def build(sql: str) -> Site:
        place = site(one_model(tmp_path, sql, COLUMNS))
        place.stage("customers", customer(1, "Asha", -60), customer(2, "Bela", -60))
        assert cycle(place, 0).built
        return place

    return build


def customer(key: int, name: str, minute: int) -> dict[str, Any]:
    """Return a staged customer, who joined on the day of the first run."""
    return {"id": key, "name": name, "joined": at(0).date(), "updated_at": at(minute)}


def cycle(place: Site, minute: int) -> FactResult:
    """Run a cycle whose window ends so many minutes after noon."""
    done = run_cycle(place.project, place.connect, place.run(at(minute), run_id=f"until {minute}"))
    assert verify(place.project, "fact", place.warehouse).equal
    return done.fact_results["fact"]


def shown(place: Site) -> list[tuple[Any, ...]]:
    """Return the fact's rows."""
    return place.table("facts.fact", "id", "days", "name")


def test_fact_shows_the_day_of_its_run_and_is_kept_incrementally_within_it(aged: Callable[[str], Site]) -> None:
    """A change on the same day updates its row alone."""
    place = aged(AGES)
    place.stage("customers", customer(2, "Belinda", 10))
    result = cycle(place, 30)
    assert (result.built, result.affected, result.updated) == (False, 1, 1)
    assert shown(place) == [(1, 0, "Asha"), (2, 0, "Belinda")]


def test_fact_is_built_anew_when_the_day_has_moved(aged: Callable[[str], Site]) -> None:
    """No source has changed, and yet each row is another one; a second run of that day does nothing."""
    place = aged(AGES)
    result = cycle(place, DAY)
    assert (result.built, result.inserted) == (True, 2)
    assert shown(place) == [(1, 1, "Asha"), (2, 1, "Bela")]
    assert "no change" in (cycle(place, DAY + 30).reason or "")


def test_change_that_comes_with_another_day_is_in_the_fact(aged: Callable[[str], Site]) -> None:
    """The fact is built for the new day, and then brought to what the run has found."""
    place = aged(AGES)
    place.stage("customers", customer(2, "Belinda", 10), customer(3, "Chitra", 20))
    cycle(place, 2 * DAY)
    assert shown(place) == [(1, 2, "Asha"), (2, 2, "Belinda"), (3, 2, "Chitra")]


def test_run_over_an_older_window_does_not_move_the_day_back(aged: Callable[[str], Site]) -> None:
    """A backfill leaves the fact at the day that a newer run has shown."""
    place = aged(AGES)
    cycle(place, 3 * DAY)
    place.stage("customers", customer(2, "Belinda", 10))
    result = cycle(place, 30)
    assert (result.built, result.updated) == (False, 1)
    assert shown(place) == [(1, 3, "Asha"), (2, 3, "Belinda")]


def test_time_of_day_moves_by_the_hour(aged: Callable[[str], Site]) -> None:
    """What reads more than the date is built anew each hour, and within the hour kept as it is."""
    place = aged(HOURS)
    assert [days for _, days, _ in shown(place)] == [12, 12]
    assert not cycle(place, 59).built
    assert cycle(place, 60).built
    assert [days for _, days, _ in shown(place)] == [13, 13]


def test_refresh_shows_the_day_on_which_it_is_done(aged: Callable[[str], Site]) -> None:
    """Verification compares with that day, until a run on a later one."""
    place = aged(AGES)
    refresh(place.project, "fact", place.warehouse)
    assert verify(place.project, "fact", place.warehouse).equal
    assert {days for _, days, _ in shown(place)} != {0}

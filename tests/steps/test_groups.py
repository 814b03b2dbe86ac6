"""Facts that are maintained by what changed rows contribute to their groups."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.errors import DataError
from surgical_cdc.steps import update
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.refresh import refresh
from surgical_cdc.steps.rehearsal import rehearse_fact
from surgical_cdc.steps.verify import verify
from tests.conftest import at
from tests.random.one_model import FactModel, small_project
from tests.support.logs import collected
from tests.support.upstream import update_and_die
from tests.support.ways import SLICES, WHOLE_TABLES, read_by

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.values import FactResult
    from tests.conftest import Filled, Site

FACT = FactModel(
    "SELECT c.name || COALESCE(CAST(o.kind AS VARCHAR(9)), '') AS id, c.name, o.kind, COUNT(*) AS n, COUNT(o.amount) AS"
    " amounts, SUM(o.amount) AS total, AVG(o.status) AS mean FROM live.orders o JOIN live.customers c"
    " ON c.id = o.customer_id GROUP BY c.name, o.kind",
    "id:varchar(32) name:varchar(20) kind n amounts total:numeric(18,2) mean",
    "unique_key='id', meta={'cdc': {'maintenance': 'incremental', 'anchor': 'name'}}",
)
COLUMNS = ("name", "kind", "n", "amounts", "total", "mean")
# Customer, kind and amount.
ORDERS = {1: (1, 0, 3), 2: (1, 0, 5), 3: (1, 1, 4), 4: (2, 0, 3), 5: (2, 1, 2), 6: (2, 1, 4)}
FIRST_ROWS = [
    ("a", 0, 2, 2, Decimal("8.00"), 1),
    ("a", 1, 1, 1, Decimal("4.00"), 1),
    ("b", 0, 1, 1, Decimal("3.00"), 1),
    ("b", 1, 2, 2, Decimal("6.00"), 1),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Give a project with the fact."""
    return small_project(tmp_path_factory.mktemp("groups"), {"fact": FACT})


@pytest.fixture
def place(filled: Filled, project: Project) -> Site:
    """Give a warehouse with six orders of two customers, and the fact of them."""
    return filled(project, six_orders)


def six_orders(opened: Site) -> None:
    """Load them, and build the fact."""
    opened.load("customers", *map(customer, (1, 2)))
    opened.load("orders", *map(order, ORDERS))
    run_cycle(opened.project, opened.connect, opened.run(at(-60), run_id="first"))
    assert rows(opened) == FIRST_ROWS


def customer(key: int, **values: Any) -> dict[str, Any]:
    """Return a customer."""
    return {"id": key, "name": "ab"[key - 1], "updated_at": at(-90), **values}


def order(key: int, **values: Any) -> dict[str, Any]:
    """Return an order as it was first."""
    customer_id, kind, amount = ORDERS[key]
    row = {"id": key, "customer_id": customer_id, "kind": kind, "amount": Decimal(amount), "status": 1}
    return {**row, "updated_at": at(-90), **values}


def rows(place: Site) -> list[tuple[Any, ...]]:
    """Return the rows of the fact."""
    return place.table("facts.fact", *COLUMNS)


def cycle(place: Site, run_id: str = "second") -> FactResult:
    """Run a cycle, and check the fact and its groups after it."""
    result = run_cycle(place.project, place.connect, place.run(run_id=run_id)).fact_results["fact"]
    assert verify(place.project, "fact", place.warehouse).equal
    return result


def contributed(place: Site) -> list[tuple[Any, ...]]:
    """Return what is kept of groups."""
    return sorted(place.rows("SELECT * FROM cdc.groups__fact"), key=str)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param([order(1, kind=1)], {("a", 0): (1, 1, 5, 1), ("a", 1): (2, 2, 7, 1)}, id="moves"),
        pytest.param([order(3, status=-1)], {("a", 1): None}, id="the last of a group goes"),
        pytest.param([order(3, kind=None)], {("a", 1): None, ("a", None): (1, 1, 4, 1)}, id="a key that is NULL"),
        pytest.param([order(1, amount=None)], {("a", 0): (2, 1, 5, 1)}, id="a value goes"),
        pytest.param([order(3, amount=None, status=None)], {("a", 1): (1, 0, None, None)}, id="the last value goes"),
        pytest.param(
            [order(1, amount=None), order(2, amount=None)], {("a", 0): (2, 0, None, 1)}, id="values go one by one"
        ),
        pytest.param([order(1, status=4)], {("a", 0): (2, 2, 8, 2)}, id="an average, cut off"),
        pytest.param([order(1, status=-4)], {("a", 0): (2, 2, 8, -1)}, id="below zero"),
        pytest.param([order(4, customer_id=9)], {("b", 0): None}, id="a partner that is not there"),
        pytest.param(
            [order(1, kind=1), order(3, kind=0)], {("a", 0): (2, 2, 9, 1), ("a", 1): (1, 1, 3, 1)}, id="an exchange"
        ),
    ],
)
def test_what_changed_rows_contribute_is_added_and_taken_off(
    place: Site,
    monkeypatch: pytest.MonkeyPatch,
    changed: list[dict[str, Any]],
    expected: dict[tuple[Any, ...], tuple[Any, ...] | None],
) -> None:
    """The log says of how many rows."""
    logged = collected(monkeypatch, update)
    place.stage("orders", *({**row, "updated_at": at(-5)} for row in changed))
    cycle(place)
    before = {row[:2]: row[2:] for row in FIRST_ROWS}
    after = {key: values for key, values in (before | expected).items() if values is not None}
    assert {row[:2]: row[2:] for row in rows(place)} == after
    assert f"fact: what the rows of {len(changed)} keys contribute to its groups is taken off and added" in logged


def test_a_change_of_a_joined_row_moves_all_that_it_joins(place: Site) -> None:
    """Its rows leave one group and are in another, beside those that change by themselves."""
    place.stage("customers", customer(2, name="a", updated_at=at(-5)))
    place.stage("orders", order(1, amount=Decimal(1), updated_at=at(-5)), order(4, kind=1, updated_at=at(-5)))
    cycle(place)
    assert rows(place) == [("a", 0, 2, 2, Decimal("6.00"), 1), ("a", 1, 4, 4, Decimal("13.00"), 1)]


def test_nothing_is_added_twice_after_a_run_that_has_not_been_synced(
    place: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fact is ahead of the baseline then: its groups are recomputed from all their rows."""
    place.stage("orders", order(1, amount=Decimal(1), updated_at=at(-9)), order(4, status=-1, updated_at=at(-9)))
    update_and_die(place, place.run(run_id="dead"), ["fact"])
    assert rows(place)[0] == ("a", 0, 2, 2, Decimal("6.00"), 1)
    place.stage("orders", order(1, updated_at=at(-5)), order(3, amount=Decimal(2), updated_at=at(-5)))
    place.stage("orders", order(4, updated_at=at(-5)))
    monkeypatch.setattr(update, "contribute_groups", None)
    cycle(place)
    monkeypatch.undo()
    assert rows(place) == [FIRST_ROWS[0], ("a", 1, 1, 1, Decimal("2.00"), 1), *FIRST_ROWS[2:]]
    place.stage("orders", order(3, updated_at=at(-1)))
    cycle(place, "third")
    assert rows(place) == FIRST_ROWS


def test_an_update_that_is_repeated_adds_nothing(place: Site) -> None:
    """Its keys are pending by then."""
    place.stage("orders", order(1, amount=Decimal(1), updated_at=at(-9)))
    run = place.run(run_id="repeated")
    update_and_die(place, run, ["fact", "fact"])
    assert rows(place)[0] == ("a", 0, 2, 2, Decimal("6.00"), 1)
    cycle(place)
    assert rows(place)[0] == ("a", 0, 2, 2, Decimal("6.00"), 1)


def test_many_changes_are_read_from_whole_tables(place: Site) -> None:
    """The groups are what they would be by contributions, and so are the counts."""
    place.stage("orders", *(order(key, amount=Decimal(1), updated_at=at(-5)) for key in (1, 3)))
    read_by(WHOLE_TABLES)
    result = cycle(place)
    assert (result.whole_tables, result.affected, result.updated) == (True, 1, 2)
    kept = contributed(place)
    read_by(SLICES)
    place.stage("orders", *(order(key, updated_at=at(-4)) for key in (1, 3)))
    place.stage("orders", *(order(key, amount=Decimal(1), updated_at=at(-3)) for key in (1, 3)))
    place.stage("orders", order(4, amount=Decimal(2), updated_at=at(-3)))
    result = cycle(place, "third")
    assert (result.whole_tables, result.affected, result.updated) == (False, 1, 1)
    assert [one for one in contributed(place) if one[0] == "a"] == [one for one in kept if one[0] == "a"]


def test_a_dry_run_leaves_the_groups(place: Site) -> None:
    """It announces what would be written."""
    place.stage("orders", order(1, kind=1, updated_at=at(-5)))
    kept = contributed(place)
    dry = run_cycle(place.project, place.connect, place.run(run_id="dry", dry_run=True)).fact_results["fact"]
    assert (dry.affected, dry.updated) == (1, 2)
    assert contributed(place) == kept
    assert cycle(place).updated == 2


def test_a_fact_whose_groups_are_gone_is_built_anew(place: Site) -> None:
    """So it is after an update of an engine that has kept none."""
    place.execute("DROP TABLE cdc.groups__fact")
    assert cycle(place).built
    assert rows(place) == FIRST_ROWS


def test_groups_that_are_not_those_of_the_baselines_are_seen(place: Site) -> None:
    """By verification, and by an update that would leave fewer rows than none; a refresh mends them."""
    place.execute("UPDATE cdc.groups__fact SET scdc_rows = 0 WHERE scdc_key_2 = 1 AND anchor = 'a'")
    found = verify(place.project, "fact", place.warehouse)
    assert (found.equal, found.missing, found.wrong_groups) == (False, 0, 2)
    assert "2 of its kept groups are not those of the baselines" in found.verdict(place.project)
    place.stage("orders", order(3, kind=0, updated_at=at(-5)))
    with pytest.raises(DataError, match=r"cdc\.groups__fact, which keeps its groups, would have 1 with fewer rows"):
        cycle(place)
    with closing(place.connect()) as warehouse:
        refresh(place.project, "fact", warehouse)
    cycle(place, "third")


def test_its_statements_are_prepared_without_effect(place: Site) -> None:
    """As `check` does, beside the groups that a run may be working on."""
    kept = contributed(place)
    with place.warehouse.transaction(dry_run=True):
        rehearse_fact(place.project, "fact", place.warehouse)
    assert contributed(place) == kept
    assert rows(place) == FIRST_ROWS

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from surgical_cdc.contract.project import Project, load_project
from surgical_cdc.dictionary import load_dictionary
from surgical_cdc.errors import DataError, LeaseError
from surgical_cdc.steps.cleanup import cleanup
from surgical_cdc.steps.cycle import CycleResult, run_cycle
from surgical_cdc.steps.detect import detect
from surgical_cdc.steps.prepare import prepare
from surgical_cdc.steps.relevance import relations
from surgical_cdc.steps.sync import sync
from surgical_cdc.steps.update import update
from surgical_cdc.steps.verify import verify
from surgical_cdc.values import ChangeSet, FactResult, Preparation
from surgical_cdc.warehouse.session import Statement, Warehouse
from tests.conftest import Filled, Site, at
from tests.random.one_model import INCREMENTAL, one_model

VENDOR = load_project()
READ = load_dictionary(VENDOR.dictionary_path).feeds
OLD = {"created_at": at(-600), "updated_at": at(-600)}
NEW = {"created_at": at(-600), "updated_at": at(-5)}


def company(key: int, **values: Any) -> dict[str, Any]:
    """Return a company that can be a vendor, in city 1."""
    return {"id": key, "name": f"Firm {key}", "status": 1, "category": 1, "city_id": 1, **OLD, **values}


def mapping(key: int, vendor: int, **values: Any) -> dict[str, Any]:
    """Return a mapping by which a company is a vendor of the client."""
    ids = {"id": key, "client_company_id": 12855, "dealing_with_company_id": vendor, "invited_by": 5}
    return {**ids, "status": 1, "source": 0, **OLD, **values}


@pytest.fixture
def vendors(filled: Filled) -> Site:
    """Four vendors, the last one in another city, a company that is none, and their facts."""
    return filled(VENDOR, four_vendors)


def four_vendors(place: Site) -> None:
    """Load them, and build their facts."""
    place.load("cities", {"id": 1, "name": "Pune", "status": 1, **OLD}, {"id": 2, "name": "Kochi", "status": 1, **OLD})
    place.load("companies", company(1), company(2), company(3), company(4, city_id=2), company(9))
    place.load("buyer_seller_company_mappings", *(mapping(key + 10, key) for key in (1, 2, 3, 4)))
    run_cycle(VENDOR, place.connect, place.run(at(-60), run_id="first"))


def cycle(place: Site, run_id: str = "second", **values: Any) -> CycleResult:
    """Run a cycle over all that is staged and check that every fact is right after it."""
    result = run_cycle(place.project, place.connect, place.run(run_id=run_id, **values))
    for fact in place.project.facts:
        assert verify(place.project, fact, place.warehouse).equal, fact
    return result


def counts(result: CycleResult, fact: str) -> tuple[int, int, int, int]:
    """Return the affected keys and the rows inserted, updated, deleted."""
    found = result.fact_results[fact]
    return found.affected, found.inserted, found.updated, found.deleted


def test_change_of_a_company_alone_reaches_its_vendor(vendors: Site) -> None:
    """A company's new name reaches fact_vendor though its mapping is not in the window."""
    vendors.stage("companies", company(2, name="New name", **NEW))
    result = cycle(vendors)
    assert counts(result, "fact_vendor") == (1, 0, 1, 0)
    names = vendors.table("staging_public.fact_vendor", "vendor_id", "vendor_name")
    assert names == [(1, "Firm 1"), (2, "New name"), (3, "Firm 3"), (4, "Firm 4")]


def test_new_name_of_a_city_reaches_every_vendor_there(vendors: Site) -> None:
    """A city's new name reaches the vendors in it and no other."""
    vendors.stage("cities", {"id": 1, "name": "Poona", "status": 1, **NEW})
    result = cycle(vendors)
    assert counts(result, "fact_vendor") == (4, 0, 3, 0)
    assert counts(result, "fact_geography") == (1, 0, 1, 0)


def test_vendor_qualifies_and_unqualifies(vendors: Site) -> None:
    """A vendor's row goes when its mapping no longer qualifies, and comes back with it."""
    vendors.stage("buyer_seller_company_mappings", mapping(12, 2, status=0, created_at=at(-600), updated_at=at(-9)))
    assert counts(cycle(vendors), "fact_vendor") == (1, 0, 0, 1)
    vendors.stage("buyer_seller_company_mappings", mapping(12, 2, status=7, created_at=at(-600), updated_at=at(-8)))
    assert counts(cycle(vendors, "third"), "fact_vendor") == (1, 1, 0, 0)


def test_repointed_key_reaches_both_ends(vendors: Site) -> None:
    """A mapping that moves to another company takes the vendor's row from one to the other."""
    vendors.stage("buyer_seller_company_mappings", mapping(13, 9, **NEW))
    assert counts(cycle(vendors), "fact_vendor") == (2, 1, 0, 1)


def test_unread_columns_touch_no_fact(vendors: Site) -> None:
    """A window in which only columns change that no fact reads moves the baseline and updates no fact."""
    unread = [column for column in VENDOR.sources["companies"].columns if not READ["companies"].get(column.name)]
    texts = {column.name: "new" for column in unread if column.is_text}
    assert texts
    vendors.stage("companies", company(1, **texts, **NEW), company(2, **texts, **NEW))
    result = cycle(vendors)
    assert result.change_sets["companies"].updates == 2
    assert {found.reason for found in result.fact_results.values() if "companies" in str(found.reason)}
    assert all(found.reason and not found.affected for found in result.fact_results.values())


def test_only_columns_that_can_differ_are_set(vendors: Site) -> None:
    """The UPDATE of a fact names the columns that the changed source columns feed, and no other."""
    vendors.stage("companies", company(2, rating=4, **NEW))
    run = vendors.run(run_id="second")
    preparation = prepare(VENDOR, vendors.warehouse, run)
    assert preparation
    changes = {"companies": detect(VENDOR, "companies", vendors.warehouse, run, preparation)}
    with closing(vendors.connect()) as warehouse:
        update(VENDOR, "fact_vendor", warehouse, run, preparation, changes)
        (statement,) = [found.sql for found in warehouse.statements if 'UPDATE "staging_public"' in found.sql]
    names = [
        line.strip()
        for line in statement.partition("FROM scdc_recomputed")[0].splitlines()
        if "= scdc_recomputed." in line
    ]
    assert names == ['"rating" = scdc_recomputed."rating"']


def test_number_of_statements_does_not_depend_on_rows(vendors: Site) -> None:
    """Fifty changed rows cost an update no more statements than one."""

    def statements(run_id: str, *rows: dict[str, Any]) -> int:
        vendors.stage("companies", *rows)
        steps = Steps(vendors, run_id)
        assert steps.update("fact_vendor").affected == len(rows)
        steps.sync()
        return len(steps.statements["fact_vendor"])

    many = range(100, 150)
    statements("new", *(company(key, created_at=at(-600), updated_at=at(-10)) for key in many))
    one = statements("one", company(1, name="x", created_at=at(-600), updated_at=at(-9)))
    fifty = statements("fifty", *(company(key, name="y", created_at=at(-600), updated_at=at(-8)) for key in many))
    assert fifty <= one


class Steps:
    """A cycle in single steps, so that a test can stop it anywhere."""

    def __init__(self, place: Site, run_id: str) -> None:
        self.place, self.run = place, place.run(run_id=run_id)
        prepared = prepare(place.project, place.warehouse, self.run)
        assert prepared
        self.preparation: Preparation = prepared
        self.changes = {
            name: detect(place.project, name, place.warehouse, self.run, prepared) for name in place.project.sources
        }
        self.results = {
            fact: FactResult(fact=fact, reason="not of this test", change_sets=relations(self.feeding(fact)))
            for fact in place.project.facts
        }
        self.statements: dict[str, list[Statement]] = {}

    def feeding(self, fact: str) -> dict[str, ChangeSet]:
        """Return the change sets of the sources that feed a fact."""
        names = load_dictionary(self.place.project.dictionary_path).feeding(fact)
        return {name: self.changes[name] for name in names}

    def update(self, fact: str) -> FactResult:
        """Update one fact."""
        with closing(self.place.connect()) as warehouse:
            project, run = self.place.project, self.run
            self.results[fact] = update(project, fact, warehouse, run, self.preparation, self.feeding(fact))
            self.statements[fact] = warehouse.statements
        return self.results[fact]

    def fail(self) -> None:
        """End the run as failed."""
        cleanup(self.place.project, self.place.warehouse, self.run, failure="broke")

    def sync(self) -> None:
        """Sync the run and end it."""
        with closing(self.place.connect()) as warehouse:
            project, run = self.place.project, self.run
            sync(project, warehouse, run, self.preparation, self.changes, self.results)
            cleanup(project, warehouse, run, failure=None)


def test_change_that_is_taken_back_after_a_failed_run_comes_out_right(vendors: Site) -> None:
    """A fact that a failed run has moved ahead of the baseline is put right, though nothing differs any more."""
    vendors.stage("companies", company(2, name="Mistake", created_at=at(-600), updated_at=at(-9)))
    failed = Steps(vendors, "failed")
    failed.update("fact_vendor")
    failed.fail()
    vendors.stage("companies", company(2, created_at=at(-600), updated_at=at(-8)))
    result = cycle(vendors)
    assert result.change_sets["companies"].touched == 1
    assert counts(result, "fact_vendor") == (1, 0, 1, 0)


def test_failed_run_can_not_go_on_after_another_has_begun(vendors: Site) -> None:
    """What the second failed run has moved in the facts, the first would pass off as synced."""
    vendors.stage("companies", company(2, name="First", created_at=at(-600), updated_at=at(-9)))
    first = Steps(vendors, "first failed")
    for fact in VENDOR.facts:
        first.update(fact)
    first.fail()
    vendors.stage("companies", company(3, name="Second", created_at=at(-600), updated_at=at(-8)))
    second = Steps(vendors, "second failed")
    second.update("fact_vendor")
    second.fail()
    with pytest.raises(LeaseError, match="run test/second failed has begun since it was prepared"):
        first.sync()
    vendors.stage("companies", company(3, created_at=at(-600), updated_at=at(-7)))
    assert counts(cycle(vendors, "after"), "fact_vendor") == (2, 0, 1, 0)


def test_second_try_of_an_update_changes_nothing(vendors: Site) -> None:
    """An update that was committed and is run again finds nothing to write."""
    vendors.stage("companies", company(2, name="New name", **NEW))
    steps = Steps(vendors, "second")
    first, second = steps.update("fact_vendor"), steps.update("fact_vendor")
    assert (first.updated, second.affected, second.updated) == (1, 1, 0)
    steps.sync()
    assert verify(VENDOR, "fact_vendor", vendors.warehouse).equal


@pytest.fixture
def small(tmp_path: Path, site: Callable[[Project], Site]) -> Callable[[str, str], Site]:
    """Give a small project with one fact its warehouse."""

    def build(sql: str, config: str) -> Site:
        project = one_model(tmp_path, sql, "id buyer", config=config)
        return site(project)

    return build


def order(key: int, customer: int | None, kind: int | None, minute: int) -> dict[str, Any]:
    """Return a staged order."""
    return {"id": key, "customer_id": customer, "kind": kind, "updated_at": at(minute)}


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        pytest.param([order(2, 8, 1, -5)], r"not unique: 1 \(2 rows\)", id="key of an unaffected row"),
        pytest.param([order(2, 8, 2, -5), order(3, 8, 2, -5)], r"not unique: 2 \(2 rows\)", id="key twice"),
        pytest.param([order(2, 8, None, -5)], r"NULL or not unique: None \(1 rows\)", id="no key"),
    ],
)
def test_wrong_row_key_stops_before_anything_is_written(
    small: Callable[[str, str], Site], rows: list[dict[str, Any]], problem: str
) -> None:
    """A row key that is NULL or not unique stops the update, and the fact stays as it was."""
    sql = "SELECT CAST(o.kind AS BIGINT) AS id, o.customer_id AS buyer FROM live.orders AS o"
    place = small(sql, "unique_key='id', meta={'cdc': {'anchor': 'buyer', 'maintenance': 'incremental'}}")
    place.stage("orders", order(1, 7, 1, -60))
    run_cycle(place.project, place.connect, place.run(at(-30), run_id="first"))
    place.stage("orders", *rows)
    with pytest.raises(DataError, match=problem):
        run_cycle(place.project, place.connect, place.run(run_id="second"))
    assert place.table("facts.fact", "id", "buyer") == [(1, 7)]


def test_row_that_changes_its_anchor_moves(small: Callable[[str, str], Site]) -> None:
    """A row whose anchor changes, to NULL and back, keeps its key and is there once."""
    place = small(
        "SELECT o.id, o.customer_id AS buyer FROM live.orders AS o",
        "unique_key='id', meta={'cdc': {'anchor': 'buyer', 'maintenance': 'incremental'}}",
    )
    for number, customer in enumerate([7, 8, None, None, 7]):
        place.stage("orders", order(1, customer, 1, number - 60), order(2, None, 1, number - 60))
        cycle(place, f"run {number}")
        assert place.table("facts.fact", "id", "buyer") == [(1, customer), (2, None)]


def test_run_without_changes_leaves_every_fact_alone(vendors: Site) -> None:
    """Each fact says that nothing has changed in the sources that feed it."""
    reasons = {fact: found.reason for fact, found in cycle(vendors, "idle").fact_results.items()}
    assert reasons["fact_financial"] == "no change in cities, companies, countries"
    assert all(str(reason).startswith("no change in ") for reason in reasons.values())


def test_facts_of_a_first_run_are_built_side_by_side(site: Callable[[Project], Site]) -> None:
    """The updates of a first run, all at once as the scheduler starts them, build every fact."""
    place = site(VENDOR)
    steps = Steps(place, "first")
    with ThreadPoolExecutor(len(VENDOR.facts)) as pool:
        results = list(pool.map(steps.update, VENDOR.facts))
    assert all(result.built for result in results)
    steps.sync()


def test_update_that_has_built_its_fact_can_be_run_again(site: Callable[[Project], Site]) -> None:
    """A task that was lost after it had committed a new fact builds it once more when it is retried."""
    place = site(VENDOR)
    place.load("cities", {"id": 1, "name": "Pune", "status": 1, **OLD})
    place.stage("cities", {"id": 1, "name": "Poona", "status": 1, **NEW})
    steps = Steps(place, "first")
    results = [steps.update("fact_geography") for _ in range(2)]
    assert [(result.built, result.inserted, result.updated) for result in results] == [(True, 1, 1)] * 2
    assert place.table("staging_public.fact_geography", "city_id", "city_name") == [(1, "Poona")]


def test_update_waits_for_an_earlier_try_that_is_not_over(vendors: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A try whose COMMIT is still under way when it is repeated is waited for, so that no row is inserted twice."""
    vendors.stage("cities", {"id": 9, "name": "Surat", "status": 1, **NEW})
    steps = Steps(vendors, "repeated")
    commit, committing, go_on = Warehouse.commit, Event(), Event()

    def late(warehouse: Warehouse) -> None:
        monkeypatch.setattr(Warehouse, "commit", commit)
        committing.set()
        assert go_on.wait(timeout=60)
        commit(warehouse)

    monkeypatch.setattr(Warehouse, "commit", late)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(steps.update, "fact_geography")
        assert committing.wait(timeout=60)
        second = pool.submit(steps.update, "fact_geography")
        with pytest.raises(TimeoutError):
            second.result(timeout=0.5)
        go_on.set()
    assert [(tried.result().affected, tried.result().inserted) for tried in (first, second)] == [(1, 1), (1, 0)]
    steps.sync()
    assert verify(VENDOR, "fact_geography", vendors.warehouse).equal


def test_rows_that_exchange_their_row_keys_exchange_all_else(small: Callable[[str, str], Site]) -> None:
    """Where a changed column moves row keys from row to row, the columns that did not change move with them."""
    place = small("SELECT CAST(o.kind AS BIGINT) AS id, o.customer_id AS buyer FROM live.orders AS o", INCREMENTAL)
    for number, (first, second) in enumerate([(1, 2), (2, 1)]):
        place.stage("orders", order(1, 7, first, number - 60), order(2, 8, second, number - 60))
        cycle(place, f"run {number}")
        assert place.table("facts.fact", "id", "buyer") == sorted([(first, 7), (second, 8)])


def test_fact_whose_table_has_another_name_is_updated(small: Callable[[str, str], Site]) -> None:
    """The table that dbt's alias names is the fact's; its rows are updated and deleted there."""
    sql = "SELECT o.id, o.customer_id AS buyer FROM live.orders AS o WHERE o.kind = 1"
    place = small(sql, f"{INCREMENTAL}, alias='purchases'")
    for number, (customer, kind) in enumerate([(7, 1), (8, 1), (8, 2)]):
        place.stage("orders", order(1, customer, kind, number - 60))
        cycle(place, f"run {number}")
        assert place.table("facts.purchases", "id", "buyer") == ([(1, customer)] if kind == 1 else [])

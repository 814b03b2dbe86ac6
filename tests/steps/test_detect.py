from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.contract.project import load_project
from surgical_cdc.control.tables import complete_control
from surgical_cdc.errors import DataError, ProjectError
from surgical_cdc.steps.detect import detect
from surgical_cdc.values import Preparation
from surgical_cdc.warehouse.templates import sql_name
from tests.conftest import NOON, SHOP, Filled, Site, at
from tests.support.bookshop import EDITED, ORDER, PRODUCT, Prepared

if TYPE_CHECKING:
    from surgical_cdc.values import ChangeSet, Run


@pytest.fixture
def orders(filled: Filled) -> Site:
    """The bookshop with its control tables and one order in its baseline."""
    return filled(load_project(SHOP), one_order)


def one_order(shop: Site) -> None:
    """Make the control tables, and load the order."""
    with shop.warehouse.transaction():
        complete_control(shop.project, shop.warehouse)
    shop.load("orders", ORDER)


def found(site: Site, source: str = "orders", run: Run | None = None) -> ChangeSet:
    """Detect one source's changes."""
    asked = run or site.run()
    return detect(site.project, source, site.warehouse, asked, Preparation(token=asked.token))


def changes(site: Site, change_set: ChangeSet, *columns: str) -> list[tuple[Any, ...]]:
    """Return the rows of a change set, by key."""
    (key,) = site.project.sources[change_set.source].key
    return site.table(change_set.relation, key, "scdc_change", *columns)


def apply(site: Site, end: float, source: str = "orders") -> ChangeSet:
    """Detect and sync one source's changes up to some minutes after noon, as a run of its own."""
    run = Prepared(site, site.run(at(end), run_id=f"until {end}"), [source])
    run.sync()
    run.cleanup()
    return run.change_sets[source]


def test_row_that_the_baseline_has_not_is_an_insert(orders: Site) -> None:
    """A staged row with a new key is an insert with its whole image and every column marked."""
    orders.stage("orders", {**EDITED, "order_id": 2})
    change_set = found(orders)
    assert (change_set.inserts, change_set.changes) == (1, 1)
    assert changes(orders, change_set, "scdc_mask", "note", "total") == [
        (2, "I", "1" * 10, "by hand", Decimal("10.50"))
    ]


def test_unchanged_row_is_not_in_the_change_set(orders: Site) -> None:
    """A row that is staged again as it is in the baseline is compared, and left out."""
    orders.stage("orders", ORDER)
    change_set = found(orders)
    assert (change_set.rewrites, change_set.rows_compared, change_set.cells_compared) == (0, 1, 10)
    assert changes(orders, change_set) == []


@pytest.mark.parametrize(
    ("column", "before", "after"),
    [
        pytest.param("note", "x", " x", id="leading blank"),
        pytest.param("note", "x", "x ", id="trailing blank"),
        pytest.param("note", "x", "X", id="letter case"),
        pytest.param("note", "", None, id="empty to NULL"),
        pytest.param("note", None, "", id="NULL to empty"),
        pytest.param("note", "x", "Zoë 'n\\' %s", id="quotes, backslash, percent, not ASCII"),
        pytest.param("total", Decimal("1.00"), Decimal("1.01"), id="numeric by its smallest step"),
        pytest.param("total", None, Decimal(0), id="numeric NULL to zero"),
        pytest.param("gift", True, False, id="boolean"),
        pytest.param("gift", False, None, id="boolean to NULL"),
        pytest.param("weight", 0.1, 0.1 + 2**-40, id="double by a little"),
        pytest.param("delivery_on", date(2026, 1, 1), date(2026, 1, 2), id="date"),
        pytest.param("placed_at", at(-60), at(-60 + 1e-7 * 60), id="timestamp by six microseconds"),
        pytest.param("customer_id", 7, 2**53 + 1, id="bigint beyond the exact doubles"),
    ],
)
def test_changed_column_is_found(shop: Site, column: str, before: object, after: object) -> None:
    """An update names the one column that differs, whatever its type, and holds its new value."""
    with shop.warehouse.transaction():
        complete_control(shop.project, shop.warehouse)
    shop.load("orders", {**ORDER, column: before})
    shop.stage("orders", {**EDITED, column: after})
    change_set = found(shop)
    assert (change_set.updates, change_set.changed_columns) == (1, {column: 1})
    assert changes(shop, change_set, column) == [(1, "U", after)]


def test_mask_has_one_character_per_column_in_order(orders: Site) -> None:
    """The mask of an update marks the changed columns at their place in the contract, the cursor among them."""
    orders.stage("orders", {**EDITED, "customer_id": 8, "note": None})
    assert changes(orders, found(orders), "scdc_mask") == [(1, "U", "0100001001")]


def test_touched_row_differs_in_the_cursor_alone(orders: Site) -> None:
    """A row whose cursor alone has moved is touched: the baseline follows, no fact does."""
    orders.stage("orders", EDITED)
    change_set = found(orders)
    assert (change_set.touched, change_set.changes, change_set.rewrites, change_set.changed_columns) == (1, 0, 1, {})
    assert changes(orders, change_set, "scdc_mask") == [(1, "T", "0000000001")]


def test_a_cursor_that_a_fact_reads_is_a_column_as_any_other(orders: Site) -> None:
    """A row whose cursor alone has moved is an update then, which leads to the facts that read it."""
    source = orders.project.sources["orders"].model_copy(update={"cursor_is_read": True})
    reading = replace(orders, project=replace(orders.project, sources={**orders.project.sources, "orders": source}))
    reading.stage("orders", EDITED)
    change_set = found(reading)
    assert (change_set.touched, change_set.updates, change_set.changed_columns) == (0, 1, {"changed_at": 1})
    assert changes(reading, change_set, "scdc_mask") == [(1, "U", "0000000001")]


def test_newest_version_of_a_key_wins(orders: Site) -> None:
    """Of several staged versions of one key only the newest is compared."""
    versions = [{**ORDER, "note": f"version {minute}", "changed_at": at(minute)} for minute in (-30, -10, -20)]
    orders.stage("orders", *versions)
    change_set = found(orders)
    assert change_set.rows_compared == 1
    assert changes(orders, change_set, "note") == [(1, "U", "version -10")]


def test_copies_of_one_version_collapse(orders: Site) -> None:
    """A version that was staged three times counts once, with NULLs in it too."""
    orders.stage("orders", *[{**EDITED, "note": None, "total": None}] * 3)
    change_set = found(orders)
    assert (change_set.updates, change_set.quarantined) == (1, 0)
    assert len(changes(orders, change_set)) == 1


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([{"note": "other"}], id="another value"),
        pytest.param([{"note": None}], id="NULL"),
        pytest.param([{"note": "by hand "}], id="a trailing blank"),
        pytest.param([{}, {"note": "other"}], id="one of the two is staged twice"),
    ],
)
def test_equally_new_versions_that_differ_are_quarantined(orders: Site, others: list[dict[str, Any]]) -> None:
    """Nobody can say which of two equally new versions is right, so none is applied; other keys go on."""
    orders.stage("orders", EDITED, *({**EDITED, **other} for other in others), {**EDITED, "order_id": 2})
    change_set = found(orders)
    assert (change_set.quarantined, change_set.inserts, change_set.rewrites) == (1 + len(others), 1, 1)
    assert change_set.rows_compared == 1
    reasons = {row[1:] for row in changes(orders, change_set, "scdc_reason") if row[0] == 1}
    assert reasons == {("Q", "equally new versions of the key differ")}


def test_older_tie_does_not_matter(orders: Site) -> None:
    """Equally new versions that differ are no question once a newer one is there."""
    tie = [{**ORDER, "changed_at": at(-20), "note": note} for note in ("one", "two")]
    orders.stage("orders", *tie, {**EDITED, "note": "three"})
    change_set = found(orders)
    assert (change_set.updates, change_set.quarantined) == (1, 0)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        pytest.param({"order_id": None}, "the key order_id is NULL", id="key"),
        pytest.param({"changed_at": None}, "the cursor changed_at is NULL", id="cursor"),
    ],
)
def test_row_without_key_or_cursor_is_quarantined(orders: Site, wrong: dict[str, Any], reason: str) -> None:
    """A row that can not be identified or ordered is set aside with the reason, and the rest goes on."""
    orders.stage("orders", {**EDITED, **wrong, "note": "lost"}, {**EDITED, "note": "kept"})
    change_set = found(orders)
    assert (change_set.quarantined, change_set.updates, change_set.rows_compared) == (1, 1, 1)
    assert orders.rows(
        f"SELECT scdc_reason, note FROM {change_set.relation} WHERE scdc_change = 'Q'"  # noqa: S608
    ) == [(reason, "lost")]


def test_key_that_has_only_a_row_without_cursor_is_not_compared(orders: Site) -> None:
    """A row without a cursor is quarantined too when its key has no other version."""
    orders.stage("orders", {**ORDER, "order_id": 9, "changed_at": None})
    change_set = found(orders)
    assert (change_set.quarantined, change_set.rewrites, change_set.rows_compared) == (1, 0, 0)


def test_older_version_is_stale(orders: Site) -> None:
    """A version older than the baseline's is counted and marked, and never counts as a change."""
    orders.stage("orders", {**ORDER, "note": "older", "changed_at": at(-90)})
    change_set = found(orders)
    assert (change_set.stale, change_set.rewrites) == (1, 0)
    assert changes(orders, change_set) == [(1, "S")]


def test_row_at_the_end_of_the_window_waits(orders: Site) -> None:
    """A cursor at or after the window's end belongs to a later run; the newest version before it is taken."""
    orders.stage(
        "orders",
        {**EDITED, "note": "now"},
        {**EDITED, "note": "at the end", "changed_at": NOON},
        {**EDITED, "order_id": 2, "changed_at": at(1)},
    )
    assert changes(orders, found(orders), "note") == [(1, "U", "now")]


def test_window_start_bounds_the_candidates(orders: Site) -> None:
    """A run with a lower bound takes no row whose cursor is before it, and one that is exactly at it."""
    orders.stage(
        "orders",
        {**ORDER, "order_id": 2, "changed_at": at(-31)},
        {**ORDER, "order_id": 3, "changed_at": at(-30)},
    )
    change_set = found(orders, run=orders.run(window_start=at(-30)))
    assert changes(orders, change_set) == [(3, "I")]
    assert (change_set.window_start, change_set.window_end) == (at(-30), NOON)


def test_row_created_and_edited_in_one_window_is_an_insert(orders: Site) -> None:
    """The baseline tells inserts from updates; where the timestamps say otherwise, the disagreement is counted."""
    orders.stage(
        "orders",
        {**EDITED, "order_id": 2, "placed_at": at(-6)},
        {**EDITED, "order_id": 3, "placed_at": at(-5)},
        {**EDITED, "note": "placed anew", "placed_at": at(-5)},
    )
    change_set = found(orders)
    assert (change_set.inserts, change_set.updates, change_set.disagreements) == (2, 1, 2)
    assert changes(orders, change_set, "scdc_claim") == [(1, "U", "I"), (2, "I", "U"), (3, "I", "I")]


def test_source_without_created_claims_nothing(shop: Site) -> None:
    """Where the contract names no creation time there is no claim, and nothing to disagree with."""
    with shop.warehouse.transaction():
        complete_control(shop.project, shop.warehouse)
    shop.stage("order_lines", {"line_code": "1-1", "order_id": 1, "discount": 0.5, "changed_at": at(-5)})
    change_set = found(shop, "order_lines")
    assert (change_set.inserts, change_set.disagreements) == (1, 0)
    assert changes(shop, change_set, "scdc_claim") == [("1-1", "I", None)]


def test_staged_deletion_is_a_delete(orders: Site) -> None:
    """A row for which delete_when is true deletes its key; its image stays to be read."""
    orders.stage("orders", {**EDITED, "status": "void", "total": None})
    change_set = found(orders)
    assert (change_set.deletes, change_set.changes) == (1, 1)
    assert changes(orders, change_set, "scdc_mask", "changed_at", "status", "note") == [
        (1, "D", "1" * 10, at(-5), "void", "by hand")
    ]


def test_delete_predicate_that_is_null_deletes_nothing(orders: Site) -> None:
    """An unknown answer to delete_when is no deletion."""
    orders.stage("orders", {**EDITED, "status": None})
    assert changes(orders, found(orders)) == [(1, "U")]


def test_stale_deletion_deletes_nothing(orders: Site) -> None:
    """A deletion that is older than the baseline's version is stale like any other version."""
    orders.stage("orders", {**EDITED, "status": "void", "changed_at": at(-90)})
    change_set = found(orders)
    assert (change_set.stale, change_set.deletes) == (1, 0)


def test_deleted_key_is_not_brought_back_by_an_older_version(orders: Site) -> None:
    """Once a key is deleted, a version from before or at the deletion is stale, whenever it arrives."""
    orders.stage("orders", {**EDITED, "status": "void"})
    apply(orders, 0)
    assert orders.table("shop_raw.orders", "order_id") == []
    orders.execute("DELETE FROM shop_staging.orders")
    orders.stage("orders", {**ORDER, "changed_at": at(-20)})
    assert apply(orders, 30).stale == 1
    orders.execute("DELETE FROM shop_staging.orders")
    orders.stage("orders", EDITED)
    assert apply(orders, 60).stale == 1
    assert orders.table("shop_raw.orders", "order_id") == []


def test_deleted_key_comes_back_with_a_newer_version(orders: Site) -> None:
    """A version after the deletion is an insert, and an older one is stale again after that."""
    orders.stage("orders", {**EDITED, "status": "void"})
    apply(orders, 0)
    orders.stage("orders", {**EDITED, "changed_at": at(5)})
    assert apply(orders, 30).inserts == 1
    assert orders.table("shop_raw.orders", "order_id", "changed_at") == [(1, at(5))]
    assert orders.table("cdc.tombstones", "row_key") == []


def test_applied_deletion_that_is_still_staged_changes_nothing(orders: Site) -> None:
    """The row that deleted a key is neither a change nor stale in the next run."""
    orders.stage("orders", {**EDITED, "status": "void"})
    apply(orders, 0)
    change_set = apply(orders, 30)
    assert (change_set.rows_compared, change_set.rewrites, change_set.unknown_deletes, change_set.stale) == (1, 0, 0, 0)


def test_deletion_of_an_unknown_key_is_remembered(orders: Site) -> None:
    """A key that is deleted before it was ever seen is not inserted by an older version that comes later."""
    orders.stage("orders", {**EDITED, "order_id": 2, "status": "void"})
    change_set = apply(orders, 0)
    assert (change_set.unknown_deletes, change_set.rewrites) == (1, 0)
    orders.execute("DELETE FROM shop_staging.orders")
    orders.stage("orders", {**ORDER, "order_id": 2})
    assert apply(orders, 30).stale == 1
    assert orders.table("shop_raw.orders", "order_id") == [(1,)]


def test_later_deletion_moves_the_tombstone(orders: Site) -> None:
    """A key that is deleted twice stays deleted for versions between the two deletions."""
    orders.stage("orders", {**EDITED, "status": "void"})
    apply(orders, 0)
    orders.stage("orders", {**EDITED, "status": "void", "changed_at": at(20)})
    apply(orders, 30)
    assert orders.table("cdc.tombstones", "source_name", "row_key", "deleted_at") == [("orders", "1", at(20))]
    orders.execute("DELETE FROM shop_staging.orders")
    orders.stage("orders", {**EDITED, "changed_at": at(10)})
    assert apply(orders, 60).stale == 1


def test_tombstones_of_other_sources_do_not_count(shop: Site) -> None:
    """The same key deleted in one source may be inserted in another."""
    shop.stage("orders", {**EDITED, "status": "void"})
    apply(shop, 0)
    shop.stage("customers", {"customer_id": 1, "changed_at": at(-30)})
    assert apply(shop, 30, "customers").inserts == 1


def snapshot(site: Site, keys: int) -> None:
    """Put some products into the baseline."""
    with site.warehouse.transaction():
        complete_control(site.project, site.warehouse)
    site.load("products", *({**PRODUCT, "product_id": key} for key in range(1, keys + 1)))


def test_key_that_a_snapshot_has_not_is_a_delete(shop: Site) -> None:
    """What is absent from a snapshot is deleted, with the baseline's cursor; the rest is compared as ever."""
    snapshot(shop, 3)
    shop.stage("products", PRODUCT, {**PRODUCT, "product_id": 3, "title": "Globe", "changed_at": at(-5)})
    change_set = found(shop, "products")
    assert (change_set.deletes, change_set.updates, change_set.rows_compared) == (1, 1, 2)
    assert changes(shop, change_set, "scdc_mask", "changed_at", "title") == [
        (2, "D", "1111", at(-60), None),
        (3, "U", "0101", at(-5), "Globe"),
    ]


def test_snapshot_row_that_waits_is_not_absent(shop: Site) -> None:
    """A key whose staged row belongs to a later window is still there."""
    snapshot(shop, 2)
    shop.stage("products", PRODUCT, {**PRODUCT, "product_id": 2, "changed_at": at(1)})
    assert found(shop, "products").deletes == 0


def test_key_that_a_snapshot_has_again_is_back(shop: Site) -> None:
    """A key that was absent from one snapshot is inserted by the next with its old cursor."""
    snapshot(shop, 3)
    rows = [{**PRODUCT, "product_id": key} for key in (1, 2, 3)]
    shop.stage("products", *rows[:2])
    assert apply(shop, 0, "products").deletes == 1
    shop.stage("products", rows[2])
    assert apply(shop, 30, "products").inserts == 1


@pytest.mark.parametrize("kept", [pytest.param(0, id="empty"), pytest.param(1, id="one of four")])
def test_snapshot_that_would_erase_the_baseline_is_refused(shop: Site, kept: int) -> None:
    """A snapshot that lacks more than max_delete_share of the baseline stops the run before a change set exists."""
    snapshot(shop, 4)
    shop.stage("products", *[PRODUCT] * kept)
    with pytest.raises(DataError, match=rf"delete {4 - kept} of the 4 rows of shop_raw.products; at most 50%"):
        found(shop, "products")
    assert shop.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'cdc_scratch'") == []


def test_empty_snapshot_is_refused_whatever_the_contract_allows(shop: Site) -> None:
    """A contract by which every row may go does not make an empty load believable."""
    products = shop.project.sources["products"].model_copy(update={"max_delete_share": 1.0})
    generous = replace(shop, project=replace(shop.project, sources={**shop.project.sources, "products": products}))
    snapshot(generous, 2)
    with pytest.raises(DataError, match="this snapshot of 0 rows would delete 2 of the 2 rows"):
        found(generous, "products")
    generous.stage("products", {**PRODUCT, "product_id": 3})
    assert found(generous, "products").deletes == 2


def test_snapshot_may_delete_as_much_as_the_contract_allows(shop: Site) -> None:
    """Half of the baseline may go where max_delete_share is a half."""
    snapshot(shop, 4)
    shop.stage("products", PRODUCT, {**PRODUCT, "product_id": 2})
    assert found(shop, "products").deletes == 2


def test_empty_snapshot_of_an_empty_baseline_is_fine(shop: Site) -> None:
    """Before the first load there is nothing to erase."""
    snapshot(shop, 0)
    assert found(shop, "products").rewrites == 0


def test_each_detection_has_a_table_of_its_own(orders: Site) -> None:
    """A retry sees what is staged now; what an earlier try has found, or finds yet, stays apart from it."""
    orders.stage("orders", {**EDITED, "note": "first"})
    first = found(orders)
    orders.stage("orders", {**EDITED, "note": "second", "changed_at": at(-4)})
    second = found(orders)
    assert changes(orders, first, "note") == [(1, "U", "first")]
    assert changes(orders, second, "note") == [(1, "U", "second")]


def test_change_set_is_frozen(orders: Site) -> None:
    """What the ETL does to staging after detection does not reach the change set."""
    orders.stage("orders", {**EDITED, "note": "as detected"})
    change_set = found(orders)
    orders.execute("UPDATE shop_staging.orders SET note = 'later'")
    assert changes(orders, change_set, "note") == [(1, "U", "as detected")]


def test_types_of_the_change_set_are_those_of_the_source(orders: Site) -> None:
    """The new images have the contract's own types, lengths and scales."""
    change_set = found(orders)
    schema_name, _, table = change_set.relation.partition(".")
    columns = orders.rows(
        "SELECT column_name, data_type, character_maximum_length, numeric_precision, numeric_scale"
        " FROM information_schema.columns WHERE table_schema = %s AND table_name = %s",
        (schema_name, table),
    )
    baseline = orders.rows(
        "SELECT column_name, data_type, character_maximum_length, numeric_precision, numeric_scale"
        " FROM information_schema.columns WHERE table_schema = %s AND table_name = %s",
        ("shop_raw", "orders"),
    )
    assert set(baseline) < set(columns)


def test_number_of_statements_does_not_depend_on_rows(orders: Site) -> None:
    """A thousand staged rows take the statements of one."""
    orders.stage("orders", EDITED)
    found(orders)  # takes the lease
    before = len(orders.warehouse.statements)
    found(orders)
    one = len(orders.warehouse.statements) - before
    orders.stage("orders", *({**EDITED, "order_id": key} for key in range(2, 1002)))
    before = len(orders.warehouse.statements)
    assert found(orders).inserts == 1000
    assert len(orders.warehouse.statements) - before == one


def test_detection_reads_the_changed_keys_of_a_large_baseline_only(orders: Site) -> None:
    """Twenty staged rows are compared by looking up their keys: the baseline is not scanned."""
    orders.load("orders", *({"order_id": key, "note": "x", "changed_at": NOON} for key in range(2, 1001)))
    orders.execute(
        "INSERT INTO shop_raw.orders (order_id, note, changed_at)"
        " SELECT thousands.order_id * 1000 + units.order_id, 'x', '2026-01-01'::TIMESTAMP"
        " FROM shop_raw.orders AS thousands CROSS JOIN shop_raw.orders AS units WHERE thousands.order_id <= 200"
    )
    orders.stage("orders", *({**EDITED, "order_id": 1000 * key} for key in range(100, 120)))
    assert orders.rows("SELECT COUNT(*) FROM shop_raw.orders") == [(201_000,)]
    assert scanned_rows(orders) >= 201_000
    before = scanned_rows(orders)
    assert found(orders).rows_compared == 20
    assert scanned_rows(orders) == before


def scanned_rows(site: Site) -> int:
    """Return how many rows of the baseline were read by scans, this session's statistics included."""
    site.rows("SELECT pg_stat_force_next_flush()")
    ((rows,),) = site.rows(
        "SELECT seq_tup_read FROM pg_stat_user_tables WHERE schemaname = 'shop_raw' AND relname = 'orders'"
    )
    return int(rows)


def test_what_is_applied_is_left_out_before_anything_is_sorted(orders: Site) -> None:
    """Of many staged rows only the versions of the keys with news are ranked, those that are applied among them."""
    applied = [{**ORDER, "order_id": key} for key in range(100, 150)]
    orders.load("orders", *applied)
    orders.stage("orders", *applied, {**EDITED, "order_id": 100, "note": "new"}, {**EDITED, "order_id": 200})
    change_set = found(orders)
    assert (change_set.rows_compared, change_set.updates, change_set.inserts) == (51, 1, 1)
    candidates = change_set.relation.rpartition(".")[2]
    ranked = orders.warehouse.rows(f"SELECT order_id, scdc_number FROM {sql_name(candidates)} ORDER BY 1")  # noqa: S608
    assert ranked == [(100, 1), (200, 1)]


def test_unknown_source_is_refused(shop: Site) -> None:
    """A source that the project does not have is named beside those that it has."""
    with pytest.raises(ProjectError, match=r"No source 'ordres'.*Known: customers, order_lines, orders, products"):
        found(shop, "ordres")

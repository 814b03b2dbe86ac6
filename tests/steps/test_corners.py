"""What is rare and yet happens: values that are equal but not identical, keys that are there twice, rows to come."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from local_redshift import LocalRedshift
from local_redshift.testing import administer
from surgical_cdc.cli.checks import run_checks
from surgical_cdc.contract.project import Project
from surgical_cdc.contract.tables import Column, Source
from surgical_cdc.control.history import story
from surgical_cdc.errors import ContractError, DataError
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.verify import verify
from tests.conftest import Site, at
from tests.random.one_model import one_model
from tests.random.test_equivalence import CORNERS
from tests.support.bookshop import EDITED, ORDER, Prepared, run
from tests.support.upstream import FUTURE

DAYS = "days_whose_source_has_a_name_as_long_as_one_can_get_to_be_here_"
LABELS = """
SELECT COALESCE(CAST(o.customer_id AS VARCHAR(20)), '7') AS label, o.customer_id AS anchor, COUNT(*) AS order_count
FROM {{ source('live', 'orders') }} AS o GROUP BY o.customer_id
"""


@pytest.fixture
def corners(site: Callable[[Project], Site]) -> Site:
    """The warehouse of the project of corners."""
    return site(CORNERS)


def cycle(place: Site, end: float) -> None:
    """Run a cycle and check that all facts are what their SELECTs give."""
    run_cycle(place.project, place.connect, place.run(at(end), run_id=f"until {end}"))
    for fact in place.project.facts:
        assert verify(place.project, fact, place.warehouse).equal


@pytest.mark.parametrize("column", ["encrypt", "rate"])
@pytest.mark.parametrize(("before", "after"), [(0.0, -0.0), (-0.0, 0.0)], ids=["to -0", "to 0"])
def test_zero_that_changes_its_sign_is_an_update(corners: Site, column: str, before: float, after: float) -> None:
    """0 and -0 are equal, and a fact that shows them as text tells them apart: baseline and fact follow."""
    corners.stage("changed", {"id": 1, column: before, "connect": at(-50)})
    cycle(corners, -40)
    corners.stage("changed", {"id": 1, column: after, "connect": at(-30)})
    cycle(corners, -20)
    for relation in ("corners_live.changed", "corners_facts.recomputed"):
        ((stored,),) = corners.table(relation, column)
        assert math.copysign(1, stored) == math.copysign(1, after)


def test_verification_sees_the_sign_of_zero(corners: Site) -> None:
    """A fact that has 0 where its SELECT gives -0 differs from it."""
    corners.stage("changed", {"id": 1, "encrypt": -0.0, "connect": at(-50)})
    cycle(corners, -40)
    corners.execute('UPDATE corners_facts.recomputed SET "encrypt" = 0')
    assert not verify(corners.project, "recomputed", corners.warehouse).equal


def test_names_that_need_quotation_marks_are_kept_and_told(corners: Site) -> None:
    """A column may be called as a file calls it: in the key, in what changes, in the history and in a difference."""
    piece = {"number": 1, "shelf": "s", "box": "b", "day": date(2026, 3, 1), "1st weight (kg)": 1.5}
    corners.stage("pieces", {**piece, "updated_at": at(-50)})
    corners.stage("4_marks", {"day": date(2026, 3, 1), "piece": 1, "mark #": "m", "points": 2, "updated_at": at(-50)})
    cycle(corners, -40)
    corners.stage("pieces", {**piece, "1st weight (kg)": 2.5, "updated_at": at(-30)})
    corners.stage("4_marks", {"day": date(2026, 3, 1), "piece": 1, "mark #": "m", "points": 3, "updated_at": at(-30)})
    cycle(corners, -20)
    told = story(corners.project, "pieces_marked", ["s", "b"], corners.warehouse)
    changed = {(event.column, event.old, event.new) for event in told if event.change == "updated"}
    assert changed == {("1st weight (kg)", 1.5, 2.5), ("points", 2, 3)}
    corners.execute('UPDATE corners_facts.pieces_marked SET "1st weight (kg)" = 3.5, points = 4')
    found = verify(corners.project, "pieces_marked", corners.warehouse)
    assert found.examples == ("s, b (1st weight (kg), points)",)


def test_touched_row_has_nothing_but_its_cursor_written(shop: Site) -> None:
    """Whatever the image of a touched row holds, the baseline keeps what it has."""
    shop.stage("orders", ORDER)
    run(shop, -55)
    shop.stage("orders", EDITED)
    touching = Prepared(shop, shop.run())
    image = touching.change_sets["orders"].relation
    shop.execute(f"UPDATE {image} SET note = 'of the image', total = NULL")  # noqa: S608
    touching.sync()
    assert shop.table("shop_raw.orders", "note", "total", "changed_at") == [
        (ORDER["note"], ORDER["total"], EDITED["changed_at"])
    ]


def test_row_key_of_an_unaffected_group_without_anchor_is_not_taken(
    site: Callable[[Project], Site], tmp_path: Path
) -> None:
    """A group whose anchor is NULL keeps its row when another group comes to the same row key: the run is refused."""
    config = "unique_key='label', meta={'cdc': {'anchor': 'anchor', 'maintenance': 'incremental'}}"
    project = one_model(tmp_path, LABELS, "label:varchar(20) anchor order_count", config=config)
    place = site(project)
    place.stage("orders", {"id": 1, "customer_id": None, "updated_at": at(-50)})
    cycle(place, -40)
    place.stage("orders", {"id": 2, "customer_id": 7, "updated_at": at(-30)})
    with pytest.raises(DataError, match=r"row key label would be NULL or not unique: '7' \(2 rows\)"):
        cycle(place, -20)
    assert place.table("facts.fact", "label", "anchor") == [("7", None)]


def test_key_that_a_baseline_has_twice_is_refused(shop: Site) -> None:
    """Nobody can say which of two rows with one key a staged row replaces; other sources' keys are told as well."""
    shop.load("orders", ORDER, {**ORDER, "changed_at": at(-70)}, {**ORDER, "order_id": 2}, {**ORDER, "order_id": 2})
    shop.stage("orders", {**EDITED, "changed_at": at(-65)})
    with pytest.raises(DataError, match=r"shop_raw.orders: the key order_id of .*: 1 \(2 rows\)\. Nothing"):
        run(shop, 0)
    assert shop.rows("SELECT COUNT(*) FROM shop_raw.orders") == [(4,)]


def test_key_that_is_null_in_a_baseline_is_refused(shop: Site) -> None:
    """A row without a key would never be replaced or deleted."""
    shop.execute("CREATE TABLE shop_raw.copied AS SELECT * FROM shop_raw.orders")
    shop.execute("DROP TABLE shop_raw.orders")
    shop.execute("ALTER TABLE shop_raw.copied RENAME TO orders")
    shop.load("orders", {**ORDER, "order_id": None})
    shop.stage("orders", ORDER)
    with pytest.raises(DataError, match=r"not unique there, or NULL: None \(1 rows\)"):
        run(shop, 0)


def test_rows_beyond_the_window_are_counted(corners: Site) -> None:
    """Each run says of rows that wait for ever how far away they are, and keeps it in the ledger."""
    corners.stage("changed", *({"id": 1, "connect": moment} for moment in (at(-30), at(30), FUTURE)))
    corners.execute("INSERT INTO corners_staging.baseline (id, updated_at) VALUES (1, 'infinity')")
    found = run_cycle(corners.project, corners.connect, corners.run()).change_sets
    waiting = {name: (done.waiting, done.farthest_cursor) for name, done in found.items()}
    assert waiting == dict.fromkeys(found, (0, None)) | {
        "changed": (2, "9999-12-31 00:00:00"),
        "baseline": (1, "infinity"),
    }
    assert corners.rows("SELECT waiting, farthest_cursor FROM cdc.run_sources WHERE source_name = 'changed'") == [
        (2, "9999-12-31 00:00:00")
    ]


def test_deleted_date_stays_deleted_under_another_datestyle(corners: Site) -> None:
    """A key is remembered in a text that no setting of the user changes."""
    day = {"day": date(2026, 2, 1), "status": 1}
    ((user,),) = corners.rows("SELECT CURRENT_USER")
    corners.stage(DAYS, {**day, "updated_at": at(-90)}, {**day, "status": -1, "updated_at": at(-60)})
    cycle(corners, -50)
    corners.execute(f"ALTER USER {user} SET datestyle TO 'SQL, DMY'")
    try:
        corners.stage(DAYS, {**day, "updated_at": at(-80)})
        cycle(corners, -40)
    finally:
        corners.execute(f"ALTER USER {user} RESET datestyle")
    assert corners.table(f"corners_live.{DAYS}", "day") == []


COLUMNS = ({"name": "id", "data_type": "bigint"}, {"name": "changed_at", "data_type": "timestamp"})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"name": "scdc_orders"}, "'scdc_orders' begins with scdc_", id="source"),
        pytest.param({"key": "changed_at"}, "changed_at is both key and cursor", id="key is cursor"),
        pytest.param(
            {"columns": (*COLUMNS, {"name": "scdc_mask", "data_type": "bigint"})}, "begins with scdc_", id="column"
        ),
        pytest.param(
            {"columns": (*COLUMNS, {"name": "ctid", "data_type": "bigint"})}, "a name that Redshift keeps", id="system"
        ),
    ],
)
def test_names_that_no_project_may_have_are_refused(values: dict[str, Any], message: str) -> None:
    """The engine's own names, and those that Redshift keeps for itself, are refused where the project is read."""
    orders = {
        "name": "orders",
        "relation": "live.orders",
        "staging": "staging.orders",
        "columns": COLUMNS,
        "key": "id",
        "cursor": "changed_at",
    }
    with pytest.raises(ValueError, match=message):
        Source.model_validate({**orders, **values})


def test_engines_own_columns_are_apart_from_the_projects() -> None:
    """A column may be called as the engine's own were if it were not for their prefix."""
    assert Column(name="cdc_mask", data_type="bigint").name == "cdc_mask"


@pytest.fixture
def insensitive(shop: Site, redshift: LocalRedshift) -> Iterator[Site]:
    """The bookshop in a database that takes 'a' and 'A' for equal."""
    administer(redshift, "ALTER DATABASE dev SET redshift.db_collation = 'case_insensitive'")
    yield replace(shop, warehouse=shop.connect())
    administer(redshift, "ALTER DATABASE dev RESET redshift.db_collation")


def test_database_that_ignores_case_is_refused(insensitive: Site) -> None:
    """A run and `check` say that changes of case would be lost, before anything is written."""
    with pytest.raises(ContractError, match=r"The database is case_insensitive.*Keep customers, order_lines, orders"):
        run(insensitive, 0)
    found = {finding.name: finding.state for finding in run_checks(insensitive.project, insensitive.connect)}
    assert found["collations"] == "FAILED"
    assert insensitive.rows("SELECT 1 FROM information_schema.tables WHERE table_schema = 'cdc'") == []


def test_column_that_ignores_case_is_refused(shop: Site) -> None:
    """The first run and `check` name the columns."""
    for table in ("shop_staging.products", "shop_raw.products"):
        shop.execute(f"DROP TABLE {table}")
        shop.execute(
            f"CREATE TABLE {table} (product_id INTEGER NOT NULL, title VARCHAR(128) COLLATE CASE_INSENSITIVE,"
            " price NUMERIC(10, 2), changed_at TIMESTAMP)"
        )
    with pytest.raises(ContractError, match=r"(?s)shop_staging.products.title.*shop_raw.products.title"):
        run(shop, 0)
    found = {finding.name: finding.text for finding in run_checks(shop.project, shop.connect)}
    assert "shop_raw.products.title" in found["collations"]

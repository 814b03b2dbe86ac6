"""What the engine keeps in the warehouse goes on, whatever becomes of the engine and of the sources' columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from surgical_cdc.contract.tables import Column, Retention
from surgical_cdc.control.tables import complete_control
from surgical_cdc.names import VERSION
from surgical_cdc.steps.cleanup import cleanup
from tests.conftest import at
from tests.support.bookshop import EDITED, ORDER, PRODUCT, cycle, open_shop, run

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from tests.conftest import Site

# The tables as the first version made them, but for those that have not changed.
FIRST_VERSION = (
    "CREATE SCHEMA cdc",
    "CREATE TABLE cdc.lease (holder VARCHAR(512), taken_at TIMESTAMP, expires_at TIMESTAMP, baseline_run VARCHAR(512))",
    "INSERT INTO cdc.lease VALUES (NULL, NULL, NULL, 'vendor_cdc/old')",
    """CREATE TABLE cdc.runs (run_key VARCHAR(512), window_start TIMESTAMP, window_end TIMESTAMP, started_at TIMESTAMP,
    finished_at TIMESTAMP, seconds_detect DOUBLE PRECISION, seconds_update DOUBLE PRECISION,
    seconds_sync DOUBLE PRECISION, result VARCHAR(16), reason VARCHAR(65535))""",
    "INSERT INTO cdc.runs (run_key, result) VALUES ('vendor_cdc/old', 'success')",
    "CREATE TABLE cdc.pending__fact_order (run_key VARCHAR(512), anchor BIGINT)",
    "INSERT INTO cdc.pending__fact_order VALUES ('vendor_cdc/old', 1)",
    """CREATE TABLE cdc.quarantine__products (product_id INTEGER, title VARCHAR(128), price NUMERIC(10, 2),
    changed_at TIMESTAMP, cdc_run VARCHAR(512), cdc_reason VARCHAR(256), cdc_quarantined_at TIMESTAMP)""",
    "INSERT INTO cdc.quarantine__products (title, cdc_reason) VALUES ('Atlas', 'the key product_id is NULL')",
)


def test_tables_of_the_first_version_are_led_on(shop: Site) -> None:
    """A warehouse that the first version has worked in is taken over with all that it remembers."""
    for statement in FIRST_VERSION:
        shop.execute(statement)
    open_shop(shop)
    result = run(shop, 0)
    assert result.preparation.pending == ("fact_order",)
    assert shop.table("cdc.runs", "run_key") == [("test/until 0",), ("vendor_cdc/old",)]
    assert shop.table("cdc.quarantine__products", "title", "scdc_reason") == [("Atlas", "the key product_id is NULL")]
    assert shop.table("cdc.lease", "version", "baseline_run") == [(VERSION, "test/until 0")]
    assert shop.table("cdc.pending__fact_order", "anchor") == []


def test_ledger_of_the_version_before_is_led_on(open_site: Site) -> None:
    """Its lines stay, under the names that the columns have now."""
    shop = open_site
    lines = "SELECT source_name, cells_compared FROM cdc.run_sources WHERE run_key = 'test/until 0' ORDER BY 1"
    compared = shop.rows(lines)
    shop.execute("ALTER TABLE cdc.run_sources RENAME COLUMN cells_compared TO columns_compared")
    shop.execute("ALTER TABLE cdc.runs DROP COLUMN kind")
    shop.execute("DROP TABLE cdc.run_columns")
    shop.execute("UPDATE cdc.lease SET version = 2")
    shop.stage("products", {**PRODUCT, "title": "Great Atlas", "changed_at": at(10)})
    run(shop, 30)
    assert shop.rows("SELECT COUNT(cells_compared) FROM cdc.run_sources") == [(2 * len(compared),)]
    assert shop.rows(lines) == compared
    assert shop.table("cdc.runs", "kind") == [("run",), (None,)]
    assert shop.table("cdc.run_columns", "column_name", "cells") == [("product_title", 2)]
    assert shop.table("cdc.lease", "version") == [(VERSION,)]


def widened(project: Project, source: str, column: str, data_type: str) -> Project:
    """Return the project with another data type of a source's column."""
    found = project.sources[source]
    columns = tuple(Column(name=column, data_type=data_type) if each.name == column else each for each in found.columns)
    return replace(project, sources={**project.sources, source: found.model_copy(update={"columns": columns})})


@pytest.mark.parametrize(
    ("column", "data_type", "kept"),
    [
        pytest.param("title", "varchar(200)", "Atlas", id="wider"),
        pytest.param("price", "numeric(12,2)", 30, id="more digits"),
        pytest.param("product_id", "bigint", 1, id="larger integer"),
        pytest.param("title", "varchar(8)", "Atlas", id="narrower, which the wider holds"),
        pytest.param("title", "bigint", None, id="another type: the old values stay beside it"),
    ],
)
def test_quarantine_follows_a_column_that_changes(shop: Site, column: str, data_type: str, kept: object) -> None:
    """The table that keeps quarantined rows takes a source's column as it is now; no value in it is lost."""
    shop.stage("products", PRODUCT, {**PRODUCT, "title": "Tied"}, {**PRODUCT, "product_id": 2})
    cycle(shop, "first", 0, "products")
    assert shop.table("cdc.quarantine__products", "title") == [("Atlas",), ("Tied",)]
    project = widened(shop.project, "products", column, data_type)
    with shop.warehouse.transaction():
        complete_control(project, shop.warehouse)
    assert shop.rows(f"SELECT MIN({column}) FROM cdc.quarantine__products") == [(kept,)]  # noqa: S608
    found = shop.rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'quarantine__products'")
    aside = {name for (name,) in found if name.startswith("scdc_2")}
    assert len(aside) == (1 if kept is None else 0)
    for name in aside:
        assert shop.table("cdc.quarantine__products", name) == [("Atlas",), ("Tied",)]
    before = len(shop.warehouse.statements)
    with shop.warehouse.transaction():
        complete_control(project, shop.warehouse)
    assert not [done.sql for done in shop.warehouse.statements[before:] if "ALTER" in done.sql]


def test_what_is_kept_goes_after_its_time(shop: Site) -> None:
    """The ledger, tombstones and quarantine have a retention each; a tombstone stays while its key is staged."""
    shop.load("orders", ORDER, {**ORDER, "order_id": 2})
    gone = {**EDITED, "status": "void"}
    shop.stage("orders", gone, {**gone, "order_id": 2}, {**EDITED, "order_id": None})
    cycle(shop, "first", 0)
    assert len(shop.table("cdc.tombstones", "row_key")) == 2
    shop.execute("DELETE FROM shop_staging.orders WHERE order_id = 2 OR order_id IS NULL")
    shop.execute("UPDATE cdc.runs SET finished_at = DATEADD(day, -401, GETDATE())")
    shop.execute("UPDATE cdc.quarantine__orders SET scdc_quarantined_at = DATEADD(day, -401, GETDATE())")
    shop.execute("UPDATE cdc.tombstones SET deleted_at = DATEADD(day, -401, GETDATE())")
    cycle(shop, "the same day", 0)
    assert len(shop.table("cdc.runs", "run_key")) == 2
    shop.execute("UPDATE cdc.lease SET swept_at = DATEADD(hour, -25, GETDATE())")
    cycle(shop, "the next day", 0)
    assert shop.table("cdc.runs", "run_key") == [("test/the next day",), ("test/the same day",)]
    assert shop.rows("SELECT DISTINCT run_key FROM cdc.run_sources ORDER BY 1") == [
        ("test/the next day",),
        ("test/the same day",),
    ]
    assert shop.table("cdc.quarantine__orders", "order_id") == []
    assert shop.table("cdc.tombstones", "row_key") == [("1",)]


def test_retention_is_the_projects(shop: Site) -> None:
    """A project says for how many days what is kept."""
    project = replace(shop.project, retention=Retention(ledger_days=1))
    cycle(shop, "first", 0)
    shop.execute("UPDATE cdc.runs SET finished_at = DATEADD(hour, -25, GETDATE())")
    shop.execute("UPDATE cdc.lease SET swept_at = NULL")
    cleanup(project, shop.warehouse, shop.run(run_id="later"), failure=None)
    assert shop.table("cdc.runs", "run_key") == []

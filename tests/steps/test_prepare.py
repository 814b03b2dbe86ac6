from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING

import pytest

from surgical_cdc.compiler.compilation import compile_dictionary
from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.contract.project import load_project
from surgical_cdc.control import built_by
from surgical_cdc.control.lease import holder
from surgical_cdc.dictionary import dump_dictionary
from surgical_cdc.errors import ContractError, DictionaryError, ProjectError
from surgical_cdc.steps.cleanup import cleanup
from surgical_cdc.steps.prepare import prepare
from surgical_cdc.values import FactResult
from surgical_cdc.warehouse import ddl
from tests.conftest import SHOP

if TYPE_CHECKING:
    from pathlib import Path

    from surgical_cdc.contract.project import Project
    from tests.conftest import Site


def test_first_run_finds_no_facts(shop: Site) -> None:
    """The first run creates what it needs of its own, takes the lease, and finds that every fact is missing."""
    found = prepare(shop.project, shop.warehouse, shop.run())
    assert found
    assert (found.token, found.unbuilt, found.pending) == (shop.run().token, ("fact_line", "fact_order"), ())
    assert str(holder(shop.project, shop.warehouse)).startswith("run test/run holds the warehouse since")


def test_second_run_is_told_to_wait(shop: Site) -> None:
    """While a run holds the lease another one gets nothing, and leaves no trace."""
    prepare(shop.project, shop.warehouse, shop.run())
    assert prepare(shop.project, shop.warehouse, shop.run(run_id="second")) is None
    assert shop.table("cdc.lease", "holder") == [("test/run",)]


def built(project: Project, fact: str) -> FactResult:
    """Return what building a fact gives."""
    return FactResult(fact=fact, built=True, definition=compile_fact(project, fact).select_fingerprint)


def test_built_fact_is_not_built_again(shop: Site) -> None:
    """A fact that its SELECT has filled is not built again, and keys that wait for a sync are announced."""
    prepare(shop.project, shop.warehouse, shop.run())
    for fact in shop.project.facts.values():
        for statement in ddl.create_fact(fact):
            shop.execute(statement)
    with shop.warehouse.transaction():
        built_by.record(shop.project, shop.warehouse, [built(shop.project, fact) for fact in shop.project.facts])
    shop.execute("INSERT INTO cdc.pending__fact_order (token, anchor) VALUES ('test/run', 1)")
    found = prepare(shop.project, shop.warehouse, shop.run())
    assert found
    assert (found.token, found.unbuilt, found.pending) == (shop.run().token, (), ("fact_order",))


def test_later_runs_create_nothing(shop: Site) -> None:
    """Once the control tables exist a run begins with a handful of statements, none of which is DDL."""
    prepare(shop.project, shop.warehouse, shop.run())
    cleanup(shop.project, shop.warehouse, shop.run(), failure=None)
    before = len(shop.warehouse.statements)
    prepare(shop.project, shop.warehouse, shop.run(run_id="second"))
    statements = [statement.sql for statement in shop.warehouse.statements[before:]]
    # Until the facts are built, the collation of each table is asked for.
    assert len([sql for sql in statements if "SHOW COLUMNS" not in sql]) == 9
    assert not [sql for sql in statements if "CREATE" in sql]


def test_all_differences_stand_in_one_message(shop: Site) -> None:
    """Missing, new and retyped columns and a missing table are listed together, and the run does not begin."""
    shop.execute("ALTER TABLE shop_staging.customers DROP COLUMN birthday")
    shop.execute("ALTER TABLE shop_raw.customers ADD COLUMN shoe_size INTEGER")
    shop.execute("DROP TABLE shop_raw.products")
    shop.execute("DROP TABLE shop_staging.orders")
    shop.execute(
        "CREATE TABLE shop_staging.orders (order_id INTEGER, customer_id BIGINT, status VARCHAR(17),"
        " total NUMERIC(12,3), weight REAL, gift BOOLEAN, note VARCHAR(256), delivery_on TIMESTAMP,"
        " placed_at TIMESTAMP, changed_at TIMESTAMP)"
    )
    with pytest.raises(ContractError) as caught:
        prepare(shop.project, shop.warehouse, shop.run())
    lines = [line.strip(" -") for line in str(caught.value).splitlines() if line.startswith("  - ")]
    assert lines == [
        "shop_staging.customers.birthday: missing, expected date",
        "shop_raw.customers.shoe_size: new (integer), not in the contract",
        "shop_staging.orders.order_id: is integer, expected bigint",
        "shop_staging.orders.status: is varchar(17), expected varchar(16)",
        "shop_staging.orders.total: is numeric(12,3), expected numeric(12,2)",
        "shop_staging.orders.weight: is real, expected double precision",
        "shop_staging.orders.delivery_on: is timestamp, expected date",
        "shop_raw.products: the table does not exist, or this user may not read it",
    ]
    assert shop.rows("SELECT 1 FROM information_schema.tables WHERE table_schema = 'cdc'") == []


def test_fact_with_other_columns_is_a_difference(shop: Site) -> None:
    """A fact whose table was made by another version of its model stops the run, and the message has the command."""
    shop.execute("CREATE SCHEMA shop_public")
    shop.execute("CREATE TABLE shop_public.fact_line (line_code VARCHAR(32), order_id BIGINT)")
    with pytest.raises(ContractError, match=r"fact_line.product_title: missing, expected varchar(?s:.)*refresh FACT"):
        prepare(shop.project, shop.warehouse, shop.run())


def test_column_that_a_source_gains_reaches_its_quarantine(shop: Site) -> None:
    """The quarantine's table, which is ours, follows the contract without anybody's help."""
    prepare(shop.project, shop.warehouse, shop.run())
    shop.execute("ALTER TABLE cdc.quarantine__products DROP COLUMN price")
    prepare(shop.project, shop.warehouse, shop.run())
    assert shop.table("cdc.quarantine__products", "price") == []


def test_unknown_source_in_the_form_is_refused(shop: Site) -> None:
    """A run that asks for a source that does not exist ends before it takes the lease."""
    with pytest.raises(ProjectError, match="No source 'ordres'"):
        prepare(shop.project, shop.warehouse, shop.run(sources=("ordres",)))


def test_ddl_has_redshifts_types_and_keys(shop: Site) -> None:
    """Tables are created with the contract's types, distribution and sort keys; only the baseline's key is required."""
    statements = ddl.create_sources(shop.project)
    (baseline,) = [text for text in statements if '"shop_raw"."orders"' in text]
    (staging,) = [text for text in statements if '"shop_staging"."orders"' in text]
    assert '"order_id" BIGINT NOT NULL' in baseline
    assert '"total" NUMERIC(12, 2)' in baseline
    assert '"weight" DOUBLE PRECISION' in baseline
    assert baseline.endswith('DISTKEY ("customer_id") SORTKEY ("order_id", "customer_id")')
    assert "NOT NULL" not in staging
    assert staging.endswith('DISTKEY ("customer_id") SORTKEY ("changed_at")')


def test_rehearsal_takes_no_lease(shop: Site) -> None:
    """`airflow tasks test` runs a task in a run that nothing ends: it checks what a run would, and leaves nothing."""
    assert prepare(shop.project, shop.warehouse, shop.run(), rehearsal=True) is not None
    assert shop.rows("SELECT 1 FROM information_schema.tables WHERE table_schema = 'cdc'") == []
    prepare(shop.project, shop.warehouse, shop.run(run_id="first"))
    cleanup(shop.project, shop.warehouse, shop.run(run_id="first"), failure=None)
    prepare(shop.project, shop.warehouse, shop.run(), rehearsal=True)
    assert holder(shop.project, shop.warehouse) is None


def test_dictionary_with_another_way_of_maintenance_is_refused(shop: Site, tmp_path: Path) -> None:
    """Another version of the compiler may keep a fact in another way: somebody has to see that before a run does it."""
    shutil.copytree(SHOP.parent, tmp_path / "shop")
    project = load_project(tmp_path / "shop" / "sql")
    derived = compile_dictionary(project)
    other = dataclasses.replace(derived, full={"fact_line": "models/fact_line.sql, line 2: a reason"})
    project.dictionary_path.write_text(dump_dictionary(other))
    with pytest.raises(DictionaryError, match=r"another way of maintenance .* for fact_line"):
        prepare(project, shop.warehouse, shop.run())

"""What `init` finds out of a project that says nothing of keys, by tests, by names and in the warehouse's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from surgical_cdc.dbt.artifacts import read_artifacts
from surgical_cdc.dbt.guesses import keyless, row_key_guesses, source_guesses
from surgical_cdc.warehouse.catalog import WarehouseTypes
from tests.support.small import small, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from surgical_cdc.dbt.guesses import SourceGuess
    from surgical_cdc.warehouse.session import Warehouse
    from tests.conftest import Connect

LINES = "order_id BIGINT, product_code VARCHAR(8), note VARCHAR(8), line INT, changed_at TIMESTAMP"


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        pytest.param([(1, "p", "a", 1), (1, "q", "a", 2), (2, "p", "a", 1)], ["order_id", "line"], id="lines"),
        pytest.param([(1, "p", "a", 1), (1, "q", "a", 1), (2, "p", "a", 1)], ["order_id", "product_code"], id="others"),
        pytest.param([(1, "p", "a", 1), (2, "q", "a", 1), (3, "p", "a", 1)], ["order_id"], id="the fewest"),
        pytest.param([(1, "p", "a", 1), (None, "q", "a", 1)], ["product_code"], id="without NULL"),
        pytest.param([(1, "p", "a", 1), (1, "p", "b", 1)], "", id="none"),
        pytest.param([(1, "p", "a", 1)], "", id="one row tells nothing"),
    ],
)
def test_a_key_is_what_tells_the_rows_apart(
    connect: Connect, tmp_path: Path, rows: list[tuple[object, ...]], key: object
) -> None:
    """Where neither a test nor a usual name says it, among columns whose names could be of a key."""
    inserts = [("INSERT INTO live.lines VALUES (%s, %s, %s, %s, SYSDATE)", row) for row in rows]
    guess = guessed(connect(), tmp_path, [(f"CREATE TABLE live.lines ({LINES})", ()), *inserts])
    assert guess.key.value == key
    assert ("no two of the rows" in guess.key.reason) == bool(key)
    assert guess.cursor.value == "changed_at"
    assert guess.missing == ["staging", *([] if key else ["key"])]


def test_a_table_that_can_not_be_read_keeps_no_other_from_a_guess(connect: Connect, tmp_path: Path) -> None:
    """The reason has what the warehouse says."""
    view = "CREATE VIEW live.lines AS SELECT 1 / (s.a - s.a) AS order_id FROM (SELECT 1 AS a) AS s"
    guess = guessed(connect(), tmp_path, [(view, ())])
    assert guess.key.reason.startswith("no test of uniqueness, and no usual name. The warehouse refuses")


def test_a_row_key_is_looked_for_in_what_dbt_has_built(connect: Connect, tmp_path: Path) -> None:
    """Of tables that no other model reads and that have none; the others are no facts of most people's."""
    project = small(tmp_path)
    project.sources(table("orders"))
    built = "SELECT o.id AS order_id, o.n AS line, o.n FROM {{ source('live', 'orders') }} AS o"
    for name, sql in (("middle", built), ("last", "SELECT b.* FROM {{ ref('middle') }} AS b"), ("unbuilt", built)):
        project.model(name, sql, "materialized='table'", types=None)
    project.write("target/manifest.json", project.manifest())
    warehouse = connect()
    with warehouse.transaction():
        # It may be there of another test.
        warehouse.execute("DROP SCHEMA IF EXISTS facts CASCADE")
        warehouse.execute("CREATE SCHEMA facts")
        for name in ("middle", "last"):
            warehouse.execute(
                f"CREATE TABLE facts.{name} AS SELECT 1 AS order_id, 1 AS line, 1 AS n UNION SELECT 1, 2, 1"
            )
    types = WarehouseTypes(warehouse)
    artifacts = read_artifacts(project.path)
    assert [node.name for node in keyless(artifacts)] == ["last", "middle", "unbuilt"]
    known = types.columns(["facts.middle", "facts.last", "facts.unbuilt"])
    guesses = row_key_guesses(artifacts, known, types)
    with warehouse.transaction():
        warehouse.execute("DROP SCHEMA facts CASCADE")
    assert {name: guess.value for name, guess in guesses.items()} == {"last": ["line"]}


def guessed(warehouse: Warehouse, folder: Path, statements: Sequence[tuple[str, tuple[object, ...]]]) -> SourceGuess:
    """Return what is guessed of a source that statements fill."""
    project = small(folder)
    project.sources(table("orders"), table("lines", types={}, config={}))
    project.write("target/manifest.json", project.manifest())
    with warehouse.transaction():
        warehouse.execute("DROP SCHEMA IF EXISTS live CASCADE")
        warehouse.execute("CREATE SCHEMA live")
        for statement, params in statements:
            warehouse.execute(statement, params)
    types = WarehouseTypes(warehouse)
    known = types.columns(["live.lines", "staging.lines"])
    (guess,) = source_guesses(read_artifacts(project.path), "staging.{name}", known, types)
    with warehouse.transaction():
        warehouse.execute("DROP SCHEMA live CASCADE")
    return guess

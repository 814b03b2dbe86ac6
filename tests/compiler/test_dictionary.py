from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from surgical_cdc.compiler.compilation import compile_dictionary, edited_models
from surgical_cdc.contract.project import load_project
from surgical_cdc.dictionary import Dictionary, dump_dictionary, load_dictionary
from surgical_cdc.errors import DictionaryError, ProjectError, UnsupportedQuery
from surgical_cdc.steps.relevance import unaffected
from surgical_cdc.values import ChangeSet, Preparation
from tests.conftest import LIBRARY, SHOP
from tests.random.one_model import REBUILT, one_model

VENDOR = load_project()
SHAPES = Path(__file__).parents[1] / "projects" / "shapes" / "sql"
CORNERS = SHAPES.parents[1] / "corners" / "sql"
COMMITTED = load_dictionary(VENDOR.dictionary_path)
END = datetime(2026, 3, 1)  # noqa: DTZ001 - the warehouse's timestamps are UTC without an offset


def feeds(folder: Path, sql: str, columns: str = "id n") -> dict[str, dict[str, object]]:
    """Return what feeds the fact, by source and column."""
    dictionary = compile_dictionary(one_model(folder, sql, columns, config=REBUILT))
    return {
        source: {column: facts["fact"] for column, facts in columns.items()}
        for source, columns in dictionary.feeds.items()
        if columns
    }


def prepared(**values: Any) -> Preparation:
    """Return what a run has found."""
    return Preparation(token="token", **values)


def change_set(source: str, **values: object) -> ChangeSet:
    """Return a change set with some counts."""
    return ChangeSet(source=source, token="token", relation=f"cdc_scratch.{source}", window_end=END, **values)


def test_column_of_the_row_key_feeds_every_column(tmp_path: Path) -> None:
    """Two rows may exchange their row keys, and then all their other columns differ."""
    assert feeds(tmp_path, "SELECT o.customer_id AS id, o.kind AS n FROM live.orders AS o") == {
        "orders": {"id": "*", "customer_id": "*", "kind": ("n",)}
    }


def test_a_cursor_feeds_facts_as_any_column(tmp_path: Path) -> None:
    """What reads it is updated by each edit, and its source says so in the contract; no other source does."""
    sql = "SELECT c.id, DATEDIFF(day, c.joined, c.updated_at) AS n FROM live.customers AS c"
    project = one_model(tmp_path, sql, "id n")
    assert compile_dictionary(project).feeds["customers"]["updated_at"] == {"fact": ("n",)}
    assert [name for name, source in project.sources.items() if source.cursor_is_read] == ["customers"]


@pytest.mark.parametrize("maintenance", ["incremental", "full"])
@pytest.mark.parametrize("table", ["elsewhere.things", "things", "other.live.orders"])
def test_table_that_is_no_source_can_not_be_read(tmp_path: Path, table: str, maintenance: str) -> None:
    """Nobody looks for changes in such a table, so that no fact may read it, however it is maintained."""
    config = f"unique_key='id', meta={{'cdc': {{'maintenance': '{maintenance}'}}}}"
    sql = f"SELECT c.id, t.id AS n\nFROM live.customers AS c\nLEFT JOIN {table} AS t ON t.id = c.id"
    with pytest.raises(UnsupportedQuery, match=rf"fact\.sql, line 4: {table}, which is no source, can not be read"):
        compile_dictionary(one_model(tmp_path, sql, "id n", config=config))


def test_alias_inside_a_subquery_is_not_taken_for_the_one_around_it(tmp_path: Path) -> None:
    """A subquery may use a name again that stands for something else around it."""
    sql = """
    SELECT c.id, (SELECT MAX(c.kind) FROM live.orders AS c WHERE c.customer_id = d.id) AS n
    FROM (SELECT x.id FROM live.customers AS x) AS c INNER JOIN live.customers AS d ON d.id = c.id
    """
    assert feeds(tmp_path, sql) == {
        "orders": {"id": "*", "customer_id": "*", "kind": "*"},
        "customers": {"id": "*"},
    }


def test_projected_column_feeds_the_columns_computed_from_it(tmp_path: Path) -> None:
    """A column that is only shown feeds the fact columns that show it, through derived tables and aggregates."""
    sql = """
    SELECT c.id, b.n, b.n + c.city_id AS m FROM live.customers AS c
    LEFT JOIN (SELECT o.customer_id, SUM(o.kind) AS n FROM live.orders AS o GROUP BY o.customer_id) AS b
      ON b.customer_id = c.id
    """
    assert feeds(tmp_path, sql, "id n m") == {
        "orders": {"id": "*", "customer_id": "*", "kind": ("n", "m")},
        "customers": {"id": "*", "city_id": ("m",)},
    }


@pytest.mark.parametrize(
    ("sql", "column"),
    [
        pytest.param("SELECT o.id, 1 AS n FROM live.orders o WHERE o.kind = 1", "kind", id="where"),
        pytest.param("SELECT DISTINCT o.id, o.kind AS n FROM live.orders o", "kind", id="distinct"),
        pytest.param(
            "SELECT o.id, 1 AS n FROM live.orders o QUALIFY ROW_NUMBER() OVER (PARTITION BY o.id ORDER BY o.note) = 1",
            "note",
            id="qualify",
        ),
        pytest.param(
            "SELECT q.id, 1 AS n FROM (SELECT o.id, RANK() OVER (PARTITION BY o.id ORDER BY o.note) AS place"
            " FROM live.orders o) q WHERE q.place = 1",
            "note",
            id="rank that filters outside",
        ),
        pytest.param(
            "SELECT o.id, COUNT(*) AS n FROM live.orders o GROUP BY o.id HAVING MAX(o.kind) > 1", "kind", id="having"
        ),
        pytest.param(
            "SELECT o.id, 1 AS n FROM live.orders o WHERE EXISTS (SELECT 1 FROM live.cities t WHERE t.id = o.kind)",
            "kind",
            id="exists",
        ),
    ],
)
def test_column_that_decides_on_rows_feeds_every_column(tmp_path: Path, sql: str, column: str) -> None:
    """A column that decides which rows there are feeds all of the fact."""
    assert feeds(tmp_path, sql)["orders"][column] == "*"


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param("SELECT o.id, o.customer_id, o.note AS name FROM live.orders o ORDER BY name, 1", id="name"),
        pytest.param("SELECT o.id, o.customer_id, o.note FROM live.orders o ORDER BY 3, 1", id="number"),
        pytest.param(
            "SELECT o.id, o.customer_id, o.note FROM live.orders o"
            " UNION ALL SELECT c.id, c.city_id, c.name FROM live.customers c ORDER BY note, 1",
            id="union",
        ),
    ],
)
def test_order_by_what_is_shown_decides_on_the_rows_of_a_limit(tmp_path: Path, rows: str) -> None:
    """A column that is read for the order alone, by the name or number of what shows it, feeds all of the fact."""
    sql = (
        f"SELECT c.id, COUNT(x.id) AS n FROM live.customers c LEFT JOIN ({rows} LIMIT 3) x"  # noqa: S608
        " ON x.customer_id = c.id GROUP BY c.id"
    )
    assert feeds(tmp_path, sql)["orders"]["note"] == "*"


def test_order_inside_a_window_feeds_only_what_shows_it(tmp_path: Path) -> None:
    """A rank that is only shown changes no other column and no row."""
    sql = "SELECT o.id, RANK() OVER (PARTITION BY o.id ORDER BY o.note) AS n FROM live.orders AS o"
    assert feeds(tmp_path, sql)["orders"]["note"] == ("n",)


def test_source_that_is_only_counted_feeds_by_its_key(tmp_path: Path) -> None:
    """COUNT(*) over a source names no column of it, and yet its rows matter."""
    sql = "SELECT c.id, (SELECT COUNT(*) FROM live.orders AS o) AS n FROM live.customers AS c"
    assert feeds(tmp_path, sql)["orders"] == {"id": "*"}


@pytest.mark.parametrize("path", [VENDOR.path, SHAPES, CORNERS, SHOP, LIBRARY], ids=lambda path: path.parent.name)
def test_committed_dictionary_is_that_of_the_models(path: Path) -> None:
    """The committed dictionary is what the committed SELECTs give, and these were made from the models as they are."""
    project = load_project(path)
    # What dbt's YAML says of the tables is in no SELECT; the tests beside dbt compare it.
    descriptions = load_dictionary(project.dictionary_path).descriptions
    derived = replace(compile_dictionary(project), descriptions=descriptions)
    assert project.dictionary_path.read_text() == dump_dictionary(derived)
    assert edited_models(project) == []


def test_dictionary_reads_back_what_was_written(tmp_path: Path) -> None:
    """What `compile` writes is what the DAG reads."""
    written = compile_dictionary(VENDOR)
    (tmp_path / "dictionary.yaml").write_text(dump_dictionary(written))
    assert load_dictionary(tmp_path / "dictionary.yaml") == written


@pytest.mark.parametrize("text", [None, "facts: [a", "sources: 7", "[]"], ids=["missing", "broken", "other", "list"])
def test_unreadable_dictionary_says_how_to_write_it(tmp_path: Path, text: str | None) -> None:
    """Whatever is wrong with the file, the message has the command that mends it."""
    file = tmp_path / "dictionary.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(DictionaryError, match="python -m surgical_cdc compile"):
        load_dictionary(file)


def test_commands_in_messages_are_on_the_project(tmp_path: Path) -> None:
    """What a message says to run is about the project of the message, and not about the default one."""
    folder = tmp_path / "sql"
    shutil.copytree(SHOP, folder)
    (folder / "cdc" / "dictionary.yaml").unlink()
    with pytest.raises(DictionaryError, match=f"python -m surgical_cdc compile --project {folder}"):
        load_dictionary(folder / "cdc" / "dictionary.yaml")
    assert load_project(folder).command("check") == f"python -m surgical_cdc check --project {folder}"
    assert VENDOR.command("check") == "python -m surgical_cdc check"


def test_changed_model_changes_the_fingerprint(tmp_path: Path) -> None:
    """A model that says something else makes the committed dictionary stale."""
    one = one_model(tmp_path / "one", "SELECT o.id, o.kind AS n FROM live.orders AS o", "id n")
    other = one_model(tmp_path / "other", "SELECT o.id, 1 AS n FROM live.orders AS o", "id n")
    same = one_model(tmp_path / "same", "SELECT o.id, o.kind AS n FROM live.orders AS o", "id n")
    assert one.fingerprint == same.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        pytest.param({"inserts": 1}, None, id="insert"),
        pytest.param({"deletes": 1}, None, id="delete"),
        pytest.param({"updates": 1, "changed_columns": {"name": 1}}, None, id="read column"),
        pytest.param(
            {"updates": 1, "changed_columns": {"sso_enabled": 1}},
            "no column that fact_geography reads has changed in companies",
            id="unread column",
        ),
        pytest.param({"touched": 4}, "no change in companies", id="touched"),
        pytest.param({}, "no change in companies", id="nothing"),
    ],
)
def test_fact_runs_only_for_what_it_reads(values: dict[str, object], reason: str | None) -> None:
    """A fact has something to do for rows that come and go, and for updates of columns that it reads."""
    fact = "fact_geography" if "sso_enabled" in str(values) else "fact_vendor"
    skipped = unaffected(COMMITTED, fact, {"companies": change_set("companies", **values)}, prepared())
    assert (skipped.reason if skipped else None) == reason


def test_missing_and_pending_facts_always_run() -> None:
    """A fact without a table, or ahead of the baseline, has something to do though nothing has changed."""
    changes = {"companies": change_set("companies")}
    assert unaffected(COMMITTED, "fact_vendor", changes, prepared(unbuilt=("fact_vendor",))) is None
    assert unaffected(COMMITTED, "fact_vendor", changes, prepared(pending=("fact_vendor",))) is None
    assert unaffected(COMMITTED, "fact_vendor", changes, prepared(pending=("fact_financial",))) is not None


def test_fact_waits_only_for_the_sources_that_feed_it() -> None:
    """Each fact's sources are those that its models read."""
    assert COMMITTED.feeding("fact_financial") == ("cities", "companies", "countries")
    assert set(COMMITTED.sources) == set(VENDOR.sources)
    assert isinstance(COMMITTED, Dictionary)


@pytest.mark.parametrize(
    ("sql", "columns", "problem"),
    [
        pytest.param("SELECT o.id FROM live.orders o", "id n", r"Listed but not given: \['n'\]", id="column missing"),
        pytest.param(
            "SELECT o.id,\n o.nothing AS n FROM live.orders o",
            "id n",
            r"fact\.sql, line 3: Unknown column: nothing\. Known: id, .*, kind, .*\.$",
            id="unknown column",
        ),
        pytest.param(
            "SELECT c.id, name AS n FROM live.customers c\nJOIN live.cities t ON t.id = c.city_id",
            "id n",
            r"fact\.sql, line 2: Column 'name' could not be resolved\. Say which is meant: c\.name, t\.name\.$",
            id="column of two tables",
        ),
        pytest.param(
            "SELECT o.id, (SELECT MAX(c.no)\nFROM live.customers c WHERE c.id = o.customer_id) AS n FROM live.orders o",
            "id n",
            r"fact\.sql, line 2: .*no.* Known: id, .*city_id.*\.$",
            id="unknown column of a subquery",
        ),
        pytest.param(
            "SELECT o.id,\n\n x.id AS n FROM live.orders o",
            "id n",
            r"fact\.sql, line 4: Column 'id' could not be resolved for table: 'x'\. Known: o\.$",
            id="unknown alias",
        ),
        pytest.param("SELECT o.id, FROM live.orders o WHERE", "id n", r"fact\.sql", id="no SQL"),
    ],
)
def test_model_that_can_not_be_read_is_named(tmp_path: Path, sql: str, columns: str, problem: str) -> None:
    """A broken model ends in one message with its file."""
    with pytest.raises(ProjectError, match=problem):
        compile_dictionary(one_model(tmp_path, sql, columns))

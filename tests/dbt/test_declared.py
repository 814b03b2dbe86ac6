from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlglot import exp

from surgical_cdc.compiler import compiled_fact, join_tree
from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.contract.tables import Static
from surgical_cdc.dbt.artifacts import read_artifacts
from surgical_cdc.dbt.declared import Relations, parts, reached
from surgical_cdc.dictionary import EVERY_COLUMN
from surgical_cdc.errors import ProjectError, UnsupportedQuery
from tests.support.small import CDC, COLUMNS, ROW, SELECT, Small, small, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from surgical_cdc.contract.tables import Table

SOURCE_ID, FACT_ID = "source.small.live.orders", "model.small.fact"
UNTYPED = dict.fromkeys(COLUMNS)


@pytest.fixture
def project(tmp_path: Path) -> Small:
    """A project that has one source and one fact."""
    return small(tmp_path)


def types_of(described: Table) -> Mapping[str, str]:
    """Return the columns of a table with their types, in the table's order."""
    return {column.name: column.data_type for column in described.columns}


def test_types_are_those_that_yaml_declares(project: Small) -> None:
    """A catalog that says something else does not matter then."""
    project.catalog({SOURCE_ID: {"id": "character varying(8)"}, FACT_ID: {"id": "smallint"}})
    compiled = project.compile().project
    assert types_of(compiled.sources["orders"]) == COLUMNS
    assert types_of(compiled.facts["fact"]) == {"id": "bigint", "n": "integer"}


def test_types_are_those_of_the_catalog_where_yaml_has_none(project: Small) -> None:
    """They are read in the table's order, and a type that YAML has wins."""
    project.sources(table("orders", types={"n": None, "id": "varchar(20)"}))
    project.model("fact", SELECT, types=None)
    project.catalog(
        {
            SOURCE_ID: {"ID": "bigint", "n": "integer", "updated_at": "timestamp without time zone"},
            FACT_ID: {"n": "integer", "id": "character varying(20)"},
        }
    )
    compiled = project.compile().project
    assert list(types_of(compiled.sources["orders"]).items()) == [
        ("id", "varchar(20)"),
        ("n", "integer"),
        ("updated_at", "timestamp"),
    ]
    assert list(types_of(compiled.facts["fact"]).items()) == [("id", "varchar(20)"), ("n", "integer")]


def test_what_yaml_calls_a_type_and_is_none_gives_way_to_who_knows(project: Small) -> None:
    """In YAML, dbt takes any word for a type, as `string`; where nobody else knows one, it is refused."""
    words = {"id": "bigint", "n": "string", "updated_at": "datetime2"}
    project.sources(table("orders", types=words))
    project.model("fact", SELECT, types={"id": "bigint", "n": "number"})
    with pytest.raises(ProjectError, match=r"columns\.n\.data_type: 'string' is no data type"):
        project.compile("fact")
    project.catalog({SOURCE_ID: COLUMNS, FACT_ID: {"id": "integer", "n": "integer"}})
    compiled = project.compile().project
    assert types_of(compiled.sources["orders"]) == COLUMNS
    assert types_of(compiled.facts["fact"]) == {"id": "bigint", "n": "integer"}
    project.catalog({SOURCE_ID: COLUMNS})
    with pytest.raises(ProjectError, match=r"columns\.n\.data_type: 'number' is no data type"):
        project.compile("fact")


def test_sources_of_which_nobody_knows_the_columns_are_listed(project: Small) -> None:
    """One message names them all, and the three ways to tell."""
    project.sources(table("orders", types=UNTYPED), table("lines", types={}), table("parts"))
    with pytest.raises(ProjectError, match=r"nobody knows the columns of live.lines, live.orders\. Declare them, or"):
        project.compile()


def test_columns_of_a_fact_of_which_nobody_knows_the_type_are_listed(project: Small) -> None:
    """What YAML says of other columns is not lost on the reader."""
    project.model("fact", SELECT.replace("o.n", "o.n, o.n + 1 AS more"), types={"id": "bigint", "n": None})
    with pytest.raises(ProjectError, match=r"models/fact\.sql: nobody knows the types of fact's n, more\. Declare"):
        project.compile("fact")


@pytest.mark.parametrize(
    ("given", "spelled"),
    [
        pytest.param("INT8", "bigint", id="int8"),
        pytest.param("Integer", "integer", id="upper case"),
        pytest.param("float", "double precision", id="float"),
        pytest.param("bool", "boolean", id="bool"),
        pytest.param("character varying(64)", "varchar(64)", id="character varying"),
        pytest.param("text", "varchar(256)", id="text"),
        pytest.param("varchar", "varchar(256)", id="varchar"),
        pytest.param("VARCHAR(MAX)", "varchar(65535)", id="varchar(max)"),
        pytest.param("char", "char(1)", id="char"),
        pytest.param("decimal(10, 2)", "numeric(10,2)", id="decimal"),
        pytest.param("numeric(10)", "numeric(10,0)", id="numeric without scale"),
        pytest.param("numeric", "numeric(18,0)", id="numeric"),
        pytest.param("timestamp without time zone", "timestamp", id="timestamp"),
        pytest.param("timestamp with time zone", "timestamptz", id="timestamptz"),
    ],
)
def test_a_type_is_known_by_each_of_its_names(project: Small, given: str, spelled: str) -> None:
    """Redshift, its catalog and people call one type by several names; the contract has one spelling."""
    project.sources(table("orders", types={**COLUMNS, "x": given}))
    assert types_of(project.compile().project.sources["orders"])["x"] == spelled


def test_tables_of_one_name_in_two_sources_are_told_apart(project: Small) -> None:
    """Each is called by its source and its own name, and facts read the right one."""
    settings = {**CDC, "staging": "staging.old_orders"}
    project.sources(table("orders", config={"meta": {"cdc": settings}}), group="archive")
    project.model("old", SELECT.replace("live", "archive"))
    compiled = project.compile().project
    assert {name: source.relation for name, source in compiled.sources.items()} == {
        "archive__orders": "archive.orders",
        "live__orders": "live.orders",
    }
    assert "FROM archive.orders AS o" in compiled.selects["old"].sql
    assert "FROM live.orders AS o" in compiled.selects["fact"].sql


def test_the_name_of_a_table_stands_in_its_staging(project: Small) -> None:
    """Many tables can say it in one place: {name} is the name of each in dbt."""
    project.sources(
        table("orders", config={}), table("lines", config={}, identifier="order_lines"), config={"meta": {"cdc": CDC}}
    )
    sources = project.compile().project.sources
    assert {source.relation: source.staging for source in sources.values()} == {
        "live.order_lines": "staging.lines",
        "live.orders": "staging.orders",
    }


def test_the_cursor_is_what_dbt_measures_freshness_by(project: Small) -> None:
    """`loaded_at_field` need not be said twice; `cursor` wins where both are there."""
    without = {"staging": "staging.{name}", "key": "id"}
    project.sources(
        table("orders", config={"meta": {"cdc": without}}, loaded_at_field="UPDATED_AT"),
        table("lines", types={**COLUMNS, "loaded": "timestamp"}, loaded_at_field="loaded"),
    )
    sources = project.compile().project.sources
    assert (sources["orders"].cursor, sources["lines"].cursor) == ("updated_at", "updated_at")


def test_a_static_source_needs_no_staging(project: Small) -> None:
    """Facts read it, and nobody looks for changes in it, whatever it inherits."""
    project.sources(table("cities", config={"meta": {"cdc": {**CDC, "load": "static"}}}), table("orders"))
    project.model("fact", f"{SELECT} JOIN {{{{ source('live', 'cities') }}}} AS c ON c.id = o.id")
    compiled = project.compile().project
    assert list(compiled.sources) == ["orders"]
    assert compiled.static["cities"].relation == "live.cities"
    assert isinstance(compiled.tables["live.cities"], Static)


def test_a_seed_is_a_static_table_whose_content_a_fact_is_built_by(project: Small) -> None:
    """Another line in the file makes another fact of the same SELECT; comments and layout make none."""
    project.write("seeds/rates.csv", "id,rate\n1,2\n")
    project.write("seeds/rates.yml", {"seeds": [{"name": "rates", "columns": [{"name": "id", "data_type": "bigint"}]}]})
    reading = f"{SELECT} JOIN {{{{ ref('rates') }}}} AS r ON r.id = o.id"
    project.model("fact", reading)

    def fingerprint() -> str:
        compiled = project.compile().project
        assert compiled.static["rates"].relation == "facts.rates"
        return compile_fact(compiled, "fact").select_fingerprint

    before = fingerprint()
    project.model("fact", f"-- rates\n{reading}")
    assert fingerprint() == before
    project.write("seeds/rates.csv", "id,rate\n1,3\n")
    assert fingerprint() != before


def test_a_seed_that_no_fact_reads_is_not_looked_at(project: Small) -> None:
    """Its columns need not be known."""
    project.write("seeds/rates.csv", "id,rate\n1,2\n")
    assert project.compile().project.static == {}


def test_a_seed_and_a_source_of_one_name_are_told_apart(project: Small) -> None:
    """The seed has its package's name before its own; none of them is lost."""
    project.write("seeds/cities.csv", "id\n1\n")
    project.write(
        "seeds/cities.yml", {"seeds": [{"name": "cities", "columns": [{"name": "id", "data_type": "bigint"}]}]}
    )
    project.sources(table("cities", config={"meta": {"cdc": {"load": "static"}}}), table("orders"))
    joined = "JOIN {{ ref('cities') }} AS s ON s.id = o.id JOIN {{ source('live', 'cities') }} AS c ON c.id = o.id"
    project.model("fact", f"{SELECT} {joined}")
    static = project.compile().project.static
    assert {name: one.relation for name, one in static.items()} == {
        "cities": "live.cities",
        "small__cities": "facts.cities",
    }


def test_the_row_key_is_what_dbt_infers_from_tests(project: Small) -> None:
    """A column that is tested to be unique and not_null identifies a row, where no unique_key does."""
    project.write("models/fact.sql", SELECT)
    listed = [
        {"name": "id", "data_type": "bigint", "data_tests": ["unique", "not_null"]},
        {"name": "n", "data_type": "integer"},
    ]
    project.write("models/fact.yml", {"models": [{"name": "fact", "columns": listed}]})
    assert project.compile().project.facts["fact"].unique_key == ("id",)


@pytest.fixture
def marts(project: Small) -> Small:
    """Three models that can be facts, two of which share a tag; a view with a row key; a table without."""
    project.model("second", SELECT, "unique_key='id', tags=['daily']")
    project.model("third", SELECT, "unique_key='id', tags=['daily', 'late']")
    project.model("shown", SELECT, "unique_key='id', materialized='view'")
    project.model("plain", SELECT, "")
    return project


@pytest.mark.parametrize(
    ("select", "facts"),
    [
        pytest.param([], ["fact", "second", "third"], id="all that can be"),
        pytest.param(["second"], ["second"], id="name"),
        pytest.param(["tag:daily"], ["second", "third"], id="tag"),
        pytest.param(["tag:late", "fact"], ["fact", "third"], id="both"),
        pytest.param(["third", "tag:late"], ["third"], id="twice"),
    ],
)
def test_facts_are_chosen_by_name_and_tag(marts: Small, select: list[str], facts: list[str]) -> None:
    """Without a choice they are all tables that have a row key; a choice is remembered with the contract."""
    compiled = marts.compile(*select)
    assert list(compiled.project.facts) == facts
    compiled.write()
    assert list(marts.compile().project.facts) == facts


def test_facts_are_those_that_say_so(marts: Small) -> None:
    """One `fact: true` is the choice, which --select overrules."""
    marts.model("second", SELECT, "unique_key='id', meta={'cdc': {'fact': true}}")
    assert list(marts.compile().project.facts) == ["second"]
    assert list(marts.compile("third").project.facts) == ["third"]


def test_a_model_that_says_it_is_none_is_no_fact(marts: Small) -> None:
    """The others are, as without it."""
    marts.model("second", SELECT, "unique_key='id', meta={'cdc': {'fact': false}}")
    assert list(marts.compile().project.facts) == ["fact", "third"]


def test_a_model_that_can_be_no_fact_is_left_out_with_the_reason(marts: Small) -> None:
    """One odd model does not keep the project out; the contract says what is in the way, without a machine's paths."""
    marts.model("second", "SELECT o.id, o.n FROM elsewhere.orders AS o")
    marts.model("third", f"{SELECT} WHERE o.n >")
    compiled = marts.compile().project
    assert list(compiled.facts) == ["fact"]
    assert list(compiled.left_out) == ["second", "third"]
    assert compiled.left_out["second"].startswith(
        "target/compiled/small/models/second.sql, line 2: elsewhere.orders, which is no source, can not be read"
    )
    assert str(marts.path) not in "".join(compiled.left_out.values())


def test_a_model_that_was_asked_for_is_not_left_out(marts: Small) -> None:
    """By --select, by its tag or by `fact: true`: what is in the way is an error."""
    unreadable = "SELECT o.id, o.n FROM elsewhere.orders AS o"
    marts.model("second", unreadable, "unique_key='id', tags=['daily']")
    for select in ("second", "tag:daily"):
        with pytest.raises(UnsupportedQuery, match=r"elsewhere\.orders"):
            marts.compile(select)
    marts.model("second", unreadable, "unique_key='id', meta={'cdc': {'fact': true}}")
    with pytest.raises(UnsupportedQuery, match=r"elsewhere\.orders"):
        marts.compile()


def test_a_fact_that_was_there_is_not_left_out(marts: Small) -> None:
    """What was kept up to date is not dropped because its model has become unreadable."""
    marts.compile().write()
    marts.model("second", "SELECT o.id, o.n FROM elsewhere.orders AS o")
    with pytest.raises(UnsupportedQuery, match=r"elsewhere\.orders"):
        marts.compile()


@pytest.mark.parametrize(
    "config",
    [
        pytest.param("", id="no row key"),
        pytest.param("unique_key='id', materialized='view'", id="a view"),
    ],
)
def test_a_fact_that_was_there_is_not_lost_from_the_candidates(marts: Small, config: str) -> None:
    """A misspelled setting is no wish to drop a fact; `fact: false` is one, and is said."""
    marts.compile().write()
    marts.model("second", SELECT, config)
    with pytest.raises(ProjectError, match=r"second\.sql: second was a fact, and can not be one as it is"):
        marts.compile()
    marts.model("second", SELECT, "unique_key='id', meta={'cdc': {'fact': false}}")
    assert marts.compile().warnings == ["second is no fact any more, and nobody keeps its table up to date"]


def test_a_fact_whose_model_is_gone_is_dropped_with_a_warning(marts: Small) -> None:
    """Its SELECT goes from the folder."""
    marts.compile().write()
    (marts.path / "models" / "second.sql").unlink()
    compiled = marts.compile()
    assert compiled.warnings == ["second is no fact any more, and nobody keeps its table up to date"]
    compiled.write()
    assert [file.stem for file in sorted((marts.path / "cdc" / "facts").iterdir())] == ["fact", "third"]


@pytest.mark.parametrize(
    ("config", "warned"),
    [
        pytest.param("post_hook='ANALYZE x'", "fact has a post-hook, which no run executes", id="post-hook"),
        pytest.param("pre_hook='SET x TO 1'", "fact has a pre-hook, which no run executes", id="pre-hook"),
        pytest.param("sql_header='SET x TO 1'", "fact has a sql-header, which no run executes", id="sql_header"),
    ],
)
def test_what_dbt_does_beside_the_select_is_warned_of(project: Small, config: str, warned: str) -> None:
    """A run does the SELECT alone, and a hook may have been there for a reason."""
    project.model("fact", SELECT, f"unique_key='id', {config}")
    (warning,) = project.compile().warnings
    assert warning.startswith(warned)


def test_a_relation_is_known_with_and_without_its_database(project: Small) -> None:
    """SQL may leave the database out; a table of another database is another table."""
    project.compile()
    relations = Relations(read_artifacts(project.path))
    assert parts('"DEV"."Live"."Orders"') == ("dev", "live", "orders")
    for name, owner in (("dev.live.orders", SOURCE_ID), ("live.orders", SOURCE_ID), ("dev.facts.fact", FACT_ID)):
        found = relations.owner(exp.to_table(name))
        assert found is not None
        assert found.unique_id == owner
    assert relations.owner(exp.to_table("other.live.orders")) is None


def test_what_a_fact_reads_is_found_through_models(project: Small) -> None:
    """Each once; what a snapshot reads does not matter, for nobody can read through it."""
    project.model("first", SELECT, "materialized='view'", types=None)
    project.model("second", f"{SELECT} JOIN {{{{ ref('first') }}}} AS f ON f.id = o.id", "materialized='view'")
    project.model("fact", "SELECT s.id, s.n FROM {{ ref('second') }} AS s JOIN {{ ref('first') }} AS f ON f.id = s.id")
    project.manifest()
    artifacts = read_artifacts(project.path)
    assert sorted(one.unique_id for one in reached(artifacts, artifacts.nodes[FACT_ID])) == [
        "model.small.first",
        "model.small.second",
        SOURCE_ID,
    ]


def test_a_source_in_another_database_is_refused(project: Small) -> None:
    """Its schema and name may be those of another table where the connection leads to."""
    project.sources(table("orders"), database="elsewhere")
    with pytest.raises(
        ProjectError, match=r"live\.yml: sources\.live\.orders is in the database elsewhere, .* in dev;"
    ):
        project.compile("fact")


@pytest.mark.parametrize(
    ("types", "reason"),
    [
        pytest.param(UNTYPED, r"nobody knows the columns of live\.lines\. Declare them", id="unknown"),
        pytest.param(
            {**COLUMNS, "shape": "super"}, r"columns\.shape\.data_type: 'super' is no data type", id="no type of ours"
        ),
    ],
)
def test_a_source_that_can_not_be_read_keeps_out_no_other(
    project: Small, types: Mapping[str, str | None], reason: str
) -> None:
    """What reads it is left out with the reason, and one that nobody reads is told of."""
    project.sources(table("orders"), table("lines", types=types))
    assert re.search(reason, project.compile().warnings[0])
    project.model("second", SELECT.replace("orders", "lines"))
    compiled = project.compile().project
    assert (list(compiled.sources), list(compiled.facts)) == (["orders"], ["fact"])
    assert re.search(reason, compiled.left_out["second"])


WINDOWED = "SELECT o.id, o.n, COUNT(*) OVER (PARTITION BY o.n) AS beside FROM {{ source('live', 'orders') }} AS o"
BESIDE = {**ROW, "beside": "bigint"}


def test_the_anchor_is_a_column_by_which_a_fact_can_be_maintained(project: Small) -> None:
    """It is the row key if that can be one, and what the project says if it says one."""
    project.model("fact", WINDOWED, types=BESIDE)
    compiled = project.compile()
    assert (compiled.project.facts["fact"].anchor, compiled.dictionary.full) == ("n", {})
    project.model("fact", WINDOWED, "unique_key='id', meta={'cdc': {'maintenance': 'incremental'}}", types=BESIDE)
    assert project.compile().project.facts["fact"].anchor == "n"
    project.model("fact", WINDOWED, "unique_key='id', meta={'cdc': {'anchor': 'id'}}", types=BESIDE)
    assert "fact" in project.compile().dictionary.full


def test_an_anchor_is_looked_for_no_longer_than_anybody_waits(project: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """The more tables a query reads, the fewer columns are tried; the row key is the first."""
    project.model("fact", WINDOWED, types=BESIDE)
    monkeypatch.setattr(compiled_fact, "TRIED_TABLES", 1)
    assert "fact" in project.compile().dictionary.full


def test_a_column_that_comes_by_a_star_may_be_quoted(project: Small) -> None:
    """What is written of it is read as the same SELECT."""
    listed = {**COLUMNS, "type": "integer"}
    project.sources(table("orders", types=listed))
    inner = "SELECT o.id, o.\"type\" FROM {{ source('live', 'orders') }} AS o"
    project.model(
        "fact",
        "WITH a AS (INNER_ONE) SELECT * FROM a".replace("INNER_ONE", inner),
        types={"id": "bigint", "type": "integer"},
    )
    assert project.compile().project.facts["fact"].column_names == ("id", "type")


def test_a_star_may_have_columns_of_one_name_that_nobody_reads(project: Small) -> None:
    """They are told apart by their places; one that is read by its name is refused."""
    project.sources(table("orders"), table("lines"))
    both = (
        "SELECT o.*, l.* FROM {{ source('live', 'orders') }} AS o JOIN {{ source('live', 'lines') }} AS l ON l.id = o.n"
    )
    project.write("models/both.sql", f"{{{{ config(materialized='view') }}}} {both}".replace("o.*", "o.*, o.id AS own"))
    project.model("fact", "WITH a AS (SELECT * FROM {{ ref('both') }}) SELECT a.own AS id, 1 AS n FROM a")
    assert project.compile().dictionary.full == {}
    project.model("fact", "WITH a AS (SELECT * FROM {{ ref('both') }}) SELECT a.id, 1 AS n FROM a")
    with pytest.raises(ProjectError, match="id"):
        project.compile("fact")


def test_a_fact_that_would_read_too_many_tables_is_rebuilt_in_full(project: Small) -> None:
    """Each of some models reads the one before it several times; it is told before anybody waits for it."""
    project.model("second", SELECT)
    reading = "SELECT a.id, b.n FROM READ AS a JOIN READ AS b ON b.id = a.id JOIN READ AS c ON c.id = a.id"
    before = "{{ source('live', 'orders') }}"
    for number in range(12):
        config = "{{ config(materialized='view') }}"
        project.write(f"models/step_{number}.sql", f"{config} {reading.replace('READ', before)}")
        before = f"{{{{ ref('step_{number}') }}}}"
    project.model("fact", reading.replace("READ", before))
    compiled = project.compile()
    assert list(compiled.project.facts) == ["fact", "second"]
    assert "reads 1594323 tables and has " in compiled.dictionary.full["fact"]
    assert compiled.dictionary.feeds["orders"]["n"]["fact"] == EVERY_COLUMN


def test_a_fact_of_many_tables_is_rebuilt_in_full(project: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change would take statements for each of them."""
    monkeypatch.setattr(join_tree, "MOST_NODES", 2)
    two, read = "SELECT a.id, b.n FROM READ AS a JOIN READ AS b ON b.id = a.id", "{{ source('live', 'orders') }}"
    project.model("fact", two.replace("READ", read))
    assert project.compile().dictionary.full == {}
    project.model("fact", f"{two} JOIN READ AS c ON c.n = b.n".replace("READ", read))
    assert "a query that reads 3 tables and has " in project.compile().dictionary.full["fact"]

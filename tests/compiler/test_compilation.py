from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.compiler import compilation
from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.contract.project import load_project
from surgical_cdc.dictionary import load_dictionary
from surgical_cdc.errors import ProjectError, UnsupportedQuery
from tests.support.small import ROW, SELECT, Small, columns, small, table

if TYPE_CHECKING:
    from pathlib import Path

POSITIVE = f"{SELECT} WHERE o.n > 0"
ON_FIRST = "SELECT f.id, f.n FROM {{ ref('first') }} AS f WHERE f.n < 9"
ON_SECOND = "SELECT s.id, s.n FROM {{ ref('second') }} AS s"
OWN = "WITH own AS (SELECT s.id, s.n FROM {{ ref('second') }} AS s) SELECT w.id, w.n FROM own AS w"
# The same without other models.
ALONE = ON_SECOND.replace("{{ ref('second') }}", f"({ON_FIRST})").replace("{{ ref('first') }}", f"({POSITIVE})")


@pytest.fixture
def project(tmp_path: Path) -> Small:
    """A project that has one source and one fact."""
    return small(tmp_path)


def chain(project: Small, first: str, second: str) -> None:
    """Let the fact read a model that reads another, which are materialized so."""
    project.model("first", POSITIVE, f"materialized='{first}'", types=None)
    project.model("second", ON_FIRST, f"materialized='{second}'", types=None)
    project.model("fact", ON_SECOND)


def fingerprint(project: Small, **given: Any) -> str:
    """Return what changes with the SELECT of the fact."""
    return compile_fact(project.compile(**given).project, "fact").select_fingerprint


@pytest.mark.parametrize("second", ["ephemeral", "view", "table"])
@pytest.mark.parametrize("first", ["ephemeral", "view", "incremental"])
def test_models_between_are_inlined_however_they_are_materialized(project: Small, first: str, second: str) -> None:
    """A fact is the same SELECT on its sources, whatever dbt makes of the models that it reads."""
    project.model("fact", ALONE)
    alone = fingerprint(project)
    chain(project, first, second)
    assert fingerprint(project) == alone


def test_a_model_is_defined_before_those_that_read_it(project: Small) -> None:
    """Each once, in the order in which SQL needs them, and the fact's own CTEs after them."""
    chain(project, "ephemeral", "view")
    project.model("fact", OWN)
    sql = project.compile().project.selects["fact"].sql
    definitions = ("__dbt__cte__first AS (", "__dbt__cte__second AS (", "own AS (", "SELECT\n  w")
    places = [sql.index(definition) for definition in definitions]
    assert places == sorted(places)
    assert sql.count(" AS (") == 3


def test_an_ephemeral_model_keeps_apart_from_a_cte_of_its_name(project: Small) -> None:
    """A CTE hides no model: the CTE `first` of the fact is not the model `first`."""
    chain(project, "ephemeral", "ephemeral")
    hiding = "WITH first AS (SELECT s.id, s.n + 1 AS n FROM {{ ref('first') }} AS s) SELECT f.id, f.n FROM first AS f"
    project.model("fact", hiding)
    hidden = fingerprint(project)
    project.model("fact", hiding.replace("first AS", "other AS", 1).replace("FROM first", "FROM other"))
    assert fingerprint(project) == hidden


def test_models_of_one_name_in_two_packages_are_told_apart(project: Small) -> None:
    """As CTEs, and as facts, each has its package's name before its own."""
    chain(project, "view", "view")
    manifest = project.manifest()
    nodes = manifest["nodes"]
    packaged = {
        **nodes["model.small.first"],
        "unique_id": "model.other.first",
        "package_name": "other",
        "relation_name": '"dev"."elsewhere"."first"',
        "compiled_code": 'SELECT o.id, o.n FROM "dev"."live"."orders" AS o WHERE o.n > 5',
    }
    fact = {**nodes["model.small.fact"], "unique_id": "model.other.fact", "package_name": "other"}
    nodes |= {packaged["unique_id"]: packaged, fact["unique_id"]: {**fact, "relation_name": '"dev"."elsewhere"."fact"'}}
    nodes["model.small.second"]["depends_on"]["nodes"].append("model.other.first")
    nodes["model.small.second"]["compiled_code"] += ' AND f.id IN (SELECT x.id FROM "dev"."elsewhere"."first" AS x)'
    compiled = project.compile(manifest=manifest).project
    assert list(compiled.facts) == ["other__fact", "small__fact"]
    sql = compiled.selects["small__fact"].sql
    first, other = sql.index("__dbt__cte__small__first AS ("), sql.index("__dbt__cte__other__first AS (")
    second = sql.index("__dbt__cte__second AS (")
    assert max(first, other) < second
    assert "o.n > 0" in sql[first : min(other, second) if other > first else second]
    assert "o.n > 5" in sql[other : first if first > other else second]


def test_a_part_that_names_its_table_in_full_is_found(project: Small) -> None:
    """A column may be written with the schema of its table, which has another alias once models are inlined."""
    project.model("fact", 'SELECT live.orders.id, orders.n FROM "dev"."live"."orders"')
    sql = project.compile().project.selects["fact"].sql
    assert "orders.id" in sql
    assert "live.orders.id" not in sql


def test_what_is_written_is_what_was_compiled(project: Small) -> None:
    """The folder, read again, has the facts, their columns and their SELECTs."""
    chain(project, "ephemeral", "view")
    compiled = project.compile("fact")
    compiled.write()
    loaded = load_project(project.path)
    assert loaded.fingerprint == compiled.project.fingerprint
    assert (loaded.select, loaded.models) == (("fact",), compiled.project.models)
    assert set(loaded.models) == {f"models/{name}.sql" for name in ("fact", "first", "second")}
    assert compile_fact(loaded, "fact").select_fingerprint == fingerprint(project)
    assert compiled.stale() == []


def test_descriptions_of_sources_and_facts_are_kept(project: Small) -> None:
    """What dbt's YAML says of them is in the dictionary, and no part of what a fact is built by."""
    project.model("fact", SELECT, "unique_key='id'")
    silent = project.compile("fact")
    assert silent.dictionary.descriptions == {"sources": {}, "facts": {}}
    project.sources(table("orders", description=" What was ordered. "))
    described = {"name": "fact", "columns": columns(ROW), "description": "One row is an order."}
    project.write("models/fact.yml", {"models": [described]})
    told = project.compile("fact")
    told.write()
    assert load_dictionary(told.project.dictionary_path) == told.dictionary
    assert told.dictionary.descriptions == {
        "sources": {"orders": "What was ordered."},
        "facts": {"fact": "One row is an order."},
    }
    assert told.project.fingerprint == silent.project.fingerprint


def test_a_select_that_would_be_read_as_another_is_not_written(project: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written is read again, and compared with what dbt has compiled."""
    monkeypatch.setattr(compilation, "SELECT_HEADER", "-- {}\nSELECT o.id, o.id AS n FROM live.orders AS o UNION ALL\n")
    project.model("fact", SELECT, "unique_key='id', meta={'cdc': {'maintenance': 'full'}}")
    with pytest.raises(ProjectError, match=r"fact\.sql: is written into .*cdc/facts/fact\.sql as another SELECT"):
        project.compile("fact")


def test_an_edited_model_between_is_found(project: Small) -> None:
    """Dbt must compile again whichever model was edited, but for those that no fact reads."""
    chain(project, "view", "view")
    project.model("unread", SELECT, "materialized='view'", types=None)
    manifest = project.manifest()
    (project.path / "models" / "unread.sql").write_text("SELECT 1")
    assert project.compile("fact", manifest=manifest).project.facts
    (project.path / "models" / "first.sql").write_text(SELECT)
    with pytest.raises(ProjectError, match=r"models/first\.sql: was edited after dbt had compiled it"):
        project.compile("fact", manifest=manifest)


def test_the_place_of_what_is_in_the_way_is_in_the_model_that_has_it(project: Small) -> None:
    """A line in the file that dbt has compiled, of the model between and not of the fact."""
    chain(project, "view", "view")
    project.model("first", f"\n{SELECT}\nWHERE o.n > RANDOM()", "materialized='view'", types=None)
    with pytest.raises(UnsupportedQuery, match=r"target/compiled/small/models/first\.sql, line 4: RANDOM\(\)"):
        project.compile("fact")


def test_a_snapshot_is_no_way_to_the_sources(project: Small) -> None:
    """What stands behind it is not tracked for the fact, which is refused where it reads it."""
    manifest = project.manifest()
    snapshot = {**manifest["nodes"]["model.small.fact"], "resource_type": "snapshot", "unique_id": "snapshot.small.s"}
    snapshot |= {"name": "s", "alias": "s", "relation_name": '"dev"."facts"."s"', "original_file_path": "s.sql"}
    manifest["nodes"]["snapshot.small.s"] = snapshot
    fact = manifest["nodes"]["model.small.fact"]
    fact["depends_on"]["nodes"] = ["snapshot.small.s"]
    fact["compiled_code"] = 'SELECT s.id, s.n FROM "dev"."facts"."s" AS s'
    with pytest.raises(UnsupportedQuery, match="the snapshot s can not be read"):
        project.compile("fact", manifest=manifest)

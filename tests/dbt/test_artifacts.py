from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.dbt.artifacts import read_artifacts
from surgical_cdc.errors import ProjectError
from tests.support.small import CDC, Small, small, table

if TYPE_CHECKING:
    from pathlib import Path

FACT, ORDERS = "model.small.fact", "source.small.live.orders"


@pytest.fixture
def project(tmp_path: Path) -> Small:
    """A project that has one source and one fact."""
    return small(tmp_path)


def written(project: Small, manifest: dict[str, Any]) -> Path:
    """Write the manifest, and return the project's folder."""
    project.write("target/manifest.json", manifest)
    return project.path


@pytest.mark.parametrize("version", [12, 20])
def test_each_known_version_of_the_manifest_is_read(project: Small, version: int) -> None:
    """The few fields that are read are the same in the versions of dbt 1.8 to 1.12, and of dbt 2."""
    manifest = project.manifest()
    manifest["metadata"]["dbt_schema_version"] = f"https://schemas.getdbt.com/dbt/manifest/v{version}.json"
    artifacts = read_artifacts(written(project, manifest))
    assert artifacts.project_name == "small"
    assert artifacts.row_key(artifacts.nodes[FACT]) == ("id",)
    assert artifacts.sources[ORDERS].cdc == CDC


def test_what_no_fact_is_made_of_is_not_looked_at(project: Small) -> None:
    """Tests, analyses and whatever dbt may add have other fields, and stand in the way of nothing."""
    manifest = project.manifest()
    manifest["nodes"]["test.small.unique_fact_id"] = {"resource_type": "test", "language": ["?"]}
    manifest["nodes"]["operation.small.hook"] = {"resource_type": "operation"}
    manifest |= {"semantic_models": {"x": 1}, "unit_tests": [1]}
    assert list(read_artifacts(written(project, manifest)).nodes) == [FACT]


def test_a_field_without_a_value_is_as_if_it_were_not_there(project: Small) -> None:
    """A manifest has null for much that a project does not say."""
    manifest = project.manifest()
    manifest["nodes"][FACT] |= {"primary_key": None, "columns": None, "compiled_path": None, "depends_on": None}
    manifest["nodes"][FACT]["config"] |= {"unique_key": None, "meta": None, "tags": None, "sort": None}
    artifacts = read_artifacts(written(project, manifest))
    node = artifacts.nodes[FACT]
    assert (artifacts.row_key(node), node.columns, node.config.meta, node.config.tags) == ((), {}, {}, [])


@pytest.mark.parametrize(
    ("unique_key", "primary_key", "row_key"),
    [
        pytest.param("id", ["n"], ("id",), id="unique_key"),
        pytest.param(["id"], [], ("id",), id="list"),
        pytest.param(["id", "n"], [], ("id", "n"), id="two columns"),
        pytest.param(None, ["n"], ("n",), id="inferred"),
        pytest.param([], ["n"], ("n",), id="empty"),
        pytest.param(None, [], (), id="none"),
    ],
)
def test_the_row_key_is_the_unique_key_else_what_dbt_infers(
    project: Small, unique_key: object, primary_key: list[str], row_key: tuple[str, ...]
) -> None:
    """A model's own word wins over that of its tests and constraints."""
    manifest = project.manifest()
    manifest["nodes"][FACT] |= {"primary_key": primary_key}
    manifest["nodes"][FACT]["config"]["unique_key"] = unique_key
    artifacts = read_artifacts(written(project, manifest))
    assert artifacts.row_key(artifacts.nodes[FACT]) == row_key


def test_one_column_that_is_tested_is_the_row_key_where_dbt_lists_several(project: Small) -> None:
    """Dbt lists each column that is unique by itself, and its version 1.8 none."""
    manifest = project.manifest()
    manifest["nodes"][FACT] |= {"primary_key": ["id", "n"]}
    manifest["nodes"][FACT]["config"]["unique_key"] = None
    for number, name in enumerate(("unique", "not_null")):
        manifest["nodes"][f"test.small.{number}"] = {
            "resource_type": "test",
            "depends_on": {"nodes": [FACT]},
            "column_name": "n",
            "test_metadata": {"name": name},
        }
    artifacts = read_artifacts(written(project, manifest))
    assert artifacts.row_key(artifacts.nodes[FACT]) == ("n",)


def test_columns_that_are_tested_to_be_unique_together_are_the_row_key(project: Small) -> None:
    """Dbt lists them in the order of the alphabet, and its version 1.8 not at all."""
    manifest = project.manifest()
    manifest["nodes"][FACT] |= {"primary_key": []}
    manifest["nodes"][FACT]["config"]["unique_key"] = None
    manifest["nodes"]["test.small.together"] = {
        "resource_type": "test",
        "depends_on": {"nodes": [FACT]},
        "column_name": None,
        "test_metadata": {
            "name": "unique_combination_of_columns",
            "kwargs": {"model": "{{ get_where_subquery(ref('fact')) }}", "combination_of_columns": ["N", "id"]},
        },
    }
    artifacts = read_artifacts(written(project, manifest))
    assert artifacts.row_key(artifacts.nodes[FACT]) == ("n", "id")


def test_settings_of_a_source_are_merged_over_those_of_its_group(project: Small) -> None:
    """What is said once for many tables holds for each, key by key, until a table says something else."""
    described = [
        table("orders", config={"meta": {"cdc": {"delete_when": "n < 0", "key": "code"}}}),
        table("lines", config={}),
    ]
    project.sources(*described, config={"meta": {"cdc": CDC}})
    project.sources(table("plain", config={}), group="other")
    sources = read_artifacts(written(project, project.manifest())).sources
    assert sources[ORDERS].cdc == {**CDC, "delete_when": "n < 0", "key": "code"}
    assert sources["source.small.live.lines"].cdc == CDC
    assert sources["source.small.other.plain"].cdc is None


def test_a_project_need_not_have_a_catalog(project: Small) -> None:
    """Without `dbt docs generate` there is none; with it both nodes and sources are in it."""
    path = written(project, project.manifest())
    assert read_artifacts(path).catalog == {}
    project.catalog({ORDERS: {"id": "bigint"}, FACT: {"n": "integer"}})
    assert set(read_artifacts(path).catalog) == {ORDERS, FACT}


def test_an_error_names_the_version_and_the_field(project: Small) -> None:
    """Where another dbt writes other fields, one knows which, in which manifest, and what to do."""
    manifest = project.manifest()
    manifest["nodes"][FACT]["config"]["tags"] = "daily"
    with pytest.raises(ProjectError) as raised:
        read_artifacts(written(project, manifest))
    assert str(raised.value) == (
        f"{project.path}/target/manifest.json: v12: nodes.{FACT}: config.tags: expected a valid list, found str."
        " Compile the project with `dbt compile --full-refresh`."
    )

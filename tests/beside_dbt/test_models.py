"""The shape of the project under include/sql, without a database."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import sqlglot
import yaml
from sqlglot import exp

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.compiler.fact_query import DIALECT
from surgical_cdc.contract.project import DEFAULT_PROJECT, Project
from surgical_cdc.dbt.artifacts import Artifacts, Node, read_artifacts
from tests.support.manifests import write_manifest

ROOT = DEFAULT_PROJECT.parents[1]
FACTS = (
    "fact_company_profile",
    "fact_financial",
    "fact_geography",
    "fact_onboarding",
    "fact_relationship",
    "fact_vendor",
)
LABELLED = ("int_vendor_mappings", "fact_relationship", "fact_onboarding")


def models_in(folder: str) -> list[Path]:
    """Return the model files of a folder by name."""
    return sorted((DEFAULT_PROJECT / "models" / folder).glob("*.sql"))


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    """The models as dbt compiles them."""
    folder = tmp_path_factory.mktemp("vendors") / "sql"
    shutil.copytree(DEFAULT_PROJECT, folder)
    write_manifest(folder)
    return read_artifacts(folder)


def node(artifacts: Artifacts, model: str) -> Node:
    """Return a model."""
    return artifacts.nodes[f"model.vendor_facts.{model}"]


def parsed(artifacts: Artifacts, model: str) -> exp.Select:
    """Return a model's own query, without those of the models that it reads."""
    query = sqlglot.parse_one(node(artifacts, model).compiled_code or "", read=DIALECT)
    assert isinstance(query, exp.Select)
    query.set("with_", None)
    return query


def test_sources_have_the_columns_of_the_upstream(project: Project) -> None:
    """The contract has 12 tables with 359 columns, and the three whose columns are all known have their number."""
    widths = {name: len(source.columns) for name, source in project.sources.items()}
    assert len(widths) == 12
    assert sum(widths.values()) == 359
    assert (widths["companies"], widths["buyer_seller_company_mappings"], widths["users"]) == (45, 14, 42)


def test_sources_have_key_cursor_and_creation(project: Project) -> None:
    """Every source is keyed by id and says when a row was created and changed."""
    for source in project.sources.values():
        assert (source.key, source.cursor, source.created) == (("id",), "updated_at", "created_at"), source.name
        assert source.column("id").data_type == "bigint", source.name
        assert {source.column(name).data_type for name in ("created_at", "updated_at")} == {"timestamp"}, source.name


def test_layers_have_their_models(project: Project) -> None:
    """There is a staging model for each source, and 9 intermediate models stand between them and the 6 facts."""
    assert [file.stem for file in models_in("staging")] == sorted(f"stg_{name}" for name in project.sources)
    assert len(models_in("intermediate")) == 9
    assert tuple(file.stem for file in models_in("marts")) == FACTS == tuple(sorted(project.facts))


def test_staging_models_pass_every_column_of_their_source(project: Project, artifacts: Artifacts) -> None:
    """A staging model is a list of its source's columns, in order, some renamed, none computed or left out."""
    for source in project.sources.values():
        query = parsed(artifacts, f"stg_{source.name}")
        assert [column.unalias().name for column in query.selects] == list(source.column_names), source.name
        assert all(isinstance(column.unalias(), exp.Column) for column in query.selects), source.name


def test_only_staging_models_read_sources(artifacts: Artifacts) -> None:
    """Intermediate models and facts read models, so that a source has one place where its columns get their names."""
    for file in [*models_in("intermediate"), *models_in("marts")]:
        read = node(artifacts, file.stem).depends_on.nodes
        assert read, file.name
        assert [name for name in read if not name.startswith("model.")] == [], file.name


def test_every_model_is_read_by_a_fact(artifacts: Artifacts) -> None:
    """No model stands about unused."""
    read = {name for model in artifacts.nodes.values() for name in model.depends_on.nodes}
    assert read & artifacts.nodes.keys() == artifacts.nodes.keys() - {f"model.vendor_facts.{name}" for name in FACTS}


def test_fact_vendor_has_75_columns(project: Project) -> None:
    """fact_vendor is as wide as analysts know it."""
    assert len(project.facts["fact_vendor"].columns) == 75


@pytest.mark.parametrize("name", FACTS)
def test_facts_declare_the_columns_they_select(project: Project, artifacts: Artifacts, name: str) -> None:
    """The contract of a fact lists the columns of its SELECT, in the same order."""
    query = parsed(artifacts, name)
    assert query.named_selects == list(project.facts[name].column_names)


@pytest.mark.parametrize("name", FACTS)
def test_facts_resolve_to_columns_of_sources(project: Project, name: str) -> None:
    """With all models inlined a fact reads nothing but baselines, each column of which is in the contract."""
    relations = {source.relation for source in project.sources.values()}
    tables = {f"{table.db}.{table.name}" for table in compile_fact(project, name).query.find_all(exp.Table)}
    assert tables
    assert tables <= relations


@pytest.mark.parametrize("name", FACTS)
def test_facts_do_not_read_the_cursor(project: Project, name: str) -> None:
    """A fact that shows updated_at would have to be touched by every change of every column."""
    read = {column.name for column in compile_fact(project, name).query.find_all(exp.Column)}
    assert read
    assert "updated_at" not in read


@pytest.mark.parametrize("name", FACTS)
def test_facts_are_laid_out_by_row_key_and_anchor(project: Project, name: str) -> None:
    """Apply finds rows by the anchor and by the row key; both are sort keys."""
    fact = project.facts[name]
    assert {*fact.unique_key, fact.anchor} <= set(fact.sort)


def test_sort_keys_are_the_join_columns(project: Project) -> None:
    """A source is sorted by its key and by the columns by which facts reach it, no others."""
    joined = {name: {*source.key} for name, source in project.sources.items()}
    for name in FACTS:
        for select in compile_fact(project, name).query.find_all(exp.Select):
            for join in select.args.get("joins") or []:
                for equality in join.args["on"].find_all(exp.EQ):
                    for side in (equality.left, equality.right):
                        source, column = origin(select, side)
                        joined[source].add(column)
    assert {name: set(source.sort) for name, source in project.sources.items()} == joined


def origin(select: exp.Select, column: exp.Expression) -> tuple[str, str]:
    """Return the source and its column that a column of a SELECT is, down through derived tables."""
    assert isinstance(column, exp.Column)
    joins = [join.this for join in select.args.get("joins") or []]
    relations = {relation.alias_or_name: relation for relation in [select.args["from_"].this, *joins]}
    relation = relations[column.table]
    if isinstance(relation, exp.Table):
        return relation.name, column.name
    inner = relation.this
    (projection,) = [projection for projection in inner.selects if projection.alias_or_name == column.name]
    return origin(inner, projection.unalias())


def test_labels_of_the_joining_status_agree(artifacts: Artifacts) -> None:
    """The status of a mapping is called the same in every fact that shows it."""

    def labels(model: str) -> dict[str, str]:
        cases = [case for case in parsed(artifacts, model).find_all(exp.Case) if "Joined" in case.sql()]
        (case,) = cases
        return {branch.this.name: branch.args["true"].name for branch in case.args["ifs"]} | {
            "else": case.args["default"].name
        }

    expected = labels(LABELLED[0])
    assert len(expected) == 7
    assert [labels(model) for model in LABELLED[1:]] == [expected, expected]


def test_client_company_is_one_setting() -> None:
    """The id of the client company is written in dbt_project.yml, and else where dbt has put it."""
    client = str(yaml.safe_load((DEFAULT_PROJECT / "dbt_project.yml").read_text())["vars"]["client_company_id"])
    folders = [ROOT / name for name in ("dags", "demo", "include", "local_stack", "packages", "plugins")]
    files = [
        file
        for folder in folders
        for file in folder.rglob("*")
        if file.suffix in {".py", ".sql", ".yaml", ".yml"} and not {"target", "logs", "cdc"} & set(file.parts)
    ]
    found = [file for file in files if re.search(rf"\b{client}\b", file.read_text())]
    assert found == [DEFAULT_PROJECT / "dbt_project.yml"]

"""Another project through Airflow: a lending library whose DAG is ten lines, and the lineage that its runs emit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.contract.project import Project, load_project
from surgical_cdc.dictionary import EVERY_COLUMN, load_dictionary
from surgical_cdc.steps.verify import compare
from tests.conftest import ROOT, Site, at
from tests.dag.conftest import DAGS, DagUnderTest
from tests.support.library import RUN_DAG, seeded

if TYPE_CHECKING:
    from local_stack import LocalStack


@pytest.fixture
def library(site: Callable[[Project], Site], library_project: Path) -> Site:
    """The library with its seeds staged."""
    return seeded(site(load_project(library_project)))


def test_a_project_of_its_own_runs_by_ten_lines(stack: LocalStack, library: Site) -> None:
    """The first run builds the facts from what the seeds have staged, the next follows a change; both are right."""
    code = (DAGS / "library_cdc.py").read_text().splitlines()
    assert len([line for line in code if line]) <= 10
    dag = DagUnderTest(stack, "library_cdc")
    _, state = dag.run()
    assert state == "success"
    assert len(library.table("dev_library_facts.fact_loan", "loan_no")) == 6
    library.stage("books", {"isbn": "9780000000028", "title": "Longer Poems", "genre": "poetry", "updated_at": at(1)})
    run_id, state = dag.run()
    assert state == "success"
    updated = {fact: result["updated"] for fact, result in dag.group(run_id, "update").items()}
    assert updated == {"fact_loan": 1, "fact_reader": 0, "fact_title": 1}
    assert_right(library)


def assert_right(library: Site) -> None:
    """Compare all facts with their SELECTs run in full."""
    with library.warehouse.transaction():
        assert all(compare(library.project, fact, library.warehouse).equal for fact in library.project.facts)


@pytest.fixture
def events(stack: LocalStack, library: Site, tmp_path: Path) -> list[dict[str, Any]]:
    """The OpenLineage events of a run of the library's DAG, as the provider writes them into a file."""
    file = tmp_path / "events.jsonl"
    environment = stack.environment | {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps({"type": "file", "log_file_path": str(file), "append": True}),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "PYTHONPATH": f"{DAGS}:{ROOT / 'plugins'}",
    }
    done = subprocess.run([sys.executable, "-c", RUN_DAG], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_right(library)
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_column_lineage_of_every_fact_is_emitted(library: Site, events: list[dict[str, Any]]) -> None:
    """With a transport configured, each update tells its fact, its sources, and what each column comes from."""
    outputs = {
        output["name"]: (event, output)
        for event in events
        if event["eventType"] == "COMPLETE"
        for output in event["outputs"]
    }
    dictionary = load_dictionary(library.project.dictionary_path)
    names = {f"dev.{source.relation}": source.name for source in library.project.sources.values()}
    assert outputs.keys() == {f"dev.{fact.relation}" for fact in library.project.facts.values()}
    for fact in library.project.facts.values():
        event, output = outputs[f"dev.{fact.relation}"]
        assert event["job"]["name"] == f"library_cdc.update.{fact.name}"
        assert output["namespace"].startswith("redshift://")
        assert {names[given["name"]] for given in event["inputs"]} == set(dictionary.feeding(fact.name))
        lineage = output["facets"]["columnLineage"]
        deciding = {(names[given["name"]], given["field"]) for given in lineage["dataset"]}
        direct = {
            (names[given["name"]], given["field"], column)
            for column, fed in lineage["fields"].items()
            for given in fed["inputFields"]
        }
        assert deciding == {
            (source, column)
            for source, columns in dictionary.feeds.items()
            for column, facts in columns.items()
            if facts.get(fact.name) == EVERY_COLUMN
        }
        assert {fed for fed in direct if fed[:2] not in deciding} == {
            (source, column, name)
            for source, columns in dictionary.feeds.items()
            for column, facts in columns.items()
            if facts.get(fact.name, EVERY_COLUMN) != EVERY_COLUMN
            for name in facts[fact.name]
        }
    readers = outputs["dev.dev_library_facts.fact_reader"][1]["facets"]["columnLineage"]["fields"]
    assert [given["field"] for given in readers["novel_loans"]["inputFields"]] == ["genre"]

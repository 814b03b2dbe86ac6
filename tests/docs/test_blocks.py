"""What stands in the other blocks of the documents can be read, and does what the page says."""

from __future__ import annotations

import ast
import json
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlglot
import yaml
from pydantic import TypeAdapter

from surgical_cdc.dag.alerts import Target
from tests.conftest import PROJECTS, ROOT
from tests.docs.pages import PAGES, Block, blocks
from tests.support.compiled import compiled

OWN_PROJECT = ROOT / "docs" / "tutorials" / "your_own_project.md"
READ: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "python": ast.parse,
    "sql": lambda text: sqlglot.parse(text.replace("{{ ", "").replace(" }}", ""), dialect="redshift"),
    "yaml": yaml.safe_load,
}
# Commands are run by test_commands, the example by test_example; mermaid is written by programs.
ELSEWHERE = {"bash", "console", "mermaid", ""}
BLOCKS = [block for page in PAGES for block in blocks(page)]


def place(block: Block) -> str:
    """Where a block stands."""
    return f"{block.page.name}, line {block.first}"


def text(block: Block) -> str:
    """Return a block as it is, without the indent of a list around it."""
    lines = block.page.read_text().splitlines()[block.first - 1 :][: len(block.lines)]
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:] for line in lines)


def of_language(page: Path, language: str) -> list[str]:
    """Return the blocks of a page in one language."""
    return [text(block) for block in blocks(page) if block.language == language]


def test_every_block_is_tried() -> None:
    """No block is in a language that no test knows, as one of commands in `sh` would be."""
    assert {block.language for block in BLOCKS} - ELSEWHERE - READ.keys() == set()


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language in READ], ids=place)
def test_a_block_can_be_read(block: Block) -> None:
    """YAML, JSON, Python and SQL are what they say."""
    assert READ[block.language](text(block))


def test_the_alerts_are_targets() -> None:
    """The example of the Variable has one of each kind."""
    (example,) = of_language(ROOT / "docs" / "how-to" / "deploy.md", "json")
    targets = TypeAdapter(list[Target]).validate_python(json.loads(example))
    assert [target.via for target in targets] == ["smtp", "sns", "apprise"]


def test_the_yaml_of_a_project_makes_a_source_and_a_fact(tmp_path: Path) -> None:
    """The tutorial's source and fact, with a SELECT from the one for the other, are a project."""
    shutil.copytree(PROJECTS / "shop" / "sql", tmp_path / "sql", ignore=shutil.ignore_patterns("sources", "marts"))
    for number, example in enumerate(of_language(OWN_PROJECT, "yaml")):
        (tmp_path / "sql" / "models" / f"{number}.yml").write_text(example)
    (tmp_path / "sql" / "models" / "fact_order.sql").write_text(
        "{{ config(materialized='table') }} SELECT c.customer_id AS order_id, c.name AS customer_name"
        " FROM {{ source('shop_raw', 'customers') }} AS c"
    )
    project = compiled(tmp_path / "sql", select=["fact_order"])
    assert (list(project.sources), list(project.facts)) == (["customers"], ["fact_order"])
    assert project.sources["customers"].cursor == "changed_at"


def test_the_file_of_a_dag_makes_one(tmp_path: Path) -> None:
    """The tutorial's ten lines, beside the bookshop, are its DAG."""
    (example,) = of_language(OWN_PROJECT, "python")
    shutil.copytree(PROJECTS / "shop", tmp_path / "shop")
    (tmp_path / "shop_cdc.py").write_text(example)
    dag = runpy.run_path(str(tmp_path / "shop_cdc.py"))["dag"]
    assert "update.fact_order" in dag.task_ids
    assert [word for word in ("airflow", "dag") if word not in example.lower()] == []


def test_the_readme_is_one_screen() -> None:
    """Everything else is in docs/."""
    assert len((ROOT / "README.md").read_text().splitlines()) < 90

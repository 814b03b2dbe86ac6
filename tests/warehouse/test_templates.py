from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from surgical_cdc.errors import ProjectError
from surgical_cdc.warehouse.templates import TEMPLATES, render, table_name
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_every_template_is_used_and_every_used_one_exists() -> None:
    """No SQL lies about that nothing runs, and none is missing."""
    code = "\n".join(file.read_text() for file in (ROOT / "plugins" / "surgical_cdc").rglob("*.py"))
    used = set(re.findall(r'render\(\s*"(\w+)"', code))
    assert used == {file.stem for file in TEMPLATES.glob("*.sql")}


@pytest.mark.parametrize("template", [pytest.param(file, id=file.stem) for file in sorted(TEMPLATES.glob("*.sql"))])
def test_template_begins_with_its_purpose(template: Path) -> None:
    """Whoever reads a task's SQL is told first what the statement is for."""
    assert re.match(r"-- [A-Z][^\n]+[.:,]?\n", template.read_text())


def test_value_that_is_not_given_is_an_error() -> None:
    """A template that reads a name which the code does not give can not be rendered to something else."""
    with pytest.raises(ProjectError, match=r"drop_tables.sql can not be rendered: 'relations' is undefined"):
        render("drop_tables")


def test_names_are_quoted() -> None:
    """A column or table may have a name that Redshift reserves, whether a list of ours has it or not."""
    assert render("drop_tables", relations=["public.connect"]).endswith('DROP TABLE IF EXISTS "public"."connect"')
    assert table_name("public.tag") == '"tag"'

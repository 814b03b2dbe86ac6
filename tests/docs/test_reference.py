"""The pages of reference leave nothing out, and name nothing that is not there."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import pytest
import typer

from surgical_cdc.cli.commands import app
from surgical_cdc.contract.project import load_project
from surgical_cdc.contract.tables import Retention
from surgical_cdc.dag import cdc_dag, refresh_dag, undo_dag, verify_dag
from surgical_cdc.dag.alerts import Apprise, Smtp, Sns
from surgical_cdc.dag.form import cycle_fields, fact_fields, undo_fields
from surgical_cdc.dbt.declared import FactMeta, SourceMeta
from surgical_cdc.dbt.settings import Settings
from surgical_cdc.dictionary import load_dictionary
from surgical_cdc.warehouse.schema import CONTROL_TABLES, KEPT_COLUMNS
from tests.conftest import ROOT

REFERENCE = ROOT / "docs" / "reference"
NAME = re.compile(r"`([^`]+)`")
# Of the tables, in their first cell.
HEADS = tuple(f"| {word}" for word in ("command", "option", "column", "table", "key", "metric"))
# What every command takes is said once.
COMMON = {"--project", "--conn-id"}


def rows(page: str, heading: str) -> Iterator[list[str]]:
    """Yield the cells of the tables in a section, without their heads."""
    _, _, section = (REFERENCE / page).read_text().partition(f"\n## {heading}")
    assert section, f"{page} has no section {heading}"
    for line in section.partition("\n## ")[0].splitlines():
        if line.startswith("| ") and not line.startswith(HEADS):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def names(page: str, heading: str, cell: int = 0) -> list[str]:
    """Return the names in a cell of each row."""
    return [name for row in rows(page, heading) for name in NAME.findall(row[cell])]


def options() -> dict[str, set[str]]:
    """Return the options of each command of the engine."""
    group = typer.main.get_command(app)
    commands: dict[str, typer.core.TyperCommand] = group.commands  # type: ignore[attr-defined]
    return {
        name: {option for parameter in command.params for option in parameter.opts if option.startswith("--")} - COMMON
        for name, command in commands.items()
    }


def test_every_command_and_option_is_described() -> None:
    """Each command has a line, and each option one that says whose it is."""
    listed = [name.split()[0] for name in names("commands.md", "surgical-cdc")]
    described = [(row[0], NAME.findall(row[1])) for row in rows("commands.md", "surgical-cdc") if "`--" in row[0]]
    by_option = {(NAME.findall(option)[0].split()[0], owner) for option, owners in described for owner in owners}
    assert {name for name in listed if not name.startswith("--")} == options().keys()
    assert by_option == {(option, name) for name, found in options().items() for option in found}


def test_every_target_of_make_is_described() -> None:
    """The list of `make` commands is that of the Makefile."""
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    assert {name.split()[1] for name in names("commands.md", "make") if name.startswith("make ")} == {*phony[1].split()}


@pytest.mark.parametrize("table", ["runs", "run_sources", "run_facts", "lease"])
def test_every_column_of_a_control_table_is_described(table: str) -> None:
    """Each column stands in its place, with its type."""
    described = [(name, row[1]) for row in rows("control_tables.md", table) for name in NAME.findall(row[0])]
    assert [name for name, _ in described] == list(CONTROL_TABLES[table])
    assert {name: kind for name, kind in described if kind and kind != CONTROL_TABLES[table][name]} == {}


def test_every_control_table_is_described() -> None:
    """The small tables are there too, and what is added to quarantined rows."""
    text = (REFERENCE / "control_tables.md").read_text()
    for table, columns in CONTROL_TABLES.items():
        assert f"`{table}`" in text or f"\n## {table}" in text
        assert [name for name in columns if f"`{name}`" not in text] == []
    assert [column.name for column in KEPT_COLUMNS if f"`{column.name}`" not in text] == []


def test_every_setting_is_described() -> None:
    """`vars`, the keys of `meta: cdc:`, the arguments of the DAGs and the keys of alerts are those of the code."""
    retention = set(Retention.model_fields)
    variables = {str(field.alias) for field in Settings.model_fields.values()}
    assert {name for name in names("settings.md", "A project") if name.startswith("cdc_")} == variables
    assert retention <= set(names("settings.md", "A project", 2))
    assert set(names("settings.md", "A source")) == set(SourceMeta.model_fields)
    cdc = {f"meta.cdc.{name}" for name in FactMeta.model_fields}
    assert set(names("settings.md", "A fact")) == {"unique_key", "dist", "sort", "grants", *cdc}
    arguments = {
        name for dag in (cdc_dag, refresh_dag, undo_dag, verify_dag) for name in inspect.signature(dag).parameters
    }
    assert set(names("settings.md", "A DAG")) == arguments - {"dag_arguments"}
    for target in (Smtp, Sns, Apprise):
        (row,) = [row for row in rows("settings.md", "Alerts") if row[0] == f"`{target.__name__.lower()}`"]
        assert set(NAME.findall(row[1])) - {"all"} == target.model_fields.keys() - {"via"}


def test_every_field_of_the_trigger_forms_is_described() -> None:
    """The fields stand in the forms' order, with their titles."""
    fields = {**cycle_fields(load_dictionary(load_project().dictionary_path)), **undo_fields(), **fact_fields([])}
    described = {names[0]: row[0] for row in rows("dag.md", "Trigger forms") if (names := NAME.findall(row[0]))}
    assert list(described) == list(fields)
    assert all(str(field.schema["title"]) in described[name] for name, field in fields.items())

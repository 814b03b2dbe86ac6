"""Every command of the documents is run here, or is on a list of those that something else runs."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redshift_connector
import yaml
from airflow.cli.cli_parser import get_parser
from typer.testing import CliRunner

from surgical_cdc.cli.commands import app
from surgical_cdc.contract.project import load_project
from surgical_cdc.warehouse.connection import session
from tests.conftest import PROJECTS, ROOT, clear
from tests.docs.pages import PAGES, Command, commands
from tests.support.manifests import write_manifest

if TYPE_CHECKING:
    from local_redshift import LocalRedshift

VENDORS = Path(__file__).parent / "vendors"
AIRFLOW = "tests/dag/test_vendor_cdc.py::test_a_run_brings_the_changes_of_its_window_into_the_facts"
INSTALLS = "it installs packages"
# What is not run here: a file or test that runs it, or what it starts, and why it is not run here.
ELSEWHERE = {
    "airflow backfill create": (
        "tests/dag/test_vendor_cdc.py::test_a_backfill_beside_a_run_waits_for_the_lease",
        "it needs an Airflow that runs; its words are read by Airflow's own parser here",
    ),
    ".venv/bin/python -m pip wheel": (
        "tests/test_distributions.py::test_wheels_hold_packages_and_statements_alone",
        "it takes a while, and is built there in another folder",
    ),
    ".venv/bin/python -m deploy mwaa": (
        "tests/airflow_versions/test_mwaa.py::test_only_what_a_run_reads_is_uploaded",
        "it is written there from another project, and run",
    ),
    ".venv/bin/python -m deploy astronomer": (
        "tests/airflow_versions/test_astronomer.py::test_an_astro_project_has_what_the_cli_looks_for",
        "it is written there from another project, and run",
    ),
    "docker compose": (
        "tests/compose/test_services.py::test_the_first_run_under_celery_builds_all_facts",
        "it needs Docker; that test starts each service without it",
    ),
    "make acceptance": (
        "tests/test_acceptance_run.py::test_acceptance_run_leaves_nothing_behind",
        "it takes minutes; with CONN it needs a cluster",
    ),
    "make benchmark": ("benchmarks/__main__.py", "it takes minutes, and is run by hand"),
    "make constraints": ("tests/test_packaging.py::test_constraints_agree_with_the_pins", "it asks the package index"),
    "make demo": (AIRFLOW, "it starts an Airflow"),
    "make dictionary": (
        "tests/beside_dbt/test_manifests.py::test_the_committed_folder_is_that_of_dbt",
        "it writes into the repository",
    ),
    "make lint": (".ci/run", INSTALLS),
    "make run": (AIRFLOW, "it starts an Airflow, and ends with Ctrl-C"),
    "make statements": ("tests/grammar/test_check.py", "it takes minutes"),
    "make test": (".ci/run", INSTALLS),
    "make test-fast": (".ci/run", "its tests are a part of `make test`"),
    "python -m benchmarks.detections": ("benchmarks/detections.py", "it takes minutes, and is run by hand"),
    "python -m benchmarks.latency": ("benchmarks/latency.py", "it takes minutes, and is run by hand"),
    "python -m benchmarks.groups": ("benchmarks/groups.py", "it takes minutes, and is run by hand"),
    "python -m benchmarks.shares": ("benchmarks/shares.py", "it takes minutes, and is run by hand"),
    "python -m local_redshift": ("packages/local_redshift/tests/test_server.py", "it ends with Ctrl-C"),
    "surgical-cdc": ("tests/docs/test_example.py", "the README's example needs its rows"),
}
ENGINE = (".venv/bin/surgical-cdc", "surgical-cdc", "python -m surgical_cdc")
# tests/demo/test_command.py runs it.
DEMO = "python -m demo"
FOUND = {command.text: command for page in PAGES for command in commands(page)}


def begins(text: str, *openings: str) -> str | None:
    """Return with what a command begins, of the openings that are whole words of it."""
    return next((opening for opening in openings if f"{text} ".startswith(f"{opening} ")), None)


def is_run_here(command: Command) -> bool:
    """Whether a command is one of the engine's, and not on the README's rows."""
    return begins(command.text, *ENGINE) is not None and command.page != ROOT / "README.md"


HERE = [command for command in FOUND.values() if is_run_here(command)]
OTHERS = [command for command in FOUND.values() if not is_run_here(command)]


@pytest.fixture(scope="module")
def place(redshift: LocalRedshift, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder like the repository's, with small vendors in it and an empty warehouse for each project."""
    folder = tmp_path_factory.mktemp("repository")
    shutil.copytree(VENDORS / "sql", folder / "include" / "sql")
    for name in ("shop", "library"):
        target = shutil.ignore_patterns("target", "logs")
        shutil.copytree(PROJECTS / name, folder / "tests" / "projects" / name, ignore=target)
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        for project in ("include/sql", "tests/projects/shop/sql", "tests/projects/library/sql"):
            write_manifest(folder / project)
        assert call("surgical-cdc compile") == ""
        with closing(session(redshift_connector.connect(**redshift.settings), "tests")) as warehouse:
            for project in ("include/sql", "tests/projects/shop/sql"):
                clear(load_project(folder / project), warehouse)
        yield folder


def call(text: str) -> str:
    """Run a command of the engine; return what it prints if it fails, else nothing."""
    opening = begins(text, *ENGINE)
    assert opening
    arguments = shlex.split(text.removeprefix(opening))
    if "--project" not in arguments:
        arguments += ["--project", "include/sql"]
    done = CliRunner().invoke(app, arguments)
    return "" if done.exit_code == 0 else f"{done.output}{done.exception}"


@pytest.mark.parametrize("command", HERE, ids=lambda command: command.text)
def test_a_command_of_the_engine_does_as_it_is_typed(command: Command, place: Path) -> None:
    """It ends well, on a stand-in, in the folder that the documents speak of."""
    assert call(command.text) == "", command.place


@pytest.mark.parametrize("command", OTHERS, ids=lambda command: command.text)
def test_any_other_command_is_run_elsewhere(command: Command) -> None:
    """It is on the list, and what the list names is there; what can be told without running it is right."""
    if command.text.startswith("export "):
        check_setting(command)
        return
    opening = begins(command.text, *ELSEWHERE)
    assert opening, f"{command.place}: nothing runs `{command.text}`. Run it here, or say in ELSEWHERE what does."
    runner, _ = ELSEWHERE[opening]
    file, _, test = runner.partition("::")
    assert not test or f"def {test}(" in (ROOT / file).read_text(), f"{command.place}: {runner} is not there."
    assert (ROOT / file).exists(), f"{command.place}: {file} is not there."
    if opening.startswith("make"):
        check_target(command)
    if opening.startswith("airflow"):
        get_parser().parse_args(shlex.split(command.text)[1:])
    if opening.startswith("docker"):
        check_service(command)


def check_setting(command: Command) -> None:
    """Make sure that a variable which the documents set is one of Airflow's, and that its value can be read."""
    name, _, value = command.text.removeprefix("export ").partition("=")
    assert re.fullmatch(r"AIRFLOW_CONN_REDSHIFT_DEFAULT|AIRFLOW__[A-Z_]+__[A-Z_]+", name), command.place
    assert json.loads(*shlex.split(value)), command.place


def check_target(command: Command) -> None:
    """Make sure that make knows how to make the targets of a command."""
    # Without what a make that runs these tests was asked for.
    environment = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS"}}
    typed = [*shlex.split(command.text), "--dry-run"]
    asked = subprocess.run(typed, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert asked.returncode == 0, f"{command.place}: {asked.stderr}"


def check_service(command: Command) -> None:
    """Make sure that a command inside a container names a service, and a command that tests run as it stands."""
    _, _, inside = command.text.partition(" exec ")
    service, _, text = inside.partition(" ")
    services = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
    assert not inside or (service in services and begins(text, *ENGINE, DEMO)), command.place


def test_the_program_is_what_is_called_here() -> None:
    """What pip installs as `surgical-cdc` runs the commands that these tests run."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts["surgical-cdc"] == f"{app.registered_callback.callback.__module__}:main"  # type: ignore[union-attr]


def test_small_vendors_are_a_part_of_the_vendors(place: Path) -> None:
    """What the commands name in the small project has that name in the project that the documents speak of."""
    small, vendors = load_project(place / "include" / "sql"), load_project()
    assert small.facts.keys() <= vendors.facts.keys()
    for name, source in small.sources.items():
        assert set(source.column_names) <= set(vendors.source(name).column_names)


@pytest.mark.parametrize(
    "text",
    ["surgical-cdc explain companies.town", "surgical-cdc verify fact_nothing", "surgical-cdc check --colour"],
)
def test_a_wrong_command_is_found(text: str, place: Path) -> None:
    """A name or an option that is not there fails."""
    assert call(text) != ""


@pytest.mark.parametrize(
    "text", ["make toast", "make run PORT", "pip install everything", "docker compose exec web ls"]
)
def test_a_command_that_nothing_runs_is_found(text: str) -> None:
    """A command that is not on the list, a target and a service that are not there fail."""
    with pytest.raises(AssertionError):
        test_any_other_command_is_run_elsewhere(Command(ROOT / "README.md", 1, text))

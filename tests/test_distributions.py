"""The wheels of the engine and of the stand-in, and the engine installed where nothing else of this repository is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.support.manifests import write_manifest

ROOT = Path(__file__).resolve().parents[1]
DAG = """
from pathlib import Path

from surgical_cdc.dag import cdc_dag

dag = cdc_dag("library", project=Path({project!r}), doc_md="A dag of airflow.")
"""


def run(*command: str | Path, folder: Path) -> str:
    """Run a program that knows nothing of this checkout, and return what it prints."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "AIRFLOW_HOME": str(folder / "airflow")}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels by distribution."""
    folder = tmp_path_factory.mktemp("wheels")
    for project in (ROOT, ROOT / "packages" / "local_redshift"):
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, project]
        subprocess.run(build, check=True)
    return {wheel.name.partition("-")[0]: wheel for wheel in folder.glob("*.whl")}


@pytest.fixture(scope="module")
def installed(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an environment, in which of this repository there is the engine's wheel alone."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheels["surgical_cdc"]], check=True
    )
    (packages,) = (folder / "env" / "lib").glob("python*/site-packages")
    # What the engine requires, without the links by which this checkout is installed beside it.
    (packages / "required.pth").write_text(sysconfig.get_path("purelib"))
    return folder


def test_wheels_hold_packages_and_statements_alone(wheels: dict[str, Path]) -> None:
    """Each has its one package, with its SQL and the files of the page, and no tests."""
    assert wheels.keys() == {"surgical_cdc", "local_redshift"}
    data = {"surgical_cdc": ("warehouse/sql", "page/templates", "page/static"), "local_redshift": ("server/sql",)}
    for name, wheel in wheels.items():
        names = zipfile.ZipFile(wheel).namelist()
        assert {entry.partition("/")[0].partition("-")[0] for entry in names} == {name}
        (source,) = [*(ROOT / "plugins").glob(name), *(ROOT / "packages").glob(f"*/src/{name}")]
        kept = [file for folder in data[name] for file in (source / folder).iterdir() if file.is_file()]
        assert {f"{name}/{file.relative_to(source)}" for file in kept} <= set(names)


def test_airflow_finds_the_page_of_an_installed_engine(installed: Path) -> None:
    """The wheel's entry point gives the plugin, whose app has its templates and Plotly's file beside it."""
    probe = (
        "from airflow.plugins_manager import get_fastapi_plugins\n"
        "(found,) = [one['app'] for one in get_fastapi_plugins()[0] if one['url_prefix'] == '/surgical_cdc']\n"
        "from surgical_cdc.page import app\n"
        "assert found is app.app and app._templates().list_templates() and app._files()['plotly.js'].exists()\n"
        "print(app.__file__)"
    )
    found = run("env/bin/python", "-c", probe, folder=installed).splitlines()[-1]
    assert Path(found).is_relative_to(installed)


def test_engine_alone_has_its_command(installed: Path) -> None:
    """The console script lists its commands; the stand-in is not there."""
    assert "Compare facts with their SELECTs" in run("env/bin/surgical-cdc", "--help", folder=installed)
    found = run("env/bin/python", "-c", "import surgical_cdc; print(surgical_cdc.__file__)", folder=installed)
    assert Path(found.strip()).is_relative_to(installed)
    absent = "import importlib.util; assert importlib.util.find_spec('local_redshift') is None"
    run("env/bin/python", "-c", absent, folder=installed)


def test_engine_alone_compiles_a_project(installed: Path) -> None:
    """A project of anybody's compiles, be it named or the folder that one is in."""
    project = installed / "sql"
    shutil.copytree(ROOT / "tests" / "projects" / "library" / "sql", project)
    write_manifest(project)
    said = run("env/bin/surgical-cdc", "compile", "--check", "--project", project, folder=installed)
    assert "3 facts, with their row keys, 3 of them maintained incrementally:" in said
    here = run(installed / "env" / "bin" / "surgical-cdc", "compile", "--check", folder=project)
    assert here == said.replace(f"{project}/", "")


def test_engine_alone_makes_a_dag(installed: Path) -> None:
    """A DAG file parses without a folder of plugins."""
    project = str(ROOT / "tests" / "projects" / "library" / "sql")
    (installed / "library.py").write_text(DAG.format(project=project))
    said = run("env/bin/python", "-c", "from library import dag; print(*dag.task_ids)", folder=installed)
    assert {"prepare", "detect.books", "update.fact_title", "sync_public", "cleanup"} <= set(said.split())

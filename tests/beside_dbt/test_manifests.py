"""The manifests that tests write are dbt's own, in all fields that the engine reads."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_redshift import LocalRedshift
from surgical_cdc.compiler.compilation import compile_project
from surgical_cdc.contract.project import DEFAULT_PROJECT
from tests.conftest import PROJECTS, ROOT
from tests.support.manifests import write_manifest

# Where dbt's own manifest is kept, beside those that the tests write.
DBTS = "dbt.json"
PYTHON = ROOT / ".venv-dbt" / "bin" / "python"
FOLDERS = {"vendor": DEFAULT_PROJECT, **{folder.parent.name: folder for folder in sorted(PROJECTS.glob("*/sql"))}}
# In one process: dbt takes seconds to import. It connects only where a model asks, and is_incremental() asks even
# under --full-refresh; --no-introspect makes that an error.
COMPILE = """
import sys
from dbt.cli.main import dbtRunner
for folder in sys.argv[1:]:
    where = ["--project-dir", folder, "--profiles-dir", folder]
    done = dbtRunner().invoke(["--quiet", "compile", "--full-refresh", "--no-populate-cache", *where])
    if not done.success:
        sys.exit(f"dbt compile failed in {folder}: {done.exception}")
"""


@pytest.fixture(scope="module")
def folders(redshift: LocalRedshift, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Copies of the projects, each compiled by dbt."""
    copies = {name: tmp_path_factory.mktemp(name) / "sql" for name in FOLDERS}
    for name, folder in copies.items():
        shutil.copytree(FOLDERS[name], folder)
        connect_profiles(folder, redshift)
    environment = os.environ | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    command = [str(PYTHON), "-c", COMPILE, *map(str, copies.values())]
    compiled = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    for folder in copies.values():
        shutil.copy(folder / "target" / "manifest.json", folder / DBTS)
    return copies


@pytest.mark.parametrize("name", FOLDERS)
def test_the_manifest_is_that_of_dbt(name: str, folders: dict[str, Path]) -> None:
    """Nodes of its own that dbt adds, such as tests, are let be."""
    theirs = json.loads((folders[name] / DBTS).read_text(encoding="utf-8"))
    ours = json.loads(write_manifest(folders[name]).read_text(encoding="utf-8"))
    nodes = {key: node for key, node in theirs["nodes"].items() if node["resource_type"] in ("model", "seed")}
    assert _shared(theirs["metadata"], ours["metadata"]) == ours["metadata"]
    for found, written in ((nodes, ours["nodes"]), (theirs["sources"], ours["sources"])):
        assert sorted(found) == sorted(written)
        for key, node in written.items():
            assert _comparable(found[key], node) == _comparable(node, node), key


@pytest.mark.parametrize("name", [name for name, folder in FOLDERS.items() if (folder / "cdc").exists()])
def test_the_committed_folder_is_that_of_dbt(name: str, folders: dict[str, Path]) -> None:
    """What is compiled from dbt's own artifacts is what is committed; `make dictionary` writes that of the vendors."""
    folder, committed = folders[name], FOLDERS[name]
    (folder / "target" / "manifest.json").write_text((folder / DBTS).read_text(encoding="utf-8"), encoding="utf-8")
    made = compile_project(folder, progress=lambda _: None).files
    assert {str(file.relative_to(folder)): text for file, text in made.items()} == {
        str(file.relative_to(committed)): file.read_text(encoding="utf-8")
        for file in (committed / "cdc").rglob("*")
        if file.is_file()
    }


def _comparable(node: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the other node has of a node; dbt keeps no order among what a model reads, nor of tags."""
    shared = _shared(node, fields)
    shared["columns"] = {
        name: _shared(column, fields["columns"].get(name, {})) for name, column in node["columns"].items()
    }
    shared["depends_on"] = sorted(node.get("depends_on", {}).get("nodes", []))
    shared["tags"] = sorted(node["tags"])
    if node["resource_type"] == "source":
        shared["config"] = _shared(node["config"], fields["config"])
    return shared


def _shared(node: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: node.get(name, "is missing") for name in fields}


def connect_profiles(folder: Path, redshift: LocalRedshift, **settings: str) -> None:
    """Let all targets of a project be the stand-in, with other settings where some are given."""
    file = folder / "profiles.yml"
    profiles = yaml.safe_load(file.read_text(encoding="utf-8"))
    for profile in profiles.values():
        for output in profile["outputs"].values():
            output |= {"host": redshift.host, "port": redshift.port, "user": redshift.user, "sslmode": "disable"}
            output |= {"password": redshift.password, "dbname": redshift.database, "threads": 1, **settings}
    file.write_text(yaml.safe_dump(profiles), encoding="utf-8")

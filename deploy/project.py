"""What each managed Airflow takes of a project: its compiled folder, a file for each of its DAGs, the wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from surgical_cdc.dictionary import dictionary_path, load_dictionary

ROOT = Path(__file__).resolve().parents[1]
# What is behind the cycle's id in the id of a DAG, the function that makes it, and what it does.
DAGS = (
    ("", "cdc_dag", "Keeps the facts of {} equal to their queries."),
    ("_refresh", "refresh_dag", "Builds facts of {} anew, and verifies them, when it is triggered."),
    ("_undo", "undo_dag", "Takes back a run of {} when it is triggered."),
    ("_verify", "verify_dag", "Verifies the facts of {} at night."),
)
DAG = '''"""{said} A DAG of Surgical CDC."""

from pathlib import Path

from surgical_cdc.dag import {function}

# Airflow reads this as a DAG file because it speaks of a dag and of airflow.
dag = {function}("{dag_id}", project=Path(__file__).resolve().{project}, doc_md=__doc__, tags=["cdc"])
'''


def write_project(project: Path, folder: Path, *, out: Path) -> None:
    """Empty the folder `out`, and write what a run reads of a compiled project into a folder in it: `cdc` alone.

    Raises:
        DictionaryError: the project is not compiled; what `out` holds stays.
    """
    load_dictionary(dictionary_path(project))
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(project / "cdc", folder / "cdc")


def write_dags(dag_id: str, folder: Path, *, project: str) -> None:
    """Write the DAG files; `project` is the way from such a file's path to the project's folder, as Python has it."""
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, function, said in DAGS:
        name = f"{dag_id}{suffix}"
        text = DAG.format(said=said.format(dag_id), function=function, dag_id=name, project=project)
        (folder / f"{name}.py").write_text(text)


def write_wheel(folder: Path) -> Path:
    """Build the engine's wheel into a folder, and return it."""
    with tempfile.TemporaryDirectory() as built:
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", built, str(ROOT)]
        subprocess.run(build, check=True)
        (wheel,) = Path(built).glob("*.whl")
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.move(wheel, folder))


def written(out: Path) -> list[Path]:
    """Return the files of a bundle."""
    return sorted(file for file in out.rglob("*") if file.is_file())

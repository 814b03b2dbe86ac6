"""The files of a project for Amazon MWAA: a folder of DAGs, plugins.zip and requirements.txt."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from surgical_cdc.dictionary import dictionary_path, load_dictionary

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints-airflow-3.2.txt"
# Where MWAA's machines have the folder of DAGs, and what plugins.zip holds.
DAGS, PLUGINS = Path("/usr/local/airflow/dags"), Path("/usr/local/airflow/plugins")
DAG = '''"""Keeps the facts of {dag_id} equal to their queries: a DAG of Surgical CDC."""

from pathlib import Path

from surgical_cdc.dag import cdc_dag

# Airflow reads this as a DAG file because it speaks of a dag and of airflow.
dag = cdc_dag("{dag_id}", project=Path(__file__).with_suffix(""), doc_md=__doc__, tags=["cdc"])
'''


def bundle(project: Path, *, dag_id: str, out: Path) -> list[Path]:
    """Write what MWAA takes of a compiled project into a folder, and return the files; what it held goes.

    plugins.zip holds the engine's wheel, which requirements.txt installs from there; constraints.txt beside the DAGs
    has the versions that this project is tested with on the Airflow of MWAA. Of the project a run reads the folder
    `cdc` alone, so that nothing else is uploaded.

    Raises:
        ProjectError: the project is not compiled.
    """
    load_dictionary(dictionary_path(project))
    shutil.rmtree(out, ignore_errors=True)
    dags = out / "dags"
    shutil.copytree(project / "cdc", dags / dag_id / "cdc")
    (dags / f"{dag_id}.py").write_text(DAG.format(dag_id=dag_id))
    shutil.copy(CONSTRAINTS, dags / "constraints.txt")
    wheel = _wheel(out)
    name, version, *_ = wheel.split("-")
    lines = [f"--constraint {DAGS / 'constraints.txt'}", f"--find-links {PLUGINS}", f"{name}=={version}"]
    (out / "requirements.txt").write_text("\n".join(lines) + "\n")
    return sorted(file for file in out.rglob("*") if file.is_file())


def _wheel(out: Path) -> str:
    """Build the engine's wheel into plugins.zip and return its name."""
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, str(ROOT)]
        subprocess.run(build, check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(out / "plugins.zip", "w") as plugins:
            plugins.write(wheel, wheel.name)
        return wheel.name

"""The files of a project for Amazon MWAA: a folder of DAGs, plugins.zip and requirements.txt."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from deploy.project import ROOT, write_dags, write_project, write_wheel, written

CONSTRAINTS = ROOT / "constraints-airflow-3.2.txt"
# Where MWAA's machines have the folder of DAGs, and what plugins.zip holds.
DAGS, PLUGINS = Path("/usr/local/airflow/dags"), Path("/usr/local/airflow/plugins")


def bundle(project: Path, *, dag_id: str, out: Path) -> list[Path]:
    """Write what MWAA takes of a compiled project into a folder, and return the files; what it held goes.

    plugins.zip holds the engine's wheel, which requirements.txt installs from there; constraints.txt beside the DAGs
    has the versions that this project is tested with on the Airflow of MWAA. Of the project a run reads the folder
    `cdc` alone, so that nothing else is uploaded.

    Raises:
        DictionaryError: the project is not compiled.
    """
    dags = out / "dags"
    write_project(project, dags / dag_id, out=out)
    write_dags(dag_id, dags, project=f'parent / "{dag_id}"')
    shutil.copy(CONSTRAINTS, dags / "constraints.txt")
    wheel = write_wheel(out)
    with zipfile.ZipFile(out / "plugins.zip", "w") as plugins:
        plugins.write(wheel, wheel.name)
    wheel.unlink()
    name, version, *_ = wheel.name.split("-")
    lines = [f"--constraint {DAGS / 'constraints.txt'}", f"--find-links {PLUGINS}", f"{name}=={version}"]
    (out / "requirements.txt").write_text("\n".join(lines) + "\n")
    return written(out)

"""What is uploaded to Amazon MWAA, unpacked where MWAA unpacks it, into an Airflow that has nothing else."""

from __future__ import annotations

import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.mwaa import bundle
from surgical_cdc.contract.project import Project, load_project
from surgical_cdc.steps.verify import compare
from tests.conftest import LIBRARY, ROOT, Site, airflow_connection
from tests.support.library import DAG_IDS, LIST_DAGS, RUN_DAG, seeded

if TYPE_CHECKING:
    from local_redshift import LocalRedshift

UV = ROOT / ".venv" / "bin" / "uv"
AIRFLOW = "apache-airflow==3.2.1"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Airflow's home as MWAA lays it, with the bundle of the library, its requirements installed."""
    uploaded, home = tmp_path / "uploaded", tmp_path / "airflow"
    bundle(LIBRARY, dag_id="library_cdc", out=uploaded)
    home.mkdir()
    (uploaded / "dags").rename(home / "dags")
    with zipfile.ZipFile(uploaded / "plugins.zip") as plugins:
        plugins.extractall(home / "plugins")
    requirements = home / "requirements.txt"
    requirements.write_text((uploaded / "requirements.txt").read_text().replace("/usr/local/airflow", str(home)))
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([ROOT / ".venv" / "bin" / "python", "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    for what in ([AIRFLOW, "--constraint", home / "dags" / "constraints.txt"], ["--requirements", requirements]):
        subprocess.run([UV, "pip", "install", "--quiet", "--python", python, *what], check=True)
    return home


@pytest.mark.timeout(600)
def test_the_bundle_runs_where_nothing_else_is(
    home: Path, site: Callable[[Project], Site], redshift: LocalRedshift
) -> None:
    """The DAG files parse with the wheel alone, and a cycle builds the facts from what is staged."""
    place = seeded(site(load_project(LIBRARY)))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW_CONN_REDSHIFT_DEFAULT": airflow_connection(redshift),
        "PYTHONPATH": str(home / "dags"),
    }
    python = home.parent / "env" / "bin" / "python"
    listed = subprocess.run(
        [python, "-c", LIST_DAGS, home / "dags"], env=environment, capture_output=True, text=True, check=True
    )
    assert listed.stdout.split()[-4:] == DAG_IDS
    ran = subprocess.run(
        [python, "-c", RUN_DAG], env=environment, cwd=home, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout[-5_000:] + ran.stderr[-5_000:]
    with place.warehouse.transaction():
        found = [compare(place.project, fact, place.warehouse) for fact in place.project.facts]
    assert [fact for fact in found if not fact.equal] == []
    assert sum(fact.rows for fact in found) > 0


def test_only_what_a_run_reads_is_uploaded(tmp_path: Path) -> None:
    """Nothing of the dbt project but its compiled folder, and no path of the machine that made it."""
    written = {str(file.relative_to(tmp_path)) for file in bundle(LIBRARY, dag_id="library_cdc", out=tmp_path)}
    compiled = {f"dags/library_cdc/{file.relative_to(LIBRARY)}" for file in (LIBRARY / "cdc").rglob("*.*")}
    dags = {f"dags/library_cdc{suffix}.py" for suffix in ("", "_refresh", "_undo", "_verify")}
    assert written == compiled | dags | {"dags/constraints.txt", "plugins.zip", "requirements.txt"}
    texts = [file.read_text() for file in tmp_path.rglob("*.*") if file.suffix in {".py", ".txt", ".yaml", ".sql"}]
    assert [text for text in texts if str(ROOT) in text] == []

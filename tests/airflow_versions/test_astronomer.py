"""What is built into an image of Astro Runtime, laid out as the image lays it, in an Airflow that has nothing else."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from deploy.astronomer import IMAGE, bundle
from tests.conftest import LIBRARY, ROOT
from tests.support.library import DAG_IDS, LIST_DAGS

UV = ROOT / ".venv" / "bin" / "uv"
# The providers of the image, as Astronomer's reference lists them, on the Airflow that all tests run on.
BROUGHT = (
    "apache-airflow==3.3.2",
    "apache-airflow-providers-common-sql==2.0.1",
    "apache-airflow-providers-openlineage==2.18.1",
    "apache-airflow-providers-smtp==3.0.1",
    "apache-airflow-providers-standard==1.15.0",
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Airflow's home with an Astro project of the library, its requirements and the engine installed as in the image.

    The steps of the Dockerfile are its own; those before them the base image does when it is built upon.
    """
    home = tmp_path / "airflow"
    bundle(LIBRARY, dag_id="library_cdc", out=home)
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([ROOT / ".venv" / "bin" / "python", "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    install = [UV, "pip", "install", "--quiet", "--python", python]
    subprocess.run([*install, *BROUGHT], check=True)
    before = airflows(python)
    subprocess.run([*install, "--requirements", home / "requirements.txt"], check=True)
    after = airflows(python)
    # Else the image would not build, or would run what Astronomer has not tried.
    assert {name: after[name] for name in before} == before
    image, copy, run = re.findall(r"^(?:FROM|COPY|RUN) (.+)$", (home / "Dockerfile").read_text(), re.MULTILINE)
    source, target = copy.split()
    assert image == IMAGE
    assert run == f"pip install --no-cache-dir --no-deps {target}"
    subprocess.run([*install, "--no-deps", home / source], check=True)
    subprocess.run([UV, "pip", "check", "--quiet", "--python", python], check=True)
    return home


def airflows(python: Path) -> dict[str, str]:
    """Return the versions of Airflow and its providers in an environment."""
    listed = subprocess.run([UV, "pip", "freeze", "--python", python], capture_output=True, text=True, check=True)
    return dict(line.split("==") for line in listed.stdout.splitlines() if line.startswith("apache-airflow"))


@pytest.mark.timeout(600)
def test_an_image_of_the_bundle_has_the_dags(home: Path) -> None:
    """The DAG files parse with what the image and the bundle have, and nothing that the image brings is replaced."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
    }
    listed = subprocess.run(
        [home.parent / "env" / "bin" / "python", "-c", LIST_DAGS, home / "dags"],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert listed.returncode == 0, listed.stdout[-5_000:] + listed.stderr[-5_000:]
    assert listed.stdout.split()[-4:] == DAG_IDS


def test_an_astro_project_has_what_the_cli_looks_for(tmp_path: Path) -> None:
    """The folders and files of an Astro project; of the dbt project its compiled folder alone, and no path of ours."""
    written = {str(file.relative_to(tmp_path)) for file in bundle(LIBRARY, dag_id="library_cdc", out=tmp_path)}
    compiled = {f"include/library_cdc/{file.relative_to(LIBRARY)}" for file in (LIBRARY / "cdc").rglob("*.*")}
    (wheel,) = (str(file.relative_to(tmp_path)) for file in (tmp_path / "include").glob("*.whl"))
    named = {"Dockerfile", "requirements.txt", "packages.txt", "plugins/.gitkeep", wheel}
    assert written == compiled | named | {f"dags/{dag_id}.py" for dag_id in DAG_IDS}
    texts = [file.read_text() for file in tmp_path.rglob("*") if file.is_file() and file.suffix != ".whl"]
    assert [text for text in texts if str(ROOT) in text] == []

"""The services of docker-compose.yaml, started once for all tests of this folder, with the demo's warehouse."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from demo.load import load
from local_stack.airflow_api import AirflowApi
from surgical_cdc.warehouse.connection import session
from tests.compose.services import Services, missing
from tests.conftest import ROOT, airflow_connection
from tests.dag.receivers import Inbox, smtp_server

if TYPE_CHECKING:
    from pathlib import Path

    from local_redshift import LocalRedshift

UV = ROOT / ".venv" / "bin" / "uv"
COMPANIES = 100
ORDER = ("postgres", "redis", "airflow-init", "airflow-apiserver", "airflow-scheduler", "airflow-dag-processor")


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with what the Dockerfile installs for production."""
    if reason := missing():
        pytest.skip(reason)
    environment = tmp_path_factory.mktemp("image") / "env"
    subprocess.run([ROOT / ".venv" / "bin" / "python", "-m", "venv", "--without-pip", environment], check=True)
    install = [UV, "pip", "install", "--quiet", "--python", environment / "bin" / "python"]
    requirements = ["--requirements", ROOT / "requirements.txt", "--requirements", ROOT / "docker" / "requirements.txt"]
    subprocess.run([*install, "--constraint", ROOT / "constraints.txt", *requirements], check=True)
    return environment


@pytest.fixture(scope="session")
def inbox() -> Iterator[Inbox]:
    """What alerts by mail arrive at."""
    with smtp_server() as server:
        yield server


@pytest.fixture(scope="package")
def services(
    image: Path, redshift: LocalRedshift, inbox: Inbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """All services that a deployment has, healthy."""
    import redshift_connector

    load(lambda: session(redshift_connector.connect(**redshift.settings), "demo/load"), companies=COMPANIES)
    running = Services(
        tmp_path_factory.mktemp("compose"),
        image=image,
        values={"AIRFLOW_CONN_REDSHIFT_DEFAULT": airflow_connection(redshift)},
        environment={
            "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(inbox.connection),
            "AIRFLOW_VAR_SURGICAL_CDC_ALERTS": json.dumps([inbox.target]),
        },
    )
    python = image / "bin" / "python"
    subprocess.run(
        [UV, "pip", "install", "--quiet", "--python", python, "--no-deps", "--editable", running.home], check=True
    )
    try:
        running.start(*ORDER, "airflow-triggerer", "airflow-worker")
        yield running
        running.check()
    finally:
        running.stop()


@pytest.fixture(scope="package")
def airflow(services: Services) -> Iterator[AirflowApi]:
    """Airflow's API, as the administrator whom the services have made."""
    api = AirflowApi(services.url, user="admin", password=services.values["AIRFLOW_ADMIN_PASSWORD"])
    yield api
    api.close()

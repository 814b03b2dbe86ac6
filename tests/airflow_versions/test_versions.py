"""The oldest Airflow that the DAGs run on, in an environment of its own; all other tests run on the newest."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.conftest import ROOT

ENVIRONMENT = ROOT / ".venv-airflow-3.2" / "bin"
# What a DAG is made of, the demo's cycle whole, a task that fails, one that is killed, one that is cleared and one that
# Airflow retries; what these tests look at is the same on each version.
TESTS = (
    "tests/dag/test_dags.py",
    "tests/dag/test_vendor_cdc.py::test_a_scheduled_run_builds_the_missing_facts",
    "tests/dag/test_vendor_cdc.py::test_a_run_brings_the_changes_of_its_window_into_the_facts",
    "tests/dag/test_vendor_cdc.py::test_the_statements_of_a_task_can_be_read_in_the_ui",
    "tests/dag/test_failures.py::test_a_failed_detection_fails_the_run_and_only_what_depends_on_it",
    "tests/dag/test_failures.py::test_a_failed_run_alerts_once_through_every_target",
    "tests/dag/test_failures.py::test_a_cleared_task_resumes_a_failed_run",
    "tests/dag/test_failures.py::test_a_killed_task_alerts_and_frees_the_lease",
    "tests/dag/test_failures.py::test_a_refresh_waits_for_a_lease_by_its_retries",
    "tests/dag/test_metrics.py::test_a_run_sends_what_it_did",
)


@pytest.mark.timeout(900)
def test_dags_run_on_the_oldest_airflow() -> None:
    """DAGs are made, a scheduled and a manual cycle, a failure and a retry end as they do on the newest one."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTEST"))}
    # The other tests have StatsD.
    environment["METRICS"] = "otlp"
    environment["PATH"] = f"{ENVIRONMENT}{os.pathsep}{environment['PATH']}"
    # Warnings of older packages are theirs.
    options = ["-q", "-p", "no:cacheprovider", "-o", "filterwarnings=default", "--durations=0"]
    command = [ENVIRONMENT / "python", "-m", "pytest", *options, *TESTS]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-5_000:]
    ask = "from importlib.metadata import version; print(version('apache-airflow'))"
    version = subprocess.run([ENVIRONMENT / "python", "-c", ask], capture_output=True, text=True, check=True).stdout
    assert f"apache-airflow=={version.strip()}\n" in (ROOT / "requirements-airflow-3.2.txt").read_text()

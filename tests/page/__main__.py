"""Measures each view over 10,000 runs of a DAG with 300 facts: `python -m tests.page`."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from starlette.testclient import TestClient

from surgical_cdc.dag import cdc_dag, refresh_dag
from surgical_cdc.dictionary import dictionary_path, load_dictionary
from tests.page.airflow_database import HALF_HOUR, WrittenRun, write_dags, write_project, write_runs
from tests.page.week import week
from tests.page.world import END, configure

# How many sources each fact reads.
READ = 5
REPEATED = 7


def main() -> None:
    """Print the median time of each view."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--facts", type=int, default=300)
    options = parser.parse_args()
    client = _client(options.runs, options.facts)
    print(f"{options.runs:,} runs of {options.facts} facts")
    for view in ("facts", "run", "changes", "speed"):
        took = [_seconds(client, view) for _ in range(REPEATED)]
        wall, processor = (statistics.median(seconds) for seconds in zip(*took, strict=True))
        print(f"{view:8} {wall:.3f} s, of the processor {processor:.3f} s")


def _client(runs: int, facts: int) -> TestClient:
    """Fill a database and return a client of an API server on it."""
    configure()
    from airflow.api_fastapi.app import create_app, get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    feeding = {
        f"fact_{number}": [f"source_{(number + other) % facts}" for other in range(READ)] for number in range(facts)
    }
    project = write_project(Path(tempfile.mkdtemp()) / "sql", feeding)
    dictionary = load_dictionary(dictionary_path(project))
    write_dags(cdc_dag("large_cdc", project=project), refresh_dag("large_refresh", project=project))
    same = week(dictionary, END)
    for first in range(0, runs, len(same)):
        # Airflow keeps two runs of a DAG apart by their times.
        shifted = [replace(run, due=END - (runs - first - number) * HALF_HOUR) for number, run in enumerate(same)]
        write_runs("large_cdc", shifted[: runs - first])
    verified = {f"verify.{fact}": {"return_value": {"fact": fact}} for fact in feeding}
    write_runs("large_refresh", [WrittenRun(END - number * HALF_HOUR, handed_on=verified) for number in range(100)])
    client = TestClient(create_app(apps="core"))
    client.cookies["_token"] = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="viewer", role="viewer"))
    return client


def _seconds(client: TestClient, view: str) -> tuple[float, float]:
    """Return how long a view took, and the processor's time, which other programs do not add to."""
    started, used = time.perf_counter(), time.process_time()
    assert client.get(f"/surgical_cdc/{view}", params={"dag_id": "large_cdc"}).is_success
    return time.perf_counter() - started, time.process_time() - used


if __name__ == "__main__":
    main()

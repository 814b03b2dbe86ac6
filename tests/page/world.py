"""Airflow's database with our DAGs in it and a week of runs, and its API server: what the page is tried on."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from local_stack.programs import Program
from surgical_cdc.dag import cdc_dag, refresh_dag, undo_dag
from surgical_cdc.dag.handover import VERIFY
from surgical_cdc.dictionary import Dictionary, dictionary_path, load_dictionary
from surgical_cdc.steps.cycle import run_cycle
from tests.conftest import AIRFLOW_HOME, ROOT, SHOP, Site, at
from tests.page.airflow_database import HALF_HOUR, WrittenRun, write_dags, write_runs
from tests.page.auth import SHOPKEEPER
from tests.page.week import week
from tests.support.bookshop import ORDER, open_shop

VENDORS = ROOT / "include" / "sql"
SHOP_ROWS, UNDO = "shop_rows", "shop_rows_undo"
# The last full half hour.
END = datetime.now(UTC).replace(second=0, microsecond=0)
END = END.replace(minute=END.minute // 30 * 30)
USERS = {"admin": "admin", "viewer": "viewer", SHOPKEEPER: "viewer", "stranger": ""}
PASSWORDS = AIRFLOW_HOME / "passwords.json"
SETTINGS = {
    "API_AUTH__JWT_SECRET": "made-for-the-tests-of-the-page" * 3,
    "CORE__AUTH_MANAGER": "tests.page.auth.OneDagAuthManager",
    "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(PASSWORDS),
    "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in USERS.items()),
}
START_SECONDS = 120


def configure() -> None:
    """Make Airflow's database, without a DAG, and let the users in."""
    os.environ |= {f"AIRFLOW__{name}": value for name, value in SETTINGS.items()}
    from airflow.utils.db import initdb

    PASSWORDS.write_text(json.dumps({name: name for name in USERS}))
    initdb()


def fill_database() -> None:
    """Make Airflow's database with a week of runs of the vendors' DAG."""
    configure()
    vendors = load_dictionary(dictionary_path(VENDORS))
    write_dags(
        cdc_dag("vendor_cdc", project=VENDORS),
        refresh_dag("vendor_cdc_refresh", project=VENDORS),
        undo_dag("vendor_cdc_undo", project=VENDORS),
        cdc_dag("shop_cdc", project=SHOP, conn_id="elsewhere"),
    )
    write_runs("vendor_cdc", week(vendors, END))
    write_runs("vendor_cdc_refresh", [verification(vendors)])


def write_shop_dags() -> None:
    """Add the bookshop's DAG with the one that undoes its runs, both on a warehouse."""
    write_dags(cdc_dag(SHOP_ROWS, project=SHOP), undo_dag(UNDO, project=SHOP))


def change_and_undo(shop: Site, dag_id: str, note: str) -> None:
    """Run a bookshop's first cycle, one that changes two columns of an order, its note to that, and the undo of it."""
    open_shop(shop)
    run_cycle(shop.project, shop.connect, shop.run(at(0), run_id="first", dag_id=dag_id))
    shop.stage("orders", {**ORDER, "order_id": 2, "status": "sent", "note": note, "changed_at": at(10)})
    run_cycle(shop.project, shop.connect, shop.run(at(30), run_id="second", dag_id=dag_id))
    undo = {"run_id": "undo", "dag_id": UNDO, "undoes": f"{dag_id}/second"}
    run_cycle(shop.project, shop.connect, shop.run(at(60), **undo))


def verification(dictionary: Dictionary) -> WrittenRun:
    """Return a run of the refresh DAG that has found all facts but the first equal."""
    different, *equal = dictionary.facts
    error = f"{different}: DIFFERS, 120 rows where its SELECT gives 121; 1 of these are missing, 0 are unexpected."
    said: dict[str, dict[str, object]] = {
        different: {"error": error},
        **{fact: {"return_value": {"fact": fact}} for fact in equal},
    }
    handed_on = {f"{VERIFY}.{fact}": values for fact, values in said.items()}
    return WrittenRun(END - 20 * HALF_HOUR, run_type="manual", handed_on=handed_on)


@contextmanager
def api_server(log: Path) -> Iterator[str]:
    """Start Airflow's API server on the database, and give its address; it is all of Airflow that runs."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path = os.pathsep.join(str(folder) for folder in (ROOT, ROOT / "plugins"))
    environment = {**os.environ, "AIRFLOW__API__PORT": str(port), "AIRFLOW__API__HOST": "127.0.0.1", "PYTHONPATH": path}
    program = Program("api-server", [f"{sys.prefix}/bin/airflow", "api-server"], environment=environment, log=log)
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_SECONDS
        while not _answers(url):
            program.check()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield url
    finally:
        program.end(0)


def token(url: str, user: str, password: str) -> str:
    """Return what a login of a user gives; here a user's name is the password."""
    answer = httpx.post(f"{url}/auth/token", json={"username": user, "password": password}, trust_env=False)
    return str(answer.raise_for_status().json()["access_token"])


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v2/version", trust_env=False).is_success
    except httpx.TransportError:
        return False

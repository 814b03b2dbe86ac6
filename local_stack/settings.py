"""Airflow's settings in the stack, as environment variables, and the secrets that are made once."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
USER = "admin"
CONNECTION = "redshift_default"
# Airflow compiles nothing ahead of time: without the compiled files each of its processes compiles 2,000 modules.
NOT_INHERITED = ("AIRFLOW__", "AIRFLOW_HOME", "AIRFLOW_CONFIG", "PYTHONDONTWRITEBYTECODE")


def airflow_environment(
    home: Path, *, port: int, metadata_uri: str, warehouse: Mapping[str, object], bundles: Mapping[str, Path]
) -> dict[str, str]:
    """Return the environment in which every program of the stack runs.

    Args:
        home: Airflow's home; made if it does not exist.
        port: of the API server.
        metadata_uri: SQLAlchemy URI of Airflow's metadata database.
        warehouse: the connection that the DAGs use, in Airflow's JSON form.
        bundles: further folders of DAGs besides dags/, by name.
    """
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)  # Airflow's logs in it show statements
    kept = _made_once(home / "secrets.json")
    passwords = home / "passwords.json"
    _write_private(passwords, {USER: kept["password"]})
    settings = {
        "API__BASE_URL": f"http://localhost:{port}",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__SECRET_KEY": kept["secret_key"],
        "API__WORKERS": "1",
        "API_AUTH__JWT_SECRET": kept["jwt_secret"],
        "CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__FERNET_KEY": kept["fernet_key"],
        "CORE__LOAD_EXAMPLES": "False",
        # The statements of a task are shown whole in its Rendered Templates tab.
        "CORE__MAX_TEMPLATED_FIELD_LENGTH": "200000",
        # More only makes more idle workers, fewer makes tasks wait a turn of the scheduler.
        "CORE__PARALLELISM": "12",
        "CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(
            [_bundle(name, folder) for name, folder in {"dags": ROOT / "dags", **bundles}.items()]
        ),
        "DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "DATABASE__SQL_ALCHEMY_CONN": metadata_uri,
        # The scheduler sleeps this long after each turn with nothing to do, so once per level of the graph.
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.15",
        # A task that was killed together with the stack is noticed soon after the next start.
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        # A worker that misses the moment in which its task's process ends looks again only after this time. It does
        # so on a busy machine, and a task that skips or fails is not over before: each cost a run 5 s by default.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    return {
        **inherited,
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
        f"AIRFLOW_CONN_{CONNECTION.upper()}": json.dumps(warehouse),
        "AIRFLOW_HOME": str(home),
        "NO_PROXY": ",".join(filter(None, [inherited.get("NO_PROXY"), "127.0.0.1,localhost"])),
        "PYTHONPATH": os.pathsep.join(str(folder) for folder in (ROOT, ROOT / "plugins", ROOT / "config")),
    }


def password(home: Path) -> str:
    """Return the password of the user `admin`."""
    return str(_made_once(home / "secrets.json")["password"])


def _made_once(file: Path) -> dict[str, str]:
    if not file.exists():
        _write_private(
            file,
            {
                "password": secrets.token_urlsafe(12),
                "secret_key": secrets.token_urlsafe(32),
                "jwt_secret": secrets.token_urlsafe(64),
                "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            },
        )
    kept: dict[str, str] = json.loads(file.read_text())
    return kept


def _write_private(file: Path, content: Mapping[str, str]) -> None:
    """Replace the file by one that only its owner can read."""
    written = file.with_suffix(".new")
    written.unlink(missing_ok=True)
    written.touch(mode=0o600)
    written.write_text(json.dumps(content))
    written.replace(file)


def _bundle(name: str, folder: Path) -> dict[str, object]:
    return {
        "name": name,
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(folder)},
    }

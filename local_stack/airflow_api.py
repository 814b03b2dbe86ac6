"""A client of Airflow's REST API, as far as the stack, the demo and the tests need it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx

from local_stack.errors import StackError

# Each question costs the server some hundredths of a second, which the tasks that are waited for do not have then.
POLL_SECONDS = 0.25
ENDED = frozenset({"success", "failed"})


class AirflowApi:
    """Speaks to one API server as one user; every answer is the JSON that the server gave."""

    def __init__(self, url: str, *, user: str, password: str) -> None:
        """Name the server; nothing is sent yet."""
        self._credentials = {"username": user, "password": password}
        # A proxy of the shell must not come between two processes of one machine.
        self._client = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def is_up(self) -> bool:
        """Whether the server answers; the first call that it answers also has it build what it builds lazily."""
        try:
            return self._client.get("/execution/health").is_success
        except httpx.TransportError:
            return False

    def health(self) -> dict[str, Any]:
        """Return the state of each of Airflow's components with its last heartbeat."""
        return self._request("GET", "monitor/health")

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        """Return a DAG, None as long as Airflow does not know it."""
        return self._find(f"dags/{dag_id}")

    def import_errors(self) -> dict[str, str]:
        """Return the traceback of each DAG file that can not be imported."""
        answer = self._request("GET", "importErrors")
        return {error["filename"]: error["stack_trace"] for error in answer["import_errors"]}

    def set_paused(self, dag_id: str, *, paused: bool) -> None:
        """Pause or un-pause a DAG."""
        self._request("PATCH", f"dags/{dag_id}", json={"is_paused": paused})

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None, **fields: Any) -> str:
        """Start a run without a logical date and return its id; `fields` override what is sent."""
        body = {"logical_date": None, "conf": dict(conf or {}), **fields}
        return str(self._request("POST", f"dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Return the runs of a DAG, the newest first."""
        answer = self._request("GET", f"dags/{dag_id}/dagRuns", params={"order_by": "-run_after", "limit": 100})
        return list(answer["dag_runs"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Return one run."""
        return self._request("GET", f"dags/{dag_id}/dagRuns/{run_id}")

    def tasks(self, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
        """Return the task instances of a run by task id."""
        answer = self._request("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances", params={"limit": 100})
        return {task["task_id"]: task for task in answer["task_instances"]}

    def wait(
        self,
        dag_id: str,
        run_id: str,
        *,
        seconds: float,
        check: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        """Wait until a run has ended and return it; `check` is called meanwhile and may raise.

        Raises:
            StackError: it has not ended after `seconds`.
        """
        deadline = time.monotonic() + seconds
        while (run := self.run(dag_id, run_id))["state"] not in ENDED:
            check()
            if time.monotonic() > deadline:
                states = {task_id: task["state"] for task_id, task in self.tasks(dag_id, run_id).items()}
                raise StackError(
                    f"The run {run_id} of {dag_id} has not ended after {seconds:.0f} s. Its tasks: {states}"
                )
            time.sleep(POLL_SECONDS)
        return run

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value") -> Any:
        """Return what a task has handed on, None if it has handed on nothing."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        answer = self._find(path, params={"deserialize": True})
        return answer and answer["value"]

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1) -> str:
        """Return a task's log as text, one event a line, with the reason of a skipped task."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        answer = self._request("GET", path, params={"full_content": True})
        return "\n".join(f"{event['event']} {event.get('reason', '')}".rstrip() for event in answer["content"])

    def clear(self, dag_id: str, run_id: str, **options: Any) -> list[str]:
        """Clear task instances of a run, by `task_ids`, `include_downstream`, `only_failed`; return their ids."""
        body = {"dag_run_id": run_id, "dry_run": False, "reset_dag_runs": True, "only_failed": False, **options}
        answer = self._request("POST", f"dags/{dag_id}/clearTaskInstances", json=body)
        return [task["task_id"] for task in answer["task_instances"]]

    def mark(self, dag_id: str, run_id: str, task_id: str, state: str) -> None:
        """Give a task another state, as somebody does in the UI; one that runs is stopped."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        self._request("PATCH", path, json={"new_state": state})

    def backfill(self, dag_id: str, start: datetime, end: datetime, **options: Any) -> int:
        """Start a backfill over the data intervals that start in [start, end] and return its id."""
        body = {"dag_id": dag_id, "from_date": start.isoformat(), "to_date": end.isoformat(), **options}
        return int(self._request("POST", "backfills", json=body)["id"])

    def add_connection(self, conn_id: str, values: Mapping[str, Any]) -> None:
        """Store a connection in Airflow's database, as the UI does; `values` are those of Airflow's JSON form."""
        fields = {**values, "connection_id": conn_id, "extra": json.dumps(values.get("extra"))}
        self._request("POST", "connections", json=fields)

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """Read any other resource below /api/v2."""
        return self._request("GET", path, params=params)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _find(self, path: str, **arguments: Any) -> dict[str, Any] | None:
        answer = self._send("GET", path, **arguments)
        return None if answer.status_code == httpx.codes.NOT_FOUND else _content(answer)

    def _request(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        return _content(self._send(method, path, **arguments))

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        if "Authorization" not in self._client.headers:
            token = _content(self._client.post("/auth/token", json=self._credentials))
            self._client.headers["Authorization"] = f"Bearer {token['access_token']}"
        return self._client.request(method, f"/api/v2/{path}", **arguments)


def _content(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        request = answer.request
        raise StackError(f"Airflow refuses {request.method} {request.url} with {answer.status_code}: {answer.text}")
    content: dict[str, Any] = answer.json()
    return content


def time_of(text: str) -> datetime:
    """Read a time as the API writes it."""
    return datetime.fromisoformat(text).astimezone(UTC)

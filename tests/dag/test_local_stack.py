from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from local_stack import LocalStack, StackError
from local_stack.__main__ import tell
from local_stack.demonstration import Report
from local_stack.programs import Program, session_members
from local_stack.settings import airflow_environment
from surgical_cdc.values import RunSummary

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
# Two generations below the program, each deaf to SIGTERM, each in a process group of its own, as Airflow's tasks are.
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for generation in range(2):
    if os.fork() == 0:
        os.setpgid(0, 0)
print("ready", flush=True)
time.sleep(600)
"""
WAIT_SECONDS = 20.0


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds; an AssertionError if it does not."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def start(tmp_path: Path, source: str) -> Program:
    """Start a Python program under the stack's care."""
    return Program("probe", [sys.executable, "-c", source], environment=os.environ, log=tmp_path / "probe.log")


def test_nothing_that_a_program_forked_is_left(tmp_path: Path) -> None:
    """Children that ignore the request to end, in process groups of their own, end with the program."""
    program = start(tmp_path, STUBBORN)
    wait_until(lambda: len(list(session_members(program.pid))) == 4 and "ready" in program.log.read_text())
    program.ask_to_end()
    program.end(0.2)
    assert list(session_members(program.pid)) == []


def test_a_program_ends_with_the_stack_that_was_killed(tmp_path: Path) -> None:
    """Even when nobody is left to stop it, a program is told to end."""
    pid_file = tmp_path / "pid"
    source = f"""
import os, sys, time
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from local_stack.programs import Program
program = Program("sleep", ["sleep", "600"], environment=os.environ, log=Path({str(tmp_path)!r}) / "sleep.log")
Path({str(pid_file)!r}).write_text(str(program.pid))
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", source])
    wait_until(lambda: pid_file.exists() and pid_file.read_text())
    child = int(pid_file.read_text())
    assert list(session_members(child)) == [child]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: list(session_members(child)) == [])


@pytest.mark.parametrize("keeps", [True, False])
def test_the_demo_ends_with_what_its_run_says_of_itself(*, keeps: bool) -> None:
    """And with the verdict; a run that was killed has no summary."""
    written = StringIO()
    summary = RunSummary(dag_id="vendor_cdc", run_id="1", result="success", written=3) if keeps else None
    report = Report("1", "failed", 1.0, (), (), (), {"prepare": "no"}, summary)
    tell(report, Console(file=written, width=120))
    *_, last = written.getvalue().splitlines()
    assert last == "The run failed. prepare: no"
    assert ("vendor_cdc/1: success." in written.getvalue()) == keeps


def test_the_commands_load_no_airflow() -> None:
    """Airflow's log would drown what they say, each statement of theirs in a line of its own."""
    loads = "import sys, local_stack.__main__, benchmarks.__main__; sys.exit('airflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", loads], check=True, cwd=ROOT)


def test_a_program_that_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    """The message names the program, how it ended, and the log, whose last lines it repeats."""
    program = start(tmp_path, "import sys; sys.exit('no space left on device')")
    wait_until(lambda: not list(session_members(program.pid)))
    with pytest.raises(StackError, match=r"probe has ended with status 1.*probe\.log\n.*no space left on device"):
        program.check()
    program.end(0)


@pytest.mark.parametrize(
    ("which", "option"),
    [
        pytest.param("port", "make run PORT=N", id="ui"),
        pytest.param("redshift_port", "--redshift-port N", id="redshift"),
    ],
)
def test_a_port_in_use_is_refused_before_anything_starts(tmp_path: Path, which: str, option: str) -> None:
    """The message names the port and the option that changes it; nothing is written."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(StackError, match=rf"Port {port}.*in use.*{option}"),
            LocalStack(tmp_path / "data", **{which: port}) as stack,
        ):
            stack.start_warehouse()
    assert not (tmp_path / "data").exists()


def test_a_folder_serves_one_stack_at_a_time(stack: LocalStack) -> None:
    """A second stack on the same folder is refused, and does not disturb the first."""
    with pytest.raises(StackError, match="Another stack is running"), LocalStack(stack.data) as second:
        second.start_warehouse()
    stack.check()
    assert stack.airflow.is_up()


def test_secrets_are_made_once_and_are_their_owners_alone(tmp_path: Path) -> None:
    """Password and keys outlast a restart, and no other user of the machine can read them."""

    def environment() -> dict[str, str]:
        return airflow_environment(tmp_path, port=1, metadata_uri="", warehouse={}, bundles={})

    tmp_path.chmod(0o755)
    first, second = environment(), environment()
    for name in ("CORE__FERNET_KEY", "API_AUTH__JWT_SECRET", "API__SECRET_KEY"):
        assert first[f"AIRFLOW__{name}"] == second[f"AIRFLOW__{name}"] != ""
    assert {file.name: f"{file.stat().st_mode & 0o777:o}" for file in tmp_path.glob("*.json")} == {
        "secrets.json": "600",
        "passwords.json": "600",
    }
    assert f"{tmp_path.stat().st_mode & 0o777:o}" == "700"


def test_settings_of_the_users_shell_do_not_reach_the_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another Airflow's settings stay out; connections and Variables, which alerts need, come in."""
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW__CORE__SECURITY", "kerberos")
    monkeypatch.setenv("AIRFLOW_VAR_SURGICAL_CDC_ALERTS", "[]")
    environment = airflow_environment(tmp_path, port=1, metadata_uri="", warehouse={}, bundles={})
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert "AIRFLOW__CORE__SECURITY" not in environment
    assert environment["AIRFLOW_VAR_SURGICAL_CDC_ALERTS"] == "[]"


def test_the_password_is_in_no_log(stack: LocalStack) -> None:
    """Nothing that Airflow writes shows the passwords of its user and of the warehouse, and others can not read it."""
    written = [log for folder in (stack.logs, stack.home / "logs") for log in folder.rglob("*.log")]
    assert written
    secrets = (stack.password, stack.database_password_file.read_text().strip())
    assert [log for log in written if any(secret in log.read_text(errors="replace") for secret in secrets)] == []
    assert {f"{log.stat().st_mode & 0o777:o}" for log in stack.logs.glob("*.log")} == {"600"}


def test_a_part_that_dies_is_noticed(tmp_path: Path) -> None:
    """When the stand-in's process is gone, the next check says so and names its log."""
    with LocalStack(tmp_path / "data") as stack:
        stack.start_warehouse()
        stack.check()
        assert stack._redshift._gateway is not None
        stack._redshift._gateway.kill()
        stack._redshift._gateway.wait()
        with pytest.raises(StackError, match=r"stand-in for Redshift has ended .*postgres\.log"):
            stack.check()

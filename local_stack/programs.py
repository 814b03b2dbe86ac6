"""One program of the stack: started in a session of its own, stopped together with all that it has forked."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from local_redshift.server.files import private
from local_stack.errors import StackError

CHECK_SECONDS = 0.05


class Program:
    """A child process that writes to a log file of its own.

    The session keeps a Ctrl-C in the terminal away from it, so that the stack decides the order in which things end;
    it also names everything that the program forks. Should this process be killed, the kernel ends the program.
    """

    def __init__(self, name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> None:
        """Start the program; what it prints goes to `log`, which is begun anew."""
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with private(log, "wb") as output:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *command],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, and the id of the session."""
        return self._process.pid

    def check(self) -> None:
        """Raise StackError when the program has ended."""
        status = self._process.poll()
        if status is not None:
            meaning = _meaning(status)
            raise StackError(f"{self.name} has ended with {meaning}. All that it wrote: {self.log}\n{self._tail()}")

    def wait(self, seconds: float) -> None:
        """Wait until the program has done its work.

        Raises:
            StackError: it failed, or is not done after `seconds`.
        """
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise StackError(f"{self.name} is not done after {seconds:.0f} s. See {self.log}.") from None
        if status != 0:
            self.check()

    def ask_to_end(self) -> None:
        """Send SIGTERM, on which Airflow's programs end by themselves."""
        with suppress(ProcessLookupError):
            self._process.terminate()

    def end(self, seconds: float) -> None:
        """Give the session `seconds` to end by itself, then kill what is left of it."""
        deadline = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(CHECK_SECONDS)
        while left := list(session_members(self.pid)):
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.poll()
            time.sleep(CHECK_SECONDS)
        self._process.wait()

    def _tail(self, lines: int = 15) -> str:
        return "\n".join(f"  {line}" for line in self.log.read_text(errors="replace").splitlines()[-lines:])


def session_members(session: int) -> Iterator[int]:
    """Yield the processes of a session that are not yet dead."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(ProcessLookupError, FileNotFoundError, PermissionError):
                if os.getsid(int(entry.name)) == session and _state(entry) not in {"Z", "X"}:
                    yield int(entry.name)


def _state(process: Path) -> str:
    return (process / "stat").read_text().rpartition(")")[2].split()[0]


def _meaning(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"

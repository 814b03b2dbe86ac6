"""Starting and stopping the stand-in from Python, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self, cast

from local_redshift.errors import LocalRedshiftError
from local_redshift.server.installation import ADMINISTRATOR, DATABASE, USER
from local_redshift.server.password import NAME, VARIABLE, read
from local_redshift.server.postgres import metadata_uri, socket_folder
from local_redshift.wire.control import ask

if TYPE_CHECKING:
    from types import TracebackType

    from local_redshift.wire.faults import Fault
    from local_redshift.wire.latency import Latency

READY = re.compile(r"ready on \S+:(?P<port>\d+)")
STOP_SECONDS = 30.0


class LocalRedshift:
    """A running stand-in, as a context manager or by `start` and `stop`.

    It lives in a process of its own and ends with the caller, however the caller ends.
    """

    database = DATABASE
    user = USER

    def __init__(
        self,
        *,
        data: Path,
        port: int = 5439,
        host: str = "127.0.0.1",
        record: Path | None = None,
        latency: Latency | None = None,
        lenient: bool = False,
        password: str | None = None,
    ) -> None:
        """Describe the stand-in; nothing is started yet.

        Args:
            data: folder of the databases; made when it does not exist.
            port: TCP port to listen on; 0 takes a free one, known after `start`.
            host: address to listen on.
            record: file that each distinct statement of any session is appended to, one JSON object a line:
                `{"statement": text}`; none when it is not given.
            latency: what each statement, COMMIT and new connection waits; nothing when it is not given.
            lenient: accept what Redshift refuses and PostgreSQL does not, for tools that are not made for Redshift.
            password: of the warehouse's user, from this start on; without one, the environment's
                LOCAL_REDSHIFT_PASSWORD, or the one that is kept in the data folder, which the first start makes.
        """
        self.data = data.expanduser().resolve()
        self.port = port
        self.host = host
        self.record = record.expanduser().resolve() if record else None
        self.latency = latency
        self.lenient = lenient
        self._given = {} if password is None else {VARIABLE: password}
        self._gateway: subprocess.Popen[str] | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """What `redshift_connector.connect` takes to open a session on the warehouse."""
        return {
            "host": self.host,
            "port": self.port,
            "database": self.database,
            "user": self.user,
            "password": self.password,
            "ssl": False,
            # Without a name the driver walks through the whole call stack for one.
            "application_name": "local_redshift",
        }

    @property
    def password_file(self) -> Path:
        """File with the password of the warehouse's user, which its owner alone can read."""
        return self.data / NAME

    @property
    def password(self) -> str:
        """Password of the warehouse's user, as it is kept in the data folder.

        Raises:
            LocalRedshiftError: the stand-in was never started, or another user has started it.
        """
        return read(self.data)

    @property
    def administrator(self) -> dict[str, Any]:
        """What `psycopg2.connect` takes to open a session of PostgreSQL's superuser on the warehouse, by its socket.

        For what there is no SQL for on Redshift; only the user who has started the stand-in is let in.
        """
        return {"host": str(socket_folder(self.data)), "user": ADMINISTRATOR, "dbname": self.database}

    @property
    def metadata_uri(self) -> str:
        """SQLAlchemy URI of the `airflow` database, over PostgreSQL's own socket."""
        return metadata_uri(self.data)

    @property
    def struck(self) -> int:
        """Statements that the last fault that was set has struck.

        Raises:
            LocalRedshiftError: the stand-in does not run.
        """
        return ask(self.data, {})["struck"]

    def set_fault(self, fault: Fault) -> None:
        """Let a fault strike, in place of any other; the statements of all connections are counted from now on.

        Raises:
            LocalRedshiftError: the stand-in does not run.
        """
        ask(self.data, {"set": asdict(fault)})

    def clear_faults(self) -> int:
        """Let all statements pass, and end an outage; return the number of statements since the fault was set.

        Raises:
            LocalRedshiftError: the stand-in does not run.
        """
        return ask(self.data, {"clear": True})["counted"]

    def start(self) -> Self:
        """Start the databases and the gateway, and wait until they answer.

        Raises:
            LocalRedshiftError: the port or the data folder is in use, or PostgreSQL does not start.
        """
        package_parent = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, [package_parent, os.environ.get("PYTHONPATH")]))
        arguments = ["--data", str(self.data), "--host", self.host, "--port", str(self.port)]
        if self.record is not None:
            arguments += ["--record", str(self.record)]
        if self.latency is not None:
            waits = asdict(self.latency)
            arguments += [part for name, wait in waits.items() for part in (f"--{name}-latency", str(wait))]
        if self.lenient:
            arguments += ["--lenient"]
        with tempfile.TemporaryFile("w+") as complaints:
            gateway = subprocess.Popen(
                [sys.executable, "-m", "local_redshift", *arguments, "--parent", str(os.getpid())],
                env={**os.environ, **self._given, "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                # Ctrl-C in a terminal reaches the whole group; whoever called us still needs the
                # databases while it ends, and stops us afterwards.
                start_new_session=True,
            )
            with cast("IO[str]", gateway.stdout) as lines:
                ready = next(filter(None, map(READY.search, lines)), None)
            if ready:
                self.port = int(ready["port"])
                self._gateway = gateway
                return self
            status = gateway.wait()
            complaints.seek(0)
            said = complaints.read().strip()
        raise LocalRedshiftError.of_gateway(said, data=self.data, status=status)

    def stop(self) -> None:
        """Stop the gateway and the databases; a second call does nothing."""
        gateway, self._gateway = self._gateway, None
        if gateway is None:
            return
        gateway.terminate()
        try:
            gateway.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            gateway.kill()
            gateway.wait()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()

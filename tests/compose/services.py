"""The services of docker-compose.yaml started without containers, each with its own command and environment.

What a container would give a service, this gives it another way: addresses and folders of the file become those of this
machine, and the image is an environment with the requirements that the Dockerfile installs.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from local_stack.programs import session_members
from tests.conftest import ROOT

VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::-(?P<default>[^}]*)|:\?[^}]*)?\})")
HEALTHY_SECONDS = 240
STOP_SECONDS = 60
POLL_SECONDS = 0.25
# Where Debian has PostgreSQL's programs, one folder for each version.
POSTGRES = Path("/usr/lib/postgresql")


def missing() -> str:
    """Return what this machine lacks to start the services; "" where it lacks nothing."""
    if os.geteuid() != 0:
        return "PostgreSQL runs as a user of its own here, which takes root"
    if not shutil.which("redis-server") or not list(POSTGRES.glob("*/bin/postgres")):
        return "Redis or PostgreSQL is missing: apt-get install redis-server postgresql"
    return ""


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Services:
    """The services by name; none runs before it is started."""

    def __init__(self, folder: Path, *, image: Path, values: Mapping[str, str], environment: Mapping[str, str]) -> None:
        """Read the file, fill it in, and lay out what the image holds.

        Args:
            folder: for all that the services write.
            image: the environment that plays the image.
            values: variables of `.env`; secrets that are not among them are drawn.
            environment: of each service of Airflow's, besides what the file gives it.
        """
        self.folder, self._image, self._environment = folder, image, dict(environment)
        self.ports = {name: free_port() for name in ("postgres", "redis", "api", "scheduler", "worker", "triggerer")}
        self.home = folder / "airflow"
        names = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
        drawn = {name: secrets.token_hex(32) for name in names}
        drawn["AIRFLOW_FERNET_KEY"] = base64.urlsafe_b64encode(os.urandom(32)).decode()
        self.values = {**drawn, **values}
        self.services: dict[str, Any] = self._filled(yaml.safe_load((ROOT / "docker-compose.yaml").read_text()))[
            "services"
        ]
        self._programs: dict[str, subprocess.Popen[bytes]] = {}
        self._lay_out()

    @property
    def url(self) -> str:
        """Where the UI is."""
        return f"http://127.0.0.1:{self.ports['api']}"

    @property
    def running(self) -> list[str]:
        """Services that have been started and have a health check."""
        return [name for name in self._programs if "healthcheck" in self.services[name]]

    def start(self, *names: str) -> None:
        """Start services one after the other; each is healthy, or has ended well, before the next begins."""
        for name in names:
            service = self.services[name]
            command = [*service.get("entrypoint", []), *service.get("command", [])]
            if name == "postgres":
                command = self._postgres(service["environment"])
            with self._log(name).open("ab") as log:
                self._programs[name] = subprocess.Popen(
                    command,
                    env=self._environment_of(service),
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    user="postgres" if name == "postgres" else None,
                )
            if "healthcheck" in service:
                self._wait_until_healthy(name)
            elif self._programs[name].wait(HEALTHY_SECONDS):
                raise AssertionError(self._said(name, "has failed"))

    def check(self) -> None:
        """Fail where a service that stays has ended by itself."""
        for name in self.running:
            assert self._programs[name].poll() is None, self._said(name, "has ended")

    def kill(self, name: str) -> None:
        """Kill a service with all that it has started, as the kernel does."""
        program = self._programs.pop(name)
        while left := list(session_members(program.pid)):
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            program.poll()
        program.wait()

    def stop(self) -> None:
        """Stop what runs, the last first, with the signal that a container gets."""
        for name in list(self._programs)[::-1]:
            program = self._programs[name]
            # PostgreSQL waits for its clients on SIGTERM; its image is stopped by SIGINT.
            program.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                program.wait(STOP_SECONDS)
            self.kill(name)

    def seconds_of_check(self, name: str) -> float:
        """Return the processor seconds that one health check of a service takes."""
        before = os.times()
        assert self._is_healthy(name), name
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    def _filled(self, node: Any) -> Any:
        """Return the file with its variables filled in, and with places of this machine."""
        if isinstance(node, dict):
            return {key: self._filled(value) for key, value in node.items()}
        if isinstance(node, list):
            return [self._filled(value) for value in node]
        if not isinstance(node, str):
            return node
        ports = self.ports
        text = VARIABLE.sub(self._variable, node)
        for there, here in {
            "@postgres/": f"@127.0.0.1:{ports['postgres']}/",
            "@redis:6379": f"@127.0.0.1:{ports['redis']}",
            "redis-server -": f"redis-server --port {ports['redis']} --bind 127.0.0.1 -",
            "redis-cli": f"redis-cli -p {ports['redis']}",
            "airflow-apiserver:8080": f"127.0.0.1:{ports['api']}",
            "localhost:8080": f"127.0.0.1:{ports['api']}",
            "localhost:8974": f"127.0.0.1:{ports['scheduler']}",
            "/opt/airflow": str(self.home),
        }.items():
            text = text.replace(there, here)
        return text

    def _variable(self, match: re.Match[str]) -> str:
        if match["name"] is None:
            return "$"
        return self.values.get(match["name"], match["default"]) or ""

    def _lay_out(self) -> None:
        """Copy what the Dockerfile copies."""
        dockerfile = (ROOT / "docker" / "Dockerfile").read_text()
        production, _, _ = dockerfile.partition("AS local-redshift")
        for name in re.findall(r"^COPY --chown\S+ (\w+) /opt/airflow/\1$", production, re.MULTILINE):
            shutil.copytree(ROOT / name, self.home / name, ignore=shutil.ignore_patterns("__pycache__", "target"))
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, self.home)

    def _environment_of(self, service: Mapping[str, Any]) -> dict[str, str]:
        """Return what a container's process sees, with ports of its own where all share those of one machine."""
        return {
            "AIRFLOW_HOME": str(self.home),
            "HOME": str(self.home),
            "HOSTNAME": socket.gethostname(),
            "LANG": "C.UTF-8",
            "PATH": f"{self._image / 'bin'}:{os.environ['PATH']}",
            "PGPORT": str(self.ports["postgres"]),
            "AIRFLOW__API__PORT": str(self.ports["api"]),
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(self.ports["scheduler"]),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(self.ports["worker"]),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(self.ports["triggerer"]),
            **self._environment,
            **service.get("environment", {}),
        }

    def _postgres(self, variables: Mapping[str, str]) -> list[str]:
        """Do what the image of PostgreSQL does at its first start, and return what it then runs."""
        programs = max(POSTGRES.glob("*/bin"))
        data = self.folder / "postgres"
        data.mkdir()
        shutil.chown(data, "postgres")
        password = self.folder / "postgres.password"
        password.write_text(variables["POSTGRES_PASSWORD"])
        # The tests' folders are for their owner alone.
        for folder in (data, *data.parents):
            if folder.is_relative_to("/tmp") and folder != Path("/tmp"):  # noqa: S108 - where pytest has them
                folder.chmod(folder.stat().st_mode | 0o011)
        initialize = ["--pgdata", data, "--username", variables["POSTGRES_USER"], "--pwfile", password]
        secure = ["--auth", "scram-sha-256", "--encoding", "UTF8", "--no-sync"]
        subprocess.run(
            [programs / "initdb", *initialize, *secure],
            check=True,
            user="postgres",
            cwd=data,
            stdout=subprocess.DEVNULL,
        )
        single = [programs / "postgres", "--single", "-D", data, "postgres"]
        create = f"CREATE DATABASE {variables['POSTGRES_DB']};\n"
        subprocess.run(single, check=True, user="postgres", cwd=data, input=create, text=True, capture_output=True)
        listen = ["-h", "127.0.0.1", "-p", str(self.ports["postgres"]), "-k", str(data)]
        return [str(programs / "postgres"), "-D", str(data), *listen, "-c", "fsync=off"]

    def _wait_until_healthy(self, name: str) -> None:
        deadline = time.monotonic() + HEALTHY_SECONDS
        while not self._is_healthy(name):
            if self._programs[name].poll() is not None:
                raise AssertionError(self._said(name, "has ended"))
            if time.monotonic() > deadline:
                raise AssertionError(self._said(name, "does not get healthy"))
            time.sleep(POLL_SECONDS)

    def _is_healthy(self, name: str) -> bool:
        service = self.services[name]
        kind, *test = service["healthcheck"]["test"]
        check = ["sh", "-c", *test] if kind == "CMD-SHELL" else test
        seconds = int(service["healthcheck"]["timeout"].removesuffix("s"))
        environment = self._environment_of(service)
        try:
            return not subprocess.run(
                check, env=environment, cwd=self.folder, timeout=seconds, check=False, capture_output=True
            ).returncode
        except subprocess.TimeoutExpired:
            return False

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _said(self, name: str, what: str) -> str:
        """Return what is wrong with a service, and the end of its log."""
        return "\n".join([f"{name} {what}. Its last lines:", *self._log(name).read_text().splitlines()[-40:]])

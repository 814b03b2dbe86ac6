"""`python -m local_redshift`: the stand-in in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path

from local_redshift.errors import LocalRedshiftError
from local_redshift.server import password
from local_redshift.server.installation import DATABASE, USER
from local_redshift.server.postgres import SOCKET_NAME, Postgres
from local_redshift.wire import control
from local_redshift.wire.faults import Faults
from local_redshift.wire.gateway import Client
from local_redshift.wire.latency import Latency
from local_redshift.wire.listener import BACKLOG, Listener
from local_redshift.wire.recording import Recording

PARENT_CHECK_SECONDS = 0.25


def main() -> int:
    """Serve until SIGINT or SIGTERM, or until the parent ends; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m local_redshift",
        description="A stand-in for Amazon Redshift on this machine, for development and tests.",
        epilog=f"The user's password is that of the environment variable {password.VARIABLE}; without one, the one that"
        " is kept in the data folder, which the first start makes and prints.",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the databases")
    parser.add_argument("--port", type=int, default=5439, help="port; 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--record", type=Path, metavar="FILE", help="file to append each distinct statement to")
    for waiting in fields(Latency):
        name = f"--{waiting.name}-latency"
        parser.add_argument(name, type=float, default=0.0, metavar="SECONDS", help=f"what each {waiting.name} waits")
    parser.add_argument("--lenient", action="store_true", help="accept what Redshift refuses and PostgreSQL does not")
    parser.add_argument("--parent", type=int, default=os.getppid(), help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        latency = Latency(options.statement_latency, options.commit_latency, options.connection_latency)
    except ValueError as error:
        parser.error(str(error))
    try:
        given = password.given()
        postgres = Postgres(options.data.expanduser().resolve(), given=given)
        with contextlib.ExitStack() as opened:
            bound = opened.enter_context(_bind(options.host, options.port))
            if given is None:
                _require_loopback(bound)
            recording = opened.enter_context(Recording(options.record)) if options.record else None
            client = partial(
                Client,
                postgres.socket / SOCKET_NAME,
                recording=recording,
                latency=latency if latency != Latency() else None,
                lenient=options.lenient,
            )
            asyncio.run(_serve(postgres, bound, options.parent, client))
    except LocalRedshiftError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _bind(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        raise LocalRedshiftError.of(
            f"port {port} is in use" if in_use else f"port {port} can not be opened",
            where=f"address {host}:{port}",
            known=f"the system says: {error.strerror}",
            action="stop the other program, or take another port (--port 0 for a free one)",
        ) from error


def _require_loopback(bound: socket.socket) -> None:
    """Refuse an address that others can reach, where nobody has chosen a password."""
    host = bound.getsockname()[0]
    if not ipaddress.ip_address(host).is_loopback:
        raise LocalRedshiftError.of(
            "the address can be reached from other machines, and no password is given",
            where=f"address {host}",
            known="beyond this machine the local Redshift serves only with a password that somebody has chosen",
            action=f"set the environment variable {password.VARIABLE}, or listen on 127.0.0.1",
        )


async def _serve(postgres: Postgres, bound: socket.socket, parent: int, client: Callable[..., Client]) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)

    listener = Listener(bound, lambda: client(faults=faults))
    faults = Faults(listener.refuse)
    postgres.start()
    try:
        await listener.accept()
        controls = await control.serve(postgres.socket, faults, listener)
        if postgres.made_password:
            print(f"The password of {USER}, which is not printed again: {password.read(postgres.data)}", flush=True)
        host, port = listener.address[:2]
        print(
            f"Local Redshift is ready on {host}:{port}: database {DATABASE}, user {USER}, "
            f"password in {postgres.data / password.NAME}, no SSL; data in {postgres.data}; Ctrl-C stops it",
            flush=True,
        )
        while not ended.is_set() and os.getppid() == parent:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), PARENT_CHECK_SECONDS)
            postgres.check()
        controls.close()
        listener.close()
    finally:
        postgres.stop()


if __name__ == "__main__":
    sys.exit(main())

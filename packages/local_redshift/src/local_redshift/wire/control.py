"""Setting faults from outside while the gateway serves: a socket in the data folder, beside PostgreSQL's own.

One connection carries one request and its answer, each a line of JSON. A request is `{"set": {...}}` with the fields of
a `Fault`, `{"clear": true}` or `{}`; the answer is `{"counted": statements, "struck": statements}`.
"""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

from local_redshift.errors import LocalRedshiftError
from local_redshift.server.postgres import socket_folder
from local_redshift.wire.faults import Fault, FaultKind, Faults

if TYPE_CHECKING:
    from pathlib import Path

    from local_redshift.wire.listener import Listener

NAME = "control"
ANSWER_SECONDS = 10.0


def ask(data: Path, request: dict[str, Any]) -> dict[str, int]:
    """Send a request to the stand-in that serves this data folder.

    Raises:
        LocalRedshiftError: none serves it.
    """
    try:
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(ANSWER_SECONDS)
            control.connect(str(socket_folder(data) / NAME))
            with control.makefile("rw", encoding="utf-8") as lines:
                lines.write(json.dumps(request) + "\n")
                lines.flush()
                answer: dict[str, int] = json.loads(lines.readline())
    except OSError as error:
        raise LocalRedshiftError.of(
            "the local Redshift does not answer",
            where=f"data folder {data}",
            known=f"the system says: {error.strerror or error}",
            action="start it before a fault is set",
        ) from error
    return answer


async def serve(folder: Path, faults: Faults, listener: Listener) -> asyncio.Server:
    """Answer requests on a socket in this folder."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline())
            if request:
                # An outage ends with the fault that made it.
                await listener.accept()
                faults.clear()
            if "set" in request:
                faults.set(Fault(**{**request["set"], "kind": FaultKind(request["set"]["kind"])}))
            result = {"counted": faults.counted, "struck": faults.struck}
            writer.write(json.dumps(result).encode() + b"\n")
            await writer.drain()
        finally:
            writer.close()

    return await asyncio.start_unix_server(answer, folder / NAME)

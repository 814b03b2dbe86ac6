"""The gateway: Redshift's port on one side, PostgreSQL's socket on the other.

Both speak version 3 of the wire protocol. What the server says passes untouched; of what the client
says, the startup packet is filtered, and each statement goes through `statements.translate`.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, cast

from local_redshift.statements import translate

if TYPE_CHECKING:
    from pathlib import Path

    from local_redshift.recording import Recording

CANCEL_REQUEST = 80877102
ENCRYPTION_REQUESTS = (80877103, 80877104)  # SSL, GSSAPI
# Redshift's driver sends more, and PostgreSQL refuses a connection for each it does not know.
STARTUP_PARAMETERS = (b"user", b"database", b"application_name", b"options", b"client_encoding")
PARSE, QUERY = ord("P"), ord("Q")
HEADER = 5  # of a message: its kind and its length
STARTUP_HEADER = 8  # of a startup packet: its length and the protocol's version
STARTUP_LIMIT = 10_000


class Server(asyncio.Protocol):
    """The connection to PostgreSQL on behalf of one client."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection to write to."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass on what PostgreSQL says."""
        self.client.send(data)

    def connection_lost(self, _error: Exception | None) -> None:
        """PostgreSQL has ended the session."""
        self.client.close()

    def pause_writing(self) -> None:
        """PostgreSQL reads more slowly than the client writes."""
        self.client.pause_reading()

    def resume_writing(self) -> None:
        """PostgreSQL has read."""
        self.client.resume_reading()


class Client(asyncio.Protocol):
    """One client's connection: its startup, then its messages."""

    def __init__(self, postgres: Path, *, recording: Recording | None = None) -> None:
        self.postgres = postgres
        self.recording = recording
        self.received = bytearray()
        self.to_pass = 0
        self.transport: asyncio.Transport | None = None
        self.server: asyncio.Transport | None = None
        self.connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection to write to."""
        self.transport = cast("asyncio.Transport", transport)
        # asyncio sets it only on sockets of a listener that it made; without it a statement may wait some 30 ms for the
        # acknowledgement of the one before.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Read the startup, then pass on the messages."""
        self.received += data
        if self.server is not None:
            self.server.write(self._take_messages())
        elif self.connecting is None:
            self._read_startup()

    def connection_lost(self, _error: Exception | None) -> None:
        """End the session in PostgreSQL too."""
        self.transport = None
        if self.connecting is not None:
            self.connecting.cancel()
        if self.server is not None:
            self.server.close()

    def pause_writing(self) -> None:
        """The client reads more slowly than PostgreSQL writes."""
        if self.server is not None:
            self.server.pause_reading()

    def resume_writing(self) -> None:
        """The client has read."""
        if self.server is not None:
            self.server.resume_reading()

    def send(self, data: bytes) -> None:
        """Pass on to the client."""
        if self.transport is not None:
            self.transport.write(data)

    def close(self) -> None:
        """End the client's connection after what was sent."""
        if self.transport is not None:
            self.transport.close()

    def pause_reading(self) -> None:
        """Let the client wait until PostgreSQL has read."""
        if self.transport is not None:
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again from the client."""
        if self.transport is not None:
            self.transport.resume_reading()

    def _read_startup(self) -> None:
        while len(self.received) >= STARTUP_HEADER:
            length, code = struct.unpack_from("!ii", self.received)
            if not STARTUP_HEADER <= length <= STARTUP_LIMIT:
                self.close()
                return
            if len(self.received) < length:
                return
            packet = bytes(self.received[:length])
            del self.received[:length]
            if code in ENCRYPTION_REQUESTS:
                self.send(b"N")
                continue
            if code != CANCEL_REQUEST:
                packet = known_startup(packet)
            self.connecting = asyncio.get_running_loop().create_task(self._connect(packet))
            return

    async def _connect(self, packet: bytes) -> None:
        loop = asyncio.get_running_loop()
        try:
            transport, _server = await loop.create_unix_connection(lambda: Server(self), str(self.postgres))
        except OSError:
            self.close()
            return
        self.server = transport
        transport.write(packet)
        transport.write(self._take_messages())

    def _take_messages(self) -> bytes:
        """Take the messages received so far, their statements translated.

        A statement is kept until it is complete; any other message passes as its bytes come.
        """
        received = self.received
        ready = []
        passed = position = 0
        while True:
            if self.to_pass:
                step = min(self.to_pass, len(received) - position)
                self.to_pass -= step
                position += step
            if len(received) - position < HEADER:
                break
            (length,) = struct.unpack_from("!i", received, position + 1)
            end = position + 1 + length
            if received[position] not in (PARSE, QUERY):
                self.to_pass = 1 + length
                continue
            if len(received) < end:
                break
            message = bytes(received[position:end])
            translated = self._translate(message)
            if translated is not message:
                ready += [bytes(received[passed:position]), translated]
                passed = end
            position = end
        ready.append(bytes(received[passed:position]))
        del received[:position]
        return b"".join(ready)

    def _translate(self, message: bytes) -> bytes:
        """A Parse or Query message with its statement translated; itself when nothing changes."""
        start = HEADER
        if message[0] == PARSE:
            start = message.index(b"\0", HEADER) + 1  # the name of the prepared statement comes first
        end = message.index(b"\0", start)
        statement = message[start:end]
        if self.recording is not None:
            self.recording.add(statement)
        translated = translate(statement)
        if translated is statement:
            return message
        length = len(message) - 1 + len(translated) - len(statement)
        head = message[:1] + struct.pack("!i", length) + message[HEADER:start]
        return head + translated + message[end:]


def known_startup(packet: bytes) -> bytes:
    """The startup packet with only the parameters that PostgreSQL knows."""
    words = packet[STARTUP_HEADER:].split(b"\0")
    pairs = zip(words[0::2], words[1::2], strict=False)
    kept = b"".join(b"%s\0%s\0" % pair for pair in pairs if pair[0] in STARTUP_PARAMETERS)
    return struct.pack("!i", STARTUP_HEADER + len(kept) + 1) + packet[4:STARTUP_HEADER] + kept + b"\0"

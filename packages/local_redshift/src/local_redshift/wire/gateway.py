"""The gateway: Redshift's port on one side, PostgreSQL's socket on the other.

Both speak version 3 of the wire protocol. What the server says passes untouched; of what the client
says, the startup packet is filtered, and each statement goes through `statements.translate`. One whose
meaning depends on the columns of its tables waits until the server was asked for them (`asking.py`).
Only while a fault is set, or a latency given, each statement is seen when it is run, and the answer to
the one that is struck is read.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, cast

from local_redshift.rules.refusing import refusing
from local_redshift.translation.columns import may_need_columns, resolving
from local_redshift.translation.statements import translate
from local_redshift.wire import startup
from local_redshift.wire.asking import Asking
from local_redshift.wire.faults import FaultKind
from local_redshift.wire.injection import (
    BIND,
    COUNTED,
    HEADER,
    PARSE,
    QUERY,
    STATEMENTS,
    SYNC,
    Answer,
    Portals,
    failing,
)
from local_redshift.wire.startup import STARTUP_HEADER
from local_redshift.wire.strictness import READY, Strictness

if TYPE_CHECKING:
    from pathlib import Path

    from local_redshift.wire.faults import Faults
    from local_redshift.wire.latency import Latency
    from local_redshift.wire.recording import Recording

CANCEL_REQUEST = 80877102
ENCRYPTION_REQUESTS = (80877103, 80877104)  # SSL, GSSAPI
# PostgreSQL tells at the start how it reads a backslash, Redshift does not. A driver that hears "off" writes E'…'.
BACKSLASHES = b"standard_conforming_strings\0off\0"
TOLD = b"S" + struct.pack("!i", 4 + len(BACKSLASHES)) + BACKSLASHES
STARTUP_LIMIT = 10_000
LEAST_LENGTH = 4  # of a message: its length counts itself
# Behind these the server answers that it is ready, and can be asked. Before the first message it is as well.
ENDING = frozenset((0, QUERY, SYNC))


class Server(asyncio.Protocol):
    """The connection to PostgreSQL on behalf of one client."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.is_ready = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection to write to."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Pass on what PostgreSQL says."""
        self.client.strictness.hear(data)
        if self.client.is_asked:
            self.client.hear_answer(data)
            return
        if not self.is_ready:
            # All that is told at the start comes at once, with the first message that the server is ready.
            self.is_ready = READY in data
            data = data.replace(TOLD, b"")
        self.client.send(data if self.client.answer is None else self.client.answer_struck(data))
        self.client.ask()

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

    def __init__(
        self,
        postgres: Path,
        *,
        faults: Faults | None = None,
        recording: Recording | None = None,
        latency: Latency | None = None,
        lenient: bool = False,
    ) -> None:
        self.postgres = postgres
        self.latency = latency
        self.strictness = Strictness(lenient=lenient)
        self.recording = recording
        self.faults = faults
        self.portals = Portals()
        self.waiting: asyncio.TimerHandle | None = None  # for the end of a delay
        self.has_waited = False  # true while a delayed statement is passed
        self.answer: Answer | None = None  # of the statement that a fault has struck
        self.asking: Asking | None = None  # about the columns of the statement that is next to pass
        self.is_asked = False  # while the server answers that
        self.last_kind = 0  # of the message that has passed last
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
            self._pass_messages()
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

    def answer_struck(self, data: bytes) -> bytes:
        """What the client gets in place of the server's answer to the statement that a fault has struck."""
        if self.answer is None:
            return data
        taken = self.answer.take(data)
        if self.answer.complete:
            if self.answer.kind is FaultKind.CUT_AFTER:
                self.close()
            self.answer = None
        return taken

    def ask(self) -> None:
        """Send the question that the next statement waits for, as soon as the server has answered what was before."""
        if self.asking is None or self.is_asked or not self.strictness.is_ready or self.server is None:
            return
        self.is_asked = True
        self.strictness.begin()
        self.server.write(self.asking.question)

    def hear_answer(self, data: bytes) -> None:
        """Take the server's answer to a question."""
        if self.asking is None or not self.asking.hear(data):
            return
        self.is_asked = False
        if self.asking.question:
            self.ask()
        else:
            self._pass_messages()

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
                parameters = startup.parameters(packet)
                packet = startup.packet_of(packet, parameters)
                if error := startup.refusal(parameters) or self.strictness.refuse_startup(packet):
                    self.send(error)
                    self.close()
                    return
            self.connecting = asyncio.get_running_loop().create_task(self._connect(packet))
            return

    async def _connect(self, packet: bytes) -> None:
        loop = asyncio.get_running_loop()
        if self.latency is not None:
            await asyncio.sleep(self.latency.connection)
        try:
            transport, _server = await loop.create_unix_connection(lambda: Server(self), str(self.postgres))
        except OSError:
            self.close()
            return
        self.server = transport
        transport.write(packet)
        self._pass_messages()

    def _pass_messages(self) -> None:
        if self.waiting is None and (messages := self._take_messages()) and self.server is not None:
            self.strictness.begin()
            self.server.write(messages)
        self.ask()

    def _take_messages(self) -> bytes:
        """Take the messages received so far, their statements translated.

        A statement is kept until it is complete; any other message passes as its bytes come. While a fault is set, or a
        latency given, so is what runs a statement.
        """
        received = self.received
        counting = self.latency is not None or self._is_fault_set
        whole = STATEMENTS | COUNTED if counting else STATEMENTS
        if counting or self.strictness.reads_bind:
            whole |= {BIND}
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
            if length < LEAST_LENGTH:
                # No message of the protocol: nothing behind it could be told apart either.
                self.close()
                return b""
            end = position + 1 + length
            if received[position] not in whole:
                self.last_kind = received[position]
                self.to_pass = 1 + length
                continue
            if len(received) < end:
                break
            message = bytes(received[position:end])
            sent = self._passing(message, counting=counting)
            if not sent:
                break
            if sent is not message:
                ready += [bytes(received[passed:position]), sent]
                passed = end
            position = end
            self.asking, self.last_kind = None, message[0]
        ready.append(bytes(received[passed:position]))
        del received[:position]
        return b"".join(ready)

    def _passing(self, message: bytes, *, counting: bool) -> bytes:
        """What passes in place of a message; nothing when it stays."""
        if message[0] in STATEMENTS and self._must_ask(message):
            return b""
        sent = self._translate(message) if message[0] in STATEMENTS else message
        if message[0] == BIND:
            sent = self.strictness.bind(message)
        return self._count(message, sent) if counting else sent

    def _must_ask(self, message: bytes) -> bool:
        """Whether the statement of a Parse or Query message has to wait for what the server says of columns."""
        if self.asking is None:
            start, end = _statement(message)
            statement = message[start:end]
            situations = self.strictness.situations(message[0])
            if self.last_kind not in ENDING or not may_need_columns(statement):
                return False
            if situations and refusing(statement, situations) is not None:
                return False
            self.asking = Asking(resolving(statement))
        return bool(self.asking.question)

    def _translate(self, message: bytes) -> bytes:
        """A Parse or Query message with its statement translated; itself when nothing changes."""
        start, end = _statement(message)
        statement = message[start:end]
        if message[0] == PARSE:
            self.portals.prepare(message[HEADER : start - 1], statement)
            self.strictness.prepare(message[HEADER : start - 1], statement)
        if self.recording is not None:
            self.recording.add(statement)
        if self.asking is not None:  # and so no rule refuses it
            translated = translate(self.asking.resolved, situations=frozenset())
        else:
            translated = translate(statement, situations=self.strictness.situations(message[0]))
        if translated is statement:
            return message
        length = len(message) - 1 + len(translated) - len(statement)
        head = message[:1] + struct.pack("!i", length) + message[HEADER:start]
        return head + translated + message[end:]

    def _count(self, message: bytes, translated: bytes) -> bytes:
        """Count what a message runs: what passes in its place, nothing when it stays."""
        if message[0] == BIND:
            self.portals.bind(message)
        if message[0] not in COUNTED or self.has_waited:
            return translated
        fault = self.faults.count() if self.faults is not None and self._is_fault_set else None
        if fault is None or fault.kind is FaultKind.DELAY:
            return self._delayed(translated, fault.seconds if fault else self._latency_of(message))
        if fault.kind in {FaultKind.CUT_BEFORE, FaultKind.REFUSE_CONNECTIONS}:
            self._reset()
            return b""
        self.answer = Answer(fault.kind)
        if fault.kind is FaultKind.CUT_AFTER:
            return translated
        return failing(message, commit=self.portals.commits(message))

    @property
    def _is_fault_set(self) -> bool:
        return self.faults is not None and self.faults.fault is not None

    def _latency_of(self, message: bytes) -> float:
        """Return how many seconds a statement waits whatever it does."""
        if self.latency is None or self.portals.begins(message):
            return 0.0
        return self.latency.commit if self.portals.commits(message) else self.latency.statement

    def _delayed(self, message: bytes, seconds: float) -> bytes:
        """Return what passes now of a message that passes as a whole after some seconds."""
        if not seconds:
            return message
        self.waiting = asyncio.get_running_loop().call_later(seconds, self._end_delay)
        return b""

    def _end_delay(self) -> None:
        # What is passed now begins with the statement that is counted already.
        self.waiting, self.has_waited = None, True
        self._pass_messages()
        self.has_waited = False

    def _reset(self) -> None:
        """Reset the connection, as a machine does that knows nothing of it, and end the session in PostgreSQL."""
        if self.transport is not None and self.server is not None:
            no_lingering = struct.pack("ii", 1, 0)
            client = self.transport.get_extra_info("socket")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_lingering)
            self.transport.abort()
            self.server.abort()


def _statement(message: bytes) -> tuple[int, int]:
    """Where the statement of a Parse or Query message begins and ends."""
    # In a Parse message the name of the prepared statement comes first.
    start = message.index(b"\0", HEADER) + 1 if message[0] == PARSE else HEADER
    return start, message.index(b"\0", start)

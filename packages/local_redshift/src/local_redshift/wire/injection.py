"""What a fault does to the messages of the wire protocol.

It is enough to understand a client that waits for each answer before it sends the next statement, as Redshift's driver
does: then the server's next message is the first of the answer to the statement that was struck.
"""

from __future__ import annotations

import re
import struct

from local_redshift.translation.statements import SPACE
from local_redshift.wire.faults import FaultKind

HEADER = 5  # of a message: its kind and its length
PARSE, QUERY, BIND, EXECUTE, SYNC = b"PQBES"
STATEMENTS = frozenset((PARSE, QUERY))
COUNTED = frozenset((QUERY, EXECUTE))
COMMAND_COMPLETE, ERROR, READY = b"CEZ"  # of the server's messages
ENDS = frozenset((COMMAND_COMPLETE, ERROR))
COMMIT = re.compile(SPACE + rb"*+(?:commit|end)\b", re.IGNORECASE | re.DOTALL)
BEGIN = re.compile(SPACE + rb"*+(?:begin|start)\b", re.IGNORECASE | re.DOTALL)
# Message and detail of Redshift's own errors; their SQLSTATE is that of an internal error.
SQLSTATE = "XX000"
ERRORS = {
    FaultKind.SERIALIZATION: (
        "1023",
        "Serializable isolation violation on table - 12345, transactions forming the cycle are: 4711, 4712 (pid:4713)",
    ),
    FaultKind.OID: ("could not open relation with OID 12345", ""),
    FaultKind.CONFLICT: ("could not complete because of conflict with concurrent transaction", ""),
}
# A statement fails in any state of the session when its portal does not exist.
NO_PORTAL = b"of an injected fault"


class Portals:
    """Which portals of a session run a COMMIT, or a BEGIN."""

    def __init__(self) -> None:
        """Begin with a new session."""
        self._kinds: dict[bytes, re.Pattern[bytes] | None] = {}
        self._statements: dict[bytes, bytes] = {}

    def prepare(self, name: bytes, statement: bytes) -> None:
        """Take note of a prepared statement."""
        self._kinds[name] = next((kind for kind in (COMMIT, BEGIN) if kind.match(statement)), None)

    def bind(self, message: bytes) -> None:
        """Take note of a Bind message."""
        portal, statement, _values = message[HEADER:].split(b"\0", 2)
        self._statements[portal] = statement

    def commits(self, message: bytes) -> bool:
        """Whether an Execute or Query message is a COMMIT."""
        return self._is(COMMIT, message)

    def begins(self, message: bytes) -> bool:
        """Whether an Execute or Query message is a BEGIN."""
        return self._is(BEGIN, message)

    def _is(self, kind: re.Pattern[bytes], message: bytes) -> bool:
        if message[0] == QUERY:
            return kind.match(message, HEADER) is not None
        return self._kinds.get(self._statements.get(_first_string(message), b"")) is kind


class Answer:
    """The server's answer to the statement that was struck: what the client gets of it."""

    def __init__(self, kind: FaultKind) -> None:
        """Expect the answer.

        Args:
            kind: of the fault; CUT_AFTER, and nothing reaches the client, or one that has an error.
        """
        self.kind = kind
        self.complete = False
        self._received = bytearray()

    def take(self, data: bytes) -> bytes:
        """Take what the server has sent; return what to send in its place."""
        received = self._received
        received += data
        taken = bytearray()
        while not self.complete and len(received) >= HEADER:
            (length,) = struct.unpack_from("!i", received, 1)
            if len(received) <= length:
                break
            message = bytes(received[: 1 + length])
            del received[: 1 + length]
            self.complete = message[0] == READY
            if self.kind is not FaultKind.CUT_AFTER:
                taken += error_response(self.kind) if message[0] in ENDS else message
        return bytes(taken)


def failing(message: bytes, *, commit: bool) -> bytes:
    """What the server gets in place of an Execute or Query message, so that its transaction fails.

    A COMMIT that fails ends its transaction, any other statement leaves it to be rolled back.
    """
    if commit:
        messages = message_of(PARSE, b"\0ROLLBACK\0", b"\0\0") + message_of(BIND, b"\0\0", b"\0" * 6)
        messages += message_of(EXECUTE, b"\0", b"\0" * 4)
    else:
        messages = message_of(EXECUTE, NO_PORTAL + b"\0", b"\0" * 4)
    return messages + (message_of(SYNC) if message[0] == QUERY else b"")


def error_response(kind: FaultKind) -> bytes:
    r"""The error message of a fault, with Redshift's fields.

    >>> error_response(FaultKind.OID)[5:]
    b'SERROR\x00CXX000\x00Mcould not open relation with OID 12345\x00\x00'
    """
    message, detail = ERRORS[kind]
    fields = ["SERROR", f"C{SQLSTATE}", f"M{message}", *([f"D{detail}"] if detail else [])]
    return message_of(ERROR, *(field.encode() + b"\0" for field in fields), b"\0")


def message_of(kind: int, *parts: bytes) -> bytes:
    """A message of the protocol: its kind, its length, its content."""
    content = b"".join(parts)
    return struct.pack("!Bi", kind, 4 + len(content)) + content


def _first_string(message: bytes) -> bytes:
    return message[HEADER : message.index(b"\0", HEADER)]

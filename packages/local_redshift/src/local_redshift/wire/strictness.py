"""Which of the rules hold for a session's next statement: a few depend on whether it is in a transaction."""

from __future__ import annotations

from local_redshift.rules import Situation
from local_redshift.rules.refusing import refusing
from local_redshift.translation.settings import READING_OPTION
from local_redshift.wire.injection import BIND, ERROR, HEADER, PARSE, message_of

ALWAYS = frozenset({Situation.ALWAYS})
# The server's last message to each request, up to the byte that tells the state of the transaction.
READY = b"Z\0\0\0\5"
IN_A_TRANSACTION = b"T"


class Strictness:
    """What is refused in one session; nothing when it is lenient."""

    def __init__(self, *, lenient: bool = False) -> None:
        """Begin with a new session, which is in no transaction."""
        self._lenient = lenient
        self._in_transaction = False
        self._last = b""
        self._refused_within: dict[bytes, bytes] = {}

    @property
    def reads_bind(self) -> bool:
        """Whether there are prepared statements that a transaction would refuse."""
        return bool(self._refused_within)

    def hear(self, data: bytes) -> None:
        """Take note of what the server says: it ends with the state of the transaction."""
        self._last = (self._last + data[-6:])[-6:]
        if self._last.startswith(READY):
            self._in_transaction = self._last.endswith(IN_A_TRANSACTION)

    @property
    def is_ready(self) -> bool:
        """Whether the server has answered everything, and waits for the next statement."""
        return self._last.startswith(READY)

    def begin(self) -> None:
        """Take note of a message to the server."""
        self._last = b""

    def refuse_startup(self, packet: bytes) -> bytes:
        """The error that ends a session at its start: an option that Redshift does not know; nothing without one."""
        option = None if self._lenient else READING_OPTION.search(packet.replace(b"\\", b""))
        if option is None:
            return b""
        name = option[0].lower().replace(b"-", b"_")
        message = b'Munrecognized configuration parameter "%s"\0' % name
        return message_of(ERROR, b"SFATAL\0C42704\0", message, b"\0")

    def situations(self, kind: int) -> frozenset[Situation]:
        """In which situations a statement is, by the kind of its message."""
        if self._lenient:
            return frozenset()
        in_transaction = {Situation.IN_A_TRANSACTION} if self._in_transaction else set()
        return ALWAYS | in_transaction | ({Situation.PREPARED} if kind == PARSE else set())

    def prepare(self, name: bytes, statement: bytes) -> None:
        """Take note of a prepared statement, which may be run in a later transaction."""
        self._refused_within.pop(name, None)
        if not self._lenient and not self._in_transaction:
            failing = refusing(statement, frozenset({Situation.IN_A_TRANSACTION}))
            if failing is not None:
                self._refused_within[name] = failing

    def bind(self, message: bytes) -> bytes:
        """What passes in place of a Bind message: itself, unless the transaction refuses its statement."""
        portal, name, values = message[HEADER:].split(b"\0", 2)
        if not self._in_transaction or name not in self._refused_within:
            return message
        parsed = b"\0" + self._refused_within[name] + b"\0\0\0"
        bound = portal + b"\0\0" + values
        return message_of(PARSE, parsed) + message_of(BIND, bound)

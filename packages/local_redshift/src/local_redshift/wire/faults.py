"""Faults on the wire: what a real cluster does now and then, at a statement that a test chooses.

`Fault` says which and when. `Faults` is the gateway's side: it counts the statements of all connections and says which
of them a fault strikes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class FaultKind(StrEnum):
    """What goes wrong."""

    CUT_BEFORE = "cut_before"
    """The connection is reset before the statement reaches the server. The driver raises `ConnectionResetError`."""

    CUT_AFTER = "cut_after"
    """The server has run the statement, and the connection ends before a byte of the answer reaches the client. The
    driver raises `InterfaceError`. On a COMMIT: committed, and the client does not know."""

    SERIALIZATION = "serialization"
    """Error 1023, serializable isolation violation. As after any error the transaction has failed; one that comes at a
    COMMIT is rolled back and ended. The driver raises `ProgrammingError`, also for the next two."""

    OID = "oid"
    """Error "could not open relation with OID"."""

    CONFLICT = "conflict"
    """Error "could not complete because of conflict with concurrent transaction"."""

    DELAY = "delay"
    """The statement waits some seconds before it reaches the server."""

    REFUSE_CONNECTIONS = "refuse_connections"
    """As when a cluster restarts: the connection is reset before the statement, and new ones are refused for some
    seconds. With statement 0 no connection is reset, and new ones are refused at once."""


@dataclass(frozen=True)
class Fault:
    """A fault and the statement that it strikes.

    A statement is an Execute or a Query message: whatever a client runs, `begin transaction`, COMMIT and ROLLBACK
    included, and again each time that a prepared one is run. One that fails while it is prepared is not counted.
    """

    kind: FaultKind
    statement: int
    """Number of the statement, from 1, counted over all connections since the fault was set."""
    seconds: float = 0.0
    """How long DELAY and REFUSE_CONNECTIONS last."""
    times: int = 1
    """How many statements are struck, that one and those that follow it."""

    def __post_init__(self) -> None:
        """Refuse what could never strike.

        Raises:
            ValueError: a number is out of its range.
        """
        lasts = self.kind in {FaultKind.DELAY, FaultKind.REFUSE_CONNECTIONS}
        first = 0 if self.kind is FaultKind.REFUSE_CONNECTIONS else 1
        if self.statement < first or self.times < 1 or (self.seconds > 0) is not lasts:
            message = (
                f"{self} never strikes: statement is at least {first}, times at least 1, "
                f"seconds {'more than 0' if lasts else '0'}"
            )
            raise ValueError(message)


class Faults:
    """The fault that is set, and how far the count is."""

    def __init__(self, refuse_connections: Callable[[float], None]) -> None:
        """Begin without a fault.

        Args:
            refuse_connections: shuts the port for some seconds.
        """
        self.refuse_connections = refuse_connections
        self.fault: Fault | None = None
        self.counted = 0
        self.struck = 0

    def set(self, fault: Fault) -> None:
        """Take this fault in place of any other, and count from 1."""
        self.fault = fault
        self.counted = self.struck = 0
        if fault.statement == 0:
            self._strike(fault)

    def clear(self) -> None:
        """Let all statements pass; the counts stay until the next fault is set."""
        self.fault = None

    def count(self) -> Fault | None:
        """Count a statement; return the fault when it strikes this one."""
        self.counted += 1
        fault = self.fault
        if fault is None or self.counted < fault.statement or self.struck >= fault.times:
            return None
        self._strike(fault)
        return fault

    def _strike(self, fault: Fault) -> None:
        self.struck += 1
        if fault.kind is FaultKind.REFUSE_CONNECTIONS:
            self.refuse_connections(fault.seconds)

"""What a statement waits for on a real cluster, whatever it does: the way there, the planning, the commit queue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Latency:
    """Seconds that each statement, each COMMIT and each new connection waits before it reaches the server.

    A statement is what `Fault` counts as one, but for BEGIN, which waits for nothing.
    """

    statement: float = 0.0
    commit: float = 0.0
    connection: float = 0.0

    def __post_init__(self) -> None:
        """Refuse to wait less than no time.

        Raises:
            ValueError: a number is out of its range.
        """
        if min(self.statement, self.commit, self.connection) < 0:
            message = f"{self}: expected seconds, 0 or more"
            raise ValueError(message)

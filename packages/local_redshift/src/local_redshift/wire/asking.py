"""A statement that waits until the server has said which columns there are.

The gateway keeps the client's message, sends the questions of `translation.columns` one by one in the session itself,
takes their answers, and then goes on with the statement that is made of them.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING

from local_redshift.wire.injection import HEADER, QUERY, READY, message_of

if TYPE_CHECKING:
    from local_redshift.translation.columns import Resolving

(DATA_ROW,) = b"D"
FIRST_VALUE = HEADER + 2 + 4  # behind the number of values and the length of the first


class Asking:
    """The questions of one statement, and what has come of the answer to the last."""

    def __init__(self, resolving: Resolving) -> None:
        """Begin with the first question; a statement may have none."""
        self._resolving = resolving
        self._answer = bytearray()
        self.question = b""
        """The message to send; empty when there is none left."""
        self.resolved = b""
        """The statement, when there is no question left."""
        self._go_on(None)

    def hear(self, data: bytes) -> bool:
        """Take what the server says; true when its answer is complete, and the next question, if any, is there."""
        self._answer += data
        columns = None
        position = 0
        while len(self._answer) - position >= HEADER:
            (length,) = struct.unpack_from("!i", self._answer, position + 1)
            end = position + 1 + length
            if len(self._answer) < end:
                return False
            if self._answer[position] == DATA_ROW and end > position + FIRST_VALUE:
                columns = json.loads(self._answer[position + FIRST_VALUE : end])
            if self._answer[position] == READY:
                self._answer.clear()
                self._go_on(columns)
                return True
            position = end
        return False

    def _go_on(self, columns: list[str] | None) -> None:
        try:
            question = self._resolving.send(columns)
            self.question = message_of(QUERY, question, b"\0")
        except StopIteration as resolved:
            self.question, self.resolved = b"", resolved.value

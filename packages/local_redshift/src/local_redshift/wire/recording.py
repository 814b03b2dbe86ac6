"""A file of the statements that clients have sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Self

from local_redshift.errors import LocalRedshiftError
from local_redshift.server.files import private

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class Recording:
    """Appends each distinct statement to a file, one JSON object a line: `{"statement": text}`.

    A statement is recorded as the client sent it, whether it is translated, refused or fails afterwards. It is in the
    file before its answer reaches the client.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, which is made when it does not exist, its folder too.

        Raises:
            LocalRedshiftError: the file can not be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Line-buffered: each statement is one write, at the end of the file also when several stand-ins share it.
            self._file = private(path, "a", encoding="ascii", buffering=1)
        except OSError as error:
            raise LocalRedshiftError.of(
                "the statements can not be recorded",
                where=str(path),
                known=f"the system says: {error.strerror}",
                action="give --record a file that you may write",
            ) from error
        self._known: set[bytes] = set()

    def add(self, statement: bytes) -> None:
        """Record a statement that is not yet known."""
        if statement not in self._known:
            self._known.add(statement)
            text = statement.decode(errors="surrogateescape")
            self._file.write(json.dumps({"statement": text}) + "\n")

    def __enter__(self) -> Self:
        """Return itself; the file is open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

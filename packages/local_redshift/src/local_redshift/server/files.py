"""Files that only their owner may read: logs and recordings show statements, and statements show data and passwords."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

OWNER_ALONE = 0o600


def private(path: Path, mode: str, **options: Any) -> IO[Any]:
    """Open a file as `open` does, for its owner alone, also one that exists."""
    file = open(path, mode, opener=_owner_alone, **options)  # noqa: SIM115 - Path.open takes no opener
    os.fchmod(file.fileno(), OWNER_ALONE)
    return file


def _owner_alone(path: str, flags: int) -> int:
    return os.open(path, flags, OWNER_ALONE)

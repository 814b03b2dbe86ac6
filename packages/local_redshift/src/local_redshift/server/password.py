"""The password of the warehouse's user: given, or made once; kept in a file that its owner alone can read."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from local_redshift.errors import LocalRedshiftError

if TYPE_CHECKING:
    from pathlib import Path

# A command line could be read by every user of the machine.
VARIABLE = "LOCAL_REDSHIFT_PASSWORD"
NAME = "password"


def given() -> str | None:
    """The password that the environment gives; None without one.

    Raises:
        LocalRedshiftError: it is no password.
    """
    password = os.environ.get(VARIABLE) or None
    if password is not None and not password.isprintable():
        raise LocalRedshiftError.of(
            "the password can not be used",
            where=f"environment variable {VARIABLE}",
            known="it has a line break or another character that can not be typed",
            action="give one line of letters, digits and signs",
        )
    return password


def read(data: Path) -> str:
    """The password that is kept in a data folder.

    Raises:
        LocalRedshiftError: none is kept there, or only another user may read it.
    """
    try:
        return (data / NAME).read_text(encoding="utf-8").rstrip("\n")
    except OSError as error:
        raise LocalRedshiftError.of(
            "the password of the local Redshift can not be read",
            where=str(data / NAME),
            known=f"the system says: {error.strerror}",
            action="start the local Redshift first, as the user who is to connect",
        ) from error


def keep(data: Path, password: str | None) -> bool:
    """Keep a password in a data folder; without one, make one unless there is one. Return whether one was made."""
    file = data / NAME
    if password is None and file.exists():
        return False
    unfinished = file.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(f"{password or secrets.token_urlsafe(18)}\n", encoding="utf-8")
    unfinished.replace(file)
    return password is None

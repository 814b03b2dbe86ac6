"""The one error of the stand-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path


class LocalRedshiftError(Exception):
    """The local Redshift could not be started; the message says why, and what to do."""

    @classmethod
    def of(cls, what: str, *, where: str, known: str, action: str) -> Self:
        """Compose the message from its four parts, each a sentence without its full stop."""
        return cls(f"{what}.\n  Where: {where}.\n  Known: {known}.\n  To do: {action}.")

    @classmethod
    def of_gateway(cls, said: str, *, data: Path, status: int) -> Self:
        """Hand on what the gateway's process wrote before it ended without becoming ready."""
        if "To do:" in said:
            return cls(said)
        return cls.of(
            "the local Redshift ended while it was starting",
            where=f"data folder {data}",
            known=f"exit status {status}; it wrote: {said or 'nothing'}",
            action=f"read {data / 'postgres.log'}",
        )

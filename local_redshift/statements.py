"""The one place where every statement passes on its way from the client to PostgreSQL."""

from __future__ import annotations


def translate(statement: bytes) -> bytes:
    """Give the statement as PostgreSQL understands it; the same object when nothing changes."""
    return statement

"""The one error of the stack."""

from __future__ import annotations


class StackError(Exception):
    """The stack could not start, or lost a part; the message says which, where to read more, and what to do."""

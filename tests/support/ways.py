"""Whether updates read whole tables, or slices: tables of tests are so small that nearly all would be read whole."""

from __future__ import annotations

from surgical_cdc.steps import update

# Shares of a fact's keys: more than all of them, and less than one.
SLICES, WHOLE_TABLES = 20.0, 1e-9


def read_by(share: float) -> None:
    """Let updates read whole tables from this share of a fact's keys on, until the end of the test."""
    update.MOST = share


def take_turns(number: int) -> None:
    """Let the updates of every third window read whole tables, of the others slices."""
    read_by(WHOLE_TABLES if number % 3 == 1 else SLICES)

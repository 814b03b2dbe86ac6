"""Tells errors that may go away by themselves from those that a retry can not mend."""

from __future__ import annotations

from collections.abc import Mapping

from surgical_cdc.errors import LeaseError, SurgicalCdcError

# Redshift reports most of these under SQLSTATE XX000, so they are told by their text: serialization failures, and
# conflicts with DDL that runs beside them.
TRANSIENT_MESSAGES = (
    "1018",
    "1023",
    "conflict with concurrent transaction",
    "could not open relation with OID",
    "tuple concurrently updated",
)
# Deadlock, serialization, shutdown, start-up, too many connections. Two sessions that create the same table meet in it
# (42P07) or in the catalog (23505, whose are the only unique indexes).
TRANSIENT_CODES = frozenset({"23505", "42P07", "40001", "40P01", "53300", "57P01", "57P02", "57P03"})


def is_transient(error: BaseException) -> bool:
    """Return whether the same step may well succeed a little later."""
    # Here, not above: a DAG file imports this module at each parse.
    from redshift_connector.error import InterfaceError, OperationalError

    if isinstance(error, SurgicalCdcError):
        return isinstance(error, LeaseError)
    if isinstance(error, InterfaceError | OperationalError | OSError):
        return True
    answer = server_answer(error)
    message = answer.get("M", "")
    return answer.get("C") in TRANSIENT_CODES or any(text in message for text in TRANSIENT_MESSAGES)


def server_answer(error: BaseException) -> Mapping[str, str]:
    """Return the fields of the server's error message, none where the error is not the server's."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, Mapping) else {}

"""The errors that this project raises on purpose; each says what is wrong, where, what is known, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yaml import MarkedYAMLError


class SurgicalCdcError(Exception):
    """Base of every error below."""


class ProjectError(SurgicalCdcError):
    """The dbt project can not be read: a file, a key or a reference in it is wrong."""


class UnsupportedQuery(SurgicalCdcError):
    """A fact's SELECT has a shape that can not be maintained incrementally."""


class ContractError(SurgicalCdcError):
    """The warehouse's tables differ from the contract in the project's sources and models."""


class DictionaryError(SurgicalCdcError):
    """The committed dictionary is missing, unreadable or older than the models."""


class LeaseError(SurgicalCdcError):
    """Another run holds the warehouse, or this run's change sets are no longer valid."""


class NotPrepared(SurgicalCdcError):
    """A task works outside of a run that has a lease."""


class OutdatedFact(SurgicalCdcError):
    """A fact has not seen the change sets that its run is about to sync."""


class RequestError(SurgicalCdcError):
    """Somebody has asked for what can not be: a window, a field, a run to undo. Nothing was written."""


class AlreadySynced(SurgicalCdcError):
    """The run has been synced: its steps have nothing left to do."""


class SyncedInPart(AlreadySynced):
    """The run has been synced but for the sources that its failed facts read, and those that were not detected."""


class DataError(SurgicalCdcError):
    """The data forbid a write: a row key that is NULL or not unique, a load that would erase a baseline."""


class BoundViews(SurgicalCdcError):
    """Views are bound to a table that has to be made anew."""


class WarehouseRefusal(SurgicalCdcError):
    """The warehouse refuses a statement that a cycle would send."""


class PrivilegeError(SurgicalCdcError):
    """The user of a connection may not do all that a run does."""


class ConnectionNotFound(SurgicalCdcError):
    """Airflow knows no connection of that name."""


class ConnectionSettingError(SurgicalCdcError):
    """An Airflow connection lacks a setting, or has one that nobody reads."""


class NotReached(SurgicalCdcError):
    """A command could not open its first session."""


class AlertSettingError(SurgicalCdcError):
    """The Airflow Variable of the alerts does not say whom to tell."""


# Of what somebody has typed, so many characters are shown in a message.
SHOWN = 200


def shortened(value: object) -> str:
    """Return a value as Python writes it, so that no control character is printed; a long one is cut off."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…{text[-1]}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the nearest of the known names as a question in parentheses, or nothing.

    Example:
        >>> did_you_mean("dryrun", ["dry_run", "sources"])
        ' (dry_run?)'
    """
    near = get_close_matches(name, list(known), n=1)
    return f" ({near[0]}?)" if near else ""


def yaml_problem(error: MarkedYAMLError) -> str:
    """Return in one line what the YAML reader says, with the lines of the file."""
    begins = error.context_mark and f" that begins in line {error.context_mark.line + 1}"
    around = f", {error.context}{begins or ''}" if error.context else ""
    return f"line {error.problem_mark.line + 1}: {error.problem}{around}" if error.problem_mark else str(error)

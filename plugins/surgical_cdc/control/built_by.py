"""What each fact was built by: no change of a source tells that a fact's SELECT is another one since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Fact
    from surgical_cdc.values import FactResult
    from surgical_cdc.warehouse.session import Warehouse


class Definition(NamedTuple):
    """The fingerprint of a SELECT that has filled a fact, and the moment that it was filled for, if it reads one.

    `verified_to` is the time up to which the runs have verified its keys (steps/share.py).
    """

    fingerprint: str
    moment: datetime | None
    verified_to: datetime | None = None


def recorded(project: Project, warehouse: Warehouse) -> Mapping[str, Definition]:
    """Return by fact what has filled it; facts of which that is not known are missing."""
    rows = warehouse.rows(render("read_definitions", control=project.control_schema))
    return {fact: Definition(*definition) for fact, *definition in rows}


def moment_of(fact: Fact, time: datetime, definition: Definition | None) -> datetime | None:
    """Return what the current time is in a fact's SELECT, for a run whose window ends at `time`.

    It never moves back: a run over an older window shows what one over a newer window has shown.
    """
    moment = fact.moment_at(time)
    return max(moment, definition.moment or moment) if moment and definition else moment


def record(project: Project, warehouse: Warehouse, results: Iterable[FactResult]) -> None:
    """Write down inside the caller's transaction by which SELECTs facts were built.

    Where another SELECT has updated some rows of a fact, because the models changed during a run, nothing is known.
    """
    known = recorded(project, warehouse)
    for result in results:
        before = known.get(result.fact)
        if result.definition is None or (before and before.fingerprint == result.definition):
            continue
        warehouse.execute(render("forget_definition", control=project.control_schema), (result.fact,))
        if result.built:
            statement = render("record_definition", control=project.control_schema)
            warehouse.execute(statement, (result.fact, result.definition, result.moment))

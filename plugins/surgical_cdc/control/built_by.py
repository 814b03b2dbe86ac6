"""What each fact was built by: no change of a source tells that a fact's SELECT is another one since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.dbt.project import Project
    from surgical_cdc.values import FactResult
    from surgical_cdc.warehouse.session import Warehouse


def recorded(project: Project, warehouse: Warehouse) -> Mapping[str, str]:
    """Return by fact the fingerprint of the SELECT that has filled it; facts of which that is not known are missing."""
    return dict(warehouse.rows(render("read_definitions", control=project.control_schema)))


def record(project: Project, warehouse: Warehouse, results: Iterable[FactResult]) -> None:
    """Write down inside the caller's transaction by which SELECTs facts were built.

    Where another SELECT has updated some rows of a fact, because the models changed during a run, nothing is known.
    """
    known = recorded(project, warehouse)
    for result in results:
        if result.definition in {None, known.get(result.fact)}:
            continue
        warehouse.execute(render("forget_definition", control=project.control_schema), (result.fact,))
        if result.built:
            statement = render("record_definition", control=project.control_schema)
            warehouse.execute(statement, (result.fact, result.definition))

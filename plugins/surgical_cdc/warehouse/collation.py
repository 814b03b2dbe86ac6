"""Refuses sources whose strings are compared without regard to case.

Where 'a' equals 'A', a change of case is no change to detection, though a fact shows it; keys, joins and groups merge
the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from surgical_cdc.errors import ContractError
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Source
    from surgical_cdc.warehouse.session import Warehouse

CASE_INSENSITIVE = "case_insensitive"


def check_database(project: Project, warehouse: Warehouse) -> None:
    """Refuse a database in which strings are compared without regard to case unless told otherwise.

    Raises:
        ContractError: it is one, and a source has a text column; the message names both.
    """
    ((collation,),) = warehouse.rows(render("read_collation"))
    texts = [source.name for source in project.sources.values() if any(column.is_text for column in source.columns)]
    if collation == CASE_INSENSITIVE and texts:
        raise ContractError(
            "The database is case_insensitive: it takes 'a' and 'A' for equal, so a change of case would never reach a"
            f" fact. Nothing was written. Keep {', '.join(texts)} in a database that is case_sensitive, as by"
            " CREATE DATABASE … COLLATE CASE_SENSITIVE: no collation can be changed later."
        )


def check_columns(project: Project, warehouse: Warehouse) -> None:
    """Refuse text columns of sources that are compared without regard to case; a statement for each table.

    Raises:
        ContractError: there are some; the message lists all.
    """
    columns = [
        f"{relation}.{name}"
        for source in project.sources.values()
        for relation in (source.staging, source.relation)
        for name in _insensitive(source, relation, warehouse)
    ]
    if columns:
        listed = "\n".join(f"  - {column}" for column in columns)
        raise ContractError(
            "These columns are compared without regard to case, so a change of case would never reach a fact. Nothing"
            f" was written. Make their tables anew with COLLATE CASE_SENSITIVE, which is the default:\n{listed}"
        )


def _insensitive(source: Source, relation: str, warehouse: Warehouse) -> list[str]:
    if not any(column.is_text for column in source.columns):
        return []
    # The fourth column is the name, the last one the collation (SHOW COLUMNS in the developer guide).
    rows = warehouse.rows(render("show_columns", relation=relation))
    return [str(row[3]) for row in rows if row[-1] == CASE_INSENSITIVE]

"""Leads the engine's own tables on: from an older version of the engine, and after the sources whose columns they keep.

Their rows are kept, whatever happens to a column.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from surgical_cdc.dbt.tables import holds
from surgical_cdc.names import PREFIX, VERSION, fitted
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.dbt.project import Project
    from surgical_cdc.dbt.tables import Column, Table
    from surgical_cdc.warehouse.catalog import Catalog
    from surgical_cdc.warehouse.session import Warehouse

Columns = Mapping[str, str]
"""Column -> data type of a table, as it was found."""


def migrate(project: Project, warehouse: Warehouse, catalog: Catalog) -> None:
    """Bring the control tables that exist to this version, and to the contract, inside the caller's transaction."""
    lease = catalog.get(schema.control(project, "lease").relation)
    is_first_version = lease is not None and "version" not in lease
    for table in schema.control_tables(project):
        if table.relation in catalog:
            found = dict(catalog[table.relation])
            for old, new in _of_version_1(table).items() if is_first_version else ():
                warehouse.execute(render("rename_column", relation=table.relation, column=old, new_name=new))
                found[new] = found.pop(old)
            for column in table.columns:
                _complete(table, column, found, warehouse)
    if is_first_version:
        warehouse.execute(render("set_version", control=project.control_schema), (VERSION,))


def _of_version_1(table: Table) -> dict[str, str]:
    """Return by their old names the columns that were called otherwise in version 1."""
    if table.name in schema.CONTROL_TABLES:
        return {}
    return {name.replace(PREFIX, "cdc_", 1): name for name in table.column_names if name.startswith(PREFIX)}


def _complete(table: Table, column: Column, found: Columns, warehouse: Warehouse) -> None:
    """Add a column that a table lacks; make anew one that can not hold what it is to hold.

    What it held goes into the new one if that can hold it. Otherwise it stays, under another name.
    """
    was, name = found.get(column.name), column.name
    if was is not None and holds(was, column.data_type):
        return
    aside = fitted(f"{PREFIX}{datetime.now(UTC):%Y%m%d}_{name}")
    if was is not None:
        warehouse.execute(render("rename_column", relation=table.relation, column=name, new_name=aside))
    data_type = schema.type_name(column.data_type)
    warehouse.execute(render("add_column", relation=table.relation, column=name, data_type=data_type))
    if was is not None and holds(column.data_type, was):
        warehouse.execute(render("copy_column", relation=table.relation, column=name, from_column=aside))
        warehouse.execute(render("drop_column", relation=table.relation, column=aside))

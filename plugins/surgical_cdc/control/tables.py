"""The control tables: created, and led on from an older version of the engine and after the sources they follow.

Their rows are kept, whatever happens to a column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from surgical_cdc.contract.tables import holds
from surgical_cdc.errors import PrivilegeError
from surgical_cdc.names import PREFIX, VERSION, fitted
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.catalog import read_catalog
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Column, Table
    from surgical_cdc.warehouse.catalog import Catalog
    from surgical_cdc.warehouse.session import Warehouse

Columns = Mapping[str, str]
"""Column -> data type of a table, as it was found."""


def complete_control(project: Project, warehouse: Warehouse) -> Catalog:
    """Create the control tables that do not exist, and lead on those that do, inside the caller's transaction.

    Returns:
        The catalog as it was found.

    Raises:
        PrivilegeError: a control table is another user's, and this one may not read it.
        ContractError: a newer version of the engine has made the control tables.
    """
    catalog = read_catalog(project, warehouse)
    tables = schema.control_tables(project)
    missing = [table for table in tables if table.relation not in catalog]
    if missing or any(fact.relation not in catalog for fact in project.facts.values()):
        _create_schemas(project, warehouse)
    if missing:
        _check_visible(project, warehouse, missing)
        from surgical_cdc.warehouse import ddl

        # A session that creates them at the same time makes this one fail and try again, and not fill the lease twice.
        for statement in ddl.create_tables(missing, if_not_exists=False):
            warehouse.execute(statement)
        if schema.control(project, "lease") in missing:
            warehouse.execute(render("create_lease", control=project.control_schema), (VERSION,))
    _migrate(project, warehouse, catalog)
    return catalog


def _migrate(project: Project, warehouse: Warehouse, catalog: Catalog) -> None:
    """Bring the control tables that exist to this version, and to the contract, inside the caller's transaction."""
    lease = catalog.get(schema.control(project, "lease").relation)
    is_first_version = lease is not None and "version" not in lease
    is_older = is_first_version
    ledgers = {schema.control(project, name).relation: name for name in schema.CONTROL_TABLES}
    for table in schema.control_tables(project):
        if table.relation not in catalog:
            continue
        found = dict(catalog[table.relation])
        if table.relation in ledgers:
            is_older = is_older or not found.keys() >= set(table.column_names)
            renamed: Mapping[str, str] = schema.RENAMED.get(ledgers[table.relation], {})
        else:
            renamed = _of_version_1(table) if is_first_version else {}
        for old, new in renamed.items():
            if old in found and new not in found:
                warehouse.execute(render("rename_column", relation=table.relation, column=old, new_name=new))
                found[new] = found.pop(old)
        for column in table.columns:
            _complete(table, column, found, warehouse)
    if is_older:
        warehouse.execute(render("set_version", control=project.control_schema), (VERSION,))


def _of_version_1(table: Table) -> dict[str, str]:
    """Return by their old names the columns beside those of a source or fact that version 1 called otherwise."""
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
    from surgical_cdc.warehouse import ddl

    data_type = ddl.type_name(column.data_type)
    warehouse.execute(render("add_column", relation=table.relation, column=name, data_type=data_type))
    if was is not None and holds(column.data_type, was):
        warehouse.execute(render("copy_column", relation=table.relation, column=name, from_column=aside))
        warehouse.execute(render("drop_column", relation=table.relation, column=aside))


def _check_visible(project: Project, warehouse: Warehouse, missing: Iterable[Table]) -> None:
    """Refuse tables that only seem to be missing, because another user has made them and this one may not read them."""
    names = [project.control_schema]
    usable = [
        name for name, may_use, _ in warehouse.rows(render("read_schema_privileges", schemas=names), names) if may_use
    ]
    if not usable:
        return
    found = warehouse.rows(render("read_table_privileges", schemas=usable), usable)
    hidden = {f"{schema_name}.{table}" for schema_name, table, may_select, *_ in found if not may_select}
    listed = ", ".join(table.relation for table in missing if table.relation in hidden)
    if listed:
        raise PrivilegeError(
            f"This user may not read {listed}. Nothing was written. Grant what is missing:"
            f" `{project.command('check')}` lists it."
        )


def _create_schemas(project: Project, warehouse: Warehouse) -> None:
    """Create the schemas that a run writes to, where they are missing.

    This is done before the updates, of which several at once would get into each other's way.
    """
    from surgical_cdc.warehouse import ddl

    names = schema.written_schemas(project)
    existing = {name for (name,) in warehouse.rows(render("find_schemas", schemas=names), names)}
    for name in names:
        if name not in existing:
            warehouse.execute(ddl.create_schema(name))

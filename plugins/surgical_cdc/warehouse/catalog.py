"""The warehouse's catalog: read in one query, compared with the contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from surgical_cdc.errors import ContractError
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.dbt.project import Project
    from surgical_cdc.dbt.tables import Column, Fact
    from surgical_cdc.warehouse.session import Warehouse

Catalog = Mapping[str, Mapping[str, str]]
"""Relation -> column -> data type, spelled as in the contract."""

# The catalog's names of these types are not those that people and the contract use.
SPELLINGS = {
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "character varying": "varchar",
    "character": "char",
}


def read_catalog(project: Project, warehouse: Warehouse) -> Catalog:
    """Read the columns of every schema that the project uses, in one query that touches no user table."""
    tables = [*project.sources.values(), *project.facts.values(), *schema.control_tables(project)]
    schemas = schemas_of([table.relation for table in tables] + [source.staging for source in project.sources.values()])
    catalog: dict[str, dict[str, str]] = {}
    for schema_name, table, column, *data_type in warehouse.rows(render("read_catalog", schemas=schemas), schemas):
        catalog.setdefault(f"{schema_name}.{table}", {})[column] = _data_type(*data_type)
    return catalog


def schemas_of(relations: Iterable[str]) -> list[str]:
    """Return the schemas of relations, each once, in the order of the alphabet."""
    return sorted({relation.partition(".")[0] for relation in relations})


def check_contract(project: Project, catalog: Catalog) -> None:
    """Compare the tables of the catalog with the contract.

    Raises:
        ContractError: they differ; the message lists every difference and says what to do.
    """
    differences = catalog_differences(project, catalog)
    if differences:
        listed = "\n".join(f"  - {difference}" for difference in differences)
        raise ContractError(
            f"The warehouse differs from the contract of project {project.name} ({project.path}):\n{listed}\n"
            "Nothing was written. Change the tables or the project's YAML so that they agree;"
            f" `{project.command('refresh FACT')}` makes a fact's table anew."
        )


def catalog_differences(project: Project, catalog: Catalog) -> list[str]:
    """Return a line for each missing table and each missing, new or retyped column; a fact may have no table yet."""
    differences: list[str] = []
    for source in project.sources.values():
        for relation in (source.staging, source.relation):
            if relation in catalog:
                differences += _differences(relation, source.columns, catalog[relation])
            else:
                differences.append(f"{relation}: the table does not exist, or this user may not read it")
    for fact in project.facts.values():
        differences += fact_differences(fact, catalog)
    return differences


def fact_differences(fact: Fact, catalog: Catalog) -> list[str]:
    """Return a line for each column in which a fact's table differs from the contract; none where it has no table."""
    found = catalog.get(fact.relation)
    return [] if found is None else _differences(fact.relation, fact.columns, found)


def _differences(relation: str, columns: Iterable[Column], found: Mapping[str, str]) -> list[str]:
    expected = {column.name: column.data_type.replace(", ", ",") for column in columns}
    missing = [f"{relation}.{name}: missing, expected {type_}" for name, type_ in expected.items() if name not in found]
    new = [
        f"{relation}.{name}: new ({type_}), not in the contract"
        for name, type_ in found.items()
        if name not in expected
    ]
    retyped = [
        f"{relation}.{name}: is {found[name]}, expected {type_}"
        for name, type_ in expected.items()
        if found.get(name, type_) != type_
    ]
    return [*missing, *new, *retyped]


def _data_type(name: str, length: int | None, precision: int | None, scale: int | None) -> str:
    """Return the catalog's type as the contract spells it.

    Example:
        >>> _data_type("character varying", 64, None, None), _data_type("integer", None, 32, 0)
        ('varchar(64)', 'integer')
    """
    spelled = SPELLINGS.get(name, name)
    if spelled in {"varchar", "char"} and length is not None:
        return f"{spelled}({length})"
    if spelled == "numeric" and precision is not None:
        return f"{spelled}({precision},{scale})"
    return spelled

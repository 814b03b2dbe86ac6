"""The warehouse's catalog: read in one query, compared with the contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from redshift_connector.error import ProgrammingError
from sqlglot import exp

from surgical_cdc.contract.tables import spelled
from surgical_cdc.errors import ContractError, WarehouseRefusal
from surgical_cdc.names import own_name
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.advice import refusal
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Column, Fact
    from surgical_cdc.warehouse.session import Warehouse

Catalog = Mapping[str, Mapping[str, str]]
"""Relation -> column -> data type, spelled as in the contract."""

# What a query's rows would be, of which the warehouse tells the types.
TYPES = own_name("types", "query")
# Rows of a table in which one looks for what tells them apart.
SAMPLE, SAMPLED = own_name("sample", "rows"), 100_000


class WarehouseTypes:
    """Tells the types that neither a project's YAML nor dbt's catalog has."""

    def __init__(self, warehouse: Warehouse) -> None:
        """Take a session; nothing is written."""
        self._warehouse = warehouse

    def columns(self, relations: Sequence[str]) -> Catalog:
        """Return the columns of the tables among these relations that exist."""
        with self._warehouse.transaction(dry_run=True):
            found = _read(self._warehouse, schemas_of(relations))
        return {relation: found[relation] for relation in relations if relation in found}

    def columns_of(self, query: exp.Select) -> Mapping[str, str]:
        """Return the columns that a query gives.

        Raises:
            WarehouseRefusal: the warehouse can not run it.
        """
        try:
            return self._columns_of(query)
        except ProgrammingError as error:
            raise WarehouseRefusal(refusal(error)) from error

    def telling_apart(self, relation: str, combinations: Sequence[Sequence[str]]) -> Sequence[str]:
        """Return the first of these combinations of columns that tell the rows of a table apart; none if none does.

        Of a large table, its first SAMPLED rows are looked at, whichever those are. One or none tell nothing.

        Raises:
            WarehouseRefusal: the warehouse can not read them.
        """
        try:
            return self._telling_apart(relation, combinations)
        except ProgrammingError as error:
            raise WarehouseRefusal(refusal(error)) from error

    def _telling_apart(self, relation: str, combinations: Sequence[Sequence[str]]) -> Sequence[str]:
        names = list(dict.fromkeys(name for columns in combinations for name in columns))
        schema_name, _, name = relation.partition(".")
        table = exp.table_(name, db=schema_name, quoted=True)
        rows = exp.select(*(exp.column(name, quoted=True) for name in names)).from_(table).limit(SAMPLED)
        with self._warehouse.transaction(dry_run=True):
            self._warehouse.execute(_temporary(SAMPLE, rows))
            (count,) = self._warehouse.row(exp.select(exp.Count(this=exp.Star())).from_(SAMPLE))
            if count <= 1:
                return ()
            return next((columns for columns in combinations if not self._warehouse.rows(_repeated(columns))), ())

    def _columns_of(self, query: exp.Select) -> Mapping[str, str]:
        with self._warehouse.transaction(dry_run=True):
            self._warehouse.execute(_temporary(TYPES, query.copy().limit(0, copy=False)))
            rows = self._warehouse.rows(render("read_temporary_columns"), (TYPES,))
        return {name: _data_type(*data_type) for name, *data_type in rows}


def _temporary(name: str, query: exp.Select) -> exp.Create:
    """Return the statement that makes a temporary table of a query's rows."""
    properties = exp.Properties(expressions=[exp.TemporaryProperty()])
    return exp.Create(this=exp.to_table(name), kind="TABLE", expression=query, properties=properties)


def _repeated(names: Sequence[str]) -> exp.Select:
    """Return the query for a row of the sample that another has the columns of, or in which one of them is NULL."""
    columns = [exp.column(name, quoted=True) for name in names]
    several = exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(1))
    empty = (exp.Is(this=column.copy(), expression=exp.null()) for column in columns)
    return exp.select("1").from_(SAMPLE).group_by(*columns).having(exp.or_(several, *empty)).limit(1)


def read_catalog(project: Project, warehouse: Warehouse) -> Catalog:
    """Read the columns of every schema that the project uses, in one query that touches no user table."""
    tables = [*project.tables.values(), *project.facts.values(), *schema.control_tables(project)]
    return _read(
        warehouse,
        schemas_of([table.relation for table in tables] + [source.staging for source in project.sources.values()]),
    )


def _read(warehouse: Warehouse, schemas: Sequence[str]) -> Catalog:
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
    for static in project.static.values():
        if static.relation in catalog:
            differences += _differences(static.relation, static.columns, catalog[static.relation])
        else:
            differences.append(f"{static.relation}: the table does not exist, or this user may not read it")
    for fact in project.facts.values():
        differences += fact_differences(fact, catalog)
    return differences


def fact_differences(fact: Fact, catalog: Catalog) -> list[str]:
    """Return a line for each column in which a fact's table differs from the contract; none where it has no table."""
    found = catalog.get(fact.relation)
    return [] if found is None else _differences(fact.relation, fact.columns, found)


def _differences(relation: str, columns: Iterable[Column], found: Mapping[str, str]) -> list[str]:
    expected = {column.name: column.data_type for column in columns}
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
    bare = spelled(name).partition("(")[0]
    if bare in {"varchar", "char"} and length is not None:
        return f"{bare}({length})"
    if bare == "numeric" and precision is not None:
        return f"{bare}({precision},{scale})"
    return bare

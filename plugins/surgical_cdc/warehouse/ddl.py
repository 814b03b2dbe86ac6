"""The DDL of tables and schemas, through SQLAlchemy's Redshift dialect: imported where something is made."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import quoted_name
from sqlalchemy.schema import CreateSchema, CreateTable
from sqlalchemy_redshift.dialect import RedshiftDialect_redshift_connector

from surgical_cdc.contract.tables import Source
from surgical_cdc.warehouse import schema

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Fact, Table

SIMPLE_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "smallint": sa.SmallInteger(),
    "integer": sa.Integer(),
    "bigint": sa.BigInteger(),
    "boolean": sa.Boolean(),
    "date": sa.Date(),
    "timestamp": sa.TIMESTAMP(),
    "timestamptz": sa.TIMESTAMP(timezone=True),
    "real": sa.REAL(),
    "double precision": sa.Double(),
}
SIZED_TYPES = {"varchar": sa.String, "char": sa.CHAR, "numeric": sa.Numeric}


def create_sources(project: Project) -> list[str]:
    """Return the DDL of all staging and baseline tables: the ETL's work, done here for a new or a demo warehouse."""
    tables = [table for source in project.sources.values() for table in (schema.staging(source), source)]
    schemas = dict.fromkeys(table.relation.partition(".")[0] for table in tables)
    return [*(create_schema(name) for name in schemas), *create_tables(tables)]


def create_fact(fact: Fact) -> list[str]:
    """Return the DDL of a fact's table, in a schema that exists."""
    return [_text(CreateTable(_described(fact), if_not_exists=True))]


def create_schema(name: str) -> str:
    """Return the DDL of a schema.

    Even where it exists already, this needs the privilege to create schemas, which a user of little privilege lacks.
    """
    return _text(CreateSchema(_quoted(name), if_not_exists=True))


def create_tables(tables: Iterable[Table], *, if_not_exists: bool = True) -> list[str]:
    """Return the DDL of tables, in schemas that exist."""
    return [_text(CreateTable(_described(table), if_not_exists=if_not_exists)) for table in tables]


def type_name(data_type: str) -> str:
    """Return the contract's data type as Redshift DDL.

    Example:
        >>> type_name("numeric(18, 4)"), type_name("timestamp")
        ('NUMERIC(18, 4)', 'TIMESTAMP WITHOUT TIME ZONE')
    """
    return _type(data_type).compile(dialect=RedshiftDialect_redshift_connector())


def _described(table: Table) -> sa.Table:
    """Return the table as SQLAlchemy describes it.

    Only a baseline's key is NOT NULL. Staging takes what comes, and a fact's row key is checked by a query, which can
    name the rows.
    """
    schema_name, _, name = table.relation.partition(".")
    required = table.key if isinstance(table, Source) else ()
    columns = [
        sa.Column(_quoted(column.name), _type(column.data_type), nullable=column.name not in required)
        for column in table.columns
    ]
    return sa.Table(
        _quoted(name),
        sa.MetaData(),
        *columns,
        schema=_quoted(schema_name),
        redshift_distkey=table.dist and _quoted(table.dist),
        redshift_sortkey=tuple(map(_quoted, table.sort_keys)) or None,
    )


def _quoted(name: str) -> quoted_name:
    return quoted_name(name, quote=True)


def _type(data_type: str) -> sa.types.TypeEngine[Any]:
    if data_type in SIMPLE_TYPES:
        return SIMPLE_TYPES[data_type]
    name, _, sizes = data_type.partition("(")
    sized: sa.types.TypeEngine[Any] = SIZED_TYPES[name](*(int(size) for size in re.findall(r"\d+", sizes)))
    return sized


def _text(statement: sa.schema.ExecutableDDLElement) -> str:
    return str(statement.compile(dialect=RedshiftDialect_redshift_connector())).strip()

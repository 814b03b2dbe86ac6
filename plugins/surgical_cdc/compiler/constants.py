"""Relations of a query that read no table, as a calendar of days: while the moment stands they are always the same.

An update makes each a temporary table. So it is a relation like a static table: it can hold the anchor, as that of a
fact with a row for each day does, and others can be tied to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlglot import Dialect, exp
from sqlglot.optimizer.annotate_types import annotate_types

from surgical_cdc.compiler.derived_tables import selects_in
from surgical_cdc.contract.tables import Column, Static
from surgical_cdc.names import own_name

# A type that holds all values of what the parser takes for one of these, and tells the same of them apart. Functions of
# dates may give a timestamp; what it takes for a decimal may have any scale.
TYPES: Mapping[frozenset[object], str] = {
    frozenset(exp.DataType.INTEGER_TYPES): "bigint",
    frozenset(
        {
            exp.DataType.Type.DATE,
            exp.DataType.Type.DATETIME,
            exp.DataType.Type.TIMESTAMP,
            exp.DataType.Type.TIMESTAMPNTZ,
        }
    ): "timestamp",
    frozenset(exp.DataType.TEXT_TYPES): "varchar(65535)",
}
# DATEADD and DATE_TRUNC, of which the parser does not know that they give timestamps.
METADATA: dict[type[exp.Expr], dict[str, Any]] = {
    **Dialect.get_or_raise("redshift").EXPRESSION_METADATA,
    exp.TsOrDsAdd: {"returns": exp.DataType.Type.TIMESTAMP},
    exp.TimestampTrunc: {"returns": exp.DataType.Type.TIMESTAMP},
}


def with_constants(query: exp.Select) -> tuple[exp.Select, dict[str, tuple[Static, exp.Query]]]:
    """Return a query in which each relation that reads no table is a table, and these tables with their queries.

    One with a column of which the type is not known stays as it is. Makes use of the query.
    """
    constants: dict[str, tuple[Static, exp.Query]] = {}
    for number, relation in enumerate(list(_constants(query)), start=1):
        columns = _columns(relation.this)
        if columns:
            name = own_name("constant", str(number))
            # No name of a project begins so, and none would pass for one.
            constants[name] = Static.model_construct(name=name, relation=name, columns=columns), relation.this
            relation.replace(exp.Table(this=exp.to_identifier(name), alias=relation.args["alias"].copy()))
    return query, constants


def is_constant(table: exp.Table) -> bool:
    """Return whether a table of a query is one of these."""
    return not table.db


def _constants(query: exp.Expr) -> Iterator[exp.Subquery]:
    """Yield the outermost relations in FROM that read no table."""
    for part in query.walk(prune=_reads_no_table):
        if isinstance(part, exp.Subquery) and _reads_no_table(part) and isinstance(part.parent, (exp.From, exp.Join)):
            yield part


def _reads_no_table(part: exp.Expr) -> bool:
    return isinstance(part, exp.Subquery) and part.find(exp.Table) is None


def _columns(query: exp.Query) -> tuple[Column, ...]:
    """Return the columns of a query, none if the type of one is not known."""
    typed = annotate_types(query.copy(), expression_metadata=METADATA, dialect="redshift")
    ways = [[_type(part) for part in select.selects] for select in selects_in(typed)]
    types = [kinds.pop() if len(kinds := {*way}) == 1 else None for way in zip(*ways, strict=True)]
    columns = [
        Column.model_construct(name=name, data_type=data_type)
        for name, data_type in zip(query.named_selects, types, strict=True)
        if data_type
    ]
    return tuple(columns) if len(columns) == len(types) else ()


def _type(part: exp.Expr) -> str | None:
    return next((name for kinds, name in TYPES.items() if part.type and part.type.this in kinds), None)

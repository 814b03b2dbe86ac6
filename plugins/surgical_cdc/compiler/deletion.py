"""What a source says of its deleted rows: `delete_when`, one predicate on a staged row, by the rules of a model."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from surgical_cdc.compiler.fact_query import DIALECT, check_values, table_named
from surgical_cdc.compiler.unsupported import SHOWN_CHARACTERS, Refused
from surgical_cdc.errors import ProjectError

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Source

EXPECTED = "Expected one predicate on columns of the source, such as deleted_at IS NOT NULL"


@cache
def deletion(project: Project, source_name: str) -> str:
    """Return the predicate by which a staged row is a deletion, as SQL on the staging table; never true without one.

    Raises:
        ProjectError: `delete_when` is no such predicate; the message says where it stands and why.
    """
    source = project.source(source_name)
    if source.delete_when is None:
        return exp.false().sql(DIALECT)
    text = source.delete_when
    quoted = text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
    where = f"Project {project.name} ({project.path}): sources: {source.name}: delete_when: {quoted!r}"
    try:
        predicate = _parsed(source.delete_when)
        return _checked(source, predicate).sql(DIALECT, identify=True)
    except Refused as error:
        raise ProjectError(f"{where}: {error.problem}. {error.hint}") from error
    except SqlglotError as error:
        columns = ", ".join(source.column_names)
        raise ProjectError(f"{where} can not be read: {_brief(error)}. {EXPECTED}. Its columns: {columns}.") from error
    except RecursionError as error:
        raise ProjectError(f"{where} is nested too deeply. {EXPECTED}.") from error


def _parsed(text: str) -> exp.Expr:
    dialect = Dialect.get_or_raise(DIALECT)
    tokens = dialect.tokenize(text)
    if any(token.comments for token in tokens) or not tokens:
        raise Refused("it has a comment, or nothing beside one", f"{EXPECTED}, without one.", exp.null())
    statements = dialect.parser().parse(tokens, text)
    if len(statements) != 1 or not isinstance(statements[0], exp.Condition):
        raise Refused(f"it is no single expression ({len(statements)} statements)", f"{EXPECTED}.", exp.null())
    return statements[0]


def _checked(source: Source, predicate: exp.Expr) -> exp.Expr:
    """Return the predicate with its columns as the source has them."""
    for part in predicate.walk():
        if isinstance(part, (exp.Query, exp.AggFunc, exp.Window)):
            raise Refused(f"{part.sql(DIALECT)} reads more than the row", f"{EXPECTED}.", part)
        if isinstance(part, (exp.Placeholder, exp.Parameter, exp.Command)):
            raise Refused(f"{part.sql(DIALECT)} has no value", f"{EXPECTED}.", part)
        if isinstance(part, exp.Column) and part.table not in {"", source.name}:
            raise Refused(f"{part.sql(DIALECT)} is of another table", f"{EXPECTED}.", part)
    types = {column.name: column.data_type for column in source.columns}
    schema, _, table = source.relation.partition(".")
    tables: dict[str, object] = {schema: {table: types}}
    row = exp.alias_(table_named(source.relation), source.name, table=True)
    query = exp.select(exp.alias_(predicate, "deleted")).from_(row)
    query = qualify(query, dialect=DIALECT, schema=tables, quote_identifiers=False, identify=False)
    check_values(query, tables, [])
    (deleted,) = annotate_types(query, schema=tables, dialect=DIALECT).selects
    if not deleted.is_type(exp.DataType.Type.BOOLEAN):
        raise Refused(
            f"it is {deleted.type.sql(DIALECT) if deleted.type else 'a value'}, not true or false",
            f"{EXPECTED}.",
            deleted,
        )
    bare = deleted.unalias()
    for column in list(bare.find_all(exp.Column)):
        column.set("table", None)
    return bare


def _brief(error: SqlglotError) -> str:
    return str(error).partition("\n")[0].partition(". Line")[0].rstrip(".")

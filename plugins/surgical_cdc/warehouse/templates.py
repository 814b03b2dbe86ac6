"""Renders the engine's own SQL: one statement per file of the folder sql beside this one, Redshift's dialect."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2
from sqlglot import exp

from surgical_cdc.errors import ProjectError

TEMPLATES = Path(__file__).resolve().with_name("sql")


@cache
def sql_name(name: str) -> str:
    """Return a column, table or schema.table name as Redshift SQL.

    It is quoted whatever it is: no list of reserved words is complete.

    Example:
        >>> sql_name("public.language")
        '"public"."language"'
    """
    return ".".join(exp.to_identifier(part, quoted=True).sql(dialect="redshift") for part in name.split("."))


def table_name(relation: str) -> str:
    """Return the table of a relation as the columns of an UPDATE's or DELETE's target are qualified: without schema."""
    return sql_name(relation.rpartition(".")[2])


def render(template: str, **values: object) -> str:
    """Render sql/<template>.sql with checked names; data never goes in here but as bound parameters.

    Raises:
        ProjectError: the template does not exist, or reads a value that was not given.
    """
    try:
        return _environment().get_template(f"{template}.sql").render(values).strip()
    except jinja2.TemplateError as error:
        message = f"SQL template {TEMPLATES / template}.sql can not be rendered: {error}. Given: {sorted(values)}."
        raise ProjectError(message) from error


def compile_templates() -> None:
    """Compile every template now, so that a process that is forked from this one need not."""
    for template in _environment().list_templates():
        _environment().get_template(template)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(  # noqa: S701 - SQL, not HTML
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["name"] = sql_name
    environment.filters["table_name"] = table_name
    return environment

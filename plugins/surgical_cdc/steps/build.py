"""Builds a fact in full from the baselines, and checks the row keys of whatever is to become a fact's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surgical_cdc.compiler.slices import insert_into
from surgical_cdc.errors import DataError
from surgical_cdc.steps import privileges
from surgical_cdc.steps.groups import fill_from_groups
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.compiler.compiled_fact import CompiledFact
    from surgical_cdc.contract.tables import Fact
    from surgical_cdc.warehouse.session import Warehouse


def build(compiled: CompiledFact, warehouse: Warehouse) -> tuple[int, int]:
    """Create the fact's table if need be, with its grants, and fill it anew inside the caller's transaction.

    Returns:
        The rows that were deleted, and those that were inserted.

    Raises:
        DataError: a row key is NULL or not unique.
    """
    fact = compiled.fact
    granted = privileges.said(fact)
    is_new = bool(granted) and not warehouse.rows(render("read_owner"), fact.relation.split("."))
    from surgical_cdc.warehouse import ddl

    for statement in ddl.create_fact(fact):
        warehouse.execute(statement)
    # What an administrator has taken back from a table that exists stays so.
    for privilege in granted if is_new else ():
        warehouse.execute(privileges.grant(privilege, fact.relation))
    deleted = warehouse.execute(render("delete_rows", relation=fact.relation))
    return deleted, fill(compiled, warehouse, fact.relation)


def fill(compiled: CompiledFact, warehouse: Warehouse, relation: str) -> int:
    """Insert what a fact's SELECT gives into a relation that has its columns; return the number of rows.

    What is kept of its groups is made anew.

    Raises:
        DataError: a row key is NULL or not unique.
    """
    if compiled.groups:
        inserted = fill_from_groups(compiled.groups, compiled.fact, warehouse, relation)
    else:
        inserted = warehouse.execute(insert_into(relation, compiled.fact, compiled.query))
    check_row_keys(compiled.fact, warehouse, relation)
    return inserted


def check_row_keys(fact: Fact, warehouse: Warehouse, relation: str) -> None:
    """Check that a relation's row keys are unique and not NULL.

    Raises:
        DataError: they are not; the message names up to five of them.
    """
    refuse_row_keys(fact, warehouse.rows(render("find_wrong_row_keys", relation=relation, fact=fact)))


def refuse_row_keys(fact: Fact, found: list[tuple[object, int]]) -> None:
    """Raise DataError if row keys were found that are NULL or not unique."""
    if found:
        shown = ", ".join(f"{key!r} ({count} rows)" for key, count in found)
        row_key = ", ".join(fact.unique_key)
        message = (
            f"{fact.relation} is not written: its row key {row_key} would be NULL or not unique: {shown}."
            f" Correct the SELECT of {fact.name}, or the rows that it reads."
        )
        raise DataError(message)

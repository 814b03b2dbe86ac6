"""Prepares the statements that a cycle would send for a source or a fact, on the warehouse itself, without effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from sqlglot import exp

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.compiler.fact_query import relation_of, tables_of
from surgical_cdc.compiler.slices import AFFECTED_KEYS, RECOMPUTED, SourceChange, insert_into
from surgical_cdc.control import scratch
from surgical_cdc.control.tables import complete_control
from surgical_cdc.steps.apply import Differences, apply, count_differences
from surgical_cdc.steps.detect import write_change_set
from surgical_cdc.steps.groups import add_contributions, contribute, fill_from_groups, keep_groups
from surgical_cdc.steps.sync import sync_baseline
from surgical_cdc.steps.update import (
    count_reached_keys,
    forget_climb,
    keep_first,
    reach_keys,
    recompute_all,
    recompute_if_reached,
    recompute_keys,
)
from surgical_cdc.values import ChangeSet, Run, new_token
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.ddl import create_fact
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.compiler.groups import Groups
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Fact, Source
    from surgical_cdc.warehouse.session import Warehouse

# Before anything was staged: what a run over such a window would work on is empty.
LONG_AGO = datetime(1900, 1, 1)  # noqa: DTZ001 - the warehouse's timestamps are UTC without an offset


class Explaining:
    """A session that explains what would write rows, and does all else: tables that are made in it are empty."""

    def __init__(self, warehouse: Warehouse) -> None:
        """Take a session, in a transaction that will be rolled back."""
        self._warehouse = warehouse

    def execute(self, statement: str | exp.Expr, params: Sequence[object] = ()) -> int:
        """Make or drop a table, or explain a statement that writes rows; no row is ever written."""
        if _is_of_a_table(statement):
            return self._warehouse.execute(statement, params)
        self._warehouse.explain(statement, params)
        return 0

    def __getattr__(self, name: str) -> Any:
        """Queries are the session's own."""
        return getattr(self._warehouse, name)


def _is_of_a_table(statement: str | exp.Expr) -> bool:
    if isinstance(statement, exp.Expr):
        return isinstance(statement, exp.Create)
    lines = [line for line in statement.splitlines() if line and not line.startswith("--")]
    return lines[0].startswith(("CREATE", "DROP"))


def rehearse_source(project: Project, source: Source, warehouse: Warehouse) -> None:
    """Prepare the statements of a source's detection and sync inside the caller's transaction, to be rolled back."""
    complete_control(project, warehouse)
    explaining = cast("Warehouse", Explaining(warehouse))
    relation = _change_set(project, source, explaining)
    changed = ChangeSet(
        source=source.name,
        relation=relation,
        token="",
        window_end=LONG_AGO,
        inserts=1,
        updates=1,
        deletes=1,
        touched=1,
    )
    if source.history:
        keeping = render(
            "keep_history", source=source, relation=relation, history=schema.history(project, source).relation
        )
        explaining.execute(keeping, ("", ""))
    sync_baseline(source, changed, explaining)


def rehearse_fact(project: Project, fact_name: str, warehouse: Warehouse) -> None:
    """Prepare the statements of a fact's build and update inside the caller's transaction, to be rolled back.

    They are those of a run in which rows of every source that the fact reads have come, changed and gone.
    """
    compiled = compile_fact(project, fact_name)
    fact = compiled.fact
    complete_control(project, warehouse)
    explaining = cast("Warehouse", Explaining(warehouse))
    for statement in create_fact(fact):
        warehouse.execute(statement)
    groups = compiled.groups and _beside(compiled.groups)
    if groups:
        fill_from_groups(groups, fact, explaining, fact.relation)
    explaining.execute(insert_into(fact.relation, fact, compiled.query))
    read = {relation_of(table) for table in tables_of(compiled.query)}
    changes = {
        source.name: SourceChange(_change_set(project, source, explaining), None)
        for source in project.sources.values()
        if source.relation in read
    }
    if compiled.tree is None:
        recompute_all(project, compiled, explaining, changes)
    elif compiled.tree.is_of_all:
        recompute_if_reached(project, compiled, explaining, changes, pending=True)
    elif groups:
        _rehearse_groups(project, fact, groups, explaining, changes)
    else:
        if compiled.tree.whole:
            recompute_all(project, compiled, explaining, changes)
            explaining.execute(render("drop_tables", relations=[AFFECTED_KEYS, RECOMPUTED]))
        reach_keys(project, compiled.tree, explaining, changes, pending=True)
        count_reached_keys(compiled.tree, explaining)
        recompute_keys(project, compiled.tree, explaining, changes, fact.columns, null_key=True, whole=True)
        explaining.execute(render("drop_tables", relations=[RECOMPUTED]))
        recompute_keys(project, compiled.tree, explaining, changes, fact.columns, null_key=True, whole=False)
        if compiled.tree.limit:
            keep_first(project, compiled, compiled.tree.limit, explaining, changes, null_key=True)
    count_differences(compiled, explaining, fact.columns, exact=fact.column_names, null_key=True)
    every_cell = dict.fromkeys(fact.column_names, 1)
    apply(compiled, explaining, fact.columns, Differences(1, 1, 1, every_cell), null_key=True)


def _beside(groups: Groups) -> Groups:
    """Return the groups of a fact as if others than those that a run may be working on were kept."""
    return replace(groups, table=replace(groups.table, fact=schema.beside(groups.table.fact)))


def _rehearse_groups(
    project: Project, fact: Fact, groups: Groups, warehouse: Warehouse, changes: Mapping[str, SourceChange]
) -> None:
    """Prepare the statements by which groups are contributed to, and recomputed from whole tables and slices."""
    reach_keys(project, groups.rows, warehouse, changes, pending=False)
    count_reached_keys(groups.rows, warehouse)
    contribute(groups, warehouse, changes)
    forget_climb(groups.rows, warehouse, changes)
    warehouse.execute(render("affected_groups"))
    add_contributions(groups, warehouse, null_key=True)
    warehouse.execute(render("drop_tables", relations=[AFFECTED_KEYS, RECOMPUTED]))
    reach_keys(project, groups.table, warehouse, changes, pending=True)
    count_reached_keys(groups.table, warehouse)
    columns = groups.table.fact.columns
    recompute_keys(project, groups.table, warehouse, changes, columns, null_key=True, whole=True)
    warehouse.execute(render("drop_tables", relations=[RECOMPUTED]))
    recompute_keys(project, groups.table, warehouse, changes, columns, null_key=True, whole=False)
    keep_groups(groups, fact, warehouse, null_key=True)


def _change_set(project: Project, source: Source, warehouse: Warehouse) -> str:
    """Detect the changes of a window in which nothing is staged; return the relation of the change set."""
    run = Run(run_id="check", dag_id="check", token=new_token(), window_end=LONG_AGO)
    relation = scratch.new_relation(project, source, run)
    write_change_set(project, source, relation, warehouse, run)
    return relation

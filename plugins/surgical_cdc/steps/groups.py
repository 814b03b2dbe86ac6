"""Keeps the groups of a fact that is maintained by contributions, and computes its rows from them (docs/adr/0009)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surgical_cdc.compiler.groups import CONTRIBUTIONS, GROUPS, contributing_rows, contributions, create_groups
from surgical_cdc.compiler.slices import RECOMPUTED, insert_into, slices
from surgical_cdc.errors import DataError
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from surgical_cdc.compiler.groups import Groups
    from surgical_cdc.compiler.slices import SourceChange
    from surgical_cdc.contract.tables import Fact
    from surgical_cdc.warehouse.session import Warehouse


def fill_from_groups(groups: Groups, fact: Fact, warehouse: Warehouse, relation: str) -> int:
    """Keep the groups of the baselines, in a table that is made anew, and insert the fact's rows into a relation.

    Returns:
        The number of these rows.
    """
    warehouse.execute(render("drop_tables", relations=[groups.relation]))
    warehouse.execute(create_groups(groups))
    warehouse.execute(insert_into(groups.relation, groups.table.fact, groups.table.query))
    _merge(groups, warehouse, groups.relation)
    return _show(groups, fact, warehouse, relation)


def contribute(groups: Groups, warehouse: Warehouse, changes: Mapping[str, SourceChange]) -> None:
    """Fill contributions by what the rows of affected_keys have contributed and will: from slices before and after."""
    warehouse.execute(render("table_like", table=CONTRIBUTIONS, relation=groups.relation))
    for known in ({}, changes):
        rows = contributing_rows(groups, changes)
        made = slices(groups.rows, known, rows, null_key=False)
        for statement in made:
            warehouse.execute(statement)
        warehouse.execute(contributions(groups, rows, taken_off=not known))
        warehouse.execute(render("drop_tables", relations=[statement.this.name for statement in made]))


def add_contributions(groups: Groups, warehouse: Warehouse, *, null_key: bool) -> None:
    """Fill recomputed with the groups of affected_keys as they will be.

    Raises:
        DataError: more is taken off than was there.
    """
    warehouse.execute(render("table_like", table=RECOMPUTED, relation=groups.relation))
    warehouse.execute(render("add_contributions", groups=groups, null_key=null_key))
    (wrong,) = warehouse.row(render("count_wrong_groups", groups=groups))
    if wrong:
        raise DataError(
            f"{groups.table.fact.name} is not written: {groups.relation}, which keeps its groups, would have {wrong}"
            " with fewer rows than none, so it was not what the baselines say. Somebody has written to it or to a"
            " baseline beside the runs. Refresh the fact: both are made anew."
        )


def keep_groups(groups: Groups, fact: Fact, warehouse: Warehouse, *, null_key: bool) -> None:
    """Keep the groups in recomputed, and leave the fact's rows of affected_keys there."""
    warehouse.execute(render("delete_groups", groups=groups, null_key=null_key))
    warehouse.execute(render("keep_groups", groups=groups))
    _merge(groups, warehouse, RECOMPUTED)
    warehouse.execute(render("drop_tables", relations=[RECOMPUTED]))
    warehouse.execute(render("table_like", table=RECOMPUTED, relation=fact.relation))
    _show(groups, fact, warehouse, RECOMPUTED)


def _merge(groups: Groups, warehouse: Warehouse, relation: str) -> None:
    """Fill scdc_groups with the kept groups in a relation."""
    warehouse.execute(render("table_like", table=GROUPS, relation=groups.relation))
    warehouse.execute(render("merge_groups", groups=groups, relation=relation))


def _show(groups: Groups, fact: Fact, warehouse: Warehouse, relation: str) -> int:
    """Insert the fact's rows of scdc_groups into a relation; return their number."""
    inserted = warehouse.execute(insert_into(relation, fact, groups.shown))
    warehouse.execute(render("drop_tables", relations=[GROUPS]))
    return inserted

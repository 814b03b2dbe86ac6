"""The scratch tables: each attempt at a detection fills one of its own, whose name says whose it is and since when.

So a name stands for what one attempt has found: nothing that another leaves behind, however late, can take its place.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from surgical_cdc.names import NAME_BYTES, fitted
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Source
    from surgical_cdc.control.lease import Lease
    from surgical_cdc.values import Run
    from surgical_cdc.warehouse.session import Warehouse

# Time to look into a failed run and to clear its task over a weekend.
RETENTION = timedelta(days=7)
NAME = re.compile(r"\w+__(?P<dag>[0-9a-f]{6})_(?P<token>[0-9a-f]{12})_(?P<made>[0-9a-f]{8})[0-9a-f]{4}")
# What a name may have beside two underscores, DAG, token, time and attempt.
SOURCE_LENGTH = NAME_BYTES - 34


def new_relation(project: Project, source: Source, run: Run) -> str:
    """Return the relation of a change set that is about to be made."""
    made = f"{int(time.time()):08x}{secrets.token_hex(2)}"
    return f"{project.scratch_schema}.{fitted(source.name, SOURCE_LENGTH)}__{_dag(run)}_{run.token}_{made}"


def relations_to_drop(project: Project, warehouse: Warehouse, run: Run, found: Lease, *, keep_own: bool) -> list[str]:
    """Return the change sets that nobody needs any more.

    These are a run's own unless they are to be kept; then, having failed, it is the newest such run of its DAG, and
    those of the others go. Those of other DAGs go after a while. Those of whoever holds the lease stay.
    """
    old = time.time() - RETENTION.total_seconds()
    holder = found.token if found.taken_from(run.token) else None
    relations = []
    for (name,) in warehouse.rows(render("find_scratch_tables"), (project.scratch_schema,)):
        parts = NAME.fullmatch(name)
        if not parts or parts["token"] == holder:
            continue
        if parts["token"] == run.token:
            goes = not keep_own
        else:
            goes = (keep_own and parts["dag"] == _dag(run)) or int(parts["made"], 16) < old
        if goes:
            relations.append(f"{project.scratch_schema}.{name}")
    return relations


def _dag(run: Run) -> str:
    return hashlib.md5(run.dag_id.encode(), usedforsecurity=False).hexdigest()[:6]

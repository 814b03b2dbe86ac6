"""The scratch tables: each attempt at a detection fills one of its own, whose name says whose it is and since when.

So a name stands for what one attempt has found: nothing that another leaves behind, however late, can take its place.
"""

from __future__ import annotations

import re
import secrets
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from surgical_cdc.names import NAME_BYTES, fitted
from surgical_cdc.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract import Source
    from surgical_cdc.project import Project
    from surgical_cdc.values import Run
    from surgical_cdc.warehouse import Warehouse

# Time to look into a failed run and to clear its task over a weekend.
RETENTION = timedelta(days=7)
NAME = re.compile(r"\w+__(?P<run>[0-9a-f]{12})_(?P<made>[0-9a-f]{8})[0-9a-f]{4}")
# What a name may have beside that of its run: two underscores, then run, time and attempt.
SOURCE_LENGTH = NAME_BYTES - 27


def new_relation(project: Project, source: Source, run: Run) -> str:
    """Return the relation of a change set that is about to be made."""
    made = f"{int(time.time()):08x}"
    return f"{project.scratch_schema}.{fitted(source.name, SOURCE_LENGTH)}__{run.suffix}_{made}{secrets.token_hex(2)}"


def relations_to_drop(project: Project, warehouse: Warehouse, run: Run, *, keep_own: bool) -> list[str]:
    """Return the change sets of a run, unless they are to be kept, and those of others that nobody needs any more."""
    old = time.time() - RETENTION.total_seconds()
    relations = []
    for (name,) in warehouse.rows(render("find_scratch_tables"), (project.scratch_schema,)):
        found = NAME.fullmatch(name)
        if not found:
            continue
        own = found["run"] == run.suffix
        if not keep_own if own else int(found["made"], 16) < old:
            relations.append(f"{project.scratch_schema}.{name}")
    return relations

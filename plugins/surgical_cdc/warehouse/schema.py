"""The tables of the warehouse as the contract describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from surgical_cdc.contract.tables import Column, Fact, Source, Table
from surgical_cdc.names import PREFIX, fitted, own_name
from surgical_cdc.values import FactCounts, SourceCounts

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project

NAME = "varchar(64)"
RUN_KEY = "varchar(512)"
ATTEMPT = "varchar(32)"
TEXT = "varchar(65535)"
WINDOW = {"window_start": "timestamp", "window_end": "timestamp"}


def _columns(data_types: Mapping[str, str]) -> tuple[Column, ...]:
    return tuple(Column(name=name, data_type=data_type) for name, data_type in data_types.items())


CONTROL_TABLES: dict[str, dict[str, str]] = {
    "lease": {
        "holder": RUN_KEY,
        "token": ATTEMPT,
        "taken_at": "timestamp",
        "expires_at": "timestamp",
        "baseline_run": RUN_KEY,
        "baseline_token": ATTEMPT,
        "swept_at": "timestamp",
        "version": "integer",
    },
    "runs": {
        "run_key": RUN_KEY,
        "token": ATTEMPT,
        "kind": "varchar(16)",
        **WINDOW,
        "started_at": "timestamp",
        "finished_at": "timestamp",
        **dict.fromkeys(("seconds_detect", "seconds_update", "seconds_sync"), "double precision"),
        "undoes": RUN_KEY,
        "result": "varchar(16)",
        "reason": TEXT,
    },
    "run_sources": {
        "run_key": RUN_KEY,
        "token": ATTEMPT,
        "source_name": NAME,
        **WINDOW,
        **dict.fromkeys(SourceCounts.model_fields, "bigint"),
        "farthest_cursor": "varchar(32)",
        "synced": "boolean",
        "history_rows": "bigint",
        "changed_columns": TEXT,
        "seconds": "double precision",
    },
    "run_facts": {
        "run_key": RUN_KEY,
        "token": ATTEMPT,
        "fact_name": NAME,
        **dict.fromkeys(FactCounts.model_fields, "bigint"),
        "built": "boolean",
        "whole_tables": "boolean",
        "seconds": "double precision",
        "reason": TEXT,
    },
    "run_columns": {
        "run_key": RUN_KEY,
        "token": ATTEMPT,
        "fact_name": NAME,
        "column_name": NAME,
        "cells": "bigint",
    },
    "tombstones": {"source_name": NAME, "row_key": "varchar(256)", "deleted_at": "timestamp", "is_void": "boolean"},
    "definitions": {"fact_name": NAME, "fingerprint": "varchar(16)", "moment": "timestamp", "verified_to": "timestamp"},
}
# Columns of theirs by the names that older versions gave them.
RENAMED: dict[str, dict[str, str]] = {"run_sources": {"columns_compared": "cells_compared"}}
# What they are read by. Their distribution is left to Redshift (DISTSTYLE AUTO, its default): a copy on every node
# while they are small, as most stay, and rows spread evenly should deletions or a long history make one large.
CONTROL_SORT: dict[str, tuple[str, ...]] = {
    "lease": (),
    "runs": ("started_at",),
    "run_sources": ("run_key",),
    "run_facts": ("run_key",),
    "run_columns": ("run_key",),
    "tombstones": ("source_name", "row_key"),
    "definitions": (),
}


def _own_columns(data_types: Mapping[str, str]) -> tuple[Column, ...]:
    """Return columns of the engine's own, made without the check that keeps such names out of a project."""
    named = {f"{PREFIX}{name}": data_type for name, data_type in data_types.items()}
    return tuple(Column.model_construct(name=name, data_type=data_type) for name, data_type in named.items())


KEPT_COLUMNS = _own_columns({"run": RUN_KEY, "reason": "varchar(256)", "quarantined_at": "timestamp"})
FACT_HISTORY_COLUMNS = _own_columns(
    {"run": RUN_KEY, "token": ATTEMPT, "change": "varchar(1)", "columns": TEXT, "at": "timestamp"}
)
# With the cursor of the version that has brought the change.
SOURCE_HISTORY_COLUMNS = (*FACT_HISTORY_COLUMNS, *_own_columns({"cursor": "timestamp"}))


def beside(fact: Fact) -> Fact:
    """Return a fact as it is while it is made anew: in the same schema, under a name that is the engine's own."""
    schema_name, _, table = fact.relation.partition(".")
    return fact.model_copy(update={"relation": f"{schema_name}.{own_name('refresh', table)}"})


def control(project: Project, name: str) -> Table:
    """Return a table of CONTROL_TABLES in the project's control schema."""
    return Table(
        name=name,
        relation=f"{project.control_schema}.{name}",
        columns=_columns(CONTROL_TABLES[name]),
        sort=CONTROL_SORT[name],
    )


def written_schemas(project: Project) -> list[str]:
    """Return the schemas that a run makes tables in: those of what is kept, of the change sets, and of the facts."""
    facts = [fact.relation.partition(".")[0] for fact in project.facts.values()]
    return list(dict.fromkeys([project.control_schema, project.scratch_schema, *facts]))


def staging(source: Source) -> Table:
    """Return a source's staging table: sorted by the cursor that windows are read by, distributed as its baseline."""
    return Table(
        name=source.name, relation=source.staging, columns=source.columns, dist=source.dist, sort=(source.cursor,)
    )


def quarantine(project: Project, source: Source) -> Table:
    """Return the table that keeps a source's quarantined rows."""
    columns = (*source.columns, *KEPT_COLUMNS)
    return Table(name=source.name, relation=_kept(project, f"quarantine__{source.name}"), columns=columns)


def history(project: Project, table: Source | Fact) -> Table:
    """Return the table that keeps what runs have changed in a baseline, or in a fact."""
    own = SOURCE_HISTORY_COLUMNS if isinstance(table, Source) else FACT_HISTORY_COLUMNS
    # Sorted by when, as it is swept; made without the check of names.
    return Table.model_construct(
        name=table.name,
        relation=_kept(project, f"history__{table.name}"),
        columns=(*table.columns, *own),
        dist=None,
        sort=(f"{PREFIX}at",),
    )


def histories(project: Project) -> list[Table]:
    """Return the history of each source and fact that has one."""
    tables: list[Source | Fact] = [*project.sources.values(), *project.facts.values()]
    return [history(project, table) for table in tables if table.history]


def pending(project: Project, fact: Fact) -> Table:
    """Return the table that keeps a fact's affected keys from its update to the sync."""
    columns = _columns({"token": ATTEMPT, "anchor": fact.column(fact.anchor).data_type})
    return Table(name=fact.name, relation=_kept(project, f"pending__{fact.name}"), columns=columns)


def _kept(project: Project, name: str) -> str:
    return f"{project.control_schema}.{fitted(name)}"


def control_tables(project: Project) -> list[Table]:
    """Return all tables of the control schema."""
    return [
        *(control(project, name) for name in CONTROL_TABLES),
        *(quarantine(project, source) for source in project.sources.values()),
        *(pending(project, fact) for fact in project.facts.values()),
        *histories(project),
    ]

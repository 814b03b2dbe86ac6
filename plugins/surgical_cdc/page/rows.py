"""Looks rows up in the warehouse, which nothing else on the page asks, and this only when a person does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from surgical_cdc.contract.project import contract_path
from surgical_cdc.control.history import ChangedRow, Event, changed_rows, key_of, story
from surgical_cdc.dag.operators import project_at
from surgical_cdc.errors import ProjectError
from surgical_cdc.warehouse.advice import ERRORS, refusal
from surgical_cdc.warehouse.connection import connect
from surgical_cdc.warehouse.retries import Backoff, run_step

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Fact, Source
    from surgical_cdc.page.metadata import Cycle
    from surgical_cdc.warehouse.session import Warehouse

T = TypeVar("T")
# A person waits, and a thread of the API server with them.
PATIENCE = timedelta(seconds=30)
# How many changes of one row are shown, the newest.
MOST_CHANGES = 200


@dataclass(frozen=True)
class Change:
    """What one run did to a row: its events, one for each column if it has updated it."""

    events: tuple[Event, ...]
    undone_by: str

    @property
    def first(self) -> Event:
        """The event that says what they all say: when, by which run, how."""
        return self.events[0]


@dataclass(frozen=True)
class Shown:
    """What the view of a row shows: why it can not, in a sentence, or what was found.

    `keys` are the tables that have a history, each with the columns of its key. `changes` of a row have the newest
    first, of `more` in all; `examples` are rows that were changed. Both are None where nobody has asked for them.
    """

    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    problem: str = ""
    changes: Sequence[Change] | None = None
    more: int = 0
    examples: Sequence[ChangedRow] | None = None


def unasked(cycle: Cycle) -> Shown:
    """Return what the view shows while nobody asks: the tables of which rows can be looked up."""
    try:
        return Shown(_keys(_project(cycle)))
    except ERRORS as error:
        return Shown(problem=refusal(error))


def asked(cycle: Cycle, table: str, key: Sequence[str], run_key: str) -> Shown:
    """Return what happened to a row; without a key some rows that were changed, by one run alone if it is given."""
    shown = unasked(cycle)
    if shown.problem:
        return shown
    try:
        if any(key):
            changes = _changes(_ask(cycle, partial(story, _project(cycle), table, key)))
            return Shown(shown.keys, changes=changes[:MOST_CHANGES], more=len(changes))
        examples = _ask(cycle, partial(changed_rows, _project(cycle), table, run_key))
        return Shown(shown.keys, examples=examples)
    except ERRORS as error:
        return Shown(shown.keys, refusal(error))


def _changes(events: Sequence[Event]) -> list[Change]:
    undone = {event.undoes: event.run for event in events if event.undoes}
    groups = [tuple(group) for _, group in groupby(events, lambda event: (event.at, event.run, event.change))]
    return [Change(group, undone.get(group[0].run, "")) for group in reversed(groups)]


def _project(cycle: Cycle) -> Project:
    path = Path(cycle.deployment.project)
    if not contract_path(path).exists():
        raise ProjectError(
            f"The API server does not find {contract_path(path)}, by which a row is looked up. Give it the project's"
            " folder where the DAG has it, or ask where that is: python -m surgical_cdc history"
        )
    return project_at(path)


def _keys(project: Project) -> dict[str, Sequence[str]]:
    tables: list[Source | Fact] = [*project.sources.values(), *project.facts.values()]
    return {table.name: key_of(table) for table in tables if table.history}


def _ask(cycle: Cycle, step: Callable[[Warehouse], T]) -> T:
    label = f"{cycle.dag_id}/page"
    session = partial(connect, cycle.deployment.conn_id, label=label, statement_timeout=PATIENCE)
    return run_step(session, "the page", step, backoff=Backoff(attempts=1))

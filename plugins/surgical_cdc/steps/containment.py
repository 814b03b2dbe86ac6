"""Finds the rows by which an update fails: of a million one alone may divide by zero."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.compiler.slices import AFFECTED_KEYS, is_recomputed_whole
from surgical_cdc.errors import DataError
from surgical_cdc.steps.update import (
    begin,
    changes_of,
    columns_to_set,
    count_affected_keys,
    reach_keys,
    recompute_keys,
    settle,
    update,
)
from surgical_cdc.warehouse.advice import refusal
from surgical_cdc.warehouse.retries import is_transient, server_answer
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.compiler.nodes import JoinTree
    from surgical_cdc.compiler.slices import SourceChange
    from surgical_cdc.contract.project import Project
    from surgical_cdc.values import ChangeSet, FactResult, Preparation, Run
    from surgical_cdc.warehouse.retries import Steps
    from surgical_cdc.warehouse.session import Warehouse

log = logging.getLogger(__name__)

# So many keys are named; the search ends after so many attempts, or so long.
NAMED = 5
ATTEMPTS = 100
SEARCH = timedelta(minutes=1)
# SQLSTATEs of errors that come of values: class 22, and what Redshift's compute nodes report about theirs.
OF_VALUES = ("22", "XX000")


def update_or_explain(  # noqa: PLR0917 - the order of all steps: project, what, where, run, what the run knows
    project: Project,
    fact_name: str,
    steps: Steps,
    run: Run,
    preparation: Preparation,
    change_sets: Mapping[str, ChangeSet],
) -> FactResult:
    """Run the update of a fact; where a value makes it fail, find out in which rows.

    Raises:
        DataError: a value makes it fail; the message has the warehouse's own, and the keys, unless the fact is built in
            full.
    """
    step = partial(update, project, fact_name, run=run, preparation=preparation, change_sets=change_sets)
    try:
        return steps.run(f"update.{fact_name}", step, settle=settle)
    except Exception as error:
        if not _is_of_values(error):
            raise
        compiled = compile_fact(project, fact_name, preparation.moments.get(fact_name))
        fact, keys = compiled.fact, []
        tree = compiled.tree
        if tree and _has_affected_keys(tree, changes_of(change_sets)) and fact_name not in preparation.unbuilt:
            keys = steps.run(f"search.{fact_name}", Search(project, tree, run, preparation, change_sets))
        found = f" It comes of the rows of {fact.relation} with {fact.anchor}: {', '.join(keys)}." if keys else ""
        raise DataError(
            f"{fact_name} is not updated. {refusal(error)}{found} What it reads stays staged for the next run."
        ) from error


def _has_affected_keys(tree: JoinTree, changes: Mapping[str, SourceChange]) -> bool:
    """Return whether changes affect some keys of a fact, not the whole of it."""
    return not tree.is_of_all and not is_recomputed_whole(tree, changes)


def _is_of_values(error: BaseException) -> bool:
    return server_answer(error).get("C", "").startswith(OF_VALUES) and not is_transient(error)


@dataclass(frozen=True)
class Search:
    """A step that looks for affected keys by each of which alone a fact's recomputation fails; it writes nothing."""

    project: Project
    tree: JoinTree
    run: Run
    preparation: Preparation
    change_sets: Mapping[str, ChangeSet]

    def __call__(self, warehouse: Warehouse) -> list[str]:
        """Return up to five such keys, as text: halves of the keys are tried, and halves of those that fail."""
        deadline = time.monotonic() + SEARCH.total_seconds()
        found: list[str] = []
        # First and last number of some keys, and whether they are known to fail together.
        ranges = [(1, self._count(warehouse), False)]
        tries = 0

        def fails(first: int, last: int) -> bool:
            nonlocal tries
            tries += 1
            log.info(
                "%s fails: trying keys %d to %d of those affected (try %d)", self.tree.fact.name, first, last, tries
            )
            return self._fails(warehouse, first, last)

        while ranges and len(found) < NAMED and tries < ATTEMPTS and time.monotonic() < deadline:
            first, last, known = ranges.pop()
            if first > last or not (known or fails(first, last)):
                continue
            middle = (first + last) // 2
            if first == last:
                found.append(self._key(warehouse, first))
            elif fails(first, middle):
                ranges += [(middle + 1, last, False), (first, middle, True)]
            else:
                ranges.append((middle + 1, last, True))
        return found

    def _count(self, warehouse: Warehouse) -> int:
        with warehouse.transaction(dry_run=True):
            return self._reach(warehouse)[1]

    def _fails(self, warehouse: Warehouse, first: int, last: int) -> bool:
        """Return whether a value makes the recomputation of some keys fail."""
        changes = changes_of(self.change_sets)
        try:
            with warehouse.transaction(dry_run=True):
                pending = self._reach_some(warehouse, first, last)
                _, null_key = count_affected_keys(warehouse)
                columns = columns_to_set(self.project, self.tree.fact, changes, every=pending)
                recompute_keys(self.project, self.tree, warehouse, changes, columns, null_key=null_key, whole=False)
        except Exception as error:
            if not _is_of_values(error):
                raise
            return True
        return False

    def _key(self, warehouse: Warehouse, number: int) -> str:
        with warehouse.transaction(dry_run=True):
            self._reach_some(warehouse, number, number)
            ((key,),) = warehouse.rows(render("read_affected_keys"))
        return "NULL" if key is None else str(key)

    def _reach(self, warehouse: Warehouse) -> tuple[bool, int]:
        """Fill affected_keys; return whether keys are pending, and the number of all."""
        pending = begin(self.project, self.tree.fact, warehouse, self.run, self.preparation, self.change_sets)
        changes = changes_of(self.change_sets)
        reach_keys(self.project, self.tree, warehouse, changes, pending=pending)
        return pending, count_affected_keys(warehouse)[0]

    def _reach_some(self, warehouse: Warehouse, first: int, last: int) -> bool:
        """Fill affected_keys with some of them, by their numbers in order; return whether keys are pending."""
        pending, _ = self._reach(warehouse)
        warehouse.execute(render("number_affected_keys"))
        warehouse.execute(render("delete_rows", relation=AFFECTED_KEYS))
        warehouse.execute(render("keep_numbered_keys"), (first, last))
        return pending

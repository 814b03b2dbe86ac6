"""Brings one fact up to date: recomputes the rows that a run's changes affect, and applies what differs."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlglot import exp

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.compiler.limits import place_rows
from surgical_cdc.compiler.slices import (
    AFFECTED_KEYS,
    COUNTED,
    RECOMPUTED,
    SourceChange,
    affected_keys,
    constant_tables,
    copies,
    copy_of,
    insert_into,
    is_recomputed_whole,
    key_counts,
    overlaid_query,
    read_once,
    sliced_query,
    slices,
    whole_query,
)
from surgical_cdc.control import history, lease
from surgical_cdc.dictionary import EVERY_COLUMN
from surgical_cdc.steps.announce import examples
from surgical_cdc.steps.apply import Differences, apply, count_differences
from surgical_cdc.steps.build import build, check_row_keys, refuse_row_keys
from surgical_cdc.steps.groups import add_contributions, contribute, keep_groups
from surgical_cdc.steps.relevance import relations
from surgical_cdc.values import ChangeSet, FactResult, Preparation, Run, now
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.compiler.compiled_fact import CompiledFact
    from surgical_cdc.compiler.groups import Groups
    from surgical_cdc.compiler.nodes import JoinTree, Limit
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Column, Fact
    from surgical_cdc.values import Example
    from surgical_cdc.warehouse.session import Warehouse

log = logging.getLogger(__name__)

# From this share of the keys of a fact on whole tables are read faster than slices made: python -m benchmarks.shares.
MOST = 0.2
# To this part of that share of its rows, to add what they contribute is faster: python -m benchmarks.groups.
CONTRIBUTING = 0.1
# So many rows of the fact and of its anchor's source tell how many keys there are, more where they do not.
FIRST_ROWS = 1000


def update(  # noqa: PLR0917 - the order of all steps: project, what, where, run, what the run knows
    project: Project,
    fact_name: str,
    warehouse: Warehouse,
    run: Run,
    preparation: Preparation,
    change_sets: Mapping[str, ChangeSet],
) -> FactResult:
    """Update one fact from the change sets of the sources that feed it, in one transaction; a dry run is rolled back.

    A fact that is not built yet is built from the baseline first. Needs a session of its own, for its temporary tables.

    Raises:
        AlreadySynced, LeaseError: the run may not go on; see `lease.hold`.
        DataError: a row key is NULL or not unique; nothing is written then.
        UnsupportedQuery: the fact's SELECT can not be maintained.
    """
    started, started_at = time.perf_counter(), now()
    moment = preparation.moments.get(fact_name)
    compiled = compile_fact(project, fact_name, moment)
    fact = compiled.fact
    changes = changes_of(change_sets)
    unbuilt = fact_name in preparation.unbuilt
    with warehouse.transaction(dry_run=run.dry_run):
        pending = begin(project, fact, warehouse, run, preparation, change_sets)
        gone, built = _build(compiled, warehouse) if unbuilt else (0, 0)
        columns = columns_to_set(project, fact, changes, every=pending)
        whole = True
        if compiled.tree is None:
            affected, null_key = recompute_all(project, compiled, warehouse, changes)
        elif compiled.tree.is_of_all:
            affected, null_key = recompute_if_reached(project, compiled, warehouse, changes, pending=pending)
        elif is_recomputed_whole(compiled.tree, changes) or (compiled.tree.limit and pending):
            # Of a limited fact, what came behind the last row of those runs may have been changed by them too, and be
            # as it was again.
            affected, null_key = recompute_all(project, compiled, warehouse, changes)
        elif compiled.groups:
            affected, null_key, whole = recompute_groups(
                project, compiled, compiled.groups, warehouse, changes, pending=pending
            )
        else:
            reach_keys(project, compiled.tree, warehouse, changes, pending=pending)
            affected, null_key, whole = count_reached_keys(compiled.tree, warehouse)
            if affected:
                recompute_keys(project, compiled.tree, warehouse, changes, columns, null_key=null_key, whole=whole)
            if affected and compiled.tree.limit and len(columns) == len(fact.columns):
                affected, null_key, anew = keep_first(
                    project, compiled, compiled.tree.limit, warehouse, changes, null_key=null_key
                )
                whole = whole or anew
        if affected:
            _keep_pending(project, fact, warehouse, run, pending=pending)
        found = Differences(0, 0, 0, {})
        shown: tuple[Example, ...] = ()
        if affected:
            _check_rows(compiled, warehouse, null_key=null_key)
            exact = fact.column_names
            found = count_differences(compiled, warehouse, columns, exact=exact, null_key=null_key)
            if run.dry_run:
                shown = examples(fact, warehouse, found, null_key=null_key)
            else:
                differing = [column for column in columns if column.name in found.cells]
                rows = found.inserted + found.updated + found.deleted
                history.keep_of_fact(project, fact, warehouse, run, rows, differing, null_key=null_key)
                apply(compiled, warehouse, columns, found, null_key=null_key)
        result = warehouse.unconfirmed = FactResult(
            fact=fact_name,
            change_sets=relations(change_sets),
            affected=affected,
            inserted=built + found.inserted,
            updated=found.updated,
            deleted=gone + found.deleted,
            built=unbuilt,
            whole_tables=bool(affected) and whole,
            definition=compiled.select_fingerprint,
            moment=moment,
            cells=dict(found.cells),
            examples=shown,
            started_at=started_at,
            seconds=round(time.perf_counter() - started, 3),
        )
    return result


def settle(unconfirmed: FactResult, repeated: FactResult) -> FactResult:
    """Return what was done by an update whose COMMIT was unconfirmed, so that it was repeated.

    A repeated update that finds nothing to write comes after one that was committed, or had nothing to write either.
    One that builds the fact writes it all, whatever it finds.
    """
    if repeated.built:
        return unconfirmed
    return repeated if repeated.inserted or repeated.updated or repeated.deleted else unconfirmed


def begin(  # noqa: PLR0917
    project: Project,
    fact: Fact,
    warehouse: Warehouse,
    run: Run,
    preparation: Preparation,
    change_sets: Mapping[str, ChangeSet],
) -> bool:
    """Hold the lease, and wait for an earlier try of the same update, whose COMMIT may be under way still.

    Returns:
        Whether keys are pending that earlier runs have updated without a sync.
    """
    baselines = {preparation.baseline_token, *lease.baselines(run, change_sets.values())}
    pending = schema.pending(project, fact).relation
    warehouse.execute(render("lock_pending_keys", pending=pending))
    if lease.hold(project, warehouse, run, baselines):
        warehouse.execute(render("lock_pending_keys", pending=pending))
    return warehouse.row(render("count_pending_keys", pending=pending)) != (0,)


def changes_of(change_sets: Mapping[str, ChangeSet]) -> dict[str, SourceChange]:
    """Return the change sets that can change a fact, as the compiler sees them."""
    return {name: _change(change_set) for name, change_set in change_sets.items() if change_set.changes}


def _build(compiled: CompiledFact, warehouse: Warehouse) -> tuple[int, int]:
    log.info(
        "%s is built in full: it has no table yet, or its SELECT, with the current time in it, is not known to be what"
        " has filled it",
        compiled.fact.name,
    )
    return build(compiled, warehouse)


def _change(change_set: ChangeSet) -> SourceChange:
    came_or_went = change_set.inserts + change_set.deletes
    return SourceChange(change_set.relation, None if came_or_went else frozenset(change_set.changed_columns))


def columns_to_set(
    project: Project, fact: Fact, changes: Mapping[str, SourceChange], *, every: bool
) -> tuple[Column, ...]:
    """Return the fact's columns that the changes can reach; none where no changed column is read."""
    feeds = compile_fact(project, fact.name).lineage.feeds
    names: set[str] = set()
    for (relation, column), fed in feeds.items():
        change = next((change for name, change in changes.items() if project.sources[name].relation == relation), None)
        if change and (change.columns is None or column in change.columns):
            names |= set(fact.column_names) if fed == EVERY_COLUMN else set(fed)
    return tuple(column for column in fact.columns if every or column.name in names)


def reach_keys(
    project: Project, tree: JoinTree, warehouse: Warehouse, changes: Mapping[str, SourceChange], *, pending: bool
) -> None:
    """Fill affected_keys."""
    pending_keys = schema.pending(project, tree.fact).relation
    climbs = affected_keys(tree, changes)
    for statement in (*constant_tables(tree), *climbs):
        warehouse.execute(statement)
    if not climbs or climbs[-1].this.name != AFFECTED_KEYS:
        warehouse.execute(render("empty_affected_keys", pending=pending_keys))
    if pending:
        warehouse.execute(render("add_pending_keys", pending=pending_keys))


def count_reached_keys(tree: JoinTree, warehouse: Warehouse, *, part: float = 1) -> tuple[int, bool, bool]:
    """Return how many keys are affected, whether NULL is one, and whether they are so many that slices are no gain.

    So many are a part of the share from which on whole tables are read.

    How many keys there are is known from the first rows of the fact, and of what its anchor is read from: so many rows
    that counting them costs in proportion to the affected keys.
    """
    rows, known_before = FIRST_ROWS, 0
    while True:
        affected, null_keys, *shown = warehouse.row(key_counts(tree, rows))
        seen, known = shown[::2], max(shown[1::2])
        if not affected or affected < MOST * part * known:
            return int(affected), bool(null_keys), False
        # Where more rows have shown no other key, groups are so large that reading all of them is near.
        if max(seen) < rows or known == known_before:
            instead = "whole tables are read" if part == 1 else "groups are recomputed"
            log.info("%s: %d keys of about %d are affected, so that %s", tree.fact.name, affected, known, instead)
            return int(affected), bool(null_keys), True
        rows, known_before = 4 * max(rows, int(affected / (MOST * part))), known


def recompute_keys(
    project: Project,
    tree: JoinTree,
    warehouse: Warehouse,
    changes: Mapping[str, SourceChange],
    columns: tuple[Column, ...],
    *,
    null_key: bool,
    whole: bool,
) -> None:
    """Fill recomputed with the fact's rows of the affected keys as they will be: from `whole` tables, or slices."""
    names = [column.name for column in columns]
    if whole:
        _recompute_whole(project, tree.fact, warehouse, changes, whole_query(tree, names, null_key=null_key))
        return
    query = sliced_query(tree, names, changes, null_key=null_key)
    for statement in slices(tree, changes, query, null_key=null_key):
        warehouse.execute(statement)
    _recompute(tree.fact, warehouse, query)


def recompute_groups(
    project: Project,
    compiled: CompiledFact,
    groups: Groups,
    warehouse: Warehouse,
    changes: Mapping[str, SourceChange],
    *,
    pending: bool,
) -> tuple[int, bool, bool]:
    """Fill recomputed with the fact's rows of the affected keys as they will be, and keep its groups so.

    What the affected rows contribute is added and taken off. Where that is no gain the groups are recomputed from all
    their rows; and where keys are pending, whose groups have more, or less, than the baseline says.

    Returns:
        How many of the fact's keys are affected, whether NULL is one, and whether whole tables were read.
    """
    found = None if pending else contribute_groups(project, groups, warehouse, changes)
    affected, null_key, whole = (*found, False) if found else (0, False, True)
    if found is None:
        reach_keys(project, groups.table, warehouse, changes, pending=pending)
        affected, null_key, whole = count_reached_keys(groups.table, warehouse)
        if affected:
            columns = groups.table.fact.columns
            recompute_keys(project, groups.table, warehouse, changes, columns, null_key=null_key, whole=whole)
    if affected:
        keep_groups(groups, compiled.fact, warehouse, null_key=null_key)
    return affected, null_key, whole


def contribute_groups(
    project: Project, groups: Groups, warehouse: Warehouse, changes: Mapping[str, SourceChange]
) -> tuple[int, bool] | None:
    """Fill recomputed with the groups of the affected keys as they will be, by what changed rows contribute.

    Returns:
        How many of the fact's keys are affected, and whether NULL is one; None where so many rows are that the groups
        are better recomputed.
    """
    name = groups.table.fact.name
    reach_keys(project, groups.rows, warehouse, changes, pending=False)
    reached, _, are_many = count_reached_keys(groups.rows, warehouse, part=CONTRIBUTING)
    if reached and not are_many:
        log.info("%s: what the rows of %d keys contribute to its groups is taken off and added", name, reached)
        contribute(groups, warehouse, changes)
    forget_climb(groups.rows, warehouse, changes)
    if are_many:
        return None
    if not reached:
        return 0, False
    warehouse.execute(render("affected_groups"))
    affected, null_key = count_affected_keys(warehouse)
    if affected:
        add_contributions(groups, warehouse, null_key=null_key)
    return affected, null_key


def forget_climb(tree: JoinTree, warehouse: Warehouse, changes: Mapping[str, SourceChange]) -> None:
    """Drop what `reach_keys` has made."""
    climbed = [climb.this.name for climb in affected_keys(tree, changes)]
    warehouse.execute(render("drop_tables", relations=[*dict.fromkeys([*climbed, AFFECTED_KEYS])]))


def recompute_all(
    project: Project, compiled: CompiledFact, warehouse: Warehouse, changes: Mapping[str, SourceChange]
) -> tuple[int, bool]:
    """Fill recomputed with the whole fact as it will be and affected_keys with all its keys; return the same."""
    _recompute_whole(project, compiled.fact, warehouse, changes, compiled.query)
    warehouse.execute(render("every_key", fact=compiled.fact))
    return count_affected_keys(warehouse)


def recompute_if_reached(
    project: Project,
    compiled: CompiledFact,
    warehouse: Warehouse,
    changes: Mapping[str, SourceChange],
    *,
    pending: bool,
) -> tuple[int, bool]:
    """Recompute a fact that is one row for all, unless no changed row counts in it; return as `recompute_all` does."""
    climbs = affected_keys(compiled.tree, changes) if compiled.tree else []
    for statement in (*constant_tables(compiled.tree), *climbs) if compiled.tree else ():
        warehouse.execute(statement)
    is_reached = bool(climbs) and warehouse.row(render("count_rows", relations=[COUNTED])) != (0,)
    return recompute_all(project, compiled, warehouse, changes) if is_reached or pending else (0, False)


def keep_first(
    project: Project,
    compiled: CompiledFact,
    limit: Limit,
    warehouse: Warehouse,
    changes: Mapping[str, SourceChange],
    *,
    null_key: bool,
) -> tuple[int, bool, bool]:
    """Leave in recomputed the whole fact as it will be, in affected_keys all its keys; return as `recompute_all` does.

    It is what comes first of the recomputed rows and the fact's others, unless more rows have left than came: then it
    is computed from whole tables, and True returned besides.
    """
    warehouse.execute(place_rows(compiled.fact, limit, null_key=null_key))
    seen, known = warehouse.row(render("count_known_rows"))
    if seen >= limit.rows > known:
        warehouse.execute(render("drop_tables", relations=[AFFECTED_KEYS, RECOMPUTED]))
        return *recompute_all(project, compiled, warehouse, changes), True
    warehouse.execute(render("delete_rows", relation=RECOMPUTED))
    warehouse.execute(render("insert_first_rows", fact=compiled.fact, rows=limit.rows))
    warehouse.execute(render("drop_tables", relations=[AFFECTED_KEYS]))
    warehouse.execute(render("every_key", fact=compiled.fact))
    return *count_affected_keys(warehouse), False


def count_affected_keys(warehouse: Warehouse) -> tuple[int, bool]:
    """Return how many keys are affected, and whether NULL is one."""
    affected, null_keys = warehouse.row(render("count_affected_keys"))
    return int(affected), bool(null_keys)


def _keep_pending(project: Project, fact: Fact, warehouse: Warehouse, run: Run, *, pending: bool) -> None:
    """Keep the affected keys until this run's sync, those of earlier runs, which are among them, in its name too."""
    relation = schema.pending(project, fact).relation
    if pending:
        warehouse.execute(render("delete_rows", relation=relation))
    warehouse.execute(render("keep_pending_keys", pending=relation), (run.token,))


def _recompute_whole(
    project: Project, fact: Fact, warehouse: Warehouse, changes: Mapping[str, SourceChange], query: exp.Select
) -> None:
    """Fill recomputed with what a query on the baselines gives on these as they will be.

    Of the changed sources the largest is read as a part of the query, others from copies: by these the warehouse plans
    with true sizes and values.
    """
    once, copied = read_once(query, project.tables, changes)
    if len(once) > 1:
        relations = [project.sources[name].relation for name in once]
        sizes = dict(zip(once, warehouse.row(render("count_rows", relations=relations)), strict=True))
        copied += sorted(once, key=lambda name: sizes[name])[:-1]
    for statement in copies(query, project.tables, changes, copied):
        warehouse.execute(statement)
    _recompute(fact, warehouse, overlaid_query(query, project.tables, changes, copied))
    if copied:
        warehouse.execute(render("drop_tables", relations=[copy_of(name) for name in copied]))


def _recompute(fact: Fact, warehouse: Warehouse, query: exp.Query) -> None:
    warehouse.execute(render("table_like", table=RECOMPUTED, relation=fact.relation))
    warehouse.execute(insert_into(RECOMPUTED, fact, query))


def _check_rows(compiled: CompiledFact, warehouse: Warehouse, *, null_key: bool) -> None:
    """Refuse recomputed rows without a row key of their own."""
    fact = compiled.fact
    check_row_keys(fact, warehouse, RECOMPUTED)
    if compiled.tree and fact.anchor not in fact.unique_key:
        refuse_row_keys(fact, warehouse.rows(render("find_taken_row_keys", fact=fact, null_key=null_key)))

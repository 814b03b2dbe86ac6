"""The sync: moves all baselines to the run's change sets, and writes down what the run did, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from surgical_cdc import definitions, lease, ledger, schema
from surgical_cdc.cleanup import end
from surgical_cdc.dictionary import load_dictionary
from surgical_cdc.errors import OutdatedFact
from surgical_cdc.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract import Source
    from surgical_cdc.project import Project
    from surgical_cdc.values import ChangeSet, FactResult, Run
    from surgical_cdc.warehouse import Warehouse


def sync(
    project: Project,
    warehouse: Warehouse,
    run: Run,
    change_sets: Mapping[str, ChangeSet],
    fact_results: Mapping[str, FactResult],
) -> dict[str, int]:
    """Bring the baselines up to date with the run, once all its facts are.

    Returns:
        Per source the rows that are new in its quarantine, where there are any.

    Raises:
        AlreadySynced, LeaseError: the run may not go on; see `lease.hold`.
        OutdatedFact: a fact has not seen a change set; its later rows would never reach it.
    """
    started = time.perf_counter()
    quarantined: dict[str, int] = {}
    with warehouse.transaction(dry_run=run.dry_run):
        lease.hold(project, warehouse, run, lease.baselines(run, change_sets.values()))
        _refuse_outdated_facts(project, run, change_sets, fact_results)
        lease.move_baseline(project, warehouse, run.key, run.token)
        for change_set in change_sets.values():
            source = project.source(change_set.source)
            _sync_baseline(source, change_set, warehouse)
            _sync_tombstones(project, source, change_set, warehouse)
            if change_set.quarantined:
                quarantined[source.name] = _keep_quarantine(project, source, change_set, warehouse, run)
        for result in fact_results.values():
            if result.affected:
                pending = schema.pending(project, project.fact(result.fact)).relation
                warehouse.execute(render("forget_pending_keys", pending=pending), (run.token,))
        definitions.record(project, warehouse, fact_results.values())
        ledger.record_success(
            project,
            warehouse,
            run,
            change_sets=change_sets,
            fact_results=fact_results,
            seconds_sync=time.perf_counter() - started,
        )
        # Whoever comes to the sync ends the run: a cleared task has no cleanup behind it.
        end(project, warehouse, run, keep_scratch=False)
        new = warehouse.unconfirmed = {name: rows for name, rows in quarantined.items() if rows}
    return new


def _refuse_outdated_facts(
    project: Project, run: Run, change_sets: Mapping[str, ChangeSet], fact_results: Mapping[str, FactResult]
) -> None:
    dictionary = load_dictionary(project.dictionary_path)
    outdated = []
    for fact in project.facts:
        feeding = dictionary.feeding(fact)
        detected = {change_set.relation for name, change_set in change_sets.items() if name in feeding}
        if fact not in fact_results or detected != set(fact_results[fact].change_sets):
            outdated.append(fact)
    if outdated:
        tasks = ", ".join(f"update.{fact}" for fact in outdated)
        raise OutdatedFact(
            f"Run {run.key} can not be synced: {', '.join(outdated)} would miss changes for good. A source that feeds"
            f" them was detected again after their update, or that was passed over. Clear {tasks} and sync_public."
        )


def _sync_baseline(source: Source, change_set: ChangeSet, warehouse: Warehouse) -> None:
    if change_set.updates or change_set.deletes:
        warehouse.execute(render("sync_delete", source=source, relation=change_set.relation))
    if change_set.inserts or change_set.updates:
        warehouse.execute(render("sync_insert", source=source, relation=change_set.relation))
    if change_set.touched:
        warehouse.execute(render("sync_touch", source=source, relation=change_set.relation))


def _sync_tombstones(project: Project, source: Source, change_set: ChangeSet, warehouse: Warehouse) -> None:
    names = {"control": project.control_schema, "source": source, "relation": change_set.relation}
    buried = change_set.deletes + change_set.unknown_deletes
    if source.keeps_tombstones and (buried or change_set.inserts):
        warehouse.execute(render("forget_tombstones", **names), (source.name,))
    if source.keeps_tombstones and buried:
        warehouse.execute(render("keep_tombstones", **names), (source.name,))


def _keep_quarantine(project: Project, source: Source, change_set: ChangeSet, warehouse: Warehouse, run: Run) -> int:
    quarantine = schema.quarantine(project, source).relation
    statement = render("keep_quarantine", source=source, relation=change_set.relation, quarantine=quarantine)
    return warehouse.execute(statement, (run.key,))

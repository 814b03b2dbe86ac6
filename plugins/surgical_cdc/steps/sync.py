"""The sync: moves all baselines to the run's change sets, and writes down what the run did, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from surgical_cdc.control import built_by, history, lease, ledger
from surgical_cdc.dictionary import load_dictionary
from surgical_cdc.errors import OutdatedFact, SyncedInPart
from surgical_cdc.steps.cleanup import end
from surgical_cdc.steps.summary import summarise
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Source
    from surgical_cdc.dictionary import Dictionary
    from surgical_cdc.values import ChangeSet, FactResult, Preparation, Run, RunSummary
    from surgical_cdc.warehouse.session import Warehouse


@dataclass(frozen=True)
class Synced:
    """What a sync has done.

    `quarantined` are the rows that are new in quarantine, by source, where there are any; `summary` is of the whole
    run. `failed` are facts that the
    run has not brought up to date, and `waiting` the sources that were not synced, because such a fact reads them or
    because they were not detected: what is staged there waits for a later run.
    """

    quarantined: Mapping[str, int]
    summary: RunSummary
    failed: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()

    def require_all(self, run: Run) -> None:
        """Raise SyncedInPart unless every source was synced: the run has failed then."""
        if self.failed or self.waiting:
            raise SyncedInPart(
                f"Run {run.key} is synced in part. Not brought up to date: {', '.join(self.failed) or 'no fact'}. Not"
                f" synced: {', '.join(self.waiting) or 'no source'}; what is staged there waits for the next run, which"
                " tries again. Mend what has failed; nothing has to be cleared."
            )


def sync(  # noqa: PLR0917 - the order of all steps: project, where, run, what the run knows
    project: Project,
    warehouse: Warehouse,
    run: Run,
    preparation: Preparation,
    change_sets: Mapping[str, ChangeSet],
    fact_results: Mapping[str, FactResult],
) -> Synced:
    """Bring the baselines up to date with the run.

    A source is synced when every fact that reads it has been brought up to date. One that has failed, so that it has no
    result, keeps its sources back, and no others; the caller says that the run has failed (`Synced.require_all`).

    Raises:
        AlreadySynced, LeaseError: the run may not go on; see `lease.hold`.
        OutdatedFact: a fact has not seen a change set, so that its rows would never reach it; or facts have failed, and
            what changed is read by them alone.
    """
    started = time.perf_counter()
    dictionary = load_dictionary(project.dictionary_path)
    failed = tuple(fact for fact in project.facts if fact not in fact_results)
    kept_back = {source for fact in failed for source in dictionary.feeding(fact)}
    ready = [change_set for name, change_set in change_sets.items() if name not in kept_back]
    undetected = {name for name in dictionary.sources if run.covers(name) and name not in change_sets}
    waiting = tuple(name for name in dictionary.sources if name in undetected | (kept_back & change_sets.keys()))
    quarantined: dict[str, int] = {}
    kept: dict[str, int] = {}
    with warehouse.transaction(dry_run=run.dry_run):
        lease.hold(project, warehouse, run, lease.baselines(run, change_sets.values()))
        _refuse_outdated_facts(run, dictionary, change_sets, fact_results)
        if failed or waiting:
            _refuse_to_sync_nothing(run, ready, failed, waiting)
        lease.move_baseline(project, warehouse, run.key, lease.in_part(run) if failed or waiting else run.token)
        for change_set in ready:
            source = project.source(change_set.source)
            kept[source.name] = history.keep(project, source, change_set, warehouse, run)
            sync_baseline(source, change_set, warehouse)
            _sync_tombstones(
                project, source, change_set, warehouse, is_undo=bool(run.undoes), voided=preparation.voided
            )
            if change_set.quarantined:
                quarantined[source.name] = _keep_quarantine(project, source, change_set, warehouse, run)
        for result in fact_results.values():
            # One that has seen what is kept back stays ahead of the baseline there.
            if result.affected and kept_back.isdisjoint(dictionary.feeding(result.fact)):
                pending = schema.pending(project, project.fact(result.fact)).relation
                warehouse.execute(render("forget_pending_keys", pending=pending), (run.token,))
        built_by.record(project, warehouse, fact_results.values())
        summary = summarise(
            run,
            preparation,
            change_sets,
            fact_results,
            failed=failed,
            waiting=waiting,
            history_rows=kept,
            seconds_sync=time.perf_counter() - started,
        )
        ledger.record(project, warehouse, summary)
        # Whoever comes to the sync ends the run: a cleared task has no cleanup behind it.
        end(project, warehouse, run, keep_scratch=False)
        new = {name: rows for name, rows in quarantined.items() if rows}
        done = warehouse.unconfirmed = Synced(new, summary, failed, waiting)
    return done


def _refuse_outdated_facts(
    run: Run, dictionary: Dictionary, change_sets: Mapping[str, ChangeSet], fact_results: Mapping[str, FactResult]
) -> None:
    outdated = []
    for fact, result in fact_results.items():
        feeding = dictionary.feeding(fact)
        detected = {change_set.relation for name, change_set in change_sets.items() if name in feeding}
        if detected != set(result.change_sets):
            outdated.append(fact)
    if outdated:
        tasks = ", ".join(f"update.{fact}" for fact in outdated)
        raise OutdatedFact(
            f"Run {run.key} can not be synced: {', '.join(outdated)} would miss changes for good. A source that feeds"
            f" them was detected again after their update, or that was passed over. Clear {tasks} and sync_public."
        )


def _refuse_to_sync_nothing(
    run: Run, ready: Iterable[ChangeSet], failed: Iterable[str], waiting: Iterable[str]
) -> None:
    """Leave the run as it is where no other source has changed, so that it can go on once what failed is mended."""
    if any(change_set.rewrites or change_set.unknown_deletes or change_set.quarantined for change_set in ready):
        return
    raise OutdatedFact(
        f"Run {run.key} is not synced. Not brought up to date: {', '.join(failed) or 'no fact'}. What has changed is"
        f" read by these, or was not detected: {', '.join(waiting) or 'nothing'}. Mend what has failed, then"
        " clear the failed tasks with sync_public, or leave it to the next run."
    )


def sync_baseline(source: Source, change_set: ChangeSet, warehouse: Warehouse) -> None:
    """Move a source's baseline to a change set inside the caller's transaction."""
    if change_set.updates or change_set.deletes:
        warehouse.execute(render("sync_delete", source=source, relation=change_set.relation))
    if change_set.inserts or change_set.updates:
        warehouse.execute(render("sync_insert", source=source, relation=change_set.relation))
    if change_set.touched:
        warehouse.execute(render("sync_touch", source=source, relation=change_set.relation))


def _sync_tombstones(
    project: Project,
    source: Source,
    change_set: ChangeSet,
    warehouse: Warehouse,
    *,
    is_undo: bool,
    voided: Collection[str],
) -> None:
    """Remember deletions, or what is void from an undo on; forget of the keys what was remembered before."""
    names = {"control": project.control_schema, "source": source, "relation": change_set.relation}
    buried = change_set.deletes + change_set.unknown_deletes
    if (is_undo or source.name in voided) and change_set.rewrites + buried:
        forgetting = render("forget_tombstones", changes=("I", "U", "T", "D", "N"), **names)
        warehouse.execute(forgetting, (source.name,))
    elif source.keeps_tombstones and (buried or change_set.inserts):
        warehouse.execute(render("forget_tombstones", changes=("I", "D", "N"), **names), (source.name,))
    if is_undo and change_set.rewrites:
        warehouse.execute(render("keep_voids", **names), (source.name,))
    elif source.keeps_tombstones and buried:
        warehouse.execute(render("keep_tombstones", **names), (source.name,))


def _keep_quarantine(project: Project, source: Source, change_set: ChangeSet, warehouse: Warehouse, run: Run) -> int:
    quarantine = schema.quarantine(project, source).relation
    statement = render("keep_quarantine", source=source, relation=change_set.relation, quarantine=quarantine)
    return warehouse.execute(statement, (run.key,))

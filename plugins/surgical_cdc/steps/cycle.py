"""A whole cycle without a scheduler: the steps of the DAG in its order, some of them side by side."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from surgical_cdc.control import lease
from surgical_cdc.dictionary import load_dictionary
from surgical_cdc.errors import AlreadySynced, LeaseError, OutdatedFact
from surgical_cdc.steps.cleanup import cleanup
from surgical_cdc.steps.containment import update_or_explain
from surgical_cdc.steps.detect import detect
from surgical_cdc.steps.narrow import only_column
from surgical_cdc.steps.prepare import prepare
from surgical_cdc.steps.quiet import nothing_to_do, summary_of_nothing
from surgical_cdc.steps.relevance import unaffected
from surgical_cdc.steps.share import require_equal, verify_share
from surgical_cdc.steps.sync import Synced, sync
from surgical_cdc.values import FactResult
from surgical_cdc.warehouse.advice import refusal
from surgical_cdc.warehouse.retries import BACKOFF, Backoff, Connect, Steps, run_step

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.dictionary import Dictionary
    from surgical_cdc.values import ChangeSet, Preparation, Run, RunSummary

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CycleResult:
    """What a cycle did, by source and by fact; `quarantined` are rows new in quarantine, `seconds` is its wall time.

    `summary` is None in a dry run, and where another attempt had synced the run before.
    """

    run: Run
    preparation: Preparation
    change_sets: Mapping[str, ChangeSet]
    fact_results: Mapping[str, FactResult]
    quarantined: Mapping[str, int]
    summary: RunSummary | None
    seconds: float


def run_cycle(
    project: Project,
    connect: Connect,
    run: Run,
    *,
    facts: Collection[str] | None = None,
    column: str = "",
    threads: int = 1,
    progress: Callable[[str], None] = log.info,
    backoff: Backoff = BACKOFF,
) -> CycleResult:
    """Run one cycle; `progress` is called with a line about each step, `backoff` says how a failed one is repeated.

    So many detections, and then updates, as there are `threads` run side by side.

    A dry run can look at some `facts` alone, and over one source at what one `column` of it would change.

    A detection or update that fails keeps back the sources that its facts read, and no others; then the run is cleaned
    up as failed, and the first error goes on to the caller. A run that was synced before does nothing and says so.

    Raises:
        LeaseError: another run holds the warehouse.
        DataError: what the run has verified of a fact, after its sync, differs.
    """
    started = time.perf_counter()
    dictionary = load_dictionary(project.dictionary_path)
    once = partial(run_step, connect, backoff=backoff)
    side_by_side = partial(_side_by_side, threads, partial(Steps, connect, backoff=backoff))
    preparation = once("prepare", partial(prepare, project, run=run))
    if preparation is None:
        holder = once("prepare", partial(lease.holder, project))
        raise LeaseError(
            f"Run {run.key} can not begin: {holder or 'another run has just ended'}. Try again when it has finished; a"
            f" run that died holds the warehouse for {lease.LEASE} at most."
        )
    change_sets = _quiet(run, preparation, progress)
    if preparation.ended:
        progress(f"nothing new is staged before {run.window_end} UTC: the run ends here")
        results = nothing_to_do(project, dictionary, run, preparation) or {}
        done = summary_of_nothing(run, preparation, results)
        return CycleResult(run, preparation, change_sets, results, {}, done, time.perf_counter() - started)
    fact_results: dict[str, FactResult] = {}
    errors: list[Exception] = []
    synced: Synced | None = None
    failure: str | None = None

    def failed(step: str, error: Exception) -> None:
        errors.append(error)
        progress(f"{step}: failed. {refusal(error)}")

    with lease.beating(project, connect, run):
        try:
            detecting = partial(_detect, project, run, preparation, column)
            undetected = [name for name in dictionary.sources if run.covers(name) and name not in change_sets]
            for name, detected in side_by_side(undetected, partial(_contained, detecting)):
                if isinstance(detected, Exception):
                    failed(f"detect.{name}", detected)
                    continue
                change_sets[name] = detected
                progress(_detected(detected))
                if column:
                    progress(f"explain.{name}: {detected.changes} of these rows by {column}")
            # As in the DAG, a fact is left alone if a source that feeds it could not be detected.
            detectable = [
                name
                for name in (dictionary.facts if facts is None else facts)
                if all(source in change_sets or not run.covers(source) for source in dictionary.feeding(name))
            ]
            updating = partial(_update, project, run, preparation, dictionary, change_sets)
            for name, updated in side_by_side(detectable, partial(_contained, updating)):
                if isinstance(updated, Exception):
                    failed(f"update.{name}", updated)
                    continue
                fact_results[name] = updated
                progress(_updated(updated))
            if not run.dry_run:
                syncing = partial(
                    sync,
                    project,
                    run=run,
                    preparation=preparation,
                    change_sets=change_sets,
                    fact_results=fact_results,
                )
                synced = _sync(partial(once, "sync", syncing), errors, progress)
                rewrites = sum(found.rewrites for name, found in change_sets.items() if name not in synced.waiting)
                progress(f"synced {rewrites} rows of the baselines")
            _raise_first(errors)
            _verify(project, once, progress, is_synced=synced is not None)
        except AlreadySynced as done:
            progress(str(done))
        except BaseException as error:
            failure = refusal(error)
            raise
        finally:
            once("cleanup", partial(cleanup, project, run=run, failure=failure))
    quarantined, summary = (synced.quarantined, synced.summary) if synced else ({}, None)
    seconds = time.perf_counter() - started
    return CycleResult(run, preparation, change_sets, fact_results, quarantined, summary, seconds)


def _quiet(run: Run, preparation: Preparation, progress: Callable[[str], None]) -> dict[str, ChangeSet]:
    """Return the change sets of the sources in which there is nothing to detect, and say so."""
    change_sets = preparation.quiet_change_sets(run)
    for change_set in change_sets.values():
        progress(_detected(change_set))
    return change_sets


def _side_by_side(
    threads: int, open_steps: Callable[[], Steps], names: Iterable[str], work: Callable[[str, Steps], T]
) -> Iterator[tuple[str, T]]:
    """Yield what `work` gives for each name, in their order; each thread has a session.

    After an error what has begun is ended and nothing else begun, after Ctrl-C in the middle of its statements.
    """
    own = threading.local()
    with ExitStack() as opened, ThreadPoolExecutor(threads) as pool:
        sessions: list[Steps] = []

        def working(name: str) -> T:
            if not hasattr(own, "steps"):
                own.steps = opened.enter_context(open_steps())
                sessions.append(own.steps)
            return work(name, own.steps)

        begun = [(name, pool.submit(working, name)) for name in names]
        try:
            for name, future in begun:
                yield name, future.result()
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            if not isinstance(error, Exception):
                for steps in sessions:
                    steps.abort()
            raise


def _contained(work: Callable[[str, Steps], T], name: str, steps: Steps) -> T | Exception:
    """Return an error in place of what a step gives: the others go on, unless the run as a whole may not."""
    try:
        return work(name, steps)
    except (AlreadySynced, LeaseError):
        raise
    except Exception as error:  # noqa: BLE001 - it is raised when the others are done
        return error


def _verify(project: Project, once: Callable[..., Any], progress: Callable[[str], None], *, is_synced: bool) -> None:
    """Verify a share of a fact's keys, if one has its turn, and say so."""
    share = once("verify", partial(verify_share, project)) if is_synced else None
    if share:
        progress(require_equal(project, share))


def _raise_first(errors: Sequence[Exception]) -> None:
    if errors:
        raise errors[0]


def _sync(step: Callable[[], Synced], errors: Sequence[Exception], progress: Callable[[str], None]) -> Synced:
    """Sync what can be; where nothing can, because steps have failed, it is their error that counts."""
    try:
        return step()
    except OutdatedFact as error:
        if not errors:
            raise
        progress(str(error))
        raise errors[0] from error


def _detect(  # noqa: PLR0917 - the order of all steps: project, where, what the run knows
    project: Project, run: Run, preparation: Preparation, column: str, name: str, steps: Steps
) -> ChangeSet:
    """Detect the changes of one source, or those of one column of it."""
    change_set = steps.run(f"detect.{name}", partial(detect, project, name, run=run, preparation=preparation))
    if column:
        change_set = steps.run(f"explain.{name}", partial(only_column, project, change_set, column=column))
    return change_set


def _update(  # noqa: PLR0917
    project: Project,
    run: Run,
    preparation: Preparation,
    dictionary: Dictionary,
    change_sets: Mapping[str, ChangeSet],
    name: str,
    steps: Steps,
) -> FactResult:
    """Update one fact in a session of its own, or say why there is nothing to do."""
    feeding = {source: change_sets[source] for source in dictionary.feeding(name) if source in change_sets}
    skipped = unaffected(dictionary, name, feeding, preparation)
    if skipped:
        return skipped
    result = update_or_explain(project, name, steps, run, preparation, feeding)
    # Its temporary tables go with the session.
    steps.close()
    return result


def _detected(change_set: ChangeSet) -> str:
    counts = {
        "inserted": change_set.inserts,
        "updated": change_set.updates,
        "deleted": change_set.deletes,
        "touched": change_set.touched,
        "stale": change_set.stale,
        "quarantined": change_set.quarantined,
        f"waiting (as far as {change_set.farthest_cursor})": change_set.waiting,
    }
    found = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "no change"
    columns = ", ".join(f"{name} {count}" for name, count in change_set.changed_columns.items())
    usually = f", FAR MORE than the {change_set.usual} that usually change," if change_set.usual else ""
    return (
        f"detect.{change_set.source}: {change_set.rows_compared} rows compared, {found}"
        f"{f' ({columns})' if columns else ''}{usually} in {change_set.seconds:.2f} s"
    )


def _updated(result: FactResult) -> str:
    if result.reason:
        return f"update.{result.fact}: {result.reason}"
    built = "built in full, " if result.built else ""
    rows = f"{result.inserted} inserted, {result.updated} updated, {result.deleted} deleted"
    whole = ", from whole tables" if result.whole_tables else ""
    return f"update.{result.fact}: {built}{result.affected} keys affected{whole}, rows {rows} in {result.seconds:.2f} s"

"""A whole cycle without a scheduler: the steps of the DAG in its order, on as many threads as the target has."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from surgical_cdc import lease
from surgical_cdc.cleanup import cleanup
from surgical_cdc.detect import detect
from surgical_cdc.dictionary import load_dictionary, nothing_to_do
from surgical_cdc.errors import AlreadySynced, LeaseError
from surgical_cdc.explain import only_column
from surgical_cdc.prepare import prepare
from surgical_cdc.refusals import refusal
from surgical_cdc.retries import BACKOFF, Backoff, Connect, Steps, run_step
from surgical_cdc.sync import sync
from surgical_cdc.update import relations, settle, update
from surgical_cdc.values import FactResult

if TYPE_CHECKING:
    from surgical_cdc.dictionary import Dictionary
    from surgical_cdc.project import Project
    from surgical_cdc.values import ChangeSet, Preparation, Run

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CycleResult:
    """What a cycle did, by source and by fact; `quarantined` are rows new in quarantine, `seconds` is its wall time."""

    run: Run
    preparation: Preparation
    change_sets: Mapping[str, ChangeSet]
    fact_results: Mapping[str, FactResult]
    quarantined: Mapping[str, int]
    seconds: float


def run_cycle(
    project: Project,
    connect: Connect,
    run: Run,
    *,
    facts: Collection[str] | None = None,
    column: str = "",
    progress: Callable[[str], None] = log.info,
    backoff: Backoff = BACKOFF,
) -> CycleResult:
    """Run one cycle; `progress` is called with a line about each step, `backoff` says how a failed one is repeated.

    A dry run can look at some `facts` alone, and over one source at what one `column` of it would change.

    After an error in any step the run is cleaned up as failed, and the error goes on to the caller. A run that was
    synced before does nothing and says so.

    Raises:
        LeaseError: another run holds the warehouse.
    """
    started = time.perf_counter()
    dictionary = load_dictionary(project.dictionary_path)
    once = partial(run_step, connect, backoff=backoff)
    side_by_side = partial(_side_by_side, project.threads, partial(Steps, connect, backoff=backoff))
    preparation = once("prepare", partial(prepare, project, run=run))
    if preparation is None:
        holder = once("prepare", partial(lease.holder, project))
        raise LeaseError(
            f"Run {run.key} can not begin: {holder or 'another run has just ended'}. Try again when it has finished; a"
            f" run that died holds the warehouse for {lease.LEASE} at most."
        )
    change_sets: dict[str, ChangeSet] = {}
    fact_results: dict[str, FactResult] = {}
    quarantined: dict[str, int] = {}
    failure: str | None = None
    with lease.beating(project, connect, run):
        try:
            detecting = partial(_detect, project, run, preparation, column)
            for name, change_set in side_by_side(filter(run.covers, dictionary.sources), detecting):
                change_sets[name] = change_set
                progress(_detected(change_set))
                if column:
                    progress(f"explain.{name}: {change_set.changes} of these rows by {column}")
            updating = partial(_update, project, run, preparation, dictionary, change_sets)
            for name, result in side_by_side(dictionary.facts if facts is None else facts, updating):
                fact_results[name] = result
                progress(_updated(result))
            if not run.dry_run:
                syncing = partial(sync, project, run=run, change_sets=change_sets, fact_results=fact_results)
                quarantined = once("sync", syncing)
                rewrites = sum(change_set.rewrites for change_set in change_sets.values())
                progress(f"synced {rewrites} rows of the baselines")
        except AlreadySynced as done:
            progress(str(done))
        except BaseException as error:
            failure = refusal(error)
            raise
        finally:
            once("cleanup", partial(cleanup, project, run=run, failure=failure))
    return CycleResult(run, preparation, change_sets, fact_results, quarantined, time.perf_counter() - started)


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
    reason = nothing_to_do(dictionary, name, feeding, preparation)
    if reason:
        return FactResult(fact=name, reason=reason, change_sets=relations(feeding))
    step = partial(update, project, name, run=run, preparation=preparation, change_sets=feeding)
    result = steps.run(f"update.{name}", step, settle=settle)
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
    return (
        f"detect.{change_set.source}: {change_set.rows_compared} rows compared, {found}"
        f"{f' ({columns})' if columns else ''} in {change_set.seconds:.2f} s"
    )


def _updated(result: FactResult) -> str:
    if result.reason:
        return f"update.{result.fact}: {result.reason}"
    built = "built in full, " if result.built else ""
    rows = f"{result.inserted} inserted, {result.updated} updated, {result.deleted} deleted"
    return f"update.{result.fact}: {built}{result.affected} keys affected, rows {rows} in {result.seconds:.2f} s"

"""The tasks of a cycle as Airflow operators: each opens a session, calls one function of the engine, hands on a value.

A DAG file imports this module at each parse, so the engine, the driver and sqlglot are imported when a task runs.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator, BaseSensorOperator, PokeReturnValue
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSkipException,
    AirflowTaskTimeout,
    DownstreamTasksSkipped,
)

from surgical_cdc.dag import alerts, metrics
from surgical_cdc.dag.form import UNDOES_FIELD, FormError, check_fields, require_chosen, run_of
from surgical_cdc.dag.handover import (
    ERROR_KEY,
    PREPARE,
    REFUSED_KEY,
    SUMMARY_KEY,
    SYNC,
    UPDATE,
    change_sets_of,
    failures_of,
    found_preparation,
    handed_on,
    is_test,
    preparation_of,
)
from surgical_cdc.dictionary import dictionary_path, load_dictionary
from surgical_cdc.errors import AlreadySynced, DataError, LeaseError, OutdatedFact, RequestError, SyncedInPart
from surgical_cdc.steps.summary import summarise, told
from surgical_cdc.values import FAILED, UNDO, FactResult, RunSummary, new_token
from surgical_cdc.warehouse.retries import Steps, is_transient

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context

    from surgical_cdc.contract.project import Project
    from surgical_cdc.dictionary import Dictionary
    from surgical_cdc.values import Preparation, Run

log = logging.getLogger(__name__)
NOTHING_TO_DO = "Nothing is staged that the baselines do not show: the run has ended with `prepare`."


class WarehouseTask(BaseOperator):
    """What the tasks share: steps of the engine, their SQL in the Rendered Template tab, a failure that says why.

    A task retries what may go away by itself, and has not while it repeated its step (warehouse/retries.py); a lease
    that another run holds is waited for in this way alone, without a worker. It does not retry anything else. Airflow's
    retry policies would say so too, and Airflow 3.2 has none.

    Args:
        project: folder of the dbt project.
        conn_id: Airflow connection of the warehouse, type `redshift`.
    """

    template_fields_renderers = {"sql": "sql"}  # noqa: RUF012 - Airflow's own declaration
    overwrite_rtif_after_execution = True

    def __init__(self, *, project: Path, conn_id: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.project = project
        self.conn_id = conn_id
        self.sql = ""
        self._steps: Steps | None = None

    def execute(self, context: Context) -> Any:
        """Return what `work` returns; leave the error for the ledger and the alert if there is one.

        Raises:
            AirflowSkipException: the run has been synced by another attempt, and there is nothing to do.
            AirflowFailException: a retry would fail the same way.
        """
        try:
            return self.work(context)
        except (AirflowSkipException, AirflowRescheduleException, DownstreamTasksSkipped):
            raise
        except (Exception, AirflowTaskTimeout) as error:
            if isinstance(error, AlreadySynced) and not isinstance(error, SyncedInPart):
                raise AirflowSkipException(str(error)) from error
            from surgical_cdc.warehouse.advice import refusal

            said = refusal(error)
            context["ti"].xcom_push(ERROR_KEY, said)
            if isinstance(error, RequestError):
                context["ti"].xcom_push(REFUSED_KEY, value=True)
            if isinstance(error, LeaseError) or is_transient(error):
                raise
            raise AirflowFailException(said) from error

    def work(self, context: Context) -> Any:
        """Do what the task is for, and return what it hands on."""
        raise NotImplementedError

    def on_kill(self) -> None:
        """Cancel the statement that runs: the warehouse would go on with it, and bill it."""
        if self._steps:
            self._steps.cancel()

    @contextmanager
    def steps(self, context: Context, run: Run | None = None) -> Iterator[tuple[Project, Steps]]:
        """Open the project, and show the statements of the steps that are run.

        While they work, the lease of the run is renewed if one is given.
        """
        from surgical_cdc.control.lease import beating
        from surgical_cdc.warehouse.connection import connect

        project = project_at(self.project)
        session = partial(connect, self.conn_id, label=f"{self.dag_id}/{self.task_id}/{context['run_id']}")
        with Steps(session) as steps, beating(project, session, run) if run else nullcontext():
            self._steps = steps
            try:
                yield project, steps
            finally:
                self._steps = None
                self.sql = "\n\n".join(
                    f"-- {statement.cost}\n{statement.sql.rstrip(';')};" for statement in steps.statements
                )
                # Named only now: before the task there is nothing to show, and showing it is a request.
                self.template_fields = ("sql",)


class PrepareSensor(WarehouseTask, BaseSensorOperator):
    """Checks the contract and takes the lease; waits while another run holds it, without holding a worker.

    A run that has nothing to do ends with it, and then it raises the event that the facts are up to date.
    """

    def work(self, context: Context) -> Any:
        """Ask, again and again, as sensors do."""
        return BaseSensorOperator.execute(self, context)

    def poke(self, context: Context) -> PokeReturnValue:
        """Return done with the Preparation once this run has the lease."""
        from surgical_cdc.steps.prepare import prepare

        with self.steps(context) as (project, steps):
            run = run_of(context, new_token())
            alerts.check_targets()
            if run.undoes:
                log.info("Takes back run %s", run.undoes)
            else:
                log.info("Window: staged before %s UTC, from %s", run.window_end, run.window_start or "the first on")
            preparation = steps.run(PREPARE, partial(prepare, project, run=run, rehearsal=is_test(context)))
            if preparation is None:
                self._wait(context, project, steps, run)
        if preparation is None:
            return PokeReturnValue(is_done=False)
        if preparation.ended:
            from surgical_cdc.steps.quiet import nothing_to_do, summary_of_nothing

            context["ti"].xcom_push("return_value", preparation.to_dict())
            results = nothing_to_do(project, load_dictionary(project.dictionary_path), run, preparation) or {}
            done = summary_of_nothing(run, preparation, results)
            hand_on_summary(context, _with_ages(done, project))
            metrics.send_run(done)
            if run.takes_all:
                metrics.send_ages(self.conn_id, dict.fromkeys(done.facts, run.window_end))
            log.info("%s", NOTHING_TO_DO)
            alerts.recovered(context)
            raise_event(context, self, fresh(run))
            # All of them, so that none of their processes is started.
            raise DownstreamTasksSkipped(  # type: ignore[no-untyped-call]
                tasks=sorted(self.get_flat_relative_ids(upstream=False))
            )
        raise_event(context, self, None)
        return PokeReturnValue(is_done=True, xcom_value=preparation.to_dict())

    @staticmethod
    def _wait(context: Context, project: Project, steps: Steps, run: Run) -> None:
        """Say who keeps the run from beginning; once a whole window has gone by, to those who are alerted too."""
        from surgical_cdc.control import lease, ledger

        held = steps.run(PREPARE, partial(lease.holder, project))
        said = f"Run {run.key} waits: {held or 'another run has just ended'}."
        log.info("%s", said)
        dag_run = context["dag_run"]
        start, end = dag_run.data_interval_start, dag_run.data_interval_end
        if held and start and end and datetime.now(UTC) - end > end - start:
            is_new = steps.run(PREPARE, partial(ledger.record_waiting, project, run=run, reason=said))
            if is_new:
                alerts.waiting(context, said)


class DetectOperator(WarehouseTask):
    """Compares one source with its baseline and hands on the ChangeSet."""

    def __init__(self, *, source: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.source = source

    def work(self, context: Context) -> dict[str, Any]:
        """Return the ChangeSet as a plain dict."""
        from surgical_cdc.steps.detect import detect

        preparation = preparation_of(context)
        run = run_of(context, preparation.token)
        if not run.covers(self.source):
            raise AirflowSkipException(f"{self.source} is not among the sources of the trigger form.")
        if self.source in preparation.quiet:
            found = preparation.quiet[self.source].change_set(self.source, run, preparation.baseline_token)
            context["ti"].xcom_push("return_value", found.to_dict())
            unchanged = f"run {run.undoes} has changed" if run.undoes else "is staged that its baseline does not show"
            raise AirflowSkipException(f"{self.source}: nothing {unchanged}.")
        with self.steps(context, run) as (project, steps):
            step = partial(detect, project, self.source, run=run, preparation=preparation)
            change_set = steps.run(self.task_id, step)
        return change_set.to_dict()


class FactTask(WarehouseTask):
    """A task that writes one fact, and tells OpenLineage which columns it comes from."""

    def __init__(self, *, fact: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.fact = fact

    def get_openlineage_facets_on_complete(self, ti: Any) -> OperatorLineage[Any, Any]:
        """Return the fact and its sources; Airflow's OpenLineage provider asks where a transport is configured."""
        from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook
        from airflow.providers.openlineage.extractors import OperatorLineage

        from surgical_cdc.dag.openlineage import fact_datasets

        if ti.get_template_context()["params"].get("dry_run"):
            return OperatorLineage()
        hook = RedshiftSQLHook(redshift_conn_id=self.conn_id)
        database = hook.get_openlineage_database_info(hook.conn)
        project = project_at(self.project)
        inputs, output = fact_datasets(
            project,
            load_dictionary(project.dictionary_path),
            self.fact,
            namespace=f"{database.scheme}://{database.authority}",
            database=str(database.database),
        )
        return OperatorLineage(inputs=inputs, outputs=[output])


class UpdateOperator(FactTask):
    """Brings one fact up to date from the change sets of the sources that feed it, or skips and says why."""

    def __init__(self, *, dictionary: Path, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.dictionary = dictionary

    def work(self, context: Context) -> dict[str, Any]:
        """Return the FactResult as a plain dict, and raise the event of the fact's asset if the fact has changed."""
        from surgical_cdc.steps.announce import announced
        from surgical_cdc.steps.containment import update_or_explain
        from surgical_cdc.steps.relevance import unaffected

        ti, preparation = context["ti"], preparation_of(context)
        run = run_of(context, preparation.token)
        dictionary = load_dictionary(self.dictionary)
        change_sets = change_sets_of(context, dictionary.feeding(self.fact))
        skipped = unaffected(dictionary, self.fact, change_sets, preparation)
        if skipped:
            ti.xcom_push("return_value", skipped.to_dict())
            raise AirflowSkipException(skipped.reason)
        with self.steps(context, run) as (project, steps):
            result = update_or_explain(project, self.fact, steps, run, preparation, change_sets)
        if run.dry_run:
            log.info("%s", announced(result))
        raise_event(context, self, None if run.dry_run else changed(result))
        return result.to_dict()


class SyncOperator(WarehouseTask):
    """Brings the baselines up to date in one transaction, with the run's ledger lines, but for what failed facts read.

    Then it verifies a share of a fact's keys, if one has its turn.

    It runs whatever became of the other tasks, and fails if one of them has.
    """

    def __init__(self, *, dictionary: Path, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.dictionary = dictionary

    def work(self, context: Context) -> None:
        """Sync, hand on the RunSummary, and raise the event that the facts are up to date; skip in a dry run.

        Raises:
            NotPrepared: the run has not begun, so that there is nothing to sync.
            OutdatedFact, SyncedInPart: a task has failed.
            DataError: what the run has verified of a fact, after the sync, differs.
        """
        from surgical_cdc.control.ledger import recorded
        from surgical_cdc.steps.share import require_equal, verify_share
        from surgical_cdc.steps.sync import sync

        preparation = preparation_of(context)
        run = run_of(context, preparation.token)
        if preparation.ended:
            raise AirflowSkipException(NOTHING_TO_DO)
        dictionary = load_dictionary(self.dictionary)
        results = handed_on(context, UPDATE, dictionary.facts)
        fact_results = {fact: FactResult.from_dict(result) for fact, result in results.items()}
        change_sets = change_sets_of(context, dictionary.sources)
        if run.dry_run:
            hand_on_summary(context, summarise(run, preparation, change_sets, fact_results))
            self._announce(dictionary, fact_results)
        with self.steps(context, run) as (project, steps):
            step = partial(
                sync, project, run=run, preparation=preparation, change_sets=change_sets, fact_results=fact_results
            )
            try:
                done = steps.run(self.task_id, step)
            except AlreadySynced:
                # Airflow forgets what a task has handed on when it begins again.
                summary = steps.run("ledger", partial(recorded, project, run=run))
                if summary:
                    hand_on_summary(context, summary)
                raise
            hand_on_summary(context, _with_ages(done.summary, project))
            metrics.send_run(done.summary)
            if done.quarantined:
                alerts.quarantined(context, done.quarantined, control_schema=project.control_schema)
            unusual = {name: found for name, found in done.summary.sources.items() if found.usual}
            if unusual:
                alerts.unusual(context, unusual)
            done.require_all(run)
            share = steps.run("verify", partial(verify_share, project))
            if share:
                metrics.send_verified(self.conn_id, share.fact, "share", equal=share.equal)
                log.info("%s", require_equal(project, share))
        raise_event(context, self, fresh(run))

    @staticmethod
    def _announce(dictionary: Dictionary, fact_results: Mapping[str, FactResult]) -> NoReturn:
        """Say what a dry run has found, and end it."""
        from surgical_cdc.steps.announce import announced

        log.info("A run over this window would do this:\n%s", "\n".join(map(announced, fact_results.values())))
        failed = [fact for fact in dictionary.facts if fact not in fact_results]
        if failed:
            raise OutdatedFact(f"The dry run could not look at {', '.join(failed)}: see their tasks.")
        raise AirflowSkipException("Dry run: nothing is written but scratch tables.")


class CleanupOperator(WarehouseTask):
    """Ends the run, however it went: drops the scratch tables or keeps those of a failure, frees the lease, alerts."""

    def work(self, context: Context) -> None:
        """Clean up; the failed tasks and their errors go into the ledger and the alert."""
        from surgical_cdc.steps.cleanup import cleanup

        failures = failures_of(context["ti"], self.dag_id, context["run_id"])
        failure = " ".join(f"{task}: {error}" for task, error in failures.items()) or None
        preparation = found_preparation(context)
        if preparation and preparation.ended and not failures:
            raise AirflowSkipException(NOTHING_TO_DO)
        try:
            run = run_of(context, preparation.token if preparation else new_token())
        except FormError:
            run = None
        if run:
            with self.steps(context) as (project, steps):
                steps.run(self.task_id, partial(cleanup, project, run=run, failure=failure))
                if not run.dry_run:
                    look_at_age(project, steps, context, self.conn_id)
        if failures:
            if context["ti"].xcom_pull(task_ids=SYNC, key=SUMMARY_KEY) is None:
                summary = self._failed(context, run, preparation, str(failure))
                hand_on_summary(context, summary)
                if not (run and run.dry_run):
                    metrics.send_run(summary)
            alerts.tell(context, failures)
        elif run and not run.dry_run:
            alerts.recovered(context)
        if not run:
            raise AirflowSkipException(f"The run has not begun. {failure}")

    def _failed(self, context: Context, run: Run | None, preparation: Preparation | None, reason: str) -> RunSummary:
        """Return what a run did that has failed before its sync has said so."""
        if run is None:
            undoes = context["params"].get(UNDOES_FIELD)
            asked = {"kind": UNDO, "undoes": str(undoes)} if undoes else {}
            return RunSummary(dag_id=self.dag_id, run_id=context["run_id"], result=FAILED, reason=reason, **asked)
        if preparation is None:
            return RunSummary.of_run(run, FAILED, reason=reason)
        dictionary = load_dictionary(dictionary_path(self.project))
        change_sets = change_sets_of(context, dictionary.sources)
        results = handed_on(context, UPDATE, dictionary.facts)
        fact_results = {fact: FactResult.from_dict(result) for fact, result in results.items()}
        failed = [fact for fact in dictionary.facts if fact not in fact_results]
        done = summarise(run, preparation, change_sets, fact_results, failed=failed, waiting=change_sets.keys())
        return done.model_copy(update={"result": FAILED, "reason": reason})


class RefreshOperator(FactTask):
    """Builds one fact anew from the baselines; waits by its retries while a run is working."""

    def work(self, context: Context) -> dict[str, Any]:
        """Return the FactResult as a plain dict, and raise the event of the fact's asset."""
        from surgical_cdc.steps.refresh import refresh

        require_chosen(context, self.fact)
        with self.steps(context) as (project, steps):
            check_fields(context)
            result = steps.run(self.task_id, partial(refresh, project, self.fact))
        raise_event(context, self, changed(result))
        return result.to_dict()


class VerifyOperator(WarehouseTask):
    """Compares one fact with its SELECT run in full, and fails where they differ."""

    def __init__(self, *, fact: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.fact = fact

    def work(self, context: Context) -> dict[str, Any]:
        """Return the numbers of rows.

        Raises:
            DataError: the fact differs from its SELECT.
        """
        from surgical_cdc.steps.verify import verify

        require_chosen(context, self.fact)
        with self.steps(context) as (project, steps):
            check_fields(context)
            found = steps.run(self.task_id, partial(verify, project, self.fact))
            metrics.send_verified(self.conn_id, self.fact, "all", equal=found.equal)
            look_at_age(project, steps, context, self.conn_id)
            if not found.equal:
                raise DataError(found.verdict(project))
        return asdict(found)


class AlertOperator(BaseOperator):
    """Ends a run that has nothing to clean up: alerts if a task of it has failed."""

    def execute(self, context: Context) -> None:
        """Send one message about all failed tasks; skip where there is none."""
        failures = failures_of(context["ti"], self.dag_id, context["run_id"])
        if not failures:
            raise AirflowSkipException("No task has failed.")
        alerts.tell(context, failures)


def project_at(path: Path) -> Project:
    """Return the project in a folder; what was read before a worker forked is not read again unless a file differs."""
    files = [file for suffix in ("sql", "yaml") for file in (path / "cdc").rglob(f"*.{suffix}")]
    return _project(path, frozenset((file, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=1)
def _project(path: Path, _state: frozenset[tuple[Path, int]]) -> Project:
    from surgical_cdc.contract.project import load_project

    return load_project(path)


def hand_on_summary(context: Context, summary: RunSummary) -> None:
    """Say what the run did, for a person and for the page."""
    log.info("%s", told(summary))
    context["ti"].xcom_push(SUMMARY_KEY, summary.to_dict())


def look_at_age(project: Project, steps: Steps, context: Context, conn_id: str) -> None:
    """Send the ages of the facts, and alert of those that have become older than the project says, if either is on."""
    from surgical_cdc.steps.freshness import look

    if project.freshness.ages or metrics.are_on():
        found = steps.run("freshness", partial(look, project))
        metrics.send_ages(conn_id, found.fresh_to)
        if found.stale:
            alerts.stale(context, found.stale)


def _with_ages(summary: RunSummary, project: Project) -> RunSummary:
    seconds = {level: age.total_seconds() for level, age in project.freshness.ages.items()}
    return summary.model_copy(update={"stale_after": seconds})


def raise_event(context: Context, task: BaseOperator, extra: Mapping[str, Any] | None) -> None:
    """Give the event of the task's asset what it says; None lets there be no event.

    Airflow raises one of each asset that is an outlet of a task when the task has succeeded, and the UI shows the task
    as the producer of these. So a task for which there is nothing to tell takes its outlets back.
    """
    if extra is None:
        task.outlets = []
        return
    for asset in task.outlets:
        context["outlet_events"][asset].extra = {**extra, "run": context["run_id"]}


def changed(result: FactResult) -> dict[str, Any] | None:
    """Return what the event of a fact says: the rows that were written; None where the fact has not changed."""
    counts = {"inserted": result.inserted, "updated": result.updated, "deleted": result.deleted}
    return counts if result.built or any(counts.values()) else None


def fresh(run: Run) -> dict[str, Any] | None:
    """Return what the event of facts that are up to date says: as of when; None where the run has not taken all."""
    return {"fresh_to": run.window_end.isoformat()} if run.takes_all else None

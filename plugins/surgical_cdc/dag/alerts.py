"""Alerts: one message per failed run, to the targets that the Airflow Variable `surgical_cdc_alerts` names.

The Variable holds a JSON list; each target's secrets are in its Airflow connection:

    [
      {"via": "smtp", "to": ["oncall@example.com"], "conn_id": "smtp_default"},
      {"via": "sns", "target_arn": "arn:aws:sns:eu-west-1:123456789012:oncall", "conn_id": "aws_default"},
      {"via": "apprise", "conn_id": "apprise_default"}
    ]

The run's teardown sends it, `cleanup` or `alert`, which knows every failed task and has a worker's time. It leaves a
mark, an XCom. Where there is none, because the teardown was killed or reached no target, the DAG's callback sends the
alert: it runs in the DAG processor, which ends a callback that takes long. A run that is cleared and fails again is
told of again. A run by hand that asked for what can not be is not told of: nothing was written, and who has asked sees
it. The first run that succeeds after one that had failed says so.

What is wrong in the Variable is found by `check` and by the first task of each run, not when the DAG is parsed: an
error there would take the DAG away, and each task would ask the API server for the Variable when it parses the file.
"""

from __future__ import annotations

import html
import json
import logging
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from surgical_cdc.dag.handover import ALERT, CLEANUP, REFUSED_KEY, failures_of
from surgical_cdc.errors import AlertSettingError

if TYPE_CHECKING:
    from airflow.sdk import BaseNotifier, Context

    from surgical_cdc.steps.freshness import Stale
    from surgical_cdc.values import SourceSummary

log = logging.getLogger(__name__)

VARIABLE = "surgical_cdc_alerts"
# Amazon SNS takes no longer subject.
SUBJECT_LENGTH = 100
# The XCom by which a task says that the run's alert has gone out; its value is how often the run had been cleared.
ALERTED = "alerted"
# Where services see a mention, a tag or a link; a space of no width there lets them see text.
MARKUP = re.compile(r"(?<=@)(?=\w)|(?<=<)(?=\S)|(?<=\])(?=\()")
NO_WIDTH = "\u200b"
REASONS = {
    "timed_out": "It did not end in the time that it has (dagrun_timeout).",
    "all_tasks_deadlocked": "Its tasks wait for one another.",
}


class Smtp(BaseModel):
    """Mail, by a connection of type `smtp`; the sender is `from_email` here or in the connection."""

    model_config = ConfigDict(extra="forbid")

    via: Literal["smtp"]
    to: list[str] = Field(min_length=1)
    conn_type: ClassVar = "smtp"
    conn_id: str = "smtp_default"
    from_email: str | None = None

    def send(self, subject: str, text: str) -> None:
        """Send one message, or raise whatever keeps it from arriving."""
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier

        body = f"<pre>{html.escape(text)}</pre>"
        # Called directly: a notifier that is called as a callback would take braces in an error for a template.
        SmtpNotifier(
            to=self.to, from_email=self.from_email, subject=subject, html_content=body, smtp_conn_id=self.conn_id
        ).notify({})


class Sns(BaseModel):
    """Amazon SNS, by a connection of type `aws`; the target is a topic or an endpoint."""

    model_config = ConfigDict(extra="forbid")

    via: Literal["sns"]
    target_arn: str
    conn_type: ClassVar = "aws"
    conn_id: str = "aws_default"
    region_name: str | None = None

    def send(self, subject: str, text: str) -> None:
        """Send one message, or raise whatever keeps it from arriving."""
        from airflow.providers.amazon.aws.notifications.sns import SnsNotifier

        notifier: BaseNotifier = SnsNotifier(
            target_arn=self.target_arn,
            message=defused(text),
            subject=subject,
            aws_conn_id=self.conn_id,
            region_name=self.region_name,
        )
        notifier.notify({})


class Apprise(BaseModel):
    """Any service that Apprise knows, by a connection of type `apprise` that holds the services' addresses."""

    model_config = ConfigDict(extra="forbid")

    via: Literal["apprise"]
    conn_type: ClassVar = "apprise"
    conn_id: str = "apprise_default"
    tag: str = "all"

    def send(self, subject: str, text: str) -> None:
        """Send one message, or raise whatever keeps it from arriving."""
        import apprise
        from airflow.providers.apprise.hooks.apprise import AppriseHook

        # The hook's own notify does not say whether the message has arrived.
        hook, services = AppriseHook(self.conn_id), apprise.Apprise()
        hook.set_config_from_conn(hook.get_connection(self.conn_id), services)
        arrived = services.notify(
            title=defused(subject),
            body=defused(text),
            body_format=apprise.NotifyFormat.TEXT,
            notify_type=apprise.NotifyType.FAILURE,
            tag=self.tag,
        )
        if not arrived:
            raise ConnectionError(
                f"Apprise has not reached every service of {self.conn_id}, or none has tag {self.tag}."
            )


Target = Annotated[Smtp | Sns | Apprise, Field(discriminator="via")]
_TARGET: TypeAdapter[Target] = TypeAdapter(Target)


def run_failed(context: Context) -> None:
    """Alert that a run has failed, unless it has been told of; a DAG's on_failure_callback."""
    dag_id, run_id = context["dag"].dag_id, context["run_id"]
    failures: Mapping[str, str] = {}
    try:
        ti = context["ti"]
        for teardown in (CLEANUP, ALERT):
            told = ti.xcom_pull(task_ids=teardown, key=ALERTED, run_id=run_id)
            if told is not None and told == context["dag_run"].clear_number:
                log.info("Run %s of %s has been told of by its %s.", run_id, dag_id, teardown)
                return
        failures = failures_of(ti, dag_id, run_id)
    except Exception:
        log.exception("The failed tasks of run %s can not be read; the alert goes out without them.", run_id)
    _send_failures(context, dag_id, run_id, failures, REASONS.get(str(context.get("reason")), ""))


def cleanup_failed(context: Context) -> None:
    """Alert that a run's cleanup has failed, with all other failures; the cleanup's on_failure_callback."""
    from surgical_cdc.warehouse.advice import refusal

    ti = context["ti"]
    error = context.get("exception")
    own = {ti.task_id: refusal(error) if isinstance(error, BaseException) else str(error)}
    failures = failures_of(ti, ti.dag_id, ti.run_id) | own
    note = "The run itself is not failed by this task." if failures == own else ""
    tell(context, failures, reason=note)


def tell(context: Context, failures: Mapping[str, str], *, reason: str = "") -> None:
    """Alert that a run has failed, from a task of it; `failures` has the failed tasks' errors.

    Nobody is alerted of a run by hand that asked for what can not be: who has triggered it sees that, and nothing was
    written.
    """
    ti = context["ti"]
    if _is_manual(context) and any(ti.xcom_pull(task_ids=list(failures), key=REFUSED_KEY, map_indexes=-1) or ()):
        log.info("What was asked for by hand is refused, and nobody is alerted: %s", " ".join(failures.values()))
    elif not _send_failures(context, ti.dag_id, ti.run_id, failures, reason):
        return
    ti.xcom_push(ALERTED, context["dag_run"].clear_number)


def recovered(context: Context) -> None:
    """Tell, with the first run that succeeds again, that the one before it had failed; a run by hand has none."""
    ti = context["ti"]
    before = ti.get_previous_dagrun()
    if before and before.state == "failed":
        text = (
            f"DAG: {ti.dag_id}\nRun: {ti.run_id}\n\nThis run has succeeded, and took what was staged for the one before"
            f" it, which had failed: {before.run_id}.\nLog: {ti.log_url}\n"
        )
        send(f"{ti.dag_id} works again", text)


def quarantined(context: Context, counts: Mapping[str, int], *, control_schema: str) -> None:
    """Alert that rows were put in quarantine; `counts` is keyed by source. The run goes on."""
    ti = context["ti"]
    listed = "\n".join(
        f"  {source}: {count} rows, kept in {control_schema}.quarantine__{source}" for source, count in counts.items()
    )
    text = (
        f"DAG: {ti.dag_id}\nRun: {ti.run_id}\n\nRows can not be applied; the rest went on:\n{listed}\n\n"
        "Each says why in its column scdc_reason. When the upstream stages it again in good order, it is applied.\n"
        f"Log: {ti.log_url}\n"
    )
    send(f"{ti.dag_id}: {sum(counts.values())} rows in quarantine: {', '.join(counts)}", text)


def unusual(context: Context, sources: Mapping[str, SourceSummary]) -> None:
    """Alert that a run has changed far more rows of some sources than runs usually do. The run goes on."""
    ti = context["ti"]
    listed = "\n".join(
        f"  {name}: {found.changes} rows, usually {found.usual}; of these {found.inserts} inserted, {found.updates}"
        f" updated, {found.deletes} deleted"
        for name, found in sources.items()
    )
    text = (
        f"DAG: {ti.dag_id}\nRun: {ti.run_id}\n\nFar more rows have changed than usually do:\n{listed}\n\n"
        "If the load was wrong, undo the run: docs/how-to/undo.md. `cdc_volume` of the project says what is far more,"
        f" and whether such a run stops.\nLog: {ti.log_url}\n"
    )
    send(f"{ti.dag_id}: far more rows than usual: {', '.join(sources)}", text)


def stale(context: Context, facts: Sequence[Stale]) -> None:
    """Alert that facts have become older than the project says."""
    ti = context["ti"]
    listed = "\n".join(
        f"  {one.fact}: shows what was staged up to {one.fresh_to} UTC, {one.age} ago ({one.level}_after)"
        for one in facts
    )
    text = (
        f"DAG: {ti.dag_id}\nRun: {ti.run_id}\n\nFacts are older than cdc_freshness of the project says:\n{listed}\n\n"
        "See why the last runs have not brought them up to date, or whether the DAG is paused.\n"
        f"Log: {ti.log_url}\n"
    )
    send(f"{ti.dag_id}: {len(facts)} facts are too old: {', '.join(one.fact for one in facts)}", text)


def waiting(context: Context, text: str) -> None:
    """Alert that a run has waited for another one until its own window was over; the run goes on waiting."""
    ti = context["ti"]
    release = "If nobody works in its name any more: python -m surgical_cdc release"
    send(
        f"{ti.dag_id}: a window was missed, another run holds the warehouse",
        f"DAG: {ti.dag_id}\nRun: {ti.run_id}\n\n{text}\n{release}\nLog: {ti.log_url}\n",
    )


def failure_text(dag_id: str, run_id: str, failures: Mapping[str, str], *, reason: str) -> str:
    """Return the message: DAG, run, then per failed task its source or fact, its error, and where its log is."""
    url = f"{_base_url()}/dags/{dag_id}/runs/{quote(run_id)}"
    blocks = [f"DAG: {dag_id}\nRun: {run_id}\n{url}"]
    if reason:
        blocks.append(reason)
    blocks += [
        f"Task: {task_id}{_subject_of(task_id)}\nError: {error}\nLog: {url}/tasks/{task_id}"
        for task_id, error in failures.items()
    ]
    return "\n\n".join(blocks) + "\n"


def send(subject: str, text: str) -> bool:
    """Send a message to every target; what can not be sent is logged, and neither raises nor holds up the others.

    Returns:
        Whether it has reached a target.
    """
    targets, problems = read_targets()
    if problems:
        log.error("%s It keeps this alert from some: %s\n%s", _wrong(problems), subject, text)
    elif not targets:
        log.info("The Airflow Variable %s names no target, so nobody was told: %s", VARIABLE, subject)
    if not targets:
        return False
    # A line of a mail's header: without control characters, and ASCII as SNS wants it.
    printable = "".join(letter if letter.isprintable() else "?" for letter in " ".join(subject.split()))
    line = printable.encode("ascii", "replace").decode()[:SUBJECT_LENGTH]
    with ThreadPoolExecutor(len(targets)) as pool:
        return any(list(pool.map(partial(_send_to, subject=line, text=text), targets)))


def check_targets() -> Sequence[Target]:
    """Return the targets that the Variable names, none where there is no Variable.

    Raises:
        AlertSettingError: it is no JSON list of targets, or names connections that Airflow does not know or that are of
            another type; the message lists all that is wrong.
    """
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    targets, problems = read_targets()
    for target in targets:
        try:
            found = Connection.get(target.conn_id).conn_type
        except AirflowNotFoundException:
            # Without aws_default the credentials are those of the environment.
            if target.conn_id != "aws_default":
                problems.append(f"{target.via}: Airflow knows no connection {target.conn_id!r}")
            continue
        if found != target.conn_type:
            problems.append(
                f"{target.via}: the connection {target.conn_id!r} is of type {found!r}, expected {target.conn_type!r}"
            )
    if problems:
        raise AlertSettingError(_wrong(problems))
    return targets


def read_targets() -> tuple[list[Target], list[str]]:
    """Return the targets that the Variable names and that can be read, and what is wrong with it in a line each."""
    from airflow.sdk import Variable

    try:
        # Airflow takes a default for a secret, and warns of one that is too short to be masked.
        value = Variable.get(VARIABLE, default=None)
        entries = [] if value is None else json.loads(value)
    except ValueError as error:
        return [], [f"it is no JSON: {error}"]
    except Exception as error:  # noqa: BLE001 - whatever Airflow or a secrets backend raises, nobody may miss the alert
        return [], [f"Airflow can not read it: {type(error).__name__}: {error}"]
    if not isinstance(entries, list):
        return [], [f"it is no list but {type(entries).__name__}"]
    targets: list[Target] = []
    problems: list[str] = []
    for number, entry in enumerate(entries, 1):
        try:
            targets.append(_TARGET.validate_python(entry))
        except ValidationError as error:
            problems += [f"target {number}: {_problem(item)}" for item in error.errors(include_url=False)]
    return targets, problems


def defused(text: str) -> str:
    """Return a text in which no service sees a mention, a tag or a link; it looks the same to a person."""
    return MARKUP.sub(NO_WIDTH, text)


def _is_manual(context: Context) -> bool:
    return bool(context["dag_run"].run_type == "manual")


def _send_failures(context: Context, dag_id: str, run_id: str, failures: Mapping[str, str], reason: str) -> bool:
    """Send the alert; its subject has the DAG, how the run was started, and the first cause in words."""
    cause = next((f"{task_id}: {error}" for task_id, error in failures.items()), reason or "see its tasks")
    others = f" and {len(failures) - 1} more tasks" if len(failures) > 1 else ""
    subject = f"{dag_id} failed ({'manual' if _is_manual(context) else 'scheduled'}){others}: {cause}"
    return send(subject, failure_text(dag_id, run_id, failures, reason=reason))


def _problem(item: Any) -> str:
    """Return what is wrong with one key of a target; values are not shown, for one may be a secret."""
    where = ".".join(str(part) for part in item["loc"][1:])
    said = {"missing": "is missing", "extra_forbidden": "is no setting of such a target"}.get(item["type"], item["msg"])
    return f"{where} {said}" if where else said


def _wrong(problems: Sequence[str]) -> str:
    return (
        f"The Airflow Variable {VARIABLE} does not say whom to tell: {'; '.join(problems)}."
        ' Correct it; expected a list like [{"via": "smtp", "to": ["oncall@example.com"], "conn_id": "smtp_default"}],'
        " via smtp, sns or apprise."
    )


def _send_to(target: Target, subject: str, text: str) -> bool:
    try:
        target.send(subject, text)
    except Exception:
        log.exception("The alert could not be sent via %s (%s): %s", target.via, target.conn_id, subject)
        return False
    log.info("Alerted via %s: %s", target.via, subject)
    return True


def _subject_of(task_id: str) -> str:
    group, _, name = task_id.rpartition(".")
    kind = {"detect": "source", "update": "fact"}.get(group)
    return f" ({kind} {name})" if kind else ""


def _base_url() -> str:
    from airflow.sdk.configuration import conf

    url: Any = conf.get("api", "base_url", fallback="http://localhost:8080")
    return str(url).rstrip("/")

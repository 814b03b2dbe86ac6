"""Alerts: one message per failed run, to the targets that the Airflow Variable `surgical_cdc_alerts` names.

The Variable holds a JSON list; each target's secrets are in its Airflow connection:

    [
      {"via": "smtp", "to": ["oncall@example.com"], "conn_id": "smtp_default"},
      {"via": "sns", "target_arn": "arn:aws:sns:eu-west-1:123456789012:oncall", "conn_id": "aws_default"},
      {"via": "apprise", "conn_id": "apprise_default"}
    ]

A killed task has no callback of its own, so the alert hangs on the DAG, whose callback runs in the DAG processor when
the run has failed for whatever reason. It names every failed task at once.
"""

from __future__ import annotations

import html
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

if TYPE_CHECKING:
    from airflow.sdk import BaseNotifier, Context

log = logging.getLogger(__name__)

VARIABLE = "surgical_cdc_alerts"
# Amazon SNS takes no longer subject.
SUBJECT_LENGTH = 100
REASONS = {
    "timed_out": "It did not end in the time that it has (dagrun_timeout).",
    "all_tasks_deadlocked": "Its tasks wait for one another.",
}


class Smtp(BaseModel):
    """Mail, by a connection of type `smtp`; the sender is `from_email` here or in the connection."""

    model_config = ConfigDict(extra="forbid")

    via: Literal["smtp"]
    to: list[str] = Field(min_length=1)
    conn_id: str = "smtp_default"
    from_email: str | None = None

    def notifier(self, subject: str, text: str) -> BaseNotifier:
        """Return the provider's notifier for one message."""
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier

        body = f"<pre>{html.escape(text)}</pre>"
        return SmtpNotifier(
            to=self.to, from_email=self.from_email, subject=subject, html_content=body, smtp_conn_id=self.conn_id
        )


class Sns(BaseModel):
    """Amazon SNS, by a connection of type `aws`; the target is a topic or an endpoint."""

    model_config = ConfigDict(extra="forbid")

    via: Literal["sns"]
    target_arn: str
    conn_id: str = "aws_default"
    region_name: str | None = None

    def notifier(self, subject: str, text: str) -> BaseNotifier:
        """Return the provider's notifier for one message."""
        from airflow.providers.amazon.aws.notifications.sns import SnsNotifier

        return SnsNotifier(
            target_arn=self.target_arn,
            message=text,
            subject=subject,
            aws_conn_id=self.conn_id,
            region_name=self.region_name,
        )


class Apprise(BaseModel):
    """Any service that Apprise knows, by a connection of type `apprise` that holds the services' addresses."""

    model_config = ConfigDict(extra="forbid")

    via: Literal["apprise"]
    conn_id: str = "apprise_default"
    tag: str = "all"

    def notifier(self, subject: str, text: str) -> BaseNotifier:
        """Return the provider's notifier for one message."""
        from airflow.providers.apprise.notifications.apprise import AppriseNotifier
        from apprise import NotifyType

        return AppriseNotifier(
            title=subject, body=text, notify_type=NotifyType.FAILURE, tag=self.tag, apprise_conn_id=self.conn_id
        )


Target = Annotated[Smtp | Sns | Apprise, Field(discriminator="via")]
_TARGETS = TypeAdapter(list[Target])


def run_failed(context: Context) -> None:
    """Alert that a run has failed; a DAG's on_failure_callback."""
    from surgical_cdc.operators import failures_of

    dag_id, run_id = context["dag"].dag_id, context["run_id"]
    failures: Mapping[str, str] = {}
    try:
        failures = failures_of(context["ti"], dag_id, run_id)
    except Exception:
        log.exception("The failed tasks of run %s can not be read; the alert goes out without them.", run_id)
    reason = REASONS.get(str(context.get("reason")), "")
    subject = f"{dag_id} failed: {', '.join(failures) or reason or 'see its tasks'}"
    send(subject, failure_text(dag_id, run_id, failures, reason=reason))


def task_failed(context: Context) -> None:
    """Alert that a task has failed; the on_failure_callback of a task whose failure does not fail the run."""
    from surgical_cdc.retries import sentence

    ti = context["ti"]
    error = context.get("exception")
    failures = {ti.task_id: sentence(error) if isinstance(error, BaseException) else str(error)}
    note = "The run itself is not failed by this task."
    send(f"{ti.dag_id}: {ti.task_id} failed", failure_text(ti.dag_id, ti.run_id, failures, reason=note))


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


def send(subject: str, text: str) -> None:
    """Send a message to every target; what can not be sent is logged, and neither raises nor holds up the others."""
    try:
        targets = configured_targets()
    except Exception:
        log.exception("The Airflow Variable %s can not be read, so nobody was told: %s\n%s", VARIABLE, subject, text)
        return
    if not targets:
        log.info("The Airflow Variable %s names no target, so nobody was told: %s", VARIABLE, subject)
        return
    line = " ".join(subject.split()).encode("ascii", "replace").decode()[:SUBJECT_LENGTH]
    with ThreadPoolExecutor(len(targets)) as pool:
        for target in targets:
            pool.submit(_send_to, target, line, text)


def configured_targets() -> Sequence[Target]:
    """Return the targets that the Variable names, none where there is no Variable.

    Raises:
        ValueError: it is no JSON list of targets; the message names the place.
    """
    from airflow.sdk import Variable

    text = Variable.get(VARIABLE, default="[]")
    return _TARGETS.validate_json(text)


def _send_to(target: Target, subject: str, text: str) -> None:
    try:
        # Called directly: a notifier that is called as a callback would take braces in an error for a template.
        target.notifier(subject, text).notify({})
        log.info("Alerted via %s: %s", target.via, subject)
    except Exception:
        log.exception("The alert could not be sent via %s (%s): %s", target.via, target.conn_id, subject)


def _subject_of(task_id: str) -> str:
    group, _, name = task_id.rpartition(".")
    kind = {"detect": "source", "update": "fact"}.get(group)
    return f" ({kind} {name})" if kind else ""


def _base_url() -> str:
    from airflow.sdk.configuration import conf

    url: Any = conf.get("api", "base_url", fallback="http://localhost:8080")
    return str(url).rstrip("/")

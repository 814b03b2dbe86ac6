"""Metrics: what a run did, how old the facts are and what verifications have found, by Airflow's own settings.

Each is a gauge: what the last run did, or what is so now. Counters and timers go one way by StatsD and another by
OpenTelemetry, of which a task's process, that has just begun, always starts to count anew; a gauge is the same by both.
What it is of stands in tags.

They are sent where `[metrics]` of Airflow's configuration says so. Nothing that keeps one from arriving fails a task.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from surgical_cdc.values import FAILED, IN_PART, PHASES, now

if TYPE_CHECKING:
    from surgical_cdc.values import RunSummary

log = logging.getLogger(__name__)

# Airflow sends to the first of these that is on.
SWITCHES = ("statsd_datadog_enabled", "statsd_on", "otel_on")
RUN_FAILED, RUN_SECONDS = "surgical_cdc.run.failed", "surgical_cdc.run.seconds"
SOURCE_ROWS, SOURCE_QUARANTINED = "surgical_cdc.source.rows", "surgical_cdc.source.quarantined"
FACT_ROWS, FACT_CELLS = "surgical_cdc.fact.rows", "surgical_cdc.fact.cells"
FACT_FRESH_TO, FACT_LAG = "surgical_cdc.fact.fresh_to_seconds", "surgical_cdc.fact.lag_seconds"
FACT_EQUAL = "surgical_cdc.fact.equal"
# Metric -> its tags.
TAGS: Mapping[str, tuple[str, ...]] = {
    RUN_FAILED: ("dag_id",),
    RUN_SECONDS: ("dag_id", "phase"),
    SOURCE_ROWS: ("dag_id", "source", "change"),
    SOURCE_QUARANTINED: ("dag_id", "source"),
    FACT_ROWS: ("dag_id", "fact", "change"),
    FACT_CELLS: ("dag_id", "fact"),
    FACT_FRESH_TO: ("conn_id", "fact"),
    FACT_LAG: ("conn_id", "fact"),
    FACT_EQUAL: ("conn_id", "fact", "keys"),
}


class Gauge(NamedTuple):
    """A value of a metric, and its tags in the order of TAGS."""

    metric: str
    value: float
    tags: tuple[str, ...]


def are_on() -> bool:
    """Return whether Airflow sends metrics anywhere."""
    from airflow.sdk.configuration import conf

    return any(conf.getboolean("metrics", switch, fallback=False) for switch in SWITCHES)


def send_run(summary: RunSummary) -> None:
    """Send what a run did; what it did not come to keeps the values of the run before."""
    _send(_of_run(summary))


def send_ages(conn_id: str, fresh_to: Mapping[str, datetime]) -> None:
    """Send up to when facts show all that was staged, in seconds since 1970, and how long ago that is.

    Args:
        conn_id: the warehouse's connection: a fact is one, whichever DAGs write it.
        fresh_to: the time (UTC) of each fact.
    """
    today = now()
    _send(
        gauge
        for fact, time in fresh_to.items()
        for gauge in (
            Gauge(FACT_FRESH_TO, time.replace(tzinfo=UTC).timestamp(), (conn_id, fact)),
            Gauge(FACT_LAG, (today - time).total_seconds(), (conn_id, fact)),
        )
    )


def send_verified(conn_id: str, fact: str, keys: str, *, equal: bool) -> None:
    """Send whether a fact is what its SELECT gives: in `all` of its keys, or in the `share` that a run looked at."""
    _send([Gauge(FACT_EQUAL, equal, (conn_id, fact, keys))])


def _of_run(summary: RunSummary) -> Iterator[Gauge]:
    dag_id = summary.dag_id
    yield Gauge(RUN_FAILED, summary.result in {FAILED, IN_PART}, (dag_id,))
    # One that has ended with `prepare` took none of them.
    for phase in PHASES if summary.seconds else ():
        yield Gauge(RUN_SECONDS, summary.seconds.get(phase, 0.0), (dag_id, phase))
    for source, found in summary.sources.items():
        counts = {"inserted": found.inserts, "updated": found.updates, "deleted": found.deletes}
        yield from (Gauge(SOURCE_ROWS, rows, (dag_id, source, change)) for change, rows in counts.items())
        yield Gauge(SOURCE_QUARANTINED, found.quarantined, (dag_id, source))
    for fact, done in summary.facts.items():
        counts = {"inserted": done.inserted, "updated": done.updated, "deleted": done.deleted}
        yield from (Gauge(FACT_ROWS, rows, (dag_id, fact, change)) for change, rows in counts.items())
        yield Gauge(FACT_CELLS, sum(done.cells.values()), (dag_id, fact))


def _send(gauges: Iterable[Gauge]) -> None:
    from airflow.sdk.observability.stats import Stats

    try:
        for gauge in gauges:
            Stats.gauge(gauge.metric, float(gauge.value), tags=dict(zip(TAGS[gauge.metric], gauge.tags, strict=True)))
    except Exception:
        log.warning("Metrics could not be sent; the task goes on without them.", exc_info=True)

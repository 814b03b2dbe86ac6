# ruff: noqa: INP001 - Airflow loads it as a single file
"""Plays the upstream ETL: stages one window of changes, five minutes before each run of vendor_cdc.

Only in demo mode: this folder is a DAG bundle of `make run` alone. The staged versions lie in the last full half hour,
so a run of vendor_cdc that is triggered right after takes them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

from airflow.sdk import DAG, CronTriggerTimetable, Param, get_current_context, task

HALF_HOUR = timedelta(minutes=30)


@task
def stage_changes() -> dict[str, dict[str, int]]:
    """Stage the changes; return the number of staged rows per kind of change and source."""
    from demo.feed import feed
    from surgical_cdc.warehouse.connection import connect

    now = datetime.now(UTC)
    end = now - (now - datetime.min.replace(tzinfo=UTC)) % HALF_HOUR
    return feed(
        partial(connect, "redshift_default", label="demo_feed"),
        at=end,
        changes=get_current_context()["params"]["changes"],
    )


with DAG(
    "demo_feed",
    schedule=CronTriggerTimetable("25,55 * * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    doc_md=__doc__,
    tags=["demo"],
    params={"changes": Param(40, type="integer", minimum=1, title="Changes", description="How many rows to stage.")},
) as dag:
    stage_changes()

"""The cycle of another project, the bookshop: what a team writes to have a DAG of Airflow's for it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from surgical_cdc.dag import cdc_dag, refresh_dag, verify_dag

PROJECT = Path(os.environ["SHOP_PROJECT"])

# A test that waits for retries would only wait.
cycle = cdc_dag("shop_cdc", project=PROJECT, schedule=None, default_args={"retries": 0})
# The same of one that waits for the lease. Sooner would be too soon: Airflow may learn that a question has ended only
# after WORKERS__MIN_HEARTBEAT_INTERVAL and its own delays, and fails a task that it has asked again by then.
cycle.get_task("prepare").poke_interval = 5.0
soon = {"retries": 10, "retry_delay": timedelta(seconds=1)}
refresh = refresh_dag("shop_refresh", project=PROJECT, default_args=soon)
verify = verify_dag("shop_verify", project=PROJECT, schedule=None, default_args=soon)

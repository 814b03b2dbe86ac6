"""The cycle of the lending library in Airflow: all that a project needs to have a DAG of its own."""

from __future__ import annotations

import os
from pathlib import Path

from surgical_cdc.dag import cdc_dag

dag = cdc_dag("library_cdc", project=Path(os.environ["LIBRARY_PROJECT"]), schedule=None, default_args={"retries": 0})

"""Loaded by Airflow in each of its processes; here it spares every task the same imports.

A worker forks a process per task, which inherits what the worker has imported. Only libraries are imported here: the
project's own code must be read anew by each task, or an edit would not show until the next restart.
"""

from __future__ import annotations

import sys

# Nothing in here replaces one of Airflow's own settings.
__all__: list[str] = []

if {"scheduler", "celery"}.intersection(sys.argv):
    import jinja2  # noqa: F401
    import redshift_connector  # noqa: F401
    import sqlglot.optimizer
    import sqlglot.optimizer.qualify  # noqa: F401
    import yaml  # noqa: F401
    from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook  # noqa: F401

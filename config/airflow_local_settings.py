"""Loaded by Airflow in each of its processes; here it spares every task the same imports.

A worker forks a process per task, which inherits what the worker has imported, the engine too: who edits the engine
starts Airflow again.
"""

from __future__ import annotations

import platform
import sys
from contextlib import suppress

# Nothing in here replaces one of Airflow's own settings.
__all__: list[str] = []

if {"scheduler", "celery"}.intersection(sys.argv):
    import sqlglot.dialects.redshift  # noqa: F401 - sqlglot imports a dialect when it is first used
    from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook  # noqa: F401

    from surgical_cdc.compiler.compiled_fact import compile_fact
    from surgical_cdc.contract.project import DEFAULT_PROJECT
    from surgical_cdc.dag import (
        dags,  # noqa: F401
        operators,
    )
    from surgical_cdc.dictionary import load_dictionary
    from surgical_cdc.errors import SurgicalCdcError
    from surgical_cdc.steps import (
        cleanup,  # noqa: F401
        detect,  # noqa: F401
        prepare,  # noqa: F401
        sync,  # noqa: F401
        update,  # noqa: F401
    )
    from surgical_cdc.warehouse import connection  # noqa: F401
    from surgical_cdc.warehouse.templates import compile_templates

    # What can not be read or compiled is the task's to report, not a reason for the scheduler not to start.
    with suppress(SurgicalCdcError):
        compile_templates()
        project = operators.project_at(DEFAULT_PROJECT)
        load_dictionary(project.dictionary_path)
        for fact in project.facts:
            compile_fact(project, fact)
    # The driver asks for it at each connection, and Python asks a program, once per process.
    platform.platform()

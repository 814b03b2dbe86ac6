"""Loaded by Airflow in each of its processes; here it spares every task the same imports.

A worker forks a process per task, which inherits what the worker has imported. That holds for the engine too, so a task
whose engine was edited after the worker has started forgets what it inherited and imports it anew.
"""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

# Nothing in here replaces one of Airflow's own settings.
__all__: list[str] = []

ENGINE = Path(__file__).resolve().parents[1] / "plugins" / "surgical_cdc"


def _state_of_the_engine() -> frozenset[tuple[str, int]]:
    return frozenset((file.name, file.stat().st_mtime_ns) for file in ENGINE.glob("*.py"))


def _forget_an_edited_engine() -> None:
    if _state_of_the_engine() != _loaded:
        for name in [name for name in sys.modules if name.partition(".")[0] == ENGINE.name]:
            del sys.modules[name]


if {"scheduler", "celery"}.intersection(sys.argv):
    _loaded = _state_of_the_engine()
    os.register_at_fork(after_in_child=_forget_an_edited_engine)

    import sqlglot.dialects.redshift  # noqa: F401 - sqlglot imports a dialect when it is first used
    from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook  # noqa: F401

    from surgical_cdc import cleanup, connection, dag, detect, operators, prepare, sync, update  # noqa: F401
    from surgical_cdc.dictionary import load_dictionary
    from surgical_cdc.errors import SurgicalCdcError
    from surgical_cdc.lineage import compile_fact
    from surgical_cdc.project import DEFAULT_PROJECT
    from surgical_cdc.templates import compile_templates

    # What can not be read or compiled is the task's to report, not a reason for the scheduler not to start.
    with suppress(SurgicalCdcError):
        compile_templates()
        project = operators.project_at(DEFAULT_PROJECT)
        load_dictionary(project.dictionary_path)
        for fact in project.facts:
            compile_fact(project, fact)
    # The driver asks for it at each connection, and Python asks a program, once per process.
    platform.platform()

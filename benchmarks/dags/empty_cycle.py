"""A DAG of the shape of vendor_cdc whose tasks do nothing: what Airflow itself costs on this machine.

Tasks, groups, edges, trigger rules and the values that are handed on are those of the real one. A task only reads what
the tasks before it have handed on, and the teardown reads nothing, as the real ones do. The operator of Airflow's that
does nothing would not do: the scheduler never starts it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, BaseOperator, TaskGroup

from surgical_cdc.dag import cdc_dag

if TYPE_CHECKING:
    from airflow.sdk import Context

PROJECT = Path(__file__).resolve().parents[2] / "include" / "sql"
# The size of a change set.
VALUE = {
    "source": "companies",
    "relation": "cdc_scratch.companies__0123456789ab",
    "counts": dict.fromkeys("abcdefghij", 0),
}


class NothingOperator(BaseOperator):
    """Reads what the tasks before it have handed on, and hands on a value."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Do nothing else."""
        if not self.is_teardown:
            context["ti"].xcom_pull(task_ids=sorted(self.upstream_task_ids), map_indexes=-1)
        return VALUE


def empty_cycle() -> DAG:
    """Return the DAG, copied from the real one task by task."""
    real = cdc_dag("real_cycle", project=PROJECT, schedule=None, auto_register=False)
    with DAG("empty_cycle", schedule=None, max_active_runs=1, default_args=real.default_args) as dag:
        groups: dict[str, TaskGroup] = {}
        copies: dict[str, BaseOperator] = {}
        for task in real.tasks:
            group, _, name = task.task_id.rpartition(".")
            if group and group not in groups:
                groups[group] = TaskGroup(group)
            copy = NothingOperator(task_id=name, task_group=groups.get(group), trigger_rule=task.trigger_rule)
            copy.is_teardown = task.is_teardown
            copies[task.task_id] = copy
        for task in real.tasks:
            copies[task.task_id].set_downstream([copies[name] for name in task.downstream_task_ids])
    return dag


dag = empty_cycle()

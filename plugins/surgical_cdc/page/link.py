"""The link at a cycle's tasks in Airflow's UI; the API server makes it, so that no task spends a request on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from airflow.configuration import conf
from airflow.sdk import BaseOperatorLink

from surgical_cdc.dag.operators import CleanupOperator, DetectOperator, PrepareSensor, SyncOperator, UpdateOperator

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

# The tab of a run that the plugin adds, as Airflow's UI calls it in an address.
RUN_TAB = "surgical_cdc_run"


class RunLink(BaseOperatorLink):
    """Leads from a task to what its run did, on the page."""

    operators: ClassVar[list[type[BaseOperator]]] = [
        PrepareSensor,
        DetectOperator,
        UpdateOperator,
        SyncOperator,
        CleanupOperator,
    ]

    @property
    def name(self) -> str:
        """What stands on the button."""
        return "Facts of this run"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's own
        """Return the address of the run's tab, below that at which Airflow is served."""
        root = conf.get("api", "base_url", fallback="").rstrip("/")
        return f"{root}/dags/{quote(ti_key.dag_id)}/runs/{quote(ti_key.run_id, safe='')}/plugin/{RUN_TAB}"

"""Registers the page with Airflow, which finds this module by the entry point of the distribution."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

PREFIX = "surgical_cdc"


class SurgicalCdcPlugin(AirflowPlugin):
    """The page in the navigation, and as a tab of each DAG run; a link to that tab at the tasks of a cycle."""

    name = "surgical_cdc"
    # Without a leading slash, so that they are below the path that Airflow is served at. Airflow encodes the ids.
    external_views = [  # noqa: RUF012 - Airflow's own declaration
        {
            "name": "Facts",
            "href": f"{PREFIX}/facts",
            "destination": "nav",
            "category": "browse",
            "url_route": "surgical_cdc_facts",
        },
        {
            "name": "Facts",
            "href": f"{PREFIX}/run?dag_id={{DAG_ID}}&run_id={{RUN_ID}}",
            "destination": "dag_run",
            "url_route": "surgical_cdc_run",
        },
    ]

    @property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """Return the app; each process of Airflow loads the plugin, and only the API server asks for this."""
        from surgical_cdc.page.app import app

        return [{"app": app, "url_prefix": f"/{PREFIX}", "name": "Surgical CDC"}]

    @property
    def operator_extra_links(self) -> list[Any]:  # type: ignore[override]
        """Return the link of the tasks; the scheduler does not ask for it, and so does not load the operators."""
        from surgical_cdc.page.link import RunLink

        return [RunLink()]

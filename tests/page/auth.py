"""Airflow's own auth manager for one machine, with a user whom it lets read one DAG alone."""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

SHOPKEEPER, THEIRS = "shopkeeper", "shop_cdc"


class OneDagAuthManager(SimpleAuthManager):
    """Lets the shopkeeper read the bookshop's DAG, and no other."""

    def is_authorized_dag(self, *, user: Any, details: Any = None, **asked: Any) -> bool:
        """Return what the roles say, and for that user the name of the DAG."""
        if user.username == SHOPKEEPER and details and details.id != THEIRS:
            return False
        return super().is_authorized_dag(user=user, details=details, **asked)

"""DAGs and tasks; a DAG file needs the functions that are named here, and nothing else of the engine."""

from __future__ import annotations

from surgical_cdc.dag.dags import cdc_dag, refresh_dag, undo_dag, verify_dag

__all__ = ["cdc_dag", "refresh_dag", "undo_dag", "verify_dag"]

"""DAGs and tasks; a DAG file needs `cdc_dag` and `refresh_dag`, and nothing else of the engine."""

from __future__ import annotations

from surgical_cdc.dag.dags import cdc_dag, refresh_dag

__all__ = ["cdc_dag", "refresh_dag"]

"""DAGs and tasks; a DAG file needs `cdc_dag`, `refresh_dag` and `undo_dag`, and nothing else of the engine."""

from __future__ import annotations

from surgical_cdc.dag.dags import cdc_dag, refresh_dag, undo_dag

__all__ = ["cdc_dag", "refresh_dag", "undo_dag"]

"""A dbt project to sources, facts and their SELECTs."""

from __future__ import annotations

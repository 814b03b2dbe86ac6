"""What dbt's artifacts say: sources, models, facts and their types."""

from __future__ import annotations

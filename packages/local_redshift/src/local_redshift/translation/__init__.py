"""A statement in Redshift's SQL to one in PostgreSQL's."""

from __future__ import annotations

"""Surgical CDC: keeps fact tables equal to their SELECTs by recomputing only what changed."""

from __future__ import annotations

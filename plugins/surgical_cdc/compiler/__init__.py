"""A fact's SELECT to what maintains it: its tables as a tree, its slices, its lineage."""

from __future__ import annotations

"""Sessions, retries, the catalog, DDL and the engine's own statements."""

from __future__ import annotations

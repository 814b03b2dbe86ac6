"""What one transaction does: prepare, detect, update, sync, cleanup, refresh, verify."""

from __future__ import annotations

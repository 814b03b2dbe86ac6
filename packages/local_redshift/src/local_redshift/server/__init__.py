"""PostgreSQL itself: its data folder, what is installed in it, its start and end."""

from __future__ import annotations

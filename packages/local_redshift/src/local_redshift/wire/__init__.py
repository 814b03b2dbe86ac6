"""Sessions: the gateway between a client and PostgreSQL, what it lets pass, records and breaks."""

from __future__ import annotations

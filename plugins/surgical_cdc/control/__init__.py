"""What the warehouse remembers between runs (docs/adr/0002)."""

from __future__ import annotations

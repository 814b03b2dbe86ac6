"""What the demo refuses."""

from __future__ import annotations

from surgical_cdc.errors import SurgicalCdcError


class DemoError(SurgicalCdcError):
    """The demo data can not be written into this warehouse, or not with these settings."""

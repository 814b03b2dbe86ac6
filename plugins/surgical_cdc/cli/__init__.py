"""The command line, `python -m surgical_cdc`."""

from __future__ import annotations

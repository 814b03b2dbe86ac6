"""`python -m surgical_cdc`."""

from __future__ import annotations

from surgical_cdc.cli.commands import main

main()

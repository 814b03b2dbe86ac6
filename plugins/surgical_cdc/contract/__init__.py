"""The contract: what a run reads of a project, from the folder `cdc` that `compile` writes."""

from __future__ import annotations

"""Compiles dbt projects that tests write, without waiting for dbt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from surgical_cdc.compiler.compilation import compile_project
from surgical_cdc.contract.project import Project, load_project
from tests.support.manifests import write_manifest


def compiled(project: Path, *, select: Sequence[str] = ()) -> Project:
    """Do what dbt and `compile` do in a project's folder, and load what they write."""
    write_manifest(project)
    compile_project(project, select=select, progress=lambda _: None).write()
    return load_project(project)

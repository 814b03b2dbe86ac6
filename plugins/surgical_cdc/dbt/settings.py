"""Reads the engine's own settings: `vars` of dbt_project.yml, which dbt does not render."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from surgical_cdc.contract.shapes import Shape, shaped
from surgical_cdc.contract.tables import Freshness, Identifier, Retention, Verification, Volume
from surgical_cdc.files import fail, read_yaml


class Settings(Shape):
    """Where the engine keeps what it must remember, and for how long."""

    control_schema: Identifier = Field("cdc", alias="cdc_control_schema")
    scratch_schema: Identifier = Field("cdc_scratch", alias="cdc_scratch_schema")
    retention: Retention = Field(Retention(), alias="cdc_retention")
    verification: Verification = Field(Verification(), alias="cdc_verification")
    freshness: Freshness = Field(Freshness(), alias="cdc_freshness")
    volume: Volume = Field(Volume(), alias="cdc_volume")


class _ProjectFile(Shape):
    name: str = ""
    variables: dict[str, Any] = Field({}, alias="vars")


def read_settings(path: Path) -> Settings:
    """Read the settings of the dbt project in the folder `path`; those under the project's own name win.

    Raises:
        ProjectError: dbt_project.yml is missing or no YAML, or a setting is wrong.
    """
    file = path / "dbt_project.yml"
    if not file.exists() and not file.is_symlink():
        fail(file, "does not exist. Expected the folder of a dbt project")
    project = shaped(_ProjectFile, read_yaml(file), file)
    own = project.variables.get(project.name)
    variables = {**project.variables, **own} if isinstance(own, Mapping) else project.variables
    return shaped(Settings, variables, file, "vars")

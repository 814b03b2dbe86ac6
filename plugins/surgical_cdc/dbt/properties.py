"""The shapes of a dbt project's YAML files and settings; keys that are not named here are dbt's, and let be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from surgical_cdc.dbt.tables import Maintenance, Strict
from surgical_cdc.errors import ProjectError

# What pydantic calls a mapping.
CLASSES = re.compile(r"a valid dictionary(?: or instance of \w+)?")
S = TypeVar("S", bound=BaseModel)


class Shape(BaseModel):
    """A mapping of which some keys are read; one without a value is as if it were not there."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, given: Any) -> Any:
        return {key: value for key, value in given.items() if value is not None} if isinstance(given, dict) else given


class ProjectFile(Shape):
    """dbt_project.yml."""

    name: str = ""
    profile: str = ""
    model_folders: list[str] = Field(["models"], alias="model-paths")
    macro_folders: list[str] = Field(["macros"], alias="macro-paths")
    seed_folders: list[str] = Field(["seeds"], alias="seed-paths")
    variables: dict[str, Any] = Field({}, alias="vars")
    models: dict[str, Any] = {}
    sources: dict[str, Any] = {}


class Profile(Shape):
    """A profile of profiles.yml."""

    target: str = "default"
    outputs: dict[str, dict[str, Any]] = {}


class Output(Shape):
    """A target in profiles.yml, as far as it is no matter of the connection."""

    threads: PositiveInt = 1


class ModelEntry(Shape):
    """What a YAML file says of a model."""

    name: str
    config: dict[str, Any] = {}
    columns: list[dict[str, Any]] = []
    versions: list[Any] = []


class TableEntry(Shape):
    """What a YAML file says of a table of a source."""

    name: str
    identifier: str = ""
    config: dict[str, Any] = {}
    columns: list[dict[str, Any]] = []


class SourceEntry(Shape):
    """What a YAML file says of a source: dbt's word for tables of one schema."""

    name: str
    schema_name: str = Field("", alias="schema")
    database: str = ""
    config: dict[str, Any] = {}
    tables: list[TableEntry] = []


class PropertiesFile(Shape):
    """A YAML file beside models."""

    models: list[ModelEntry] = []
    sources: list[SourceEntry] = []


class SourceMeta(Shape):
    """`meta` of a table; `cdc` makes a source of it."""

    cdc: dict[str, Any] | None = None


class SourceConfig(Shape):
    """`config` of a table."""

    enabled: bool = True
    meta: SourceMeta = SourceMeta()


class FactCdc(Strict):
    """`cdc` of a fact."""

    anchor: str | None = None
    maintenance: Maintenance = "auto"


class FactMeta(Shape):
    """`meta` of a model."""

    cdc: FactCdc = FactCdc()


class ModelConfig(Shape):
    """The settings of a model, wherever they are made."""

    enabled: bool = True
    materialized: str = "view"
    unique_key: str | list[str] | None = None
    database: str = ""
    dist: str | None = None
    sort: str | list[str] = []
    meta: FactMeta = FactMeta()


def shaped(shape: type[S], content: Mapping[str, Any], file: Path, place: str = "") -> S:
    """Return the part of a YAML file at `place` as what it must be.

    Raises:
        ProjectError: it is something else; the message names each key that is wrong.
    """
    try:
        return shape.model_validate(content)
    except ValidationError as error:
        fail_validation(file, place, error)


def fail_validation(file: Path, place: str, error: ValidationError) -> NoReturn:
    """Raise ProjectError with all that is wrong in a part of a file; values are not shown, for one may be a secret."""
    problems = []
    for item in error.errors(include_url=False):
        where = ".".join(str(part) for part in item["loc"])
        found = f", found {type(item['input']).__name__}" if item["type"].endswith("_type") else ""
        said = "is missing" if item["type"] == "missing" else item["msg"].removeprefix("Value error, ")
        problem = CLASSES.sub("a mapping", said).replace("Input should be", "expected") + found
        problems.append(": ".join(filter(None, (where, problem))))
    raise ProjectError(f"{': '.join(filter(None, (str(file), place, '; '.join(problems))))}.") from error

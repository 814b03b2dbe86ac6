"""Holds what is read from files against the shape that it must have; keys that no shape names are let be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

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


def shaped(shape: type[S], content: Mapping[str, Any], file: Path, place: str = "") -> S:
    """Return the part of a file at `place` as what it must be.

    Raises:
        ProjectError: it is something else; the message names each key that is wrong.
    """
    try:
        return shape.model_validate(content)
    except ValidationError as error:
        fail_validation(file, place, content, error)


def fail_validation(file: Path, place: str, content: object, error: ValidationError) -> NoReturn:
    """Raise ProjectError with all that is wrong in a part of a file; values are not shown, for one may be a secret."""
    problems = []
    for item in error.errors(include_url=False):
        where = ".".join(_named(item["loc"], content))
        found = f", found {type(item['input']).__name__}" if item["type"].endswith("_type") else ""
        said = "is missing" if item["type"] == "missing" else item["msg"].removeprefix("Value error, ")
        problem = CLASSES.sub("a mapping", said).replace("Input should be", "expected") + found
        problems.append(": ".join(filter(None, (where, problem))))
    raise ProjectError(f"{': '.join(filter(None, (str(file), place, '; '.join(problems))))}.") from error


def _named(places: Iterable[str | int], content: Any) -> Iterator[str]:
    """Yield the parts of a path through a content; what stands in a list is called by its name, if it has one."""
    for place in places:
        try:
            content = content[place]
        except (LookupError, TypeError):
            content = None
        in_list = isinstance(place, int) and isinstance(content, Mapping)
        yield str(content.get("name", place) if in_list else place)

"""Reads dbt_project.yml and profiles.yml: folders, variables, the target, and settings by folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

import yaml

from surgical_cdc.dbt.properties import Output, Profile, ProjectFile, shaped
from surgical_cdc.dbt.rendering import UNRENDERED_KEYS, YamlRenderer, merged
from surgical_cdc.errors import ProjectError, yaml_problem
from surgical_cdc.files import check_yaml, read_text

# What the words target and env_var may decide on; the rest of a profile says how to reach the warehouse.
TARGET_KEYS = ("type", "schema", "dbname", "threads")
PROJECT_KEYS = frozenset({"name", "profile", "model-paths", "macro-paths", "seed-paths", "vars", "models", "sources"})


@dataclass(frozen=True)
class Settings:
    """What the two files say. `target` is dbt's word, `config_of` the settings by kind and folder."""

    name: str
    path: Path
    model_folders: Sequence[Path]
    macro_folders: Sequence[Path]
    seed_folders: Sequence[Path]
    variables: Mapping[str, Any]
    target: Mapping[str, Any]
    by_folder: Mapping[Literal["models", "sources"], Mapping[str, Any]]

    @property
    def file(self) -> Path:
        """The path of dbt_project.yml."""
        return self.path / "dbt_project.yml"

    def config_of(self, kind: Literal["models", "sources"], place: Sequence[str]) -> dict[str, Any]:
        """Return the settings of dbt_project.yml for the folders and name in `place`, the deepest winning."""
        level: Any = self.by_folder[kind]
        config: dict[str, Any] = {}
        for part in (self.name, *place, None):
            if not isinstance(level, Mapping):
                break
            config = merged(config, _own_settings(level))
            level = level.get(part)
        return config


def load_settings(path: Path) -> Settings:
    """Read both files of the project in the folder `path`; the profile may be in the folder DBT_PROFILES_DIR instead.

    The target is the one that DBT_TARGET names, else the profile's own.

    Raises:
        ProjectError: a file is missing or no YAML, or has no name, or no target with a schema.
    """
    file = path / "dbt_project.yml"
    raw = read_yaml(file)
    profile_name = shaped(ProjectFile, {"profile": raw.get("profile")}, file).profile
    if not profile_name:
        fail(file, "has no `profile`, the one of profiles.yml that dbt uses")
    target = _target(Path(os.environ.get("DBT_PROFILES_DIR", path)) / "profiles.yml", profile_name)
    renderer = YamlRenderer(target, {})
    read = {
        key: raw[key] if key in UNRENDERED_KEYS else renderer.render(raw[key], file)
        for key in PROJECT_KEYS & raw.keys()
    }
    settings = shaped(ProjectFile, read, file)
    name = settings.name or fail(file, "has no `name`")
    own = settings.variables.get(name)
    return Settings(
        name=name,
        path=path,
        model_folders=[path / folder for folder in settings.model_folders],
        macro_folders=[path / folder for folder in settings.macro_folders],
        seed_folders=[path / folder for folder in settings.seed_folders],
        variables={**settings.variables, **own} if isinstance(own, Mapping) else settings.variables,
        target=target,
        by_folder={"models": settings.models, "sources": settings.sources},
    )


def files_in(folders: Sequence[Path], *suffixes: str) -> Iterator[tuple[Path, Path]]:
    """Yield the files with these suffixes, each with its folder of `folders`.

    Raises:
        ProjectError: a folder can not be read, or a link leads nowhere.
    """
    for folder in folders:
        for file in sorted(_files_below(folder, suffixes) if folder.is_dir() else ()):
            if not file.exists():
                fail(file, "is a link that leads to no file. Correct it, or remove it")
            yield folder, file


def read_yaml(file: Path) -> dict[str, Any]:
    """Read a YAML file that has a mapping at its top; an empty file is an empty mapping.

    Raises:
        ProjectError: the file is missing, no YAML, or something else.
    """
    try:
        text = read_text(file)
        check_yaml(text)
        loader = yaml.CSafeLoader(text)
        node = loader.get_single_node()
        _check_node(file, node, [])
        content = None if node is None else loader.construct_document(node)
    except FileNotFoundError:
        fail(file, "does not exist: a dbt project has dbt_project.yml, profiles.yml and models/")
    except yaml.MarkedYAMLError as error:
        fail(file, f"is no valid YAML: {yaml_problem(error)}")
    except (yaml.YAMLError, ValueError) as error:  # the latter where a date has no such day
        fail(file, f"is no valid YAML: {error}")
    if content is None:
        return {}
    if not isinstance(content, dict):
        fail(file, f"expected a mapping at the top, found {type(content).__name__}")
    return content


def _files_below(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    def refuse(error: OSError) -> NoReturn:
        fail(Path(error.filename), f"can not be read: {error.strerror}. Correct it, or who may read it")

    for below, folders, names in os.walk(folder, onerror=refuse):
        yield from (Path(below, name) for name in (*folders, *names) if name.endswith(suffixes))


def fail(file: Path, problem: str) -> NoReturn:
    """Raise ProjectError for a file."""
    raise ProjectError(f"{file}: {problem}.")


def _check_node(file: Path, node: yaml.Node | None, around: Sequence[yaml.Node]) -> None:
    """Refuse a key that stands twice in a mapping, of which YAML keeps one, and an anchor inside what it names."""
    if not isinstance(node, yaml.CollectionNode):
        return
    if node in around:
        fail(file, f"line {node.start_mark.line + 1}: the anchor here is read inside what it names")
    parts = node.value
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                fail(file, f"line {key.start_mark.line + 1}: the key {key.value} stands twice")
            seen |= {key.value} if isinstance(key, yaml.ScalarNode) else set()
        parts = [value for _, value in node.value]
    for part in parts:
        _check_node(file, part, [*around, node])


def _target(file: Path, profile_name: str) -> dict[str, Any]:
    """Return dbt's word `target`, without what only connecting needs: host, user, password."""
    content = read_yaml(file)
    if profile_name not in content:
        fail(file, f"has no profile {profile_name!r}, which dbt_project.yml names")
    profile = shaped(Profile, content[profile_name], file, profile_name)
    renderer = YamlRenderer({}, {}, profile=True)
    name = os.environ.get("DBT_TARGET") or renderer.render(profile.target, file)
    outputs = profile.outputs
    if name not in outputs or "schema" not in outputs[name]:
        known = ", ".join(outputs) or "none"
        fail(file, f"expected {profile_name}.outputs.{name}.schema, the schema that dbt builds into. Outputs: {known}")
    output = {key: renderer.render(outputs[name][key], file) for key in TARGET_KEYS if key in outputs[name]}
    threads = shaped(Output, output, file, f"{profile_name}.outputs.{name}").threads
    database = {"database": output["dbname"]} if "dbname" in output else {}
    return {**output, **database, "threads": threads, "name": name, "target_name": name, "profile_name": profile_name}


def _own_settings(level: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of one level: with a plus, or anything that can not be a folder."""
    return {
        str(key).removeprefix("+").strip(): value
        for key, value in level.items()
        if str(key).startswith("+") or not isinstance(value, Mapping)
    }

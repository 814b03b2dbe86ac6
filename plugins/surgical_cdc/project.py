"""Loads a dbt project: sources, models and facts, with Jinja rendered in dbt's own words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import jinja2
import yaml
from pydantic import TypeAdapter, ValidationError

from surgical_cdc.contract import Cdc, Column, Fact, Identifier, Model, Source, Table
from surgical_cdc.errors import ProjectError

T = TypeVar("T")
REF_SCHEMA = "ref"
DEFAULT_PROJECT = Path(__file__).resolve().parents[2] / "include" / "sql"


@dataclass(frozen=True, eq=False)
class Project:
    """A checked project. Keys of the mappings are names; facts are models that have a row key.

    `control_schema` has what is kept between runs, `scratch_schema` the change sets of the runs.

    A project equals only itself, so that what is compiled from it can be kept by it.
    """

    name: str
    path: Path
    sources: Mapping[str, Source]
    models: Mapping[str, Model]
    facts: Mapping[str, Fact]
    control_schema: str
    scratch_schema: str

    @property
    def dictionary_path(self) -> Path:
        """Where the committed dictionary of this project is: beside its folder."""
        return self.path.parent / "dictionary.yaml"

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change with whatever the dictionary is derived from."""
        tables: list[Table] = [*self.sources.values(), *self.facts.values()]
        queries = [self.models[name].sql for name in sorted(self.models)]
        text = "\n".join([*(table.model_dump_json() for table in tables), *queries])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def fact(self, name: str) -> Fact:
        """Return the fact of that name, or raise ProjectError with the known ones."""
        return self._named(self.facts, name, "fact")

    def source(self, name: str) -> Source:
        """Return the source of that name, or raise ProjectError with the known ones."""
        return self._named(self.sources, name, "source")

    def _named(self, known: Mapping[str, T], name: str, kind: str) -> T:
        if name not in known:
            message = f"No {kind} {name!r} in project {self.name} ({self.path}). Known: {', '.join(sorted(known))}."
            raise ProjectError(message)
        return known[name]


def load_project(path: Path = DEFAULT_PROJECT) -> Project:
    """Read the dbt project in the folder `path`.

    Raises:
        ProjectError: a file, key, reference or Jinja expression is wrong; the message names file and place.
    """
    settings = _read_yaml(path / "dbt_project.yml")
    name = settings.get("name") or _fail(path / "dbt_project.yml", "has no `name`")
    folders = [path / folder for folder in settings.get("model-paths", ["models"])]
    properties = list(_properties(folders))
    sources = _sources(properties)
    target_schema = _target_schema(path, settings)
    files = {file.stem: file for folder in folders for file in sorted(folder.rglob("*.sql"))}
    renderer = _Renderer(sources, files, settings.get("vars", {}))
    models, facts = {}, {}
    described = {entry["name"]: (file, entry) for file, content in properties for entry in content.get("models", [])}
    for model_name, file in files.items():
        file_of, entry = described.get(model_name, (file, {}))
        config = _folder_config(settings, name, file.relative_to(_folder_of(file, folders)))
        config |= entry.get("config", {})
        sql, in_file = renderer.render(file)
        config |= in_file
        relation = _relation(model_name, config, target_schema)
        models[model_name] = Model(name=model_name, path=str(file), sql=sql, relation=relation)
        if "unique_key" in config:
            facts[model_name] = _fact(file_of, entry, model_name, relation, config)
    control_schema, scratch_schema = (
        _schema_name(path, settings, *default)
        for default in (("cdc_control_schema", "cdc"), ("cdc_scratch_schema", "cdc_scratch"))
    )
    return Project(
        name=name,
        path=path,
        sources=sources,
        models=models,
        facts=facts,
        control_schema=control_schema,
        scratch_schema=scratch_schema,
    )


class _Renderer:
    """Renders one model file with ref, source, config and var; keeps what config() said."""

    def __init__(self, sources: Mapping[str, Source], files: Mapping[str, Path], variables: Mapping[str, Any]) -> None:
        self._sources = sources
        self._files = files
        self._variables = variables
        self._environment = jinja2.Environment(undefined=jinja2.StrictUndefined)  # noqa: S701 - SQL, not HTML

    def render(self, file: Path) -> tuple[str, dict[str, Any]]:
        config: dict[str, Any] = {}

        def set_config(**values: Any) -> str:
            config.update(values)
            return ""

        def ref(model: str) -> str:
            if model not in self._files:
                _fail(file, f"ref({model!r}): no such model. Known: {', '.join(sorted(self._files))}")
            return f"{REF_SCHEMA}.{model}"

        def source(group: str, table: str) -> str:
            known = self._sources.get(table)
            if known is None:
                _fail(file, f"source({group!r}, {table!r}): no such source. Known: {', '.join(sorted(self._sources))}")
            return known.relation

        def var(name: str, *default: Any) -> Any:
            if name not in self._variables and not default:
                known = ", ".join(sorted(self._variables))
                _fail(file, f"var({name!r}) is not set under `vars` in dbt_project.yml. Known: {known}")
            return self._variables.get(name, *default)

        try:
            template = self._environment.from_string(file.read_text())
            return template.render(ref=ref, source=source, var=var, config=set_config), config
        except jinja2.TemplateSyntaxError as error:
            _fail(file, f"line {error.lineno}: {error.message}")
        except jinja2.UndefinedError as error:
            _fail(file, f"{error.message}. Known words: ref, source, config, var")


def _properties(folders: Sequence[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    for folder in folders:
        for file in sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")]):
            yield file, _read_yaml(file)


def _sources(properties: Sequence[tuple[Path, dict[str, Any]]]) -> dict[str, Source]:
    sources: dict[str, Source] = {}
    for file, content in properties:
        for group in content.get("sources", []):
            for table in group.get("tables", []):
                source = _source(file, group, table)
                if source.name in sources:
                    _fail(file, f"source table {source.name} is defined twice")
                sources[source.name] = source
    return sources


def _source(file: Path, group: Mapping[str, Any], table: Mapping[str, Any]) -> Source:
    place = f"sources.{group.get('name')}.{table.get('name')}"
    meta = table.get("config", {}).get("meta", {}).get("cdc")
    if meta is None:
        _fail(file, f"{place} has no `config: meta: cdc:` (staging, key, cursor)")
    try:
        cdc = Cdc.model_validate(meta)
        source = Source(
            name=table["name"],
            relation=f"{group.get('schema', group['name'])}.{table.get('identifier', table['name'])}",
            columns=_columns(table),
            **cdc.model_dump(),
        )
    except ValidationError as error:
        _fail_validation(file, place, error)
    named = {source.key, source.cursor, source.created, source.dist, *source.sort} - {None}
    _require_columns(file, place, named, source.column_names)
    return source


def _fact(file: Path, entry: Mapping[str, Any], name: str, relation: str | None, config: Mapping[str, Any]) -> Fact:
    place = f"models.{name}"
    if relation is None:
        _fail(file, f"{place} has a unique_key but is not materialized: set materialized='table'")
    meta = config.get("meta", {}).get("cdc", {})
    sort = config.get("sort", [])
    try:
        fact = Fact(
            name=name,
            relation=relation,
            columns=_columns(entry),
            unique_key=config["unique_key"],
            anchor=meta.get("anchor", config["unique_key"]),
            maintenance=meta.get("maintenance", "incremental"),
            dist=config.get("dist"),
            sort=(sort,) if isinstance(sort, str) else tuple(sort),
        )
    except ValidationError as error:
        _fail_validation(file, place, error)
    named = {fact.unique_key, fact.anchor, fact.dist, *fact.sort} - {None}
    _require_columns(file, place, named, fact.column_names)
    return fact


def _columns(entry: Mapping[str, Any]) -> tuple[Column, ...]:
    return tuple(
        Column.model_validate({"name": column.get("name"), "data_type": column.get("data_type")})
        for column in entry.get("columns", [])
    )


def _require_columns(file: Path, place: str, named: set[str | None], known: Sequence[str]) -> None:
    missing = sorted(str(name) for name in named - set(known))
    if missing:
        _fail(file, f"{place} names columns that it does not list: {', '.join(missing)}. Listed: {', '.join(known)}")


def _folder_config(settings: Mapping[str, Any], project: str, file: Path) -> dict[str, Any]:
    """Return the +settings of dbt_project.yml for a model file, the deepest folder winning."""
    level = settings.get("models", {}).get(project, {})
    config: dict[str, Any] = {}
    for part in [*file.parent.parts, None]:
        config |= {key.removeprefix("+"): value for key, value in level.items() if key.startswith("+")}
        level = level.get(part, {})
    return config


def _folder_of(file: Path, folders: Sequence[Path]) -> Path:
    return next(folder for folder in folders if file.is_relative_to(folder))


def _relation(name: str, config: Mapping[str, Any], target_schema: str) -> str | None:
    """Return the relation that dbt would build for a model, None where it builds none (ephemeral)."""
    if config.get("materialized", "view") == "ephemeral":
        return None
    schema = f"{target_schema}_{config['schema']}" if config.get("schema") else target_schema
    return f"{schema}.{config.get('alias', name)}"


def _schema_name(path: Path, settings: Mapping[str, Any], variable: str, default: str) -> str:
    try:
        return TypeAdapter(Identifier).validate_python(settings.get("vars", {}).get(variable, default))
    except ValidationError as error:
        _fail_validation(path / "dbt_project.yml", f"vars.{variable}", error)


def _target_schema(path: Path, settings: Mapping[str, Any]) -> str:
    file = path / "profiles.yml"
    profile = _read_yaml(file).get(settings.get("profile", ""), {})
    try:
        target = profile["outputs"][profile["target"]]
        return str(target["schema"])
    except (KeyError, TypeError):
        _fail(file, f"expected {settings.get('profile')}.outputs.<target>.schema, the schema that dbt builds into")


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        content = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)
    except FileNotFoundError:
        _fail(file, "does not exist: a dbt project has dbt_project.yml, profiles.yml and models/")
    except yaml.YAMLError as error:
        _fail(file, f"is no valid YAML: {error}")
    if content is None:
        return {}
    if not isinstance(content, dict):
        _fail(file, f"expected a mapping at the top, found {type(content).__name__}")
    return content


def _fail(file: Path, problem: str) -> NoReturn:
    message = f"{file}: {problem}."
    raise ProjectError(message)


def _fail_validation(file: Path, place: str, error: ValidationError) -> NoReturn:
    problems = "; ".join(
        f"{'.'.join(str(part) for part in item['loc'])}: {item['msg'].removeprefix('Value error, ')}"
        for item in error.errors()
    )
    message = f"{file}: {place}: {problems}."
    raise ProjectError(message) from error

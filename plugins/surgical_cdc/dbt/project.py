"""Loads a dbt project: sources, models and facts, rendered in dbt's own words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlglot import exp

from surgical_cdc.dbt.properties import (
    ModelConfig,
    ModelEntry,
    PropertiesFile,
    SourceConfig,
    SourceEntry,
    TableEntry,
    fail_validation,
    shaped,
)
from surgical_cdc.dbt.rendering import Config, Renderer, This, WordError, YamlRenderer, merged
from surgical_cdc.dbt.settings import Settings, fail, files_in, load_settings, read_yaml
from surgical_cdc.dbt.tables import Cdc, Column, Fact, Identifier, Model, Retention, Source, Table
from surgical_cdc.errors import ProjectError, shortened

T = TypeVar("T")
IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)
PATHS: TypeAdapter[list[str]] = TypeAdapter(list[str])
REF_SCHEMA = "ref"
DEFAULT_PROJECT = Path(__file__).resolve().parents[3] / "include" / "sql"
TABLES = ("table", "incremental")
MATERIALIZATIONS = ("ephemeral", "view", *TABLES)
# What dbt does besides the SELECT when it builds a model; a fact that the engine keeps would lack it.
BESIDE_THE_SELECT = ("pre-hook", "post-hook", "pre_hook", "post_hook", "sql_header")
Properties = Sequence[tuple[Path, Path, PropertiesFile]]


@dataclass(frozen=True, eq=False)
class Project:
    """A checked project. Keys of the mappings are names; facts are models that have a row key.

    `control_schema` has what is kept between runs, for as long as `retention` says, `scratch_schema` the change sets of
    the runs; `documents` are files into which what the models say is written. `threads` are the target's: so many steps
    run side by side in a cycle without a scheduler.

    `unkept` are the models that dbt builds as tables and that have no row key, so that nobody keeps them up to date.

    A project equals only itself, so that what is compiled from it can be kept by it.
    """

    name: str
    path: Path
    sources: Mapping[str, Source]
    models: Mapping[str, Model]
    facts: Mapping[str, Fact]
    unkept: tuple[str, ...]
    control_schema: str
    scratch_schema: str
    retention: Retention
    documents: tuple[Path, ...]
    threads: int

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

    def command(self, words: str) -> str:
        """Return a command of the command line on this project, for messages that say what to do."""
        default = self.path.resolve() == DEFAULT_PROJECT
        return f"python -m surgical_cdc {words}{'' if default else f' --project {self.path}'}"

    def fact(self, name: str) -> Fact:
        """Return the fact of that name, or raise ProjectError with the known ones."""
        return self._named(self.facts, name, "fact")

    def source(self, name: str) -> Source:
        """Return the source of that name, or raise ProjectError with the known ones."""
        return self._named(self.sources, name, "source")

    def _named(self, known: Mapping[str, T], name: str, kind: str) -> T:
        if name not in known:
            message = (
                f"No {kind} {shortened(name)} in project {self.name} ({self.path}). Known: {', '.join(sorted(known))}."
            )
            raise ProjectError(message)
        return known[name]


def load_project(path: Path = DEFAULT_PROJECT) -> Project:
    """Read the dbt project in the folder `path`.

    Raises:
        ProjectError: a file, key, reference or Jinja expression is wrong; the message names file and place.
    """
    settings = load_settings(path)
    yaml_renderer = YamlRenderer(settings.target, settings.variables)
    properties = [
        (folder, file, shaped(PropertiesFile, yaml_renderer.render(read_yaml(file), file), file))
        for folder, file in files_in(settings.model_folders, ".yml", ".yaml")
    ]
    declared = _declared_sources(settings, properties)
    sources = {source.name: source for source in declared.values() if isinstance(source, Source)}
    models, facts, unkept = _Models(settings, properties, declared).load()
    if not facts:
        _refuse_no_fact(settings)
    _check_relations(sources, facts)
    control_schema = _variable(settings, "cdc_control_schema", "cdc", IDENTIFIER)
    scratch_schema = _variable(settings, "cdc_scratch_schema", "cdc_scratch", IDENTIFIER)
    _check_schemas(settings, (control_schema, scratch_schema), sources, facts)
    return Project(
        name=settings.name,
        path=path,
        sources=sources,
        models=models,
        facts=facts,
        unkept=unkept,
        control_schema=control_schema,
        scratch_schema=scratch_schema,
        retention=_variable(settings, "cdc_retention", Retention(), TypeAdapter(Retention)),
        documents=_documents(settings),
        threads=settings.target["threads"],
    )


@dataclass(frozen=True)
class _Untracked:
    """A source table without `cdc` meta, which models that no fact reads may read."""

    file: Path
    relation: str


@dataclass
class _Rendered:
    """A model after rendering: its SQL, settings, relation, and what it reads."""

    file: Path
    sql: str
    config: dict[str, Any]
    relation: str
    refs: list[str] = field(default_factory=list)
    untracked: list[str] = field(default_factory=list)
    lines: tuple[int, ...] = ()

    @cached_property
    def settings(self) -> ModelConfig:
        """Its settings, checked; not to be asked for before it is rendered."""
        return shaped(ModelConfig, self.config, self.file, "config")


class _Models:
    """Renders the model files of a project, each with its settings, and tells facts from other models."""

    def __init__(
        self, settings: Settings, properties: Properties, sources: Mapping[tuple[str, str], Source | _Untracked]
    ) -> None:
        self._settings = settings
        self._sources = sources
        self._described = _described(properties)
        self._files = _model_files(settings)
        self._seeds = {file.stem for _, file in files_in(settings.seed_folders, ".csv")}
        self._renderer = Renderer(
            project=settings.name,
            target=settings.target,
            variables=settings.variables,
            macro_files=[file for _, file in files_in(settings.macro_folders, ".sql")],
        )
        self._known = ", ".join(sorted(self._files))

    def load(self) -> tuple[dict[str, Model], dict[str, Fact], tuple[str, ...]]:
        """Return the enabled models, those among them that are facts, and the names of tables that are none."""
        rendered = {name: self._render(name, file) for name, (_, file) in self._files.items()}
        enabled = {name: found for name, found in rendered.items() if found.settings.enabled}
        _check_order(enabled)
        models, facts = {}, {}
        for name, found in enabled.items():
            for ref in found.refs:
                if ref not in enabled:
                    fail(found.file, f"ref({ref!r}): that model is disabled")
            models[name] = self._model(name, found)
            if found.settings.unique_key is not None:
                facts[name] = self._fact(name, found)
                self._check_tracked(name, enabled)
        tables = [name for name, found in enabled.items() if found.settings.materialized in TABLES]
        return models, facts, tuple(name for name in tables if name not in facts)

    def _render(self, name: str, file: Path) -> _Rendered:
        """Render a file, twice if it calls config(): config.get() and `this` have what it says anywhere."""
        folder = self._files[name][0]
        _, entry = self._described.get(name, (file, ModelEntry(name=name)))
        place = [*file.relative_to(folder).parent.parts, name]
        config = merged(self._settings.config_of("models", place), entry.config)
        found = self._render_with(name, file, Config(config))
        return found if found.config == config else self._render_with(name, file, Config(found.config, complete=True))

    def _render_with(self, name: str, file: Path, settings: Config) -> _Rendered:
        found = _Rendered(file, "", settings.settings, self._relation(name, file, settings.settings))
        words = {
            "config": settings,
            "this": This(found.relation),
            "ref": self._ref(found),
            "source": self._source(found),
        }
        found.sql, found.lines = self._renderer.model(file, words)
        found.config = settings.settings
        return found

    def _ref(self, found: _Rendered) -> Callable[..., str]:
        def ref(*names: str, **version: Any) -> str:
            said = f"ref({', '.join(map(repr, names))})"
            if version:
                raise WordError(f"{said}: versions of models are not supported")
            *package, name = names or ("",)
            if package and package != [self._settings.name]:
                raise WordError(f"{said}: models of packages are not supported; this project is {self._settings.name}")
            if name in self._seeds:
                raise WordError(
                    f"{said} is a seed, whose changes nothing tells. Describe its table as a source with `cdc` meta"
                    " (load: snapshot), and read that"
                )
            if name not in self._files:
                raise WordError(f"{said}: no such model. Known: {self._known}")
            found.refs.append(name)
            return f"{REF_SCHEMA}.{_in_model(name)}"

        return ref

    def _source(self, found: _Rendered) -> Callable[[str, str], str]:
        def source(group: str, table: str) -> str:
            known = self._sources.get((group, table))
            if known is None:
                names = ", ".join(f"{group}.{table}" for group, table in sorted(self._sources))
                raise WordError(f"source({group!r}, {table!r}): no such source. Known: {names}")
            if isinstance(known, _Untracked):
                found.untracked.append(f"source({group!r}, {table!r}), described in {known.file}")
            return _in_model(known.relation)

        return source

    def _relation(self, name: str, file: Path, config: Mapping[str, Any]) -> str:
        """Return the relation that dbt builds for a model, by the project's own macros if it has them."""
        node = {"name": name, "resource_type": "model", "package_name": self._settings.name, "config": dict(config)}
        custom, alias = config.get("schema"), config.get("alias")
        target_schema = self._settings.target["schema"]
        schema = f"{target_schema}_{custom}" if custom else target_schema
        table = alias or name
        if "generate_schema_name" in self._renderer.macros:
            schema = self._renderer.call("generate_schema_name", file, custom, node)
        if "generate_alias_name" in self._renderer.macros:
            table = self._renderer.call("generate_alias_name", file, alias, node)
        return f"{schema}.{table}"

    def _model(self, name: str, found: _Rendered) -> Model:
        kind = found.settings.materialized
        if kind not in MATERIALIZATIONS:
            fail(found.file, f"materialized is {kind!r}; supported: {', '.join(MATERIALIZATIONS)}")
        relation = None if kind == "ephemeral" else found.relation
        try:
            return Model(name=name, path=str(found.file), sql=found.sql, lines=found.lines, relation=relation)
        except ValidationError as error:
            fail_validation(found.file, f"models.{name}", error)

    def _fact(self, name: str, found: _Rendered) -> Fact:
        file, entry = self._described.get(name, (found.file, ModelEntry(name=name)))
        settings, place = found.settings, f"models.{name}"
        kind = settings.materialized
        if kind not in TABLES:
            fail(file, f"{place} has a unique_key but is materialized as {kind}: set materialized='table'")
        beside = [key for key in BESIDE_THE_SELECT if found.config.get(key)]
        if beside:
            fail(
                file, f"{place} has a {beside[0]}, which the engine does not run: a fact is its SELECT, and that alone"
            )
        _check_database(file, place, settings.database, self._settings)
        key, sort, meta = settings.unique_key, settings.sort, settings.meta.cdc
        if isinstance(key, list):
            if len(key) != 1:
                fail(file, f"{place} has a unique_key of {len(key)} columns; a row key is one: make it in the SELECT")
            (key,) = key
        try:
            fact = Fact(
                name=name,
                relation=found.relation,
                columns=_columns(file, place, entry),
                unique_key=key,
                anchor=meta.anchor or key,
                maintenance=meta.maintenance,
                dist=settings.dist,
                sort=(sort,) if isinstance(sort, str) else tuple(sort),
            )
        except ValidationError as error:
            fail_validation(file, place, error)
        named = {fact.unique_key, fact.anchor, fact.dist, *fact.sort} - {None}
        _require_columns(file, place, named, fact.column_names)
        return fact

    def _check_tracked(self, fact: str, models: Mapping[str, _Rendered]) -> None:
        """Refuse a fact that reads, through any model, a source in which nobody looks for changes."""
        reached, waiting = set(), [fact]
        while waiting:
            name = waiting.pop()
            if name in reached:
                continue
            reached.add(name)
            waiting += models[name].refs
            for source in models[name].untracked:
                fail(
                    models[name].file,
                    f"{source}, has no `config: meta: cdc:` (staging, key, cursor), and the fact {fact} reads it",
                )


def _documents(settings: Settings) -> tuple[Path, ...]:
    """Return the files that the documents of a project are, links followed: what is written stays beside its folder."""
    folder = settings.path.resolve().parent
    documents = []
    for name in _variable(settings, "cdc_documents", [], PATHS):
        document = _document(settings, name)
        if not document.is_relative_to(folder):
            fail(
                settings.file,
                f"vars: cdc_documents: {name} is {document}, outside of {folder}, which holds the project and its "
                "dictionary.yaml. Move the document there",
            )
        documents.append(document)
    return tuple(documents)


def _refuse_no_fact(settings: Settings) -> NoReturn:
    """Refuse a project that has nothing to keep, of which a folder that is missing is the usual cause."""
    missing = [str(folder) for folder in settings.model_folders if not folder.is_dir()]
    if missing:
        fail(settings.file, f"model-paths names folders that do not exist: {', '.join(missing)}")
    folders = ", ".join(map(str, settings.model_folders))
    fail(settings.file, f"no model in {folders} has a unique_key, so there is no fact to keep up to date")


def _check_order(models: Mapping[str, _Rendered]) -> None:
    """Refuse models that read themselves, over whichever others."""
    try:
        TopologicalSorter({name: found.refs for name, found in models.items()}).prepare()
    except CycleError as error:
        circle = error.args[1][::-1]
        fail(models[circle[0]].file, f"models read one another in a circle: {' reads '.join(circle)}")


def _described(properties: Properties) -> dict[str, tuple[Path, ModelEntry]]:
    """Return what the YAML files say of models."""
    described: dict[str, tuple[Path, ModelEntry]] = {}
    for _, file, content in properties:
        for entry in content.models:
            if entry.name in described:
                fail(file, f"models.{entry.name} is described in {described[entry.name][0]} too")
            if entry.versions:
                fail(file, f"models.{entry.name} has versions, which are not supported")
            described[entry.name] = file, entry
    return described


def _model_files(settings: Settings) -> dict[str, tuple[Path, Path]]:
    """Return the model files by name, each with its folder of model-paths."""
    files: dict[str, tuple[Path, Path]] = {}
    for folder, file in files_in(settings.model_folders, ".sql"):
        if file.stem in files:
            fail(file, f"there is a model of that name in {files[file.stem][1]} too")
        files[file.stem] = folder, file
    return files


def _declared_sources(settings: Settings, properties: Properties) -> dict[tuple[str, str], Source | _Untracked]:
    """Return the source tables by group and name."""
    declared: dict[tuple[str, str], Source | _Untracked] = {}
    places: dict[str, str] = {}
    for folder, file, content in properties:
        for group in content.sources:
            for table in group.tables:
                place = [*file.relative_to(folder).parent.parts, group.name, table.name]
                merged_config = merged(merged(settings.config_of("sources", place), group.config), table.config)
                config = shaped(SourceConfig, merged_config, file, f"sources.{group.name}.{table.name}: config")
                if not config.enabled:
                    continue
                source = _source(file, group, table, config.meta.cdc)
                where = f"{group.name} ({file})"
                if isinstance(source, Source):
                    if source.name in places:
                        fail(
                            file,
                            f"source table {source.name} is defined twice: in {places[source.name]} and in {where}",
                        )
                    places[source.name] = where
                    _check_database(file, f"sources.{group.name}", group.database, settings)
                declared[group.name, table.name] = source
    return declared


def _source(file: Path, group: SourceEntry, table: TableEntry, meta: dict[str, Any] | None) -> Source | _Untracked:
    place = f"sources.{group.name}.{table.name}"
    relation = f"{group.schema_name or group.name}.{table.identifier or table.name}"
    if meta is None:
        return _Untracked(file, relation)
    try:
        cdc = Cdc.model_validate(meta)
        source = Source(name=table.name, relation=relation, columns=_columns(file, place, table), **cdc.model_dump())
    except ValidationError as error:
        fail_validation(file, place, error)
    named = {source.key, source.cursor, source.created, source.dist, *source.sort} - {None}
    _require_columns(file, place, named, source.column_names)
    return source


def _in_model(name: str) -> str:
    """Return a name, or schema.table, as it stands in the text of a model, which is parsed before it is sent."""
    return ".".join(exp.to_identifier(part).sql(dialect="redshift") for part in name.split("."))


def _variable(settings: Settings, variable: str, default: T, kind: TypeAdapter[T]) -> T:
    try:
        return kind.validate_python(settings.variables.get(variable, default))
    except ValidationError as error:
        fail_validation(settings.file, f"vars.{variable}", error)


def _document(settings: Settings, name: str) -> Path:
    try:
        return (settings.path / name).resolve()
    except (OSError, RuntimeError, ValueError):  # a link to itself, a NUL byte
        fail(settings.file, f"vars.cdc_documents: {name!r} leads to no file. Correct it, or the link that it is")


def _check_database(file: Path, place: str, database: str, settings: Settings) -> None:
    """Refuse another database than the one that the connection leads to."""
    if database and database != settings.target.get("dbname"):
        fail(file, f"{place} is in the database {database}; all tables are in the one that the connection leads to")


def _check_relations(sources: Mapping[str, Source], facts: Mapping[str, Fact]) -> None:
    """Refuse one table in two roles: what is staged, what is synced and what is updated are tables of their own."""
    tables = [(f"the staging of source {source.name}", source.staging) for source in sources.values()]
    tables += [(f"the source {source.name}", source.relation) for source in sources.values()]
    tables += [(f"the fact {fact.name}", fact.relation) for fact in facts.values()]
    owners: dict[str, str] = {}
    for owner, relation in tables:
        if relation in owners:
            raise ProjectError(f"{relation} is both {owners[relation]} and {owner}; each needs a table of its own.")
        owners[relation] = owner


def _check_schemas(
    settings: Settings, own: tuple[str, str], sources: Mapping[str, Source], facts: Mapping[str, Fact]
) -> None:
    """Refuse a schema of the engine's own that others use as well: what is in it, the engine drops as it needs."""
    taken = {fact.relation: f"the fact {fact.name}" for fact in facts.values()}
    taken |= {source.staging: f"the staging of source {source.name}" for source in sources.values()}
    taken |= {source.relation: f"the source {source.name}" for source in sources.values()}
    owners = {relation.partition(".")[0]: owner for relation, owner in taken.items()}
    names = ("cdc_control_schema", "cdc_scratch_schema")
    for name, schema in zip(names, own, strict=True):
        if schema in owners:
            fail(settings.file, f"vars.{name}: {schema} is the schema of {owners[schema]}; expected one of its own")
    if own[0] == own[1]:
        fail(settings.file, f"vars: {' and '.join(names)} are both {own[0]}; expected two schemas")


def _columns(file: Path, place: str, entry: ModelEntry | TableEntry) -> tuple[Column, ...]:
    columns: dict[str, Column] = {}
    for position, listed in enumerate(entry.columns):
        given = {key: listed[key] for key in Column.model_fields if listed.get(key) is not None}
        where = f"{place}.columns.{given.get('name', position)}"
        try:
            column = Column.model_validate(given)
        except ValidationError as error:
            fail_validation(file, where, error)
        if column.name in columns:
            fail(file, f"{where} is listed twice")
        columns[column.name] = column
    return tuple(columns.values())


def _require_columns(file: Path, place: str, named: set[str | None], known: Collection[str]) -> None:
    missing = sorted(str(name) for name in named - set(known))
    if missing:
        fail(file, f"{place} names columns that it does not list: {', '.join(missing)}. Listed: {', '.join(known)}")

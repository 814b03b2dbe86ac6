"""Loads the folder `cdc` of a dbt project, in which is all that a run reads of it; compiling writes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import yaml
from pydantic import ValidationError

from surgical_cdc.contract.shapes import fail_validation, shaped
from surgical_cdc.contract.tables import (
    Fact,
    Freshness,
    Identifier,
    Retention,
    Select,
    Source,
    Static,
    Strict,
    Table,
    Verification,
    Volume,
)
from surgical_cdc.dictionary import dictionary_path
from surgical_cdc.errors import ProjectError, shortened
from surgical_cdc.files import fail, read_text, read_yaml

T = TypeVar("T")
N = TypeVar("N", bound=Table)
_VENDORS = Path(__file__).resolve().parents[3] / "include" / "sql"
# In the repository that of the vendors; where the engine alone is installed, the folder one is in, as for dbt itself.
DEFAULT_PROJECT = _VENDORS if _VENDORS.is_dir() else Path()
HEADER = (
    "# What a run reads of this dbt project beside the dictionary and the facts' SELECTs: sources, facts, columns.\n"
    "# Derived from dbt's artifacts by `python -m surgical_cdc compile`. Review it; do not edit it.\n"
)


class Contract(Strict):
    """The file contract.yaml: tables by name, each with its columns by name.

    `select` are the names and tags by which facts were chosen, all that can be if there are none. `left_out` are models
    that could be facts, with what is in the way. `models` are the checksums of the files that it was all made from.
    """

    project: str
    control_schema: Identifier = "cdc"
    scratch_schema: Identifier = "cdc_scratch"
    retention: Retention = Retention()
    verification: Verification = Verification()
    freshness: Freshness = Freshness()
    volume: Volume = Volume()
    select: tuple[str, ...] = ()
    sources: dict[str, dict[str, Any]] = {}
    static: dict[str, dict[str, Any]] = {}
    facts: dict[str, dict[str, Any]] = {}
    left_out: dict[str, str] = {}
    models: dict[str, str] = {}


@dataclass(frozen=True, eq=False)
class Project:
    """A checked project. Keys of the mappings are names; `static` are tables in which nobody looks for changes.

    `selects` has the SELECT of each fact on the sources. `control_schema` has what is kept between runs, for as long as
    `retention` says, `scratch_schema` the change sets of the runs. The rest is as in the contract.

    A project equals only itself, so that what is compiled from it can be kept by it.

    Raises:
        ProjectError: two tables are one, or a schema of the engine's own is another's as well.
    """

    name: str
    path: Path
    sources: Mapping[str, Source]
    facts: Mapping[str, Fact]
    selects: Mapping[str, Select]
    static: Mapping[str, Static] = field(default_factory=dict)
    control_schema: str = "cdc"
    scratch_schema: str = "cdc_scratch"
    retention: Retention = field(default_factory=Retention)
    verification: Verification = field(default_factory=Verification)
    freshness: Freshness = field(default_factory=Freshness)
    volume: Volume = field(default_factory=Volume)
    select: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what no table shows by itself."""
        _check_relations(self)
        _check_schemas(self)

    @property
    def folder(self) -> Path:
        """The folder that compiling writes."""
        return self.path / "cdc"

    @property
    def dictionary_path(self) -> Path:
        """Where the committed dictionary of this project is."""
        return dictionary_path(self.path)

    @cached_property
    def tables(self) -> Mapping[str, Source | Static]:
        """All tables that facts can read, by relation."""
        tables: list[Source | Static] = [*self.sources.values(), *self.static.values()]
        return {table.relation: table for table in tables}

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change with whatever the dictionary is derived from.

        What is as by default is no part of it: a newer version of the engine may know more settings.
        """
        tables: list[Table] = [*self.tables.values(), *self.facts.values()]
        selects = [self.selects[name].sql for name in sorted(self.selects)]
        text = json.dumps([*((table.name, _described(table)) for table in tables), *selects])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def command(self, words: str) -> str:
        """Return a command of the command line on this project, for messages that say what to do."""
        return command(self.path, words)

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


def contract_path(path: Path) -> Path:
    """Return where the contract of the dbt project in a folder is."""
    return path / "cdc" / "contract.yaml"


def select_path(path: Path, fact: str) -> Path:
    """Return where the SELECT of a fact of the dbt project in a folder is."""
    return path / "cdc" / "facts" / f"{fact}.sql"


def command(path: Path, words: str) -> str:
    """Return a command of the command line on the dbt project in a folder."""
    default = path.resolve() == DEFAULT_PROJECT.resolve()
    return f"python -m surgical_cdc {words}{'' if default else f' --project {path}'}"


def load_project(path: Path = DEFAULT_PROJECT) -> Project:
    """Read what was compiled from the dbt project in the folder `path`.

    Raises:
        ProjectError: the project was not compiled, or a file of `cdc` is not as compiling wrote it.
    """
    file = contract_path(path)
    if not file.exists():
        fail(file, f"does not exist. Compile the project with dbt, and then with `{command(path, 'compile')}`")
    try:
        contract = shaped(Contract, read_yaml(file), file)
        sources = _tables(Source, contract.sources, file, "sources")
        static = _tables(Static, contract.static, file, "static")
        facts = _tables(Fact, contract.facts, file, "facts")
    except ProjectError as error:
        # Compiling reads it too, for what was chosen and what were facts.
        message = (
            f"{error} Compiling has written the file: take the committed one back, or remove it and write it anew with"
            f" `{command(path, 'compile')}`."
        )
        raise ProjectError(message) from error
    for name, fact in facts.items():
        if fact.history and name in sources:
            fail(file, f"facts.{name}: a source is called {name} too, and one table can not keep the history of both")
    return Project(
        name=contract.project,
        path=path,
        sources=sources,
        static=static,
        facts=facts,
        selects={name: _select(path, name) for name in contract.facts},
        control_schema=contract.control_schema,
        scratch_schema=contract.scratch_schema,
        retention=contract.retention,
        verification=contract.verification,
        freshness=contract.freshness,
        volume=contract.volume,
        select=contract.select,
        left_out=contract.left_out,
        models=contract.models,
    )


def contract_text(project: Project) -> str:
    """Return the contract of a project as the YAML text that is committed."""
    contract = {
        "project": project.name,
        "control_schema": project.control_schema,
        "scratch_schema": project.scratch_schema,
        "retention": project.retention.model_dump(),
        "verification": project.verification.model_dump(exclude_defaults=True),
        "freshness": project.freshness.model_dump(exclude_defaults=True),
        "volume": project.volume.model_dump(exclude_defaults=True),
        "select": list(project.select),
        "sources": {name: _described(table) for name, table in project.sources.items()},
        "static": {name: _described(table) for name, table in project.static.items()},
        "facts": {name: _described(table) for name, table in project.facts.items()},
        "left_out": dict(project.left_out),
        "models": dict(project.models),
    }
    filled = {key: value for key, value in contract.items() if value}
    return HEADER + yaml.safe_dump(filled, sort_keys=False, width=120, allow_unicode=True)


def _described(table: Table) -> dict[str, Any]:
    """Return what the contract says of a table: what is not as by default, its columns last."""
    described = table.model_dump(mode="json", exclude={"name", "columns"}, exclude_defaults=True)
    return {**described, "columns": {column.name: column.data_type for column in table.columns}}


def _tables(kind: type[N], described: Mapping[str, Mapping[str, Any]], file: Path, place: str) -> dict[str, N]:
    tables = {}
    for name, settings in described.items():
        columns = settings.get("columns")
        if not isinstance(columns, dict):
            fail(file, f"{place}.{name}.columns: expected a mapping of names and data types")
        listed = [{"name": column, "data_type": data_type} for column, data_type in columns.items()]
        tables[name] = table_of(kind, {**settings, "name": name, "columns": listed}, file, f"{place}.{name}")
    return tables


def table_of(kind: type[N], settings: Mapping[str, Any], file: Path, place: str) -> N:
    """Return a table of the contract from what a file says at a place.

    Raises:
        ProjectError: a setting is wrong, or names a column that the table does not have.
    """
    try:
        table = kind.model_validate(settings)
    except ValidationError as error:
        fail_validation(file, place, settings, error)
    known = table.column_names
    if missing := sorted(name for name in table.named_columns() if name not in known):
        fail(file, f"{place} names columns that it does not have: {', '.join(missing)}. Known: {', '.join(known)}")
    return table


def _select(path: Path, fact: str) -> Select:
    file = select_path(path, fact)
    try:
        return Select(path=str(file), sql=read_text(file))
    except FileNotFoundError:
        fail(file, f"does not exist. Write it with `{command(path, 'compile')}`")


def _check_relations(project: Project) -> None:
    """Refuse one table in two roles: what is staged, what is synced and what is updated are tables of their own."""
    owners: dict[str, str] = {}
    for relation, owner in _relations(project):
        if relation in owners:
            raise ProjectError(f"{relation} is both {owners[relation]} and {owner}; each needs a table of its own.")
        owners[relation] = owner


def _check_schemas(project: Project) -> None:
    """Refuse a schema of the engine's own that others use as well: what is in it, the engine drops as it needs."""
    owners = {relation.partition(".")[0]: owner for relation, owner in _relations(project)}
    own = {"cdc_control_schema": project.control_schema, "cdc_scratch_schema": project.scratch_schema}
    for name, schema in own.items():
        if schema in owners:
            _fail_settings(project, f"vars.{name}: {schema} is the schema of {owners[schema]}; expected one of its own")
    if project.control_schema == project.scratch_schema:
        _fail_settings(project, f"vars: {' and '.join(own)} are both {project.control_schema}; expected two schemas")


def _fail_settings(project: Project, problem: str) -> NoReturn:
    fail(project.path / "dbt_project.yml", problem)


def _relations(project: Project) -> list[tuple[str, str]]:
    """Return the relations of a project, each with what it is."""
    return [
        *((source.staging, f"the staging of source {source.name}") for source in project.sources.values()),
        *((source.relation, f"the source {source.name}") for source in project.sources.values()),
        *((static.relation, f"the static table {static.name}") for static in project.static.values()),
        *((fact.relation, f"the fact {fact.name}") for fact in project.facts.values()),
    ]

"""Reads what `dbt compile` and `dbt docs generate` write: target/manifest.json and target/catalog.json.

Of their many fields these few are read, by name. The schemas: https://schemas.getdbt.com/.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import AliasPath, BaseModel, BeforeValidator, Field

from surgical_cdc.contract.shapes import Shape, shaped
from surgical_cdc.errors import ProjectError
from surgical_cdc.files import fail, read_text

MANIFEST = Path("target", "manifest.json")
CATALOG = Path("target", "catalog.json")
# Of dbt 1.8 to 1.12, and of dbt 2.
VERSIONS = (12, 20)
COMPILING = "dbt compile --full-refresh"
CATALOGUING = "dbt docs generate"
# What to do about an artifact that can not be read.
COMPILE, CATALOGUE = f"Compile the project with `{COMPILING}`", f"Write it with `{CATALOGUING}`"
TABLES = ("table", "incremental")
# The test of dbt_utils that some columns are unique together.
COMBINATION = "unique_combination_of_columns"
S = TypeVar("S", bound=BaseModel)
# One value stands alone, as dbt lets it.
Listed = Annotated[list[str], BeforeValidator(lambda given: [given] if isinstance(given, str) else given)]


class NodeColumn(Shape):
    """A column that YAML lists."""

    name: str
    data_type: str | None = None


class Config(Shape):
    """The settings of a node after all inheritance."""

    materialized: str = "view"
    unique_key: Listed = []
    meta: dict[str, Any] = {}
    tags: list[str] = []
    dist: str | None = None
    sort: Listed = []
    grants: dict[str, Listed] = {}
    loaded_at_field: str | None = None
    pre_hook: list[Any] = Field([], alias="pre-hook")
    post_hook: list[Any] = Field([], alias="post-hook")
    sql_header: str | None = None


class DependsOn(Shape):
    """What a node reads, by unique ids."""

    nodes: list[str] = []


class Checksum(Shape):
    """The checksum of a node's file."""

    checksum: str = ""


class Node(Shape):
    """A model, seed or snapshot."""

    unique_id: str
    resource_type: str
    name: str
    package_name: str
    alias: str = ""
    description: str = ""
    original_file_path: str
    relation_name: str | None = None
    columns: dict[str, NodeColumn] = {}
    config: Config = Config()
    checksum: Checksum = Checksum()
    depends_on: DependsOn = DependsOn()
    language: str = "sql"
    primary_key: list[str] = []
    compiled_path: str | None = None
    compiled_code: str | None = None
    raw_code: str = ""

    @property
    def said(self) -> str:
        """What it is called in the file that describes it, for messages."""
        return f"{self.resource_type}s.{self.name}"

    @property
    def called(self) -> str:
        """What it is called, for messages."""
        return f"the {self.resource_type} {self.name}"


class SourceTable(Shape):
    """A table of a source."""

    unique_id: str
    package_name: str = ""
    source_name: str
    name: str
    description: str = ""
    fqn: list[str]
    original_file_path: str
    relation_name: str
    loaded_at_field: str | None = None
    columns: dict[str, NodeColumn] = {}
    config: Config = Config()
    meta: dict[str, Any] = {}
    source_meta: dict[str, Any] = {}

    @property
    def said(self) -> str:
        """What it is called in the file that describes it, for messages."""
        return f"sources.{self.source_name}.{self.name}"

    @property
    def called(self) -> str:
        """What it is called, for messages."""
        return f"{self.source_name}.{self.name}"

    @property
    def cdc(self) -> Mapping[str, Any] | None:
        """Its `meta: cdc:`, that of its source below; None where there is none."""
        said = self.all_cdc
        return {key: value for cdc in said for key, value in cdc.items()} if said else None

    @property
    def all_cdc(self) -> list[Any]:
        """What stands under `meta: cdc:` for it, that of its source first."""
        found = [meta.get("cdc") for meta in (self.source_meta, self.meta, self.config.meta)]
        return [cdc for cdc in found if cdc is not None]


class TestMetadata(Shape):
    """Which generic test a test is, and what it says is unique together if it is dbt_utils' test of that."""

    name: str
    combination: list[str] = Field(default=[], validation_alias=AliasPath("kwargs", "combination_of_columns"))


class TestNode(Shape):
    """A test; `column_name` is None where it is about a whole table."""

    depends_on: DependsOn = DependsOn()
    column_name: str | None = None
    test_metadata: TestMetadata | None = None


class CatalogColumn(Shape):
    """A column that a table has."""

    name: str
    type: str
    index: int = 0


class CatalogTable(Shape):
    """A table that the catalog has found in the warehouse."""

    columns: dict[str, CatalogColumn] = {}


class _Metadata(Shape):
    dbt_schema_version: str
    project_name: str = ""
    adapter_type: str = ""


class _Manifest(Shape):
    metadata: _Metadata
    nodes: dict[str, Any] = {}
    sources: dict[str, Any] = {}


class _Catalog(Shape):
    nodes: dict[str, CatalogTable] = {}
    sources: dict[str, CatalogTable] = {}


@dataclass(frozen=True)
class Artifacts:
    """A dbt project as dbt has compiled it: nodes, source tables and tables of the catalog, by unique id."""

    path: Path
    project_name: str
    nodes: Mapping[str, Node]
    tests: Sequence[TestNode]
    sources: Mapping[str, SourceTable]
    catalog: Mapping[str, CatalogTable]

    @cached_property
    def names(self) -> Mapping[str, int]:
        """How many nodes have a name."""
        return Counter(node.name for node in self.nodes.values())

    def refuse(self, of: Node | SourceTable, problem: str) -> NoReturn:
        """Raise ProjectError for a node or a source table."""
        fail(self.file(of), problem)

    def row_key(self, node: Node) -> tuple[str, ...]:
        """Return a node's `unique_key`, else what is tested to be unique and not null, else dbt's own guess.

        dbt lists each column that is unique by itself in one `primary_key`, and before 1.9 none at all.
        """
        tested = self.tested(node.unique_id)
        certain = [name for name, tests in tested.items() if {"unique", "not_null"} <= tests]
        key = node.config.unique_key or certain[:1] or self.combination(node.unique_id) or node.primary_key
        return tuple(name.strip('"').lower() for name in key)

    def tested(self, unique_id: str) -> Mapping[str, set[str]]:
        """Return the names of the generic tests of a table, by its columns."""
        return self._tested.get(unique_id, {})

    def combination(self, unique_id: str) -> tuple[str, ...]:
        """Return the columns of a table that are tested to be unique together; none where no test says so."""
        return self._combinations.get(unique_id, ())

    @cached_property
    def _combinations(self) -> Mapping[str, tuple[str, ...]]:
        return {
            test.depends_on.nodes[0]: tuple(name.strip('"').lower() for name in test.test_metadata.combination)
            for test in self.tests
            if test.test_metadata and test.test_metadata.name == COMBINATION and len(test.depends_on.nodes) == 1
        }

    @cached_property
    def _tested(self) -> Mapping[str, Mapping[str, set[str]]]:
        tested: dict[str, dict[str, set[str]]] = {}
        for test in self.tests:
            if test.column_name and test.test_metadata and len(test.depends_on.nodes) == 1:
                of_table = tested.setdefault(test.depends_on.nodes[0], {})
                of_table.setdefault(test.column_name.strip('"').lower(), set()).add(test.test_metadata.name)
        return tested

    def cataloged(self, of: Node | SourceTable) -> CatalogTable | None:
        """Return what the catalog has of a table, be it as a node or as a source: dbt keeps it under one of them."""
        return self.catalog.get(of.unique_id) or self._cataloged.get((of.relation_name or "").lower())

    @cached_property
    def _cataloged(self) -> Mapping[str, CatalogTable]:
        known: list[Node | SourceTable] = [*self.nodes.values(), *self.sources.values()]
        return {
            one.relation_name.lower(): self.catalog[one.unique_id]
            for one in known
            if one.relation_name and one.unique_id in self.catalog
        }

    def sql_file(self, node: Node) -> Path:
        """Return the file in which a node's SQL stands as dbt has compiled it."""
        return self.path / (node.compiled_path or node.original_file_path)

    def file(self, of: Node | SourceTable) -> Path:
        """Return the file that a node or a source table is defined in; that of a package is where dbt installs it."""
        own = of.package_name in {"", self.project_name}
        folder = self.path if own else self.path / "dbt_packages" / of.package_name
        return folder / of.original_file_path


def read_artifacts(path: Path) -> Artifacts:
    """Read the artifacts of the dbt project in the folder `path`; a catalog need not be there.

    Raises:
        ProjectError: dbt has not compiled the project, or in a version of which the fields are not known.
    """
    file = path / MANIFEST
    manifest = _shaped(_Manifest, _read(file, COMPILE), file)
    version = re.search(r"/manifest/v(\d+)\.json$", manifest.metadata.dbt_schema_version)
    if version is None or int(version[1]) not in VERSIONS:
        fail(
            file,
            f"metadata.dbt_schema_version is {manifest.metadata.dbt_schema_version!r}, expected a manifest of version"
            f" {' or '.join(map(str, VERSIONS))}: those of dbt 1.8 to 1.12, and of dbt 2. Compile the project with one"
            " of them",
        )
    if manifest.metadata.adapter_type != "redshift":
        fail(
            file,
            f"metadata.adapter_type is {manifest.metadata.adapter_type!r}, expected redshift. Compile the project for a"
            " target of type redshift",
        )
    nodes = {
        name: _shaped(Node, node, file, f"v{version[1]}: nodes.{name}")
        for name, node in manifest.nodes.items()
        if isinstance(node, dict) and node.get("resource_type") in {"model", "seed", "snapshot"}
    }
    tests = [
        shaped(TestNode, node, file, f"nodes.{name}")
        for name, node in manifest.nodes.items()
        if isinstance(node, dict) and node.get("resource_type") == "test"
    ]
    sources = {
        name: _shaped(SourceTable, table, file, f"v{version[1]}: sources.{name}")
        for name, table in manifest.sources.items()
    }
    for table in sources.values():
        for cdc in table.all_cdc:
            if not isinstance(cdc, dict):
                problem = f"{table.said}: meta.cdc: expected a mapping, found {type(cdc).__name__}"
                fail(path / table.original_file_path, problem)
    catalog_file = path / CATALOG
    catalog = _Catalog()
    if catalog_file.exists():
        catalog = _shaped(_Catalog, _read(catalog_file, CATALOGUE), catalog_file, remedy=CATALOGUE)
    return Artifacts(path, manifest.metadata.project_name, nodes, tests, sources, {**catalog.nodes, **catalog.sources})


def _shaped(shape: type[S], content: Any, file: Path, place: str = "", *, remedy: str = COMPILE) -> S:
    try:
        return shaped(shape, content, file, place)
    except ProjectError as error:
        message = f"{error} {remedy}."
        raise ProjectError(message) from error


def _read(file: Path, remedy: str) -> dict[str, Any]:
    try:
        content = json.loads(read_text(file))
    except FileNotFoundError:
        fail(file, f"does not exist. {remedy}")
    except RecursionError:
        fail(file, f"is nested too deep to be read. {remedy}")
    except ValueError as error:
        fail(file, f"is no JSON: {error}. {remedy}")
    if not isinstance(content, dict):
        fail(file, f"expected an object at the top, found {type(content).__name__}. {remedy}")
    return content

"""A dbt project that a test writes, one file at a time, and has compiled without waiting for dbt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surgical_cdc.compiler.compilation import Compilation, compile_project
from tests.support.manifests import write_manifest

SETTINGS = "{name: small, profile: small, models: {small: {+materialized: table}}}"
PROFILES = "{small: {target: t, outputs: {t: {type: redshift, dbname: dev, schema: facts}}}}"
CDC = {"staging": "staging.{name}", "key": "id", "cursor": "updated_at"}
COLUMNS = {"id": "bigint", "n": "integer", "updated_at": "timestamp"}
SELECT = "SELECT o.id, o.n FROM {{ source('live', 'orders') }} AS o"
ROW = {"id": "bigint", "n": "integer"}


def columns(types: Mapping[str, str | None]) -> list[dict[str, str]]:
    """Return what YAML lists as columns; one without a type has its name alone."""
    return [{"name": name, **({"data_type": given} if given else {})} for name, given in types.items()]


def table(name: str, *, types: Mapping[str, str | None] = COLUMNS, **settings: Any) -> dict[str, Any]:
    """Return what YAML says of a table of a source, by which it has `cdc` meta unless `settings` has other."""
    return {"name": name, "columns": columns(types), "config": {"meta": {"cdc": CDC}}, **settings}


@dataclass(frozen=True)
class Small:
    """A project in a folder, which has the source live.orders, the fact `fact` on it, and what a test adds."""

    path: Path

    def write(self, name: str, content: object) -> None:
        """Write a file; YAML is a superset of JSON."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))

    def sources(self, *tables: Mapping[str, Any], group: str = "live", **settings: Any) -> None:
        """Describe a source with its tables."""
        described = {"name": group, "schema": group, "tables": list(tables), **settings}
        self.write(f"models/{group}.yml", {"sources": [described]})

    def model(
        self, name: str, sql: str, config: str = "unique_key='id'", *, types: Mapping[str, str | None] | None = ROW
    ) -> None:
        """Write a model, and list its columns if there are `types`."""
        self.write(f"models/{name}.sql", f"{{{{ config({config}) }}}}\n{sql}\n")
        (self.path / f"models/{name}.yml").unlink(missing_ok=True)
        if types is not None:
            self.write(f"models/{name}.yml", {"models": [{"name": name, "columns": columns(types)}]})

    def manifest(self) -> dict[str, Any]:
        """Have dbt compile the project, and return the manifest."""
        content: dict[str, Any] = json.loads(write_manifest(self.path).read_text())
        return content

    def catalog(self, tables: Mapping[str, Mapping[str, str]]) -> None:
        """Write dbt's catalog: columns and types by unique id, in the table's order but for how JSON lists them."""
        content: dict[str, dict[str, Any]] = {"nodes": {}, "sources": {}}
        for unique_id, types in tables.items():
            places = list(enumerate(types.items(), start=1))
            listed = {
                name: {"name": name, "type": data_type, "index": place} for place, (name, data_type) in reversed(places)
            }
            kind = "sources" if unique_id.startswith("source.") else "nodes"
            content[kind][unique_id] = {"columns": listed}
        self.write("target/catalog.json", content)

    def compile(self, *select: str, manifest: Mapping[str, Any] | None = None) -> Compilation:
        """Do what dbt does, unless the manifest is given, and compile; nothing is written."""
        self.write("target/manifest.json", self.manifest() if manifest is None else manifest)
        return compile_project(self.path, select=select, progress=lambda _: None)


def small(folder: Path) -> Small:
    """Write the project into a folder."""
    project = Small(folder / "sql")
    project.write("dbt_project.yml", SETTINGS)
    project.write("profiles.yml", PROFILES)
    project.sources(table("orders"))
    project.model("fact", SELECT)
    return project

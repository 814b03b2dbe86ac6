"""Writes a small project's target/manifest.json as dbt 1.11 does, at once: dbt itself takes seconds a project."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Self

import jinja2
import yaml
from jinja2 import nodes
from jinja2.ext import Extension

DBT_SCHEMA = "https://schemas.getdbt.com/dbt/manifest/v12.json"
DBT_VERSION = "1.11.16"
# Macros get this prefix inside Jinja, so that a call of one is looked up among the words and can `return` a value.
MACRO_PREFIX = "macro__"
# Keys of YAML that dbt leaves as they are, or renders where they are used.
UNRENDERED = {
    "description",
    "tests",
    "data_tests",
    "vars",
    *(f"{p}{w}{h}" for p in ("", "+") for w in ("pre", "post") for h in ("-hook", "_hook")),
}
ONE_EXPRESSION = re.compile(r"\{\{((?:(?!\}\}).)*)\}\}", re.DOTALL)
# Where dbt puts the ephemeral models: behind the model's own WITH, else before its first comment.
BEFORE_CTES = re.compile(
    r"(\s*)((?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*with\s+(?:recursive\s+)?)?", re.DOTALL | re.IGNORECASE
)
CONFIG: dict[str, Any] = {
    "enabled": True, "alias": None, "schema": None, "database": None, "tags": [], "meta": {}, "group": None,
    "static_analysis": None, "materialized": "view", "incremental_strategy": None, "batch_size": None, "lookback": 1,
    "begin": None, "persist_docs": {}, "post-hook": [], "pre-hook": [], "quoting": {}, "column_types": {},
    "full_refresh": None, "unique_key": None, "on_schema_change": "ignore", "on_configuration_change": "apply",
    "grants": {}, "packages": [], "docs": {"show": True, "node_color": None},
    "contract": {"enforced": False, "alias_types": True}, "event_time": None, "concurrent_batches": None,
}  # fmt: skip
MODEL_CONFIG = {**CONFIG, "access": "protected", "freshness": None}
SEED_CONFIG = {**CONFIG, "materialized": "seed", "delimiter": ",", "quote_columns": None}
SOURCE_CONFIG: dict[str, Any] = {
    "enabled": True, "meta": {}, "tags": [], "loaded_at_field": None, "loaded_at_query": None
}  # fmt: skip
Node = dict[str, Any]
Words = dict[str, Any]


def write_manifest(project: Path) -> Path:
    """Write target/manifest.json into a dbt project's folder, as `dbt compile --full-refresh` does.

    Of its fields those that the engine reads, and no tests. What is wrong in a project raises any exception.
    """
    file = project / "target" / "manifest.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(_Project(project).manifest(), indent=1), encoding="utf-8")
    return file


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


class _OtherBlocks(Extension):
    """Leaves out what may stand beside macros and no model calls."""

    tags = {"test", "data_test", "materialization", "docs"}  # noqa: RUF012 - Jinja's own declaration

    def parse(self, parser: Any) -> list[nodes.Node]:
        tag = next(parser.stream).value
        while parser.stream.current.type != "block_end":
            next(parser.stream)
        parser.parse_statements((f"name:end{tag}",), drop_needle=True)
        return []


class _Relation(str):
    """A table as dbt writes it; the words `this`, ref() and source() have its parts as attributes."""

    __slots__ = ("database", "identifier", "name", "schema", "table")

    def __new__(cls, database: str, schema: str, identifier: str) -> Self:
        relation = super().__new__(cls, ".".join(f'"{part}"' for part in (database, schema, identifier)))
        relation.database, relation.schema, relation.identifier = database, schema, identifier
        relation.name = relation.table = identifier
        return relation


class _Config:
    """The word `config`: hands on the settings that a model is given where it is called, and reads those of all."""

    def __init__(self, settings: Mapping[str, Any], add: Callable[[Mapping[str, Any]], object]) -> None:
        self._settings, self._add = settings, add

    def __call__(self, given: Mapping[str, Any] | None = None, /, **values: Any) -> str:
        self._add({**(given or {}), **values})
        return ""

    def get(self, name: str, default: Any = None) -> Any:
        return self._settings.get(name, default)

    def require(self, name: str) -> Any:
        return self._settings[name]


class _Project:
    def __init__(self, path: Path) -> None:
        self._path = path
        extensions = ["jinja2.ext.do", "jinja2.ext.loopcontrols", _OtherBlocks]
        self._environment = jinja2.Environment(undefined=jinja2.StrictUndefined, extensions=extensions)  # noqa: S701
        literals = dict.fromkeys(("as_native", "as_bool", "as_number"), lambda value: yaml.safe_load(str(value)))
        self._environment.filters |= {"as_text": str, **literals}
        self._words: Words = {"env_var": lambda name, default=None: os.environ.get(name, default)}
        self._words |= {"is_incremental": lambda: False, "return": _return, "execute": True, "log": lambda *_, **__: ""}
        profile_name = self._load(path / "dbt_project.yml")["profile"]
        profile = self._load(path / "profiles.yml")[profile_name]
        name = profile.get("target", "default")
        target = {"dbname": "dev", "threads": 1, **profile["outputs"][name], "name": name, "profile_name": profile_name}
        self._words["target"] = target | {"database": target["dbname"]}
        self._settings = self._load(path / "dbt_project.yml")
        self.name = self._settings["name"]
        given = self._settings.get("vars", {})
        self._variables = {**given, **given.get(self.name, {})}
        self._macros = [self._macro_file(file) for _, file in self._files("macro", "*.sql")]
        self._properties = [
            (file.relative_to(folder).parent.parts, file, self._load(file) or {})
            for kind in ("model", "seed")
            for folder, file in self._files(kind, "*.y*ml")
        ]
        self._nodes: dict[str, Node] = {}
        self._sources: dict[tuple[str, str], Node] = {}
        self._compiled: dict[str, tuple[str, dict[str, str]]] = {}

    def manifest(self) -> dict[str, Any]:
        """Return the content of the manifest."""
        self._sources = {(found["source_name"], found["name"]): found for found in self._read_sources()}
        parsed = [self._parse_seed(*place) for place in self._files("seed", "*.csv")]
        found = [self._parse_model(*place) for place in self._files("model", "*.sql")]
        parsed += [node for node, _, _ in found]
        self._nodes = {node["name"]: node for node in parsed if node["config"]["enabled"]}
        for node, refs, sources in found:
            if node["config"]["enabled"]:
                read = [self._nodes[name] for name in refs] + [self._sources[names] for names in sources]
                node["depends_on"]["nodes"] = list(dict.fromkeys(one["unique_id"] for one in read))
                node["compiled_code"] = _with_ctes(*self._compile(node))
        return {
            "metadata": {
                "dbt_schema_version": DBT_SCHEMA,
                "dbt_version": DBT_VERSION,
                "project_name": self.name,
                "adapter_type": self._words["target"]["type"],
            },
            "nodes": {node["unique_id"]: node for node in self._nodes.values()},
            "sources": {node["unique_id"]: node for node in self._sources.values()},
        }

    def _files(self, kind: str, pattern: str) -> Iterator[tuple[Path, Path]]:
        for name in self._settings.get(f"{kind}-paths", [f"{kind}s"]):
            for file in sorted((self._path / name).rglob(pattern)):
                yield self._path / name, file

    def _load(self, file: Path) -> Any:
        return self._yaml(yaml.safe_load(file.read_text(encoding="utf-8")))

    def _yaml(self, value: Any, key: str = "") -> Any:
        """Return a value of YAML with the Jinja in it rendered; what is one expression keeps its type."""
        if isinstance(value, dict):
            return {name: inner if name in UNRENDERED else self._yaml(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._yaml(inner, key) for inner in value]
        if isinstance(value, date):
            return value.isoformat()
        if not isinstance(value, str) or "{" not in value:
            return value
        words = self._all_words({}) if "target" in self._words else self._words
        if found := ONE_EXPRESSION.fullmatch(value):
            return self._environment.compile_expression(found[1], undefined_to_none=False)(words)
        return self._environment.from_string(value).render(words)

    def _macro_file(self, file: Path) -> tuple[list[str], jinja2.Template]:
        tree = self._environment.parse(file.read_text(encoding="utf-8"))
        macros = list(tree.find_all(nodes.Macro))
        names = [macro.name for macro in macros]
        for macro in macros:
            macro.name = MACRO_PREFIX + macro.name
        return names, self._environment.from_string(tree)

    def _all_words(self, words: Words) -> Words:
        """Return all that a template can name; macros see what is in it when they are called."""
        known: Words = {**self._environment.globals, **self._words, **words}
        known["var"] = lambda name, *default: self._variable(known, name, *default)
        for names, template in getattr(self, "_macros", ()):
            module = template.make_module(known, shared=True)
            known |= {name: _returning(getattr(module, MACRO_PREFIX + name)) for name in names}
            known[self.name] = {**known.get(self.name, {}), **{name: known[name] for name in names}}
        return known

    def _variable(self, known: Words, name: str, *default: Any) -> Any:
        value = self._variables.get(name, *default) if default else self._variables[name]
        return self._environment.from_string(value).render(known) if isinstance(value, str) else value

    def _call(self, macro: str, custom: Any, node: Node, otherwise: str) -> str:
        found = self._all_words({}).get(macro)
        return str(found(custom, node)).strip() if found else otherwise

    def _entry(self, kind: str, name: str) -> dict[str, Any]:
        """Return what YAML says of a model or seed, `meta` and `tags` under `config` as dbt moves them."""
        entries = [entry for _, _, content in self._properties for entry in content.get(kind) or []]
        entry: dict[str, Any] = next((entry for entry in entries if entry["name"] == name), {})
        moved = {key: entry[key] for key in ("meta", "tags", "docs", "group", "access") if key in entry}
        return {**entry, "config": {**moved, **(entry.get("config") or {})}}

    def _inherited(self, kind: str, fqn: list[str], default: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings that dbt_project.yml makes for a place."""
        config, level = dict(default), self._settings.get(kind) or {}
        for name in [*fqn, ""]:
            own = {key: value for key, value in level.items() if key.startswith("+") or not isinstance(value, dict)}
            _add(config, {key.lstrip("+ "): value for key, value in own.items()})
            level = level.get(name)
            if not isinstance(level, dict):
                break
        return config

    def _node(self, kind: str, folder: Path, file: Path, config: dict[str, Any], entry: Mapping[str, Any]) -> Node:
        """Return what models and seeds have in common."""
        target, name = self._words["target"], file.stem
        node: Node = {
            "resource_type": kind,
            "unique_id": f"{kind}.{self.name}.{name}",
            "name": name,
            "package_name": self.name,
            "path": file.relative_to(folder).as_posix(),
            "original_file_path": file.relative_to(self._path).as_posix(),
            "config": config,
            "tags": list(dict.fromkeys(config["tags"])),
            "meta": config["meta"],
            "columns": _columns(entry),
        }
        schema = "_".join(filter(None, (target["schema"], (config["schema"] or "").strip())))
        database, alias = config["database"] or target["database"], (config["alias"] or name).strip()
        node["database"] = self._call("generate_database_name", config["database"], node, database)
        node["schema"] = self._call("generate_schema_name", config["schema"], node, schema)
        node["alias"] = self._call("generate_alias_name", config["alias"], node, alias)
        ephemeral = config["materialized"] == "ephemeral"
        node["relation_name"] = None if ephemeral else str(_relation(node))
        return node

    def _parse_seed(self, folder: Path, file: Path) -> Node:
        entry = self._entry("seeds", file.stem)
        fqn = [self.name, *file.relative_to(folder).with_suffix("").parts]
        config = self._inherited("seeds", fqn, SEED_CONFIG)
        _add(config, entry["config"])
        node = self._node("seed", folder, file, config, entry)
        return {**node, "checksum": _checksum(file), "depends_on": {"macros": []}}

    def _parse_model(self, folder: Path, file: Path) -> tuple[Node, list[str], list[tuple[str, str]]]:
        """Return a model, and what it reads: as dbt does, all refs before all sources."""
        raw = file.read_text(encoding="utf-8").strip()
        entry = self._entry("models", file.stem)
        config = self._inherited("models", [self.name, *file.relative_to(folder).with_suffix("").parts], MODEL_CONFIG)
        _add(config, entry["config"])
        refs: list[str] = []
        sources: list[tuple[str, str]] = []
        unknown = _Relation("", "", "")
        words = {
            "config": _Config({}, lambda given: _add(config, given)),
            "ref": lambda *names, **_: refs.append(names[-1]) or unknown,
            "source": lambda *names: sources.append(names) or unknown,
            "this": unknown,
            "execute": False,
            "model": {"name": file.stem},
        }
        self._environment.from_string(raw).render(self._all_words(words))
        node = self._node("model", folder, file, config, entry)
        node |= {
            "language": "sql",
            "raw_code": raw,
            "checksum": _checksum(file),
            "compiled": True,
            "compiled_path": f"target/compiled/{self.name}/{node['original_file_path']}",
            "primary_key": _primary_key(entry),
            "depends_on": {"macros": [], "nodes": []},
        }
        return node, refs, sources

    def _compile(self, node: Node) -> tuple[str, dict[str, str]]:
        """Return a model's SQL, and before it that of the ephemeral models that it reads, by their names as CTEs."""
        if node["unique_id"] in self._compiled:
            return self._compiled[node["unique_id"]]
        read: list[Node] = []

        def ref(*names: str, **_: Any) -> str:
            found = self._nodes[names[-1]]
            if found["config"]["materialized"] != "ephemeral":
                return _relation(found)
            read.append(found)
            return f"__dbt__cte__{found['alias']}"

        words = {
            "ref": ref,
            "source": lambda *names: _relation(self._sources[names]),
            "this": _relation(node),
            "config": _Config(node["config"], lambda _: ""),
            "model": node,
        }
        text = self._environment.from_string(node["raw_code"]).render(self._all_words(words))
        ctes: dict[str, str] = {}
        for found in read:
            inner, before = self._compile(found)
            ctes |= {**before, f"__dbt__cte__{found['alias']}": inner}
        self._compiled[node["unique_id"]] = text, ctes
        return text, ctes

    def _read_sources(self) -> Iterator[Node]:
        for folders, file, content in self._properties:
            for group in content.get("sources") or []:
                for table in group.get("tables") or []:
                    node = self._source(folders, file, group, table)
                    if node["config"]["enabled"]:
                        yield node

    def _source(self, folders: tuple[str, ...], file: Path, group: Mapping[str, Any], table: Mapping[str, Any]) -> Node:
        fqn = [self.name, *folders, group["name"], table["name"]]
        # dbt lets what it gathers from the source and its tables replace these two of dbt_project.yml.
        config = {**self._inherited("sources", fqn, SOURCE_CONFIG), "tags": [], "loaded_at_field": None}
        source_config, table_config = group.get("config") or {}, table.get("config") or {}
        places = (group, source_config, table, table_config)
        source_meta = {**group.get("meta", {}), **source_config.get("meta", {})}
        tags = {tag for place in places for tag in _listed(place.get("tags", []))}
        loaded = [place["loaded_at_field"] for place in places if place.get("loaded_at_field")]
        merged = {key: value for place in places for key, value in place.get("meta", {}).items()}
        fixed = {"meta": merged, "tags": sorted(tags), "loaded_at_field": loaded[-1] if loaded else None}
        _add(config, {**source_config, **table_config, **fixed})
        node: Node = {
            "resource_type": "source",
            "unique_id": f"source.{self.name}.{group['name']}.{table['name']}",
            "source_name": group["name"],
            "name": table["name"],
            "package_name": self.name,
            "original_file_path": file.relative_to(self._path).as_posix(),
            "columns": _columns(table),
            "database": group.get("database") or self._words["target"]["database"],
            "schema": group.get("schema") or group["name"],
            "identifier": table.get("identifier") or table["name"],
            "source_meta": source_meta,
            **{key: config[key] for key in ("meta", "tags", "loaded_at_field")},
            "config": {key: config[key] for key in SOURCE_CONFIG},
        }
        return {**node, "relation_name": str(_relation(node))}


def _return(value: Any = None) -> None:
    raise _Return(value)


def _returning(macro: Callable[..., Any]) -> Callable[..., Any]:
    """Let a macro's return() be the value of its call."""

    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return macro(*arguments, **named)
        except _Return as found:
            return found.value

    return call


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _add(config: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Add settings to those of outer places, in each setting's own way of being merged."""
    for name, value in given.items():
        key = name.replace("_hook", "-hook")
        if key in ("pre-hook", "post-hook"):
            hooks = [hook if isinstance(hook, dict) else {"sql": hook} for hook in _listed(value)]
            config[key] = config[key] + [{"transaction": True, "index": None, **hook} for hook in hooks]
        elif key in ("tags", "packages"):
            config[key] = config[key] + _listed(value)
        elif key in ("meta", "column_types", "quoting", "docs", "contract"):
            config[key] = {**config[key], **value}
        elif key == "grants":
            kept = {right: config[key].get(right[1:], []) if right.startswith("+") else [] for right in value}
            added = {right.lstrip("+"): kept[right] + _listed(to) for right, to in value.items()}
            config[key] = {**config[key], **added}
        else:
            config[key] = value


def _columns(entry: Mapping[str, Any]) -> dict[str, Any]:
    columns = {}
    for column in entry.get("columns") or []:
        config = column.get("config") or {}
        meta = {**column.get("meta", {}), **config.get("meta", {})}
        tags = [*_listed(column.get("tags", [])), *_listed(config.get("tags", []))]
        columns[column["name"]] = {
            "name": column["name"],
            "data_type": column.get("data_type"),
            "meta": meta,
            "tags": tags,
            "quote": column.get("quote"),
            "config": {"meta": meta, "tags": tags},
        }
    return columns


def _primary_key(entry: Mapping[str, Any]) -> list[str]:
    """Return the columns that dbt takes for a model's key: by constraints, else by tests of uniqueness."""
    columns = entry.get("columns") or []
    constraints = [
        constraint | {"columns": constraint.get("columns", [])} for constraint in entry.get("constraints") or []
    ]
    constraints += [
        {**one, "columns": [column["name"]]} for column in columns for one in column.get("constraints") or []
    ]
    for constraint in constraints:
        if constraint["type"] == "primary_key":
            return sorted(constraint["columns"])
    unique: set[str] = set()
    not_null: set[str] = set()
    for place in (entry, *columns):
        for test in [*(place.get("tests") or []), *(place.get("data_tests") or [])]:
            name, said = (test, {}) if isinstance(test, str) else next(iter(test.items()))
            said = {"column_name": None if place is entry else place["name"], **said, **said.get("arguments", {})}
            tested = said.get("combination_of_columns") or [said["column_name"]]
            unique |= set(tested) if name.rpartition(".")[2] in ("unique", "unique_combination_of_columns") else set()
            not_null |= set(tested) if name == "not_null" else set()
    return sorted((unique & not_null or unique) - {None})


def _checksum(file: Path) -> dict[str, str]:
    """Return dbt's checksum of a file: without the white space around its text, which so changes nothing."""
    text = file.read_bytes().decode("utf-8").strip()
    return {"name": "sha256", "checksum": hashlib.sha256(text.encode("utf-8")).hexdigest()}


def _relation(node: Node) -> _Relation:
    return _Relation(node["database"], node["schema"], node.get("identifier") or node["alias"])


def _with_ctes(text: str, ctes: Mapping[str, str]) -> str:
    """Return SQL with CTEs before it, in dbt's layout."""
    if not ctes:
        return text
    before = BEFORE_CTES.match(text)
    assert before is not None
    written = ", ".join(f" {name} as (\n{inner}\n)" for name, inner in ctes.items())
    if before[2]:
        return f"{before[0]}{written}, {text[before.end() :]}"
    return f"{before[1]}with{written} {text[before.end(1) :]}"

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

DBT_SCHEMA = "https://schemas.getdbt.com/dbt/manifest/v12.json"
DBT_VERSION = "1.11.16"
# Macros get this prefix inside Jinja, so that a call of one is looked up among the words and can `return` a value.
MACRO_PREFIX = "macro__"
HOOKS = ("pre-hook", "post-hook", "pre_hook", "post_hook")
# Keys of YAML that dbt leaves as they are, or renders where they are used.
UNRENDERED = {"description", "tests", "data_tests", "vars", *HOOKS, *(f"+{hook}" for hook in HOOKS)}
# What may stand beside macros, and no model calls.
OTHER_BLOCKS = re.compile(r"\{%-?\s*(test|data_test|materialization|docs)\s.*?\{%-?\s*end\1\s*-?%\}", re.DOTALL)
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


class _Relation(str):
    """A table as dbt writes it; the words `this`, ref() and source() have its parts as attributes."""

    __slots__ = ("database", "identifier", "name", "schema", "table")
    database: str
    schema: str
    identifier: str
    name: str
    table: str

    def __new__(cls, database: str, schema: str, identifier: str) -> Self:
        relation = super().__new__(cls, ".".join(f'"{part}"' for part in (database, schema, identifier)))
        relation.database, relation.schema, relation.identifier = database, schema, identifier
        relation.name = relation.table = identifier
        return relation


class _Config:
    """The word `config`: while a model is parsed it takes settings and gives none, as it is compiled the other way."""

    def __init__(self, settings: Mapping[str, Any] | None, add: Callable[[Mapping[str, Any]], object]) -> None:
        self._settings, self._add = settings, add

    def __call__(self, given: Mapping[str, Any] | None = None, /, **values: Any) -> str:
        self._add({**(given or {}), **values})
        return ""

    def get(self, name: str, default: Any = None) -> Any:
        return "" if self._settings is None else self._settings.get(name, default)

    def require(self, name: str) -> Any:
        return "" if self._settings is None else self._settings[name]


class _Var:
    """The word `var`, whose text may hold Jinja of its own."""

    def __init__(self, variables: Mapping[str, Any], render: Callable[[str], str]) -> None:
        self._variables, self._render = variables, render
        self.has_var = variables.__contains__

    def __call__(self, name: str, *default: Any) -> Any:
        value = self._variables.get(name, *default) if default else self._variables[name]
        return self._render(value) if isinstance(value, str) else value


class _Project:
    def __init__(self, path: Path) -> None:
        self._path = path
        extensions = ["jinja2.ext.do", "jinja2.ext.loopcontrols"]
        self._environment = jinja2.Environment(undefined=jinja2.StrictUndefined, extensions=extensions)  # noqa: S701
        literals = dict.fromkeys(("as_native", "as_bool", "as_number"), lambda value: yaml.safe_load(str(value)))
        self._environment.filters |= {"as_text": str, **literals}
        self._words: Words = {"env_var": lambda name, default=None: os.environ.get(name, default)}
        self._words |= {"is_incremental": lambda: False, "return": _return, "execute": True, "log": lambda *_, **__: ""}
        profile_name = self._yaml(_loaded(path / "dbt_project.yml")["profile"])
        profiles = Path(os.environ.get("DBT_PROFILES_DIR", path)) / "profiles.yml"
        profile = self._yaml(_loaded(profiles)[profile_name])
        name = os.environ.get("DBT_TARGET") or profile.get("target", "default")
        target = {"dbname": "dev", "threads": 1, **profile["outputs"][name], "name": name, "profile_name": profile_name}
        self._words["target"] = target | {"database": target["dbname"]}
        self._settings = self._yaml(_loaded(path / "dbt_project.yml"))
        self.name = self._settings["name"]
        given = self._settings.get("vars", {})
        self._variables = {**given, **given.get(self.name, {})}
        self._words["var"] = self._var(self._words)
        self._macros = [self._macro_file(file) for _, file in self._files("macro", "*.sql")]
        self._properties = [
            (file.relative_to(folder).parent.parts, file, self._yaml(_loaded(file)) or {})
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
        project = {"project_name": self.name, "adapter_type": self._words["target"]["type"]}
        return {
            "metadata": {"dbt_schema_version": DBT_SCHEMA, "dbt_version": DBT_VERSION, **project},
            "nodes": {node["unique_id"]: node for node in self._nodes.values()},
            "sources": {node["unique_id"]: node for node in self._sources.values()},
        }

    def _files(self, kind: str, pattern: str) -> Iterator[tuple[Path, Path]]:
        for name in self._settings.get(f"{kind}-paths", [f"{kind}s"]):
            for file in sorted((self._path / name).rglob(pattern)):
                yield self._path / name, file

    def _yaml(self, value: Any) -> Any:
        """Return a value of YAML with the Jinja in it rendered; what is one expression keeps its type."""
        if isinstance(value, dict):
            return {key: inner if key in UNRENDERED else self._yaml(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._yaml(inner) for inner in value]
        if not isinstance(value, str) or "{" not in value:
            return value.isoformat() if isinstance(value, date) else value
        if found := ONE_EXPRESSION.fullmatch(value):
            return self._environment.compile_expression(found[1], undefined_to_none=False)(self._words)
        return self._environment.from_string(value).render(self._words)

    def _macro_file(self, file: Path) -> tuple[list[str], jinja2.Template]:
        tree = self._environment.parse(OTHER_BLOCKS.sub("", file.read_text(encoding="utf-8")))
        macros = list(tree.find_all(nodes.Macro))
        names = [macro.name for macro in macros]
        for macro in macros:
            macro.name = MACRO_PREFIX + macro.name
        return names, self._environment.from_string(tree)

    def _all_words(self, words: Words) -> Words:
        """Return all that a template can name; macros see what is in it when they are called."""
        known: Words = {**self._environment.globals, **self._words, **words}
        known["var"] = self._var(known)
        known[self.name] = {}
        for names, template in self._macros:
            module = template.make_module(known, shared=True)
            macros = {name: _returning(getattr(module, MACRO_PREFIX + name)) for name in names}
            known |= macros
            known[self.name] |= macros
        return known

    def _var(self, words: Words) -> _Var:
        return _Var(self._variables, lambda text: self._environment.from_string(text).render(words))

    def _call(self, macro: str, custom: Any, node: Node, otherwise: str) -> str:
        found = self._all_words({}).get(macro)
        return str(found(custom, node)).strip() if found else otherwise

    def _described(self, kind: str, folder: Path, file: Path, default: Node) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what YAML says of a model or seed, and its settings but for those that it makes itself."""
        entries = (entry for _, _, content in self._properties for entry in content.get(kind) or [])
        entry: dict[str, Any] = next((entry for entry in entries if entry["name"] == file.stem), {})
        config = self._inherited(kind, [*file.relative_to(folder).with_suffix("").parts], default)
        # dbt moves these into `config`.
        _add(config, {key: entry[key] for key in ("meta", "docs", "group", "contract", "access") if key in entry})
        _add(config, entry.get("config") or {})
        return entry, config

    def _inherited(self, kind: str, fqn: list[str], default: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings that dbt_project.yml makes for a place."""
        config, level = dict(default), self._settings.get(kind) or {}
        for name in [self.name, *fqn, ""]:
            own = {key: value for key, value in level.items() if key.startswith("+") or not isinstance(value, dict)}
            _add(config, {key.lstrip("+ "): value for key, value in own.items()})
            level = level.get(name)
            if not isinstance(level, dict):
                break
        return config

    def _node(self, kind: str, folder: Path, file: Path, config: dict[str, Any], entry: Mapping[str, Any]) -> Node:
        """Return what models and seeds have in common."""
        target, name = self._words["target"], file.stem
        node: Node = {"resource_type": kind, "unique_id": f"{kind}.{self.name}.{name}", "name": name}
        node |= {"package_name": self.name, "path": file.relative_to(folder).as_posix(), "config": config}
        node |= {"original_file_path": file.relative_to(self._path).as_posix(), "columns": _columns(entry)}
        node["description"] = entry.get("description", "")
        node |= {"tags": list(dict.fromkeys(config["tags"])), "meta": config["meta"], "checksum": _checksum(file)}
        schema = "_".join(filter(None, (target["schema"], (config["schema"] or "").strip())))
        database, alias = config["database"] or target["database"], (config["alias"] or name).strip()
        node["database"] = self._call("generate_database_name", config["database"], node, database)
        node["schema"] = self._call("generate_schema_name", config["schema"], node, schema)
        node["alias"] = self._call("generate_alias_name", config["alias"], node, alias)
        ephemeral = config["materialized"] == "ephemeral"
        node["relation_name"] = None if ephemeral else str(_relation(node))
        return node

    def _parse_seed(self, folder: Path, file: Path) -> Node:
        entry, config = self._described("seeds", folder, file, SEED_CONFIG)
        return {**self._node("seed", folder, file, config, entry), "depends_on": {"macros": []}}

    def _parse_model(self, folder: Path, file: Path) -> tuple[Node, list[str], list[tuple[str, str]]]:
        """Return a model, and what it reads: as dbt does, all refs before all sources."""
        raw = file.read_text(encoding="utf-8").strip()
        entry, config = self._described("models", folder, file, MODEL_CONFIG)
        refs: list[str] = []
        sources: list[tuple[str, str]] = []
        unknown = _Relation("", "", "")

        def noted(found: list[Any], name: Any) -> _Relation:
            found.append(name)
            return unknown

        words: Words = {"this": unknown, "execute": False, "model": {"name": file.stem}}
        words["config"] = _Config(None, lambda given: _add(config, given))
        words["ref"] = lambda *names, **_: noted(refs, names[-1])
        words["source"] = lambda *names: noted(sources, names)
        self._environment.from_string(raw).render(self._all_words(words))
        node = self._node("model", folder, file, config, entry)
        node |= {"language": "sql", "raw_code": raw, "compiled": True, "primary_key": _primary_key(entry)}
        node["compiled_path"] = f"target/compiled/{self.name}/{node['original_file_path']}"
        node["depends_on"] = {"macros": [], "nodes": []}
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

        words = {"ref": ref, "source": lambda *names: _relation(self._sources[names]), "this": _relation(node)}
        words |= {"config": _Config(node["config"], lambda _: ""), "model": node}
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
        fqn = [*folders, group["name"], table["name"]]
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
        unique_id = f"source.{self.name}.{group['name']}.{table['name']}"
        node: Node = {"resource_type": "source", "unique_id": unique_id, "package_name": self.name}
        node |= {
            "source_name": group["name"],
            "name": table["name"],
            "description": table.get("description", ""),
            "fqn": [self.name, *fqn],
            "columns": _columns(table),
        }
        node |= {"original_file_path": file.relative_to(self._path).as_posix(), "source_meta": source_meta}
        node["database"] = group.get("database") or self._words["target"]["database"]
        node["schema"] = group.get("schema") or group["name"]
        node["identifier"] = table.get("identifier") or table["name"]
        node["config"] = {key: config[key] for key in SOURCE_CONFIG}
        node |= {key: config[key] for key in ("meta", "tags", "loaded_at_field")}
        return {**node, "relation_name": str(_relation(node))}


def _loaded(file: Path) -> Any:
    return yaml.load(file.read_bytes(), yaml.CSafeLoader)


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
        name, settings = column["name"], {"meta": meta, "tags": tags}
        columns[name] = {"name": name, "data_type": column.get("data_type"), "quote": column.get("quote")}
        columns[name] |= {**settings, "config": settings}
    return columns


def _primary_key(entry: Mapping[str, Any]) -> list[str]:
    """Return the columns that dbt takes for a model's key: by constraints, else by tests of uniqueness."""
    unique: set[str] = set()
    not_null: set[str] = set()
    for place in (entry, *(entry.get("columns") or [])):
        own = [place["name"]] if place is not entry else []
        # A test is given the column as it stands in SQL, a constraint by its name.
        in_sql = [f'"{name}"' if place.get("quote") else name for name in own]
        for constraint in place.get("constraints") or []:
            if constraint["type"] == "primary_key":
                return sorted(constraint.get("columns") or own)
        for test in [*(place.get("tests") or []), *(place.get("data_tests") or [])]:
            name, said = (test, {}) if isinstance(test, str) else next(iter(test.items()))
            said = {**(said or {}), **(said or {}).get("arguments", {})}
            tested = said.get("combination_of_columns") or _listed(said.get("column_name") or in_sql)
            if name.rpartition(".")[2] in ("unique", "unique_combination_of_columns"):
                unique |= set(tested)
            elif name == "not_null":
                not_null |= set(tested)
    return sorted(unique & not_null or unique)


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

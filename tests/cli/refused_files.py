"""Files of a dbt project that are refused: what dbt has written, models, the folder cdc, types, settings."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from surgical_cdc.compiler.compilation import compile_project
from tests.cli.refused_page import Refused
from tests.support.manifests import write_manifest

PROJECT = "sql/dbt_project.yml"
PROFILES = "sql/profiles.yml"
SOURCES = "sql/models/_sources.yml"
SCHEMA = "sql/models/_schema.yml"
MODEL = "sql/models/fact.sql"
MANIFEST = "sql/target/manifest.json"
CATALOG = "sql/target/catalog.json"
CONTRACT = "sql/cdc/contract.yaml"
DICTIONARY = "sql/cdc/dictionary.yaml"
SELECT = "sql/cdc/facts/fact.sql"
SOURCE = "source('live', 'orders')"
CONFIG = "{{ config(unique_key='id') }}\n"
META = "{staging: staging.orders, key: id, cursor: updated_at}"
# Unique ids of dbt's.
FACT, ORDERS = "model.small.fact", "source.small.live.orders"
# A project that is accepted as it stands; each case changes one thing of it.
BASE = {
    PROJECT: "name: small\nprofile: small\nmodels: {small: {+materialized: table}}\nvars: {limit: 3}\n",
    PROFILES: "small: {target: t, outputs: {t: {type: redshift, host: localhost, port: 5439, user: etl, password: etl,"
    " dbname: dev, schema: facts, threads: 2}}}\n",
    SOURCES: f"""sources:
- name: live
  schema: live
  tables:
  - name: orders
    config: {{meta: {{cdc: {META}}}}}
    columns:
    - {{name: id, data_type: bigint}}
    - {{name: n, data_type: integer}}
    - {{name: updated_at, data_type: timestamp}}
""",
    SCHEMA: "models: [{name: fact, columns: [{name: id, data_type: bigint}, {name: n, data_type: integer}]}]\n",
    MODEL: "{{ config(unique_key='id') }}\nSELECT o.id, o.n FROM {{ source('live', 'orders') }} o\n",
}
FACT_META = "meta={'cdc': {'fact': true}}"
SNAPSHOT = {
    "unique_id": "snapshot.small.orders_as_of",
    "resource_type": "snapshot",
    "package_name": "small",
    "name": "orders_as_of",
    "alias": "orders_as_of",
    "original_file_path": "snapshots/orders_as_of.sql",
    "relation_name": '"dev"."snapshots"."orders_as_of"',
}
PYTHON = {
    "language": "python",
    "original_file_path": "models/fact.py",
    "raw_code": "def model(dbt, session): ...",
    "compiled_path": "target/compiled/small/models/fact.py",
}
COMPILE, EXPLAIN = ("compile", "--select", "fact"), ("explain", "orders")
Change = Callable[[Path], object]


@dataclass(frozen=True)
class FileCase(Refused):
    """A project whose `files` are written as they stand here, and compiled by dbt; `change` is made after that.

    The command line of `arguments` is called on it, by a user whom the files do not belong to if `unprivileged`.
    If the project is `compiled`, the folder `cdc` is there before the change.
    """

    files: Mapping[str, str | bytes] = field(default_factory=dict)
    change: Change | None = None
    arguments: tuple[str, ...] = COMPILE
    compiled: bool = False
    unprivileged: bool = False

    def write(self, folder: Path) -> None:
        """Write the project into a folder, which it is `sql` in."""
        for name, content in {**BASE, **self.files}.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        write_manifest(folder / "sql")
        if self.compiled:
            compile_project(folder / "sql", progress=lambda _: None).write()
        if self.change:
            self.change(folder)


def _edited(file: str, old: str, new: str) -> dict[str, str]:
    assert old in BASE[file]
    return {file: BASE[file].replace(old, new)}


def _variables(text: str) -> dict[str, str]:
    return _edited(PROJECT, "{limit: 3}", text)


def _cdc(settings: str) -> dict[str, str]:
    return _edited(SOURCES, "cursor: updated_at", f"cursor: updated_at, {settings}")


def _model(sql: str) -> dict[str, str]:
    return {MODEL: f"{CONFIG}{sql}"}


def _selected(expression: str) -> dict[str, str]:
    return _edited(MODEL, "o.n", f"{expression} AS n")


def _where(predicate: str) -> dict[str, str]:
    return {MODEL: f"{BASE[MODEL]}WHERE {predicate}"}


def _chain(length: int) -> dict[str, str]:
    """Return models that each read the one before; the fact reads the last."""
    models = {0: BASE[MODEL].removeprefix(CONFIG)}
    models |= {
        place: BASE[MODEL].removeprefix(CONFIG).replace(SOURCE, f"ref('m{place - 1}')") for place in range(1, length)
    }
    view = "{{ config(materialized='view') }}\n"
    written = {f"sql/models/m{place}.sql": f"{view}{model}" for place, model in models.items()}
    return {**written, MODEL: f"{CONFIG}{models[length - 1]}"}


def _type(name: str, data_type: str) -> dict[str, str]:
    return _edited(
        SOURCES,
        f"{{name: {name}, data_type: {'bigint' if name == 'id' else 'integer'}}}",
        json.dumps({"name": name, "data_type": data_type}),
    )


def _written(name: str, content: str | bytes) -> Change:
    def change(folder: Path) -> None:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return change


def _in_manifest(edit: Callable[[dict[str, Any]], object]) -> Change:
    def change(folder: Path) -> None:
        content = json.loads((folder / MANIFEST).read_text())
        edit(content)
        (folder / MANIFEST).write_text(json.dumps(content))

    return change


def _in_a_circle(manifest: dict[str, Any]) -> None:
    """Let the fact read a model which reads it."""
    fact = manifest["nodes"][FACT]
    other = {**fact, "unique_id": "model.small.other", "name": "other", "alias": "other"}
    other |= {"relation_name": '"dev"."facts"."other"', "original_file_path": "models/other.sql"}
    other["compiled_path"] = "target/compiled/small/models/other.sql"
    other |= {
        "depends_on": {"nodes": [FACT, "model.small.third"]},
        "compiled_code": 'SELECT id, n FROM "dev"."facts"."third"',
    }
    third = {**other, "unique_id": "model.small.third", "name": "third", "alias": "third"}
    third |= {"relation_name": '"dev"."facts"."third"', "compiled_code": 'SELECT id, n FROM "dev"."facts"."other"'}
    manifest["nodes"] |= {other["unique_id"]: other, third["unique_id"]: third}
    fact["compiled_code"] = 'SELECT id, n FROM "dev"."facts"."other"'
    fact["depends_on"] = {"nodes": [other["unique_id"], ORDERS]}


def _another_fact(manifest: dict[str, Any]) -> None:
    fact = manifest["nodes"][FACT]
    other = {**fact, "unique_id": "model.small.other", "name": "other", "alias": "other"}
    other |= {"relation_name": '"dev"."facts"."other"', "original_file_path": "models/other.sql"}
    other["config"] = {**fact["config"], "meta": {"cdc": {"fact": True}}}
    manifest["nodes"][other["unique_id"]] = other


def _replaced(name: str, make: Callable[[Path], object]) -> Change:
    def change(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        make(folder / name)

    return change


def _missing(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def _in_text(name: str, old: str, new: str) -> Change:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))

    return change


def _folder(name: str) -> Change:
    return _replaced(name, Path.mkdir)


def _loop(name: str) -> Change:
    return _replaced(name, lambda file: file.symlink_to(file))


def _pipe(name: str) -> Change:
    return _replaced(name, os.mkfifo)


def _mode(name: str, mode: int) -> Change:
    return lambda folder: (folder / name).chmod(mode)


def _read_only_dictionary(folder: Path) -> None:
    (folder / DICTIONARY).write_text("")
    (folder / DICTIONARY).chmod(0o444)


def _of_a_run(title: str, message: str, change: Change) -> FileCase:
    """Return a case of the folder cdc, as a command reads it that needs no dbt."""
    return FileCase(title, message, change=change, arguments=EXPLAIN, compiled=True)


def _many_columns(count: int) -> str:
    return "".join(f"    - {{name: c{number}, data_type: integer}}\n" for number in range(count))


BRANCHES = " ".join(f"WHEN o.n = {number} THEN {number}" for number in range(3000))
LATIN = "caf\u00e9 ".encode("latin-1")
BOM = b"\xef\xbb\xbf"
EXPLODING = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

CASES: list[FileCase] = [
    # what dbt has written
    FileCase(
        "no manifest.json",
        "…/sql/target/manifest.json: does not exist. Compile the project with `dbt compile --full-refresh`.",
        change=_missing(MANIFEST),
    ),
    FileCase(
        "a manifest.json that is no JSON",
        "…/sql/target/manifest.json: is no JSON: Expecting property name enclosed in double quotes: line 1 "
        "column 12 (char 11). Compile the project with `dbt compile --full-refresh`.",
        change=_written(MANIFEST, '{"nodes": {'),
    ),
    FileCase(
        "a manifest.json that is empty",
        "…/sql/target/manifest.json: is no JSON: Expecting value: line 1 column 1 (char 0). Compile the "
        "project with `dbt compile --full-refresh`.",
        change=_written(MANIFEST, ""),
    ),
    FileCase(
        "a manifest.json that is not UTF-8",
        "…/sql/target/manifest.json: line 1 has the byte 0xe9, which is not UTF-8. Save it as UTF-8.",
        change=_written(MANIFEST, b'{"name": "' + LATIN + b'"}'),
    ),
    FileCase(
        "a manifest.json nested 100,000 deep",
        "…/sql/target/manifest.json: is nested too deep to be read. Compile the project with `dbt compile "
        "--full-refresh`.",
        change=_written(MANIFEST, "[" * 100_000),
    ),
    FileCase(
        "a list as manifest.json",
        "…/sql/target/manifest.json: expected an object at the top, found list. Compile the project with "
        "`dbt compile --full-refresh`.",
        change=_written(MANIFEST, "[]"),
    ),
    FileCase(
        "a manifest without metadata",
        "…/sql/target/manifest.json: metadata: is missing. Compile the project with `dbt compile --full-refresh`.",
        change=_in_manifest(lambda manifest: manifest.pop("metadata")),
    ),
    FileCase(
        "a manifest of version 11",
        "…/sql/target/manifest.json: metadata.dbt_schema_version is "
        "'https://schemas.getdbt.com/dbt/manifest/v11.json', expected a manifest of version 12 or 20: those"
        " of dbt 1.8 to 1.12, and of dbt 2. Compile the project with one of them.",
        change=_in_text(MANIFEST, "manifest/v12.json", "manifest/v11.json"),
    ),
    FileCase(
        "a manifest of a version that is none",
        "…/sql/target/manifest.json: metadata.dbt_schema_version is "
        "'https://schemas.getdbt.com/dbt/catalog/v1.json', expected a manifest of version 12 or 20: those "
        "of dbt 1.8 to 1.12, and of dbt 2. Compile the project with one of them.",
        change=_in_text(MANIFEST, "manifest/v12.json", "catalog/v1.json"),
    ),
    FileCase(
        "a target of PostgreSQL",
        "…/sql/target/manifest.json: metadata.adapter_type is 'postgres', expected redshift. Compile the "
        "project for a target of type redshift.",
        _edited(PROFILES, "type: redshift", "type: postgres"),
    ),
    FileCase(
        "a model without a name in the manifest",
        "…/sql/target/manifest.json: v12: nodes.model.small.fact: name: is missing. Compile the project "
        "with `dbt compile --full-refresh`.",
        change=_in_manifest(lambda manifest: manifest["nodes"][FACT].pop("name")),
    ),
    FileCase(
        "a list as sources of the manifest",
        "…/sql/target/manifest.json: sources: expected a mapping, found list. Compile the project with `dbt"
        " compile --full-refresh`.",
        change=_in_manifest(lambda manifest: manifest.update(sources=[])),
    ),
    FileCase(
        "a model that dbt has parsed and not compiled",
        "…/sql/target/compiled/small/models/fact.sql: dbt has not compiled fact. Compile the project with "
        "`dbt compile --full-refresh`.",
        change=_in_manifest(lambda manifest: manifest["nodes"][FACT].pop("compiled_code")),
    ),
    FileCase(
        "a model that was edited after dbt had compiled it",
        "…/sql/models/fact.sql: was edited after dbt had compiled it. Compile the project with `dbt compile"
        " --full-refresh`.",
        change=_in_text(MODEL, "o.n FROM", "o.n + 1 AS n FROM"),
    ),
    FileCase(
        "a catalog.json that is no JSON",
        "…/sql/target/catalog.json: is no JSON: Expecting value: line 1 column 1 (char 0). Write it with "
        "`dbt docs generate`.",
        change=_written(CATALOG, "nodes: {}\n"),
    ),
    FileCase(
        "a catalog of which a column has no type",
        "…/sql/target/catalog.json: nodes.model.small.fact.columns.id.type: is missing. Write it with `dbt "
        "docs generate`.",
        change=_written(CATALOG, json.dumps({"nodes": {FACT: {"columns": {"id": {"name": "id", "index": 1}}}}})),
    ),
    FileCase(
        "a manifest.json that may not be read",
        "…/sql/target/manifest.json: can not be read: Permission denied. Correct it, or who may read it.",
        change=_mode(MANIFEST, 0),
        unprivileged=True,
    ),
    # encodings
    _of_a_run(
        "a contract that is not UTF-8",
        "…/sql/cdc/contract.yaml: line 1 has the byte 0xe9, which is not UTF-8. Save it as UTF-8. Compiling"
        " has written the file: take the committed one back, or remove it and write it anew with `python -m"
        " surgical_cdc compile --project …/sql`.",
        _written(CONTRACT, b"# " + LATIN),
    ),
    _of_a_run(
        "a dictionary that is not UTF-8",
        "…/sql/cdc/dictionary.yaml: line 1 has the byte 0xe9, which is not UTF-8. Save it as UTF-8.",
        _written(DICTIONARY, b"# " + LATIN),
    ),
    _of_a_run(
        "a SELECT in the folder cdc that is not UTF-8",
        "…/sql/cdc/facts/fact.sql: line 1 has the byte 0xe9, which is not UTF-8. Save it as UTF-8.",
        _written(SELECT, b"-- " + LATIN),
    ),
    _of_a_run(
        "a contract that begins with a byte order mark",
        "…/sql/cdc/contract.yaml: begins with a byte order mark. Save it as UTF-8 without one (BOM). "
        "Compiling has written the file: take the committed one back, or remove it and write it anew with "
        "`python -m surgical_cdc compile --project …/sql`.",
        _written(CONTRACT, BOM + b"project: small\n"),
    ),
    _of_a_run(
        "a dictionary that begins with a byte order mark",
        "…/sql/cdc/dictionary.yaml: begins with a byte order mark. Save it as UTF-8 without one (BOM).",
        _written(DICTIONARY, BOM + b"facts: []"),
    ),
    FileCase(
        "dbt_project.yml that begins with a byte order mark",
        "…/sql/dbt_project.yml: begins with a byte order mark. Save it as UTF-8 without one (BOM).",
        {PROJECT: BOM + BASE[PROJECT].encode()},
    ),
    FileCase(
        "a model that begins with a byte order mark",
        "…/sql/models/fact.sql: begins with a byte order mark. Save it as UTF-8 without one (BOM).",
        {MODEL: BOM + BASE[MODEL].encode()},
    ),
    FileCase(
        "a NUL byte in a model",
        "…/sql/models/fact.sql: line 3 has the control character U+0000, expected text. Remove it.",
        {MODEL: BASE[MODEL] + "\0"},
    ),
    FileCase(
        "a control character in a model",
        "…/sql/models/fact.sql: line 3 has the control character U+001A, expected text. Remove it.",
        {MODEL: BASE[MODEL] + "-- \x1a1\x1a\n"},
    ),
    _of_a_run(
        "a NUL byte in a contract",
        "…/sql/cdc/contract.yaml: line 2 has the control character U+0000, expected text. Remove it. "
        "Compiling has written the file: take the committed one back, or remove it and write it anew with "
        "`python -m surgical_cdc compile --project …/sql`.",
        _written(CONTRACT, "project: small\n# \0\n"),
    ),
    # the folder cdc
    FileCase(
        "a project that was never compiled",
        "…/sql/cdc/contract.yaml: does not exist. Compile the project with dbt, and then with `python -m "
        "surgical_cdc compile --project …/sql`.",
        arguments=EXPLAIN,
    ),
    _of_a_run(
        "no contract",
        "…/sql/cdc/contract.yaml: does not exist. Compile the project with dbt, and then with `python -m "
        "surgical_cdc compile --project …/sql`.",
        _missing(CONTRACT),
    ),
    _of_a_run(
        "a contract that is no YAML",
        "…/sql/cdc/contract.yaml: is no valid YAML: line 4: mapping values are not allowed in this context."
        " Compiling has written the file: take the committed one back, or remove it and write it anew with "
        "`python -m surgical_cdc compile --project …/sql`.",
        _in_text(CONTRACT, "project: small", "<<<<<<< HEAD\nproject: small"),
    ),
    FileCase(
        "a contract that is no YAML, when the project is compiled again",
        "…/sql/cdc/contract.yaml: is no valid YAML: line 4: mapping values are not allowed in this context."
        " Compiling has written the file: take the committed one back, or remove it and write it anew with "
        "`python -m surgical_cdc compile --project …/sql`.",
        change=_in_text(CONTRACT, "project: small", "<<<<<<< HEAD\nproject: small"),
        compiled=True,
    ),
    _of_a_run(
        "an empty contract",
        "…/sql/cdc/contract.yaml: project: is missing. Compiling has written the file: take the committed "
        "one back, or remove it and write it anew with `python -m surgical_cdc compile --project …/sql`.",
        _written(CONTRACT, ""),
    ),
    _of_a_run(
        "a list as contract",
        "…/sql/cdc/contract.yaml: expected a mapping at the top, found list. Compiling has written the "
        "file: take the committed one back, or remove it and write it anew with `python -m surgical_cdc "
        "compile --project …/sql`.",
        _written(CONTRACT, "- project\n"),
    ),
    _of_a_run(
        "a key of the contract that does not exist",
        "…/sql/cdc/contract.yaml: no such setting: source (sources?). Known: project, control_schema, "
        "scratch_schema, retention, verification, freshness, volume, select, sources, static, facts, left_out, "
        "models. Compiling has written the file: take the committed one back, or remove it and write it anew with "
        "`python -m surgical_cdc compile --project …/sql`.",
        _in_text(CONTRACT, "sources:", "source:"),
    ),
    _of_a_run(
        "a key that stands twice in the contract",
        "…/sql/cdc/contract.yaml: line 22: the key sources stands twice. Compiling has written the file: "
        "take the committed one back, or remove it and write it anew with `python -m surgical_cdc compile "
        "--project …/sql`.",
        _in_text(CONTRACT, "facts:", "sources:"),
    ),
    _of_a_run(
        "a source of the contract that is a list",
        "…/sql/cdc/contract.yaml: sources.orders: expected a mapping, found list. Compiling has written the"
        " file: take the committed one back, or remove it and write it anew with `python -m surgical_cdc "
        "compile --project …/sql`.",
        _in_text(CONTRACT, "  orders:\n", "  orders: []\n  other:\n"),
    ),
    _of_a_run(
        "a source of the contract without columns",
        "…/sql/cdc/contract.yaml: sources.orders.columns: expected a mapping of names and data types. "
        "Compiling has written the file: take the committed one back, or remove it and write it anew with "
        "`python -m surgical_cdc compile --project …/sql`.",
        _in_text(CONTRACT, "columns:", "column:"),
    ),
    _of_a_run(
        "a source of the contract without key",
        "…/sql/cdc/contract.yaml: sources.orders: key: is missing. Compiling has written the file: take the"
        " committed one back, or remove it and write it anew with `python -m surgical_cdc compile --project"
        " …/sql`.",
        _in_text(CONTRACT, "    key: id\n", ""),
    ),
    _of_a_run(
        "a column of an unknown type in the contract",
        "…/sql/cdc/contract.yaml: sources.orders: columns.n.data_type: 'money' is no data type of the "
        "contract: expected e.g. bigint, varchar(64), numeric(18,4), timestamp. Compiling has written the "
        "file: take the committed one back, or remove it and write it anew with `python -m surgical_cdc "
        "compile --project …/sql`.",
        _in_text(CONTRACT, "n: integer", "n: money"),
    ),
    _of_a_run(
        "a number as type in the contract",
        "…/sql/cdc/contract.yaml: sources.orders: columns.n.data_type: expected a valid string, found int. "
        "Compiling has written the file: take the committed one back, or remove it and write it anew with "
        "`python -m surgical_cdc compile --project …/sql`.",
        _in_text(CONTRACT, "n: integer", "n: 4"),
    ),
    _of_a_run(
        "true as a column's name in the contract",
        "…/sql/cdc/contract.yaml: sources.orders: columns.True.name: expected a valid string, found bool. "
        "Compiling has written the file: take the committed one back, or remove it and write it anew with "
        "`python -m surgical_cdc compile --project …/sql`.",
        _in_text(CONTRACT, "n: integer", "true: integer"),
    ),
    _of_a_run(
        "a row key that is no column in the contract",
        "…/sql/cdc/contract.yaml: facts.fact names columns that it does not have: ident. Known: id, n. "
        "Compiling has written the file: take the committed one back, or remove it and write it anew with "
        "`python -m surgical_cdc compile --project …/sql`.",
        _in_text(CONTRACT, "unique_key: id", "unique_key: ident"),
    ),
    _of_a_run(
        "one table in two roles in the contract",
        "live.orders is both the staging of source orders and the source orders; each needs a table of its own.",
        _in_text(CONTRACT, "staging.orders", "live.orders"),
    ),
    _of_a_run(
        "lists nested 3,000 deep in the contract",
        "…/sql/cdc/contract.yaml: is no valid YAML: line 1: this is nested more than 100 deep. Write it "
        "with fewer levels. Compiling has written the file: take the committed one back, or remove it and "
        "write it anew with `python -m surgical_cdc compile --project …/sql`.",
        _written(CONTRACT, f"x: {'[' * 3000}{']' * 3000}\n"),
    ),
    _of_a_run(
        "aliases that expand to 400 million values",
        "…/sql/cdc/contract.yaml: is no valid YAML: line 6: the aliases up to here stand for over 100,000 "
        "values. Write them out. Compiling has written the file: take the committed one back, or remove it "
        "and write it anew with `python -m surgical_cdc compile --project …/sql`.",
        _written(CONTRACT, EXPLODING),
    ),
    _of_a_run(
        "an anchor inside what it names",
        "…/sql/cdc/contract.yaml: line 1: the anchor here is read inside what it names. Compiling has "
        "written the file: take the committed one back, or remove it and write it anew with `python -m "
        "surgical_cdc compile --project …/sql`.",
        _written(CONTRACT, "x: &x [*x]\n"),
    ),
    _of_a_run(
        "an alias of nothing",
        "…/sql/cdc/contract.yaml: is no valid YAML: line 1: found undefined alias. Compiling has written "
        "the file: take the committed one back, or remove it and write it anew with `python -m surgical_cdc"
        " compile --project …/sql`.",
        _written(CONTRACT, "x: *x\n"),
    ),
    _of_a_run(
        "two documents in a YAML file",
        "…/sql/cdc/contract.yaml: is no valid YAML: line 2: but found another document, expected a single "
        "document in the stream that begins in line 1. Compiling has written the file: take the committed "
        "one back, or remove it and write it anew with `python -m surgical_cdc compile --project …/sql`.",
        _written(CONTRACT, "x: 1\n---\nx: 1\n"),
    ),
    _of_a_run(
        "a tag that makes an object",
        "…/sql/cdc/contract.yaml: is no valid YAML: line 1: could not determine a constructor for the tag "
        "'tag:yaml.org,2002:python/object/apply:os.system'. Compiling has written the file: take the "
        "committed one back, or remove it and write it anew with `python -m surgical_cdc compile --project "
        "…/sql`.",
        _written(CONTRACT, "x: !!python/object/apply:os.system [ls]\n"),
    ),
    _of_a_run(
        "a key that is a list",
        "…/sql/cdc/contract.yaml: is no valid YAML: line 2: found unhashable key, while constructing a "
        "mapping that begins in line 1. Compiling has written the file: take the committed one back, or "
        "remove it and write it anew with `python -m surgical_cdc compile --project …/sql`.",
        _written(CONTRACT, "x: 1\n? [a]\n: 1\n"),
    ),
    _of_a_run(
        "a key that is a mapping",
        "…/sql/cdc/contract.yaml: is no valid YAML: line 2: found unhashable key, while constructing a "
        "mapping that begins in line 1. Compiling has written the file: take the committed one back, or "
        "remove it and write it anew with `python -m surgical_cdc compile --project …/sql`.",
        _written(CONTRACT, "x: 1\n? {a: 1}\n: 1\n"),
    ),
    _of_a_run(
        "a date that does not exist",
        "…/sql/cdc/contract.yaml: is no valid YAML: day is out of range for month. Compiling has written "
        "the file: take the committed one back, or remove it and write it anew with `python -m surgical_cdc"
        " compile --project …/sql`.",
        _written(CONTRACT, "x: 2026-02-30\n"),
    ),
    _of_a_run(
        "an integer of 5,000 digits",
        "…/sql/cdc/contract.yaml: is no valid YAML: Exceeds the limit (4300 digits) for integer string "
        "conversion: value has 5000 digits; use sys.set_int_max_str_digits() to increase the limit. "
        "Compiling has written the file: take the committed one back, or remove it and write it anew with "
        "`python -m surgical_cdc compile --project …/sql`.",
        _written(CONTRACT, f"x: {'9' * 5000}\n"),
    ),
    _of_a_run(
        "no SELECT of a fact in the folder cdc",
        "…/sql/cdc/facts/fact.sql: does not exist. Write it with `python -m surgical_cdc compile --project …/sql`.",
        _missing(SELECT),
    ),
    _of_a_run(
        "a DELETE in the folder cdc",
        "…/sql/cdc/facts/fact.sql: expected one SELECT, found DELETE. A model is a SELECT, and that alone.",
        _written(SELECT, "DELETE FROM live.orders\n"),
    ),
    _of_a_run(
        "no SQL in the folder cdc",
        "…/sql/cdc/facts/fact.sql, line 1: Expected table name 'WHERE'.",
        _written(SELECT, "SELECT FROM WHERE\n"),
    ),
    _of_a_run(
        "a SELECT in the folder cdc that gives other columns",
        "…/sql/cdc/facts/fact.sql: the SELECT gives 1 columns, the model's YAML lists 2. Listed but not "
        "given: ['n']; given but not listed: none.",
        _written(SELECT, "SELECT o.id FROM live.orders AS o\n"),
    ),
    _of_a_run(
        "a SELECT in the folder cdc that reads another table",
        "…/sql/cdc/facts/fact.sql, line 1: live.order, which is no source, can not be read: nobody looks "
        "for changes in it. Describe it as a source with `cdc` meta. Known sources: live.orders.",
        _written(SELECT, "SELECT o.id, o.n FROM live.order AS o\n"),
    ),
    _of_a_run(
        "no dictionary",
        "…/sql/cdc/dictionary.yaml does not exist. Write it with: python -m surgical_cdc compile --project …/sql",
        _missing(DICTIONARY),
    ),
    _of_a_run(
        "a word as dictionary",
        "…/sql/cdc/dictionary.yaml is no dictionary (expected a mapping with fingerprint, facts, full, whole, "
        "contributions, sources and descriptions). Write it again with: python -m surgical_cdc compile --project …/sql",
        _written(DICTIONARY, "facts\n"),
    ),
    _of_a_run(
        "lists nested 3,000 deep in the dictionary",
        "…/sql/cdc/dictionary.yaml is no dictionary (line 1: this is nested more than 100 deep. Write it "
        "with fewer levels). Write it again with: python -m surgical_cdc compile --project …/sql",
        _written(DICTIONARY, f"x: {'[' * 3000}{']' * 3000}\n"),
    ),
    _of_a_run(
        "such aliases in the dictionary",
        "…/sql/cdc/dictionary.yaml is no dictionary (line 6: the aliases up to here stand for over 100,000 "
        "values. Write them out). Write it again with: python -m surgical_cdc compile --project …/sql",
        _written(DICTIONARY, EXPLODING),
    ),
    FileCase(
        "a dictionary that is not what the models say, --check",
        "…/sql/cdc/dictionary.yaml is not what the models say. Write it anew and review what changed: "
        "python -m surgical_cdc compile --project …/sql",
        change=_written(DICTIONARY, "facts: []\n"),
        arguments=("compile", "--check"),
        compiled=True,
    ),
    # settings
    FileCase(
        "a list as dbt_project.yml",
        "…/sql/dbt_project.yml: expected a mapping at the top, found list.",
        change=_written(PROJECT, "- name: small\n"),
    ),
    FileCase(
        "no dbt_project.yml",
        "…/sql/dbt_project.yml: does not exist. Expected the folder of a dbt project.",
        change=_missing(PROJECT),
    ),
    FileCase(
        "a list as `vars`",
        "…/sql/dbt_project.yml: vars: expected a mapping, found list.",
        change=_in_text(PROJECT, "{limit: 3}", "[limit]"),
    ),
    FileCase(
        "no source with `cdc` meta",
        "…/sql/dbt_project.yml: no source has `config: meta: cdc:` (staging, key, cursor), so nobody would "
        "look for changes. See which sources there are, and have it written, with: python -m surgical_cdc "
        "init.",
        _edited(SOURCES, f"{{cdc: {META}}}", "{}"),
    ),
    FileCase(
        "a list as `cdc`",
        "…/sql/models/_sources.yml: sources.live.orders: meta.cdc: expected a mapping, found list.",
        _edited(SOURCES, META, "[staging]"),
    ),
    FileCase(
        "a list as `cdc` of a model",
        "…/sql/models/fact.sql: models.fact: meta.cdc: expected a mapping, found list.",
        {MODEL: BASE[MODEL].replace("'id'", "'id', meta={'cdc': ['fact']}")},
    ),
    FileCase(
        "a source with `cdc` meta and no setting",
        "…/sql/models/_sources.yml: sources.live.orders: staging: is missing; key: is missing; cursor: is missing.",
        _edited(SOURCES, META, "{}"),
    ),
    FileCase(
        "a source without key",
        "…/sql/models/_sources.yml: sources.live.orders: key: is missing.",
        _edited(SOURCES, "key: id, ", ""),
    ),
    FileCase(
        "a source without cursor",
        "…/sql/models/_sources.yml: sources.live.orders: cursor: is missing.",
        _edited(SOURCES, ", cursor: updated_at", ""),
    ),
    FileCase(
        "a source without staging",
        "…/sql/models/_sources.yml: sources.live.orders: staging: is missing.",
        _edited(SOURCES, "staging: staging.orders, ", ""),
    ),
    FileCase(
        "a cursor that is no column",
        "…/sql/models/_sources.yml: sources.live.orders names columns that it does not have: changed_at. "
        "Known: id, n, updated_at.",
        _edited(SOURCES, "cursor: updated_at", "cursor: changed_at"),
    ),
    FileCase(
        "the columns of a source as a setting",
        "…/sql/models/_sources.yml: sources.live.orders: meta.cdc: no such setting: columns. Known: load, "
        "staging, key, cursor, created, delete_when, max_delete_share, history, dist, sort.",
        _cdc("columns: {id: bigint}"),
    ),
    FileCase(
        "a source without types, and no catalog",
        "…/sql/models/_sources.yml: nobody knows the columns of live.orders. Declare them, or write the "
        "catalog with `dbt docs generate`, or let the warehouse be asked: compile --conn-id.",
        _edited(SOURCES, ", data_type: bigint", ""),
    ),
    FileCase(
        "staging that is the source itself",
        "live.orders is both the staging of source orders and the source orders; each needs a table of its own.",
        _edited(SOURCES, "staging: staging.orders", "staging: live.orders"),
    ),
    FileCase(
        "a staging that is a fact",
        "facts.fact is both the staging of source orders and the fact fact; each needs a table of its own.",
        _edited(SOURCES, "staging: staging.orders", "staging: facts.fact"),
    ),
    FileCase(
        "a schema of facts that is no name",
        "…/sql/models/fact.sql: models.fact: relation: 'f-1' is no name: expected lower-case letters, digits"
        " and _, 127 at most.",
        _edited(PROFILES, "schema: facts", "schema: f-1"),
    ),
    FileCase(
        "a column with a comma in its name",
        "…/sql/models/fact.sql: models.fact: columns.n, m.name: 'n, m' is no name of a column: expected lower-case"
        " letters, digits, _ and, between them, blanks and signs but , . % \" ' ` \\ { }, 127 at most.",
        _edited(SCHEMA, "name: n,", "name: 'n, m',"),
    ),
    # facts
    FileCase(
        "--select of a model that is none",
        "--select 'fct' chooses no model (fact?). Expected the name of one, or tag:<tag>. Models with a row key: fact.",
        arguments=("compile", "--select", "fct"),
    ),
    FileCase(
        "--select of a tag that no model has",
        "--select 'tag:daily' chooses no model. Expected the name of one, or tag:<tag>. Models with a row key: fact.",
        arguments=("compile", "--select", "tag:daily"),
    ),
    FileCase(
        "--select of nothing",
        "--select '' chooses no model. Expected the name of one, or tag:<tag>. Models with a row key: fact.",
        arguments=("compile", "--select", ""),
    ),
    FileCase(
        "`fact: true` and no row key",
        "…/sql/models/fact.sql: fact is to be a fact and has no row key: set its unique_key.",
        {MODEL: BASE[MODEL].replace("unique_key='id'", FACT_META)},
        arguments=("compile",),
    ),
    FileCase(
        "`fact: true` and a view",
        "…/sql/models/fact.sql: fact is to be a fact but is materialized as view: set materialized='table'.",
        {MODEL: BASE[MODEL].replace("'id'", f"'id', materialized='view', {FACT_META}")},
        arguments=("compile",),
    ),
    FileCase(
        "no model with a row key",
        "…/sql/dbt_project.yml: no model can be a fact. A fact is a table with a `unique_key`, or a column "
        "that is tested to be unique and not_null, that reads sources with `cdc` meta.",
        {MODEL: BASE[MODEL].replace("unique_key='id'", "")},
        arguments=("compile",),
    ),
    FileCase(
        "one model that could be a fact, and can not be read",
        "…/sql/dbt_project.yml: no model can be a fact. A fact is a table with a `unique_key`, or a column "
        "that is tested to be unique and not_null, that reads sources with `cdc` meta: fact: "
        "target/compiled/small/models/fact.sql: expected one SELECT, found DELETE. A model is a SELECT, and"
        " that alone.",
        _model("DELETE FROM live.orders"),
        arguments=("compile",),
    ),
    FileCase(
        "a fact that was there before, and can not be read any more",
        "…/sql/target/compiled/small/models/fact.sql: expected one SELECT, found DELETE. A model is a "
        "SELECT, and that alone.",
        change=_in_manifest(lambda manifest: manifest["nodes"][FACT].update(compiled_code="DELETE FROM live.orders")),
        arguments=("compile",),
        compiled=True,
    ),
    FileCase(
        "a fact that was there before, and has no row key any more",
        "…/sql/models/fact.sql: fact was a fact, and can not be one as it is: it needs a unique_key, to be "
        "a table, and `fact: true` or the tag where these choose. Say so, or drop it with `meta: {cdc: "
        "{fact: false}}` or --select.",
        change=_in_manifest(lambda manifest: manifest["nodes"][FACT]["config"].pop("unique_key")),
        arguments=("compile",),
        compiled=True,
    ),
    FileCase(
        "a fact that was there before, and is not among those that say `fact: true`",
        "…/sql/models/fact.sql: fact was a fact, and can not be one as it is: it needs a unique_key, to be "
        "a table, and `fact: true` or the tag where these choose. Say so, or drop it with `meta: {cdc: "
        "{fact: false}}` or --select.",
        change=_in_manifest(_another_fact),
        arguments=("compile",),
        compiled=True,
    ),
    FileCase(
        "a fact that reads its own table",
        "…/sql/target/compiled/small/models/fact.sql, line 3: fact reads its own table, which was there "
        "before. Read it under is_incremental() alone, which `dbt compile --full-refresh` makes false.",
        _where("o.n > (SELECT MAX(n) FROM {{ this }})"),
    ),
    FileCase(
        "a fact that reads a snapshot",
        "…/sql/target/compiled/small/models/fact.sql, line 2: the snapshot orders_as_of can not be read: it"
        " shows what was, which no SELECT on the sources tells. Read the source; or describe the snapshot's"
        " table as a source of its own.",
        _edited(MODEL, "{{ source('live', 'orders') }}", '"dev"."snapshots"."orders_as_of"'),
        _in_manifest(lambda manifest: manifest["nodes"].update({SNAPSHOT["unique_id"]: SNAPSHOT})),
    ),
    FileCase(
        "a fact in Python",
        "…/sql/target/compiled/small/models/fact.py: is in python, expected SQL. Write it in SQL, or "
        "describe its table as a source.",
        change=_in_manifest(lambda manifest: manifest["nodes"][FACT].update(PYTHON)),
    ),
    FileCase(
        "a fact that reads a source without `cdc` meta",
        "…/sql/models/fact.sql: fact reads source('live', 'other'), which has no `config: meta: cdc:` "
        "(staging, key, cursor; or load: static). It is described in models/_sources.yml.",
        {
            SOURCES: f"{BASE[SOURCES]}  - name: other\n",
            **_edited(MODEL, SOURCE, "source('live', 'other')"),
        },
    ),
    FileCase(
        "two models that read one another",
        "…/sql/target/compiled/small/models/other.sql: other reads what reads it. Let one of them do without.",
        change=_in_manifest(_in_a_circle),
    ),
    FileCase(
        "a column without data type",
        "…/sql/models/fact.sql: nobody knows the types of fact's n. Declare them, or write the catalog with"
        " `dbt docs generate`, or let the warehouse be asked: compile --conn-id.",
        _edited(SCHEMA, ", data_type: integer", ""),
    ),
    FileCase(
        "a number as key",
        "…/sql/models/_sources.yml: sources.live.orders: key: expected a column, or a list of columns.",
        _edited(SOURCES, "key: id", "key: 1"),
    ),
    FileCase(
        "a number in the list of a key",
        "…/sql/models/_sources.yml: sources.live.orders: key.0: expected a valid string, found int.",
        _edited(SOURCES, "key: id", "key: [1]"),
    ),
    FileCase(
        "an empty list as key",
        "…/sql/models/_sources.yml: sources.live.orders: key: expected a column, or a list of columns.",
        _edited(SOURCES, "key: id", "key: []"),
    ),
    FileCase(
        "a column twice in a key",
        "…/sql/models/_sources.yml: sources.live.orders: key: id is there twice.",
        _edited(SOURCES, "key: id", "key: [id, id]"),
    ),
    FileCase(
        "a boolean as staging",
        "…/sql/models/_sources.yml: sources.live.orders: staging: expected a valid string, found bool.",
        _edited(SOURCES, "staging: staging.orders", "staging: true"),
    ),
    FileCase(
        "staging without schema",
        "…/sql/models/_sources.yml: sources.live.orders: staging: 'orders' is no table: expected its schema"
        " too, as in public.orders.",
        _edited(SOURCES, "staging: staging.orders", "staging: orders"),
    ),
    FileCase(
        "a word as sort",
        "…/sql/models/_sources.yml: sources.live.orders: sort: expected a valid tuple, found str.",
        _cdc("sort: id"),
    ),
    FileCase(
        "an unknown load",
        "…/sql/models/_sources.yml: sources.live.orders: meta.cdc: load: expected 'window', 'snapshot' or 'static'.",
        _cdc("load: daily"),
    ),
    FileCase(
        "a setting that does not exist",
        "…/sql/models/_sources.yml: sources.live.orders: meta.cdc: no such setting: deleted_when "
        "(delete_when?). Known: load, staging, key, cursor, created, delete_when, max_delete_share, history, dist, "
        "sort.",
        _cdc("deleted_when: n = 1"),
    ),
    FileCase(
        "max_delete_share that is no number",
        "…/sql/models/_sources.yml: sources.live.orders: max_delete_share: expected greater than 0.",
        _cdc("max_delete_share: .nan"),
    ),
    FileCase(
        "an infinite max_delete_share",
        "…/sql/models/_sources.yml: sources.live.orders: max_delete_share: expected less than or equal to 1.",
        _cdc("max_delete_share: .inf"),
    ),
    FileCase(
        "a negative max_delete_share",
        "…/sql/models/_sources.yml: sources.live.orders: max_delete_share: expected greater than 0.",
        _cdc("max_delete_share: -0.5"),
    ),
    FileCase(
        "max_delete_share 0",
        "…/sql/models/_sources.yml: sources.live.orders: max_delete_share: expected greater than 0.",
        _cdc("max_delete_share: 0"),
    ),
    FileCase(
        "max_delete_share in percent",
        "…/sql/models/_sources.yml: sources.live.orders: max_delete_share: expected less than or equal to 1.",
        _cdc("max_delete_share: 50"),
    ),
    FileCase(
        "a word as max_delete_share",
        "…/sql/models/_sources.yml: sources.live.orders: max_delete_share: expected a valid number, unable"
        " to parse string as a number.",
        _cdc("max_delete_share: half"),
    ),
    FileCase(
        "true as max_delete_share",
        "…/sql/models/_sources.yml: sources.live.orders: max_delete_share: expected a number, found true.",
        _cdc("max_delete_share: true"),
    ),
    FileCase(
        "an empty list as unique_key",
        "…/sql/models/fact.sql: fact is to be a fact and has no row key: set its unique_key.",
        {MODEL: BASE[MODEL].replace("'id'", "[]")},
    ),
    FileCase(
        "an unknown maintenance",
        "…/sql/models/fact.sql: models.fact: meta.cdc: maintenance: expected 'auto', 'incremental' or 'full'.",
        {MODEL: BASE[MODEL].replace("'id'", "'id', meta={'cdc': {'maintenance': 'none'}}")},
    ),
    FileCase(
        "a freshness in weeks",
        "…/sql/dbt_project.yml: vars: cdc_freshness.warn_after.period: expected 'minute', 'hour' or 'day'.",
        _variables("{cdc_freshness: {warn_after: {count: 1, period: week}}}"),
    ),
    FileCase(
        "a volume that no run can keep to",
        "…/sql/dbt_project.yml: vars: cdc_volume.factor: expected greater than 1.",
        _variables("{cdc_volume: {factor: 1}}"),
    ),
    FileCase(
        "a retention of no days",
        "…/sql/dbt_project.yml: vars: cdc_retention.ledger_days: expected greater than or equal to 1.",
        _variables("{cdc_retention: {ledger_days: 0}}"),
    ),
    FileCase(
        "a negative retention",
        "…/sql/dbt_project.yml: vars: cdc_retention.tombstone_days: expected greater than or equal to 1.",
        _variables("{cdc_retention: {tombstone_days: -1}}"),
    ),
    FileCase(
        "an infinite retention",
        "…/sql/dbt_project.yml: vars: cdc_retention.ledger_days: expected a finite number.",
        _variables("{cdc_retention: {ledger_days: .inf}}"),
    ),
    FileCase(
        "a retention of more days than a calendar has",
        "…/sql/dbt_project.yml: vars: cdc_retention.ledger_days: expected less than or equal to 36500.",
        _variables("{cdc_retention: {ledger_days: 99999999999}}"),
    ),
    FileCase(
        "a word as retention",
        "…/sql/dbt_project.yml: vars: cdc_retention: expected a mapping, found str.",
        _variables("{cdc_retention: year}"),
    ),
    FileCase(
        "true as retention",
        "…/sql/dbt_project.yml: vars: cdc_retention.ledger_days: expected a number, found true.",
        _variables("{cdc_retention: {ledger_days: true}}"),
    ),
    FileCase(
        "a retention of half a day",
        "…/sql/dbt_project.yml: vars: cdc_retention.ledger_days: expected a valid integer, got a number "
        "with a fractional part.",
        _variables("{cdc_retention: {ledger_days: 0.5}}"),
    ),
    FileCase(
        "a retention that does not exist",
        "…/sql/dbt_project.yml: vars: cdc_retention: no such setting: ledger (ledger_days?). Known: "
        "ledger_days, tombstone_days, quarantine_days, history_days, history_rows.",
        _variables("{cdc_retention: {ledger: 5}}"),
    ),
    FileCase(
        "a number as control schema",
        "…/sql/dbt_project.yml: vars: cdc_control_schema: expected a valid string, found int.",
        _variables("{cdc_control_schema: 7}"),
    ),
    FileCase(
        "a control schema in upper case",
        "…/sql/dbt_project.yml: vars: cdc_control_schema: 'CDC' is no name: expected lower-case letters, "
        "digits and _, 127 at most.",
        _variables("{cdc_control_schema: CDC}"),
    ),
    # schemas
    FileCase(
        "the control schema as scratch schema",
        "…/sql/dbt_project.yml: vars: cdc_control_schema and cdc_scratch_schema are both a; expected two schemas.",
        _variables("{cdc_control_schema: a, cdc_scratch_schema: a}"),
    ),
    FileCase(
        "the control schema of facts",
        "…/sql/dbt_project.yml: vars.cdc_control_schema: facts is the schema of the fact fact; expected one"
        " of its own.",
        _variables("{cdc_control_schema: facts}"),
    ),
    FileCase(
        "the scratch schema of facts",
        "…/sql/dbt_project.yml: vars.cdc_scratch_schema: facts is the schema of the fact fact; expected one"
        " of its own.",
        _variables("{cdc_scratch_schema: facts}"),
    ),
    FileCase(
        "the control schema of sources",
        "…/sql/dbt_project.yml: vars.cdc_control_schema: live is the schema of the source orders; expected"
        " one of its own.",
        _variables("{cdc_control_schema: live}"),
    ),
    FileCase(
        "the scratch schema of staging",
        "…/sql/dbt_project.yml: vars.cdc_scratch_schema: staging is the schema of the staging of source"
        " orders; expected one of its own.",
        _variables("{cdc_scratch_schema: staging}"),
    ),
    # types
    FileCase(
        "a column of type varchar(0)",
        "…/sql/models/_sources.yml: sources.live.orders: columns.n.data_type: 'varchar(0)' is no type of "
        "Redshift's: expected varchar(1) to varchar(65535).",
        _type("n", "varchar(0)"),
    ),
    FileCase(
        "a column of type varchar(65536)",
        "…/sql/models/_sources.yml: sources.live.orders: columns.n.data_type: 'varchar(65536)' is no type "
        "of Redshift's: expected varchar(1) to varchar(65535).",
        _type("n", "varchar(65536)"),
    ),
    FileCase(
        "a column of type varchar(99999)",
        "…/sql/models/_sources.yml: sources.live.orders: columns.n.data_type: 'varchar(99999)' is no type "
        "of Redshift's: expected varchar(1) to varchar(65535).",
        _type("n", "varchar(99999)"),
    ),
    FileCase(
        "a column of type char(0)",
        "…/sql/models/_sources.yml: sources.live.orders: columns.n.data_type: 'char(0)' is no type of "
        "Redshift's: expected char(1) to char(4096).",
        _type("n", "char(0)"),
    ),
    FileCase(
        "a column of type char(4097)",
        "…/sql/models/_sources.yml: sources.live.orders: columns.n.data_type: 'char(4097)' is no type of "
        "Redshift's: expected char(1) to char(4096).",
        _type("n", "char(4097)"),
    ),
    FileCase(
        "a column of type numeric(0,0)",
        "…/sql/models/_sources.yml: sources.live.orders: columns.n.data_type: 'numeric(0,0)' is no type of "
        "Redshift's: expected numeric(precision, scale), a precision of 1 to 38, and a scale of 37 at most "
        "that is not above the precision.",
        _type("n", "numeric(0,0)"),
    ),
    FileCase(
        "a column of type numeric(39,2)",
        "…/sql/models/_sources.yml: sources.live.orders: columns.n.data_type: 'numeric(39,2)' is no type of"
        " Redshift's: expected numeric(precision, scale), a precision of 1 to 38, and a scale of 37 at most"
        " that is not above the precision.",
        _type("n", "numeric(39,2)"),
    ),
    FileCase(
        "a column of type numeric(50,10)",
        "…/sql/models/_sources.yml: sources.live.orders: columns.n.data_type: 'numeric(50,10)' is no type "
        "of Redshift's: expected numeric(precision, scale), a precision of 1 to 38, and a scale of 37 at "
        "most that is not above the precision.",
        _type("n", "numeric(50,10)"),
    ),
    FileCase(
        "a column of type numeric(38,38)",
        "…/sql/models/_sources.yml: sources.live.orders: columns.n.data_type: 'numeric(38,38)' is no type "
        "of Redshift's: expected numeric(precision, scale), a precision of 1 to 38, and a scale of 37 at "
        "most that is not above the precision.",
        _type("n", "numeric(38,38)"),
    ),
    FileCase(
        "a column of type numeric(4,5)",
        "…/sql/models/_sources.yml: sources.live.orders: columns.n.data_type: 'numeric(4,5)' is no type of "
        "Redshift's: expected numeric(precision, scale), a precision of 1 to 38, and a scale of 37 at most "
        "that is not above the precision.",
        _type("n", "numeric(4,5)"),
    ),
    FileCase(
        "a column of type super",
        "…/sql/models/_sources.yml: sources.live.orders: columns.n.data_type: 'super' is no data type of "
        "the contract: expected e.g. bigint, varchar(64), numeric(18,4), timestamp.",
        _type("n", "super"),
    ),
    FileCase(
        "a column of type time",
        "…/sql/models/_sources.yml: sources.live.orders: columns.n.data_type: 'time' is no data type of the"
        " contract: expected e.g. bigint, varchar(64), numeric(18,4), timestamp.",
        _type("n", "time"),
    ),
    FileCase(
        "a column of type varbyte(20)",
        "…/sql/models/_sources.yml: sources.live.orders: columns.n.data_type: 'varbyte(20)' is no data type"
        " of the contract: expected e.g. bigint, varchar(64), numeric(18,4), timestamp.",
        _type("n", "varbyte(20)"),
    ),
    FileCase(
        "a column of type interval",
        "…/sql/models/_sources.yml: sources.live.orders: columns.n.data_type: 'interval' is no data type of"
        " the contract: expected e.g. bigint, varchar(64), numeric(18,4), timestamp.",
        _type("n", "interval"),
    ),
    FileCase(
        "a key of type boolean",
        "…/sql/models/_sources.yml: sources.live.orders: the key id is boolean; expected one of smallint,"
        " integer, bigint, numeric, varchar, char, date, timestamp: make another column the key.",
        _type("id", "boolean"),
    ),
    FileCase(
        "a key of type real",
        "…/sql/models/_sources.yml: sources.live.orders: the key id is real; expected one of smallint,"
        " integer, bigint, numeric, varchar, char, date, timestamp: make another column the key.",
        _type("id", "real"),
    ),
    FileCase(
        "a key of type double precision",
        "…/sql/models/_sources.yml: sources.live.orders: the key id is double precision; expected one of"
        " smallint, integer, bigint, numeric, varchar, char, date, timestamp: make another column the key.",
        _type("id", "double precision"),
    ),
    FileCase(
        "a key of type timestamptz",
        "…/sql/models/_sources.yml: sources.live.orders: the key id is timestamptz; expected one of"
        " smallint, integer, bigint, numeric, varchar, char, date, timestamp: make another column the key.",
        _type("id", "timestamptz"),
    ),
    FileCase(
        "a row key of type boolean",
        "…/sql/models/fact.sql: models.fact: the row key id is boolean; expected one of smallint, integer, "
        "bigint, numeric, varchar, char, date, timestamp: make another column the key.",
        _edited(SCHEMA, "data_type: bigint", "data_type: boolean"),
    ),
    FileCase(
        "a row key of type double precision",
        "…/sql/models/fact.sql: models.fact: the row key id is double precision; expected one of smallint, "
        "integer, bigint, numeric, varchar, char, date, timestamp: make another column the key.",
        _edited(SCHEMA, "data_type: bigint", "data_type: double precision"),
    ),
    FileCase(
        "a source of 1,601 columns",
        "…/sql/models/_sources.yml: sources.live.orders: 1601 columns, expected 1594 at most: a table has"
        " 1600, and a history has 6 of the engine's own. List fewer, or make two tables of it.",
        {SOURCES: BASE[SOURCES] + _many_columns(1598)},
    ),
    FileCase(
        "a source of 1,600 columns",
        "…/sql/models/_sources.yml: sources.live.orders: 1600 columns, expected 1594 at most: a table has"
        " 1600, and a history has 6 of the engine's own. List fewer, or make two tables of it.",
        {SOURCES: BASE[SOURCES] + _many_columns(1597)},
    ),
    FileCase(
        "a source of 833 texts",
        "…/sql/models/_sources.yml: sources.live.orders: 836 columns and 833 texts and floats, expected"
        " 1663 of both at most: texts and floats are compared in two ways, and a SELECT lists no more. List"
        " fewer, or make two tables of it.",
        {SOURCES: BASE[SOURCES] + _many_columns(833).replace("integer", "varchar(8)")},
    ),
    FileCase(
        "a fact of 1,601 columns",
        "…/sql/models/fact.sql: models.fact: 1601 columns, expected 1600 at most: a table has 1600. List "
        "fewer, or make two tables of it.",
        {
            SCHEMA: "models: [{name: fact, columns: [{name: id, data_type: bigint}"
            + "".join(f", {{name: c{n}, data_type: integer}}" for n in range(1600))
            + "]}]",
            **_edited(MODEL, "o.n", ", ".join(f"o.n AS c{n}" for n in range(1600))),
        },
    ),
    # models
    FileCase(
        "a model that is a DELETE",
        "…/sql/target/compiled/small/models/fact.sql: expected one SELECT, found DELETE. A model is a "
        "SELECT, and that alone.",
        _model("DELETE FROM live.orders"),
    ),
    FileCase(
        "a model that is an INSERT",
        "…/sql/target/compiled/small/models/fact.sql: expected one SELECT, found INSERT. A model is a "
        "SELECT, and that alone.",
        _model("INSERT INTO live.orders SELECT * FROM live.orders"),
    ),
    FileCase(
        "a model that is an UPDATE",
        "…/sql/target/compiled/small/models/fact.sql: expected one SELECT, found UPDATE. A model is a "
        "SELECT, and that alone.",
        _model("UPDATE live.orders SET n = 1"),
    ),
    FileCase(
        "a model that is a DROP",
        "…/sql/target/compiled/small/models/fact.sql: expected one SELECT, found DROP. A model is a SELECT,"
        " and that alone.",
        _model("DROP TABLE live.orders"),
    ),
    FileCase(
        "a model that is a command",
        "…/sql/target/compiled/small/models/fact.sql: expected one SELECT, found VACUUM. A model is a "
        "SELECT, and that alone.",
        _model("VACUUM live.orders"),
    ),
    FileCase(
        "a model that is a CREATE TABLE AS",
        "…/sql/target/compiled/small/models/fact.sql: expected one SELECT, found CREATE. A model is a "
        "SELECT, and that alone.",
        _model("CREATE TABLE x AS SELECT 1 AS id, 2 AS n"),
    ),
    FileCase(
        "a WITH that ends in a DELETE",
        "…/sql/target/compiled/small/models/fact.sql: expected one SELECT, found DELETE. A model is a "
        "SELECT, and that alone.",
        _model("WITH a AS (SELECT 1 AS id) DELETE FROM live.orders"),
    ),
    FileCase(
        "two statements",
        "…/sql/target/compiled/small/models/fact.sql: expected one SELECT, found 2 statements. A model is a"
        " SELECT, and that alone.",
        _model("SELECT 1 AS id, 2 AS n; SELECT 1 AS id, 2 AS n"),
    ),
    FileCase(
        "a SELECT and a DELETE",
        "…/sql/target/compiled/small/models/fact.sql: expected one SELECT, found 2 statements. A model is a"
        " SELECT, and that alone.",
        _model("SELECT 1 AS id, 2 AS n; DELETE FROM live.orders"),
    ),
    FileCase(
        "an empty model",
        "…/sql/target/compiled/small/models/fact.sql: expected one SELECT, found none. A model is a SELECT,"
        " and that alone.",
        _model(""),
    ),
    FileCase(
        "a model that is a comment",
        "…/sql/target/compiled/small/models/fact.sql: expected one SELECT, found none. A model is a SELECT,"
        " and that alone.",
        _model("-- SELECT 1 AS id, 2 AS n\n"),
    ),
    FileCase(
        "a model that is a semicolon",
        "…/sql/target/compiled/small/models/fact.sql: expected one SELECT, found none. A model is a SELECT,"
        " and that alone.",
        _model(";"),
    ),
    FileCase(
        "VALUES",
        "…/sql/target/compiled/small/models/fact.sql: expected one SELECT, found VALUES. A model is a "
        "SELECT, and that alone.",
        _model("VALUES (1, 2)"),
    ),
    FileCase(
        "SELECT INTO",
        "…/sql/target/compiled/small/models/fact.sql, line 2: x, which is no source, can not be read: "
        "nobody looks for changes in it. Describe it as a source with `cdc` meta. Known sources: "
        "live.orders.",
        _model("SELECT o.id, o.n INTO x FROM {{ source('live', 'orders') }} o"),
    ),
    FileCase(
        "a model of words",
        "…/sql/target/compiled/small/models/fact.sql, line 2: Invalid expression / Unexpected token 'and'.",
        _model("some words and no SQL"),
    ),
    # deep SQL
    FileCase(
        "5,000 parentheses",
        "…/sql/target/compiled/small/models/fact.sql, line 2: what stands here is more than 200 deep in "
        "other expressions and queries. Each operator of a chain counts, as OR, + or UNION, and each model "
        "that another reads. Write IN (…) for a chain of OR, keep long lists of values in a source that is "
        "joined, or materialize a model in between as a source.",
        _selected(f"{'(' * 5000}o.n{')' * 5000}"),
    ),
    FileCase(
        "100,000 parentheses",
        "…/sql/target/compiled/small/models/fact.sql, line 2: what stands here is more than 200 deep in "
        "other expressions and queries. Each operator of a chain counts, as OR, + or UNION, and each model "
        "that another reads. Write IN (…) for a chain of OR, keep long lists of values in a source that is "
        "joined, or materialize a model in between as a source.",
        _selected(f"{'(' * 100000}o.n{')' * 100000}"),
    ),
    FileCase(
        "5,000 parentheses that are not closed",
        "…/sql/target/compiled/small/models/fact.sql, line 2: what stands here is more than 200 deep in "
        "other expressions and queries. Each operator of a chain counts, as OR, + or UNION, and each model "
        "that another reads. Write IN (…) for a chain of OR, keep long lists of values in a source that is "
        "joined, or materialize a model in between as a source.",
        _selected("(" * 5000),
    ),
    FileCase(
        "a CASE of 3,000 branches",
        "…/sql/target/compiled/small/models/fact.sql, line 2: a CASE of 3000 branches, expected 1000 at "
        "most. Keep the values in a source, and join it.",
        _selected(f"CASE {BRANCHES} END"),
    ),
    FileCase(
        "3,000 CASEs in one another",
        "…/sql/target/compiled/small/models/fact.sql, line 2: what stands here is more than 200 deep in "
        "other expressions and queries. Each operator of a chain counts, as OR, + or UNION, and each model "
        "that another reads. Write IN (…) for a chain of OR, keep long lists of values in a source that is "
        "joined, or materialize a model in between as a source.",
        _selected(f"{'CASE WHEN o.n = 1 THEN 2 ELSE ' * 3000}3{' END' * 3000}"),
    ),
    FileCase(
        "a sum of 5,000 terms",
        "…/sql/target/compiled/small/models/fact.sql, line 2: what stands here is more than 200 deep in "
        "other expressions and queries. Each operator of a chain counts, as OR, + or UNION, and each model "
        "that another reads. Write IN (…) for a chain of OR, keep long lists of values in a source that is "
        "joined, or materialize a model in between as a source.",
        _selected(" + ".join(["o.n"] * 5000)),
    ),
    FileCase(
        "an OR of 5,000 predicates",
        "…/sql/target/compiled/small/models/fact.sql, line 3: what stands here is more than 200 deep in "
        "other expressions and queries. Each operator of a chain counts, as OR, + or UNION, and each model "
        "that another reads. Write IN (…) for a chain of OR, keep long lists of values in a source that is "
        "joined, or materialize a model in between as a source.",
        _where(" OR ".join(f"o.n = {n}" for n in range(5000))),
    ),
    FileCase(
        "5,000 times NOT",
        "…/sql/target/compiled/small/models/fact.sql: what stands here is more than 200 deep in other "
        "expressions and queries. Each operator of a chain counts, as OR, + or UNION, and each model that "
        "another reads. Write IN (…) for a chain of OR, keep long lists of values in a source that is "
        "joined, or materialize a model in between as a source.",
        _where("NOT " * 5000 + "o.n = 1"),
    ),
    FileCase(
        "a minus 5,000 times",
        "…/sql/target/compiled/small/models/fact.sql: what stands here is more than 200 deep in other "
        "expressions and queries. Each operator of a chain counts, as OR, + or UNION, and each model that "
        "another reads. Write IN (…) for a chain of OR, keep long lists of values in a source that is "
        "joined, or materialize a model in between as a source.",
        _selected("- " * 5000 + "o.n"),
    ),
    FileCase(
        "500 subqueries in one another",
        "…/sql/target/compiled/small/models/fact.sql, line 2: what stands here is more than 200 deep in "
        "other expressions and queries. Each operator of a chain counts, as OR, + or UNION, and each model "
        "that another reads. Write IN (…) for a chain of OR, keep long lists of values in a source that is "
        "joined, or materialize a model in between as a source.",
        _model(
            "SELECT o.id, o.n FROM "
            + "(SELECT o.id, o.n FROM " * 500
            + "{{ source('live', 'orders') }} o"
            + ") o" * 500
        ),
    ),
    FileCase(
        "a UNION ALL of 1,000 SELECTs",
        "…/sql/target/compiled/small/models/fact.sql, line 2: what stands here is more than 200 deep in "
        "other expressions and queries. Each operator of a chain counts, as OR, + or UNION, and each model "
        "that another reads. Write IN (…) for a chain of OR, keep long lists of values in a source that is "
        "joined, or materialize a model in between as a source.",
        _model(" UNION ALL ".join(["SELECT o.id, o.n FROM {{ source('live', 'orders') }} o"] * 1000)),
    ),
    FileCase(
        "400 models that read one another",
        "…/sql/target/compiled/small/models/fact.sql: what stands here is more than 200 deep in other "
        "expressions and queries. Each operator of a chain counts, as OR, + or UNION, and each model that "
        "another reads. Write IN (…) for a chain of OR, keep long lists of values in a source that is "
        "joined, or materialize a model in between as a source.",
        _chain(400),
    ),
    # the file system
    FileCase(
        "a folder that is called dbt_project.yml",
        "…/sql/dbt_project.yml: is a folder, expected a file. Rename the folder.",
        change=_folder(PROJECT),
    ),
    FileCase(
        "a folder that is called manifest.json",
        "…/sql/target/manifest.json: is a folder, expected a file. Rename the folder.",
        change=_folder(MANIFEST),
    ),
    FileCase(
        "a folder in place of a model",
        "…/sql/models/fact.sql: is a folder, expected a file. Rename the folder.",
        change=_folder(MODEL),
    ),
    FileCase(
        "a folder in place of the dictionary",
        "…/sql/cdc/dictionary.yaml: is a folder, expected a file. Rename the folder.",
        change=_folder(DICTIONARY),
    ),
    FileCase(
        "a folder in place of the dictionary, --check",
        "…/sql/cdc/dictionary.yaml: is a folder, expected a file. Rename the folder.",
        change=_folder(DICTIONARY),
        arguments=(*COMPILE, "--check"),
    ),
    FileCase(
        "a folder in place of the contract",
        "…/sql/cdc/contract.yaml: is a folder, expected a file. Rename the folder. Compiling has written "
        "the file: take the committed one back, or remove it and write it anew with `python -m surgical_cdc"
        " compile --project …/sql`.",
        change=_folder(CONTRACT),
    ),
    FileCase(
        "a file in place of the folder cdc",
        "…/sql/cdc/contract.yaml: can not be written: File exists. Correct it, or who may write there.",
        change=_written("sql/cdc", ""),
    ),
    FileCase(
        "a link to itself that is called dbt_project.yml",
        "…/sql/dbt_project.yml: can not be read: Too many levels of symbolic links. Correct it, or who may read it.",
        change=_loop(PROJECT),
    ),
    FileCase(
        "a link to itself that is called manifest.json",
        "…/sql/target/manifest.json: can not be read: Too many levels of symbolic links. Correct it, or who"
        " may read it.",
        change=_loop(MANIFEST),
    ),
    FileCase(
        "a link to itself in place of the dictionary",
        "…/sql/cdc/dictionary.yaml: can not be written: Too many levels of symbolic links. Correct it, or "
        "who may write there.",
        change=_loop(DICTIONARY),
    ),
    FileCase(
        "a pipe that is called manifest.json",
        "…/sql/target/manifest.json: is a pipe, a socket or a device, expected a file. Remove it.",
        change=_pipe(MANIFEST),
    ),
    FileCase(
        "a pipe in place of a model",
        "…/sql/models/fact.sql: is a pipe, a socket or a device, expected a file. Remove it.",
        change=_pipe(MODEL),
    ),
    FileCase(
        "dbt_project.yml that may not be read",
        "…/sql/dbt_project.yml: can not be read: Permission denied. Correct it, or who may read it.",
        change=_mode(PROJECT, 0),
        unprivileged=True,
    ),
    FileCase(
        "a model that may not be read",
        "…/sql/models/fact.sql: can not be read: Permission denied. Correct it, or who may read it.",
        change=_mode(MODEL, 0),
        unprivileged=True,
    ),
    FileCase(
        "a folder of models that may not be read",
        "'…/sql/models/fact.sql': Permission denied. Correct the path, or let the user who runs this read "
        "and write there.",
        change=_mode("sql/models", 0),
        unprivileged=True,
    ),
    FileCase(
        "a contract that may not be read",
        "…/sql/cdc/contract.yaml: can not be read: Permission denied. Correct it, or who may read it. "
        "Compiling has written the file: take the committed one back, or remove it and write it anew with "
        "`python -m surgical_cdc compile --project …/sql`.",
        change=_mode(CONTRACT, 0),
        arguments=EXPLAIN,
        compiled=True,
        unprivileged=True,
    ),
    FileCase(
        "a dictionary that may not be read",
        "…/sql/cdc/dictionary.yaml: can not be read: Permission denied. Correct it, or who may read it.",
        change=_mode(DICTIONARY, 0),
        arguments=(*COMPILE, "--check"),
        compiled=True,
        unprivileged=True,
    ),
    FileCase(
        "a dictionary that may not be written",
        "…/sql/cdc/dictionary.yaml: can not be written: Permission denied. Correct it, or who may write there.",
        change=_read_only_dictionary,
        arguments=("compile",),
        compiled=True,
        unprivileged=True,
    ),
    FileCase(
        "a project that may not be written",
        "…/sql/cdc/contract.yaml: can not be written: Permission denied. Correct it, or who may write there.",
        unprivileged=True,
    ),
]

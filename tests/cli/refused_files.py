"""Files of a dbt project that are refused: project YAML, models, macros, the dictionary, documents, types, settings."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.refused_page import Refused

PROJECT = "sql/dbt_project.yml"
PROFILES = "sql/profiles.yml"
SOURCES = "sql/models/_sources.yml"
SCHEMA = "sql/models/_schema.yml"
MODEL = "sql/models/fact.sql"
MACRO = "sql/macros/m.sql"
DICTIONARY = "dictionary.yaml"
DOCUMENT = "sql/page.md"
SOURCE = "source('live', 'orders')"
CONFIG = "{{ config(unique_key='id') }}\n"
# A project that is accepted as it stands; each case changes one thing of it.
BASE = {
    PROJECT: "name: small\nprofile: small\nmodels: {small: {+materialized: table}}\nvars: {cdc_documents: [page.md]}\n",
    PROFILES: "small: {target: t, outputs: {t: {type: redshift, schema: facts, threads: 2}}}\n",
    SOURCES: """sources:
- name: live
  schema: live
  tables:
  - name: orders
    config: {meta: {cdc: {staging: staging.orders, key: id, cursor: updated_at}}}
    columns:
    - {name: id, data_type: bigint}
    - {name: n, data_type: integer}
    - {name: updated_at, data_type: timestamp}
""",
    SCHEMA: "models: [{name: fact, columns: [{name: id, data_type: bigint}, {name: n, data_type: integer}]}]\n",
    MODEL: "{{ config(unique_key='id') }}\nSELECT o.id, o.n FROM {{ source('live', 'orders') }} o\n",
    MACRO: "{% macro m() %}1{% endmacro %}\n",
    DOCUMENT: "<!-- compiled: table -->\n<!-- /compiled -->\n",
}


@dataclass(frozen=True)
class FileCase(Refused):
    """A project of which `files` are written as they stand here, and to which `change` is made after that.

    `compile` is called on it `with_options`, by a user whom the files do not belong to if `unprivileged`.
    """

    files: Mapping[str, str | bytes] = field(default_factory=dict)
    change: Callable[[Path], object] | None = None
    with_options: tuple[str, ...] = ()
    unprivileged: bool = False

    def write(self, folder: Path) -> None:
        """Write the project into a folder, which it is `sql` in."""
        for name, content in {**BASE, **self.files}.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        if self.change:
            self.change(folder)


def _edited(file: str, old: str, new: str) -> dict[str, str]:
    assert old in BASE[file]
    return {file: BASE[file].replace(old, new)}


def _variables(text: str) -> dict[str, str]:
    return _edited(PROJECT, "{cdc_documents: [page.md]}", text)


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
    ephemeral = "{{ config(materialized='ephemeral') }}\n"
    written = {f"sql/models/m{place}.sql": f"{ephemeral}{model}" for place, model in models.items()}
    return {**written, MODEL: f"{CONFIG}{models[length - 1]}"}


def _type(name: str, data_type: str) -> dict[str, str]:
    return _edited(
        SOURCES,
        f"{{name: {name}, data_type: {'bigint' if name == 'id' else 'integer'}}}",
        json.dumps({"name": name, "data_type": data_type}),
    )


def _replaced(name: str, make: Callable[[Path], object]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        make(folder / name)

    return change


def _folder(name: str) -> Callable[[Path], None]:
    return _replaced(name, Path.mkdir)


def _loop(name: str) -> Callable[[Path], None]:
    return _replaced(name, lambda file: file.symlink_to(file))


def _pipe(name: str) -> Callable[[Path], None]:
    return _replaced(name, os.mkfifo)


def _mode(name: str, mode: int) -> Callable[[Path], None]:
    return lambda folder: (folder / name).chmod(mode)


def _document_alone(folder: Path) -> None:
    """Let anybody write the dictionary, and nobody the document."""
    (folder / DICTIONARY).chmod(0o666)
    (folder / DOCUMENT).chmod(0o444)


def _many_columns(count: int) -> str:
    return "".join(f"    - {{name: c{number}, data_type: integer}}\n" for number in range(count))


BRANCHES = " ".join(f"WHEN o.n = {number} THEN {number}" for number in range(3000))
LATIN = "caf\u00e9 ".encode("latin-1")
BOM = b"\xef\xbb\xbf"
EXPLODING = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

CASES: list[FileCase] = [
    # encodings
    FileCase(
        "dbt_project.yml that is not UTF-8",
        "…/sql/dbt_project.yml: line 5 has the byte 0xe9, which is not UTF-8. Save it as UTF-8.",
        {PROJECT: BASE[PROJECT].encode() + b"# " + LATIN},
    ),
    FileCase(
        "profiles.yml that is not UTF-8",
        "…/sql/profiles.yml: line 2 has the byte 0xe9, which is not UTF-8. Save it as UTF-8.",
        {PROFILES: BASE[PROFILES].encode() + b"# " + LATIN},
    ),
    FileCase(
        "a YAML file beside models that is not UTF-8",
        "…/sql/models/_schema.yml: line 2 has the byte 0xe9, which is not UTF-8. Save it as UTF-8.",
        {SCHEMA: BASE[SCHEMA].encode() + b"# " + LATIN},
    ),
    FileCase(
        "a model that is not UTF-8",
        "…/sql/models/fact.sql: line 3 has the byte 0xe9, which is not UTF-8. Save it as UTF-8.",
        {MODEL: BASE[MODEL].encode() + b"-- " + LATIN},
    ),
    FileCase(
        "a macro that is not UTF-8",
        "…/sql/macros/m.sql: line 2 has the byte 0xe9, which is not UTF-8. Save it as UTF-8.",
        {MACRO: BASE[MACRO].encode() + LATIN},
    ),
    FileCase(
        "a dictionary that is not UTF-8",
        "…/dictionary.yaml: line 1 has the byte 0xe9, which is not UTF-8. Save it as UTF-8.",
        {DICTIONARY: b"# " + LATIN},
        with_options=("--check",),
    ),
    FileCase(
        "a document that is not UTF-8",
        "…/sql/page.md: line 1 has the byte 0xe9, which is not UTF-8. Save it as UTF-8.",
        {DOCUMENT: LATIN},
    ),
    FileCase(
        "a YAML file in UTF-16",
        "…/sql/models/_schema.yml: line 1 has the byte 0xff, which is not UTF-8. Save it as UTF-8.",
        {SCHEMA: BASE[SCHEMA].encode("utf-16")},
    ),
    FileCase(
        "dbt_project.yml that begins with a byte order mark",
        "…/sql/dbt_project.yml: begins with a byte order mark. Save it as UTF-8 without one (BOM).",
        {PROJECT: BOM + BASE[PROJECT].encode()},
    ),
    FileCase(
        "a YAML file beside models that begins with a byte order mark",
        "…/sql/models/_schema.yml: begins with a byte order mark. Save it as UTF-8 without one (BOM).",
        {SCHEMA: BOM + BASE[SCHEMA].encode()},
    ),
    FileCase(
        "a model that begins with a byte order mark",
        "…/sql/models/fact.sql: begins with a byte order mark. Save it as UTF-8 without one (BOM).",
        {MODEL: BOM + BASE[MODEL].encode()},
    ),
    FileCase(
        "a dictionary that begins with a byte order mark",
        "…/dictionary.yaml: begins with a byte order mark. Save it as UTF-8 without one (BOM).",
        {DICTIONARY: BOM + b"facts: []"},
        with_options=("--check",),
    ),
    FileCase(
        "a document that begins with a byte order mark",
        "…/sql/page.md: begins with a byte order mark. Save it as UTF-8 without one (BOM).",
        {DOCUMENT: BOM + BASE[DOCUMENT].encode()},
    ),
    FileCase(
        "a NUL byte in a YAML file",
        "…/sql/models/_schema.yml: line 2 has the control character U+0000, expected text. Remove it.",
        {SCHEMA: BASE[SCHEMA] + "# \0\n"},
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
    FileCase(
        "a NUL byte in a document",
        "…/sql/page.md: line 1 has the control character U+0000, expected text. Remove it.",
        {DOCUMENT: "\0"},
    ),
    # YAML
    FileCase(
        "lists nested 3,000 deep in dbt_project.yml",
        "…/sql/dbt_project.yml: is no valid YAML: line 5: this is nested more than 100 deep. Write it with"
        " fewer levels.",
        {PROJECT: BASE[PROJECT] + f"x: {'[' * 3000}{']' * 3000}\n"},
    ),
    FileCase(
        "lists nested 3,000 deep beside models",
        "…/sql/models/_schema.yml: is no valid YAML: line 2: this is nested more than 100 deep. Write it"
        " with fewer levels.",
        {SCHEMA: BASE[SCHEMA] + f"x: {'[' * 3000}{']' * 3000}\n"},
    ),
    FileCase(
        "lists nested 3,000 deep in the dictionary",
        "…/dictionary.yaml is no dictionary (line 1: this is nested more than 100 deep. Write it with fewer"
        " levels). Write it again with: python -m surgical_cdc compile --project …/sql",
        {DICTIONARY: f"x: {'[' * 3000}{']' * 3000}\n"},
        with_options=("--check",),
    ),
    FileCase(
        "aliases that expand to 400 million values",
        "…/sql/models/_schema.yml: is no valid YAML: line 7: the aliases up to here stand for over 100,000"
        " values. Write them out.",
        {SCHEMA: BASE[SCHEMA] + EXPLODING},
    ),
    FileCase(
        "such aliases in dbt_project.yml",
        "…/sql/dbt_project.yml: is no valid YAML: line 10: the aliases up to here stand for over 100,000"
        " values. Write them out.",
        {PROJECT: BASE[PROJECT] + EXPLODING},
    ),
    FileCase(
        "such aliases in the dictionary",
        "…/dictionary.yaml is no dictionary (line 6: the aliases up to here stand for over 100,000 values."
        " Write them out). Write it again with: python -m surgical_cdc compile --project …/sql",
        {DICTIONARY: EXPLODING},
        with_options=("--check",),
    ),
    FileCase(
        "an anchor inside what it names",
        "…/sql/models/_schema.yml: line 2: the anchor here is read inside what it names.",
        {SCHEMA: BASE[SCHEMA] + "x: &x [*x]\n"},
    ),
    FileCase(
        "an alias of nothing",
        "…/sql/models/_schema.yml: is no valid YAML: line 2: found undefined alias.",
        {SCHEMA: BASE[SCHEMA] + "x: *x\n"},
    ),
    FileCase(
        "two documents in a YAML file",
        "…/sql/models/_schema.yml: is no valid YAML: line 2: but found another document, expected a single"
        " document in the stream that begins in line 1.",
        {SCHEMA: BASE[SCHEMA] + "---\nx: 1\n"},
    ),
    FileCase(
        "a tag that makes an object",
        "…/sql/models/_schema.yml: is no valid YAML: line 2: could not determine a constructor for the tag"
        " 'tag:yaml.org,2002:python/object/apply:os.system'.",
        {SCHEMA: BASE[SCHEMA] + "x: !!python/object/apply:os.system [ls]\n"},
    ),
    FileCase(
        "a key that is a list",
        "…/sql/models/_schema.yml: is no valid YAML: line 2: found unhashable key, while constructing a"
        " mapping that begins in line 1.",
        {SCHEMA: BASE[SCHEMA] + "? [a]\n: 1\n"},
    ),
    FileCase(
        "a key that is a mapping",
        "…/sql/dbt_project.yml: is no valid YAML: line 5: found unhashable key, while constructing a"
        " mapping that begins in line 1.",
        {PROJECT: BASE[PROJECT] + "? {a: 1}\n: 1\n"},
    ),
    FileCase(
        "a date that does not exist",
        "…/sql/models/_schema.yml: is no valid YAML: day is out of range for month.",
        {SCHEMA: BASE[SCHEMA] + "x: 2026-02-30\n"},
    ),
    FileCase(
        "a list where dbt_project.yml is a mapping",
        "…/sql/dbt_project.yml: expected a mapping at the top, found list.",
        {PROJECT: "- name: small\n"},
    ),
    FileCase(
        "a word where a YAML file is a mapping",
        "…/sql/models/_schema.yml: expected a mapping at the top, found str.",
        {SCHEMA: "models\n"},
    ),
    FileCase(
        "an empty dbt_project.yml",
        "…/sql/dbt_project.yml: has no `profile`, the one of profiles.yml that dbt uses.",
        {PROJECT: ""},
    ),
    FileCase(
        "an empty profiles.yml",
        "…/sql/profiles.yml: has no profile 'small', which dbt_project.yml names.",
        {PROFILES: ""},
    ),
    FileCase(
        "an integer of 5,000 digits",
        "…/sql/models/_schema.yml: is no valid YAML: Exceeds the limit (4300 digits) for integer string"
        " conversion: value has 5000 digits; use sys.set_int_max_str_digits() to increase the limit.",
        {SCHEMA: BASE[SCHEMA] + f"x: {'9' * 5000}\n"},
    ),
    # wrong shapes
    FileCase(
        "a list as `vars`",
        "…/sql/dbt_project.yml: vars: expected a mapping, found list.",
        _edited(PROJECT, "{cdc_documents: [page.md]}", "[cdc_documents]"),
    ),
    FileCase(
        "a number as name of the project",
        "…/sql/dbt_project.yml: name: expected a valid string, found int.",
        _edited(PROJECT, "name: small\n", "name: 12\n"),
    ),
    FileCase(
        "a word as model-paths",
        "…/sql/dbt_project.yml: model-paths: expected a valid list, found str.",
        {PROJECT: BASE[PROJECT] + "model-paths: models\n"},
    ),
    FileCase(
        "numbers as model-paths",
        "…/sql/dbt_project.yml: model-paths.0: expected a valid string, found int.",
        {PROJECT: BASE[PROJECT] + "model-paths: [1]\n"},
    ),
    FileCase(
        "a list as `models` of dbt_project.yml",
        "…/sql/dbt_project.yml: models: expected a mapping, found list.",
        _edited(PROJECT, "{small: {+materialized: table}}", "[small]"),
    ),
    FileCase(
        "a list as materialized",
        "…/sql/models/fact.sql: config: materialized: expected a valid string, found list.",
        _edited(PROJECT, "+materialized: table", "+materialized: [table]"),
    ),
    FileCase(
        "a list as profile",
        "…/sql/dbt_project.yml: profile: expected a valid string, found list.",
        _edited(PROJECT, "profile: small", "profile: [small]"),
    ),
    FileCase(
        "a list as outputs",
        "…/sql/profiles.yml: small: outputs: expected a mapping, found list.",
        _edited(PROFILES, "{t: {type: redshift, schema: facts, threads: 2}}", "[t]"),
    ),
    FileCase(
        "a list as target",
        "…/sql/profiles.yml: small: target: expected a valid string, found list.",
        _edited(PROFILES, "target: t", "target: [t]"),
    ),
    FileCase(
        "a date as target",
        "…/sql/profiles.yml: small: target: expected a valid string, found date.",
        _edited(PROFILES, "target: t", "target: 2026-01-01"),
    ),
    FileCase(
        "a word as threads",
        "…/sql/profiles.yml: small.outputs.t: threads: expected a valid integer, unable to parse string as an integer.",
        _edited(PROFILES, "threads: 2", "threads: many"),
    ),
    FileCase(
        "no threads",
        "…/sql/profiles.yml: small.outputs.t: threads: expected greater than 0.",
        _edited(PROFILES, "threads: 2", "threads: 0"),
    ),
    FileCase(
        "a number as the target's schema",
        "…/sql/models/fact.sql: models.fact: relation: '12' is no name: expected lower-case letters, digits"
        " and _, 63 at most.",
        _edited(PROFILES, "schema: facts", "schema: 12"),
    ),
    FileCase(
        "a list as the target's schema",
        "…/sql/models/fact.sql: models.fact: relation: \"['facts']\" is no name: expected lower-case letters,"
        " digits and _, 63 at most.",
        _edited(PROFILES, "schema: facts", "schema: [facts]"),
    ),
    FileCase(
        "a word as `models` of a YAML file",
        "…/sql/models/_schema.yml: models: expected a valid list, found str.",
        {SCHEMA: "models: fact\n"},
    ),
    FileCase(
        "words as entries of `models`",
        "…/sql/models/_schema.yml: models.0: expected a mapping, found str.",
        {SCHEMA: "models: [fact]\n"},
    ),
    FileCase(
        "a number as name of a model",
        "…/sql/models/_schema.yml: models.0.name: expected a valid string, found int.",
        {SCHEMA: "models: [{name: 1}]\n"},
    ),
    FileCase(
        "a mapping as columns",
        "…/sql/models/_schema.yml: models.0.columns: expected a valid list, found dict.",
        _edited(SCHEMA, "columns: [{name: id", "columns: {id: bigint}, x: [{name: id"),
    ),
    FileCase(
        "words as columns",
        "…/sql/models/_schema.yml: models.0.columns.0: expected a mapping, found str; models.0.columns.1:"
        " expected a mapping, found str.",
        {SCHEMA: "models: [{name: fact, columns: [id, n]}]\n"},
    ),
    FileCase(
        "true as name of a column",
        "…/sql/models/_schema.yml: models.fact.columns.True: name: expected a valid string, found bool.",
        _edited(SCHEMA, "name: n", "name: true"),
    ),
    FileCase(
        "a date as name of a column",
        "…/sql/models/_schema.yml: models.fact.columns.2026-01-01: name: expected a valid string, found date.",
        _edited(SCHEMA, "name: n", "name: 2026-01-01"),
    ),
    FileCase(
        "a number as data type",
        "…/sql/models/_schema.yml: models.fact.columns.n: data_type: expected a valid string, found int.",
        _edited(SCHEMA, "data_type: integer", "data_type: 4"),
    ),
    FileCase(
        "a column without data type",
        "…/sql/models/_schema.yml: models.fact.columns.n: data_type: is missing.",
        _edited(SCHEMA, ", data_type: integer", ""),
    ),
    FileCase(
        "a word as `sources`",
        "…/sql/models/_sources.yml: sources: expected a valid list, found str.",
        {SOURCES: "sources: live\n"},
    ),
    FileCase(
        "a mapping as tables",
        "…/sql/models/_sources.yml: is no valid YAML: line 6: mapping values are not allowed in this context.",
        _edited(SOURCES, "tables:\n  - name", "tables:\n   name"),
    ),
    FileCase(
        "a list as `config`",
        "…/sql/models/_sources.yml: sources.0.tables.0.config: expected a mapping, found list.",
        _edited(
            SOURCES, "config: {meta: {cdc: {staging: staging.orders, key: id, cursor: updated_at}}}", "config: [meta]"
        ),
    ),
    FileCase(
        "a list as `meta`",
        "…/sql/models/_sources.yml: sources.live.orders: config: meta: expected a mapping, found list.",
        _edited(SOURCES, "{meta: {cdc: {staging: staging.orders, key: id, cursor: updated_at}}}", "{meta: [cdc]}"),
    ),
    FileCase(
        "a list as `cdc`",
        "…/sql/models/_sources.yml: sources.live.orders: config: meta.cdc: expected a mapping, found list.",
        _edited(SOURCES, "{cdc: {staging: staging.orders, key: id, cursor: updated_at}}", "{cdc: [staging]}"),
    ),
    FileCase(
        "a number as schema of a source",
        "…/sql/models/_sources.yml: sources.0.schema: expected a valid string, found int.",
        _edited(SOURCES, "schema: live", "schema: 7"),
    ),
    FileCase(
        "a number as key",
        "…/sql/models/_sources.yml: sources.live.orders: key: expected a valid string, found int.",
        _edited(SOURCES, "key: id", "key: 1"),
    ),
    FileCase(
        "a list as key",
        "…/sql/models/_sources.yml: sources.live.orders: key: expected a valid string, found list.",
        _edited(SOURCES, "key: id", "key: [id]"),
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
        "…/sql/models/_sources.yml: sources.live.orders: load: expected 'window' or 'snapshot'.",
        _cdc("load: daily"),
    ),
    FileCase(
        "a setting that does not exist",
        "…/sql/models/_sources.yml: sources.live.orders: no such setting: deleted_when (delete_when?)."
        " Known: staging, key, cursor, created, load, delete_when, max_delete_share, dist, sort.",
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
        "…/sql/models/_schema.yml: models.fact has a unique_key of 0 columns; a row key is one: make it in the SELECT.",
        {MODEL: BASE[MODEL].replace("'id'", "[]")},
    ),
    FileCase(
        "a number as unique_key",
        "…/sql/models/fact.sql: config: unique_key.str: expected a valid string, found int;"
        " unique_key.list[str]: expected a valid list, found int.",
        {MODEL: BASE[MODEL].replace("'id'", "1")},
    ),
    FileCase(
        "a mapping as unique_key",
        "…/sql/models/fact.sql: config: unique_key.str: expected a valid string, found dict;"
        " unique_key.list[str]: expected a valid list, found dict.",
        {MODEL: BASE[MODEL].replace("'id'", "{'a': 1}")},
    ),
    FileCase(
        "a list as alias of a model",
        "…/sql/models/fact.sql: models.fact: relation: \"['a']\" is no name: expected lower-case letters,"
        " digits and _, 63 at most.",
        {MODEL: BASE[MODEL].replace("'id'", "'id', alias=['a']")},
    ),
    FileCase(
        "a list as `meta` of a model",
        "…/sql/models/fact.sql: config: meta: expected a mapping, found list.",
        {MODEL: BASE[MODEL].replace("'id'", "'id', meta=['cdc']")},
    ),
    FileCase(
        "config() of a word",
        "…/sql/models/fact.sql, line 1: 'str' object is not a mapping.",
        {MODEL: BASE[MODEL].replace("unique_key='id'", "'id'")},
    ),
    FileCase(
        "an unknown maintenance",
        "…/sql/models/fact.sql: config: meta.cdc.maintenance: expected 'auto', 'incremental' or 'full'.",
        {MODEL: BASE[MODEL].replace("'id'", "'id', meta={'cdc': {'maintenance': 'none'}}")},
    ),
    FileCase(
        "a retention of no days",
        "…/sql/dbt_project.yml: vars.cdc_retention: ledger_days: expected greater than or equal to 1.",
        _variables("{cdc_retention: {ledger_days: 0}}"),
    ),
    FileCase(
        "a negative retention",
        "…/sql/dbt_project.yml: vars.cdc_retention: tombstone_days: expected greater than or equal to 1.",
        _variables("{cdc_retention: {tombstone_days: -1}}"),
    ),
    FileCase(
        "an infinite retention",
        "…/sql/dbt_project.yml: vars.cdc_retention: ledger_days: expected a finite number.",
        _variables("{cdc_retention: {ledger_days: .inf}}"),
    ),
    FileCase(
        "a retention of more days than a calendar has",
        "…/sql/dbt_project.yml: vars.cdc_retention: ledger_days: expected less than or equal to 36500.",
        _variables("{cdc_retention: {ledger_days: 99999999999}}"),
    ),
    FileCase(
        "a word as retention",
        "…/sql/dbt_project.yml: vars.cdc_retention: expected a mapping, found str.",
        _variables("{cdc_retention: year}"),
    ),
    FileCase(
        "true as retention",
        "…/sql/dbt_project.yml: vars.cdc_retention: ledger_days: expected a number, found true.",
        _variables("{cdc_retention: {ledger_days: true}}"),
    ),
    FileCase(
        "a retention of half a day",
        "…/sql/dbt_project.yml: vars.cdc_retention: ledger_days: expected a valid integer, got a number"
        " with a fractional part.",
        _variables("{cdc_retention: {ledger_days: 0.5}}"),
    ),
    FileCase(
        "a retention that does not exist",
        "…/sql/dbt_project.yml: vars.cdc_retention: no such setting: ledger (ledger_days?). Known:"
        " ledger_days, tombstone_days, quarantine_days.",
        _variables("{cdc_retention: {ledger: 5}}"),
    ),
    FileCase(
        "a word as documents",
        "…/sql/dbt_project.yml: vars.cdc_documents: expected a valid list, found str.",
        _variables("{cdc_documents: page.md}"),
    ),
    FileCase(
        "a number in documents",
        "…/sql/dbt_project.yml: vars.cdc_documents: 0: expected a valid string, found int.",
        _variables("{cdc_documents: [1]}"),
    ),
    FileCase(
        "a NUL byte in a document's path",
        "…/sql/dbt_project.yml: vars.cdc_documents: 'a\\x00b' leads to no file. Correct it, or the link that it is.",
        _variables('{cdc_documents: ["a\\0b"]}'),
    ),
    FileCase(
        "a number as control schema",
        "…/sql/dbt_project.yml: vars.cdc_control_schema: expected a valid string, found int.",
        _variables("{cdc_control_schema: 7}"),
    ),
    FileCase(
        "nothing as control schema",
        "…/sql/dbt_project.yml: vars.cdc_control_schema: expected a valid string, found NoneType.",
        _variables("{cdc_control_schema: null}"),
    ),
    FileCase(
        "a control schema in upper case",
        "…/sql/dbt_project.yml: vars.cdc_control_schema: 'CDC' is no name: expected lower-case letters,"
        " digits and _, 63 at most.",
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
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'varchar(0)' is no type of"
        " Redshift's: expected varchar(1) to varchar(65535).",
        _type("n", "varchar(0)"),
    ),
    FileCase(
        "a column of type varchar(65536)",
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'varchar(65536)' is no type"
        " of Redshift's: expected varchar(1) to varchar(65535).",
        _type("n", "varchar(65536)"),
    ),
    FileCase(
        "a column of type varchar(99999)",
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'varchar(99999)' is no type"
        " of Redshift's: expected varchar(1) to varchar(65535).",
        _type("n", "varchar(99999)"),
    ),
    FileCase(
        "a column of type char(0)",
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'char(0)' is no type of"
        " Redshift's: expected char(1) to char(4096).",
        _type("n", "char(0)"),
    ),
    FileCase(
        "a column of type char(4097)",
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'char(4097)' is no type of"
        " Redshift's: expected char(1) to char(4096).",
        _type("n", "char(4097)"),
    ),
    FileCase(
        "a column of type varchar",
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'varchar' is no data type of"
        " the contract: expected e.g. bigint, varchar(64), numeric(18,4), timestamp.",
        _type("n", "varchar"),
    ),
    FileCase(
        "a column of type numeric(0,0)",
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'numeric(0,0)' is no type of"
        " Redshift's: expected numeric(precision, scale), a precision of 1 to 38, and a scale of 37 at most"
        " that is not above the precision.",
        _type("n", "numeric(0,0)"),
    ),
    FileCase(
        "a column of type numeric(39,2)",
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'numeric(39,2)' is no type of"
        " Redshift's: expected numeric(precision, scale), a precision of 1 to 38, and a scale of 37 at most"
        " that is not above the precision.",
        _type("n", "numeric(39,2)"),
    ),
    FileCase(
        "a column of type numeric(50,10)",
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'numeric(50,10)' is no type"
        " of Redshift's: expected numeric(precision, scale), a precision of 1 to 38, and a scale of 37 at"
        " most that is not above the precision.",
        _type("n", "numeric(50,10)"),
    ),
    FileCase(
        "a column of type numeric(38,38)",
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'numeric(38,38)' is no type"
        " of Redshift's: expected numeric(precision, scale), a precision of 1 to 38, and a scale of 37 at"
        " most that is not above the precision.",
        _type("n", "numeric(38,38)"),
    ),
    FileCase(
        "a column of type numeric(4,5)",
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'numeric(4,5)' is no type of"
        " Redshift's: expected numeric(precision, scale), a precision of 1 to 38, and a scale of 37 at most"
        " that is not above the precision.",
        _type("n", "numeric(4,5)"),
    ),
    FileCase(
        "a column of type super",
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'super' is no data type of"
        " the contract: expected e.g. bigint, varchar(64), numeric(18,4), timestamp.",
        _type("n", "super"),
    ),
    FileCase(
        "a column of type time",
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'time' is no data type of the"
        " contract: expected e.g. bigint, varchar(64), numeric(18,4), timestamp.",
        _type("n", "time"),
    ),
    FileCase(
        "a column of type text",
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'text' is no data type of the"
        " contract: expected e.g. bigint, varchar(64), numeric(18,4), timestamp.",
        _type("n", "text"),
    ),
    FileCase(
        "a column of type BIGINT",
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'BIGINT' is no data type of"
        " the contract: expected e.g. bigint, varchar(64), numeric(18,4), timestamp.",
        _type("n", "BIGINT"),
    ),
    FileCase(
        "a column of type varbyte(20)",
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'varbyte(20)' is no data type"
        " of the contract: expected e.g. bigint, varchar(64), numeric(18,4), timestamp.",
        _type("n", "varbyte(20)"),
    ),
    FileCase(
        "a column of type interval",
        "…/sql/models/_sources.yml: sources.live.orders.columns.n: data_type: 'interval' is no data type of"
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
        "a key of type varchar(300)",
        "…/sql/models/_sources.yml: sources.live.orders: the key id is varchar(300); a key has 256 bytes at most.",
        _type("id", "varchar(300)"),
    ),
    FileCase(
        "a row key of type boolean",
        "…/sql/models/_schema.yml: models.fact: the row key id is boolean; expected one of smallint,"
        " integer, bigint, numeric, varchar, char, date, timestamp: make another column the key.",
        _edited(SCHEMA, "data_type: bigint", "data_type: boolean"),
    ),
    FileCase(
        "a row key of type double precision",
        "…/sql/models/_schema.yml: models.fact: the row key id is double precision; expected one of"
        " smallint, integer, bigint, numeric, varchar, char, date, timestamp: make another column the key.",
        _edited(SCHEMA, "data_type: bigint", "data_type: double precision"),
    ),
    FileCase(
        "a source of 1,601 columns",
        "…/sql/models/_sources.yml: sources.live.orders: 1601 columns, expected 1596 at most: a table has"
        " 1600, and a change set has 4 of the engine's own. List fewer, or make two tables of it.",
        {SOURCES: BASE[SOURCES] + _many_columns(1598)},
    ),
    FileCase(
        "a source of 1,600 columns",
        "…/sql/models/_sources.yml: sources.live.orders: 1600 columns, expected 1596 at most: a table has"
        " 1600, and a change set has 4 of the engine's own. List fewer, or make two tables of it.",
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
        "…/sql/models/_schema.yml: models.fact: 1601 columns, expected 1600 at most: a table has 1600. List"
        " fewer, or make two tables of it.",
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
        "…/sql/models/fact.sql: expected one SELECT, found DELETE. A model is a SELECT, and that alone.",
        _model("DELETE FROM live.orders"),
    ),
    FileCase(
        "a model that is an INSERT",
        "…/sql/models/fact.sql: expected one SELECT, found INSERT. A model is a SELECT, and that alone.",
        _model("INSERT INTO live.orders SELECT * FROM live.orders"),
    ),
    FileCase(
        "a model that is an UPDATE",
        "…/sql/models/fact.sql: expected one SELECT, found UPDATE. A model is a SELECT, and that alone.",
        _model("UPDATE live.orders SET n = 1"),
    ),
    FileCase(
        "a model that is a DROP",
        "…/sql/models/fact.sql: expected one SELECT, found DROP. A model is a SELECT, and that alone.",
        _model("DROP TABLE live.orders"),
    ),
    FileCase(
        "a model that is a command",
        "…/sql/models/fact.sql: expected one SELECT, found VACUUM. A model is a SELECT, and that alone.",
        _model("VACUUM live.orders"),
    ),
    FileCase(
        "a model that is a CREATE TABLE AS",
        "…/sql/models/fact.sql: expected one SELECT, found CREATE. A model is a SELECT, and that alone.",
        _model("CREATE TABLE x AS SELECT 1 AS id, 2 AS n"),
    ),
    FileCase(
        "a WITH that ends in a DELETE",
        "…/sql/models/fact.sql: expected one SELECT, found DELETE. A model is a SELECT, and that alone.",
        _model("WITH a AS (SELECT 1 AS id) DELETE FROM live.orders"),
    ),
    FileCase(
        "two statements",
        "…/sql/models/fact.sql: expected one SELECT, found 2 statements. A model is a SELECT, and that alone.",
        _model("SELECT 1 AS id, 2 AS n; SELECT 1 AS id, 2 AS n"),
    ),
    FileCase(
        "a SELECT and a DELETE",
        "…/sql/models/fact.sql: expected one SELECT, found 2 statements. A model is a SELECT, and that alone.",
        _model("SELECT 1 AS id, 2 AS n; DELETE FROM live.orders"),
    ),
    FileCase(
        "an empty model",
        "…/sql/models/fact.sql: expected one SELECT, found none. A model is a SELECT, and that alone.",
        _model(""),
    ),
    FileCase(
        "a model that is a comment",
        "…/sql/models/fact.sql: expected one SELECT, found none. A model is a SELECT, and that alone.",
        _model("-- SELECT 1 AS id, 2 AS n\n"),
    ),
    FileCase(
        "a model that is a semicolon",
        "…/sql/models/fact.sql: expected one SELECT, found none. A model is a SELECT, and that alone.",
        _model(";"),
    ),
    FileCase(
        "VALUES",
        "…/sql/models/fact.sql: expected one SELECT, found VALUES. A model is a SELECT, and that alone.",
        _model("VALUES (1, 2)"),
    ),
    FileCase(
        "SELECT INTO",
        "…/sql/models/fact.sql, line 2: x, which is no source, can not be read: nobody looks for changes in"
        " it. Describe it as a source with `cdc` meta. Known sources: live.orders.",
        _model("SELECT o.id, o.n INTO x FROM {{ source('live', 'orders') }} o"),
    ),
    FileCase(
        "a model of words",
        "…/sql/models/fact.sql, line 2: Invalid expression / Unexpected token 'and'.",
        _model("some words and no SQL"),
    ),
    # deep SQL
    FileCase(
        "5,000 parentheses",
        "…/sql/models/fact.sql, line 2: what stands here is more than 200 deep in other expressions and"
        " queries. Each operator of a chain counts, as OR, + or UNION, and each model that another reads."
        " Write IN (…) for a chain of OR, keep long lists of values in a source that is joined, or"
        " materialize a model in between as a source.",
        _selected(f"{'(' * 5000}o.n{')' * 5000}"),
    ),
    FileCase(
        "100,000 parentheses",
        "…/sql/models/fact.sql, line 2: what stands here is more than 200 deep in other expressions and"
        " queries. Each operator of a chain counts, as OR, + or UNION, and each model that another reads."
        " Write IN (…) for a chain of OR, keep long lists of values in a source that is joined, or"
        " materialize a model in between as a source.",
        _selected(f"{'(' * 100000}o.n{')' * 100000}"),
    ),
    FileCase(
        "5,000 parentheses that are not closed",
        "…/sql/models/fact.sql, line 2: what stands here is more than 200 deep in other expressions and"
        " queries. Each operator of a chain counts, as OR, + or UNION, and each model that another reads."
        " Write IN (…) for a chain of OR, keep long lists of values in a source that is joined, or"
        " materialize a model in between as a source.",
        _selected("(" * 5000),
    ),
    FileCase(
        "a CASE of 3,000 branches",
        "…/sql/models/fact.sql, line 2: a CASE of 3000 branches, expected 1000 at most. Keep the values in"
        " a source, and join it.",
        _selected(f"CASE {BRANCHES} END"),
    ),
    FileCase(
        "3,000 CASEs in one another",
        "…/sql/models/fact.sql, line 2: what stands here is more than 200 deep in other expressions and"
        " queries. Each operator of a chain counts, as OR, + or UNION, and each model that another reads."
        " Write IN (…) for a chain of OR, keep long lists of values in a source that is joined, or"
        " materialize a model in between as a source.",
        _selected(f"{'CASE WHEN o.n = 1 THEN 2 ELSE ' * 3000}3{' END' * 3000}"),
    ),
    FileCase(
        "a sum of 5,000 terms",
        "…/sql/models/fact.sql, line 2: what stands here is more than 200 deep in other expressions and"
        " queries. Each operator of a chain counts, as OR, + or UNION, and each model that another reads."
        " Write IN (…) for a chain of OR, keep long lists of values in a source that is joined, or"
        " materialize a model in between as a source.",
        _selected(" + ".join(["o.n"] * 5000)),
    ),
    FileCase(
        "an OR of 5,000 predicates",
        "…/sql/models/fact.sql, line 3: what stands here is more than 200 deep in other expressions and"
        " queries. Each operator of a chain counts, as OR, + or UNION, and each model that another reads."
        " Write IN (…) for a chain of OR, keep long lists of values in a source that is joined, or"
        " materialize a model in between as a source.",
        _where(" OR ".join(f"o.n = {n}" for n in range(5000))),
    ),
    FileCase(
        "5,000 times NOT",
        "…/sql/models/fact.sql: what stands here is more than 200 deep in other expressions and queries."
        " Each operator of a chain counts, as OR, + or UNION, and each model that another reads. Write IN"
        " (…) for a chain of OR, keep long lists of values in a source that is joined, or materialize a"
        " model in between as a source.",
        _where("NOT " * 5000 + "o.n = 1"),
    ),
    FileCase(
        "a minus 5,000 times",
        "…/sql/models/fact.sql: what stands here is more than 200 deep in other expressions and queries."
        " Each operator of a chain counts, as OR, + or UNION, and each model that another reads. Write IN"
        " (…) for a chain of OR, keep long lists of values in a source that is joined, or materialize a"
        " model in between as a source.",
        _selected("- " * 5000 + "o.n"),
    ),
    FileCase(
        "500 subqueries in one another",
        "…/sql/models/fact.sql, line 2: what stands here is more than 200 deep in other expressions and"
        " queries. Each operator of a chain counts, as OR, + or UNION, and each model that another reads."
        " Write IN (…) for a chain of OR, keep long lists of values in a source that is joined, or"
        " materialize a model in between as a source.",
        _model(
            "SELECT o.id, o.n FROM "
            + "(SELECT o.id, o.n FROM " * 500
            + "{{ source('live', 'orders') }} o"
            + ") o" * 500
        ),
    ),
    FileCase(
        "a UNION ALL of 1,000 SELECTs",
        "…/sql/models/fact.sql, line 2: what stands here is more than 200 deep in other expressions and"
        " queries. Each operator of a chain counts, as OR, + or UNION, and each model that another reads."
        " Write IN (…) for a chain of OR, keep long lists of values in a source that is joined, or"
        " materialize a model in between as a source.",
        _model(" UNION ALL ".join(["SELECT o.id, o.n FROM {{ source('live', 'orders') }} o"] * 1000)),
    ),
    FileCase(
        "400 models that read one another",
        "…/sql/models/m333.sql, line 2: what stands here is more than 200 deep in other expressions and"
        " queries. Each operator of a chain counts, as OR, + or UNION, and each model that another reads."
        " Write IN (…) for a chain of OR, keep long lists of values in a source that is joined, or"
        " materialize a model in between as a source.",
        _chain(400),
    ),
    # Jinja
    FileCase(
        "Jinja that is nested 3,000 deep",
        "…/sql/models/fact.sql: Jinja stands too deep in other Jinja here, or a macro calls itself. Write"
        " it with fewer levels.",
        _selected("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}"),
    ),
    FileCase(
        "blocks of Jinja nested 1,000 deep",
        "…/sql/models/fact.sql: Jinja stands too deep in other Jinja here, or a macro calls itself. Write"
        " it with fewer levels.",
        _selected("{% if true %}" * 1000 + "o.n" + "{% endif %}" * 1000),
    ),
    FileCase(
        "a loop of a billion rounds",
        "…/sql/models/fact.sql, line 2: Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).",
        _selected("{% for i in range(1000000000) %}{% endfor %}o.n"),
    ),
    FileCase(
        "Jinja nested 3,000 deep in a YAML file",
        "…/sql/models/_schema.yml: '{{ (((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((("
        "(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((…' can"
        " not be rendered: Jinja stands too deep in other Jinja here, or a macro calls itself. Write it with"
        " fewer levels. Known words: env_var, target, is_incremental, execute, return, exceptions, var.",
        _edited(SCHEMA, "data_type: integer", "data_type: '{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}'"),
    ),
    # the file system
    FileCase(
        "a folder that is called dbt_project.yml",
        "…/sql/dbt_project.yml: is a folder, expected a file. Rename the folder.",
        change=_folder(PROJECT),
    ),
    FileCase(
        "a folder that is called profiles.yml",
        "…/sql/profiles.yml: is a folder, expected a file. Rename the folder.",
        change=_folder(PROFILES),
    ),
    FileCase(
        "a folder that is called x.yml",
        "…/sql/models/x.yml: is a folder, expected a file. Rename the folder.",
        change=_folder("sql/models/x.yml"),
    ),
    FileCase(
        "a folder that is called x.sql",
        "…/sql/models/x.sql: is a folder, expected a file. Rename the folder.",
        change=_folder("sql/models/x.sql"),
    ),
    FileCase(
        "a folder of macros that is called x.sql",
        "…/sql/macros/x.sql: is a folder, expected a file. Rename the folder.",
        change=_folder("sql/macros/x.sql"),
    ),
    FileCase(
        "a folder in place of the dictionary",
        "…/dictionary.yaml: is a folder, expected a file. Rename the folder.",
        change=_folder(DICTIONARY),
    ),
    FileCase(
        "a folder in place of the dictionary, --check",
        "…/dictionary.yaml: is a folder, expected a file. Rename the folder.",
        change=_folder(DICTIONARY),
        with_options=("--check",),
    ),
    FileCase(
        "a folder in place of a document",
        "…/sql/page.md: is a folder, expected a file. Rename the folder.",
        change=_folder(DOCUMENT),
    ),
    FileCase(
        "a link to itself that is called dbt_project.yml",
        "…/sql/dbt_project.yml: can not be read: Too many levels of symbolic links. Correct it, or who may read it.",
        change=_loop(PROJECT),
    ),
    FileCase(
        "a link to itself that is called x.yml",
        "…/sql/models/x.yml: is a link that leads to no file. Correct it, or remove it.",
        change=_loop("sql/models/x.yml"),
    ),
    FileCase(
        "a link to itself that is called x.sql",
        "…/sql/models/x.sql: is a link that leads to no file. Correct it, or remove it.",
        change=_loop("sql/models/x.sql"),
    ),
    FileCase(
        "a link to itself in place of the dictionary",
        "…/dictionary.yaml: can not be written: Too many levels of symbolic links. Correct it, or who may write there.",
        change=_loop(DICTIONARY),
    ),
    FileCase(
        "a link to itself in place of a document",
        "…/sql/dbt_project.yml: vars.cdc_documents: 'page.md' leads to no file. Correct it, or the link that it is.",
        change=_loop(DOCUMENT),
    ),
    FileCase(
        "a link to nothing that is called x.sql",
        "…/sql/models/x.sql: is a link that leads to no file. Correct it, or remove it.",
        change=_replaced("sql/models/x.sql", lambda file: file.symlink_to("nothing")),
    ),
    FileCase(
        "a link to itself in place of the folder of models",
        "…/sql/dbt_project.yml: model-paths names folders that do not exist: …/sql/x.",
        {PROJECT: BASE[PROJECT] + "model-paths: [x]\n"},
        change=_loop("sql/x"),
    ),
    FileCase(
        "a pipe that is called x.yml",
        "…/sql/models/x.yml: is a pipe, a socket or a device, expected a file. Remove it.",
        change=_pipe("sql/models/x.yml"),
    ),
    FileCase(
        "a pipe that is called x.sql",
        "…/sql/models/x.sql: is a pipe, a socket or a device, expected a file. Remove it.",
        change=_pipe("sql/models/x.sql"),
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
        "…/sql/models: can not be read: Permission denied. Correct it, or who may read it.",
        change=_mode("sql/models", 0),
        unprivileged=True,
    ),
    FileCase(
        "a dictionary that may not be read",
        "…/dictionary.yaml: can not be read: Permission denied. Correct it, or who may read it.",
        {DICTIONARY: ""},
        change=_mode(DICTIONARY, 0),
        with_options=("--check",),
        unprivileged=True,
    ),
    FileCase(
        "a document that may not be read",
        "…/sql/page.md: can not be read: Permission denied. Correct it, or who may read it.",
        change=_mode(DOCUMENT, 0),
        unprivileged=True,
    ),
    FileCase(
        "a dictionary that may not be written",
        "…/dictionary.yaml: can not be written: Permission denied. Correct it, or who may write there.",
        {DICTIONARY: ""},
        change=_mode(DICTIONARY, 0o444),
        unprivileged=True,
    ),
    FileCase(
        "a folder that may not be written, for the dictionary",
        "…/dictionary.yaml: can not be written: Permission denied. Correct it, or who may write there.",
        change=_mode(".", 0o555),
        unprivileged=True,
    ),
    FileCase(
        "a document that may not be written",
        "…/sql/page.md: can not be written: Permission denied. Correct it, or who may write there.",
        {DICTIONARY: ""},
        change=_document_alone,
        unprivileged=True,
    ),
]

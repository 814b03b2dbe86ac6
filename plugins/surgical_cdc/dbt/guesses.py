"""Guesses what a dbt project does not say yet: each source's staging table, key and cursor, with the reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import combinations
from pathlib import Path
from typing import Protocol

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from surgical_cdc.contract.tables import KEY_TYPES, spelled
from surgical_cdc.dbt.artifacts import TABLES, Artifacts, Node, SourceTable
from surgical_cdc.dbt.declared import Types, columns_of, relation_of, staging_of
from surgical_cdc.errors import WarehouseRefusal
from surgical_cdc.files import fail, read_text

# By what columns that say when a row was changed are called, the usual ones first.
CURSORS = (
    *("updated_at", "modified_at", "last_updated_at", "last_modified_at", "changed_at", "updated_on", "modified_on"),
    *("updated", "last_modified", "systemmodstamp", "updated_ts", "update_time", "_updated_at"),
    *("_loaded_at", "loaded_at", "_etl_loaded_at", "_fivetran_synced", "_airbyte_extracted_at", "_sdc_batched_at"),
)
# What the tables of a layer begin with.
LAYER = re.compile(r"^(?:raw|src|base|stg|tbl)_+")
# What the names of columns end in that are part of a key, and of these what numbers the lines of something.
KEY_NAME = re.compile(r"(?:^|_)(?:id|key|sk|no|number|code|index|line|position|sequence|seq|date|day|month)$")
ORDINAL = re.compile(r"(?:^|_)(?:no|number|index|line|position|sequence|seq)$")
NO_KEY = "no test of uniqueness, and no usual name"
# So many of a table's columns may be part of a key that is looked for in its rows, and so many columns may it have.
MOST_LIKELY, LONGEST_KEY = 8, 3
PLURALS = (("ies", "y"), ("ses", "s"), ("s", ""))


@dataclass(frozen=True)
class Guess:
    """A value, of a key its columns, and why it was chosen; an empty value where nothing was found."""

    value: str | Sequence[str]
    reason: str

    @property
    def shown(self) -> str:
        """The value for a person."""
        return self.value if isinstance(self.value, str) else ", ".join(self.value)


@dataclass(frozen=True)
class SourceGuess:
    """What is guessed of a source table; `missing` says what somebody has to fill in."""

    table: SourceTable
    baseline: str
    staging: Guess
    key: Guess
    cursor: Guess

    @property
    def missing(self) -> list[str]:
        """What was not found."""
        parts = {"staging": self.staging, "key": self.key, "cursor": self.cursor}
        return [name for name, guess in parts.items() if not guess.value]

    @property
    def settings(self) -> dict[str, str | Sequence[str]]:
        """What goes under `meta: cdc:`."""
        return {"staging": self.staging.value, "key": self.key.value, "cursor": self.cursor.value}


class AskRows(Protocol):
    """Tells what tables of the warehouse hold."""

    def telling_apart(self, relation: str, combinations: Sequence[Sequence[str]]) -> Sequence[str]:
        """Return the first of these combinations of columns that tell the rows of a table apart; none if none does.

        Raises:
            WarehouseRefusal: the warehouse can not read them.
        """


def source_guesses(
    artifacts: Artifacts,
    staging: str,
    known: Types | None,
    ask: AskRows | None = None,
    progress: Callable[[str], None] = print,
) -> list[SourceGuess]:
    """Guess for each source table that says nothing yet.

    Args:
        artifacts: those of the project.
        staging: by what convention staging tables are called, with {name} for the table's name.
        known: tables of the warehouse with their columns, of which a staging table has to be one; None if nobody has
            asked.
        ask: asks for what tells the rows of a table apart, where neither a test nor a name says it.
        progress: is called with a line about each such table.
    """
    guesses = []
    for table in sorted(artifacts.sources.values(), key=lambda table: table.said):
        if table.cdc is not None:
            continue
        columns = columns_of(artifacts, table, known or {})
        listed = {column.lower(): columns.get(column.lower(), "") for column in table.columns}
        named = {**listed, **columns}
        name = staging_of(staging, table)
        key = _key(artifacts, table, named)
        if not key.value and ask and relation_of(table) in (known or {}):
            key = _key_by_rows(ask, relation_of(table), named, progress)
        guesses.append(SourceGuess(table, relation_of(table), _staging(name, known), key, _cursor(table, named)))
    return guesses


def keyless(artifacts: Artifacts) -> list[Node]:
    """Return the tables among the models that have no row key, by name."""
    models = (node for node in artifacts.nodes.values() if node.resource_type == "model")
    tables = (node for node in models if node.config.materialized in TABLES and not artifacts.row_key(node))
    return sorted(tables, key=lambda node: node.name)


def row_key_guesses(
    artifacts: Artifacts, known: Types, ask: AskRows, progress: Callable[[str], None] = print
) -> dict[str, Guess]:
    """Guess the row keys of tables that have none and that no other model reads, by name, from what dbt has built.

    Args:
        artifacts: those of the project.
        known: tables of the warehouse with their columns.
        ask: asks for what tells the rows of a table apart.
        progress: is called with a line about each such table.
    """
    models = (node for node in artifacts.nodes.values() if node.resource_type == "model")
    read = {unique_id for node in models for unique_id in node.depends_on.nodes}
    guesses = {}
    for node in keyless(artifacts):
        relation = relation_of(node)
        if node.unique_id not in read and relation in known:
            guesses[node.name] = _key_by_rows(ask, relation, known[relation], progress)
    return guesses


def with_settings(file: Path, guesses: Iterable[SourceGuess]) -> str:
    """Return dbt_project.yml with what was guessed as `+meta` of its tables; comments and layout stay.

    Raises:
        ProjectError: the file is missing, or no YAML.
    """
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 120
    try:
        content = yaml.load(read_text(file)) or CommentedMap()
    except FileNotFoundError:
        fail(file, "does not exist")
    except YAMLError as error:
        fail(file, f"is no valid YAML: {error}")
    for guess in guesses:
        level = content.setdefault("sources", CommentedMap())
        for name in guess.table.fqn:
            level = level.setdefault(name, CommentedMap())
        meta = level.setdefault("+meta", CommentedMap())
        settings = CommentedMap(guess.settings)
        settings.fa.set_flow_style()
        meta["cdc"] = settings
    text = StringIO()
    yaml.dump(content, text)
    return text.getvalue()


def _staging(name: str, known: Types | None) -> Guess:
    if known is None:
        return Guess(name, "by the convention; nobody has looked whether it exists")
    return Guess(name, "it exists") if name in known else Guess("", f"there is no {name}, or this user may not read it")


def _key(artifacts: Artifacts, table: SourceTable, columns: Mapping[str, str]) -> Guess:
    tested = artifacts.tested(table.unique_id)
    unique = [name for name, tests in tested.items() if "unique" in tests]
    certain = [name for name in unique if "not_null" in tested[name]]
    if certain or unique:
        name = (certain or unique)[0]
        return Guess(name, f"tested {'unique and not_null' if certain else 'unique'}")
    if combination := artifacts.combination(table.unique_id):
        return Guess(list(combination), "tested unique together")
    for name in _key_names(table.name.lower()):
        if name in columns:
            return Guess(name, "its name")
    return Guess("", NO_KEY)


def _key_by_rows(ask: AskRows, relation: str, columns: Mapping[str, str], progress: Callable[[str], None]) -> Guess:
    """Guess that the key is the fewest columns, with names as keys have them, that tell the rows of a table apart."""
    progress(f"{relation}: looking for columns that tell its rows apart")
    likely = [
        name
        for name, data_type in columns.items()
        if KEY_NAME.search(name) and spelled(data_type).partition("(")[0] in KEY_TYPES
    ][:MOST_LIKELY]
    tried = [names for size in range(1, LONGEST_KEY + 1) for names in combinations(likely, size)]
    # A line's number is part of a key more often than what else it refers to.
    tried.sort(key=lambda names: (len(names), not any(ORDINAL.search(name) for name in names)))
    try:
        found = ask.telling_apart(relation, tried) if tried else ()
    except WarehouseRefusal as error:
        return Guess("", f"{NO_KEY}. {error}")
    if not found:
        return Guess("", f"{NO_KEY}, nor columns that tell its rows apart")
    return Guess(list(found), "no two of the rows that are there have the same; see whether it must be so")


def _key_names(table: str) -> Iterator[str]:
    yield "id"
    for name in _singulars(table):
        yield from (f"{name}_id", f"{name}_key", f"{name}_no", f"{name}_code", f"{name}id")


def _singulars(table: str) -> Iterator[str]:
    """Yield what one row of a table is called: the table in the singular, without what layers are named by."""
    for name in dict.fromkeys((table, LAYER.sub("", table))):
        yield from (name.removesuffix(plural) + one for plural, one in PLURALS if name.endswith(plural))
        yield name


def _cursor(table: SourceTable, columns: Mapping[str, str]) -> Guess:
    loaded_at = table.config.loaded_at_field or table.loaded_at_field
    if loaded_at:
        return Guess(loaded_at.lower(), "loaded_at_field")
    for name in CURSORS:
        if name in columns and (not columns[name] or spelled(columns[name]) == "timestamp"):
            return Guess(name, "its name")
    return Guess("", _no_cursor([name for name, data_type in columns.items() if data_type.startswith("timestamp")]))


def _no_cursor(timestamps: Sequence[str]) -> str:
    return f"none of the usual names; timestamps: {', '.join(timestamps) or 'none known'}"

"""The dictionary: source column → the fact columns that it feeds, "*" where it decides which rows there are.

Tasks and DAG files read the committed YAML; lineage.py derives it from the models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

import yaml

from surgical_cdc.errors import DictionaryError, yaml_problem
from surgical_cdc.files import check_yaml, read_text

HEADER = (
    '# Source column -> the fact columns that it feeds; "*": it decides which rows exist, or how they join or group.\n'
    "# full: facts that are rebuilt in full, whenever a column that they read has changed, and why.\n"
    "# whole: sources that a fact reads as a whole, and why: it is rebuilt in full whenever one of them has changed.\n"
    "# contributions: facts whose groups are kept: what changed rows contribute is added to them and taken off.\n"
    "# descriptions: what dbt's YAML says of sources and facts; Airflow shows it at their tasks.\n"
    "# Derived from the models by `python -m surgical_cdc compile`. Review it; do not edit it.\n"
)
EVERY_COLUMN: Literal["*"] = "*"
FactColumns = tuple[str, ...] | Literal["*"]


@dataclass(frozen=True)
class Dictionary:
    """`feeds` maps source -> column -> fact -> the fact's columns, or "*" for all of them.

    `full` has the facts that are rebuilt in full, each with the reason; the others are maintained incrementally, those
    in `whole` but for the changes of some sources, each with the reason, by which they are rebuilt in full too, and
    those in `contributions` by what changed rows contribute to their groups.
    `fingerprint` is that of the project which the dictionary was derived from; `descriptions` are what dbt's YAML says
    of `sources` and of `facts`, by name.
    """

    facts: tuple[str, ...]
    full: Mapping[str, str]
    whole: Mapping[str, Mapping[str, str]]
    contributions: tuple[str, ...]
    feeds: Mapping[str, Mapping[str, Mapping[str, FactColumns]]]
    fingerprint: str
    descriptions: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: {"sources": {}, "facts": {}})

    @property
    def sources(self) -> tuple[str, ...]:
        """All sources of the project, those that feed no fact too."""
        return tuple(self.feeds)

    def feeding(self, fact: str) -> tuple[str, ...]:
        """Return the sources that a fact reads."""
        return self._feeding.get(fact, ())

    @cached_property
    def _feeding(self) -> Mapping[str, tuple[str, ...]]:
        feeding: dict[str, dict[str, None]] = {}
        for source, columns in self.feeds.items():
            for facts in columns.values():
                for fact in facts:
                    feeding.setdefault(fact, {})[source] = None
        return {fact: tuple(sources) for fact, sources in feeding.items()}

    def read_columns(self, fact: str, source: str) -> frozenset[str]:
        """Return the columns of a source that a fact reads."""
        return frozenset(column for column, facts in self.feeds[source].items() if fact in facts)

    def fed_by(self, source: str, column: str = "") -> tuple[str, ...]:
        """Return the facts that a source feeds, or one column of it if `column` is not empty."""
        columns = [column] if column else self.feeds[source]
        return tuple(fact for fact in self.facts if any(fact in self.feeds[source].get(name, ()) for name in columns))


def load_dictionary(path: Path) -> Dictionary:
    """Read the committed dictionary; what was read before a worker forked is not parsed again unless it differs.

    Raises:
        DictionaryError: the file is missing or no dictionary; the message has the command that writes it.
        ProjectError: the file may not be read, or is no text.
    """
    try:
        return _parsed(read_text(path))
    except FileNotFoundError as error:
        message = f"{path} does not exist. Write it with: {_writing(path)}"
        raise DictionaryError(message) from error
    except yaml.MarkedYAMLError as error:
        message = f"{path} is no dictionary ({yaml_problem(error)}). Write it again with: {_writing(path)}"
        raise DictionaryError(message) from error
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        problem = "expected a mapping with fingerprint, facts, full, whole, contributions, sources and descriptions"
        message = f"{path} is no dictionary ({problem}). Write it again with: {_writing(path)}"
        raise DictionaryError(message) from error


def dictionary_path(project: Path) -> Path:
    """Return where the dictionary of the dbt project in a folder is."""
    return project / "cdc" / "dictionary.yaml"


def _writing(path: Path) -> str:
    """Return the command that writes a dictionary."""
    return f"python -m surgical_cdc compile --project {path.parents[1]}"


@lru_cache
def _parsed(text: str) -> Dictionary:
    check_yaml(text)
    content = yaml.load(text, Loader=yaml.CSafeLoader)
    feeds = {
        source: {
            column: {fact: EVERY_COLUMN if named == EVERY_COLUMN else tuple(named) for fact, named in facts.items()}
            for column, facts in (columns or {}).items()
        }
        for source, columns in content["sources"].items()
    }
    facts, contributions = tuple(content["facts"]), tuple(content["contributions"])
    descriptions = {kind: dict(content["descriptions"][kind]) for kind in ("sources", "facts")}
    return Dictionary(
        facts, content["full"], content["whole"], contributions, feeds, content["fingerprint"], descriptions
    )


def dump_dictionary(dictionary: Dictionary) -> str:
    """Return the dictionary as the YAML text that is committed."""
    content = {
        "fingerprint": dictionary.fingerprint,
        "facts": list(dictionary.facts),
        "full": dict(dictionary.full),
        "whole": {fact: dict(sources) for fact, sources in dictionary.whole.items()},
        "contributions": list(dictionary.contributions),
        "sources": {
            source: {
                column: {fact: named if named == EVERY_COLUMN else list(named) for fact, named in facts.items()}
                for column, facts in columns.items()
            }
            for source, columns in dictionary.feeds.items()
        },
    }
    descriptions = {"descriptions": {kind: dict(said) for kind, said in dictionary.descriptions.items()}}
    return (
        HEADER
        + yaml.safe_dump(content, sort_keys=False, width=120, default_flow_style=None)
        # Prose, a line for each table.
        + yaml.safe_dump(descriptions, sort_keys=False, width=120, allow_unicode=True)
    )

"""What is written from the models: the dictionary, and in documents a table, a diagram and the origin of each column.

A document is any text file that `vars: cdc_documents:` in dbt_project.yml names, by its path from the project's folder.
In it, what stands between `<!-- compiled: table -->` and `<!-- /compiled -->` is replaced; so for the other blocks.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.dictionary import EVERY_COLUMN, Dictionary, dump_dictionary
from surgical_cdc.errors import DictionaryError
from surgical_cdc.files import read_text

if TYPE_CHECKING:
    from surgical_cdc.dbt.project import Project

BLOCK = re.compile(r"(?P<start><!-- compiled: (?P<name>[a-z]+) -->\n).*?(?P<end><!-- /compiled -->)", re.DOTALL)
NOTHING = ""


def compile_dictionary(project: Project) -> Dictionary:
    """Derive the dictionary of a project from its facts' SELECTs, sources and columns in the contract's order."""
    compiled = {fact: compile_fact(project, fact) for fact in project.facts}
    lineage = {fact: one.lineage.feeds for fact, one in compiled.items()}
    feeds = {
        source.name: {
            column: facts
            for column in source.column_names
            if (
                facts := {
                    fact: fed[source.relation, column]
                    for fact, fed in lineage.items()
                    if (source.relation, column) in fed
                }
            )
        }
        for source in project.sources.values()
    }
    full = {fact: one.reason for fact, one in compiled.items() if one.reason}
    return Dictionary(tuple(project.facts), full, feeds, project.fingerprint)


def compiled_files(project: Project) -> dict[Path, str]:
    """Return what the dictionary and the documents of a project must hold, by file; documents that are not here aside.

    Raises:
        UnsupportedQuery: a fact can not be compiled.
        DictionaryError: a document has a block of an unknown name.
    """
    dictionary = compile_dictionary(project)
    documents = {path: _filled(path, project, dictionary) for path in project.documents if os.path.lexists(path)}
    return {project.dictionary_path: dump_dictionary(dictionary), **documents}


def _filled(path: Path, project: Project, dictionary: Dictionary) -> str:
    def block(match: re.Match[str]) -> str:
        if match["name"] not in BLOCKS:
            raise DictionaryError(f"{path}: no block is called {match['name']!r}. Known: {', '.join(BLOCKS)}.")
        return f"{match['start']}{BLOCKS[match['name']](project, dictionary)}\n{match['end']}"

    return BLOCK.sub(block, read_text(path))


def _table(project: Project, dictionary: Dictionary) -> str:
    """Return a table of sources and facts with the number of columns that each fact reads."""
    rows = []
    for source in project.sources.values():
        read = [len(dictionary.read_columns(fact, source.name)) for fact in dictionary.facts]
        rows.append([f"{source.name} ({len(source.columns)})", *(str(count or NOTHING) for count in read)])
    return _markdown(["source (columns)", *dictionary.facts], rows, ["---", *["--:"] * len(dictionary.facts)])


def _diagram(project: Project, dictionary: Dictionary) -> str:
    """Return a diagram of sources and facts; a thick arrow where the source decides on rows by more than its key."""
    lines = [f"{source}[({source})]" for source in dictionary.sources]
    for fact in dictionary.facts:
        for source, deciding in _deciding(dictionary, fact).items():
            arrow = "==>" if deciding != [project.sources[source].key] else "-->"
            lines.append(f"{source} {arrow} {fact}")
    return "\n".join(["```mermaid", "flowchart LR", *(f"  {line}" for line in lines), "```"])


def _columns(project: Project, dictionary: Dictionary) -> str:
    """Return for each fact what decides on its rows, and what each of its columns is computed from."""
    sources = {source.relation: source.name for source in project.sources.values()}
    parts = []
    for fact in project.facts.values():
        deciding = [f"{source} ({', '.join(names)})" for source, names in _deciding(dictionary, fact.name).items()]
        origins = compile_fact(project, fact.name).lineage.origins
        rows = [
            [
                column,
                ", ".join(f"{sources.get(relation, relation)}.{origin}" for relation, origin in origins[column])
                or NOTHING,
            ]
            for column in fact.column_names
        ]
        decided = f"Row key: {fact.unique_key}. Rows are decided by {', '.join(deciding)}."
        parts += [f"### {fact.name}", decided, _markdown(["column", "computed from"], rows, ["---", "---"])]
    return "\n\n".join(parts)


def _deciding(dictionary: Dictionary, fact: str) -> dict[str, list[str]]:
    """Return for each source that feeds a fact the columns that decide on the fact's rows; its key is always one."""
    return {
        source: [column for column, facts in dictionary.feeds[source].items() if facts.get(fact) == EVERY_COLUMN]
        for source in dictionary.feeding(fact)
    }


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]], rule: Sequence[str]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))


BLOCKS: Mapping[str, Callable[[Project, Dictionary], str]] = {"table": _table, "diagram": _diagram, "columns": _columns}

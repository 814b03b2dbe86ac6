"""The page lineage.md: a table, a diagram and the origin of each column, as the dictionary has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.dictionary import EVERY_COLUMN, Dictionary

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project

NOT_FOLLOWED = "Its SELECT is too large to follow each column through it: any of these may feed each column."
NOTHING = ""
INTRODUCTION = """\
# What feeds what in {}

Derived from the models by `python -m surgical_cdc compile`, as the dictionary beside it is.

A column of a source feeds a fact in one of two ways. It is **computed into** columns of the fact, and a change of it
can change just those. Or it **decides on rows**: it stands in a join, a filter, a grouping, a window or the row key,
and a change of it can change any column, or let rows come and go. The key of each source that is read decides on rows,
because a row that comes or goes counts. A fact runs only if a column that it reads has changed.

## Sources and facts

How many columns of a source a fact reads:
"""


def lineage_page(project: Project, dictionary: Dictionary) -> str:
    """Return the page of a project's lineage in Markdown."""
    parts = [
        INTRODUCTION.format(project.name),
        _table(project, dictionary) + "\n",
        "An arrow is thick where more of a source than its key decides on rows.\n",
        _diagram(project, dictionary) + "\n",
        "## Where the columns of facts come from\n",
        _columns(project, dictionary),
    ]
    return "\n".join(parts) + "\n"


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
            arrow = "==>" if deciding != list(project.sources[source].key) else "-->"
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
                ", ".join(f"{sources.get(relation, relation)}.{origin}" for relation, origin in origins.get(column, ()))
                or NOTHING,
            ]
            for column in fact.column_names
        ]
        decided = f"Row key: {', '.join(fact.unique_key)}. Rows are decided by {', '.join(deciding)}."
        table = _markdown(["column", "computed from"], rows, ["---", "---"]) if origins else NOT_FOLLOWED
        parts += [f"### {fact.name}", decided, table]
    return "\n\n".join(parts)


def _deciding(dictionary: Dictionary, fact: str) -> dict[str, list[str]]:
    """Return for each source that feeds a fact the columns that decide on the fact's rows; its key is always one."""
    return {
        source: [column for column, facts in dictionary.feeds[source].items() if facts.get(fact) == EVERY_COLUMN]
        for source in dictionary.feeding(fact)
    }


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]], rule: Sequence[str]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))

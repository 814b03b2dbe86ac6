"""What the command line prints: the dictionary of a source, and what a cycle did."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Column, Table
from sqlglot import exp

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.dbt.declared import candidates
from surgical_cdc.dbt.guesses import keyless
from surgical_cdc.dictionary import EVERY_COLUMN
from surgical_cdc.steps.announce import announced

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from surgical_cdc.compiler.compilation import Compilation
    from surgical_cdc.compiler.nodes import JoinTree, Node
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Source
    from surgical_cdc.control.history import Event
    from surgical_cdc.control.ledger import ChangedColumn, PastRun
    from surgical_cdc.dbt.artifacts import Artifacts
    from surgical_cdc.dbt.guesses import Guess, SourceGuess
    from surgical_cdc.dictionary import Dictionary
    from surgical_cdc.steps.cycle import CycleResult
    from surgical_cdc.steps.summary import Pace
    from surgical_cdc.values import Run


def guesses(artifacts: Artifacts, found: Sequence[SourceGuess], row_keys: Mapping[str, Guess]) -> RenderableType:
    """Return what was guessed of each source, the settings that would be written, and the models that can be facts.

    `row_keys` are guesses of what such models lack.
    """
    parts: list[RenderableType] = []
    for guess in found:
        parts.append(f"{guess.table.source_name}.{guess.table.name}, baseline {guess.baseline}:")
        for name, one in (("staging", guess.staging), ("key", guess.key), ("cursor", guess.cursor)):
            parts.append(f"  {name}: {one.shown or 'MISSING'} ({one.reason})")
    said = sum(table.cdc is not None for table in artifacts.sources.values())
    incomplete = sum(bool(guess.missing) for guess in found)
    parts.append(
        f"{len(artifacts.sources)} sources: {said} have settings already, {len(found) - incomplete} are guessed in"
        f" full, {incomplete} lack something: add it by hand under `config: meta: cdc:`, or leave the source out."
    )
    nodes = sorted(candidates(artifacts, ()).values(), key=lambda node: node.name)
    parts.append(f"{len(nodes)} tables have a row key and can be facts:")
    parts += [
        f"  {node.name} ({', '.join(artifacts.row_key(node))};"
        f" {'unique_key' if node.config.unique_key else 'by its tests'})"
        for node in nodes
    ]
    if names := [node.name for node in keyless(artifacts)]:
        parts.append(f"{len(names)} tables have none: set unique_key to make facts of them: {', '.join(names)}")
    parts += [f"  {name}: {guess.shown or 'MISSING'} ({guess.reason})" for name, guess in row_keys.items()]
    return Group(*parts)


def compilation(compiled: Compilation) -> RenderableType:
    """Return what was made of a project: its facts, the models that are none and why, and warnings."""
    project, dictionary = compiled.project, compiled.dictionary
    lines = []
    for name, fact in project.facts.items():
        way = "full" if name in dictionary.full else "incremental"
        way += ", by contributions" if name in dictionary.contributions else ""
        way += f", anew each {fact.moment}" if fact.moment else ""
        read = len(dictionary.feeding(name))
        lines.append(f"  {name} ({', '.join(fact.unique_key)}): {way}; {len(fact.columns)} columns from {read} sources")
    count, full = len(project.facts), len(dictionary.full)
    parts: list[RenderableType] = [
        f"{count} facts, with their row keys, {count - full} of them maintained incrementally:",
        *lines,
    ]
    if full:
        parts.append(f"{full} are rebuilt in full whenever a column that they read has changed:")
        parts += [f"  {name}: {reason}" for name, reason in dictionary.full.items()]
    if dictionary.whole:
        parts.append(
            f"{len(dictionary.whole)} of the others read sources as a whole, and are rebuilt when one changes:"
        )
        parts += [f"  {name}: {_with_reasons(sources)}" for name, sources in dictionary.whole.items()]
    if project.left_out:
        parts.append(f"{len(project.left_out)} models could be facts and are left out:")
        parts += [f"  {name}: {reason}" for name, reason in project.left_out.items()]
    parts += [f"Warning: {warning.rstrip('.')}." for warning in compiled.warnings]
    return Group(*parts)


def _with_reasons(sources: Mapping[str, str]) -> str:
    """Return sources with the reasons why they are read as a whole, each reason once."""
    by_reason: dict[str, list[str]] = {}
    for source, reason in sources.items():
        by_reason.setdefault(reason, []).append(source)
    return "; ".join(f"{', '.join(names)} ({reason})" for reason, names in by_reason.items())


def feeds(dictionary: Dictionary, source: str, column: str) -> RenderableType:
    """Return the facts and columns that a source feeds, or one column of it if `column` is not empty."""
    table = Table(_name("column"), _name("fact"), "columns that it feeds", box=SIMPLE_HEAD)
    for name in [column] if column else dictionary.feeds[source]:
        for fact, columns in dictionary.feeds[source].get(name, {}).items():
            decides = columns == EVERY_COLUMN
            table.add_row(
                name, fact, "every column: it decides which rows there are" if decides else ", ".join(columns)
            )
    if not table.row_count:
        return f"No fact reads {f'{source}.{column}' if column else source}."
    return table


def paths(project: Project, source: str, column: str) -> str:
    """Return how rows of a source lead to the keys of each fact, from each place where it is read, or `column` is."""
    lines = []
    for name in project.facts:
        compiled = compile_fact(project, name)
        tree = compiled.tree
        if tree:
            nodes = [node for node in tree.nodes if node.source.name == source and column in {"", *node.columns}]
            lines += [f"{name}: {path}" for node in nodes for path in _paths(tree, node)]
        elif any(
            relation == project.source(source).relation and column in {"", read}
            for relation, read in compiled.lineage.feeds
        ):
            lines.append(f"{name}: it is rebuilt in full ({compiled.reason})")
    return "\n".join(dict.fromkeys(lines))


def _paths(tree: JoinTree, node: Node) -> Iterator[str]:
    if any(node in value.nodes for value in tree.values):
        yield f"{node.source.name}: a value that all rows share is computed from it"
    if refused := tree.whole.get(node):
        yield f"{node.source.name}: it is read as a whole, and the fact rebuilt in full ({refused.problem})"
    for nodes, predicates in _ways(tree, node):
        labels = _labels(tree, nodes)
        shown = [_readable(predicate, labels) for predicate in predicates]
        places = [
            one.source.name if labels[one.name] == one.source.name else f"{one.source.name} AS {labels[one.name]}"
            for one in nodes
        ]
        steps = "".join(f"{place}, by {predicate}, " for place, predicate in zip(places, shown[:-1], strict=False))
        leads = (
            f"it counts in its one row where {shown[-1]}"
            if tree.is_of_all
            else f"{shown[-1]} is its {tree.fact.anchor}"
        )
        yield f"{steps}{places[-1]}: {leads}"


def _ways(tree: JoinTree, node: Node) -> Iterator[tuple[list[Node], list[exp.Expr]]]:
    """Yield the ways from a node to a root: the nodes, and what leads on from each, from the root to the anchor."""
    if node.name in tree.anchors:
        yield [node], [tree.anchors[node.name]]
    for edge in node.edges:
        for nodes, predicates in _ways(tree, edge.parent):
            yield [node, *nodes], [edge.predicate, *predicates]


def _labels(tree: JoinTree, nodes: Sequence[Node]) -> dict[str, str]:
    """Return what tells the nodes of a way apart: the source, or where it is there several times the model's alias.

    Of the aliases around a source, which has one in each model or CTE that it goes through, the innermost that does.
    """
    read = [node.source.name for node in nodes]
    aliases = {
        tree.tables[id(table)].name: [table.alias_or_name, *_aliases_around(table)]
        for table in tree.query.find_all(exp.Table)
        if id(table) in tree.tables
    }
    for depth in range(max(len(aliases[node.name]) for node in nodes)):
        labels = {
            node.name: (aliases[node.name][: depth + 1] if read.count(node.source.name) > 1 else [node.source.name])[-1]
            for node in nodes
        }
        if len({*labels.values()}) == len(nodes):
            return labels
    return {node.name: f"{node.source.name}_{number}" for number, node in enumerate(nodes, start=1)}


def _aliases_around(table: exp.Table) -> Iterator[str]:
    around = table.find_ancestor(exp.Subquery)
    while around:
        if around.alias:
            yield around.alias
        around = around.find_ancestor(exp.Subquery)


def _readable(expression: exp.Expr, labels: Mapping[str, str]) -> str:
    """Write an expression over nodes with what they are told apart by."""
    named = expression.copy()
    for found in list(named.find_all(exp.Column)):
        found.set("table", exp.to_identifier(labels[found.table]))
    return named.sql("redshift")


def asked_of(source: Source, column: str) -> str:
    """Return what the figures that follow are about."""
    if not column:
        return f"\nWhat is staged for {source.name} would do this:"
    if column in source.key:
        return f"\nThe rows that would come to {source.name}, or go, would do this:"
    return (
        f"\nThe staged changes of {source.name}.{column} would do this, all else being as it is;"
        f" `explain {source.name}` counts the other columns too, and the rows that would come or go:"
    )


def absent_keys(keys: Sequence[str], run: Run) -> str:
    """Return which of the keys that a run asks for are not staged in its window."""
    window = f"before {run.window_end} UTC" + (f", from {run.window_start} on" if run.window_start else "")
    return f"Not staged {window}: {', '.join(keys)}." if keys else f"All these keys are staged {window}."


def cycle(result: CycleResult) -> RenderableType:
    """Return what a cycle compared and changed, by source and by fact."""
    sources = _counts(
        "source", "rows", "cells", "changed", "stale", "quarantined", "waiting", caption="rows and cells compared"
    )
    for found in result.change_sets.values():
        changed = sum(found.changed_columns.values())
        figures = (found.rows_compared, found.cells_compared, changed, found.stale, found.quarantined, found.waiting)
        sources.add_row(found.source, *map(str, figures))
    facts = _counts(
        "fact", "affected", "inserted", "updated", "deleted", "seconds", caption="keys affected, rows written"
    )
    for done in result.fact_results.values():
        facts.add_row(
            done.fact, *map(str, (done.affected, done.inserted, done.updated, done.deleted)), f"{done.seconds:.2f}"
        )
    undoes, window = result.run.undoes, f"Window: staged before {result.run.window_end} UTC."
    if undoes:
        window = f"Takes back {undoes}."
    if result.run.dry_run:
        lines = "\n".join(map(announced, result.fact_results.values()))
        unsynced = [name for name in result.preparation.pending if name in result.fact_results]
        if unsynced:
            lines += f"\nTaking back what a run that was never synced did is counted too: {', '.join(unsynced)}."
        return Group(sources, facts, lines, f"{window} Dry run: nothing was written.")
    return Group(sources, facts, f"{window} The baselines are synced. {result.seconds:.2f} s.")


def story(name: str, key: Sequence[str], events: Sequence[Event]) -> str:
    """Return what happened to a row: a line for each run that has changed it, and below it the columns."""
    lines: list[str] = []
    for number, event in enumerate(events):
        before = events[number - 1] if number else None
        if before is None or (before.at, before.run, before.change) != (event.at, event.run, event.change):
            taken_back = f", which has taken back {event.undoes}" if event.undoes else ""
            lines.append(f"{event.at:%Y-%m-%d %H:%M:%S} {event.change} by {event.run}{taken_back}")
        if event.column:
            lines.append(f"  {event.column}: {_value(event.old)} → {_value(event.new)}")
    return "\n".join(lines) or f"{name} {' '.join(key)}: nothing is kept of it."


def runs(found: Sequence[PastRun], pace: Pace) -> str:
    """Return the last runs, the newest first, and how long they take today beside the days before.

    A line each, with the key behind the rest: it is as long as Airflow makes it, and there to be copied.
    """
    lines = []
    for run in found:
        end = f"{run.window_end:%Y-%m-%d %H:%M}" if run.window_end else ""
        seconds = f"{run.seconds:.1f} s" if run.seconds else ""
        lines.append(f"{end:16}  {run.result:11}  {seconds:>9}  {run.written:>9,} rows  {run.key}")
    spans = {"in the last day": pace.today, "before": pace.before}
    medians = " and ".join(f"{seconds:.1f} s {span}" for span, seconds in spans.items() if seconds is not None)
    if medians:
        lines.append(f"Runs that had anything to do took a median of {medians}.")
    return "\n".join(lines) or "The ledger has no run."


def facts(project: Project, fresh_to: Mapping[str, datetime], now: datetime) -> RenderableType:
    """Return up to when each fact shows all that was staged, and how long ago that is, the oldest first."""
    table = _counts("fact", "fresh to, UTC", "age", caption="")
    for name in sorted(project.facts, key=lambda name: (str(fresh_to.get(name, "")), name)):
        time = fresh_to.get(name)
        table.add_row(name, *((f"{time:%Y-%m-%d %H:%M}", _age(now - time)) if time else ("never", "")))
    return table


def _age(age: timedelta) -> str:
    """Return an age in days, hours and minutes."""
    minute = timedelta(minutes=1)
    return str(age // minute * minute).removesuffix(":00")


def changed_columns(found: Sequence[ChangedColumn], days: int) -> RenderableType:
    """Return the columns that have changed most, in cells of updated rows."""
    if not found:
        return f"No run of the last {days} days has changed a cell of a fact."
    table = _counts("column", "cells", caption=f"cells that the runs of the last {days} days have changed")
    for one in found:
        table.add_row(f"{one.fact}.{one.column}", f"{one.cells:,}")
    return table


def _value(value: object) -> str:
    return "NULL" if value is None else str(value)


def _counts(name: str, *counted: str, caption: str) -> Table:
    """Return a table that fits a terminal of 80 columns: names are kept whole, the headers of counts may break."""
    columns = [Column(header, justify="right", overflow="fold") for header in counted]
    return Table(_name(name), *columns, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), caption=caption)


def _name(header: str) -> Column:
    return Column(header, no_wrap=True)

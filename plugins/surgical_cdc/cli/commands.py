"""The commands of `python -m surgical_cdc`: the engine without a scheduler, on an Airflow connection."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from surgical_cdc.cli import checks, report
from surgical_cdc.compiler.compilation import compile_project
from surgical_cdc.contract.project import DEFAULT_PROJECT, Project, command, load_project
from surgical_cdc.control import lease
from surgical_cdc.control.history import story
from surgical_cdc.control.ledger import changed_columns, last_runs
from surgical_cdc.dbt.artifacts import COMPILING, read_artifacts
from surgical_cdc.dbt.declared import relation_of, staging_of
from surgical_cdc.dbt.guesses import keyless, row_key_guesses, source_guesses, with_settings
from surgical_cdc.dictionary import load_dictionary
from surgical_cdc.errors import DictionaryError, ProjectError, shortened
from surgical_cdc.files import write_text
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.freshness import read_shown
from surgical_cdc.steps.narrow import not_staged
from surgical_cdc.steps.refresh import refresh as refresh_fact
from surgical_cdc.steps.summary import pace
from surgical_cdc.steps.verify import verify as verify_fact
from surgical_cdc.values import Run, new_token, now, read_time
from surgical_cdc.warehouse.advice import ERRORS, refusal
from surgical_cdc.warehouse.catalog import WarehouseTypes
from surgical_cdc.warehouse.connection import connect
from surgical_cdc.warehouse.retries import reached_at_once, run_step
from surgical_cdc.warehouse.session import Warehouse

DAG_ID = "command_line"
# What the driver binds in one statement, in which two stand for the window.
MOST_VALUES = 32_767
MOST_KEYS = MOST_VALUES - 2
# A week and more of half hours.
MOST_RUNS = 500
MOST_COLUMNS = 20
ProjectFolder = Annotated[Path, typer.Option("--project", help="Folder of the dbt project.")]
Threads = Annotated[int, typer.Option(min=1, help="So many detections, and updates, run side by side.")]
ConnectionId = Annotated[str, typer.Option("--conn-id", help="Airflow connection of type redshift.")]
Facts = Annotated[list[str] | None, typer.Argument(metavar="[FACT]...", help="Facts; all if none is named.")]
Time = Annotated[
    str | None, typer.Option(metavar="TIME", help="In ISO 8601, as 2026-03-01T12:30:00Z; UTC if no offset.")
]

app = typer.Typer(
    help="Keeps fact tables equal to their SELECTs by recomputing only what changed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(highlight=False, soft_wrap=True, markup=False)


@app.callback()
def quiet() -> None:
    """Keep the engine's log, which has every statement, off the terminal: importing Airflow turns it on."""
    logging.getLogger("surgical_cdc").setLevel(logging.WARNING)
    logging.getLogger("sqlglot").setLevel(logging.ERROR)


@app.command()
def check(project: ProjectFolder = DEFAULT_PROJECT, conn_id: ConnectionId = "redshift_default") -> None:
    """Check the project, the connection, and what the warehouse has and allows; the exit code is 1 if a check fails."""
    failed = False
    for finding in checks.run_checks(_project(project), _session(conn_id, "check")):
        failed = failed or finding.state == "FAILED"
        console.print(f"{finding.state:<8}{finding.name}: {finding.text}")
    raise typer.Exit(failed)


@app.command()
def explain(
    column: Annotated[str, typer.Argument(metavar="SOURCE[.COLUMN]")],
    project: ProjectFolder = DEFAULT_PROJECT,
    conn_id: ConnectionId = "redshift_default",
    keys: Annotated[str | None, typer.Option(help="Only these keys of the source, as in 1,2,3.")] = None,
    window: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="START END", help="Only rows staged from START on and before END."),
    ] = None,
) -> None:
    """Show what a source feeds, and which rows and cells its staged rows would change; nothing is written.

    Of a column: what its own change does, while the other columns stay as they are.
    """
    loaded = _project(project)
    source_name, dot, column_name = column.partition(".")
    source = loaded.source(source_name)
    if dot and column_name not in source.column_names:
        raise ProjectError(
            f"Source {source_name} has no column {shortened(column_name)}. Known: {', '.join(source.column_names)}."
        )
    start, end = (_time("--window", text) for text in window or (None, None))
    chosen = () if keys is None else _keys(source_name, keys)
    asked = _run("explain", (source_name,), start=start, end=end, keys=chosen, dry_run=True)
    dictionary = load_dictionary(loaded.dictionary_path)
    console.print(report.feeds(dictionary, source_name, column_name))
    console.print(report.paths(loaded, source_name, column_name))
    session = _session(conn_id, "explain", asked)
    if chosen:
        absent = run_step(session, "explain", partial(not_staged, loaded, source_name, run=asked))
        console.print(report.absent_keys(absent, asked))
    console.print(report.asked_of(source, column_name))
    facts = dictionary.fed_by(source_name, column_name)
    done = run_cycle(loaded, session, asked, facts=facts, column=column_name, progress=console.print)
    console.print(report.cycle(done))


@app.command()
def run(
    start: Time = None,
    end: Time = None,
    source: Annotated[list[str] | None, typer.Option(help="Only this source; may be repeated.")] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would change, and write nothing.")] = False,
    ignore_volume: Annotated[
        bool, typer.Option("--ignore-volume", help="Take sources that change far more rows than usual, too.")
    ] = False,
    threads: Threads = 4,
    project: ProjectFolder = DEFAULT_PROJECT,
    conn_id: ConnectionId = "redshift_default",
) -> None:
    """Run one cycle over what is staged before --end (UTC, now if not given), from --start on if given."""
    loaded = _project(project)
    sources = tuple(loaded.source(name).name for name in source or ())
    asked = _run("run", sources, start=_time("--start", start), end=_time("--end", end), dry_run=dry_run)
    asked = asked.model_copy(update={"ignore_volume": ignore_volume})
    done = run_cycle(loaded, _session(conn_id, "run", asked), asked, threads=threads, progress=console.print)
    console.print(report.cycle(done))


@app.command()
def undo(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Its run_key in the ledger, as vendor_cdc/scheduled__…")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would change, and write nothing.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Leave out what has changed again since, and snapshots.")
    ] = False,
    threads: Threads = 4,
    project: ProjectFolder = DEFAULT_PROJECT,
    conn_id: ConnectionId = "redshift_default",
) -> None:
    """Take back what a run did to the sources, and bring the facts up to date with that."""
    loaded = _project(project)
    asked = _run("undo", (), dry_run=dry_run).model_copy(update={"undoes": run, "partial": partial})
    done = run_cycle(loaded, _session(conn_id, "undo", asked), asked, threads=threads, progress=console.print)
    console.print(report.cycle(done))


@app.command()
def history(
    name: Annotated[str, typer.Argument(metavar="TABLE", help="A source, or a fact that has a history.")],
    key: Annotated[list[str], typer.Argument(metavar="KEY...", help="Its key; a value for each column of it.")],
    column: Annotated[str | None, typer.Option(help="Only changes of this column.")] = None,
    project: ProjectFolder = DEFAULT_PROJECT,
    conn_id: ConnectionId = "redshift_default",
) -> None:
    """Tell the story of a row: which run has changed what, from what to what."""
    loaded = _project(project)
    told = run_step(_session(conn_id, "history"), "history", partial(story, loaded, name, key))
    console.print(report.story(name, key, [event for event in told if column in {None, event.column}]))


@app.command()
def runs(
    limit: Annotated[int, typer.Option(min=1, max=MOST_RUNS, help="So many of the last runs.")] = 20,
    project: ProjectFolder = DEFAULT_PROJECT,
    conn_id: ConnectionId = "redshift_default",
) -> None:
    """List the last runs with their keys, how each ended, and how long it took; and whether they get slower."""
    found = run_step(_session(conn_id, "runs"), "runs", partial(last_runs, _project(project), most=MOST_RUNS))
    console.print(report.runs(found[:limit], pace(((run.finished_at, run.seconds) for run in found), now())))


@app.command()
def facts(
    days: Annotated[int, typer.Option(min=1, help="Count the cells that the runs of so many days have changed.")] = 7,
    project: ProjectFolder = DEFAULT_PROJECT,
    conn_id: ConnectionId = "redshift_default",
) -> None:
    """Show how fresh each fact is, and which columns change most."""
    loaded, session = _project(project), _session(conn_id, "facts")
    fresh_to = run_step(session, "facts", partial(read_shown, loaded))
    changed = run_step(session, "facts", partial(changed_columns, loaded, days=days, most=MOST_COLUMNS))
    console.print(report.facts(loaded, fresh_to, now()))
    console.print(report.changed_columns(changed, days))


@app.command()
def refresh(
    facts: Facts = None, project: ProjectFolder = DEFAULT_PROJECT, conn_id: ConnectionId = "redshift_default"
) -> None:
    """Build facts anew from the baselines."""
    loaded, session = _project(project), _session(conn_id, "refresh")
    for name in _chosen(loaded, facts):
        console.print(f"{name}: building it anew ...")
        result = run_step(session, f"refresh.{name}", partial(refresh_fact, loaded, name))
        console.print(f"{name}: {result.deleted} rows replaced by {result.inserted} in {result.seconds:.2f} s")


@app.command()
def verify(
    facts: Facts = None, project: ProjectFolder = DEFAULT_PROJECT, conn_id: ConnectionId = "redshift_default"
) -> None:
    """Compare facts with their SELECTs run in full; the exit code is 1 if one differs."""
    loaded, session = _project(project), _session(conn_id, "verify")
    differs = False
    for name in _chosen(loaded, facts):
        console.print(f"{name}: running its SELECT in full ...")
        found = run_step(session, f"verify.{name}", partial(verify_fact, loaded, name))
        console.print(found.verdict(loaded))
        differs = differs or not found.equal
    raise typer.Exit(differs)


@app.command()
def release(project: ProjectFolder = DEFAULT_PROJECT, conn_id: ConnectionId = "redshift_default") -> None:
    """Free the warehouse from a run that has died, and say whose it was; refuse while that run is at work."""
    loaded = _project(project)
    console.print(run_step(_session(conn_id, "release"), "release", partial(lease.free_dead, loaded)))


@app.command()
def init(
    project: ProjectFolder = DEFAULT_PROJECT,
    *,
    staging: Annotated[
        str, typer.Option(help="How the tables that the ETL fills are called; {name} is the source table's name.")
    ] = "staging.{name}",
    conn_id: Annotated[
        str | None, typer.Option("--conn-id", help="Airflow connection of type redshift, to see which tables exist.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write without asking.")] = False,
) -> None:
    """Propose settings for the sources of a dbt project that dbt has compiled, and write them into dbt_project.yml."""
    folder = _folder(project)
    artifacts = read_artifacts(folder)
    tables = artifacts.sources.values()
    relations = [*map(relation_of, tables), *(staging_of(staging, table) for table in tables)]
    relations += map(relation_of, keyless(artifacts))
    with _asked(conn_id, "init") as types:
        known = types.columns(relations) if types else None
        guesses = source_guesses(artifacts, staging, known, types, console.print)
        row_keys = row_key_guesses(artifacts, known, types, console.print) if known and types else {}
    console.print(report.guesses(artifacts, guesses, row_keys))
    complete = [guess for guess in guesses if not guess.missing]
    file = folder / "dbt_project.yml"
    if complete and (yes or typer.confirm(f"Write these settings of {len(complete)} sources into {file}?")):
        write_text(file, with_settings(file, complete))
        console.print(f"Wrote {file}. Edit it, then run: {COMPILING}; {command(folder, 'compile')}")


@app.command("compile")
def compile_(
    project: ProjectFolder = DEFAULT_PROJECT,
    *,
    select: Annotated[
        list[str] | None,
        typer.Option(help="Only this model is a fact, or those of tag:…; may be repeated, and is remembered."),
    ] = None,
    conn_id: Annotated[
        str | None, typer.Option("--conn-id", help="Airflow connection of type redshift, asked for unknown types.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file would be another.")] = False,
) -> None:
    """Write the folder cdc of a dbt project that dbt has compiled: contract, dictionary, a SELECT for each fact."""
    with _asked(conn_id, "compile") as types:
        compiled = compile_project(_folder(project), select=select or (), ask=types, progress=console.print)
    console.print(report.compilation(compiled))
    if check:
        if stale := compiled.stale():
            raise DictionaryError(
                f"{stale[0]} is not what the models say. Write it anew and review what changed:"
                f" {compiled.project.command('compile')}"
            )
        console.print(f"{compiled.project.folder} is what the models say.")
        return
    for file in compiled.write():
        console.print(f"{'Wrote' if file in compiled.files else 'Removed'} {file}.")


def main() -> None:
    """Run the command line; an error that is meant for a person is printed as its message alone."""
    # Airflow takes this for a task otherwise, which asks a server for connections instead of reading the database.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    # Airflow logs a stack trace where its database has no tables yet; what it has not found is said without.
    os.environ.setdefault("AIRFLOW__LOGGING__NAMESPACE_LEVELS", "task=CRITICAL")
    try:
        app()
    except ERRORS as error:
        Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(refusal(error))
        raise SystemExit(1) from None


def _session(conn_id: str, command: str, asked: Run | None = None) -> Callable[[], Warehouse]:
    """Return what opens a session, labelled by the command and its run."""
    label = "/".join([DAG_ID, command, *([asked.run_id] if asked else [])])
    return reached_at_once(partial(connect, conn_id, label=label))


@contextmanager
def _asked(conn_id: str | None, command: str) -> Iterator[WarehouseTypes | None]:
    """Yield what tells the types in a warehouse, None where no connection is named."""
    if not conn_id:
        yield None
        return
    with closing(_session(conn_id, command)()) as warehouse:
        yield WarehouseTypes(warehouse)


def _project(path: Path) -> Project:
    return load_project(_folder(path))


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise ProjectError(
            f"{shortened(str(path))} is no folder. Expected --project and the folder of a dbt project, in which"
            " dbt_project.yml lies."
        )
    return path


def _keys(source: str, text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    if not keys:
        raise ProjectError(f"--keys {text!r} names no key of {source}. Expected keys with commas, as in 1,2,3.")
    if len(keys) > MOST_KEYS:
        raise ProjectError(
            f"--keys has {len(keys)} keys of {source}. The driver binds {MOST_VALUES} values in a statement: ask for"
            f" {MOST_KEYS} keys at most."
        )
    return keys


def _time(option: str, text: str | None) -> datetime | None:
    try:
        return None if text is None else read_time(option, text)
    except ValueError as error:
        raise ProjectError(str(error)) from None


def _chosen(project: Project, facts: Iterable[str] | None) -> list[str]:
    return [project.fact(name).name for name in facts or project.facts]


def _run(
    command: str,
    sources: tuple[str, ...],
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    keys: tuple[str, ...] = (),
    dry_run: bool,
) -> Run:
    if start and end and start >= end:
        raise ProjectError(f"The window from {start} to {end} UTC is empty: its start must be before its end.")
    asked_at = now()
    run_id = f"{command}__{asked_at.isoformat()}"
    window_end = end or asked_at
    return Run(
        token=new_token(),
        dag_id=DAG_ID,
        run_id=run_id,
        window_start=start,
        window_end=window_end,
        sources=sources,
        keys=keys,
        dry_run=dry_run,
    )

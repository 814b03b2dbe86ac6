"""The page's routes: each checks who asks, reads what it shows, and renders a template; none changes anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import jinja2
from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep, get_user
from airflow.models.dag import DagModel
from fastapi import Depends, FastAPI, HTTPException, Query, Request, status
from fastapi.responses import FileResponse, HTMLResponse

from surgical_cdc.page import metadata, plots, rows, wording
from surgical_cdc.page.facts import Light, by_need, facts_today, lasting
from surgical_cdc.page.heat import MARKS, changed_columns, heat_rows
from surgical_cdc.page.metadata import Cycle
from surgical_cdc.page.plugin import PREFIX
from surgical_cdc.page.sentence import sentences
from surgical_cdc.steps.summary import pace
from surgical_cdc.values import RUN

# How many of the last runs each view looks at, however many there are.
FACTS_RUNS, CHOICE_RUNS, HEAT_RUNS, SPEED_RUNS = 50, 100, 48, 500
SPEED_TIME = timedelta(days=7)
HERE = Path(__file__).parent
# Plotly sets styles of elements that it makes; all else is a file of ours.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " form-action 'self'; frame-ancestors 'self'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

app = FastAPI(title="Surgical CDC", dependencies=[Depends(get_user)], docs_url=None, redoc_url=None, openapi_url=None)


def _is_readable(user: GetUserDep) -> Callable[[str], bool]:
    """Return whether Airflow lets the user see what the tasks of a DAG hand on."""
    manager = get_auth_manager()

    def is_readable(dag_id: str) -> bool:
        details = DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id))
        return manager.is_authorized_dag(method="GET", access_entity=DagAccessEntity.XCOM, details=details, user=user)

    return is_readable


Readable = Annotated[Callable[[str], bool], Depends(_is_readable)]


def _cycles(session: SessionDep, is_readable: Readable) -> list[Cycle]:
    return metadata.cycles(session, is_readable=is_readable)


Cycles = Annotated[list[Cycle], Depends(_cycles)]


def _cycle(session: SessionDep, cycles: Cycles, is_readable: Readable, dag_id: str = "") -> Cycle | None:
    """Return the DAG that is asked for, or is undone by that; the one that ran last if none is; None if not ours."""
    if not dag_id:
        return metadata.last_active(session, cycles)
    if not is_readable(dag_id):
        raise HTTPException(status.HTTP_403_FORBIDDEN, f"You may not read what the tasks of {dag_id} hand on.")
    return next((cycle for cycle in cycles if dag_id in cycle.running), None)


ChosenCycle = Annotated[Cycle | None, Depends(_cycle)]


@app.get("/facts")
def facts(request: Request, session: SessionDep, cycles: Cycles) -> HTMLResponse:
    """Show all facts that the user may see, those that need a look first."""
    now = datetime.now(UTC)
    found, last_runs = [], []
    for cycle in cycles:
        runs = metadata.last_runs(session, cycle, limit=FACTS_RUNS)
        errors = next((metadata.errors(session, run) for run in lasting(runs)[:1] if run.has_failed), {})
        found += facts_today(cycle, runs, metadata.verified(session, cycle), errors, now=now)
        last = next((run for run in runs if run.said and run.kind == RUN), None)
        last_runs += [(cycle.dag_id, summary)] if last and (summary := last.summary()) else []
    counts = {light: sum(row.light == light for row in found) for light in Light}
    return _page(request, "facts", rows=by_need(found), counts=counts, last_runs=last_runs, now=now, cycles=cycles)


@app.get("/run")
def one_run(
    request: Request,
    session: SessionDep,
    cycles: Cycles,
    cycle: ChosenCycle,
    *,
    run: str = "",
    run_id: str = "",
    dag_id: str = "",
) -> HTMLResponse:
    """Show one run, by its key or by DAG and id, the last if none is chosen."""
    if cycle is None:
        return _page(request, "none", cycles=cycles, dag_id=dag_id)
    choice = metadata.run_keys(session, cycle, limit=CHOICE_RUNS)
    asked = run or (f"{dag_id or cycle.dag_id}/{run_id}" if run_id else "")
    shown = metadata.one_run(session, cycle, asked or next((key for key, _ in choice), ""))
    if asked and shown is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"{cycle.dag_id} has no run {asked}.")
    summary = shown.summary() if shown else None
    return _page(
        request,
        "run",
        cycles=cycles,
        cycle=cycle,
        choice=choice,
        run=shown,
        summary=summary,
        sentences=sentences(shown, summary) if shown else [],
        can_be_undone=bool(summary and any(source.synced and source.changes for source in summary.sources.values())),
        undone_by=metadata.undone_by(session, cycle, shown.key, limit=CHOICE_RUNS) if shown else [],
        errors=metadata.errors(session, shown) if shown and shown.has_failed else {},
        plot=plots.flow(cycle, summary) if summary else None,
    )


@app.get("/changes")
def changes(
    request: Request,
    session: SessionDep,
    cycles: Cycles,
    cycle: ChosenCycle,
    *,
    fact: str = "",
    dag_id: str = "",
) -> HTMLResponse:
    """Show the cells that the last runs have changed, as a heat map."""
    if cycle is None:
        return _page(request, "none", cycles=cycles, dag_id=dag_id)
    chosen = fact if fact in cycle.feeding else ""
    runs = metadata.last_runs(session, cycle, limit=HEAT_RUNS)[::-1]
    return _page(
        request,
        "changes",
        cycles=cycles,
        cycle=cycle,
        runs=runs,
        rows=heat_rows(cycle, runs, chosen),
        columns=changed_columns(cycle, runs, chosen),
        fact=chosen,
    )


@app.get("/row")
def one_row(
    request: Request,
    cycles: Cycles,
    cycle: ChosenCycle,
    key: Annotated[list[str] | None, Query()] = None,
    *,
    table: str = "",
    run: str = "",
    look_up: bool = False,
    dag_id: str = "",
) -> HTMLResponse:
    """Show what happened to a row, or some rows that were changed; the warehouse is asked for `look_up` alone."""
    if cycle is None:
        return _page(request, "none", cycles=cycles, dag_id=dag_id)
    shown = rows.asked(cycle, table, key or (), run) if look_up and table else rows.unasked(cycle)
    return _page(request, "row", cycles=cycles, cycle=cycle, table=table, key=key or (), run=run, shown=shown)


@app.get("/speed")
def speed(request: Request, session: SessionDep, cycles: Cycles, cycle: ChosenCycle, dag_id: str = "") -> HTMLResponse:
    """Show how long the runs of the last week took."""
    if cycle is None:
        return _page(request, "none", cycles=cycles, dag_id=dag_id)
    now = datetime.now(UTC)
    runs = metadata.timed_runs(session, cycle, limit=SPEED_RUNS, since=now - SPEED_TIME)[::-1]
    timed = [run for run in runs if run.seconds]
    if not timed:
        return _page(request, "speed", cycles=cycles, cycle=cycle, plot=None)
    plot, medians = plots.speed(timed), plots.medians(timed)
    today = pace(((run.due, run.seconds) for run in timed), now)
    return _page(request, "speed", cycles=cycles, cycle=cycle, runs=timed, plot=plot, medians=medians, pace=today)


@app.get("/static/{name}")
def static(name: str) -> FileResponse:
    """Return a file of the page; its address changes with its version, so that a browser may keep it."""
    file = _files().get(name)
    if file is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return FileResponse(file, headers={"Cache-Control": "private, max-age=31536000, immutable"})


@cache
def _files() -> dict[str, Path]:
    """Return the files that the pages load, Plotly's from its Python package, by name."""
    plotly = find_spec("plotly")
    drawing = {"plotly.js": Path(str(plotly.origin)).parent / "package_data" / "plotly.min.js"} if plotly else {}
    return {file.name: file for file in (HERE / "static").iterdir()} | drawing


@cache
def _version(name: str) -> str:
    """Return what changes when a file does."""
    return version("plotly") if name == "plotly.js" else str(_files()[name].stat().st_mtime_ns)


def _page(request: Request, template: str, **values: Any) -> HTMLResponse:
    # Airflow may be served below a path.
    root = request.scope["root_path"]
    above = root.removesuffix(f"/{PREFIX}")
    rendered = _templates().get_template(f"{template}.html").render(root=root, airflow=above, view=template, **values)
    return HTMLResponse(rendered, headers=HEADERS)


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (wording.counted, wording.moment, wording.ago, wording.duration, wording.largest):
        environment.filters[function.__name__] = function
    environment.globals |= {"version": _version, "marks": MARKS, "described": plots.described}
    return environment

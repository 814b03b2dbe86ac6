"""The trigger forms: their fields, and what a run was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowSkipException

from surgical_cdc.errors import RequestError, did_you_mean
from surgical_cdc.values import Run, as_utc, read_time

if TYPE_CHECKING:
    from airflow.sdk import Context

    from surgical_cdc.dictionary import Dictionary


# The field by which the form of an undo is told from that of a cycle.
UNDOES_FIELD = "run"


class FormError(RequestError):
    """The trigger form asks for what can not be: a window, or a field that it does not have."""


def cycle_fields(dictionary: Dictionary) -> dict[str, Param]:
    """Return the fields of the cycle's trigger form."""
    time: dict[str, Any] = {"type": ["null", "string"], "format": "date-time"}
    return {
        "window_start": Param(
            None,
            title="Window start",
            description="Take only rows staged from this time on; empty: all that is staged and not yet applied.",
            **time,
        ),
        "window_end": Param(
            None,
            title="Window end",
            description="Take only rows staged before this time; empty: the end of the run's data interval.",
            **time,
        ),
        "sources": _selection(list(dictionary.sources), title="Sources", description="Compare only these; empty: all."),
        "dry_run": _switch("Dry run", "Compare and compute, and report what would change; write nothing."),
        "ignore_volume": _switch("Ignore volume", "Take sources that change far more rows than usual, too."),
    }


def undo_fields() -> dict[str, Param]:
    """Return the fields of the trigger form of an undo."""
    return {
        UNDOES_FIELD: Param(
            type="string",
            minLength=1,
            title="Run",
            description="What the ledger calls the run to take back: its DAG, / and its run id.",
        ),
        "partial": _switch("Partial", "Leave out what has changed again since, and snapshots; else refuse."),
        "dry_run": _switch("Dry run", "Compute, and report what would change; write nothing."),
    }


def fact_fields(facts: Sequence[str]) -> dict[str, Param]:
    """Return the fields of the trigger form of a refresh, and of a verification."""
    return {"facts": _selection(list(facts), title="Facts", description="Only these; empty: all.")}


def run_of(context: Context, token: str) -> Run:
    """Return the run that a task belongs to, with its window, from the data interval or the trigger form.

    An undo looks at no window: it has the run that it takes back. A run without a logical date has no data interval,
    so that its window ends when it was due. `token` names the attempt.

    Raises:
        FormError: the form asks for a window that ends before it starts, for something that is no time, or for more
            than its fields.
    """
    check_fields(context)
    dag_run, params = context["dag_run"], context["params"]
    attempt = {"dag_id": dag_run.dag_id, "run_id": dag_run.run_id, "token": token, "dry_run": params["dry_run"]}
    if UNDOES_FIELD in params:
        window_end = as_utc(dag_run.run_after)
        return Run(window_end=window_end, undoes=params[UNDOES_FIELD].strip(), partial=params["partial"], **attempt)
    start = _form_time(params, "window_start")
    end = _form_time(params, "window_end") or as_utc(dag_run.data_interval_end or dag_run.run_after)
    if start and start >= end:
        raise FormError(
            f"The window from {start} to {end} UTC is empty: window_start must be before window_end."
            " Trigger the run again with another window_start, or leave it out to take all that is staged."
        )
    chosen = {"sources": tuple(params["sources"] or ()), "ignore_volume": params["ignore_volume"]}
    return Run(window_start=start, window_end=end, **chosen, **attempt)


def check_fields(context: Context) -> None:
    """Refuse a run whose conf has more than the form's fields: Airflow passes over a `dryrun`, and the run would write.

    Raises:
        FormError: the conf has other fields than the form.
    """
    fields = list(context["dag"].params)
    unknown = [f"{name}{did_you_mean(name, fields)}" for name in context["dag_run"].conf or {} if name not in fields]
    if unknown:
        raise FormError(
            f"The run's conf has what the trigger form does not: {', '.join(unknown)}. Fields: {', '.join(fields)}."
            " Trigger the run again with these alone."
        )


def require_chosen(context: Context, fact: str) -> None:
    """Skip the task of a fact that the trigger form does not name; a form without facts means all."""
    chosen = context["params"]["facts"]
    if chosen and fact not in chosen:
        raise AirflowSkipException(f"{fact} is not among the facts of the trigger form.")


def _switch(title: str, description: str) -> Param:
    return Param(default=False, type="boolean", title=title, description=description)


def _selection(names: list[str], *, title: str, description: str) -> Param:
    """Return a field of the form from which several names can be picked."""
    items = {"type": "string", "enum": names}
    return Param([], type=["null", "array"], items=items, examples=names, title=title, description=description)


def _form_time(params: Mapping[str, Any], name: str) -> datetime | None:
    value = params[name]
    # The form leaves an empty text where a field was cleared.
    if value in (None, ""):
        return None
    try:
        return read_time(name, value)
    except ValueError as error:
        raise FormError(str(error)) from None

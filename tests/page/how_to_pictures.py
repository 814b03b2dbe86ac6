"""The pictures of docs/how-to: what an operator does and sees in Airflow's UI, on a stack that has had some runs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from demo.feed import feed
from local_redshift.testing import administer
from local_stack import LocalStack
from local_stack.demonstration import avoid_the_schedule, start
from tests.page.browser import chromium, page_of

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

COMPANIES, CHANGES = 400, 60
CYCLE, UNDO, REFRESH, VERIFY = "vendor_cdc", "vendor_cdc_undo", "vendor_cdc_refresh", "vendor_cdc_verify"
FACT = "fact_vendor"
RUN_SECONDS = 300
# What all runs take on a small machine: a scheduled one must not come in between.
ALL_SECONDS = 150
# Taller than any form, so that each is in a picture as a whole.
WIDTH, HEIGHT = 1100, 1600
QUARANTINED = "INSERT INTO staging.companies (name, updated_at) VALUES ('A company without its id', GETDATE())"
WRONG = "UPDATE staging_public.fact_vendor SET vendor_name = 'changed by hand' WHERE vendor_id % 100 = 7"
# Whatever is written divides by zero.
BROKEN = "ALTER TABLE staging_public.fact_vendor ADD CONSTRAINT broken CHECK (1 / (vendor_id * 0) > 0) NOT VALID"
MENDED = "ALTER TABLE staging_public.fact_vendor DROP CONSTRAINT broken"


@dataclass(frozen=True)
class Runs:
    """Ids of runs: one that is as it should be, one with a row in quarantine, one in which a fact has failed."""

    good: str
    quarantined: str
    failed: str


@dataclass(frozen=True)
class Desk:
    """An operator's browser before a stack with its runs."""

    page: Page
    runs: Runs

    def form(self, dag_id: str) -> Locator:
        """Open the trigger form of a DAG."""
        self.page.goto(f"/dags/{dag_id}", wait_until="networkidle")
        self.page.get_by_role("button", name="Trigger Dag").click()
        form = self.page.get_by_role("dialog").first
        form.get_by_text("Advanced Options").wait_for()
        return form

    def switch(self, form: Locator, field: str) -> Locator:
        """Turn on a switch of a form."""
        form.locator(f"[id='switch:element_{field}:control']").click()
        return form

    def time(self, form: Locator, number: int, date: str, time: str) -> None:
        """Give a time in a field of a form, counted from its head."""
        form.get_by_test_id("datetime-input").nth(number).click()
        self.page.get_by_placeholder("YYYY/MM/DD").fill(date)
        self.page.get_by_placeholder("HH:mm").fill(time)
        self.page.keyboard.press("Enter")
        self.page.keyboard.press("Escape")

    def view(self, place: str, part: str = "main") -> Locator:
        """Open a place of the page, without Airflow around it, and return a part of it."""
        self.page.goto(f"/surgical_cdc/{place}", wait_until="networkidle")
        return self.page.locator(part)

    def clearing(self, place: str, *choices: str, tasks: int) -> Locator:
        """Open the dialog by which a run or a task is cleared, choose there, and wait until it knows how many tasks."""
        self.page.goto(place)
        self.page.get_by_role("button", name="to clear").click()
        dialog = self.page.get_by_role("dialog").first
        for choice in choices:
            dialog.get_by_text(choice, exact=True).click()
        dialog.get_by_text(f"Affected Tasks: {tasks}").wait_for()
        return dialog


def window(desk: Desk) -> Locator:
    """Return the form of a run over half an hour of one source."""
    form = desk.form(CYCLE)
    desk.time(form, 1, "2026/03/01", "12:00")
    desk.time(form, 2, "2026/03/01", "12:30")
    form.get_by_role("combobox").click()
    desk.page.get_by_role("option", name="companies", exact=True).click()
    return form


def backfill(desk: Desk) -> Locator:
    """Return the form of a backfill of a day."""
    form = desk.form(CYCLE)
    form.get_by_text("Backfill", exact=True).click()
    desk.time(form, 0, "2026/03/01", "00:00")
    desk.time(form, 1, "2026/03/02", "00:00")
    form.get_by_text("runs will be triggered").wait_for()
    return form


def undo(desk: Desk) -> Locator:
    """Return the form of a dry run of an undo."""
    form = desk.form(UNDO)
    form.locator("#element_run").fill(f"{CYCLE}/{desk.runs.good}")
    return desk.switch(form, "dry_run")


def refresh(desk: Desk) -> Locator:
    """Return the form of a refresh of one fact."""
    form = desk.form(REFRESH)
    form.get_by_role("combobox").click()
    desk.page.get_by_role("option", name=FACT, exact=True).click()
    return form


def recover(desk: Desk) -> Locator:
    """Return the dialog by which the failed tasks of a run are cleared."""
    return desk.clearing(f"/dags/{CYCLE}/runs/{quote(desk.runs.failed)}", "Clear only failed tasks", tasks=2)


def rerun_fact(desk: Desk) -> Locator:
    """Return the dialog by which one fact's task is cleared with what follows it, which is chosen from the start."""
    return desk.clearing(f"/dags/{CYCLE}/runs/{quote(desk.runs.failed)}/tasks/update.{FACT}", tasks=3)


TAKEN: Mapping[str, Callable[[Desk], Locator]] = {
    "run_now": lambda desk: desk.form(CYCLE),
    "window": window,
    "dry_run": lambda desk: desk.switch(desk.form(CYCLE), "dry_run"),
    "backfill": backfill,
    "undo": undo,
    "refresh": refresh,
    "recover": recover,
    "rerun_fact": rerun_fact,
    "verify": lambda desk: desk.view("facts"),
    "quarantine": lambda desk: desk.view(f"run?dag_id={CYCLE}&run_id={quote(desk.runs.quarantined)}", "footer"),
}


def take(folder: Path) -> None:
    """Write a PNG for each page; it takes some minutes."""
    folder.mkdir(exist_ok=True)
    with LocalStack(Path(tempfile.mkdtemp())) as stack, chromium() as browser:
        start(stack, companies=COMPANIES, dag_ids=(CYCLE, UNDO, REFRESH, VERIFY))
        with page_of(browser, stack.url, stack.user, password=stack.password) as page:
            page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
            desk = Desk(page, made(stack))
            for name, place in TAKEN.items():
                place(desk).screenshot(path=folder / f"{name}.png", animations="disabled")


def made(stack: LocalStack) -> Runs:
    """Let the stack have its runs, and a verification that has found a fact different."""
    for dag_id in (CYCLE, VERIFY):
        stack.airflow.set_paused(dag_id, paused=False)
    stack.wait_for(lambda: stack.airflow.runs(CYCLE), "the first run")
    stack.airflow.wait(CYCLE, stack.airflow.runs(CYCLE)[-1]["dag_run_id"], seconds=RUN_SECONDS, check=stack.check)
    avoid_the_schedule(stack, seconds=ALL_SECONDS)
    good = run(stack)
    execute(stack, QUARANTINED)
    quarantined = run(stack)
    administer(stack._redshift, BROKEN)
    failed = run(stack)
    administer(stack._redshift, MENDED)
    run(stack)
    execute(stack, WRONG)
    wait(stack, VERIFY, stack.airflow.trigger(VERIFY))
    return Runs(good, quarantined, failed)


def run(stack: LocalStack) -> str:
    """Stage some changes, run the cycle over them, and return the run's id."""
    feed(stack.connect, changes=CHANGES)
    return wait(stack, CYCLE, stack.airflow.trigger(CYCLE))


def wait(stack: LocalStack, dag_id: str, run_id: str) -> str:
    """Wait until a run has ended, however it did, and return its id."""
    stack.airflow.wait(dag_id, run_id, seconds=RUN_SECONDS, check=stack.check)
    return run_id


def execute(stack: LocalStack, statement: str, *params: Any) -> None:
    """Run a statement in the warehouse, as somebody else would."""
    with closing(stack.connect()) as warehouse, warehouse.transaction():
        warehouse.execute(statement, params)

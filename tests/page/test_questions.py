"""The questions of docs/how-to/five_questions.md, each asked from Airflow's home page on, with its clicks counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from surgical_cdc.contract.project import load_project
from surgical_cdc.dag.handover import SUMMARY_KEY, SYNC
from surgical_cdc.dictionary import dictionary_path, load_dictionary
from surgical_cdc.page.app import HEAT_RUNS
from surgical_cdc.steps.cycle import run_cycle
from tests.conftest import ROOT, at
from tests.page.browser import page_of
from tests.page.week import week
from tests.page.world import END, VENDORS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FrameLocator, Locator, Page

    from surgical_cdc.contract.project import Project
    from tests.conftest import Site
    from tests.page.airflow_database import WrittenRun

UNDO_DAG = "vendor_cdc_undo"
EMAILS = ("ana@example.com", "ana.new@example.com")
QUESTIONS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "how-to" / "five_questions.md").read_text().splitlines()
    if re.match(r"\|.*\| \d+ \|", line)
]


@dataclass
class Person:
    """Someone in front of Airflow's home page, who clicks."""

    page: Page
    clicks: int = 0

    @property
    def frame(self) -> FrameLocator:
        """The page inside of Airflow."""
        return self.page.frame_locator("iframe")

    def click(self, *places: Locator) -> None:
        """Click here and there."""
        for place in places:
            place.click()
            self.clicks += 1

    def choose(self, place: Locator, value: str) -> None:
        """Choose from a list."""
        place.select_option(value)
        self.clicks += 1

    def type(self, place: Locator, value: str) -> None:
        """Click into a field and type."""
        self.click(place)
        place.fill(value)

    def open(self, view: str = "") -> None:
        """Go to the facts by Airflow's navigation, and from there to a view."""
        self.click(
            self.page.get_by_role("button", name="Browse"), self.page.get_by_role("menuitem", name="Facts", exact=True)
        )
        if view:
            self.click(self.frame.get_by_role("link", name=view, exact=True))


@pytest.fixture
def ask(chromium: Browser, server: str) -> Callable[..., Iterator[Person]]:
    """Give a person who asks one of the questions; it has to be answered by as many clicks as the page says."""

    @contextmanager
    def ask(question: str, user: str = "viewer") -> Iterator[Person]:
        (clicks,) = (int(row[2]) for row in QUESTIONS if question in row[0])
        with page_of(chromium, server, user) as page:
            page.goto("/")
            person = Person(page)
            yield person
        assert person.clicks == clicks

    return ask


@pytest.fixture(scope="module")
def runs() -> list[WrittenRun]:
    """The runs of the vendors' DAG that the page shows as a heat map, the oldest first."""
    return week(load_dictionary(dictionary_path(VENDORS)), END)[-HEAT_RUNS:]


@pytest.fixture
def vendors(site: Callable[[Project], Site]) -> Site:
    """The vendors' warehouse, without a row."""
    return site(load_project(VENDORS))


def test_there_are_five_questions() -> None:
    """Each is asked by a test, named by some of its words."""
    assert len(QUESTIONS) == 5
    text = (ROOT / "tests" / "page" / "test_questions.py").read_text()
    asked = re.findall(r'\bask\("([^"]+)"', text)
    assert [sum(words in row[0] for words in asked) for row in QUESTIONS] == [1] * 5


def test_when_a_value_changed(ask: Callable[..., Iterator[Person]], vendors: Site, runs: list[WrittenRun]) -> None:
    """The story of the row names time, run, column, the old value and the new one."""
    for number, email in enumerate(EMAILS):
        row = {"id": 4711, "name": "Ana", "email": email, "status": 1, "created_at": at(0), "updated_at": at(number)}
        vendors.stage("companies", row)
        run = vendors.run(at(number + 1), run_id=runs[number - 2].name, dag_id="vendor_cdc")
        run_cycle(vendors.project, vendors.connect, run)
    with ask("When did the email of vendor 4711 change") as person:
        person.open("Row")
        person.choose(person.frame.get_by_label("Table"), "companies")
        person.type(person.frame.get_by_label("id", exact=True), "4711")
        person.click(person.frame.get_by_role("button", name="Look up"))
        changed = person.frame.get_by_role("row").filter(has_text=EMAILS[0])
        for value in ("email", *EMAILS, f"vendor_cdc/{runs[-1].name}"):
            expect(changed).to_contain_text(value)


def test_undo_a_load(ask: Callable[..., Iterator[Person]], runs: list[WrittenRun]) -> None:
    """From the time of the run to a dry run of its undo, whose form has the run's key."""
    run = next(run for run in reversed(runs) if changed_sources(run))
    with ask("Undo the load", "admin") as person:
        person.open("Changes")
        person.click(person.frame.get_by_role("link", name=f"{run.due:%d %H:%M}", exact=True))
        person.click(person.frame.locator("details.undo summary"))
        key = person.frame.locator("details.undo code.copy")
        person.click(key)
        selected = key.evaluate("node => node.ownerDocument.getSelection().toString()")
        person.click(person.frame.get_by_role("link", name=UNDO_DAG, exact=True))
        page = person.page
        person.click(page.get_by_role("button", name="Trigger Dag"))
        form = page.get_by_role("dialog")
        person.type(form.locator("#element_run"), selected)
        person.click(form.locator("[data-part=control]").last)
        with page.expect_response(re.compile(r"/dagRuns$")) as answer:
            person.click(form.get_by_role("button", name="Trigger", exact=True))
        triggered = answer.value.json()
        assert triggered["conf"] == {"run": f"vendor_cdc/{run.name}", "partial": False, "dry_run": True}
        # Nothing runs it here, and it would be the last run of all other tests. Airflow's page of it asks for it.
        page.goto("about:blank")
        page.request.delete(f"/api/v2/dags/{UNDO_DAG}/dagRuns/{triggered['dag_run_id']}")


def test_how_fresh_a_fact_is(ask: Callable[..., Iterator[Person]]) -> None:
    """Its line says up to when."""
    with ask("How fresh is") as person:
        person.open()
        line = person.frame.get_by_role("row").filter(has_text="fact_vendor")
        expect(line.get_by_role("cell").nth(1)).to_contain_text(f"{END:%Y-%m-%d %H:%M}")


def test_which_columns_change_most(ask: Callable[..., Iterator[Person]], runs: list[WrittenRun]) -> None:
    """They are named with their facts and numbers, and the rows of the heat map are in that order."""
    cells: Counter[str] = Counter()
    for run in runs:
        for fact, done in summary_of(run).get("facts", {}).items():
            cells.update({f"{fact}.{column}": count for column, count in done.get("cells", {}).items()})
    (most, count), *_ = cells.most_common(1)
    with ask("Which columns change most") as person:
        person.open("Changes")
        expect(person.frame.locator(".lead")).to_contain_text(f"Most cells: {most} {count:,}, ")


def test_whether_runs_get_slower(ask: Callable[..., Iterator[Person]]) -> None:
    """The median of the last day stands beside that of the days before, and each run is a bar."""
    with ask("Is it getting slower") as person:
        person.open("Speed")
        said = re.compile(r"The median of the last day is \d.*, that of the days before \d")
        expect(person.frame.locator(".lead")).to_contain_text(said)
        expect(person.frame.locator(".plot.drawn .main-svg").first).to_be_visible()


def summary_of(run: WrittenRun) -> dict[str, dict[str, dict[str, int]]]:
    """Return what a run's sync has said, {} if it has not come to that."""
    return dict(run.handed_on.get(SYNC, {}).get(SUMMARY_KEY, {}))


def changed_sources(run: WrittenRun) -> bool:
    """Return whether a run can be undone."""
    return summary_of(run).get("result") == "success" and any(
        found.get("updates") for found in summary_of(run)["sources"].values()
    )

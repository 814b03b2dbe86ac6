"""The page in a real browser, before a running API server of Airflow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from local_stack.demonstration import Report
from surgical_cdc.dag import cdc_dag
from tests.conftest import ROOT
from tests.page.airflow_database import ended, remove_dag, write_dags, write_project, write_runs
from tests.page.auth import SHOPKEEPER
from tests.page.browser import Scheme, page_of
from tests.page.test_views import FACT, HOSTILE
from tests.page.world import END

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCREENSHOTS = ROOT / ".local" / "screenshots"
HEADINGS = {"facts": "Facts today", "run": "vendor_cdc", "changes": "vendor_cdc", "row": "vendor_cdc"}
HEADINGS |= {"speed": "vendor_cdc"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("view", HEADINGS)
def test_each_view_fits_and_is_drawn(chromium: Browser, server: str, view: str, width: int, scheme: Scheme) -> None:
    """Nothing goes wrong in it, it is no wider than the window, its plot is drawn, and the colours are the scheme's."""
    with page_of(chromium, server, "viewer", width=width, scheme=scheme) as page:
        page.goto(f"/surgical_cdc/{view}?dag_id=vendor_cdc", wait_until="networkidle")
        expect(page.get_by_role("heading", level=1)).to_have_text(HEADINGS[view])
        if view in {"run", "speed"}:
            expect(page.locator(".plot.drawn .main-svg").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        (red, *_) = re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert (int(red) < 128) == (scheme == "dark")
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{view}_{width}_{scheme}.png", full_page=True)


def test_airflow_leads_to_the_facts(chromium: Browser, server: str) -> None:
    """Airflow's navigation has them, and shows the page in a frame."""
    with page_of(chromium, server, "viewer") as page:
        page.goto("/")
        page.get_by_role("button", name="Browse").click()
        page.get_by_role("menuitem", name="Facts").click()
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("heading", name="Facts today")).to_be_visible()
        frame.get_by_role("link", name="Last run").click()
        expect(frame.locator(".lead")).to_contain_text("rows changed in")


def test_a_run_of_airflow_has_a_tab(chromium: Browser, server: str) -> None:
    """The tab of a run shows that run, of another DAG that there is nothing."""
    with page_of(chromium, server, "viewer") as page:
        for dag_id, said in (
            ("vendor_cdc", "has brought the facts up to date"),
            ("vendor_cdc_refresh", "keeps no facts up to date"),
        ):
            newest = page.request.get(f"/api/v2/dags/{dag_id}/dagRuns?order_by=-run_after&limit=1").json()
            page.goto(f"/dags/{dag_id}/runs/{newest['dag_runs'][0]['dag_run_id']}")
            page.get_by_role("link", name="Facts").click()
            expect(page.frame_locator("iframe").get_by_text(said)).to_be_visible()


def test_a_task_of_airflow_leads_to_its_run(chromium: Browser, server: str) -> None:
    """The link at a task opens the tab of its run."""
    with page_of(chromium, server, "viewer") as page:
        newest = page.request.get("/api/v2/dags/vendor_cdc/dagRuns?order_by=-run_after&limit=1").json()
        page.goto(f"/dags/vendor_cdc/runs/{newest['dag_runs'][0]['dag_run_id']}/tasks/sync_public/details")
        link = page.get_by_role("link", name="Facts of this run")
        expect(link).to_be_visible()
        page.goto(str(link.get_attribute("href")))
        expect(page.frame_locator("iframe").get_by_text("has brought the facts up to date")).to_be_visible()


def test_the_demo_leads_to_the_tab(chromium: Browser, server: str) -> None:
    """The address that `make demo` ends with is that of the run's tab."""
    with page_of(chromium, server, "viewer") as page:
        newest = page.request.get("/api/v2/dags/vendor_cdc/dagRuns?order_by=-run_after&limit=1").json()
        report = Report(newest["dag_runs"][0]["dag_run_id"], "success", 1.0, (), (), (), {}, None)
        page.goto(report.page)
        expect(page.frame_locator("iframe").locator(".lead")).to_contain_text("has brought the facts up to date")


def test_the_keyboard_is_enough(chromium: Browser, server: str) -> None:
    """Links, choices and wide tables are reached by Tab, and what is reached is marked."""
    with page_of(chromium, server, "viewer") as page:
        page.goto("/surgical_cdc/changes?dag_id=vendor_cdc")
        reached = []
        for _ in range(8):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.tagName + ' ' + document.activeElement.className"))
        assert reached[:5] == ["A "] * 5
        assert {"SELECT ", "DIV scroll"} <= set(reached)
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_choice_is_shown_at_once(chromium: Browser, server: str) -> None:
    """Choosing a fact shows it without a button; choosing another DAG forgets it."""
    with page_of(chromium, server, "viewer") as page:
        page.goto("/surgical_cdc/changes?dag_id=vendor_cdc")
        page.locator("select[name=fact]").select_option("fact_vendor")
        expect(page.locator("tr.fact")).to_have_count(1)
        page.get_by_label("DAG").select_option("shop_cdc")
        expect(page.get_by_text("It has not run yet.")).to_be_visible()
        assert "fact=" not in page.url


def test_hostile_values_do_nothing(chromium: Browser, server: str, tmp_path: Path) -> None:
    """A column whose name is a script is text."""
    write_dags(cdc_dag("hostile_in_a_browser", project=write_project(tmp_path / "sql", {FACT: ["orders"]})))
    done = {"sources": {"orders": {"updates": 1}}, "facts": {FACT: {"updated": 1, "cells": {HOSTILE: 1}}}}
    write_runs("hostile_in_a_browser", [ended(END, {**done, "reason": HOSTILE})])
    with page_of(chromium, server, "viewer") as page:
        for view in HEADINGS:
            page.goto(f"/surgical_cdc/{view}?dag_id=hostile_in_a_browser", wait_until="networkidle")
            assert page.locator("img").count() == 0
        page.goto("/surgical_cdc/run?dag_id=hostile_in_a_browser")
        expect(page.locator(".lead")).to_contain_text(HOSTILE)
    remove_dag("hostile_in_a_browser")


@pytest.mark.parametrize(("user", "status"), [("", 401), ("stranger", 403), (SHOPKEEPER, 403), ("viewer", 200)])
def test_roles(chromium: Browser, server: str, user: str, status: int) -> None:
    """Who may not see a DAG gets the status that Airflow gives for it."""
    with page_of(chromium, server, user) as page:
        answer = page.request.get("/surgical_cdc/run?dag_id=vendor_cdc")
        assert answer.status == status

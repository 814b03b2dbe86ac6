"""What each view shows to whom, as Airflow's API server answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from airflow.sdk import DAG

from surgical_cdc.dag import cdc_dag
from surgical_cdc.page.app import app
from tests.page.airflow_database import WrittenRun, ended, remove_dag, write_dags, write_project, write_runs
from tests.page.auth import SHOPKEEPER
from tests.page.conftest import Client
from tests.page.world import END

PLACES = ("facts", "run", "changes", "speed", "row")
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>'\"{{ 7 * 7 }}"
# Airflow lets no task be named so; a column and an error can be.
FACT = "fact.it"


class Reader(HTMLParser):
    """Collects the texts between the tags."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.parts.append(data)


def text(answer: Any) -> str:
    """Return what a person reads of a page, each run of spaces as one."""
    reader = Reader()
    reader.feed(answer.text)
    return " ".join(" ".join(reader.parts).split())


def figure(answer: Any) -> Any:
    """Return what Plotly is given to draw."""
    found = re.search(r'<script type="application/json" id="figure">(.*?)</script>', answer.text, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_facts_come_with_what_needs_a_look_first(as_user: Callable[[str], Client]) -> None:
    """The fact that a verification found different stands before the others, with what was said of it."""
    shown = text(as_user("viewer").get("facts"))
    assert "1 failed" in shown
    assert "5 ok" in shown
    rows = re.findall(r"(failed|stale|never|ok) (fact_\w+)", shown)
    assert rows[0] == ("failed", "fact_company_profile")
    assert "fact_company_profile: DIFFERS, 120 rows where its SELECT gives 121" in shown
    assert f"{END:%Y-%m-%d %H:%M}" in shown


def test_the_last_run_is_told_in_sentences_and_as_a_flow(as_user: Callable[[str], Client]) -> None:
    """Sentences, a flow whose right side has the rows that were written, and tables."""
    answer = as_user("viewer").get("run", dag_id="vendor_cdc")
    shown = text(answer)
    assert f"The scheduled run to {END:%Y-%m-%d %H:%M} UTC has brought the facts up to date" in shown
    (rows,) = re.findall(r"([\d,]+) rows written in", shown)
    bands = figure(answer)["data"][0]["link"]["value"]
    assert round(sum(bands)) == int(rows.replace(",", ""))


def test_a_run_can_be_chosen(as_user: Callable[[str], Client]) -> None:
    """A run that was synced in part says what kept it back."""
    client = as_user("viewer")
    (run_id,) = re.findall(r'run_id=([^"]+)" title="[^"]+: in part"', client.get("changes", dag_id="vendor_cdc").text)
    shown = text(client.get(f"run?dag_id=vendor_cdc&run_id={run_id}"))
    assert "has brought a part of the facts up to date" in shown
    assert "update.fact_vendor A row key is NULL in 2 rows" in shown


def test_an_unknown_run_is_not_found(as_user: Callable[[str], Client]) -> None:
    """A run that the DAG does not have is a page that there is not."""
    assert as_user("viewer").get("run", dag_id="vendor_cdc", run_id="none").status_code == 404


def test_changes_have_a_row_for_each_fact_and_column(as_user: Callable[[str], Client]) -> None:
    """The heat map has the facts and their changed columns; a chosen fact stands alone."""
    client = as_user("viewer")
    every, one = (client.get("changes", dag_id="vendor_cdc", fact=fact) for fact in ("", "fact_vendor"))
    assert every.text.count('<tr class="fact">') == 6
    assert one.text.count('<tr class="fact">') == 1
    assert "✕" in one.text


def test_speed_has_a_bar_for_each_run_and_the_median(as_user: Callable[[str], Client]) -> None:
    """Phases are stacked; the median is that of the whole."""
    answer = as_user("viewer").get("speed", dag_id="vendor_cdc")
    *phases, median, _rows = figure(answer)["data"]
    (count,) = re.findall(r"In the last week (\d+) runs took a median of", text(answer))
    assert [phase["name"] for phase in phases] == ["detect", "update", "sync"]
    assert {len(phase["x"]) for phase in phases} == {int(count)}
    totals = sorted(sum(parts) for parts in zip(*(phase["y"] for phase in phases), strict=True))
    assert median["y"][0] == pytest.approx((totals[len(totals) // 2] + totals[(len(totals) - 1) // 2]) / 2, abs=0.01)


@pytest.mark.parametrize("place", PLACES)
def test_without_runs_each_view_says_so(as_user: Callable[[str], Client], place: str) -> None:
    """A DAG that has never run is no error."""
    answer = as_user("viewer").get(place, dag_id="shop_cdc")
    assert answer.status_code == 200
    expected = {"facts": "never", "speed": "No run of the last week", "row": "Choose a table."}
    assert expected.get(place, "It has not run yet.") in text(answer)


@pytest.mark.parametrize("place", PLACES[1:])
def test_other_dags_have_nothing_to_say(as_user: Callable[[str], Client], place: str) -> None:
    """The tab stands on the runs of all DAGs; on those of others it says that there is nothing."""
    answer = as_user("viewer").get(place, dag_id="somebody_elses", run_id="manual")
    assert answer.status_code == 200
    assert "somebody_elses keeps no facts up to date" in text(answer)


@pytest.mark.parametrize("place", [*PLACES, "static/page.css", "static/plotly.js"])
def test_nobody_sees_anything_without_a_login(as_user: Callable[[str], Client], place: str) -> None:
    """Each route asks who is there."""
    assert as_user("").get(place).status_code == 401
    broken = as_user("")
    broken.http.cookies["_token"] = "no token"
    assert broken.get(place).status_code == 403


@pytest.mark.parametrize("user", ["stranger", SHOPKEEPER])
def test_a_dag_that_may_not_be_read_is_not_shown(as_user: Callable[[str], Client], user: str) -> None:
    """Who may not read a DAG's XComs gets 403 for its views, and none of its facts elsewhere."""
    client = as_user(user)
    assert [client.get(place, dag_id="vendor_cdc").status_code for place in PLACES[1:]] == [403] * 4
    asked = {"dag_id": "vendor_cdc", "table": "companies", "key": "1", "look_up": "1"}
    assert client.get("row", **asked).status_code == 403
    shown = text(client.get("facts"))
    assert "fact_vendor" not in shown
    assert ("fact_line" in shown) == (user == SHOPKEEPER)
    assert "vendor" not in "".join(client.get(place).text for place in PLACES)


def test_nothing_can_be_changed(as_user: Callable[[str], Client]) -> None:
    """All routes answer GET alone."""
    methods = {method for route in app.routes for method in getattr(route, "methods", ())}
    assert methods == {"GET"}
    client = as_user("admin")
    assert {client.http.post(f"/surgical_cdc/{place}").status_code for place in PLACES} == {405}


@pytest.fixture
def hostile_dag(tmp_path: Path) -> DAG:
    """A DAG whose only run has said hostile things."""
    dag = cdc_dag("hostile_cdc", project=write_project(tmp_path / "sql", {FACT: ["orders"]}))
    write_dags(dag)
    (tmp_path / "sql" / "cdc" / "contract.yaml").write_text("project: hostile\n")
    summary = {
        "result": "in part",
        "reason": HOSTILE,
        "sources": {"orders": {"updates": 3, "rows_compared": 3, "quarantined": 1, "changed_columns": {HOSTILE: 3}}},
        "facts": {FACT: {"updated": 2, "cells": {HOSTILE: 2}}, "fact.idle": {"reason": HOSTILE}},
        "seconds": {"update": 1.5},
    }
    write_runs("hostile_cdc", [ended(END, summary, run_id="manual__1")])
    return dag


def test_hostile_values_stay_text(as_user: Callable[[str], Client], hostile_dag: DAG) -> None:
    """What looks like HTML in names and reasons is shown as it is, and ends no script."""
    client = as_user("viewer")
    for place in PLACES:
        answer = client.get(place, dag_id=hostile_dag.dag_id)
        assert answer.status_code == 200
        assert "<img" not in answer.text
        assert "alert(1)</script>" not in answer.text
    assert HOSTILE in text(client.get("run", dag_id=hostile_dag.dag_id))
    remove_dag(hostile_dag.dag_id)


def test_a_page_runs_no_script_of_others(as_user: Callable[[str], Client]) -> None:
    """The policy admits our own files alone, in a frame of Airflow's alone; there is no inline script."""
    answer = as_user("viewer").get("run", dag_id="vendor_cdc")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'self'" in policy
    assert re.findall(r"<script(?! type=\"application/json\")(?! src=)", answer.text) == []
    assert re.findall(r" on\w+=", answer.text) == []


@pytest.mark.parametrize("name", ["page.css", "page.js", "plotly.js"])
def test_files_are_kept_by_the_browser(as_user: Callable[[str], Client], name: str) -> None:
    """A file's address changes with it, so that it need not be asked for again."""
    answer = as_user("viewer").get(f"static/{name}")
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert as_user("viewer").get("static/..%2Fapp.py").status_code == 404


def test_airflow_shows_the_page_in_its_navigation_and_on_runs(as_user: Callable[[str], Client]) -> None:
    """Airflow knows both places, and has loaded the plugin without an error."""
    client = as_user("admin")
    plugins = {plugin["name"]: plugin for plugin in client.get("/api/v2/plugins").json()["plugins"]}
    views = plugins["surgical_cdc"]["external_views"]
    assert {view["destination"] for view in views} == {"nav", "dag_run"}
    assert client.get("/api/v2/plugins/importErrors").json()["import_errors"] == []


@pytest.mark.parametrize(
    ("dag_id", "task_id", "leads"),
    [
        pytest.param("vendor_cdc", "prepare", True, id="sensor"),
        pytest.param("vendor_cdc", "update.fact_vendor", True, id="fact"),
        pytest.param("vendor_cdc_refresh", "verify.fact_vendor", False, id="no run of the page"),
    ],
)
def test_a_task_leads_to_its_run(as_user: Callable[[str], Client], dag_id: str, task_id: str, *, leads: bool) -> None:
    """Airflow shows a link to the run's tab at the tasks of a cycle; none of them has left it."""
    client = as_user("viewer")
    found = client.get(f"/api/v2/dags/{dag_id}/dagRuns/~/taskInstances", limit="1", task_id=task_id).json()
    run_id = found["task_instances"][0]["dag_run_id"]
    address = f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances/{task_id}/links"
    links = client.get(address).json()["extra_links"]
    expected = f"/dags/{dag_id}/runs/{quote(run_id, safe='')}/plugin/surgical_cdc_run"
    assert links == ({"Facts of this run": expected} if leads else {})


def test_a_summary_that_is_none_is_passed_over(as_user: Callable[[str], Client], tmp_path: Path) -> None:
    """An XCom backend may have put a reference in its place, and a killed run has none."""
    write_dags(cdc_dag("odd_cdc", project=write_project(tmp_path / "sql", {"fact": ["orders"]})))
    reference = WrittenRun(
        END, run_type="manual", run_id="manual__1", handed_on={"sync_public": {"summary": "s3://elsewhere/1"}}
    )
    write_runs("odd_cdc", [reference, WrittenRun(END, state="failed", run_type="manual")])
    client = as_user("viewer")
    assert "has left no summary" in text(client.get("run", dag_id="odd_cdc", run_id="manual__1"))
    assert "has ended as failed" in text(client.get("run", dag_id="odd_cdc"))
    remove_dag("odd_cdc")

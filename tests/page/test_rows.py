"""What is shown of a row, and that nothing but the button asks the warehouse."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.control.history import story
from surgical_cdc.dag import cdc_dag
from surgical_cdc.page import rows
from tests.conftest import SHOP
from tests.page.airflow_database import remove_dag, write_dags
from tests.page.browser import page_of
from tests.page.conftest import Client
from tests.page.test_browser import SCREENSHOTS
from tests.page.test_views import HOSTILE, text
from tests.page.world import SHOP_ROWS, UNDO, change_and_undo, write_shop_dags

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from local_redshift import LocalRedshift
    from tests.conftest import Site

NOTE = f"by hand {HOSTILE}"


@pytest.fixture
def dag_id(database: None) -> Iterator[str]:
    """The bookshop's DAG with the one that undoes its runs."""
    write_shop_dags()
    yield SHOP_ROWS
    remove_dag(SHOP_ROWS)
    remove_dag(UNDO)


@pytest.fixture
def changed(shop: Site, dag_id: str) -> Site:
    """The bookshop after three runs: its first, one that has changed two columns of an order, and the undo of that."""
    change_and_undo(shop, dag_id, NOTE)
    return shop


@pytest.fixture
def no_warehouse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks the warehouse fails."""

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("the warehouse was asked")

    monkeypatch.setattr(rows, "connect", fail)


def ask(client: Client, dag_id: str, table: str, *key: str, **more: str) -> Any:
    """Press the button."""
    values = {"dag_id": dag_id, "table": table, "key": list(key), "look_up": "1", **more}
    return client.http.get("/surgical_cdc/row", params=values)


def test_a_row_has_the_story_that_the_command_tells(
    as_user: Callable[[str], Client], changed: Site, dag_id: str
) -> None:
    """Each change has its time, run, column and values, and says what took it back, or how to."""
    answer = ask(as_user("viewer"), dag_id, "orders", "2")
    shown = text(answer)
    for event in story(changed.project, "orders", ["2"], changed.warehouse):
        assert " ".join(str(part) for part in (event.column, event.old, event.new) if part) in shown
        assert event.run in shown
    assert "orders 2 was changed by 3 runs" in shown
    assert f"{UNDO}/undo has taken back {dag_id}/second" in shown
    assert f"{dag_id}/second undone by {UNDO}/undo" in shown
    # What is undone is not offered to be undone again; the undo itself is.
    assert re.findall(r'<code class="copy">(.*?)</code>', answer.text) == [f"{UNDO}/undo", f"{dag_id}/first"]
    assert f'href="/dags/{UNDO}" target="_top"' in answer.text
    assert "<img" not in answer.text
    assert HOSTILE in shown
    hostile = ask(as_user("viewer"), dag_id, "orders", HOSTILE)
    assert f"Nothing is kept of orders {HOSTILE}" in text(hostile)
    assert "<img" not in hostile.text


def test_without_a_key_rows_are_named_that_a_run_has_changed(
    as_user: Callable[[str], Client], changed: Site, dag_id: str
) -> None:
    """Each is a button that asks for its story; a run that has changed none says so."""
    client = as_user("viewer")
    answer = ask(client, dag_id, "orders", "", run=f"{dag_id}/second")
    assert re.findall(r'name="key" value="(\d+)"', answer.text) == ["2"]
    assert "status, note" in text(answer)
    assert len(re.findall(r'name="key" value="(\d+)"', ask(client, dag_id, "orders").text)) == 6
    assert "no row of orders that is kept" in text(ask(client, dag_id, "orders", run=f"{dag_id}/third"))


@pytest.mark.usefixtures("no_warehouse")
@pytest.mark.parametrize(
    "query",
    [
        pytest.param({}, id="nothing is chosen"),
        pytest.param({"table": "orders"}, id="a table"),
        pytest.param({"table": "orders", "key": "2", "run": "shop_rows/1"}, id="a row"),
        pytest.param({"look_up": "1"}, id="no table"),
    ],
)
def test_only_the_button_asks_the_warehouse(
    as_user: Callable[[str], Client], dag_id: str, query: dict[str, str]
) -> None:
    """A link, or a choice of the form, shows the form alone."""
    answer = as_user("viewer").get("row", dag_id=dag_id, **query)
    assert "Only the button asks the warehouse." in text(answer)
    assert ('value="2"' in answer.text) == ("key" in query)


@pytest.mark.usefixtures("no_warehouse")
def test_a_fact_without_history_leads_to_what_it_reads(as_user: Callable[[str], Client]) -> None:
    """A cell of the heat map leads there whatever fact it is of."""
    answer = as_user("viewer").get("row", dag_id="vendor_cdc", table="fact_vendor", run="vendor_cdc/1")
    assert "fact_vendor has no history." in text(answer)
    assert "/row?dag_id=vendor_cdc&amp;table=companies&amp;run=vendor_cdc%2F1" in answer.text


@pytest.mark.parametrize(
    ("table", "key", "said"),
    [
        pytest.param("fact_vendor", ["1"], "fact_vendor has no history. Set `history: true`", id="no history"),
        pytest.param("company", ["1"], "There is no source or fact 'company' (companies?)", id="no such table"),
        pytest.param("companies", ["1", "2"], "expected 1 values, found 2", id="another key"),
        pytest.param("companies", ["1"], 'relation "cdc.history__companies" does not exist', id="no run yet"),
    ],
)
def test_what_can_not_be_looked_up_is_a_sentence(
    as_user: Callable[[str], Client], redshift: LocalRedshift, table: str, key: list[str], said: str
) -> None:
    """Whatever the address asks for."""
    answer = ask(as_user("viewer"), "vendor_cdc", table, *key)
    assert answer.status_code == 200
    assert said in text(answer)
    assert "Traceback" not in answer.text


def test_a_warehouse_that_is_away_is_a_sentence_without_its_password(
    as_user: Callable[[str], Client], dag_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says which connection, and what to do."""
    away = {"conn_type": "redshift", "host": "127.0.0.1", "port": 9, "schema": "dev", "login": "etl"}
    monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_DEFAULT", json.dumps({**away, "password": "Very-secret-1"}))
    answer = ask(as_user("viewer"), dag_id, "orders", "2")
    assert answer.status_code == 200
    assert "The warehouse can not be reached" in text(answer)
    assert "its port is closed" in text(answer)
    assert "Very-secret" not in answer.text
    assert "Traceback" not in answer.text


def test_a_project_that_the_server_does_not_have_is_a_sentence(
    as_user: Callable[[str], Client], tmp_path: Path
) -> None:
    """DAG files may lie elsewhere than the API server."""
    shutil.copytree(SHOP, tmp_path / "sql")
    write_dags(cdc_dag("away_cdc", project=tmp_path / "sql"))
    shutil.rmtree(tmp_path / "sql")
    client = as_user("viewer")
    for answer in (client.get("row", dag_id="away_cdc"), ask(client, "away_cdc", "orders", "2")):
        assert "The API server does not find" in text(answer)
    remove_dag("away_cdc")


def test_the_heat_map_leads_to_the_rows_of_a_run(as_user: Callable[[str], Client]) -> None:
    """A cell that has changes names its fact and its run, an empty one leads nowhere."""
    page = as_user("viewer").get("changes", dag_id="vendor_cdc", fact="fact_vendor").text
    cells = re.findall(r'<td class="h(\d)"[^>]*>(.*?)</td>', page)
    assert all(
        ("/row?dag_id=vendor_cdc&amp;table=fact_vendor&amp;run=" in shown) == (level != "0") for level, shown in cells
    )
    assert {level == "0" for level, _ in cells} == {True, False}


def test_a_person_finds_out_what_happened_to_an_order(
    chromium: Browser, server: str, changed: Site, dag_id: str
) -> None:
    """In Airflow's frame: from a table to a row, its story, and the DAG that takes a run back."""
    from playwright.sync_api import expect

    with page_of(chromium, server, "viewer") as page:
        page.goto(f"/plugin/surgical_cdc_facts/surgical_cdc/row?dag_id={dag_id}")
        frame = page.frame_locator("iframe")
        frame.get_by_label("Table").select_option("orders")
        expect(frame.get_by_label("order_id")).to_be_visible()
        frame.get_by_role("button", name="Look up").click()
        frame.get_by_role("button", name="2", exact=True).first.click()
        expect(frame.get_by_role("cell", name="sent", exact=True).first).to_be_visible()
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / "story.png")
        frame.locator("details.undo summary").first.click()
        expect(frame.locator("code.copy").first).to_have_text(f"{UNDO}/undo")
        frame.get_by_role("link", name=UNDO, exact=True).last.click()
        page.wait_for_url(f"**/dags/{UNDO}")

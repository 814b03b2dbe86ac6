"""What an operator does is told on a page each, and done by a test in a running Airflow."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT
from tests.page.how_to_pictures import TAKEN

HOW_TO = ROOT / "docs" / "how-to"
# Page -> the test that does it, and a word of the page that the test sends to Airflow or reads from it.
DONE = {
    "backfill": ("dag/test_vendor_cdc.py", "test_a_backfill_beside_a_run_waits_for_the_lease", "backfill"),
    "five_questions": ("page/test_questions.py", "test_undo_a_load", "Trigger"),
    "dry_run": (
        "dag/test_vendor_cdc.py",
        "test_a_dry_run_announces_what_then_happens_and_writes_nothing",
        "sync_public",
    ),
    "quarantine": ("dag/test_failures.py", "test_rows_in_quarantine_alert_without_failing_the_run", "cdc.quarantine__"),
    "recover": ("dag/test_failures.py", "test_a_run_that_is_synced_in_part_goes_on_from_its_beginning", "prepare"),
    "refresh": ("dag/test_failures.py", "test_a_wrong_fact_is_found_and_mended", "_refresh"),
    "rerun_fact": ("dag/test_failures.py", "test_the_sync_refuses_what_was_detected_after_the_update", "update."),
    "run_now": ("dag/test_vendor_cdc.py", "test_a_run_brings_the_changes_of_its_window_into_the_facts", "staged"),
    "undo": ("dag/test_vendor_cdc.py", "test_the_undo_dag_takes_a_run_back", "vendor_cdc_undo"),
    "verify": ("dag/test_failures.py", "test_a_wrong_fact_is_found_and_mended", "_verify"),
    "window": ("dag/test_failures.py", "test_rows_in_quarantine_alert_without_failing_the_run", "start"),
}
MOST_BYTES = 150_000
# What is no run: pages of whoever sets it up.
OTHERS = {"change_the_project", "deploy", "tune", "upgrade"}


def test_no_page_is_left_out() -> None:
    """Each page is done by a test, or is about no run; each is linked from the first page."""
    pages = {page.stem for page in HOW_TO.glob("*.md")}
    assert pages == DONE.keys() | OTHERS
    first = (ROOT / "docs" / "README.md").read_text()
    assert {page for page in pages if f"(how-to/{page}.md)" in first} == pages


def test_a_page_shows_what_to_do() -> None:
    """Each has a picture of its own, which `python -m tests.page.pictures` takes, and which loads at once."""
    assert DONE.keys() - TAKEN.keys() == {"five_questions"}
    folder = ROOT / "docs" / "pictures" / "how_to"
    assert {file.stem for file in folder.iterdir()} == TAKEN.keys()
    assert [
        page for page in TAKEN if f"](../pictures/how_to/{page}.png)" not in (HOW_TO / f"{page}.md").read_text()
    ] == []
    assert [file.name for file in folder.iterdir() if file.stat().st_size > MOST_BYTES] == []


@pytest.mark.parametrize("page", DONE)
def test_a_page_is_done_by_a_test(page: str) -> None:
    """The test is there, and has to do with what the page names."""
    file, name, word = DONE[page]
    _, found, rest = (ROOT / "tests" / file).read_text().partition(f"\ndef {name}(")
    assert found
    test = rest.partition("\ndef ")[0]
    text = (HOW_TO / f"{page}.md").read_text()
    assert word in text
    assert word in test

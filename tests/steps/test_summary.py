"""What a run says that it did: to a person, to the task that reads it, and in the ledger."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from surgical_cdc.control.ledger import recorded
from surgical_cdc.steps.refresh import refresh
from surgical_cdc.steps.summary import told, wall_seconds
from surgical_cdc.steps.verify import verify
from surgical_cdc.values import FactResult, RunSummary
from tests.conftest import at
from tests.support.bookshop import ORDER, PRODUCT, run

if TYPE_CHECKING:
    from tests.conftest import Site

ASHA = {"customer_id": 7, "name": "Asha", "country": "IN", "closed": False, "joined_at": at(-90)}


def summary_of(site: Site, end: float) -> RunSummary:
    """Run a cycle and return its summary."""
    summary = run(site, end).summary
    assert summary
    return summary


def test_a_run_is_told_in_rows_and_cells(open_site: Site) -> None:
    """Changed rows with their columns, what was left as it is, and what was left out of it."""
    open_site.stage("customers", {**ASHA, "name": "Asha R", "changed_at": at(10)})
    open_site.stage("orders", {**ORDER, "order_id": 9, "customer_id": 8, "status": "paid", "changed_at": at(10)})
    open_site.stage(
        "products", {**PRODUCT, "product_id": None}, {**PRODUCT, "price": Decimal(31), "changed_at": at(90)}
    )
    found = summary_of(open_site, 30)
    assert told(found.model_copy(update={"seconds": {"detect": 1.26, "sync": 0.04}})).splitlines() == [
        f"test/until 30: success; staged before {at(30)} UTC; detect 1.3 s, sync 0.0 s.",
        "Sources: 2 without a change.",
        "  customers: 1 updated, 1 cells (name 1)",
        "  orders: 1 inserted",
        "Facts: 1 left as they are.",
        "  fact_order: 1 inserted, 2 updated, 2 cells (customer_name 2)",
        "Left out of it:",
        "  products: 1 quarantined, 1 waiting",
    ]


def test_seconds_are_those_of_the_wall(open_site: Site) -> None:
    """Tasks that run side by side take as long as from the first one's beginning to the last one's end."""
    first = FactResult(fact="a", started_at=at(0), seconds=20)
    inside = FactResult(fact="b", started_at=at(0) + timedelta(seconds=5), seconds=10)
    last = FactResult(fact="c", started_at=at(0) + timedelta(seconds=18), seconds=4)
    assert wall_seconds([last, inside, first, FactResult(fact="d", reason="nothing to do")]) == 22
    assert wall_seconds([]) == 0
    open_site.stage("products", {**PRODUCT, "price": Decimal(31), "changed_at": at(10)})
    assert summary_of(open_site, 30).seconds.keys() == {"detect", "update", "sync"}
    assert open_site.rows("SELECT COUNT(*) FROM cdc.runs WHERE seconds_update > 0") == [(2,)]


def test_a_summary_travels_without_what_is_empty(open_site: Site) -> None:
    """What has nothing in it is left out, so that hundreds of sources stay small; it is read back as it was."""
    open_site.stage("customers", {**ASHA, "name": "Asha R", "changed_at": at(10)})
    found = summary_of(open_site, 30)
    handed_on = found.to_dict()
    assert handed_on["sources"]["products"].keys() <= {"seconds", "synced", "rows_compared", "cells_compared"}
    assert handed_on["facts"]["fact_order"]["cells"] == {"customer_name": 2}
    assert RunSummary.from_dict(handed_on) == found


def test_what_a_sync_has_said_is_in_the_ledger(open_site: Site) -> None:
    """A sync that is asked again says the same, and of a run that was swept, or never synced, nothing."""
    open_site.stage("customers", {**ASHA, "name": "Asha R", "country": "FR", "changed_at": at(10)})
    open_site.stage("products", {**PRODUCT, "product_id": None}, {**PRODUCT, "changed_at": at(90)})
    found = summary_of(open_site, 30)
    again = recorded(open_site.project, open_site.warehouse, open_site.run(at(30), run_id="until 30"))
    assert again
    assert again.model_copy(update={"seconds": {}}) == found.model_copy(update={"seconds": {}})
    assert again.seconds == pytest.approx(found.seconds)
    assert recorded(open_site.project, open_site.warehouse, open_site.run(at(30), run_id="unknown")) is None


def test_cells_are_in_the_ledger_by_column(open_site: Site) -> None:
    """Which columns change most is one query."""
    open_site.stage("customers", {**ASHA, "name": "Asha R", "country": "FR", "changed_at": at(10)})
    found = summary_of(open_site, 30)
    stored = open_site.table("cdc.run_columns", "run_key", "token", "fact_name", "column_name", "cells")
    assert {(line[2], *line[3:]) for line in stored} == {
        (name, column, cells) for name, done in found.facts.items() for column, cells in done.cells.items()
    }
    assert {line[:2] for line in stored} == {(found.key, found.token)}


def test_dry_runs_refreshes_and_verifications_have_lines(open_site: Site) -> None:
    """Whatever ran is in the ledger; one that found a difference has failed, and says by how much."""
    run(open_site, 30, run_id="dry", dry_run=True)
    verify(open_site.project, "fact_order", open_site.warehouse)
    open_site.execute("DELETE FROM shop_public.fact_order WHERE order_id = 1")
    verify(open_site.project, "fact_order", open_site.warehouse)
    refresh(open_site.project, "fact_order", open_site.warehouse)
    lines = open_site.rows("SELECT kind, result, reason FROM cdc.runs")
    assert Counter(line[:2] for line in lines) == {
        ("run", "success"): 1,
        ("run", "dry run"): 1,
        ("verification", "success"): 1,
        ("verification", "failed"): 1,
        ("refresh", "success"): 1,
    }
    (reason,) = [reason for _, result, reason in lines if result == "failed"]
    assert "1 of these are missing" in reason
    key = "SELECT run_key FROM cdc.runs WHERE kind = 'refresh'"
    assert open_site.rows(f"SELECT fact_name, built FROM cdc.run_facts WHERE run_key = ({key})") == [  # noqa: S608
        ("fact_order", True)
    ]

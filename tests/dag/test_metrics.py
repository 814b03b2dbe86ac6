from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.dag import metrics
from surgical_cdc.dag.metrics import TAGS
from surgical_cdc.values import RunSummary
from tests.conftest import at
from tests.support.bookshop import ORDER, open_shop

if TYPE_CHECKING:
    from tests.conftest import Site
    from tests.dag.collectors import Collector
    from tests.dag.conftest import DagUnderTest

CONN_ID, FACTS = "redshift_default", ("fact_line", "fact_order")
CHANGES = ("inserted", "updated", "deleted")
# A task that sends the figures of a run as Airflow's runner of tasks lets it.
SEND = """
from airflow.sdk.configuration import conf
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics.stats_utils import get_stats_factory
from surgical_cdc.dag import metrics
from surgical_cdc.values import RunSummary
stats.initialize(factory=get_stats_factory(), export_legacy_names=True)
metrics.send_run(RunSummary(dag_id="cdc", run_id="1", result="success"))
print("goes on", metrics.are_on())
"""


def until(minutes: float) -> dict[str, Any]:
    """Return what the trigger form says for a window that ends some minutes after noon."""
    return {"window_end": at(minutes).isoformat() + "Z"}


def test_a_run_sends_what_it_did(shop: Site, shop_cdc: DagUnderTest, collector: Collector) -> None:
    """Its figures are those of its summary, the ages those of the windows; each has the tags that it is listed with."""
    collector.gauges.clear()
    open_shop(shop)
    assert shop_cdc.run(until(0))[1] == "success"
    paid = {**ORDER, "status": "paid"}
    repriced = ({**paid, "order_id": key, "total": 12, "changed_at": at(5)} for key in (1, 2))
    shop.stage("orders", *repriced, {**paid, "order_id": None})
    shop.execute("UPDATE cdc.definitions SET verified_to = DATEADD(day, -8, verified_to)")
    run_id, state = shop_cdc.run(until(10))
    assert state == "success"
    verified = {fact: collector.value(metrics.FACT_EQUAL, conn_id=CONN_ID, fact=fact, keys="share") for fact in FACTS}
    assert list(verified.values()).count(1.0) == 1
    summary = RunSummary.from_dict(shop_cdc.value(run_id, "sync_public", "summary"))
    assert summary.sources["orders"].quarantined == 1
    collector.wait_for(metrics.SOURCE_QUARANTINED, lambda rows: rows == 1, dag_id="shop_cdc", source="orders")
    assert collector.value(metrics.RUN_FAILED, dag_id="shop_cdc") == 0
    for phase, seconds in summary.seconds.items():
        assert collector.value(metrics.RUN_SECONDS, dag_id="shop_cdc", phase=phase) == seconds > 0
    for source, found in summary.sources.items():
        sent = [
            collector.value(metrics.SOURCE_ROWS, dag_id="shop_cdc", source=source, change=change) for change in CHANGES
        ]
        assert sent == [found.inserts, found.updates, found.deletes]
    assert summary.facts["fact_order"].cells
    end = at(10).replace(tzinfo=UTC).timestamp()
    for fact, done in summary.facts.items():
        assert collector.value(metrics.FACT_CELLS, dag_id="shop_cdc", fact=fact) == sum(done.cells.values())
        for change in CHANGES:
            sent = collector.value(metrics.FACT_ROWS, dag_id="shop_cdc", fact=fact, change=change)
            assert sent == getattr(done, change)
        collector.wait_for(metrics.FACT_FRESH_TO, end.__eq__, conn_id=CONN_ID, fact=fact)
        lag = collector.value(metrics.FACT_LAG, conn_id=CONN_ID, fact=fact)
        assert lag is not None
        assert 0 <= time.time() - end - lag < 60
    assert {(name, frozenset(dict(tags))) for name, tags in collector.gauges} == {
        (name, frozenset(tags)) for name, tags in TAGS.items()
    }


def test_a_run_without_news_sends_that(
    vendor_cdc: DagUnderTest, stage: Callable[..., Any], collector: Collector
) -> None:
    """It ends with its first task; the rows of the run before are not those of the last one any more."""
    stage("edit_company", changes=3)
    vendor_cdc.run()
    of_companies = {"dag_id": "vendor_cdc", "source": "companies", "change": "updated"}
    assert collector.value(metrics.SOURCE_ROWS, **of_companies)
    seconds = collector.value(metrics.RUN_SECONDS, dag_id="vendor_cdc", phase="detect")
    run_id, _ = vendor_cdc.run()
    assert vendor_cdc.value(run_id, "prepare")["ended"]
    assert collector.value(metrics.SOURCE_ROWS, **of_companies) == 0
    assert collector.value(metrics.FACT_ROWS, dag_id="vendor_cdc", fact="fact_vendor", change="updated") == 0
    assert collector.value(metrics.RUN_SECONDS, dag_id="vendor_cdc", phase="detect") == seconds
    end = datetime.fromisoformat(vendor_cdc.value(run_id, "prepare", "summary")["window_end"]).replace(tzinfo=UTC)
    assert collector.value(metrics.FACT_FRESH_TO, conn_id=CONN_ID, fact="fact_vendor") == end.timestamp()


def test_what_has_failed_is_seen(shop: Site, shop_cdc: DagUnderTest, collector: Collector) -> None:
    """A run that has failed, a fact that does not get younger by it, and one that somebody has changed by hand."""
    open_shop(shop)
    shop_cdc.run(until(0))
    shop.execute("UPDATE shop_public.fact_order SET customer_name = 'x' WHERE order_id = 2")
    verify = type(shop_cdc)(shop_cdc.stack, "shop_verify")
    assert verify.run()[1] == "failed"
    for fact, equal in (("fact_order", 0.0), ("fact_line", 1.0)):
        collector.wait_for(metrics.FACT_EQUAL, equal.__eq__, conn_id=CONN_ID, fact=fact, keys="all")
    shop.stage("orders", {**ORDER, "status": "sent", "changed_at": at(5)})
    shop.execute("ALTER TABLE shop_staging.orders DROP COLUMN note")
    _, state = shop_cdc.run(until(10))
    assert state == "failed"
    collector.wait_for(metrics.RUN_FAILED, lambda failed: failed == 1, dag_id="shop_cdc")
    end = at(0).replace(tzinfo=UTC).timestamp()
    collector.wait_for(metrics.FACT_FRESH_TO, end.__eq__, conn_id=CONN_ID, fact="fact_order")


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="off"),
        pytest.param({"AIRFLOW__METRICS__STATSD_ON": "True", "AIRFLOW__METRICS__STATSD_PORT": "9"}, id="no server"),
        pytest.param({"AIRFLOW__METRICS__STATSD_ON": "True", "AIRFLOW__METRICS__STATSD_HOST": "x.invalid"}, id="host"),
        pytest.param(
            {
                "AIRFLOW__METRICS__OTEL_ON": "True",
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
                "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
            },
            id="no collector",
        ),
    ],
)
def test_a_receiver_that_is_away_fails_nothing(settings: dict[str, str]) -> None:
    """The task goes on, and ends well."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")} | settings
    command = [sys.executable, "-c", SEND]
    sent = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert sent.returncode == 0, sent.stderr
    assert f"goes on {bool(settings)}" in sent.stdout


def test_an_error_of_the_sender_is_logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a client of metrics raises."""
    from airflow.sdk.observability.stats import Stats

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no client of this kind")

    monkeypatch.setattr(Stats, "gauge", fail)
    metrics.send_verified(CONN_ID, "fact_order", "all", equal=True)
    assert "Metrics could not be sent" in caplog.text
    assert "no client of this kind" in caplog.text

"""The page of metrics and the dashboard name what the engine sends, all of it, and nothing else."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from surgical_cdc.dag.metrics import SWITCHES, TAGS
from tests.conftest import ROOT
from tests.docs.test_reference import NAME, rows

DASHBOARD = json.loads((ROOT / "docs" / "grafana" / "surgical_cdc.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
# As Prometheus has them: Airflow's prefix in front, and no dots.
BY_SERIES: Mapping[str, str] = {f"airflow_{name.replace('.', '_')}": name for name in TAGS}
SERIES = re.compile(r"airflow_surgical_cdc_\w+")
LABELS = (r"\bby \(([^)]*)\)", r"\{\{(\w+)\}\}", r"(\w+)=~")


def expressions(panel: Mapping[str, Any]) -> list[str]:
    """Return what a panel asks Prometheus."""
    return [target["expr"] for target in panel["targets"]]


def test_the_page_has_each_metric_with_its_tags() -> None:
    """The table is that of the code, and the settings are those that the code looks at."""
    listed = {NAME.findall(row[0])[0]: tuple(NAME.findall(row[1])) for row in rows("metrics.md", "What is sent")}
    assert listed == TAGS
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    assert [switch for switch in SWITCHES if f"AIRFLOW__METRICS__{switch.upper()}" not in page] == []


def test_the_dashboard_shows_each_metric_and_no_other() -> None:
    """What the engine sends has a panel, and no panel, or choice above them, waits for what it does not send."""
    asked = {name for panel in PANELS for expr in expressions(panel) for name in SERIES.findall(expr)}
    assert asked == BY_SERIES.keys()
    choices = [choice["query"]["query"] for choice in DASHBOARD["templating"]["list"] if choice["type"] == "query"]
    assert len(choices) == 2
    for query in choices:
        found = re.fullmatch(r"label_values\((\w+), (\w+)\)", query)
        assert found
        assert found[2] in TAGS[BY_SERIES[found[1]]]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_asks_for_tags_that_its_metric_has(panel: Mapping[str, Any]) -> None:
    """By which it chooses and groups, and which its legend names; the variables are those of the dashboard."""
    assert panel["description"]
    known = {choice["name"] for choice in DASHBOARD["templating"]["list"]}
    for target in panel["targets"]:
        (series,) = SERIES.findall(target["expr"])
        text = f"{target['expr']} {target['legendFormat']}"
        labels = {label for pattern in LABELS for found in re.findall(pattern, text) for label in found.split(", ")}
        assert labels
        assert labels <= set(TAGS[BY_SERIES[series]])
        assert set(re.findall(r"\$(\w+)", text)) <= known


def test_panels_lie_beside_each_other() -> None:
    """None covers another, and none is wider than the dashboard."""
    places = {panel["id"]: panel["gridPos"] for panel in PANELS}
    assert len(places) == len(PANELS)
    for one, other in itertools.combinations(places.values(), 2):
        apart = (
            one[at] + one[size] <= other[at] for one, other in ((one, other), (other, one)) for at, size in ("xw", "yh")
        )
        assert any(apart)
    assert all(place["x"] + place["w"] <= 24 for place in places.values())

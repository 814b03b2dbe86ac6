from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Demo

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m demo` as a person would; the connection is redshift_default."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'plugins'}"}
    command = [sys.executable, "-m", "demo", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_load_and_feed_work_through_an_airflow_connection(demo: Demo) -> None:
    """The commands load a warehouse, say what they do, and stage a window."""
    demo.empty()
    loading = run("load", "--companies", "110")
    assert loading.returncode == 0, loading.stderr
    assert "public.companies: 110 rows" in loading.stdout
    feeding = run("feed", "--at", "2026-03-01T12:00", "--changes", "6", "--kinds", "progress", "touch")
    assert feeding.returncode == 0, feeding.stderr
    assert "Staged 6 rows up to 2026-03-01 12:00:00 UTC: progress 3, touch 3." in feeding.stdout
    assert demo.value("SELECT COUNT(*) FROM public.companies") == 110
    assert demo.value("SELECT COUNT(*) FROM staging.buyer_seller_company_mappings") >= 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("load", "--companies", "7"), "7 companies are too few", id="too-few-companies"),
        pytest.param(("feed", "--kinds", "rename_planet"), "No such kind of change: rename_planet", id="unknown-kind"),
    ],
)
def test_what_is_refused_is_said_in_a_sentence(demo: Demo, arguments: tuple[str, ...], message: str) -> None:
    """A refusal ends with status 1 and its message, without a traceback."""
    refused = run(*arguments)
    assert refused.returncode == 1
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_feed_in_airflow_stages_changes(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task of demo_feed stages as many rows as its run asks for, through the Airflow connection."""
    demo.empty()
    assert run("load", "--companies", "110").returncode == 0
    spec = importlib.util.spec_from_file_location("demo_feed", ROOT / "demo" / "dags" / "demo_feed.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # The context is all that Airflow gives the task.
    monkeypatch.setattr(module, "get_current_context", lambda: {"params": {"changes": 12}})
    staged = module.stage_changes.function()
    assert sum(rows for sources in staged.values() for rows in sources.values()) >= 12

"""How all tests of the repository are dealt out to the workers of pytest-xdist, and what is said at their end."""

from __future__ import annotations

import gc
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parent
# Each of its tests takes minutes, and shares nothing with the others.
EQUIVALENCE = ROOT / "tests" / "random" / "test_equivalence.py"
# The tests that take longest, by what their ids contain: more than a minute for what one worker runs of them at a time.
LONGEST = (
    "tests/dag",
    "test_versions",
    "test_facts_of_every_shape",
    "test_vendor_facts",
    "test_models",
    "tests/airflow_versions",
    "tests/demo",
    "tests/beside_dbt",
    "tests/page",
    "test_soundness",
    "test_tpch",
    "tests/steps/test_update",
    "tests/compiler/test_shapes",
)


class SideBySide(LoadScopeScheduling):
    """Gives a worker of pytest-xdist what must run after each other.

    That is the tests of a file, or of a folder whose conftest.py starts what its files share.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = ROOT / nodeid.partition("::")[0]
        if file == EQUIVALENCE:
            return nodeid
        shares = (file.parent / "conftest.py").exists() and file.parent != ROOT / "tests"
        return str(file.parent if shares else file)


def pytest_xdist_auto_num_workers() -> int:
    """Let one more worker test than there are cores: tests that wait for Airflow's programs leave theirs idle."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SideBySide:
    """Let pytest-xdist deal out the tests so."""
    return SideBySide(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest: the other workers would wait for one that began them last."""
    items.sort(key=lambda item: next((n for n, part in enumerate(LONGEST) if part in item.nodeid), len(LONGEST)))


def pytest_collection_finish() -> None:
    """Keep what all modules have loaded, Airflow too, from being looked through at each collection of garbage."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests have reported, and how long each folder took; pytest prints the slowest tests."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    figures = [str(value) for report in reports if report.when == "call" for _, value in report.user_properties]
    if figures:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(figures))
    folders: Counter[str] = Counter()
    for report in (report for group in terminalreporter.stats.values() for report in group):
        if isinstance(report, pytest.TestReport):
            folders[str(Path(report.nodeid.partition("::")[0]).parent)] += report.duration
    terminalreporter.section("seconds of each folder")
    for name, seconds in folders.most_common():
        terminalreporter.write_line(f"{seconds:8.1f}  {name}")

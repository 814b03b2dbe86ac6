"""What a warehouse is charged for a cycle: statements, commits, sessions, and the longest path of statements.

Counts are exact, so they have bounds; seconds are measured by the benchmarks.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.values import Run, new_token
from surgical_cdc.warehouse import session
from tests.demo.conftest import NOON
from tests.support.logs import collected

if TYPE_CHECKING:
    from surgical_cdc.warehouse.session import Warehouse
    from tests.conftest import Report
    from tests.demo.conftest import Demo

# Statements, commits, sessions, and statements one after the other where what can runs side by side.
NO_CHANGE = (10, 1, 1, 10)
TWENTY_ROWS = (226, 15, 11, 93)
GROUPS = ("detect.", "update.")


@pytest.fixture(scope="module")
def fed(demo: Demo) -> Demo:
    """The demo warehouse after its first cycle."""
    demo.load(companies=200)
    run_cycle(demo.project, demo.open_session, asked("first", 0))
    return demo


def asked(run_id: str, minutes: int) -> Run:
    """Return a run whose window ends some minutes after noon."""
    return Run(dag_id="test", run_id=run_id, token=new_token(), window_end=NOON + timedelta(minutes=minutes))


def costs(demo: Demo, run: Run, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int, int, int]:
    """Run a cycle and count what it costs."""
    sessions: list[Warehouse] = []
    commits: list[None] = []

    def connect() -> Warehouse:
        warehouse = demo.open_session()
        commit = warehouse.commit
        warehouse.commit = lambda: (commits.append(None), commit())[1]  # type: ignore[method-assign]
        sessions.append(warehouse)
        return warehouse

    lines = collected(monkeypatch, session)
    run_cycle(demo.project, connect, run)
    steps = Counter(line.partition(":")[0] for line in lines)
    side_by_side = [max((n for step, n in steps.items() if step.startswith(group)), default=0) for group in GROUPS]
    alone = sum(count for step, count in steps.items() if not step.startswith(GROUPS))
    return len(lines), len(commits), len(sessions), alone + sum(side_by_side)


def test_a_cycle_costs_no_more_than_it_did(fed: Demo, monkeypatch: pytest.MonkeyPatch, report: Report) -> None:
    """Neither one without changes, nor one with twenty changed rows all over the sources."""
    quiet = costs(fed, asked("quiet", 10), monkeypatch)
    fed.feed(changes=20, at=NOON + timedelta(minutes=30))
    changed = costs(fed, asked("changed", 30), monkeypatch)
    report(f"statements, commits, sessions, longest path: no change {quiet}, 20 rows {changed}")
    assert all(count <= bound for count, bound in zip(quiet, NO_CHANGE, strict=True)), quiet
    assert all(count <= bound for count, bound in zip(changed, TWENTY_ROWS, strict=True)), changed

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from surgical_cdc.cycle import run_cycle
from surgical_cdc.project import Project, load_project
from surgical_cdc.verify import compare
from tests.conftest import Site, clear
from tests.engine.upstream import Steps, Upstream, windows

VENDOR = load_project()
SHAPES = load_project(Path(__file__).parents[1] / "projects" / "shapes" / "sql")
WINDOWS_PER_EXAMPLE = 10
# `make test` runs 300 windows in each project; `EQUIVALENCE_WINDOWS=5000 make test` runs more.
EXAMPLES = -(-int(os.environ.get("EQUIVALENCE_WINDOWS", "300")) // WINDOWS_PER_EXAMPLE)

exhaustive = settings(
    max_examples=EXAMPLES, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck), derandomize=False
)


@pytest.mark.timeout(3600)
@exhaustive
@given(drawn=windows(VENDOR, WINDOWS_PER_EXAMPLE))
def test_vendor_facts_equal_their_selects(site: Callable[[Project], Site], drawn: list[Steps]) -> None:
    """After any windows over the 12 sources each fact is its SELECT run in full, and each baseline what it must be."""
    _play(VENDOR, site, drawn)


@pytest.mark.timeout(3600)
@exhaustive
@given(drawn=windows(SHAPES, WINDOWS_PER_EXAMPLE))
def test_facts_of_every_shape_equal_their_selects(site: Callable[[Project], Site], drawn: list[Steps]) -> None:
    """After any windows a fact of each supported shape is its SELECT run in full."""
    _play(SHAPES, site, drawn)


def _play(project: Project, site: Callable[[Project], Site], drawn: list[Steps]) -> None:
    place = site(project)
    upstream = Upstream(project)
    clear(project, place.warehouse)
    for number, steps in enumerate(drawn):
        window = f"window {number}"
        for name, rows in upstream.window(steps).items():
            place.stage(name, *rows)
        run_cycle(project, place.connect, place.run(upstream.end, run_id=window))
        upstream.sync()
        for source in project.sources.values():
            expected = [tuple(row[name] for name in source.column_names) for row in upstream.rows(source)]
            assert place.table(source.relation, *source.column_names) == expected, f"{source.relation} after {window}"
        with place.warehouse.transaction():
            for fact in project.facts:
                found = compare(project, fact, place.warehouse)
                assert found.equal, f"{found} after {window}"

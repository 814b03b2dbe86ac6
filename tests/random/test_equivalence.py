from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from surgical_cdc.contract.project import Project, load_project
from tests.conftest import LIBRARY, Site
from tests.support.upstream import Steps, play, windows

VENDOR = load_project()
SHAPES = load_project(Path(__file__).parents[1] / "projects" / "shapes" / "sql")
CORNERS = load_project(Path(__file__).parents[1] / "projects" / "corners" / "sql")
KEYED_BY_TEXT = load_project(LIBRARY)
WINDOWS_PER_EXAMPLE = 10


def random_windows(count: int) -> settings:
    """Return Hypothesis' settings for at least so many windows, others each time."""
    return settings(
        max_examples=-(-count // WINDOWS_PER_EXAMPLE),
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        derandomize=False,
    )


# `make test` runs 40 windows of the vendors and fewer in the others, of which the shapes have the most facts;
# `make nightly` runs 3,000.
WINDOWS = int(os.environ.get("EQUIVALENCE_WINDOWS", "40"))


@pytest.mark.timeout(3600 + 5 * WINDOWS)
@random_windows(WINDOWS)
@given(drawn=windows(VENDOR.sources, WINDOWS_PER_EXAMPLE))
def test_vendor_facts_equal_their_selects(site: Callable[[Project], Site], drawn: list[Steps]) -> None:
    """After any windows over the 12 sources each fact is its SELECT run in full, and each baseline what it must be."""
    play(site(VENDOR), drawn)


@pytest.mark.timeout(3600 + 5 * WINDOWS)
@random_windows(WINDOWS // 2)
@given(drawn=windows(SHAPES.sources, WINDOWS_PER_EXAMPLE))
def test_facts_of_every_shape_equal_their_selects(site: Callable[[Project], Site], drawn: list[Steps]) -> None:
    """After any windows a fact of each supported shape is its SELECT run in full."""
    play(site(SHAPES), drawn)


@pytest.mark.timeout(3600 + 5 * WINDOWS)
@random_windows(WINDOWS // 4)
@given(drawn=windows(CORNERS.sources, WINDOWS_PER_EXAMPLE))
def test_facts_with_rare_names_and_values_equal_their_selects(
    site: Callable[[Project], Site], drawn: list[Steps]
) -> None:
    """Names, types and values that are rare, and yet allowed, change nothing in that."""
    play(site(CORNERS), drawn)


@pytest.mark.timeout(3600 + 5 * WINDOWS)
@random_windows(WINDOWS // 5)
@given(drawn=windows(KEYED_BY_TEXT.sources, WINDOWS_PER_EXAMPLE))
def test_facts_over_keys_with_trailing_blanks_equal_their_selects(
    site: Callable[[Project], Site], drawn: list[Steps]
) -> None:
    """Keys that differ in trailing blanks are one key, in staging, baselines, joins and facts."""
    play(site(KEYED_BY_TEXT), drawn)

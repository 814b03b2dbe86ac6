from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import given

from surgical_cdc.contract.project import Project
from tests.conftest import Site
from tests.random.test_equivalence import SHAPES, VENDOR, WINDOWS_PER_EXAMPLE, random_windows
from tests.support.upstream import Steps, play, windows

few = random_windows(int(os.environ.get("ACCEPTANCE_WINDOWS", "10")))


@pytest.mark.timeout(7200)
@few
@given(drawn=windows(VENDOR.sources, WINDOWS_PER_EXAMPLE))
def test_vendor_facts_equal_their_selects(site: Callable[[Project], Site], drawn: list[Steps]) -> None:
    """After random windows each fact of the vendor domain is its SELECT run in full, on this warehouse too."""
    play(site(VENDOR), drawn)


@pytest.mark.timeout(7200)
@few
@given(drawn=windows(SHAPES.sources, WINDOWS_PER_EXAMPLE))
def test_facts_of_every_shape_equal_their_selects(site: Callable[[Project], Site], drawn: list[Steps]) -> None:
    """After random windows a fact of each supported shape is its SELECT run in full, on this warehouse too."""
    play(site(SHAPES), drawn)

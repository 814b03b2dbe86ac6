from __future__ import annotations

from docs.picture import CHANGES, FACT, PICTURE, STAGING, drawing
from tests.docs.test_example import EXAMPLE


def test_the_picture_is_what_the_script_draws() -> None:
    """docs/cycle.svg is drawn, not edited."""
    assert PICTURE.read_text() == drawing(), "run: python -m docs.picture"


def test_the_picture_shows_the_example_of_the_readme() -> None:
    """The marked cells are those that the engine says would change."""
    cells = [FACT.rows[row][column] for row, column in sorted(FACT.marked)]
    keys = [FACT.rows[row][0] for row, _ in sorted(FACT.marked)]
    change = CHANGES.rows[0][1]
    assert {*cells} == {STAGING.rows[row][column] for row, column in STAGING.marked} == {change.rpartition(" ")[2]}
    assert [line for line in EXAMPLE.lines if line.startswith("updated ")] == [
        f"updated {key}: product_price {change}" for key in keys
    ]

"""The example of the README is what the engine prints today."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from surgical_cdc.cli.commands import app
from tests.conftest import ROOT, SHOP, at
from tests.docs.pages import blocks
from tests.support.bookshop import PRODUCT, open_shop

if TYPE_CHECKING:
    from tests.conftest import Site

README = ROOT / "README.md"
SELECT, *_ = (block for block in blocks(README) if block.language == "sql")
(EXAMPLE,) = (block for block in blocks(README) if block.language == "console")


@pytest.fixture
def repriced(shop: Site) -> Site:
    """The bookshop after a first cycle, and with a new price of one product in staging."""
    open_shop(shop)
    call("run", "--end", "2026-03-01T12:00:00Z")
    shop.stage("products", {**PRODUCT, "price": Decimal("32.00"), "changed_at": at(10)})
    return shop


def call(*arguments: str) -> list[str]:
    """Run a command on the bookshop; return its lines, without the seconds that it took."""
    done = CliRunner().invoke(app, [*arguments, "--project", str(SHOP)])
    assert done.exit_code == 0, done.output
    return [masked(line) for line in done.output.splitlines()]


def masked(line: str) -> str:
    """Return a line without spaces around it and without seconds."""
    return re.sub(r"\d+\.\d\d s$", "… s", line.strip())


def test_the_readme_shows_what_the_commands_print(repriced: Site) -> None:
    """Each line below a command is one that it prints, in that order; of a run none of a source or fact is left out."""
    shown: dict[str, list[str]] = {}
    for line in EXAMPLE.lines:
        if line.startswith("$ "):
            shown[line.removeprefix("$ surgical-cdc ")] = []
        else:
            shown[list(shown)[-1]].append(masked(line))
    for command, lines in shown.items():
        printed = call(*command.split())
        assert [line for line in printed if line in lines] == lines
        steps = [line for line in printed if command == "run" and line.startswith(("detect.", "update."))]
        assert [line for line in lines if command == "run"] == steps


def test_the_readme_shows_the_fact_of_the_bookshop() -> None:
    """Its SELECT is the model's."""
    model = (SHOP / "models" / "marts" / "fact_line.sql").read_text().splitlines()
    assert list(SELECT.lines) == [line.strip() for line in model if not line.startswith("--")]

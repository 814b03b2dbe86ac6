"""What the tests before this one have sent to Redshift, read by a second grammar; `conftest.py` puts it last."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.grammar.check import check, read, summary


def test_every_recorded_statement_is_redshifts(
    recordings: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rules accept and sqlfluff parses each statement of the engine, the demo, Airflow, dbt and the tests."""
    assert request.session.items[-1] is request.node, "A test that comes later may send statements too."
    with capsys.disabled():
        require_redshifts(recordings, say=request.config.get_terminal_writer().line)


def require_redshifts(folder: Path, *, say: Callable[[str], None]) -> None:
    """Raise AssertionError unless there are recordings in a folder and neither judge objects to a statement in them."""
    sent = {file.stem: read([file]) for file in sorted(folder.glob("*.jsonl"))}
    say(
        "\nRecorded: " + (", ".join(f"{len(statements):,} by {name}" for name, statements in sent.items()) or "nothing")
    )
    assert sent, "No stand-in has recorded: run this test together with some that use the warehouse."
    assert [name for name, statements in sent.items() if not statements] == [], "These have recorded nothing."
    verdicts = check(
        list(dict.fromkeys(statement for statements in sent.values() for statement in statements)), say=say
    )
    say(summary(verdicts))
    faults = [verdict for verdict in verdicts if not verdict.is_good]
    assert not faults, "\n\n".join([summary(verdicts), *map(str, faults)])

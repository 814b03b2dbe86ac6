"""The judges' verdicts, and that a statement which is not Redshift's fails the run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
import redshift_connector
from redshift_connector.error import ProgrammingError

from local_redshift import LocalRedshift
from tests.grammar import __main__ as program
from tests.grammar.check import Verdict, check, head

ON_CONFLICT = "INSERT INTO s.t (id)\nVALUES (1)\nON CONFLICT DO NOTHING"
ONLY_RULES = "SELECT DISTINCT ON (kind) kind, id FROM s.t ORDER BY kind, id"
ONLY_SQLFLUFF = "SELECT kind id FROM FROM s.t"
DBT = '/* {"app": "dbt", "node_id": "model.shop.orders"} */\n'
GOOD = "SELECT kind, id FROM s.t WHERE id = 1"

Command = Callable[..., tuple[int, str]]


def write(file: Path, *statements: str) -> Path:
    """Write a recording."""
    file.write_text("".join(json.dumps({"statement": statement}) + "\n" for statement in statements))
    return file


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command: its exit status, and what it prints."""

    def run(*arguments: Path | str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["grammar", *map(str, arguments)])
        return program.main(), capsys.readouterr().out

    return run


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    """The verdicts on statements of six shapes, in their order."""
    long_name = GOOD.replace("kind", "k" * 64)
    of_dbt = [f"{DBT}{statement} LIMIT 5" for statement in (ONLY_RULES, ONLY_SQLFLUFF)]
    statements = [GOOD, ON_CONFLICT, ONLY_RULES, ONLY_SQLFLUFF, *of_dbt, long_name, GOOD.replace("1", "2")]
    return check(statements, say=lambda _line: None)


def test_each_judge_is_heard(verdicts: list[Verdict]) -> None:
    """A verdict has the names of rules and sqlfluff's place, and the statement below them."""
    assert [(list(verdict.refused_by), verdict.unparsable.partition(":")[0]) for verdict in verdicts[1:4]] == [
        (["on-conflict"], "Line 3, Position 1"),
        (["distinct-on"], ""),
        ([], "Line 1, Position 16"),
    ]
    assert [verdict.is_good for verdict in verdicts[1:4]] == [False] * 3
    assert str(verdicts[1]).endswith(f"rules     on-conflict\n{ON_CONFLICT}")


def test_each_statement_of_a_shape_is_held_against_the_rules(verdicts: list[Verdict]) -> None:
    """A name that a rule refuses is found among statements that differ in names and values alone."""
    assert (len(verdicts[0].statements), list(verdicts[0].refused_by)) == (3, ["long-names"])


def test_the_rules_are_not_asked_about_statements_of_dbt(verdicts: list[Verdict]) -> None:
    """What dbt-redshift sends need not be as the project writes it, but sqlfluff parses it as well."""
    found = verdicts[4:]
    assert [(list(verdict.refused_by), bool(verdict.unparsable)) for verdict in found] == [([], False), ([], True)]


def test_whole_statements_are_judged_alike() -> None:
    """Without shapes each statement has its own verdict."""
    verdicts = check([GOOD, GOOD.replace("1", "2"), ON_CONFLICT], whole=True, say=lambda _line: None)
    assert [verdict.is_good for verdict in verdicts] == [True, True, False]


def test_a_recorded_statement_that_is_not_redshifts_is_reported(tmp_path: Path, command: Command) -> None:
    """Sent through the driver, recorded by the stand-in, reported with both verdicts and the place."""
    file = tmp_path / "recordings" / "shop.jsonl"
    with (
        LocalRedshift(data=tmp_path / "data", port=0, record=file) as redshift,
        closing(redshift_connector.connect(**redshift.settings)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT 1")
        with suppress(ProgrammingError):
            cursor.execute(ON_CONFLICT)
    status, said = command("--brief", file)
    assert status == 1
    assert re.search(r"(?s)^Recorded: 3 in shop\n.*Line 3, Position 1: .*on-conflict.*ON CONFLICT.*1 shapes are", said)


def test_a_run_that_recorded_nothing_fails(tmp_path: Path, command: Command) -> None:
    """Neither no stand-in nor a silent one passes for a run in which everything was good."""
    with pytest.raises(SystemExit):
        command(tmp_path / "*.jsonl")
    silent, other = write(tmp_path / "silent.jsonl"), write(tmp_path / "other.jsonl", GOOD)
    status, said = command(silent, other)
    assert (status, said.splitlines()[0]) == (1, "Recorded: 0 in silent, 1 in other")


def test_the_command_lists_statements_with_both_verdicts(tmp_path: Path, command: Command) -> None:
    """One row a shape, the faults below, and an exit status for a script."""
    good, bad = write(tmp_path / "good", GOOD, GOOD.replace("1", "2")), write(tmp_path / "bad", ONLY_RULES)
    status, said = command(good)
    assert status == 0
    (row,) = [line for line in said.splitlines() if "SELECT" in line]
    assert [cell.strip() for cell in row.split("│")[1:-1]] == ["2", head(GOOD), "accepted", "parses"]
    status, said = command(good, bad)
    assert status == 1
    assert "3 distinct statements in 2 shapes: 1 shapes are refused" in said
    assert "SELECT │" not in command("--brief", good)[1]


def test_the_head_of_a_statement_is_one_line() -> None:
    """Comments and line breaks are left out, and what is too long is cut."""
    assert head("-- All of it.\nSELECT\n  a /* b */\nFROM t") == "SELECT a FROM t"
    assert head("SELECT " + "a, " * 100, width=20) == "SELECT a, a, a, a, …"

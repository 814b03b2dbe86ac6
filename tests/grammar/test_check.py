"""The judges' verdicts, and that a statement which is not Redshift's fails the run."""

from __future__ import annotations

import json
from contextlib import closing, suppress
from pathlib import Path

import pytest
import redshift_connector
from redshift_connector.error import ProgrammingError

from local_redshift import LocalRedshift
from tests.grammar import __main__ as command
from tests.grammar.check import Verdict, check, head
from tests.test_recorded_statements import require_redshifts

ON_CONFLICT = "INSERT INTO s.t (id)\nVALUES (1)\nON CONFLICT DO NOTHING"
ONLY_RULES = "SELECT DISTINCT ON (kind) kind, id FROM s.t ORDER BY kind, id"
ONLY_SQLFLUFF = "SELECT kind id FROM FROM s.t"
DBT = '/* {"app": "dbt", "node_id": "model.shop.orders"} */\n'
GOOD = "SELECT kind, id FROM s.t WHERE id = 1"


def write(file: Path, *statements: str) -> Path:
    """Write a recording."""
    file.write_text("".join(json.dumps({"statement": statement}) + "\n" for statement in statements))
    return file


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


def test_a_statement_that_is_not_redshifts_fails_the_run(tmp_path: Path) -> None:
    """Sent through the driver, recorded by the stand-in, reported with both verdicts and the place."""
    folder, said = tmp_path / "recordings", list[str]()
    with (
        LocalRedshift(data=tmp_path / "data", port=0, record=folder / "shop.jsonl") as redshift,
        closing(redshift_connector.connect(**redshift.settings)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT 1")
        with suppress(ProgrammingError):
            cursor.execute(ON_CONFLICT)
    with pytest.raises(AssertionError, match=r"(?s)1 shapes are.*Line 3, Position 1: .*ON CONFLICT.*on-conflict"):
        require_redshifts(folder, say=said.append)
    assert said[0] == "\nRecorded: 3 by shop"


def test_a_run_that_recorded_nothing_fails(tmp_path: Path) -> None:
    """Neither no stand-in nor a silent one passes for a run in which everything was good."""
    with pytest.raises(AssertionError, match="No stand-in has recorded"):
        require_redshifts(tmp_path, say=lambda _line: None)
    write(tmp_path / "silent.jsonl")
    write(tmp_path / "other.jsonl", GOOD)
    with pytest.raises(AssertionError, match=r"(?s)recorded nothing.*silent"):
        require_redshifts(tmp_path, say=lambda _line: None)


def test_the_command_lists_statements_with_both_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One row a shape, the faults below, and an exit status for a script."""
    good, bad = write(tmp_path / "good", GOOD, GOOD.replace("1", "2")), write(tmp_path / "bad", ONLY_RULES)
    monkeypatch.setattr("sys.argv", ["grammar", str(good)])
    assert command.main() == 0
    listed = capsys.readouterr().out
    (row,) = [line for line in listed.splitlines() if "SELECT" in line]
    assert [cell.strip() for cell in row.split("│")[1:-1]] == ["2", head(GOOD), "accepted", "parses"]
    monkeypatch.setattr("sys.argv", ["grammar", str(good), str(bad)])
    assert command.main() == 1
    assert "3 distinct statements in 2 shapes: 1 shapes are refused" in capsys.readouterr().out


def test_the_head_of_a_statement_is_one_line() -> None:
    """Comments and line breaks are left out, and what is too long is cut."""
    assert head("-- All of it.\nSELECT\n  a /* b */\nFROM t") == "SELECT a FROM t"
    assert head("SELECT " + "a, " * 100, width=20) == "SELECT a, a, a, a, …"

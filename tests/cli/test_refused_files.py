from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from surgical_cdc.cli.commands import main
from surgical_cdc.compiler.compilation import compile_project
from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.compiler.fact_query import DIALECT
from surgical_cdc.compiler.parsing import BRANCHES
from surgical_cdc.compiler.slices import SourceChange, affected_keys, sliced_query, slices
from tests.cli.refused_files import BASE, CASES, MODEL, FileCase
from tests.cli.refused_page import PAGE, page

SOMEBODY = 65534


@pytest.fixture(scope="module", autouse=True)
def loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Load what Python loads late, which another user may not read; the project as it stands is accepted."""
    folder = tmp_path_factory.mktemp("accepted")
    FileCase("nothing", "").write(folder)
    compilation = compile_project(folder / "sql", progress=lambda _: None)
    assert (list(compilation.project.facts), compilation.project.left_out) == (["fact"], {})


@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_file_that_can_not_be_used_is_refused_in_words(
    case: FileCase, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The command ends in one message, the one that the page shows, and not in a stack trace or never."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        case.write(Path(folder))
        monkeypatch.setattr(sys, "argv", ["cdc", *case.arguments, "--project", f"{folder}/sql"])
        if case.unprivileged and os.geteuid() == 0:
            os.seteuid(SOMEBODY)
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            os.seteuid(os.getuid())
            Path(folder).chmod(0o755)
    said = capfd.readouterr().err
    assert ended.value.code == 1
    assert "Traceback" not in said
    assert case.is_said(said), said


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param(f"{'ABS(' * 190}o.n{')' * 190}", id="functions"),
        pytest.param(" + ".join(["o.n"] * 190), id="sum"),
        pytest.param(f"{'CASE WHEN o.n = 1 THEN 2 ELSE ' * 60}3{' END' * 60}", id="CASEs in one another"),
        pytest.param(f"CASE {' '.join(f'WHEN o.n = {n} THEN {n}' for n in range(BRANCHES))} END", id="long CASE"),
    ],
)
def test_what_is_within_the_bounds_is_compiled_and_its_statements_written(expression: str, tmp_path: Path) -> None:
    """The bound on depth leaves room for what the compiler puts around an expression."""
    FileCase("", "", {MODEL: BASE[MODEL].replace("o.n", f"{expression} AS n")}).write(tmp_path)
    project = compile_project(tmp_path / "sql", select=["fact"], progress=lambda _: None).project
    tree = compile_fact(project, "fact").tree
    assert tree
    for columns in (None, frozenset({"n"})):
        changes = {"orders": SourceChange("scratch.changes", columns)}
        query = sliced_query(tree, ["id", "n"], changes, null_key=True)
        written = [*affected_keys(tree, changes), *slices(tree, changes, query, null_key=True), query]
        assert all(statement.sql(DIALECT) for statement in written)


def test_the_page_of_refused_input_is_what_is_said() -> None:
    """docs/reference/refused_input.md has each input with its message."""
    assert PAGE.read_text() == page(), "run: python -m tests.cli.refused_page"

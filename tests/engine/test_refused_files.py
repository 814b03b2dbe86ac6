from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from surgical_cdc.cli import main
from surgical_cdc.documents import compiled_files
from surgical_cdc.project import load_project
from tests.engine.refused_files import CASES, FileCase
from tests.engine.refused_page import PAGE, page

SOMEBODY = 65534


@pytest.fixture(scope="module", autouse=True)
def loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Load what Python loads late, which another user may not read; the project as it stands is accepted."""
    folder = tmp_path_factory.mktemp("accepted")
    FileCase("nothing", "").write(folder)
    compiled_files(load_project(folder / "sql"))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_file_that_can_not_be_used_is_refused_in_words(
    case: FileCase, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`compile` ends in one message, the one that the page shows, and not in a stack trace or never."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        case.write(Path(folder))
        monkeypatch.setattr(sys, "argv", ["cdc", "compile", "--project", f"{folder}/sql", *case.with_options])
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


def test_the_page_of_refused_input_is_what_is_said() -> None:
    """docs/refused_input.md has each input with its message."""
    assert PAGE.read_text() == page(), "run: python -m tests.engine.refused_page"

"""What is refused, and in which words: the page docs/reference/refused_input.md, made of test cases.

`python -m tests.cli.refused_page` writes the page anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "refused_input.md"
# A heading, and the module that has a list CASES of Refused.
CHAPTERS = {
    "Files of a project": "tests.cli.refused_files",
    "Command line, trigger form and connections": "tests.cli.refused_words",
}
HEAD = """# Refused input

What is refused before anything is written, and the message that says so: what is wrong, where, and what to do. No input
here ends in a stack trace. `…` stands for a path, or for what depends on the machine.

This page is made of test cases by `python -m tests.cli.refused_page`; each of them is put in, and its message read.
"""


@dataclass(frozen=True)
class Refused:
    """An input, named by its `title`, and the whole `message` that it ends in.

    In the message `…` stands for any text: a path, or what depends on the machine.
    """

    title: str
    message: str

    def is_said(self, text: str) -> bool:
        """Return whether a text, in which lines may be broken anywhere, is the message."""
        parts = (re.escape(part) for part in " ".join(self.message.split()).split("…"))
        return re.fullmatch(".*?".join(parts), " ".join(text.split())) is not None


def page() -> str:
    """Return docs/reference/refused_input.md as the cases of all chapters say it."""
    lines = [HEAD]
    for heading, module in CHAPTERS.items():
        cases: list[Refused] = import_module(module).CASES
        lines += [f"## {heading}\n", "| input | message |", "|---|---|"]
        lines += [f"| {_cell(case.title)} | {_cell(case.message)} |" for case in cases]
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(page())

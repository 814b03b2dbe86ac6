"""`python -m tests.grammar FILE ...`: a table of recorded statements with what the rules and sqlfluff say of each."""

from __future__ import annotations

import argparse
import sys
from itertools import chain
from pathlib import Path

from rich.console import Console

from tests.grammar.check import check, read, summary, table


def main() -> int:
    """Print the table and what is wrong; 0 only when nothing is, and each file has a statement."""
    parser = argparse.ArgumentParser(prog="python -m tests.grammar", description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="written by the stand-in's --record FILE")
    parser.add_argument("--whole", action="store_true", help="parse each statement as it was sent, not its shape")
    parser.add_argument("--brief", action="store_true", help="leave the table out")
    options = parser.parse_args()
    # In a log there is room for whole lines.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)

    def say(line: str, style: str | None = None) -> None:
        console.print(line, style=style, markup=False, soft_wrap=True)

    missing = [str(file) for file in options.files if not file.exists()]
    if missing:
        parser.error(f"{', '.join(missing)}: there is no such file; has a stand-in recorded?")
    recorded = {file: read([file]) for file in options.files}
    say("Recorded: " + ", ".join(f"{len(statements):,} in {file.stem}" for file, statements in recorded.items()))
    verdicts = check(list(dict.fromkeys(chain.from_iterable(recorded.values()))), whole=options.whole, say=say)
    if not options.brief:
        console.print(table(verdicts))
    for verdict in verdicts:
        if not verdict.is_good:
            say(f"\n{verdict}", style="red")
    good = all(recorded.values()) and all(verdict.is_good for verdict in verdicts)
    say(summary(verdicts), style="green" if good else "red")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

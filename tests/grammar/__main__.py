"""`python -m tests.grammar FILE ...`: a table of recorded statements with what the rules and sqlfluff say of each."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from tests.grammar.check import check, read, summary, table


def main() -> int:
    """Print the table and what is wrong; 0 only when nothing is."""
    parser = argparse.ArgumentParser(prog="python -m tests.grammar", description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="written by the stand-in's --record FILE")
    parser.add_argument("--whole", action="store_true", help="parse each statement as it was sent, not its shape")
    options = parser.parse_args()
    # In a log there is room for whole lines.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    verdicts = check(read(options.files), whole=options.whole, say=lambda line: console.print(line, markup=False))
    console.print(table(verdicts))
    for verdict in verdicts:
        if not verdict.is_good:
            console.print(f"\n{verdict}", style="red", markup=False, soft_wrap=True)
    good = bool(verdicts) and all(verdict.is_good for verdict in verdicts)
    console.print(summary(verdicts), style="green" if good else "red", markup=False, soft_wrap=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

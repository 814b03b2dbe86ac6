"""Recorded statements before two judges: the stand-in's table of rules, and sqlfluff's grammar of Redshift's SQL."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from rich.table import Table
from sqlfluff.core import FluffConfig, Linter

from local_redshift.rules import Situation, refusals
from local_redshift.rules.refusing import of_any_run
from local_redshift.translation.tokens import tokenize
from tests.grammar.shapes import DIALECT, shape

# dbt begins each of its statements with who sends it.
DBT = '/* {"app": "dbt"'
SHOWN = 4000  # characters of a statement that is reported
SHOWN_OF_FAULT = 300
PROGRESS_SECONDS = 10.0

Say = Callable[[str], None]
Item = TypeVar("Item")


@dataclass(frozen=True)
class Verdict:
    """What the judges say of the statements of one shape."""

    statements: Sequence[str]
    refused_by: Sequence[str]
    """Names of the rules that refuse one of them; empty for dbt's own, which the project does not write."""
    unparsable: str
    """Where sqlfluff's parser stops in the first of them; empty when it parses."""

    @property
    def is_good(self) -> bool:
        """Whether neither judge objects."""
        return not self.refused_by and not self.unparsable

    def __str__(self) -> str:
        """Both verdicts, then the statement."""
        first = self.statements[0]
        text = first if len(first) <= SHOWN else f"{first[:SHOWN]} ... ({len(first):,} characters)"
        return "\n".join(
            [
                f"{len(self.statements)} recorded, of which this is the first:",
                f"  sqlfluff  {self.unparsable or 'parses it'}",
                f"  rules     {', '.join(self.refused_by) or 'accept it'}",
                text.strip(),
            ]
        )


def read(files: Iterable[Path]) -> list[str]:
    """Return the distinct statements of some recordings; those of all runs are one, but for their scratch tables."""
    lines = (line for file in files for line in file.read_text(encoding="ascii").splitlines())
    sent = (json.loads(line)["statement"].encode(errors="surrogateescape") for line in lines)
    return [statement.decode(errors="surrogateescape") for statement in dict.fromkeys(map(of_any_run, sent))]


def check(statements: Sequence[str], *, whole: bool = False, say: Say) -> list[Verdict]:
    """Judge some statements, in the order in which the first of each shape comes.

    Args:
        statements: what clients have sent.
        whole: parse each statement as it was sent, not its shape; ten times slower for those of a whole run.
        say: is given one line for each thing that is done.
    """
    # Not forked: the caller may have threads.
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        started = time.monotonic()
        say(f"Reading {len(statements):,} statements ...")
        kinds: dict[str, list[str]] = defaultdict(list)
        rules: dict[str, set[str]] = defaultdict(set)
        read = zip(statements, pool.map(_shape_and_rules, statements, chunksize=50), strict=True)
        for statement, (form, refused_by) in _announced(read, len(statements), say):
            kind = statement if whole else form
            kinds[kind].append(statement)
            if not statement.startswith(DBT):
                rules[kind].update(refused_by)
        say(f"Parsing {len(kinds):,} of different shape ..." if not whole else "Parsing each ...")
        # The longest first, so that no process is left with one at the end.
        longest_first = sorted(kinds, key=len, reverse=True)
        parsed = zip(longest_first, pool.map(unparsable, longest_first), strict=True)
        faults = [kind for kind, fault in _announced(parsed, len(kinds), say) if fault]
        # The place in what was sent, not in its shape.
        places = dict(zip(faults, pool.map(_place, [kinds[kind][0] for kind in faults]), strict=True))
        say(f"  done in {time.monotonic() - started:.1f} s")
    return [Verdict(sent, sorted(rules[kind]), places.get(kind, "")) for kind, sent in kinds.items()]


def unparsable(statement: str) -> str:
    """Say where sqlfluff's parser stops in a statement; nothing when it parses."""
    found = _linter().parse_string(statement).violations
    return " ".join(found[0].desc().split())[:SHOWN_OF_FAULT] if found else ""


def table(verdicts: Sequence[Verdict]) -> Table:
    """List the shapes: how many statements have it, how its first one begins, and both verdicts."""
    listed = Table("statements", "the first of them", "rules", "sqlfluff", title="Recorded statements by shape")
    for column in (0, 1):
        listed.columns[column].no_wrap = True
    listed.columns[0].justify = "right"
    for verdict in verdicts:
        accepted, parses = ", ".join(verdict.refused_by) or "accepted", verdict.unparsable or "parses"
        listed.add_row(str(len(verdict.statements)), head(verdict.statements[0]), accepted, parses)
    return listed


def summary(verdicts: Sequence[Verdict]) -> str:
    """Give the result in a sentence."""
    bad = [verdict for verdict in verdicts if not verdict.is_good]
    count = sum(len(verdict.statements) for verdict in verdicts)
    counted = f"{count:,} distinct statements in {len(verdicts):,} shapes"
    if not bad:
        return f"{counted}: the rules accept and sqlfluff parses each."
    return f"{counted}: {len(bad)} shapes are refused by a rule or not parsed by sqlfluff."


def head(statement: str, *, width: int = 72) -> str:
    """Give the beginning of a statement on one line, without comments."""
    text = "".join((" " if token.space else "") + token.text for token in tokenize(statement[: width * 20])).strip()
    return text if len(text) <= width else text[: width - 1] + "…"


@cache
def _linter() -> Linter:
    unlimited = {"large_file_skip_byte_limit": 0, "max_parse_nodes": 0}
    return Linter(config=FluffConfig(overrides={"dialect": DIALECT, "templater": "raw", **unlimited}))


def _shape_and_rules(statement: str) -> tuple[str, list[str]]:
    # What depends on the transaction or the protocol was decided when the statement was sent.
    found = [refusal.rule for refusal in refusals(statement) if refusal.rule.situation is Situation.ALWAYS]
    return shape(statement), [rule.name for rule in found]


def _place(statement: str) -> str:
    wrong = "parses it, but not what tests/grammar/shapes.py makes of it"
    return unparsable(statement) or f"{wrong}: {shape(statement)}"


def _announced(items: Iterable[Item], count: int, say: Say) -> Iterator[Item]:
    last = time.monotonic()
    for done, item in enumerate(items):
        if time.monotonic() - last > PROGRESS_SECONDS:
            last = time.monotonic()
            say(f"  {done:,} of {count:,}")
        yield item

"""What the gateway sends for a statement that a rule refuses: another that fails with Redshift's words."""

from __future__ import annotations

import re
from functools import lru_cache

from local_redshift.rules import Refusal, Situation, refusals
from local_redshift.translation.tokens import literal, tokenize

# An engine's scratch tables have names that end in hashes, or in a word behind these. What is said of one holds for all
# of its length.
HASH = re.compile(rb"(?<=\w)__[0-9a-f]{6,12}(?:_[0-9a-f]{6,})*(?=(?:_[a-z]+)?\b)")
# Begins what stands in place of hashes, and is none itself.
PLACE = b"__zq"
REMEMBERED = 4096
REMEMBERED_BYTES = 100_000
PAGE = "packages/local_redshift/docs/redshift_rules.md"


def refusing(statement: bytes, situations: frozenset[Situation]) -> bytes | None:
    """The statement that fails in place of one that Redshift refuses; None when it may pass.

    Args:
        statement: text of one statement, or of several.
        situations: what holds besides `Situation.ALWAYS`.
    """
    if len(statement) <= REMEMBERED_BYTES and situations.isdisjoint(_refused(of_any_run(statement))):
        return None
    text = statement.decode(errors="surrogateescape")
    for refusal in refusals(text):
        if refusal.situation in situations:
            return _failing(refusal, text).encode(errors="surrogateescape")
    return None


def of_any_run(statement: bytes) -> bytes:
    """The statement with names of the same length in place of those of a run's scratch tables."""
    return HASH.sub(lambda found: b"_" * len(found[0]), statement)


def without_run(statement: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """The statement with numbers of the same length in place of hashes, and the hashes by these numbers.

    Statements of two runs that differ in nothing else become one. One that has such a number already stays.
    """
    if PLACE in statement:
        return statement, {}
    places: dict[bytes, bytes] = {}

    def place(found: re.Match[bytes]) -> bytes:
        return places.setdefault(found[0], (b"%b%04x" % (PLACE, len(places))).ljust(len(found[0]), b"z"))

    general = HASH.sub(place, statement)
    return general, {place: hashes for hashes, place in places.items()}


@lru_cache(REMEMBERED)
def _refused(statement: bytes) -> frozenset[Situation]:
    """The situations in which a rule refuses a statement."""
    return frozenset(refusal.situation for refusal in refusals(statement.decode(errors="surrogateescape")))


def _failing(refusal: Refusal, text: str) -> str:
    rule = refusal.rule
    said = (
        rule.sqlstate,
        refusal.message,
        f"The rule {rule.name} of the stand-in refuses this: {rule.refuses.replace('`', '')}",
        f"Redshift accepts: {rule.accepted} ({PAGE})",
    )
    # As many parameters as the statement has, or Bind would fail on their number. They come second: what refuses is
    # computed first, and a parameter may have no cast to a string.
    tokens = tokenize(text)
    numbers = [int(token.text[1:]) for token in tokens if token.kind == "parameter"]
    last = 0 if tokens[0].word == "prepare" else max(numbers, default=0)  # those of PREPARE are its own
    values = ", ".join(["NULL", *(f"${number}::TEXT" for number in range(1, last + 1))])
    call = f"local_redshift.refuse({', '.join(map(literal, said))})"
    return f"SELECT CASE WHEN {call} = '' THEN COALESCE({values}) END"

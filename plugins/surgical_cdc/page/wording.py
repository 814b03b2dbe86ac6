"""How the page writes numbers, times and lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

_STEPS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))
# How many names a sentence has before it only counts the rest.
NAMED = 3


def counted(number: int, word: str) -> str:
    """Return a number with its word, in the plural where it is not one.

    Example:
        >>> counted(1, "row"), counted(2340, "row")
        ('1 row', '2,340 rows')
    """
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def moment(time: datetime) -> str:
    """Return a time in UTC, to the minute.

    Example:
        >>> moment(datetime(2026, 3, 1, 12, 30, tzinfo=UTC))
        '2026-03-01 12:30'
    """
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"


def ago(time: datetime, now: datetime) -> str:
    """Return how long ago a time was, in its largest unit.

    Example:
        >>> ago(datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 14, 59, tzinfo=UTC))
        '2 hours ago'
    """
    age = now - time
    for length, word in _STEPS:
        if age >= length:
            return f"{counted(age // length, word)} ago"
    return "now"


def duration(seconds: float) -> str:
    """Return seconds as a person reads them.

    Example:
        >>> duration(4.26), duration(83), duration(7384)
        ('4.3 s', '1 min 23 s', '2 h 3 min')
    """
    if seconds < 60:  # noqa: PLR2004 - seconds of a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def largest(counts: Mapping[str, int]) -> str:
    """Return the names with the largest counts, and how many others there are.

    Example:
        >>> largest({"a": 1, "b": 20, "c": 3, "d": 2})
        'b 20, c 3, d 2 and 1 other'
    """
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    return listed([f"{name} {counts[name]:,}" for name in ordered])


def listed(words: Sequence[str]) -> str:
    """Return the first words, and how many others there are."""
    rest = len(words) - NAMED
    said = ", ".join(words[:NAMED])
    return f"{said} and {counted(rest, 'other')}" if rest > 0 else said

"""The current date and time of a SELECT: bound to one moment, so that its rows stay the same until the moment moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlglot import exp

from surgical_cdc.contract.tables import Grain

# GETDATE() and SYSDATE, for which the parser takes CURRENT_TIMESTAMP and NOW() too.
CURRENT = (exp.CurrentDate, exp.CurrentTimestamp, exp.Localtimestamp)
# What a query is compiled with where no run is: its rows are of no interest then.
NO_MOMENT = datetime(1970, 1, 1)  # noqa: DTZ001 - the warehouse's timestamps are UTC without an offset
# Units that a time of day makes no difference to.
DATES = frozenset({"DAY", "WEEK", "MONTH", "QUARTER", "YEAR"})


def grain(query: exp.Query) -> Grain | None:
    """Return how finely a query reads the current time: by the day, by the hour, or not at all."""
    found = [_is_of_day(part) for part in _current(query)]
    return None if not found else "day" if all(found) else "hour"


def bound(query: exp.Query, moment: datetime) -> exp.Query:
    """Return a query in which the current date and time are those of a moment; `query` is used up."""
    for part in list(_current(query)):
        is_date = isinstance(part, exp.CurrentDate)
        literal = exp.Literal.string(moment.strftime("%Y-%m-%d" if is_date else "%Y-%m-%d %H:%M:%S"))
        part.replace(exp.cast(literal, "DATE" if is_date else "TIMESTAMP", dialect="redshift"))
    return query


def _current(query: exp.Query) -> Iterator[exp.Expr]:
    """Yield where a query reads the current time; with a time zone beside it, it is refused instead."""
    return (part for part in query.find_all(*CURRENT) if not part.this and not isinstance(part.parent, exp.AtTimeZone))


def _is_of_day(part: exp.Expr) -> bool:
    parent = part.parent
    if isinstance(part, exp.CurrentDate) or isinstance(parent, (exp.Trunc, exp.Date)):
        return True
    if isinstance(parent, exp.Cast):
        return parent.is_type(exp.DataType.Type.DATE)
    return isinstance(parent, exp.TimestampTrunc) and parent.text("unit").upper() in DATES

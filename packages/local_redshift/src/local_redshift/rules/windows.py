"""What Redshift refuses in window functions and ordered aggregates."""

from __future__ import annotations

from collections.abc import Iterator

from local_redshift.rules.reading import Query, Statement, arguments, called, words
from local_redshift.rules.rule import rule

WINDOW = "DG/c_Window_functions"
# Ranking functions, LAG, LEAD and the percentiles need no frame.
FRAMED = words(
    "avg bool_and bool_or count first_value last_value max min nth_value stddev stddev_pop stddev_samp sum var_pop "
    "var_samp variance"
)
LAGGING = frozenset({"lag", "lead"})
ORDERED = frozenset({"listagg", "percentile_cont", "percentile_disc"})


def windows(statement: Statement) -> Iterator[tuple[int, int]]:
    """The positions of each OVER and of its opening parenthesis."""
    for at in statement.find("over", "("):
        yield at, at + 1


def function_of(statement: Statement, over: int) -> str:
    """The name of the function that an OVER belongs to."""
    at = over - 1
    while at > 0 and statement.words[at] in ("nulls", "ignore", "respect"):
        at -= 1
    opening = statement.partner.get(at, at)
    if statement.word(opening - 1) == "group":  # LISTAGG (…) WITHIN GROUP (…) OVER (…)
        opening = statement.partner.get(opening - 3, opening)
    return statement.name(opening - 1) if statement.is_name(opening - 1) else ""


@rule(
    "over",
    message="Aggregate window functions with an ORDER BY clause require a frame clause",
    wording="OHDSI/Achilles#232",
    sqlstate="0A000",
    evidence=WINDOW,
    refused="SELECT SUM(b) OVER (PARTITION BY a ORDER BY f) FROM t",
    accepted="SELECT SUM(b) OVER (PARTITION BY a ORDER BY f ROWS UNBOUNDED PRECEDING) FROM t",
)
def window_frame(statement: Statement) -> int | None:
    """An aggregate over an ordered window without a `ROWS` frame."""
    for over, opening in windows(statement):
        within = [statement.words[at] for at in statement.level(opening + 1)]
        ordered = "order" in within and not {"rows", "range", "groups"}.intersection(within)
        if ordered and function_of(statement, over) in FRAMED:
            return over
    return None


@rule(
    "range groups exclude",
    message="{near} clause of window functions not yet implemented",
    wording="OHDSI/Achilles#232",
    sqlstate="0A000",
    evidence=WINDOW,
    refused="SELECT SUM(b) OVER (ORDER BY f RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM t",
    accepted="SELECT SUM(b) OVER (ORDER BY f ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM t",
)
def range_frames(statement: Statement) -> int | None:
    """`RANGE` and `GROUPS` frames, and `EXCLUDE` in a frame."""
    for _over, opening in windows(statement):
        ordered = False
        for at in statement.level(opening + 1):
            word = statement.words[at]
            if word == "order":
                ordered = True
            elif word in ("range", "groups", "exclude") and ordered and statement.word(at - 1) not in ("by", ",", "."):
                return at
    return None


@rule(
    "lag lead",
    message="Default parameter not be supported for window function {near}",
    wording="tidyverse/dplyr#962",
    sqlstate="0A000",
    evidence="DG/r_WF_LAG; DG/r_WF_LEAD",
    refused="SELECT LAG(b, 1, 0) OVER (ORDER BY f) FROM t",
    accepted="SELECT NVL(LAG(b, 1) OVER (ORDER BY f), 0) FROM t",
)
def window_default(statement: Statement) -> int | None:
    """`LAG` and `LEAD` with a default."""
    offset = 2
    return next((at for at in called(statement, LAGGING) if len(arguments(statement, at)) > offset), None)


@rule(
    "window over",
    pattern=r"\bover\s*+[^\s(]|\bwindow\b",
    evidence=WINDOW,
    refused="SELECT RANK() OVER w FROM t WINDOW w AS (PARTITION BY a ORDER BY b)",
    accepted="SELECT RANK() OVER (PARTITION BY a ORDER BY b) FROM t",
)
def named_windows(statement: Statement) -> int | None:
    """The `WINDOW` clause, and `OVER` with a name."""
    for at in statement.find("over"):
        if statement.is_name(at + 1) and statement.word(at - 1) in (")", "nulls"):
            return at + 1
    for at in statement.find("window"):
        if statement.is_name(at + 1) and statement.word(at + 2) == "as" and statement.word(at + 3) == "(":
            return at
    return None


@rule(
    "over",
    message="constant expressions are not supported in partition by clauses",
    wording="fivetran/dbt_linkedin_pages_source, changelog of 0.1.1",
    sqlstate="0A000",
    evidence=f"{WINDOW}; metabase#70273",
    refused="SELECT ROW_NUMBER() OVER (ORDER BY 1) FROM t",
    accepted="SELECT ROW_NUMBER() OVER (ORDER BY a) FROM t",
)
def window_constants(statement: Statement) -> int | None:
    """A constant in the `PARTITION BY` of a window, or in its `ORDER BY` where the statement reads a user's table.

    dbt's date spine orders by 1, and runs on Redshift: its rows are constants, which the leader node computes.
    """
    reads = any(not relation.is_catalog for relation in statement.relations)
    for _over, opening in windows(statement):
        for by in statement.level(opening + 1):
            if statement.words[by] != "by" or (statement.words[by - 1] == "order" and not reads):
                continue
            for start, end in statement.split(by + 1, statement.partner.get(opening)):
                if _is_constant(statement, start, end):
                    return start
    return None


def _is_constant(statement: Statement, start: int, end: int) -> bool:
    """Whether no name, but those of types behind a cast, stands in an element of PARTITION BY or ORDER BY."""
    for at in range(start, end):
        if statement.words[at] in ("asc", "desc", "nulls", "order", "rows"):
            break
        is_value = statement.words[at] in ("null", "true", "false") or statement.word(at - 1) == "::"
        if statement.is_name(at) and not is_value:
            return False
    return True


@rule(
    "listagg median percentile_cont percentile_disc",
    message="within group ORDER BY clauses for aggregate functions must be the same",
    wording="DG/r_MEDIAN",
    sqlstate="0A000",
    evidence="DG/r_LISTAGG; DG/r_MEDIAN",
    refused="SELECT LISTAGG(c) WITHIN GROUP (ORDER BY a), LISTAGG(c) WITHIN GROUP (ORDER BY b) FROM t",
    accepted="SELECT LISTAGG(c) WITHIN GROUP (ORDER BY a), LISTAGG(b) WITHIN GROUP (ORDER BY a) FROM t",
)
def within_group_orders(statement: Statement) -> int | None:
    """Ordered aggregates of one query with unlike `WITHIN GROUP` orders; a `MEDIAN` is ordered by its argument.

    Those with a window each have their own.
    """
    orders: dict[Query, str] = {}
    for at in sorted([*statement.find("within", "group", "("), *statement.find("median", "(")]):
        start, closing = at + 2, statement.partner.get(at + 2)
        if statement.words[at] == "median":
            start, closing = at + 1, statement.partner.get(at + 1)
        if closing is not None and statement.word(closing + 1) == "over":
            continue
        order = " ".join(token.text.lower() for token in statement.tokens[start + 1 : closing])
        order = order.removeprefix("order by ").removesuffix(" asc")
        if orders.setdefault(statement.query(at), order) != order:
            return at
    return None


PARTITIONED = words("listagg median percentile_cont percentile_disc ratio_to_report")


@rule(
    "listagg median percentile_cont percentile_disc ratio_to_report lag lead",
    pattern=r"\bover\b",
    message="the window has an ORDER BY or a frame, which its function does not take",
    sqlstate="0A000",
    evidence="DG/r_WF_MEDIAN; DG/r_WF_PERCENTILE_CONT; DG/r_WF_LISTAGG; DG/r_WF_RATIO_TO_REPORT; DG/r_WF_LAG",
    refused="SELECT MEDIAN(b) OVER (PARTITION BY a ORDER BY f) FROM t",
    accepted="SELECT MEDIAN(b) OVER (PARTITION BY a) FROM t",
)
def window_of_all_rows(statement: Statement) -> int | None:
    """`MEDIAN`, percentiles, `LISTAGG` and `RATIO_TO_REPORT` over an ordered window; `LAG` and `LEAD` with a frame."""
    for over, opening in windows(statement):
        name = function_of(statement, over)
        within = {statement.words[at] for at in statement.level(opening + 1)}
        if name in PARTITIONED and within & {"order", "rows"}:
            return over
        if name in LAGGING and "rows" in within:
            return over
    return None

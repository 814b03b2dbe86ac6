"""Expressions and clauses of Redshift that PostgreSQL writes in another way.

What a function in the database can do is in `sql/functions.sql`; here is only what is not a call
in PostgreSQL: syntax of its own, unquoted date parts, any number of arguments of any type.
"""

from __future__ import annotations

from collections.abc import Callable

from local_redshift.translation.qualify import translate_qualify
from local_redshift.translation.settings import PARAMETERS, PREFIX
from local_redshift.translation.tokens import Token, closing, is_call, literal, split, write

Arguments = list[list[Token]]

DATE_PARTS = {
    spelling: part
    for part, spellings in {
        "millennium": "millennium millennia mil mils",
        "century": "century centuries c cent cents",
        "decade": "decade decades dec decs",
        "epoch": "epoch",
        "year": "year years y yr yrs",
        "quarter": "quarter quarters qtr qtrs",
        "month": "month months mon mons",
        "week": "week weeks w",
        "day": "day days d",
        "dow": "dayofweek dow dw weekday",
        "doy": "dayofyear doy dy yearday",
        "hour": "hour hours h hr hrs",
        "minute": "minute minutes m min mins",
        "second": "second seconds s sec secs",
        "milliseconds": "millisecond milliseconds ms msec msecs msecond mseconds millisec millisecs",
        "microseconds": "microsecond microseconds us usec usecs usecond useconds microsec microsecs",
        "timezone": "timezone",
        "timezone_hour": "timezone_hour",
        "timezone_minute": "timezone_minute",
    }.items()
    for spelling in spellings.split()
}


def translate_expressions(tokens: list[Token]) -> str:
    """Write the tokens with every expression in PostgreSQL's terms, innermost first."""
    tokens = translate_qualify(tokens)
    written = []
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token.word in FUNCTIONS and is_call(tokens, position):
            text, position = _translate_call(tokens, position)
            written.append(token.space + text)
        elif token.word == "(":
            close = closing(tokens, position)
            inner = translate_expressions(tokens[position + 1 : close])
            if inner.strip().lower() == "max" and position and tokens[position - 1].word in SIZED:
                inner = "65535"
            written += [token.space, "(", inner]
            if close < len(tokens):
                written.append(tokens[close].space + ")")
            position = close + 1
        else:
            written.append(token.space + _translate_word(tokens, position))
            position += 1
    return "".join(written)


def _translate_word(tokens: list[Token], position: int) -> str:
    """Translate the few words that stand for themselves."""
    token = tokens[position]
    if token.word not in WORDS:
        return token.text
    before = tokens[position - 1].word if position else ""
    after = tokens[position + 1].word if position + 1 < len(tokens) else ""
    if token.word == "sysdate" and "." not in (before, after) and before != "as":
        return "sysdate()"
    if token.word == "minus" and after in ("select", "(", "with"):
        return "EXCEPT"
    if token.word == "approximate" and after in ("count", "percentile_disc"):
        return ""
    return token.text


def _translate_call(tokens: list[Token], position: int) -> tuple[str, int]:
    close = closing(tokens, position + 1)
    arguments = split(tokens[position + 2 : close], ",")
    return FUNCTIONS[tokens[position].word](arguments, tokens, close + 1)


def _written(tokens: list[Token]) -> str:
    return translate_expressions(tokens).strip()


def _group(tokens: list[Token], position: int, *words: str) -> tuple[list[Token], int] | None:
    """The tokens in the parentheses that follow these words here, and the position after."""
    end = position + len(words)
    if tuple(token.word for token in tokens[position:end]) != words:
        return None
    if end >= len(tokens) or tokens[end].word != "(":
        return None
    close = closing(tokens, end)
    return tokens[end + 1 : close], close + 1


def listagg(arguments: Arguments, tokens: list[Token], after: int) -> tuple[str, int]:
    """LISTAGG([DISTINCT] value [, separator]) [WITHIN GROUP (ORDER BY …)] [OVER (…)].

    NULL and the empty string are left out, as Redshift documents. With DISTINCT the values are
    collected in their own type, so that numbers sort as numbers.
    """
    value = arguments[0]
    distinct = value[0].word == "distinct"
    item = _written(value[1:] if distinct else value)
    separator = _written(arguments[1]) if len(arguments) > 1 else "''"
    kept = f"FILTER (WHERE ({item})::TEXT <> '')"
    order = ""
    if within := _group(tokens, after, "within", "group"):
        inner, after = within
        order = _written(inner)
    over = ""
    if window := _group(tokens, after, "over"):
        inner, after = window
        # PostgreSQL has no ORDER BY inside an aggregate that is a window function.
        frame = " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING" if order else ""
        over = f" OVER ({_written(inner)} {order}{frame})"
        order = ""
    if distinct:
        text = f"array_to_string(array_agg(DISTINCT {item} {order}) {kept}{over}, {separator})"
    else:
        text = f"string_agg(({item})::TEXT, {separator} {order}) {kept}{over}"
    return f"CAST(listagg({text}) AS VARCHAR(65535))", after


def value_of_frame(name: str) -> Callable[[Arguments, list[Token], int], tuple[str, int]]:
    """FIRST_VALUE, LAST_VALUE or NTH_VALUE, which may ignore NULLs: then it is an aggregate over the same window."""

    def call(arguments: Arguments, tokens: list[Token], after: int) -> tuple[str, int]:
        ignored, after = _ignores_nulls(tokens, after)
        last = arguments[-1]
        if [token.word for token in last[-1:]] == ["nulls"] and name != "nth_value":  # the older place, in parentheses
            ignored = ignored or last[-2].word == "ignore"
            arguments = [last[:-2]]
        written = [_written(each) for each in arguments]
        if not ignored:
            return f"{name}({', '.join(written)})", after
        if name != "nth_value":
            return f"local_redshift.{name.removesuffix('_value')}_not_null({written[0]})", after
        inner, after = _group(tokens, after, "over") or ([], after)
        return f"({_not_null(written[0], _written(inner))})[{written[1]}]", after

    return call


def value_of_row(name: str) -> Callable[[Arguments, list[Token], int], tuple[str, int]]:
    """LAG or LEAD, which may ignore NULLs: then it counts in what is not NULL before the row, or behind it."""

    def call(arguments: Arguments, tokens: list[Token], after: int) -> tuple[str, int]:
        ignored, after = _ignores_nulls(tokens, after)
        value, *offsets = [_written(each) for each in arguments]
        window = _group(tokens, after, "over")
        if not ignored or window is None:
            return f"{name}({', '.join([value, *offsets])})", after
        inner, after = window
        frame = "UNBOUNDED PRECEDING AND 1 PRECEDING" if name == "lag" else "1 FOLLOWING AND UNBOUNDED FOLLOWING"
        over = f"{_written(inner)} ROWS BETWEEN {frame}"
        if not offsets:
            return f"local_redshift.{'last' if name == 'lag' else 'first'}_not_null({value}) OVER ({over})", after
        values = _not_null(value, over)
        position = f"cardinality({values}) + 1 - ({offsets[0]})" if name == "lag" else offsets[0]
        return f"({values})[{position}]", after

    return call


def _ignores_nulls(tokens: list[Token], after: int) -> tuple[bool, int]:
    """Whether IGNORE NULLS stands behind a call, and the position behind it or RESPECT NULLS."""
    words = [token.word for token in tokens[after : after + 2]]
    if words not in (["ignore", "nulls"], ["respect", "nulls"]):
        return False, after
    return words[0] == "ignore", after + 2


def _not_null(value: str, over: str) -> str:
    """The values of a window that are not NULL, in its order."""
    return f"array_agg({value}) FILTER (WHERE ({value}) IS NOT NULL) OVER ({over})"


def percentile_cont(arguments: Arguments, tokens: list[Token], after: int) -> tuple[str, int]:
    """PERCENTILE_CONT(percentile) WITHIN GROUP (ORDER BY number [DESC]) [OVER (…)]."""
    percentile = _written(arguments[0])
    within = _group(tokens, after, "within", "group")
    over = _group(tokens, within[1], "over") if within else None
    if within is None or over is None:
        return f"percentile_cont({percentile})", after
    number = within[0][2:]  # behind ORDER BY
    if number[-1].word in ("asc", "desc"):
        percentile = f"1 - ({percentile})" if number[-1].word == "desc" else percentile
        number = number[:-1]
    return f"local_redshift.percentile_cont({percentile}, {_written(number)}) OVER ({_written(over[0])})", over[1]


def ratio_to_report(arguments: Arguments, tokens: list[Token], after: int) -> tuple[str, int]:
    """RATIO_TO_REPORT(number) OVER (…): its part of the sum."""
    number = _written(arguments[0])
    inner, after = _group(tokens, after, "over") or ([], after)
    return f"(({number})::FLOAT8 / NULLIF(SUM({number}) OVER ({_written(inner)}), 0)::FLOAT8)", after


def try_cast(arguments: Arguments, _tokens: list[Token], after: int) -> tuple[str, int]:
    """TRY_CAST(value AS type), NULL when the value can not be converted."""
    words = [token.word for token in arguments[0]]  # what has commas is in parentheses
    at = len(words) - 1 - words[::-1].index("as")
    value, kind = _written(arguments[0][:at]), write(arguments[0][at + 1 :]).strip()
    # What has no type yet is a string.
    if [token.kind for token in arguments[0][:at]] in (["literal"], ["parameter"]) or value.lower() == "null":
        value = f"{value}::VARCHAR"
    return f"CAST(local_redshift.try_cast({value}, NULL::{kind}, {literal(kind)}) AS {kind})", after


def coalesce(arguments: Arguments, _tokens: list[Token], after: int) -> tuple[str, int]:
    """NVL(a, b, …)."""
    return f"COALESCE({', '.join(map(_written, arguments))})", after


def nvl2(arguments: Arguments, _tokens: list[Token], after: int) -> tuple[str, int]:
    """NVL2(tested, value when not NULL, value when NULL)."""
    tested, present, absent = map(_written, arguments)
    return f"CASE WHEN ({tested}) IS NOT NULL THEN {present} ELSE {absent} END", after


def decode(arguments: Arguments, _tokens: list[Token], after: int) -> tuple[str, int]:
    """DECODE(expression, search, result, …[, default]), in which NULL equals NULL."""
    expression, *rest = map(_written, arguments)
    if len(rest) == 1:  # PostgreSQL's own DECODE(text, format)
        return f"decode({expression}, {rest[0]})", after
    default = f" ELSE {rest[-1]}" if len(rest) % 2 else ""
    cases = [
        f"WHEN ({expression}) = ({search}) OR (({expression}) IS NULL AND ({search}) IS NULL) THEN {result}"
        for search, result in zip(rest[0::2], rest[1::2], strict=False)
    ]
    return f"CASE {' '.join(cases)}{default} END", after


def with_date_part(name: str) -> Callable[[Arguments, list[Token], int], tuple[str, int]]:
    """A function whose first argument is a date part, which may be unquoted and abbreviated."""

    def call(arguments: Arguments, _tokens: list[Token], after: int) -> tuple[str, int]:
        part, *rest = map(_written, arguments)
        known = DATE_PARTS.get(part.strip("'\"").lower())
        quoted = f"'{known}'" if known else part
        return f"{name}({', '.join([quoted, *rest])})", after

    return call


def extract(arguments: Arguments, _tokens: list[Token], after: int) -> tuple[str, int]:
    """EXTRACT(part FROM time), a whole number on Redshift and NUMERIC on PostgreSQL."""
    part, *rest = arguments[0]
    known = DATE_PARTS.get(part.text.strip("'\"").lower(), part.text)
    number = "BIGINT" if known == "epoch" else "INTEGER"
    return f"CAST(trunc(EXTRACT({known}{translate_expressions(rest)})) AS {number})", after


def in_schema(name: str) -> Callable[[Arguments, list[Token], int], tuple[str, int]]:
    """A function that PostgreSQL has too, with another meaning."""

    def call(arguments: Arguments, _tokens: list[Token], after: int) -> tuple[str, int]:
        return f"local_redshift.{name}({', '.join(map(_written, arguments))})", after

    return call


def with_parameter(name: str) -> Callable[[Arguments, list[Token], int], tuple[str, int]]:
    """A function whose first argument names a session parameter, which may be one that only Redshift has."""

    def call(arguments: Arguments, _tokens: list[Token], after: int) -> tuple[str, int]:
        parameter, *rest = map(_written, arguments)
        known = parameter.strip("'").lower()
        named = f"'{PREFIX}{known}'" if known in PARAMETERS else parameter
        return f"{name}({', '.join([named, *rest])})", after

    return call


FUNCTIONS: dict[str, Callable[[Arguments, list[Token], int], tuple[str, int]]] = {
    "dateadd": with_date_part("date_add"),
    "date_add": with_date_part("date_add"),
    "current_setting": with_parameter("current_setting"),
    "datediff": with_date_part("date_diff"),
    "date_diff": with_date_part("date_diff"),
    "date_part": with_date_part("date_part"),
    "pgdate_part": with_date_part("date_part"),
    "decode": decode,
    "extract": extract,
    "first_value": value_of_frame("first_value"),
    "lag": value_of_row("lag"),
    "last_value": value_of_frame("last_value"),
    "lead": value_of_row("lead"),
    "listagg": listagg,
    "nth_value": value_of_frame("nth_value"),
    "nvl": coalesce,
    "nvl2": nvl2,
    "percentile_cont": percentile_cont,
    "ratio_to_report": ratio_to_report,
    "regexp_replace": in_schema("regexp_replace"),
    "regexp_substr": in_schema("regexp_substr"),
    "set_config": with_parameter("set_config"),
    "try_cast": try_cast,
}
# In these a name without quotes may be a date part.
FUNCTIONS_OF_DATE_PARTS = frozenset(
    {"date_add", "date_diff", "date_part", "dateadd", "datediff", "extract", "pgdate_part"}
)
WORDS = frozenset({"approximate", "minus", "qualify", "sysdate"})
SIZED = frozenset({"varchar", "nvarchar", "varying", "char", "character"})

"""Parses a SELECT, and says in words of SQL what is wrong with its text, and in which line of its file."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ParseError, TokenError
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.tokenizer_core import TokenType

from surgical_cdc.compiler.unsupported import place
from surgical_cdc.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlglot.tokenizer_core import Token

    from surgical_cdc.contract.tables import Select

# What can not follow a comma, or come before one; the parser passes over such commas.
AFTER_A_LIST = frozenset(
    {
        *(TokenType.COMMA, TokenType.R_PAREN, TokenType.FROM, TokenType.WHERE, TokenType.GROUP_BY, TokenType.HAVING),
        *(TokenType.QUALIFY, TokenType.ORDER_BY, TokenType.LIMIT, TokenType.UNION, TokenType.SEMICOLON),
    }
)
BEFORE_A_LIST = frozenset({TokenType.SELECT, TokenType.L_PAREN})
# What a placeholder begins with, unless an operand stands before it: then that is an operator.
MARKS = frozenset({TokenType.PLACEHOLDER, TokenType.PARAMETER, TokenType.COLON, TokenType.MOD})
OPERANDS = frozenset(
    {TokenType.VAR, TokenType.IDENTIFIER, TokenType.NUMBER, TokenType.STRING, TokenType.R_PAREN, TokenType.R_BRACKET}
)
# So deep may expressions and queries stand in one another, and so many branches may a CASE have: what reads and writes
# a tree calls itself at each level.
DEPTH = 200
BRANCHES = 1000
OPENS = frozenset({TokenType.L_PAREN, TokenType.CASE})
CLOSES = frozenset({TokenType.R_PAREN, TokenType.END})
UNCLOSED = re.compile(r"Missing (?P<quote>.+) from \d+:(?P<start>\d+)")


def parse(select: Select) -> exp.Query:
    """Return the query of a SELECT, names in lower case; its parts know their places in its file.

    Raises:
        ProjectError: the text is not one query, or has placeholders.
    """
    dialect = Dialect.get_or_raise("redshift")
    try:
        tokens = dialect.tokenize(select.sql)
    except TokenError as error:
        raise ProjectError(_unclosed(error, select)) from error
    _check_commas(tokens, select)
    _check_add_months(tokens, select)
    _check_nesting(tokens, select)
    try:
        statements = dialect.parser().parse(tokens, select.sql)
    except RecursionError:
        raise ProjectError(too_deep(select.path)) from None
    except ParseError as error:
        raise ProjectError(_unparsed(error, select)) from error
    queries = [statement for statement in statements if statement is not None]
    if len(queries) != 1 or not isinstance(queries[0], exp.Query):
        raise ProjectError(_no_select(queries, tokens, select))
    _check_placeholders(queries[0], tokens, select)
    for part in queries[0].walk():
        if part._meta and "line" in part._meta:  # noqa: SLF001 - the parser's own places, of which most parts have none
            part._meta = Place(path=select.path, line=part.meta["line"])  # noqa: SLF001
    _check_depth(queries[0], select)
    query = normalize_identifiers(queries[0], dialect=dialect)
    _check_cte_names(query, select)
    _cast_dates(query)
    return query


def _cast_dates(query: exp.Query) -> None:
    """Write each call of a type as the cast that it is: DATE(x), those within others first."""
    for call in reversed(list(query.find_all(exp.Date))):
        if [name for name, value in call.args.items() if value] == ["this"]:
            call.replace(exp.cast(call.this, "date"))


class Place(dict[str, object]):
    """Where a part of a query stands, its `path` and `line`; of a plain mapping copies would take twice as long."""

    def __deepcopy__(self, _: object) -> Place:
        """Return a copy; what it holds never changes."""
        return Place(self)


def depth_of(query: exp.Expr) -> int:
    """Return how deep the deepest part of a query stands in others."""
    return max(depth for _, depth in _depths(query))


def _depths(query: exp.Expr) -> Iterator[tuple[exp.Expr, int]]:
    """Yield each part of a query with how deep it stands, those that stand less deep first."""
    depths: dict[int, int] = {}
    for part in query.bfs():
        depths[id(part)] = depth = depths.get(id(part.parent), 0) + 1
        yield part, depth


def _check_depth(query: exp.Query, select: Select) -> None:
    """Refuse a tree that is deeper, or a CASE that is longer, than all that reads them can take."""
    for part, depth in _depths(query):
        if depth > DEPTH:
            raise ProjectError(too_deep(place(part, select)))
        if isinstance(part, exp.Case) and len(part.args["ifs"]) > BRANCHES:
            raise ProjectError(
                f"{place(part, select)}: a CASE of {len(part.args['ifs'])} branches, expected {BRANCHES} at most. Keep"
                " the values in a source, and join it."
            )


def _check_nesting(tokens: Sequence[Token], select: Select) -> None:
    """Refuse before it is parsed what the parser would call itself for too often."""
    depth = 0
    for token in tokens:
        depth += (token.token_type in OPENS) - (token.token_type in CLOSES)
        if depth > DEPTH:
            raise ProjectError(too_deep(_place(token.start, select)))


def too_deep(where: str) -> str:
    """Return the message of what is too deep at a place."""
    return (
        f"{where}: what stands here is more than {DEPTH} deep in other expressions and queries. Each operator of a"
        " chain counts, as OR, + or UNION, and each model that another reads. Write IN (…) for a chain of OR, keep long"
        " lists of values in a source that is joined, or materialize a model in between as a source."
    )


def _no_select(statements: Sequence[exp.Expr], tokens: Sequence[Token], select: Select) -> str:
    kind = f"{len(statements)} statements" if statements else "none"
    if len(statements) == 1:
        first = statements[0]
        kind = (first.key if isinstance(first, exp.DML | exp.DDL) else tokens[0].text).upper()
    return f"{select.path}: expected one SELECT, found {kind}. A model is a SELECT, and that alone."


def _place(start: int, select: Select) -> str:
    """Return where a character of a text stands; the tokens' own lines are wrong after a `$`."""
    return f"{select.path}, line {select.sql.count(chr(10), 0, start) + 1}"


def _unclosed(error: TokenError, select: Select) -> str:
    missing = UNCLOSED.match(str(error.__context__))
    if missing:
        return f"{_place(int(missing['start']), select)}: {missing['quote']} opens what is not closed."
    return f"{select.path}: a comment or a quote is not closed."


def _unparsed(error: ParseError, select: Select) -> str:
    first = error.errors[0]
    problem = re.sub(r" but got <.*", "", first["description"])
    if "<class" in problem:
        problem = "Incomplete expression at"
    return f"{select.path}, line {first['line']}: {problem} {first['highlight']!r}."


def _check_commas(tokens: Sequence[Token], select: Select) -> None:
    for first, second in pairwise(tokens):
        if first.token_type == TokenType.COMMA and second.token_type in AFTER_A_LIST:
            raise ProjectError(f"{_place(first.start, select)}: nothing stands between ',' and {second.text!r}.")
        if second.token_type == TokenType.COMMA and first.token_type in BEFORE_A_LIST:
            raise ProjectError(f"{_place(second.start, select)}: nothing stands between {first.text!r} and ','.")


def _check_add_months(tokens: Sequence[Token], select: Select) -> None:
    """Refuse ADD_MONTHS, which the parser takes for DATEADD: that does not keep the end of a month."""
    for first, second in pairwise(tokens):
        if first.text.upper() == "ADD_MONTHS" and second.token_type == TokenType.L_PAREN:
            raise ProjectError(
                f"{_place(first.start, select)}: ADD_MONTHS can not be sent as it is. Write DATEADD(MONTH, n, d), and"
                " LAST_DAY of it where the end of a month must stay one."
            )


def _check_placeholders(query: exp.Query, tokens: Sequence[Token], select: Select) -> None:
    if query.find(exp.Placeholder, exp.Parameter, exp.SessionParameter):
        marks = (
            second
            for first, second in pairwise(tokens)
            if second.token_type in MARKS and first.token_type not in OPERANDS
        )
        mark = next(marks, tokens[0])
        raise ProjectError(
            f"{_place(mark.start, select)}: {mark.text!r} begins a placeholder, for which nothing gives a value."
            " Write the value."
        )


def _check_cte_names(query: exp.Query, select: Select) -> None:
    for with_ in query.find_all(exp.With):
        seen: set[str] = set()
        for cte in with_.expressions:
            if cte.alias in seen:
                raise ProjectError(f"{place(cte.args['alias'], select)}: WITH defines {cte.alias} twice.")
            seen.add(cte.alias)

"""Whether a query can tell equal values apart: strings by their trailing spaces, floats by the sign of zero.

Redshift takes 'a' and 'a ' for equal, and 0 and -0. Functions of them may differ, and so may what is shown.
"""

from __future__ import annotations

from typing import Literal

from sqlglot import exp

# Comparisons, which take strings that differ in trailing spaces for equal; and what gives equal results for these.
CONDITIONS = (
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Is),
    *(exp.And, exp.Or, exp.Not),
)
BLIND = (
    *(*CONDITIONS, exp.Paren, exp.Tuple, exp.Coalesce, exp.Nullif, exp.Case, exp.If),
    *(exp.Cast, exp.Lower, exp.Upper, exp.Left, exp.Substring),
)
# Stands for a value, a string or a float, as an alias that no query can have.
EQUALS = "(key)"
# Which equal values of an expression a query can tell apart: strings by trailing spaces, floats by the sign of zero.
LookAlike = Literal["text", "float"] | None


def keeps_trailing_spaces(part: exp.Expr) -> bool:
    """Return whether a value can end in its operand's trailing spaces."""
    return not isinstance(part, exp.Trim) or part.args.get("position") == "LEADING" or bool(part.expression)


def sees_trailing_spaces(expression: exp.Expr, alias: str) -> bool:
    """Return whether an expression can differ for strings of a relation that differ in trailing spaces alone.

    A difference in trailing spaces is none.

    >>> from sqlglot import parse_one
    >>> sees_trailing_spaces(parse_one("t.name = LOWER(o.note)"), "t")
    False
    >>> sees_trailing_spaces(parse_one("LENGTH(t.name) = o.kind"), "t")
    True
    """
    if isinstance(expression, exp.Column):
        return False
    parts = list(expression.iter_expressions())
    if isinstance(expression, BLIND) or not keeps_trailing_spaces(expression):
        return any(sees_trailing_spaces(part, alias) for part in parts)
    return any(_shows_trailing_spaces(part, alias) for part in parts)


def _shows_trailing_spaces(expression: exp.Expr, alias: str) -> bool:
    if isinstance(expression, exp.Column):
        return expression.table == alias
    if isinstance(expression, CONDITIONS) or not keeps_trailing_spaces(expression):
        return sees_trailing_spaces(expression, alias)
    return any(_shows_trailing_spaces(part, alias) for part in expression.iter_expressions())


def stand_in(part: exp.Expr, kind: LookAlike) -> exp.Expr:
    """Return what stands for a part of a predicate: a column of EQUALS, NULL where nothing tells equal values apart."""
    if kind == "text":
        return exp.column(kind, table=EQUALS)
    # Whatever is not a comparison may show the sign of zero, and is taken for what shows trailing spaces.
    is_compared = isinstance(part.parent, CONDITIONS) or part.parent is None
    return exp.null() if kind is None or is_compared else exp.func("LENGTH", exp.column(kind, table=EQUALS))


def tells_equals_apart(predicate: exp.Expr) -> bool:
    """Return whether a predicate, in which stand-ins are, can differ for values that are equal."""
    return sees_trailing_spaces(predicate, EQUALS)

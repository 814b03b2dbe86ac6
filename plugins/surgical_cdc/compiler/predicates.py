"""Questions about predicates whose columns name the relation that they are of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

COMPARISONS = (exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NEQ, exp.Like)
# What gives NULL where any part of it is NULL; of all else that is not known.
STRICT = (
    *(exp.Column, exp.Identifier, exp.Literal, exp.Cast, exp.DataType, exp.DataTypeParam, exp.Var, exp.Paren, exp.Neg),
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe),
    *(exp.Lower, exp.Upper, exp.Trim, exp.Translate, exp.Substring, exp.Length),
)


def aliases_of(expression: exp.Expr) -> set[str]:
    """Return the relations that an expression reads."""
    return {column.table for column in expression.find_all(exp.Column)}


def operands(predicate: exp.Expr | None) -> list[exp.Expr]:
    """Return the operands of AND, however they are nested."""
    if isinstance(predicate, exp.And):
        return [*operands(predicate.left), *operands(predicate.right)]
    if isinstance(predicate, exp.Paren):
        return operands(predicate.this)
    return [] if predicate is None else [predicate]


def equalities(on: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """Yield the two sides of each equality that must hold, in both orders."""
    for part in on.flatten() if isinstance(on, exp.And) else [on]:
        if isinstance(part, exp.EQ):
            yield part.left, part.right
            yield part.right, part.left


def rejects_null(predicate: exp.Expr) -> bool:
    """Return whether a predicate is surely not true when a column in it is NULL."""
    return all(
        isinstance(part, COMPARISONS) and all(isinstance(inner, STRICT) for inner in [*part.walk()][1:])
        for part in operands(predicate)
    )


def is_never_true(predicate: exp.Expr) -> bool:
    """Return whether a predicate compares something with NULL."""
    return any(
        isinstance(part, COMPARISONS) and (is_null(part.left) or is_null(part.right)) for part in operands(predicate)
    )


def is_null(expression: exp.Expr) -> bool:
    """Return whether an expression is NULL, written out or cast to a type."""
    expression = expression.unnest()
    while isinstance(expression, exp.Cast):
        expression = expression.this.unnest()
    return isinstance(expression, exp.Null)


def with_definitions(expression: exp.Expr, definitions: Mapping[tuple[str, str], exp.Expr]) -> exp.Expr:
    """Return a copy of an expression with its columns, keyed (relation, name), replaced by what defines them."""

    def define(part: exp.Expr) -> exp.Expr:
        if isinstance(part, exp.Column) and (part.table, part.name) in definitions:
            return _parenthesised(definitions[part.table, part.name])
        return part

    return expression.copy().transform(define)


def renamed(predicate: exp.Expr, alias: str, name: str) -> exp.Expr:
    """Return a copy of a predicate in which a relation has another name."""

    def rename(part: exp.Expr) -> exp.Expr:
        if isinstance(part, exp.Column) and part.table == alias:
            return exp.column(part.name, table=name)
        return part

    return predicate.copy().transform(rename)


def _parenthesised(expression: exp.Expr) -> exp.Expr:
    copied = expression.copy()
    return copied if isinstance(copied, (exp.Column, exp.Func, exp.Literal)) else exp.paren(copied)

"""Gives LISTAGG and LIMIT an order that leaves nothing open, so that a query has one result however rows are read.

What a query leaves open it allows, so any such order is one of its own results: behind what the query itself orders by
comes all that is listed, or shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.scope import walk_in_scope

# Of these, equal values are identical. Strings can differ in trailing spaces, floats in the sign of zero.
EQUAL_IS_IDENTICAL = frozenset({*exp.DataType.INTEGER_TYPES, exp.DataType.Type.DECIMAL, *exp.DataType.TEMPORAL_TYPES})
ANY_TEXT = "varchar(65535)"


def order_lists(query: exp.Expr, schema: Mapping[str, object]) -> None:
    """Order each LISTAGG that has no order by all that it lists, in a query that is qualified.

    Redshift takes one order for all ordered aggregates of a SELECT, so those without one share it. Left as they are:
    beside an ordered one, and beside another with DISTINCT, which can be ordered by what it lists alone.
    """
    if not any(is_unordered(part) for part in query.find_all(exp.GroupConcat)):
        return
    typed = annotate_types(query.copy(), schema=dict(schema), dialect="redshift")
    selects = zip(list(query.find_all(exp.Select)), list(typed.find_all(exp.Select)), strict=True)
    for select, typed_select in selects:
        _order_lists_of(select, typed_select)


def is_unordered(part: exp.Expr) -> bool:
    """Return whether a part of a query is a LISTAGG without an order.

    >>> from sqlglot import parse_one
    >>> is_unordered(parse_one("LISTAGG(name, ',')", read="redshift"))
    True
    """
    return isinstance(part, exp.GroupConcat) and not isinstance(part.parent, exp.WithinGroup)


def _order_lists_of(select: exp.Select, typed: exp.Select) -> None:
    lists = [part for part in walk_in_scope(select) if is_unordered(part)]
    is_ordered_already = any(isinstance(part, (exp.WithinGroup, exp.Median)) for part in walk_in_scope(select))
    if not lists or is_ordered_already:
        return
    listed = list(dict.fromkeys(_listed(part) for part in walk_in_scope(typed) if is_unordered(part)))
    has_distinct = any(part.find(exp.Distinct) for part in lists)
    if has_distinct and len(listed) > 1:
        return
    terms = listed if has_distinct else [term for value in listed for term in _apart(value)]
    for part in lists:
        order = exp.Order(expressions=[exp.Ordered(this=term.copy()) for term in terms])
        within = exp.WithinGroup(this=part.copy(), expression=order)
        part.replace(within)


def _listed(part: exp.Expr) -> exp.Expr:
    """Return what a LISTAGG lists; the parser takes the separator for a part of its DISTINCT."""
    listed: exp.Expr = part.this.expressions[0] if isinstance(part.this, exp.Distinct) else part.this
    return listed


def _apart(value: exp.Expr) -> Sequence[exp.Expr]:
    """Return what a value is ordered by so that only identical ones are tied, in a query with types."""
    if value.is_type(*EQUAL_IS_IDENTICAL):
        return [value]
    text = value if value.is_type(*exp.DataType.TEXT_TYPES) else exp.cast(value.copy(), ANY_TEXT, dialect="redshift")
    return [text, exp.Length(this=text.copy())]


def order_limits(query: exp.Select, row_key: Sequence[str]) -> None:
    """Order what LIMIT and OFFSET keep by all that is shown, behind their own order; the fact itself by its row key."""
    for part in query.find_all(exp.Select, exp.SetOperation):
        if part.args.get("limit") is None and part.args.get("offset") is None:
            continue
        order = part.args.get("order")
        own = list(order.expressions) if order else []
        shown = _not_among([term.this for term in own], part)
        added = [exp.Ordered(this=name) for name in shown if part is not query or name.name in row_key]
        if added:
            part.set("order", exp.Order(expressions=[*own, *added]))


def _not_among(ordered: Sequence[exp.Expr], query: exp.Query) -> Iterator[exp.Column]:
    """Yield the columns of a result, by their names, that it is not ordered by; a constant tells no rows apart."""
    names = Counter(query.named_selects)
    for projection in query.selects:
        identifier = projection.args["alias"] if isinstance(projection, exp.Alias) else projection.this
        column = exp.Column(this=identifier.copy())
        is_constant = isinstance(query, exp.Select) and not projection.find(exp.Column, exp.AggFunc, exp.Window)
        if names[column.name] == 1 and not is_constant and not {column, projection.unalias()} & {*ordered}:
            yield column

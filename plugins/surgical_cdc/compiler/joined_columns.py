"""Columns that a join makes equal: their COALESCE, which JOIN USING stands for, is the left one."""

from __future__ import annotations

from sqlglot import exp

from surgical_cdc.compiler.predicates import equalities

Key = tuple[str, str]


def merge_joined_columns(query: exp.Query) -> None:
    """Write the left column in place of COALESCE(left, right), in a query that is qualified.

    That holds for INNER and LEFT joins on left = right: where the left column is NULL no row is joined, and the right
    one is NULL too.
    """
    for select in query.find_all(exp.Select):
        lefts: dict[Key, exp.Column] = {}
        for join in select.args.get("joins") or ():
            joined, on = join.alias_or_name, join.args.get("on")
            if on is None or join.side not in {"", "LEFT"}:
                continue
            # The join's own predicate may have one of an earlier join, as a third USING has.
            _merge(select, on, lefts)
            for one, other in equalities(on):
                if isinstance(one, exp.Column) and isinstance(other, exp.Column) and one.table == joined != other.table:
                    lefts[one.table, one.name] = other
        _merge(select, select, lefts)


def _merge(select: exp.Select, part: exp.Expr, lefts: dict[Key, exp.Column]) -> None:
    """Merge what stands in a part of a SELECT itself: in a subquery the same names may mean other relations."""
    for coalesce in list(part.find_all(exp.Coalesce)):
        columns = [coalesce.this, *coalesce.expressions]
        if coalesce.parent_select is select and all(isinstance(column, exp.Column) for column in columns):
            first = columns[0]
            if all(_leftmost(column, lefts) == first for column in columns):
                coalesce.replace(first.copy())


def _leftmost(column: exp.Column, lefts: dict[Key, exp.Column]) -> exp.Column:
    while (column.table, column.name) in lefts:
        column = lefts[column.table, column.name]
    return column

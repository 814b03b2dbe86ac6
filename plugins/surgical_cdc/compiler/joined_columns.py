"""Columns that a join makes equal: what JOIN USING stands for, and where their COALESCE is the left one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from surgical_cdc.compiler.predicates import aliases_of, equalities

Key = tuple[str, str]


def names_in_using(query: exp.Expr) -> list[tuple[exp.Join, list[str]]]:
    """Return the joins by USING that stand behind a FULL or RIGHT JOIN of the same SELECT, with the names in USING."""
    found = []
    for select in query.find_all(exp.Select):
        may_lack_first = False
        for join in select.args.get("joins") or ():
            names = [part.name for part in join.args.get("using") or ()]
            if names and may_lack_first:
                found.append((join, names))
            may_lack_first = may_lack_first or join.side in {"FULL", "RIGHT"}
    return found


def complete_using(joins: Sequence[tuple[exp.Join, Sequence[str]]]) -> None:
    """Join by COALESCE of all columns before it that have a name in USING, in a query that is qualified since.

    sqlglot joins by the first of them, which behind a FULL or RIGHT JOIN may be NULL where the others are not.
    """
    for join, names in joins:
        select = join.parent
        if not isinstance(select, exp.Select):
            continue
        before = select.args["joins"][: select.args["joins"].index(join)]
        for one, other in equalities(join.args["on"]):
            if isinstance(one, exp.Column) and one.name in names and _is_of(other, join.alias_or_name, one.name):
                columns = _joined_by(one, before)
                if len(columns) > 1:
                    one.replace(exp.func("COALESCE", *columns))


def _joined_by(first: exp.Column, joins: Sequence[exp.Join]) -> list[exp.Expr]:
    """Return the columns of one name that joins make equal to the first of them, and it before them."""
    columns: list[exp.Expr] = [first.copy()]
    for join in joins:
        own = exp.column(first.name, table=join.alias_or_name)
        if any(other == own and one.find(exp.Column) == first for one, other in equalities(join.args["on"])):
            columns.append(own)
    return columns


def _is_of(part: exp.Expr, table: str, name: str) -> bool:
    return isinstance(part, exp.Column) and part.table == table and part.name == name


def merge_joined_columns(query: exp.Query) -> None:
    """Write the left column in place of COALESCE(left, right), in a query that is qualified.

    That holds for INNER and LEFT joins on left = right: where the left column is NULL no row is joined, and the right
    one is NULL too.
    """
    for select in query.find_all(exp.Select):
        lefts: dict[Key, exp.Expr] = {}
        for join in select.args.get("joins") or ():
            joined, on = join.alias_or_name, join.args.get("on")
            if on is None or join.side not in {"", "LEFT"}:
                continue
            # The join's own predicate may have one of an earlier join, as a third USING has.
            _merge(select, on, lefts)
            for one, other in equalities(on):
                if isinstance(one, exp.Column) and one.table == joined and joined not in aliases_of(other):
                    lefts[one.table, one.name] = other
        _merge(select, select, lefts)


def _merge(select: exp.Select, part: exp.Expr, lefts: Mapping[Key, exp.Expr]) -> None:
    """Merge what stands in a part of a SELECT itself: in a subquery the same names may mean other relations."""

    def is_inner(one: exp.Expr) -> bool:
        return isinstance(one, (exp.Select, exp.SetOperation)) and one is not select

    for coalesce in [one for one in part.walk(prune=is_inner) if isinstance(one, exp.Coalesce)]:
        columns = [coalesce.this, *coalesce.expressions]
        if coalesce.parent_select is select and all(isinstance(column, exp.Column) for column in columns):
            first = columns[0]
            if all(_leftmost(column, lefts) == first for column in columns):
                coalesce.replace(first.copy())
                continue
            # Behind a FULL JOIN a column may be equal to the COALESCE of those before it.
            while len(columns) > 1 and _is_coalesce(_left_of(columns[-1], lefts), columns[:-1]):
                columns.pop()
            coalesce.set("expressions", [column.copy() for column in columns[1:]])


def _left_of(column: exp.Expr, lefts: Mapping[Key, exp.Expr]) -> exp.Expr | None:
    return lefts.get((column.table, column.name)) if isinstance(column, exp.Column) else None


def _is_coalesce(part: exp.Expr | None, columns: Sequence[exp.Expr]) -> bool:
    return isinstance(part, exp.Coalesce) and [part.this, *part.expressions] == columns


def _leftmost(column: exp.Expr, lefts: Mapping[Key, exp.Expr]) -> exp.Expr:
    while isinstance(left := _left_of(column, lefts), exp.Column):
        column = left
    return column

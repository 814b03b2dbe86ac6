"""What the columns of a scope are in terms of nodes, through derived tables, once for each branch of a UNION."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from surgical_cdc.compiler.checks import branches, check_branch_types, of_several_rows
from surgical_cdc.compiler.derived_tables import definition_of, type_of
from surgical_cdc.compiler.predicates import with_definitions
from surgical_cdc.compiler.scopes import optional_aliases
from surgical_cdc.compiler.trailing_spaces import keeps_trailing_spaces
from surgical_cdc.compiler.unsupported import Refused
from surgical_cdc.contract.tables import type_family

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from surgical_cdc.compiler.nodes import Tables
    from surgical_cdc.compiler.trailing_spaces import LookAlike

# Types of which equal values can be told apart.
LOOK_ALIKE_TYPES = (*exp.DataType.TEXT_TYPES, exp.DataType.Type.FLOAT, exp.DataType.Type.DOUBLE)
SEVERAL_ROWS = (exp.AggFunc, exp.Window, exp.Query)
Definitions = dict[tuple[str, str], exp.Expr]


def in_terms_of_nodes(
    tables: Tables, scope: Scope, expressions: Sequence[exp.Expr], *, keep: str = ""
) -> list[list[exp.Expr]]:
    """Return expressions of a scope in terms of nodes, once for each branch of UNION; columns of `keep` stay.

    Raises:
        Refused: one is computed from several rows.
    """
    read: dict[str, list[str]] = {}
    for column in [column for expression in expressions for column in expression.find_all(exp.Column)]:
        if column.table != keep and column.table in scope.selected_sources:
            read.setdefault(column.table, []).append(column.name)
    choices = [_choices(tables, scope, alias, names) for alias, names in read.items()]
    ways = [{key: part for choice in way for key, part in choice.items()} for way in product(*choices)]
    return [[with_definitions(expression, way) for expression in expressions] for way in ways]


def _choices(tables: Tables, scope: Scope, alias: str, names: Sequence[str]) -> list[Definitions]:
    """Return what columns of a relation are in terms of nodes: one choice, or one for each branch of a UNION."""
    source = scope.selected_sources[alias][1]
    if isinstance(source, Scope):
        definitions = column_definitions(tables, source, names)
    else:
        definitions = [{name: exp.column(name, table=tables.name(source)) for name in names}]
    return [{(alias, name): part for name, part in defined.items()} for defined in definitions]


def column_definitions(tables: Tables, source: Scope, names: Sequence[str]) -> list[dict[str, exp.Expr]]:
    """Return what columns of a derived table are in terms of nodes, in each branch of a UNION.

    Raises:
        Refused: one is computed from several rows, or not of the same type in all branches.
    """
    names = list(dict.fromkeys(names))
    definitions: list[dict[str, exp.Expr]] = []
    for branch in branches(source):
        columns = [definition_of(source, branch, name) for name in names]
        for column in columns:
            if column.find(*SEVERAL_ROWS):
                raise of_several_rows(f"a tie to {column.sql('redshift')}", column)
        definitions += [dict(zip(names, way, strict=True)) for way in in_terms_of_nodes(tables, branch, columns)]
    for name in names:
        check_branch_types(name, [way[name] for way in definitions], source, lambda part: data_type(tables, part))
    return definitions


def is_of_one_row(tables: Tables, scope: Scope, predicate: exp.Expr, keys: Collection[exp.Expr]) -> bool:
    """Return whether a predicate reads one source of a scope, of which rows that are equal in `keys` show the same row.

    So it is where the source's key is among them, as in a source of which the newest row of each key is ranked first.
    """
    read = [column for column in predicate.find_all(exp.Column) if column.table in scope.selected_sources]
    try:
        ways = in_terms_of_nodes(tables, scope, read)
    except Refused:
        return False
    nodes = {column.table for way in ways for part in way for column in part.find_all(exp.Column)}
    if len(ways) > 1 or len(nodes) != 1:
        return False
    wanted = [exp.column(name, table=node) for node in nodes for name in tables.key(node)]
    shown = [_as_it_is(tables, scope, key) for key in keys]
    return bool(wanted) and all(column in shown for column in wanted)


def _as_it_is(tables: Tables, scope: Scope, key: exp.Expr) -> exp.Expr | None:
    """Return what an expression is in terms of nodes, without a cast that keeps integers apart; None if several."""
    try:
        ways = in_terms_of_nodes(tables, scope, [key])
    except Refused:
        return None
    if len(ways) != 1:
        return None
    shown = ways[0][0].unnest()
    if isinstance(shown, exp.Cast):
        value: exp.Expr = shown.this
        kinds = data_type(tables, shown), data_type(tables, value)
        if all(kind and type_family(kind) == "integer" for kind in kinds):
            return value
    return shown


def data_type(tables: Tables, expression: exp.Expr) -> str | None:
    """Return the type of an expression in terms of nodes, None where it is not known."""
    return type_of(expression, lambda column: tables.column(column).data_type)


def look_alike(tables: Tables, scope: Scope, expression: exp.Expr) -> LookAlike:
    """Return which equal values of an expression can be told apart, by the columns behind it."""
    if isinstance(expression, exp.Column):
        source = scope.selected_sources[expression.table][1] if expression.table in scope.selected_sources else None
        if isinstance(source, Scope):
            return _first(
                look_alike(tables, branch, definition_of(source, branch, expression.name))
                for branch in branches(source)
            )
        return tables.source(source).column(expression.name).look_alike if isinstance(source, exp.Table) else None
    if isinstance(expression, exp.Cast) and not expression.to.is_type(*LOOK_ALIKE_TYPES):
        return None
    if isinstance(expression, (exp.Length, exp.Count)) or not keeps_trailing_spaces(expression):
        return None
    return _first(look_alike(tables, scope, part) for part in expression.iter_expressions())


def _first(kinds: Iterable[LookAlike]) -> LookAlike:
    return next((kind for kind in kinds if kind), None)


def is_optional(scope: Scope, column: exp.Column, certain: Collection[str] = ()) -> bool:
    """Return whether an outer join can make the column NULL where its table has no NULL."""
    if column.table in optional_aliases(scope) - {*certain}:
        return True
    source = scope.selected_sources[column.table][1] if column.table in scope.selected_sources else None
    return isinstance(source, Scope) and any(
        is_optional(branch, inner)
        for branch in branches(source)
        for inner in definition_of(source, branch, column.name).find_all(exp.Column)
    )

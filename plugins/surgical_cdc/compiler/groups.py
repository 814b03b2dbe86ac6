"""Facts that group in their last step, and are maintained by what changed rows contribute to their groups.

Beside such a fact a control table keeps its groups: how many rows each has, and of each value that the fact aggregates
how many are there, and their sum. What the affected rows have contributed is taken off, what they contribute now is
added, and the fact's rows are computed from the groups (docs/adr/0009).

An update makes these temporary tables besides those of slices.py:
scdc_contributions (groups with what is to be added to them; what is taken off is negative),
scdc_groups (the groups of the affected keys as the fact's query has them: equal keys that look otherwise are one).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.scope import Scope, build_scope

from surgical_cdc.compiler.exact_numbers import Exact, exact
from surgical_cdc.compiler.fact_query import DIALECT, relation_of, schema_of, table_named
from surgical_cdc.compiler.join_tree import join_tree
from surgical_cdc.compiler.orders import EQUAL_IS_IDENTICAL
from surgical_cdc.compiler.predicates import equalities, with_definitions
from surgical_cdc.compiler.scopes import optional_aliases
from surgical_cdc.compiler.slices import insert_into, look_of, sliced_query
from surgical_cdc.compiler.unsupported import Refused
from surgical_cdc.contract.tables import Column, Source
from surgical_cdc.names import PREFIX, fitted

if TYPE_CHECKING:
    from surgical_cdc.compiler.nodes import JoinTree
    from surgical_cdc.compiler.slices import SourceChange
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Fact

CONTRIBUTIONS = f"{PREFIX}contributions"
GROUPS = f"{PREFIX}groups"
GROUPED = f"{PREFIX}grouped"
ANCHOR = "anchor"
ROWS = f"{PREFIX}rows"
# Equal values of these types are identical; of texts and floats it is known what tells them apart.
IDENTICAL = frozenset({*EQUAL_IS_IDENTICAL, exp.DataType.Type.BOOLEAN})
LOOK_ALIKE = frozenset({*exp.DataType.TEXT_TYPES, *exp.DataType.FLOAT_TYPES})
# The clauses of a SELECT that joins and filters rows, and shows each.
PLAIN = frozenset({"expressions", "from_", "joins", "where"})
OF_SEVERAL_ROWS = (exp.AggFunc, exp.Window, exp.Query)


@dataclass(frozen=True, eq=False)
class Groups:
    """What a fact is maintained by contributions by.

    Attributes:
        rows: the tree of the rows that are grouped, with their keys and values; its anchor is a key column of a source.
        table: the tree of the groups as they are kept, by the fact's anchor; its `fact` is the control table.
        shown: the fact's query on scdc_groups.
        keys: the table's columns that the fact groups by.
        looks: those that tell equal keys apart.
        numbers: those that are added up, the number of rows first.
    """

    rows: JoinTree
    table: JoinTree
    shown: exp.Select
    keys: tuple[str, ...]
    looks: tuple[str, ...]
    numbers: tuple[str, ...]

    @property
    def relation(self) -> str:
        """The control table."""
        return self.table.fact.relation


def groups_of(project: Project, fact: Fact, query: exp.Select) -> Groups | None:
    """Return what a fact is maintained by contributions by; None where it is not.

    It is where its SELECT groups in its last step, and shows nothing of a group but its keys, COUNT, SUM of numbers
    without error, and AVG of integers; and where each change can be followed to rows by the key of a source among them.
    A group for each row of a source is not: it is as small as a change, and recomputed.
    """
    merged = _merged(query)
    group = merged.args.get("group")
    if group is None or _clauses(merged) != PLAIN - _absent(merged) | {"group"} or _clauses(group) != {"expressions"}:
        return None
    scope = build_scope(merged)
    written = scope and _written(project, merged, scope, group.expressions)
    if not scope or not written:
        return None
    for alias, source in _starts(project, scope):
        with suppress(Refused):
            return _followed(project, fact, written, alias, source)
    return None


def create_groups(groups: Groups) -> exp.Create:
    """Return the statement that makes the control table, without rows.

    Each column has the type that the warehouse gives it in a query, so that what is computed from it has that of the
    fact's query too.
    """
    query = exp.select("*").from_(groups.table.query.subquery(GROUPED)).where(exp.false())
    sort_key = exp.SortKeyProperty(this=[exp.to_identifier(ANCHOR)], compound=False)
    properties = exp.Properties(expressions=[sort_key])
    return exp.Create(this=table_named(groups.relation), kind="TABLE", expression=query, properties=properties)


def contributing_rows(groups: Groups, changes: Mapping[str, SourceChange]) -> exp.Select:
    """Return the query of the rows that are grouped, on the slices, kept to affected_keys."""
    return sliced_query(groups.rows, groups.rows.fact.column_names, changes, null_key=False)


def contributions(groups: Groups, rows: exp.Select, *, taken_off: bool) -> exp.Insert:
    """Return the statement that inserts what some rows contribute into scdc_contributions."""
    query = groups.table.query.copy()
    query.set("from_", exp.From(this=rows.subquery(GROUPED)))
    for part in query.selects if taken_off else ():
        if part.alias in groups.numbers:
            part.set("this", exp.Neg(this=part.this))
    return insert_into(CONTRIBUTIONS, groups.table.fact, query)


@dataclass(frozen=True)
class _Written:
    """A grouped SELECT in terms of the columns of its groups.

    `rows` has its FROM and WHERE; by name, `keys` are the expressions that it groups by, `looks` what tells equal keys
    apart, `values` what it aggregates, and `shown` its projections.
    """

    rows: exp.Select
    keys: Mapping[str, exp.Expr]
    looks: Mapping[str, exp.Expr]
    values: Mapping[str, exp.Expr]
    numbers: Mapping[str, exp.Expr]
    shown: Mapping[str, exp.Expr]


class _Aggregates:
    """Writes the projections of a grouped SELECT in terms of its groups, and collects what it aggregates."""

    def __init__(self, project: Project, scope: Scope, keys: Mapping[str, exp.Expr]) -> None:
        self._project = project
        self._scope = scope
        self._keys = {expression: name for name, expression in keys.items()}
        self.values: dict[str, exp.Expr] = {}
        self.numbers: dict[str, exp.Expr] = {ROWS: exp.Count(this=exp.Star())}

    def written(self, expression: exp.Expr) -> exp.Expr | None:
        """Return an expression on columns of the groups; None where it reads anything else."""
        if expression in self._keys:
            return exp.column(self._keys[expression])
        if isinstance(expression, exp.AggFunc):
            return self._aggregate(expression)
        if isinstance(expression, (exp.Column, exp.Star, *OF_SEVERAL_ROWS)):
            return None
        copied = expression.copy()
        for part, original in zip([*copied.iter_expressions()], [*expression.iter_expressions()], strict=True):
            inner = self.written(original)
            if inner is None:
                return None
            part.replace(inner)
        return copied

    def _aggregate(self, aggregate: exp.AggFunc) -> exp.Expr | None:
        """Return an aggregate as a number of its group, of the same type; None where it can not be one."""
        value = aggregate.this
        if aggregate.expressions or not isinstance(aggregate, (exp.Count, exp.Sum, exp.Avg)):
            return None
        if isinstance(aggregate, exp.Count) and isinstance(value, exp.Star):
            return exp.column(ROWS)
        if value.find(exp.Distinct, *OF_SEVERAL_ROWS):
            return None
        if isinstance(aggregate, exp.Count):
            return exp.column(self._number("count", value))
        number = exact(self._project.tables, self._scope, value)
        if number is None or not _may_be_shown(aggregate, number):
            return None
        count, total = exp.column(self._number("count", value)), exp.column(self._number("sum", value))
        shown: exp.Expr = total
        if isinstance(aggregate, exp.Avg):
            shown = exp.Div(this=exp.cast(total, "bigint"), expression=count.copy(), typed=True, safe=False)
        # A sum of no values is NULL.
        return exp.case().when(exp.GT(this=count, expression=exp.convert(0)), shown)

    def _number(self, kind: str, value: exp.Expr) -> str:
        """Return the name of the number or the sum of a value, which is there from now on."""
        known = {expression: name for name, expression in self.values.items()}
        position = [*known].index(value) + 1 if value in known else len(known) + 1
        column = f"{PREFIX}value_{position}"
        self.values[column] = value
        name, function = f"{PREFIX}{kind}_{position}", exp.Count if kind == "count" else exp.Sum
        self.numbers[name] = function(this=exp.column(column, table=GROUPED))
        return name


def _may_be_shown(aggregate: exp.Expr, number: Exact) -> bool:
    """Return whether a SUM or AVG can be computed from kept sums.

    Of an average of other numbers than integers Redshift does not say how it is rounded. A sum whose decimals depend on
    the rows may be shown, but not be part of an expression, which they would have rounded elsewhere.
    """
    if isinstance(aggregate, exp.Avg):
        return number.is_integer
    around = aggregate.parent
    while isinstance(around, (exp.Cast, exp.Paren)):
        around = around.parent
    return number.scale is not None or isinstance(around, exp.Alias)


def _written(project: Project, query: exp.Select, scope: Scope, group_by: Sequence[exp.Expr]) -> _Written | None:
    """Return a grouped SELECT in terms of its groups; None where it reads anything else."""
    if any(expression.find(*OF_SEVERAL_ROWS) for expression in group_by):
        return None
    keys = {f"{PREFIX}key_{number}": expression for number, expression in enumerate(group_by, 1)}
    aggregates = _Aggregates(project, scope, keys)
    shown = {}
    for projection in query.selects:
        written = aggregates.written(projection.unalias())
        if written is None:
            return None
        shown[projection.alias_or_name] = written
    rows = query.copy()
    rows.set("group", None)
    rows.set("expressions", _listed(keys))
    looks = _looks(project, rows)
    if looks is None:
        return None
    return _Written(rows, keys, looks, aggregates.values, aggregates.numbers, shown)


def _looks(project: Project, rows: exp.Select) -> dict[str, exp.Expr] | None:
    """Return what tells equal keys apart; None where the type of one is not known."""
    typed = annotate_types(rows.copy(), schema=schema_of(rows, project.tables), dialect=DIALECT)
    looks = {}
    for part in typed.selects:
        if part.type is None or not part.type.is_type(*IDENTICAL, *LOOK_ALIKE):
            return None
        look = look_of(part.type, exp.column(part.alias, table=GROUPED))
        if look is not None:
            looks[part.alias.replace("key", "look")] = look
    return looks


def _followed(project: Project, fact: Fact, written: _Written, alias: str, source: Source) -> Groups | None:
    """Return the groups of rows that are followed by the key of one of their relations; None where that is no gain.

    Raises:
        Refused: they can not be.
    """
    start = {source.key[0]: exp.column(source.key[0], table=alias)}
    rows, followed = written.rows.copy(), written.rows.copy()
    rows.set("expressions", _listed(written.keys, written.values))
    followed.set("expressions", _listed(start, written.keys, written.values))
    keys = [exp.column(name, table=GROUPED) for name in written.keys]
    anchor = written.shown[fact.anchor].copy().transform(_in_rows)
    query = exp.select(*_listed({ANCHOR: anchor}), *keys, *_listed(written.looks, written.numbers))
    query = query.from_(rows.subquery(GROUPED)).group_by(*keys, *written.looks.values())
    table = join_tree(project, _as_fact(fact, _relation(project, fact), query, fact.column(fact.anchor)), query)
    # How many keys there are is counted in the source.
    tree = join_tree(project, _as_fact(fact, source.relation, followed, source.column(source.key[0])), followed)
    if not _is_plain(table) or not _is_plain(tree) or _is_of_rows(table):
        return None
    shown = exp.select(*_listed(written.shown)).from_(table_named(GROUPS))
    return Groups(tree, table, shown, (*written.keys,), (*written.looks,), (*written.numbers,))


def _relation(project: Project, fact: Fact) -> str:
    return f"{project.control_schema}.{fitted(f'groups__{fact.name}')}"


def _as_fact(fact: Fact, relation: str, query: exp.Select, anchor: Column) -> Fact:
    """Return a relation with the columns of a query as a fact, the first its anchor; only that one's type is known."""
    names = query.named_selects
    columns = [Column.model_construct(name=name, data_type=anchor.data_type) for name in names]
    settings = {"relation": relation, "columns": (*columns,), "unique_key": (names[0],), "anchor": names[0]}
    return fact.model_copy(update=settings)


def _listed(*named: Mapping[str, exp.Expr]) -> list[exp.Expr]:
    return [exp.alias_(part.copy(), name) for parts in named for name, part in parts.items()]


def _in_rows(part: exp.Expr) -> exp.Expr:
    return exp.column(part.name, table=GROUPED) if isinstance(part, exp.Column) else part


def _is_plain(tree: JoinTree) -> bool:
    """Return whether each change is followed by the tree alone."""
    return not (tree.whole or tree.values or tree.constants or tree.is_of_all)


def _is_of_rows(table: JoinTree) -> bool:
    """Return whether the anchor of groups is the key of a source."""
    anchors = [(node, table.anchors[node.name]) for node in table.nodes if node.name in table.anchors]
    return any(
        isinstance(node.source, Source) and isinstance(anchor, exp.Column) and node.source.key == (anchor.name,)
        for node, anchor in anchors
    )


def _starts(project: Project, scope: Scope) -> Iterable[tuple[str, Source]]:
    """Return the relations by whose key rows can be followed, those first that are not joined by their whole key.

    The rows of others may each have many of these.
    """
    query = scope.expression
    predicates = [join.args["on"] for join in query.args.get("joins") or () if join.args.get("on")]
    predicates += [query.args["where"].this] if query.args.get("where") else []
    tied = {
        (own.table, own.name)
        for predicate in predicates
        for own, other in equalities(predicate)
        if isinstance(own, exp.Column) and isinstance(other, exp.Column) and own.table != other.table
    }
    starts = [
        (alias, source)
        for alias, (_, table) in scope.selected_sources.items()
        if isinstance(table, exp.Table) and alias not in optional_aliases(scope)
        if isinstance(source := project.tables.get(relation_of(table)), Source)
    ]
    return sorted(starts, key=lambda start: all((start[0], name) in tied for name in start[1].key))


def _merged(query: exp.Select) -> exp.Select:
    """Return a query without the derived tables that are all that a SELECT reads, as far as one SELECT says the same.

    So the last step of a chain of CTEs, which only lists columns, is one with the step that groups, and this with the
    one that joins what is grouped.
    """
    merged = query.copy()
    if merged.args.get("order") and not merged.args.get("limit"):
        merged.set("order", None)
    while inner := _only_relation(merged):
        alias = merged.args["from_"].this.alias
        definitions = {(alias, part.alias_or_name): part.unalias() for part in inner.selects}
        outer = {name: merged.args[name] for name in ("expressions", "where", "group") if merged.args.get(name)}
        merged = inner.copy()
        merged.set("expressions", [with_definitions(part, definitions) for part in outer["expressions"]])
        if "where" in outer:
            merged = merged.where(with_definitions(outer["where"].this, definitions), copy=False)
        if "group" in outer:
            merged.set("group", with_definitions(outer["group"], definitions))
    return merged


def _only_relation(query: exp.Select) -> exp.Select | None:
    """Return the derived table that is all that a SELECT reads, if both can be one SELECT."""
    from_ = query.args.get("from_")
    derived = from_.this if from_ else None
    inner = derived.this if isinstance(derived, exp.Subquery) else None
    if not isinstance(inner, exp.Select) or not isinstance(derived, exp.Subquery) or derived.alias_column_names:
        return None
    parts = [*query.selects, *(query.args[name] for name in ("where", "group") if query.args.get(name))]
    if query.args.get("joins") or any(part.find(exp.Query, exp.Window) for part in parts):
        return None
    if any(part.find(exp.Window) for part in inner.selects) or not _clauses(inner) <= PLAIN | {"group"}:
        return None
    groups = bool(inner.args.get("group")) or any(part.find(exp.AggFunc) for part in inner.selects)
    lists = _clauses(query) <= {"expressions", "from_"} and not any(part.find(exp.AggFunc) for part in query.selects)
    plain = _clauses(query) <= PLAIN | {"group"}
    return inner if (lists if groups else plain) else None


def _clauses(query: exp.Expr) -> set[str]:
    return {name for name, value in query.args.items() if value}


def _absent(query: exp.Select) -> set[str]:
    """Return the clauses that a SELECT need not have, and has not."""
    return {"joins", "where"} - _clauses(query)

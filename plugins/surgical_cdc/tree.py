"""The tree of joins of a fact: which source feeds it where, and by which predicate rows lead to the fact's anchor.

A node is one occurrence of a source in the fact's query. Its edge is a predicate between its own columns and its
parent's, true for every pair of rows that the query can bring together. The root holds the anchor. Why slices that
follow these edges give the same rows as the whole tables is argued in docs/adr/0001-slices-along-the-join-tree.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, NoReturn, cast

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope, walk_in_scope

from surgical_cdc.errors import UnsupportedQuery
from surgical_cdc.query import fact_query

if TYPE_CHECKING:
    from surgical_cdc.contract import Fact, Source
    from surgical_cdc.project import Project

COMPARISONS = (exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NEQ, exp.Like)
# What gives NULL where any part of it is NULL; of all else that is not known.
STRICT = (
    *(exp.Column, exp.Identifier, exp.Literal, exp.Cast, exp.DataType, exp.DataTypeParam, exp.Paren, exp.Neg),
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe),
    *(exp.Lower, exp.Upper, exp.Trim, exp.Translate, exp.Substring, exp.Length),
)
# Stands for the rows of an IN (SELECT …) as an alias that no query can have.
MEMBER = "(member)"


@dataclass(eq=False)
class Node:
    """One occurrence of a source.

    `columns` are those that the query reads here, the source's key first. `edge` names the node's own and its parent's
    columns as <node name>.<column>; it is None at the root.
    """

    name: str
    source: Source
    columns: tuple[str, ...]
    parent: Node | None = None
    edge: exp.Expr | None = None
    children: list[Node] = field(default_factory=list)

    def link_columns(self) -> tuple[str, ...]:
        """Return this node's columns that its edge reads."""
        columns = self.edge.find_all(exp.Column) if self.edge else ()
        return tuple(dict.fromkeys(column.name for column in columns if column.table == self.name))


@dataclass(frozen=True)
class JoinTree:
    """A fact's query with its nodes, parents before children; `anchor` is the root's column that the anchor shows.

    `tables` maps the id of each source table in `query` to its node.
    """

    fact: Fact
    query: exp.Select
    nodes: tuple[Node, ...]
    anchor: exp.Expr
    tables: Mapping[int, Node]

    @property
    def root(self) -> Node:
        """The node whose rows decide the anchor."""
        return self.nodes[0]


@cache
def join_tree(project: Project, fact_name: str) -> JoinTree:
    """Derive the tree of joins of a fact from its SELECT.

    Raises:
        UnsupportedQuery: a part of the SELECT can not be maintained; the message names it and says what to write.
    """
    fact = project.fact(fact_name)
    query = fact_query(project, fact_name)
    try:
        return _Builder(project, fact, query).build()
    except _Unsupported as error:
        message = (
            f"{project.models[fact_name].path}: {error.problem} can not be maintained incrementally."
            f" {error.hint} Or set meta: {{cdc: {{maintenance: full}}}}."
        )
        raise UnsupportedQuery(message) from error


class _Unsupported(Exception):
    """What is in the way, and what to write instead."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint


@dataclass(frozen=True)
class _Conjunct:
    """A predicate of a scope's ON or WHERE: of the ON of the outer join of `joined`, or one that filters every row."""

    predicate: exp.Expr
    joined: str | None


@dataclass(frozen=True)
class _Link:
    """A predicate that can tie a relation to a node in the tree.

    `certain` says that a row in which the relation is absent does not satisfy it, and so does not matter.
    """

    parent: Node
    predicate: exp.Expr
    certain: bool = False

    @property
    def is_plain(self) -> bool:
        return isinstance(self.predicate, exp.EQ) and all(
            isinstance(side, exp.Column) for side in (self.predicate.left, self.predicate.right)
        )


class _Builder:
    """Grows the tree from the anchor outwards, scope by scope."""

    def __init__(self, project: Project, fact: Fact, query: exp.Select) -> None:
        self._fact = fact
        self._query = query
        self._sources = {source.relation: source for source in project.sources.values()}
        self._tables: dict[int, Node] = {}
        aliases = {relation.alias_or_name for relation in query.find_all(exp.Table, exp.Subquery)}
        prefix = "n"
        while any(alias.startswith(prefix) and alias[len(prefix) :][:1].isdigit() for alias in aliases):
            prefix += "n"
        self._names = {
            id(table): f"{prefix}{number}_{table.name}"[:63]
            for number, table in enumerate(query.find_all(exp.Table), start=1)
        }
        self._nodes: dict[str, Node] = {}

    def build(self) -> JoinTree:
        scope = build_scope(self._query)
        if scope is None or not scope.selected_sources:
            _refuse("a query that reads no source", "Read at least one source.")
        anchor = _projection(scope, self._fact.anchor)
        root, expression = self._descend(scope, anchor, None, at_top=True)
        _check_anchor_type(self._fact, root.source, expression)
        return JoinTree(self._fact, self._query, tuple(self._nodes.values()), expression, self._tables)

    def _descend(
        self,
        scope: Scope,
        predicate: exp.Expr,
        parent: Node | None,
        *,
        at_top: bool = False,
        filtered: bool = False,
    ) -> tuple[Node, exp.Expr]:
        """Enter a scope by a predicate on its relations: make the node that it leads to, then reach all others.

        Returns that node and the predicate in terms of nodes. `filtered` says that the predicate is part of the scope's
        own WHERE, before any grouping.
        """
        alias = self._entry_alias(scope, predicate, at_top=at_top, filtered=filtered)
        source = scope.selected_sources[alias][1]
        if isinstance(source, Scope):
            inner = self._substituted(scope, alias, predicate)
            node, resolved = self._descend(source, inner, parent, at_top=at_top)
        else:
            node = self._node(scope, alias, source, parent)
            resolved = self._renamed(predicate, alias, node)
            if parent is not None:
                node.edge = resolved
        self._grow(scope, alias)
        return node, resolved

    def _node(self, scope: Scope, alias: str, table: exp.Table, parent: Node | None) -> Node:
        source = self._source(table)
        read = sorted({column.name for column in scope.columns if column.table == alias} - {source.key})
        node = Node(self._names[id(table)], source, (source.key, *read), parent)
        if parent is not None:
            parent.children.append(node)
        self._tables[id(table)] = self._nodes[node.name] = node
        return node

    def _source(self, table: exp.Table) -> Source:
        relation = f"{table.db}.{table.name}"
        if relation not in self._sources:
            _refuse(f"{relation}, which is no source,", f"Known sources: {', '.join(sorted(self._sources))}.")
        if table.args.get("joins") or table.args.get("sample"):
            _refuse(f"{table.sql('redshift')}", "Write each join on its own, without parentheses.")
        return self._sources[relation]

    def _grow(self, scope: Scope, start: str) -> None:
        """Tie every other relation of the scope, and its subqueries, to the nodes that were reached through `start`."""
        _check_joins(scope)
        conjuncts = _conjuncts(scope)
        optional = _optional(scope)
        # The relations of which no row that matters lacks a partner.
        certain = {start, *scope.selected_sources} - (optional - {start})
        reached, waiting = {start}, [alias for alias in scope.selected_sources if alias != start]
        waiting = [alias for alias in waiting if self._reads_source(scope.selected_sources[alias][1])]
        while waiting:
            for alias in waiting:
                usable = [
                    conjunct
                    for conjunct in conjuncts
                    if conjunct.joined in {None, alias, *certain} and _aliases(conjunct.predicate) <= {alias, *reached}
                ]
                links = self._links(scope, alias, usable)
                if links:
                    predicate = exp.and_(*(link.predicate for link in links), copy=True)
                    self._descend_into(scope, alias, predicate, links[0].parent)
                    reached.add(alias)
                    certain |= {alias} if any(link.certain for link in links) else set()
                    waiting.remove(alias)
                    break
            else:
                _refuse(
                    f"{' and '.join(waiting)}, tied to {' and '.join(sorted(reached))} by no usable predicate,",
                    "Join on columns of two relations; enter a grouped or windowed one by columns of its GROUP BY or"
                    " PARTITION BY.",
                )
        for subquery in scope.subquery_scopes:
            self._attach_subquery(scope, subquery)

    def _descend_into(self, scope: Scope, alias: str, predicate: exp.Expr, parent: Node) -> None:
        """Make the nodes of one relation of a scope that is already being grown."""
        source = scope.selected_sources[alias][1]
        if isinstance(source, Scope):
            self._descend(source, self._substituted(scope, alias, predicate), parent)
        else:
            node = self._node(scope, alias, source, parent)
            node.edge = self._renamed(predicate, alias, node)

    def _links(self, scope: Scope, alias: str, conjuncts: Sequence[_Conjunct]) -> list[_Link]:
        """Return the predicates that tie a relation to one node: the largest group, plain ones first."""
        groups: dict[tuple[str, int], list[_Link]] = {}
        for conjunct in conjuncts:
            aliases = _aliases(conjunct.predicate)
            if alias in aliases and len(aliases) > 1:
                link = self._link_to(scope, conjunct.predicate, alias)
                if link and conjunct.joined != alias and alias in _optional(scope):
                    # It decides on rows in which the relation is absent as well, so it must be false for them.
                    link = replace(link, certain=True) if _rejects_null(link.predicate) else None
                entry = self._entry(scope, alias, link.predicate) if link else None
                if link and entry is not None:
                    groups.setdefault((link.parent.name, entry), []).append(link)
        return max(groups.values(), key=lambda links: (sum(link.is_plain for link in links), len(links)), default=[])

    def _link_to(self, scope: Scope, conjunct: exp.Expr, alias: str) -> _Link | None:
        """Return the predicate with all columns but those of `alias` in terms of one node; None if that can't be."""
        others = [column for column in conjunct.find_all(exp.Column) if column.table != alias]
        predicate = self._resolved(scope, conjunct, keep=alias)
        if predicate is None or (
            any(self._is_optional(scope, other) for other in others) and not _rejects_null(predicate)
        ):
            return None
        parents = _aliases(predicate) - {alias}
        return _Link(self._nodes[parents.pop()], predicate) if len(parents) == 1 else None

    def _attach_subquery(self, scope: Scope, subquery: Scope) -> None:
        """Tie a subquery in WHERE, HAVING, ON or SELECT to the scope around it."""
        select = subquery.expression
        shown = select.sql("redshift")
        if not isinstance(select, exp.Select) or select.args.get("limit") or select.args.get("offset"):
            _refuse(
                f"the subquery ({shown})", "Write it as EXISTS (SELECT 1 … WHERE …) without LIMIT or set operation."
            )
        if any(column.table not in scope.selected_sources for column in subquery.external_columns):
            _refuse(
                f"the subquery ({shown}), correlated over more than one level,", "Correlate with the query around it."
            )
        links = self._memberships(scope, subquery, select)
        filtered = not links
        links = links or self._correlations(scope, subquery)
        if not links:
            _refuse(
                f"the subquery ({shown}), which is tied to no row of the query around it,",
                "Correlate it by an equality with a column of the outer query.",
            )
        predicate = exp.and_(*(link.predicate for link in links), copy=True)
        self._descend(subquery, predicate, links[0].parent, filtered=filtered)

    def _memberships(self, scope: Scope, subquery: Scope, select: exp.Select) -> list[_Link]:
        """Return the tie of `x IN (SELECT y …)`: x = y; none where the subquery stands elsewhere."""
        membership = select.find_ancestor(exp.In, exp.Select)
        rows = membership.args.get("query") if isinstance(membership, exp.In) else None
        if not isinstance(membership, exp.In) or not isinstance(rows, exp.Query) or rows.unnest() is not select:
            return []
        if membership.this.find(exp.Tuple, exp.Query):
            _refuse(f"{membership.sql('redshift')}", "Write EXISTS with a correlation.")
        around = membership.parent
        while isinstance(around, (exp.And, exp.Or, exp.Paren)):
            around = around.parent
        if not isinstance(around, (exp.Where, exp.Having, exp.Join)):
            _refuse(
                f"IN ({select.sql('redshift')}) outside a plain condition, where a NULL among its rows matters,",
                "Write [NOT] EXISTS with a correlation.",
            )
        column = exp.column(select.named_selects[0], table=MEMBER)
        link = self._link_to(scope, exp.EQ(this=membership.this.copy(), expression=column), MEMBER)
        opened = self._opened(subquery, MEMBER, link.predicate) if link else None
        return [_Link(link.parent, opened)] if link and opened is not None else []

    def _correlations(self, scope: Scope, subquery: Scope) -> list[_Link]:
        """Return the predicates that filter a subquery's rows by one of its relations and one node outside."""
        outside = set(scope.selected_sources) - set(subquery.selected_sources)
        groups: dict[tuple[str, int], list[_Link]] = {}
        for conjunct in _conjuncts(subquery):
            aliases = _aliases(conjunct.predicate)
            inside = aliases - outside
            if conjunct.joined is None and len(inside) == 1 and aliases & outside:
                (alias,) = inside
                link = self._link_to(scope, conjunct.predicate, alias)
                entry = self._entry(subquery, alias, link.predicate) if link else None
                if link and entry is not None:
                    groups.setdefault((link.parent.name, entry), []).append(link)
        return max(groups.values(), key=len, default=[])

    def _entry_alias(self, scope: Scope, predicate: exp.Expr, *, at_top: bool, filtered: bool) -> str:
        """Return the one relation of the scope that the predicate reads, or refuse."""
        aliases = _aliases(predicate) - set(self._nodes)
        shown = predicate.sql("redshift")
        if predicate.find(exp.AggFunc, exp.Window, exp.Query):
            _refuse(f"{shown}, computed from several rows,", "Join, anchor and group by a column of one relation.")
        if len(aliases) != 1:
            _refuse(
                f"{shown}, computed from {len(aliases)} relations,",
                "Join, anchor and group by a column of one relation.",
            )
        (alias,) = aliases
        if not filtered:
            _check_entry(scope, predicate, alias)
        if alias in _optional(scope) and (at_top or not _rejects_null(predicate)):
            _refuse(
                f"{shown}, from the optional side of an outer join,",
                "Anchor or join at a column of the relation that the outer join preserves.",
            )
        return alias

    def _entry(self, scope: Scope, alias: str, predicate: exp.Expr) -> int | None:
        """Return the id of the table that the predicate's columns of `alias` come from; None where it can't enter."""
        source = scope.selected_sources[alias][1]
        if not isinstance(source, Scope):
            return id(source)
        opened = self._opened(source, alias, predicate)
        if opened is None:
            return None
        try:
            inner = self._entry_alias(source, opened, at_top=False, filtered=False)
        except _Unsupported:
            return None
        return self._entry(source, inner, opened)

    def _opened(self, inner: Scope, alias: str, predicate: exp.Expr) -> exp.Expr | None:
        """Return the predicate with the columns of a derived table replaced by what defines them inside."""
        if not isinstance(inner.expression, exp.Select):
            return None

        def define(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Column) and node.table == alias:
                return _parenthesised(_projection(inner, node.name))
            return node

        return predicate.copy().transform(define)

    def _substituted(self, scope: Scope, alias: str, predicate: exp.Expr) -> exp.Expr:
        opened = self._opened(cast("Scope", scope.selected_sources[alias][1]), alias, predicate)
        if opened is None:
            _refuse(f"the set operation {alias}", "Write one SELECT.")
        return opened

    def _resolved(self, scope: Scope, predicate: exp.Expr, *, keep: str) -> exp.Expr | None:
        """Return the predicate with all columns but those of `keep` in terms of nodes; None if one is computed."""
        computed = False

        def resolve(node: exp.Expr) -> exp.Expr:
            nonlocal computed
            if not isinstance(node, exp.Column) or node.table == keep or node.table not in scope.selected_sources:
                return node
            source = scope.selected_sources[node.table][1]
            if not isinstance(source, Scope):
                return exp.column(node.name, table=self._names[id(source)])
            definition = _projection(source, node.name)
            if definition.find(exp.AggFunc, exp.Window, exp.Query):
                computed = True
                return node
            inner = self._resolved(source, definition, keep="")
            computed = computed or inner is None
            return node if inner is None else _parenthesised(inner)

        resolved = predicate.copy().transform(resolve)
        return None if computed else resolved

    def _is_optional(self, scope: Scope, column: exp.Column) -> bool:
        """Return whether an outer join can make the column NULL where its table has no NULL."""
        if column.table in _optional(scope):
            return True
        source = scope.selected_sources[column.table][1]
        if not isinstance(source, Scope):
            return False
        definition = _projection(source, column.name)
        return any(self._is_optional(source, inner) for inner in definition.find_all(exp.Column))

    def _renamed(self, predicate: exp.Expr, alias: str, node: Node) -> exp.Expr:
        def rename(part: exp.Expr) -> exp.Expr:
            if isinstance(part, exp.Column) and part.table == alias:
                return exp.column(part.name, table=node.name)
            return part

        return predicate.copy().transform(rename)

    def _reads_source(self, source: exp.Expr | Scope) -> bool:
        expression = source.expression if isinstance(source, Scope) else source
        return expression.find(exp.Table) is not None


def _refuse(problem: str, hint: str) -> NoReturn:
    raise _Unsupported(problem, hint)


def _check_anchor_type(fact: Fact, source: Source, anchor: exp.Expr) -> None:
    """Refuse an anchor that the fact's column rounds or cuts off: a key would not be found under what it was computed.

    Integers convert into one another without loss, and so do texts.
    """
    declared, shown = fact.column(fact.anchor).data_type, anchor.sql("redshift")
    if isinstance(anchor, exp.Column):
        given = source.column(anchor.name).data_type
    elif isinstance(anchor, exp.Cast):
        given = anchor.to.sql("redshift").lower()
    else:
        _refuse(f"the anchor {shown}, whose type is not known,", f"Write CAST({shown} AS {declared}).")
    if _kind(given) != _kind(declared):
        _refuse(
            f"the anchor {shown}, a {given} that {fact.name}.{fact.anchor} shows as {declared},",
            f"List the column as {given}, or write CAST({shown} AS {declared}).",
        )


def _kind(data_type: str) -> str:
    if data_type in {"smallint", "integer", "bigint"}:
        return "integer"
    return "varchar" if data_type.startswith("varchar") else data_type.replace(" ", "")


def _projection(scope: Scope, name: str) -> exp.Expr:
    for projection in cast("exp.Select", scope.expression).selects:
        if projection.alias_or_name == name:
            return projection.unalias()
    message = f"no column {name}"
    raise KeyError(message)


def _parenthesised(expression: exp.Expr) -> exp.Expr:
    copied = expression.copy()
    return copied if isinstance(copied, (exp.Column, exp.Func, exp.Literal)) else exp.paren(copied)


def _check_joins(scope: Scope) -> None:
    for join in scope.expression.args.get("joins") or ():
        if join.side in {"RIGHT", "FULL"} or join.method or join.kind in {"SEMI", "ANTI"}:
            _refuse(
                f"{join.side or join.kind or join.method} JOIN {join.alias_or_name}", "Write INNER or LEFT JOIN … ON."
            )
    for alias, (_, source) in scope.selected_sources.items():
        if not isinstance(source, (Scope, exp.Table)):
            _refuse(f"{alias} in FROM", "Read sources, models, or derived tables.")


def _check_entry(scope: Scope, predicate: exp.Expr, alias: str) -> None:
    """Refuse to enter a scope by anything that does not take whole groups and whole partitions."""
    select = scope.expression
    if not isinstance(select, exp.Select):
        _refuse(f"the set operation {select.sql('redshift')[:80]}", "Write one SELECT.")
    for clause in ("limit", "offset"):
        if select.args.get(clause):
            _refuse(
                f"{clause.upper()} in {select.sql('redshift')[:80]}", "Rank by a window function with PARTITION BY."
            )
    columns = [column for column in predicate.find_all(exp.Column) if column.table == alias]
    parts = list(walk_in_scope(select))
    group = select.args.get("group")
    if group is not None and any(group.args.get(extra) for extra in ("rollup", "cube", "grouping_sets", "totals")):
        _refuse("ROLLUP, CUBE or GROUPING SETS", "Write one GROUP BY.")
    windows = [part for part in parts if isinstance(part, exp.Window)]
    windowed = {id(inner) for window in windows for inner in window.this.walk()}
    aggregates = any(isinstance(part, exp.AggFunc) and id(part) not in windowed for part in parts)
    if group is not None or aggregates:
        keys = group.expressions if group is not None else []
        _require(columns, keys, f"GROUP BY {', '.join(key.sql('redshift') for key in keys) or '(nothing)'}", predicate)
    for window in windows:
        _require(columns, window.args.get("partition_by") or [], window.sql("redshift"), predicate)


def _require(columns: Sequence[exp.Column], keys: Sequence[exp.Expr], shown: str, predicate: exp.Expr) -> None:
    for column in columns:
        if column not in keys:
            _refuse(
                f"{predicate.sql('redshift')} into {shown}",
                "Enter the relation by a plain column of its GROUP BY or of each PARTITION BY.",
            )


def _optional(scope: Scope) -> set[str]:
    return {join.alias_or_name for join in scope.expression.args.get("joins") or () if join.side == "LEFT"}


def _conjuncts(scope: Scope) -> list[_Conjunct]:
    """Return the parts of the scope's ON and WHERE that must all hold and read no subquery."""
    select = scope.expression
    found = [_Conjunct(part, None) for part in _parts(select.args["where"].this)] if select.args.get("where") else []
    for join in select.args.get("joins") or ():
        alias = join.alias_or_name if join.side == "LEFT" else None
        # The ON of an outer join filters nothing but the relation that it joins.
        found += [
            _Conjunct(part, alias) for part in _parts(join.args.get("on")) if alias is None or alias in _aliases(part)
        ]
    return [conjunct for conjunct in found if not conjunct.predicate.find(exp.Query)]


def _parts(predicate: exp.Expr | None) -> list[exp.Expr]:
    """Return the operands of AND, however they are nested."""
    if isinstance(predicate, exp.And):
        return [*_parts(predicate.left), *_parts(predicate.right)]
    if isinstance(predicate, exp.Paren):
        return _parts(predicate.this)
    return [] if predicate is None else [predicate]


def _aliases(expression: exp.Expr) -> set[str]:
    return {column.table for column in expression.find_all(exp.Column)}


def _rejects_null(predicate: exp.Expr) -> bool:
    """Return whether a predicate is surely not true when a column in it is NULL."""
    return all(
        isinstance(part, COMPARISONS) and all(isinstance(inner, STRICT) for inner in [*part.walk()][1:])
        for part in _parts(predicate)
    )

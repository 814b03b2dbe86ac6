"""The tree of joins of a fact: which source feeds it where, and by which predicate rows lead to the fact's anchor.

A node is one occurrence of a source in the fact's query. Its edge is a predicate between its own columns and its
parent's, true for every pair of rows that the query can bring together. The root holds the anchor. Each branch of a
UNION has nodes of its own, and what is joined to the UNION has an edge to each. Why slices that follow these edges give
the same rows as the whole tables is argued in docs/adr/0001-slices-along-the-join-tree.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, NoReturn, cast

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from surgical_cdc.compiler.predicates import (
    aliases_of,
    is_never_true,
    is_null,
    keeps_blanks,
    rejects_null,
    renamed,
    with_definitions,
)
from surgical_cdc.compiler.scopes import (
    Conjunct,
    LookAlike,
    branches,
    check_entry,
    check_joins,
    check_limit,
    check_membership,
    check_merged,
    conjuncts_of,
    definition_of,
    opened_in,
    optional_aliases,
    projection,
    reads_source,
)
from surgical_cdc.compiler.unsupported import Refused, refuse, shortened
from surgical_cdc.dbt.tables import type_family

if TYPE_CHECKING:
    from surgical_cdc.dbt.project import Project
    from surgical_cdc.dbt.tables import Fact, Source

# Stands for the rows of an IN (SELECT …) as an alias that no query can have.
MEMBER = "(member)"
# Types of which equal values can be told apart.
LOOK_ALIKE_TYPES = (*exp.DataType.TEXT_TYPES, exp.DataType.Type.FLOAT, exp.DataType.Type.DOUBLE)
OTHER_ANCHOR = " Or name a column of the fact that shows one of a source as it is: meta: {cdc: {anchor: …}}."


def _first(kinds: Iterable[LookAlike]) -> LookAlike:
    return next((kind for kind in kinds if kind), None)


@dataclass(frozen=True)
class Edge:
    """A tie to a node further up; `predicate` names the columns of both as <node name>.<column>."""

    parent: Node
    predicate: exp.Expr


@dataclass(eq=False)
class Node:
    """One occurrence of a source.

    `columns` are those that the query reads here, the source's key first. There are several `edges` where the node is
    tied to the branches of a UNION; none at a root, and where no row of it can matter.
    """

    name: str
    source: Source
    columns: tuple[str, ...]
    edges: list[Edge] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    def link_columns(self) -> tuple[str, ...]:
        """Return this node's columns that its edges read."""
        columns = [column for edge in self.edges for column in edge.predicate.find_all(exp.Column)]
        return tuple(dict.fromkeys(column.name for column in columns if column.table == self.name))


@dataclass(frozen=True)
class JoinTree:
    """A fact's query with its nodes, parents before children.

    `anchors` gives for each root, of which a UNION has several, what the fact's anchor shows of it. `tables` maps the
    id of each source table in `query` to its node.
    """

    fact: Fact
    query: exp.Select
    nodes: tuple[Node, ...]
    anchors: Mapping[str, exp.Expr]
    tables: Mapping[int, Node]

    def predicates(self) -> Iterator[exp.Expr]:
        """Yield what the nodes are tied by."""
        yield from self.anchors.values()
        yield from (edge.predicate for node in self.nodes for edge in node.edges)


def join_tree(project: Project, fact: Fact, query: exp.Select) -> JoinTree:
    """Derive the tree of joins of a fact from its query.

    Raises:
        Refused: a part of the query can not be maintained.
    """
    builder = _Builder(project, fact, query)
    try:
        return builder.build()
    except Refused as error:
        raise Refused(
            builder.readable(f"{error.problem} can not be maintained incrementally"),
            f"{builder.readable(error.hint)} Or set meta: {{cdc: {{maintenance: full}}}}.",
            error.clause,
        ) from error


@dataclass(frozen=True)
class _Tie:
    """A predicate between relations of a scope and a node that is in the tree; no node where it is the anchor."""

    parent: Node | None
    predicate: exp.Expr


@dataclass(frozen=True)
class _Link:
    """What can tie a relation to the tree: a tie to one node, or one to each branch of a UNION.

    `certain` says that a row in which the relation is absent does not satisfy it, and so does not matter.
    """

    ties: tuple[_Tie, ...]
    certain: bool = False

    @property
    def parents(self) -> tuple[str, ...]:
        return tuple(tie.parent.name for tie in self.ties if tie.parent)

    @property
    def is_plain(self) -> bool:
        return all(
            isinstance(tie.predicate, exp.EQ)
            and isinstance(tie.predicate.left, exp.Column)
            and isinstance(tie.predicate.right, exp.Column)
            for tie in self.ties
        )


class _Builder:
    """Grows the tree from the anchor outwards, scope by scope."""

    def __init__(self, project: Project, fact: Fact, query: exp.Select) -> None:
        self._fact = fact
        self._query = query
        self._sources = {source.relation: source for source in project.sources.values()}
        tables = list(query.find_all(exp.Table))
        aliases = {relation.alias_or_name for relation in query.find_all(exp.Table, exp.Subquery)}
        prefix = "n"
        while any(alias.startswith(prefix) and alias[len(prefix) :][:1].isdigit() for alias in aliases):
            prefix += "n"
        self._names = {id(table): f"{prefix}{number}_{table.name}"[:63] for number, table in enumerate(tables, start=1)}
        self._read = {self._names[id(table)]: self._source(table) for table in tables}
        self._tables: dict[int, Node] = {}
        self._nodes: dict[str, Node] = {}
        self._anchors: dict[str, exp.Expr] = {}

    def build(self) -> JoinTree:
        scope = build_scope(self._query)
        if scope is None or not scope.selected_sources:
            refuse("a query that reads no source", "Read at least one source.", self._query)
        anchor = projection(scope, self._fact.anchor)
        self._descend(scope, [_Tie(None, anchor)], at_top=True)
        for expression in self._anchors.values():
            self._check_anchor_type(expression, anchor)
        return JoinTree(self._fact, self._query, tuple(self._nodes.values()), self._anchors, self._tables)

    def readable(self, text: str) -> str:
        """Return a message with the names of tables in place of those of nodes."""
        tables = {self._names[id(table)]: table.name for table in self._query.find_all(exp.Table)}
        return re.sub(r"\w+", lambda word: tables.get(word[0], word[0]), text)

    def _source(self, table: exp.Table) -> Source:
        return self._sources[f"{table.db}.{table.name}"]

    def _descend(self, scope: Scope, ties: Sequence[_Tie], *, at_top: bool = False, filtered: bool = False) -> None:
        """Enter a scope by ties of its relations: make the nodes that they lead to, then reach all others.

        All ties read the same columns of the scope. `filtered` says that they are part of its own WHERE, before any
        grouping.
        """
        (alias,) = {self._entry_alias(scope, tie.predicate, at_top=at_top, filtered=filtered) for tie in ties}
        self._enter(scope, alias, ties, at_top=at_top)
        self._grow(scope, alias)

    def _enter(self, scope: Scope, alias: str, ties: Sequence[_Tie], *, at_top: bool = False) -> None:
        """Make the nodes of one relation of a scope: of each branch of a UNION, for its query gives their rows."""
        source = scope.selected_sources[alias][1]
        if not isinstance(source, Scope):
            self._add_node(scope, alias, source, ties)
            return
        for branch in branches(source):
            self._enter_branch(source, branch, alias, ties, at_top=at_top)

    def _enter_branch(
        self, source: Scope, branch: Scope, alias: str, ties: Sequence[_Tie], *, at_top: bool = False
    ) -> None:
        """Make the nodes of a derived table or of one branch of it; what reads no source is the same in any slice."""
        opened = [replace(tie, predicate=self._opened(source, branch, alias, tie.predicate)) for tie in ties]
        if all(is_never_true(tie.predicate) for tie in opened):
            self._add_unread_nodes(branch)
        elif reads_source(branch):
            self._descend(branch, [tie for tie in opened if not is_never_true(tie.predicate)], at_top=at_top)

    def _add_unread_nodes(self, branch: Scope) -> None:
        """Make nodes without edges of a branch that shows NULL where it is tied: none of its rows matters."""
        for scope in branch.traverse():
            for alias, (_, table) in scope.selected_sources.items():
                if isinstance(table, exp.Table):
                    self._add_node(scope, alias, table, [])

    def _add_node(self, scope: Scope, alias: str, table: exp.Table, ties: Sequence[_Tie]) -> None:
        source = self._source(table)
        read = sorted({column.name for column in scope.columns if column.table == alias} - {source.key})
        node = Node(self._names[id(table)], source, (source.key, *read))
        self._tables[id(table)] = self._nodes[node.name] = node
        for tie in ties:
            predicate = renamed(tie.predicate, alias, node.name)
            if tie.parent is None:
                self._anchors[node.name] = predicate
            else:
                node.edges.append(Edge(tie.parent, predicate))
                tie.parent.children.append(node)

    def _grow(self, scope: Scope, start: str) -> None:
        """Tie every other relation of the scope, and its subqueries, to the nodes that were reached through `start`."""
        check_joins(scope)
        conjuncts = conjuncts_of(scope)
        optional = optional_aliases(scope)
        # The relations of which no row that matters lacks a partner.
        certain = {start, *scope.selected_sources} - (optional - {start})
        reached, waiting = {start}, [alias for alias in scope.selected_sources if alias != start]
        waiting = [alias for alias in waiting if reads_source(scope.selected_sources[alias][1])]
        while waiting:
            failures: list[Refused] = []
            for alias in waiting:
                usable = [
                    conjunct
                    for conjunct in conjuncts
                    if conjunct.joined in {None, alias, *certain}
                    and aliases_of(conjunct.predicate) <= {alias, *reached}
                ]
                links = self._links(scope, alias, usable, certain, failures)
                if links:
                    self._enter(scope, alias, _all_of(links))
                    reached.add(alias)
                    certain |= {alias} if any(link.certain for link in links) else set()
                    waiting.remove(alias)
                    break
            else:
                _refuse_untied(scope, waiting, reached, failures)
        for subquery in scope.subquery_scopes:
            self._attach_subquery(scope, subquery, certain)

    def _links(
        self,
        scope: Scope,
        alias: str,
        conjuncts: Sequence[Conjunct],
        certain: set[str],
        failures: list[Refused],
    ) -> list[_Link]:
        """Return the predicates that tie a relation to the same nodes: the largest group, plain ones first.

        Why others are no tie is added to `failures`.
        """
        groups: dict[tuple[object, ...], list[_Link]] = {}
        for conjunct in conjuncts:
            aliases = aliases_of(conjunct.predicate)
            if alias not in aliases or len(aliases) == 1:
                continue
            try:
                link = self._link_to(scope, conjunct.predicate, alias, certain)
                if conjunct.joined != alias and alias in optional_aliases(scope):
                    # It decides on rows in which the relation is absent as well, so it must be false for them.
                    _require_false_for_null(link, conjunct.predicate, alias)
                    link = replace(link, certain=True)
                groups.setdefault((link.parents, self._entry(scope, alias, link)), []).append(link)
            except Refused as failure:
                failures.append(failure)
        return max(groups.values(), key=lambda links: (sum(link.is_plain for link in links), len(links)), default=[])

    def _link_to(self, scope: Scope, conjunct: exp.Expr, alias: str, certain: set[str]) -> _Link:
        """Return the predicate with all columns but those of `alias` in terms of one node, or of one for each branch.

        In a branch that shows NULL there it is never true, so nothing is tied to it. No row that matters lacks those of
        the relations that are `certain`.
        """
        others = [column for column in conjunct.find_all(exp.Column) if column.table != alias]
        optional = any(self._is_optional(scope, column, certain) for column in others)
        ties = []
        for (predicate,) in self._ways(scope, [conjunct], keep=alias):
            parents = aliases_of(predicate) - {alias}
            if len(parents) == 1:
                ties.append(_Tie(self._nodes[parents.pop()], predicate))
            elif parents or not is_never_true(predicate):
                refuse(
                    f"{conjunct.sql('redshift')}, a tie to {len(parents) or 'no'} sources at once,",
                    "Compare a column with columns of one source; in a branch of a UNION, with no constant but NULL.",
                    conjunct,
                )
        link = _Link(tuple(ties))
        if not ties or len(set(link.parents)) < len(ties):
            refuse(f"{conjunct.sql('redshift')}", "Compare columns of two relations.", conjunct)
        if optional:
            _require_false_for_null(link, conjunct, "the optional side of an outer join")
        return link

    def _attach_subquery(self, scope: Scope, subquery: Scope, certain: set[str]) -> None:
        """Tie a subquery in WHERE, HAVING, ON or SELECT to the scope around it."""
        select = subquery.expression
        shown = shortened(select)
        if any(column.table not in scope.selected_sources for column in subquery.external_columns):
            refuse(
                f"the subquery ({shown}), correlated over more than one level,",
                "Correlate with the query around it.",
                select,
            )
        if not reads_source(subquery):
            return
        failures: list[Refused] = []
        links = self._correlations(scope, subquery, certain, failures)
        # By an equality there are fewer rows to look at.
        equal = any(isinstance(tie.predicate, exp.EQ) for link in links for tie in link.ties)
        member = None if equal else self._membership(scope, subquery, certain, failures)
        if member is not None:
            for branch in branches(subquery):
                self._enter_branch(subquery, branch, MEMBER, member)
            return
        if links:
            self._descend(subquery, _all_of(links), filtered=True)
            return
        if failures:
            raise failures[0]
        refuse(
            f"the subquery ({shown}), which is tied to no row of the query around it,",
            "Correlate it by a predicate with a column of the outer query: EXISTS (SELECT 1 … WHERE inner = outer).",
            select,
        )

    def _correlations(self, scope: Scope, subquery: Scope, certain: set[str], failures: list[Refused]) -> list[_Link]:
        """Return the predicates that filter a subquery's rows by one of its relations and one node outside."""
        select = subquery.expression
        if not isinstance(select, exp.Select):
            return []
        outside = set(scope.selected_sources) - set(subquery.selected_sources)
        groups: dict[tuple[object, ...], list[_Link]] = {}
        for conjunct in conjuncts_of(subquery):
            aliases = aliases_of(conjunct.predicate)
            inside = aliases - outside
            if conjunct.joined is None and len(inside) == 1 and aliases & outside:
                (alias,) = inside
                try:
                    link = self._link_to(scope, conjunct.predicate, alias, certain)
                    groups.setdefault((link.parents, self._entry(subquery, alias, link)), []).append(link)
                except Refused as failure:
                    failures.append(failure)
        if groups:
            check_limit(select)
        return max(groups.values(), key=len, default=[])

    def _membership(
        self, scope: Scope, subquery: Scope, certain: set[str], failures: list[Refused]
    ) -> list[_Tie] | None:
        """Return the ties of `x IN (SELECT y …)`: x = y; None where the subquery stands elsewhere or that is no tie."""
        query = cast("exp.Query", subquery.expression)
        membership = query.find_ancestor(exp.In, exp.Select)
        rows = membership.args.get("query") if isinstance(membership, exp.In) else None
        if not isinstance(membership, exp.In) or not isinstance(rows, exp.Query) or rows.unnest() is not query:
            return None
        try:
            check_membership(membership)
            name = query.named_selects[0]
            self._definitions(subquery, [name])
            equality = exp.EQ(this=membership.this.copy(), expression=exp.column(name, table=MEMBER))
            return list(self._link_to(scope, equality, MEMBER, certain).ties)
        except Refused as failure:
            failures.append(failure)
            return None

    def _entry_alias(self, scope: Scope, predicate: exp.Expr, *, at_top: bool, filtered: bool) -> str:
        """Return the one relation of the scope that the predicate reads, or refuse."""
        aliases = aliases_of(predicate) - set(self._read)
        shown = predicate.sql("redshift")
        if predicate.find(exp.AggFunc, exp.Window, exp.Query):
            refuse(
                f"{shown}, computed from several rows,",
                "Join, anchor and group by a column of one relation.",
                predicate,
            )
        if len(aliases) != 1:
            refuse(
                f"{shown}, computed from {len(aliases)} relations,",
                "Join, anchor and group by a column of one relation, in each branch of a UNION."
                + (OTHER_ANCHOR if at_top else ""),
                predicate,
            )
        (alias,) = aliases
        if not filtered:
            check_entry(scope, predicate, alias, partial(self._look_alike, scope))
        if alias in optional_aliases(scope) and (at_top or not rejects_null(predicate)):
            refuse(
                f"{shown}, from the optional side of an outer join,",
                "Anchor or join at a column of the relation that the outer join preserves.",
                predicate,
            )
        return alias

    def _entry(self, scope: Scope, alias: str, link: _Link) -> object:
        """Return what identifies the tables that a link enters, or refuse it."""
        entries = [self._entered(scope, alias, tie.predicate) for tie in link.ties]
        return entries[0]

    def _entered(self, scope: Scope, alias: str, predicate: exp.Expr) -> object:
        source = scope.selected_sources[alias][1]
        if not isinstance(source, Scope):
            return id(source)
        entered = []
        for branch in filter(reads_source, branches(source)):
            opened = self._opened(source, branch, alias, predicate)
            if is_never_true(opened):
                continue
            inner = self._entry_alias(branch, opened, at_top=False, filtered=False)
            entered.append(self._entered(branch, inner, opened))
        self._definitions(source, [column.name for column in predicate.find_all(exp.Column) if column.table == alias])
        return tuple(entered)

    def _opened(self, source: Scope, branch: Scope, alias: str, predicate: exp.Expr) -> exp.Expr:
        """Return a predicate on a derived table as one on a branch of it, unless it sees more than that has."""
        names = {column.name for column in predicate.find_all(exp.Column) if column.table == alias}
        kinds = {name: self._look_alike(branch, definition_of(source, branch, name)) for name in names}
        check_merged(source, predicate, alias, kinds)
        return opened_in(source, branch, alias, predicate)

    def _look_alike(self, scope: Scope, expression: exp.Expr) -> LookAlike:
        """Return which equal values of an expression can be told apart: it is read from such a column."""
        if isinstance(expression, exp.Column):
            source = scope.selected_sources[expression.table][1] if expression.table in scope.selected_sources else None
            if isinstance(source, Scope):
                return _first(
                    self._look_alike(branch, definition_of(source, branch, expression.name))
                    for branch in branches(source)
                )
            return self._source(source).column(expression.name).look_alike if isinstance(source, exp.Table) else None
        if isinstance(expression, exp.Cast) and not expression.to.is_type(*LOOK_ALIKE_TYPES):
            return None
        if isinstance(expression, (exp.Length, exp.Count)) or not keeps_blanks(expression):
            return None
        return _first(self._look_alike(scope, part) for part in expression.iter_expressions())

    def _ways(self, scope: Scope, expressions: Sequence[exp.Expr], *, keep: str) -> list[list[exp.Expr]]:
        """Return the expressions with all columns but those of `keep` in terms of nodes, once for each branch of UNION.

        Raises:
            Refused: one is computed from several rows.
        """
        read: dict[str, list[str]] = {}
        for column in [column for expression in expressions for column in expression.find_all(exp.Column)]:
            if column.table != keep and column.table in scope.selected_sources:
                read.setdefault(column.table, []).append(column.name)
        ways: list[dict[tuple[str, str], exp.Expr]] = [{}]
        for alias, names in read.items():
            source = scope.selected_sources[alias][1]
            if isinstance(source, Scope):
                found = self._definitions(source, names)
            else:
                found = [{name: exp.column(name, table=self._names[id(source)]) for name in names}]
            ways = [
                way | {(alias, name): definition for name, definition in definitions.items()}
                for way in ways
                for definitions in found
            ]
        return [[with_definitions(expression, way) for expression in expressions] for way in ways]

    def _definitions(self, source: Scope, names: Sequence[str]) -> list[dict[str, exp.Expr]]:
        """Return what columns of a derived table are in terms of nodes, in each branch of a UNION.

        Raises:
            Refused: one is computed from several rows, or not of the same type in all branches.
        """
        names = list(dict.fromkeys(names))
        found: list[dict[str, exp.Expr]] = []
        for branch in branches(source):
            columns = [definition_of(source, branch, name) for name in names]
            for column in columns:
                if column.find(exp.AggFunc, exp.Window, exp.Query):
                    refuse(
                        f"a tie to {column.sql('redshift')}, computed from several rows,",
                        "Join, anchor and group by a column of one relation.",
                        column,
                    )
            found += [dict(zip(names, way, strict=True)) for way in self._ways(branch, columns, keep="")]
        for name in names:
            self._check_branch_types(name, [way[name] for way in found], source)
        return found

    def _is_optional(self, scope: Scope, column: exp.Column, certain: Collection[str] = ()) -> bool:
        """Return whether an outer join can make the column NULL where its table has no NULL."""
        if column.table in optional_aliases(scope) - {*certain}:
            return True
        source = scope.selected_sources[column.table][1] if column.table in scope.selected_sources else None
        return isinstance(source, Scope) and any(
            self._is_optional(branch, inner)
            for branch in branches(source)
            for inner in definition_of(source, branch, column.name).find_all(exp.Column)
        )

    def _data_type(self, expression: exp.Expr) -> str | None:
        """Return the type of an expression in terms of nodes, None where it is not known."""
        expression = expression.unnest()
        if isinstance(expression, exp.Column):
            return self._read[expression.table].column(expression.name).data_type
        if isinstance(expression, exp.Cast):
            return expression.to.sql("redshift").lower()
        if isinstance(expression, exp.Literal):
            return "varchar" if expression.is_string else "integer" if expression.is_int else None
        return None

    def _check_branch_types(self, name: str, definitions: Sequence[exp.Expr], source: Scope) -> None:
        """Refuse to tie branches of a UNION whose columns differ in type: a value may be another one in the UNION."""
        given = [self._data_type(definition) for definition in definitions if not is_null(definition)]
        if (
            len(definitions) > 1
            and len({kind and type_family(kind) for kind in given} - {None}) + given.count(None) > 1
        ):
            refuse(
                f"the tie to {name} of a UNION, given as {' and '.join(kind or 'an unknown type' for kind in given)},",
                f"Cast {name} to the same type in each branch.",
                source.expression,
            )

    def _check_anchor_type(self, anchor: exp.Expr, clause: exp.Expr) -> None:
        """Refuse an anchor that the fact's column rounds or cuts off: a key would not be found under its first value.

        Integers convert into one another without loss, and so do texts.
        """
        declared, shown = self._fact.column(self._fact.anchor).data_type, anchor.sql("redshift")
        given = self._data_type(anchor)
        if given is None:
            refuse(
                f"the anchor {shown}, whose type is not known,",
                f"Write CAST({shown} AS {declared}).{OTHER_ANCHOR}",
                clause,
            )
        if type_family(given) != type_family(declared):
            refuse(
                f"the anchor {shown}, a {given} that {self._fact.name}.{self._fact.anchor} shows as {declared},",
                f"List the column as {given}, or write CAST({shown} AS {declared}).",
                clause,
            )


def _refuse_untied(scope: Scope, waiting: Sequence[str], reached: set[str], failures: Sequence[Refused]) -> NoReturn:
    if failures:
        raise failures[0]
    joins = scope.expression.args.get("joins") or ()
    clause = next((join for join in joins if join.alias_or_name in waiting), scope.expression)
    refuse(
        f"{' and '.join(waiting)}, tied to {' and '.join(sorted(reached))} by no usable predicate,",
        "Join on columns of two relations; enter a grouped or windowed one by columns of its GROUP BY or PARTITION BY.",
        clause,
    )


def _require_false_for_null(link: _Link, clause: exp.Expr, absent: str) -> None:
    if not all(rejects_null(tie.predicate) for tie in link.ties):
        refuse(
            f"{clause.sql('redshift')}, which may hold where {absent} is absent,",
            "Compare its columns as they are, without COALESCE, OR or IS NULL.",
            clause,
        )


def _all_of(links: Sequence[_Link]) -> list[_Tie]:
    """Return the ties of links to the same nodes as one for each node."""
    return [
        _Tie(ties[0].parent, exp.and_(*(tie.predicate for tie in ties), copy=True))
        for ties in zip(*(link.ties for link in links), strict=True)
    ]

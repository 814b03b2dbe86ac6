"""Grows the tree of joins of a fact from the anchor outwards, scope by scope."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from surgical_cdc.compiler.checks import OTHER_ANCHOR, branches, check_anchor_type, check_joins, untied
from surgical_cdc.compiler.constants import with_constants
from surgical_cdc.compiler.definitions import data_type
from surgical_cdc.compiler.derived_tables import projection, selects_of
from surgical_cdc.compiler.fact_query import MOST_PARTS, inlined_size
from surgical_cdc.compiler.full_joins import keys_of
from surgical_cdc.compiler.links import MEMBER, Link, Links, Tie, all_of
from surgical_cdc.compiler.nodes import Edge, JoinTree, Node, Tables, Value
from surgical_cdc.compiler.predicates import aliases_of, is_never_true, renamed
from surgical_cdc.compiler.scopes import (
    Conjunct,
    aggregates,
    conjuncts_of,
    filters_of,
    is_of_all,
    is_value,
    optional_aliases,
    reads_source,
    reads_table,
)
from surgical_cdc.compiler.unsupported import Refused, not_incremental, shortened
from surgical_cdc.contract.tables import Source, type_family

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Fact


def join_tree(project: Project, fact: Fact, query: exp.Select, *, with_whole: bool = False) -> JoinTree:
    """Derive the tree of joins of a fact from its query.

    Args:
        project: has the tables.
        fact: the fact.
        query: its SELECT on them.
        with_whole: whether what nothing ties to the rest of the query may be read as a whole.

    Raises:
        Refused: a part of the query can not be maintained.
    """
    parts, read = inlined_size(query)
    if read > MOST_NODES or parts > MOST_PARTS:
        raise not_incremental(
            f"a query that reads {read} tables and has {parts} parts, what a model reads counted each time that it is"
            " read,",
            f"{MOST_NODES} tables and {MOST_PARTS} parts are the most. Let a model in between be a source of its own,"
            " or a fact of its own that this one reads as a source.",
            query,
        )
    query, constants = with_constants(query.copy())
    by_relation = {name: static for name, (static, _) in constants.items()}
    tables = Tables(query, {**project.tables, **by_relation})
    try:
        tree = _Builder(fact, query, tables, with_whole=with_whole).build()
        return replace(
            tree,
            whole={node: refused and _readable(refused, tables) for node, refused in tree.whole.items()},
            constants={name: constant for name, (_, constant) in constants.items()},
        )
    except Refused as error:
        raise _readable(error, tables) from error


def _readable(refused: Refused, tables: Tables) -> Refused:
    return Refused(tables.readable(refused.problem), tables.readable(refused.hint), refused.clause)


# Types that a date or time is given as; what becomes of it in a column of another of them, a CAST makes of it.
TIMES = ("date", "timestamp")
# So many tables of a query are followed: a change may take statements for each of them.
MOST_NODES = 400
# The tie of a root of which every row counts.
EVERY_ROW = Tie(None, exp.true())


class _Growth:
    """How far a scope is tied to the tree: the relations that are reached, and those that wait."""

    def __init__(self, scope: Scope, starts: Collection[str]) -> None:
        self.scope = scope
        # Relations that no outer join can leave NULL in a row that matters; of full-joined starts it can each.
        self.certain = {*scope.selected_sources} - optional_aliases(scope)
        if len(starts) == 1:
            self.certain |= {*starts}
        self.reached = {*starts}
        self.waiting = [
            alias
            for alias, (_, source) in scope.selected_sources.items()
            if alias not in self.reached and reads_table(source)
        ]
        # What is always the same need not be tied; it is the last to be, in case that another is tied by it.
        self.waiting.sort(key=lambda alias: not reads_source(scope.selected_sources[alias][1]))
        self._conjuncts = conjuncts_of(scope)

    def usable(self, alias: str) -> list[Conjunct]:
        """Return the predicates that can tie a relation to those that are reached."""
        return [
            conjunct
            for conjunct in self._conjuncts
            if conjunct.joined in {None, alias, *self.certain}
            and aliases_of(conjunct.predicate) <= {alias, *self.reached}
        ]

    def leave(self, alias: str) -> None:
        """Note that a relation is tied to nothing."""
        self.waiting.remove(alias)

    def reach(self, alias: str, links: Sequence[Link]) -> None:
        """Note that a relation is tied by links."""
        self.waiting.remove(alias)
        self.reached.add(alias)
        if any(link.certain for link in links):
            self.certain.add(alias)


class _Builder:
    def __init__(self, fact: Fact, query: exp.Select, tables: Tables, *, with_whole: bool) -> None:
        self._fact = fact
        self._query = query
        self._tables = tables
        self._whole: dict[Node, Refused | None] = {}
        self._links = Links(tables, self._is_whole)
        self._by_table: dict[int, Node] = {}
        self._nodes: dict[str, Node] = {}
        self._anchors: dict[str, exp.Expr] = {}
        self._values: list[Value] = []
        # Whether the fact is one row for all; then what changes a value has changed all.
        self._is_of_all = False
        self._with_whole = with_whole

    def build(self) -> JoinTree:
        scope = build_scope(self._query)
        if scope and is_of_all(scope):
            self._is_of_all = True
            self._count_in(scope)
            return self._tree()
        if scope is None or not scope.selected_sources:
            raise not_incremental("a query that reads no source", "Read at least one source.", self._query)
        anchor = projection(scope, self._fact.anchor)
        self._descend(scope, [Tie(None, anchor)], at_top=True)
        if self._anchors and not any(expression.find(exp.Column) for expression in self._anchors.values()):
            raise not_incremental(
                f"{anchor.sql('redshift')} as the anchor, of which all rows have the same,",
                f"Take a column that tells rows apart.{OTHER_ANCHOR}",
                anchor,
            )
        kinds = {name: data_type(self._tables, expression) for name, expression in self._anchors.items()}
        if self._may_be_cast(kinds.values()):
            self._cast_anchor(anchor)
        else:
            for name, expression in self._anchors.items():
                check_anchor_type(self._fact, expression, kinds[name], anchor)
        return self._tree()

    def _may_be_cast(self, kinds: Collection[str | None]) -> bool:
        """Return whether a date or time of another type, or of one that is not known, is the anchor in the fact's type.

        So the fact's column has it. Rows that are told apart by DISTINCT alone would be merged by that.
        """
        declared = self._fact.column(self._fact.anchor).data_type
        others = [kind for kind in kinds if kind is None or type_family(kind) != type_family(declared)]
        are_times = all(kind is None or kind.startswith(TIMES) for kind in others)
        return bool(others) and are_times and declared in TIMES and not self._query.args.get("distinct")

    def _cast_anchor(self, anchor: exp.Expr) -> None:
        """Let the query show the anchor in the fact's type, and each root too."""
        declared = self._fact.column(self._fact.anchor).data_type
        shown = next(part for part in self._query.selects if part.alias_or_name == self._fact.anchor)
        cast = exp.cast(anchor.copy(), declared, dialect="redshift")
        shown.replace(exp.alias_(cast, self._fact.anchor))
        self._anchors = {
            name: exp.cast(expression, declared, dialect="redshift") for name, expression in self._anchors.items()
        }

    def _tree(self) -> JoinTree:
        for scope in cast("Scope", build_scope(self._query)).traverse():
            for alias, (_, table) in scope.selected_sources.items():
                if isinstance(table, exp.Table) and id(table) not in self._by_table:
                    self._add_node(scope, alias, table, [])
                    self._whole[self._by_table[id(table)]] = None
        nodes, values = tuple(self._nodes.values()), tuple(self._values)
        return JoinTree(
            self._fact, self._query, nodes, self._anchors, self._by_table, self._is_of_all, values, whole=self._whole
        )

    def _count_in(self, scope: Scope) -> None:
        """Make roots of what counts in one row for all, and tie to them what only matters beside their rows."""
        for select in selects_of(scope):
            if aggregates(select):
                self._try_or_count_all(select, partial(self._count_rows, select))
                continue
            relations = [source for _, source in select.selected_sources.values() if isinstance(source, Scope)]
            for relation in (*relations, *select.subquery_scopes):
                if is_of_all(relation):
                    self._count_in(relation)
                else:
                    self._add_nodes(relation, [EVERY_ROW])

    def _try_or_count_all(self, scope: Scope, make_nodes: Callable[[], None]) -> None:
        """Make nodes; where that is refused, each table of a query is a root instead, of which every row counts."""
        if self._try(make_nodes):
            self._add_nodes(scope, [EVERY_ROW])

    def _try(self, make_nodes: Callable[[], None]) -> Refused | None:
        """Make nodes; where that is refused, take back those that were made, and return the refusal."""
        made, values = {*self._nodes}, len(self._values)
        try:
            make_nodes()
        except Refused as refused:
            for name in self._nodes.keys() - made:
                self._whole.pop(self._nodes.pop(name), None)
                self._anchors.pop(name, None)
            for node in self._nodes.values():
                node.children = [child for child in node.children if child.name in made]
            del self._values[values:]
            return refused
        return None

    def _count_rows(self, scope: Scope) -> None:
        """Reach all relations of a SELECT that aggregates all its rows, from one that it filters if there is one."""
        check_joins(scope)
        if keys_of(scope):
            raise not_incremental("a FULL JOIN of all rows", "", scope.expression)
        filters = filters_of(scope)
        certain = [alias for alias in scope.selected_sources if alias not in optional_aliases(scope)]
        start = next((alias for alias in certain if alias in filters), certain[0])
        self._enter(scope, start, [Tie(None, filters.get(start, exp.true()))])
        growth = _Growth(scope, {start})
        while growth.waiting:
            try:
                alias, links = self._next(growth)
            except Refused:
                (alias, *_), links = growth.waiting, []
            ties = all_of(links) or [Tie(None, filters.get(alias, exp.true()))]
            self._enter(scope, alias, ties)
            growth.reach(alias, links)
        for subquery in scope.subquery_scopes:
            self._try_or_count_all(subquery, partial(self._attach_subquery, growth, subquery))

    def _descend(self, scope: Scope, ties: Sequence[Tie], *, at_top: bool = False, filtered: bool = False) -> None:
        """Enter a scope by ties of its relations: make the nodes that they lead to, then reach all others.

        All ties read the same columns of the scope.
        """
        entered: dict[str, list[Tie]] = {}
        for tie in ties:
            for alias, own in self._links.entries(scope, tie.predicate, at_top=at_top, filtered=filtered):
                entered.setdefault(alias, []).append(replace(tie, predicate=own))
        for alias, own_ties in entered.items():
            if reads_table(scope.selected_sources[alias][1]):
                self._enter(scope, alias, own_ties, at_top=at_top)
        self._grow(scope, {*entered})

    def _enter(self, scope: Scope, alias: str, ties: Sequence[Tie], *, at_top: bool = False) -> None:
        """Make the nodes of one relation of a scope: of each branch of a UNION, for its query gives their rows."""
        source = scope.selected_sources[alias][1]
        if isinstance(source, Scope):
            self._enter_branches(source, alias, ties, at_top=at_top)
        else:
            self._add_node(scope, alias, source, ties)

    def _enter_branches(self, source: Scope, alias: str, ties: Sequence[Tie], *, at_top: bool = False) -> None:
        """Make the nodes of a derived table; what reads no source is the same in any slice."""
        for branch in branches(source):
            opened = [replace(tie, predicate=self._links.opened(source, branch, alias, tie.predicate)) for tie in ties]
            leading = [tie for tie in opened if not is_never_true(tie.predicate)]
            if not leading:
                # None of its rows matters.
                self._add_nodes(branch, [])
            elif reads_table(branch):
                self._descend(branch, leading, at_top=at_top)

    def _add_nodes(self, branch: Scope, ties: Sequence[Tie]) -> None:
        """Make the nodes of all tables in a query, each by the same ties."""
        for scope in branch.traverse():
            for alias, (_, table) in scope.selected_sources.items():
                if isinstance(table, exp.Table):
                    self._add_node(scope, alias, table, ties)

    def _add_node(self, scope: Scope, alias: str, table: exp.Table, ties: Sequence[Tie]) -> None:
        source = self._tables.source(table)
        key = source.key if isinstance(source, Source) else ()
        read = sorted({column.name for column in scope.columns if column.table == alias} - {*key})
        # A table of which no column is read has rows to be counted all the same.
        node = Node(self._tables.name(table), source, (*key, *read) or source.column_names[:1])
        self._by_table[id(table)] = self._nodes[node.name] = node
        for tie in ties:
            predicate = renamed(tie.predicate, alias, node.name)
            if tie.parent is None:
                self._anchors[node.name] = predicate
            else:
                parent = self._nodes[tie.parent]
                node.edges.append(Edge(parent, predicate))
                parent.children.append(node)

    def _grow(self, scope: Scope, starts: Collection[str]) -> None:
        """Tie each other relation of the scope, and its subqueries, to the nodes that were reached through `starts`."""
        check_joins(scope)
        growth = _Growth(scope, starts)
        for alias in list(growth.waiting):
            source = scope.selected_sources[alias][1]
            if isinstance(source, Scope) and self._is_value(source):
                self._add_value(source)
                growth.reach(alias, [])
        while growth.waiting:
            try:
                alias, links = self._next(growth)
            except Refused as untied_for:
                for alias in growth.waiting:
                    self._read_whole(scope, alias, untied_for)
                break
            if refused := self._try(partial(self._enter, scope, alias, all_of(links))):
                self._read_whole(scope, alias, refused)
                growth.leave(alias)
            else:
                growth.reach(alias, links)
        for subquery in scope.subquery_scopes:
            if refused := self._try(partial(self._attach_subquery, growth, subquery)):
                self._read_query_whole(subquery, refused)

    def _read_whole(self, scope: Scope, alias: str, refused: Refused) -> None:
        """Make nodes without edges of a relation that nothing ties to the others.

        All of its rows are there for the query, as in a full rebuild; and no other relation is tied to it, for what
        leads to one of its rows leads to no anchor. So the rows of an affected key can differ by a change of it alone
        only where the whole fact is recomputed: whenever it has changed.
        """
        source = scope.selected_sources[alias][1]
        if isinstance(source, Scope):
            self._read_query_whole(source, refused)
        else:
            self._note_whole(partial(self._add_node, scope, alias, source, []), refused)

    def _read_query_whole(self, scope: Scope, refused: Refused) -> None:
        self._note_whole(partial(self._add_nodes, scope, []), refused)

    def _note_whole(self, make_nodes: Callable[[], None], refused: Refused) -> None:
        made = {*self._nodes}
        make_nodes()
        whole = {node: refused for name, node in self._nodes.items() if name not in made}
        if any(isinstance(node.source, Source) for node in whole) and (self._is_of_all or not self._with_whole):
            raise refused
        self._whole |= whole

    def _is_whole(self, name: str) -> bool:
        return name in self._nodes and self._nodes[name] in self._whole

    def _is_value(self, scope: Scope) -> bool:
        return is_value(scope) and not self._is_of_all

    def _add_value(self, scope: Scope) -> None:
        """Make nodes without edges of what gives one row for all: it is read as a whole."""
        made = {*self._nodes}
        self._add_nodes(scope, [])
        nodes = tuple(node for name, node in self._nodes.items() if name not in made)
        query = cast("exp.Select", scope.expression)
        self._values.append(Value(str(len(self._values) + 1), query, nodes, self._tables.types(query)))

    def _next(self, growth: _Growth) -> tuple[str, Sequence[Link]]:
        """Return the first waiting relation that can be tied to those that are reached, with its links."""
        failures: list[Refused] = []
        for alias in growth.waiting:
            links = self._links.between(growth.scope, alias, growth.usable(alias), growth.certain, failures)
            if links:
                return alias, links
        raise untied(growth.scope, growth.waiting, growth.reached, failures)

    def _attach_subquery(self, growth: _Growth, subquery: Scope) -> None:
        """Tie a subquery in WHERE, HAVING, ON or SELECT to the scope around it.

        An equality leads to the fewest rows: first one of the subquery's own, then that of IN, then any predicate.
        """
        scope, select = growth.scope, subquery.expression
        shown = shortened(select)
        if any(column.table not in scope.selected_sources for column in subquery.external_columns):
            raise not_incremental(
                f"the subquery ({shown}), correlated over more than one level,",
                "Correlate with the query around it.",
                select,
            )
        if not reads_source(subquery):
            return
        failures: list[Refused] = []
        links = self._links.correlations(scope, subquery, growth.certain, failures)
        if any(not link.ties for link in links):
            self._add_nodes(subquery, [])
        elif any(link.has_equality for link in links):
            self._descend(subquery, all_of(links), filtered=True)
        elif ties := self._links.membership(scope, subquery, growth.certain, failures):
            self._enter_branches(subquery, MEMBER, ties)
        elif links:
            self._descend(subquery, all_of(links), filtered=True)
        elif self._is_value(subquery):
            self._add_value(subquery)
        elif failures:
            raise failures[0]
        else:
            raise not_incremental(
                f"the subquery ({shown}), which is tied to no row of the query around it,",
                "Correlate it by a predicate with a column of the outer query: EXISTS (SELECT 1 … WHERE inner ="
                " outer).",
                select,
            )

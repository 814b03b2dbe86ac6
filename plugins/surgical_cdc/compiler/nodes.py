"""The tree of joins of a fact: which source feeds it where, and by which predicate rows lead to the fact's anchor.

A node is one occurrence of a source in the fact's query. Its edge is a predicate between its own columns and its
parent's, true for every pair of rows that the query can bring together. The root holds the anchor. Each branch of a
UNION has nodes of its own, and what is joined to the UNION has an edge to each. Why slices that follow these edges give
the same rows as the whole tables is argued in docs/adr/0001-slices-along-the-join-tree.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types

from surgical_cdc.compiler.constants import is_constant
from surgical_cdc.compiler.fact_query import relation_of
from surgical_cdc.contract.tables import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from surgical_cdc.compiler.unsupported import Refused
    from surgical_cdc.contract.tables import Column, Fact, Static


@dataclass(frozen=True)
class Edge:
    """A tie to a node further up; `predicate` names the columns of both as <node name>.<column>."""

    parent: Node
    predicate: exp.Expr


@dataclass(eq=False)
class Node:
    """One occurrence of a source.

    `columns` are those that the query reads here, a source's key first. There are several `edges` where the node is
    tied to the branches of a UNION; none at a root, where no row of it can matter, and where it is read as a whole.
    """

    name: str
    source: Source | Static
    columns: tuple[str, ...]
    edges: list[Edge] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    def link_columns(self) -> tuple[str, ...]:
        """Return this node's columns that its edges read."""
        columns = [column for edge in self.edges for column in edge.predicate.find_all(exp.Column)]
        return tuple(dict.fromkeys(column.name for column in columns if column.table == self.name))


@dataclass(frozen=True, eq=False)
class Value:
    """One row for all rows of the query: a subquery that aggregates without groups, and is tied to none of them.

    Attributes:
        name: what tells it from others of the fact.
        query: the subquery, a part of the fact's query.
        nodes: its source tables, which have no edges.
        types: the types of its columns, as far as they are known.
    """

    name: str
    query: exp.Select
    nodes: tuple[Node, ...]
    types: Mapping[str, exp.DataType]


@dataclass(frozen=True, eq=False)
class Limit:
    """What a fact keeps of its query: the first `rows` in an order by its own columns, which leaves none tied."""

    rows: int
    order: tuple[exp.Expr, ...]


@dataclass(frozen=True)
class JoinTree:
    """A fact's query with its nodes, parents before children.

    `anchors` gives for each root, of which a UNION has several, what the fact's anchor shows of it. `tables` maps the
    id of each source table in `query` to its node. `is_of_all` says that the fact is one row for all: it is recomputed
    as a whole, if a row leads to a root, and `anchors` gives what must hold of the root's row. `values` are what all
    rows have in common: where one has changed, every row of a root leads to the anchor. With a `limit`, `query` is the
    fact's without it, and the fact keeps what comes first. `whole` has the nodes that nothing ties to the others, each
    with what is in the way: they are read as a whole, and where one has changed, so is the fact recomputed.
    `constants` are relations of the query that read no table, by the names of tables that stand for them in it.
    """

    fact: Fact
    query: exp.Select
    nodes: tuple[Node, ...]
    anchors: Mapping[str, exp.Expr]
    tables: Mapping[int, Node]
    is_of_all: bool = False
    values: tuple[Value, ...] = ()
    limit: Limit | None = None
    whole: Mapping[Node, Refused | None] = field(default_factory=dict)
    constants: Mapping[str, exp.Query] = field(default_factory=dict)

    @property
    def read_whole(self) -> dict[str, str]:
        """The names of the sources a change of which has the fact recomputed as a whole, each with the reason."""
        return {
            node.source.name: refused.problem
            for node, refused in self.whole.items()
            if refused and isinstance(node.source, Source)
        }

    @property
    def followed(self) -> set[str]:
        """The names of the sources of which each change is followed to the rows that it affects."""
        tied = {node.source.name for node in self.nodes if isinstance(node.source, Source) and node not in self.whole}
        return tied - self.read_whole.keys()

    def predicates(self) -> Iterator[exp.Expr]:
        """Yield what the nodes are tied by."""
        yield from self.anchors.values()
        yield from (edge.predicate for node in self.nodes for edge in node.edges)


class Tables:
    """The source tables of a query, with their sources and the names of their nodes; no alias of the query is one."""

    def __init__(self, query: exp.Select, by_relation: Mapping[str, Source | Static]) -> None:
        """Name the tables by their order in the query."""
        tables = list(query.find_all(exp.Table))
        aliases = {relation.alias_or_name for relation in query.find_all(exp.Table, exp.Subquery)}
        prefix = "n"
        while any(alias.startswith(prefix) and alias[len(prefix) :][:1].isdigit() for alias in aliases):
            prefix += "n"
        self._names = {id(table): f"{prefix}{number}_{table.name}"[:63] for number, table in enumerate(tables, start=1)}
        self._sources = {self.name(table): by_relation[relation_of(table)] for table in tables}
        self._tables = {self.name(table): table.alias if is_constant(table) else table.name for table in tables}

    def name(self, table: exp.Table) -> str:
        """Return the name of a table's node."""
        return self._names[id(table)]

    def source(self, table: exp.Table) -> Source | Static:
        """Return the source that a table is."""
        return self._sources[self.name(table)]

    def key(self, name: str) -> tuple[str, ...]:
        """Return the columns that tell the rows of a node apart; none of a table that has no key."""
        source = self._sources[name]
        return source.key if isinstance(source, Source) else ()

    def is_constant(self, name: str) -> bool:
        """Return whether a node, by its name, is no table of the warehouse's."""
        return "." not in self._sources[name].relation

    def column(self, column: exp.Column) -> Column:
        """Return what the contract says of a column of a node."""
        return self._sources[column.table].column(column.name)

    def types(self, query: exp.Select) -> dict[str, exp.DataType]:
        """Return the types of a query's columns, as far as they are known."""
        schema: dict[str, dict[str, dict[str, str]]] = {}
        for source in self._sources.values():
            database, _, table = source.relation.partition(".")
            if not table:
                # A constant; none is among what a value reads of tables.
                continue
            schema.setdefault(database, {})[table] = {column.name: column.data_type for column in source.columns}
        typed = annotate_types(query.copy(), schema=dict(schema), dialect="redshift")
        return {part.alias_or_name: part.type for part in typed.selects if part.type}

    def without_nodes(self, aliases: Iterable[str]) -> set[str]:
        """Return the aliases that are no names of nodes."""
        return {*aliases} - {*self._sources}

    def readable(self, text: str) -> str:
        """Return a message with the names of tables in place of those of nodes."""
        return re.sub(r"\w+", lambda word: self._tables.get(word[0], word[0]), text)

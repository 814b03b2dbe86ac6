"""What ties relations of a scope to nodes: predicates of its ON and WHERE, correlations of subqueries, and IN."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from surgical_cdc.compiler.checks import (
    ONE_RELATION,
    OTHER_ANCHOR,
    branches,
    check_entry,
    check_key,
    check_key_types,
    check_limit,
    check_membership,
    check_merged,
    of_groups,
    of_several_rows,
)
from surgical_cdc.compiler.definitions import (
    SEVERAL_ROWS,
    column_definitions,
    data_type,
    in_terms_of_nodes,
    is_of_one_row,
    is_optional,
    look_alike,
)
from surgical_cdc.compiler.derived_tables import definition_of, query_of
from surgical_cdc.compiler.full_joins import Key, keys_of, with_key
from surgical_cdc.compiler.nulls import compares_no_null
from surgical_cdc.compiler.predicates import aliases_of, is_never_true, rejects_null, with_definitions
from surgical_cdc.compiler.scopes import conjuncts_of, optional_aliases, reads_table
from surgical_cdc.compiler.unsupported import Refused, not_incremental

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from surgical_cdc.compiler.nodes import Tables
    from surgical_cdc.compiler.scopes import Conjunct

# Stands for the rows of an IN (SELECT …) as an alias that no query can have.
MEMBER = "(member)"


@dataclass(frozen=True)
class Tie:
    """A predicate between relations of a scope and the node named `parent`; the anchor's tie has None."""

    parent: str | None
    predicate: exp.Expr


@dataclass(frozen=True)
class Link:
    """What can tie a relation to the tree: a tie to one node, or one to each branch of a UNION.

    There are no `ties` where it compares with NULL alone: then no row of the relation matters.
    `certain` says that a row in which the relation is NULL-extended does not satisfy it, and so does not matter.
    `mixed` says that a row satisfies one of the ties, not which: it is a COALESCE over several nodes.
    """

    ties: tuple[Tie, ...]
    certain: bool = False
    mixed: bool = False

    @property
    def parents(self) -> tuple[str, ...]:
        """The names of the nodes."""
        return tuple(tie.parent for tie in self.ties if tie.parent)

    @property
    def is_plain(self) -> bool:
        """Whether each tie is an equality of two columns."""
        return all(
            isinstance(tie.predicate, exp.EQ)
            and isinstance(tie.predicate.left, exp.Column)
            and isinstance(tie.predicate.right, exp.Column)
            for tie in self.ties
        )

    @property
    def has_equality(self) -> bool:
        """Whether a tie is an equality."""
        return any(isinstance(tie.predicate, exp.EQ) for tie in self.ties)


def all_of(links: Sequence[Link]) -> list[Tie]:
    """Return the ties of links to the same nodes as one for each node."""
    return [
        Tie(ties[0].parent, exp.and_(*(tie.predicate for tie in ties), copy=True))
        for ties in zip(*(link.ties for link in links), strict=True)
    ]


class Links:
    """Finds links between the relations of a query."""

    def __init__(self, tables: Tables, is_whole: Callable[[str], bool]) -> None:
        """Take the query's tables, and what says by its name whether a node is read as a whole."""
        self._tables = tables
        self._is_whole = is_whole

    def between(
        self,
        scope: Scope,
        alias: str,
        conjuncts: Sequence[Conjunct],
        certain: Collection[str],
        failures: list[Refused],
    ) -> list[Link]:
        """Return the predicates that tie a relation to the same nodes: the largest group, plain ones first.

        Those to constants come last: of these fewer rows are left out.

        Why others are no tie is added to `failures`.
        """

        def link_by(conjunct: Conjunct, alias: str) -> Link:
            link = self._link(scope, conjunct.predicate, alias, certain)
            if conjunct.joined == alias or alias not in optional_aliases(scope):
                return link
            # It decides on rows in which the relation is NULL-extended as well, so it must be false for them.
            _require_false_for_null(link, conjunct.predicate, alias)
            return replace(link, certain=True)

        ties = [one for one in conjuncts if {alias} < aliases_of(one.predicate)]
        groups = self._grouped(scope, ((one, alias) for one in ties), link_by, failures)
        return max(
            groups,
            key=lambda links: (self._leads_to_source(links[0]), sum(link.is_plain for link in links), len(links)),
            default=[],
        )

    def _leads_to_source(self, link: Link) -> bool:
        return not any(map(self._tables.is_constant, link.parents))

    def correlations(
        self, scope: Scope, subquery: Scope, certain: Collection[str], failures: list[Refused]
    ) -> list[Link]:
        """Return the predicates that filter a subquery's rows by one of its relations and one node outside."""
        if not isinstance(subquery.expression, exp.Select):
            return []

        def link_by(conjunct: Conjunct, alias: str) -> Link:
            return self._link(scope, conjunct.predicate, alias, certain)

        groups = self._grouped(subquery, _correlating(scope, subquery), link_by, failures)
        if groups:
            check_limit(subquery.expression)
        return max(groups, key=len, default=[])

    def membership(
        self, scope: Scope, subquery: Scope, certain: Collection[str], failures: list[Refused]
    ) -> tuple[Tie, ...]:
        """Return the ties of `x IN (SELECT y …)`: x = y; none where the subquery stands elsewhere or that is no tie."""
        query = query_of(subquery)
        membership = query.find_ancestor(exp.In, exp.Select)
        rows = membership.args.get("query") if isinstance(membership, exp.In) else None
        if not isinstance(membership, exp.In) or not isinstance(rows, exp.Query) or rows.unnest() is not query:
            return ()
        try:
            if not compares_no_null(scope, subquery, membership):
                check_membership(membership)
            name = query.named_selects[0]
            column_definitions(self._tables, subquery, [name])
            equality = exp.EQ(this=membership.this.copy(), expression=exp.column(name, table=MEMBER))
            return self._link(scope, equality, MEMBER, certain).ties
        except Refused as failure:
            failures.append(failure)
            return ()

    def _grouped(
        self,
        entered: Scope,
        candidates: Iterable[tuple[Conjunct, str]],
        link_by: Callable[[Conjunct, str], Link],
        failures: list[Refused],
    ) -> list[list[Link]]:
        """Return links that enter relations of a scope, in groups that tie the same tables to the same nodes."""
        groups: dict[tuple[object, ...], list[Link]] = {}
        for conjunct, alias in candidates:
            try:
                link = link_by(conjunct, alias)
                entries = [self._entered(entered, alias, tie.predicate) for tie in link.ties]
                # By one of two mixed ties a row may lead to another node than by the other.
                groups.setdefault((link.parents, *entries[:1], id(link) if link.mixed else 0), []).append(link)
            except Refused as failure:
                failures.append(failure)
        return list(groups.values())

    def _link(self, scope: Scope, conjunct: exp.Expr, alias: str, certain: Collection[str]) -> Link:
        """Return the predicate with all columns but those of `alias` in terms of one node, or of one for each branch.

        In a branch that shows NULL there it is never true, so nothing is tied to it. No row that matters lacks those of
        the relations that are `certain`.
        """
        others = [column for column in conjunct.find_all(exp.Column) if column.table != alias]
        optional = any(is_optional(scope, column, certain) for column in others)
        ties: list[Tie] = []
        ways = in_terms_of_nodes(self._tables, scope, [conjunct], keep=alias)
        predicates = list(dict.fromkeys(one for (way,) in ways for one in alternatives(way, alias)))
        for predicate in predicates:
            parents = aliases_of(predicate) - {alias}
            if any(map(self._is_whole, parents)):
                raise not_incremental(
                    f"{conjunct.sql('redshift')}, a tie to what is read as a whole,",
                    "Compare a column with one of a source that is tied to the others.",
                    conjunct,
                )
            if len(parents) == 1:
                ties.append(Tie(parents.pop(), predicate))
            elif parents or not is_never_true(predicate):
                raise not_incremental(
                    f"{conjunct.sql('redshift')}, a tie to {len(parents) or 'no'} sources at once,",
                    "Compare a column with columns of one source; in a branch of a UNION, with no constant but NULL.",
                    conjunct,
                )
        link = Link(tuple(ties), mixed=len(predicates) > len(ways))
        if len(set(link.parents)) < len(ties):
            raise not_incremental(
                f"{conjunct.sql('redshift')}, a tie to the same rows in several ways,",
                "Compare with a column that shows one of a source in each branch of a UNION.",
                conjunct,
            )
        if optional:
            _require_false_for_null(link, conjunct, "the optional side of an outer join")
        return link

    def _entered(self, scope: Scope, alias: str, predicate: exp.Expr) -> object:
        """Return what identifies the tables that a predicate on a relation enters, or refuse it."""
        source = scope.selected_sources[alias][1]
        if not isinstance(source, Scope):
            return id(source)
        entered = []
        for branch in filter(reads_table, branches(source)):
            opened = self.opened(source, branch, alias, predicate)
            if not is_never_true(opened):
                entered += [self._entered(branch, entry, own) for entry, own in self.entries(branch, opened)]
        names = [column.name for column in predicate.find_all(exp.Column) if column.table == alias]
        column_definitions(self._tables, source, names)
        return tuple(entered)

    def entries(
        self, scope: Scope, predicate: exp.Expr, *, at_top: bool = False, filtered: bool = False
    ) -> list[tuple[str, exp.Expr]]:
        """Return the one relation of the scope that the predicate reads, or refuse; each of a FULL JOIN by its key.

        One that reads none holds for all rows or for none: any relation leads to them, and whole groups are taken.
        At the top it is the anchor. `filtered` says that it is part of the scope's own WHERE, before any grouping.
        """
        if predicate.find(*SEVERAL_ROWS):
            entry = predicate.sql("redshift")
            raise of_groups(entry, predicate) if at_top else of_several_rows(entry, predicate)
        keys = keys_of(scope)
        if keys:
            return self._entries_by_key(scope, predicate, keys)
        return [(self._entry_alias(scope, predicate, at_top=at_top, filtered=filtered), predicate)]

    def _entry_alias(self, scope: Scope, predicate: exp.Expr, *, at_top: bool, filtered: bool) -> str:
        aliases = self._tables.without_nodes(aliases_of(predicate))
        entry = predicate.sql("redshift")
        if not aliases:
            aliases = self._preserved(scope)
        if len(aliases) != 1:
            raise not_incremental(
                f"{entry}, computed from {len(aliases)} relations,",
                f"{ONE_RELATION}, in each branch of a UNION.{OTHER_ANCHOR if at_top else ''}",
                predicate,
            )
        (alias,) = aliases
        if not filtered:
            kind_of, is_settled = partial(look_alike, self._tables, scope), partial(is_of_one_row, self._tables, scope)
            check_entry(scope, predicate, aliases, kind_of, is_settled)
        if alias in optional_aliases(scope) and (at_top or not rejects_null(predicate)):
            raise not_incremental(
                f"{entry}, from the optional side of an outer join,",
                "Anchor or join at a column of the relation that the outer join preserves.",
                predicate,
            )
        return alias

    @staticmethod
    def _preserved(scope: Scope) -> set[str]:
        """Return the first relation of a scope that no outer join leaves NULL-extended, if it has rows of a table."""
        optional = optional_aliases(scope)
        first = next((alias for alias in scope.selected_sources if alias not in optional), None)
        return {first} if first and reads_table(scope.selected_sources[first][1]) else set()

    def _entries_by_key(self, scope: Scope, predicate: exp.Expr, keys: Sequence[Key]) -> list[tuple[str, exp.Expr]]:
        """Return each relation of a FULL JOIN with the predicate on its key, which is a predicate on their COALESCE."""
        kind_of = partial(look_alike, self._tables, scope)
        for key in keys:
            entries = [(alias, with_key(predicate, key, own.copy)) for alias, own in key.items()]
            if all(self._tables.without_nodes(aliases_of(entry)) == {alias} for alias, entry in entries):
                check_key_types(key, [self._type_of(scope, own) for own in key.values()], predicate)
                check_key(predicate, key, kind_of)
                check_entry(scope, predicate, {*key}, kind_of)
                return entries
        wanted = " or ".join(f"COALESCE({', '.join(own.sql('redshift') for own in key.values())})" for key in keys)
        raise not_incremental(
            f"{predicate.sql('redshift')}, into a FULL JOIN,",
            f"Anchor, join and group by {wanted}.",
            predicate,
        )

    def _type_of(self, scope: Scope, expression: exp.Expr) -> str | None:
        """Return the type of an expression, None where it is not known, or not the same in all branches of a UNION."""
        types = {data_type(self._tables, way) for (way,) in in_terms_of_nodes(self._tables, scope, [expression])}
        return types.pop() if len(types) == 1 else None

    def opened(self, source: Scope, branch: Scope, alias: str, predicate: exp.Expr) -> exp.Expr:
        """Return a predicate on a derived table as one on a branch of it, unless it sees more than that has."""
        names = {column.name for column in predicate.find_all(exp.Column) if column.table == alias}
        definitions = {name: definition_of(source, branch, name) for name in names}
        kinds = {name: look_alike(self._tables, branch, part) for name, part in definitions.items()}
        check_merged(source, predicate, alias, kinds)
        return with_definitions(predicate, {(alias, name): part for name, part in definitions.items()})


def _correlating(scope: Scope, subquery: Scope) -> Iterable[tuple[Conjunct, str]]:
    """Yield the conjuncts that read one relation of a subquery, and some outside; each with that relation."""
    outside = set(scope.selected_sources) - set(subquery.selected_sources)
    for conjunct in conjuncts_of(subquery):
        aliases = aliases_of(conjunct.predicate)
        if conjunct.joined is None and len(aliases - outside) == 1 and aliases & outside:
            (alias,) = aliases - outside
            yield conjunct, alias


def _require_false_for_null(link: Link, clause: exp.Expr, absent: str) -> None:
    if not all(rejects_null(tie.predicate) for tie in link.ties):
        raise not_incremental(
            f"{clause.sql('redshift')}, which may hold where {absent} is absent,",
            "Compare its columns as they are, without COALESCE, OR or IS NULL.",
            clause,
        )


def alternatives(predicate: exp.Expr, alias: str) -> list[exp.Expr]:
    """Return predicates on a relation and one other each, one of which holds where this one does.

    COALESCE over several others shows the value of one of them.

    >>> from sqlglot import parse_one
    >>> [one.sql() for one in alternatives(parse_one("d.id = COALESCE(a.x, b.y)"), "d")]
    ['d.id = a.x', 'd.id = b.y']
    """
    if len(aliases_of(predicate) - {alias}) <= 1:
        return [predicate]
    # The innermost first: one around it may show a constant.
    for coalesce in reversed(list(predicate.find_all(exp.Coalesce))):
        others = aliases_of(coalesce)
        if alias not in others and len(others) > 1:
            shown = [coalesce.this, *coalesce.expressions]
            return [one for own in shown for one in alternatives(_replaced(predicate, coalesce, own), alias)]
    return [predicate]


def _replaced(predicate: exp.Expr, part: exp.Expr, by: exp.Expr) -> exp.Expr:
    return predicate.copy().transform(lambda own: by.copy() if own == part else own)

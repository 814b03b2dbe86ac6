"""Compiles a change to a fact into statements: up the join tree to the affected keys, down again to the slices.

All statements of one update run in one session; their results are its temporary tables:
scdc_constant_<number> (what reads no table),
scdc_reached_<node> (rows of a node's source that a change leads to), scdc_affected_keys (values of the anchor),
scdc_value_<value> (what all rows have in common, as it will be), scdc_moved_<value> (a row if that is another value),
scdc_counted (one row if a changed row counts in one row for all),
scdc_slice_<node> (the rows of a node, as they will be after the sync, that the affected keys need; of another node too
if they are the same).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from surgical_cdc.compiler.fact_query import DIALECT, relation_of, replace_tables, table_named
from surgical_cdc.compiler.orders import EQUAL_IS_IDENTICAL
from surgical_cdc.compiler.predicates import aliases_of
from surgical_cdc.compiler.prune import prune
from surgical_cdc.compiler.scopes import MORE_OR_LESS_THAN_ONE_ROW
from surgical_cdc.contract.tables import Source
from surgical_cdc.names import PREFIX, own_name

if TYPE_CHECKING:
    from surgical_cdc.compiler.nodes import Edge, JoinTree, Node, Value
    from surgical_cdc.contract.tables import Column, Static, Table

AFFECTED_KEYS = f"{PREFIX}affected_keys"
COUNTED = f"{PREFIX}counted"
RECOMPUTED = f"{PREFIX}recomputed"
CHANGED = f"{PREFIX}changed"
WHOLE = f"{PREFIX}whole"
IMAGES = ("I", "U")
# Hexadecimal digits of a key's hash that tell which share it is in.
HASH_DIGITS = 7
WRITES = (*IMAGES, "D")
# Of values of these types it is known whether they are the same.
KNOWN = frozenset({*EQUAL_IS_IDENTICAL, *exp.DataType.TEXT_TYPES, *exp.DataType.FLOAT_TYPES})
Restriction = Callable[[exp.Select], exp.Select]


@dataclass(frozen=True)
class SourceChange:
    """One source's change set as the compiler sees it.

    `columns` are those that differ in some updated row, None where rows came or went (then all may differ).
    """

    relation: str
    columns: frozenset[str] | None


def constant_tables(tree: JoinTree) -> list[exp.Create]:
    """Return the statements that make the tables of what reads no table."""
    return [temp_table(name, query) for name, query in tree.constants.items()]


def is_recomputed_whole(tree: JoinTree, changes: Mapping[str, SourceChange]) -> bool:
    """Return whether something has changed that is read as a whole: then no keys are affected, but the whole fact is.

    Otherwise what is read so is as it was, in the columns that are read of it.
    """
    return any(_read(node, changes.get(node.source.name)) is not None for node in tree.whole)


def affected_keys(tree: JoinTree, changes: Mapping[str, SourceChange]) -> list[exp.Create]:
    """Return the statements that climb from the changed rows to affected_keys (anchor); of one row for all to counted.

    A row counts as changed for a node only if a column that the node reads differs. Each step reads the baseline: where
    a row further up changed as well, that row leads to the anchor by itself (docs/adr/0001).
    """
    moved = [value for value in tree.values if _may_move(value, changes)]
    statements = [statement for value in moved for statement in _moves(value, changes)]
    reached: set[str] = set()
    arms: list[exp.Select] = []
    for node in reversed(tree.nodes):
        anchor = tree.anchors.get(node.name)
        if anchor is None and not node.edges:
            # No row of it matters.
            continue
        wanted = _wanted(tree, node)
        rows = list(_changed_rows(node, wanted, changes.get(node.source.name)))
        rows += [_climb(node, edge, child, wanted) for child, edge in _edges_down(node) if child.name in reached]
        if anchor:
            rows += [
                _select(wanted, node.source.relation, node.name).join(_moved(value), join_type="cross")
                for value in moved
            ]
            arms += [row.where(anchor.copy()) for row in rows] if tree.is_of_all else rows
        elif rows:
            reached.add(node.name)
            statements.append(temp_table(own_name("reached", node.name), _union(rows)))
    return [*statements, temp_table(COUNTED if tree.is_of_all else AFFECTED_KEYS, _union(arms))] if arms else []


def _wanted(tree: JoinTree, node: Node) -> list[exp.Expr]:
    """Return what is read of a node's rows: what leads on to the anchor, or shows it; of one row for all, a one."""
    if node.name not in tree.anchors:
        return _links(node)
    anchor = exp.cast(exp.convert(1), "smallint") if tree.is_of_all else tree.anchors[node.name].copy()
    return [exp.alias_(anchor, "anchor")]


def slices(
    tree: JoinTree, changes: Mapping[str, SourceChange], query: exp.Select, *, null_key: bool
) -> list[exp.Create]:
    """Return the statements that go down from affected_keys to the slices that a query reads.

    `query` is a sliced one. Includes the slices that those depend on. `null_key` says that NULL is an affected key.
    """
    names = _slice_names(tree)
    needed = {table.name for table in query.find_all(exp.Table)}
    for node in reversed(tree.nodes):
        if names[node.name] in needed:
            needed |= {names[edge.parent.name] for edge in node.edges}
    values = [
        value for value in tree.values if own_name("value", value.name) in needed and not _may_move(value, changes)
    ]
    return [
        *(temp_table(own_name("value", value.name), value.query) for value in values),
        *(
            temp_table(name, _slice(tree, nodes, names, changes.get(nodes[0].source.name), null_key=null_key))
            for name, nodes in _sharing(tree).items()
            if name in needed
        ),
    ]


def sliced_query(
    tree: JoinTree, columns: Collection[str], changes: Mapping[str, SourceChange], *, null_key: bool
) -> exp.Select:
    """Return the fact's query on the slices, kept to the affected keys.

    Only the row key, the anchor and `columns` are computed, without the joins that none of them and no row needs; all
    else is NULL. What is as it was, and joined to a slice where it stands, is read there from its baseline.
    """
    names, in_place = _slice_names(tree), _in_place(tree, changes)

    def slice_of(table: exp.Table) -> exp.Expr:
        node = tree.tables[id(table)]
        return table.copy() if node in in_place else table_named(names[node.name])

    query = replace_tables(tree.query, slice_of)
    return _kept(tree, _with_values(tree, query), columns, null_key=null_key)


def whole_query(tree: JoinTree, columns: Collection[str], *, null_key: bool) -> exp.Select:
    """Return what `sliced_query` does, on the baselines; `overlaid_query` brings them to what they will be."""
    return _kept(tree, tree.query.copy(), columns, null_key=null_key)


def key_counts(tree: JoinTree, rows: int) -> exp.Select:
    """Return the query that counts the affected keys, those that are NULL, and then, as far as so many rows, others.

    For the fact, and for the source of each root, these are the rows and the different keys among the first ones.
    """
    keys = exp.select("COUNT(*) AS keys", "COUNT(*) - COUNT(anchor) AS null_keys").from_(AFFECTED_KEYS)
    fact = tree.fact
    shown = [_select([exp.alias_(exp.column(fact.anchor, table="f"), "anchor")], fact.relation, "f")]
    shown += [
        _select([exp.alias_(anchor, "anchor")], node.source.relation, node.name)
        for node in tree.nodes
        if (anchor := tree.anchors.get(node.name))
    ]
    query = exp.select("*").from_(keys.subquery(f"{PREFIX}affected"))
    for number, select in enumerate(shown, 1):
        first = select.limit(rows, copy=False).subquery(f"{PREFIX}first")
        counted = exp.select(f"COUNT(*) AS rows_{number}", f"COUNT(DISTINCT anchor) AS keys_{number}").from_(first)
        query = query.join(counted.subquery(f"{PREFIX}shown_{number}"), join_type="cross")
    return query


def share_of_keys(tree: JoinTree, ranges: Sequence[tuple[float, float]]) -> exp.Create:
    """Return the statement that fills affected_keys with a share of all: those whose hash lies in one of some ranges.

    Keys are those of the fact, and those that its sources would give it. A range is a part of [0, 1), without its end;
    NULL lies at 0.
    """
    known: list[exp.Query] = [
        _select([exp.alias_(exp.column(tree.fact.anchor, table="f"), "anchor")], tree.fact.relation, "f")
    ]
    known += [
        _select([exp.alias_(anchor, "anchor")], node.source.relation, node.name)
        for node in tree.nodes
        if (anchor := tree.anchors.get(node.name))
    ]
    keys = exp.union(*known, distinct=True).subquery(f"{PREFIX}known")
    digest = exp.func("LEFT", exp.MD5(this=exp.cast(exp.column("anchor"), "varchar")), exp.convert(HASH_DIGITS))
    number = exp.Anonymous(this="STRTOL", expressions=[digest, exp.convert(16)])
    whole = 16**HASH_DIGITS
    within = [
        exp.and_(number.copy() >= exp.convert(int(first * whole)), number.copy() < exp.convert(int(last * whole)))
        for first, last in ranges
    ]
    if any(first == 0 for first, _ in ranges):
        within.append(exp.column("anchor").is_(exp.null()))
    return temp_table(AFFECTED_KEYS, exp.select("anchor").from_(keys).where(exp.or_(*within)))


def _in_place(tree: JoinTree, changes: Mapping[str, SourceChange]) -> set[Node]:
    """Return the nodes of which a query finds the rows that it needs in their baselines, by a join to a slice.

    A slice would be made by the same look at the baseline. Rows beyond it do no harm, but for what they cost where the
    join does not leave them out: in a query of their own, or on the side of an outer join that is kept.
    """
    places = {tree.tables[id(table)].name: table for table in tree.query.find_all(exp.Table)}
    found: set[Node] = set()
    for node in reversed(tree.nodes):
        if node in tree.whole or node.source.name in changes or len(node.edges) != 1:
            continue
        (edge,) = node.edges
        joining = _joining(places[node.name])
        is_beside_parent = any(select is joining for select in _selects_around(places[edge.parent.name]))
        if is_beside_parent and _equality(node, edge)[0] is not None and found.issuperset(node.children):
            found.add(node)
    return found


def _joining(table: exp.Table) -> exp.Select | None:
    """Return the SELECT that joins a table's rows as they are, or what a derived table shows of each; None if none."""
    place: exp.Expr = table
    while isinstance(place.parent, exp.From):
        select = place.parent.parent
        if not isinstance(select, exp.Select) or not isinstance(select.parent, exp.Subquery) or not _is_plain(select):
            return None
        place = select.parent
    join = place.parent
    return join.parent_select if isinstance(join, exp.Join) and join.side in {"", "LEFT"} else None


def _is_plain(select: exp.Select) -> bool:
    """Return whether a SELECT shows rows of one table, each by itself."""
    clauses = ("joins", "distinct", *MORE_OR_LESS_THAN_ONE_ROW)
    return not any(select.args.get(clause) for clause in clauses) and not select.find(exp.AggFunc, exp.Window)


def _selects_around(table: exp.Table) -> list[exp.Select]:
    """Return the SELECTs that a table stands in, at whatever depth."""
    select, found = table.parent_select, []
    while select is not None:
        found.append(select)
        select = select.parent_select
    return found


def _sharing(tree: JoinTree) -> dict[str, list[Node]]:
    """Return the nodes that share a slice, by its name."""
    names = _slice_names(tree)
    sharing: dict[str, list[Node]] = {}
    for node in tree.nodes:
        if node not in tree.whole:
            sharing.setdefault(names[node.name], []).append(node)
    return sharing


def _kept(tree: JoinTree, query: exp.Select, columns: Collection[str], *, null_key: bool) -> exp.Select:
    """Return a query on slices or whole tables, kept to the affected keys: row key, anchor and `columns` of it."""
    fact = tree.fact
    computed = [name for name in fact.column_names if name in {*fact.unique_key, fact.anchor, *columns}]
    if len(computed) < len(fact.column_names):
        slices_of = {name: nodes[0].source for name, nodes in _sharing(tree).items()}
        query = prune(query, computed, {**slices_of, **{node.source.relation: node.source for node in tree.nodes}})
    selected = [
        exp.column(column.name, table=RECOMPUTED)
        if column.name in computed
        else exp.alias_(exp.cast(exp.null(), column.data_type, dialect=DIALECT), column.name)
        for column in fact.columns
    ]
    affected = _Membership(exp.column(fact.anchor, table=RECOMPUTED), _keys(), or_null=null_key)
    return affected(exp.select(*selected).from_(query.subquery(RECOMPUTED)))


def _with_values(tree: JoinTree, query: exp.Select) -> exp.Select:
    """Return a copy of the fact's query in which each value is read from its table."""
    values = {id(value.query): value for value in tree.values}
    selects = zip(list(tree.query.find_all(exp.Select)), list(query.find_all(exp.Select)), strict=True)
    for original, copied in selects:
        value = values.get(id(original))
        if value:
            table = own_name("value", value.name)
            columns = [exp.column(part.args["alias"].copy(), table=table) for part in original.selects]
            copied.replace(exp.select(*columns).from_(table_named(table)))
    return query


def _may_move(value: Value, changes: Mapping[str, SourceChange]) -> bool:
    """Return whether a column that a value is computed from has changed, or rows came or went."""
    return any(_read(node, changes.get(node.source.name)) for node in value.nodes)


def _moves(value: Value, changes: Mapping[str, SourceChange]) -> list[exp.Create]:
    """Return the statements that compute a value as it will be, and find whether it is another than it was."""
    before, after = f"{PREFIX}before", own_name("value", value.name)
    sources = {node.source.relation: node.source for node in value.nodes}
    differs = exp.or_(*(_differs(value, part.args["alias"], before, after) for part in value.query.selects))
    moved = exp.select(exp.alias_(exp.cast(exp.convert(1), "smallint"), "moved"))
    moved = moved.from_(value.query.copy().subquery(before)).join(table_named(after), join_type="cross").where(differs)
    return [
        temp_table(after, overlaid_query(value.query, sources, changes)),
        temp_table(own_name("moved", value.name), moved),
    ]


def _moved(value: Value) -> exp.Table:
    return table_named(own_name("moved", value.name))


def _differs(value: Value, name: exp.Identifier, before: str, after: str) -> exp.Expr:
    """Return the predicate: a column is another one, down to what tells equal values apart, or of an unknown type."""
    old, new = exp.column(name.copy(), table=before), exp.column(name.copy(), table=after)
    kind = value.types.get(name.name)
    if kind is None or not kind.is_type(*KNOWN):
        return exp.true()
    looks = look_of(kind, old), look_of(kind, new)
    compared = [(old, new), *([(looks[0], looks[1])] if looks[0] and looks[1] else [])]
    same = exp.and_(*(one.copy().eq(other.copy()) for one, other in compared))
    both_null = exp.and_(old.copy().is_(exp.null()), new.copy().is_(exp.null()))
    return exp.case().when(exp.or_(same, both_null), exp.convert(0)).else_(exp.convert(1)).eq(1)


def _slice_names(tree: JoinTree) -> dict[str, str]:
    """Return the name of each node's slice; nodes of one source with the same edges share one.

    What is read as a whole has none; it is read in its place.
    """
    names: dict[str, str] = {node.name: node.source.relation for node in tree.whole}
    shared: dict[tuple[object, ...], str] = {}
    for node in tree.nodes:
        if node in tree.whole:
            continue
        anchor = tree.anchors.get(node.name)
        ways = (
            [_seen_from(node, anchor, {})]
            if anchor
            else [_seen_from(node, edge.predicate, {edge.parent.name: names[edge.parent.name]}) for edge in node.edges]
        )
        names[node.name] = shared.setdefault((node.source.name, bool(anchor), *ways), own_name("slice", node.name))
    return names


def _seen_from(node: Node, predicate: exp.Expr, slices_by_name: Mapping[str, str]) -> exp.Expr:
    """Return a predicate without the node's name, and with slices in place of other nodes."""
    seen = predicate.copy()
    for column in seen.find_all(exp.Column):
        table = "" if column.table == node.name else slices_by_name[column.table]
        column.set("table", exp.to_identifier(table))
    return seen


def overlaid_query(
    query: exp.Select,
    tables: Mapping[str, Source | Static],
    changes: Mapping[str, SourceChange],
    copied: Collection[str] = (),
) -> exp.Select:
    """Return a fact's query on whole tables as they will be after the sync; `tables` is keyed by relation.

    Of the sources that are `copied` it reads the copies that `copies` makes.
    """

    def overlay(table: exp.Table) -> exp.Expr:
        source = tables.get(relation_of(table))
        if source is None or source.name not in changes:
            return table.copy()
        if source.name in copied:
            return table_named(copy_of(source.name))
        return exp.Subquery(this=_whole(source, changes[source.name], source.column_names))

    return replace_tables(query, overlay)


def copy_of(source: str) -> str:
    """Return the name of the temporary copy of a source."""
    return own_name("whole", source)


def copies(
    query: exp.Select,
    tables: Mapping[str, Source | Static],
    changes: Mapping[str, SourceChange],
    copied: Collection[str],
) -> list[exp.Create]:
    """Return the statements that copy sources as they will be, each with the columns whose names a query reads."""
    read = {column.name for column in query.find_all(exp.Column)}
    sources = {source.name: source for source in tables.values() if source.name in copied}
    return [_copy(sources[name], changes[name], read) for name in copied]


def _copy(source: Source | Static, change: SourceChange, read: Collection[str]) -> exp.Create:
    """Return the statement that copies some columns of a source, distributed and sorted as its baseline is."""
    named = {*source.sort_keys, source.dist, *read}
    columns = [name for name in source.column_names if name in named]
    statement = temp_table(copy_of(source.name), _whole(source, change, columns))
    layout: list[exp.Property] = [
        exp.SortKeyProperty(this=[exp.to_identifier(name) for name in source.sort_keys], compound=False)
    ]
    if source.dist:
        layout.insert(0, exp.DistKeyProperty(this=exp.to_identifier(source.dist)))
    statement.args["properties"].expressions.extend(layout)
    return statement


def read_once(
    query: exp.Select, tables: Mapping[str, Source | Static], changes: Mapping[str, SourceChange]
) -> tuple[list[str], list[str]]:
    """Return the changed sources of a query: those that it reads once for all of its rows, and the others.

    What a subquery aggregates may be read anew for each row around it, and must be no query itself.
    """
    places: dict[str, list[exp.Table]] = {}
    for table in query.find_all(exp.Table):
        source = tables.get(relation_of(table))
        if source and source.name in changes:
            places.setdefault(source.name, []).append(table)
    once = [name for name, found in places.items() if len(found) == 1 and _is_joined(found[0])]
    return once, [name for name in places if name not in once]


def _is_joined(table: exp.Table) -> bool:
    """Return whether a table stands in FROM: of the query, of derived tables, or of what EXISTS or IN looks into."""
    select = table.parent_select
    while select is not None and select.parent is not None:
        around = select.parent
        while isinstance(around, (exp.SetOperation, exp.Subquery)) and around.parent is not None:
            around = around.parent
        is_looked_into = isinstance(around, (exp.Exists, exp.In)) and not select.find(exp.AggFunc)
        if not (is_looked_into or isinstance(around, (exp.From, exp.Join))):
            return False
        select = around.parent_select
    return True


def _whole(source: Source | Static, change: SourceChange, columns: Sequence[str]) -> exp.Query:
    read = [exp.column(name, table=WHOLE) for name in columns]
    return _after_sync(source, change, read, WHOLE, [_every_row])


def _changed_rows(node: Node, wanted: Sequence[exp.Expr], change: SourceChange | None) -> Iterator[exp.Select]:
    """Yield the new and the old image of the rows that changed in a column that the node reads."""
    read = _read(node, change)
    if change is None or read is None or not isinstance(node.source, Source):
        return
    yield _select(wanted, change.relation, node.name).where(_changed(node, read, node.name, came_or_went="I"))
    yield (
        _select(wanted, node.source.relation, node.name)
        .join(
            _aliased(change.relation, CHANGED),
            on=_same_key(node.source, CHANGED, node.name),
        )
        .where(_changed(node, read, CHANGED, came_or_went="D"))
    )


def _read(node: Node, change: SourceChange | None) -> list[str] | None:
    """Return the columns that a node reads and that differ in updated rows; None where no changed row matters to it."""
    if change is None:
        return None
    read = [
        name for name in node.source.column_names if name in node.columns and name in (change.columns or node.columns)
    ]
    return read if read or change.columns is None else None


def _changed(node: Node, read: Sequence[str], table: str, *, came_or_went: str) -> exp.Expr:
    """Return the predicate: the row was inserted or deleted, or updated in one of the columns `read`."""
    mask, kind = exp.column("scdc_mask", table=table), exp.column("scdc_change", table=table)
    positions = [node.source.column_names.index(name) + 1 for name in read]
    flags = [
        exp.func("SUBSTRING", mask.copy(), exp.convert(position), exp.convert(1)).eq("1") for position in positions
    ]
    updated = [exp.and_(kind.copy().eq("U"), exp.or_(*flags, copy=False), copy=False)] if flags else []
    return exp.or_(kind.eq(came_or_went), *updated, copy=False)


def _edges_down(node: Node) -> Iterator[tuple[Node, Edge]]:
    for child in node.children:
        for edge in child.edges:
            if edge.parent is node:
                yield child, edge


def _climb(node: Node, edge: Edge, child: Node, wanted: Sequence[exp.Expr]) -> exp.Select:
    return _select(wanted, node.source.relation, node.name).join(
        _aliased(own_name("reached", child.name), child.name), on=edge.predicate
    )


def _slice(
    tree: JoinTree, nodes: Sequence[Node], names: Mapping[str, str], change: SourceChange | None, *, null_key: bool
) -> exp.Query:
    """Return the rows that the nodes which share a slice need of their source, with the columns of all of them."""
    node = nodes[0]
    columns = list(dict.fromkeys(column for each in nodes for column in each.columns))
    if node.name in tree.anchors:
        restrictions: list[Restriction] = [_Membership(tree.anchors[node.name], _keys(), or_null=null_key)]
    else:
        restrictions = [_reachable(node, edge, names[edge.parent.name]) for edge in node.edges] or [_no_row]
    has_key = isinstance(node.source, Source)
    if not has_key and (len(restrictions) > 1 or isinstance(restrictions[0], _Pairing)):
        # Its rows have no key by which one that is kept several times would be there once.
        restrictions = [_every_row]
    return _after_sync(node.source, change, _columns(node, columns), node.name, restrictions)


def _every_row(rows: exp.Select) -> exp.Select:
    return rows


def _no_row(rows: exp.Select) -> exp.Select:
    return rows.where(exp.false(), copy=False)


def _reachable(node: Node, edge: Edge, parents: str) -> Restriction:
    """Return what keeps the rows of a node that join to `parents`, the slice of the edge's parent."""
    own, theirs = _equality(node, edge)
    if own is None or theirs is None:
        return _Pairing(parents, edge.parent.name, edge.predicate)
    return _Membership(own, _select([theirs], parents, edge.parent.name))


def _keys() -> exp.Select:
    return exp.select(exp.column("anchor", table=AFFECTED_KEYS)).from_(AFFECTED_KEYS)


@dataclass(frozen=True)
class _Membership:
    """Keeps the rows whose value is among those of a query, and with `or_null` those where it is NULL."""

    value: exp.Expr
    among: exp.Query
    or_null: bool = False

    def __call__(self, rows: exp.Select) -> exp.Select:
        among = exp.In(this=self.value.copy(), query=self.among.copy().subquery())
        return rows.where(exp.or_(among, self.value.is_(exp.null())) if self.or_null else among, copy=False)


@dataclass(frozen=True)
class _Pairing:
    """Keeps the rows that a predicate pairs with a row of a relation, each once: the key is among the columns."""

    relation: str
    alias: str
    predicate: exp.Expr

    def __call__(self, rows: exp.Select) -> exp.Select:
        joined = rows.join(_aliased(self.relation, self.alias), on=self.predicate.copy(), copy=False)
        return joined.distinct(copy=False)


def _equality(node: Node, edge: Edge) -> tuple[exp.Expr | None, exp.Expr | None]:
    """Return both sides of one equality in the edge, the node's first. It may let more rows through, which is safe."""
    for part in edge.predicate.flatten() if isinstance(edge.predicate, exp.And) else [edge.predicate]:
        if isinstance(part, exp.EQ):
            for own, theirs in ((part.left, part.right), (part.right, part.left)):
                if aliases_of(own) == {node.name} and aliases_of(theirs) == {edge.parent.name}:
                    return own, theirs
    return None, None


def _after_sync(
    source: Source | Static,
    change: SourceChange | None,
    columns: Sequence[exp.Expr],
    alias: str,
    restrictions: Sequence[Restriction],
) -> exp.Query:
    """Return a source's rows as the sync will leave them: the baseline less the changed keys, and the new images.

    Of several restrictions one is enough; a row that more of them keep is there once: the key is among the columns.
    """
    arms = []
    for restrict in restrictions:
        baseline = restrict(_select(columns, source.relation, alias))
        if change is None or not isinstance(source, Source):
            arms.append(baseline)
            continue
        rewritten = (
            exp.select("1")
            .from_(_aliased(change.relation, CHANGED))
            .where(_same_key(source, CHANGED, alias))
            .where(exp.column("scdc_change", table=CHANGED).isin(*WRITES))
        )
        arms.append(baseline.where(exp.Not(this=exp.Exists(this=rewritten)), copy=False))
        images = restrict(_select(columns, change.relation, alias))
        arms.append(images.where(exp.column("scdc_change", table=alias).isin(*IMAGES), copy=False))
    return arms[0] if len(arms) == 1 else exp.union(*arms, distinct=len(restrictions) > 1, copy=False)


def _same_key(source: Source, one: str, other: str) -> exp.Expr:
    return exp.and_(*(exp.column(name, table=one).eq(exp.column(name, table=other)) for name in source.key))


def _select(columns: Sequence[exp.Expr], relation: str, alias: str) -> exp.Select:
    return exp.Select(expressions=[column.copy() for column in columns]).from_(_aliased(relation, alias), copy=False)


def _aliased(relation: str, alias: str) -> exp.Expr:
    return exp.alias_(table_named(relation), alias, table=True)


def _links(node: Node) -> list[exp.Expr]:
    """Return the columns that the node's edges read, and what tells equal values of them apart; a one if there is none.

    Without it only one would be left among the distinct ones of two strings that differ in trailing spaces.
    """
    links = _columns(node, node.link_columns())
    looks = [look for link in links if (look := look_of(_type_of(node.source.column(link.name)), link))]
    if not links:
        return [exp.alias_(exp.cast(exp.convert(1), "smallint"), f"{PREFIX}one")]
    return [*links, *(exp.alias_(look, f"{PREFIX}look_{number}") for number, look in enumerate(looks, 1))]


def look_of(kind: exp.DataType, value: exp.Expr) -> exp.Expr | None:
    """Return what comparison.jinja has as look: what tells equal values of a type apart, None where nothing does."""
    if kind.is_type(*exp.DataType.TEXT_TYPES):
        return exp.func("LENGTH", value.copy())
    return exp.func("ATAN2", value.copy(), exp.convert(-1)) if kind.is_type(*exp.DataType.FLOAT_TYPES) else None


def _type_of(column: Column) -> exp.DataType:
    return exp.DataType.build(column.data_type, dialect=DIALECT)


def _columns(node: Node, names: Sequence[str]) -> list[exp.Expr]:
    return [exp.column(name, table=node.name) for name in names]


def _union(arms: Sequence[exp.Select]) -> exp.Query:
    if len(arms) == 1:
        return arms[0].distinct(copy=False)
    return exp.union(*arms, distinct=True, copy=False)


def insert_into(relation: str, table: Table, query: exp.Query) -> exp.Insert:
    """Return the statement that inserts a query's rows, columns in the order of a table's, into a relation."""
    columns = [exp.to_identifier(name) for name in table.column_names]
    return exp.insert(query, table_named(relation), columns=columns)


def temp_table(name: str, query: exp.Query) -> exp.Create:
    """Return the statement that makes a temporary table of a query's rows."""
    return exp.Create(
        this=table_named(name),
        kind="TABLE",
        expression=query,
        properties=exp.Properties(expressions=[exp.TemporaryProperty()]),
    )

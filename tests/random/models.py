"""Random facts within the supported shapes: SELECTs over the sources of one_model, with their row keys and anchors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hypothesis import strategies as st
from sqlglot import exp

from tests.random.one_model import COLUMNS, FactModel

T = TypeVar("T")
KINDS = {
    "bigint": "int",
    "smallint": "int",
    "date": "date",
    "timestamp": "time",
    "numeric(10,2)": "num",
    "numeric(8,4)": "num",
    "double precision": "float",
    "real": "float",
    "boolean": "bool",
    "varchar(64)": "json",
}
TYPES = {
    "int": "bigint",
    "text": "varchar(4000)",
    "num": "numeric(24,4)",
    "date": "date",
    "time": "timestamp",
    "float": "float8",
    "bool": "boolean",
}
# Values of one family can be compared, whatever their types.
FAMILIES = {"int": "number", "num": "number", "float": "number", "date": "time", "time": "time"}
KEY = "row_key"


@dataclass(frozen=True)
class Column:
    """A column of a relation.

    `ties`: it is computed from one source row by row, so that others can be tied to it. `enters`: the relation holds
    whole groups and partitions for each value of it. `optional`: it is NULL where an outer join finds nothing.
    """

    name: str
    kind: str
    ties: bool = True
    enters: bool = True
    optional: bool = False

    @property
    def anchors(self) -> bool:
        """Whether all rows can be entered by it; a number would have to be a fact's column of the same scale."""
        return self.enters and self.ties and not self.optional and self.kind in {"int", "text", "date", "time"}


@dataclass(frozen=True)
class Relation:
    """What a query can read; `key` is the column that tells its rows apart."""

    query: exp.Expr
    columns: tuple[Column, ...]
    key: str


@dataclass(frozen=True)
class Value:
    """An expression that a query can show, and what is known of it as a column."""

    sql: exp.Expr
    column: Column

    def read(self) -> exp.Expr:
        """Return the expression for another place in the query."""
        return self.sql.copy()


@dataclass(frozen=True)
class Body:
    """FROM, joins and WHERE of a query: the columns to be read there, and those that tell its rows apart."""

    select: exp.Select
    seen: tuple[Value, ...]
    keys: tuple[Value, ...]

    def anchors(self, kind: str | None = None) -> list[Value]:
        """Return the columns by which all of the rows can be entered."""
        return [seen for seen in self.seen if seen.column.anchors and kind in {None, seen.column.kind}]


def source(name: str) -> Relation:
    """Return a source; nothing is joined by its JSON, and its cursor is no column."""
    types = {"id": "bigint", **COLUMNS[name], "status": "smallint"}
    kinds = {column: KINDS.get(type_, "text") for column, type_ in types.items()}
    columns = tuple(Column(column, kind, kind != "json", kind != "json") for column, kind in kinds.items())
    return Relation(exp.to_table(f"live.{name}"), columns, "id")


class Writer:
    """Writes a fact, each choice drawn from Hypothesis, which shrinks to the first of several."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw
        self._names = 0
        self._ctes: dict[str, Relation] = {}
        # Refused, not rebuilt in full, where it can not be maintained: the test counts how many are. Of others,
        # drawn nearer to a limit, what is in the way is read as a whole.
        self._is_refused = self._chance(65)

    def fact(self) -> FactModel:
        """Return a fact whose row key tells its rows apart, with an anchor that can be traced."""
        if self._chance(8):
            return self._fact_of_all()
        if self._chance(20):
            fact = self._contributed(self._pick([0, 0, 1]))
            return self._written(fact, fact.columns[0].name)
        fact = self._query(2)
        anchor = self._pick([column for column in fact.columns if column.anchors])
        if self._chance(10):
            fact = self._first_rows(fact)
        return self._written(fact, anchor.name)

    def _first_rows(self, fact: Relation) -> Relation:
        """Return what comes first by a column, and then by the row key; both have the fact's own types."""
        by, descending, kept = self._pick(fact.columns), self._chance(50), self._number(1, 4)
        rows = exp.to_identifier("every_row")
        shown = [
            exp.alias_(exp.cast(exp.column(column.name, table=rows), TYPES[column.kind]), column.name)
            if column.name in {by.name, KEY}
            else exp.column(column.name, table=rows)
            for column in fact.columns
        ]
        order = exp.Ordered(this=exp.column(by.name), desc=descending, nulls_first=descending)
        query = exp.select(*shown).from_(fact.query.subquery(rows)).order_by(order).limit(kept)
        return replace(fact, query=query)

    def _fact_of_all(self) -> FactModel:
        """Return a fact of one row that aggregates all rows of a query, or of one for each of two."""
        count = self._pick([1, 1, 2])
        rows = [self._row_of_all(number, more=count == 1) for number in range(count)]
        query = rows[0].query
        if len(rows) > 1:
            query = exp.union(*(row.query for row in rows), distinct=False)
        return self._written(replace(rows[0], query=query), KEY)

    def _row_of_all(self, number: int, *, more: bool) -> Relation:
        body, in_order = self._body(2), self._chance(50)
        if self._chance(40):
            body = replace(body, select=body.select.where(self._beyond_value(body, 2)))
        counted = Value(exp.Count(this=exp.Star()), Column("", "int"))
        values = [self._aggregate(body, in_order=in_order) for _ in range(self._number(0, 2) if more else 0)]
        key = Value(exp.Literal.string(f"row {number}"), Column("", "text"))
        return self._relation(body.select, [counted, *values], [key])

    def _written(self, fact: Relation, anchor: str) -> FactModel:
        query = fact.query
        for name, cte in self._ctes.items():
            query = query.with_(name, as_=cte.query)
        maintenance = "incremental" if self._is_refused else "auto"
        meta = f"{{'cdc': {{'anchor': '{anchor}', 'maintenance': '{maintenance}'}}}}"
        config = f"unique_key='{KEY}', meta={meta}"
        columns = " ".join(f"{column.name}:{TYPES[column.kind]}" for column in fact.columns)
        return FactModel(query.sql("redshift", pretty=True), columns, config)

    # ---- queries ----------------------------------------------------------------------------------------------------

    def _query(self, depth: int) -> Relation:
        queries = [
            self._rows,
            self._grouped,
            self._ranked,
            self._newest,
            self._distinct,
            self._combined,
            self._combined,
        ]
        return self._pick(queries)(depth)

    def _rows(self, depth: int) -> Relation:
        body = self._body(depth)
        return self._relation(body.select, [self._anchor(body), *self._values(body, depth)], body.keys)

    def _distinct(self, depth: int) -> Relation:
        body = self._body(depth)
        values = [self._anchor(body), *self._some(body.seen, 2)]
        return self._relation(body.select.distinct(), values, values)

    def _grouped(self, depth: int) -> Relation:
        body = self._body(depth)
        keys = [self._anchor(body), *self._some(body.seen, 1)]
        if self._chance(20):
            keys[0] = self._anchor_computed(keys[0])
        select = body.select.group_by(*(key.read() for key in keys))
        if self._chance(25):
            value = self._pick(_in_order(body.seen))
            greatest = exp.Max(this=value.read())
            select = select.having(exp.GT(this=greatest, expression=_literal(value.column.kind, 0)))
        in_order = self._chance(50)
        aggregates = [self._aggregate(body, in_order=in_order) for _ in range(self._number(1, 3))]
        return self._relation(select, [*keys, *aggregates], keys)

    def _contributed(self, depth: int) -> Relation:
        """Return a grouped relation of what can be added up; its groups are seldom as small as those of a key."""
        body = self._body(depth)
        anchors = [value for value in body.anchors() if value not in body.keys] or body.anchors()
        keys = [self._pick(anchors), *self._some(body.seen, 2)]
        totals = [self._total(body) for _ in range(self._number(1, 3))]
        grouped = self._relation(body.select.group_by(*(key.read() for key in keys)), [*keys, *totals], keys)
        if self._chance(70):
            return grouped
        # As the last step of a chain of CTEs.
        alias = self._name()
        listed = [exp.alias_(exp.column(column.name, table=alias), column.name) for column in grouped.columns]
        return replace(grouped, query=exp.select(*listed).from_(grouped.query.subquery(alias)))

    def _total(self, body: Body) -> Value:
        value = self._pick([value for value in body.seen if value.column.kind != "json"])
        numbers = [value for value in body.seen if value.column.kind in {"int", "num"}]
        made: list[tuple[str, exp.Expr]] = [
            ("int", exp.Count(this=exp.Star())),
            ("int", exp.Count(this=value.read())),
        ]
        if numbers:
            one, other = self._pick(numbers), self._pick(numbers)
            flag = exp.case().when(self._comparison(body.seen), one.read()).else_(exp.convert(0))
            product = exp.Mul(this=one.read(), expression=exp.Sub(this=exp.convert(1), expression=other.read()))
            made += [
                (one.column.kind, exp.Sum(this=one.read())),
                ("num", exp.Sum(this=product)),
                (one.column.kind, exp.Sum(this=flag)),
                ("num", exp.Div(this=exp.Sum(this=one.read()), expression=exp.Count(this=one.read()))),
                ("num", exp.Add(this=exp.Sum(this=one.read()), expression=exp.Count(this=exp.Star()))),
            ]
        whole = [value for value in numbers if value.column.kind == "int"]
        if whole:
            made.append(("int", exp.Avg(this=self._pick(whole).read())))
        shown, total = self._pick(made)
        return Value(total, Column("", shown, ties=False, enters=False))

    def _ranked(self, depth: int) -> Relation:
        body = self._body(depth)
        partition = self._anchor(body)
        if self._chance(10):
            partition = self._anchor_computed(partition)
        beside = [_with(value, enters=False) for value in self._values(body, depth)]
        windows = [self._window(body, partition) for _ in range(self._number(1, 2))]
        select = body.select
        if self._chance(30):
            select = select.copy()
            first = exp.EQ(this=_over(exp.RowNumber(), [partition], body.keys), expression=exp.convert(1))
            select.set("qualify", exp.Qualify(this=first))
        return self._relation(select, [partition, *beside, *windows], body.keys)

    def _newest(self, depth: int) -> Relation:
        """Return what ranks the rows of each key of a source: there is one, so that any column of it enters."""
        name = self._pick(list(COLUMNS))
        alone = self._from(source(name))
        body = self._joined(alone, depth) if self._chance(40) else alone
        seen = [value if value in alone.seen else _with(value, enters=False) for value in body.seen]
        (key,) = alone.keys
        partition = [key, *self._some(seen, 1)]
        window = self._window(body, *partition)
        select = body.select
        if self._chance(50):
            select = select.copy()
            first = exp.EQ(this=_over(exp.RowNumber(), partition, body.keys), expression=exp.convert(1))
            select.set("qualify", exp.Qualify(this=first))
        anchor = self._pick(alone.anchors())
        return self._relation(select, [anchor, *self._some(seen, 3), window], body.keys)

    def _combined(self, depth: int) -> Relation:
        operation = self._pick([exp.Union, exp.Union, exp.Union, exp.Except, exp.Intersect])
        distinct = operation is not exp.Union or self._chance(25)
        kinds = [self._pick(["int", "int", "text", "date"])]
        # Rows of few columns are often equal, and of numbers, of which there are few.
        more = ["int"] * self._number(0, 1) if operation is not exp.Union else list(TYPES)
        kinds += [self._pick(more) for _ in range(self._number(0, 2)) if more]
        names = [self._name() for _ in kinds]
        branches = [self._branch(number, kinds, names, depth - 1, distinct=distinct) for number in range(2)]
        columns = tuple(
            Column(
                name,
                one.kind,
                ties=one.ties and other.ties,
                enters=one.enters and other.enters,
                optional=one.optional or other.optional,
            )
            for name, one, other in zip([*names, KEY], *(branch.columns for branch in branches), strict=True)
        )
        rows = operation(this=branches[0].query, expression=branches[1].query, distinct=distinct)
        return Relation(rows, columns, KEY)

    def _branch(
        self, number: int, kinds: Sequence[str], names: Sequence[str], depth: int, *, distinct: bool
    ) -> Relation:
        body = self._body(depth, kind=kinds[0])
        values = []
        for position, kind in enumerate(kinds):
            found = [seen for seen in body.seen if seen.column.kind == kind]
            if not position and self._chance(8):
                value = Value(_literal(kind, number), Column("", kind))
            elif not position:
                value = self._pick(body.anchors(kind))
            elif found and not self._chance(20):
                value = self._pick(found)
            else:
                value = Value(exp.null(), Column("", kind, enters=False, optional=True))
            values.append(Value(exp.cast(value.read(), TYPES[kind]), value.column))
        if self._chance(30):
            body = replace(body, select=body.select.distinct())
        tag = Value(exp.Literal.string(f"branch {number}"), Column("", "text"))
        return self._relation(body.select, values, values if distinct else [tag, *body.keys], names=names)

    def _relation(
        self, select: exp.Select, values: Sequence[Value], keys: Sequence[Value], *, names: Sequence[str] = ()
    ) -> Relation:
        """Return a query that shows some values, and a text that tells its rows apart."""
        shown = [(name, value) for name, value in zip(names or [self._name() for _ in values], values, strict=True)]
        listed = [exp.alias_(value.read(), name) for name, value in shown]
        columns = [replace(value.column, name=name) for name, value in shown]
        columns.append(Column(KEY, "text", ties=False, enters=False))
        return Relation(select.select(*listed, exp.alias_(_concatenated(keys), KEY)), tuple(columns), KEY)

    # ---- FROM, joins, WHERE -----------------------------------------------------------------------------------------

    def _body(self, depth: int, *, kind: str | None = None, within: bool = False) -> Body:
        """Return what a query reads; one `within` another is tied to it, which by a FULL JOIN it can not be."""
        relation = self._readable(depth)
        body = self._from(relation)
        if not body.anchors(kind):
            body = self._from(source("orders"))
        if not within and self._chance(20):
            body = self._full_joined(body, depth, kind=kind)
        for _ in range(self._pick([0, 1, 1, 2])):
            body = self._joined(body, depth)
        if self._chance(5):
            body = self._beside_value(body, depth)
        for _ in range(self._number(0, 1)):
            body = replace(body, select=body.select.where(self._condition(body, depth)))
        return body

    def _beside_value(self, body: Body, depth: int) -> Body:
        """Return a body each of whose rows is joined to one row that aggregates all rows of something else."""
        alias, name = self._name(), self._name()
        value = self._value_of_all(depth, name)
        seen = Value(exp.column(name, table=alias), replace(value.column, optional=True))
        select = body.select.join(value.sql.subquery(alias), join_type="cross")
        return replace(body, select=select, seen=(*body.seen, seen))

    def _value_of_all(self, depth: int, name: str) -> Value:
        inner = self._body(min(depth - 1, 0))
        value = self._aggregate(inner, in_order=True)
        return replace(value, sql=inner.select.select(exp.alias_(value.read(), name)))

    def _readable(self, depth: int) -> Relation:
        if self._chance(8):
            return self._constant()
        choice = self._number(0, 9) if depth > 0 else self._number(0, 4)
        if choice < 4:
            return source(self._pick(list(COLUMNS)))
        if choice < 5:
            return self._pick([source("customers"), *self._ctes.values()])
        relation = self._query(depth - 1)
        if choice < 8:
            return relation
        name = f"with_{len(self._ctes)}"
        self._ctes[name] = relation
        # Another reference to it may follow, or none.
        return relation

    def _constant(self) -> Relation:
        """Return a relation that reads no table, as a calendar."""
        kinds = ["int", *self._pick([[], ["text"], ["date"], ["time"], ["float"], ["bool"]])]
        names = [self._name() for _ in kinds]
        rows = [
            exp.select(*(exp.alias_(_literal(kind, row), name) for kind, name in zip(kinds, names, strict=True)))
            for row in range(self._number(1, 3))
        ]
        query = exp.union(*rows, distinct=False) if len(rows) > 1 else rows[0]
        columns = tuple(Column(name, kind) for kind, name in zip(kinds, names, strict=True))
        return Relation(query, columns, names[0])

    def _from(self, relation: Relation) -> Body:
        alias = self._name()
        seen = [Value(exp.column(column.name, table=alias), column) for column in relation.columns]
        keys = [value for value in seen if value.column.name == relation.key]
        return Body(exp.select().from_(self._item(relation, alias)), tuple(seen), tuple(keys))

    def _item(self, relation: Relation, alias: str) -> exp.Expr:
        for name, cte in self._ctes.items():
            if cte is relation:
                return exp.alias_(exp.to_table(name), alias, table=True)
        if isinstance(relation.query, exp.Query):
            return relation.query.subquery(alias)
        return exp.alias_(relation.query.copy(), alias, table=True)

    def _joined(self, body: Body, depth: int) -> Body:
        alias = self._name()
        relation = self._readable(depth - 1)
        outer = self._chance(60)
        own = [Value(exp.column(column.name, table=alias), column) for column in relation.columns]
        pairs = self._pairs(own, body)
        if not pairs:
            return body
        on = [self._tie(*self._pick(pairs))]
        if self._chance(20):
            on.append(self._comparison(own))
        if self._chance(15):
            on.append(self._comparison([*own, *body.seen]))
        seen = [_with(value, optional=True) if outer else value for value in own]
        if any(join.side == "FULL" for join in body.select.args.get("joins") or ()):
            # Such a query is entered by the key of its FULL JOIN alone.
            seen = [_with(value, enters=False) for value in seen]
        keys = [value for value in seen if value.column.name == relation.key]
        select = body.select.join(self._item(relation, alias), on=exp.and_(*on), join_type="left" if outer else "inner")
        return Body(select, (*body.seen, *seen), (*body.keys, *keys))

    def _full_joined(self, body: Body, depth: int, *, kind: str | None) -> Body:
        """Return relations full-joined to the one of a body: all rows are entered by what they have equal."""
        parts = [body, *(self._from(self._readable(depth - 1)) for _ in range(self._pick([1, 1, 1, 2])))]
        kinds = [
            one
            for one in ("int", "text", "date", "time")
            if kind in {None, one} and all(part.anchors(one) for part in parts)
        ]
        if not kinds:
            return body
        shared = self._pick(kinds)
        select, key = body.select, [self._pick(body.anchors(shared))]
        for part in parts[1:]:
            before, own = self._pick(key), self._pick(part.anchors(shared))
            on: list[exp.Expr] = [exp.EQ(this=before.read(), expression=own.read())]
            alike = [
                (one, other)
                for one in part.seen
                for other in body.seen
                if one.column.kind == other.column.kind != "json" and self._chance(5)
            ]
            # Redshift takes nothing but equalities of columns there.
            on += [exp.EQ(this=one.read(), expression=other.read()) for one, other in alike[:1]]
            select = select.join(part.select.args["from_"].this.copy(), on=exp.and_(*on), join_type="full")
            key.append(own)
        seen = [_with(value, optional=True, enters=False) for part in parts for value in part.seen]
        return Body(select, (_coalesced(key), *seen), tuple(_or_absent(own) for part in parts for own in part.keys))

    def _pairs(self, own: Sequence[Value], body: Body) -> list[tuple[Value, Value]]:
        """Return the columns by which a relation can be tied to a query, and now and then others, which are refused."""
        every = self._chance(8 if self._is_refused else 40)
        families = FAMILIES if self._chance(25) else {}
        return [
            (one, other)
            for one in own
            for other in body.seen
            if families.get(one.column.kind, one.column.kind) == families.get(other.column.kind, other.column.kind)
            and (every or (one.column.enters and other.column.ties))
        ]

    def _tie(self, own: Value, other: Value) -> exp.Expr:
        """Return a predicate between two columns.

        Where one of them is optional it is most often one that is false for NULL; others may be refused.
        """
        choice = self._number(0, 15)
        optional = own.column.optional or other.column.optional
        if choice < 10 or (optional and not self._chance(10 if self._is_refused else 50)):
            others = [exp.NEQ] if own.column.kind == "bool" else [exp.GT, exp.LTE, exp.NEQ]
            return self._pick([exp.EQ, exp.EQ, exp.EQ, exp.EQ, *others])(this=own.read(), expression=other.read())
        if choice < 12:
            return exp.or_(
                exp.EQ(this=own.read(), expression=other.read()),
                exp.and_(own.read().is_(exp.null()), other.read().is_(exp.null())),
            )
        if choice < 14:
            default = _literal(own.column.kind, self._number(0, 2))
            sides = [exp.Coalesce(this=value.read(), expressions=[default.copy()]) for value in (own, other)]
            return exp.EQ(this=sides[0], expression=sides[1])
        if own.column.kind == "bool":
            return exp.NEQ(this=own.read(), expression=other.read())
        if own.column.kind != "text":
            return exp.Between(this=own.read(), low=other.read(), high=other.read())
        part = exp.DPipe(this=exp.Literal.string("%"), expression=own.read())
        return exp.Like(this=other.read(), expression=exp.DPipe(this=part, expression=exp.Literal.string("%")))

    def _condition(self, body: Body, depth: int) -> exp.Expr:
        choice = self._number(0, 10)
        if choice > 9:
            return self._beyond_value(body, depth)
        if choice < 5:
            return self._comparison(body.seen)
        if choice < 6:
            return exp.or_(self._comparison(body.seen), self._comparison(body.seen))
        if choice < 7:
            return exp.not_(exp.paren(self._comparison(body.seen)))
        return self._subquery_condition(body, depth)

    def _beyond_value(self, body: Body, depth: int) -> exp.Expr:
        """Return a comparison with one value for all rows, if a column is of its kind."""
        value = self._value_of_all(depth, self._name())
        alike = [seen for seen in body.seen if seen.column.kind == value.column.kind != "json"]
        if not alike:
            return self._comparison(body.seen)
        return exp.GTE(this=self._pick(alike).read(), expression=value.sql.subquery())

    def _comparison(self, values: Sequence[Value]) -> exp.Expr:
        value = self._pick([value for value in values if value.column.kind != "json"])
        kind = value.column.kind
        alike = [other for other in values if other.column.kind == kind]
        operand = self._pick([_literal(kind, self._number(0, 2)), self._pick(alike).read()])
        choice = self._number(0, 7)
        if choice < 4 or kind == "bool":
            others = [exp.NEQ] if kind == "bool" else [exp.NEQ, exp.GT, exp.LTE]
            return self._pick([exp.EQ, *others])(this=value.read(), expression=operand)
        if choice < 5:
            return value.read().is_(exp.null())
        if choice < 6:
            return exp.not_(value.read().is_(exp.null()))
        if choice < 7:
            return value.read().isin(_literal(kind, 0), _literal(kind, 1))
        return exp.GTE(this=exp.Coalesce(this=value.read(), expressions=[_literal(kind, 0)]), expression=operand)

    def _subquery_condition(self, body: Body, depth: int) -> exp.Expr:
        inner = self._body(min(depth - 1, 0), within=True)
        pairs = self._pairs(inner.seen, body)
        if not pairs:
            return self._comparison(body.seen)
        own, other = self._pick(pairs)
        if self._chance(40):
            correlated = self._chance(40)
            rows = inner.select.where(self._tie(*self._pick(pairs))) if correlated else inner.select
            member = other.read().isin(query=rows.select(own.read()))
            if self._chance(30):
                # Where neither side is NULL it is true or false, and can be denied.
                rows = rows.where(exp.not_(own.read().is_(exp.null())))
                member = other.read().isin(query=rows.select(own.read()))
                return exp.and_(exp.not_(other.read().is_(exp.null())), exp.not_(member))
            # Without a correlation that is refused: a NULL among all of the rows would matter.
            return exp.not_(member) if self._chance(50 if correlated else 10) else member
        exists = exp.Exists(this=inner.select.select("1").where(self._tie(own, other)))
        return exp.not_(exists) if self._chance(40) else exists

    # ---- values -----------------------------------------------------------------------------------------------------

    def _anchor(self, body: Body) -> Value:
        return self._pick(body.anchors())

    def _anchor_computed(self, value: Value) -> Value:
        """Return a function of a column that can still be traced: its type is written out."""
        kind = value.column.kind
        default = exp.Coalesce(this=value.read(), expressions=[_literal(kind, 1)])
        return replace(value, sql=exp.cast(default, TYPES[kind]))

    def _values(self, body: Body, depth: int) -> list[Value]:
        return [*self._some(body.seen, 2), *(self._computed(body, depth) for _ in range(self._number(0, 2)))]

    def _some(self, values: Sequence[Value], most: int) -> list[Value]:
        plain = [value for value in values if value.column.kind != "json"]
        return [self._pick(plain) for _ in range(self._number(0, most))]

    def _computed(self, body: Body, depth: int) -> Value:
        """Return an expression of one or more columns, or a subquery."""
        value = self._pick(body.seen)
        kind = value.column.kind
        alike = self._pick([other for other in body.seen if other.column.kind == kind]).read()
        default = exp.Coalesce(this=value.read(), expressions=[_literal("text" if kind == "json" else kind, 1)])
        case = exp.case().when(self._comparison(body.seen), value.read()).else_(alike)
        made: Mapping[str, list[tuple[str, exp.Expr]]] = {
            "int": [("int", default), ("int", exp.Add(this=value.read(), expression=alike)), ("int", case),
                    ("text", exp.cast(value.read(), "varchar(20)"))],
            "num": [("num", default), ("num", exp.Mul(this=value.read(), expression=exp.convert(2))), ("num", case)],
            "text": [("text", default), ("text", exp.DPipe(this=value.read(), expression=alike)), ("text", case),
                     ("int", exp.Length(this=value.read())), ("text", exp.Upper(this=value.read()))],
            "date": [("date", default), ("date", case), ("time", exp.cast(value.read(), "timestamp")),
                     ("int", exp.Extract(this=exp.var("month"), expression=value.read()))],
            "time": [("time", default), ("time", case), ("date", exp.cast(value.read(), "date")),
                     ("int", exp.Extract(this=exp.var("hour"), expression=value.read())),
                     ("int", exp.DateDiff(this=value.read(), expression=alike, unit=exp.var("day"))),
                     ("time", exp.func("DATE_TRUNC", exp.Literal.string("month"), value.read(), dialect="redshift"))],
            "float": [("float", default), ("float", exp.Mul(this=value.read(), expression=exp.convert(2))),
                      ("float", case), ("num", exp.cast(value.read(), "numeric(24,4)"))],
            "bool": [("bool", default), ("bool", case),
                     ("int", exp.case().when(value.read(), exp.convert(1)).else_(exp.convert(0))),
                     ("bool", exp.not_(value.read()))],
            "json": [("text", exp.func("JSON_EXTRACT_PATH_TEXT", value.read(), exp.Literal.string("archived_at"),
                                       exp.true(), dialect="redshift"))],
        }  # fmt: skip
        shown, sql = self._pick(made[kind])
        if self._chance(5):
            of_all = self._value_of_all(depth, self._name())
            shown, sql = of_all.column.kind, of_all.sql.subquery()
        elif self._chance(15):
            shown, sql = "int", self._scalar(body, depth) or exp.convert(1)
        return Value(sql, Column("", shown, ties=False, enters=False))

    def _scalar(self, body: Body, depth: int) -> exp.Expr | None:
        inner = self._body(min(depth - 1, 0), within=True)
        pairs = self._pairs(inner.seen, body)
        if not pairs:
            return None
        own, other = self._pick(pairs)
        return inner.select.select(exp.Count(this=exp.Star())).where(self._tie(own, other)).subquery()

    def _aggregate(self, body: Body, *, in_order: bool) -> Value:
        value = self._pick([value for value in body.seen if value.column.kind != "json"])
        kind, sql = value.column.kind, value.read()
        made: list[tuple[str, exp.Expr]] = [
            ("int", exp.Count(this=exp.Star())),
            ("int", exp.Count(this=sql)),
            ("int", exp.Count(this=exp.Distinct(expressions=[sql.copy()]))),
        ]
        if kind == "bool":
            made += [(kind, exp.LogicalOr(this=sql.copy())), (kind, exp.LogicalAnd(this=sql.copy()))]
        else:
            made += [(kind, exp.Max(this=sql.copy())), (kind, exp.Min(this=sql.copy()))]
        if kind in {"int", "num", "float"}:
            made.append((kind, exp.cast(exp.Sum(this=sql.copy()), TYPES[kind])))
            flag = exp.case().when(self._comparison(body.seen), exp.convert(1)).else_(exp.convert(0))
            made.append(("int", exp.cast(exp.Sum(this=flag), "bigint")))
        if kind == "text":
            listed = exp.GroupConcat(this=sql.copy(), separator=exp.Literal.string(","))
            # All lists of a SELECT have the same order, or none.
            made.append(("text", exp.WithinGroup(this=listed, expression=_order(body.keys)) if in_order else listed))
        shown, aggregate = self._pick(made)
        return Value(aggregate, Column("", shown, ties=False, enters=False))

    def _window(self, body: Body, *partition: Value) -> Value:
        value = self._pick(_in_order(body.seen))
        kind = value.column.kind
        made: list[tuple[str, exp.Expr]] = [
            ("int", _over(exp.RowNumber(), partition, [value, *body.keys])),
            ("int", _over(exp.Anonymous(this="RANK"), partition, [value])),
            ("int", _over(exp.Count(this=value.read()), partition, ())),
            (kind, _over(exp.Lag(this=value.read()), partition, body.keys)),
            (kind, _over(exp.Max(this=value.read()), partition, ())),
        ]
        if kind == "num":
            running = _over(exp.Sum(this=value.read()), partition, body.keys)
            running.set("spec", exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING",
                                               end="CURRENT ROW"))  # fmt: skip
            made.append((kind, running))
        shown, sql = self._pick(made)
        return Value(sql, Column("", shown, ties=False, enters=False))

    # ---- choices ----------------------------------------------------------------------------------------------------

    def _pick(self, among: Sequence[T]) -> T:
        return among[self._draw(st.integers(0, len(among) - 1))]

    def _number(self, least: int, most: int) -> int:
        return int(self._draw(st.integers(least, most)))

    def _chance(self, percent: int) -> bool:
        return self._number(0, 99) >= 100 - percent

    def _name(self) -> str:
        self._names += 1
        return f"c{self._names}"


def _coalesced(values: Sequence[Value]) -> Value:
    """Return the value that is there of several which are equal."""
    first, *others = values
    sql = exp.Coalesce(this=first.read(), expressions=[other.read() for other in others]) if others else first.read()
    return replace(first, sql=sql)


def _or_absent(value: Value) -> Value:
    """Return a key as a text that is another one where the row is absent than where the key is NULL."""
    absent = exp.Literal.string("absent")
    return replace(_with(value, kind="text"), sql=exp.Coalesce(this=_text(value), expressions=[absent]))


def _text(value: Value) -> exp.Expr:
    """Return a value as a text; Redshift casts no boolean."""
    if value.column.kind != "bool":
        return exp.cast(value.read(), "varchar(4000)")
    known = exp.case().when(value.read(), exp.Literal.string("true"))
    return known.when(exp.not_(value.read()), exp.Literal.string("false"))


def _in_order(values: Sequence[Value]) -> list[Value]:
    """Return those of some values of which one can be the greatest."""
    return [value for value in values if value.column.kind not in {"json", "bool"}]


def _with(value: Value, **known: Any) -> Value:
    return replace(value, column=replace(value.column, **known))


def _literal(kind: str, choice: int) -> exp.Expr:
    if kind == "text":
        return exp.Literal.string(("a", "b ", "")[choice])
    if kind == "date":
        return exp.cast(exp.Literal.string(("2026-01-01", "2026-02-10", "2026-01-05")[choice]), "date")
    if kind == "time":
        moments = ("2026-01-01 00:00:00", "2026-01-01 23:50:00", "2026-01-05 12:00:00")
        return exp.cast(exp.Literal.string(moments[choice]), "timestamp")
    if kind == "float":
        return exp.cast(exp.Literal.number(("0.5", "2", "0")[choice]), "double precision")
    if kind == "bool":
        return exp.convert(choice == 1)
    return exp.convert((1, 2, 0)[choice])


def _concatenated(keys: Sequence[Value]) -> exp.Expr:
    """Return one text of several values, NULL among them."""
    texts = [exp.Coalesce(this=_text(key), expressions=[exp.Literal.string("~")]) for key in keys]
    joined: exp.Expr = texts[0]
    for text in texts[1:]:
        separated = exp.DPipe(this=joined, expression=exp.Literal.string("/"))
        joined = exp.DPipe(this=separated, expression=text)
    return joined


def _order(keys: Sequence[Value]) -> exp.Order:
    return exp.Order(expressions=[exp.Ordered(this=key.read()) for key in keys])


def _over(function: exp.Expr, partition: Sequence[Value], keys: Sequence[Value]) -> exp.Window:
    return exp.Window(
        this=function, partition_by=[part.read() for part in partition], order=_order(keys) if keys else None
    )


@st.composite
def models(draw: Callable[[st.SearchStrategy[Any]], Any]) -> FactModel:
    """Return a strategy of facts."""
    return Writer(draw).fact()

"""Small worlds side by side in one warehouse, each with one column changed, to see what a full rebuild makes of it.

A world has a few rows of every source; its keys and references lie in a range of their own, so that one rebuild of the
facts tells for each column of each source where its change has shown.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.compiler.fact_query import DIALECT
from surgical_cdc.contract.tables import Column, Fact, Source
from surgical_cdc.dictionary import EVERY_COLUMN, Dictionary, FactColumns
from surgical_cdc.warehouse.templates import sql_name
from tests.support.upstream import ID, domain

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.warehouse.session import Warehouse

# The keys of a world are its base, a multiple of RANGE, plus 1 to ROWS; a row whose key changes goes to NEW_KEY.
# Worlds are filled with the rows of one of KINDS.
RANGE, ROWS, NEW_KEY, KINDS = 1000, 4, 9, 3
REFERENCES = (1, 2, 3, 4, None)
# A bigint below RANGE, and what follows MARK in a text, is that of a row in the same world.
MARK = "@"
VALUES: Mapping[str, tuple[Any, ...]] = {
    "buyer_seller_company_mappings.client_company_id": (12855, 12855, 12855, 1, 2, None),
    "buyer_seller_company_mappings.status": (1, 1, 1, 2, 7, 4, 5, 0, None),
    "teams.product_category_ids": (
        f"{{{MARK}1,{MARK}2}}",
        f"{{{MARK}1,{MARK}2}}",
        f"[{MARK}2]",
        f"{{{MARK}1}}",
        "{}",
        None,
    ),
}
# References that often lead to one row: users of one company, and several links between the two.
SHARED = frozenset({"user_company_mappings.user_id", "user_company_mappings.company_id"})
# Their rows are compared each with each, by LIKE, over all worlds.
COMPARED, FEW = frozenset({"teams", "product_categories"}), 2
# A changed key is a row that goes and another that comes; how often only the first.
REMOVED = 0.5
# How often a row has the value by which it qualifies, or that leads to the row of its own number.
USUAL = 0.93

# What stands beside the names of columns for a row that came or went.
ROW = "row"
# (source, column) -> fact -> the fact columns in which a change of that column has shown.
Seen = dict[tuple[str, str], dict[str, set[str]]]
Facts = Mapping[str, Mapping[Any, tuple[Any, ...]]]
# (source, column, fact, fact column).
Pair = tuple[str, str, str, str]


class Worlds:
    """One world for each column of a project's sources; the keys of its sources and the anchors are integers."""

    def __init__(self, project: Project, warehouse: Warehouse) -> None:
        """Name the worlds in a temporary table."""
        self._project = project
        self._warehouse = warehouse
        columns = [(source, column) for source in project.sources.values() for column in source.columns]
        self._worlds = dict(enumerate(columns, 1))
        self.seen: Seen = {(source.name, column.name): {} for source, column in columns}
        self._rows: dict[tuple[str, int, int], dict[Column, Any]] = {}
        rows = [exp.tuple_(RANGE * world, world % KINDS) for world in self._worlds]
        with warehouse.transaction():
            warehouse.execute("CREATE TEMP TABLE worlds (base BIGINT, kind INTEGER)")
            warehouse.execute(exp.insert(exp.Values(expressions=rows), "worlds"))

    def play(self, seed: int) -> None:
        """Fill all worlds, change in each its column in some rows, and note where the facts differ."""
        pick = random.Random(seed)
        with self._warehouse.transaction(dry_run=True):
            for source in self._project.sources.values():
                self._fill(source, pick)
            before = self._facts()
            for source in self._project.sources.values():
                self._change(source, pick)
            after = self._facts()
        for fact in self._project.facts.values():
            self._compare(fact, before[fact.name], after[fact.name])

    def _fill(self, source: Source, pick: random.Random) -> None:
        """Put random rows into a source for every world; each of some kinds of world has its own."""
        selects = []
        for kind, key in product(range(KINDS), _keys(source)):
            row = {column: _usual(source, column, key, pick) for column in source.columns}
            values = [in_world(value, column) for column, value in row.items()]
            selects.append(exp.select(*values).from_("worlds").where(exp.column("kind").eq(kind)))
            self._rows[source.name, kind, key] = row
        union = exp.union(*selects, distinct=False)
        self._warehouse.execute(exp.insert(union, source.relation, columns=list(source.column_names)))
        self._warehouse.execute(f"ANALYZE {source.relation}")

    def _change(self, source: Source, pick: random.Random) -> None:
        """Give each column of a source another value in rows of its own world; a key in one, or remove the row."""
        given: dict[str, object] = {}
        changed: list[int] = []
        for world, (of, column) in self._worlds.items():
            if of is not source:
                continue
            numbers = pick.sample(_keys(source), pick.randint(1, len(_keys(source))))
            old = self._rows[source.name, world % KINDS, numbers[0]][column]
            value = pick.choice([other for other in values_of(source, column) if other != old])
            if column.name in source.key:
                del numbers[1:]
                value = NEW_KEY
            keys = [world * RANGE + number for number in numbers]
            (identifying,) = source.key
            chosen = exp.column(identifying).isin(*keys)
            if column.name == identifying and pick.random() < REMOVED:
                self._warehouse.execute(exp.delete(source.relation, where=chosen.copy()))
            new = exp.case().when(chosen, in_world(value, column, world))
            given[sql_name(column.name)] = new.else_(exp.column(column.name))
            changed += keys
        where = exp.column(*source.key).isin(*changed)
        self._warehouse.execute(exp.update(source.relation, given, where=where, dialect=DIALECT))

    def _facts(self) -> Facts:
        """Return all facts rebuilt in full, by row key."""
        facts: dict[str, dict[Any, tuple[Any, ...]]] = {}
        for name, fact in self._project.facts.items():
            keys = [fact.column_names.index(key) for key in fact.unique_key]
            rows = self._warehouse.rows(compile_fact(self._project, name).query)
            facts[name] = {tuple(row[key] for key in keys): tuple(row) for row in rows}
        return facts

    def _compare(self, fact: Fact, before: Mapping[Any, tuple[Any, ...]], after: Mapping[Any, tuple[Any, ...]]) -> None:
        anchor = fact.column_names.index(fact.anchor)
        for key in before.keys() | after.keys():
            old, new = before.get(key), after.get(key)
            if old == new:
                continue
            source, column = self._worlds[(old or new or ())[anchor] // RANGE]
            shown = self.seen[source.name, column.name].setdefault(fact.name, set())
            if old is None or new is None:
                shown.add(ROW)
            else:
                pairs = zip(fact.column_names, old, new, strict=True)
                shown |= {name for name, was, is_ in pairs if was != is_}


def values_of(source: Source, column: Column) -> tuple[Any, ...]:
    """Return the values that a column takes; a reference is the number of a row in its own world."""
    values = VALUES.get(f"{source.name}.{column.name}") or domain(source, column)
    return REFERENCES if values is ID else values


def _keys(source: Source) -> range:
    """Return the numbers of a source's rows; fewer where models compare every row with every other."""
    return range(1, (FEW if source.name in COMPARED else ROWS) + 1)


def _usual(source: Source, column: Column, key: int, pick: random.Random) -> Any:
    """Return a value for a row: as a rule one by which it qualifies, and refers to the rows of its own number."""
    if column.name in source.key:
        return key
    values = values_of(source, column)
    if pick.random() > (0.5 if f"{source.name}.{column.name}" in SHARED else USUAL):
        return pick.choice(values)
    if values is REFERENCES:
        return key
    decides = len(set(values)) < len(values)
    return values[0] if decides else pick.choice(values)


def in_world(value: Any, column: Column, world: int | None = None) -> exp.Expr:
    """Return a value as SQL, a reference moved to a world: the one of that number, or each one of the table worlds."""
    base = exp.column("base") if world is None else exp.Literal.number(world * RANGE)
    given: exp.Expr = exp.convert(value)
    if column.data_type == "bigint" and value is not None and value < RANGE:
        given = exp.Add(this=base, expression=given)
    elif column.is_text and MARK in (value or ""):
        given = exp.func("REPLACE", given, exp.Literal.string(MARK), exp.cast(base / 10, "VARCHAR"))
    return exp.cast(given, column.data_type)


def misses(dictionary: Dictionary, seen: Seen) -> list[Pair]:
    """Return what has shown though the dictionary does not name it, the row that came or went included."""
    return [
        (source, column, fact, name)
        for (source, column), facts in seen.items()
        for fact, shown in facts.items()
        for name in sorted(shown)
        if not _names(dictionary.feeds[source].get(column, {}).get(fact, ()), name)
    ]


def pairs(dictionary: Dictionary) -> list[Pair]:
    """Return what a dictionary names; an entry "*" is one pair, shown by any difference in that fact."""
    return [
        (source, column, fact, name)
        for source, columns in dictionary.feeds.items()
        for column, facts in columns.items()
        for fact, named in facts.items()
        for name in ((EVERY_COLUMN,) if named == EVERY_COLUMN else named)
    ]


def has_shown(pair: Pair, seen: Seen) -> bool:
    """Return whether a pair of the dictionary has been seen to differ."""
    source, column, fact, name = pair
    shown = seen[source, column].get(fact, set())
    return bool(shown) if name == EVERY_COLUMN else name in shown


def _names(named: FactColumns, name: str) -> bool:
    return named == EVERY_COLUMN or name in named

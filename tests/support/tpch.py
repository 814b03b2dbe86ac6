"""The database of TPC-H, and what changes in it from window to window.

The rows are those of the specification's own generator, in the package tpchgen-cli. It makes no refresh sets, so these
are drawn here by a seed. An order of RF1 has a key from the gaps that the generator leaves, and the columns of an order
that is there; its lines are made of other lines, each with a part and a supplier that belong together. RF2 deletes
orders that are there, with their lines. Beyond the specification, rows of all tables are edited, and come and go:
their new values are another row's, or ones that some query looks for.
"""

from __future__ import annotations

import csv
import io
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2

if TYPE_CHECKING:
    from local_redshift import LocalRedshift
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Column

GENERATOR = "tpchgen-cli"
LOADED = datetime(2026, 1, 1)  # noqa: DTZ001 - the warehouse's timestamps are UTC without an offset
STEP = timedelta(minutes=1)
KEYS = {
    "region": ("r_regionkey",),
    "nation": ("n_nationkey",),
    "part": ("p_partkey",),
    "supplier": ("s_suppkey",),
    "partsupp": ("ps_partkey", "ps_suppkey"),
    "customer": ("c_custkey",),
    "orders": ("o_orderkey",),
    "lineitem": ("l_orderkey", "l_linenumber"),
}
# In how many edits of ten a table is the one.
EDITED = {
    "region": 1,
    "nation": 2,
    "part": 3,
    "supplier": 3,
    "partsupp": 3,
    "customer": 3,
    "orders": 4,
    "lineitem": 6,
}
# Those that queries name: France, Germany, Brazil, Canada, Saudi Arabia, and Japan in Asia.
NATIONS = (6, 7, 2, 3, 20, 12)
# What the queries look for, so that small tables have enough of it, and rows come to qualify and cease to.
SOUGHT: Mapping[str, Sequence[Any]] = {
    "r_name": ("EUROPE", "ASIA", "AMERICA"),
    "n_name": ("FRANCE", "GERMANY", "BRAZIL", "CANADA", "SAUDI ARABIA"),
    "n_regionkey": (1, 2, 3),
    "s_nationkey": NATIONS,
    "c_nationkey": NATIONS,
    "s_comment": ("says Customer has Complaints", "none"),
    "p_name": ("forest green lace", "green forest chiffon", "forest misty"),
    "p_brand": ("Brand#12", "Brand#23", "Brand#34", "Brand#45"),
    "p_type": ("ECONOMY ANODIZED STEEL", "PROMO BURNISHED BRASS", "SMALL PLATED BRASS", "MEDIUM POLISHED TIN"),
    "p_size": (1, 3, 5, 9, 14, 15, 49),
    "p_container": ("SM BOX", "MED BOX", "LG BOX"),
    "ps_availqty": (1, 5, 9999),
    "ps_supplycost": (Decimal(1), Decimal("1000.00")),
    "c_mktsegment": ("BUILDING",),
    "c_phone": ("13-100-100-1000", "31-100-100-1000", "17-100-100-1000"),
    "c_acctbal": (Decimal("9999.99"), Decimal(-999)),
    "o_orderdate": (date(1993, 8, 1), date(1993, 11, 1), date(1994, 2, 3), date(1995, 3, 14), date(1996, 5, 6)),
    "o_orderstatus": ("F", "O"),
    "o_comment": ("special packages, requests",),
    "l_quantity": (Decimal(1), Decimal(11), Decimal(23), Decimal(310)),
    "l_discount": (Decimal("0.05"), Decimal("0.07")),
    "l_returnflag": ("R", "N"),
    "l_shipmode": ("MAIL", "SHIP", "AIR"),
    "l_shipinstruct": ("DELIVER IN PERSON",),
    "l_shipdate": (date(1994, 6, 1), date(1995, 9, 9), date(1995, 3, 16), date(1996, 2, 2), date(1998, 9, 3)),
    "l_commitdate": (date(1994, 6, 5), date(1998, 1, 1)),
    "l_receiptdate": (date(1994, 6, 9), date(1998, 2, 2)),
}
# Of what some query asks of a row at once.
TOGETHER: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "part": (
        {"p_size": 15, "p_type": "LARGE PLATED BRASS"},
        {"p_brand": "Brand#23", "p_container": "MED BOX"},
        {"p_brand": "Brand#12", "p_container": "SM BOX", "p_size": 3},
        {"p_brand": "Brand#34", "p_container": "LG BOX", "p_size": 12},
    ),
    "lineitem": (
        {"l_shipmode": "AIR", "l_shipinstruct": "DELIVER IN PERSON", "l_quantity": Decimal(11)},
        {
            "l_shipmode": "MAIL",
            "l_shipdate": date(1994, 6, 1),
            "l_commitdate": date(1994, 6, 5),
            "l_receiptdate": date(1994, 6, 9),
        },
    ),
}
# Columns that may be NULL: no row key shows them.
OPTIONAL = frozenset(
    {
        *("n_regionkey", "s_nationkey", "s_acctbal", "s_comment", "p_container", "ps_availqty"),
        *("ps_supplycost", "c_nationkey", "c_acctbal", "c_phone", "c_comment", "o_custkey", "o_comment"),
        *("o_orderstatus", "l_partkey", "l_suppkey", "l_quantity", "l_discount", "l_commitdate", "l_receiptdate"),
    }
)

Row = dict[str, Any]
Key = tuple[Any, ...]


@dataclass
class Database:
    """The rows of all tables as they are upstream, by key, and what has been staged of them since the last window."""

    tables: dict[str, dict[Key, Row]]
    pick: random.Random
    clock: datetime = LOADED
    removed: dict[str, list[Row]] = field(default_factory=dict)
    staged: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def end(self) -> datetime:
        """An end for a window that holds all that has been staged."""
        return self.clock + STEP

    def take(self) -> dict[str, list[Row]]:
        """Return what has been staged by table, and begin the next window."""
        staged, self.staged = self.staged, {}
        return staged

    def insert_orders(self, count: int) -> None:
        """RF1: new orders, each with one to seven lines."""
        for _ in range(count):
            order = self._any("orders") | {"o_custkey": self._any("customer")["c_custkey"]}
            order["o_orderkey"] = self._free_order()
            order["o_orderdate"] = self._any("orders")["o_orderdate"]
            self._put("orders", order)
            for number in range(1, self.pick.randint(1, 7) + 1):
                self._put("lineitem", self._line(order["o_orderkey"], number))

    def delete_orders(self, count: int) -> None:
        """RF2: orders go, with their lines."""
        for key in self.pick.sample(sorted(self.tables["orders"]), count):
            for line in [line for line in self.tables["lineitem"] if line[0] == key[0]]:
                self._remove("lineitem", line)
            self._remove("orders", key)

    def suit_queries(self, count: int) -> None:
        """Edit so many rows, all suppliers besides, so that of a small database each query finds something."""
        for number, row in enumerate(self.tables["supplier"].values()):
            self._put("supplier", row | {"s_nationkey": NATIONS[number % len(NATIONS)]})
        for _ in range(count):
            table = self.pick.choice(("part", "partsupp", "customer", "orders", "lineitem", "lineitem"))
            self._edit(table, self._any(table), 0.9)
        self.take()

    def edit(self, count: int) -> None:
        """Edit rows of any table, or let them come or go."""
        for _ in range(count):
            (table,) = self.pick.choices(list(EDITED), list(EDITED.values()))
            chance = self.pick.random()
            if chance < 0.1 and len(self.tables[table]) > 3:
                self._remove(table, self.pick.choice(list(self.tables[table])))
            elif chance < 0.25 and self.removed.get(table):
                row = self.removed[table].pop(self.pick.randrange(len(self.removed[table])))
                if self._key(table, row) not in self.tables[table]:
                    self._put(table, row)
            else:
                self._edit(table, self._any(table), 0.5)

    def _edit(self, table: str, row: Row, sought: float) -> None:
        """Edit some columns of a row; `sought` is the share of values that some query looks for."""
        if table in TOGETHER and self.pick.random() < sought / 2:
            row |= self.pick.choice(TOGETHER[table])
        columns = [name for name in row if name not in {*KEYS[table], "updated_at", "deleted_at"}]
        looked_for = [name for name in columns if name in SOUGHT]
        choice = looked_for if self.pick.random() < sought else columns
        for name in self.pick.sample(choice, min(self.pick.choice((1, 1, 2, 3)), len(choice))):
            if name in OPTIONAL and self.pick.random() < 0.05:
                row[name] = None
            elif name in SOUGHT and self.pick.random() < sought:
                row[name] = self.pick.choice(SOUGHT[name])
            else:
                row[name] = self._any(table)[name]
        self._put(table, row)

    def _line(self, order: int, number: int) -> Row:
        line, dates, supplied = self._any("lineitem"), self._any("lineitem"), self._any("partsupp")
        line |= {name: dates[name] for name in ("l_shipdate", "l_commitdate", "l_receiptdate", "l_quantity")}
        line |= {"l_partkey": supplied["ps_partkey"], "l_suppkey": supplied["ps_suppkey"]}
        return line | {"l_orderkey": order, "l_linenumber": number}

    def _free_order(self) -> int:
        """Return a key from the gaps: of 32 keys in a row the generator uses eight."""
        while True:
            key = self.pick.randrange(len(self.tables["orders"]) * 4 // 32) * 32 + self.pick.randint(9, 31)
            if (key,) not in self.tables["orders"]:
                return key

    def _any(self, table: str) -> Row:
        return dict(self.tables[table][self.pick.choice(list(self.tables[table]))])

    def _key(self, table: str, row: Row) -> Key:
        return tuple(row[name] for name in KEYS[table])

    def _put(self, table: str, row: Row) -> None:
        self.clock += timedelta(seconds=1)
        row = row | {"updated_at": self.clock, "deleted_at": None}
        self.tables[table][self._key(table, row)] = row
        self.staged.setdefault(table, []).append(row)

    def _remove(self, table: str, key: Key) -> None:
        self.clock += timedelta(seconds=1)
        row = self.tables[table].pop(key)
        self.removed.setdefault(table, []).append(row)
        self.staged.setdefault(table, []).append(row | {"updated_at": self.clock, "deleted_at": self.clock})


def generated(project: Project, folder: Path, *, scale: float, seed: int) -> Database:
    """Have the generator write all tables into a folder, and read them."""
    program = shutil.which(GENERATOR, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    assert program, f"{GENERATOR} is missing: make .venv/test.stamp"
    subprocess.run([program, "-s", str(scale), "--output-dir", folder], check=True, capture_output=True)
    tables: dict[str, dict[Key, Row]] = {}
    for name, source in project.sources.items():
        rows = list(_rows(folder / f"{name}.tbl", source.columns))
        tables[name] = {tuple(row[part] for part in KEYS[name]): row for row in rows}
    return Database(tables, random.Random(seed))


def load(project: Project, database: Database, redshift: LocalRedshift) -> None:
    """Copy all rows into the baselines, beside the gateway."""
    with closing(psycopg2.connect(**redshift.administrator)) as direct, direct, direct.cursor() as cursor:
        for name, source in project.sources.items():
            text = io.StringIO()
            rows = database.tables[name].values()
            csv.writer(text).writerows([row[column] for column in source.column_names] for row in rows)
            text.seek(0)
            columns = ", ".join(source.column_names)
            cursor.copy_expert(f"COPY {source.relation} ({columns}) FROM STDIN WITH (FORMAT csv)", text)
            cursor.execute(f"ANALYZE {source.relation}")


def _rows(file: Path, columns: Sequence[Column]) -> Iterator[Row]:
    """Yield the rows of a file of the generator: values in the order of the columns, each with a bar behind it."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            values = line.rstrip("\n").removesuffix("|").split("|")
            row = {column.name: _value(column, text) for column, text in zip(columns, values, strict=False)}
            yield row | {"updated_at": LOADED, "deleted_at": None}


def _value(column: Column, text: str) -> Any:
    if column.is_text:
        return text
    if column.data_type == "date":
        return date.fromisoformat(text)
    return Decimal(text) if column.data_type.startswith("numeric") else int(text)

"""`python -m benchmarks.groups`: facts of a few large groups after a small change, beside their full queries.

Lines are grouped by a column of theirs, and by one of their orders'. Some of them change. Each fact is updated by what
they contribute to its groups; as it would be if its numbers could not be added up; and computed in full into a
temporary table. All is undone. Figures are medians of all rounds, in seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
import redshift_connector
from rich.console import Console
from rich.table import Table
from sqlglot import exp

from local_redshift import LocalRedshift
from local_redshift.testing import administer
from surgical_cdc.compiler.compilation import compile_dictionary
from surgical_cdc.compiler.compiled_fact import CompiledFact, compile_fact
from surgical_cdc.compiler.fact_query import table_named
from surgical_cdc.compiler.slices import RECOMPUTED, insert_into
from surgical_cdc.contract.project import Project
from surgical_cdc.contract.tables import Column, Fact, Select, Source
from surgical_cdc.dictionary import dump_dictionary
from surgical_cdc.files import write_text
from surgical_cdc.steps import update
from surgical_cdc.steps.cleanup import cleanup
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.detect import detect
from surgical_cdc.steps.prepare import prepare
from surgical_cdc.values import Run, new_token
from surgical_cdc.warehouse.connection import session
from surgical_cdc.warehouse.ddl import create_sources
from surgical_cdc.warehouse.session import Warehouse
from surgical_cdc.warehouse.templates import render

LINES = 1_000_000
CHANGED = (20, 1_000, 10_000, 100_000, 300_000)
ROUNDS = 5
TYPES = {
    "orders": {"id": "bigint", "region_id": "smallint", "updated_at": "timestamp"},
    "lines": {
        "id": "bigint",
        "order_id": "bigint",
        "kind": "smallint",
        "quantity": "integer",
        "amount": "numeric(12,2)",
        "updated_at": "timestamp",
    },
}
FACTS = {
    "by_kind": "SELECT l.kind AS id, COUNT(*) AS lines, SUM(l.amount * l.quantity) AS amount, AVG(l.quantity) AS mean"
    " FROM live.lines AS l GROUP BY l.kind",
    "by_region": "SELECT o.region_id AS id, COUNT(*) AS lines, SUM(l.amount * l.quantity) AS amount,"
    " AVG(l.quantity) AS mean FROM live.lines AS l INNER JOIN live.orders AS o ON o.id = l.order_id"
    " GROUP BY o.region_id",
}
COLUMNS = {"id": "smallint", "lines": "bigint", "amount": "numeric(38,2)", "mean": "bigint"}
# Of PostgreSQL's own, beside the gateway. Parameters: the number of rows.
ROWS = {
    "orders": "INSERT INTO live.orders SELECT n, n %% 25, '2026-01-01' FROM generate_series(1, %s / 4) AS n",
    "lines": "INSERT INTO live.lines SELECT n, 1 + n / 4, n %% 4, n %% 50, n %% 9973 / 7.0, '2026-01-01'"
    " FROM generate_series(1, %s) AS n",
}
# Keys are spread over the rows that change by a prime.
SPREAD = 7919
Connect = Callable[[], Warehouse]


def main() -> None:
    """Run the measurements and print them, as a table and with --json as one line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.groups", description=__doc__)
    parser.add_argument("--lines", type=int, default=LINES, help="(default: %(default)s)")
    parser.add_argument("--changed", type=int, nargs="+", default=CHANGED, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each measurement (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the figures as one line of JSON as well")
    options = parser.parse_args()
    table = Table("changed", "fact", "by contributions", "as it would be", "full query", "first / full query")
    figures = []
    for changed, fact, medians in measure(options.lines, options.changed, options.rounds):
        figures.append({"changed": changed, "fact": fact, **medians})
        ratio = medians["by contributions"] / medians["full query"]
        table.add_row(f"{changed:,}", fact, *(f"{seconds:.3f}" for seconds in medians.values()), f"{ratio:.2f}")
    Console(highlight=False).print(table)
    if options.json:
        print(json.dumps({"lines": options.lines, "rounds": options.rounds, "figures": figures}))


def measure(lines: int, numbers: list[int], rounds: int) -> Iterator[tuple[int, str, Mapping[str, float]]]:
    """Yield for so many changed lines, and for each fact, the seconds of each way."""
    with (
        tempfile.TemporaryDirectory(prefix="benchmarks_") as folder,
        LocalRedshift(data=Path(folder) / "redshift", port=0) as redshift,
    ):

        def connect() -> Warehouse:
            return session(redshift_connector.connect(**redshift.settings), "benchmark")

        project = _project(Path(folder))
        with closing(connect()) as warehouse, warehouse.transaction():
            for statement in create_sources(project):
                warehouse.execute(statement)
        with closing(psycopg2.connect(**redshift.administrator)) as direct, direct:
            for statement in ROWS.values():
                direct.cursor().execute(statement, (lines,))
        administer(redshift, "VACUUM ANALYZE")
        end = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        run_cycle(project, connect, Run(run_id="first", dag_id="benchmark", token=new_token(), window_end=end))
        for number in numbers:
            end += timedelta(minutes=30)
            with closing(connect()) as warehouse, warehouse.transaction():
                warehouse.execute(_staged(project.sources["lines"], number, lines, end - timedelta(minutes=1)))
            run = Run(run_id=f"{number}", dag_id="benchmark", token=new_token(), window_end=end)
            with closing(connect()) as warehouse:
                preparation = prepare(project, warehouse, run)
                if preparation is None:
                    raise SystemExit("another run holds the warehouse of the benchmark")
                found = {name: detect(project, name, warehouse, run, preparation) for name in project.sources}
            for fact in FACTS:
                seconds: dict[str, list[float]] = {}
                for _ in range(rounds):
                    for way, compiling in (("by contributions", compile_fact), ("as it would be", _without_groups)):
                        update.compile_fact = compiling  # type: ignore[assignment, attr-defined]
                        with closing(connect()) as warehouse:
                            warehouse.commit = warehouse.rollback  # type: ignore[method-assign]
                            started = time.perf_counter()
                            update.update(project, fact, warehouse, run, preparation, found)
                            seconds.setdefault(way, []).append(time.perf_counter() - started)
                    seconds.setdefault("full query", []).append(_in_full(project, fact, connect))
                yield number, fact, {way: statistics.median(times) for way, times in seconds.items()}
            with closing(connect()) as warehouse:
                cleanup(project, warehouse, run, failure="it was measured")


def _without_groups(*arguments: Any) -> CompiledFact:
    return replace(compile_fact(*arguments), groups=None)


def _in_full(project: Project, fact: str, connect: Connect) -> float:
    """Return how long a fact's SELECT takes, its rows written to a temporary table."""
    compiled = compile_fact(project, fact)
    with closing(connect()) as warehouse, warehouse.transaction(dry_run=True):
        warehouse.execute(render("table_like", table=RECOMPUTED, relation=compiled.fact.relation))
        started = time.perf_counter()
        warehouse.execute(insert_into(RECOMPUTED, compiled.fact, compiled.query))
        return time.perf_counter() - started


def _project(folder: Path) -> Project:
    """Return a project with the facts, and write its dictionary into a folder."""
    sources = {
        name: Source(
            name=name,
            relation=f"live.{name}",
            staging=f"staging.{name}",
            key=("id",),
            cursor="updated_at",
            columns=tuple(Column(name=column, data_type=type_) for column, type_ in types.items()),
        )
        for name, types in TYPES.items()
    }
    columns = tuple(Column(name=column, data_type=type_) for column, type_ in COLUMNS.items())
    facts = {
        name: Fact(name=name, relation=f"facts.{name}", columns=columns, unique_key=("id",), anchor="id")
        for name in FACTS
    }
    selects = {name: Select(path=__file__, sql=sql) for name, sql in FACTS.items()}
    project = Project(name="groups", path=folder, sources=sources, facts=facts, selects=selects)
    write_text(project.dictionary_path, dump_dictionary(compile_dictionary(project)))
    return project


def _staged(source: Source, changed: int, lines: int, at: datetime) -> exp.Insert:
    """Return the statement that stages so many of the baseline's rows, of another kind and with another amount."""
    values: dict[str, exp.Expr] = {name: exp.column(name) for name in source.column_names}
    values["updated_at"] = exp.cast(exp.Literal.string(str(at)), "timestamp")
    values["kind"] = exp.Sub(this=exp.convert(3), expression=exp.column("kind"))
    values["amount"] = exp.Add(this=exp.column("amount"), expression=exp.convert(1))
    place = exp.Mod(this=exp.Paren(this=exp.column("id") * SPREAD), expression=exp.convert(lines))
    rows = exp.select(*values.values()).from_(table_named(source.relation)).where(place < changed)
    return exp.insert(rows, table_named(source.staging), columns=list(values))


if __name__ == "__main__":
    main()

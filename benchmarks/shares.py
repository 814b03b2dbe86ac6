"""`python -m benchmarks.shares`: updates from slices and from whole tables beside the full refresh, by rows changed.

A share of the vendors' companies gets another name. Each fact that shows names is then updated from slices, from whole
tables, and as the engine decides, and refreshed in full; all is undone. Figures are medians of all rounds, in seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redshift_connector
from rich.console import Console
from rich.table import Table
from sqlglot import exp

from demo.load import load
from local_redshift import LocalRedshift
from local_redshift.testing import administer
from surgical_cdc.compiler.fact_query import table_named
from surgical_cdc.contract.project import load_project
from surgical_cdc.dictionary import load_dictionary
from surgical_cdc.steps import update
from surgical_cdc.steps.cleanup import cleanup
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.detect import detect
from surgical_cdc.steps.prepare import prepare
from surgical_cdc.steps.refresh import refresh
from surgical_cdc.values import Run, new_token
from surgical_cdc.warehouse.connection import session
from surgical_cdc.warehouse.session import Warehouse

COMPANIES = 20_000
SHARES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
ROUNDS = 5
# From which share of a fact's keys on an update reads whole tables: never, always, as it is.
WAYS = {"slices": 2.0, "whole tables": 1e-9, "as decided": update.MOST}
# The change: rows of this source in this column; keys are spread over the rows that change by a prime.
SOURCE, COLUMN = "companies", "name"
SPREAD, PARTS = 7919, 1000
Connect = Callable[[], Warehouse]


def main() -> None:
    """Run the measurements and print them, as a table and with --json as one line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shares", description=__doc__)
    parser.add_argument("--companies", type=int, default=COMPANIES, help="(default: %(default)s)")
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each measurement (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the figures as one line of JSON as well")
    options = parser.parse_args()
    console = Console(highlight=False)
    table = Table("changed", *WAYS, "full refresh", "as decided / full refresh")
    figures = {}
    for share, medians in measure(options.companies, options.shares, options.rounds):
        figures[f"{share:g}"] = medians
        ratio = medians["as decided"] / medians["full refresh"]
        table.add_row(f"{share:.0%}", *(f"{seconds:.2f} s" for seconds in medians.values()), f"{ratio:.2f}")
        console.print(f"{share:.0%} measured")
    console.print(table)
    if options.json:
        print(json.dumps({"companies": options.companies, "rounds": options.rounds, "shares": figures}))


def measure(companies: int, shares: list[float], rounds: int) -> Iterator[tuple[float, Mapping[str, float]]]:
    """Yield for each share the seconds of the ways and of the refresh, all facts that show the column added up."""
    project = load_project()
    dictionary = load_dictionary(project.dictionary_path)
    facts = [fact for fact in dictionary.facts if COLUMN in dictionary.read_columns(fact, SOURCE)]
    with (
        tempfile.TemporaryDirectory(prefix="benchmarks_") as folder,
        LocalRedshift(data=Path(folder) / "redshift", port=0) as redshift,
    ):

        def connect() -> Warehouse:
            return session(redshift_connector.connect(**redshift.settings), "benchmark")

        load(connect, companies=companies, progress=lambda _: None)
        end = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        run_cycle(project, connect, Run(run_id="first", dag_id="benchmark", token=new_token(), window_end=end))
        for share in shares:
            end += timedelta(minutes=30)
            with closing(connect()) as warehouse, warehouse.transaction():
                warehouse.execute(_staged(share, end - timedelta(minutes=1)))
            run = Run(run_id=f"{share}", dag_id="benchmark", token=new_token(), window_end=end)
            seconds: dict[str, list[float]] = {way: [] for way in (*WAYS, "full refresh")}
            # Before the run begins, beside which nothing is refreshed.
            for _ in range(rounds):
                with _undone(connect, facts, seconds["full refresh"]) as refreshing:
                    for fact, warehouse in refreshing:
                        refresh(project, fact, warehouse)
                administer(redshift, "VACUUM")
            with closing(connect()) as warehouse:
                preparation = prepare(project, warehouse, run)
                if preparation is None:
                    raise SystemExit("another run holds the warehouse of the benchmark")
                found = {SOURCE: detect(project, SOURCE, warehouse, run, preparation)}
            for _ in range(rounds):
                for way, most in WAYS.items():
                    update.MOST = most
                    with _undone(connect, facts, seconds[way]) as updating:
                        for fact, warehouse in updating:
                            update.update(project, fact, warehouse, run, preparation, found)
                    administer(redshift, "VACUUM")
            with closing(connect()) as warehouse:
                cleanup(project, warehouse, run, failure="it was measured")
            yield share, {way: statistics.median(times) for way, times in seconds.items()}


@contextmanager
def _undone(connect: Connect, facts: list[str], seconds: list[float]) -> Iterator[Iterator[tuple[str, Warehouse]]]:
    """Give each fact with a session whose work is not committed, and add to `seconds` how long all of them took."""

    def sessions() -> Iterator[tuple[str, Warehouse]]:
        for fact in facts:
            with closing(connect()) as warehouse:
                warehouse.commit = warehouse.rollback  # type: ignore[method-assign]
                yield fact, warehouse

    started = time.perf_counter()
    yield sessions()
    seconds.append(time.perf_counter() - started)


def _staged(share: float, at: datetime) -> exp.Insert:
    """Return the statement that stages a share of the baseline's rows, with another value in the column."""
    source = load_project().sources[SOURCE]
    values: dict[str, exp.Expr] = {name: exp.column(name) for name in source.column_names}
    values[source.cursor] = exp.cast(exp.Literal.string(str(at)), "timestamp")
    values[COLUMN] = exp.DPipe(this=exp.column(COLUMN), expression=exp.Literal.string("'"))
    (key,) = source.key
    place = exp.Mod(this=exp.Paren(this=exp.column(key) * SPREAD), expression=exp.convert(PARTS))
    rows = exp.select(*values.values()).from_(table_named(source.relation)).where(place < int(share * PARTS))
    return exp.insert(rows, table_named(source.staging), columns=list(values))


if __name__ == "__main__":
    main()

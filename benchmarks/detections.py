"""`python -m benchmarks.detections`: what detections cost where most of what is staged is applied, and snapshots.

The vendors' companies are staged: all of them as they are, with a few changed ones, beside these few alone; and as a
snapshot in which one of a hundred has changed, beside a full outer join by hand that finds the rows that differ. All is
undone. Figures are medians of all rounds, in seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import redshift_connector
from rich.console import Console
from rich.table import Table
from sqlglot import exp

from demo.load import load
from local_redshift import LocalRedshift
from local_redshift.testing import administer
from surgical_cdc.compiler.fact_query import table_named
from surgical_cdc.compiler.slices import temp_table
from surgical_cdc.contract.project import load_project
from surgical_cdc.contract.tables import Source
from surgical_cdc.control import scratch
from surgical_cdc.control.tables import complete_control
from surgical_cdc.steps.detect import write_change_set
from surgical_cdc.steps.quiet import what_to_do
from surgical_cdc.values import Preparation, Run, new_token
from surgical_cdc.warehouse.connection import session
from surgical_cdc.warehouse.session import Warehouse

COMPANIES = 100_000
ROUNDS = 5
SOURCE = "companies"
FEW = 20
# Keys are spread over the rows that change by a prime.
SPREAD = 7919


def main() -> None:
    """Run the measurements and print them, as a table and with --json as one line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detections", description=__doc__)
    parser.add_argument("--companies", type=int, default=COMPANIES, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each measurement (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the figures as one line of JSON as well")
    options = parser.parse_args()
    figures = measure(options.companies, options.rounds)
    table = Table("", "seconds")
    for name, seconds in figures.items():
        table.add_row(name, f"{seconds:.2f}")
    Console(highlight=False).print(table)
    if options.json:
        print(json.dumps({"companies": options.companies, "rounds": options.rounds, "seconds": figures}))


def measure(companies: int, rounds: int) -> dict[str, float]:
    """Return the seconds of each case, by its name."""
    project = load_project()
    window = project.sources[SOURCE]
    snapshot = window.model_copy(update={"load": "snapshot", "delete_when": None})
    with (
        tempfile.TemporaryDirectory(prefix="benchmarks_") as folder,
        LocalRedshift(data=Path(folder) / "redshift", port=0) as redshift,
        closing(session(redshift_connector.connect(**redshift.settings), "benchmark")) as warehouse,
    ):
        load(lambda: session(redshift_connector.connect(**redshift.settings), "benchmark"), companies=companies)
        with warehouse.transaction():
            complete_control(project, warehouse)
        end = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        run = Run(run_id="measured", dag_id="benchmark", token=new_token(), window_end=end)
        changed = end - timedelta(minutes=1)

        def median(work: Callable[[], object]) -> float:
            seconds = []
            for _ in range(rounds):
                with warehouse.transaction(dry_run=True):
                    started = time.perf_counter()
                    work()
                    seconds.append(time.perf_counter() - started)
            return statistics.median(seconds)

        def detected(source: Source) -> float:
            changed_project = replace(project, sources={**project.sources, SOURCE: source})
            relation = scratch.new_relation(changed_project, source, run)
            return median(lambda: write_change_set(changed_project, source, relation, warehouse, run))

        def stage(*rows: exp.Select) -> None:
            with warehouse.transaction():
                warehouse.execute(exp.delete(table_named(window.staging)))
                for select in rows:
                    columns = list(window.column_names)
                    warehouse.execute(exp.insert(select, table_named(window.staging), columns=columns))
            administer(redshift, "VACUUM ANALYZE")

        few = _rows(window, changed).where(_place(window, companies) < FEW)
        figures = {}
        stage(few)
        figures[f"detection, {FEW} new versions staged"] = detected(window)
        stage(_rows(window, None), few)
        figures[f"detection, {FEW} new versions and all applied ones staged"] = detected(window)
        stage(_rows(window, None))
        prepared = partial(what_to_do, project, warehouse, run, Preparation(token=run.token))
        figures["preparation, all applied"] = median(prepared)
        stage(
            _rows(window, changed).where(_place(window, 100) < 1), _rows(window, None).where(_place(window, 100) >= 1)
        )
        figures["snapshot, 1 % changed"] = detected(snapshot)
        figures["snapshot by hand: full outer join"] = median(lambda: _by_hand(window, warehouse))
        stage()
        figures["preparation, nothing staged"] = median(prepared)
    return figures


def _rows(source: Source, changed: datetime | None) -> exp.Select:
    """Return a query on the baseline's rows: as they are, or with another name and cursor."""
    values: dict[str, exp.Expr] = {name: exp.column(name) for name in source.column_names}
    if changed:
        values[source.cursor] = exp.cast(exp.Literal.string(str(changed)), "timestamp")
        values["name"] = exp.DPipe(this=exp.column("name"), expression=exp.Literal.string("'"))
    return exp.select(*values.values()).from_(table_named(source.relation))


def _place(source: Source, parts: int) -> exp.Mod:
    (key,) = source.key
    return exp.Mod(this=exp.Paren(this=exp.column(key) * SPREAD), expression=exp.convert(parts))


def _by_hand(source: Source, warehouse: Warehouse) -> None:
    """Compare staging with the baseline as a person would: one FULL JOIN, NULL taken for NULL."""
    (key,) = source.key
    staged, baseline = (exp.alias_(table_named(name), alias, table=True) for name, alias in _sides(source))
    same = exp.column(key, table="s").eq(exp.column(key, table="b"))
    differs = exp.or_(
        exp.column(key, table="s").is_(exp.null()),
        exp.column(key, table="b").is_(exp.null()),
        *(_differs(name) for name in source.column_names if name != key),
    )
    columns = [exp.alias_(exp.column(name, table="s"), name) for name in source.column_names]
    deleted = exp.alias_(exp.column(key, table="b"), "old_key")
    query = exp.select(*columns, deleted).from_(staged).join(baseline, on=same, join_type="full").where(differs)
    warehouse.execute(temp_table("by_hand", query))


def _sides(source: Source) -> tuple[tuple[str, str], tuple[str, str]]:
    return (source.staging, "s"), (source.relation, "b")


def _differs(name: str) -> exp.Expr:
    old, new = exp.column(name, table="b"), exp.column(name, table="s")
    both_null = exp.and_(old.copy().is_(exp.null()), new.copy().is_(exp.null()))
    same = exp.or_(exp.paren(old.copy().eq(new.copy())), exp.paren(both_null))
    return exp.case().when(same, exp.convert(0)).else_(exp.convert(1)).eq(1)


if __name__ == "__main__":
    main()

"""`python -m benchmarks`: one cycle of 20 changed rows beside the full refresh, and the DAG beside an empty one.

Figures are medians of all rounds but a first one that warms up, in seconds. Each size has a warehouse of its own, which
is removed at the end.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redshift_connector
from rich.console import Console
from rich.table import Table

from demo.feed import feed
from demo.load import load
from local_redshift import LocalRedshift
from local_stack import demonstration
from local_stack.airflow_api import time_of
from local_stack.settings import ROOT
from local_stack.stack import LocalStack
from surgical_cdc.contract.project import load_project
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.refresh import refresh
from surgical_cdc.steps.verify import verify
from surgical_cdc.values import Run, new_token
from surgical_cdc.warehouse.connection import session
from surgical_cdc.warehouse.session import Warehouse

SIZES = (2_000, 100_000, 1_000_000)
ROUNDS = 5
CHANGED_ROWS = 20
# Edits, new vendors, qualification both ways and re-pointed keys: a window in which no dimension is renamed, which
# would rightly touch every vendor that shows it.
KINDS = (
    "edit_company",
    "edit_mapping",
    "edit_contact",
    "new_vendor",
    "qualify_company",
    "unqualify_mapping",
    "repoint_inviter",
    "unread",
)
RUN_SECONDS = 600
Say = Callable[[str], None]


def main() -> None:
    """Run the measurements and print them, as tables and with --json as one line."""
    options = _parser().parse_args()
    console = Console(highlight=False)
    started = time.monotonic()

    def say(line: str) -> None:
        console.print(f"{time.monotonic() - started:7.0f} s  {line}", markup=False)

    figures: dict[str, object] = {"machine": f"{platform.machine()}, {os.cpu_count()} cores", "rounds": options.rounds}
    with tempfile.TemporaryDirectory(prefix="benchmarks_") as folder:
        if options.dag:
            dags = measure_dags(Path(folder) / "stack", options.rounds, say)
            figures["dag"] = dags
            console.print(_dag_table(dags))
        rounds = {"rounds": options.rounds, "refresh_rounds": options.refresh_rounds or options.rounds}
        engine = [measure_engine(Path(folder) / str(size), size, **rounds, say=say) for size in options.companies]
        figures["engine"] = engine
        console.print(_engine_table(engine))
    if options.json:
        print(json.dumps(figures))


def measure_engine(data: Path, companies: int, *, rounds: int, refresh_rounds: int, say: Say) -> dict[str, float]:
    """Measure cycles and full refreshes of all facts on one warehouse, and check the facts between the two."""
    project = load_project()
    data.mkdir(parents=True)
    with LocalRedshift(data=data / "redshift", port=0) as redshift:

        def connect() -> Warehouse:
            return session(redshift_connector.connect(**redshift.settings), "benchmark")

        say(f"{companies:,} companies: loading")
        load(connect, companies=companies, progress=lambda _: None)
        end = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        say(f"{companies:,} companies: first run, which builds the facts")
        run_cycle(project, connect, Run(run_id="first", dag_id="benchmark", token=new_token(), window_end=end))
        # As Airflow's worker does before it forks a task, whose garbage collections then pass over what was imported.
        gc.collect()
        gc.freeze()
        cycles, refreshes, staged, written = [], [], [], []
        for number in range(rounds + 1):
            end += timedelta(minutes=30)
            counts = feed(connect, at=end, changes=CHANGED_ROWS, kinds=KINDS, progress=lambda _: None)
            staged.append(sum(rows for kind in counts.values() for rows in kind.values()))
            run = Run(
                run_id=f"window {number}", dag_id="benchmark", token=new_token(), window_end=end + timedelta(seconds=1)
            )
            started = time.perf_counter()
            result = run_cycle(project, connect, run)
            cycles.append(time.perf_counter() - started)
            facts = result.fact_results.values()
            written.append(sum(fact.inserted + fact.updated + fact.deleted for fact in facts))
            say(f"{companies:,} companies: cycle {number} took {cycles[-1]:.2f} s")
        with closing(connect()) as warehouse:
            equal = all(verify(project, fact, warehouse).equal for fact in project.facts)
        say(f"{companies:,} companies: the facts are {'equal' if equal else 'NOT EQUAL'} to their full queries")
        for number in range(refresh_rounds):
            started = time.perf_counter()
            for fact in project.facts:
                with closing(connect()) as warehouse:
                    refresh(project, fact, warehouse)
            refreshes.append(time.perf_counter() - started)
            say(f"{companies:,} companies: full refresh {number + 1} took {refreshes[-1]:.2f} s")
    return {
        "companies": companies,
        "changed_rows": statistics.median(staged),
        "fact_rows_written": statistics.median(written),
        # The first cycle after the bulk load warms the server up, as the first run of a DAG does its workers.
        "cycle": statistics.median(cycles[1:]),
        "refresh": statistics.median(refreshes),
        "equal": equal,
    }


def measure_dags(data: Path, rounds: int, say: Say) -> dict[str, float]:
    """Measure the wall time of a run of vendor_cdc and of the empty DAG of its shape, in turn, under one stack."""
    bundles = {"demo": ROOT / "demo" / "dags", "benchmarks": ROOT / "benchmarks" / "dags"}
    seconds: dict[str, list[float]] = {"vendor_cdc": [], "empty_cycle": []}
    with LocalStack(data, bundles=bundles, say=say) as stack:
        demonstration.start(stack, companies=SIZES[0], dag_ids=tuple(seconds))
        for dag_id in seconds:
            stack.airflow.set_paused(dag_id, paused=False)
        demonstration.one_window(stack)
        for number in range(rounds + 1):
            feed(stack.connect, seed=number, changes=CHANGED_ROWS, kinds=KINDS, progress=lambda _: None)
            for dag_id, times in seconds.items():
                run_id = stack.airflow.trigger(dag_id)
                run = stack.airflow.wait(dag_id, run_id, seconds=RUN_SECONDS, check=stack.check)
                if run["state"] != "success":
                    raise SystemExit(f"{dag_id} {run_id} ended as {run['state']}; its logs were in {stack.logs}")
                times.append((time_of(run["end_date"]) - time_of(run["start_date"])).total_seconds())
                say(f"{dag_id} run {number} took {times[-1]:.2f} s")
    # The first run of each warms the workers up.
    return {dag_id: statistics.median(times[1:]) for dag_id, times in seconds.items()}


def _engine_table(engine: Sequence[dict[str, float]]) -> Table:
    table = Table("companies", "changed rows", "fact rows written", "cycle", "full refresh", "times", "equal", "growth")
    for row in engine:
        table.add_row(
            f"{row['companies']:,.0f}",
            f"{row['changed_rows']:.0f}",
            f"{row['fact_rows_written']:.0f}",
            f"{row['cycle']:.2f} s",
            f"{row['refresh']:.2f} s",
            f"{row['refresh'] / row['cycle']:.0f}",
            "yes" if row["equal"] else "NO",
            f"{row['cycle'] / engine[0]['cycle']:.2f}",
        )
    return table


def _dag_table(dags: dict[str, float]) -> Table:
    table = Table("DAG", "run", "times")
    for dag_id, seconds in dags.items():
        table.add_row(dag_id, f"{seconds:.2f} s", f"{seconds / dags['empty_cycle']:.2f}")
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--companies", type=int, nargs="+", default=SIZES, help="sizes (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each measurement (default: %(default)s)")
    parser.add_argument("--refresh-rounds", type=int, help="of the full refresh, which takes minutes at a million")
    parser.add_argument("--no-dag", dest="dag", action="store_false", help="leave the DAG runs out")
    parser.add_argument("--json", action="store_true", help="print the figures as one line of JSON as well")
    return parser


if __name__ == "__main__":
    main()

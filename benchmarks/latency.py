"""`python -m benchmarks.latency`: what a cycle takes where each statement, COMMIT and connection waits as on a cluster.

The stand-in delays them, whatever they do, so that what a cycle asks for in a row shows as time. The vendors' sources
have nothing new, then 20 changed rows; all sources and then all facts run side by side, as in the DAG. Each is measured
without and with the delays, in a server of its own. Figures are medians of all rounds, in seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redshift_connector
from rich.console import Console
from rich.table import Table

from benchmarks.__main__ import CHANGED_ROWS, KINDS
from demo.feed import feed
from demo.load import load
from local_redshift import Latency, LocalRedshift
from surgical_cdc.contract.project import load_project
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.values import Run, new_token
from surgical_cdc.warehouse.connection import session
from surgical_cdc.warehouse.session import Warehouse

# The seconds that the delays stand for are a user's to choose: a statement's planning and way, a commit's queue.
GIVEN = Latency(statement=0.1, commit=0.4, connection=0.3)
COMPANIES = 2_000
ROUNDS = 3


def main() -> None:
    """Run the measurements and print them, as a table and with --json as one line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    for name, seconds in asdict(GIVEN).items():
        parser.add_argument(f"--{name}", type=float, default=seconds, help="seconds of each (default: %(default)s)")
    parser.add_argument("--companies", type=int, default=COMPANIES, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of each measurement (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the figures as one line of JSON as well")
    options = parser.parse_args()
    given = Latency(options.statement, options.commit, options.connection)
    figures = {
        name: measure(options.companies, options.rounds, wait) for name, wait in (("none", None), ("given", given))
    }
    table = Table("", "statements", "without delays", "with them")
    for case, (statements, seconds) in figures["given"].items():
        table.add_row(case, str(statements), f"{figures['none'][case][1]:.2f}", f"{seconds:.2f}")
    Console(highlight=False).print(table)
    if options.json:
        print(json.dumps({"latency": asdict(given), "companies": options.companies, "figures": figures}))


def measure(companies: int, rounds: int, latency: Latency | None) -> dict[str, tuple[int, float]]:
    """Return the number of statements and the seconds of each case, by its name."""
    project = load_project()
    with (
        tempfile.TemporaryDirectory(prefix="benchmarks_") as folder,
        # It is started again with the delays: without them the demo data is loaded fast.
        LocalRedshift(data=Path(folder) / "redshift", port=0) as filling,
    ):
        load(lambda: _open(filling), companies=companies, progress=lambda _: None)
        run_cycle(project, lambda: _open(filling), _run("first"))
        filling.stop()
        with LocalRedshift(data=Path(folder) / "redshift", port=0, latency=latency) as redshift:
            opened: list[Warehouse] = []

            def connect() -> Warehouse:
                opened.append(_open(redshift))
                return opened[-1]

            def cycle(name: str) -> tuple[int, float]:
                opened.clear()
                result = run_cycle(project, connect, _run(name), threads=len(project.sources))
                return sum(len(warehouse.statements) for warehouse in opened), result.seconds

            quiet = [cycle(f"quiet {number}") for number in range(rounds)]
            changed = []
            for number in range(rounds):
                feed(lambda: _open(redshift), changes=CHANGED_ROWS, kinds=KINDS, progress=lambda _: None)
                changed.append(cycle(f"changed {number}"))
    return {"nothing new": _median(quiet), f"{CHANGED_ROWS} changed rows": _median(changed)}


def _open(redshift: LocalRedshift) -> Warehouse:
    return session(redshift_connector.connect(**redshift.settings), "benchmark")


def _run(name: str) -> Run:
    end = datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=1)
    return Run(dag_id="benchmark", run_id=name, token=new_token(), window_end=end)


def _median(rounds: list[tuple[int, float]]) -> tuple[int, float]:
    return max(statements for statements, _ in rounds), statistics.median(seconds for _, seconds in rounds)


if __name__ == "__main__":
    main()

"""`python -m local_stack run` and `python -m local_stack demo`: what `make run` and `make demo` start."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.panel import Panel
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from local_stack import demonstration
from local_stack.errors import StackError
from local_stack.settings import ROOT
from local_stack.stack import LocalStack
from surgical_cdc.errors import SurgicalCdcError
from surgical_cdc.steps.summary import told

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CHECK_SECONDS = 1.0
ACTIVE_DAGS = ("vendor_cdc", "demo_feed")
DEMO_DAGS = {"demo": ROOT / "demo" / "dags"}


def main() -> int:
    """Run the command and return the exit status."""
    options = _parser().parse_args()
    for number in STOP_SIGNALS:
        signal.signal(number, _interrupt)
    # In a log there is room for whole names.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    try:
        return int(options.command(options, console))
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 0 if options.command is run else 130
    except (StackError, SurgicalCdcError) as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        return 1


def run(options: argparse.Namespace, console: Console) -> int:
    """Start everything, say where it is, and keep it running until it is interrupted."""
    with _progress(console) as say:
        stack = LocalStack(
            options.data / "run", port=options.port, redshift_port=options.redshift_port, bundles=DEMO_DAGS, say=say
        )
        with _stopping(stack):
            demonstration.start(stack, companies=options.companies, dag_ids=ACTIVE_DAGS)
            for dag_id in ACTIVE_DAGS:
                stack.airflow.set_paused(dag_id, paused=False)
            console.print(Panel.fit(_welcome(stack), title="Surgical CDC is running"))
            say("Running; Ctrl-C stops everything")
            while True:
                time.sleep(CHECK_SECONDS)
                stack.check()


def demo(options: argparse.Namespace, console: Console) -> int:
    """Bring one window of changes through Airflow and report it; 0 only if the facts equal their full queries."""
    with _progress(console) as say:
        stack = LocalStack(options.data / "demo", record=options.record, bundles=DEMO_DAGS, say=say)
        with _stopping(stack):
            demonstration.start(stack, companies=options.companies, dag_ids=("vendor_cdc",))
            report = demonstration.one_window(stack)
            tell(report, console)
            if options.keep:
                console.print(f"Its page: {stack.url}{report.page}, user {stack.user}, password {stack.password}")
                say("Airflow goes on; Ctrl-C stops everything")
                while True:
                    time.sleep(CHECK_SECONDS)
                    stack.check()
    console.print("To see its page in Airflow: make demo ARGS=--keep, which goes on until Ctrl-C.")
    return 0 if report.is_good else 1


def tell(report: demonstration.Report, console: Console) -> None:
    """Print what a run did: tables, what it says of itself, and whether the facts are right."""
    for table in report.tables():
        console.print(table)
    if report.summary:
        console.print(told(report.summary), markup=False, soft_wrap=True)
    console.print(report.verdict, style="green" if report.is_good else "red", markup=False, soft_wrap=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_stack", description=__doc__)
    commands = parser.add_subparsers(required=True)
    running = commands.add_parser("run", help="start the stand-in for Redshift and Airflow with its UI")
    running.add_argument("--port", type=int, default=8080, help="port of Airflow's UI (default: %(default)s)")
    running.add_argument("--redshift-port", type=int, default=5439, help="port of the stand-in (default: %(default)s)")
    running.set_defaults(command=run)
    demonstrating = commands.add_parser("demo", help="one window of changes through Airflow, without a UI")
    demonstrating.add_argument(
        "--record", type=Path, metavar="FILE", help="file to append each distinct statement to that Redshift is sent"
    )
    demonstrating.add_argument("--keep", action="store_true", help="keep Airflow running after it, until Ctrl-C")
    demonstrating.set_defaults(command=demo)
    for command in (running, demonstrating):
        command.add_argument(
            "--companies", type=int, default=2000, help="size of the warehouse when first loaded (default: %(default)s)"
        )
        command.add_argument(
            "--data", type=Path, default=ROOT / ".local", help="folder of all state (default: .local of the project)"
        )
    return parser


def _welcome(stack: LocalStack) -> str:
    return "\n".join(
        [
            f"Airflow    {stack.url}",
            f"User       {stack.user}",
            f"Password   {stack.password}",
            f"Warehouse  localhost:{stack.redshift_port}, database {stack.database}, user {stack.database_user}",
            f"           password in {stack.database_password_file}",
            f"Logs       {stack.logs}",
            f"Active     {', '.join(ACTIVE_DAGS)}",
        ]
    )


@contextmanager
def _progress(console: Console) -> Iterator[demonstration.Say]:
    """Give a function that prints a line with the time since the start, and keeps the last one ticking below."""
    started = time.monotonic()
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    task = bar.add_task("")

    def say(line: str) -> None:
        console.print(f"[{time.monotonic() - started:6.1f} s] {line}", markup=False, soft_wrap=True)
        bar.reset(task, description=line)

    with bar:
        yield say


@contextmanager
def _stopping(stack: LocalStack) -> Iterator[None]:
    """Stop the stack at the end, and let no second Ctrl-C interrupt that."""
    with stack:
        try:
            yield
        finally:
            for number in STOP_SIGNALS:
                signal.signal(number, signal.SIG_IGN)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())

"""`python -m demo`: loads the demo warehouse, or feeds a window of changes into its staging."""

from __future__ import annotations

import argparse
import functools
import sys
from datetime import datetime

from demo.feed import CHANGES, KINDS, feed
from demo.load import COMPANIES, SEED, load
from surgical_cdc.errors import SurgicalCdcError


def main() -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    loading = commands.add_parser("load", help="create the sources' tables and fill the baseline")
    loading.add_argument("--companies", type=int, default=COMPANIES, help="how many (default %(default)s)")
    loading.add_argument("--seed", type=int, default=SEED, help="what the data are a function of (default %(default)s)")
    loading.set_defaults(command=_load)
    feeding = commands.add_parser("feed", help="write a window of changes into staging")
    feeding.add_argument("--changes", type=int, default=CHANGES, help="rows to stage (default %(default)s)")
    feeding.add_argument("--at", type=datetime.fromisoformat, help="the window's end, UTC (default: now)")
    feeding.add_argument(
        "--kinds", nargs="+", metavar="KIND", help=f"in turn, in place of a mixture: {', '.join(KINDS)}"
    )
    feeding.add_argument(
        "--seed", type=int, default=SEED, help="with --at it decides what changes (default %(default)s)"
    )
    feeding.set_defaults(command=_feed)
    for command in (loading, feeding):
        command.add_argument("--conn-id", default="redshift_default", help="Airflow connection (default %(default)s)")
    options = parser.parse_args()
    try:
        options.command(options)
    except SurgicalCdcError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _load(options: argparse.Namespace) -> None:
    from surgical_cdc.warehouse.connection import connect

    load(functools.partial(connect, options.conn_id, label="demo/load"), companies=options.companies, seed=options.seed)


def _feed(options: argparse.Namespace) -> None:
    from surgical_cdc.warehouse.connection import connect

    feed(
        functools.partial(connect, options.conn_id, label="demo/feed"),
        seed=options.seed,
        at=options.at,
        changes=options.changes,
        kinds=options.kinds,
    )


if __name__ == "__main__":
    sys.exit(main())

"""Write the files that a managed Airflow takes: `python -m deploy mwaa --project include/sql --dag-id vendor_cdc`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deploy.mwaa import bundle
from surgical_cdc.contract.project import DEFAULT_PROJECT
from surgical_cdc.errors import SurgicalCdcError


def main() -> int:
    """Write the bundle and say what to do with it; 1 where the project is not compiled."""
    parser = argparse.ArgumentParser(prog="python -m deploy", description=__doc__)
    kinds = parser.add_subparsers(required=True)
    mwaa = kinds.add_parser("mwaa", help="for Amazon Managed Workflows for Apache Airflow")
    mwaa.add_argument("--project", type=Path, default=DEFAULT_PROJECT, help="folder of the dbt project")
    mwaa.add_argument("--dag-id", default="vendor_cdc", help="name of the DAG (default: %(default)s)")
    mwaa.add_argument("--out", type=Path, default=Path("dist/mwaa"), help="folder to write (default: %(default)s)")
    options = parser.parse_args()
    try:
        written = bundle(options.project, dag_id=options.dag_id, out=options.out)
    except SurgicalCdcError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Written to {options.out}; docs/how-to/deploy.md says where each goes:")
    for file in written:
        print(f"  {file.relative_to(options.out)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

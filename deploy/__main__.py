"""Write the files that a managed Airflow takes: `python -m deploy mwaa --project include/sql --dag-id vendor_cdc`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deploy import astronomer, mwaa
from surgical_cdc.contract.project import DEFAULT_PROJECT
from surgical_cdc.errors import SurgicalCdcError

KINDS = {
    "mwaa": (mwaa.bundle, "for Amazon Managed Workflows for Apache Airflow"),
    "astronomer": (astronomer.bundle, "for Astronomer: a project of the Astro CLI"),
}


def main() -> int:
    """Write the bundle and say what to do with it; 1 where the project is not compiled."""
    parser = argparse.ArgumentParser(prog="python -m deploy", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    for name, (_, purpose) in KINDS.items():
        kind = kinds.add_parser(name, help=purpose)
        kind.add_argument("--project", type=Path, default=DEFAULT_PROJECT, help="folder of the dbt project")
        kind.add_argument("--dag-id", default="vendor_cdc", help="name of the cycle's DAG (default: %(default)s)")
        out = Path("dist") / name
        kind.add_argument("--out", type=Path, default=out, help="folder to write (default: %(default)s)")
    options = parser.parse_args()
    bundle, _ = KINDS[options.kind]
    try:
        files = bundle(options.project, dag_id=options.dag_id, out=options.out)
    except SurgicalCdcError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Written to {options.out}; docs/how-to/deploy.md says where each goes:")
    for file in files:
        print(f"  {file.relative_to(options.out)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Takes back what a run did to the sources of the vendor domain, and brings the facts up to date with that.

Name the run in the trigger form as the ledger (`cdc.runs`) calls it, such as
`vendor_cdc/scheduled__2026-03-01T12:30:00+00:00`.

- Sources go back to what they were before that run; what it had applied stays staged, and is not applied again until
  something newer is staged.
- Rows that have changed again since are named, and nothing is written, unless the undo may be *partial*.
- An undo is a run as any other: it is in the ledger and in the history, and it can be undone.

The tasks are those of `vendor_cdc`.
"""

from __future__ import annotations

from pathlib import Path

from surgical_cdc.dag import undo_dag

PROJECT = Path(__file__).resolve().parents[1] / "include" / "sql"

# Airflow reads this as a DAG file because it speaks of a dag and of airflow.
dag = undo_dag("vendor_cdc_undo", project=PROJECT, doc_md=__doc__, tags=["cdc"])

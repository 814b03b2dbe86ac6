"""Verifies the facts of the vendor domain at night: compares each with its SELECT run in full.

| task | what it does |
|---|---|
| `verify.<fact>` | compares the fact with its SELECT on `public`; **fails if they differ** |

A failure says how many rows differ, and names some with their columns. Triggered by hand it can verify some facts
alone. It writes nothing but a line for each fact in the ledger. While a run of `vendor_cdc` works, the tasks retry.
Mend a fact with `vendor_cdc_refresh`.
"""

from __future__ import annotations

from pathlib import Path

from surgical_cdc.dag import verify_dag

PROJECT = Path(__file__).resolve().parents[1] / "include" / "sql"

# Airflow reads this as a DAG file because it speaks of a dag and of airflow.
dag = verify_dag("vendor_cdc_verify", project=PROJECT, doc_md=__doc__, tags=["cdc"])

"""Builds facts of the vendor domain anew, and verifies them; runs only when it is triggered.

| task | what it does |
|---|---|
| `refresh.<fact>` | replaces all rows of the fact by its SELECT on `public`, in one transaction |
| `verify.<fact>` | compares the fact with its SELECT run in full; **fails if they differ**, with the numbers of rows |

Choose the facts in the trigger form; none means all.

Refresh a fact after its model or its columns have changed, or when a verification has failed. A refresh and a run of
`vendor_cdc` wait for each other: the tasks retry while a run is working.
"""

from __future__ import annotations

from pathlib import Path

from surgical_cdc.dag import refresh_dag

PROJECT = Path(__file__).resolve().parents[1] / "include" / "sql"

# Airflow reads this as a DAG file because it speaks of a dag and of airflow.
dag = refresh_dag("vendor_cdc_refresh", project=PROJECT, doc_md=__doc__, tags=["cdc"])

"""Keeps six facts equal to their queries, every half hour.

Compares `staging` with `public` for each source, and brings exactly the rows and columns of the facts up to date that
the changes affect.

| task | what it does |
|---|---|
| `prepare` | checks all tables against the contract and takes the lease; waits while another run has it |
| `detect.<source>` | compares staged rows with the baseline; hands on a change set (XCom), never rows |
| `update.<fact>` | recomputes a fact's affected rows, one transaction each; **skipped if there is nothing to do** |
| `sync_public` | moves all baselines to what was staged and writes the ledger (`cdc.runs`), one transaction |
| `cleanup` | drops the scratch tables, or keeps those of a failed run; frees the lease |

A run takes all that is staged before its window ends and not yet applied, so one run makes up for any that were missed,
and a backfill over what is applied changes nothing. A fact without a table, or with another SELECT than it was built
by, is built in full.

**When it fails:** read the alert or the task's log, mend the cause, and clear the failed tasks with what is downstream
of them. Or leave it: the next run applies what is still staged. If a task says that its change sets are no longer
valid, clear the run from `prepare` on.

**To see the SQL** of a task: its *Rendered Templates* tab; the log has a line for each statement, with its time.

**To try a window without writing:** trigger with *Dry run*; each task's XCom says what would change.
"""

from __future__ import annotations

from pathlib import Path

from surgical_cdc.dag import cdc_dag

PROJECT = Path(__file__).resolve().parents[1] / "include" / "sql"

# Airflow reads this as a DAG file because it speaks of a dag and of airflow.
dag = cdc_dag("vendor_cdc", project=PROJECT, doc_md=__doc__, tags=["cdc"])

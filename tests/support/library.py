"""The lending library with what its seeds stage, and its DAG in one process."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Site

# Airflow's own way to run a DAG in one process; its metadata is an empty SQLite database.
RUN_DAG = """
from airflow.utils.db import initdb
initdb()
from library_cdc import dag
raise SystemExit(dag.test().state != "success")
"""

# Reads a folder of DAGs as Airflow does, and prints the ids; one that can not be imported is an error.
LIST_DAGS = """
import sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
assert bag.import_errors == {}, bag.import_errors
print(*sorted(bag.dags))
"""
# What a bundle of the library has.
DAG_IDS = ["library_cdc", "library_cdc_refresh", "library_cdc_undo", "library_cdc_verify"]


def seeded(place: Site) -> Site:
    """Stage the rows of the library's seeds in its warehouse, which is returned."""
    for source in place.project.sources.values():
        seed = place.project.path / "seeds" / f"{source.staging.rpartition('.')[2]}.csv"
        with seed.open() as file:
            rows = [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]
        place.stage(source.name, *rows)
    return place

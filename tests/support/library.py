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


def seeded(place: Site) -> Site:
    """Stage the rows of the library's seeds in its warehouse, which is returned."""
    for source in place.project.sources.values():
        seed = place.project.path / "seeds" / f"{source.staging.rpartition('.')[2]}.csv"
        with seed.open() as file:
            rows = [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]
        place.stage(source.name, *rows)
    return place

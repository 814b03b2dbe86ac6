"""The library project, which uses many of dbt's words, as dbt itself builds it from its seeds."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlglot import exp

from local_redshift import LocalRedshift
from surgical_cdc.compiler.compilation import compile_project
from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.contract.project import load_project
from surgical_cdc.warehouse.session import Warehouse
from tests.conftest import LIBRARY, ROOT

PYTHON = ROOT / ".venv-dbt" / "bin" / "python"
# In one process: dbt takes seconds to import. Sources do not wait for seeds in dbt, so the seeds come first.
SEED_AND_BUILD = """
import sys
from dbt.cli.main import dbtRunner
for command in (["seed"], ["build", "--exclude-resource-type", "seed"]):
    done = dbtRunner().invoke(["--quiet", *command, "--project-dir", sys.argv[1], "--profiles-dir", sys.argv[1]])
    if not done.success:
        sys.exit(f"dbt {command[0]} failed: {done.exception}")
"""


def test_dbt_builds_the_facts_that_the_engine_reads_in_the_models(
    redshift: LocalRedshift, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another target and variables than the defaults, dbt's tables are the relations and rows of the engine's."""
    folder = tmp_path / "sql"
    shutil.copytree(LIBRARY, folder)
    monkeypatch.setenv("LIBRARY_TARGET", "prod")
    monkeypatch.setenv("DBT_LIBRARY_CURRENCY", "INR")
    command = [str(PYTHON), "-c", SEED_AND_BUILD, str(folder)]
    environment = os.environ | {"REDSHIFT_HOST": redshift.host, "REDSHIFT_PORT": str(redshift.port)}
    environment["DBT_ENV_SECRET_REDSHIFT_PASSWORD"] = redshift.password
    built = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    compile_project(folder, progress=lambda _: None).write()
    project = load_project(folder)
    assert [fact.relation.partition(".")[0] for fact in project.facts.values()] == ["library_facts"] * 3
    with warehouse.transaction():
        for name, fact in project.facts.items():
            table = exp.select(*fact.column_names).from_(fact.relation)
            query = compile_fact(project, name).query
            assert warehouse.rows(exp.except_(query, table)) == [], name
            assert warehouse.rows(exp.except_(table, query)) == [], name
            assert len(warehouse.rows(table)) == len(warehouse.rows(query)) > 0, name
        assert warehouse.rows("SELECT DISTINCT currency FROM library_facts.fact_loan") == [("INR",)]
        assert ("Desk",) not in warehouse.rows("SELECT name FROM library_facts.fact_reader")

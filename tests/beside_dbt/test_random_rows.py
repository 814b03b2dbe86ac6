"""Rows that nobody would write by hand: whatever the baselines hold, facts can be built and have their row keys."""

from __future__ import annotations

import os
import random
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import yaml
from sqlglot import exp

from local_redshift import LocalRedshift
from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.contract.project import DEFAULT_PROJECT, Project
from surgical_cdc.contract.tables import Column
from surgical_cdc.warehouse.session import Warehouse

Row = dict[str, Any]
Load = Callable[[Mapping[str, Sequence[Row]]], None]
Fact = Callable[[str], list[Row]]

CLIENT = yaml.safe_load((DEFAULT_PROJECT / "dbt_project.yml").read_text())["vars"]["client_company_id"]
DBT = DEFAULT_PROJECT.parents[1] / ".venv-dbt" / "bin" / "dbt"
ROWS = 40
TEXTS = (
    "",
    " ",
    "a",
    "a ",
    "A,b",
    "100%",
    "it's",
    "Company",
    "{1,2,3}",
    "[12, 3]",
    "{1,}",
    "{",
    '{"score": {"value": "12.5"}}',
    '{"score": {"value": 1e400}}',
    '{"archived_at": 12, "status": "Verified", "credit": {"limit": 99999999999999.9999}}',
    '{"score": [1]',
)


def value(column: Column, numbers: random.Random) -> Any:
    """Return a random value for a column: ids that often meet, codes that often qualify, texts that often hurt."""
    if column.name in {"status", "category", "source"} and numbers.random() < 0.7:
        return 1
    if numbers.random() < 0.15:
        return None
    if column.name == "client_company_id":
        return numbers.choice((CLIENT, CLIENT, 1))
    if column.name == "taggable_type":
        return "Company"
    kind = column.data_type.partition("(")[0]
    match kind:
        case "bigint" | "integer" | "smallint":
            return numbers.choice((1, 1, 1, 2, 3, 4, 5, 7, 12, 0, -1, numbers.randrange(ROWS)))
        case "numeric" | "double precision":
            return Decimal(numbers.randrange(-9999, 9999)) / 100
        case "boolean":
            return numbers.random() < 0.5
        case "timestamp" | "date":
            moment = datetime(2024, 1, 1) + timedelta(hours=numbers.randrange(100))  # noqa: DTZ001 - no zone in Redshift
            return moment.date() if kind == "date" else moment
        case "varchar":
            width = int(column.data_type[len("varchar(") : -1])
            return numbers.choice((*TEXTS, "x" * width))[:width]
    message = f"no random value for {column.data_type}"
    raise AssertionError(message)


def random_rows(project: Project, seed: int) -> dict[str, list[Row]]:
    """Return rows for every source; ids are dense, so that references meet."""
    numbers = random.Random(seed)
    return {
        source.name: [
            {c.name: row_id if c.name in source.key else value(c, numbers) for c in source.columns}
            for row_id in range(ROWS)
        ]
        for source in project.sources.values()
    }


@pytest.mark.parametrize("seed", range(6))
def test_row_keys_hold_for_any_rows(load: Load, fact: Fact, project: Project, seed: int) -> None:
    """Row keys are never NULL or repeated, and facts about companies, mappings and cities have a row for each."""
    load(random_rows(project, seed))
    rows = {name: fact(name) for name in project.facts}
    for name, found in rows.items():
        keys = Counter(tuple(row[key] for key in project.facts[name].unique_key) for row in found)
        assert None not in keys, name
        assert max(keys.values()) == 1, name
    assert {name: len(found) for name, found in rows.items() if name != "fact_vendor"} == {
        "fact_company_profile": ROWS,
        "fact_financial": ROWS,
        "fact_geography": ROWS,
        "fact_onboarding": ROWS,
        "fact_relationship": ROWS,
    }


@pytest.mark.parametrize("seed", [1])
def test_dbt_builds_the_same_facts(
    load: Load, project: Project, redshift: LocalRedshift, warehouse: Warehouse, seed: int
) -> None:
    """Dbt builds every fact, its tests pass, and its rows are those of the engine's query."""
    load(random_rows(project, seed))
    folder = str(DEFAULT_PROJECT)
    command = [str(DBT), "--quiet", "build", "--project-dir", folder, "--profiles-dir", folder]
    environment = os.environ | {"REDSHIFT_HOST": redshift.host, "REDSHIFT_PORT": str(redshift.port)}
    environment["DBT_ENV_SECRET_REDSHIFT_PASSWORD"] = redshift.password
    built = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    with warehouse.transaction():
        for name, fact in project.facts.items():
            columns = [exp.column(column) for column in fact.column_names]
            table = exp.select(*columns).from_(fact.relation)
            query = compile_fact(project, name).query
            assert warehouse.rows(exp.except_(query, table)) == [], name
            assert warehouse.rows(exp.except_(table, query)) == [], name
            assert len(warehouse.rows(table)) == len(warehouse.rows(query)) > 0, name

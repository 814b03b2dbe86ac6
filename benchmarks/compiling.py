"""Measures how long compiling takes as a dbt project grows: `python -m benchmarks.compiling`.

Each generated fact joins five sources by way of three models, groups one of them and ranks another; the sources have 30
columns. Measured are compiling from dbt's artifacts, which a person waits for, loading what was compiled, which each
task does, and parsing the DAG, which Airflow does again and again.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from surgical_cdc.compiler.compilation import compile_project
from surgical_cdc.contract.project import load_project
from surgical_cdc.dag import cdc_dag

SIZES = ((24, 12), (100, 50), (300, 200))
COLUMNS = 30
SETTINGS = "name: grown\nprofile: grown\n"
MANIFEST = "https://schemas.getdbt.com/dbt/manifest/v12.json"
FACT = """\
SELECT o.id, o.c1, o.c2, a.total, r.c3 AS newest, s.c4, t.c5
FROM "dev"."live"."s{0}" AS o
LEFT JOIN "dev"."work"."totals_{fact}" AS a ON a.key_1 = o.id
LEFT JOIN "dev"."work"."ranked_{fact}" AS r ON r.key_1 = o.id AND r.place = 1
LEFT JOIN "dev"."work"."named_{fact}" AS s ON s.id = o.key_1
LEFT JOIN "dev"."live"."s{4}" AS t ON t.id = s.key_1
"""
MODELS = {
    "totals": 'SELECT key_1, SUM(c1) AS total FROM "dev"."live"."s{1}" GROUP BY key_1',
    "ranked": 'SELECT key_1, c3, ROW_NUMBER() OVER (PARTITION BY key_1 ORDER BY c2 DESC, id) AS place'
    ' FROM "dev"."live"."s{2}"',
    "named": 'SELECT id, key_1, c4 FROM "dev"."live"."s{3}" WHERE c1 > 0',
}  # fmt: skip


def main() -> None:
    """Print a table of the times for each size."""
    console = Console()
    table = Table("sources", "facts", "compile s", "per fact ms", "load ms", "parse DAG ms", title="Compiling")
    for sources, facts in SIZES:
        console.print(f"{sources} sources, {facts} facts ...")
        table.add_row(str(sources), str(facts), *measured(sources, facts))
    console.print(table)


def measured(sources: int, facts: int) -> tuple[str, str, str, str]:
    """Return the times for one size: compiling, each fact of it, loading and parsing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "target").mkdir()
        (path / "dbt_project.yml").write_text(SETTINGS)
        (path / "target" / "manifest.json").write_text(json.dumps(manifest(sources, facts)))
        started = time.perf_counter()
        compiled = compile_project(path, progress=lambda _: None)
        compiling = time.perf_counter() - started
        if len(compiled.project.facts) != facts or compiled.dictionary.full:
            message = f"expected {facts} incremental facts: {compiled.dictionary.full} {compiled.project.left_out}"
            raise RuntimeError(message)
        compiled.write()
        started = time.perf_counter()
        load_project(path)
        loading = time.perf_counter() - started
        started = time.perf_counter()
        cdc_dag("grown", project=path)
        parsing = time.perf_counter() - started
    return f"{compiling:.1f}", f"{compiling / facts * 1000:.0f}", f"{loading * 1000:.0f}", f"{parsing * 1000:.0f}"


def manifest(sources: int, facts: int) -> dict[str, Any]:
    """Return a manifest as dbt writes it, of so many sources and facts."""
    types = {"id": "bigint", "key_1": "bigint", "updated_at": "timestamp"}
    types |= {f"c{number}": "integer" for number in range(1, COLUMNS - len(types) + 1)}
    columns = {name: {"name": name, "data_type": data_type} for name, data_type in types.items()}
    nodes = {}
    for fact in range(facts):
        read = [(fact * 7 + step) % sources for step in range(5)]
        models = {name: f"model.grown.{name}_{fact}" for name in MODELS}
        for name, sql in MODELS.items():
            nodes[models[name]] = _node(f"{name}_{fact}", sql.format(*read), "work", {"materialized": "view"})
        config = {"materialized": "table", "unique_key": "id", "meta": {"cdc": {"maintenance": "incremental"}}}
        described = {
            name: {"name": name, "data_type": "bigint"} for name in ("id", "c1", "c2", "total", "newest", "c4", "c5")
        }
        made = _node(f"fact_{fact}", FACT.format(*read, fact=fact), "facts", config)
        nodes[made["unique_id"]] = {**made, "columns": described, "depends_on": {"nodes": list(models.values())}}
    described_sources = {
        f"source.grown.live.s{number}": {
            "unique_id": f"source.grown.live.s{number}",
            "source_name": "live",
            "name": f"s{number}",
            "fqn": ["grown", "live", f"s{number}"],
            "original_file_path": "models/live.yml",
            "relation_name": f'"dev"."live"."s{number}"',
            "columns": columns,
            "config": {"meta": {"cdc": {"staging": "staging.{name}", "key": "id", "cursor": "updated_at"}}},
        }
        for number in range(sources)
    }
    metadata = {"dbt_schema_version": MANIFEST, "project_name": "grown", "adapter_type": "redshift"}
    return {"metadata": metadata, "nodes": nodes, "sources": described_sources}


def _node(name: str, sql: str, schema: str, config: dict[str, Any]) -> dict[str, Any]:
    return {
        "unique_id": f"model.grown.{name}",
        "resource_type": "model",
        "name": name,
        "alias": name,
        "package_name": "grown",
        "original_file_path": f"models/{name}.sql",
        "relation_name": f'"dev"."{schema}"."{name}"',
        "compiled_code": sql,
        "config": config,
    }


if __name__ == "__main__":
    main()

"""A project of three small sources and one fact, for a test that is about the fact's SELECT."""

from __future__ import annotations

from pathlib import Path

from surgical_cdc.project import Project, load_project

SETTINGS = "{name: small, profile: small, models: {small: {+materialized: table}}, vars: {limit: 3}}"
PROFILES = "{small: {target: t, outputs: {t: {type: redshift, schema: facts}}}}"
META = "config: {meta: {cdc: {staging: %s, key: id, cursor: updated_at}}}"
COLUMNS = {
    "orders": {"customer_id": "bigint", "kind": "smallint", "note": "varchar(20)"},
    "customers": {"name": "varchar(20)", "city_id": "bigint"},
    "cities": {"name": "varchar(20)"},
}


def one_model(folder: Path, sql: str, columns: str, *, config: str = "unique_key='id'", **models: str) -> Project:
    """Return a project with the fact `fact`, whose columns are all bigint, and further ephemeral models."""
    marts = folder / "sql" / "models"
    marts.mkdir(parents=True)
    (folder / "sql" / "dbt_project.yml").write_text(SETTINGS)
    (folder / "sql" / "profiles.yml").write_text(PROFILES)
    sources = ["sources:", "- name: live", "  schema: live", "  tables:"]
    for name, types in COLUMNS.items():
        described = {"id": "bigint", **types, "updated_at": "timestamp"}
        listed = ", ".join(f"{{name: {column}, data_type: {type_!r}}}" for column, type_ in described.items())
        meta = META % f"staging.{name}"
        sources.append(f"  - {{name: {name}, {meta}, columns: [{listed}]}}")
    (marts / "_sources.yml").write_text("\n".join(sources))
    listed = ", ".join(f"{{name: {column}, data_type: bigint}}" for column in columns.split())
    (marts / "_schema.yml").write_text(f"models: [{{name: fact, columns: [{listed}]}}]")
    (marts / "fact.sql").write_text(f"{{{{ config({config}) }}}}\n{sql}")
    for name, text in models.items():
        (marts / f"{name}.sql").write_text("{{ config(materialized='ephemeral') }}\n" + text)
    return load_project(folder / "sql")

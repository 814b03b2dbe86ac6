"""A project of four small sources and a few facts, for tests that are about the facts' SELECTs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from surgical_cdc.contract.project import Project
from tests.support.compiled import compiled

SETTINGS = "{name: small, profile: small, models: {small: {+materialized: table}}, vars: {limit: 3}}"
PROFILES = "{small: {target: t, outputs: {t: {type: redshift, schema: facts}}}}"
META = "config: {meta: {cdc: {staging: %s, key: id, cursor: updated_at, delete_when: status = -1}}}"
COLUMNS = {
    "orders": {
        "customer_id": "bigint",
        "kind": "smallint",
        "note": "varchar(20)",
        "amount": "numeric(10,2)",
        "day": "date",
        "config": "varchar(64)",
        "placed": "timestamp",
        "rate": "double precision",
        "is_paid": "boolean",
        "code": "char(4)",
    },
    "customers": {
        "name": "varchar(20)",
        "city_id": "bigint",
        "referrer_id": "bigint",
        "joined": "date",
        "score": "double precision",
        "is_active": "boolean",
        "code": "char(4)",
    },
    "cities": {
        "name": "varchar(20)",
        "parent_id": "bigint",
        "area": "numeric(10,2)",
        "founded": "timestamp",
        "share-of-all": "real",
    },
    "payments": {
        "order_id": "bigint",
        "payer_id": "bigint",
        "amount": "numeric(10,2)",
        "paid_on": "date",
        "booked": "timestamp",
        "late fee (eur)": "numeric(8,4)",
    },
}


# Of a fact that is refused unless it can be maintained incrementally.
INCREMENTAL = "unique_key='id', meta={'cdc': {'maintenance': 'incremental'}}"
# Of a fact whose SELECT is of interest, be it one that can be maintained incrementally or not.
REBUILT = "unique_key='id', meta={'cdc': {'maintenance': 'full'}}"


@dataclass(frozen=True)
class FactModel:
    """A fact of the project: `columns` are names, bigint unless a type follows after a colon; `config` is dbt's."""

    sql: str
    columns: str
    config: str = INCREMENTAL


def one_model(folder: Path, sql: str, columns: str, *, config: str = INCREMENTAL, **models: str) -> Project:
    """Return a project with the fact `fact` and further ephemeral models."""
    return small_project(folder, {"fact": FactModel(sql, columns, config)}, **models)


def small_project(
    folder: Path, facts: Mapping[str, FactModel], *, select: Sequence[str] | None = None, **models: str
) -> Project:
    """Write a project with some facts and further ephemeral models into a folder, and compile it.

    A fact that is not among the selected ones, which are all if none is given, is left out where it is refused.
    """
    marts = folder / "sql" / "models"
    marts.mkdir(parents=True)
    (folder / "sql" / "dbt_project.yml").write_text(SETTINGS)
    (folder / "sql" / "profiles.yml").write_text(PROFILES)
    sources = ["sources:", "- name: live", "  schema: live", "  tables:"]
    for name, types in COLUMNS.items():
        meta = META % f"staging.{name}"
        described = {"id": "bigint", **types, "status": "smallint", "updated_at": "timestamp"}
        sources.append(f"  - {{name: {name}, {meta}, columns: {_listed(described)}}}")
    (marts / "_sources.yml").write_text("\n".join(sources))
    schema = ["models:"]
    for name, fact in facts.items():
        types = dict(column.partition(":")[::2] for column in fact.columns.split())
        schema.append(f"- {{name: {name}, columns: {_listed(types)}}}")
        (marts / f"{name}.sql").write_text(f"{{{{ config({fact.config}) }}}}\n{_in_dbt(fact.sql)}")
    (marts / "_schema.yml").write_text("\n".join(schema))
    for name, text in models.items():
        (marts / f"{name}.sql").write_text("{{ config(materialized='ephemeral') }}\n" + _in_dbt(text))
    return compiled(folder / "sql", select=list(facts) if select is None else select)


def _in_dbt(sql: str) -> str:
    """Return a SELECT with dbt's word for other models, which stand as ref.<name>."""
    return re.sub(r"\bref\.(\w+)", r"{{ ref('\1') }}", sql)


def _listed(types: Mapping[str, str]) -> str:
    return json.dumps([{"name": name, "data_type": type_ or "bigint"} for name, type_ in types.items()])

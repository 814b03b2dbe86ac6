"""Loads the demo warehouse: a baseline that is a function of seed and size, made by the warehouse itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import sqlglot
import yaml
from sqlglot import exp

from demo.errors import DemoError
from demo.pools import Pools, make_pools
from demo.seeds import CLIENT_NUMBER, CLIENTS, STAFF, count_to, insert_pool
from demo.templates import Templates
from surgical_cdc.contract.project import load_project
from surgical_cdc.warehouse import ddl

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Source
    from surgical_cdc.warehouse.session import Warehouse

Connect = Callable[[], "Warehouse"]
Progress = Callable[[str], None]

COMPANIES = 2_000
SEED = 2026
_FEWEST_COMPANIES = 100
_CONTACTS = 3


@dataclass(frozen=True, kw_only=True)
class _Sizes:
    """What the templates must know: how many there are of each, and where ids begin."""

    companies: int
    first_company: int
    clients: int = CLIENTS
    client_number: int = CLIENT_NUMBER
    staff_per_client: int
    contacts: int = _CONTACTS
    users: int
    words: Mapping[str, int]
    cities: int
    cities_at_home: int
    categories: int
    tag_names: int
    tags: int


def load(
    connect: Connect,
    *,
    companies: int = COMPANIES,
    seed: int = SEED,
    progress: Progress = print,
) -> dict[str, int]:
    """Create the tables of the 12 sources and fill the baseline, in one transaction; staging stays empty.

    Args:
        connect: opens a session of the warehouse.
        companies: how many, from 100 up; the other tables follow in proportion, places and categories do not.
        seed: the same seed and number of companies give the same rows, in any warehouse.
        progress: is told what is being done.

    Returns:
        The number of rows per source.

    Raises:
        DemoError: there are too few companies, or the warehouse holds data already.
    """
    if companies < _FEWEST_COMPANIES:
        raise DemoError(f"{companies} companies are too few: the demo needs {_FEWEST_COMPANIES} to show every kind.")
    project = load_project()
    pools = make_pools(seed)
    templates = Templates(seed)
    sizes = _sizes(pools, companies=companies, client=client_company(project))
    with closing(connect()) as warehouse, warehouse.transaction():
        for statement in ddl.create_sources(project):
            warehouse.execute(statement)
        _require_empty(project, warehouse, templates)
        progress(f"Preparing {companies:,} companies from seed {seed}.")
        _seed(warehouse, templates, pools, sizes)
        return {
            source.name: _fill(source, warehouse, templates, sizes=sizes, progress=progress)
            for source in project.sources.values()
        }


def client_company(project: Project) -> int:
    """Return the id of the company whose vendors the facts are about: a variable of the dbt project."""
    settings = yaml.safe_load((project.path / "dbt_project.yml").read_text())
    return int(settings["vars"]["client_company_id"])


def _sizes(pools: Pools, *, companies: int, client: int) -> _Sizes:
    tag_names = pools.size("seed_tags")
    # With the companies grow the client's staff and the tags, so that one of them never concerns every vendor.
    staff_per_client = max(STAFF, companies // 1000)
    return _Sizes(
        companies=companies,
        first_company=client - CLIENT_NUMBER + 1,
        staff_per_client=staff_per_client,
        users=CLIENTS * staff_per_client + _CONTACTS * companies,
        words=pools.words,
        cities=pools.size("seed_cities"),
        cities_at_home=pools.cities_at_home,
        categories=pools.size("seed_categories"),
        tag_names=tag_names,
        tags=4 * tag_names + companies // 20,
    )


def _require_empty(project: Project, warehouse: Warehouse, templates: Templates) -> None:
    for source in project.sources.values():
        for relation in (source.relation, source.staging):
            (rows,) = warehouse.row(templates.render("count", relation=relation))
            if rows:
                raise DemoError(
                    f"{relation} holds {rows:,} rows already, and demo data belong into an empty warehouse. "
                    "Nothing was written. Take another database, or drop the tables of the sources first."
                )


def _seed(warehouse: Warehouse, templates: Templates, pools: Pools, sizes: _Sizes) -> None:
    """Put the pools, and what the tables share of companies and users, into temporary tables."""
    for pool in pools.tables:
        insert_pool(pool, warehouse, templates)
    count = max(sizes.companies, sizes.clients * sizes.staff_per_client, sizes.tags)
    count_to(count, warehouse, templates)
    for table in ("seed_companies", "seed_users"):
        warehouse.execute(templates.render(f"seed/{table.removeprefix('seed_')}", **asdict(sizes)))
        warehouse.execute(templates.render("analyze", relation=table))


def _fill(source: Source, warehouse: Warehouse, templates: Templates, *, sizes: _Sizes, progress: Progress) -> int:
    """Insert the rows of one source; a column of the contract that its SELECT does not make stays NULL."""
    started = time.perf_counter()
    query = sqlglot.parse_one(
        templates.render(f"load/{source.name}", **asdict(sizes)), dialect="redshift", into=exp.Select
    )
    unknown = set(query.named_selects) - set(source.column_names)
    if unknown:
        raise DemoError(
            f"demo/sql/load/{source.name}.sql makes columns that the contract has not: {', '.join(sorted(unknown))}. "
            f"Known: {', '.join(source.column_names)}."
        )
    rows = warehouse.execute(exp.insert(query, source.relation, columns=query.named_selects, dialect="redshift"))
    warehouse.execute(templates.render("analyze", relation=source.relation))
    progress(f"{source.relation}: {rows:,} rows in {time.perf_counter() - started:.1f} s")
    return rows

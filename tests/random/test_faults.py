"""Every fault of the list at every statement of a cycle: what the warehouse holds afterwards is as without it.

FAULTS=all tries all of them. Otherwise a few of each kind are tried, other ones each day; FAULTS=2026-03-01 tries those
of that day again.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
import redshift_connector
from psycopg2 import sql

from local_redshift.wire.faults import Fault, FaultKind
from surgical_cdc.contract.project import load_project
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.verify import verify
from surgical_cdc.warehouse.connection import session
from surgical_cdc.warehouse.retries import Backoff
from tests.conftest import SHOP, Report, Site, at, clear, schemas_of_project
from tests.support.bookshop import EDITED, ORDER, PRODUCT, open_shop

if TYPE_CHECKING:
    from local_redshift import LocalRedshift
    from surgical_cdc.steps.cycle import CycleResult
    from surgical_cdc.warehouse.session import Warehouse

FAULTS = os.environ.get("FAULTS", f"{datetime.now(UTC):%Y-%m-%d}")
# A first cycle takes twice as long, for all the tables that it makes.
OF_EACH_KIND = {"first": 1, "second": 2}
QUICK = Backoff(first_wait=0.005)
SECONDS = {FaultKind.DELAY: 0.01, FaultKind.REFUSE_CONNECTIONS: 0.03}
NEVER = Fault(FaultKind.CUT_BEFORE, 1_000_000)
# What depends on when, and for how long, a run has worked.
CLOCK = {
    *("taken_at", "expires_at", "swept_at", "started_at", "finished_at", "verified_to", "seconds"),
    *("scdc_quarantined_at", "scdc_at"),
    *(f"seconds_{step}" for step in ("detect", "update", "sync")),
}

State = dict[str, list[str]]


class Backdoor:
    """The databases beside the gateway, so that nothing that is done here counts as a statement."""

    def __init__(self, redshift: LocalRedshift, schemas: list[str]) -> None:
        """Look at these schemas."""
        self.connection = psycopg2.connect(**redshift.administrator)
        self.connection.autocommit = True
        self.schemas = schemas
        self.kept_schemas: set[str] = set()

    def tables(self, *schemas: str) -> list[tuple[str, str]]:
        """Return the tables of schemas."""
        return self.rows(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY (%s) ORDER BY 1, 2", (list(schemas),)
        )

    def state(self) -> State:
        """Return the rows of every table but for what depends on the clock, in an order of their own."""
        state: State = {}
        for schema, table in self.tables(*self.schemas):
            rows = self.rows(sql.SQL("SELECT to_jsonb(t) FROM {} AS t").format(sql.Identifier(schema, table)))
            kept = [{name: value for name, value in row.items() if name not in CLOCK} for (row,) in rows]
            state[f"{schema}.{table}"] = sorted(map(str, kept))
        return state

    def save(self) -> None:
        """Keep all tables as they are."""
        self.rows("DROP SCHEMA IF EXISTS saved CASCADE; CREATE SCHEMA saved")
        self.kept_schemas = {name for (name,) in self.rows("SELECT nspname FROM pg_namespace")}
        for schema, table in self.tables(*self.schemas):
            names = (sql.Identifier("saved", f"{schema}.{table}"), sql.Identifier(schema, table))
            self.rows(sql.SQL("CREATE TABLE {} AS TABLE {}").format(*names))

    def restore(self) -> None:
        """Bring all tables back as they were kept; those that were not there go, and their schemas."""
        kept = [tuple(table.split(".")) for _, table in self.tables("saved")]
        new_schemas = set(self.schemas) - self.kept_schemas
        statements = [sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)) for name in new_schemas]
        for schema, table in set(self.tables(*self.schemas)) - set(kept):
            statements.append(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(schema, table)))
        for schema, table in kept:
            names = (sql.Identifier(schema, table), sql.Identifier("saved", f"{schema}.{table}"))
            statements.append(sql.SQL("DELETE FROM {0}; INSERT INTO {0} TABLE {1}").format(*names))
        self.rows(sql.SQL("; ").join(statements))

    def rows(self, statement: str | sql.Composable, params: tuple[object, ...] | None = None) -> list[tuple[Any, ...]]:
        """Run statements and return the rows of the last one."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, params)
            return cursor.fetchall() if cursor.description else []


@dataclass(frozen=True)
class Undisturbed:
    """A cycle that can be run again and again from the same state, and how it goes without a fault."""

    site: Site
    redshift: LocalRedshift
    backdoor: Backdoor
    run_id: str
    end: float
    statements: int
    result: dict[str, Any]
    state: State

    def disturbed(self, fault: Fault) -> str | None:
        """Run the cycle with a fault; return what went otherwise than it does without, None if nothing did."""
        self.backdoor.restore()
        self.redshift.set_fault(fault)
        try:
            result = figures(cycle(self.site, self.run_id, self.end))
        except Exception as error:  # noqa: BLE001 - whatever it is, the fault was not borne
            return f"{type(error).__name__}: {error}"
        finally:
            struck = self.redshift.struck
            self.redshift.clear_faults()
        if struck != 1:
            return f"it struck {struck} statements"
        if result != self.result:
            return f"the cycle says {result}, not {self.result}"
        state = self.backdoor.state()
        differing = {name for name in state.keys() | self.state.keys() if state.get(name) != self.state.get(name)}
        if differing:
            return "; ".join(f"{name}: {state.get(name)}, not {self.state.get(name)}" for name in sorted(differing))
        return None


def cycle(site: Site, run_id: str, end: float) -> CycleResult:
    """Run a cycle whose window ends some minutes after noon."""
    run = site.run(at(end), run_id=run_id)
    return run_cycle(site.project, site.connect, run, progress=lambda _: None, backoff=QUICK)


def figures(result: CycleResult) -> dict[str, Any]:
    """Return what a cycle says that it did, but for its times and the names of its scratch tables."""
    assert all(done.seconds > 0 for done in result.fact_results.values() if not done.reason)
    return {
        "preparation": result.preparation.model_dump(exclude=CLOCK),
        "change_sets": {
            name: found.model_dump(exclude={"relation", *CLOCK}) for name, found in result.change_sets.items()
        },
        "fact_results": {
            name: done.model_dump(exclude={"change_sets", *CLOCK}) for name, done in result.fact_results.items()
        },
        "quarantined": dict(result.quarantined),
    }


def change_everything(site: Site) -> None:
    """Stage a window with rows that are inserted, updated, deleted, touched, stale and quarantined."""
    site.stage("customers", {"customer_id": 7, "name": "Asha R", "country": "IN", "changed_at": at(10)})
    site.stage(
        "orders",
        {**EDITED, "customer_id": 8, "status": "paid", "note": "updated", "changed_at": at(10)},
        {**EDITED, "order_id": 2, "status": "void", "changed_at": at(10)},
        {**EDITED, "order_id": 3, "customer_id": 8, "status": "paid", "changed_at": at(-70)},
        {**ORDER, "order_id": 4, "customer_id": 7, "status": "paid", "changed_at": at(10)},
        {**EDITED, "order_id": 5, "customer_id": 7, "status": "paid", "changed_at": at(10)},
        {**EDITED, "order_id": 9, "status": "void", "changed_at": at(10)},
        {**EDITED, "order_id": None, "changed_at": at(10)},
    )
    lines = [{"line_code": f"{key}-2", "order_id": key, "product_id": 2, "quantity": 9} for key in (1, 5)]
    site.stage("order_lines", *({**line, "changed_at": at(10)} for line in lines))
    site.execute("DELETE FROM shop_staging.products WHERE product_id = 2")
    site.stage("products", {**PRODUCT, "price": 31, "changed_at": at(10)}, {**PRODUCT, "product_id": 3})


@pytest.fixture(scope="module", params=["first cycle", "window"])
def undisturbed(request: pytest.FixtureRequest, redshift: LocalRedshift) -> Iterator[Undisturbed]:
    """The very first cycle of the bookshop, which makes all tables, or one over a window with every kind of change."""
    project = load_project(SHOP)

    def connect() -> Warehouse:
        return session(redshift_connector.connect(**redshift.settings), "tests")

    backdoor = Backdoor(redshift, schemas_of_project(project))
    with closing(connect()) as warehouse, closing(backdoor.connection):
        clear(project, warehouse)
        site = Site(project, connect, warehouse)
        open_shop(site)
        run_id, end = "first", 0.0
        if request.param == "window":
            cycle(site, run_id, end)
            change_everything(site)
            run_id, end = "second", 30.0
        backdoor.save()
        redshift.set_fault(NEVER)
        result = figures(cycle(site, run_id, end))
        statements = redshift.clear_faults()
        assert backdoor.tables(project.scratch_schema) == []
        # The verifications have lines in the ledger.
        state = backdoor.state()
        assert all(verify(project, fact, warehouse).equal for fact in project.facts)
        yield Undisturbed(site, redshift, backdoor, run_id, end, statements, result, state)
        backdoor.rows("DROP SCHEMA saved CASCADE")
        clear(project, warehouse)


@pytest.mark.timeout(0 if FAULTS == "all" else 300)
@pytest.mark.parametrize("kind", FaultKind)
def test_a_fault_leaves_no_trace(undisturbed: Undisturbed, kind: FaultKind, report: Report) -> None:
    """Whatever statement a fault strikes, tables, control tables and counts are those of an undisturbed cycle."""
    numbers = list(range(1, undisturbed.statements + 1))
    if FAULTS != "all":
        numbers = random.Random(f"{FAULTS} {kind} {undisturbed.run_id}").sample(
            numbers, OF_EACH_KIND[undisturbed.run_id]
        )
    wrong = {}
    for number in numbers:
        difference = undisturbed.disturbed(Fault(kind, number, seconds=SECONDS.get(kind, 0)))
        if difference:
            wrong[number] = difference
    tried = f"{len(numbers)} of the {undisturbed.statements} statements of the {undisturbed.run_id} cycle"
    report(f"{kind} at {tried}: {len(wrong)} left a trace (FAULTS={FAULTS})")
    assert wrong == {}, f"FAULTS={FAULTS}"

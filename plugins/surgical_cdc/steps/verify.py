"""Verification: compares a fact with its SELECT run in full on the baselines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.compiler.slices import insert_into
from surgical_cdc.control import built_by, lease, ledger
from surgical_cdc.control.tables import complete_control
from surgical_cdc.errors import DataError
from surgical_cdc.steps.summary import of_fact
from surgical_cdc.values import FAILED, VERIFICATION, now
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.catalog import check_contract
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot import exp

    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Column, Fact
    from surgical_cdc.warehouse.session import Warehouse

EXPECTED = "scdc_expected"


@dataclass(frozen=True)
class Verification:
    """A fact beside its SELECT, in rows: how many each has, and how many only one of them has.

    `examples` are some row keys, each with what is wrong: `missing`, `unexpected`, or the columns that differ.
    `wrong_groups` are kept groups of the fact that the baselines do not give, and the reverse: its rows would differ
    when they change next.
    `pending` are keys that a run has updated without a sync after it, by which a fact is ahead of its SELECT.
    `outdated` says that another SELECT has filled the fact.
    """

    fact: str
    rows: int
    expected_rows: int
    missing: int
    unexpected: int
    examples: tuple[str, ...] = ()
    wrong_groups: int = 0
    pending: int = 0
    outdated: bool = False

    @property
    def equal(self) -> bool:
        """Whether the fact is what its SELECT gives."""
        return self.rows == self.expected_rows and not self.missing and not self.unexpected and not self.wrong_groups

    def verdict(self, project: Project) -> str:
        """Return the result in a sentence, with what to do about it."""
        if self.equal:
            return f"{self.fact}: equal, {self.rows} rows"
        shown = "; ".join(self.examples)
        found = (
            f"{self.fact}: DIFFERS, {self.rows} rows where its SELECT gives {self.expected_rows}; {self.missing} of"
            f" these are missing, {self.unexpected} are unexpected{f': {shown}' if shown else ''}."
        )
        if self.wrong_groups:
            found += f" {self.wrong_groups} of its kept groups are not those of the baselines."
        if self.outdated:
            return f"{found} Its SELECT is another one than it was built by. The next run builds it anew."
        if self.pending:
            return (
                f"{found} A run has updated {self.pending} of its keys and failed before its sync. The next run that"
                " succeeds brings both together: let it end, then verify again."
            )
        return f"{found} Mend it with the refresh DAG, or: {project.command(f'refresh {self.fact}')}"


def verify(project: Project, fact_name: str, warehouse: Warehouse) -> Verification:
    """Compare a fact with its SELECT, as both are at a moment when no run works.

    No run that begins then has to wait, unless it makes the table of the fact's groups anew.

    The ledger has a line of it.

    Raises:
        LeaseError: a run is working; its facts are ahead of the baselines that this reads.
        ContractError: a table differs from the contract.
        DataError: the fact has no table yet.
    """
    fact = project.fact(fact_name)
    summary = of_fact(VERIFICATION, fact_name, now())
    with warehouse.transaction():
        catalog = complete_control(project, warehouse)
        check_contract(project, catalog)
        if fact.relation not in catalog:
            raise DataError(
                f"{fact.relation} does not exist yet, so there is nothing to verify."
                f" The next run builds it, or now: {project.command(f'refresh {fact_name}')}"
            )
        lease.refuse_beside_run(project, warehouse, f"verify {fact_name}")
        found = compare(project, fact_name, warehouse)
        (pending,) = warehouse.row(render("count_pending_keys", pending=schema.pending(project, fact).relation))
    found = replace(found, pending=int(pending))
    # Apart, so that no run that writes to the ledger meanwhile is in the way of the comparison.
    with warehouse.transaction():
        different = {} if found.equal else {"result": FAILED, "reason": found.verdict(project)}
        ledger.record(project, warehouse, summary.model_copy(update=different))
    return found


def compare(project: Project, fact_name: str, warehouse: Warehouse) -> Verification:
    """Compare a fact with its SELECT inside the caller's transaction, down to what tells equal values apart.

    The current time in the SELECT is the one that the fact was built for.
    """
    definition = built_by.recorded(project, warehouse).get(fact_name)
    compiled = compile_fact(project, fact_name, definition and definition.moment)
    fact = compiled.fact
    figures, examples = _compared(fact, compiled.query, warehouse, compiled.lineage.exact)
    outdated = definition is None or definition.fingerprint != compiled.select_fingerprint
    groups = compiled.groups
    wrong = 0
    # What is kept for another SELECT has other columns.
    if groups and not outdated and warehouse.rows(render("read_owner"), groups.relation.split(".")):
        wrong = sum(_compared(groups.table.fact, groups.table.query, warehouse)[0][2:])
    return Verification(fact_name, *figures, examples, wrong, outdated=outdated)


def _compared(
    table: Fact, query: exp.Select, warehouse: Warehouse, exact: Sequence[Column] | None = None
) -> tuple[tuple[int, int, int, int], tuple[str, ...]]:
    """Return how many rows a table has and a query gives, and how many only one of them does: the query, the table.

    Of a fact, whose `exact` columns are given, also some row keys that differ, each with what does.
    """
    warehouse.execute(render("table_like", table=EXPECTED, relation=table.relation))
    warehouse.execute(insert_into(EXPECTED, table, query))
    compared = warehouse.row(render("verify_compare", fact=table, exact=exact or ()))
    rows, expected_rows, missing, unexpected = map(int, compared)
    examples: tuple[str, ...] = ()
    if exact is not None and (missing or unexpected):
        names = {column.name for column in exact}
        differing = warehouse.rows(render("verify_differences", fact=table, exact=names))
        examples = tuple(f"{key} ({difference.replace(',', ', ')})" for key, difference in differing)
    warehouse.execute(render("drop_tables", relations=[EXPECTED]))
    return (rows, expected_rows, missing, unexpected), examples

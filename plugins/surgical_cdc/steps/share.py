"""Standing verification: each run compares a share of one fact's keys with its SELECT, so that all have their turn.

The share is what time has passed since the fact was looked at last, of the days within which all keys are. To choose
keys costs a look at all, so that a fact has its turn a few times in these days, and most runs have nothing to verify.
What is expected is computed by the SELECT on whole tables, kept to these keys, and not by the slices of an update.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from surgical_cdc.compiler.compiled_fact import compile_fact
from surgical_cdc.compiler.slices import constant_tables, share_of_keys
from surgical_cdc.contract.tables import KEY_TYPES
from surgical_cdc.control import built_by, lease, ledger
from surgical_cdc.errors import DataError
from surgical_cdc.steps.announce import examples
from surgical_cdc.steps.apply import apply, count_differences
from surgical_cdc.steps.summary import of_fact
from surgical_cdc.steps.update import count_affected_keys, recompute_all, recompute_keys
from surgical_cdc.values import FAILED, VERIFICATION
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from surgical_cdc.compiler.compiled_fact import CompiledFact
    from surgical_cdc.contract.project import Project
    from surgical_cdc.steps.apply import Differences
    from surgical_cdc.values import Example
    from surgical_cdc.warehouse.session import Warehouse

# How often a fact has its turn while all of its keys are verified once.
TURNS = 7
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the warehouse's timestamps are UTC without an offset


class Share(NamedTuple):
    """A share of a fact's keys, and how its rows differ from what the SELECT gives for them."""

    fact: str
    keys: int
    found: Differences
    examples: tuple[Example, ...]
    repaired: bool

    @property
    def equal(self) -> bool:
        """Whether the rows are what the SELECT gives."""
        return not (self.found.inserted or self.found.updated or self.found.deleted)

    def verdict(self, project: Project) -> str:
        """Return the result in a sentence, with what to do about it."""
        if self.equal:
            return f"{self.fact}: {self.keys} of its keys verified, equal"
        cells = ", ".join(f"{column} {count}" for column, count in self.found.cells.items())
        shown = sorted({f"{one.row_key}{f' ({one.column})' if one.column else ''}" for one in self.examples})
        mended = "They are mended." if self.repaired else f"Mend it: {project.command(f'refresh {self.fact}')}"
        return (
            f"{self.fact}: DIFFERS in {self.keys} of its keys that were verified: {self.found.inserted} rows are"
            f" missing, {self.found.deleted} are unexpected, {self.found.updated} have other values"
            f"{f' ({cells})' if cells else ''}: {', '.join(shown)}. {mended} Somebody else has written to"
            f" {project.fact(self.fact).relation}, or to what it reads."
        )


def verify_share(project: Project, warehouse: Warehouse) -> Share | None:
    """Verify a share of the keys of the fact that has waited longest; None where there is nothing to look at now.

    A fact that another SELECT has filled is left to the next run, and one with keys that wait for a sync; while another
    run works, all are. A difference has its line in the ledger, and is mended if the project says so.
    """
    days = project.verification.days
    if days is None:
        return None
    share, until = _verified(project, warehouse, timedelta(days=days))
    if until:
        with warehouse.transaction():
            for fact, time in until.items():
                warehouse.execute(render("record_verified", control=project.control_schema), (time, fact))
            if share and not share.equal:
                failed = {"result": FAILED, "reason": share.verdict(project)}
                summary = of_fact(VERIFICATION, share.fact, until[share.fact])
                ledger.record(project, warehouse, summary.model_copy(update=failed))
    return share


def require_equal(project: Project, share: Share) -> str:
    """Return what was verified in a sentence.

    Raises:
        DataError: it differs.
    """
    if not share.equal:
        raise DataError(share.verdict(project))
    return share.verdict(project)


def _verified(project: Project, warehouse: Warehouse, period: timedelta) -> tuple[Share | None, Mapping[str, datetime]]:
    """Return the share, and the times up to which facts are verified with that; one never looked at begins now."""
    # What is not repaired is rolled back, temporary tables too.
    with warehouse.transaction(dry_run=not project.verification.repair):
        found = lease.read(project, warehouse)
        if found.taken_from(None):
            return None, {}
        known = built_by.recorded(project, warehouse)
        now = found.read_at
        looked_at = {name: known[name] for name in project.facts if name in known}
        new = {name: now for name, definition in looked_at.items() if definition.verified_to is None}
        if new:
            return None, new
        for name in sorted(looked_at, key=lambda fact: looked_at[fact].verified_to or now):
            definition = looked_at[name]
            since = definition.verified_to or now
            if now - since < period / TURNS:
                break
            compiled = compile_fact(project, name, definition.moment)
            pending = schema.pending(project, compiled.fact).relation
            if compiled.select_fingerprint != definition.fingerprint or warehouse.row(
                render("count_pending_keys", pending=pending)
            ) != (0,):
                continue
            return _compare(project, compiled, warehouse, since, now, period), {name: now}
    return None, {}


def ranges_of(since: datetime, until: datetime, period: timedelta) -> list[tuple[float, float]]:
    """Return the ranges of [0, 1) that a time passes over, of which a period passes over all."""
    if until - since >= period:
        return [(0.0, 1.0)]
    first, last = (((time - EPOCH) / period) % 1 for time in (since, until))
    return [(first, last)] if first <= last else [(first, 1.0), (0.0, last)]


def _turns(time: datetime, period: timedelta) -> int:
    return (time - EPOCH) // period


def _compare(  # noqa: PLR0917
    project: Project, compiled: CompiledFact, warehouse: Warehouse, since: datetime, now: datetime, period: timedelta
) -> Share | None:
    """Compare a fact's rows of some keys with what its SELECT gives; one without keys to choose from once a period."""
    fact, tree = compiled.fact, compiled.tree
    anchor_type = fact.column(fact.anchor).data_type.partition("(")[0]
    if tree is None or tree.is_of_all or tree.limit or anchor_type not in KEY_TYPES:
        if _turns(since, period) == _turns(now, period):
            return None
        keys, null_key = recompute_all(project, compiled, warehouse, {})
    else:
        for statement in (*constant_tables(tree), share_of_keys(tree, ranges_of(since, now, period))):
            warehouse.execute(statement)
        keys, null_key = count_affected_keys(warehouse)
        if keys:
            recompute_keys(project, tree, warehouse, {}, fact.columns, null_key=null_key, whole=True)
    if not keys:
        return None
    exact = {column.name for column in compiled.lineage.exact}
    found = count_differences(compiled, warehouse, fact.columns, exact=exact, null_key=null_key)
    share = Share(fact.name, keys, found, (), repaired=False)
    if share.equal:
        return share
    shown = examples(fact, warehouse, found, null_key=null_key)
    # What is kept of groups may be wrong as well: only a refresh mends both.
    repair = project.verification.repair and compiled.groups is None
    if repair:
        # A run that has begun meanwhile would update the rows that are mended here: it waits, and begins anew.
        summary = of_fact(VERIFICATION, fact.name, now)
        lease.move_baseline(project, warehouse, summary.key, summary.token)
        apply(compiled, warehouse, fact.columns, found, null_key=null_key)
    return share._replace(examples=shown, repaired=repair)

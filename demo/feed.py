"""Plays the upstream's ETL: writes a window of changes into staging, as whole rows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from demo.errors import DemoError
from demo.load import SEED, client_company
from demo.pools import Pool
from demo.seeds import CLIENT_NUMBER, CLIENTS, STAFF, count_to, insert_pool
from demo.templates import Templates
from surgical_cdc.contract.project import load_project

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.contract.tables import Source
    from surgical_cdc.warehouse.session import Warehouse

Connect = Callable[[], "Warehouse"]
Progress = Callable[[str], None]

CHANGES = 20
WINDOW = timedelta(minutes=30)
_APART = timedelta(seconds=1)
# Ids have gaps and conditions are choosy, so more keys are drawn than are to be changed.
_KEYS_DRAWN_FOR_A_CHANGE = 60
_KEYS_DRAWN_AT_LEAST = 400


@dataclass(frozen=True)
class Kind:
    """A kind of change.

    Attributes:
        weight: how often it happens, beside the other kinds.
        sources: where it stages a row: in all of them, in this order, or in one of them.
        in_each: in all of them.
        inserts: its rows are new.
        shared: one template, feed/<kind>.sql, serves all its sources; else each has feed/<kind>/<source>.sql.
        again: its keys are those that the window has staged already.
    """

    weight: int
    sources: tuple[str, ...]
    in_each: bool = False
    inserts: bool = False
    shared: bool = False
    again: bool = False

    @property
    def rows(self) -> int:
        """Rows that one change of this kind stages."""
        return len(self.sources) if self.in_each else 1


_REMOVABLE = (
    "user_company_mappings",
    "users",
    "taggings",
    "preferred_vendor_item_mappings",
    "team_members",
    "teams",
    "buyer_seller_company_mappings",
    "companies",
)
_UNREAD = (
    "users",
    "companies",
    "user_company_mappings",
    "teams",
    "team_members",
    "product_categories",
    "tags",
    "preferred_vendor_item_mappings",
    "cities",
    "countries",
)
# In the order in which a window stages them.
KINDS: Mapping[str, Kind] = {
    "new_vendor": Kind(
        8, ("companies", "buyer_seller_company_mappings", "users", "user_company_mappings"), in_each=True, inserts=True
    ),
    "new_contact": Kind(6, ("users", "user_company_mappings"), in_each=True, inserts=True),
    "tag_vendor": Kind(4, ("taggings",), inserts=True),
    "prefer_item": Kind(3, ("preferred_vendor_item_mappings",), inserts=True),
    "edit_company": Kind(18, ("companies",)),
    "edit_contact": Kind(12, ("users",)),
    "edit_mapping": Kind(6, ("buyer_seller_company_mappings",)),
    "edit_team": Kind(4, ("teams",)),
    "edit_membership": Kind(2, ("team_members",)),
    "edit_link": Kind(4, ("user_company_mappings",)),
    "progress": Kind(8, ("buyer_seller_company_mappings",)),
    "repoint_city": Kind(5, ("companies",)),
    "repoint_inviter": Kind(5, ("buyer_seller_company_mappings",)),
    "qualify_company": Kind(4, ("companies",)),
    "qualify_mapping": Kind(4, ("buyer_seller_company_mappings",)),
    "unqualify_company": Kind(3, ("companies",)),
    "unqualify_mapping": Kind(3, ("buyer_seller_company_mappings",)),
    "rename_category": Kind(1, ("product_categories",)),
    "rename_tag": Kind(2, ("tags",)),
    "rename_city": Kind(1, ("cities",)),
    "unread": Kind(12, _UNREAD),
    "touch": Kind(4, _UNREAD, shared=True),
    "remove": Kind(6, _REMOVABLE, shared=True),
    "edit_again": Kind(4, ("companies", "users", "buyer_seller_company_mappings"), again=True),
    "late": Kind(2, ("companies", "users", "buyer_seller_company_mappings")),
    "duplicate": Kind(2, ("companies", "users", "buyer_seller_company_mappings"), shared=True, again=True),
}
_EDITS_AGAIN = {"companies": "edit_company", "users": "edit_contact", "buyer_seller_company_mappings": "edit_mapping"}


def feed(
    connect: Connect,
    *,
    seed: int = SEED,
    at: datetime | None = None,
    changes: int = CHANGES,
    kinds: Sequence[str] | None = None,
    progress: Progress = print,
) -> dict[str, dict[str, int]]:
    """Stage one window of changes, in one transaction.

    The versions' cursors lie in the half hour before `at`, after every version that is staged already, each later than
    the one before; only late versions are older than what they meet.

    Args:
        connect: opens a session of the warehouse.
        seed: with `at` and the state of the warehouse it decides what changes.
        at: the window's end, UTC if it has no offset; now if it is not given.
        changes: how many rows to stage; a few less where a change needs several rows or finds none to change.
        kinds: take these kinds in turn; by default a realistic mixture of all is drawn.
        progress: is told what was staged.

    Returns:
        The number of staged rows per kind and source.

    Raises:
        DemoError: a kind is unknown, the baseline is empty, or staging holds versions that are not older than `at`.
    """
    end = _utc(at or datetime.now(UTC))
    project = load_project()
    chance = random.Random(f"{seed}/{end.isoformat()}")
    plan = _plan(changes, kinds, chance)
    with closing(connect()) as warehouse, warehouse.transaction():
        window = _Window(project, warehouse, Templates(f"{seed}/{end.isoformat()}"))
        window.open(end, rows=changes, most_of_a_kind=max(plan.values(), default=0))
        staged = {kind: window.stage(kind, plan[kind], chance) for kind in KINDS if plan[kind]}
    counts = {kind: sum(rows.values()) for kind, rows in staged.items()}
    spoken = ", ".join(f"{kind} {rows:,}" for kind, rows in counts.items())
    progress(f"Staged {sum(counts.values()):,} rows up to {end} UTC: {spoken or 'nothing'}.")
    return staged


def _utc(moment: datetime) -> datetime:
    """Return a moment as the warehouse has it: UTC without an offset."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _plan(changes: int, kinds: Sequence[str] | None, chance: random.Random) -> Counter[str]:
    """Return how many changes of each kind fit into that many rows."""
    unknown = sorted(set(kinds or ()) - set(KINDS))
    if unknown:
        raise DemoError(f"No such kind of change: {', '.join(unknown)}. Known: {', '.join(KINDS)}.")
    plan: Counter[str] = Counter()
    for kind in _drawn(kinds, chance):
        affordable = [name for name in kinds or KINDS if KINDS[name].rows <= changes]
        if not affordable:
            return plan
        if kind in affordable:
            plan[kind] += 1
            changes -= KINDS[kind].rows
    return plan


def _drawn(kinds: Sequence[str] | None, chance: random.Random) -> Iterator[str]:
    while True:
        yield from kinds or chance.choices(list(KINDS), [kind.weight for kind in KINDS.values()], k=100)


def _candidates(changes: int) -> int:
    return _KEYS_DRAWN_AT_LEAST + _KEYS_DRAWN_FOR_A_CHANGE * changes


class _Window:
    """The window being written: its start, the ids in use, how many versions are staged so far."""

    def __init__(self, project: Project, warehouse: Warehouse, templates: Templates) -> None:
        self._project = project
        self._warehouse = warehouse
        self._templates = templates
        self._client = client_company(project)
        self._lowest: dict[str, int] = {}
        self._highest: dict[str, int] = {}
        self._microseconds = 0
        self._staged = 0

    def open(self, end: datetime, *, rows: int, most_of_a_kind: int) -> None:
        """Find the ids in use and the time that is left for that many versions; make the temporary tables."""
        bounds = self._warehouse.rows(self._templates.render("feed/bounds", sources=self._project.sources.values()))
        empty = sorted(source for source, lowest, *_ in bounds if lowest is None)
        if empty:
            raise DemoError(
                f"There is nothing to change in {', '.join(empty)}. Load the demo data first: python -m demo load."
            )
        self._lowest = {source: lowest for source, lowest, *_ in bounds}
        self._highest = {source: highest for source, _, highest, _ in bounds}
        newest = max((newest for *_, newest in bounds if newest is not None), default=end - WINDOW)
        start = max(newest, end - WINDOW)
        # At most half of what is left, so that another feed fits into the same half hour.
        self._microseconds = min(_APART, (end - start) / 2 / (rows + 1)) // timedelta(microseconds=1)
        if self._microseconds < 1:
            raise DemoError(
                f"Staging holds versions up to {newest}, and {rows:,} newer ones do not fit in before {end}. "
                "Give a later end with `at` (UTC)."
            )
        starts = Pool("seed_window", {"start_at": "timestamp"}, ((start,),))
        insert_pool(starts, self._warehouse, self._templates)
        count_to(_candidates(most_of_a_kind), self._warehouse, self._templates)

    def stage(self, name: str, changes: int, chance: random.Random) -> dict[str, int]:
        """Stage that many changes of a kind, one statement a source; return the rows per source."""
        kind = KINDS[name]
        # New rows refer to one another by the number of the change, counted from the ids that were in use before.
        new = dict(self._highest)
        staged: dict[str, int] = {}
        counts = (
            dict.fromkeys(kind.sources, changes) if kind.in_each else Counter(chance.choices(kind.sources, k=changes))
        )
        for source_name in kind.sources:
            # What comes together is staged with all its rows or not at all.
            wanted = min(counts[source_name], *staged.values()) if kind.in_each and staged else counts[source_name]
            if not wanted:
                continue
            source = self._project.sources[source_name]
            query = self._templates.render(
                _template(name, source_name),
                kind=f"{name} {source_name}",
                source=source,
                changes=wanted,
                candidates=_candidates(wanted),
                from_window=kind.again,
                lowest_id=self._lowest[source_name],
                highest_id=self._highest[source_name],
                highest=self._highest,
                new=new,
                staged=self._staged,
                microseconds=self._microseconds,
                client=self._client,
                client_number=CLIENT_NUMBER,
                clients=CLIENTS,
                inviters=STAFF,
                highest_client=self._client + CLIENTS - CLIENT_NUMBER,
            )
            rows = self._warehouse.execute(_insert(query, source))
            staged[source_name] = rows
            self._staged += rows
            if kind.inserts:
                self._highest[source_name] += rows
        return staged


def _template(kind: str, source: str) -> str:
    if kind == "edit_again":
        return f"feed/{_EDITS_AGAIN[source]}/{source}"
    return f"feed/{kind}" if KINDS[kind].shared else f"feed/{kind}/{source}"


def _insert(query: str, source: Source) -> exp.Insert:
    """Return the statement that stages the query's rows; columns that it does not change come from feed_rows."""
    tree = sqlglot.parse_one(query, dialect="redshift", into=exp.Select)
    changed = {projection.alias_or_name: projection for projection in tree.selects}
    columns = [changed.get(name, exp.column(name, table="feed_rows")) for name in source.column_names]
    return exp.insert(
        tree.select(*columns, append=False, copy=False),
        source.staging,
        columns=source.column_names,
        dialect="redshift",
        copy=False,
    )

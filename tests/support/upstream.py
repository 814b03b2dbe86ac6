"""A random upstream for the equivalence test: steps that stage rows, and a model of what the baseline must then hold.

Values come from small domains: keys meet, vendors qualify and unqualify, and ids point at rows that come and go.
"""

from __future__ import annotations

import ast
import copy
import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st
from redshift_connector import ProgrammingError
from sqlglot import exp

from surgical_cdc.compiler.fact_query import DIALECT, table_named
from surgical_cdc.contract.project import Project
from surgical_cdc.contract.tables import Column, Fact, Source, Verification
from surgical_cdc.dictionary import load_dictionary
from surgical_cdc.errors import DataError, LeaseError
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.detect import detect
from surgical_cdc.steps.prepare import prepare
from surgical_cdc.steps.refresh import refresh
from surgical_cdc.steps.share import Share, verify_share
from surgical_cdc.steps.sync import sync
from surgical_cdc.steps.update import update
from surgical_cdc.steps.verify import compare
from surgical_cdc.values import Run, new_token
from surgical_cdc.warehouse import schema
from surgical_cdc.warehouse.templates import sql_name
from tests.support.differences import Difference, Rows, differences, facts, said, written
from tests.support.ways import take_turns

if TYPE_CHECKING:
    from surgical_cdc.values import ChangeSet
    from tests.conftest import Site

# Shortly before midnight, so that the current date moves while windows are played.
START = datetime(2026, 1, 1, 23, 50)  # noqa: DTZ001 - the warehouse's timestamps are UTC without an offset
STEP = timedelta(minutes=1)
KEYS = st.integers(1, 5)
KINDS = ("put", "edit", "edit", "edit", "remove", "late", "again", "tie", "future")

ID = (1, 2, 3, 4, 5, 6, None)
TEXT = ("a", "a  ", "b", " b", "b ", "", " ", None)
JSON = (
    '{"score": {"value": 7.5}, "credit": {"limit": "100"}}',
    '{"score": {"value": "much"}, "archived_at": 17}',
    '{"status": "verified", "archived_at": "1700000000"}',
    "{broken",
    "",
    None,
)
DOMAINS: dict[str, tuple[Any, ...]] = {
    "companies.status": (1, 1, 1, 0, None),
    "companies.category": (1, 2, 4, 9, None),
    "buyer_seller_company_mappings.client_company_id": (12855, 12855, 12855, 3, None),
    "buyer_seller_company_mappings.status": (1, 2, 7, 5, 0, None),
    "buyer_seller_company_mappings.source": (0, 1, 2, None),
    "teams.product_category_ids": ("{1,2}", "{1,2} ", "[3, 4, 12]", "{12}", "{}", "", None),
    "orders.region_ids": ("1,2", "1,2 ", "12,3", "4", "4  ", "", " ", None),
    "taggings.taggable_type": ("Company", "Company ", "User", None),
    "members.kind": ("reader", "reader", "staff", "gone ", None),
    "copies.isbn": ("1", "1 ", "2", "3  ", " 3", "4", None),
    "loans.barcode": ("1", "1  ", "2", "2 ", "3", None),
    "books.genre": ("novel", "novel ", "poetry", "travel", None),
    "status": (1, 1, 1, 0, None),
    "cdc_deleted": (0, 0, None),
    "group_id": (1, 2, 3, None, None),
    "pieces.day": (START.date(), START.date() + timedelta(days=1), None),
    "baseline.amount": (*(Decimal("0.5"), Decimal(2), None) * 5, Decimal(0)),
}
# Texts that only an escape keeps apart once they stand beside others in one.
SEPARATING = ("~", "~/~", "/")
JSON_COLUMNS = frozenset({"misc", "meta_data", "gst_verification", "config", "other_details"})
BY_TYPE: dict[str, tuple[Any, ...]] = {
    "bigint": ID,
    "integer": (0, 1, 2, None),
    "smallint": (0, 1, 2, None),
    "boolean": (True, False, None),
    "date": (START.date(), (START + timedelta(days=40)).date(), None),
    "timestamp": (START, START + timedelta(days=1, seconds=5), None),
    "timestamptz": (datetime(2026, 1, 1, 23, 30, tzinfo=UTC), datetime(2026, 1, 2, 0, 30, tzinfo=UTC), None),
    "double precision": (0.5, -3.25, 0.0, -0.0, None),
    "real": (0.5, 0.0, -0.0, None),
}
# What an administrator may have set for the engine's user, and may change between two runs.
SESSIONS = (
    ("datestyle", "SQL, DMY"),
    ("timezone", "Asia/Kolkata"),
    ("search_path", "corners_facts"),
    ("extra_float_digits", "-10"),
)
# The fact of the project of corners that can not be computed while a row has an amount of 0.
FAILING = "ratio"
# In which share of the windows another deployment interferes, or a baseline has a key twice.
OFTEN = 0.1
# How often a change by hand takes a value out of a row, and does not delete it.
TAKEN_OUT = 0.5
# Earlier than any version that is staged, late ones included.
OLDER = START - timedelta(days=1)
# Later than any window ends: such a version waits, and must be seen to.
FUTURE = datetime(9999, 12, 31)  # noqa: DTZ001


def domain(source: Source, column: Column) -> tuple[Any, ...]:
    """Return the values that a column takes."""
    for name in (f"{source.name}.{column.name}", column.name):
        if name in DOMAINS:
            return DOMAINS[name]
    if column.name in JSON_COLUMNS:
        return JSON
    if column.data_type.startswith("numeric"):
        return (Decimal("0.5"), Decimal(2), None)
    if column.is_text:
        size = int(column.data_type.rstrip(")").partition("(")[2])
        return tuple(text if text is None else text[:size] for text in TEXT)
    return BY_TYPE[column.data_type]


Row = dict[str, Any]
Steps = list[tuple[str, int, str, int]]


@dataclass
class Upstream:
    """Stages rows source by source, and says what a correct sync leaves in each baseline."""

    project: Project
    staged: dict[str, dict[int, list[Row]]] = field(default_factory=dict)
    baseline: dict[str, dict[int, Row]] = field(default_factory=dict)
    buried: dict[str, dict[int, datetime]] = field(default_factory=dict)
    waiting: Counter[str] = field(default_factory=Counter)
    clock: datetime = START

    def __post_init__(self) -> None:
        for name in self.project.sources:
            self.staged[name], self.baseline[name], self.buried[name] = {}, {}, {}

    def step(self, source: Source, key: int, kind: str, choice: int) -> Row | None:
        """Return the row that one upstream event stages; `choice` decides what is left open. None: nothing to do."""
        self.clock += STEP
        pick = random.Random(choice)
        versions = self.staged[source.name].get(key, [])
        if kind == "put" or not versions:
            row = {column.name: pick.choice(domain(source, column)) for column in source.columns}
            row |= {**_key(source, key, pick), source.cursor: self.clock}
            if pick.random() < 0.5 and source.created:
                row[source.created] = self.clock
        else:
            row = dict(max(versions, key=lambda version: version[source.cursor]))
            if kind != "again":
                row |= _key(source, key, pick)
                self._edit(source, row, pick)
            if kind not in {"again", "tie"}:
                row[source.cursor] = self.clock
        if kind == "late":
            row[source.cursor] = self.clock - timedelta(minutes=pick.randint(2, 9), seconds=30)
        if kind == "future":
            self.waiting[source.name] += 1
            return row | {source.cursor: FUTURE}
        if kind == "remove":
            if source.delete_when is None:
                return None
            column, value = _removal(source)
            row[column] = self.clock if value is None else value
        self.staged[source.name].setdefault(key, []).append(row)
        return row

    @property
    def end(self) -> datetime:
        """An end for a window that holds all that has been staged."""
        return self.clock + STEP

    def window(self, steps: Steps) -> dict[str, list[Row]]:
        """Return the rows that a window's steps stage, by source."""
        staged: dict[str, list[Row]] = {}
        for name, key, kind, choice in steps:
            row = self.step(self.project.sources[name], key, kind, choice)
            if row:
                staged.setdefault(name, []).append(row)
        return staged

    def rows(self, source: Source) -> list[Row]:
        """Return the rows of a baseline as they must be."""
        return list(self.baseline[source.name].values())

    def sync(self, *, kept_back: Collection[str] = ()) -> None:
        """Move the model's baselines as a run must move the warehouse's that keeps back some sources."""
        for source in self.project.sources.values():
            if source.name in kept_back:
                continue
            for key, versions in self.staged[source.name].items():
                newest = max(version[source.cursor] for version in versions)
                tied = [version for version in versions if version[source.cursor] == newest]
                # What is equal and not identical, such as 0 and -0, goes into quarantine.
                if len(set(written([tuple(version.values()) for version in tied]))) == 1:
                    self._apply(source, key, tied[0])

    def poisoned(self) -> set[str]:
        """Return the facts that a row makes fail which is to come into a baseline: those of the project of corners."""
        if FAILING not in self.project.facts:
            return set()
        ahead = copy.deepcopy(self)
        ahead.sync()
        return {FAILING} if any(row["amount"] == 0 for row in ahead.baseline["baseline"].values()) else set()

    def _apply(self, source: Source, key: int, row: Row) -> None:
        baseline, buried, cursor = self.baseline[source.name], self.buried[source.name], row[source.cursor]
        removed = source.delete_when is not None and _is_removed(source, row)
        if key in baseline:
            if cursor < baseline[key][source.cursor]:
                return
        elif key in buried and (cursor < buried[key] or (cursor == buried[key] and not removed)):
            return
        if removed:
            baseline.pop(key, None)
            buried[key] = cursor
        else:
            baseline[key] = row

    def _edit(self, source: Source, row: Row, pick: random.Random) -> None:
        fixed = {*source.key, source.cursor, source.created}
        columns = [column for column in source.columns if column.name not in fixed]
        for column in pick.sample(columns, min(pick.choice((1, 1, 2, len(columns))), len(columns))):
            row[column.name] = pick.choice(domain(source, column))


def _key(source: Source, key: int, pick: random.Random) -> Row:
    """Return the columns of a source's key; of a text the blanks that end it are open, for they make no other key."""
    if len(source.key) == 1:
        return {source.key[0]: _key_part(source.column(source.key[0]), key, str(key), pick)}
    # 1 to 5 in two digits: each value of a column is in several keys.
    parts = zip(source.key, (*divmod(key, 2), 1), strict=False)
    return {name: _key_part(source.column(name), part, SEPARATING[part], pick) for name, part in parts}


def _key_part(column: Column, number: int, text: str, pick: random.Random) -> int | str | date:
    if column.data_type == "date":
        return START.date() + timedelta(days=number)
    return text + pick.choice(("", "", " ", "  ")) if column.is_text else number


def _removal(source: Source) -> tuple[str, Any]:
    """Return the column by which a source says that a row is removed, and its value, None for any."""
    column, _, value = str(source.delete_when).partition(" = ")
    return (column, ast.literal_eval(value)) if value else (column.split()[0], None)


def _is_removed(source: Source, row: Row) -> bool:
    column, value = _removal(source)
    found = row[column].rstrip(" ") if isinstance(row[column], str) else row[column]
    return found is not None if value is None else bool(found == value)


def windows(sources: Collection[str], count: int) -> st.SearchStrategy[list[Steps]]:
    """Return a strategy of `count` windows, each a list of (source, key, kind, choice); the first one is larger."""
    step = st.tuples(st.sampled_from(sorted(sources)), KEYS, st.sampled_from(KINDS), st.integers(0, 10_000))
    first = st.lists(step, min_size=30, max_size=60)
    later = st.lists(step, min_size=1, max_size=8)
    return st.tuples(first, st.lists(later, min_size=count - 1, max_size=count - 1)).map(
        lambda drawn: [drawn[0], *drawn[1]]
    )


def _fill_by_another_select(site: Site, fact: str) -> None:
    """Leave a fact without rows, as a SELECT would that gives none."""
    definitions = f"{site.project.control_schema}.definitions"
    with site.warehouse.transaction():
        site.warehouse.execute(exp.delete(table_named(site.project.facts[fact].relation)))
        site.warehouse.execute(
            exp.update(definitions, {"fingerprint": "other"}, where=exp.condition("fact_name").eq(fact))
        )


def play(site: Site, drawn: list[Steps]) -> None:
    """Run a cycle over each of these windows, on an empty warehouse; compare all baselines and facts after each.

    A run must say what it does, row by row and cell by cell, and a dry run before the last one the same. Before one in
    the middle, a fact has been filled by another SELECT than its own. Some runs are undone, and the undo too. After
    some the shares that runs verify are looked at, and a fact is changed by hand, which they find. The settings of the
    user change from run to run, and whether updates read whole tables.
    """
    site.clear()
    try:
        _play(site, drawn)
    finally:
        _set_sessions(site, None)


def _set_sessions(site: Site, setting: tuple[str, str] | None) -> None:
    """Leave to the user's next sessions one setting that is not the default, or none."""
    ((user,),) = site.rows("SELECT CURRENT_USER")
    for name, _ in SESSIONS:
        site.execute(f"ALTER USER {user} RESET {name}")
    if setting:
        name, value = setting
        site.execute(f"ALTER USER {user} SET {name} TO '{value}'")


def choice_of(steps: Steps) -> int:
    """Return what decides on all that a window leaves open."""
    return steps[0][3]


def _other_deployment(site: Site, run: Run, pick: random.Random) -> Callable[[], object]:
    """Let another Airflow begin a run with the same id, update two facts, and die; return how it would go on later."""
    return update_and_die(site, run, pick.sample(sorted(site.project.facts), 2))


def update_and_die(site: Site, run: Run, facts: Collection[str]) -> Callable[[], object]:
    """Let another attempt at a run update some facts, and die before its sync; return how it would go on later."""
    project, other = site.project, run.model_copy(update={"token": new_token()})
    preparation = prepare(project, site.warehouse, other)
    assert preparation is not None
    # One that has nothing to do ends with its preparation.
    undetected = () if preparation.ended else project.sources
    found = {name: detect(project, name, site.warehouse, other, preparation) for name in undetected}
    read = load_dictionary(project.dictionary_path)
    results = {}
    for fact in facts if found else ():
        feeding = {name: found[name] for name in read.feeding(fact)}
        with closing(site.connect()) as session, suppress(ProgrammingError):
            results[fact] = update(project, fact, session, other, preparation, feeding)
    expired = "UPDATE {}.lease SET expires_at = DATEADD(second, -1, GETDATE())"
    site.execute(expired.format(project.control_schema))
    return partial(sync, project, site.warehouse, other, preparation, found, results)


def _run_over_a_key_that_is_there_twice(site: Site, upstream: Upstream, pick: random.Random) -> None:
    """Run while a baseline has a key twice: the run fails, and what it leaves is made up for without that row."""
    rows = [(source, row) for source in site.project.sources.values() for row in upstream.rows(source)]
    if not rows:
        return
    source, row = pick.choice(rows)
    site.insert(source.relation, row | {source.cursor: OLDER})
    run = site.run(upstream.end, run_id=f"twice at {upstream.end}")
    with pytest.raises(DataError, match=f"the key {', '.join(source.key)} of source {source.name} is not unique"):
        run_cycle(site.project, site.connect, run)
    surplus = exp.column(source.cursor, quoted=True).eq(exp.cast(exp.Literal.string(str(OLDER)), "timestamp"))
    site.execute(exp.delete(table_named(source.relation), where=surplus).sql(DIALECT))


def _baselines(site: Site) -> dict[str, Counter[tuple[Any, ...]]]:
    return {
        source.name: Counter(written(site.table(source.relation, *source.column_names)))
        for source in site.project.sources.values()
    }


def _run_and_check(
    site: Site, run: Run, pick: random.Random, *, is_first: bool, is_last: bool
) -> Mapping[str, ChangeSet]:
    """Run a cycle; what it says, and what the last one's dry run says, is what happens. Some are undone."""
    project, announced = site.project, None
    if is_last:
        dry = run.model_copy(update={"run_id": "dry", "token": new_token(), "dry_run": True})
        announced = said(run_cycle(project, site.connect, dry).fact_results)
    before, baselines = facts(site) if not is_first else {}, _baselines(site)
    done = run_cycle(project, site.connect, run)
    told = said(done.fact_results)
    assert announced is None or announced == told, run.run_id
    if before:
        # A fact that is built is written in full.
        happened = differences(site, before, facts(site))
        kept = [name for name, result in done.fact_results.items() if not result.built]
        assert {name: told[name] for name in kept} == {name: happened[name] for name in kept}, run.run_id
        for name in kept:
            _check_history(site, project.facts[name], run, before[name], told[name])
        if pick.random() < OFTEN:
            _undo_and_redo(site, run, baselines, done.change_sets)
    return done.change_sets


def _check_history(site: Site, fact: Fact, run: Run, before: Rows, told: Difference) -> None:
    """Of each row that a run has changed or deleted, a fact's history has what it was; of one that came, the key."""
    if not fact.history:
        return
    columns = [exp.column(name, quoted=True) for name in ("scdc_change", *fact.column_names)]
    kept = exp.select(*columns).from_(table_named(schema.history(site.project, fact).relation))
    of_run = exp.column("scdc_token").eq(exp.Literal.string(run.token))
    lines = written(site.rows(kept.where(of_run).sql(DIALECT)))
    assert Counter(change for change, *_ in lines) == {
        change: rows for change, rows in zip("IUD", (told.inserted, told.updated, told.deleted), strict=True) if rows
    }
    images = [tuple(image) for change, *image in lines if change != "I"]
    assert Counter(images) <= Counter(before.values())


def _undo_and_redo(
    site: Site, run: Run, before: Mapping[str, Counter[tuple[Any, ...]]], change_sets: Mapping[str, ChangeSet]
) -> None:
    """Take a run back, but for its snapshots, and then that: baselines are what they were, and facts their SELECTs."""
    project = site.project
    changed = {name for name, found in change_sets.items() if found.rewrites}
    undoable = {name for name in changed if project.source(name).load == "window"}
    if not undoable:
        return
    after = _baselines(site)
    last = run
    for expected in (before, after):
        values = {"run_id": f"undo of {last.run_id}", "undoes": last.key, "partial": undoable < changed}
        last = site.run(run.window_end, **values)
        run_cycle(project, site.connect, last)
        found = _baselines(site)
        assert {name: found[name] for name in undoable} == {name: expected[name] for name in undoable}, last.run_id
        with site.warehouse.transaction():
            assert all(compare(project, fact, site.warehouse).equal for fact in project.facts), last.run_id


def _play(site: Site, drawn: list[Steps]) -> None:
    project, upstream = site.project, Upstream(site.project)
    read = load_dictionary(project.dictionary_path)
    for number, steps in enumerate(drawn):
        _set_sessions(site, random.Random(choice_of(steps)).choice((None, *SESSIONS)))
        take_turns(number + choice_of(steps))
        window = f"window {number}"
        for name, rows in upstream.window(steps).items():
            site.stage(name, *rows)
        if number == len(drawn) // 2:
            built = sorted(project.facts.keys() - {FAILING})
            _fill_by_another_select(site, built[choice_of(steps) % len(built)])
        run, poisoned, pick = (
            site.run(upstream.end, run_id=window),
            upstream.poisoned(),
            random.Random(number + choice_of(steps)),
        )
        go_on = _other_deployment(site, run, pick) if number and pick.random() < OFTEN else None
        if number and pick.random() < OFTEN:
            _run_over_a_key_that_is_there_twice(site, upstream, pick)
        if poisoned:
            # What fails is told, and keeps back the sources that it reads, and no others.
            with pytest.raises(DataError, match=f"{min(poisoned)} is not updated. .*division by zero"):
                run_cycle(project, site.connect, run)
        else:
            change_sets = _run_and_check(site, run, pick, is_first=not number, is_last=number == len(drawn) - 1)
            waiting = {name: change_set.waiting for name, change_set in change_sets.items() if change_set.waiting}
            assert waiting == upstream.waiting, f"waiting after {window}"
        if go_on:
            with pytest.raises(LeaseError):
                go_on()
        kept_back = {source for fact in poisoned for source in read.feeding(fact)}
        upstream.sync(kept_back=kept_back)
        for source in project.sources.values():
            expected = [tuple(row[name] for name in source.column_names) for row in upstream.rows(source)]
            stored = site.table(source.relation, *source.column_names)
            assert Counter(written(stored)) == Counter(written(expected)), f"{source.relation} after {window}"
        with site.warehouse.transaction():
            for fact in project.facts:
                # One that reads what was kept back is ahead of it, until a run succeeds.
                if kept_back.isdisjoint(read.feeding(fact)):
                    found = compare(project, fact, site.warehouse)
                    assert found.equal, f"{found} after {window}"
        if not poisoned and pick.random() < OFTEN:
            _verify_by_shares(site, pick, window)


def _verify_by_shares(site: Site, pick: random.Random, window: str) -> None:
    """Look at all keys as runs do, share by share; one fact that was changed by hand is found, and mended."""
    project = replace(site.project, verification=Verification(repair=True))
    assert [share for share in _shares(site, project) if not share.equal] == [], window
    changed = _change_by_hand(site, pick)
    if not changed:
        return
    found = [share for share in _shares(site, project) if not share.equal]
    assert [share.fact for share in found] == [changed], window
    if not found[0].repaired:
        refresh(project, changed, site.warehouse)
    with site.warehouse.transaction():
        assert compare(project, changed, site.warehouse).equal, window


def _shares(site: Site, project: Project) -> list[Share]:
    """Return what the runs of a week would verify, in which each fact has its turn with all of its keys."""
    site.execute(f"UPDATE {project.control_schema}.definitions SET verified_to = DATEADD(day, -8, GETDATE())")  # noqa: S608
    found = []
    for _ in project.facts:
        # Each run has a session of its own, and with it its temporary tables.
        with closing(site.connect()) as session:
            found.append(verify_share(project, session))
    return [share for share in found if share]


def _change_by_hand(site: Site, pick: random.Random) -> str:
    """Delete a row of some fact, or take a value out of it; return the fact, "" if none has a row."""
    rows = [
        (fact, row) for fact in site.project.facts.values() for row in site.table(fact.relation, *fact.column_names)
    ]
    if not rows:
        return ""
    fact, row = pick.choice(rows)
    values = dict(zip(fact.column_names, row, strict=True))
    relation = sql_name(fact.relation)
    where = " AND ".join(f"{sql_name(name)} = %s" for name in fact.unique_key)
    key = tuple(values[name] for name in fact.unique_key)
    full = [name for name, value in values.items() if value is not None and name not in {*fact.unique_key, fact.anchor}]
    if full and pick.random() < TAKEN_OUT:
        site.execute(f"UPDATE {relation} SET {sql_name(pick.choice(full))} = NULL WHERE {where}", key)  # noqa: S608
    else:
        site.execute(f"DELETE FROM {relation} WHERE {where}", key)  # noqa: S608
    return fact.name

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from demo.errors import DemoError
from demo.feed import KINDS, feed
from surgical_cdc.contract.project import load_project
from surgical_cdc.dictionary import load_dictionary

if TYPE_CHECKING:
    from conftest import Demo, Row

NOON = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - the warehouse's timestamps are UTC without an offset
HALF_HOUR = timedelta(minutes=30)
SECOND = timedelta(seconds=1)
PROJECT = load_project()
DICTIONARY = load_dictionary(PROJECT.dictionary_path)

# What a kind may change beside the cursor; where a list is absent it inserts, copies or concerns no column.
CHANGED = {
    "edit_company": {
        *("name", "company_initials", "phone", "email", "address", "gst_no", "gst_verification", "misc", "rating")
    },
    "edit_contact": {"phone", "is_phone_verified", "email", "last_name"},
    "edit_mapping": {"vendor_code", "vrp_code", "auto_discount", "meta_data"},
    "edit_team": {"product_category_ids"},
    "edit_membership": {"status"},
    "edit_link": {"status", "designation_id"},
    "progress": {"status"},
    "repoint_city": {"city_id"},
    "repoint_inviter": {"invited_by"},
    "qualify_company": {"status", "category"},
    "qualify_mapping": {"status", "source", "invited_by"},
    "unqualify_company": {"status", "category"},
    "unqualify_mapping": {"status", "source", "invited_by"},
    "rename_category": {"name"},
    "rename_tag": {"name"},
    "rename_city": {"name"},
    "remove": {"status", "deleted_at"},
    "touch": set(),
}
INSERTS = [name for name, kind in KINDS.items() if kind.inserts]


@pytest.fixture(scope="module")
def loaded(demo: Demo) -> Demo:
    """A small demo warehouse; its baseline stays as it was loaded."""
    demo.load(400)
    return demo


@pytest.fixture
def fresh(loaded: Demo) -> Demo:
    """The demo warehouse with empty staging."""
    loaded.unstage()
    return loaded


def staged_rows(demo: Demo) -> list[tuple[str, Row]]:
    """Return source and row of all that is staged, in the order of the cursors."""
    rows = [(source, row) for source in demo.project.sources for row in demo.staged(source)]
    return sorted(rows, key=lambda pair: pair[1]["updated_at"])


def changed_columns(before: Row, after: Row) -> set[str]:
    """Return the columns in which two versions differ, but for the cursor."""
    return {name for name in before if before[name] != after[name]} - {"updated_at"}


def qualifies(source: str, row: Row) -> bool:
    """Whether a company or a mapping does its part for a vendor of the client."""
    if source == "companies":
        return row["status"] == 1 and row["category"] in {1, 2, 4}
    return (
        row["client_company_id"] == 12855
        and row["status"] in {1, 2, 7}
        and row["source"] in {0, 1}
        and row["invited_by"] is not None
    )


def test_the_same_seed_and_state_give_the_same_window(fresh: Demo) -> None:
    """A feed depends on its seed, its end and what the warehouse holds, and on nothing else."""
    counts = fresh.feed(seed=3, changes=200)
    first = fresh.checksums("staging")
    fresh.unstage()
    assert fresh.feed(seed=3, changes=200) == counts
    assert fresh.checksums("staging") == first


@pytest.mark.parametrize(
    "values", [pytest.param({"seed": 4}, id="seed"), pytest.param({"at": NOON + SECOND}, id="end")]
)
def test_another_seed_or_end_gives_another_window(fresh: Demo, values: dict[str, Any]) -> None:
    """Windows do not repeat."""
    fresh.feed(seed=3)
    first = fresh.checksums("staging")
    fresh.unstage()
    fresh.feed(**{"seed": 3} | values)
    assert fresh.checksums("staging") != first


def test_the_baseline_is_left_alone(fresh: Demo) -> None:
    """The ETL writes into staging only."""
    before = fresh.checksums("baseline")
    fresh.feed(changes=300)
    assert fresh.checksums("baseline") == before


def test_the_counts_are_the_staged_rows(fresh: Demo) -> None:
    """What feed() returns per kind adds up to what the staging tables hold, and to what was asked for."""
    counts = fresh.feed(changes=500)
    per_source: Counter[str] = Counter()
    for rows in counts.values():
        per_source.update(rows)
    assert per_source == Counter({source: len(fresh.staged(source)) for source in fresh.project.sources})
    assert set(counts) == set(KINDS)
    assert 480 <= per_source.total() <= 500


def test_a_window_has_twenty_rows(fresh: Demo) -> None:
    """Without further wishes a window has the size of a real one, and a mixture of kinds."""
    windows = [fresh.feed(seed=seed, at=NOON + seed * HALF_HOUR) for seed in range(5)]
    assert {sum(sum(rows.values()) for rows in counts.values()) for counts in windows} <= {18, 19, 20}
    assert all(len(counts) >= 6 for counts in windows)
    assert len({tuple(counts) for counts in windows}) == 5


def test_chosen_kinds_are_taken_in_turn(fresh: Demo) -> None:
    """A window can be made of chosen kinds alone, with exactly as many rows as are asked for."""
    counts = fresh.feed(kinds=["edit_company", "progress", "rename_tag"], changes=20)
    assert counts == {
        "edit_company": {"companies": 7},
        "progress": {"buyer_seller_company_mappings": 7},
        "rename_tag": {"tags": 6},
    }


def test_cursors_lie_in_the_window_and_increase_over_feeds(fresh: Demo) -> None:
    """Each version is newer than all that was staged before, and older than the end of its window."""
    kinds = [kind for kind in KINDS if kind not in {"late", "duplicate"}]
    newest = NOON - HALF_HOUR
    # Twice before noon: the second feed takes what the first has left of the half hour.
    for number, end in enumerate([NOON, NOON, NOON + HALF_HOUR, NOON + timedelta(hours=5)]):
        earlier = len(staged_rows(fresh))
        fresh.feed(seed=number, at=end, changes=100, kinds=kinds)
        cursors = [row["updated_at"] for _, row in staged_rows(fresh)]
        assert len(set(cursors)) == len(cursors) > earlier
        assert newest < cursors[earlier]
        assert end - HALF_HOUR < cursors[earlier]
        assert cursors[-1] < end
        newest = cursors[-1]


def test_many_feeds_fit_into_one_half_hour(fresh: Demo) -> None:
    """Feeding by hand again and again does not use up the window."""
    for number in range(15):
        counts = fresh.feed(seed=number, kinds=["touch"], changes=400)
        assert sum(counts["touch"].values()) == 400


@pytest.mark.parametrize("kind", sorted(CHANGED))
def test_an_edit_is_the_newest_version_with_some_columns_changed(fresh: Demo, kind: str) -> None:
    """A staged row is whole, keeps its key and creation, and differs in the kind's columns alone."""
    fresh.feed(kinds=[kind], changes=24)
    rows = staged_rows(fresh)
    assert len(rows) == 24
    seen: set[str] = set()
    for source, row in rows:
        before = fresh.baseline(source)[row["id"]]
        changed = changed_columns(before, row)
        assert changed <= CHANGED[kind]
        assert bool(changed) == (kind != "touch"), (before, row)
        assert len(changed) <= 3 or kind == "edit_company"
        seen |= changed
    assert seen == CHANGED[kind]


def test_an_edit_goes_on_from_what_is_staged(fresh: Demo) -> None:
    """A second feed changes the staged version, not the baseline's."""
    for number in range(6):
        fresh.feed(seed=number, kinds=["progress"], changes=150)
    chains: dict[int, list[Row]] = {}
    for _, row in staged_rows(fresh):
        chains.setdefault(row["id"], []).append(row)
    following = {1: 2, 2: 7, 7: 1}
    baseline = fresh.baseline("buyer_seller_company_mappings")
    assert max(len(chain) for chain in chains.values()) >= 4
    for key, chain in chains.items():
        statuses = [baseline[key]["status"], *(row["status"] for row in chain)]
        assert [following[status] for status in statuses[:-1]] == statuses[1:]


@pytest.mark.parametrize(
    ("kind", "source", "before", "after"),
    [
        pytest.param("qualify_company", "companies", False, True, id="company-comes"),
        pytest.param("unqualify_company", "companies", True, False, id="company-goes"),
        pytest.param("qualify_mapping", "buyer_seller_company_mappings", False, True, id="mapping-comes"),
        pytest.param("unqualify_mapping", "buyer_seller_company_mappings", True, False, id="mapping-goes"),
    ],
)
def test_vendors_come_to_qualify_and_cease_to(
    fresh: Demo, kind: str, source: str, *, before: bool, after: bool
) -> None:
    """The change decides whether the row does its part."""
    fresh.feed(kinds=[kind], changes=24)
    baseline = fresh.baseline(source)
    for row in fresh.staged(source):
        assert qualifies(source, baseline[row["id"]]) is before
        assert qualifies(source, row) is after


@pytest.mark.parametrize("kind", INSERTS)
def test_an_insert_is_new_and_says_so(fresh: Demo, kind: str) -> None:
    """A new row has an id above all others, and was created when it was updated."""
    fresh.feed(kinds=[kind], changes=24)
    for source in KINDS[kind].sources:
        rows = fresh.staged(source)
        highest = max(fresh.baseline(source))
        assert sorted(row["id"] for row in rows) == list(range(highest + 1, highest + 1 + len(rows)))
        assert len(rows) == 24 // len(KINDS[kind].sources)
        assert all(row["created_at"] == row["updated_at"] for row in rows)


def test_a_new_vendor_comes_with_mapping_and_contact(fresh: Demo) -> None:
    """The four rows of a new vendor refer to one another, and it qualifies."""
    fresh.feed(kinds=["new_vendor"], changes=40)
    companies = {row["id"]: row for row in fresh.staged("companies")}
    mappings = fresh.staged("buyer_seller_company_mappings")
    users = {row["id"]: row for row in fresh.staged("users")}
    links = fresh.staged("user_company_mappings")
    assert len(companies) == len(mappings) == len(users) == len(links) == 10
    assert {row["dealing_with_company_id"] for row in mappings} == set(companies)
    assert all(qualifies("buyer_seller_company_mappings", row) for row in mappings)
    assert all(qualifies("companies", row) for row in companies.values())
    assert {(row["user_id"], row["company_id"]) for row in links} == {
        (u["id"], u["company_id"]) for u in users.values()
    }
    assert {row["company_id"] for row in links} == set(companies)
    assert len({row["name"] for row in companies.values()}) > 5


def test_inserts_do_not_collide(fresh: Demo) -> None:
    """The ids of staged rows count as taken, in the same feed and in the next one."""
    for number in range(2):
        fresh.feed(seed=number, kinds=["new_vendor", "new_contact"], changes=60)
    keys = [row["id"] for row in fresh.staged("users")]
    assert len(set(keys)) == len(keys) == 40


def test_unread_columns_are_read_by_no_fact(fresh: Demo) -> None:
    """The dictionary knows none of the columns that this kind changes."""
    fresh.feed(kinds=["unread"], changes=120)
    rows = staged_rows(fresh)
    changed = {(s, column) for s, row in rows for column in changed_columns(fresh.baseline(s)[row["id"]], row)}
    assert {source for source, _ in changed} == set(KINDS["unread"].sources)
    read = {(s, c) for s, c in changed for fact in DICTIONARY.facts if c in DICTIONARY.read_columns(fact, s)}
    assert read == set()


def test_removed_rows_meet_the_contract(fresh: Demo) -> None:
    """A tombstone is what the source's delete_when says, and its key is not touched again."""
    fresh.feed(kinds=["remove"], changes=80)
    for source in KINDS["remove"].sources:
        contract = fresh.project.sources[source]
        rows, tombstones = fresh.rows(
            f"SELECT COUNT(*), SUM(CASE WHEN {contract.delete_when} THEN 1 ELSE 0 END) FROM {contract.staging}"  # noqa: S608
        )[0]
        assert rows == tombstones > 0, source
    removed = {(source, row["id"]) for source, row in staged_rows(fresh)}
    fresh.feed(seed=9, changes=2_000, at=NOON + HALF_HOUR, kinds=[kind for kind in KINDS if kind != "duplicate"])
    later = [(s, row["id"]) for s, row in staged_rows(fresh) if row["updated_at"] > NOON]
    assert len(later) > 1_000
    assert removed.isdisjoint(later)


def test_a_key_has_several_versions_in_one_window(fresh: Demo) -> None:
    """What the window has created or edited is edited once more, so a new row can look like an update."""
    fresh.feed(kinds=["new_vendor", "edit_company", "edit_again"], changes=120)
    versions = Counter((source, row["id"]) for source, row in staged_rows(fresh))
    again = [row for s, row in staged_rows(fresh) if versions[s, row["id"]] > 1]
    assert len(again) >= 30
    companies = fresh.baseline("companies")
    created_and_edited = [
        row for row in fresh.staged("companies") if row["id"] not in companies and row["updated_at"] > row["created_at"]
    ]
    assert created_and_edited


def test_late_versions_are_older_than_what_they_meet(fresh: Demo) -> None:
    """A late version differs from the baseline's, and is older."""
    fresh.feed(kinds=["late"], changes=30)
    rows = staged_rows(fresh)
    assert len(rows) == 30
    for source, row in rows:
        known = fresh.baseline(source)[row["id"]]
        assert known["created_at"] == row["created_at"] < row["updated_at"] < known["updated_at"]
        assert changed_columns(known, row) or source == "buyer_seller_company_mappings"


def test_duplicates_are_exact(fresh: Demo) -> None:
    """The ETL delivers some staged rows twice, as they are."""
    fresh.feed(kinds=["edit_company", "edit_contact", "edit_mapping", "duplicate"], changes=40)
    copies = Counter((source, tuple(row.values())) for source, row in staged_rows(fresh))
    assert len(copies) == 30
    assert copies.total() == 40


def test_statements_do_not_depend_on_the_number_of_changes(fresh: Demo) -> None:
    """Twenty times the changes take the same statements."""
    kinds = [kind for kind, of_kind in KINDS.items() if of_kind.in_each or len(of_kind.sources) == 1]
    fresh.feed(kinds=kinds, changes=30)
    statements_for_few = len(fresh.opened[-1].statements)
    counts = fresh.feed(kinds=kinds, changes=600, at=NOON + HALF_HOUR)
    assert len(fresh.opened[-1].statements) == statements_for_few
    assert sum(sum(rows.values()) for rows in counts.values()) > 550


def test_an_end_with_an_offset_is_taken_as_utc(fresh: Demo) -> None:
    """The warehouse's timestamps are UTC, whatever the clock of the caller says."""
    fresh.feed(at=NOON.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=5, minutes=30))), kinds=["progress"])
    assert all(NOON - HALF_HOUR < row["updated_at"] < NOON for _, row in staged_rows(fresh))


def test_a_window_before_what_is_staged_is_refused(fresh: Demo) -> None:
    """Versions that would be older than staged ones are not written."""
    fresh.feed(at=NOON)
    before = fresh.checksums("staging")
    with pytest.raises(DemoError, match="do not fit in before 2026-03-01 10:00:00"):
        fresh.feed(at=NOON - timedelta(hours=2))
    assert fresh.checksums("staging") == before


def test_an_unknown_kind_is_refused(fresh: Demo) -> None:
    """The message names the kinds that there are."""
    with pytest.raises(DemoError, match=r"No such kind of change: rename_planet\. Known: new_vendor, "):
        fresh.feed(kinds=["touch", "rename_planet"])


def test_progress_says_what_was_staged(fresh: Demo) -> None:
    """A person reads the number of rows, the window's end and the kinds."""
    said: list[str] = []
    feed(fresh.connect, at=NOON, kinds=["progress"], changes=3, progress=said.append)
    assert said == ["Staged 3 rows up to 2026-03-01 12:00:00 UTC: progress 3."]


def test_a_warehouse_without_demo_data_is_refused(demo: Demo) -> None:
    """There is nothing to change in an empty baseline; the message has the command that fills it."""
    demo.load(100)
    demo.execute(*(f"DELETE FROM {source.relation}" for source in demo.project.sources.values()))  # noqa: S608
    with pytest.raises(DemoError, match="python -m demo load"):
        demo.feed()

"""The vendor domain's rules: rows in the baselines, and what the facts make of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import yaml

from surgical_cdc.contract.project import DEFAULT_PROJECT, Project

Row = dict[str, Any]
Load = Callable[[Mapping[str, Sequence[Row]]], None]
Fact = Callable[[str], list[Row]]

CLIENT = yaml.safe_load((DEFAULT_PROJECT / "dbt_project.yml").read_text())["vars"]["client_company_id"]
CREATED = datetime(2024, 5, 1, 12, 0)  # noqa: DTZ001 - TIMESTAMP has no zone; all are UTC
LATER = datetime(2024, 6, 1, 12, 0)  # noqa: DTZ001
EPOCH = int(CREATED.replace(tzinfo=UTC).timestamp())


def company(row_id: int = 1, **changes: Any) -> Row:
    """Return a company that can be a vendor."""
    return {"id": row_id, "name": f"Firm {row_id}", "status": 1, "category": 1, "created_at": CREATED} | changes


def mapping(row_id: int = 10, **changes: Any) -> Row:
    """Return a mapping by which company 1 qualifies."""
    return {
        "id": row_id,
        "client_company_id": CLIENT,
        "dealing_with_company_id": 1,
        "status": 1,
        "source": 0,
        "invited_by": 5,
        "created_at": CREATED,
    } | changes


def user(row_id: int, **changes: Any) -> Row:
    """Return an active user."""
    return {
        "id": row_id,
        "first_name": "Asha",
        "last_name": f"Rao {row_id}",
        "status": 1,
        "created_at": CREATED,
    } | changes


def link(row_id: int, user_id: int | None, **changes: Any) -> Row:
    """Return an active mapping of a user to company 1."""
    return {"id": row_id, "user_id": user_id, "company_id": 1, "status": 1, "created_at": CREATED} | changes


def team(row_id: int = 20, **changes: Any) -> Row:
    """Return an active team of company 1."""
    return {"id": row_id, "company_id": 1, "status": 1} | changes


def category(row_id: int, name: str | None) -> Row:
    """Return a product category."""
    return {"id": row_id, "name": name, "status": 1}


def tagging(row_id: int, tag_id: int, **changes: Any) -> Row:
    """Return an active tag on company 1."""
    return {"id": row_id, "tag_id": tag_id, "taggable_type": "Company", "taggable_id": 1, "status": 1} | changes


def test_a_qualified_company_is_a_vendor(load: Load, fact: Fact) -> None:
    """An active company of a vendor category with a qualifying mapping is in fact_vendor, without more."""
    load({"companies": [company()], "buyer_seller_company_mappings": [mapping()]})
    (row,) = fact("fact_vendor")
    assert row["vendor_id_poc_id"] == "1_no_poc"
    assert (row["client_company_id"], row["vendor_id"], row["mapping_id"]) == (CLIENT, 1, 10)
    assert (row["vendor_created_at"], row["network_joined_date"]) == (EPOCH, EPOCH)
    assert row["poc_id"] is None
    assert row["poc_sequence"] is None


@pytest.mark.parametrize(
    ("company_changes", "mapping_changes"),
    [
        pytest.param({"status": 0}, {}, id="inactive company"),
        pytest.param({"status": None}, {}, id="company without status"),
        pytest.param({"category": 3}, {}, id="company of another category"),
        pytest.param({"category": None}, {}, id="company without category"),
        pytest.param({}, {"client_company_id": CLIENT + 1}, id="mapping of another client"),
        pytest.param({}, {"status": 0}, id="mapping not initiated"),
        pytest.param({}, {"status": 5}, id="mapping joined"),
        pytest.param({}, {"source": 2}, id="mapping from another source"),
        pytest.param({}, {"source": None}, id="mapping without source"),
        pytest.param({}, {"invited_by": None}, id="mapping without inviter"),
        pytest.param({}, {"dealing_with_company_id": 2}, id="mapping of another company"),
        pytest.param({}, {"dealing_with_company_id": None}, id="mapping without company"),
    ],
)
def test_each_condition_of_qualification_is_needed(
    load: Load, fact: Fact, company_changes: Row, mapping_changes: Row
) -> None:
    """A company that misses one condition is no vendor, but has its profile, and its mapping its relationship."""
    load(
        {
            "companies": [company(**company_changes), company(2, status=0)],
            "buyer_seller_company_mappings": [mapping(**mapping_changes)],
        }
    )
    assert fact("fact_vendor") == []
    assert [row["company_id"] for row in fact("fact_company_profile")] == [1, 2]
    assert [row["is_vendor_mapping"] for row in fact("fact_relationship")] == [0]


@pytest.mark.parametrize("status", [1, 2, 7])
@pytest.mark.parametrize("source", [0, 1])
@pytest.mark.parametrize("category_code", [1, 2, 4])
def test_every_qualifying_value_qualifies(load: Load, fact: Fact, status: int, source: int, category_code: int) -> None:
    """Each of the allowed codes makes a vendor."""
    load(
        {
            "companies": [company(category=category_code)],
            "buyer_seller_company_mappings": [mapping(status=status, source=source)],
        }
    )
    assert [row["vendor_id"] for row in fact("fact_vendor")] == [1]


def test_of_several_qualifying_mappings_the_newest_counts(load: Load, fact: Fact) -> None:
    """A company with several qualifying mappings is one vendor, by the newest, and of equally new ones the last."""
    load(
        {
            "companies": [company()],
            "buyer_seller_company_mappings": [
                mapping(10, created_at=LATER, vendor_code="early"),
                mapping(11, created_at=LATER, vendor_code="newest"),
                mapping(12, vendor_code="old"),
                mapping(13, created_at=None, vendor_code="undated"),
                mapping(14, created_at=LATER, invited_by=None, vendor_code="unqualified"),
            ],
        }
    )
    assert [(row["mapping_id"], row["vendor_code"]) for row in fact("fact_vendor")] == [(11, "newest")]
    assert [row["relationship_id"] for row in fact("fact_relationship") if row["is_vendor_mapping"]] == [11]


@pytest.mark.parametrize(
    ("status", "label"),
    [
        (0, "Not Initiated"),
        (1, "In Progress"),
        (2, "Review Pending"),
        (3, "Approval Pending"),
        (4, "Rejected"),
        (5, "Joined"),
        (7, "Unknown"),
        (None, "Unknown"),
    ],
)
def test_status_of_a_mapping_has_its_label(load: Load, fact: Fact, status: int | None, label: str) -> None:
    """Every fact that shows the status of a mapping in words uses the same ones."""
    load({"companies": [company()], "buyer_seller_company_mappings": [mapping(status=status)]})
    assert [row["relationship_status"] for row in fact("fact_relationship")] == [label]
    assert [row["onboarding_stage"] for row in fact("fact_onboarding")] == [label]
    assert {row["joining_status_label"] for row in fact("fact_vendor")} <= {label}


@pytest.mark.parametrize(
    ("changes", "vendor_type"),
    [
        ({"category": 1}, "Selling Firm"),
        ({"category": 2}, "Brokerage"),
        ({"category": 4}, "Subsidiary"),
        ({"category": 4, "created_by": 9}, "Broker Created Firm"),
    ],
)
def test_vendor_type_names_the_broker_first(load: Load, fact: Fact, changes: Row, vendor_type: str) -> None:
    """A company that a broker created is a broker created firm, whatever its category."""
    load({"companies": [company(**changes)], "buyer_seller_company_mappings": [mapping()]})
    assert [row["vendor_type"] for row in fact("fact_vendor")] == [vendor_type]


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        pytest.param("{12}", "Fish", id="part of a longer id"),
        pytest.param("{1,12}", "Fish, Rice", id="braces"),
        pytest.param("[1, 12]", "Fish, Rice", id="brackets and blanks"),
        pytest.param('["12", "2"]', "Fish, Salt", id="quoted"),
        pytest.param("{2,2,12}", "Fish, Salt", id="repeated"),
        pytest.param("{21}", None, id="unknown"),
        pytest.param("{}", None, id="empty list"),
        pytest.param("", None, id="empty text"),
        pytest.param("{%}", None, id="pattern"),
        pytest.param(None, None, id="null"),
    ],
)
def test_category_ids_match_as_a_whole(load: Load, fact: Fact, ids: str | None, names: str | None) -> None:
    """Category 1 is not in {12}; names come sorted, each once."""
    load(
        {
            "companies": [company()],
            "buyer_seller_company_mappings": [mapping()],
            "teams": [team(product_category_ids=ids), team(21, product_category_ids=ids), team(22, status=0)],
            "product_categories": [category(1, "Rice"), category(2, "Salt "), category(12, "Fish"), category(3, " ")],
            "users": [user(7)],
            "user_company_mappings": [link(30, 7)],
            "team_members": [{"id": 40, "team_id": 20, "user_id": 7, "status": 1}],
        }
    )
    (row,) = fact("fact_vendor")
    assert row["category_names"] == names
    expected = None if names is None else [{"Rice": 1, "Salt": 2, "Fish": 12}[name] for name in names.split(", ")]
    poc_ids = row["poc_category_ids"]
    assert (poc_ids and [int(number) for number in poc_ids.split(",")]) == (expected and sorted(expected))


def test_inactive_teams_and_memberships_lend_no_categories(load: Load, fact: Fact) -> None:
    """Only active teams count for a company, and only active memberships in them for a user."""
    load(
        {
            "companies": [company()],
            "buyer_seller_company_mappings": [mapping()],
            "teams": [team(20, status=0, product_category_ids="{1}"), team(21, product_category_ids="{2}")],
            "product_categories": [category(1, "Rice"), category(2, "Salt")],
            "users": [user(7)],
            "user_company_mappings": [link(30, 7)],
            "team_members": [
                {"id": 40, "team_id": 20, "user_id": 7, "status": 1},
                {"id": 41, "team_id": 21, "user_id": 7, "status": 0},
            ],
        }
    )
    (row,) = fact("fact_vendor")
    assert (row["category_names"], row["poc_category_ids"]) == ("Salt", None)


def test_points_of_contact_are_numbered_by_age(load: Load, fact: Fact) -> None:
    """A vendor has a row for each user who acts for it, once, numbered from the oldest account."""
    load(
        {
            "companies": [company()],
            "buyer_seller_company_mappings": [mapping()],
            "users": [
                user(7, created_at=LATER, phone="7"),
                user(8, first_name=None, last_name=" Iyer "),
                user(9, created_at=None, first_name=None, last_name=None),
                user(6),
            ],
            "user_company_mappings": [
                link(30, 7),
                link(31, 7, designation_id=3, created_at=LATER),
                link(32, 8),
                link(33, 9),
                link(34, 6, status=0),
                link(35, None),
                link(36, 99),
                link(37, 6, company_id=2),
            ],
        }
    )
    rows = sorted(fact("fact_vendor"), key=lambda row: row["poc_sequence"])
    assert [(row["vendor_id_poc_id"], row["poc_sequence"]) for row in rows] == [("1_8", 1), ("1_7", 2), ("1_9", 3)]
    assert [row["poc_name"] for row in rows] == ["Iyer", "Asha Rao 7", None]
    assert [row["poc_designation_id"] for row in rows] == [None, 3, None]
    assert [row["user_count"] for row in fact("fact_company_profile")] == [3]


def test_primary_contact_is_the_company_first(load: Load, fact: Fact) -> None:
    """The phone to call is that of the company, and that of the point of contact only where the company has none."""
    people = {"users": [user(7, phone="777")], "user_company_mappings": [link(30, 7)]}
    for phone, expected in (("111", "111"), ("  ", "777"), (None, "777")):
        load({"companies": [company(phone=phone)], "buyer_seller_company_mappings": [mapping()], **people})
        assert [row["primary_contact_phone"] for row in fact("fact_vendor")] == [expected]


def test_city_and_country_are_optional(load: Load, fact: Fact) -> None:
    """A vendor shows its city and country as far as they are known, and stays a vendor without them."""
    load(
        {
            "companies": [company(1, city_id=50), company(2, city_id=51), company(3, city_id=99), company(4)],
            "buyer_seller_company_mappings": [
                mapping(10 + number, dealing_with_company_id=number) for number in range(1, 5)
            ],
            "cities": [{"id": 50, "name": "Pune", "country_id": 60}, {"id": 51, "name": "Goa", "country_id": 99}],
            "countries": [{"id": 60, "name": "India"}],
        }
    )
    rows = fact("fact_vendor")
    assert [(row["city_name"], row["country_name"]) for row in rows] == [
        ("Pune", "India"),
        ("Goa", None),
        (None, None),
        (None, None),
    ]


def test_tags_are_those_on_companies(load: Load, fact: Fact) -> None:
    """Tag names come from active taggings of type Company, sorted, each once however often it hangs there."""
    load(
        {
            "companies": [company()],
            "buyer_seller_company_mappings": [mapping()],
            "tags": [{"id": number, "name": name} for number, name in enumerate(["b", "a", "a ", "c", "d", None, ""])],
            "taggings": [
                tagging(1, 0),
                tagging(2, 1),
                tagging(3, 1),
                tagging(4, 2),
                tagging(5, 3, taggable_type="User"),
                tagging(6, 4, status=0),
                tagging(7, 5),
                tagging(8, 6),
                tagging(9, 99),
            ],
        }
    )
    assert [row["tag_names"] for row in fact("fact_vendor")] == ["a, b"]
    assert [row["tag_names"] for row in fact("fact_company_profile")] == ["a, b"]


def test_preferred_items_are_counted_once(load: Load, fact: Fact) -> None:
    """An item counts once however often it is mapped, and ids ascend as numbers."""
    items = [(1, 10, 1), (2, 9, 1), (3, 10, 1), (4, 8, 0), (5, None, 1)]
    load(
        {
            "companies": [company()],
            "buyer_seller_company_mappings": [mapping()],
            "preferred_vendor_item_mappings": [
                {"id": row_id, "item_id": item_id, "company_id": 1, "status": status}
                for row_id, item_id, status in items
            ],
        }
    )
    assert [row["preferred_item_ids"] for row in fact("fact_vendor")] == ["9,10"]
    assert [row["preferred_item_count"] for row in fact("fact_relationship")] == [2]


def test_inviters_are_named(load: Load, fact: Fact) -> None:
    """The inviter of a mapping is shown with name and email, and as an id where the user is not known."""
    load(
        {
            "companies": [company(1), company(2)],
            "buyer_seller_company_mappings": [mapping(10), mapping(11, dealing_with_company_id=2, invited_by=99)],
            "users": [user(5, email="asha@example.com")],
        }
    )
    expected = [(5, "Asha Rao 5", "asha@example.com"), (99, None, None)]
    vendors = [(row["invited_by"], row["invited_by_name"], row["invited_by_email"]) for row in fact("fact_vendor")]
    onboarding = [
        (row["onboarding_user"], row["onboarding_user_name"], row["onboarding_user_email"])
        for row in fact("fact_onboarding")
    ]
    assert vendors == onboarding == expected


@pytest.mark.parametrize(
    ("misc", "score"),
    [
        pytest.param('{"score": {"value": 81.23456}}', "81.2346", id="number"),
        pytest.param('{"score": {"value": "-3"}}', "-3", id="text"),
        pytest.param('{"score": {"value": 1e5}}', None, id="exponent"),
        pytest.param('{"score": {"value": 12345678901}}', None, id="too large"),
        pytest.param('{"score": {"value": "high"}}', None, id="word"),
        pytest.param('{"score": {"value": null}}', None, id="null"),
        pytest.param('{"score": 7}', None, id="other shape"),
        pytest.param("{}", None, id="empty object"),
        pytest.param("{broken", None, id="broken"),
        pytest.param("", None, id="empty text"),
        pytest.param(None, None, id="no misc"),
    ],
)
def test_bad_misc_gives_no_score(load: Load, fact: Fact, misc: str | None, score: str | None) -> None:
    """A score that is missing or no plain number is NULL and fails nothing."""
    load({"companies": [company(misc=misc)], "buyer_seller_company_mappings": [mapping()]})
    expected = None if score is None else Decimal(score)
    assert [row["score_value"] for row in fact("fact_vendor")] == [expected]
    assert [row["financial_score"] for row in fact("fact_financial")] == [expected]


@pytest.mark.parametrize(
    ("meta_data", "archived_at"),
    [
        ('{"archived_at": 1714564800}', 1714564800),
        ('{"archived_at": "soon"}', None),
        ('{"archived_at": "9999999999999999999999"}', None),
        ("nothing", None),
        (None, None),
    ],
)
def test_bad_meta_data_gives_no_time(load: Load, fact: Fact, meta_data: str | None, archived_at: int | None) -> None:
    """When a vendor was archived is read from the mapping's JSON, if it is a number there."""
    load({"companies": [company()], "buyer_seller_company_mappings": [mapping(meta_data=meta_data)]})
    assert [row["archived_at"] for row in fact("fact_vendor")] == [archived_at]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {
                "misc": '{"score": {"value": 80}, "credit": {"limit": 1000.555}}',
                "gst_verification": '{"status": "VERIFIED"}',
            },
            ("High", Decimal("1000.56"), "VERIFIED", 1),
            id="all known",
        ),
        pytest.param(
            {
                "misc": '{"score": {"value": 79.9999}, "credit": {"limit": -1}}',
                "gst_verification": '{"status": "failed"}',
            },
            ("Medium", None, "failed", 0),
            id="negative limit",
        ),
        pytest.param(
            {"misc": '{"score": {"value": 49}, "credit": {"limit": "x"}}', "gst_verification": "x"},
            ("Low", None, None, 0),
            id="bad text",
        ),
        pytest.param({}, ("Not Scored", None, None, 0), id="nothing known"),
    ],
)
def test_financial_standing_is_derived(load: Load, fact: Fact, changes: Row, expected: tuple[Any, ...]) -> None:
    """Bands, limits and the verification of a company come from its JSON texts."""
    load({"companies": [company(**changes)]})
    (row,) = fact("fact_financial")
    names = ("financial_score_band", "credit_limit", "gst_verification_status", "is_gst_verified")
    assert tuple(row[name] for name in names) == expected


def test_company_profile_knows_broker_and_city(load: Load, fact: Fact) -> None:
    """A profile names the broker that created the company, and says in words what codes mean."""
    load(
        {
            "companies": [
                company(1, created_by=2, is_verified=True),
                company(2, category=9, is_verified=False, status=0),
            ],
            "teams": [team(20), team(21), team(22, status=0)],
        }
    )
    first, second = fact("fact_company_profile")
    assert (first["broker_company_name"], first["business_category"], first["verification_status"]) == (
        "Firm 2",
        "Selling Firm",
        "Verified",
    )
    assert (second["broker_company_name"], second["business_category"], second["verification_status"]) == (
        None,
        "Unknown",
        "Not Verified",
    )
    assert [(row["is_active"], row["team_count"]) for row in (first, second)] == [(1, 2), (0, 0)]


def test_onboarding_counts_days_and_first_contact(load: Load, fact: Fact) -> None:
    """Days between registration, mapping and first contact are calendar days, negative where the order is another."""
    load(
        {
            "companies": [company(created_at=CREATED)],
            "buyer_seller_company_mappings": [mapping(created_at=LATER), mapping(11, dealing_with_company_id=None)],
            "users": [user(7), user(8, created_at=LATER, email="late@example.com")],
            "user_company_mappings": [link(30, 7), link(31, 8, created_at=LATER)],
        }
    )
    first, second = fact("fact_onboarding")
    assert (first["days_registered_before_onboarding"], first["days_to_first_poc"]) == (31, -31)
    assert (first["poc_count"], first["first_poc_id"], first["first_poc_linked_at"]) == (2, 7, EPOCH)
    assert (second["poc_count"], second["first_poc_id"], second["days_to_first_poc"]) == (0, None, None)


def test_geography_counts_each_city(load: Load, fact: Fact) -> None:
    """A city counts its companies, vendors and users, and is there without any."""
    load(
        {
            "cities": [{"id": 50, "name": "Pune", "country_id": 60}, {"id": 51, "name": "Goa"}],
            "countries": [{"id": 60, "name": "India"}],
            "companies": [
                company(1, city_id=50, is_verified=True, rating=Decimal("4.00")),
                company(2, city_id=50, status=0, is_verified=True, rating=Decimal("4.25")),
                company(3, city_id=50),
                company(4, city_id=99),
                company(5),
                company(6, city_id=50),
            ],
            "buyer_seller_company_mappings": [
                mapping(10),
                mapping(11),
                mapping(12, dealing_with_company_id=3),
                mapping(13, dealing_with_company_id=2),
            ],
            "users": [user(7, city_id=50, is_phone_verified=True), user(8, city_id=50, status=0)],
        }
    )
    pune, goa = fact("fact_geography")
    counts = {name: number for name, number in pune.items() if name.endswith("_count")}
    assert counts == {
        "company_count": 4,
        "active_company_count": 3,
        "verified_company_count": 2,
        "qualified_vendor_count": 2,
        "verified_vendor_count": 1,
        "user_count": 2,
        "active_user_count": 1,
        "phone_verified_user_count": 1,
    }
    assert (pune["country_name"], pune["average_company_rating"]) == ("India", Decimal("4.13"))
    assert pune["first_company_created_at"] == EPOCH
    assert {number for name, number in goa.items() if name.endswith("_count")} == {0}
    assert (goa["country_name"], goa["average_company_rating"]) == (None, None)


def test_long_lists_fit(load: Load, fact: Fact) -> None:
    """More and longer names and ids than LISTAGG can hold are cut to whole entries, and fail nothing."""
    many = 300
    names = [f"{number:0256d}" for number in range(many)]
    ids = range(10**18, 10**18 + 4_000)
    load(
        {
            "companies": [company()],
            "buyer_seller_company_mappings": [mapping()],
            "teams": [team(product_category_ids="{" + ",".join(str(number) for number in range(many)) + "}")],
            "product_categories": [category(number, name) for number, name in enumerate(names)],
            "tags": [{"id": number, "name": name} for number, name in enumerate(names)],
            "taggings": [tagging(number, number) for number in range(many)],
            "preferred_vendor_item_mappings": [
                {"id": number, "item_id": number, "company_id": 1, "status": 1} for number in ids
            ],
        }
    )
    (row,) = fact("fact_vendor")
    assert row["category_names"] == row["tag_names"] == ", ".join(names[:250])
    assert row["preferred_item_ids"] == ",".join(str(number) for number in ids[:3_000])
    assert [row["preferred_item_count"] for row in fact("fact_relationship")] == [len(ids)]


def test_facts_are_empty_without_rows(load: Load, fact: Fact, project: Project) -> None:
    """Empty baselines give empty facts."""
    load({})
    assert {name: fact(name) for name in project.facts} == {name: [] for name in project.facts}

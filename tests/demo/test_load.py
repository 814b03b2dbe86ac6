from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from demo.errors import DemoError

if TYPE_CHECKING:
    from conftest import Demo

COMPANIES = 2_000
QUALIFYING_COMPANY = "companies.status = 1 AND companies.category IN (1, 2, 4)"
QUALIFYING_MAPPING = (
    "mappings.client_company_id = 12855 AND mappings.status IN (1, 2, 7) AND mappings.source IN (0, 1) "
    "AND mappings.invited_by IS NOT NULL"
)
JOINED = (
    "SELECT COUNT(DISTINCT companies.id) FROM public.companies AS companies "
    "LEFT JOIN public.buyer_seller_company_mappings AS mappings ON companies.id = mappings.dealing_with_company_id "
)


@pytest.fixture(scope="module")
def loaded(demo: Demo) -> Demo:
    """The demo warehouse of the default size."""
    demo.load(COMPANIES)
    return demo


def test_the_same_seed_gives_the_same_rows(demo: Demo) -> None:
    """Seed and size decide every value of every table."""
    demo.load(150, seed=7)
    first = demo.checksums("baseline")
    demo.load(150, seed=7)
    assert demo.checksums("baseline") == first


def test_another_seed_gives_other_rows(demo: Demo) -> None:
    """Every table depends on the seed."""
    demo.load(150, seed=7)
    first = demo.checksums("baseline")
    demo.load(150, seed=8)
    second = demo.checksums("baseline")
    assert [source for source in first if first[source] == second[source]] == []


def test_the_number_of_statements_does_not_depend_on_the_size(demo: Demo) -> None:
    """Ten times the companies take the same statements; they have ten times the users, but for the clients' 200."""
    few = demo.load(200)
    statements_for_few = len(demo.opened[-1].statements)
    many = demo.load(2_000)
    assert len(demo.opened[-1].statements) == statements_for_few
    assert many["companies"] == 10 * few["companies"] == 2_000
    assert 9 < (many["users"] - 200) / (few["users"] - 200) < 11


def test_the_counts_are_the_rows_of_the_baseline(demo: Demo) -> None:
    """What load() returns is what the tables hold."""
    counts = demo.load(120)
    assert counts == {name: len(demo.table(source.relation)) for name, source in demo.project.sources.items()}
    assert set(counts) == set(demo.project.sources)


def test_a_warehouse_with_rows_is_refused_and_left_alone(demo: Demo) -> None:
    """Demo data never mix with other data."""
    demo.load(120)
    before = demo.checksums("baseline")
    with pytest.raises(DemoError, match=r"public\.buyer_seller_company_mappings holds 105 rows already"):
        # Not through demo.load, which empties the warehouse first.
        load_into(demo, companies=130)
    assert demo.checksums("baseline") == before


def test_too_few_companies_are_refused(demo: Demo) -> None:
    """A warehouse that can not show every kind is not made."""
    with pytest.raises(DemoError, match="99 companies are too few"):
        load_into(demo, companies=99)


def load_into(demo: Demo, **values: Any) -> None:
    """Load without emptying the warehouse first."""
    from demo.load import load

    load(demo.connect, progress=lambda _: None, **values)


def test_staging_is_empty_and_the_baseline_in_the_past(loaded: Demo) -> None:
    """All is in the baseline, and each version is at least as old as the demo's release."""
    for source in loaded.project.sources.values():
        rows = loaded.table(source.relation)
        assert rows, source.name
        assert loaded.table(source.staging) == []
        assert all(row["created_at"] <= row["updated_at"] < datetime(2026, 1, 1) for row in rows), source.name  # noqa: DTZ001
        assert any(row["created_at"] == row["updated_at"] for row in rows), source.name


def test_keys_are_unique(loaded: Demo) -> None:
    """The warehouse does not check it."""
    for source in loaded.project.sources.values():
        rows, keys = loaded.rows(f"SELECT COUNT(*), COUNT(DISTINCT id) FROM {source.relation}")[0]  # noqa: S608
        assert rows == keys, source.name


def test_three_of_five_companies_qualify(loaded: Demo) -> None:
    """The share of vendors of the client is about 60 %."""
    qualifying = loaded.value(f"{JOINED} WHERE {QUALIFYING_COMPANY} AND {QUALIFYING_MAPPING}")
    assert 0.56 < qualifying / COMPANIES < 0.64


@pytest.mark.parametrize(
    ("company", "mapping"),
    [
        pytest.param("companies.status = 0", QUALIFYING_MAPPING, id="company-inactive"),
        pytest.param("companies.status = 1 AND companies.category = 3", QUALIFYING_MAPPING, id="company-of-category-3"),
        pytest.param("companies.status = 1 AND companies.category = 5", QUALIFYING_MAPPING, id="company-of-category-5"),
        *(
            pytest.param(
                QUALIFYING_COMPANY,
                f"mappings.client_company_id = 12855 AND mappings.status = {status} AND mappings.source IN (0, 1) "
                "AND mappings.invited_by IS NOT NULL",
                id=f"mapping-of-status-{status}",
            )
            for status in (0, 3, 4, 5)
        ),
        *(
            pytest.param(
                QUALIFYING_COMPANY,
                f"mappings.client_company_id = 12855 AND mappings.status IN (1, 2, 7) AND mappings.source {source} "
                "AND mappings.invited_by IS NOT NULL",
                id=f"mapping-of-{name}",
            )
            for name, source in (("another-source", "> 1"), ("unknown-source", "IS NULL"))
        ),
        pytest.param(
            QUALIFYING_COMPANY,
            "mappings.client_company_id = 12855 AND mappings.status IN (1, 2, 7) AND mappings.source IN (0, 1) "
            "AND mappings.invited_by IS NULL",
            id="not-invited",
        ),
        pytest.param(
            QUALIFYING_COMPANY,
            "mappings.client_company_id <> 12855 AND mappings.status IN (1, 2, 7) AND mappings.source IN (0, 1) "
            "AND mappings.invited_by IS NOT NULL",
            id="of-another-client",
        ),
        pytest.param(QUALIFYING_COMPANY, "mappings.id IS NULL", id="no-mapping"),
    ],
)
def test_each_way_not_to_qualify_is_there(loaded: Demo, company: str, mapping: str) -> None:
    """Companies fail to qualify for each reason that the rule has, and for that one alone."""
    assert loaded.value(f"{JOINED} WHERE {company} AND {mapping}") >= 2


def test_some_companies_have_two_mappings(loaded: Demo) -> None:
    """A company deals with two clients, or twice with the client; of the latter some qualify twice."""
    pairs = loaded.rows(
        "SELECT COUNT(DISTINCT client_company_id), SUM(CASE WHEN client_company_id = 12855 AND status IN (1, 2, 7) "
        "AND source IN (0, 1) AND invited_by IS NOT NULL THEN 1 ELSE 0 END) "
        "FROM public.buyer_seller_company_mappings GROUP BY dealing_with_company_id HAVING COUNT(*) = 2"
    )
    assert 100 < len(pairs) < 200
    assert {clients for clients, _ in pairs} == {1, 2}
    assert {qualifying for _, qualifying in pairs} == {0, 1, 2}


def test_vendors_have_none_to_three_contacts(loaded: Demo) -> None:
    """Active user_company_mappings of qualifying vendors: mostly one to three, for some none."""
    query = (
        "SELECT contacts, COUNT(*) FROM (SELECT companies.id, COUNT(links.id) AS contacts "  # noqa: S608
        "FROM public.companies AS companies LEFT JOIN public.user_company_mappings AS links "
        "ON companies.id = links.company_id AND links.status = 1 "
        f"WHERE {QUALIFYING_COMPANY} GROUP BY companies.id) AS counted GROUP BY contacts"
    )
    counts = dict(loaded.rows(query))
    assert min(counts[number] for number in range(4)) > 30
    assert counts[1] > counts[2] > counts[3]
    assert sum(counts[number] for number in range(4)) > 0.97 * sum(counts.values())


def test_every_column_is_filled_somewhere(loaded: Demo) -> None:
    """Each column has values, but for the mark of a removed user, which no baseline has."""
    empty = []
    for source in loaded.project.sources.values():
        rows = loaded.baseline(source.name).values()
        empty += [f"{source.name}.{name}" for name in source.column_names if all(row[name] is None for row in rows)]
    assert empty == ["users.deleted_at"]


@pytest.mark.parametrize(
    ("source", "column", "target"),
    [
        pytest.param(source, column, target, id=f"{source}.{column}")
        for source, column, target in (
            ("companies", "city_id", "cities"),
            ("companies", "created_by", "companies"),
            ("companies", "invited_by", "users"),
            ("companies", "created_by_user", "users"),
            ("buyer_seller_company_mappings", "client_company_id", "companies"),
            ("buyer_seller_company_mappings", "dealing_with_company_id", "companies"),
            ("buyer_seller_company_mappings", "invited_by", "users"),
            ("users", "city_id", "cities"),
            ("users", "company_id", "companies"),
            ("user_company_mappings", "user_id", "users"),
            ("user_company_mappings", "company_id", "companies"),
            ("user_company_mappings", "reporting_user_id", "users"),
            ("teams", "company_id", "companies"),
            ("teams", "parent_team_id", "teams"),
            ("teams", "lead_user_id", "users"),
            ("team_members", "team_id", "teams"),
            ("team_members", "user_id", "users"),
            ("cities", "country_id", "countries"),
            ("product_categories", "parent_id", "product_categories"),
            ("taggings", "tag_id", "tags"),
            ("taggings", "tagged_by_id", "users"),
            ("preferred_vendor_item_mappings", "company_id", "companies"),
        )
    ],
)
def test_references_resolve(loaded: Demo, source: str, column: str, target: str) -> None:
    """More than 95 of 100 references lead to a row."""
    query = (
        f"SELECT COUNT(referring.{column}), COUNT(referred.id) FROM public.{source} AS referring "  # noqa: S608
        f"LEFT JOIN public.{target} AS referred ON referring.{column} = referred.id"
    )
    ((references, found),) = loaded.rows(query)
    assert references > 50
    assert found > 0.95 * references


@pytest.mark.parametrize(
    ("source", "column", "form"),
    [
        pytest.param("companies", "pan_no", r"[A-Z]{3}[CFHP][A-Z]\d{4}[A-Z]", id="pan"),
        pytest.param("companies", "tan_number", r"[A-Z]{4}\d{5}[A-Z]", id="tan"),
        pytest.param("companies", "fssai_code", r"1\d{13}", id="fssai"),
        pytest.param("companies", "gst_no", r"[0-3]\d[A-Z]{5}\d{4}[A-Z]1Z[A-Z]", id="gst"),
        pytest.param("companies", "phone", r"(?:\+91)?[6-9]\d{9}| ", id="phone-of-a-company"),
        pytest.param("users", "phone", r"(?:\+91)?[6-9]\d{9}", id="phone-of-a-user"),
        pytest.param("companies", "email", r"[a-z]+@[a-z0-9-]+\.example", id="email-of-a-company"),
        pytest.param("users", "email", r"[a-z]+\.[a-z]+\d+@[a-z0-9-]+\.example", id="email-of-a-user"),
        pytest.param("cities", "coordinates", r"-?\d+(?:\.\d+)?,-?\d+(?:\.\d+)?", id="coordinates-of-a-city"),
        pytest.param("countries", "phone_prefix", r"\+[\d-]{1,7}", id="phone-prefix"),
        pytest.param(
            "teams",
            "product_category_ids",
            r"\{(?:\d+(?:,\d+){0,3})?\}|\[(?:\d+(?:, \d+){0,3})?\]",
            id="product-category-ids",
        ),
    ],
)
def test_texts_have_their_form(loaded: Demo, source: str, column: str, form: str) -> None:
    """Numbers, addresses and lists look as they do in life."""
    texts = [row[column] for row in loaded.baseline(source).values() if row[column] is not None]
    assert len(texts) > 200
    assert [text for text in texts if not re.fullmatch(form, text)] == []


def test_a_gst_number_holds_the_pan_and_the_state(loaded: Demo) -> None:
    """The tax office's number begins with the code of the company's state and has its PAN inside."""
    states = {row["id"]: row["state_id"] for row in loaded.baseline("cities").values()}
    registered = [
        row for row in loaded.baseline("companies").values() if row["gst_no"] and row["pan_no"] and row["city_id"]
    ]
    assert len(registered) > 1_000
    assert all(row["gst_no"][2:12] == row["pan_no"] for row in registered)
    assert all(int(row["gst_no"][:2]) == states[row["city_id"]] for row in registered)


@pytest.mark.parametrize(
    ("column", "source", "texts"),
    [
        pytest.param(
            "misc",
            "companies",
            [
                r'\{"score": \{"value": \d+\.\d\}, .*',
                r'\{"credit": .*',
                r".*not rated.*",
                r'.*"value": 7\.',
                "",
                r"\{\}",
            ],
            id="scores-also-missing-no-number-or-no-json",
        ),
        pytest.param(
            "product_category_ids", "teams", [r"\{.+\}", r"\[.+\]", r"\{\}", r"\[\]"], id="both-forms-of-lists"
        ),
        pytest.param("name", "companies", [r".*\S ", r".*\S"], id="blanks-at-the-end-of-some-names"),
        pytest.param("name", "tags", [r".*\S ", r".*\S"], id="blanks-at-the-end-of-some-tags"),
        pytest.param("taggable_type", "taggings", ["Company", "User", "Team"], id="tags-on-other-records-too"),
        pytest.param("meta_data", "buyer_seller_company_mappings", [r'\{"archived_at": \d{10}, .*'], id="archived"),
    ],
)
def test_awkward_texts_are_there(loaded: Demo, column: str, source: str, texts: list[str]) -> None:
    """The facts' guards meet what they guard against, and missing values."""
    found = {row[column] for row in loaded.baseline(source).values()}
    assert [text for text in texts if not any(re.fullmatch(text, value) for value in found if value is not None)] == []
    assert column in {"name", "taggable_type"} or None in found


def test_places_are_real(loaded: Demo) -> None:
    """Cities stand where they are, in their country, with its phone prefix."""
    places = loaded.rows(
        "SELECT cities.name, cities.coordinates, cities.state_name, countries.name, countries.phone_prefix "
        "FROM public.cities AS cities INNER JOIN public.countries AS countries ON cities.country_id = countries.id "
        "WHERE cities.geoname_id IN (1275339, 3143244) ORDER BY cities.geoname_id"
    )
    assert places == [
        ("Mumbai", "19.07283,72.88261", "Maharashtra", "India", "+91"),
        ("Oslo", "59.91273,10.74609", None, "Norway", "+47"),
    ]

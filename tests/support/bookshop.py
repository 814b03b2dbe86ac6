"""Rows of the bookshop, and runs over its sources alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from surgical_cdc.dictionary import load_dictionary
from surgical_cdc.steps.cleanup import cleanup
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.detect import detect
from surgical_cdc.steps.prepare import prepare
from surgical_cdc.steps.relevance import relations
from surgical_cdc.steps.sync import sync
from surgical_cdc.steps.verify import verify
from surgical_cdc.values import FactResult
from tests.conftest import at

if TYPE_CHECKING:
    from surgical_cdc.steps.cycle import CycleResult
    from surgical_cdc.values import ChangeSet, Run
    from tests.conftest import Site

ORDER = {
    "order_id": 1,
    "customer_id": 7,
    "status": "open",
    "total": Decimal("10.50"),
    "weight": 0.25,
    "gift": False,
    "note": "by hand",
    "delivery_on": date(2026, 3, 4),
    "placed_at": at(-60),
    "changed_at": at(-60),
}
EDITED = {**ORDER, "changed_at": at(-5)}
PRODUCT = {"product_id": 1, "title": "Atlas", "price": Decimal("30.00"), "changed_at": at(-60)}


def run(site: Site, end: float, **values: Any) -> CycleResult:
    """Run a cycle whose window ends some minutes after noon."""
    return run_cycle(site.project, site.connect, site.run(at(end), **{"run_id": f"until {end}"} | values))


def equal(site: Site) -> bool:
    """Return whether all facts are what their SELECTs give."""
    return all(verify(site.project, fact, site.warehouse).equal for fact in site.project.facts)


class Prepared:
    """A run with its lease and the change sets of some sources."""

    def __init__(self, site: Site, run: Run, sources: Iterable[str] = ("orders",)) -> None:
        """Prepare the run and detect."""
        sources = tuple(sources)
        # As if the trigger form had asked for these alone.
        run = run.model_copy(update={"sources": sources})
        preparation = prepare(site.project, site.warehouse, run)
        assert preparation is not None
        self.site, self.run, self.preparation = site, run, preparation
        self.change_sets: dict[str, ChangeSet] = {}
        for source in sources:
            self.detect(source)
        self.fact_results = {fact: self.result(fact, reason="not of this test") for fact in site.project.facts}

    def detect(self, source: str) -> None:
        """Detect the changes of a source."""
        site = self.site
        self.change_sets[source] = detect(site.project, source, site.warehouse, self.run, self.preparation)

    def result(self, fact: str, **values: Any) -> FactResult:
        """Return a result of a fact that has seen all change sets that feed it."""
        feeding = load_dictionary(self.site.project.dictionary_path).feeding(fact)
        seen = {source: found for source, found in self.change_sets.items() if source in feeding}
        return FactResult(fact=fact, change_sets=relations(seen), **values)

    def sync(self) -> Mapping[str, int]:
        """Sync the run; return what is new in quarantine, by source."""
        site = self.site
        done = sync(site.project, site.warehouse, self.run, self.preparation, self.change_sets, self.fact_results)
        done.require_all(self.run)
        return done.quarantined

    def cleanup(self, failure: str | None = None) -> None:
        """Clean the run up."""
        cleanup(self.site.project, self.site.warehouse, self.run, failure=failure)


def cycle(site: Site, run_id: str, end: float, *sources: str) -> Mapping[str, int]:
    """Prepare, detect, sync and clean up."""
    run = Prepared(site, site.run(at(end), run_id=run_id), sources or ("orders",))
    quarantined = run.sync()
    run.cleanup()
    return quarantined


def first_cycle(site: Site) -> None:
    """Open the shop, and run its first cycle, at noon."""
    open_shop(site)
    run(site, 0)


def open_shop(site: Site) -> None:
    """Stage two customers with two orders each, one line an order, and the products, all before noon."""
    site.stage(
        "customers",
        *(
            {
                "customer_id": key,
                "name": name,
                "country": "IN",
                "closed": False,
                "joined_at": at(-90),
                "changed_at": at(-90),
            }
            for key, name in ((7, "Asha"), (8, "Bela"))
        ),
    )
    site.stage(
        "orders",
        *({**ORDER, "order_id": key, "customer_id": 7 + key % 2, "status": "paid"} for key in range(1, 5)),
    )
    site.stage(
        "order_lines",
        *(
            {
                "line_code": f"{key}-1",
                "order_id": key,
                "product_id": 1 + key % 2,
                "quantity": key,
                "changed_at": at(-60),
            }
            for key in range(1, 5)
        ),
    )
    site.stage("products", PRODUCT, {**PRODUCT, "product_id": 2, "title": "Globe"})

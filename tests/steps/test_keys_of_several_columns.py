"""Sources whose rows are told apart by several columns together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.errors import DataError
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.narrow import not_staged
from surgical_cdc.steps.verify import verify
from tests.conftest import at
from tests.support.small import small, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from surgical_cdc.contract.project import Project
    from surgical_cdc.steps.cycle import CycleResult
    from tests.conftest import Site

# A key of texts that are short enough for tombstones, and of ones of which they keep the digest.
LENGTHS = (16, 200)
SELECT = "SELECT o.shelf, o.box, o.n FROM {{ source('live', 'orders') }} AS o"


def keyed(site: Callable[[Project], Site], folder: Path, length: int, **cdc: Any) -> Site:
    """Give a warehouse with a source of which shelf and box are the key, and a fact of its rows."""
    texts = {"shelf": f"varchar({length})", "box": f"varchar({length})"}
    settings = {"staging": "staging.{name}", "key": ["shelf", "box"], "cursor": "updated_at", **cdc}
    project = small(folder)
    types = {"n": "integer", **texts, "gone": "boolean", "updated_at": "timestamp"}
    project.sources(table("orders", types=types, config={"meta": {"cdc": settings}}))
    project.model("fact", SELECT, "unique_key=['shelf', 'box']", types={**texts, "n": "integer"})
    compiled = project.compile()
    compiled.write()
    return site(compiled.project)


def row(shelf: str | None, box: str | None, n: int, minutes: float, *, gone: bool = False) -> dict[str, Any]:
    """Return a version of a row."""
    return {"shelf": shelf, "box": box, "n": n, "gone": gone, "updated_at": at(minutes)}


def cycle(place: Site, minutes: float) -> CycleResult:
    """Run a cycle up to some minutes after noon."""
    return run_cycle(place.project, place.connect, place.run(at(minutes), run_id=f"at {minutes}"))


def shown(place: Site) -> list[tuple[Any, ...]]:
    """Return the fact, which is what its SELECT gives."""
    assert verify(place.project, "fact", place.warehouse).equal
    return sorted(place.rows("SELECT shelf, box, n FROM facts.fact"))


def test_rows_that_a_verification_misses_are_named_by_the_whole_key(
    site: Callable[[Project], Site], tmp_path: Path
) -> None:
    """Of a missing row the key is the one that is expected, of one that is too much its own."""
    place = keyed(site, tmp_path, 16)
    place.stage("orders", row("a", "1", 5, -1), row("a", "2", 6, -1))
    cycle(place, 0)
    place.execute("UPDATE facts.fact SET box = '3' WHERE box = '2'")
    found = verify(place.project, "fact", place.warehouse)
    assert found.examples == ("a, 2 (missing)", "a, 3 (unexpected)")


@pytest.mark.parametrize("length", LENGTHS)
def test_rows_that_share_a_part_of_the_key_are_others(
    site: Callable[[Project], Site], tmp_path: Path, length: int
) -> None:
    """Each row is compared, updated and deleted by all columns of its key, in which blanks at the end do not count."""
    place = keyed(site, tmp_path, length, delete_when="gone")
    place.stage("orders", row("a", "x", 1, 1), row("a", "y", 2, 1), row("b", "x", 3, 1))
    assert cycle(place, 5).change_sets["orders"].inserts == 3
    place.stage("orders", row("a  ", "y ", 20, 6), row("b", "x", 3, 6, gone=True))
    found = cycle(place, 10).change_sets["orders"]
    assert (found.inserts, found.updates, found.deletes) == (0, 1, 1)
    assert shown(place) == [("a", "x", 1), ("a  ", "y ", 20)]


@pytest.mark.parametrize("length", LENGTHS)
def test_a_tombstone_is_of_one_key_alone(site: Callable[[Project], Site], tmp_path: Path, length: int) -> None:
    """Keys that would be one text, were they only put together, are two: the older version of the other one counts."""
    place = keyed(site, tmp_path, length, delete_when="gone")
    place.stage("orders", row("~/~", "~", 1, 9, gone=True), row("a/b", "c", 1, 9, gone=True))
    assert cycle(place, 10).change_sets["orders"].unknown_deletes == 2
    place.execute("DELETE FROM staging.orders")
    place.stage("orders", row("~", "~/~", 2, 2), row("a", "b/c", 3, 2), row("~/~ ", "~", 4, 2), row("a/b", "c ", 5, 2))
    found = cycle(place, 20).change_sets["orders"]
    assert (found.inserts, found.stale) == (2, 2)
    assert shown(place) == [("a", "b/c", 3), ("~", "~/~", 2)]


def test_a_key_that_is_null_in_part_is_quarantined(site: Callable[[Project], Site], tmp_path: Path) -> None:
    """Without each of its columns nobody can say which row it is."""
    place = keyed(site, tmp_path, 16)
    place.stage("orders", row("a", None, 1, 1), row(None, "x", 2, 1), row("a", "x", 3, 1))
    found = cycle(place, 5).change_sets["orders"]
    assert (found.inserts, found.quarantined, found.rows_compared) == (1, 2, 1)
    reasons = place.rows("SELECT DISTINCT scdc_reason FROM cdc.quarantine__orders")
    assert reasons == [("the key shelf, box is NULL",)]


def test_equally_new_versions_of_a_key_are_told_by_all_its_columns(
    site: Callable[[Project], Site], tmp_path: Path
) -> None:
    """Only what has the whole key in common is a tie."""
    place = keyed(site, tmp_path, 16)
    place.stage("orders", row("a", "x", 1, 1), row("a", "y", 2, 1), row("b", "x", 3, 1), row("b", "x", 4, 1))
    found = cycle(place, 5).change_sets["orders"]
    assert (found.inserts, found.quarantined, found.rows_compared) == (2, 2, 2)


def test_a_key_that_a_baseline_has_twice_is_refused(site: Callable[[Project], Site], tmp_path: Path) -> None:
    """The message has the values of all columns of the key."""
    place = keyed(site, tmp_path, 16)
    place.load("orders", row("a", "x", 1, 1), row("a", "x", 1, 1), row("a", "y", 1, 1))
    place.stage("orders", row("a", "x", 2, 2))
    with pytest.raises(DataError, match=r"the key shelf, box of source orders is not unique.*'a, x' \(2 rows\)"):
        cycle(place, 5)


def test_a_snapshot_deletes_what_lacks_the_whole_key(site: Callable[[Project], Site], tmp_path: Path) -> None:
    """A row that has only a part of its key in common with a staged one is absent."""
    place = keyed(site, tmp_path, 16, load="snapshot")
    place.stage("orders", row("a", "x", 1, 1), row("a", "y", 2, 1), row("b", "x", 3, 1))
    cycle(place, 5)
    place.execute("DELETE FROM staging.orders WHERE shelf = 'a' AND box = 'x'")
    assert cycle(place, 10).change_sets["orders"].deletes == 1
    assert shown(place) == [("a", "y", 2), ("b", "x", 3)]


def test_keys_are_asked_for_by_their_parts(site: Callable[[Project], Site], tmp_path: Path) -> None:
    """A slash parts the columns; one of a value's own has a tilde before it."""
    place = keyed(site, tmp_path, 16)
    place.stage("orders", row("a/", "x", 1, 1), row("a", "y", 2, 1))
    asked = place.run(at(5), run_id="dry", dry_run=True, sources=("orders",), keys=("a~//x", "a/x"))
    found = run_cycle(place.project, place.connect, asked).change_sets["orders"]
    assert found.inserts == 1
    assert not_staged(place.project, "orders", place.warehouse, run=asked) == ["a/x"]

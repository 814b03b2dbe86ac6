"""What costs nothing: sources in which nothing new is staged, and runs that have no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.control import lease
from surgical_cdc.errors import LeaseError
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.verify import verify
from tests.conftest import at
from tests.support.small import CDC, columns, small, table

if TYPE_CHECKING:
    from surgical_cdc.contract.project import Project
    from surgical_cdc.steps.cycle import CycleResult
    from surgical_cdc.warehouse.session import Warehouse
    from tests.conftest import Filled, Site

TYPES = {"id": "bigint", "n": "double precision", "note": "varchar(16)", "gone": "boolean", "updated_at": "timestamp"}
SELECT = """
SELECT o.id, o.note, u.note AS users_note
FROM {{ source('live', 'orders') }} AS o
LEFT JOIN {{ source('live', 'users') }} AS u ON u.id = o.n
"""
FACT = {"id": "bigint", "note": "varchar(16)", "users_note": "varchar(16)"}
# What a run may send that has nothing to do, BEGIN and COMMIT aside.
STATEMENTS = 11


@pytest.fixture(scope="module")
def quiet_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Give a project with two sources and a fact on both."""
    project = small(tmp_path_factory.mktemp("quiet"))
    settings = {"config": {"meta": {"cdc": {**CDC, "delete_when": "gone"}}}, "columns": columns(TYPES)}
    project.sources(table("orders", **settings), table("users", **settings))
    project.model("fact", SELECT, types=FACT)
    compiled = project.compile()
    compiled.write()
    return compiled.project


@pytest.fixture
def opened(filled: Filled, quiet_project: Project) -> Site:
    """Give a warehouse of the project, in which some rows are applied."""
    return filled(quiet_project, some_rows)


def some_rows(place: Site) -> None:
    """Stage them, and apply them."""
    place.stage("orders", row(1, 5, n=0.0), row(1, 2), row(2, 5, note=None), row(3, 5, gone=True), row(4, 90))
    place.stage("users", row(7, 5, note="a  "))
    cycle(place, 10)


def row(key: int | None, minute: float | None, **values: Any) -> dict[str, Any]:
    """Return a version of a row."""
    given = {"id": key, "n": 1.5, "note": "a", "gone": False, "updated_at": None if minute is None else at(minute)}
    return {**given, **values}


def cycle(place: Site, minute: float, **values: Any) -> CycleResult:
    """Run a cycle, after which the fact is what its SELECT gives."""
    done = run_cycle(place.project, place.connect, place.run(at(minute), **{"run_id": f"until {minute}"} | values))
    assert verify(place.project, "fact", place.warehouse).equal
    return done


def test_a_run_without_news_ends_with_prepare(opened: Site) -> None:
    """Applied, superseded and buried versions are no news; what waits is counted, and the ledger has its lines."""
    done = cycle(opened, 20)
    assert done.preparation.ended
    found = done.change_sets["orders"]
    assert (found.rows_compared, found.cells_compared, found.waiting, found.farthest_cursor) == (
        3,
        15,
        1,
        str(at(90)),
    )
    assert done.fact_results["fact"].reason == "no change in orders, users"
    assert done.summary
    assert (done.summary.result, done.summary.seconds) == ("nothing new", {})
    lines = opened.rows("SELECT run_key, result, started_at <= finished_at FROM cdc.runs WHERE kind = 'run' ORDER BY 1")
    assert lines == [("test/until 10", "success", True), ("test/until 20", "nothing new", True)]
    lines = opened.rows("SELECT source_name, rows_compared, waiting FROM cdc.run_sources ORDER BY run_key, 1")
    assert lines[-2:] == [("orders", 3, 1), ("users", 1, 0)]
    assert lease.holder(opened.project, opened.warehouse) is None


def test_a_run_without_news_costs_one_session_and_one_transaction(opened: Site) -> None:
    """The bounds are counted, and no more than they are."""
    sessions: list[Warehouse] = []
    commits: list[None] = []

    def connect() -> Warehouse:
        warehouse = opened.connect()
        commit = warehouse.commit
        warehouse.commit = lambda: (commits.append(None), commit())[1]  # type: ignore[method-assign]
        sessions.append(warehouse)
        return warehouse

    run_cycle(opened.project, connect, opened.run(at(20), run_id="counted"))
    assert (len(sessions), len(commits)) == (1, 1)
    assert len(sessions[0].statements) <= STATEMENTS


@pytest.mark.parametrize(
    ("staged", "counted"),
    [
        pytest.param(row(9, 11), "inserts", id="new key"),
        pytest.param(row(1, 11, note="b"), "updates", id="newer"),
        pytest.param(row(1, 11, n=0.0), "touched", id="newer cursor alone"),
        pytest.param(row(1, 5, n=-0.0), "quarantined", id="equally new, another sign of zero"),
        pytest.param(row(2, 5, note=""), "quarantined", id="equally new, no NULL any more"),
        pytest.param(row(2, 11, gone=True), "deletes", id="deleted"),
        pytest.param(row(9, 11, gone=True), "unknown_deletes", id="deletion of an unknown key"),
        pytest.param(row(3, 11), "inserts", id="newer than its deletion"),
        pytest.param(row(None, 5), "quarantined", id="no key"),
        pytest.param(row(2, None), "quarantined", id="no cursor"),
    ],
)
def test_news_are_detected(opened: Site, staged: dict[str, Any], counted: str) -> None:
    """Whatever a detection would find to say makes the source no quiet one; the other source stays one."""
    opened.stage("orders", staged)
    done = cycle(opened, 20)
    assert not done.preparation.ended
    assert getattr(done.change_sets["orders"], counted) > 0
    assert list(done.preparation.quiet) == ["users"]
    assert done.change_sets["users"].relation == ""


@pytest.mark.parametrize(
    ("cleared", "staged"),
    [
        pytest.param(1, row(1, 3), id="older than the baseline"),
        pytest.param(3, row(3, 3), id="older than its deletion"),
        pytest.param(3, row(3, 5), id="as old as its deletion"),
    ],
)
def test_a_late_version_is_detected_as_stale(opened: Site, cleared: int, staged: dict[str, Any]) -> None:
    """Where it is the newest that is staged, somebody wants to know that it comes to nothing."""
    opened.execute("DELETE FROM staging.orders WHERE id = %s", (cleared,))
    opened.stage("orders", staged)
    assert cycle(opened, 20).change_sets["orders"].stale == 1


def test_a_row_that_was_changed_in_place_is_detected(opened: Site) -> None:
    """An upstream that does not move the cursor is seen all the same, trailing blanks included."""
    opened.execute("UPDATE staging.users SET note = 'a'")
    assert cycle(opened, 20).change_sets["users"].updates == 1


def test_a_window_with_a_start_looks_at_what_is_in_it(opened: Site) -> None:
    """News before it stay for a run that covers them."""
    opened.stage("orders", row(9, 11))
    assert cycle(opened, 20, window_start=at(15)).preparation.ended
    assert cycle(opened, 30).change_sets["orders"].inserts == 1


def test_a_run_of_some_sources_looks_at_these(opened: Site) -> None:
    """News elsewhere stay for a run that covers them."""
    opened.stage("orders", row(9, 11))
    done = cycle(opened, 20, sources=("users",))
    assert (done.preparation.ended, list(done.change_sets)) == (True, ["users"])


def test_a_dry_run_says_what_each_step_found(opened: Site) -> None:
    """It goes on to its end, and frees the lease."""
    done = cycle(opened, 20, dry_run=True)
    assert (done.preparation.ended, done.fact_results["fact"].reason) == (False, "no change in orders, users")
    assert lease.holder(opened.project, opened.warehouse) is None


def test_a_fact_that_is_to_be_built_is(opened: Site) -> None:
    """No news is no reason to leave out a fact that another SELECT has filled."""
    opened.execute("UPDATE cdc.definitions SET fingerprint = 'other'")
    assert cycle(opened, 20).fact_results["fact"].built


def test_a_run_that_waits_for_another_does_not_end(opened: Site) -> None:
    """While a run holds the warehouse nobody knows what it leaves."""
    with opened.warehouse.transaction():
        lease.take(opened.project, opened.warehouse, opened.run(run_id="other"))
    with pytest.raises(LeaseError, match="run test/other holds the warehouse"):
        cycle(opened, 20)

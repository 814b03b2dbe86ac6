from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import redshift_connector
from redshift_connector.error import ProgrammingError

from local_redshift.testing import PASSWORD, administer
from surgical_cdc.control.lease import hold
from surgical_cdc.errors import BoundViews, DataError, LeaseError, PrivilegeError
from surgical_cdc.steps.prepare import prepare
from surgical_cdc.steps.refresh import refresh
from surgical_cdc.steps.update import update
from surgical_cdc.steps.verify import Verification, verify
from surgical_cdc.warehouse.connection import session
from tests.conftest import at
from tests.support.bookshop import EDITED, Prepared, run

if TYPE_CHECKING:
    from local_redshift import LocalRedshift
    from surgical_cdc.warehouse.session import Warehouse
    from tests.conftest import Connect, Site

ORDERS = "shop_public.fact_order"


def verified(site: Site) -> Verification:
    """Verify the orders' fact."""
    return verify(site.project, "fact_order", site.warehouse)


def test_equal_fact_is_verified(open_site: Site) -> None:
    """A fact that is what its SELECT gives is equal, row for row."""
    assert verified(open_site) == Verification("fact_order", rows=4, expected_rows=4, missing=0, unexpected=0)
    assert verified(open_site).equal


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        pytest.param("UPDATE {} SET total = 0 WHERE order_id = 1", (4, 4, 1, 1), id="another value"),
        pytest.param("UPDATE {} SET gift = NULL WHERE order_id = 1", (4, 4, 1, 1), id="NULL"),
        pytest.param("UPDATE {} SET customer_name = 'Bela ' WHERE order_id = 1", (4, 4, 1, 1), id="trailing blank"),
        pytest.param("DELETE FROM {} WHERE order_id = 1", (3, 4, 1, 0), id="missing row"),
        pytest.param("INSERT INTO {} (order_id) VALUES (99)", (5, 4, 0, 1), id="row too many"),
        pytest.param("INSERT INTO {0} SELECT * FROM {0} WHERE order_id = 1", (5, 4, 0, 0), id="duplicate row"),
    ],
)
def test_difference_is_found(open_site: Site, damage: str, expected: tuple[int, ...]) -> None:
    """Whatever is wrong in a fact is counted, be it a blank or a row that is there twice."""
    open_site.execute(damage.format(ORDERS))
    found = verified(open_site)
    assert (found.rows, found.expected_rows, found.missing, found.unexpected) == expected
    assert not found.equal


def test_a_fact_ahead_of_its_baselines_is_told_from_a_wrong_one(open_site: Site) -> None:
    """After a run that failed before its sync, the advice is to let the next one end, not to refresh."""
    open_site.stage("orders", EDITED)
    failed = Prepared(open_site, open_site.run(at(0), run_id="failed"))
    with closing(open_site.connect()) as warehouse:
        update(open_site.project, "fact_order", warehouse, failed.run, failed.preparation, failed.change_sets)
    failed.cleanup(failure="broken")
    assert verified(open_site).pending == 1
    assert "A run has updated 1 of its keys and failed before its sync" in verified(open_site).verdict(
        open_site.project
    )
    run(open_site, 30)
    assert verified(open_site).equal


def test_verification_waits_for_the_run(open_site: Site) -> None:
    """In the middle of a run a fact may be ahead of the baseline, so nothing is verified then."""
    prepare(open_site.project, open_site.warehouse, open_site.run(run_id="second"))
    with pytest.raises(LeaseError, match="Can not verify fact_order now: run test/second holds"):
        verified(open_site)


def test_fact_without_a_table_can_not_be_verified(shop: Site) -> None:
    """The message says how the table comes to be."""
    with pytest.raises(DataError, match=r"fact_order does not exist yet.*refresh fact_order"):
        verified(shop)


def test_refresh_replaces_all_rows(open_site: Site) -> None:
    """A damaged fact is what its SELECT gives again."""
    open_site.execute("DELETE FROM shop_public.fact_order WHERE order_id > 1")
    open_site.execute("UPDATE shop_public.fact_order SET total = 0")
    done = refresh(open_site.project, "fact_order", open_site.warehouse)
    assert (done.deleted, done.inserted) == (1, 4)
    assert verified(open_site).equal


def test_refresh_makes_a_table_with_other_columns_anew(open_site: Site) -> None:
    """After the model has gained or lost columns the table follows."""
    open_site.execute(f"ALTER TABLE {ORDERS} DROP COLUMN total")
    open_site.execute(f"ALTER TABLE {ORDERS} ADD COLUMN colour VARCHAR(8)")
    refresh(open_site.project, "fact_order", open_site.warehouse)
    assert verified(open_site).equal


@pytest.fixture
def people(redshift: LocalRedshift, open_site: Site) -> Iterator[None]:
    """Two users and a group who read facts."""
    for statement in ('CREATE USER "bi:reader"', f"CREATE USER loader PASSWORD '{PASSWORD}'", "CREATE GROUP analysts"):
        administer(redshift, statement)
    yield
    # An owner is let go after what is his: those of a failed test hold the schema still.
    for name in ('"bi:reader"', "loader", "analysts"):
        administer(redshift, f"DROP OWNED BY {name} CASCADE")
        administer(redshift, f"DROP ROLE {name}")
    open_site.clear()


def grants(site: Site) -> list[tuple[str, ...]]:
    """Return what was granted on the orders' fact to others than its owner."""
    return [
        row
        for row in site.rows(
            "SELECT identity_name, identity_type, privilege_type, CASE WHEN admin_option THEN 'grantable' ELSE '' END"
            " FROM svv_relation_privileges WHERE namespace_name = 'shop_public' AND relation_name = 'fact_order'"
            " ORDER BY 1, 3"
        )
        if row[0] != owner(site)
    ]


def owner(site: Site) -> str:
    """Return the owner of the orders' fact."""
    query = "SELECT tableowner FROM pg_tables WHERE schemaname = 'shop_public' AND tablename = 'fact_order'"
    return str(site.rows(query)[0][0])


def change_columns(site: Site) -> None:
    """Let the table of the orders' fact have other columns than the contract."""
    site.execute(f"ALTER TABLE {ORDERS} ADD COLUMN colour VARCHAR(8)")


def tables(site: Site) -> list[tuple[str]]:
    """Return the tables in the facts' schema."""
    return site.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'shop_public' ORDER BY 1")


@pytest.mark.usefixtures("people")
def test_a_new_table_has_the_grants_that_the_project_says(open_site: Site) -> None:
    """Users, groups and PUBLIC, as dbt's adapter has them; what is taken from a table that exists stays so."""
    said = {"select": ("bi:reader", "group analysts", "group:analysts", "public"), "insert": ("user:loader",)}
    fact = open_site.project.fact("fact_order").model_copy(update={"grants": said})
    project = replace(open_site.project, facts={**open_site.project.facts, "fact_order": fact})
    open_site.execute(f"DROP TABLE {ORDERS}")
    refresh(project, "fact_order", open_site.warehouse)
    granted = [row[:3] for row in grants(open_site)]
    assert granted == [
        ("analysts", "group", "SELECT"),
        ("bi:reader", "user", "SELECT"),
        ("loader", "user", "INSERT"),
        ("public", "public", "SELECT"),
    ]
    open_site.execute(f"REVOKE INSERT ON {ORDERS} FROM loader")
    refresh(project, "fact_order", open_site.warehouse)
    assert [row[:3] for row in grants(open_site)] == [row for row in granted if row[0] != "loader"]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("changed", [pytest.param(True, id="other columns"), pytest.param(False, id="same columns")])
def test_refresh_keeps_what_was_granted(open_site: Site, *, changed: bool) -> None:
    """Users, groups and PUBLIC may do with the new table what they might with the old one, and no more."""
    for grant in (
        'SELECT ON {} TO "bi:reader" WITH GRANT OPTION',
        "SELECT, INSERT, DELETE ON {} TO loader",
        "SELECT ON {} TO GROUP analysts",
        "REFERENCES ON {} TO PUBLIC",
    ):
        open_site.execute(f"GRANT {grant.format(ORDERS)}")
    # New tables get this by default; it was taken from this one.
    open_site.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA shop_public GRANT UPDATE ON TABLES TO loader")
    before = grants(open_site)
    assert len(before) == 6
    if changed:
        change_columns(open_site)
    refresh(open_site.project, "fact_order", open_site.warehouse)
    assert grants(open_site) == before
    assert verified(open_site).equal


@pytest.mark.usefixtures("people")
def test_refresh_keeps_the_owner(open_site: Site, redshift: LocalRedshift) -> None:
    """An administrator who refreshes another's fact leaves it to its owner, with what he has granted."""
    open_site.execute(f'GRANT SELECT ON {ORDERS} TO "bi:reader"')
    change_columns(open_site)
    administer(redshift, f"GRANT CREATE, USAGE ON SCHEMA shop_public TO loader; ALTER TABLE {ORDERS} OWNER TO loader")
    administer(redshift, f"ALTER USER {redshift.user} SUPERUSER")
    try:
        before = grants(open_site)
        refresh(open_site.project, "fact_order", open_site.warehouse)
        assert (owner(open_site), grants(open_site)) == ("loader", before)
        assert [row[0] for row in before] == ["bi:reader"]
    finally:
        administer(redshift, f"ALTER USER {redshift.user} NOSUPERUSER")


@pytest.mark.usefixtures("people")
def test_refresh_refuses_what_the_user_does_not_own(open_site: Site, redshift: LocalRedshift) -> None:
    """A user who may not replace the table is told who can help, before anything is written."""
    for name in ("shop_public", "shop_raw", "shop_staging", "cdc"):
        administer(
            redshift, f"GRANT ALL ON SCHEMA {name} TO loader; GRANT ALL ON ALL TABLES IN SCHEMA {name} TO loader"
        )
    change_columns(open_site)
    before = (tables(open_site), open_site.table("cdc.lease", "baseline_run"))
    connection = redshift_connector.connect(**{**redshift.settings, "user": "loader", "password": PASSWORD})
    with (
        closing(session(connection, "tests")) as warehouse,
        pytest.raises(PrivilegeError, match=rf"is {redshift.user}'s, and this user is loader.*OWNER TO \"loader\";"),
    ):
        refresh(open_site.project, "fact_order", warehouse)
    assert (tables(open_site), open_site.table("cdc.lease", "baseline_run")) == before


@pytest.mark.usefixtures("people")
def test_refresh_refuses_to_lose_grants_that_the_user_does_not_see(open_site: Site, redshift: LocalRedshift) -> None:
    """Redshift shows a user the privileges of some others alone; what is hidden would be gone without a word."""
    open_site.execute(f'GRANT SELECT ON {ORDERS} TO "bi:reader"')
    change_columns(open_site)
    hide = "CREATE VIEW shop_public.{0} AS SELECT * FROM pg_catalog.{0} WHERE identity_name <> 'bi:reader'"
    administer(redshift, hide.format("svv_relation_privileges"))
    administer(redshift, "GRANT SELECT ON shop_public.svv_relation_privileges TO PUBLIC")
    open_site.execute("SET search_path TO shop_public, pg_catalog")
    with pytest.raises(PrivilegeError, match=r"1 users and groups have privileges on .*, of which \S+ sees 0"):
        refresh(open_site.project, "fact_order", open_site.warehouse)
    assert tables(open_site) == [("fact_line",), ("fact_order",)]


def test_refresh_names_the_views_that_are_bound_to_the_table(open_site: Site) -> None:
    """A view would go with the table; it is named, with what to do, before anything is written."""
    for create in ("CREATE VIEW shop_public.paid AS {}", "CREATE VIEW shop_raw.open_orders AS {}"):
        open_site.execute(create.format("SELECT order_id, total FROM shop_public.fact_order"))
    assert refresh(open_site.project, "fact_order", open_site.warehouse).inserted == 4
    change_columns(open_site)
    before = open_site.table("cdc.lease", "baseline_run")
    with pytest.raises(BoundViews, match=r"shop_public\.paid, shop_raw\.open_orders\..*WITH NO SCHEMA BINDING"):
        refresh(open_site.project, "fact_order", open_site.warehouse)
    assert (tables(open_site), open_site.table("cdc.lease", "baseline_run")) == (
        [("fact_line",), ("fact_order",)],
        before,
    )


def test_refresh_keeps_the_keys_of_the_table(open_site: Site) -> None:
    """The new table is distributed and sorted as the project says."""
    query = (
        "SELECT column_name, distkey, sortkey FROM svv_redshift_columns"
        " WHERE schema_name = 'shop_public' AND table_name = 'fact_order' AND (distkey OR sortkey <> 0) ORDER BY 3"
    )
    before = open_site.rows(query)
    for _ in range(2):
        change_columns(open_site)
        refresh(open_site.project, "fact_order", open_site.warehouse)
        assert open_site.rows(query) == before != []


# The driver leaves the socket of a session that was killed to the garbage collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("changed", [pytest.param(True, id="other columns"), pytest.param(False, id="same columns")])
@pytest.mark.parametrize("killed", [pytest.param(True, id="killed"), pytest.param(False, id="finished")])
def test_readers_see_the_old_rows_until_the_end(
    open_site: Site, connect: Connect, redshift: LocalRedshift, *, changed: bool, killed: bool
) -> None:
    """While the fact is built nobody waits; a refresh that is killed meanwhile leaves nothing behind."""
    open_site.execute("UPDATE shop_public.fact_order SET total = 0")
    if changed:
        change_columns(open_site)
    before = tables(open_site)
    errors: list[BaseException] = []
    with closing(connect()) as blocker, closing(connect()) as reader, closing(connect()) as builder:
        builder_pid = builder.row("SELECT PG_BACKEND_PID()")[0]
        builder.commit()
        with blocker.transaction():
            blocker.execute("LOCK TABLE shop_raw.orders")

            def build() -> None:
                try:
                    refresh(open_site.project, "fact_order", builder)
                except (ProgrammingError, redshift_connector.InterfaceError, OSError) as error:
                    errors.append(error)

            thread = threading.Thread(target=build)
            thread.start()
            wait_for_lock(reader, builder_pid)
            with reader.transaction():
                # A reader that waits fails.
                reader.execute("SET statement_timeout TO 5000")
                assert reader.rows("SELECT DISTINCT total FROM shop_public.fact_order") == [(0,)]
            if killed:
                administer(redshift, f"SELECT pg_terminate_backend({builder_pid})")
                thread.join()
        thread.join()
        gc.collect()
        with reader.transaction():
            (still,) = reader.row("SELECT COUNT(*) FROM shop_public.fact_order WHERE total = 0")
    assert (bool(errors), still, tables(open_site)) == (killed, 4 if killed else 0, before)
    refresh(open_site.project, "fact_order", open_site.warehouse)
    assert verified(open_site).equal


def wait_for_lock(warehouse: Warehouse, pid: int) -> None:
    """Wait until a session waits for a lock."""
    deadline = time.monotonic() + 30
    waiting = 0
    while not waiting and time.monotonic() < deadline:
        with warehouse.transaction():
            (waiting,) = warehouse.row("SELECT COUNT(*) FROM pg_locks WHERE pid = %s AND NOT granted", (pid,))
    assert waiting


def test_refresh_creates_a_missing_table(shop: Site) -> None:
    """A fact can be built before any run."""
    assert refresh(shop.project, "fact_order", shop.warehouse).inserted == 0
    assert verified(shop).equal


def test_refresh_refuses_wrong_row_keys_and_keeps_the_fact(open_site: Site) -> None:
    """If the SELECT gives a row key twice the fact stays as it was."""
    before = open_site.table(ORDERS, "order_id", "total")
    open_site.execute("INSERT INTO shop_raw.orders SELECT * FROM shop_raw.orders WHERE order_id = 1")
    with pytest.raises(DataError, match=r"row key order_id would be NULL or not unique: 1 \(2 rows\)"):
        refresh(open_site.project, "fact_order", open_site.warehouse)
    assert open_site.table(ORDERS, "order_id", "total") == before


def test_refresh_forgets_keys_that_wait_for_a_sync(open_site: Site) -> None:
    """A refreshed fact is level with the baseline: nothing of it is pending."""
    open_site.execute("INSERT INTO cdc.pending__fact_order (token, anchor) VALUES ('test/lost', 1)")
    refresh(open_site.project, "fact_order", open_site.warehouse)
    assert open_site.table("cdc.pending__fact_order", "anchor") == []


def test_refresh_waits_for_the_run(open_site: Site) -> None:
    """A refresh in the middle of a run would undo what the run's sync then takes for done."""
    prepare(open_site.project, open_site.warehouse, open_site.run(run_id="second"))
    with pytest.raises(LeaseError, match="Can not refresh fact_order now: run test/second holds"):
        refresh(open_site.project, "fact_order", open_site.warehouse)


def test_failed_run_can_not_go_on_after_a_refresh(shop: Site) -> None:
    """The change sets of a run that failed before the refresh are void: the fact no longer shows them."""
    refresh(shop.project, "fact_order", shop.warehouse)
    with pytest.raises(LeaseError, match=r"on a baseline that refresh/fact_order at .* has replaced"):
        hold(shop.project, shop.warehouse, shop.run(at(0)), {None})

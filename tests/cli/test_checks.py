from __future__ import annotations

import gc
import re
import socket
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
import redshift_connector

from local_redshift import LocalRedshift
from local_redshift.testing import administer, database_user
from surgical_cdc.cli.checks import Finding, isolation, run_checks
from surgical_cdc.contract.project import Project, load_project
from surgical_cdc.errors import PrivilegeError
from surgical_cdc.steps.cycle import run_cycle
from surgical_cdc.steps.prepare import prepare
from surgical_cdc.warehouse.advice import refusal
from surgical_cdc.warehouse.connection import connect as connect_to
from surgical_cdc.warehouse.connection import session
from tests.conftest import SHOP, Connect, Site, airflow_connection, schemas_of_project
from tests.random.one_model import one_model
from tests.support.bookshop import EDITED, Prepared, open_shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The driver leaves a socket on which it could not log in to the garbage collector; its SSL context is of an old kind.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:ssl[.]:DeprecationWarning"),
]


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that makes an Airflow connection."""

    def make(running: LocalRedshift, extra: dict[str, Any] | None = None, **settings: Any) -> str:
        settings["extra"] = {"ssl": False, **(extra or {})}
        monkeypatch.setenv("AIRFLOW_CONN_UNDER_TEST", airflow_connection(running, **settings))
        return "under_test"

    return make


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that lets clients in and says nothing."""
    with closing(socket.socket()) as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture
def etl(redshift: LocalRedshift) -> Iterator[Connect]:
    """Open sessions of a user who has been granted nothing."""
    with database_user(redshift, "etl") as settings:
        yield lambda: session(redshift_connector.connect(**settings), "etl")


def found_by(connect: Connect) -> dict[str, Finding]:
    """Return the findings about the bookshop, by the check's name."""
    return {finding.name: finding for finding in run_checks(load_project(SHOP), connect)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"host": "nowhere.invalid"}, "its host has no address. Correct the host", id="host"),
        pytest.param({"port": 9}, "its port is closed. Check the host and port", id="port"),
        pytest.param({"schema": "devv"}, 'database "devv" does not exist. Correct the schema', id="database"),
        pytest.param(
            {"login": "nobody"},
            'authentication failed for user "nobody". Correct the login or the password',
            id="login",
        ),
        pytest.param(
            {"extra": {"tcp_keepalives": True}},
            "does not know: tcp_keepalives (tcp_keepalive?). Correct or remove",
            id="extra",
        ),
        pytest.param(
            {"extra": {"ssl": True}}, "it speaks no SSL. Only the stand-in does so: give the Airflow", id="ssl"
        ),
    ],
)
def test_what_is_wrong_with_a_connection_is_told_apart(
    redshift: LocalRedshift, connection: Callable[..., str], settings: dict[str, Any], message: str
) -> None:
    """A wrong setting, host, port, database or user is each named in one line, and ends the checks of the warehouse."""
    findings = found_by(partial(connect_to, connection(redshift, **settings), label=""))
    assert list(findings) == ["models", "dictionary", "alerts", "connection"]
    assert findings["connection"].state == "FAILED"
    assert message in findings["connection"].text
    assert "\n" not in findings["connection"].text


def test_host_that_says_nothing_is_told(redshift: LocalRedshift, connection: Callable[..., str], silent: int) -> None:
    """A host that takes the connection and stays silent, as a wrong one may, is given up after the timeout."""
    conn_id = connection(redshift, {"timeout": 1}, port=silent)
    assert "it does not answer. Check the host" in found_by(partial(connect_to, conn_id, label=""))["connection"].text


def test_server_of_another_kind_is_told(redshift: LocalRedshift, connection: Callable[..., str]) -> None:
    """A port at which a web server answers, say, is named with the connection that leads there."""

    def answer() -> None:
        client, _ = server.accept()
        with client:
            client.recv(1024)
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        answering = Thread(target=answer)
        answering.start()
        found = found_by(partial(connect_to, connection(redshift, port=port), label=""))["connection"]
        answering.join()
    gc.collect()  # the driver's socket, here rather than in a test that takes its warning for an error
    assert f"What answers at 127.0.0.1:{port} is not Redshift" in found.text
    assert "Correct the host and port of Airflow connection 'under_test'" in found.text


@pytest.mark.parametrize("password", ["wrong", None])
def test_wrong_password_is_told(redshift: LocalRedshift, connection: Callable[..., str], password: str | None) -> None:
    """A password that the server does not take is no closed port and no missing grant."""
    found = found_by(partial(connect_to, connection(redshift, password=password), label=""))["connection"]
    assert 'password authentication failed for user "awsuser". Correct the login or' in found.text


def test_address_of_a_connection_is_told(redshift: LocalRedshift, connection: Callable[..., str]) -> None:
    """Which connection leads where stands in what is reported, in the log of each attempt too."""
    conn_id = connection(redshift, port=9)
    where = f"Airflow connection 'under_test', {redshift.host}:9"
    assert (
        f"can not be reached ({where}): its port is closed"
        in found_by(partial(connect_to, conn_id, label=""))["connection"].text
    )
    with pytest.raises(redshift_connector.InterfaceError) as caught:
        connect_to(conn_id, label="")
    assert f"({where})" in refusal(caught.value)


@pytest.mark.parametrize(
    ("targets", "state", "message"),
    [
        pytest.param("[]", "ok", "names no target, so nobody is told of a failed run", id="none"),
        pytest.param('[{"via": "apprise"}]', "ok", "a failed run is told via apprise", id="right"),
        pytest.param("{oncall", "FAILED", "it is no JSON: Expecting property name", id="no JSON"),
        pytest.param('{"via": "sns"}', "FAILED", "it is no list but dict", id="no list"),
        pytest.param('[{"via": "pigeon"}]', "FAILED", "target 1: Input tag 'pigeon'", id="unknown kind"),
        pytest.param('["oncall"]', "FAILED", "target 1: Input should be a valid dictionary", id="no target"),
        pytest.param(
            '[{"via": "apprise"}, {"via": "sns", "arn": "x"}]',
            "FAILED",
            "target 2: target_arn is missing; target 2: arn is no setting of such a target",
            id="misspelled key",
        ),
        pytest.param(
            '[{"via": "smtp", "to": ["a@example.com"]}]',
            "FAILED",
            "smtp: Airflow knows no connection 'smtp_default'",
            id="unknown connection",
        ),
        pytest.param(
            '[{"via": "sns", "target_arn": "x", "conn_id": "apprise_default"}]',
            "FAILED",
            "sns: the connection 'apprise_default' is of type 'apprise', expected 'aws'",
            id="another type",
        ),
    ],
)
def test_what_is_wrong_with_the_alerts_is_found_before_a_run_fails(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, targets: str, state: str, message: str
) -> None:
    """Whoever sets up alerts is told what of them would not arrive."""
    monkeypatch.setenv("AIRFLOW_VAR_SURGICAL_CDC_ALERTS", targets)
    monkeypatch.setenv("AIRFLOW_CONN_APPRISE_DEFAULT", '{"conn_type": "apprise"}')
    finding = found_by(connect)["alerts"]
    assert finding.state == state
    assert message in finding.text


def test_tables_of_another_user_do_not_seem_to_be_missing(shop: Site, etl: Connect) -> None:
    """A run by a user who may not read the control tables says so at once, and does not try to create them."""
    open_shop(shop)
    prepare(shop.project, shop.warehouse, shop.run())
    for schema_name in schemas_of_project(shop.project):
        shop.execute(f"GRANT USAGE, CREATE ON SCHEMA {schema_name} TO etl")
    with (
        closing(etl()) as warehouse,
        pytest.raises(PrivilegeError, match=r"may not read cdc\.lease, cdc\.runs, .*`.* check --project .*` lists it"),
    ):
        prepare(shop.project, warehouse, shop.run(run_id="second"))


def test_missing_grants_are_listed_as_statements(shop: Site, etl: Connect) -> None:
    """Running the GRANTs that `check` lists, until it lists none, lets the user run a whole cycle and verify it."""
    open_shop(shop)
    for _ in range(2):
        privileges = found_by(etl)["privileges"]
        assert privileges.state == "FAILED"
        grants = re.findall(r"GRANT .*(?=;)", privileges.text)
        assert grants
        for grant in grants:
            shop.execute(grant)
    assert found_by(etl)["privileges"] == Finding("privileges", "ok", "user etl may read and write what a run does")
    done = run_cycle(shop.project, etl, shop.run())
    assert done.fact_results["fact_order"].inserted == 4
    assert all(finding.state == "ok" for finding in found_by(etl).values())


def test_one_missing_grant_is_named(shop: Site, etl: Connect) -> None:
    """A privilege that is missing on one table is asked for on that table alone."""
    run_cycle(shop.project, shop.connect, shop.run())
    for schema in ("shop_staging", "shop_raw", "shop_public", "cdc", "cdc_scratch"):
        shop.execute(f"GRANT USAGE, CREATE ON SCHEMA {schema} TO etl")
        shop.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO etl")
    shop.execute("REVOKE INSERT, DELETE ON shop_raw.orders FROM etl")
    assert found_by(etl)["privileges"].text == (
        "user etl lacks privileges. An owner or an administrator can run:\n"
        '  GRANT INSERT, DELETE ON "shop_raw"."orders" TO "etl";'
    )


def test_isolation_level_is_reported(redshift: LocalRedshift, shop: Site) -> None:
    """SNAPSHOT is as it should be; under SERIALIZABLE a run works too, and the advice has the statement."""
    assert found_by(shop.connect)["isolation"] == Finding("isolation", "ok", "Snapshot Isolation")
    administer(redshift, "ALTER DATABASE dev SET default_transaction_isolation = 'serializable'")
    try:
        found = found_by(shop.connect)["isolation"]
    finally:
        administer(redshift, "ALTER DATABASE dev SET default_transaction_isolation = 'repeatable read'")
    assert found.state == "WARNING"
    assert found.text.startswith("Serializable: tasks that run side by side may be sent back")
    assert found.text.endswith('ALTER DATABASE "dev" ISOLATION LEVEL SNAPSHOT')


def test_isolation_level_is_reported_without_stv_views(redshift: LocalRedshift, shop: Site, etl: Connect) -> None:
    """Serverless and Multi-AZ have no STV views for an ordinary user; a refusal would end the checks' transaction."""
    administer(redshift, "REVOKE SELECT ON stv_db_isolation_level FROM PUBLIC")
    try:
        with closing(etl()) as warehouse, warehouse.transaction():
            assert isolation(shop.project, warehouse) == "Snapshot Isolation"
    finally:
        administer(redshift, "GRANT SELECT ON stv_db_isolation_level TO PUBLIC")


def test_tables_with_other_keys_are_listed(shop: Site) -> None:
    """A table that is distributed or sorted in another way than the project says is slow, not wrong."""
    assert found_by(shop.connect)["keys"].state == "ok"
    shop.execute("DROP TABLE shop_staging.customers")
    shop.execute("CREATE TABLE shop_staging.customers (LIKE shop_raw.customers)")
    keys = found_by(shop.connect)["keys"]
    assert keys.state == "WARNING"
    assert keys.text.splitlines()[1:] == [
        "  shop_staging.customers: distributed without a key, expected by customer_id",
        "  shop_staging.customers: sorted by nothing, expected by changed_at",
    ]


def test_tables_of_the_engine_have_keys(shop: Site) -> None:
    """A change set is distributed and sorted by what the sync joins it by; what is kept, by what it is read by."""
    open_shop(shop)
    Prepared(shop, shop.run(), ["orders"])
    keys = shop.rows(
        "SELECT schema_name, table_name, column_name, distkey FROM svv_redshift_columns"
        " WHERE schema_name IN ('cdc', 'cdc_scratch') AND (distkey OR sortkey <> 0)"
    )
    assert sorted((schema, table.partition("__")[0], column, dist) for schema, table, column, dist in keys) == [
        *[("cdc", "history", "scdc_at", False)] * (len(shop.project.sources) + len(shop.project.facts)),
        ("cdc", "run_columns", "run_key", False),
        ("cdc", "run_facts", "run_key", False),
        ("cdc", "run_sources", "run_key", False),
        ("cdc", "runs", "started_at", False),
        ("cdc", "tombstones", "row_key", False),
        ("cdc", "tombstones", "source_name", False),
        ("cdc_scratch", "orders", "order_id", True),
    ]


def test_statement_that_the_warehouse_refuses_is_found(site: Callable[[Project], Site], tmp_path: Path) -> None:
    """What compiles and can not be run is named by its fact and purpose, and nothing of the rehearsal stays."""
    sql = "SELECT o.id, SOUNDEX(o.note) AS sound FROM {{ source('live', 'orders') }} AS o"
    project = one_model(tmp_path, sql, "id sound:varchar(8)")
    place = site(project)
    (found,) = [finding for finding in run_checks(project, place.connect) if finding.name == "statements"]
    assert found.state == "FAILED"
    assert found.text.startswith(
        "fact fact: The warehouse refuses (Fills fact): function soundex(character varying) does not exist"
    )
    assert place.rows("SELECT 1 FROM information_schema.tables WHERE table_schema IN ('cdc', 'cdc_scratch')") == []


def test_rehearsal_writes_no_row(changed: Site) -> None:
    """A check beside a warehouse that is in use leaves all as it was."""
    place = changed
    relations = [*(fact.relation for fact in place.project.facts.values()), "shop_raw.orders", "cdc.lease", "cdc.runs"]
    before = {relation: sorted(map(str, place.rows(f"SELECT * FROM {relation}"))) for relation in relations}  # noqa: S608
    assert {finding.name: finding.state for finding in run_checks(place.project, place.connect)}["statements"] == "ok"
    assert before == {relation: sorted(map(str, place.rows(f"SELECT * FROM {relation}"))) for relation in relations}  # noqa: S608


@pytest.fixture
def changed(open_site: Site) -> Site:
    """The bookshop after its first run, with a change staged."""
    open_site.stage("orders", {**EDITED, "note": "changed"})
    return open_site

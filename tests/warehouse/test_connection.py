from __future__ import annotations

import json
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from local_redshift.testing import administer
from surgical_cdc.dag.dags import RETRIES
from surgical_cdc.errors import ConnectionNotFound, ConnectionSettingError
from surgical_cdc.warehouse.connection import CONNECT_SECONDS, STATEMENT_TIMEOUT, connect, driver_arguments
from tests.conftest import airflow_connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local_redshift import LocalRedshift

CLUSTER, WORKGROUP, REGION = "warehouse", "analytics", "eu-west-1"


@pytest.fixture
def connection(redshift: LocalRedshift, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that makes an Airflow connection to the stand-in, with other settings than its own."""

    def make(extra: dict[str, Any] | None = None, **settings: Any) -> str:
        values = {
            "conn_type": "redshift",
            "host": redshift.host,
            "port": redshift.port,
            "schema": redshift.database,
            "login": redshift.user,
            "password": redshift.password,
            "extra": {"ssl": False, **(extra or {})},
        }
        monkeypatch.setenv("AIRFLOW_CONN_UNDER_TEST", json.dumps({**values, **settings}))
        return "under_test"

    return make


def settings_of(conn_id: str, label: str = "dag/task/run") -> dict[str, Any]:
    """Return what a session has as its settings."""
    names = ("statement_timeout", "query_group", "error_on_nondeterministic_update", "application_name")
    with closing(connect(conn_id, label=label)) as warehouse, warehouse.transaction():
        return {name: warehouse.row(f"SELECT CURRENT_SETTING('{name}')")[0] for name in names}


def test_session_has_its_settings(connection: Callable[..., str]) -> None:
    """A session is labelled for the query log, ends a statement that takes too long, and refuses to guess."""
    assert settings_of(connection()) == {
        "statement_timeout": "45min",
        "query_group": "dag/task/run",
        "error_on_nondeterministic_update": "true",
        "application_name": "surgical_cdc",
    }


def test_settings_outlive_a_transaction_that_is_rolled_back(connection: Callable[..., str]) -> None:
    """The settings are the session's, not those of its first transaction."""
    with closing(connect(connection(), label="kept")) as warehouse:
        with warehouse.transaction(dry_run=True):
            warehouse.execute("SELECT 1")
        with warehouse.transaction():
            assert warehouse.row("SELECT CURRENT_SETTING('query_group')") == ("kept",)


@pytest.mark.parametrize(
    ("label", "kept"),
    [
        pytest.param('vendor_cdc/update.fact/manual__it\'s \\ 100% "so"', None, id="quotes"),
        pytest.param("x" * 400, "x" * 320, id="long"),
    ],
)
def test_label_is_a_value(connection: Callable[..., str], label: str, kept: str | None) -> None:
    """A run may have any id that Airflow allows; it is bound, and cut to what the query log keeps."""
    assert settings_of(connection(), label)["query_group"] == (kept or label)


def test_statement_ends_before_its_task_would_be_killed() -> None:
    """A statement may take less time than the task that waits for it."""
    assert RETRIES["execution_timeout"] > STATEMENT_TIMEOUT


def test_socket_waits_for_long_statements(connection: Callable[..., str]) -> None:
    """The bound on the time to connect is none on the statements; a timeout in the extras is."""
    with closing(connect(connection(), label="")) as warehouse:
        assert warehouse._connection._usock.gettimeout() is None
    with closing(connect(connection({"timeout": CONNECT_SECONDS + 1}), label="")) as warehouse:
        assert warehouse._connection._usock.gettimeout() == CONNECT_SECONDS + 1


@pytest.mark.parametrize("extra", ["[1]", "ssl=false", '"ssl"'])
def test_extra_that_is_no_object_is_named(redshift: LocalRedshift, monkeypatch: pytest.MonkeyPatch, extra: str) -> None:
    """Airflow takes any text for an extra; one that is no JSON object would be passed over, or end in a TypeError."""
    monkeypatch.setenv("AIRFLOW_CONN_UNDER_TEST", airflow_connection(redshift, extra=extra))
    with pytest.raises(ConnectionSettingError, match=r"has an extra that is no JSON object. Expected one like {.ssl"):
        driver_arguments("under_test")


@pytest.mark.parametrize(
    ("extra", "settings", "message"),
    [
        pytest.param({}, {"conn_type": "postgres"}, "is of type 'postgres'. Give it the type redshift", id="type"),
        pytest.param({}, {"port": "543x"}, "in AIRFLOW_CONN_UNDER_TEST: Expected integer value for `port`", id="port"),
        pytest.param({}, {"port": 543900}, "has the port 543900. Give it one from 1 to 65535", id="port-too-large"),
        pytest.param({}, {"host": ""}, "'under_test' lacks: host. ", id="host"),
        pytest.param({}, {"schema": "", "login": ""}, r"lacks: schema \(the database\), login \(the", id="two"),
        pytest.param({"iam": True}, {"login": ""}, r"lacks: login \(the database user\)", id="user-of-a-cluster"),
        pytest.param({"iam": True, "is_serverless": True}, {}, "lacks: extra serverless_work_group", id="no-workgroup"),
        pytest.param(
            {"tcp_keep_alive": True, "x": 1},
            {},
            r"does not know: tcp_keep_alive \(tcp_keepalive\?\), x\. Correct or",
            id="unknown",
        ),
        pytest.param(
            {"iam": True, "profile": "dev"},
            {},
            "come from the Airflow connection aws_default; profile would have no effect",
            id="other-identity",
        ),
    ],
)
def test_wrong_setting_is_named(
    connection: Callable[..., str], extra: dict[str, Any], settings: dict[str, Any], message: str
) -> None:
    """A setting that is missing, or that nobody would read, is refused before anything goes over the network."""
    with pytest.raises(ConnectionSettingError, match=message):
        driver_arguments(connection(extra, **settings))


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("redshift://login:secret@host:543x/dev", id="port"),
        pytest.param("redshift://login:se/cret@host:5439/dev", id="password-not-encoded"),
    ],
)
def test_unreadable_connection_shows_no_password(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    """A URI that Airflow can not read is an error of its own, which shows no part of it."""
    monkeypatch.setenv("AIRFLOW_CONN_UNDER_TEST", uri)
    with pytest.raises(ConnectionSettingError, match="AIRFLOW_CONN_UNDER_TEST: its port is no number") as raised:
        driver_arguments("under_test")
    assert "'se'" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_unknown_connection_is_named() -> None:
    """A connection that Airflow does not know is an error that says how to add it."""
    with pytest.raises(ConnectionNotFound, match="AIRFLOW_CONN_NOWHERE"):
        connect("nowhere", label="")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Moto's AWS with a provisioned cluster, and the connection aws_default that leads to it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", aws_connection(endpoint))
    client = boto3.client(
        "redshift",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.create_cluster(
        ClusterIdentifier=CLUSTER, NodeType="ra3.large", MasterUsername="awsuser", MasterUserPassword="Passw0rd"
    )
    yield client
    client.delete_cluster(ClusterIdentifier=CLUSTER, SkipFinalClusterSnapshot=True)
    server.stop()


@pytest.fixture
def serverless(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """The one call of AWS's API for serverless that is made, since moto has none of it; yields what was asked."""
    asked: list[dict[str, Any]] = []

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["X-Amz-Target"] == "RedshiftServerless.GetCredentials"
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            answer = {"dbUser": "IAMR:etl", "dbPassword": "a token for an hour", "expiration": 1_800_000_000}
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_arguments: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", aws_connection(f"http://127.0.0.1:{server.server_port}"))
    yield asked
    server.shutdown()
    server.server_close()


def aws_connection(endpoint: str) -> str:
    """Return aws_default with keys, a region and an endpoint."""
    extra = {"region_name": REGION, "endpoint_url": endpoint}
    return json.dumps({"conn_type": "aws", "login": "test", "password": "test", "extra": extra})


@pytest.fixture
def user(redshift: LocalRedshift) -> Iterator[Callable[[str], None]]:
    """Make a database user; Redshift itself takes the prefix of a temporary user away, the stand-in does not."""
    made: list[str] = []

    def make(name: str) -> None:
        made.append(name)
        administer(redshift, f'CREATE USER "{name}" IN ROLE iam')

    yield make
    for name in made:
        administer(redshift, f'DROP USER "{name}"')


def current_user(conn_id: str) -> str:
    """Return the database user as whom a connection logs in."""
    with closing(connect(conn_id, label="")) as warehouse, warehouse.transaction():
        return str(warehouse.row("SELECT CURRENT_USER")[0])


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({"cluster_identifier": CLUSTER}, id="least"),
        pytest.param({"cluster_identifier": CLUSTER, "region": REGION, "db_user": "etl"}, id="as-the-plain-hook-needs"),
    ],
)
def test_iam_on_a_cluster(
    aws: Any, connection: Callable[..., str], user: Callable[[str], None], extra: dict[str, Any]
) -> None:
    """A user of a cluster logs in by a token that AWS gives for aws_default; there is no password anywhere."""
    user("IAM:etl")
    conn_id = connection({"iam": True, **extra}, login="etl", password=None)
    arguments = driver_arguments(conn_id)
    assert arguments["user"] == "IAM:etl"
    assert len(arguments["password"]) == 32
    assert current_user(conn_id) == "IAM:etl"


def test_cluster_is_known_by_its_host(aws: Any, connection: Callable[..., str]) -> None:
    """Where the host is AWS's own the cluster need not be named."""
    host = f"{CLUSTER}.c0ffee.{REGION}.redshift.amazonaws.com"
    assert driver_arguments(connection({"iam": True}, login="etl", host=host))["user"] == "IAM:etl"


def test_aws_says_what_it_lacks(aws: Any, connection: Callable[..., str]) -> None:
    """AWS's own words about a cluster that it does not have reach the user."""
    with pytest.raises(ClientError, match="Cluster elsewhere not found"):
        driver_arguments(connection({"iam": True, "cluster_identifier": "elsewhere"}, login="etl"))


def test_iam_on_serverless(
    serverless: list[dict[str, Any]], connection: Callable[..., str], user: Callable[[str], None]
) -> None:
    """On serverless AWS says who the user is; it is asked once a session, and may be asked for a longer token."""
    user("IAMR:etl")
    conn_id = connection(
        {
            "iam": True,
            "is_serverless": True,
            "serverless_work_group": WORKGROUP,
            "serverless_token_duration_seconds": 900,
        },
        login=None,
        password=None,
    )
    assert current_user(conn_id) == "IAMR:etl"
    assert serverless == [{"dbName": "dev", "workgroupName": WORKGROUP, "durationSeconds": 900}]

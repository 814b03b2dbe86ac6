from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from surgical_cdc.connection import CONNECT_SECONDS, STATEMENT_TIMEOUT, connect, driver_arguments
from surgical_cdc.dag import RETRIES
from surgical_cdc.errors import ConnectionNotFound, ConnectionSettingError
from tests.conftest import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_redshift import LocalRedshift


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
            "password": PASSWORD,
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
        "error_on_nondeterministic_update": "on",
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


@pytest.mark.parametrize(
    ("extra", "settings", "message"),
    [
        pytest.param({}, {"conn_type": "postgres"}, "is of type 'postgres'. Give it the type redshift", id="type"),
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


def test_unknown_connection_is_named() -> None:
    """A connection that Airflow does not know is an error that says how to add it."""
    with pytest.raises(ConnectionNotFound, match="AIRFLOW_CONN_NOWHERE"):
        connect("nowhere", label="")

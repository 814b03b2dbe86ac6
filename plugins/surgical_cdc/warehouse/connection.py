"""Opens a session through an Airflow connection of type redshift."""

from __future__ import annotations

import inspect
import json
import os
import socket
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from surgical_cdc.errors import ConnectionNotFound, ConnectionSettingError, did_you_mean, shortened
from surgical_cdc.warehouse.retries import of_network, server_answer
from surgical_cdc.warehouse.session import Warehouse
from surgical_cdc.warehouse.templates import render

if TYPE_CHECKING:
    from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook
    from airflow.sdk import Connection

# Shorter than a task may take (RETRIES in dag.py), so that a statement whose task was killed ends soon after it.
STATEMENT_TIMEOUT = timedelta(minutes=45)
# Of SYS_QUERY_HISTORY; older views keep the first 30 characters.
LABEL_LENGTH = 320
# A serverless workgroup that sleeps answers within some seconds; a host behind a closed firewall never does.
CONNECT_SECONDS = 30
DEFAULT_PORT, LAST_PORT = 5439, 65535
DEFAULTS: dict[str, Any] = {
    "application_name": "surgical_cdc",
    "timeout": CONNECT_SECONDS,
    # A long statement is silent, and AWS's own gateways forget a connection after 350 s of silence.
    "tcp_keepalive_idle": 60,
    "tcp_keepalive_interval": 10,
    "tcp_keepalive_count": 6,
    # A session runs each of its statements once, and the driver ends those that it keeps one by one, with a round trip
    # each, after every CREATE and DROP.
    "max_prepared_statements": 0,
}
# What the hook reads to get a token. The driver must not see it, or it would log in to AWS a second time, as another
# identity than the hook's, and throw the hook's token away.
FOR_THE_TOKEN = frozenset(
    {
        "iam",
        "is_serverless",
        "serverless_work_group",
        "serverless_token_duration_seconds",
        "serverless_acct_id",
        "cluster_identifier",
        "region",
        "db_user",
    }
)
# By these the driver chooses an identity of its own; with a token they would have no effect.
OTHER_IDENTITIES = frozenset(
    {
        "access_key_id",
        "auth_profile",
        "auto_create",
        "credentials_provider",
        "db_groups",
        "endpoint_url",
        "group_federation",
        "profile",
        "secret_access_key",
        "session_token",
    }
)

TYPES_FOR_THE_TOKEN = {"serverless_token_duration_seconds": int}
# What JSON has, as messages call it; and what the driver annotates.
FOUND = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number with a fraction",
    list: "a list",
    dict: "an object",
}
EXPECTED: dict[Any, str] = {
    str: "a string",
    bool: "true or false, without quotes",
    int: "a whole number, without quotes",
}
MOST_SECONDS = 24 * 60 * 60


def connect(conn_id: str, *, label: str, statement_timeout: timedelta = STATEMENT_TIMEOUT) -> Warehouse:
    """Open a session with the driver's settings of that connection: password, IAM or serverless.

    Args:
        conn_id: Airflow connection of type redshift.
        label: what the session is for, as `<dag>/<task>/<run>`; Redshift's query log shows it.
        statement_timeout: how long a statement may take.

    Raises:
        ConnectionNotFound: Airflow knows no connection of that name.
        ConnectionSettingError: it lacks a setting, has one that the driver does not know, or leads to another server.
    """
    import redshift_connector
    from redshift_connector.error import Error

    arguments = driver_arguments(conn_id)
    address = f"{arguments['host']}:{arguments.get('port', DEFAULT_PORT)}"
    try:
        opened = redshift_connector.connect(**{**DEFAULTS, **arguments})
    except KeyError as error:
        # The driver looks up the first letter of what it is told.
        raise ConnectionSettingError(
            f"What answers at {address} is not Redshift: it speaks another protocol. Correct the host and port of"
            f" Airflow connection {conn_id!r}."
        ) from error
    except (Error, OSError) as error:
        if not server_answer(error) and not of_network(error):
            raise ConnectionSettingError(
                f"The driver does not take the settings of Airflow connection {conn_id!r}: {error}. Correct its extras."
            ) from error
        error.add_note(f"Airflow connection {conn_id!r}, {address}")
        raise
    return session(opened, label, timeout=arguments.get("timeout"), statement_timeout=statement_timeout)


def driver_arguments(conn_id: str) -> dict[str, Any]:
    """Return the arguments of redshift_connector.connect for an Airflow connection, with a token from AWS if it asks.

    The hook's own get_conn is not used: with IAM it logs in twice, and it tries five times before it says what is
    wrong.

    Raises:
        ConnectionNotFound: Airflow knows no connection of that name.
        ConnectionSettingError: it lacks a setting, or has one that the driver does not know.
    """
    # Here, not above: importing Airflow takes a second, which only a task that needs the warehouse should spend.
    from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    hook = RedshiftSQLHook(redshift_conn_id=conn_id)
    try:
        connection = hook.conn
    except AirflowNotFoundException as error:
        _check_variable(conn_id)
        raise ConnectionNotFound(
            f"Airflow knows no connection {shortened(conn_id)}. Add one of type redshift under that name (`airflow"
            f" connections add`), or set {shortened(f'AIRFLOW_CONN_{conn_id.upper()}')}."
        ) from error
    extra = _extra(conn_id, connection)
    _check_settings(conn_id, hook, extra)
    user, password, port = connection.login, connection.password, connection.port
    if extra.get("iam"):
        user, password, port = hook.get_iam_token(connection)
    arguments = {name: value for name, value in extra.items() if name not in FOR_THE_TOKEN}
    arguments |= {"host": connection.host, "database": connection.schema, "user": user, "password": password}
    return {**arguments, "port": port} if port else arguments


def session(
    connection: Any, label: str, *, timeout: float | None = None, statement_timeout: timedelta = STATEMENT_TIMEOUT
) -> Warehouse:
    """Take over a connection that redshift_connector has opened; `timeout` in seconds is the socket's from now on."""
    # The driver sends a statement of more than 8 KB in two parts and leaves Nagle's algorithm on, so that the second
    # part waits 40 ms for the server's acknowledgement of the first. It has no setting for this.
    connection._usock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # noqa: SLF001
    # A statement may take long; statement_timeout ends it on both sides, the socket's timeout only on this one.
    connection._usock.settimeout(timeout)  # noqa: SLF001
    # Settings that are made in a transaction go with it when it is rolled back.
    connection.autocommit = True
    milliseconds = statement_timeout // timedelta(milliseconds=1)
    try:
        with connection.cursor() as cursor:
            cursor.execute(render("open_session"), (str(milliseconds), label[:LABEL_LENGTH]))
    except BaseException:
        Warehouse(connection).close()
        raise
    connection.autocommit = False
    return Warehouse(connection)


def _check_variable(conn_id: str) -> None:
    """Refuse an environment variable that holds no connection: Airflow says no more than that it found none."""
    from airflow.sdk import Connection

    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    value = os.environ.get(variable, "").strip()
    try:
        if value.startswith("{"):
            read = Connection.from_json(value, conn_id=conn_id)
        elif value:
            read = Connection.from_uri(value, conn_id=conn_id)
        else:
            return
    except Exception as error:  # noqa: BLE001 - whatever it is, Airflow has passed over it
        # What is wrong in a URI may be a password that is not encoded, and the error would show a part of it.
        why = (
            str(error).rstrip(".")
            if value.startswith("{")
            else "its port is no number from 0 to 65535, or its password or another part is not percent-encoded"
        )
        raise ConnectionSettingError(
            f"Airflow can not read the connection {conn_id!r} in {variable}: {why}. Correct the variable."
        ) from None
    for name in ("host", "schema", "login", "password"):
        _check_type(f"{variable}, which holds Airflow connection {conn_id!r}", name, getattr(read, name), str)


def _extra(conn_id: str, connection: Connection) -> dict[str, Any]:
    """Return the extras of a connection; Airflow takes any JSON for them, and passes over what is none."""
    try:
        is_object = isinstance(json.loads(connection.extra or "{}"), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise ConnectionSettingError(
            f'Airflow connection {conn_id!r} has an extra that is no JSON object. Expected one like {{"ssl": false}}.'
        )
    # Read so, what is secret among them is masked in logs.
    return dict(connection.extra_dejson)


def _check_settings(conn_id: str, hook: RedshiftSQLHook, extra: dict[str, Any]) -> None:
    """Refuse settings that are missing or that nobody reads, before anything goes over the network."""
    import redshift_connector

    connection = hook.conn
    where = f"Airflow connection {conn_id!r}"
    if connection.conn_type != "redshift":
        raise ConnectionSettingError(
            f"{where} is of type {connection.conn_type!r}. Give it the type redshift (Amazon Redshift)."
        )
    if connection.port is not None and not 0 <= connection.port <= LAST_PORT:
        raise ConnectionSettingError(f"{where} has the port {connection.port}. Give it one from 1 to {LAST_PORT}.")
    iam, serverless = extra.get("iam"), extra.get("is_serverless")
    needed = {"host": connection.host, "schema (the database)": connection.schema}
    if not serverless:
        needed["login (the database user)"] = connection.login
    if iam and serverless:
        needed["extra serverless_work_group"] = extra.get("serverless_work_group")
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise ConnectionSettingError(
            f"{where} lacks: {', '.join(missing)}. See docs/reference/connection.md for its three forms."
        )
    known = {*inspect.signature(redshift_connector.connect).parameters, *FOR_THE_TOKEN}
    unknown = [name for name in extra if name not in known]
    if unknown:
        hints = [f"{name}{did_you_mean(name, known)}" for name in unknown]
        raise ConnectionSettingError(
            f"{where} has extras that redshift_connector does not know: {', '.join(hints)}. Correct or remove them."
        )
    _check_types(where, extra, get_type_hints(redshift_connector.connect) | TYPES_FOR_THE_TOKEN)
    useless = sorted(OTHER_IDENTITIES.intersection(extra))
    if iam and useless:
        raise ConnectionSettingError(
            f"{where} has the extra iam, with which the credentials come from the Airflow connection aws_default;"
            f" {', '.join(useless)} would have no effect. Remove them, and set up aws_default."
        )


def _check_types(where: str, extra: Mapping[str, Any], types: Mapping[str, Any]) -> None:
    """Refuse extras that the driver would misread: it takes the text "true" for no, and opens a session without SSL."""
    for name, value in extra.items():
        _check_type(where, f"extra {name}", value, types[name])
    seconds = extra.get("timeout")
    if seconds is not None and not 1 <= seconds <= MOST_SECONDS:
        beyond = "less than 1" if seconds < 1 else f"more than {MOST_SECONDS}"
        raise ConnectionSettingError(
            f"{where}: extra timeout is {beyond}. Expected seconds from 1 to {MOST_SECONDS}, or none for no bound."
        )


def _check_type(where: str, name: str, value: Any, annotated: Any) -> None:
    """Refuse a value of another type; the message has the types alone, since the value may be secret."""
    try:
        TypeAdapter(annotated | None).validate_python(value, strict=True)
    except ValidationError:
        of_one = (text for kind, text in EXPECTED.items() if annotated in (kind, kind | None))
        expected = next(of_one, "a list of strings")
        raise ConnectionSettingError(f"{where}: {name} is {FOUND[type(value)]}. Expected {expected}.") from None

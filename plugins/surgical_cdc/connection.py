"""Opens a session through an Airflow connection of type redshift."""

from __future__ import annotations

import socket
from typing import Any

from surgical_cdc.errors import ConnectionNotFound
from surgical_cdc.warehouse import Warehouse


def connect(conn_id: str) -> Warehouse:
    """Open a session with the driver's settings of that connection: password, IAM or serverless.

    Raises:
        ConnectionNotFound: Airflow knows no connection of that name.
    """
    # Here, not above: importing Airflow takes a second, which only a task that needs the warehouse should spend.
    from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        connection = RedshiftSQLHook(redshift_conn_id=conn_id).get_conn()
    except AirflowNotFoundException as error:
        raise ConnectionNotFound(
            f"Airflow knows no connection {conn_id!r}. Add one of type redshift under that name (`airflow connections"
            f" add`), or set AIRFLOW_CONN_{conn_id.upper()}."
        ) from error
    return session(connection)


def session(connection: Any) -> Warehouse:
    """Take over a connection that redshift_connector has opened."""
    # The driver sends a statement of more than 8 KB in two parts and leaves Nagle's algorithm on, so that the second
    # part waits 40 ms for the server's acknowledgement of the first. It has no setting for this.
    connection._usock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # noqa: SLF001
    return Warehouse(connection)

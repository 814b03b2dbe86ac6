from __future__ import annotations

import asyncio
import json
import os
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
from redshift_connector.core import Connection
from redshift_connector.error import ProgrammingError

from local_redshift import LocalRedshift, LocalRedshiftError
from local_redshift.testing import Connect, administer
from local_redshift.testing import connect as connect_to
from local_redshift.wire.gateway import Client

ROOT = Path(__file__).resolve().parents[2]
Rows = Callable[..., list[tuple[Any, ...]]]


def test_types_make_the_round_trip(rows: Rows) -> None:
    """Each type that the warehouse uses comes back as it was bound."""
    rows(
        "CREATE TEMP TABLE t (a SMALLINT, b INT, c BIGINT, d NUMERIC(38, 9), e FLOAT8, f BOOLEAN, g VARCHAR(20),"
        " h CHAR(3), i DATE, j TIMESTAMP, k TIMESTAMP)"
    )
    values = (
        *(1, -2, 2**62, Decimal("12345678901234567890.123456789"), 0.5, True),
        # A TIMESTAMP has no zone.
        *("ünïcode'\\", "abc", date(2024, 2, 29), datetime(2024, 2, 29, 1, 2, 3, 456789), None),  # noqa: DTZ001
    )
    rows("INSERT INTO t VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)", *values)
    assert rows("SELECT * FROM t") == [values]


def test_a_transaction_rolls_back_with_its_tables(session: Connection, rows: Rows) -> None:
    """DDL and rows of a transaction disappear together."""
    rows("CREATE TABLE gone AS SELECT 1 AS a")
    session.rollback()
    with pytest.raises(ProgrammingError, match="42P01"):
        rows("SELECT * FROM gone")


def test_an_error_keeps_its_sqlstate_and_the_session(session: Connection, rows: Rows) -> None:
    """The server's error reaches the driver whole, and after a rollback the session works again."""
    with pytest.raises(ProgrammingError) as raised:
        rows("SELECT 1 / NVL(NULL, 0)")
    assert raised.value.args[0]["C"] == "22012"
    session.rollback()
    assert rows("SELECT 1") == [(1,)]


def test_a_transaction_reads_one_snapshot(connect: Connect) -> None:
    """As under Redshift's SNAPSHOT isolation, a second query does not see what was committed since the first."""
    writer, reader = connect(), connect()
    writer.autocommit = True
    writer.cursor().execute("CREATE TABLE counted (a INT)")
    try:
        cursor = reader.cursor()
        cursor.execute("SELECT COUNT(*) FROM counted")
        writer.cursor().execute("INSERT INTO counted VALUES (1)")
        cursor.execute("SELECT COUNT(*) FROM counted")
        assert cursor.fetchone() == [0]
        reader.rollback()
        cursor.execute("SELECT COUNT(*) FROM counted")
        assert cursor.fetchone() == [1]
        reader.rollback()
    finally:
        writer.cursor().execute("DROP TABLE counted")


def test_many_sessions_at_once(redshift: LocalRedshift) -> None:
    """Twenty sessions get each its own answers."""

    def ask(number: int) -> list[Any]:
        connection = connect_to(redshift)
        try:
            cursor = connection.cursor()
            answers = []
            for step in range(20):
                cursor.execute("SELECT NVL(NULL, %s::INT) * 100 + %s::INT", (number, step))
                answers.append(cursor.fetchone())
            return answers
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        for number, answers in enumerate(pool.map(ask, range(20))):
            assert answers == [[number * 100 + step] for step in range(20)]


def test_a_large_result_and_a_large_statement(rows: Rows) -> None:
    """Many megabytes pass in each direction, also where a statement is translated."""
    fetched = rows("SELECT n, REPEAT('x', 100) FROM generate_series(1, 200000) AS n")
    assert len(fetched) == 200_000
    assert fetched[-1] == (200_000, "x" * 100)
    literal = "y" * 16_000_000
    assert rows(f"SELECT LENGTH('{literal}')") == [(16_000_000,)]
    assert rows(f"SELECT NVL(NULL, LEN('{literal}'))") == [(16_000_000,)]


def test_three_hundred_statements_take_well_under_a_second(rows: Rows) -> None:
    """The gateway adds little to a statement."""
    started = time.monotonic()
    for number in range(300):
        # A text of its own each time: the driver prepares a repeated one but once.
        assert rows(f"SELECT NVL(NULL, {number})") == [(number,)]
    assert time.monotonic() - started < 2


def test_answers_are_sent_at_once(tmp_path: Path) -> None:
    """A client's connection has TCP_NODELAY; without it a statement can take 30 ms more, on some kernels and days."""

    async def option() -> int:
        accepted = asyncio.get_running_loop().create_future()

        class Accepted(Client):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                accepted.set_result(transport.get_extra_info("socket"))

        # The same kind of listener as the command's.
        listener = socket.create_server(("127.0.0.1", 0))
        async with await asyncio.get_running_loop().create_server(lambda: Accepted(tmp_path), sock=listener):
            _reader, writer = await asyncio.open_connection(*listener.getsockname())
            value = (await accepted).getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            writer.close()
            await writer.wait_closed()
        return int(value)

    assert asyncio.run(option()) == 1


def test_the_hook_of_airflow(redshift: LocalRedshift, monkeypatch: pytest.MonkeyPatch) -> None:
    """RedshiftSQLHook works with a connection of type redshift from the environment."""
    from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook

    connection = {
        "conn_type": "redshift",
        "host": redshift.host,
        "port": redshift.port,
        "schema": redshift.database,
        "login": redshift.user,
        "password": redshift.password,
        "extra": {"ssl": False},
    }
    monkeypatch.setenv("AIRFLOW_CONN_STAND_IN", json.dumps(connection))
    hook = RedshiftSQLHook(redshift_conn_id="stand_in")
    hook.run(["CREATE TABLE hooked (a INT) DISTSTYLE ALL", "INSERT INTO hooked VALUES (1), (2)"])
    try:
        assert [tuple(row) for row in hook.get_records("SELECT NVL(a, 0) FROM hooked ORDER BY a DESC")] == [(2,), (1,)]
    finally:
        hook.run("DROP TABLE hooked")


def test_the_metadata_database_is_reached_over_the_socket(redshift: LocalRedshift) -> None:
    """Airflow's own database has PostgreSQL's defaults, and an owner of its own."""
    connection = psycopg2.connect(redshift.metadata_uri.replace("+psycopg2", ""))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, current_database(), current_setting('transaction_isolation')")
            assert cursor.fetchone() == ("airflow", "airflow", "read committed")
    finally:
        connection.close()


def test_an_unknown_user_is_refused(redshift: LocalRedshift) -> None:
    """The server's refusal reaches the driver, and does not tell that there is no such user."""
    # Not by redshift_connector, which leaves the socket of a failed connection open.
    with pytest.raises(psycopg2.OperationalError, match='password authentication failed for user "nobody_here"'):
        psycopg2.connect(host=redshift.host, port=redshift.port, dbname="dev", user="nobody_here", password="x")


def test_encryption_is_refused_and_the_connection_goes_on(redshift: LocalRedshift) -> None:
    """To the request for SSL the gateway answers N, and waits for the startup packet."""
    with socket.create_connection((redshift.host, redshift.port)) as client:
        client.sendall((8).to_bytes(4, "big") + (80877103).to_bytes(4, "big"))
        assert client.recv(1) == b"N"
        body = (196608).to_bytes(4, "big") + b"user\0awsuser\0database\0dev\0client_protocol_version\0002\0\0"
        client.sendall((len(body) + 4).to_bytes(4, "big") + body)
        assert client.recv(1) == b"R"


def test_what_is_no_message_ends_its_own_connection_alone(redshift: LocalRedshift, rows: Rows) -> None:
    """A message of an impossible length is the end of its session; others go on."""
    startup = struct.pack("!i", 3 << 16) + b"user\0awsuser\0database\0dev\0\0"
    with socket.create_connection((redshift.host, redshift.port), timeout=10) as client:
        client.sendall(struct.pack("!i", 4 + len(startup)) + startup)
        assert client.recv(1) == b"R"
        client.sendall(b"X" + struct.pack("!i", -1))
        while client.recv(4096):
            pass
    assert rows("SELECT 1") == [(1,)]


def test_a_running_statement_can_be_cancelled(redshift: LocalRedshift, connect: Connect) -> None:
    """A cancel request passes through the gateway."""
    watcher = connect()
    watcher.autocommit = True
    connection = psycopg2.connect(
        host=redshift.host,
        port=redshift.port,
        dbname="dev",
        user=redshift.user,
        password=redshift.password,
        sslmode="prefer",
    )

    endless = "SELECT COUNT(*) FROM pg_proc AS a, pg_proc AS b, pg_proc AS c"

    def is_running() -> bool:
        cursor = watcher.cursor()
        cursor.execute("SELECT COUNT(*) FROM pg_stat_activity WHERE state = 'active' AND query = %s", (endless,))
        return bool(cursor.fetchone() == [1])

    try:
        with ThreadPoolExecutor(1) as pool, connection.cursor() as cursor:
            asked = pool.submit(cursor.execute, endless)
            _wait_for(is_running)
            connection.cancel()
            with pytest.raises(psycopg2.errors.QueryCanceled):
                asked.result(10)
    finally:
        connection.close()


def _wait_for(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def _processes(data: Path) -> list[int]:
    running = psutil.process_iter(["cmdline"])
    return [each.pid for each in running if any(str(data) in word for word in each.info["cmdline"] or [])]


def test_data_outlives_a_restart_and_a_crash(tmp_path: Path) -> None:
    """What was committed is there after a stop, and after all processes were killed at once."""
    data = tmp_path / "data"
    with LocalRedshift(data=data, port=0) as first:
        connection = connect_to(first)
        connection.autocommit = True
        connection.cursor().execute("CREATE TABLE kept AS SELECT 1 AS a")
        connection.close()
    assert _processes(data) == []

    second = LocalRedshift(data=data, port=0).start()
    connection = connect_to(second)
    connection.autocommit = True
    connection.cursor().execute("INSERT INTO kept VALUES (2)")
    connection.close()
    for pid in _processes(data):
        os.kill(pid, signal.SIGKILL)
    second.stop()

    with LocalRedshift(data=data, port=0) as third:
        connection = connect_to(third)
        cursor = connection.cursor()
        cursor.execute("SELECT SUM(a) FROM kept")
        assert cursor.fetchone() == [3]
        connection.close()


def test_an_occupied_port_is_named(redshift: LocalRedshift, tmp_path: Path) -> None:
    """Starting on a port in use says which, and how to go on."""
    with pytest.raises(LocalRedshiftError, match=rf"port {redshift.port} is in use(.|\n)*To do: .*--port 0"):
        LocalRedshift(data=tmp_path, port=redshift.port).start()


def test_an_occupied_data_folder_is_named(redshift: LocalRedshift) -> None:
    """A data folder has one stand-in at a time."""
    with pytest.raises(LocalRedshiftError, match=r"in use by another local Redshift(.|\n)*To do: stop it"):
        LocalRedshift(data=redshift.data, port=0).start()


def test_an_old_installation_is_brought_up_to_date(tmp_path: Path) -> None:
    """A data folder of an older checkout gets the functions of this one, beside what was made with them."""
    data = tmp_path / "data"
    with LocalRedshift(data=data, port=0) as old:
        connection = connect_to(old)
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE dated (a INT SORTKEY)")
        cursor.execute("CREATE VIEW later AS SELECT DATEADD(day, 1, '2024-01-01') AS a")
        connection.close()
        administer(old, "UPDATE local_redshift.installed SET version = 'old'")
        administer(old, "DROP FUNCTION pg_catalog.charindex(TEXT, TEXT)")
    with LocalRedshift(data=data, port=0) as new:
        connection = connect_to(new)
        cursor = connection.cursor()
        cursor.execute("SELECT CHARINDEX('b', 'abc'), (SELECT COUNT(*) FROM later), (SELECT COUNT(*) FROM dated)")
        assert cursor.fetchone() == [2, 1, 0]
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_that_it_is_ready_and_stops_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    """`python -m local_redshift` prints one line, and a signal ends it and PostgreSQL with status 0."""
    command = subprocess.Popen(
        [sys.executable, "-m", "local_redshift", "--port", "0", "--data", tmp_path / "data"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with command:
        assert command.stdout is not None
        assert re.fullmatch(r"The password of awsuser, which is not printed again: \S{24}\n", command.stdout.readline())
        assert "Local Redshift is ready on 127.0.0.1:" in command.stdout.readline()
        command.send_signal(number)
        assert command.wait(15) == 0
        assert command.stdout.read() == ""
    assert _processes(tmp_path) == []


STARTER = """
import sys, time
from pathlib import Path
from local_redshift import LocalRedshift
LocalRedshift(data=Path(sys.argv[1]), port=0).start()
print("started", flush=True)
time.sleep(600)
"""


def test_everything_ends_with_a_killed_parent(tmp_path: Path) -> None:
    """When the program that started it is killed, the gateway and PostgreSQL stop."""
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, tmp_path / "data"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "started\n"
        assert len(_processes(tmp_path)) > 2
        starter.kill()
    _wait_for(lambda: _processes(tmp_path) == [])


def test_postgres_ends_with_a_killed_gateway(tmp_path: Path) -> None:
    """When the gateway itself is killed, PostgreSQL stops, and the data folder can be used again."""
    killed = LocalRedshift(data=tmp_path / "data", port=0).start()
    assert killed._gateway is not None
    killed._gateway.kill()
    killed.stop()
    _wait_for(lambda: _processes(tmp_path) == [])
    LocalRedshift(data=tmp_path / "data", port=0).start().stop()


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    """A data folder whose path is too long for a socket works as any other."""
    data = tmp_path / ("long" * 20) / "data"
    with LocalRedshift(data=data, port=0) as started:
        assert str(data) not in started.metadata_uri
        psycopg2.connect(started.metadata_uri.replace("+psycopg2", "")).close()


AS_ORDINARY_USER = """
import sys
from pathlib import Path
import redshift_connector
from local_redshift import LocalRedshift
with LocalRedshift(data=Path(sys.argv[1]), port=0) as redshift:
    connection = redshift_connector.connect(**redshift.settings)
    cursor = connection.cursor()
    cursor.execute("SELECT NVL(NULL, 7)")
    print(cursor.fetchone())
"""


def test_an_ordinary_user_needs_nothing_of_roots(tmp_path: Path) -> None:
    """The stand-in runs as whoever starts it; root's tests try it as another user too."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command: list[str | Path] = [sys.executable, "-c", AS_ORDINARY_USER, tmp_path / "data"]
    account: int | None = None
    if os.geteuid() == 0:
        account = pwd.getpwnam("daemon").pw_uid
        os.chown(tmp_path, account, account)
        # The way to a folder of pytest, or to a checkout, may be root's alone.
        setpriv = shutil.which("setpriv")
        assert setpriv is not None
        words = [f"--reuid={account}", f"--regid={account}", "--clear-groups"]
        command = [setpriv, *words, "--inh-caps=+dac_override", "--ambient-caps=+dac_override", *command]
    ran = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.stdout == "[7]\n", ran.stderr
    if account is not None:
        assert (tmp_path / "data" / "postgres").stat().st_uid == account

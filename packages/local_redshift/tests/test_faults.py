"""Faults that the gateway lets happen, as the real driver meets them."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from redshift_connector.core import Connection
from redshift_connector.error import InterfaceError, ProgrammingError

from local_redshift import Fault, FaultKind, LocalRedshift, LocalRedshiftError
from local_redshift.testing import Connect, administer
from local_redshift.testing import connect as connect_to

ERRORS = {
    FaultKind.SERIALIZATION: {
        "S": "ERROR",
        "C": "XX000",
        "M": "1023",
        "D": (
            "Serializable isolation violation on table - 12345, "
            "transactions forming the cycle are: 4711, 4712 (pid:4713)"
        ),
    },
    FaultKind.OID: {"S": "ERROR", "C": "XX000", "M": "could not open relation with OID 12345"},
    FaultKind.CONFLICT: {
        "S": "ERROR",
        "C": "XX000",
        "M": "could not complete because of conflict with concurrent transaction",
    },
}
BEGIN, INSERT, COMMIT = 1, 2, 3


# Set up before a test's sessions and so torn down after them: none is left then that locks the table.
@pytest.fixture(autouse=True)
def kept(redshift: LocalRedshift) -> Iterator[Callable[[], int]]:
    """Return the committed number of rows of the table t, read past the gateway so that it is not counted."""
    watcher = psycopg2.connect(
        host=redshift.administrator["host"], dbname="dev", user="awsuser", password=redshift.password
    )
    watcher.autocommit = True
    with watcher.cursor() as cursor:
        cursor.execute("CREATE TABLE t (a INT)")

        def count() -> int:
            cursor.execute("SELECT COUNT(*) FROM t")
            row = cursor.fetchone()
            assert row is not None
            return int(row[0])

        yield count
        redshift.clear_faults()
        cursor.execute("DROP TABLE t")
    watcher.close()


def write(connection: Connection) -> None:
    """Run the three statements of a transaction."""
    connection.cursor().execute("INSERT INTO t VALUES (%s)", (1,))
    connection.commit()


@pytest.mark.parametrize("statement", [BEGIN, INSERT, COMMIT])
def test_a_connection_is_cut_before_a_statement(
    redshift: LocalRedshift, connect: Connect, kept: Callable[[], int], statement: int
) -> None:
    """The connection is reset, the server has not run the statement, and the work before it is lost."""
    connection = connect()
    redshift.set_fault(Fault(FaultKind.CUT_BEFORE, statement))
    with pytest.raises(ConnectionResetError):
        write(connection)
    assert (redshift.struck, redshift.clear_faults()) == (1, statement)
    with pytest.raises((ConnectionError, InterfaceError)):
        connection.cursor().execute("SELECT 1")
    assert kept() == 0


@pytest.mark.parametrize(("statement", "rows"), [(BEGIN, 0), (INSERT, 0), (COMMIT, 1)])
def test_a_connection_is_cut_after_a_statement(
    redshift: LocalRedshift, connect: Connect, kept: Callable[[], int], statement: int, rows: int
) -> None:
    """The server has run it, and the client does not know: after a COMMIT the rows are there."""
    connection = connect()
    redshift.set_fault(Fault(FaultKind.CUT_AFTER, statement))
    with pytest.raises(InterfaceError, match="server socket closed"):
        write(connection)
    assert (redshift.struck, redshift.clear_faults()) == (1, statement)
    assert kept() == rows


def test_a_statement_on_its_own_is_kept_when_its_answer_is_cut(
    redshift: LocalRedshift, connect: Connect, kept: Callable[[], int]
) -> None:
    """With autocommit the cut comes when the server has committed, also when it has much to say."""
    connection = connect()
    connection.autocommit = True
    redshift.set_fault(Fault(FaultKind.CUT_AFTER, 1, times=2))
    with pytest.raises(InterfaceError):
        connection.cursor().execute("INSERT INTO t VALUES (1), (2), (3)")
    assert kept() == 3
    with pytest.raises(InterfaceError):
        connect().cursor().execute("SELECT a, REPEAT('x', 1000000) FROM t")
    assert redshift.struck == 2


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_leaves_the_transaction_failed(
    redshift: LocalRedshift, connect: Connect, kept: Callable[[], int], kind: FaultKind
) -> None:
    """The driver raises Redshift's error; the transaction refuses more until it is rolled back, then all is well."""
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("INSERT INTO t VALUES (%s)", (0,))
    redshift.set_fault(Fault(kind, 1))
    with pytest.raises(ProgrammingError) as raised:
        cursor.execute("INSERT INTO t VALUES (%s)", (1,))
    assert raised.value.args[0] == ERRORS[kind]
    with pytest.raises(ProgrammingError, match="25P02"):
        cursor.execute("SELECT 1")
    connection.rollback()
    assert (kept(), redshift.struck) == (0, 1)
    write(connection)
    assert kept() == 1


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_at_commit_ends_the_transaction(
    redshift: LocalRedshift, connect: Connect, kept: Callable[[], int], kind: FaultKind
) -> None:
    """What was not committed is gone, and the session is free for the next transaction without a rollback."""
    connection = connect()
    connection.cursor().execute("INSERT INTO t VALUES (1)")
    redshift.set_fault(Fault(kind, 1))
    with pytest.raises(ProgrammingError) as raised:
        connection.commit()
    assert raised.value.args[0] == ERRORS[kind]
    assert not connection.in_transaction
    assert kept() == 0
    write(connection)
    assert kept() == 1


def test_a_prepared_statement_is_counted_each_time(
    redshift: LocalRedshift, connect: Connect, kept: Callable[[], int]
) -> None:
    """The driver prepares a text once; the fault strikes its third run, also of a COMMIT prepared before it was set."""
    connection = connect()
    write(connection)
    redshift.set_fault(Fault(FaultKind.SERIALIZATION, 3 + COMMIT))
    write(connection)
    with pytest.raises(ProgrammingError, match="1023"):
        write(connection)
    assert redshift.clear_faults() == 6
    assert not connection.in_transaction
    assert kept() == 2


def test_the_statements_of_all_connections_are_counted(
    redshift: LocalRedshift, connect: Connect, kept: Callable[[], int]
) -> None:
    """A fault strikes as many statements in a row as it says, whoever sends them, and none before or after."""
    redshift.set_fault(Fault(FaultKind.OID, 6, times=2))
    write(connect())
    first, second = connect(), connect()
    first.cursor().execute("SELECT 1")
    for connection in (second, first):
        with pytest.raises(ProgrammingError, match="OID 12345"):
            connection.cursor().execute("SELECT 1")
    assert kept() == 1
    write(second)
    assert (redshift.struck, redshift.clear_faults(), kept()) == (2, 10, 2)
    write(second)
    assert (redshift.clear_faults(), kept()) == (10, 3)


def test_a_statement_that_the_server_refuses_to_prepare_is_not_counted(
    redshift: LocalRedshift, connect: Connect, kept: Callable[[], int]
) -> None:
    """A statement counts when it is run."""
    connection = connect()
    redshift.set_fault(Fault(FaultKind.CONFLICT, 4))
    with pytest.raises(ProgrammingError, match="42P01"):
        connection.cursor().execute("SELECT * FROM missing")
    assert (redshift.struck, redshift.clear_faults(), kept()) == (0, 1, 0)


def test_a_statement_waits(redshift: LocalRedshift, connect: Connect, kept: Callable[[], int]) -> None:
    """A delayed statement reaches the server later and ends well; other sessions do not wait for it."""
    delayed, free = connect(), connect()
    free.cursor().execute("SELECT 1")
    redshift.set_fault(Fault(FaultKind.DELAY, INSERT, seconds=2.0))
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        written = pool.submit(write, delayed)
        while not redshift.struck:
            assert not written.done()
        free.cursor().execute("SELECT 2")
        assert time.monotonic() - started < 2.0
        assert kept() == 0
        written.result(10)
    assert time.monotonic() - started >= 2.0
    assert (redshift.clear_faults(), kept()) == (4, 1)


def test_a_delayed_statement_is_counted_once_when_it_comes_in_pieces(redshift: LocalRedshift) -> None:
    """What follows the statement while it waits does not shorten its delay."""
    administer(redshift, "CREATE USER unasked IN ROLE iam")
    startup = (196608).to_bytes(4, "big") + b"user\0unasked\0database\0dev\0\0"
    with socket.create_connection((redshift.host, redshift.port)) as client, client.makefile("rb") as answers:
        client.sendall((len(startup) + 4).to_bytes(4, "big") + startup)

        def wait_until_ready() -> None:
            while (kind := answers.read(1)) != b"Z":
                assert kind
                answers.read(int.from_bytes(answers.read(4), "big") - 4)
            answers.read(5)

        wait_until_ready()
        redshift.set_fault(Fault(FaultKind.DELAY, 1, seconds=0.5))
        started = time.monotonic()
        messages = {b"P": b"\0SELECT 1\0\0\0", b"B": b"\0\0\0\0\0\0\0\0", b"E": b"\0\0\0\0\0"}
        client.sendall(b"".join(k + (len(m) + 4).to_bytes(4, "big") + m for k, m in messages.items()))
        while not redshift.struck:
            assert time.monotonic() - started < 10
        client.sendall(b"S\0\0\0\x04")
        wait_until_ready()
    assert time.monotonic() - started >= 0.5
    assert redshift.clear_faults() == 1
    administer(redshift, "DROP USER unasked")


def test_a_delayed_statement_of_a_client_that_leaves_is_never_run(
    redshift: LocalRedshift, connect: Connect, kept: Callable[[], int]
) -> None:
    """A client that gives up waiting takes its statement with it."""
    connection = connect_to(redshift)
    connection.autocommit = True
    redshift.set_fault(Fault(FaultKind.DELAY, 1, seconds=1.0))
    connection._usock.settimeout(0.1)
    with pytest.raises(TimeoutError):
        connection.cursor().execute("INSERT INTO t VALUES (1)")
    connection.close()
    redshift.set_fault(Fault(FaultKind.DELAY, 1, seconds=1.2))
    connect().cursor().execute("SELECT 1")
    assert kept() == 0


def test_new_connections_are_refused_for_a_while(
    redshift: LocalRedshift, connect: Connect, kept: Callable[[], int]
) -> None:
    """As in a restart: the statement's connection is reset, new ones are refused, and then all goes on."""
    connection, other = connect(), connect()
    redshift.set_fault(Fault(FaultKind.REFUSE_CONNECTIONS, INSERT, seconds=2.0))
    started = time.monotonic()
    with pytest.raises(ConnectionResetError):
        write(connection)
    with pytest.raises(InterfaceError, match="Connection refused"):
        connect()
    write(other)
    assert kept() == 1
    while True:
        try:
            write(connect())
        except InterfaceError:
            assert time.monotonic() - started < 10
        else:
            break
    assert time.monotonic() - started >= 2.0
    assert (redshift.struck, kept()) == (1, 2)


def test_connections_can_be_refused_at_once_until_the_fault_is_cleared(
    redshift: LocalRedshift, connect: Connect, kept: Callable[[], int]
) -> None:
    """Statement 0 shuts the port before any statement; clearing opens it."""
    redshift.set_fault(Fault(FaultKind.REFUSE_CONNECTIONS, 0, seconds=60))
    with pytest.raises(InterfaceError, match="Connection refused"):
        connect()
    assert redshift.struck == 1
    redshift.clear_faults()
    write(connect())
    assert kept() == 1


@pytest.mark.parametrize("kind", ERRORS)
def test_the_simple_protocol_has_the_same_errors(
    redshift: LocalRedshift, kept: Callable[[], int], kind: FaultKind
) -> None:
    """Other drivers send a statement as one message: it fails so too, and a COMMIT ends its transaction."""
    connection = psycopg2.connect(
        host=redshift.host, port=redshift.port, dbname="dev", user=redshift.user, password=redshift.password
    )
    try:
        with connection.cursor() as cursor:
            redshift.set_fault(Fault(kind, INSERT))
            with pytest.raises(psycopg2.errors.InternalError_, match=ERRORS[kind]["M"]):
                cursor.execute("INSERT INTO t VALUES (1)")
            with pytest.raises(psycopg2.errors.InFailedSqlTransaction):
                cursor.execute("SELECT 1")
            connection.rollback()
            redshift.set_fault(Fault(kind, COMMIT))
            cursor.execute("INSERT INTO t VALUES (1)")
            with pytest.raises(psycopg2.errors.InternalError_, match=ERRORS[kind]["M"]):
                connection.commit()
        assert connection.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_IDLE
        assert kept() == 0
    finally:
        connection.close()


SETTER = """
import sys
from pathlib import Path
from local_redshift import Fault, FaultKind, LocalRedshift
LocalRedshift(data=Path(sys.argv[1])).set_fault(Fault(FaultKind.OID, 1))
"""


def test_a_fault_is_set_from_any_process(redshift: LocalRedshift, connect: Connect, kept: Callable[[], int]) -> None:
    """The data folder is enough to set a fault, so also when the stand-in was started by hand."""
    subprocess.run([sys.executable, "-c", SETTER, redshift.data], check=True)
    with pytest.raises(ProgrammingError, match="OID 12345"):
        write(connect())
    assert kept() == 0


def test_a_fault_needs_a_running_stand_in(tmp_path: Path) -> None:
    """Without a stand-in the error names the data folder."""
    with pytest.raises(LocalRedshiftError, match=rf"does not answer(.|\n)*{tmp_path}"):
        LocalRedshift(data=tmp_path).set_fault(Fault(FaultKind.OID, 1))


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        pytest.param(FaultKind.OID, {"statement": 0}, id="no statement"),
        pytest.param(FaultKind.OID, {"statement": 1, "times": 0}, id="never"),
        pytest.param(FaultKind.OID, {"statement": 1, "seconds": 1.0}, id="an error does not last"),
        pytest.param(FaultKind.DELAY, {"statement": 1}, id="no delay"),
        pytest.param(FaultKind.REFUSE_CONNECTIONS, {"statement": -1, "seconds": 1.0}, id="negative"),
    ],
)
def test_a_fault_that_could_not_strike_is_refused(kind: FaultKind, numbers: dict[str, Any]) -> None:
    """The numbers are checked where they are written."""
    with pytest.raises(ValueError, match="never strikes"):
        Fault(kind, **numbers)

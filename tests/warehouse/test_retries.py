from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest
import redshift_connector
from redshift_connector import Error, InterfaceError, ProgrammingError

from local_redshift.wire.faults import Fault, FaultKind
from surgical_cdc.errors import AlreadySynced, NotReached
from surgical_cdc.warehouse import retries
from surgical_cdc.warehouse.connection import session
from surgical_cdc.warehouse.retries import Backoff, Steps, is_transient, reached_at_once, run_step
from tests.support.logs import collected

if TYPE_CHECKING:
    from local_redshift import LocalRedshift
    from surgical_cdc.warehouse.session import Warehouse
    from tests.conftest import Connect

QUICK = Backoff(attempts=4, first_wait=0.01)
ERRORS = [FaultKind.SERIALIZATION, FaultKind.OID, FaultKind.CONFLICT]
# The statements of a session that does `write`, from the one that opens it on.
OPEN, BEGIN, INSERT, COMMIT = 1, 2, 3, 4


@pytest.fixture
def table(redshift: LocalRedshift, connect: Connect) -> Iterator[Callable[[], int]]:
    """An empty table; gives its number of rows. No fault outlasts the test."""
    with closing(connect()) as warehouse:
        with warehouse.transaction():
            warehouse.execute("DROP SCHEMA IF EXISTS retried CASCADE")
            warehouse.execute("CREATE SCHEMA retried")
            warehouse.execute("CREATE TABLE retried.written (attempt BIGINT)")

        def rows() -> int:
            with warehouse.transaction():
                (count,) = warehouse.row("SELECT COUNT(*) FROM retried.written")
            return int(count)

        yield rows
        redshift.clear_faults()


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the retries log, whatever Airflow has made of the process's logging."""
    return collected(monkeypatch, retries)


def writer() -> Callable[[Warehouse], int]:
    """Return a step that writes a row in its transaction and returns the number of its attempt."""
    attempts: list[Warehouse] = []

    def write(warehouse: Warehouse) -> int:
        attempts.append(warehouse)
        with warehouse.transaction():
            warehouse.execute("-- Writes.\nINSERT INTO retried.written VALUES (%s)", (len(attempts),))
            warehouse.unconfirmed = len(attempts)
        return len(attempts)

    return write


@pytest.mark.parametrize("statement", [OPEN, BEGIN, INSERT, COMMIT])
@pytest.mark.parametrize("kind", [FaultKind.CUT_BEFORE, FaultKind.CUT_AFTER, *ERRORS])
def test_a_step_is_repeated_on_a_new_session(
    redshift: LocalRedshift, connect: Connect, table: Callable[[], int], kind: FaultKind, statement: int
) -> None:
    """A lost connection or a conflict at any statement costs one more session; what was rolled back is not there."""
    redshift.set_fault(Fault(kind, statement))
    with Steps(connect, backoff=QUICK) as steps:
        attempts = steps.run("write", writer())
        sent = [statement.sql for statement in steps.statements if "INSERT" in statement.sql]
    assert redshift.struck == 1
    assert attempts == (1 if statement == OPEN else 2)
    assert table() == (2 if (kind, statement) == (FaultKind.CUT_AFTER, COMMIT) else 1)
    assert len(sent) == attempts


def test_each_retry_is_logged(
    redshift: LocalRedshift, connect: Connect, table: Callable[[], int], messages: list[str]
) -> None:
    """Whoever reads the log sees which step failed, why, and how long it waits: longer each time."""
    # Each attempt after the first opens a session, begins, and is struck at its INSERT.
    redshift.set_fault(Fault(FaultKind.SERIALIZATION, INSERT))
    run_step(connect, "update.fact_order", writer(), backoff=Backoff(first_wait=0.2))
    (message,) = messages
    assert message.startswith("update.fact_order failed, attempt 1 of 6. It is repeated on a new session in 0.")
    assert message.endswith(". Serializable isolation violation on table") or "1023. Serializable" in message
    assert table() == 1


def test_retries_end_with_the_error(
    redshift: LocalRedshift, connect: Connect, table: Callable[[], int], messages: list[str]
) -> None:
    """What does not go away is raised as it is after the last attempt, and no session stays open."""
    redshift.set_fault(Fault(FaultKind.CONFLICT, OPEN, times=100))
    with pytest.raises(ProgrammingError, match="conflict with concurrent transaction"):
        run_step(connect, "write", writer(), backoff=QUICK)
    assert redshift.struck == QUICK.attempts
    assert len(messages) == QUICK.attempts - 1
    redshift.clear_faults()
    assert table() == 0


@pytest.mark.parametrize(
    ("message", "transient"),
    [
        pytest.param("1023", True, id="serialization"),
        pytest.param("ERROR: 1023", True, id="serialization-in-words"),
        pytest.param("1018", True, id="newer-than-the-snapshot"),
        pytest.param("could not open relation with OID 4711", True, id="oid"),
        pytest.param('relation "cdc_scratch.orders__a1_20261023101800_1023" does not exist', False, id="name"),
        pytest.param("Value 1023 is out of range", False, id="value"),
    ],
)
def test_an_error_is_told_by_its_number_not_by_a_name_with_one(message: str, transient: object) -> None:
    """Redshift's number is the message; the same digits in a table's name or a value are not worth a retry."""
    assert is_transient(ProgrammingError({"S": "ERROR", "C": "XX000", "M": message})) is transient


def test_an_outage_is_waited_for(redshift: LocalRedshift, connect: Connect, table: Callable[[], int]) -> None:
    """While new connections are refused the waits grow, until the warehouse is there again."""
    redshift.set_fault(Fault(FaultKind.REFUSE_CONNECTIONS, INSERT, seconds=0.5))
    assert run_step(connect, "write", writer(), backoff=Backoff(attempts=8, first_wait=0.05)) == 2
    assert table() == 1


@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(("SELECT nothing FROM nowhere", ()), id="the server's"),
        pytest.param(("SELECT %s", (object(),)), id="the driver's"),
        pytest.param(("SELECT %", (1,)), id="the driver's about the text"),
        pytest.param(("SELECT %s", ("\ud800",)), id="one that the driver does not expect"),
    ],
)
def test_anything_else_fails_at_once(connect: Connect, mistake: tuple[str, tuple[object, ...]]) -> None:
    """An error that a retry would only meet again ends the step with its first attempt."""
    attempts: list[Warehouse] = []

    def fail(warehouse: Warehouse) -> None:
        attempts.append(warehouse)
        with warehouse.transaction():
            warehouse.execute(*mistake)

    with pytest.raises((Error, UnicodeError)):
        run_step(connect, "fail", fail, backoff=QUICK)
    assert len(attempts) == 1


@pytest.mark.parametrize(
    ("kind", "rows"),
    [pytest.param(FaultKind.CUT_AFTER, 2, id="it was"), pytest.param(FaultKind.CUT_BEFORE, 1, id="not")],
)
def test_a_step_that_may_have_been_committed_is_settled(
    redshift: LocalRedshift, connect: Connect, table: Callable[[], int], kind: FaultKind, rows: int
) -> None:
    """A connection that is lost during COMMIT leaves two results: that of the attempt, and that of the repeated one."""
    redshift.set_fault(Fault(kind, COMMIT))
    settled = run_step(connect, "write", writer(), settle=lambda *results: sum(results) * 10, backoff=QUICK)
    assert settled == 30
    assert table() == rows


def test_a_run_that_was_synced_after_all_keeps_its_result(
    redshift: LocalRedshift, connect: Connect, table: Callable[[], int]
) -> None:
    """When the repeated attempt finds that its run is synced, the attempt whose COMMIT was unconfirmed did it."""

    def sync(warehouse: Warehouse) -> str:
        with warehouse.transaction():
            if warehouse.row("SELECT COUNT(*) FROM retried.written") != (0,):
                raise AlreadySynced("nothing left to do")
            warehouse.execute("INSERT INTO retried.written VALUES (1)")
            warehouse.unconfirmed = "synced"
        return "synced"

    # Open, begin, SELECT, INSERT, COMMIT.
    redshift.set_fault(Fault(FaultKind.CUT_AFTER, 5))
    assert run_step(connect, "sync", sync, backoff=QUICK) == "synced"
    assert (redshift.struck, table()) == (1, 1)
    with pytest.raises(AlreadySynced):
        run_step(connect, "sync", sync, backoff=QUICK)


def test_a_session_serves_many_steps(connect: Connect, table: Callable[[], int]) -> None:
    """Steps that follow one another share a session as long as none fails."""
    step = writer()
    opened: list[Warehouse] = []

    def counted() -> Warehouse:
        opened.append(connect())
        return opened[-1]

    with Steps(counted, backoff=QUICK) as steps:
        assert [steps.run("write", step) for _ in range(3)] == [1, 2, 3]
    assert (len(opened), table()) == (1, 3)


@pytest.fixture
def cut_after(redshift: LocalRedshift) -> Iterator[Callable[[int], Any]]:
    """Open a session whose connection ends once the server has sent some bytes more than that took."""
    left: list[int | None] = [None]

    def forward(source: socket.socket, target: socket.socket, *, counted: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if counted and left[0] is not None:
                    data, left[0] = data[: left[0]], left[0] - len(data[: left[0]])
                target.sendall(data)
                if counted and left[0] == 0:
                    break
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def relay(client: socket.socket) -> None:
        with client, socket.create_connection((redshift.host, redshift.port)) as server:
            back = threading.Thread(target=forward, args=(server, client), kwargs={"counted": True})
            back.start()
            forward(client, server, counted=False)
            back.join()

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=relay, args=(listening.accept()[0],)).start()

    def open_session(bytes_more: int) -> Any:
        left[0] = None
        opened = redshift_connector.connect(**redshift.settings | {"port": listening.getsockname()[1]})
        warehouse = session(opened, "test/cut")
        left[0] = bytes_more
        return warehouse

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=serve)
        serving.start()
        yield open_session
        listening.shutdown(socket.SHUT_RDWR)
        serving.join()


@pytest.mark.parametrize("statement", ["SELECT 12345 AS a, 'Zebra' AS b", "SELECT nothing FROM nowhere"])
def test_a_connection_may_end_anywhere_in_an_answer(cut_after: Callable[[int], Warehouse], statement: str) -> None:
    """Whatever the driver makes of the half of an answer, or of an error, it is known as a lost connection."""
    errors: list[BaseException] = []
    for sent in range(1, 90):
        warehouse = cut_after(sent)
        with closing(warehouse), pytest.raises(Exception, match=r".") as raised:
            warehouse.rows(statement)
        errors.append(raised.value)
    assert [error for error in errors if not is_transient(error)] == []
    assert {type(error) for error in errors} == {InterfaceError}
    assert {type(error.__cause__).__name__ for error in errors} >= {"NoneType", "error"}


def test_a_command_waits_only_for_a_warehouse_that_it_has_reached(
    redshift: LocalRedshift, connect: Connect, table: Callable[[], int]
) -> None:
    """The first session is opened at once or not at all; one that is lost later is opened anew."""
    redshift.set_fault(Fault(FaultKind.CONFLICT, OPEN))
    with pytest.raises(NotReached, match="conflict with concurrent transaction"):
        run_step(reached_at_once(connect), "write", writer(), backoff=QUICK)
    redshift.clear_faults()
    at_once = reached_at_once(connect)
    run_step(at_once, "write", writer(), backoff=QUICK)
    redshift.set_fault(Fault(FaultKind.CONFLICT, OPEN))
    run_step(at_once, "write", writer(), backoff=QUICK)
    assert redshift.struck == 1
    assert table() == 2

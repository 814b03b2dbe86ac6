"""One session of the warehouse: executes statements, times them, and keeps their text for whoever shows them."""

from __future__ import annotations

import logging
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from redshift_connector.error import Error, InterfaceError
from sqlglot import exp

log = logging.getLogger(__name__)

CANCEL_REQUEST = 80877102
CANCEL_SECONDS = 5.0


@dataclass(frozen=True)
class Statement:
    """A statement as it was sent, with its wall time in seconds and the driver's row count (-1 where unknown)."""

    sql: str
    seconds: float
    rowcount: int

    @property
    def cost(self) -> str:
        """Its rows, where they are known, and seconds, for a person."""
        rows = f"{self.rowcount:,} rows, " if self.rowcount >= 0 else ""
        return f"{rows}{self.seconds:.3f} s"


class Warehouse:
    """A session on a connection of redshift_connector.

    Statements are strings from the templates or sqlglot trees; both are Redshift SQL. Nothing is committed but by
    `transaction` and `commit`.

    Attributes:
        step: what the session works for now, as the log names it, such as `detect.companies`.
        statements: what the session has executed.
        unconfirmed: a step leaves here, as the last thing in its transaction, what it has done. It stays if the COMMIT
            fails: the connection may have been lost after the server had committed.
    """

    def __init__(self, connection: Any) -> None:
        """Take over an open connection with autocommit off."""
        self._connection = connection
        self.step = ""
        self.statements: list[Statement] = []
        self.unconfirmed: Any = None

    def execute(self, statement: str | exp.Expr, params: Sequence[object] = ()) -> int:
        """Run one statement and return the driver's row count."""
        with self._cursor(statement, params) as cursor:
            return int(cursor.rowcount)

    def explain(self, statement: str | exp.Expr, params: Sequence[object] = ()) -> None:
        """Let the warehouse plan a statement, without running it."""
        with self._cursor(statement, params, prefix="EXPLAIN\n"):
            pass

    def rows(self, statement: str | exp.Expr, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run one query and return all its rows."""
        with self._cursor(statement, params) as cursor:
            return [tuple(row) for row in cursor.fetchall()]

    def row(self, statement: str | exp.Expr, params: Sequence[object] = ()) -> tuple[Any, ...]:
        """Run a query that gives exactly one row and return it."""
        (only,) = self.rows(statement, params)
        return only

    def record(self, statement: str | exp.Expr, params: Sequence[object] = ()) -> dict[str, Any]:
        """Run a query that gives exactly one row and return it by its columns' names."""
        with self._cursor(statement, params) as cursor:
            (only,) = cursor.fetchall()
            return dict(zip((column[0] for column in cursor.description), only, strict=True))

    @contextmanager
    def transaction(self, *, dry_run: bool = False) -> Iterator[None]:
        """Commit what the block executes, or roll all of it back when it raises or in a dry run."""
        self.unconfirmed = None
        try:
            yield
        except BaseException:
            self.unconfirmed = None
            # If even this fails the session is lost, and the server rolls back by itself.
            with suppress(Exception):
                self._connection.rollback()
            raise
        if dry_run:
            self.rollback()
        else:
            self.commit()
        self.unconfirmed = None

    def commit(self) -> None:
        """Commit what the current transaction has executed so far; its next statement begins another."""
        with self._driver():
            self._connection.commit()

    def rollback(self) -> None:
        """Undo what the current transaction has executed so far; its next statement begins another."""
        with self._driver():
            self._connection.rollback()

    def close(self) -> None:
        """End the session; its temporary tables go with it."""
        file = self._connection._sock  # noqa: SLF001 - of a connection that was lost the driver drops it, still open
        try:
            self._connection.close()
        finally:
            with suppress(OSError, ValueError, AttributeError):
                file.close()

    def abort(self) -> None:
        """Cancel the statement that the session is executing, and break the connection under it; that fails then.

        A server would go on with a statement that nobody waits for any more, until it has an answer to send.
        """
        with suppress(OSError):
            self.cancel()
        with suppress(OSError):
            self._connection._usock.shutdown(socket.SHUT_RDWR)  # noqa: SLF001

    def cancel(self) -> None:
        """Let the server end the statement that another thread is executing with an error, the SQLSTATE 57014.

        Raises:
            OSError: the server can not be asked.
        """
        # The driver can not: it is a message of the protocol, on a connection of its own.
        key, address = self._connection._backend_key_data, self._connection._usock.getpeername()  # noqa: SLF001
        if key:
            with socket.create_connection(address[:2], timeout=CANCEL_SECONDS) as other:
                other.sendall(struct.pack("!ii", 8 + len(key), CANCEL_REQUEST) + key)
                # The server closes it when it has heard.
                other.recv(1)

    @contextmanager
    def _cursor(self, statement: str | exp.Expr, params: Sequence[object], *, prefix: str = "") -> Iterator[Any]:
        # A tree is made for one execution, so that the generator may rearrange it.
        purpose = _purpose(statement)
        sql = prefix + (statement if isinstance(statement, str) else _text(statement))
        started = time.perf_counter()
        with self._connection.cursor() as cursor:
            try:
                with self._driver():
                    # Without arguments the driver leaves percent signs in the text alone.
                    cursor.execute(sql, tuple(params)) if params else cursor.execute(sql)
            except BaseException as error:
                if not isinstance(error, Exception):
                    # A timeout of the task, or Ctrl-C, while the server works.
                    self.abort()
                error.add_note(purpose)
                self._keep(sql, started, -1, purpose)
                log.info("It failed:\n%s", sql)
                raise
            self._keep(sql, started, cursor.rowcount, purpose)
            yield cursor

    @contextmanager
    def _driver(self) -> Iterator[None]:
        """Say that the connection is lost where the driver has failed to read the half of an answer."""
        try:
            yield
        except (Error, OSError):
            raise
        except Exception as error:
            if self._has_ended():
                raise InterfaceError("BrokenPipe: the connection ended in the middle of an answer") from error
            raise

    def _has_ended(self) -> bool:
        """Return whether the server's end of the connection is closed and all that it sent is read."""
        peek = socket.MSG_PEEK | socket.MSG_DONTWAIT
        try:
            # A copy of the socket without its encryption, which would not let anybody look ahead.
            with socket.fromfd(self._connection._usock.fileno(), socket.AF_INET, socket.SOCK_STREAM) as raw:  # noqa: SLF001
                return not raw.recv(1, peek)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _keep(self, sql: str, started: float, rowcount: int, purpose: str) -> None:
        statement = Statement(sql, time.perf_counter() - started, rowcount)
        self.statements.append(statement)
        # One line: whole statements would make a log of hundreds of kilobytes that nobody reads.
        log.info("%s%s, %s", self.step and f"{self.step}: ", purpose, statement.cost)


def _purpose(statement: str | exp.Expr) -> str:
    """Return in a line what a statement is for: a template says so in its first line, a tree by the table it fills."""
    if isinstance(statement, str):
        return statement.partition("\n")[0].removeprefix("-- ").rstrip(".")
    table = statement.find(exp.Table)
    word = {"create": "Makes", "insert": "Fills"}.get(statement.key, statement.key.upper())
    return f"{word} {table.name if table else ''}".strip()


def _text(statement: exp.Expr) -> str:
    # Every name in quotation marks: no list of reserved words is complete.
    return statement.sql(dialect="redshift", pretty=True, identify=True, copy=False)

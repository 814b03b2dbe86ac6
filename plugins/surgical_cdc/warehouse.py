"""One session of the warehouse: executes statements, times them, and keeps their text for whoever shows them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Statement:
    """A statement as it was sent, with its wall time in seconds and the driver's row count (-1 where unknown)."""

    sql: str
    seconds: float
    rowcount: int


class Warehouse:
    """A session on a DB-API connection whose parameters are written %s.

    Statements are strings from the templates or sqlglot trees; both are Redshift SQL. Nothing is committed but by
    `transaction` and `commit`.
    """

    def __init__(self, connection: Any) -> None:
        """Take over an open connection with autocommit off."""
        self._connection = connection
        self.statements: list[Statement] = []

    def execute(self, statement: str | exp.Expr, params: Sequence[object] = ()) -> int:
        """Run one statement and return the driver's row count."""
        with self._cursor(statement, params) as cursor:
            return int(cursor.rowcount)

    def rows(self, statement: str | exp.Expr, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run one query and return all its rows."""
        with self._cursor(statement, params) as cursor:
            return [tuple(row) for row in cursor.fetchall()]

    def row(self, statement: str | exp.Expr, params: Sequence[object] = ()) -> tuple[Any, ...]:
        """Run a query that gives exactly one row and return it."""
        (only,) = self.rows(statement, params)
        return only

    @contextmanager
    def transaction(self, *, dry_run: bool = False) -> Iterator[None]:
        """Commit what the block executes, or roll all of it back when it raises or in a dry run."""
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        if dry_run:
            self._connection.rollback()
        else:
            self.commit()

    def commit(self) -> None:
        """Commit what the current transaction has executed so far; its next statement begins another."""
        self._connection.commit()

    def close(self) -> None:
        """End the session; its temporary tables go with it."""
        self._connection.close()

    @contextmanager
    def _cursor(self, statement: str | exp.Expr, params: Sequence[object]) -> Iterator[Any]:
        # A tree is made for one execution, so that the generator may rearrange it.
        sql = statement if isinstance(statement, str) else statement.sql(dialect="redshift", pretty=True, copy=False)
        started = time.perf_counter()
        with self._connection.cursor() as cursor:
            try:
                # Without arguments the driver leaves percent signs in the text alone.
                cursor.execute(sql, tuple(params)) if params else cursor.execute(sql)
            except Exception:
                self._keep(sql, started, -1)
                log.info("It failed:\n%s", sql)
                raise
            self._keep(sql, started, cursor.rowcount)
            yield cursor

    def _keep(self, sql: str, started: float, rowcount: int) -> None:
        statement = Statement(sql, time.perf_counter() - started, rowcount)
        self.statements.append(statement)
        # One line: whole statements would make a log of hundreds of kilobytes that nobody reads.
        first_line = sql.partition("\n")[0].removeprefix("-- ")
        log.info("%.3f s, %s rows: %s", statement.seconds, statement.rowcount, first_line)

"""Repeats a step on a new session after an error that may go away by itself, and says which errors these are."""

from __future__ import annotations

import logging
import re
import ssl
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from surgical_cdc.errors import AlreadySynced, NotReached, SurgicalCdcError

if TYPE_CHECKING:
    from tenacity import RetryCallState

    from surgical_cdc.warehouse.session import Statement, Warehouse

log = logging.getLogger(__name__)

T = TypeVar("T")
Connect = Callable[[], "Warehouse"]
Step = Callable[["Warehouse"], T]

# What the driver says of a connection that was refused or is gone. Its other InterfaceErrors are mistakes.
LOST_CONNECTION = ("BrokenPipe", "communication error", "connection is closed", "Unable to determine ip")
# Redshift reports most of these under SQLSTATE XX000, so they are told by their text: conflicts with DDL that runs
# beside the statement; and, by the numbers with which their messages begin, a table that was made after the
# transaction's snapshot and a serialization failure. Elsewhere in a message a number may be part of a table's name.
TRANSIENT_MESSAGES = (
    "concurrent transaction",
    "could not open relation with OID",
    "deadlock detected",
    "tuple concurrently updated",
)
TRANSIENT_NUMBERS = re.compile(r"(?:ERROR:\s*)?(?:1018|1023)\b")
# Connection failures (08), deadlock, serialization, shutdown, start-up, too many connections. Two sessions that create
# the same table meet in it (42P07) or in the catalog (23505, whose are the only unique indexes).
TRANSIENT_CODES = frozenset(
    {"08000", "08003", "08006", "23505", "40001", "40P01", "42P07", "53300", "57P01", "57P02", "57P03"}
)


@dataclass(frozen=True)
class Backoff:
    """How often a step is tried at most, and how many seconds the first wait lasts; each later one lasts twice that.

    The defaults wait for half a minute in all, and a little more, so that tasks that fail together do not meet again.
    That outlasts conflicts between transactions and lost connections. What lasts longer is left to Airflow's retries,
    which wait without holding a worker.
    """

    attempts: int = 6
    first_wait: float = 1.0


BACKOFF = Backoff()
# A step that has worked for longer than these seconds is left to Airflow's retries too: each of them has a whole
# execution_timeout before it.
REPEAT_WITHIN = 600


class Steps:
    """Runs steps, each one transaction, on one session as long as it lasts; it is opened when a step needs it."""

    def __init__(self, connect: Connect, *, backoff: Backoff = BACKOFF) -> None:
        """Take what opens a session."""
        self._connect = connect
        self._backoff = backoff
        self._warehouses: list[Warehouse] = []
        self._warehouse: Warehouse | None = None
        self._aborted = Event()

    def __enter__(self) -> Self:
        """Open nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the session."""
        self.close()

    @property
    def statements(self) -> list[Statement]:
        """All statements of all attempts."""
        return [statement for warehouse in self._warehouses for statement in warehouse.statements]

    def run(self, name: str, step: Step[T], *, settle: Callable[[T, T], T] = lambda _, repeated: repeated) -> T:
        """Run a step; repeat it on a new session as long as it fails with what may go away by itself.

        The connection may be lost during a COMMIT, so that nobody knows whether it was one. The step is repeated then
        as well: it must find out what has been done already.

        Args:
            name: what the log calls the step.
            step: does its work in one transaction of the session that it is given.
            settle: says from the result of an attempt whose commit is unconfirmed, and that of the repeated one, what
                was done. AlreadySynced in place of the latter means that it was the former.
        """
        from tenacity import (
            Retrying,
            retry_if_exception,
            sleep_using_event,
            stop_after_attempt,
            stop_after_delay,
            wait_exponential_jitter,
        )

        attempt = _Attempt(self, name, step, settle)
        wait = self._backoff.first_wait
        retrying = Retrying(
            retry=retry_if_exception(lambda error: is_transient(error) and not self._aborted.is_set()),
            sleep=sleep_using_event(self._aborted),
            stop=stop_after_attempt(self._backoff.attempts) | stop_after_delay(REPEAT_WITHIN),
            wait=wait_exponential_jitter(multiplier=wait, jitter=wait),
            before_sleep=partial(_announce, name, self._backoff.attempts),
            reraise=True,
        )
        return retrying(attempt)

    def abort(self) -> None:
        """End the step that another thread is running, in the middle of a statement; it fails and is not repeated."""
        self._aborted.set()
        warehouse = self._warehouse
        if warehouse:
            warehouse.abort()

    def cancel(self) -> None:
        """Let the warehouse end the statement that is executed now, so that its step fails."""
        if self._warehouse:
            with suppress(OSError):
                self._warehouse.cancel()

    def open(self) -> Warehouse:
        """Return the session, which is opened if there is none."""
        if self._warehouse is None:
            self._warehouse = self._connect()
            self._warehouses.append(self._warehouse)
        if self._aborted.is_set():
            self._warehouse.abort()
        return self._warehouse

    def close(self) -> None:
        """End the session; the next step opens another one."""
        warehouse, self._warehouse = self._warehouse, None
        if warehouse:
            # It may have been lost, and then nothing can be said to the server.
            with suppress(Exception):
                warehouse.close()


class _Attempt(Generic[T]):
    """Tries a step, and remembers what a try did of which nobody knows whether it was committed."""

    def __init__(self, steps: Steps, name: str, step: Step[T], settle: Callable[[T, T], T]) -> None:
        self._steps = steps
        self._name = name
        self._step = step
        self._settle = settle
        self._unconfirmed: list[T] = []

    def __call__(self) -> T:
        warehouse = self._steps.open()
        warehouse.step = self._name
        try:
            done = self._step(warehouse)
        except AlreadySynced:
            if self._unconfirmed:
                return self._unconfirmed[0]
            raise
        except BaseException as error:
            error.add_note(self._name)
            if warehouse.unconfirmed is not None:
                self._unconfirmed = [self._settled(warehouse.unconfirmed)]
            self._steps.close()
            raise
        return self._settled(done)

    def _settled(self, done: T) -> T:
        return self._settle(self._unconfirmed[0], done) if self._unconfirmed else done


def _announce(name: str, attempts: int, state: RetryCallState) -> None:
    """Say in the log that a step has failed and is repeated."""
    from surgical_cdc.warehouse.advice import refusal

    error = state.outcome.exception() if state.outcome else None
    log.warning(
        "%s failed, attempt %d of %d. It is repeated on a new session in %.1f s. %s",
        name,
        state.attempt_number,
        attempts,
        state.upcoming_sleep,
        refusal(error) if error else "",
    )


def run_step(
    connect: Connect,
    name: str,
    step: Step[T],
    *,
    settle: Callable[[T, T], T] = lambda _, repeated: repeated,
    backoff: Backoff = BACKOFF,
) -> T:
    """Run one step on a session of its own, as `Steps.run` does."""
    with Steps(connect, backoff=backoff) as steps:
        return steps.run(name, step, settle=settle)


def reached_at_once(connect: Connect) -> Connect:
    """Return what opens sessions as `connect` does, but whose first session is opened at once or not at all.

    For a person who waits: a closed port is told at once, while a connection that is lost later is waited for.
    """
    reached = Event()

    def open_session() -> Warehouse:
        from surgical_cdc.warehouse.advice import ERRORS, refusal

        try:
            warehouse = connect()
        except ERRORS as error:
            if reached.is_set() or isinstance(error, SurgicalCdcError):
                raise
            raise NotReached(refusal(error)) from error
        reached.set()
        return warehouse

    return open_session


def is_transient(error: BaseException) -> bool:
    """Return whether the same step may well succeed a little later, on a new session."""
    # Here, not above: a DAG file imports this module at each parse.
    from redshift_connector.error import InterfaceError, OperationalError

    causes = [error, *(part for part in error.args if isinstance(part, BaseException))]
    if isinstance(error, SurgicalCdcError) or any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return False
    if isinstance(error, InterfaceError):
        return str(error.args[0] if error.args else "").startswith(LOST_CONNECTION)
    if isinstance(error, OSError):
        # One with a file's name is no connection's.
        return error.filename is None
    # While a session is opened the driver unpacks whatever has arrived, be it whole or not.
    if isinstance(error, OperationalError | struct.error):
        return True
    answer = server_answer(error)
    message = answer.get("M", "")
    told = TRANSIENT_NUMBERS.match(message) is not None or any(text in message for text in TRANSIENT_MESSAGES)
    return told or answer.get("C") in TRANSIENT_CODES


def of_network(error: BaseException) -> bool:
    """Return whether an error that is not the server's is the network's, and not one in what the driver is told."""
    causes = [error, *error.args]
    return is_transient(error) or "refuses SSL" in str(error) or any(isinstance(cause, OSError) for cause in causes)


def server_answer(error: BaseException) -> Mapping[str, str]:
    """Return the fields of the server's error message, none where the error is not the server's."""
    first: Any = error.args[0] if error.args else None
    return first if isinstance(first, Mapping) else {}

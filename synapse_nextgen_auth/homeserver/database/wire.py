"""psycopg2's asynchronous mode under the reactor: one connection, one statement at a time."""

import os
from collections.abc import Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReadWriteDescriptor
from zope.interface import implementer  # type: ignore[import-untyped,unused-ignore]

from synapse_nextgen_auth.homeserver.contexts import Nowhere

Rows = list[tuple[Any, ...]]


class Lost(Protocol):
    """Who hears that a connection is no more, and whether somebody waited for an answer."""

    def __call__(self, error: Exception, *, was_asked: bool) -> None:
        """Hear it, before those who waited."""


@implementer(IReadWriteDescriptor)
class Wire:
    """An open connection. Whatever goes wrong with it, it is closed, and `lost` is told why.

    All of it happens in no context of Synapse's log: the reactor has none, and whoever asks from
    within one leaves it while it waits.
    """

    def __init__(self, reactor: Any, driver: Any, connection: Any, lost: Lost) -> None:
        self._reactor = reactor
        self._driver = driver
        self._connection = connection
        self._lost = lost
        self._cursor: Any = None
        self._answer: Deferred[Rows] | None = None
        self._is_gone = False
        self._is_writing = False
        # A number of our own for the same socket: the driver closes its own when it likes, and the
        # reactor would go on with a number that is somebody else's by then.
        self._number = os.dup(connection.fileno())
        reactor.addReader(self)

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for an answer."""
        return self._answer is not None

    def ask(self, sql: str, parameters: Sequence[Any]) -> "Deferred[Rows]":
        """Run a statement; the rows come when it is committed."""
        if self._answer is not None:
            raise AssertionError  # one statement at a time
        answer: Deferred[Rows] = Deferred()
        self._answer = answer
        with Nowhere():
            try:
                self._cursor = self._connection.cursor()
                self._cursor.execute(sql, parameters)
            except Exception as error:  # noqa: BLE001 (whoever waits hears it)
                self.close(error)
            else:
                self._go_on()
        return answer

    def look(self) -> None:
        """Read what has arrived: where the process stood still, its timers come before its sockets."""
        if self._answer is not None:
            self._go_on()

    def close(self, error: Exception) -> None:
        """Be no more; whoever waits for an answer gets this error.

        A statement that is under way goes on in the database. Nobody asks there that it should not:
        libpq asks while the process stands still, as long as the database takes. Closing waits for
        nothing: what the socket does not take is not sent.
        """
        if self._is_gone:
            return
        self._is_gone = True
        self._reactor.removeReader(self)
        self._reactor.removeWriter(self)
        os.close(self._number)
        self._connection.close()
        self._cursor = None
        answer, self._answer = self._answer, None
        with Nowhere():
            self._lost(error, was_asked=answer is not None)
            if answer is not None and not answer.called:
                answer.errback(error)

    def _go_on(self) -> None:
        """Do what can be done without waiting."""
        try:
            state = self._connection.poll()
            rows = None
            if state == self._driver.extensions.POLL_OK and self._cursor is not None:
                rows = self._cursor.fetchall()
        except Exception as error:  # noqa: BLE001 (whoever waits hears it)
            self.close(error)
            return
        self._watch(is_writing=state == self._driver.extensions.POLL_WRITE)
        if rows is not None:
            answer, self._answer, self._cursor = self._answer, None, None
            if answer is not None and not answer.called:
                answer.callback(rows)

    def _watch(self, *, is_writing: bool) -> None:
        if is_writing != self._is_writing:
            self._is_writing = is_writing
            (self._reactor.addWriter if is_writing else self._reactor.removeWriter)(self)

    # What the reactor calls, by its names.

    def fileno(self) -> int:
        """Return the number of the socket."""
        return self._number

    def logPrefix(self) -> str:  # noqa: N802
        """Say who this is."""
        return "nextgen_own_connection"

    def doRead(self) -> None:  # noqa: N802
        """Hear that something arrived: an answer, or the end."""
        self._go_on()

    def doWrite(self) -> None:  # noqa: N802
        """Hear that there is room for more of a statement."""
        self._go_on()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        """Hear that the socket is broken, or that the reactor ends."""
        self.close(reason.value)

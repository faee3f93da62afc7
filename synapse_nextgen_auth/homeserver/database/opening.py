"""Opening a connection in psycopg2's asynchronous mode, in a thread, while all others go on."""

import select
import time
from collections.abc import Callable, Mapping
from typing import Any

from synapse_nextgen_auth.homeserver.database import addresses

# Seconds for one address where Synapse's arguments say nothing; libpq itself would wait for ever.
PATIENCE = 10
_LOOK_EVERY = 1  # seconds after which it is noticed that nobody wants the connection any more


class NotWanted(OSError):
    """The process stops."""


def connect(
    driver: Any, arguments: Mapping[str, Any], is_wanted: Callable[[], bool] = lambda: True
) -> Any:
    """Return a new connection, ready; block until then, for each address as long as it may take."""
    patience = _patience(arguments)
    failed: Exception = OSError("no address")
    for one in addresses.each(arguments, libpq=driver.extensions.libpq_version()):
        try:
            return _connect(driver, one, patience, is_wanted)
        except NotWanted:
            raise
        except (driver.OperationalError, OSError) as error:
            failed = error
    raise failed


def _connect(
    driver: Any, arguments: Mapping[str, Any], patience: float, is_wanted: Callable[[], bool]
) -> Any:
    give_up_at = time.monotonic() + patience
    connection = driver.connect(**arguments, async_=True)
    try:
        while (state := connection.poll()) != driver.extensions.POLL_OK:
            # The number may be another one each time: libpq tries with TLS and without.
            waiting = select.poll()
            is_reading = state == driver.extensions.POLL_READ
            waiting.register(connection.fileno(), select.POLLIN if is_reading else select.POLLOUT)
            is_there = False
            while not is_there:
                if not is_wanted():
                    raise NotWanted
                left = give_up_at - time.monotonic()
                if left <= 0:
                    where = arguments["hostaddr"] or arguments["host"]
                    raise TimeoutError(f"{where} did not answer within {patience} seconds")
                is_there = bool(waiting.poll(min(left, _LOOK_EVERY) * 1000))
        # What it has may be old, and it takes no refresh. PostgreSQL says so itself since 14.
        if connection.get_parameter_status("in_hot_standby") == "on":
            raise OSError(f"{arguments['hostaddr'] or arguments['host']} is a standby")
    except BaseException:
        connection.close()
        raise
    return connection


def _patience(arguments: Mapping[str, Any]) -> int:
    given = addresses.given(arguments, "connect_timeout")
    try:
        return max(int(given), _LOOK_EVERY) if int(given) > 0 else PATIENCE
    except ValueError:
        return PATIENCE  # not a number: libpq says so itself

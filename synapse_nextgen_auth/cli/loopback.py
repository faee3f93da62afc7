"""Which loopback addresses and ports this machine has to offer."""

import errno
import socket
from collections.abc import Sequence
from contextlib import ExitStack

_FAMILIES = {"127.0.0.1": socket.AF_INET, "::1": socket.AF_INET6}


def addresses() -> tuple[str, ...]:
    """Return the loopback addresses a listener can use; browsers try `::1` for localhost first."""
    return tuple(address for address in _FAMILIES if why_not(address, 0) is None)


def why_not(address: str, port: int) -> str | None:
    """Return why nobody can listen there, or `None`."""
    try:
        with _bound(address, port):
            return None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"port {port} is taken: something else is listening on {address}"
        if error.errno == errno.EACCES:
            return f"port {port} is reserved for the system: this user may not listen on it"
        return f"cannot listen on {address} port {port}: {error.strerror}"


def free_port(on: Sequence[str]) -> int:
    """Return a port that is free on all these addresses at this moment."""
    while True:
        with ExitStack() as held:
            port = held.enter_context(_bound(on[0], 0)).getsockname()[1]
            if all(why_not(address, port) is None for address in on[1:]):
                return int(port)


def _bound(address: str, port: int) -> socket.socket:
    listener = socket.socket(_FAMILIES[address], socket.SOCK_STREAM)
    try:
        # As Synapse does: a connection that lingers after a restart does not block the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
    except BaseException:
        listener.close()
        raise
    return listener

"""Addresses that a client of PostgreSQL may come to: one that never answers, one that leads there."""

import select
import socket
import threading
from contextlib import contextmanager, suppress


@contextmanager
def silent(address="127.0.0.1"):
    """Yield a socket with an address of its own: who comes is refused, and after `listen()` ignored."""
    with socket.socket() as listener:
        listener.bind((address, 0))
        yield listener


def port(listener):
    return listener.getsockname()[1]


@contextmanager
def leading_to(path, address="127.0.0.1"):
    """Yield a port where one reaches what listens at a path."""
    with silent(address) as listener:
        listener.listen()
        threading.Thread(target=_accept, args=(listener, path), daemon=True).start()
        try:
            yield port(listener)
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _accept(listener, path):
    with suppress(OSError):  # it is closed
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_lead, args=(client, path), daemon=True).start()


def _lead(client, path):
    with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
        server.connect(str(path))
        other = {client: server, server: client}
        while True:
            for source in select.select(other, [], [])[0]:
                data = source.recv(65536)
                if not data:
                    return
                other[source].sendall(data)

"""Ports on loopback: taken, free, and why not."""

import socket

from synapse_nextgen_auth.cli import loopback


def test_a_listening_port_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert f"port {port} is taken" in loopback.why_not("127.0.0.1", port)


def test_a_free_port_is_free_on_all_addresses():
    addresses = loopback.addresses()
    port = loopback.free_port(addresses)

    assert "127.0.0.1" in addresses
    assert [loopback.why_not(address, port) for address in addresses] == [None] * len(addresses)

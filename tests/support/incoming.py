"""Requests as our handlers see them, without a server."""

from synapse_nextgen_auth.homeserver.http import Incoming


def incoming(*headers, method="GET", path="/", query=b"", body=b""):
    """Return a request with these headers: pairs of a name and raw bytes or a text."""
    raw = [
        (name.lower(), value if isinstance(value, bytes) else value.encode())
        for name, value in headers
    ]

    def header(name):
        return [value for known, value in raw if known == name.lower()]

    return Incoming(method, path, query, body, "192.0.2.1", "a browser", header)

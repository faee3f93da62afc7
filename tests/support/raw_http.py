"""HTTP as bytes, for requests that no library would send."""

import socket
from urllib.parse import urlsplit

PREFIX = "/_synapse/client/auth"
FORM = "application/x-www-form-urlencoded"


def exchange(server, request):
    """Send bytes as they are; return the status (0 for no answer at all) and the whole answer."""
    port = urlsplit(server.base_url).port
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plug:
        plug.sendall(request)
        while piece := plug.recv(65536):
            answer += piece
    return (int(answer.split(b" ", 2)[1]) if answer else 0), answer


def is_listening(address, port):
    """Say whether anybody takes connections there."""
    try:
        socket.create_connection((address, port), timeout=30).close()
    except OSError:
        return False
    return True


def request(method, target, *headers, body=b""):
    """Write a request after whose answer the server hangs up; `target` begins with a slash."""
    lines = [b"%s %s HTTP/1.1" % (method, target), b"Host: localhost", b"Connection: close"]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, *headers, b"", body])


def form(path, body, *headers):
    """Write a request that posts a form to a path of ours."""
    content_type = f"Content-Type: {FORM}".encode()
    return request(b"POST", f"{PREFIX}/{path}".encode(), content_type, *headers, body=body)

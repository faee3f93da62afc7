"""What the little HTTP servers of the tests have in common."""

from http.server import BaseHTTPRequestHandler


class OneAnswer(BaseHTTPRequestHandler):
    """Answers once a connection, and says so.

    It speaks HTTP/1.0, where a connection ends with its answer; Twisted keeps one that nobody said
    goodbye on, and what it sends on it next is lost now and then (a POST is not sent again).
    """

    def end_headers(self) -> None:
        """Say goodbye, and end the headers."""
        self.send_header("Connection", "close")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

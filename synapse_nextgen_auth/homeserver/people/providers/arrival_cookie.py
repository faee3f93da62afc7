"""The cookie of a browser that came back from providers: one value for each answer that waits for it.

It is not the cookie of `web/browser.py`: what a provider's answer brings to a browser must not touch
what that browser is signed in to. It holds a few values, the newest first, and stays small (C191).
"""

import re
from collections.abc import Iterable, Sequence

from synapse_nextgen_auth.accounts.attempts.arrivals import KEPT, LIFETIME
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Secret

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@frozen
class ArrivalCookie:
    """How it looks on this homeserver."""

    is_https: bool

    @property
    def name(self) -> str:
        """The name; on https the browser itself keeps subdomains from setting it."""
        return "__Host-nextgen_arrival" if self.is_https else "nextgen_arrival"

    def read(self, headers: Iterable[bytes]) -> tuple[Secret, ...]:
        """Return the values of the `Cookie` headers; anything odd about them is no value at all."""
        pieces = b";".join(headers).split(b";")
        pairs = (piece.strip(b" \t").partition(b"=") for piece in pieces)
        found = [value for name, _, value in pairs if name == self.name.encode("ascii")]
        if len(found) != 1:
            return ()
        values = found[0].decode("ascii", "replace").split(".")
        return tuple(Secret(value) for value in values[:KEPT] if _TOKEN.fullmatch(value))

    def write(self, values: Sequence[Secret]) -> tuple[str, str]:
        """Return the header that sets these values, or that takes the cookie away if there is none."""
        text = ".".join(value.reveal() for value in values[:KEPT])
        parts = [f"{self.name}={text}", "Path=/", "HttpOnly", "SameSite=Lax"]
        parts += ["Secure"] if self.is_https else []
        return ("Set-Cookie", "; ".join([*parts, f"Max-Age={LIFETIME if values else 0}"]))

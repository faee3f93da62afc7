"""The cookie that has the secret of a link, once the page has taken it out of the address (C258)."""

import re
from collections.abc import Iterable

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Secret

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_LIFETIME = 3600


@frozen
class LinkCookie:
    """How it looks on this homeserver; it has nothing to do with who is signed in.

    `lifetime` is in seconds.
    """

    is_https: bool
    label: str = "link"
    lifetime: int = _LIFETIME

    @property
    def name(self) -> str:
        """The name; on https the browser itself keeps subdomains from setting it."""
        return f"__Host-nextgen_{self.label}" if self.is_https else f"nextgen_{self.label}"

    def read(self, headers: Iterable[bytes]) -> Secret | None:
        """Return the secret of the `Cookie` headers; anything odd about it is none at all."""
        pieces = b";".join(headers).split(b";")
        pairs = (piece.strip(b" \t").partition(b"=") for piece in pieces)
        found = [value for name, _, value in pairs if name == self.name.encode("ascii")]
        return None if len(found) != 1 else secret_in(found[0].decode("ascii", "replace"))

    def write(self, secret: Secret | None) -> tuple[str, str]:
        """Return the header that sets it, or that takes it away."""
        text = "" if secret is None else secret.reveal()
        parts = [f"{self.name}={text}", "Path=/", "HttpOnly", "SameSite=Lax"]
        parts += ["Secure"] if self.is_https else []
        return ("Set-Cookie", "; ".join([*parts, f"Max-Age={self.lifetime if secret else 0}"]))


def secret_in(text: str | None) -> Secret | None:
    """Return what may be the secret of a link."""
    return Secret(text) if text and _SECRET.fullmatch(text) else None

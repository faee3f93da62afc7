"""What somebody chose in this browser for how they read: a cookie that is no secret.

`de.1795336800.Europe/Berlin`: the language, when it was chosen, the time zone; either may be empty.
"""

import re
from collections.abc import Iterable

from synapse_nextgen_auth.records import frozen

_VALUE = re.compile(r"([A-Za-z0-9-]{0,35})\.([0-9]{1,12})\.([A-Za-z0-9_+/-]{0,64})")
_LIFETIME = 400 * 24 * 3600  # the longest that browsers keep a cookie (RFC 6265bis section 5.5)


@frozen
class Choice:
    """A language and a time zone, `None` where that is left to others; `at` in seconds."""

    language: str | None = None
    time_zone: str | None = None
    at: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is chosen."""
        return self.language is None and self.time_zone is None


NOTHING = Choice()


@frozen
class ChoiceCookie:
    """How it looks on this homeserver."""

    is_https: bool

    @property
    def name(self) -> str:
        """The name; on https the browser itself keeps subdomains from setting it."""
        return "__Host-nextgen_language" if self.is_https else "nextgen_language"

    def read(self, headers: Iterable[bytes]) -> Choice:
        """Return what the `Cookie` headers say; anything odd about it is nothing."""
        pieces = b";".join(headers).split(b";")
        pairs = (piece.strip(b" \t").partition(b"=") for piece in pieces)
        found = [value for name, _, value in pairs if name == self.name.encode("ascii")]
        match = _VALUE.fullmatch(found[0].decode("ascii", "replace")) if len(found) == 1 else None
        return Choice(match[1] or None, match[3] or None, int(match[2])) if match else NOTHING

    def write(self, choice: Choice) -> tuple[str, str]:
        """Return the header that sets it, or that takes it away."""
        text = f"{choice.language or ''}.{choice.at}.{choice.time_zone or ''}"
        parts = [f"{self.name}={'' if choice.is_empty else text}", "Path=/", "HttpOnly"]
        parts += ["SameSite=Lax", *(["Secure"] if self.is_https else [])]
        return ("Set-Cookie", "; ".join([*parts, f"Max-Age={0 if choice.is_empty else _LIFETIME}"]))

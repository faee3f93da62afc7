"""The browser at the other end: its cookie, who is signed in there, and the proof of its forms.

A browser gets a random cookie with its first page, a fresh one when somebody signs in, and every form
carries a value that only this cookie makes right (C181, C182).
"""

import re
from base64 import urlsafe_b64decode

import attrs

from synapse_nextgen_auth.accounts.browsers import Browser
from synapse_nextgen_auth.homeserver.http import Incoming
from synapse_nextgen_auth.secret import Keyring, Purpose, Secret, digest, random_token, urlsafe

CSRF_LIFETIME = 24 * 3600
_TOKEN = re.compile(rb"[A-Za-z0-9_-]{43}")
_CSRF = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9_-]{43})")


@attrs.frozen
class Visitor:
    """A browser that asks for a page; `browser` is set while somebody is signed in there."""

    cookie: Secret
    is_new: bool
    browser: Browser | None = None

    @property
    def digest(self) -> str:
        """What the database knows the cookie by."""
        return digest(self.cookie.reveal())

    @property
    def user_id(self) -> str | None:
        """The account that is signed in."""
        return self.browser.user_id if self.browser else None


@attrs.frozen
class Cookies:
    """How our one cookie looks on this homeserver."""

    is_https: bool

    @property
    def name(self) -> str:
        """The name; on https the browser itself keeps subdomains from setting it."""
        return "__Host-nextgen_auth" if self.is_https else "nextgen_auth"

    def read(self, incoming: Incoming) -> Secret | None:
        """Return the cookie; anything odd about it is no cookie at all (C189).

        What others stand beside it, of sibling hosts for the whole domain too, is none of our
        business, in whatever bytes. HTTP/2 lets each come in a header of its own (RFC 9113 8.2.3).
        """
        pieces = b";".join(incoming.raw_headers("Cookie")).split(b";")
        pairs = (piece.strip(b" \t").partition(b"=") for piece in pieces)
        found = [value for name, _, value in pairs if name == self.name.encode("ascii")]
        if len(found) != 1 or not _TOKEN.fullmatch(found[0]):
            return None
        return Secret(found[0].decode("ascii"))

    def write(self, cookie: Secret, *, max_age: int | None = None) -> tuple[str, str]:
        """Return the header that sets the cookie, for `max_age` seconds or until the browser ends."""
        parts = [f"{self.name}={cookie.reveal()}", "Path=/", "HttpOnly", "SameSite=Lax"]
        parts += ["Secure"] if self.is_https else []
        parts += [f"Max-Age={max_age}"] if max_age is not None else []
        return ("Set-Cookie", "; ".join(parts))


def fresh() -> Visitor:
    """Greet a browser that we do not know."""
    return Visitor(random_token(), is_new=True)


def csrf(keys: Keyring, visitor: Visitor, *, now: int) -> str:
    """Return the proof that a form was made for this browser."""
    return f"{now}.{urlsafe(keys.mac(Purpose.FORM, _message(visitor, now)))}"


def proves(keys: Keyring, visitor: Visitor, value: str | None, *, now: int) -> bool:
    """Say whether a form was made for this browser, and not too long ago."""
    match = _CSRF.fullmatch(value or "")
    if match is None or visitor.is_new:
        return False
    made = int(match[1])
    # The clocks of two workers may differ a little.
    if not made - 60 <= now < made + CSRF_LIFETIME:
        return False
    return keys.proves(Purpose.FORM, _message(visitor, made), urlsafe_b64decode(match[2] + "="))


def is_from_elsewhere(incoming: Incoming, origin: str) -> bool:
    """Say whether another site sent this form (C186); old browsers do not tell.

    Our own forms come with `Origin: null`, because our pages send no referrer.
    """
    site = incoming.header("Sec-Fetch-Site")
    if site is not None and site not in {"same-origin", "none"}:
        return True
    if incoming.has_header("Sec-Fetch-Site") and site is None:
        return True
    claimed = incoming.header("Origin")
    return incoming.has_header("Origin") and claimed not in {"null", origin}


def _message(visitor: Visitor, made: int) -> bytes:
    return f"{visitor.cookie.reveal()} {made}".encode("ascii")

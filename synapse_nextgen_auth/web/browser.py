"""The browser at the other end: its cookie, who is signed in there, and the proof of its forms.

A browser gets a random cookie with its first page. What it begins hangs on that value, as long as it
lives; each sign-in puts a secret of its own behind it, the present one first: `binding.secret.secret`.
A cookie of one part may be from before that, when the value itself was the secret.

Every form carries a value that only the whole cookie makes right (C181, C182): it is worth nothing any
more once somebody signed in, signed out or went on with another account.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterable

import attrs

from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.homeserver.http import Incoming
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose, Secret, digest, random_token, urlsafe

CSRF_LIFETIME = 24 * 3600
# How many accounts may be signed in at once: the cookie stays far below what browsers keep (C189).
MAX_SIGN_INS = 10
_COOKIE = re.compile(rb"[A-Za-z0-9_-]{43}(\.[A-Za-z0-9_-]{43}){0,%d}" % MAX_SIGN_INS)
_CSRF = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9_-]{43})")


@frozen
class Visitor:
    """A browser that asks for a page.

    `sign_ins` are those that hold, the present one first if there is one, and at most one for each
    account. `sign_in` is the present one: whom a page is about. Once it is over, no other one takes its
    place by itself: a page that named one account must not act for another.
    """

    cookie: Secret
    is_new: bool
    sign_ins: tuple[SignIn, ...] = ()
    sign_in: SignIn | None = None

    @property
    def digest(self) -> str:
        """What grants and whatever else is begun here know the browser by."""
        return digest(self._parts[0])

    @property
    def secrets(self) -> dict[str, str]:
        """The secrets of its sign-ins by their digests, the present one first."""
        binding, *secrets = self._parts
        # The first value may be the secret of a sign-in from before there were others.
        return {digest(each): each for each in (*secrets, binding)}

    @property
    def user_id(self) -> str | None:
        """The account that is signed in."""
        return self.sign_in.user_id if self.sign_in else None

    def knowing(self, found: Iterable[SignIn]) -> "Visitor":
        """Return the browser with those of its sign-ins that hold, in the order of its cookie."""
        by_account: dict[str, SignIn] = {}
        for each in found:
            by_account.setdefault(each.user_id, each)
        sign_ins = tuple(by_account.values())
        first = next(iter(self.secrets))
        present = next((each for each in sign_ins if each.digest == first), None)
        return attrs.evolve(self, sign_ins=sign_ins, sign_in=present)

    def with_sign_in(self, secret: Secret, user_id: str) -> tuple[Secret, tuple[SignIn, ...]]:
        """Return the cookie with one sign-in more, and those for which there is no room any more."""
        others = [each for each in self.sign_ins if each.user_id != user_id]
        kept, forgotten = others[: MAX_SIGN_INS - 1], others[MAX_SIGN_INS - 1 :]
        return self._cookie(secret.reveal(), *self._of(kept)), tuple(forgotten)

    def with_first(self, sign_in: SignIn) -> Secret:
        """Return the cookie with another one of its sign-ins as the present one."""
        others = [each for each in self.sign_ins if each.digest != sign_in.digest]
        return self._cookie(*self._of((sign_in, *others)))

    def without(self, digests: Iterable[str]) -> Secret:
        """Return the cookie without these sign-ins."""
        gone = set(digests)
        return self._cookie(*self._of(each for each in self.sign_ins if each.digest not in gone))

    @property
    def _parts(self) -> list[str]:
        return self.cookie.reveal().split(".")

    def _of(self, sign_ins: Iterable[SignIn]) -> list[str]:
        secrets = self.secrets
        return [secrets[each.digest] for each in sign_ins]

    def _cookie(self, *secrets: str) -> Secret:
        return Secret(".".join((self._parts[0], *secrets)))


def binding_of(cookie: Secret | None) -> str | None:
    """Return what grants and attempts know a browser by; `None` for one without a good cookie."""
    return None if cookie is None else Visitor(cookie, is_new=False).digest


@frozen
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
        if len(found) != 1 or not _COOKIE.fullmatch(found[0]):
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
    made = _made_at(keys, visitor, value, now=now)
    return made is not None and now < made + CSRF_LIFETIME


def is_outdated(keys: Keyring, visitor: Visitor, value: str | None, *, now: int) -> bool:
    """Say whether a form was made for this browser, and too long ago."""
    made = _made_at(keys, visitor, value, now=now)
    return made is not None and now >= made + CSRF_LIFETIME


def _made_at(keys: Keyring, visitor: Visitor, value: str | None, *, now: int) -> int | None:
    match = _CSRF.fullmatch(value or "")
    if match is None or visitor.is_new:
        return None
    made = int(match[1])
    # The clocks of two workers may differ a little.
    if now < made - 60:
        return None
    mac = urlsafe_b64decode(match[2] + "=")
    return made if keys.proves(Purpose.FORM, _message(visitor, made), mac) else None


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

"""A client that knows only `m.login.sso`, on its way through the browser (CS API, section 5.6.7)."""

import re
from urllib.parse import quote

import attrs

from synapse_nextgen_auth.oauth import uris
from synapse_nextgen_auth.records import frozen

LIFETIME = 1800  # seconds, as long as a grant's
MAX_URL = 2048  # characters
# Browsers drop some of these from an address, so that it leads elsewhere than it reads.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEMES_THAT_RUN = frozenset(
    {"javascript", "data", "vbscript", "blob", "filesystem", "view-source", "about", "file"}
)
# What follows names an app, any app of the device: the scheme does not tell which one gets the token.
_SCHEMES_OF_ANY_APP = frozenset({"intent", "android-app", "ios-app"})
_REFUSED_SCHEMES = _SCHEMES_THAT_RUN | _SCHEMES_OF_ANY_APP
# All that may stand in a URI (RFC 3986); other letters are escaped, as browsers do it.
_STAY = "-._~:/?#[]@!$&'()*+,;=%"


@frozen
class LegacySignIn:
    """One row of such sign-ins; times in seconds since the epoch.

    `browser` is the digest of the cookie of the browser that began it, `begun_as` that of the secret
    of the sign-in that was there, `redirect_url` where the client waits, `provider` the identity
    provider that it named, `action` what it wants (MSC3824). `sign_in_id` is the sign-in that let it
    in, `token` the digest of the login token that it got, `extras` seals what it is told beside.
    """

    login_id: str
    browser: str
    redirect_url: str
    provider: str | None
    action: str | None
    begun_as: str | None
    created_at: int
    expires_at: int
    decided_at: int | None = None
    sign_in_id: str | None = None
    token: str | None = None
    extras: str | None = attrs.field(default=None, repr=False)

    def is_open(self, now: int) -> bool:
        """Say whether it can still go on."""
        return self.decided_at is None and now < self.expires_at

    def was_begun_for(self, sign_in: str, *, signed_in_at: int) -> bool:
        """Say whether the person signed in for this very client; by the digest of the secret."""
        return sign_in != self.begun_as and signed_in_at >= self.created_at

    def with_token(self, token: str) -> str:
        """Return where the browser takes the login token; all else of the URL stays as it is."""
        before, mark, fragment = self.redirect_url.partition("#")
        joint = "" if before.endswith(("?", "&")) else "&" if "?" in before else "?"
        return f"{before}{joint}loginToken={quote(token, safe='')}{mark}{fragment}"


def read_url(text: str | None) -> str | None:
    """Return the URL that a client waits at, `None` where nobody should be sent.

    Clients use schemes of their own, any port of the machine, and hosts that nobody registered: a
    person confirms each. One with a user in front of its host would look like another host.
    """
    if not text or len(text) > MAX_URL or _CONTROL.search(text):
        return None
    url = quote(text, safe=_STAY)
    uri = uris.parse(url) if len(url) <= MAX_URL else None
    if uri is None or uri.has_userinfo or uri.scheme in _REFUSED_SCHEMES:
        return None
    if uri.scheme in {"http", "https"} and not uri.host:
        return None
    return url


def read_action(text: str | None) -> str | None:
    """Return what the client wants, `login` or `register`; anything else says nothing (MSC3824)."""
    return text if text in {"login", "register"} else None

"""Which client speaks, and whether it is really that one (RFC 6749 sections 2.3 and 3.2.1)."""

import base64
import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from synapse_nextgen_auth import late
from synapse_nextgen_auth.oauth.clients.auth_methods import AuthMethod
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_client
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Secret

if TYPE_CHECKING:
    from synapse_nextgen_auth.oauth.clients import client_assertion
else:
    client_assertion = late.file("oauth.clients.client_assertion")

# RFC 6749 appendix A.1 and A.2; the lengths are ours.
_CLIENT_ID = re.compile(r"[\x20-\x7E]{1,255}")
_SECRET = re.compile(r"[\x20-\x7E]{1,1024}")
# RFC 9110 would let a scheme be written in any case. One spelling is what clients use, and leaves a
# proxy and us no room to disagree about what a request carries (C086).
_BASIC = "Basic "
_BASIC_MAX_LENGTH = 8192


@frozen
class Credentials:
    """Who a request says it is from, and how it wants to prove it."""

    method: AuthMethod
    client_id: str
    secret: Secret | None = None
    assertion: Secret | None = None


@frozen
class Accepted:
    """The client is who it says it is; the `jti` of its assertion must not come again in time."""

    jti: str | None = None
    expires_at: int | None = None


def read(authorization: str | None, form: Mapping[str, str]) -> Credentials:
    """Find the credentials of a request: one mechanism, never two (C083, C085).

    `form` has each parameter once. An empty one counts as absent (RFC 6749 section 3.2).
    """
    given = {name: value for name, value in form.items() if value}
    found = [
        *([_read_basic(authorization)] if authorization is not None else []),
        *([_read_assertion(given)] if _ASSERTION_FIELDS & given.keys() else []),
        *([_read_post(given)] if "client_secret" in given else []),
    ]
    if len(found) > 1:
        raise invalid_client("more than one way of authentication")
    credentials = found[0] if found else Credentials(AuthMethod.NONE, given.get("client_id", ""))
    if given.get("client_id", credentials.client_id) != credentials.client_id:
        raise invalid_client("client_id differs from the one in the credentials")
    if not _CLIENT_ID.fullmatch(credentials.client_id):
        raise invalid_client("client_id is missing or malformed")
    return credentials


def authenticate(
    client: Client,
    credentials: Credentials,
    *,
    audience: Collection[str],
    now: int,
    verify_secret: Callable[[str, str], bool],
) -> Accepted:
    """Check the credentials in the way the client registered; raise what is wrong with them.

    `verify_secret` gets the stored hash and the secret; `audience` is issuer and token endpoint.
    """
    # Before everything else, so that no refusal is faster than that of a wrong secret (C091).
    fits = _secret_fits(client, credentials, verify_secret)
    if credentials.client_id != client.client_id:
        raise invalid_client("credentials of another client")
    if credentials.method is not client.auth_method:
        registered, used = client.auth_method.value, credentials.method.value
        raise invalid_client(f"the client registered {registered} and used {used}")
    if client.auth_method.needs_secret and not fits:
        raise invalid_client("wrong client secret")
    if client.auth_method is not AuthMethod.PRIVATE_KEY_JWT:
        return Accepted()
    text = credentials.assertion.reveal() if credentials.assertion else ""
    assertion = client_assertion.verify(text, client, audience=audience, now=now)
    return Accepted(assertion.jti, assertion.expires_at)


_ASSERTION_FIELDS = frozenset({"client_assertion", "client_assertion_type"})


def _secret_fits(
    client: Client, credentials: Credentials, verify_secret: Callable[[str, str], bool]
) -> bool:
    if credentials.secret is None or client.secret_hash is None:
        return False
    return verify_secret(client.secret_hash, credentials.secret.reveal())


def claimed(header: str | None) -> str | None:
    """Return whom credentials in a header name, right or wrong; for the log alone."""
    try:
        return _read_basic(header or "").client_id
    except OAuthError:
        return None


def _read_basic(header: str) -> Credentials:
    """Read `Basic`: two form-urlencoded values joined by a colon, in base64 (section 2.3.1)."""
    if not header.startswith(_BASIC) or len(header) > _BASIC_MAX_LENGTH:
        raise invalid_client("the Authorization header is not Basic")
    encoded = header[len(_BASIC) :]
    if len(encoded) % 4:  # Python 3.10 does not mind superfluous padding
        raise invalid_client("the Basic credentials are malformed")
    try:
        pair = base64.b64decode(encoded, validate=True).decode("ascii")
        name, colon, value = pair.partition(":")
        client_id, secret = unquote_plus(name), _secret(unquote_plus(value))
    except ValueError:
        raise invalid_client("the Basic credentials are malformed") from None
    if not colon or not client_id:
        raise invalid_client("the Basic credentials lack a part")
    return Credentials(AuthMethod.SECRET_BASIC, client_id, secret=secret)


def _read_post(given: Mapping[str, str]) -> Credentials:
    client_id = given.get("client_id", "")
    return Credentials(AuthMethod.SECRET_POST, client_id, secret=_secret(given["client_secret"]))


def _read_assertion(given: Mapping[str, str]) -> Credentials:
    text = given.get("client_assertion", "")
    if given.get("client_assertion_type") != client_assertion.TYPE:
        raise invalid_client("client_assertion_type is missing or unknown")
    if not text or len(text) > client_assertion.MAX_LENGTH:
        raise invalid_client("client_assertion is missing or too long")
    # RFC 7521 section 4.2: client_id is optional, the assertion names the client.
    client_id = given.get("client_id") or client_assertion.claimed_client_id(text) or ""
    return Credentials(AuthMethod.PRIVATE_KEY_JWT, client_id, assertion=Secret(text))


def can_be_sent(secret: str) -> bool:
    """Say whether a client could ever show this secret to us (RFC 6749 appendix A.2)."""
    return bool(_SECRET.fullmatch(secret))


def _secret(text: str) -> Secret:
    if not can_be_sent(text):
        raise invalid_client("the client secret is empty or malformed")
    return Secret(text)

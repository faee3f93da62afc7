"""Where Synapse says that a provider's answer is no good, in our words."""

from collections.abc import Iterator
from typing import Any

from pymacaroons import Macaroon  # type: ignore[import-untyped]

from synapse_nextgen_auth.accounts.attempts.arrivals import Trouble

# What Synapse, OAuth 2.0 and OpenID Connect call it (RFC 6749 section 4.1.2.1, OpenID Connect Core
# section 3.1.2.6); anything else is an answer that makes no sense.
_OF_ERRORS = {
    "access_denied": Trouble.DECLINED,
    "consent_required": Trouble.DECLINED,
    "interaction_required": Trouble.DECLINED,
    "login_required": Trouble.DECLINED,
    "fetch_error": Trouble.UNAVAILABLE,
    "provider_unavailable": Trouble.UNAVAILABLE,
    "server_error": Trouble.UNAVAILABLE,
    "temporarily_unavailable": Trouble.UNAVAILABLE,
    "invalid_session": Trouble.OTHER_TAB,
    "mismatching_session": Trouble.OTHER_TAB,
    "missing_session": Trouble.OTHER_TAB,
    "unsolicited_response": Trouble.FORGOTTEN,
    "unauthorised": Trouble.NOT_ALLOWED,
    "mapping_error": Trouble.NO_ACCOUNT,
}
_REDIRECT = "client_redirect_url = "


def of_error(error: str) -> Trouble:
    """Return what an error of Synapse's means for the person."""
    return _OF_ERRORS.get(error, Trouble.BROKEN)


def addresses(request: Any, cookie_names: tuple[bytes, ...]) -> Iterator[str]:
    """Yield the addresses that a request says the person wants to come back to; all of them claims.

    SAML and CAS send it along. OpenID Connect has it in Synapse's cookie: that of the sign-in that this
    browser began last, in whichever tab.
    """
    for name in (b"RelayState", b"redirectUrl"):
        for value in (request.args or {}).get(name, ()):
            yield value.decode("utf-8", "replace")
    for name in cookie_names:
        cookie = request.getCookie(name)
        if cookie is not None:
            yield from _of_cookie(cookie)


def _of_cookie(cookie: bytes) -> Iterator[str]:
    try:
        caveats = Macaroon.deserialize(cookie).caveats
    except Exception:  # noqa: BLE001 - whatever somebody put there
        return
    for caveat in caveats:
        text = caveat.caveat_id
        if text.startswith(_REDIRECT):
            yield text.removeprefix(_REDIRECT)

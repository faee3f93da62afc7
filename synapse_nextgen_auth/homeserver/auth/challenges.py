"""`WWW-Authenticate` on Synapse's own refusals, beside Matrix's JSON (RFC 6750 section 3)."""

from synapse.api.errors import AuthError, Codes, SynapseError

from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.oauth.tokens.bearer import (
    HEADER,
    INSUFFICIENT_SCOPE,
    INVALID_TOKEN,
    challenge,
)

NEEDS = (Needed("synapse.api.errors", "SynapseError", ("headers",)),)


def add_challenge(error: SynapseError) -> None:
    """Let a 401 say which scheme is meant, and of a token that came that it is no good.

    A locked account has good tokens: what is wrong is not the token.
    """
    if error.code == 401:
        is_bad = error.errcode == Codes.UNKNOWN_TOKEN
        said = challenge(INVALID_TOKEN if is_bad else None)
        error.headers = {**(error.headers or {}), HEADER: said}


def insufficient_scope(message: str, scope: str) -> AuthError:
    """Return the refusal of a token that lacks a scope."""
    error = AuthError(403, message, Codes.FORBIDDEN)
    error.headers = {HEADER: challenge(INSUFFICIENT_SCOPE, scope=scope)}
    return error

"""`WWW-Authenticate` on Synapse's own refusals, beside Matrix's JSON (RFC 6750 section 3)."""

from synapse.api.errors import AuthError, Codes, SynapseError

from synapse_nextgen_auth.accounts.factors import levels
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.oauth.step_up import Requirement
from synapse_nextgen_auth.oauth.tokens.bearer import (
    HEADER,
    INSUFFICIENT_SCOPE,
    INSUFFICIENT_USER_AUTHENTICATION,
    INVALID_TOKEN,
    challenge,
)

NEEDS = (Needed("synapse.api.errors", "SynapseError", ("additional_fields", "headers")),)

# The unstable names of MSC4363.
_MSC4363 = "org.matrix.msc4363."


def add_challenge(error: SynapseError) -> None:
    """Let a 401 say which scheme is meant, and of a token that came that it is no good.

    A locked account has good tokens: what is wrong is not the token.
    """
    if error.code == 401 and HEADER not in (error.headers or {}):
        is_bad = error.errcode == Codes.UNKNOWN_TOKEN
        said = challenge(INVALID_TOKEN if is_bad else None)
        error.headers = {**(error.headers or {}), HEADER: said}


def insufficient_scope(message: str, scope: str) -> AuthError:
    """Return the refusal of a token that lacks a scope."""
    error = AuthError(403, message, Codes.FORBIDDEN)
    error.headers = {HEADER: challenge(INSUFFICIENT_SCOPE, scope=scope)}
    return error


def insufficient_authentication(required: Requirement) -> SynapseError:
    """Return the refusal of a request whose person has to prove more, or anew (RFC 9470, MSC4363)."""
    message = "This request takes a stronger or more recent sign-in"
    asked: dict[str, str | int] = {}
    if required.level > 1:
        asked["acr_values"] = levels.TWO_FACTORS
    if required.max_age is not None:
        asked["max_age"] = required.max_age
    said = {name: str(value) for name, value in asked.items()}
    return SynapseError(
        401,
        message,
        f"{_MSC4363}M_INSUFFICIENT_USER_AUTHENTICATION",
        additional_fields={f"{_MSC4363}{name}": value for name, value in asked.items()},
        headers={
            HEADER: challenge(INSUFFICIENT_USER_AUTHENTICATION, error_description=message, **said)
        },
    )

"""When a code may be redeemed, and what a second try means (RFC 6749 sections 4.1.2 and 4.1.3)."""

from synapse_nextgen_auth.clock import is_ahead, is_recent
from synapse_nextgen_auth.oauth.grants.authorization import Grant
from synapse_nextgen_auth.oauth.grants.pkce import proves, refuse_verifier
from synapse_nextgen_auth.secret import same

# A client whose answer got lost asks again soon; a thief comes later (OIDC conformance: 30 s).
REPLAY_TOLERANCE = 20

EXPIRED = "the code is expired"


def refuse(
    grant: Grant, *, client_id: str, redirect_uri: str | None, verifier: str | None, now: int
) -> str | None:
    """Return why this client may not redeem the code of this grant, or `None` if it may."""
    if grant.client_id != client_id:
        return "the code belongs to another client"
    if redirect_uri is None or not same(grant.redirect_uri, redirect_uri):
        return "redirect_uri is not the one of the authorization request"
    if reason := _refuse_proof(grant, verifier):
        return reason
    if grant.code_expires_at is None or now >= grant.code_expires_at:
        return EXPIRED
    # Given out by a clock that ran ahead, it would live for as long as that ran ahead.
    if grant.approved_at is not None and is_ahead(grant.approved_at, now):
        return EXPIRED
    return None


def ends_session(grant: Grant, *, refusal: str | None, refreshed: bool, now: int) -> bool:
    """Say whether a second use of a spent code ends the session that the first one began.

    The same client with the right verifier, within seconds and before any refresh, lost the answer;
    everybody else copied the code (C070).
    """
    if refusal is not None or refreshed or grant.redeemed_at is None:
        return True
    return not is_recent(grant.redeemed_at, now, within=REPLAY_TOLERANCE + 1)


def _refuse_proof(grant: Grant, verifier: str | None) -> str | None:
    if grant.code_challenge is None:
        return None if verifier is None else "a code_verifier without a code_challenge"
    if verifier is None:
        return "code_verifier is missing"
    return refuse_verifier(verifier) or (
        None if proves(verifier, grant.code_challenge) else "code_verifier does not fit"
    )

"""Redeem an authorization code: exactly once, for exactly one session (RFC 6749 section 4.1.3)."""

from synapse_nextgen_auth.flows.begin_session import Beginning, Opening, begin
from synapse_nextgen_auth.flows.end_session import end
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_grant
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.grants import authorization_code
from synapse_nextgen_auth.oauth.grants.authorization import Grant
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.sessions import Began, End, Session
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import events, grants, sessions, sign_ins
from synapse_nextgen_auth.store.txn import Txn


@frozen
class Presented:
    """What a client shows at the token endpoint, and how its session would begin."""

    code_digest: str
    client_id: str
    redirect_uri: str | None
    verifier: str | None
    opening: Opening


@frozen
class Redeemed:
    """The session that began, and the nonce its ID token must carry."""

    session: Session
    nonce: str | None


def redeem(txn: Txn, presented: Presented, *, now: int) -> Outcome[Redeemed]:
    """Spend the code and begin the session; earlier sessions of the same device end."""
    grant = grants.find_by_code(txn, presented.code_digest)
    if grant is None or grant.user_id is None or grant.auth_time is None:
        return Outcome(invalid_grant("unknown code"))
    refusal = authorization_code.refuse(
        grant,
        client_id=presented.client_id,
        redirect_uri=presented.redirect_uri,
        verifier=presented.verifier,
        now=now,
    )
    if grant.session_id == presented.opening.session_id:
        # This very request was written already: `begin` knows.
        return _begin(txn, grant, presented.opening, now=now)
    if grant.redeemed_at is not None:
        return _second_use(txn, grant, refusal=refusal, now=now)
    if refusal is not None:
        # The code stays good for its owner: a stranger who tries it must not be able to burn it.
        return Outcome(invalid_grant(refusal))
    refusal = _refuse_now(txn, grant, grant.user_id)
    if refusal is not None:
        return Outcome(invalid_grant(refusal))
    return _begin(txn, grant, presented.opening, now=now)


def _refuse_now(txn: Txn, grant: Grant, user_id: str) -> str | None:
    """Say why the right client does not get its session at this moment."""
    if not sign_ins.approves(txn, user_id, grant.approver):
        # Whoever approved signed out since, perhaps because it was not meant.
        return "the browser that approved is not signed in any more"
    device_id = grammar.of_row(grant.scope).device_id
    if device_id is not None and _was_taken_since(txn, grant, user_id, device_id):
        # The page that the person agreed on could not say that it signs this one out.
        return "another client took the device since"
    return None


def _was_taken_since(txn: Txn, grant: Grant, user_id: str, device_id: str) -> bool:
    """Say whether another client began a session on the device after the person agreed (C310)."""
    session = sessions.find_by_device(txn, user_id, device_id)
    if session is None or session.client_id == grant.client_id:
        return False
    return grant.approved_at is not None and session.created_at > grant.approved_at


def _begin(txn: Txn, grant: Grant, opening: Opening, *, now: int) -> Outcome[Redeemed]:
    def spend() -> OAuthError | None:
        if grants.redeem(txn, grant.grant_id, session_id=opening.session_id, now=now):
            return None
        return invalid_grant("somebody else redeemed the code just now")

    beginning = Beginning(
        opening=opening,
        user_id=grant.user_id or "",
        client_id=grant.client_id,
        scope=grammar.of_row(grant.scope),
        auth_time=grant.auth_time or now,
        how=Began.CODE,
        browser=grant.browser,
        sign_in_id=grant.approver,
        amr=grant.amr,
        acr=grant.acr,
        level=grant.level,
        proven_at=grant.proven_at,
        steps_up=grant.steps_up,
        resource_scope=grant.resource_scope,
    )
    begun = begin(txn, beginning, now=now, spend=spend)
    if isinstance(begun.value, OAuthError):
        return Outcome(begun.value)
    return Outcome(Redeemed(begun.value, grant.nonce), begun.ended)


def _second_use(txn: Txn, grant: Grant, *, refusal: str | None, now: int) -> Outcome[Redeemed]:
    session = sessions.get(txn, grant.session_id) if grant.session_id else None
    if session is None:
        return Outcome(invalid_grant("the code was redeemed before"))
    # An expired code is no sign of theft by itself: the age of the first use decides.
    if refusal == authorization_code.EXPIRED:
        refusal = None
    refreshed = session.generation > 1
    if not authorization_code.ends_session(grant, refusal=refusal, refreshed=refreshed, now=now):
        return Outcome(invalid_grant("the code was redeemed a moment ago"))
    events.add(txn, Event.of(session, EventKind.CODE_REUSED, now))
    ended = end(txn, session, why=End.REUSE, now=now)
    detail = f"reuse of a redeemed code: {refusal or 'too late'}"
    return Outcome(invalid_grant(detail, reason="reuse"), ended)

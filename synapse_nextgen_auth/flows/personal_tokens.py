"""Make a personal token, list those of an account, and tell of their ends."""

from collections.abc import Sequence

from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.flows.begin_session import Beginning, Opening, begin
from synapse_nextgen_auth.flows.end_session import end
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.sessions import Began, End, Session
from synapse_nextgen_auth.oauth.tokens import personal_tokens as rules
from synapse_nextgen_auth.oauth.tokens.personal_tokens import Limits, Refusal, Wanted
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import events, sessions
from synapse_nextgen_auth.store import personal_tokens as rows
from synapse_nextgen_auth.store.personal_tokens import PersonalToken
from synapse_nextgen_auth.store.txn import Txn

_NO_ROOM = OAuthError("access_denied", "The account has too many devices")


@frozen
class Living:
    """A personal token that is good, with its session."""

    token: PersonalToken
    session: Session


def list_living(txn: Txn, user_id: str, *, now: int) -> list[Living]:
    """Return those of an account that are good, the newest first."""
    living = {
        each.session_id: each
        for each in sessions.list_living(txn, user_id)
        if each.is_personal and (each.expires_at is None or now < each.expires_at)
    }
    return [
        Living(token, living[token.session_id])
        for token in rows.list_of(txn, user_id)
        if token.session_id in living
    ]


@frozen
class Order:
    """What to make within which limits, and whose place it takes: the id of another's session."""

    wanted: Wanted
    limits: Limits
    replaces: str | None = None


def make(
    txn: Txn,
    order: Order,
    opening: Opening,
    *,
    by: SignIn,
    now: int,
) -> Outcome[Session | Refusal]:
    """Make one for the account of a sign-in; return its session, or why there is none.

    Of its device whatever was signed in there is over: its owner says so on the page (C310).
    """
    wanted, limits = order.wanted, order.limits
    before = {each.token.session_id: each for each in list_living(txn, by.user_id, now=now)}
    former = before.pop(order.replaces or "", None)
    if opening.session_id not in before:
        taken = [each for each in before.values() if not _makes_way(each.session, wanted)]
        refusal = rules.refuse(wanted, limits)
        if refusal is None and len(taken) >= limits.most:
            refusal = Refusal.TOO_MANY
        if refusal is not None:
            return Outcome(refusal)
    begun = begin(
        txn,
        Beginning(
            opening=opening,
            user_id=by.user_id,
            client_id=rules.CLIENT,
            scope=wanted.scope,
            auth_time=by.authenticated_at,
            how=Began.PERSONAL,
            amr=by.amr,
            acr=by.acr,
            level=by.level,
            proven_at=by.proven_at,
        ),
        now=now,
        no_room=_NO_ROOM,
    )
    session = begun.value
    if isinstance(session, OAuthError):
        return Outcome(Refusal.NO_ROOM) if session is _NO_ROOM else Outcome(session)
    if session.session_id in before:
        return Outcome(session)  # this very request was written already (C349)
    rows.add(
        txn,
        PersonalToken(session.session_id, session.user_id, wanted.name, now, session.expires_at),
    )
    ended = begun.ended
    if former is not None and former.session.session_id not in ended:
        ended += end(txn, former.session, why=End.REPLACED, now=now)
    return Outcome(session, ended)


def list_ending(txn: Txn, *, now: int, limit: int) -> list[PersonalToken]:
    """Return those whose owners are to know that they are over soon, the nearest first."""
    return rows.list_ending(
        txn,
        ends_after=now,
        ends_until=now + rules.TOLD_BEFORE,
        made_for=2 * rules.TOLD_BEFORE,
        limit=limit,
    )


def tell_of_ends(txn: Txn, ending: Sequence[PersonalToken], *, now: int) -> None:
    """Write down, once of each, that a token is over soon: its owner is told."""
    for token in ending:
        event = Event(
            EventKind.PERSONAL_TOKEN_ENDING,
            now,
            token.user_id,
            session_id=token.session_id,
            event_id=digest(f"end of {token.session_id}"),
        )
        events.add(txn, event)


def _makes_way(session: Session, wanted: Wanted) -> bool:
    """Say whether a session is over because another one begins on its device."""
    return session.device_id is not None and session.device_id == wanted.device_id

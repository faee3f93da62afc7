"""Make a personal token, list those of an account, and tell of their ends."""

import enum
from collections.abc import Sequence

import attrs

from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.flows.begin_session import Beginning, Opening, begin
from synapse_nextgen_auth.flows.end_session import end
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.scopes.grammar import Scope
from synapse_nextgen_auth.oauth.sessions import Began, End, Session, SessionLifetimes
from synapse_nextgen_auth.oauth.tokens import personal_tokens as rules
from synapse_nextgen_auth.oauth.tokens.personal_tokens import Limits, Refusal, Wanted
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import events, own_ways, sessions
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


def list_owned(txn: Txn, owner_id: str, *, now: int) -> list[Living]:
    """Return those that an administrator made for other accounts and that are good, the newest first."""
    living = [
        each
        for each in sessions.list_owned(txn, owner_id)
        if each.expires_at is None or now < each.expires_at
    ]
    tokens = rows.by_sessions(txn, [each.session_id for each in living])
    return [Living(tokens[each.session_id], each) for each in living if each.session_id in tokens]


@frozen
class Order:
    """What to make within which limits, and whose place it takes: the id of another's session."""

    wanted: Wanted
    limits: Limits
    replaces: str | None = None


@frozen
class Ordered:
    """What an administrator wants: what it is called, what it opens, and who owns it.

    `most` is how many of its own its account may have, where somebody is held to that.
    """

    name: str
    scope: Scope
    owner_id: str
    most: int | None = None


class NotRenewed(enum.Enum):
    """Why a token does not get another value."""

    UNKNOWN = "unknown"
    OVER = "over"
    ANOTHERS = "another's"


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
        taken = [
            each
            for each in before.values()
            if each.session.owner_id is None and not _makes_way(each.session, wanted.device_id)
        ]
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


def make_for(
    txn: Txn, user_id: str, order: Ordered, opening: Opening, *, now: int
) -> Outcome[Session | Refusal]:
    """Make one for an account as an administrator wants it, who goes on owning it.

    Of its device whatever was signed in there is over: the answer names it, and the account is told.
    Those that somebody else owns count towards nothing; one of the account's own is one of its own.
    """
    if order.most is not None and order.owner_id == user_id:
        own_ways.hold(txn, user_id)  # nobody counts beside somebody else
        taken = [
            each.session.session_id
            for each in list_living(txn, user_id, now=now)
            if each.session.owner_id is None and not _makes_way(each.session, order.scope.device_id)
        ]
        if opening.session_id not in taken and len(taken) >= order.most:
            return Outcome(Refusal.TOO_MANY)
    begun = begin(
        txn,
        Beginning(
            opening=opening,
            user_id=user_id,
            client_id=rules.CLIENT,
            scope=order.scope,
            auth_time=now,
            how=Began.PERSONAL,
            owner_id=None if order.owner_id == user_id else order.owner_id,
        ),
        now=now,
        no_room=_NO_ROOM,
    )
    session = begun.value
    if isinstance(session, OAuthError):
        return Outcome(Refusal.NO_ROOM) if session is _NO_ROOM else Outcome(session)
    if not rows.by_sessions(txn, [session.session_id]):  # else this was written already (C349)
        made = PersonalToken(
            session.session_id, user_id, order.name, session.created_at, session.expires_at
        )
        rows.add(txn, made)
    return Outcome(session, begun.ended)


def renew(  # noqa: PLR0913 (what it is, whose, and what it is to be)
    txn: Txn,
    session_id: str,
    *,
    by: str,
    expires_at: int | None,
    generation: int,
    lifetimes: SessionLifetimes,
    now: int,
) -> Outcome[Session | NotRenewed]:
    """Let a token have another value: the former one is worth nothing from now on.

    Only its owner may, and only as long as it is good: an end that nobody wrote down yet is one, too.
    `generation` is the one that it had before.
    """
    session = sessions.get(txn, session_id)
    if session is None or not session.is_personal:
        return Outcome(NotRenewed.UNKNOWN)
    if session.over(now, lifetimes) is not None:
        return Outcome(NotRenewed.OVER)
    if (session.owner_id or session.user_id) != by:
        return Outcome(NotRenewed.ANOTHERS)
    if session.generation == generation:
        if not rows.renew(txn, session, generation=generation + 1, expires_at=expires_at):
            return Outcome(NotRenewed.OVER)
        detail = f"device {session.device_id}" if session.device_id else None
        events.add(txn, Event.of(session, EventKind.PERSONAL_TOKEN_MADE, now, detail=detail))
        session = attrs.evolve(session, generation=generation + 1, expires_at=expires_at)
    # Otherwise this was written already, or somebody else was a moment faster: theirs counts.
    return Outcome(session, changed=(session_id,))


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


def _makes_way(session: Session, device_id: str | None) -> bool:
    """Say whether a session is over because another one begins on this device."""
    return session.device_id is not None and session.device_id == device_id

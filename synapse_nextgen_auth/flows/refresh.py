"""Refresh a session: one conditional write, and the tolerance that keeps people signed in."""

import attrs

from synapse_nextgen_auth.clock import is_ahead
from synapse_nextgen_auth.flows.end_session import end
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.oauth.errors import invalid_grant, unavailable
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.grants.refresh_token import Verdict, judge
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.grammar import Scope
from synapse_nextgen_auth.oauth.sessions import End, Session, SessionLifetimes
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import events, sessions, strays
from synapse_nextgen_auth.store.rotations import Rotation
from synapse_nextgen_auth.store.txn import Txn

# Before the epoch: older than any sign of life.
NEVER = -1


@frozen
class Presented:
    """A refresh token that is authentic: who shows which generation, from where.

    `scope` is what the client wants of it this time, `None` for all that it has.
    """

    client_id: str
    generation: int
    address: str
    scope: str | None = None


@frozen
class Renewed:
    """The generation whose pair to answer with, and what the presented token was taken for.

    `part` is how much of the session's scope the access token gets, `None` for all of it.
    """

    generation: int
    verdict: Verdict
    part: Scope | None = None


def refresh(
    txn: Txn, known: Session, presented: Presented, *, now: int, lifetimes: SessionLifetimes
) -> Outcome[Renewed]:
    """Return which pair to answer with.

    `known` is the session as this process remembers it: only what never changes is relied on.
    The usual case is one statement.
    """
    if known.client_id != presented.client_id:
        # Somebody else's: refused without touching the rightful session (C099).
        return Outcome(invalid_grant("the refresh token belongs to another client"))
    if (ends_at := known.ends_at(lifetimes)) is not None and now >= ends_at:
        ended = end(txn, known, why=End.LIFETIME, now=now)
        return Outcome(invalid_grant("the session lived its time"), ended)
    part = _part(known, presented)
    if sessions.rotate(
        txn,
        known.session_id,
        client_id=presented.client_id,
        generation=presented.generation,
        idle_since=_idle_since(known, now=now, lifetimes=lifetimes),
        now=now,
    ):
        renewed = Renewed(presented.generation + 1, Verdict.ROTATE, part)
        return Outcome(renewed, changed=_note_move(txn, known, presented, now=now))
    session = sessions.get(txn, known.session_id)
    if session is None:
        return Outcome(invalid_grant("the session is gone"))
    outcome = _look_closer(txn, session, presented.generation, now=now, lifetimes=lifetimes)
    if isinstance(outcome.value, Renewed):
        return attrs.evolve(outcome, value=attrs.evolve(outcome.value, part=part))
    return outcome


@frozen
class Plain:
    """A refresh that may be one write and nothing else, and its answer if that write happens."""

    rotation: Rotation
    renewed: Renewed


def plain(
    known: Session, presented: Presented, *, now: int, lifetimes: SessionLifetimes
) -> Plain | None:
    """Return what a refresh comes to in the usual case, `None` where there is more to do.

    If its write does not happen, or nobody knows whether it did, `refresh` decides: it finds what was
    written, and answers with the same pair again.
    """
    if known.client_id != presented.client_id or known.address != presented.address:
        return None
    ends_at = known.ends_at(lifetimes)
    if known.ended_at is not None or (ends_at is not None and now >= ends_at):
        return None
    rotation = Rotation(
        known.session_id,
        client_id=presented.client_id,
        generation=presented.generation,
        idle_since=_idle_since(known, now=now, lifetimes=lifetimes),
        now=now,
    )
    part = _part(known, presented)
    return Plain(rotation, Renewed(presented.generation + 1, Verdict.ROTATE, part))


def _part(known: Session, presented: Presented) -> Scope | None:
    """Return which part of the scope is wanted, `None` for all of it.

    Raised before anything is written, so nothing is rotated (RFC 6749 section 6). Of a session that is
    over, only that is worth saying.
    """
    asked = presented.scope if known.ended_at is None else None
    return None if asked is None else grammar.narrow(known.granted, asked)


def _idle_since(known: Session, *, now: int, lifetimes: SessionLifetimes) -> int:
    """Return when the session must have shown a sign of life, or is over."""
    idle = known.idle_limit(lifetimes)
    return NEVER if idle is None else now - idle


def _note_move(txn: Txn, known: Session, presented: Presented, *, now: int) -> tuple[str, ...]:
    """Write down when a session refreshes from a new network address; return its id then."""
    if known.address == presented.address:
        return ()
    sessions.move(txn, known.session_id, address=presented.address)
    events.add(txn, Event.refreshed_elsewhere(known, now, address=presented.address))
    return (known.session_id,)


def _look_closer(
    txn: Txn, session: Session, presented: int, *, now: int, lifetimes: SessionLifetimes
) -> Outcome[Renewed]:
    if why := session.over(now, lifetimes):
        ended = end(txn, session, why=why, now=now)
        return Outcome(invalid_grant(f"the session is over: {why.value}"), ended)
    verdict = judge(session, presented, now=now, lifetimes=lifetimes)
    if verdict is Verdict.REPEAT:
        renewed = Renewed(session.generation, verdict)
        if not is_ahead(session.rotated_at, now):
            return Outcome(renewed)
        strays.set_right(txn, [session.session_id], now=now)
        return Outcome(renewed, changed=(session.session_id,))
    if verdict is Verdict.RESTORED:
        _jump(txn, session, generation=presented + 1, now=now)
        return Outcome(Renewed(presented + 1, verdict))
    if verdict is Verdict.REUSE:
        return _end_reused(txn, session, presented, now=now)
    raise unavailable("the session changed under our hands")


def _jump(txn: Txn, session: Session, *, generation: int, now: int) -> None:
    if not sessions.jump(
        txn, session.session_id, stored=session.generation, generation=generation, now=now
    ):
        raise unavailable("the session changed under our hands")


def _end_reused(txn: Txn, session: Session, presented: int, *, now: int) -> Outcome[Renewed]:
    detail = f"generation {presented} of {session.generation}"
    events.add(txn, Event.of(session, EventKind.REFRESH_REUSED, now, detail=detail))
    ended = end(txn, session, why=End.REUSE, now=now)
    refusal = invalid_grant(f"reuse of a superseded refresh token: {detail}", reason="reuse")
    return Outcome(refusal, ended)


def look(
    txn: Txn, session_id: str, generation: int, *, now: int, lifetimes: SessionLifetimes
) -> Session | None:
    """Return the session whose refresh token of this generation would be taken; change nothing."""
    session = sessions.get(txn, session_id)
    if session is None or session.over(now, lifetimes):
        return None
    is_reuse = judge(session, generation, now=now, lifetimes=lifetimes) is Verdict.REUSE
    return None if is_reuse else session


@frozen
class Use:
    """The first use of a generation, or a sign of life, waiting to be written."""

    session_id: str
    generation: int
    now: int


def confirm(txn: Txn, uses: tuple[Use, ...]) -> None:
    """Write down which generations were used, in one statement however many there are.

    Sorted, so that two workers hardly ever deadlock; if they do, Synapse runs one of them again.
    Of several uses of a session the newest generation counts.
    """
    rows = sorted((use.session_id, use.generation, use.now) for use in uses)
    newest = {session_id: (session_id, generation, at) for session_id, generation, at in rows}
    if newest:
        sessions.confirm(txn, list(newest.values()))

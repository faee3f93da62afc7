"""End sessions: revocation, logout, reuse, replacement."""

from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.works import RemovePushers, SignOutDevices
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.sessions import DEVICE_STAYS, End, Session
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import devices, events, outbox, session_browsers, sessions
from synapse_nextgen_auth.store.txn import Txn

if TYPE_CHECKING:
    from synapse_nextgen_auth.flows import lost_factors, notices
    from synapse_nextgen_auth.store import (
        approvals,
        attempts,
        device_grants,
        grants,
        links,
        login_tokens,
        remembered,
        sign_ins,
        stand_ins,
    )
else:
    (
        lost_factors,
        notices,
        approvals,
        attempts,
        device_grants,
        grants,
        links,
        login_tokens,
        remembered,
        sign_ins,
        stand_ins,
    ) = late.files(
        "flows.lost_factors",
        "flows.notices",
        "store.approvals",
        "store.attempts",
        "store.device_grants",
        "store.grants",
        "store.links",
        "store.login_tokens",
        "store.remembered",
        "store.sign_ins",
        "store.stand_ins",
    )


def end(
    txn: Txn, session: Session, *, why: End, now: int, address: str | None = None
) -> tuple[str, ...]:
    """End the session and write it down; return its id unless it was over already."""
    if not sessions.end(txn, session.session_id, why=why, now=now):
        return ()
    of = (session.user_id, session.session_id)
    notices.session_over(txn, *of, device_id=session.device_id, now=now)
    kind = EventKind.PERSONAL_TOKEN_ENDED if session.is_personal else EventKind.SESSION_ENDED
    over = Event.of(session, kind, now, address=address, detail=why.value)
    events.add(txn, over)
    login_tokens.withdraw_of_session(
        txn, user_id=session.user_id, session_id=session.session_id, now=now
    )
    if why in DEVICE_STAYS and session.device_id is not None:
        # With the device they would go by themselves.
        outbox.put(txn, RemovePushers(session.session_id, txn.moment or now * 1000), now=now)
    if session.device_id is None:
        session_browsers.remove(txn, session.session_id)
    if session.has_stand_in:
        stand_ins.remove(txn, user_id=session.user_id, session_id=session.session_id)
    if why is End.REUSE and session.device_id is not None:
        # Nobody knows whether it was the thief who asked for the codes that are on their way.
        _withdraw(txn, session.user_id, session.device_id, now=now)
    return (session.session_id,)


def end_by_id(
    txn: Txn, session_id: str, *, why: End, now: int, address: str | None = None
) -> Outcome[Session | None]:
    """End the session with this id; return it as it was, or `None` if there is none."""
    session = sessions.get(txn, session_id)
    if session is None:
        return Outcome(None)
    return Outcome(session, end(txn, session, why=why, now=now, address=address))


def end_for_devices(
    txn: Txn, user_id: str, device_ids: tuple[str, ...], *, why: End, now: int
) -> Outcome[list[Session]]:
    """End whatever sessions live on these devices of the account; return them as they were.

    Codes that would bring a session back to one of them are worth nothing any more.
    """
    found = [sessions.find_by_device(txn, user_id, device_id) for device_id in device_ids]
    living = [session for session in found if session is not None]
    ended: tuple[str, ...] = ()
    for session in living:
        ended += end(txn, session, why=why, now=now)
    for device_id in device_ids:
        _withdraw(txn, user_id, device_id, now=now)
    login_tokens.withdraw_of_devices(txn, user_id=user_id, device_ids=device_ids, now=now)
    return Outcome(living, ended)


def take_over(
    txn: Txn,
    user_id: str,
    device_id: str,
    *,
    is_person: bool,
    now: int,
    address: str | None = None,
) -> Outcome[None]:
    """Note that Synapse itself signed somebody in on a device; what lived there is over."""
    ended = end_for_devices(txn, user_id, (device_id,), why=End.REPLACED, now=now).ended
    if is_person:
        kind, device = EventKind.LEGACY_SESSION_BEGUN, f"device {device_id}"
        events.add(txn, Event(kind, now, user_id, address=address, detail=device))
    return Outcome(None, ended)


def taken_over_since(txn: Txn, session: Session) -> int | None:
    """Return since when another speaks for the device of an ended session, `None` if nobody does.

    A token that Synapse itself made does not say since when; it came after our session.
    """
    if session.device_id is None:
        return None
    heir = sessions.find_by_device(txn, session.user_id, session.device_id)
    if heir is not None:
        return heir.created_at
    if devices.has_stock_token(txn, session.user_id, session.device_id):
        return session.ended_at
    return None


def has_heir(txn: Txn, user_id: str, device_id: str) -> bool:
    """Say whether a session of ours or a token of Synapse's own speaks for a device."""
    if sessions.find_by_device(txn, user_id, device_id) is not None:
        return True
    return devices.has_stock_token(txn, user_id, device_id)


def speaking_for(txn: Txn, user_id: str, device_ids: tuple[str, ...]) -> frozenset[str]:
    """Return on which of these devices a session of ours lives."""
    return frozenset(
        each for each in device_ids if sessions.find_by_device(txn, user_id, each) is not None
    )


def left_behind(txn: Txn, work: SignOutDevices) -> list[str]:
    """Return which devices of an account nobody signed in on since it was to be signed out of them."""
    of = (work.user_id, work.device_ids)
    taken = speaking_for(txn, *of) | devices.with_later_stock_token(txn, *of, last=work.last_token)
    return [each for each in work.device_ids if each not in taken]


def list_by_id(txn: Txn, session_ids: tuple[str, ...]) -> list[Session]:
    """Return the sessions with these ids, as many as there are."""
    found = (sessions.get(txn, session_id) for session_id in session_ids)
    return [session for session in found if session is not None]


def end_own(
    txn: Txn, session_id: str, *, user_id: str, now: int, address: str | None
) -> Outcome[Session | None]:
    """End a session of this account; return it as it was, `None` if there is no such living one."""
    session = sessions.get(txn, session_id)
    if session is None or session.user_id != user_id or session.ended_at is not None:
        return Outcome(None)
    return Outcome(session, end(txn, session, why=End.LOGOUT, now=now, address=address))


def sign_out_everywhere(
    txn: Txn,
    user_id: str,
    *,
    now: int,
    keep_device: str | None = None,
    keep_sign_in: str | None = None,
) -> Outcome[None]:
    """End whatever the account has: browsers, codes, and sessions, except that of one device.

    Most sessions went with their devices before; here go those that have none, or not yet. The
    sign-in with the secret `keep_sign_in` is that of whoever wants it so, in their browser.
    """
    ended: tuple[str, ...] = ()
    for session in sessions.list_living(txn, user_id):
        if keep_device is None or session.device_id != keep_device:
            ended += end(txn, session, why=End.LOGOUT, now=now)
    sign_ins.end_for_user(txn, user_id, now=now, keep=keep_sign_in)
    _withdraw(txn, user_id, None, now=now)
    return Outcome(None, ended)


def withdraw(txn: Txn, user_id: str, *, now: int) -> None:
    """Make worthless what an account approved and no client collected yet; all else goes on."""
    _withdraw(txn, user_id, None, now=now)


def password_set(txn: Txn, user_id: str, *, now: int) -> None:
    """End what the former password let in where sessions go on: browsers, what was approved (C233)."""
    sign_ins.end_for_user(txn, user_id, now=now)
    _withdraw(txn, user_id, None, now=now)


def _withdraw(txn: Txn, user_id: str, device_id: str | None, *, now: int) -> None:
    """Make what was approved and not collected worthless, of one device or of all."""
    if device_id is None:
        # Before the attempts: whoever removes the factors at this moment writes in that order, too.
        lost_factors.withdrawn(txn, user_id, now=now)
        links.end_for_user(txn, user_id, now=now)
        attempts.withdraw(txn, user_id, now=now)
        approvals.withdraw(txn, user_id, now=now)
        login_tokens.withdraw(txn, user_id, now=now)
        remembered.forget_all(txn, user_id)
    else:
        # What a legacy token of it asked for; what one of ours did went with its session.
        notices.session_over(txn, user_id, user_id, device_id=device_id, now=now)
        approvals.end_of_device(txn, user_id, device_id, now=now)
    grants.withdraw_codes(txn, user_id, device_id=device_id, now=now)
    device_grants.withdraw(txn, user_id, device_id=device_id, now=now)


@frozen
class Revoked:
    """Whose session was revoked, the device to delete with it, the session if it ended just now."""

    user_id: str = ""
    device_id: str | None = None
    session: Session | None = None


def revoke(
    txn: Txn, session_id: str, *, client_id: str | None, now: int, address: str | None
) -> Outcome[Revoked]:
    """Revoke on behalf of `client_id`; a stranger may too, and that is written down (MSC4254).

    Revoking again names the device again, in case deleting it failed; a device that a later session
    took over, or that outlived its session on purpose, is left alone.
    """
    session = sessions.get(txn, session_id)
    if session is None:
        return Outcome(Revoked())
    ended = end(txn, session, why=End.REVOKED, now=now, address=address)
    if ended and client_id != session.client_id:
        events.add(
            txn,
            Event.of(
                session,
                EventKind.REVOKED_BY_ANOTHER,
                now,
                address=address,
                detail=f"client_id {client_id}",
            ),
        )
    revoked = Revoked(session.user_id, session=session if ended else None)
    if session.device_id is None or not (ended or session.end_reason == End.REVOKED):
        return Outcome(revoked, ended)
    if sessions.find_by_device(txn, session.user_id, session.device_id) is not None:
        return Outcome(revoked, ended)
    return Outcome(attrs.evolve(revoked, device_id=session.device_id), ended)

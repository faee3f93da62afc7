"""Begin a session, whichever grant leads to it, and take that back."""

from collections.abc import Callable

import attrs

from synapse_nextgen_auth.flows.end_session import end
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.flows.room import has_room, is_taken
from synapse_nextgen_auth.oauth.errors import OAuthError, invalid_grant, invalid_scope
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.oauth.grants.grant_types import GrantType, refuse_scope
from synapse_nextgen_auth.oauth.scopes.grammar import Scope
from synapse_nextgen_auth.oauth.sessions import Began, End, Sender, Session
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import (
    clients,
    device_grants,
    events,
    first_sessions,
    grants,
    session_browsers,
    sessions,
    stand_ins,
)
from synapse_nextgen_auth.store.txn import Txn


@frozen(kw_only=True)
class Opening:
    """What no grant type decides about a session that begins with it: the token endpoint says it.

    `only_new_device` leaves a device that is there to whoever has it (C310). `expires_at` is when the
    session ends at the latest; without a refresh token that is the end of its access token.
    """

    kind: GrantType
    session_id: str
    sender: Sender
    max_devices: int | None
    only_new_device: bool
    expires_at: int | None


@frozen(kw_only=True)
class Beginning:
    """What was granted: to whom, for which client, with which scope, and how; `auth_time` in seconds.

    `browser` is the digest of what binds a client with redirects to the browser that it was begun in;
    `sign_in_id` the sign-in that approved it, `amr`, `acr`, `level` and `proven_at` how its person had
    proved who they are, and when. `steps_up` says that the client wanted it proven anew, or by more.
    `owner_id` is an administrator who makes a personal token for the account.
    `resource_scope` is for services of others.
    """

    opening: Opening
    user_id: str
    client_id: str
    scope: Scope
    auth_time: int
    how: Began
    browser: str | None = None
    sign_in_id: str | None = None
    amr: str | None = None
    acr: str | None = None
    level: int | None = None
    proven_at: int | None = None
    steps_up: bool = False
    owner_id: str | None = None
    resource_scope: str | None = None


NO_ROOM = "the account has too many devices"
TAKEN = "The account has this device already"


def _nothing_to_spend() -> None:
    """Begin without a code: the client is all that it takes."""


def begin(
    txn: Txn,
    beginning: Beginning,
    *,
    now: int,
    spend: Callable[[], OAuthError | None] = _nothing_to_spend,
    no_room: OAuthError | None = None,
) -> Outcome[Session]:
    """Begin a session if there is room (C314) and `spend`, the one conditional write, goes through.

    It replaces others. On a device that is whatever spoke for it before. Without one it is what the
    same client began for the same account in the same browser: a website that signs its people in
    again and again leaves one session for each browser behind.
    """
    opening, user_id = beginning.opening, beginning.user_id
    written = sessions.get(txn, opening.session_id)
    if written is not None:
        # This very request was written already, only the word of that got lost (C349).
        is_over = written.ended_at is not None
        return Outcome(invalid_grant("the session ended at once") if is_over else written)
    device_id = beginning.scope.device_id
    reason = refuse_scope(opening.kind, beginning.scope)
    if reason is not None:
        return Outcome(invalid_scope(reason))
    if opening.only_new_device and device_id is not None and is_taken(txn, user_id, device_id):
        return Outcome(OAuthError("access_denied", TAKEN))
    if not has_room(txn, user_id, device_id, max_devices=opening.max_devices, now=now):
        # Nothing is spent: it is good again as soon as there is room.
        return Outcome(no_room or invalid_grant(NO_ROOM))
    refusal = spend()
    if refusal is not None:
        return Outcome(refusal)
    session, ended = _insert(txn, beginning, now=now)
    return Outcome(session, ended)


def _insert(txn: Txn, beginning: Beginning, *, now: int) -> tuple[Session, tuple[str, ...]]:
    opening = beginning.opening
    session = Session(
        session_id=opening.session_id,
        user_id=beginning.user_id,
        device_id=beginning.scope.device_id,
        client_id=beginning.client_id,
        scope=beginning.scope.text,
        generation=1,
        rotated_at=now,
        confirmed_generation=0,
        auth_time=beginning.auth_time,
        created_at=now,
        last_active_at=now,
        user_agent=opening.sender.user_agent,
        address=opening.sender.address,
        expires_at=opening.expires_at,
        sign_in_id=beginning.sign_in_id,
        amr=beginning.amr,
        acr=beginning.acr,
        began_by=beginning.how,
        level=beginning.level,
        proven_at=beginning.proven_at,
        owner_id=beginning.owner_id,
        resource_scope=beginning.resource_scope,
    )
    ended: tuple[str, ...] = ()
    for former in _former(txn, session, browser=beginning.browser):
        if beginning.steps_up and former.client_id == session.client_id:
            session = _stepping_up(session, former)
        ended += end(txn, former, why=End.REPLACED, now=now)
    sessions.add(txn, session)
    if session.device_id is not None:
        first_sessions.note(txn, session.user_id, now=now)
    if session.has_stand_in:
        stand_ins.add(txn, user_id=session.user_id, session_id=session.session_id)
    if session.device_id is None and beginning.browser is not None:
        session_browsers.add(txn, session.session_id, browser=beginning.browser, now=now)
    clients.touch(txn, session.client_id, now=now)
    begun = EventKind.PERSONAL_TOKEN_MADE if session.is_personal else EventKind.SESSION_BEGUN
    kinds = [begun] + [EventKind.ADMIN_GRANTED] * session.granted.admin
    device = f"device {session.device_id}" if session.device_id else None
    for kind in kinds:
        events.add(txn, Event.of(session, kind, now, address=session.address, detail=device))
    return session, ended


def _stepping_up(session: Session, former: Session) -> Session:
    """Return a session as its client has it that had its person prove something for a while.

    From its second tokens on it is what it was before (MSC4363), or what it is now where that is less:
    nobody gets from another proof what they did not prove.
    """
    before = former.proven(former.generation + 1)
    if before.level > (session.level or 1):
        return session
    return attrs.evolve(
        session,
        former_level=before.level,
        former_proven_at=before.proven_at,
        former_auth_time=min(before.auth_time, session.auth_time),
        former_amr=before.amr,
        former_acr=before.acr,
    )


def _former(txn: Txn, session: Session, *, browser: str | None) -> list[Session]:
    if session.device_id is not None:
        former = [sessions.find_by_device(txn, session.user_id, session.device_id)]
    elif browser is not None:
        same = {"user_id": session.user_id, "client_id": session.client_id}
        ids = session_browsers.list_living(txn, browser, **same)
        former = [
            each
            for each in (sessions.get(txn, session_id) for session_id in ids)
            if each is not None and _is_renewed(each, session)
        ]
    else:
        former = []
    return [known for known in former if known is not None]


def _is_renewed(former: Session, session: Session) -> bool:
    """Say whether a session is the same one anew: beside one for a room there may be one for another.

    So it is with services: a client may ask for one after the other (RFC 8707).
    """
    if _services(former) != _services(session):
        return False
    if not (former.granted.is_narrow or session.granted.is_narrow):
        return True
    return former.granted.effective == session.granted.effective


def _services(session: Session) -> frozenset[str]:
    return frozenset((session.resource_scope or "").split())


def undo_unheard(txn: Txn, session_id: str, *, now: int) -> Outcome[None]:
    """Undo a session that was perhaps written, though the database never said so (C349)."""
    session = sessions.get(txn, session_id)
    return Outcome(None) if session is None else undo(txn, session, now=now)


def is_living(txn: Txn, session_id: str) -> bool:
    """Say whether nobody ended the session yet."""
    session = sessions.get(txn, session_id)
    return session is not None and session.ended_at is None


def undo(txn: Txn, session: Session, *, now: int) -> Outcome[None]:
    """End a session whose tokens nobody got, and make its code good again, as if nothing had been.

    Not if somebody else ended it meanwhile: then that was meant.
    """
    ended = end(txn, session, why=End.FAILED, now=now)
    if ended:
        grants.give_back(txn, session.user_id, session_id=session.session_id)
        device_grants.give_back(txn, session.user_id, session_id=session.session_id)
    # It never began for anybody: other processes forget it, and nobody counts it or says goodbye.
    return Outcome(None, changed=ended)

"""Let a session do one dangerous thing, once, because its person said so on a page of ours."""

import attrs

from synapse_nextgen_auth.accounts.approvals import (
    MOST_AT_ONCE,
    WINDOW,
    Answer,
    Approval,
    Request,
    answer,
)
from synapse_nextgen_auth.accounts.notices import Question, operation_detail
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.flows import notices
from synapse_nextgen_auth.flows.as_signed_in import SignedOut
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.secret import digest
from synapse_nextgen_auth.store import (
    approvals,
    devices,
    events,
    login_tokens,
    sessions,
    sign_ins,
)
from synapse_nextgen_auth.store.txn import Txn


def look(
    txn: Txn, request: Request, *, ui_session: str | None, now: int
) -> tuple[Answer, Approval | None]:
    """Say what becomes of a request, and by which approval; this only reads."""
    found = approvals.list_for(txn, request.session_id, request.operation, request.body, now=now)
    return answer(found, request, ui_session, now)


def has_room(txn: Txn, approval: Approval, *, now: int) -> bool:
    """Say whether the session may ask one more: somebody has to read them all."""
    return approvals.count_waiting(txn, approval, since=now - WINDOW) < MOST_AT_ONCE


def ask(txn: Txn, approval: Approval, *, otherwise: str, now: int) -> Approval | None:
    """Return the approval that the session waits for; a repeated question gets the same one.

    `otherwise` is its id where the same question has been answered. `None` where too many questions of
    the session wait already.
    """
    if not has_room(txn, approval, now=now):
        return None
    if approvals.add(txn, approval):
        notices.ask(txn, Question.APPROVAL, approval.approval_id, now=now)
        return approval
    asked = approvals.get(txn, approval.approval_id)
    if asked is not None and (asked.is_same_question(now) or asked.lets_pass(now)):
        return asked
    anew = attrs.evolve(approval, approval_id=otherwise)
    approvals.add(txn, anew)
    notices.ask(txn, Question.APPROVAL, otherwise, now=now)
    return anew


def approve(txn: Txn, approval: Approval, *, by: SignIn, now: int, address: str | None) -> bool:
    """Note that the person agrees; False when that was decided before, or their sign-in is over.

    One approval is one pass: what else waits for the same request, on a page that was opened earlier
    or later, ends with it. Whoever ends the sign-in at this moment meets this, and takes back what was
    approved just before.
    """
    if not sign_ins.holds(txn, by):
        return False
    if not approvals.approve(txn, approval.approval_id, by=by.name, now=now):
        return False
    _end(txn, approval, now=now)
    events.add(txn, _event(txn, EventKind.OPERATION_APPROVED, approval, now, address))
    return True


def refuse(txn: Txn, approval: Approval, *, by: SignIn, now: int, address: str | None) -> bool:
    """Note that the person does not agree; False as where they do."""
    if not sign_ins.holds(txn, by):
        return False
    if not approvals.refuse(txn, approval.approval_id, by=by.name, now=now):
        return False
    _end(txn, approval, now=now)
    events.add(txn, _event(txn, EventKind.OPERATION_REFUSED, approval, now, address))
    return True


def use(txn: Txn, approval: Approval, *, now: int) -> bool:
    """Use up an approval; False when somebody did, took it back, or it is too late."""
    return approvals.use(txn, approval.approval_id, since=now - WINDOW, now=now)


def give_login_token(txn: Txn, approval: Approval, token: str, *, now: int) -> bool:
    """Note which login token a session got, so that it ends with it, and with who approved it.

    False if either is over by now: then the token is worth nothing. Whoever ends them at this moment
    meets this.
    """
    by, session_id = approval.decided_by, approval.session_id
    is_living = _has_token(txn, approval) if approval.is_legacy else sessions.holds(txn, session_id)
    if by is None or not is_living or not sign_ins.has(txn, approval.user_id, by):
        login_tokens.spend(txn, token, now=now)
        return False
    approvals.note_login_token(txn, approval.approval_id, token=digest(token))
    return True


def _has_token(txn: Txn, approval: Approval) -> bool:
    """Say whether a legacy token can still be that of the device that asked."""
    device_id = approval.device_id
    return device_id is None or devices.has_stock_token(txn, approval.user_id, device_id)


def hear(txn: Txn, approval: Approval, *, now: int) -> bool:
    """Note that the session heard of a refusal: it hears of it once."""
    return approvals.hear(txn, approval.approval_id, now=now)


def allow_reset(txn: Txn, allowed: Approval, *, by: SignIn, otherwise: str) -> Approval | None:
    """Let a session replace the cryptographic identity, as its person wants before it asked.

    The approval names no request: the session's next upload passes, whatever its keys are. Returns
    the one that waits for an answer where the session asked meanwhile: nothing is allowed but that,
    once its person has seen it. `otherwise` is the id where one of late is used up. Raises `SignedOut`
    as `approve` returns False.
    """
    if not sign_ins.holds(txn, by):
        raise SignedOut
    now = allowed.requested_at
    allowed = attrs.evolve(allowed, decided_by=by.name)
    of_session = [
        each
        for each in approvals.list_resets(txn, allowed.user_id, now=now)
        if each.session_id == allowed.session_id
    ]
    waiting = next((each for each in of_session if each.is_open(now)), None)
    if waiting is not None:
        return waiting
    if any(each.names_no_request and each.lets_pass(now) for each in of_session):
        return None
    if not approvals.add(txn, allowed):
        before = approvals.get(txn, allowed.approval_id)
        if before is None or before.lets_pass(now):
            return None
        allowed = attrs.evolve(allowed, approval_id=otherwise)
        approvals.add(txn, allowed)
    events.add(txn, _event(txn, EventKind.OPERATION_APPROVED, allowed, now, allowed.address))
    return None


def _end(txn: Txn, approval: Approval, *, now: int) -> None:
    """End what else waits for the same request, and let the messages say so, and what became of it."""
    for its_id in (approval.approval_id, *approvals.end_others(txn, approval, now=now)):
        notices.answered(txn, Question.APPROVAL, its_id, by=approval.user_id, now=now)


def _event(txn: Txn, kind: EventKind, approval: Approval, now: int, address: str | None) -> Event:
    """Return what is written down: also which application asked, and on which device."""
    session = None if approval.is_legacy else sessions.get(txn, approval.session_id)
    return Event(
        kind,
        now,
        approval.user_id,
        client_id=None if session is None else session.client_id,
        session_id=None if approval.is_legacy else approval.session_id,
        address=address,
        detail=operation_detail(approval.operation, approval.device_id),
    )

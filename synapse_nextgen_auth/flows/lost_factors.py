"""Every second factor is lost: the request to remove them, what stops it, and its use in the end."""

from collections.abc import Sequence

from synapse_nextgen_auth.accounts.attempts.attempt import Attempt
from synapse_nextgen_auth.accounts.factors.lost import Cancelled, Request
from synapse_nextgen_auth.accounts.works import TellLost, Work
from synapse_nextgen_auth.flows import reset_factors
from synapse_nextgen_auth.flows.outcome import Outcome
from synapse_nextgen_auth.flows.own_ways import Owner
from synapse_nextgen_auth.oauth.events import Event, EventKind
from synapse_nextgen_auth.store import attempts, events, factors, lost_factors, outbox, own_ways
from synapse_nextgen_auth.store.txn import Txn


def ask(txn: Txn, attempt: Attempt, request: Request, owner: Owner) -> bool:
    """Write down that the factors of the account of an attempt are lost, and let its owner be told.

    False where nothing changes by it: one waits already, which comes no sooner and no later, or was
    stopped a while ago; or the attempt, as it was read, went on.
    """
    if not own_ways.hold(txn, owner.user_id) or not _goes_on(txn, attempt, owner):
        return False
    if not factors.held(txn, owner.user_id).is_any:
        return False
    if not lost_factors.put(txn, request, now=owner.now):
        return False
    events.add(txn, owner.event(EventKind.FACTOR_REMOVAL_ASKED))
    outbox.put(txn, TellLost(owner.user_id, request.request_id, 0), now=owner.now)
    return True


def told(txn: Txn, noted: Request, letters: Sequence[Work], *, now: int) -> None:
    """Note that the owner was told, and let those notices be tried again that did not go out; once."""
    if lost_factors.note_told(txn, noted):
        _post(txn, letters, now=now)


def remind(txn: Txn, request: Request, *, now: int) -> None:
    """Let the owner be told again, unless that waits already."""
    work = TellLost(request.user_id, request.request_id, 1)
    if outbox.find(txn, work) is None:
        outbox.put(txn, work, now=now)


def reminded(txn: Txn, noted: Request, letters: Sequence[Work], *, now: int) -> None:
    """Note that they were told before the end, too, and do the same; once."""
    if lost_factors.note_reminded(txn, noted):
        _post(txn, letters, now=now)


def cancel(
    txn: Txn,
    user_id: str,
    by: Cancelled,
    *,
    now: int,
    address: str | None = None,
    why: str | None = None,
) -> bool:
    """Stop what was asked for, and tell the owner; False where nothing waits."""
    if not lost_factors.cancel(txn, user_id, rests=by.is_by_the_owner, now=now):
        return False
    kind, detail = EventKind.FACTOR_REMOVAL_CANCELLED, f"{by.value}: {why}" if why else by.value
    events.add(txn, Event(kind, now, user_id, address=address, detail=detail))
    return True


def cancel_by_link(txn: Txn, digest: str, *, now: int, address: str | None) -> bool:
    """Stop the request that a link is of."""
    request = lost_factors.find_by_link(txn, digest)
    if request is None:
        return False
    return cancel(txn, request.user_id, Cancelled.LINK, now=now, address=address)


def proven(txn: Txn, user_id: str, *, now: int) -> None:
    """Stop it, as somebody proved a second factor, or has it changed what there is: it is not lost."""
    cancel(txn, user_id, Cancelled.FACTOR, now=now)


def withdrawn(txn: Txn, user_id: str, *, now: int) -> None:
    """Stop it, as the account has another password, or was signed out everywhere."""
    cancel(txn, user_id, Cancelled.PASSWORD, now=now)


def use(txn: Txn, attempt: Attempt, owner: Owner) -> Outcome[bool]:
    """Remove every factor of the account of an attempt, if the time for that has come.

    Of whoever stops it at this moment, or proves a factor after all, one is first. What was begun for
    the account is over by it, this attempt, too.
    """
    if not own_ways.hold(txn, owner.user_id) or not _goes_on(txn, attempt, owner):
        return Outcome(False)
    if not lost_factors.use(txn, owner.user_id, now=owner.now):
        return Outcome(False)
    done = reset_factors.take_all(txn, owner.user_id, owner.event(EventKind.FACTORS_LOST))
    return Outcome(True, changed=done.changed)


def _goes_on(txn: Txn, attempt: Attempt, owner: Owner) -> bool:
    """Say whether an attempt of this account is as it was read: a new password ends it."""
    found = attempts.get(txn, attempt.attempt_id)
    return found == attempt and attempt.user_id == owner.user_id and attempt.is_open(owner.now)


def _post(txn: Txn, letters: Sequence[Work], *, now: int) -> None:
    for letter in letters:
        outbox.put(txn, letter, now=now)

"""Codes for a mailbox: one is sent, and the next voids it; somebody types it, and it is looked at."""

from collections.abc import Sequence

from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Proof
from synapse_nextgen_auth.accounts.attempts.stages import Added
from synapse_nextgen_auth.accounts.codes import PAUSE, Code, Trial
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.accounts.works import SendMail
from synapse_nextgen_auth.flows import attempts
from synapse_nextgen_auth.flows.attempts import Ended, Ending
from synapse_nextgen_auth.secret import Keyring
from synapse_nextgen_auth.store import codes, outbox
from synapse_nextgen_auth.store.txn import Txn


def send(txn: Txn, code: Code, mail: SendMail, *, pause: int = PAUSE, now: int) -> Code:
    """Send a code, unless one was sent just now or typed already; return the one that holds.

    Whoever corrects the address waits for no pause: nothing went to that one. A mail with the former
    code that still waits is not sent any more. It is for READ COMMITTED: of two presses at once the
    second finds the code of the first.
    """
    former = codes.get(txn, code.attempt_id)
    if not codes.put(txn, code, pause=pause):
        found = codes.get(txn, code.attempt_id)
        return code if found is None else found
    if former is not None:
        outbox.withdraw(txn, mail.kind, former.mail)
    outbox.put(txn, mail, now=now)
    return code


def enter(txn: Txn, attempt_id: str, typed: str, *, keys: Keyring, now: int) -> Trial:
    """Look at what somebody typed; every try counts, however many come at once (C251).

    It is for READ COMMITTED: whoever counts a try waits for whoever counted the one before. What was
    typed rightly before stays so for whoever types it once more: the browser may have lost the answer.
    """
    if not codes.count_try(txn, attempt_id, now=now):
        code = codes.get(txn, attempt_id)
        is_same = code is not None and code.proven_at is not None and code.is_right(keys, typed)
        return Trial.RIGHT if is_same else Trial.OVER
    code = codes.get(txn, attempt_id)
    if code is None or not code.is_right(keys, typed):
        return Trial.WRONG
    codes.prove(txn, code, now=now)
    return Trial.RIGHT


def void(txn: Txn, attempt_id: str, *, now: int) -> None:
    """Let a code be worth nothing from now on: it was right, and opened nothing."""
    codes.end(txn, attempt_id, now=now)


def sign_in(
    txn: Txn,
    attempt: Attempt,
    proof: Proof,
    notices: Sequence[SendMail],
    ending: Ending,
    *,
    now: int,
) -> Ended:
    """Sign in whoever typed a code, as any other proof does, and tell the owner of the account."""
    ended = attempts.prove_and_end(txn, attempt, proof, ending, now=now)
    if isinstance(ended, SignIn | Added):
        for notice in notices:
            outbox.put(txn, notice, now=now)
    return ended

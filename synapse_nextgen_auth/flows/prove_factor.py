"""Codes of second factors that people type: tries are counted, and each code counts once.

Six digits are guessed in a million tries, and three of them fit at a time. So wrong ones are counted in
the attempt and in the account, whatever process and browser they come from (C291). They are their own
limit: who guesses at apps keeps nobody from a recovery code.
"""

import enum
from collections.abc import Callable

import attrs

from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Proof, ProofKind
from synapse_nextgen_auth.accounts.codes import Code
from synapse_nextgen_auth.accounts.factors import apps as rules
from synapse_nextgen_auth.accounts.factors.apps import App
from synapse_nextgen_auth.accounts.factors.mail import code_id
from synapse_nextgen_auth.accounts.factors.recovery_codes import RecoveryCode
from synapse_nextgen_auth.flows import attempts
from synapse_nextgen_auth.flows.attempts import Ended, Ending
from synapse_nextgen_auth.flows.own_ways import Owner
from synapse_nextgen_auth.oauth.events import EventKind
from synapse_nextgen_auth.oauth.rates import Rate
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Secret
from synapse_nextgen_auth.store import codes, events, factor_mail, factors, throttle
from synapse_nextgen_auth.store.throttle import Bucket, Full
from synapse_nextgen_auth.store.txn import Txn

IN_ATTEMPT = 5
# At most in any hour and any day: half at once, and the other half as time goes by.
IN_HOUR, IN_DAY = 10, 30
_HOUR, _DAY = 3600, 24 * 3600
# After so many wrong ones within a day their owner is told, and again after as many more.
TOLD_AFTER = 3


class Trial(enum.Enum):
    """What became of a code that somebody typed."""

    RIGHT = "right"
    WRONG = "wrong"
    USED = "used"  # it was right, and was taken before
    OVER = "over"  # none is looked at any more in this attempt
    TOO_OFTEN = "too_often"  # nor for this account, for a while
    LATE = "late"  # no code that was sent holds any more


@frozen
class Mailed:
    """A code that was sent, and where it went."""

    code: Code
    address: str = attrs.field(repr=False)


@frozen
class Tried:
    """How it went, and of a right one what it proves.

    `sealed` is the secret of the app as the present key seals it. `wait` is in seconds.
    """

    trial: Trial
    proof: Proof | None = None
    app: App | None = None
    step: int = 0
    sealed: str = attrs.field(default="", repr=False)
    code: RecoveryCode | None = None
    mailed: Mailed | None = None
    wait: int | None = None


class Used(Exception):
    """Somebody else was faster with the same code."""


def try_app(txn: Txn, attempt_id: str, typed: str, owner: Owner, *, keys: Keyring) -> Tried:
    """Look at a code of an authenticator app; nothing is proven by that yet.

    It is for READ COMMITTED: whoever counts a try waits for whoever counted the one before.
    """
    apps = factors.list_apps(txn, owner.user_id)

    def look() -> Tried:
        found = Tried(Trial.WRONG)
        for app in apps:
            secret = app.opened(keys)
            step = None if secret is None else rules.matching_step(secret, typed, now=owner.now)
            if step is not None and rules.is_unused(step, app.last_step, now=owner.now):
                proof = Proof(ProofKind.TOTP, owner.now, owner.user_id, provider=app.app_id)
                return Tried(Trial.RIGHT, proof, app=app, step=step, sealed=app.resealed(keys))
            found = found if step is None else Tried(Trial.USED)
        return found

    # Each app is three codes more that fit.
    return _try(txn, ProofKind.TOTP, attempt_id, owner, look, share=max(1, len(apps)))


def try_recovery_code(
    txn: Txn, attempt_id: str, typed: Secret, owner: Owner, *, keys: Keyring
) -> Tried:
    """Look at a recovery code, in the same way."""
    codes = factors.list_codes(txn, owner.user_id)

    def look() -> Tried:
        code = next((each for each in codes if each.is_of(keys, typed)), None)
        if code is None:
            return Tried(Trial.WRONG)
        if code.used_at is not None:
            return Tried(Trial.USED)
        proof = Proof(ProofKind.RECOVERY_CODE, owner.now, owner.user_id)
        return Tried(Trial.RIGHT, proof, code=code)

    return _try(txn, ProofKind.RECOVERY_CODE, attempt_id, owner, look)


def try_mail(txn: Txn, attempt_id: str, typed: str, owner: Owner, *, keys: Keyring) -> Tried:
    """Look at a code that went to a mailbox, as far as one was sent for this attempt.

    It is of this attempt, and the next one that is sent voids it (C251); the tries stay counted.
    """
    code = codes.get(txn, code_id(attempt_id))
    if code is None or code.proven_at is not None or owner.now >= code.expires_at:
        return Tried(Trial.LATE)

    def look() -> Tried:
        address = code.sent_to(keys)
        if address is None or not code.is_right(keys, typed):
            return Tried(Trial.WRONG)
        proof = Proof(ProofKind.FACTOR_MAIL, owner.now, owner.user_id)
        return Tried(Trial.RIGHT, proof, mailed=Mailed(code, address))

    return _try(txn, ProofKind.FACTOR_MAIL, attempt_id, owner, look)


def take(
    txn: Txn, attempt: Attempt, tried: Tried, owner: Owner, ending: Ending, *, now: int
) -> Ended:
    """Take a code that was right, once, and go on with what it proves. Raises `Used` (C289)."""
    if tried.proof is None or not _is_taken(txn, tried, owner):
        raise Used
    return attempts.prove_and_end(txn, attempt, tried.proof, ending, now=now)


def _is_taken(txn: Txn, tried: Tried, owner: Owner) -> bool:
    """Take the code, if nobody else did; of a recovery code its owner hears."""
    if tried.app is not None:
        now, step, sealed = owner.now, tried.step, tried.sealed
        furthest = rules.furthest(now)
        return factors.take_code(
            txn, tried.app, step=step, furthest=furthest, sealed=sealed, now=now
        )
    if tried.mailed is not None:
        sent, user_id = tried.mailed, owner.user_id
        return codes.take(txn, sent.code, now=owner.now) and factor_mail.note_use(
            txn, user_id, sent.address, now=owner.now
        )
    if tried.code is None or not factors.use_code(txn, tried.code, now=owner.now):
        return False
    left = factors.held(txn, owner.user_id).codes
    events.add(txn, owner.event(EventKind.RECOVERY_CODE_USED, f"{left} left"))
    return True


def _try(
    txn: Txn,
    kind: ProofKind,
    attempt_id: str,
    owner: Owner,
    look: Callable[[], Tried],
    *,
    share: int = 1,
) -> Tried:
    of_attempt, *of_account = _buckets(kind, attempt_id, owner.user_id, share)
    full = throttle.fill(txn, [of_attempt, *of_account], now=owner.now)
    if full is not None:
        return _refused(full, of_attempt)
    tried = look()
    if tried.trial is Trial.RIGHT:
        throttle.take_back(txn, [of_attempt, *of_account])
        return tried
    _tell(txn, kind, owner)
    return tried


def _refused(full: Full, of_attempt: Bucket) -> Tried:
    """Say that nothing is looked at: whoever used up this attempt begins another one."""
    if full.key == of_attempt.key:
        return Tried(Trial.OVER)
    return Tried(Trial.TOO_OFTEN, wait=full.wait)


def _buckets(kind: ProofKind, attempt_id: str, user_id: str, share: int) -> list[Bucket]:
    """Return what a wrong code fills: of the attempt, then of the account, the hour before the day."""
    of_account = ((IN_HOUR, _HOUR, "hour"), (IN_DAY // share, _DAY, "day"))
    return [
        # It leaks a drop in eleven days: an attempt does not live to see it.
        Bucket(f"nextgen_factor {kind.value} attempt {attempt_id}", Rate(0, IN_ATTEMPT)),
        *(
            Bucket(f"nextgen_factor {kind.value} {name} {user_id}", _rate(most, seconds))
            for most, seconds, name in of_account
        ),
    ]


def _rate(most: int, seconds: int) -> Rate:
    half = max(1, most // 2)
    return Rate(half / seconds, half)


def _tell(txn: Txn, kind: ProofKind, owner: Owner) -> None:
    """Write a wrong code down. Whoever types one had the first factor, so many are told to the owner."""
    events.add(txn, owner.event(EventKind.FACTOR_REFUSED, kind.value))
    since = owner.now - _DAY
    wrong, told = (
        events.count_since(txn, owner.user_id, each, since=since)
        for each in (EventKind.FACTOR_REFUSED, EventKind.FACTOR_GUESSED)
    )
    if wrong >= TOLD_AFTER * (told + 1):
        events.add(txn, owner.event(EventKind.FACTOR_GUESSED, kind.value))

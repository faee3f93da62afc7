"""Authenticator apps of an account: one is shown, confirmed by a code, renamed, removed."""

import enum
from collections.abc import Sequence

import attrs

from synapse_nextgen_auth.accounts import own_ways as ways_rules
from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, Proof, ProofKind
from synapse_nextgen_auth.accounts.factors import apps as rules
from synapse_nextgen_auth.accounts.factors import demands
from synapse_nextgen_auth.accounts.factors.apps import App
from synapse_nextgen_auth.accounts.factors.demands import Demand, Level
from synapse_nextgen_auth.accounts.factors.recovery_codes import RecoveryCode
from synapse_nextgen_auth.accounts.own_ways import NOTHING, LetsIn
from synapse_nextgen_auth.flows import attempts, own_factors
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.flows.own_ways import Owner
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring
from synapse_nextgen_auth.store import factors, own_ways, sign_ins
from synapse_nextgen_auth.store.txn import Txn


class Kept(enum.Enum):
    """Why the apps of an account stay as they are."""

    CLOSED = "closed"  # the account, meanwhile
    ABSENT = "absent"  # it has no such app, or that waited too long for its code
    DONE = "done"  # it was confirmed already
    WRONG = "wrong"  # the code
    TOO_MANY = "too_many"
    LAST = "last"  # the account must have a factor
    MAILBOX = "mailbox"  # nothing would be left but mails, to sign in with and beside that
    NOT_FIRST = "not_first"  # it has one already, which would have to be proven


@frozen
class Shown:
    """A code that somebody typed for an app; `codes` were drawn before, and are kept if wanted."""

    app_id: str
    typed: str = attrs.field(repr=False)
    codes: Sequence[RecoveryCode] = attrs.field(repr=False)


@frozen
class Confirmed:
    """An app counts from now on; `made_codes` where recovery codes came with it."""

    step: int
    made_codes: bool


def begin(txn: Txn, app: App, *, is_first: bool = False, now: int) -> Kept | None:
    """Keep an app whose secret is about to be shown; it is no factor yet (C294).

    `is_first` where somebody sets up what they were asked for, and has proven no second factor.
    """
    if not own_ways.hold(txn, app.user_id):
        return Kept.CLOSED
    held = factors.held(txn, app.user_id)
    if is_first and held.is_any:
        return Kept.NOT_FIRST
    if held.apps >= rules.MOST:
        return Kept.TOO_MANY
    waiting = [each for each in factors.list_unconfirmed(txn, app.user_id) if each.awaits_code(now)]
    kept = {each.app_id for each in waiting[: rules.MOST_UNCONFIRMED - 1]}
    for each in factors.list_unconfirmed(txn, app.user_id):
        if each.app_id not in kept:
            factors.remove_app(txn, each.app_id, app.user_id)
    factors.add_app(txn, app)
    return None


def confirm(
    txn: Txn,
    shown: Shown,
    owner: Owner,
    *,
    keys: Keyring,
    is_first: bool = False,
) -> Confirmed | Kept:
    """Let an app count that shows the right code; with the first factor come recovery codes.

    `is_first` as when it began.
    """
    if not own_ways.hold(txn, owner.user_id):
        return Kept.CLOSED
    app, now = factors.get_app(txn, shown.app_id, owner.user_id), owner.now
    if app is None:
        return Kept.ABSENT
    if app.confirmed_at is not None:
        return Kept.DONE
    secret = app.opened(keys)
    if secret is None or not app.awaits_code(now):
        return Kept.ABSENT
    step = rules.matching_step(secret, shown.typed, now=now)
    if step is None:
        return Kept.WRONG
    held = factors.held(txn, owner.user_id)
    if is_first and held.is_any:
        return Kept.NOT_FIRST
    if held.apps >= rules.MOST:
        return Kept.TOO_MANY
    if not factors.confirm_app(txn, app, step=step, now=now):
        return Kept.DONE
    made = own_factors.added(txn, ProofKind.TOTP, shown.codes, owner, is_first=not held.is_any)
    return Confirmed(step, made_codes=made)


class Undone(Exception):
    """An app was not set up, because the attempt that it was for cannot go on (`why`)."""

    def __init__(self, why: Lost) -> None:
        super().__init__(why.value)
        self.why = why


def enrol(
    txn: Txn, attempt: Attempt, shown: Shown, owner: Owner, *, keys: Keyring
) -> Confirmed | Kept:
    """Confirm the first app of an account in an attempt that asked for one: that code is its proof.

    Raises `Undone`: nothing counts then.
    """
    done = confirm(txn, shown, owner, keys=keys, is_first=True)
    if isinstance(done, Confirmed):
        proof = Proof(ProofKind.TOTP, owner.now, owner.user_id, provider=shown.app_id)
        of = (txn, attempt.attempt_id)
        found = attempts.prove(*of, browser=attempt.browser, proof=proof, now=owner.now)
        if isinstance(found, Lost):
            raise Undone(found)
    return done


def add(txn: Txn, digest: str, shown: Shown, owner: Owner, *, keys: Keyring) -> Confirmed | Kept:
    """Confirm an app of whoever is signed in: that code is a second factor of this sign-in, too.

    `digest` is that of the sign-in. Raises `SignedOut` where they would have to prove another one first.
    """
    own_factors.refuse_unproven(txn, digest, owner.user_id)
    done = confirm(txn, shown, owner, keys=keys)
    if isinstance(done, Confirmed):
        sign_ins.note_level(txn, digest, owner.user_id, level=Level.TWO)
    return done


def rename(txn: Txn, app_id: str, name: str, owner: Owner) -> bool:
    """Call an app otherwise; False where the account has no such app (C301)."""
    return factors.rename_app(txn, app_id, owner.user_id, name=name)


def remove(
    txn: Txn, app_id: str, owner: Owner, demand: Demand, lets_in: LetsIn = NOTHING
) -> Kept | None:
    """Take an app from an account, unless it has to have a factor and this is the last (C286).

    `lets_in` says what else of it counts here. With the last factor its recovery codes go: they stand
    in for nothing any more.
    """
    if not own_ways.hold(txn, owner.user_id):
        return Kept.CLOSED
    app = factors.get_app(txn, app_id, owner.user_id)
    if app is None or app.confirmed_at is None:
        return Kept.ABSENT
    kept = why_it_stays(txn, owner.user_id, demand, lets_in)
    if kept is not None:
        return kept
    factors.remove_app(txn, app_id, owner.user_id)
    is_last = not factors.held(txn, owner.user_id).is_any
    own_factors.removed(txn, ProofKind.TOTP, owner, is_last=is_last)
    return None


def why_it_stays(txn: Txn, user_id: str, demand: Demand, lets_in: LetsIn) -> Kept | None:
    """Return why an account may not do with one app less, or `None`."""
    held = own_factors.useful(txn, user_id, lets_in)
    if not demands.may_be_left(demand, attrs.evolve(held, apps=held.apps - 1)):
        return Kept.LAST
    had, every = own_ways.list_for(txn, user_id), factors.held(txn, user_id)
    after = had.with_factors(attrs.evolve(every, apps=every.apps - 1))
    return None if ways_rules.may_go(had, after, lets_in) else Kept.MAILBOX

"""An account has a factor more or less, whatever it is; and its recovery codes."""

from collections.abc import Sequence

import attrs

from synapse_nextgen_auth.accounts.attempts.attempt import ProofKind
from synapse_nextgen_auth.accounts.factors.apps import App
from synapse_nextgen_auth.accounts.factors.demands import Level
from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.accounts.factors.recovery_codes import RecoveryCode
from synapse_nextgen_auth.accounts.own_ways import LetsIn
from synapse_nextgen_auth.flows import lost_factors
from synapse_nextgen_auth.flows.as_signed_in import SignedOut
from synapse_nextgen_auth.flows.own_ways import Owner
from synapse_nextgen_auth.oauth.events import EventKind
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import (
    approvals,
    device_grants,
    events,
    factors,
    grants,
    login_tokens,
    own_ways,
    passkeys,
    remembered,
    sign_ins,
)
from synapse_nextgen_auth.store.txn import Txn


@frozen
class Had:
    """What an account has: its apps, how many of each kind, and how many codes were made, and when."""

    apps: tuple[App, ...]
    held: Held
    codes: int
    codes_made_at: int | None


def look(txn: Txn, user_id: str) -> Had:
    """Return what an account has."""
    codes = factors.list_codes(txn, user_id)
    return Had(
        tuple(factors.list_apps(txn, user_id)),
        factors.held(txn, user_id),
        len(codes),
        max((code.made_at for code in codes), default=None),
    )


def useful(txn: Txn, user_id: str, lets_in: LetsIn) -> Held:
    """Count what an account can prove at this address: a passkey of another site is none here.

    Nor is a code by mail where this server sends none.

    It is what may be left to an account. What it is asked for is everything that it has.
    """
    held = factors.held(txn, user_id)
    of_site = passkeys.count_for(txn, user_id, lets_in.passkeys)
    return attrs.evolve(held, passkeys=of_site, mail=held.mail if lets_in.mails else 0)


def added(
    txn: Txn, kind: ProofKind, codes: Sequence[RecoveryCode], owner: Owner, *, is_first: bool
) -> bool:
    """Write down that there is one more; return whether recovery codes came with it, as with the first.

    `codes` were drawn before, and are kept if they are wanted. Every browser is asked from now on.
    """
    events.add(txn, owner.event(EventKind.FACTOR_ADDED, kind.value))
    remembered.forget_all(txn, owner.user_id)
    lost_factors.proven(txn, owner.user_id, now=owner.now)
    if is_first:
        _replace_codes(txn, codes, owner)
        _withdraw(txn, owner)
    return is_first


def _withdraw(txn: Txn, owner: Owner) -> None:
    """Let nothing begin or be done any more that was approved by one factor, and was not fetched yet."""
    approvals.withdraw(txn, owner.user_id, now=owner.now)
    login_tokens.withdraw(txn, owner.user_id, now=owner.now)
    grants.withdraw_codes(txn, owner.user_id, now=owner.now)
    device_grants.withdraw(txn, owner.user_id, now=owner.now)
    sign_ins.weaken(txn, owner.user_id)


def refuse_unproven(txn: Txn, sign_in: str, user_id: str) -> None:
    """Stop whoever proved one factor, where the account got its first one a moment ago (C294).

    `sign_in` is the digest of who adds another one. They come back once they have proved both.
    """
    by = sign_ins.get(txn, sign_in)
    if by is not None and by.factors < Level.TWO and factors.held(txn, user_id).is_any:
        raise SignedOut


def removed(txn: Txn, kind: ProofKind, owner: Owner, *, is_last: bool) -> None:
    """Write down that there is one less; with the last go the codes that would stand in for it."""
    events.add(txn, owner.event(EventKind.FACTOR_REMOVED, kind.value))
    remembered.forget_all(txn, owner.user_id)
    lost_factors.proven(txn, owner.user_id, now=owner.now)
    if is_last:
        factors.replace_codes(txn, owner.user_id, ())


def make_codes(txn: Txn, codes: Sequence[RecoveryCode], owner: Owner) -> bool:
    """Give an account new recovery codes in place of the old; False where it has no factor."""
    if not own_ways.hold(txn, owner.user_id) or not factors.held(txn, owner.user_id).is_any:
        return False
    _replace_codes(txn, codes, owner)
    lost_factors.proven(txn, owner.user_id, now=owner.now)
    return True


def _replace_codes(txn: Txn, codes: Sequence[RecoveryCode], owner: Owner) -> None:
    factors.replace_codes(txn, owner.user_id, codes)
    events.add(txn, owner.event(EventKind.RECOVERY_CODES_MADE))

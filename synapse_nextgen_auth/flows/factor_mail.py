"""Codes by e-mail as a second factor: turned on for an address of the account, turned off, gone with it.

Typing the code that went there turns them on; what was tried is counted in `prove_factor.py`.
"""

import enum
from collections.abc import Sequence

import attrs

from synapse_nextgen_auth.accounts.attempts.attempt import Attempt, ProofKind
from synapse_nextgen_auth.accounts.factors import demands
from synapse_nextgen_auth.accounts.factors.demands import Demand, Level
from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.accounts.factors.mail import FactorMail
from synapse_nextgen_auth.accounts.factors.recovery_codes import RecoveryCode
from synapse_nextgen_auth.accounts.own_ways import LetsIn, OwnWays
from synapse_nextgen_auth.flows import attempts, own_factors
from synapse_nextgen_auth.flows import own_ways as own_flows
from synapse_nextgen_auth.flows.attempts import Lost
from synapse_nextgen_auth.flows.authenticator_apps import Undone
from synapse_nextgen_auth.flows.own_ways import Owner
from synapse_nextgen_auth.flows.prove_factor import Tried
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import codes, factor_mail, factors, links, own_ways, sign_ins
from synapse_nextgen_auth.store.txn import Txn


class Kept(enum.Enum):
    """Why it stays as it is."""

    CLOSED = "closed"  # the account, meanwhile
    USED = "used"  # the code was taken before, or a newer one was sent
    ABSENT = "absent"  # the account has not this address, or no such factor
    NOT_FIRST = "not_first"  # it has a factor, which would have to be proven
    ALONE = "alone"  # nothing but mails would let its person in
    LAST = "last"  # the account must have a factor


@frozen
class Added:
    """Codes go there from now on; `made_codes` where recovery codes came with it."""

    made_codes: bool


@frozen(kw_only=True)
class New:
    """A code that was right, and what goes with it.

    `codes` are recovery codes that were drawn in case that it is the first factor; `sign_in` is the
    digest of the sign-in of whoever typed it.
    """

    tried: Tried
    lets_in: LetsIn
    codes: Sequence[RecoveryCode] = attrs.field(default=(), repr=False)
    sign_in: str = attrs.field(default="", repr=False)


def add(txn: Txn, new: New, owner: Owner) -> Added | Kept:
    """Turn it on for whoever is signed in: the code is a second factor of this sign-in, too."""
    own_factors.refuse_unproven(txn, new.sign_in, owner.user_id)
    done = _add(txn, new, owner)
    if isinstance(done, Added):
        sign_ins.note_level(txn, new.sign_in, owner.user_id, level=Level.TWO)
    return done


def enrol(txn: Txn, attempt: Attempt, new: New, owner: Owner) -> Added | Kept:
    """Turn it on as the first factor of an account, in an attempt that asked for one: it is proven so.

    Raises `Undone`: nothing counts then.
    """
    done = _add(txn, new, owner, is_first=True)
    if isinstance(done, Added) and new.tried.proof is not None:
        of = (txn, attempt.attempt_id)
        proof = new.tried.proof
        found = attempts.prove(*of, browser=attempt.browser, proof=proof, now=owner.now)
        if isinstance(found, Lost):
            raise Undone(found)
    return done


def _add(txn: Txn, new: New, owner: Owner, *, is_first: bool = False) -> Added | Kept:
    if not own_ways.hold(txn, owner.user_id):
        return Kept.CLOSED
    had, held = own_ways.list_for(txn, owner.user_id), factors.held(txn, owner.user_id)
    if is_first and held.is_any:
        return Kept.NOT_FIRST
    sent = new.tried.mailed
    if sent is None or sent.address not in had.emails:
        return Kept.ABSENT
    if not is_beside_another(had, new.lets_in):
        return Kept.ALONE
    if not codes.take(txn, sent.code, now=owner.now):
        return Kept.USED
    factor_mail.put(txn, FactorMail(owner.user_id, sent.address, owner.now))
    kind = ProofKind.FACTOR_MAIL
    made = own_factors.added(txn, kind, new.codes, owner, is_first=not held.is_any)
    return Added(made_codes=made)


def is_beside_another(had: OwnWays, lets_in: LetsIn) -> bool:
    """Say whether something else than a mail lets its person in: the mailbox twice is one thing.

    What a module of Synapse knows nobody can tell from here; only whom codes alone let in is kept out.
    """
    return had.open(attrs.evolve(lets_in, codes=False)) or not had.open(lets_in)


def remove(txn: Txn, owner: Owner, demand: Demand, lets_in: LetsIn) -> Kept | None:
    """Turn it off, unless the account has to have a factor and this is the last (C286)."""
    if not own_ways.hold(txn, owner.user_id):
        return Kept.CLOSED
    if not factors.held(txn, owner.user_id).mail:
        return Kept.ABSENT
    if not may_go(txn, owner.user_id, demand, lets_in):
        return Kept.LAST
    factor_mail.remove(txn, owner.user_id)
    _removed(txn, owner)
    return None


def may_go(txn: Txn, user_id: str, demand: Demand, lets_in: LetsIn) -> bool:
    """Say whether an account may do without."""
    return demands.may_be_left(demand, left(txn, user_id, lets_in))


def left(txn: Txn, user_id: str, lets_in: LetsIn) -> Held:
    """Return what an account could prove without it."""
    return attrs.evolve(own_factors.useful(txn, user_id, lets_in), mail=0)


def remove_address(
    txn: Txn, address: str, owner: Owner, lets_in: LetsIn, demand: Demand, *, also_to: str
) -> own_flows.Kept | None:
    """Take an e-mail address from an account as `own_ways.py` does, with the factor that it is."""
    own_ways.hold(txn, owner.user_id)
    is_factor = factor_mail.goes_to(txn, owner.user_id, address)
    if is_factor and not may_go(txn, owner.user_id, demand, lets_in):
        return own_flows.Kept.LAST_FACTOR
    kept = own_flows.remove_address(txn, own_ways.EMAIL, address, owner, lets_in, also_to=also_to)
    if kept is None:
        address_gone(txn, address, owner)
    return kept


def address_gone(txn: Txn, address: str, owner: Owner) -> None:
    """Let nothing more go by an address that the account has no more, and tell its owner.

    Links that went there are worth nothing, and codes that went there are no second factor.
    """
    links.end_of_address(txn, owner.user_id, address, now=owner.now)
    if factor_mail.remove_address(txn, owner.user_id, address):
        _removed(txn, owner)


def _removed(txn: Txn, owner: Owner) -> None:
    is_last = not factors.held(txn, owner.user_id).is_any
    own_factors.removed(txn, ProofKind.FACTOR_MAIL, owner, is_last=is_last)

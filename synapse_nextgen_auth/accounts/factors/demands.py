"""Whether two factors are demanded of somebody, and whether what they proved is enough.

A factor is something known, held or inherent. What counts is what was proven for this attempt, wherever
its pages were left, gone back in or opened twice (C295).
"""

import enum
from collections.abc import Collection, Iterable

from synapse_nextgen_auth.accounts.attempts.attempt import Proof, ProofKind, Purpose
from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.records import frozen


class Rule(str, enum.Enum):
    """Whether accounts have second factors; the value is what the configuration says."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


class Level(enum.IntEnum):
    """How many factors somebody proved, and how well; the value is what the database keeps."""

    ONE = 1
    TWO = 2
    # Two, and one of them is a passkey: no forged page can pass that on.
    RESISTANT = 3


class Missing(enum.Enum):
    """What somebody has to do before they are signed in."""

    PROVE = "prove"  # one of the factors that the account has
    ENROL = "enrol"  # it has none, and needs one


@frozen(kw_only=True)
class Demand:
    """What is demanded of one account in one attempt.

    `may_add` is False where the rule of the account is `off` on a server that has factors for others:
    it sets none up, and is asked for what it has from before. An `off` here asks nobody for anything.
    `may_wait` says that the time `until` which it may do without a factor is yet to come. `asks` is
    what an application wants proven, whatever browser it is, and no more than the account can prove.
    `is_remembered`: this browser proved a second factor of the account a while ago, and need not
    again.
    """

    rule: Rule = Rule.OFF
    may_add: bool = True
    may_wait: bool = False
    until: int | None = None
    asks: Level = Level.ONE
    is_remembered: bool = False


NONE = Demand()

# What lets somebody in as the first thing they prove; a passkey only where its device knows its owner.
FIRST = frozenset(
    {
        ProofKind.PASSWORD,
        ProofKind.PROVIDER,
        ProofKind.LINK,
        ProofKind.EMAIL_CODE,
        ProofKind.MODULE,
        ProofKind.PASSKEY,
    }
)
# What is a second factor beside any of these.
SECOND = frozenset({ProofKind.TOTP, ProofKind.RECOVERY_CODE, ProofKind.PASSKEY})
# What is nothing without another thing beside it.
BESIDE = frozenset({ProofKind.TOTP, ProofKind.RECOVERY_CODE, ProofKind.FACTOR_MAIL})
# Who reads the mailbox of an account has these two, and proves nothing more by a third mail.
_BY_MAIL = frozenset({ProofKind.LINK, ProofKind.EMAIL_CODE})
# What the answer to "set one up later" is kept under.
LATER = "enrol"


@frozen
class Strong:
    """What a provider says (`amr`, `acr`) of a sign-in that counts as two factors by itself.

    It is believed only of the provider that the operator named: anybody can write the words.
    """

    provider: str
    said: str


def is_first(proof: Proof) -> bool:
    """Say whether somebody may begin with a proof.

    A key that anybody may use who finds it is a factor beside another thing, and says nothing alone.
    """
    return proof.kind in FIRST and (proof.kind is not ProofKind.PASSKEY or proof.is_verified)


def level(proofs: Iterable[Proof], strong: Collection[Strong] = ()) -> Level:
    """Return how many factors these proofs are, which are all of one account."""
    proven = tuple(proofs)
    if not _are_two(proven, strong):
        return Level.ONE
    has_passkey = any(proof.kind is ProofKind.PASSKEY for proof in proven)
    return Level.RESISTANT if has_passkey else Level.TWO


def may_add_mail(proofs: Iterable[Proof]) -> bool:
    """Say whether a code by mail proves something more: it does not to whom a mail let in."""
    return bool({proof.kind for proof in proofs if is_first(proof)} - _BY_MAIL)


def missing(
    demand: Demand,
    held: Held,
    proofs: Collection[Proof],
    *,
    purpose: Purpose,
    strong: Collection[Strong] = (),
    waits: bool = False,
) -> Missing | None:
    """Say what is missing of what is demanded; `waits` where its person said that they do it later."""
    if demand.rule is Rule.OFF or level(proofs, strong) >= max(demand.asks, Level.TWO):
        return None
    if held.is_any:
        # A browser that is remembered is somebody's who signed in here: no more than that.
        is_spared = demand.is_remembered and purpose is Purpose.SIGN_IN and demand.asks is Level.ONE
        return None if is_spared else Missing.PROVE
    if demand.rule is not Rule.REQUIRED:
        return None
    if demand.may_wait and (waits or purpose is Purpose.PROVE_AGAIN):
        return None
    return Missing.ENROL


def suffices(demand: Demand, held: Held, reached: Level) -> bool:
    """Say whether a sign-in of this level may let something in (C293, C295).

    One from before its account had a factor, or had to have one, may not. A remembered browser may.
    """
    if demand.rule is Rule.OFF or reached >= Level.TWO:
        return True
    if held.is_any:
        return demand.is_remembered and demand.asks is Level.ONE
    return demand.rule is not Rule.REQUIRED or demand.may_wait


def may_be_left(demand: Demand, left: Held) -> bool:
    """Say whether an account may give factors up and be left with these.

    Time to set one up is for who has none yet: it gives nobody back what protects their account.
    """
    return left.is_any or demand.rule is not Rule.REQUIRED


def _are_two(proven: tuple[Proof, ...], strong: Collection[Strong]) -> bool:
    """Say whether these are two factors: one that is both, or two of two kinds."""
    if any(_is_two(proof, strong) for proof in proven):
        return True
    kinds = {proof.kind for proof in proven}
    if ProofKind.FACTOR_MAIL in kinds and may_add_mail(proven):
        return True
    return any(map(is_first, proven)) and not kinds.isdisjoint(SECOND)


def _is_two(proof: Proof, strong: Collection[Strong]) -> bool:
    """Say whether a single proof is two factors: a passkey whose device knows its owner."""
    if proof.kind is ProofKind.PASSKEY:
        return proof.is_verified
    if proof.kind is not ProofKind.PROVIDER or proof.provider is None:
        return False
    said = (*proof.amr, *((proof.acr,) if proof.acr is not None else ()))
    return any(Strong(proof.provider, each) in strong for each in said)

"""What applications may ask of a sign-in, and are told of it: `acr` (OpenID Connect Core section 2).

Values that are asked for are in the order of preference, and one of them has to be met (RFC 9470
section 5). Those that nobody knows here ask for nothing: an application may send them to any server.
"""

import enum
from collections.abc import Collection, Sequence

from synapse_nextgen_auth.accounts.factors.demands import Level
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.records import frozen

ONE_FACTOR = "urn:nextgen-auth:acr:one-factor"
TWO_FACTORS = "urn:nextgen-auth:acr:two-factors"
# REFEDS Multi-Factor Authentication Profile 1.2. What its single-factor profile promises of passwords,
# no homeserver can.
REFEDS_MFA = "https://refeds.org/profile/mfa"

_LEVELS = {TWO_FACTORS: Level.TWO, REFEDS_MFA: Level.TWO, ONE_FACTOR: Level.ONE}
_OWN = {Level.ONE: ONE_FACTOR, Level.TWO: TWO_FACTORS}


class Verdict(enum.Enum):
    """Whether a sign-in is what an application asks for."""

    MET = "met"
    PROVE = "prove"  # it is not, and its person can prove more
    UNMET = "unmet"  # whatever they do


@frozen
class Reached:
    """What was proven: how many factors, and what the identity provider called it (`acr`), if it did."""

    level: Level = Level.ONE
    said: str | None = None

    def meets(self, value: str) -> bool:
        """Say whether it is what a value asks for: two factors are one, too."""
        # Ours mean what was counted here, whoever else says them.
        return _LEVELS[value] <= self.level if value in _LEVELS else value == self.said

    @classmethod
    def by(cls, sign_in: SignIn) -> "Reached":
        """Return what the person of a sign-in proved."""
        return cls(Level(sign_in.factors), sign_in.acr)


def announced(*, two: bool) -> tuple[str, ...]:
    """Return the values that this server knows; `two` where somebody can prove two factors here."""
    return tuple(value for value, level in _LEVELS.items() if two or level is Level.ONE)


def read(text: str | None) -> tuple[str, ...]:
    """Return the values of a request, each once."""
    return tuple(dict.fromkeys((text or "").split()))


def judge(asked: Sequence[str], reached: Reached, *, can_prove_two: bool) -> Verdict:
    """Say whether what was proven is the first of these that its person can prove.

    `can_prove_two` says that the account has a second factor. An application that would be content
    with less gets that only where there is no more.
    """
    for value in asked:
        if reached.meets(value):
            return Verdict.MET
        if can_prove_two and _LEVELS.get(value) is Level.TWO:
            return Verdict.PROVE
    return Verdict.UNMET if any(value in _LEVELS for value in asked) else Verdict.MET


def asks_two(asked: Sequence[str], said: Collection[str] = ()) -> bool:
    """Say whether the first value that means something here is two factors.

    `said` are the words of identity providers in this attempt.
    """
    meant = (value for value in asked if value in _LEVELS or value in said)
    return _LEVELS.get(next(meant, ONE_FACTOR)) is Level.TWO


def answer(asked: Sequence[str], reached: Reached) -> str:
    """Return the `acr` of a sign-in: what was asked for and is met, else what it is in our words.

    A provider's word stands where it was one factor: nothing of ours says more. Two factors are two,
    whoever proved them, and only what counts as two here is called so.
    """
    met = next((value for value in asked if reached.meets(value)), None)
    if met is not None:
        return met
    if reached.level is Level.ONE and reached.said is not None and reached.said not in _LEVELS:
        return reached.said
    return _OWN[reached.level]


def of_row(acr: str | None, level: int | None) -> str:
    """Return the `acr` of what was written down, perhaps by a release that always had none."""
    return acr if acr is not None else _OWN[Level(level or 1)]

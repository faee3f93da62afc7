"""What applications may ask of a sign-in, and are told of it: `acr` (OpenID Connect Core section 2).

Values that are asked for are in the order of preference. Whether one of them has to be met, the request
says (`Strictness`).
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

# OpenID Connect Extended Authentication Profile ACR Values 1.0. Its other one, `phrh`, is of keys that
# hardware protects: no attestation is asked for, and without one nobody knows that.
PHISHING_RESISTANT = "phr"

_LEVELS = {
    PHISHING_RESISTANT: Level.RESISTANT,
    TWO_FACTORS: Level.TWO,
    REFEDS_MFA: Level.TWO,
    ONE_FACTOR: Level.ONE,
}
_OWN = {Level.ONE: ONE_FACTOR, Level.TWO: TWO_FACTORS, Level.RESISTANT: TWO_FACTORS}


class Verdict(enum.Enum):
    """Whether a sign-in is what an application asks for."""

    MET = "met"
    PROVE = "prove"  # it is not, and its person can prove more
    UNMET = "unmet"  # whatever they do


class Strictness(str, enum.Enum):
    """What becomes of a request of which no value is met; the value is what the database keeps."""

    # The parameter `acr_values`: those that are known here have to be met (RFC 9470 section 5), others
    # ask for nothing, as an application may send them to any server.
    KNOWN = "known"
    # The claim `acr` (OpenID Connect Core section 5.5.1.1).
    ESSENTIAL = "essential"
    VOLUNTARY = "voluntary"


@frozen
class Asked:
    """The values that an application asks for."""

    values: tuple[str, ...] = ()
    strictness: Strictness = Strictness.KNOWN

    @property
    def has_to_be_met(self) -> bool:
        """Whether one of them has to."""
        if self.strictness is Strictness.KNOWN:
            return any(value in _LEVELS for value in self.values)
        return self.strictness is Strictness.ESSENTIAL and bool(self.values)


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


def announced(most: Level) -> tuple[str, ...]:
    """Return the values that this server knows, of what somebody can prove here."""
    return tuple(value for value, level in _LEVELS.items() if level <= most)


def read(text: str | None, how: str | None = None) -> Asked:
    """Return what was written down of a request: its values, each once, and how they are meant."""
    return Asked(tuple(dict.fromkeys((text or "").split())), Strictness(how or Strictness.KNOWN))


def wish(values: Sequence[str]) -> str | None:
    """Write values down as what is asked for, so that nobody is kept out who can prove none of them."""
    return " ".join((*values, ONE_FACTOR)) if values else None


def judge(asked: Asked, reached: Reached, *, can_prove: Level) -> Verdict:
    """Say whether what was proven is the first of these that its person can prove.

    An application that would be content with less gets that only where there is no more.
    """
    for value in asked.values:
        if reached.meets(value):
            return Verdict.MET
        if value in _LEVELS and _LEVELS[value] <= can_prove:
            return Verdict.PROVE
    return Verdict.UNMET if asked.has_to_be_met else Verdict.MET


def wanted(asked: Asked, *, can_prove: Level, said: Collection[str] = ()) -> Level:
    """Return what the first value means that somebody can prove; one factor, if there is none.

    `said` are the words of identity providers in this attempt.
    """
    levels = (
        Level.ONE if value in said else _LEVELS[value]
        for value in asked.values
        if value in said or (value in _LEVELS and _LEVELS[value] <= can_prove)
    )
    return next(levels, Level.ONE)


def answer(asked: Asked, reached: Reached) -> str:
    """Return the `acr` of a sign-in: what was asked for and is met, else what it is in our words.

    A provider's word stands where it was one factor: nothing of ours says more. Two factors are two,
    whoever proved them, and only what counts as two here is called so.
    """
    met = next((value for value in asked.values if reached.meets(value)), None)
    if met is not None:
        return met
    if reached.level is Level.ONE and reached.said is not None and reached.said not in _LEVELS:
        return reached.said
    return _OWN[reached.level]


def of_row(acr: str | None, level: int | None) -> str:
    """Return the `acr` of what was written down, perhaps by a release that always had none."""
    return acr if acr is not None else _OWN[Level(level or 1)]

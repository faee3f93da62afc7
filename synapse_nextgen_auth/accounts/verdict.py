"""Whether an account is safe, at one look: always the same checks, of what its person can change."""

import enum

from synapse_nextgen_auth.accounts.factors.held import Held
from synapse_nextgen_auth.records import frozen

# How long (seconds) something odd is worth acting upon.
ODD_FOR = 30 * 24 * 3600


class Check(str, enum.Enum):
    """What is looked at, in the order in which it is told where all is well."""

    LOST = "lost"  # somebody wants the second factors removed, as they were lost
    ODD = "odd"  # a token or code that came twice, as a thief's does
    VERIFIED = "verified"  # devices that nobody verified
    USED = "used"  # devices and sessions that are probably forgotten
    WAY_BACK = "way_back"  # an e-mail address, for who forgot their password
    ANOTHER_WAY = "another_way"  # so that no single thing locks people out
    SECOND_FACTOR = "second_factor"  # so that a password alone opens nothing
    POWER = "power"  # applications that may administer the server


class State(enum.IntEnum):
    """How one of them is; the worst has the least number."""

    ACT = 0
    LOOK = 1
    GOOD = 2
    # Nothing that the person could do about it on this server.
    NOT_HERE = 3


@frozen(kw_only=True)
class Facts:
    """What is known of an account; times in seconds since the epoch.

    `odd_at` is when something odd happened last, `mended_at` when the person last did what helps against
    it: another password, or signing out everywhere else. `devices` keep keys, so that they can be
    verified. `ways` are how many things let them in; `can_add_way` says whether they could have another.
    `factors` are the second ones that it has, `None` where nobody has any here.
    `is_loss_waiting`: somebody asked for their removal, which may have been somebody else.
    `mail_helps` says whether an e-mail address lets people back in here, and they may add one.
    """

    odd_at: int | None = None
    mended_at: int | None = None
    devices: int = 0
    unverified: int = 0
    unused: int = 0
    emails: int = 0
    mail_helps: bool = False
    ways: int = 1
    can_add_way: bool = False
    powers: int = 0
    factors: Held | None = None
    is_loss_waiting: bool = False


@frozen
class Found:
    """One check, how it is, and of how many things that is so."""

    check: Check
    state: State
    number: int = 0


@frozen
class Verdict:
    """All checks, the bad ones first."""

    checks: tuple[Found, ...]

    @property
    def state(self) -> State:
        """The worst of them; what is not for the person to change spoils nothing."""
        return min((each.state for each in self.checks), default=State.GOOD)

    @property
    def to_look_at(self) -> int:
        """How many are not well."""
        return sum(each.state <= State.LOOK for each in self.checks)


def judge(facts: Facts, now: int) -> Verdict:
    """Say how an account is doing."""
    found = [
        *([Found(Check.LOST, State.ACT)] if facts.is_loss_waiting else []),
        Found(Check.ODD, State.ACT if _is_odd(facts, now) else State.GOOD),
        _unless(facts.unverified, Check.VERIFIED, facts.devices),
        _unless(facts.unused, Check.USED),
        _way_back(facts),
        _another_way(facts),
        *_second_factor(facts),
        _unless(facts.powers, Check.POWER),
    ]
    return Verdict(tuple(sorted(found, key=lambda each: each.state)))


def _unless(bad: int, check: Check, of: int = 0) -> Found:
    return Found(check, State.LOOK, bad) if bad else Found(check, State.GOOD, of)


def _is_odd(facts: Facts, now: int) -> bool:
    """Say whether something odd happened of late that nobody did anything about yet."""
    if facts.odd_at is None or now - facts.odd_at >= ODD_FOR:
        return False
    return facts.mended_at is None or facts.mended_at < facts.odd_at


def _second_factor(facts: Facts) -> tuple[Found, ...]:
    """Look at whether a password alone opens the account, and how many codes are left for a bad day."""
    if facts.factors is None:
        return ()
    has_what_helps = facts.factors.is_any and facts.factors.codes > 0
    if has_what_helps and facts.is_loss_waiting:
        return ()  # it may be gone soon, which is said before everything else
    state = State.GOOD if has_what_helps else State.LOOK
    return (Found(Check.SECOND_FACTOR, state, facts.factors.number),)


def _way_back(facts: Facts) -> Found:
    if not facts.mail_helps:
        return Found(Check.WAY_BACK, State.NOT_HERE)
    return Found(Check.WAY_BACK, State.GOOD if facts.emails else State.LOOK, facts.emails)


def _another_way(facts: Facts) -> Found:
    """Look at whether one thing that fails would lock the person out.

    An address that lets them back in is as good as another way; one that is missing is told as that.
    """
    if facts.ways > 1 or (facts.mail_helps and facts.emails):
        return Found(Check.ANOTHER_WAY, State.GOOD, facts.ways)
    is_theirs = facts.can_add_way and not facts.mail_helps
    return Found(Check.ANOTHER_WAY, State.LOOK if is_theirs else State.NOT_HERE, facts.ways)

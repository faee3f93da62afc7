"""Who needs a second factor: what the operator wrote, and what other modules say; the strictest wins."""

import enum
import re
from collections.abc import Iterable

import attrs

from synapse_nextgen_auth.accounts.factors.demands import Demand, Rule
from synapse_nextgen_auth.records import frozen

# Seconds: neither does a browser stay remembered for longer, nor is anybody given more time.
LONGEST = 366 * 24 * 3600
_STRICTNESS = {Rule.OFF: 0, Rule.OPTIONAL: 1, Rule.REQUIRED: 2}


class LegacyLogins(str, enum.Enum):
    """What becomes of a sign-in without the factor that the old way in cannot ask for."""

    REFUSE = "refuse"
    WARN = "warn"  # it passes, and the owner is told
    ALLOW = "allow"

    def while_draining(self) -> "LegacyLogins":
        """Return what holds while no page signs anybody in: nobody could go where they are sent."""
        return LegacyLogins.WARN if self is LegacyLogins.REFUSE else self


@frozen
class Entry:
    """A rule for some accounts: those with one of these names, or whose whole Matrix id matches.

    A name is a Matrix id, or what stands before the colon of one, in any case, as people sign in.
    """

    rule: Rule
    names: frozenset[str] = frozenset()
    matching: re.Pattern[str] | None = None

    def is_about(self, user_id: str) -> bool:
        """Say whether this account, one of this server's, is meant."""
        written = {name.lower() for name in self.names}
        if user_id.lower() in written or user_id[1:].partition(":")[0].lower() in written:
            return True
        return self.matching is not None and self.matching.fullmatch(user_id) is not None


@frozen(kw_only=True)
class FactorPolicy:
    """What the operator wrote: a rule for everybody, for administrators, and for some accounts.

    `grace` is for how long (seconds) an account may do without a factor after one was first demanded;
    not that of an administrator where `admins` demands it: they have power from the first moment on.
    """

    everybody: Rule = Rule.OFF
    admins: Rule = Rule.OFF
    accounts: tuple[Entry, ...] = ()
    grace: int = 0

    @property
    def is_on(self) -> bool:
        """Whether anybody at all may have a second factor by what is written here."""
        of_accounts = (each.rule for each in self.accounts)
        return strictest((self.everybody, self.admins, *of_accounts)) is not Rule.OFF

    def rule_of(self, user_id: str, *, is_admin: bool, others: Iterable[Rule] = ()) -> Rule:
        """Return the rule for an account; `others` is what other modules say of it."""
        of_accounts = (each.rule for each in self.accounts if each.is_about(user_id))
        of_admins = (self.admins,) if is_admin else ()
        return strictest((self.everybody, *of_admins, *of_accounts, *others))

    @property
    def tells_admins_apart(self) -> bool:
        """Whether something else holds for administrators than for everybody."""
        is_stricter = strictest((self.everybody, self.admins)) is not self.everybody
        return is_stricter or self.grace_of(is_admin=True) != self.grace

    def grace_of(self, *, is_admin: bool) -> int:
        """Return how long an account is given, in seconds."""
        return 0 if is_admin and self.admins is Rule.REQUIRED else self.grace

    def demand(self, rule: Rule, *, since: int | None, now: int, is_admin: bool = False) -> Demand:
        """Return what is demanded of an account by its rule, and was first at the time `since`.

        It is for a server where somebody has factors: what an account has is asked for then, even if
        it may have none. Nothing stops being asked for because somebody lost a right.
        """
        if rule is Rule.OFF:
            return Demand(rule=Rule.OPTIONAL, may_add=False)
        grace = self.grace_of(is_admin=is_admin)
        if rule is not Rule.REQUIRED or since is None or not grace:
            return Demand(rule=rule)
        until = since + grace
        return Demand(rule=rule, may_wait=now < until, until=until)


def strictest(rules: Iterable[Rule]) -> Rule:
    """Return the strictest of some rules."""
    return max(rules, key=_STRICTNESS.__getitem__, default=Rule.OFF)


@frozen
class Owed:
    """Since when an account is to have a second factor, and has none; in seconds since the epoch."""

    user_id: str
    since: int


@frozen
class Remembered:
    """A browser that proved a second factor of an account, and need not again before `expires_at`.

    `digest` is of the value of its cookie, which is another one with each account that is added.
    """

    remembered_id: str
    digest: str = attrs.field(repr=False)
    user_id: str
    made_at: int
    expires_at: int
    user_agent: str | None = attrs.field(default=None, repr=False)

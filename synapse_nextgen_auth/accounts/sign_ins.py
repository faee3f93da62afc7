"""A sign-in: one account, signed in in one browser that carries the secret of it in its cookie."""

from collections.abc import Iterable

import attrs

from synapse_nextgen_auth.clock import is_ahead
from synapse_nextgen_auth.records import frozen

# For how long (seconds) a sign-in is fresh enough to do something dangerous, if nothing else is set,
# and how long an operator may make that: a page has to be read and filled in within it.
FRESH = 300
SHORTEST_FRESH = 30
LONGEST_FRESH = 3600
# The level of one factor that was proven before its account had a second one.
TOO_LITTLE = 0


@frozen
class BrowserLifetimes:
    """How long a browser stays signed in, in seconds: without a visit, and at most."""

    idle: int = 14 * 24 * 3600
    absolute: int = 90 * 24 * 3600

    @property
    def noted_every(self) -> int:
        """After how many seconds one more visit is written down: often enough for the idle limit."""
        return max(1, min(self.idle // 10, 3600))


@frozen
class SignIn:
    """One row of sign-ins; times in seconds since the epoch.

    `digest` is of its secret, which changes when the person proves again who they are; `sign_in_id`
    stays. `amr` (space-separated) and `acr` say how they proved it (RFC 8176, OpenID Connect Core
    section 2); `auth_time` is when, where a provider said so, `provider` which one, and
    `provider_session` how that calls its own sign-in. `user_agent` is what the browser says of itself,
    `address` from where they proved it. `level` is how many factors that was (`factors/demands.py`);
    `TOO_LITTLE` is one, too.
    """

    digest: str
    user_id: str
    signed_in_at: int
    last_active_at: int
    ended_at: int | None = None
    sign_in_id: str | None = None
    auth_time: int | None = None
    amr: str | None = None
    acr: str | None = None
    provider: str | None = None
    provider_session: str | None = None
    user_agent: str | None = attrs.field(default=None, repr=False)
    address: str | None = None
    level: int | None = None

    @property
    def factors(self) -> int:
        """How many factors its person proved; those from before anybody counted proved one."""
        return self.level or 1

    @property
    def proven_level(self) -> int:
        """What its row has to say at the least for this to be worth what it was."""
        return 1 if self.level is None else min(1, self.level)

    @property
    def name(self) -> str:
        """What grants and sessions call it; one from before it had an id goes by its digest."""
        return self.sign_in_id or self.digest

    @property
    def proven_at(self) -> int | None:
        """When its person proved who they are; `None` where a provider does not say when that was.

        Such a provider says that somebody is there. It may know them from before, and a browser that
        was left alone goes on there without a question (C023).
        """
        if self.provider is not None and self.auth_time is None:
            return None
        return self.authenticated_at

    @property
    def authenticated_at(self) -> int:
        """What applications are told: when its person proved it, or else when we were told of them."""
        if self.auth_time is None:
            return self.signed_in_at
        return min(self.auth_time, self.signed_in_at)

    def renewing(self, former: "SignIn") -> "SignIn":
        """Return it as it goes on from a sign-in of the same account: what was proven last counts.

        Whoever comes once more from a provider that asked them nothing has proved nothing since, unless
        they proved a second factor beside that.
        """
        before, now = former.proven_at, self.proven_at
        if before is None or (now is not None and now >= before) or self.factors > former.factors:
            return self
        return attrs.evolve(
            self, auth_time=before, amr=former.amr, acr=former.acr, level=former.level
        )

    def is_from_the_future(self, now: int) -> bool:
        """Say whether the clock ran ahead when its person signed in or was here."""
        return is_ahead(self.signed_in_at, now) or is_ahead(self.last_active_at, now)

    def set_right(self, now: int) -> "SignIn":
        """Return it with times of this clock: its limits begin now, and it is not fresh."""
        signed_in_at = (
            now - LONGEST_FRESH if is_ahead(self.signed_in_at, now) else self.signed_in_at
        )
        return attrs.evolve(self, signed_in_at=signed_in_at, last_active_at=now)

    def holds(self, now: int, lifetimes: BrowserLifetimes) -> bool:
        """Say whether its person is still signed in."""
        return (
            self.ended_at is None
            and now < self.signed_in_at + lifetimes.absolute
            and now < self.last_active_at + lifetimes.idle
        )


def of_account(sign_ins: Iterable[SignIn], user_id: str) -> SignIn | None:
    """Return the sign-in of this account among those of a browser."""
    return next((each for each in sign_ins if each.user_id == user_id), None)


def last_provider(sign_ins: Iterable[SignIn]) -> str | None:
    """Return the provider of the latest sign-in of a browser that came through one."""
    through = [each for each in sign_ins if each.provider is not None]
    return max(through, key=lambda each: each.signed_in_at).provider if through else None


def by_name(sign_ins: Iterable[SignIn], name: str) -> SignIn | None:
    """Return the sign-in that grants and sessions call so."""
    return next((each for each in sign_ins if each.name == name), None)

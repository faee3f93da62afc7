"""An arrival: a provider's answer, waiting for the browser that asked (C187, C278).

It proves nothing by itself. OpenID Connect's `form_post` and SAML come as cross-site POSTs without our
cookie, and what comes back with SAML and CAS to name the attempt is chosen by whoever made the address.
So the answer waits under a value that only this browser is given, and counts for the attempt only where
that has both: this value, and what the attempt was bound to when it began.
"""

import enum

import attrs

from synapse_nextgen_auth.clock import SKEW
from synapse_nextgen_auth.records import frozen

# For how long (seconds) an answer waits: the browser follows a redirect.
LIFETIME = 600
# How many answers wait for one browser at most; with more, the oldest are forgotten (C191).
KEPT = 5


class Trouble(enum.Enum):
    """Why the way through a provider ended without a proof."""

    DECLINED = "declined"
    UNAVAILABLE = "unavailable"
    OTHER_TAB = "other_tab"
    NOT_ALLOWED = "not_allowed"
    NO_ACCOUNT = "no_account"
    OTHER_ACCOUNT = "other_account"
    OTHER_PROVIDER = "other_provider"
    NOT_FRESH = "not_fresh"
    DOES_NOT_SAY = "does_not_say"
    DEACTIVATED = "deactivated"
    FORGOTTEN = "forgotten"
    OVER = "over"
    OTHER_BROWSER = "other_browser"
    BROKEN = "broken"


@frozen
class Statement:
    """What a provider says about the sign-in there (OpenID Connect Core section 2); all may be absent.

    `amr` is space-separated, `auth_time` in seconds, `session` what the provider calls that sign-in.
    """

    amr: str | None = None
    acr: str | None = None
    auth_time: int | None = None
    session: str | None = None

    def is_fresh(self, *, since: int) -> bool:
        """Say whether the person proved it there after we asked; their clock may differ a little."""
        return self.auth_time is not None and self.auth_time >= since - SKEW


@frozen
class Arrival:
    """One row of arrivals; times in seconds since the epoch.

    `digest` is of the value that the browser was given. Either `user_id` says whose account it is, or
    `newcomer` seals what is known of somebody who has none yet; `extras` seals what the mapping says of
    an account beside.
    """

    digest: str
    attempt_id: str
    provider: str
    arrived_at: int
    user_id: str | None = None
    newcomer: str | None = None
    provider_session: str | None = None
    amr: str | None = None
    acr: str | None = None
    auth_time: int | None = None
    taken_at: int | None = None
    extras: str | None = attrs.field(default=None, repr=False)

    @property
    def statement(self) -> Statement:
        """What the provider says of the sign-in there."""
        return Statement(self.amr, self.acr, self.auth_time, self.provider_session)

    def waits(self, now: int) -> bool:
        """Say whether it may still be taken, once."""
        return self.taken_at is None and now < self.arrived_at + LIFETIME

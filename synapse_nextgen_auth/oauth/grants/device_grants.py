"""A device grant: an authorization that begins on a device without a browser (RFC 8628)."""

import enum

import attrs

from synapse_nextgen_auth.clock import is_ahead, is_recent
from synapse_nextgen_auth.oauth.errors import invalid_grant
from synapse_nextgen_auth.records import frozen

MAX_WRONG_TRIES = 5
# The longest (seconds) that an operator may let a code live: limits on guessing are made for it.
LONGEST_LIFE = 1200
# RFC 8628 section 3.5: every `slow_down` adds this many seconds.
SLOWER_BY = 5


class Poll(enum.Enum):
    """What a poll finds."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    SPENT = "spent"


@frozen
class DeviceGrant:
    """One row of device grants; times in seconds since the epoch.

    `browser` is the digest of the cookie of the browser in which the code was entered: from then on
    the code belongs to it. `user_id` is the account that answered, `sign_in_id` the sign-in there that
    approved it, `amr`, `acr` and `level` how its person had proved who they are. `login_hint` is whom
    the client means, `asked_for` the one account that it takes. `address` and `user_agent` are those of
    the device that asks.
    `user_code_sealed` is encrypted. `proven_at` is when its person proved it, where that is known.
    `acr_values`, space-separated, is what the client asks of that, `resource_scope` what it asks for at
    services of others.
    """

    grant_id: str
    client_id: str
    scope: str
    user_code_sealed: str = attrs.field(repr=False)
    address: str | None
    user_agent: str | None
    created_at: int
    expires_at: int
    poll_interval: int
    slowed_at: int | None = None
    wrong_tries: int = 0
    browser: str | None = None
    user_id: str | None = None
    auth_time: int | None = None
    approved_at: int | None = None
    refused_at: int | None = None
    redeemed_at: int | None = None
    session_id: str | None = None
    sign_in_id: str | None = None
    amr: str | None = None
    acr: str | None = None
    login_hint: str | None = None
    asked_for: str | None = None
    level: int | None = None
    proven_at: int | None = None
    acr_values: str | None = None
    resource_scope: str | None = None

    @property
    def asked(self) -> str:
        """All that is asked for, as one text."""
        return " ".join(filter(None, (self.scope, self.resource_scope)))

    @property
    def approver(self) -> str | None:
        """The sign-in that approved it; one from before they had ids goes by its digest."""
        return self.sign_in_id or self.browser

    def is_open(self, now: int) -> bool:
        """Say whether a person may still decide about it."""
        return self.poll(now) is Poll.PENDING and self.wrong_tries < MAX_WRONG_TRIES

    def poll(self, now: int) -> Poll:
        """Say what the device learns now."""
        if self.redeemed_at is not None:
            return Poll.SPENT
        if self.refused_at is not None:
            return Poll.DENIED
        if now >= self.expires_at or is_ahead(self.created_at, now):
            return Poll.EXPIRED
        return Poll.APPROVED if self.approved_at is not None else Poll.PENDING

    def is_slowed(self, now: int) -> bool:
        """Say whether the device was told to slow down and did not wait."""
        return self.slowed_at is not None and is_recent(
            self.slowed_at, now, within=self.poll_interval
        )


def polled(grant: DeviceGrant | None, *, client_id: str) -> DeviceGrant:
    """Return what a device polls for, and nothing of other clients (C142)."""
    if grant is None or grant.client_id != client_id:
        raise invalid_grant("unknown device code, or one of another client")
    return grant


def refuse_poll(poll: Poll) -> tuple[str, str] | None:
    """Return error code and description for a poll that gets no tokens (RFC 8628 section 3.5)."""
    return {
        Poll.PENDING: ("authorization_pending", "The person has not decided yet"),
        Poll.DENIED: ("access_denied", "The authorization was declined or withdrawn"),
        Poll.EXPIRED: ("expired_token", "The device code is expired, begin again"),
        Poll.SPENT: ("invalid_grant", "The code or token is invalid, expired or revoked"),
    }.get(poll)

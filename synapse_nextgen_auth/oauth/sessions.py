"""A session: a client's standing access to one account, at most one per Matrix device."""

import enum
from functools import cached_property

import attrs

from synapse_nextgen_auth.clock import is_ahead
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.records import frozen


class End(str, enum.Enum):
    """Why a session is over; the value is what the database keeps."""

    REVOKED = "revoked"  # the client or a finder of the token said so (RFC 7009)
    LOGOUT = "logout"  # the device was deleted: /logout, admin API, deactivation
    REUSE = "reuse"  # an old refresh token or a spent code came back
    REPLACED = "replaced"  # a later sign-in took over the device
    IDLE = "idle"
    LIFETIME = "lifetime"
    FAILED = "failed"  # the device could not be created
    PROVIDER = "provider"  # the identity provider ended the sign-in that it began in


# After these the person may sign in again on the same device and keep its keys (CS API, soft logout).
SOFT_ENDS = frozenset({End.REUSE, End.IDLE, End.LIFETIME, End.PROVIDER})
# After these the device is still there, for the same person or for the session that took it over.
DEVICE_STAYS = SOFT_ENDS | {End.REPLACED}


class Began(str, enum.Enum):
    """How a session began; the value is what the database keeps.

    A sign-in by QR code is the device grant: the two devices that meet say nothing of it to us.
    """

    CODE = "authorization_code"
    DEVICE = "device_grant"
    CLIENT = "client_credentials"
    PERSONAL = "personal_token"


# What Synapse takes for the device of a session that has none: it numbers what somebody sends by it.
_STAND_IN = "nextgen_session_device_"


def stand_in_of(session_id: str) -> str:
    """Return what stands for the device of a session without one; nobody signs in on it."""
    return _STAND_IN + session_id


MAX_NOTED_EVERY = 300


def noted_every(idle: int) -> int:
    """After how many seconds one more use is written down: often enough for this idle limit."""
    return max(1, min(idle // 10, MAX_NOTED_EVERY))


def least_idle(access_token: int) -> int:
    """Return an idle limit, in seconds, that lets sessions in use live, and no longer than needed.

    A client refreshes when its access token has expired, and what it did since then is written down
    only now and then.
    """
    return min(-(-access_token * 10 // 9), access_token + MAX_NOTED_EVERY)


@frozen
class SessionLifetimes:
    """How long things live, in seconds; `None` is without end."""

    access_token: int = 300
    grace: int = 30
    idle: int | None = None
    absolute: int | None = None
    idle_without_device: int | None = None

    @property
    def noted_every(self) -> int:
        """After how many seconds one more use is written down: often enough for the idle limits."""
        idle = min(
            filter(None, (self.idle, self.idle_without_device)), default=MAX_NOTED_EVERY * 10
        )
        return noted_every(idle)


@frozen
class Sender:
    """Who sends a request: from which network address, and what it says of itself."""

    address: str | None
    user_agent: str | None = attrs.field(repr=False)


@frozen
class Proven:
    """How somebody proved who they are: when, how many factors that was, and in which words.

    `auth_time` is what applications are told; `proven_at` is absent where an identity provider may have
    known its person from before.
    """

    auth_time: int
    proven_at: int | None = None
    level: int = 1
    amr: str | None = None
    acr: str | None = None


@frozen
class Session:
    """One row of sessions; times in seconds since the epoch.

    `address` is the network address that last refreshed it, `user_agent` what the application said of
    itself when it began; sessions that began before version 6 of the tables have none. `sign_in_id` is
    the sign-in in a browser that approved it, `amr`, `acr` and `level` (how many factors it was) how its
    person had proved who they are, `proven_at` when, where that is known. What begins with `former_` is
    the same of the session that it replaced, where its client had its person prove more than before, or
    anew.
    Of sessions that began before version 31 of the tables nobody knows how they `began_by`. `owner_id`
    is the administrator who made a personal token for the account, `resource_scope` what it may do at
    services of others (`oauth/resources.py`).
    """

    session_id: str
    user_id: str
    device_id: str | None
    client_id: str
    scope: str
    generation: int
    rotated_at: int
    confirmed_generation: int
    auth_time: int
    created_at: int
    last_active_at: int
    address: str | None = None
    user_agent: str | None = attrs.field(default=None, repr=False)
    expires_at: int | None = None
    ended_at: int | None = None
    end_reason: str | None = None
    sign_in_id: str | None = None
    amr: str | None = None
    acr: str | None = None
    began_by: Began | None = attrs.field(default=None, converter=attrs.converters.optional(Began))
    level: int | None = None
    proven_at: int | None = None
    former_level: int | None = None
    former_proven_at: int | None = None
    former_auth_time: int | None = None
    former_amr: str | None = None
    former_acr: str | None = None
    owner_id: str | None = None
    resource_scope: str | None = None

    def proven(self, generation: int) -> Proven:
        """Return what tokens of this generation stand for.

        Where a client stepped up, its first ones alone are more than before (MSC4363): the client has
        them renewed as anybody would who found them, and nobody proves anything at that. A personal
        token lies in a file: whoever sends it has one thing, whatever its owner proved to make it.
        """
        if self.is_personal:
            return Proven(self.auth_time, self.proven_at, 1, self.amr, None)
        if generation <= 1 or self.former_auth_time is None:
            return Proven(self.auth_time, self.proven_at, self.level or 1, self.amr, self.acr)
        return Proven(
            self.former_auth_time,
            self.former_proven_at,
            self.former_level or 1,
            self.former_amr,
            self.former_acr,
        )

    @property
    def has_stand_in(self) -> bool:
        """Say whether something stands for a device that it does not have."""
        return self.device_id is None and self.granted.is_narrow

    @cached_property
    def granted(self) -> grammar.Scope:
        """The scope, read from its text once."""
        return grammar.of_row(self.scope)

    def under(self, mask: int | None) -> "Session":
        """Return the session as a token with this mask may know it: nothing of the rest."""
        if mask is None:
            return self
        part = self.granted.under(mask)
        return attrs.evolve(self, scope=part.text, device_id=part.device_id)

    @property
    def is_of_a_program(self) -> bool:
        """Say whether nobody signed in for it: its client is an account by itself."""
        return self.began_by is Began.CLIENT

    @property
    def is_personal(self) -> bool:
        """Say whether its one token is a personal one, which is good until the time chosen for it."""
        return self.began_by is Began.PERSONAL

    def idle_limit(self, lifetimes: SessionLifetimes) -> int | None:
        """Return for how many seconds it may be idle; without a device nobody else ends it."""
        if self.is_personal:
            return None
        if self.device_id is not None or lifetimes.idle_without_device is None:
            return lifetimes.idle
        return min(lifetimes.idle_without_device, lifetimes.idle or lifetimes.idle_without_device)

    def over(self, now: int, lifetimes: SessionLifetimes) -> End | None:
        """Return why the session is over, or `None` while it lives."""
        if self.ended_at is not None:
            return End(self.end_reason) if self.end_reason else End.REVOKED
        ends_at = self.ends_at(lifetimes)
        if ends_at is not None and now >= ends_at:
            return End.LIFETIME
        # `rotated_at` moves with every refresh, so a client that refreshes is never idle.
        idle = self.idle_limit(lifetimes)
        if idle is not None and now >= max(self.rotated_at, self.last_active_at) + idle:
            return End.IDLE
        return None

    def ends_at(self, lifetimes: SessionLifetimes) -> int | None:
        """Return when the session ends at the latest, whatever its client does."""
        ends = [self.expires_at] if self.expires_at is not None else []
        if lifetimes.absolute is not None and not self.is_personal:
            ends.append(self.created_at + lifetimes.absolute)
        return min(ends, default=None)


def is_left_behind(set_at: int, *, since: int | None, ended: int, now: int) -> bool:
    """Say whether what was set on a device (at `set_at`, in ms) goes with the session that ended.

    All of it does, unless somebody else speaks for the device since `since`. Then what was set
    before goes, and what a clock that ran ahead dated (C379). `ended`, in ms, is when the end was
    noticed: it tells before from after where both lie within the second `since`.
    """
    if since is None or is_ahead(set_at // 1000, now):
        return True
    first = since * 1000
    return set_at <= max(first, min(ended, first + 999))

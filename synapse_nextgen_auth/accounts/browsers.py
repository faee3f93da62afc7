"""A browser: one that carries our cookie and has signed in to an account."""

import attrs

from synapse_nextgen_auth.clock import is_ahead

# For how long (seconds) a sign-in is fresh enough to do something dangerous.
FRESH = 600


@attrs.frozen
class BrowserLifetimes:
    """How long a browser stays signed in, in seconds: without a visit, and at most."""

    idle: int = 14 * 24 * 3600
    absolute: int = 90 * 24 * 3600

    @property
    def noted_every(self) -> int:
        """After how many seconds one more visit is written down: often enough for the idle limit."""
        return max(1, min(self.idle // 10, 3600))


@attrs.frozen
class Browser:
    """One row of browsers; times in seconds since the epoch."""

    digest: str
    user_id: str
    signed_in_at: int
    last_active_at: int
    ended_at: int | None = None

    def vouches_for(self, user_id: str) -> bool:
        """Say whether whoever approved something in it is signed in here still."""
        return self.ended_at is None and self.user_id == user_id

    def is_from_the_future(self, now: int) -> bool:
        """Say whether the clock ran ahead when its person signed in or was here."""
        return is_ahead(self.signed_in_at, now) or is_ahead(self.last_active_at, now)

    def set_right(self, now: int) -> "Browser":
        """Return it with times of this clock: its limits begin now, and its sign-in is not fresh."""
        signed_in_at = now - FRESH if is_ahead(self.signed_in_at, now) else self.signed_in_at
        return attrs.evolve(self, signed_in_at=signed_in_at, last_active_at=now)

    def is_signed_in(self, now: int, lifetimes: BrowserLifetimes) -> bool:
        """Say whether its person is still signed in."""
        return (
            self.ended_at is None
            and now < self.signed_in_at + lifetimes.absolute
            and now < self.last_active_at + lifetimes.idle
        )

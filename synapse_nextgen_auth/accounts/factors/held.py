"""What an account has to prove itself with, beside what lets its person in first."""

from synapse_nextgen_auth.records import frozen


@frozen(kw_only=True)
class Held:
    """How many of each an account has: authenticator apps, passkeys, and recovery codes not used yet.

    Only what was confirmed: an app that never showed a right code is none.
    """

    apps: int = 0
    passkeys: int = 0
    codes: int = 0

    @property
    def is_any(self) -> bool:
        """Whether a second factor is asked for; recovery codes stand in for one, and are none alone."""
        return bool(self.apps or self.passkeys)


NOTHING = Held()

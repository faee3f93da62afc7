"""What an account has to prove itself with, beside what lets its person in first."""

from synapse_nextgen_auth.records import frozen


@frozen(kw_only=True)
class Held:
    """How many of each an account has: authenticator apps, passkeys, and recovery codes not used yet.

    Only what was confirmed: an app that never showed a right code is none. `mail` is 1 where codes go to
    one of its addresses.
    """

    apps: int = 0
    passkeys: int = 0
    codes: int = 0
    mail: int = 0

    @property
    def is_any(self) -> bool:
        """Whether a second factor is asked for; recovery codes stand in for one, and are none alone."""
        return self.number > 0

    @property
    def number(self) -> int:
        """How many second factors there are."""
        return self.apps + self.passkeys + self.mail


NOTHING = Held()

"""Whose account the link of a client means, in its words, while somebody is on the way to sign in.

It may be an address, so an attempt keeps it sealed, beside the answers. It signs nobody in: whoever
comes back as somebody else is told which account is which.
"""

from synapse_nextgen_auth.accounts.attempts.attempt import Attempt
from synapse_nextgen_auth.secret import Keyring, Purpose

# Under which name an attempt keeps it, beside the answers to stages.
_HINT = "hint"


def keep(attempt: Attempt, keys: Keyring, hint: str | None) -> Attempt:
    """Return the attempt with the hint that its person came with, if they did."""
    return attempt.answering(_HINT, keys.seal(Purpose.HINT, hint.encode())) if hint else attempt


def kept(attempt: Attempt, keys: Keyring) -> str | None:
    """Return the hint that an attempt began with."""
    plain = keys.unseal(Purpose.HINT, attempt.answered.get(_HINT, ""))
    return None if plain is None else plain.decode()

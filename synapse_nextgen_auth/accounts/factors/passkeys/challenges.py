"""Challenges: random bytes that a passkey signs, for one thing in one browser, once (C279).

Nothing is written before somebody answers one: the page that asks is looked at far more often. So a
challenge says itself when it was made, proves that we made it for this browser, and is noted when used.
"""

import enum
import json

from synapse_nextgen_auth.clock import is_recent
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose, random_bytes

LIFETIME = 300  # seconds
_TIME, _NONCE, _MAC = 8, 16, 32  # bytes


class Ceremony(str, enum.Enum):
    """What is asked of a passkey."""

    MAKE = "make"
    SIGN_IN = "sign_in"
    PROVE = "prove"  # beside what was proven, or again


@frozen(kw_only=True)
class Bound:
    """What a challenge is for: `browser` is the digest of what binds forms to it.

    `about` is the account or the attempt, where there is one.
    """

    ceremony: Ceremony
    browser: str
    about: str = ""

    def message(self, head: bytes) -> bytes:
        """Return what is authenticated; no part runs into the next."""
        said = json.dumps([self.ceremony.value, self.browser, self.about, head.hex()])
        return said.encode("utf-8")


def draw(keys: Keyring, bound: Bound, *, now: int) -> bytes:
    """Make a challenge."""
    head = now.to_bytes(_TIME, "big") + random_bytes(_NONCE)
    return head + keys.mac(Purpose.PASSKEY_CHALLENGE, bound.message(head))


def is_ours(keys: Keyring, bound: Bound, challenge: bytes) -> bool:
    """Say whether we made it for this, whenever; whether it was answered before the database says."""
    if len(challenge) != _TIME + _NONCE + _MAC:
        return False
    head, mac = challenge[: _TIME + _NONCE], challenge[_TIME + _NONCE :]
    return keys.proves(Purpose.PASSKEY_CHALLENGE, bound.message(head), mac)


def is_new(challenge: bytes, *, now: int) -> bool:
    """Say whether one of ours was made less than five minutes ago."""
    return is_recent(int.from_bytes(challenge[:_TIME], "big"), now, within=LIFETIME)

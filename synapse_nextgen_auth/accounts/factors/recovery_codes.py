"""Recovery codes: each stands in once for a factor that was lost."""

import json
import unicodedata

import attrs

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose, Secret, random_letters

MANY = 10
# So few are left that it is time for new ones.
FEW = 3
# 32 letters and digits, none of which looks like another: ten of them are 50 bits.
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_GROUP = 5
_LENGTH = 2 * _GROUP


def draw() -> tuple[Secret, ...]:
    """Draw all codes of an account, each different."""
    codes: dict[str, None] = {}
    while len(codes) < MANY:
        codes[random_letters(_ALPHABET, _LENGTH)] = None
    return tuple(map(Secret, codes))


def written(code: Secret) -> str:
    """Return a code as people see it."""
    letters = code.reveal()
    return f"{letters[:_GROUP]}-{letters[_GROUP:]}"


def read(typed: str) -> Secret | None:
    """Return the code that somebody typed, in any case, with spaces or hyphens wherever they like."""
    if len(typed) > 10 * _LENGTH:
        return None
    plain = unicodedata.normalize("NFKC", typed).upper()
    letters = "".join(each for each in plain if not _is_gap(each))
    is_one = len(letters) == _LENGTH and set(letters) <= set(_ALPHABET)
    return Secret(letters) if is_one else None


def _is_gap(letter: str) -> bool:
    # Spaces, hyphens, and what nobody sees: marks of direction, joiners.
    return unicodedata.category(letter) in {"Zs", "Cc", "Cf", "Pd"}


@frozen
class RecoveryCode:
    """One row of recovery codes; `mac` is of the code and its account, times are in seconds."""

    user_id: str
    mac: str = attrs.field(repr=False)
    made_at: int
    used_at: int | None = None

    @classmethod
    def of(cls, keys: Keyring, code: Secret, *, user_id: str, now: int) -> "RecoveryCode":
        """Return what is kept of a code."""
        made = keys.mac(Purpose.RECOVERY_CODE, _message(user_id, code))
        return cls(user_id, made.hex(), now)

    def is_of(self, keys: Keyring, typed: Secret) -> bool:
        """Say whether this is the code."""
        message = _message(self.user_id, typed)
        return keys.proves(Purpose.RECOVERY_CODE, message, bytes.fromhex(self.mac))


def _message(user_id: str, code: Secret) -> bytes:
    # A list keeps them apart.
    return json.dumps([user_id, code.reveal()]).encode("utf-8")

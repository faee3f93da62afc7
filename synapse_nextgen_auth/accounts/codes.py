"""Codes of six digits that go to a mailbox: whoever types one reads what is sent there.

Six digits are guessed in a million tries. So a code is of one attempt, in the browser that began it; it
is tried a few times, lives for minutes, and a new one voids it (C251).
"""

import enum
import json
import unicodedata

import attrs

from synapse_nextgen_auth.accounts.works import SendMail
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose, random_letters

LENGTH = 6
MAX_TRIES = 10
LIFETIME = 600  # seconds, or as long as Synapse's `email.validation_token_lifetime` if that is less
# For so long after one was sent, no new one is: a mail takes a while (seconds).
PAUSE = 40


def draw() -> str:
    """Draw a code."""
    return random_letters("0123456789", LENGTH)


def read(typed: str) -> str | None:
    """Return the code that somebody typed or pasted: in digits of any script, with spaces or hyphens."""
    if len(typed) > 10 * LENGTH:
        return None
    digits = [str(unicodedata.decimal(each, "")) for each in typed]
    kept = [digit for digit, each in zip(digits, typed, strict=True) if not _is_gap(each)]
    return "".join(kept) if len(kept) == LENGTH and all(kept) else None


def _is_gap(letter: str) -> bool:
    # Spaces, hyphens, and what nobody sees: marks of direction, joiners.
    return unicodedata.category(letter) in {"Zs", "Cc", "Cf", "Pd"}


class Trial(enum.Enum):
    """What became of a code that somebody typed."""

    RIGHT = "right"
    WRONG = "wrong"
    OVER = "over"  # too late, or tried too often; or there is none


@frozen
class Code:
    """One row of codes; times in seconds since the epoch.

    `mac` is of the code, `address` is sealed, `mail` is the id of what went there. `proven_at` is when
    it was typed, `refused_at` when the mail server took nothing for that address.
    """

    attempt_id: str
    mac: str = attrs.field(repr=False)
    address: str = attrs.field(repr=False)
    mail: str
    made_at: int
    expires_at: int
    tries: int = 0
    proven_at: int | None = None
    refused_at: int | None = None

    @classmethod
    def of(
        cls,
        keys: Keyring,
        code: str | None,
        *,
        attempt_id: str,
        address: str,
        mail: SendMail,
        now: int,
    ) -> "Code":
        """Return what is kept of a code and its mail; of `None`, what no code is right for."""
        made = keys.mac(Purpose.CODE, _message(attempt_id, address, code))
        return cls(
            attempt_id=attempt_id,
            mac=made.hex(),
            address=keys.seal(Purpose.CODE_ADDRESS, json.dumps(address).encode("utf-8")),
            mail=mail.mail,
            made_at=now,
            expires_at=mail.expires,
        )

    def is_right(self, keys: Keyring, typed: str) -> bool:
        """Say whether this code was sent."""
        address = self.sent_to(keys)
        message = _message(self.attempt_id, address or "", typed)
        return keys.proves(Purpose.CODE, message, bytes.fromhex(self.mac)) and address is not None

    def sent_to(self, keys: Keyring) -> str | None:
        """Return the address; `None` where no key of ours fits any more."""
        plain = keys.unseal(Purpose.CODE_ADDRESS, self.address)
        return None if plain is None else str(json.loads(plain))

    def may_be_tried(self, now: int) -> bool:
        """Say whether it is good for another try."""
        return self.tries < MAX_TRIES and now < self.expires_at

    def wait(self, now: int) -> int:
        """Return for how many seconds no new one is sent."""
        # What is from a time that is yet to come was written by a clock that ran ahead (C379).
        return max(self.made_at + PAUSE - now, 0) if self.made_at <= now + PAUSE else 0


def lifetime(validation_token_lifetime: int) -> int:
    """Return for how long (seconds) a code is good, where links are for so long."""
    return min(LIFETIME, validation_token_lifetime)


def _message(attempt_id: str, address: str, code: str | None) -> bytes:
    # A list keeps them apart, and nothing that anybody types is `null`.
    return json.dumps([attempt_id, address, code]).encode("utf-8")

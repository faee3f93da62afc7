"""Telling people from programs where somebody signs up: by a service, by work, or by a wait.

The work is that of Hashcash, for one sign-up: numbers whose SHA-256 with the challenge begins with
zeros. Without scripts somebody waits instead. Nothing is kept: a challenge carries its own proof.
"""

import enum
import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose


class CaptchaTrouble(enum.Enum):
    """Why somebody is asked once more."""

    FAILED = "failed"
    MISSING = "missing"
    UNANSWERED = "unanswered"
    TOO_SOON = "too_soon"
    EXPIRED = "expired"


# A page may stay open for so long before its work is done, in seconds.
LIFETIME = 20 * 60
# The work is many small puzzles, so that it takes about as long for everybody: the more of them, the
# less luck there is.
PUZZLES = 16
_LOG_PUZZLES = 4
_SEED = 22  # letters of the proof, 132 bits
_WRITTEN = re.compile(r"([0-9]{1,12})\.([0-9]{1,2})\.([A-Za-z0-9_-]{22,43})\.([A-Za-z0-9_-]{43})")
_NUMBER = re.compile(r"[0-9]{1,15}")


@frozen
class Challenge:
    """What a browser is to work on, or to wait for, to go on with one attempt.

    `work` is the number of hashes that it takes on average, as a power of two.
    """

    issued_at: int
    work: int
    salt: str
    proof: str

    @property
    def written(self) -> str:
        """The text that the page carries and the form sends back."""
        return f"{self.issued_at}.{self.work}.{self.salt}.{self.proof}"

    @property
    def seed(self) -> str:
        """What is hashed with each number: short, so that it is one block of SHA-256."""
        return self.proof[:_SEED]

    @property
    def puzzles(self) -> int:
        """In how many parts the work is."""
        return PUZZLES

    @property
    def zeros(self) -> int:
        """With how many bits of zero the hash of each puzzle begins."""
        return max(self.work - _LOG_PUZZLES, 1)

    def has_expired(self, now: int) -> bool:
        """Say whether it is too old; clocks of two processes may differ a little."""
        return not self.issued_at - 60 <= now < self.issued_at + LIFETIME

    def waits(self, now: int, *, wait: int) -> int:
        """Return for how many seconds somebody who does no work has to wait still."""
        return max(self.issued_at + wait - now, 0)

    def is_solved(self, solution: str) -> bool:
        """Say whether these numbers, with commas between them, are the work."""
        numbers = solution.split(",") if len(solution) <= PUZZLES * 16 else []
        if len(numbers) != PUZZLES or not all(map(_NUMBER.fullmatch, numbers)):
            return False
        return all(self._fits(place, number) for place, number in enumerate(numbers))

    def _fits(self, place: int, number: str) -> bool:
        hashed = hashlib.sha256(f"{self.seed}.{place}.{number}".encode("ascii")).digest()
        return int.from_bytes(hashed, "big") >> (256 - self.zeros) == 0


def issue(keys: Keyring, attempt_id: str, *, salt: str, work: int, now: int) -> Challenge:
    """Make a challenge for one attempt, which nobody can have worked on before."""
    mac = keys.mac(Purpose.CAPTCHA, _message(attempt_id, now, work, salt))
    return Challenge(now, work, salt, urlsafe_b64encode(mac).decode("ascii").rstrip("="))


def read(keys: Keyring, attempt_id: str, written: str) -> Challenge | None:
    """Read what a form sent back; `None` unless we made it for this attempt."""
    match = _WRITTEN.fullmatch(written)
    if match is None:
        return None
    issued_at, work, salt, proof = int(match[1]), int(match[2]), match[3], match[4]
    message = _message(attempt_id, issued_at, work, salt)
    if not keys.proves(Purpose.CAPTCHA, message, urlsafe_b64decode(f"{proof}=")):
        return None
    return Challenge(issued_at, work, salt, proof)


def _message(attempt_id: str, issued_at: int, work: int, salt: str) -> bytes:
    return f"{attempt_id}.{issued_at}.{work}.{salt}".encode()


@frozen
class Verdict:
    """What a service says of an answer; `complaint` is about our own settings."""

    passed: bool
    complaint: str | None = None


# What `siteverify` says where not the person but the operator made a mistake, at each of the services.
_OURS = frozenset(
    {
        "missing-input-secret",
        "invalid-input-secret",
        "sitekey-secret-mismatch",
        "not-using-dummy-passcode",
        "bad-request",
    }
)


def judge(said: Mapping[str, Any], *, host: str) -> Verdict:
    """Read the answer of a `siteverify`: it must be about a page on our own host.

    Else somebody could solve it on a page of theirs, with people who think to sign up there.
    """
    errors = said.get("error-codes")
    named = [str(each) for each in errors] if isinstance(errors, list) else []
    ours = sorted(_OURS.intersection(named))
    if said.get("success") is not True:
        return Verdict(passed=False, complaint=ours[0] if ours else None)
    hostname = said.get("hostname")
    if not isinstance(hostname, str) or hostname.lower() != host.lower():
        return Verdict(passed=False, complaint=f"it was solved on {str(hostname)[:100]}")
    return Verdict(passed=True)

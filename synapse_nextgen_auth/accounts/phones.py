"""A phone number that somebody gives to sign up, and the code that was sent to it."""

import enum
import re

import attrs

from synapse_nextgen_auth.records import frozen


class PhoneTrouble(enum.Enum):
    """Why a number is not confirmed."""

    MISSING = "missing"
    INVALID = "invalid"
    DENIED = "denied"
    IN_USE = "in_use"
    OWN = "own"  # by the same account
    TOO_OFTEN = "too_often"
    UNANSWERED = "unanswered"
    WRONG_CODE = "wrong_code"
    NO_TRIES = "no_tries"


MOST_TRIES = 10
_CODE = re.compile(r"[0-9A-Za-z]{1,32}")


@frozen
class PhoneCode:
    """What somebody who signs up was sent: kept sealed with the attempt until they type the code.

    `tries` counts the codes that were typed for it.
    """

    msisdn: str
    country: str
    sid: str = attrs.field(repr=False)
    secret: str = attrs.field(repr=False)
    tries: int = 0

    @property
    def has_tries(self) -> bool:
        """Whether another code may be typed for it."""
        return self.tries < MOST_TRIES


def read_code(typed: str) -> str | None:
    """Read a code as people paste it, with spaces or dashes in it."""
    text = re.sub(r"[\s-]+", "", typed[:100])
    return text if _CODE.fullmatch(text) else None

"""ULIDs: how the admin API calls what it tells of (https://github.com/ulid/spec).

26 letters: when something was made, in milliseconds, and 80 bits of what it is.
"""

import enum
import hashlib
import re

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PATTERN = re.compile("[0-7][0-9A-HJKMNP-TV-Z]{25}")
_BITS = 80
_LATEST = 2**48 - 1
# In JSON Schema.
PATTERN = f"^[{_LETTERS}]{{26}}$"


class Kind(str, enum.Enum):
    """What something that is called so can be; the value is what the database keeps."""

    USER = "user"
    EMAIL = "user-email"
    REGISTRATION_TOKEN = "user-registration-token"  # noqa: S105 (a kind of thing)
    PROVIDER = "upstream-oauth-provider"
    LINK = "upstream-oauth-link"
    CLIENT = "oauth2-client"
    SESSION = "session"
    EVENT = "event"
    PENDING_GRANT = "pending-grant"
    OAUTH2_SESSION = "oauth2-session"
    PERSONAL_SESSION = "personal-session"
    USER_SESSION = "user-session"
    COMPAT_SESSION = "compat-session"


# What cannot be told by its name, not even by whoever tries all that it may be.
SECRETS = frozenset({Kind.REGISTRATION_TOKEN})


def make(kind: Kind, key: str, made_at: int) -> str:
    """Return what something is called that has this key, and was made then (in milliseconds)."""
    said = hashlib.sha256(f"{kind.value} {key}".encode("utf-8", "surrogatepass")).digest()
    number = min(max(made_at, 0), _LATEST) << _BITS | int.from_bytes(said[: _BITS // 8], "big")
    return "".join(_LETTERS[number >> shift & 31] for shift in range(125, -5, -5))


def read(text: str) -> str | None:
    """Return a ULID as it is written here, `None` of what is none; small letters are the same."""
    plain = text.upper() if text.isascii() else ""
    return plain if _PATTERN.fullmatch(plain) else None


def made_at(ulid: str) -> int:
    """Return the time that stands in a ULID, in milliseconds."""
    number = 0
    for letter in ulid[:10]:
        number = number << 5 | _LETTERS.index(letter)
    return number


def first(made_at: int) -> str:
    """Return what comes before whatever was made then (in milliseconds) or later, and after all else."""
    number = min(max(made_at, 0), _LATEST) << _BITS
    return "".join(_LETTERS[number >> shift & 31] for shift in range(125, -5, -5))

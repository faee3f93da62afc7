"""Hashes of passwords that are not Synapse's: argon2id, and what stands in for them (RFC 9106).

Synapse's column keeps a bcrypt hash that no password has, the stand-in, and our table the argon2id
hash under the stand-in's digest. So whatever is written to that column by anybody counts, and a
Synapse without this module finds a password wrong instead of failing.
"""

import enum
import unicodedata
from typing import Any

import attrs

from synapse_nextgen_auth.records import frozen

# What follows "$2b$12$" and the salt in a bcrypt hash: 184 bits in 31 letters of its own base64.
BCRYPT_LETTERS = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
BCRYPT_DIGEST = 31
_BCRYPT_SALTED = 29


class Hashing(str, enum.Enum):
    """How new passwords are kept; the value is what the operator writes."""

    SYNAPSE = "synapse"
    ARGON2ID = "argon2id"


@frozen
class Costs:
    """What one hash costs: memory in KiB, passes over it, lanes."""

    memory: int
    iterations: int
    parallelism: int

    @property
    def hasher(self) -> Any:
        """Who makes and checks such hashes."""
        import argon2  # noqa: PLC0415 (the options are read without it where the module is off)

        return argon2.PasswordHasher(
            time_cost=self.iterations, memory_cost=self.memory, parallelism=self.parallelism
        )


@frozen
class PasswordHash:
    """One row of passwords; `user_id` is absent until it was set for an account, or used."""

    stand_in: str
    hash: str = attrs.field(repr=False)
    made_at: int
    user_id: str | None = None


def is_argon2(stored: str) -> bool:
    """Say whether this is a hash of ours, and no stand-in."""
    return stored.startswith("$argon2")


def stand_in(salted: str, letters: str) -> str:
    """Return a bcrypt hash, of this salt and cost, that nobody knows a password for."""
    if len(salted) != _BCRYPT_SALTED or len(letters) != BCRYPT_DIGEST:
        raise ValueError
    return salted + letters


def prepared(password: str, pepper: str) -> bytes:
    """Return what is hashed: normalised and peppered as Synapse does it, and never cut (C229)."""
    return (unicodedata.normalize("NFKC", password) + pepper).encode("utf-8", "surrogatepass")


def make(costs: Costs, password: str, pepper: str) -> str:
    """Hash a password; the salt is random."""
    made: str = costs.hasher.hash(prepared(password, pepper))
    return made


def fits(stored: str, password: str, pepper: str) -> bool:
    """Say whether a hash is of this password, whatever it costs."""
    import argon2  # noqa: PLC0415 (as above)

    try:
        return argon2.PasswordHasher().verify(stored, prepared(password, pepper))
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def is_outdated(stored: str, costs: Costs) -> bool:
    """Say whether a hash was made with other costs than those of today."""
    return bool(costs.hasher.check_needs_rehash(stored))

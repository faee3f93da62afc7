"""User codes: what a person reads on one device and types on another (RFC 8628 section 6.1).

Eight of twenty letters are 34 bits; with the limits on wrong tries that is out of a guesser's reach.
"""

import re

from synapse_nextgen_auth.secret import Keyring

# No vowels, so no words; no letter that looks like another one or like a digit.
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH = 8
HALF = LENGTH // 2

_PURPOSE = "user code"  # what its keys are for
_BETWEEN = re.compile(r"[\s\-\u2010-\u2015_.]+")
_CODE = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")


def read(typed: str) -> str | None:
    """Read what somebody typed, without regard to case, dashes and spaces."""
    if len(typed) > 40:
        return None
    code = _BETWEEN.sub("", typed).upper()
    return code if _CODE.fullmatch(code) else None


def show(code: str) -> str:
    """Write a code as people compare it: two groups of four."""
    return f"{code[:HALF]}-{code[HALF:]}"


def keyed(keys: Keyring, code: str) -> tuple[str, str]:
    """Return what the database knows a user code, and its first half, by.

    A user code is short enough to be found by trying all of them, so the digest takes a key.
    """
    half = keys.mac("user code half", code[:HALF].encode("ascii"))
    return keys.mac(_PURPOSE, code.encode("ascii")).hex(), half.hex()


def seal(keys: Keyring, code: str) -> str:
    """Encrypt a code for the database: the person compares it with the device before they agree."""
    return keys.seal(_PURPOSE, code.encode("ascii"))


def unseal(keys: Keyring, sealed: str) -> str | None:
    """Return a sealed code; `None` when no key of ours fits."""
    code = keys.unseal(_PURPOSE, sealed)
    return None if code is None else code.decode("ascii")

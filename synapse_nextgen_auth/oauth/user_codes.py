"""User codes: what a person reads on one device and types on another (RFC 8628 section 6.1).

Nine of twenty letters are 38.9 bits: 119 tries at one code succeed with a probability of 2^-32, and a
network has fewer in the longest life of a code.
"""

import re

from synapse_nextgen_auth.secret import Keyring

# No vowels, so no words; no letter that looks like another one or like a digit.
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH = 9
HALF = 4  # letters; who guesses the others of a code knows these
GROUP = 3

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
    """Write a code as people compare it: three groups of three."""
    return "-".join(code[at : at + GROUP] for at in range(0, LENGTH, GROUP))


def keyed(keys: Keyring, code: str) -> tuple[str, str]:
    """Return what the database knows a user code, and its beginning, by.

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

"""User codes: what a person reads on one device and types on another (RFC 8628 section 6.1).

Nine of twenty letters are 38.9 bits: 119 tries at one code succeed with a probability of 2^-32, and a
network has fewer in the longest life of a code.

Codes of the version before have eight letters. They are read, so that an upgrade strands no device.
Nobody draws them any more: there are some for the 20 minutes that a code may live after the last old
process stopped, and only for those the same tries succeed with 2^-28.
"""

import re

from synapse_nextgen_auth.secret import Keyring, Purpose

# No vowels, so no words; no letter that looks like another one or like a digit.
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH = 9
HALF = 4  # letters; who guesses the others of a code knows these
GROUPS = {LENGTH: 3, 8: 4}  # how many letters a group has, by the letters of the code

_BETWEEN = re.compile(r"[\s\-\u2010-\u2015_.]+")
_CODE = re.compile(f"[{ALPHABET}]+")


def read(typed: str) -> str | None:
    """Read what somebody typed, without regard to case, dashes and spaces."""
    if len(typed) > 40:
        return None
    code = _BETWEEN.sub("", typed).upper()
    return code if len(code) in GROUPS and _CODE.fullmatch(code) else None


def show(code: str) -> str:
    """Write a code as the device shows it: three groups of three, an older one as two of four."""
    group = GROUPS[len(code)]
    return "-".join(code[at : at + group] for at in range(0, len(code), group))


def keyed(keys: Keyring, code: str) -> tuple[str, str]:
    """Return what the database knows a user code, and its beginning, by.

    A user code is short enough to be found by trying all of them, so the digest takes a key.
    """
    half = keys.mac(Purpose.USER_CODE_HALF, code[:HALF].encode("ascii"))
    return keys.mac(Purpose.USER_CODE, code.encode("ascii")).hex(), half.hex()


def seal(keys: Keyring, code: str) -> str:
    """Encrypt a code for the database: the person compares it with the device before they agree."""
    return keys.seal(Purpose.USER_CODE, code.encode("ascii"))


def unseal(keys: Keyring, sealed: str) -> str | None:
    """Return a sealed code; `None` when no key of ours fits."""
    code = keys.unseal(Purpose.USER_CODE, sealed)
    return None if code is None else code.decode("ascii")

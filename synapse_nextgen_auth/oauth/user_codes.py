"""User codes: what a person reads on one device and types on another (RFC 8628 section 6.1).

Eight of twenty letters are 34 bits; with the limits on wrong tries that is out of a guesser's reach.
"""

import re

# No vowels, so no words; no letter that looks like another one or like a digit.
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH = 8
HALF = LENGTH // 2

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

"""Texts of strangers inside our answers: short, and only characters that an answer may carry."""

import re

# What RFC 6749 section 5.2 allows in error_description: no quote, no backslash, nothing but ASCII.
_NOT_ALLOWED = re.compile(r"[^\x20-\x21\x23-\x5B\x5D-\x7E]")


def printable(text: str) -> str:
    """Return `text` with a question mark for every character that `error_description` forbids."""
    return _NOT_ALLOWED.sub("?", text)


def quoted(text: str, limit: int = 80) -> str:
    """Return a safe piece of `text` in single quotes, to name a value in an error."""
    short = text if len(text) <= limit else text[: limit - 3] + "..."
    return f"'{printable(short)}'"

"""Texts of strangers inside our answers and log lines: short, and only characters that fit there."""

import re

# What RFC 6749 section 5.2 allows in error_description: no quote, no backslash, nothing but ASCII.
_NOT_ALLOWED = re.compile(r"[^\x20-\x21\x23-\x5B\x5D-\x7E]")
# What would end a word of a log line, or look like an escape of ours.
_NO_WORD = re.compile(r"[^\x21-\x5B\x5D-\x7E]")
_QUERY_OR_FRAGMENT = re.compile(r"[?#]")
_USER = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*:/*)[^/]*@")


def printable(text: str) -> str:
    """Return `text` with a question mark for every character that `error_description` forbids."""
    return _NOT_ALLOWED.sub("?", text)


def quoted(text: str, limit: int = 80) -> str:
    """Return a safe piece of `text` in single quotes, to name a value in an error."""
    short = text if len(text) <= limit else text[: limit - 3] + "..."
    return f"'{printable(short)}'"


def logged(text: str | None, limit: int = 32) -> str:
    """Return what a stranger sent as one short word of a log line, so that no line is theirs.

    As long as the ids that we give to clients. Of a token or a code that somebody put into the wrong
    field so much is missing that nobody guesses it.
    """
    if not text:
        return "-"
    short = text if len(text) <= limit else f"{text[:limit]}..."
    return _NO_WORD.sub(lambda odd: f"\\u{ord(odd[0]):04x}", short)


def logged_uri(uri: str | None) -> str:
    """Return a URI as such a word, without what may be secret in it: user, query and fragment."""
    bare = _QUERY_OR_FRAGMENT.split(uri or "", maxsplit=1)[0]
    return logged(_USER.sub(r"\1", bare), 200) if ":" in bare else logged(bare)

"""The fields of a registration, read with the type they must have (RFC 7591 section 2).

`null` stands for "not given" where one value is expected (RFC 7592 section 2.2 reads it so); in the
place of an array it is a wrong type (C158).
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.wording import quoted
from synapse_nextgen_auth.records import frozen

T = TypeVar("T")

MAX_LENGTH = 2048
_MAX_DEPTH = 16

# PostgreSQL stores no NUL, and half a surrogate pair is no text in UTF-8 (C213, C214).
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


def invalid(reason: str) -> OAuthError:
    """Say what is wrong with the metadata (RFC 7591 section 3.2.2)."""
    return OAuthError("invalid_client_metadata", reason)


@frozen
class Findings:
    """What is wrong with a document: the first thing is raised, or all are kept in `problems`."""

    problems: list[OAuthError] | None = None

    def note(self, read: Callable[[], T], otherwise: T) -> T:
        """Return what is read; where that is refused and kept, what stands for it."""
        try:
            return read()
        except OAuthError as problem:
            if self.problems is None:
                raise
            self.problems.append(problem)
            return otherwise


@frozen
class Fields:
    """A JSON object whose strings can be stored; make it with `of`."""

    document: Mapping[str, object]

    @classmethod
    def of(cls, document: object) -> "Fields":
        """Take a decoded JSON value from anybody."""
        if not isinstance(document, dict):
            raise invalid("client metadata must be a JSON object")
        for name, value in document.items():
            reason = _refuse_value(name) or _refuse_value(value)
            if reason:
                raise invalid(f"{quoted(name)} {reason}")
        return cls(document)

    def text(self, name: str) -> str | None:
        """Return a string field."""
        value = self.document.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise invalid(f"{name} must be a string")
        if len(value) > MAX_LENGTH:
            raise invalid(f"{name} must not be longer than {MAX_LENGTH} characters")
        return value

    def number(self, name: str, *, most: int) -> int | None:
        """Return a whole number field, from 0 on."""
        value = self.document.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise invalid(f"{name} must be a whole number from 0 to {most}")
        return value

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Return an array of strings, each once."""
        if name not in self.document:
            return None
        value = self.document[name]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise invalid(f"{name} must be an array of strings")
        return tuple(dict.fromkeys(value))


def _refuse_value(value: object) -> str | None:
    # A loop, so that a document nested 1000 deep does not end in a RecursionError (C158).
    waiting = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            return f"must not be nested deeper than {_MAX_DEPTH}"
        if isinstance(item, str) and _NOT_STORABLE.search(item):
            return "must not contain NUL or half of a surrogate pair"
        if isinstance(item, dict):
            waiting += [(part, depth + 1) for pair in item.items() for part in pair]
        elif isinstance(item, list):
            waiting += [(part, depth + 1) for part in item]
    return None

"""What stands in a query or a body of the admin API: how it is read, and how the document says it."""

from datetime import datetime, timezone
from typing import Any, Protocol

from synapse_nextgen_auth.accounts import ulids
from synapse_nextgen_auth.records import frozen

Schema = dict[str, Any]

_MAX_TEXT = 4000
# What databases keep as a number.
MAX_NUMBER = 2**31 - 1


@frozen
class Wrong(Exception):
    """It is not what it should be; the sentence says what would be right, after the name of it."""

    sentence: str


class Value(Protocol):
    """A kind of value."""

    @property
    def schema(self) -> Schema:
        """What the document says of it."""

    def of_text(self, text: str) -> Any:
        """Read what a query says; raise `Wrong`."""

    def of_json(self, given: Any) -> Any:
        """Read what a body says; raise `Wrong`."""


@frozen
class Text:
    """Letters."""

    longest: int = _MAX_TEXT
    shortest: int = 0
    format: str | None = None

    @property
    def schema(self) -> Schema:
        """What the document says of it."""
        return {
            "type": "string",
            **({"format": self.format} if self.format else {}),
            **({"minLength": self.shortest} if self.shortest else {}),
            "maxLength": self.longest,
        }

    def of_text(self, text: str) -> str:
        """Read it; NUL and half a surrogate pair can be stored nowhere (C213, C214)."""
        if not self.shortest <= len(text) <= self.longest:
            raise Wrong(f"must have {self.shortest} to {self.longest} characters")
        if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise Wrong("has a character that no database keeps")
        return text

    def of_json(self, given: Any) -> str:
        """Read it."""
        if not isinstance(given, str):
            raise Wrong("must be a string")
        return self.of_text(given)


@frozen
class Flag:
    """Yes or no."""

    @property
    def schema(self) -> Schema:
        """What the document says of it."""
        return {"type": "boolean"}

    def of_text(self, text: str) -> bool:
        """Read it."""
        if text not in {"true", "false"}:
            raise Wrong("must be true or false")
        return text == "true"

    def of_json(self, given: Any) -> bool:
        """Read it."""
        if not isinstance(given, bool):
            raise Wrong("must be true or false")
        return given


@frozen
class Number:
    """A whole number."""

    least: int = 0
    most: int = MAX_NUMBER

    @property
    def schema(self) -> Schema:
        """What the document says of it."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def of_text(self, text: str) -> int:
        """Read it."""
        if not (text.isascii() and text.isdigit() and len(text) <= 20):
            raise Wrong(self._said)
        return self._checked(int(text))

    def of_json(self, given: Any) -> int:
        """Read it; JSON knows one kind of number, so 2.0 is 2."""
        if isinstance(given, float) and given.is_integer():
            given = int(given)
        if not isinstance(given, int) or isinstance(given, bool):
            raise Wrong(self._said)
        return self._checked(given)

    def _checked(self, number: int) -> int:
        if not self.least <= number <= self.most:
            raise Wrong(self._said)
        return number

    @property
    def _said(self) -> str:
        return f"must be a whole number from {self.least} to {self.most}"


@frozen
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def schema(self) -> Schema:
        """What the document says of it."""
        return {"type": "string", "enum": list(self.words)}

    def of_text(self, text: str) -> str:
        """Read it."""
        if text not in self.words:
            raise Wrong(f"must be one of {', '.join(self.words)}")
        return text

    def of_json(self, given: Any) -> str:
        """Read it."""
        return self.of_text(given if isinstance(given, str) else "")


@frozen
class Ulid:
    """What the admin API calls something by."""

    @property
    def schema(self) -> Schema:
        """What the document says of it."""
        return {"type": "string", "pattern": ulids.PATTERN}

    def of_text(self, text: str) -> str:
        """Read it."""
        ulid = ulids.read(text)
        if ulid is None:
            raise Wrong("must be a ULID, as the answers of this API have it")
        return ulid

    def of_json(self, given: Any) -> str:
        """Read it."""
        return self.of_text(given if isinstance(given, str) else "")


@frozen
class Time:
    """A moment, as RFC 3339 writes it; in seconds since the epoch where it was read."""

    @property
    def schema(self) -> Schema:
        """What the document says of it."""
        return {"type": "string", "format": "date-time"}

    def of_text(self, text: str) -> int:
        """Read it."""
        # A plus sign of a query that nobody escaped came as a space.
        plain = text.strip().replace(" ", "+").upper()
        try:
            moment = datetime.fromisoformat(_without_fraction(plain).replace("Z", "+00:00"))
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None or "T" not in plain:
            raise Wrong("must be a time such as 2026-01-31T12:00:00Z")
        seconds = int(moment.timestamp())
        if not 0 <= seconds < 2**40:
            raise Wrong("must be a time after 1970")
        return seconds

    def of_json(self, given: Any) -> int:
        """Read it."""
        return self.of_text(given if isinstance(given, str) else "")


def _without_fraction(text: str) -> str:
    """Return a time without what is less than a second, which no table of ours knows."""
    before, dot, after = text.partition(".")
    return before + after.lstrip("0123456789") if dot else text


@frozen
class Anything:
    """Whatever JSON can say."""

    @property
    def schema(self) -> Schema:
        """What the document says of it."""
        return {}

    def of_text(self, text: str) -> str:
        """Read it."""
        return text

    def of_json(self, given: Any) -> Any:
        """Read it."""
        return given


@frozen
class Names:
    """A list of texts; only in answers."""

    @property
    def schema(self) -> Schema:
        """What the document says of it."""
        return {"type": "array", "items": {"type": "string"}}

    def of_text(self, _text: str) -> Any:
        """Nobody sends it."""
        raise Wrong("is only for answers")

    def of_json(self, _given: Any) -> Any:
        """Nobody sends it."""
        raise Wrong("is only for answers")


def time(seconds: int | None) -> str | None:
    """Write a moment down."""
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(min(max(seconds, 0), 2**37), tz=timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

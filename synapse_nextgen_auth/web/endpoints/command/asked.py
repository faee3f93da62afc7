"""What a command asks, as a record; and its refusal in words for the operator."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.site import Site

_MAX_TEXT = 4000
_MAX_NUMBER = 10**12


# As people write it at the command line, where that is not the name of ours with two dashes.
_WRITTEN = {"rooms": "--room", "seconds": "--for", "token": "TOKEN", "user": "USER"}


def written(name: str) -> str:
    """Return what whoever sits at the command line calls this."""
    return _WRITTEN.get(name, f"--{name}")


@frozen
class Refused(Exception):
    """The server does not do it; the sentence says why, to whoever sits at the command line."""

    sentence: str


@frozen
class Asked:
    """What a command was given; whatever it does not take from it is a mistake of another release.

    `address` is the network address that it came from, as the server sees it.
    """

    given: Mapping[str, Any] = attrs.field(repr=False)
    address: str | None = None

    def has(self, name: str) -> bool:
        """Say whether something was given, be it empty."""
        return self.given.get(name) is not None

    def text(self, name: str) -> str | None:
        """Return a text, `None` where there is none; NUL can be stored nowhere (C213)."""
        found: str | None = self._of(name, str)
        if found is not None and len(found) > _MAX_TEXT:
            raise Refused(f"{written(name)} is too long: at most {_MAX_TEXT} letters")
        if found is not None and ("\0" in found or not _is_storable(found)):
            raise Refused(f"{written(name)} has a character that no database keeps")
        return found or None

    def needed(self, name: str) -> str:
        """Return a text that must be there."""
        found = self.text(name)
        if found is None:
            raise Refused(f"{written(name)} is missing")
        return found

    def number(self, name: str) -> int | None:
        """Return a whole number, `None` where there is none."""
        found: int | None = self._of(name, int)
        if found is not None and not 0 <= found <= _MAX_NUMBER:
            raise Refused(f"{written(name)} must be a number up to {_MAX_NUMBER}")
        return found

    def switch(self, name: str) -> bool:
        """Say whether something is asked for."""
        return bool(self._of(name, bool))

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(Asked({name: each}).needed(name) for each in self._of(name, list) or ())

    def _of(self, name: str, kind: type) -> Any:
        found = self.given.get(name)
        if found is None:
            return None
        if type(found) is not kind:
            raise Refused(f"{written(name)} is not what it should be")
        return found


@frozen
class Command:
    """One thing that can be asked for: the names of what it is given, and who does it."""

    takes: frozenset[str]
    do: Callable[[Site, Asked], Awaitable[dict[str, Any]]]


def _is_storable(text: str) -> bool:
    """Say whether this is Unicode: half a surrogate pair is none (C214)."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True

"""Requests that take a fresh or a stronger sign-in (RFC 9470 section 3, MSC4363).

Whoever administers the server, and whatever else the operator protects.
"""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

from synapse_nextgen_auth import late
from synapse_nextgen_auth.clock import is_recent
from synapse_nextgen_auth.oauth.sessions import Proven
from synapse_nextgen_auth.records import frozen

if TYPE_CHECKING:
    from synapse_nextgen_auth.oauth import path_patterns
    from synapse_nextgen_auth.oauth.path_patterns import PathPattern
else:
    path_patterns = late.file("oauth.path_patterns")

# What stands in the place of a pattern for what only administrators may ask for.
ADMIN_API = "admin_api"
_OF_ADMINS = (
    "/_synapse/admin/**",
    "/_matrix/client/*/admin/**",
    "/_synapse/client/auth/api/admin/**",
)
# The same request has several addresses, and Synapse takes each: whichever an operator wrote, all are
# meant. `unstable` may have the name of a proposal behind it.
_PREFIX = r"(?:api/v1|unstable/[^/]*|[^/]*)"
_PREFIXES = ("api/v1", "unstable/*", "*")
_VERSION = re.compile(
    r"(?<=^/_matrix/)(client|media|\*)/"
    r"(?:(?:[rv]?\*|api/v1|[rv]\d+)(?=/|$)|unstable(?:/[\w-]+\.[^/*]+)?(?=/.*[^/*]))"
)
# Who puts it with an id of their own (a transaction; it may be empty) asks for what others post without.
_WITH_ID = re.compile(
    rf"(/_matrix/client/{_PREFIX}/(?:createRoom|join/[^/]*|rooms/[^/]*/(?:(?:send|redact)/[^/]*"
    r"|ban|forget|invite|join|kick|leave|unban)))(?:/[^/]*)?",
    re.DOTALL,
)
# Whoever wants to be signed out is.
_LOGOUT = re.compile(rf"/_matrix/client/{_PREFIX}/logout", re.DOTALL)


@frozen
class Requirement:
    """What a request takes: so many factors, proven within so many seconds."""

    level: int = 1
    max_age: int | None = None

    def and_also(self, other: "Requirement") -> "Requirement":
        """Return what meets both."""
        ages = [age for age in (self.max_age, other.max_age) if age is not None]
        return Requirement(max(self.level, other.level), min(ages, default=None))

    def is_met(self, proven: Proven, now: int) -> bool:
        """Say whether what somebody proved is enough; a time that nobody knows is too long ago."""
        if proven.level < self.level:
            return False
        if self.max_age is None:
            return True
        return proven.proven_at is not None and is_recent(
            proven.proven_at, now, within=self.max_age
        )


@frozen
class Protected:
    """Requests that the operator protects: a pattern of paths, and methods; without any, all of them.

    What is below such a path is protected with it: Synapse ignores more than one would think.
    """

    path: str
    requirement: Requirement
    methods: frozenset[str] = frozenset()

    def is_for(self, method: str, path: str, *, is_admin: bool) -> bool:
        """Say whether it is about a request; `is_admin` where its token may administer the server."""
        if self.path == ADMIN_API and not is_admin:
            return False  # Synapse refuses it, and no proof helps
        return self._names(method, path) or (
            method == "PUT"
            and (posted := _WITH_ID.fullmatch(path)) is not None
            and self._names("POST", posted[1])
        )

    def is_by(self, method: str) -> bool:
        """Say whether it is about requests of this method."""
        return not self.methods or ("GET" if method == "HEAD" else method) in self.methods

    def _names(self, method: str, path: str) -> bool:
        if not self.is_by(method):
            return False
        return any(pattern.is_of(path) for pattern in self._named)

    @cached_property
    def _named(self) -> "tuple[PathPattern, ...]":
        written = _OF_ADMINS if self.path == ADMIN_API else (self.path,)
        return tuple(pattern for text in written for pattern in _patterns(text))


@frozen
class StepUp:
    """Which requests take more than a session."""

    protected: tuple[Protected, ...]

    def asks(self, method: str, path: str, *, is_admin: bool) -> Requirement | None:
        """Return what a request takes, `None` if it is a request like any other."""
        plain = written_plainly(path)
        if _LOGOUT.fullmatch(plain):
            return None
        return _all(
            each.requirement
            for each in self.protected
            if each.is_for(method, plain, is_admin=is_admin)
        )

    def asks_of_admins(self, method: str) -> Requirement | None:
        """Return what an administrator has to prove before they are one for such a request.

        It is asked for at their own paths, and beside these nobody is asked: whoever proved less does
        there what everybody may.
        """
        return _all(
            each.requirement
            for each in self.protected
            if each.path == ADMIN_API and each.is_by(method)
        )


def written_plainly(path: str) -> str:
    """Return a path as a pattern knows it: whoever escapes a letter of it gets nothing by that.

    A slash that is escaped belongs to an argument, and stays; one at the end is none.
    """
    parts = (unquote(part).replace("/", "%2F") for part in path.split("/"))
    return "/".join(parts).rstrip("/")


def _all(requirements: Iterable[Requirement]) -> Requirement | None:
    met: Requirement | None = None
    for each in requirements:
        met = each if met is None else met.and_also(each)
    return met


def _patterns(text: str) -> "tuple[PathPattern, ...]":
    """Read a pattern, whichever version of the API it names."""
    version = _VERSION.search(text)
    if version is None:
        return (path_patterns.path_pattern(text),)
    before, after = f"{text[: version.start()]}{version[1]}/", text[version.end() :]
    return tuple(path_patterns.path_pattern(f"{before}{prefix}{after}") for prefix in _PREFIXES)

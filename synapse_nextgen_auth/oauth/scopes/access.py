"""What a scope opens of Matrix: all of it, parts, or rooms alone (docs/reference/scopes.md).

The scopes of ours only ever open less than `urn:matrix:client:api:*`, which contains them all.
"""

from functools import lru_cache

from synapse_nextgen_auth.oauth.scopes import matrix_endpoints
from synapse_nextgen_auth.oauth.scopes.matrix_endpoints import Asked, Need
from synapse_nextgen_auth.oauth.scopes.permissions import (
    ADMIN,
    API,
    NARROW,
    ROOM,
    SEND,
    SERVER_ADMIN,
)
from synapse_nextgen_auth.records import frozen


@frozen
class Access:
    """What a token opens. `rooms` are the only ones that it reaches; `None` is all of them."""

    parts: frozenset[str]
    rooms: frozenset[str] | None = None
    is_whole: bool = False
    administers: bool = False

    @property
    def opens_something(self) -> bool:
        """Say whether it opens anything of Matrix."""
        return self.is_whole or self.administers or bool(self.parts)

    @property
    def is_seen(self) -> bool:
        """Say whether who uses it appears online: who only reads is not there."""
        return self.is_whole or SEND in self.parts

    def has(self, part: str) -> bool:
        """Say whether it opens this part, in the rooms that it reaches."""
        return self.is_whole or part in self.parts

    def has_everywhere(self, part: str) -> bool:
        """Say whether it opens this part of what belongs to no room."""
        return self.is_whole or (part in self.parts and self.rooms is None)

    def reaches(self, room_id: str) -> bool:
        """Say whether it may know of this room."""
        return self.rooms is None or room_id in self.rooms

    def refuse(self, method: str, path: str) -> str | None:
        """Return the scope that a request lacks, or `None`: it may go on.

        A room that it does not reach takes the whole API: no part of it would help.
        """
        if self.is_whole:
            return None
        if matrix_endpoints.is_for_admins(path):
            return None if self.administers else SERVER_ADMIN
        asked = matrix_endpoints.find(method, path)
        if asked is None:
            return API
        return self._refuse(asked)

    def _refuse(self, asked: Asked) -> str | None:
        if asked.need is Need.WHOLE:
            return API
        if asked.need is Need.ANY:
            return None if self.parts else API
        for part in asked.parts:
            if part not in self.parts:
                return part
        if self.rooms is not None and not asked.is_cut and asked.room not in self.rooms:
            return API
        return None


@lru_cache(maxsize=10_000)
def of(effective: frozenset[str]) -> Access:
    """Return what these scope tokens, in their stable spelling, open."""
    if API in effective:
        administers = bool(effective & {ADMIN, SERVER_ADMIN})
        return Access(frozenset(), is_whole=True, administers=administers)
    rooms = frozenset(token[len(ROOM) :] for token in effective if token.startswith(ROOM))
    return Access(
        parts=effective & NARROW,
        rooms=rooms or None,
        administers=SERVER_ADMIN in effective,
    )

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
    ROOMS_MANAGE,
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
        """Say whether who uses it appears online: not who only reads, nor who is in some rooms."""
        return self.is_whole or self.has_everywhere(SEND)

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
        """Return the scope that a request lacks, or `None`: it may go on."""
        if self.is_whole:
            return None
        if matrix_endpoints.is_for_admins(path):
            return None if self.administers else SERVER_ADMIN
        return self.refuse_asked(matrix_endpoints.find(method, path))

    def refuse_asked(self, asked: Asked | None) -> str | None:
        """Say the same of a request whose line of the table is known.

        A room that it does not reach takes the whole API: no part of it would help.
        """
        if asked is None or asked.need is Need.WHOLE:
            return API
        if asked.need is Need.ANY:
            return None if self.parts else API
        for part in asked.parts:
            if part not in self.parts:
                return part
        if self.rooms is not None and not asked.is_cut and asked.room not in self.rooms:
            return API
        return None

    def must_look_at(self, asked: Asked) -> bool:
        """Say whether it depends on the event that a request names.

        It may be of a room that was not named, and what others said is redacted by who manages rooms.
        """
        if asked.event is None:
            return False
        return self.rooms is not None or (asked.redacts and ROOMS_MANAGE not in self.parts)


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

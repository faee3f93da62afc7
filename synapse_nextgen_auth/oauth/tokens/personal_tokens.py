"""A personal token: what somebody makes for a program of theirs, once, on the pages of their account.

It is a session whose only token is shown when it is made, and is good until the time that was chosen.
"""

import enum

from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.grant_types import GrantType
from synapse_nextgen_auth.oauth.scopes import grammar
from synapse_nextgen_auth.oauth.scopes.grammar import Scope
from synapse_nextgen_auth.oauth.scopes.permissions import (
    ACCOUNT_DATA,
    ADMIN,
    API,
    DEVICE,
    KEYS,
    MAS_ADMIN,
    MEDIA_UPLOAD,
    NARROW,
    PUSH,
    READ,
    ROOM,
    ROOMS_JOIN,
    ROOMS_MANAGE,
    SEND,
    SERVER_ADMIN,
    SET_PROFILE,
)
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind, Token
from synapse_nextgen_auth.records import frozen

# What stands in the place of a client: nobody registers it, and no client is called so.
CLIENT = "urn:nextgen-auth:personal-tokens"
GRANT = GrantType(name="personal token", a_person_agrees=True)
LONGEST_NAME = 100
# What a person can choose, in the order in which they are asked.
PARTS = (
    *(API, READ, SEND, ROOMS_JOIN, ROOMS_MANAGE, SET_PROFILE, ACCOUNT_DATA),
    *(PUSH, MEDIA_UPLOAD, KEYS),
    *(SERVER_ADMIN, MAS_ADMIN, ADMIN),
)
POWERS = frozenset({SERVER_ADMIN, MAS_ADMIN, ADMIN})
_TAKE_A_DEVICE = frozenset({API, PUSH, KEYS})
_OF_NO_DEVICE = frozenset({SERVER_ADMIN, MAS_ADMIN})
_OF_NO_ROOM = frozenset({SET_PROFILE, PUSH, KEYS}) | POWERS

_DAY = 24 * 3600
# How long before its end (seconds) its owner is told of that; of one that was made for twice as long.
TOLD_BEFORE = 7 * _DAY
_CHOICES = tuple(days * _DAY for days in (7, 30, 90, 180, 365))


class Refusal(str, enum.Enum):
    """Why a token is not made."""

    NO_NAME = "no_name"
    LONG_NAME = "long_name"
    NOTHING = "nothing"
    NOT_ALLOWED = "not_allowed"  # some of it the operator lets nobody of them give to a token
    NEEDS_WHOLE = "needs_whole"  # power over the server goes on top of the whole account
    NEEDS_DEVICE = "needs_device"
    HAS_NO_DEVICE = "has_no_device"  # of the administration alone, which opens nothing of a device
    NO_SUCH_DEVICE = "no_such_device"
    ROOMS_OF_ALL = "rooms_of_all"  # the whole account, and only some rooms
    NOT_OF_ROOMS = "not_of_rooms"  # some of it belongs to no room, and only some rooms
    BAD_ROOM = "bad_room"
    MANY_ROOMS = "many_rooms"
    TIME = "time"
    TOO_MANY = "too_many"
    NO_ROOM = "no_room"  # it would be one device too many


@frozen
class Limits:
    """What the operator allows somebody.

    `longest` is in seconds, `is_endless` whether one may have no end, `parts` what it may open.
    """

    most: int
    longest: int
    is_endless: bool
    parts: frozenset[str]

    @property
    def lifetimes(self) -> tuple[int, ...]:
        """For how long (seconds) a token may be made, as people are asked."""
        shorter = [each for each in _CHOICES if each < self.longest]
        return (*shorter, self.longest)


@frozen
class Wanted:
    """What somebody wants: `parts` of `PARTS`, rooms by their ids, `lifetime` in seconds, or none."""

    name: str
    parts: frozenset[str]
    rooms: tuple[str, ...]
    device_id: str | None
    lifetime: int | None

    @property
    def scope(self) -> Scope:
        """What the token opens. The whole account contains its parts."""
        chosen = self.parts - NARROW if API in self.parts else self.parts
        tokens = [each for each in PARTS if each in chosen]
        if self.device_id is not None:
            tokens.append(DEVICE + self.device_id)
        return grammar.parse(" ".join([*tokens, *(ROOM + each for each in self.rooms)]))


def givable(named: frozenset[str] | None, *, is_admin: bool) -> frozenset[str]:
    """Return what somebody may give where the operator named these scopes, or none in particular.

    What a scope contains may be given where it may. Power over the server is an administrator's (C311).
    """
    given = frozenset(PARTS) if named is None else named
    if API in given:
        given |= NARROW
    if ADMIN in given:
        given |= {SERVER_ADMIN}
    return given if is_admin else given - POWERS


def takes_a_device(parts: frozenset[str]) -> bool:
    """Say whether it opens nothing without a device."""
    return not _TAKE_A_DEVICE.isdisjoint(parts)


def is_of_no_device(parts: frozenset[str]) -> bool:
    """Say whether a device has nothing to do with it: whoever asks for a new one gets none."""
    return bool(parts) and parts <= _OF_NO_DEVICE


def refuse(wanted: Wanted, limits: Limits) -> Refusal | None:
    """Return why this is no token that may be made, or `None`."""
    if not wanted.name:
        return Refusal.NO_NAME
    if len(wanted.name) > LONGEST_NAME:
        return Refusal.LONG_NAME
    if not wanted.parts <= limits.parts:
        return Refusal.NOT_ALLOWED
    return _refuse_parts(wanted) or _refuse_lifetime(wanted.lifetime, limits)


def _refuse_parts(wanted: Wanted) -> Refusal | None:
    parts, has_device = wanted.parts, wanted.device_id is not None
    if ADMIN in parts and API not in parts:
        return Refusal.NEEDS_WHOLE
    if not parts:
        return Refusal.NOTHING
    if takes_a_device(parts) and not has_device:
        return Refusal.NEEDS_DEVICE
    if has_device and is_of_no_device(parts):
        return Refusal.HAS_NO_DEVICE
    return _refuse_rooms(wanted) if wanted.rooms else None


def _refuse_rooms(wanted: Wanted) -> Refusal | None:
    if API in wanted.parts:
        return Refusal.ROOMS_OF_ALL
    if not wanted.parts.isdisjoint(_OF_NO_ROOM):
        return Refusal.NOT_OF_ROOMS
    if len(wanted.rooms) > grammar.MAX_ROOMS:
        return Refusal.MANY_ROOMS
    try:
        wanted.scope  # noqa: B018 (the rules of rooms are those of every scope)
    except OAuthError:
        return Refusal.BAD_ROOM
    return None


def _refuse_lifetime(lifetime: int | None, limits: Limits) -> Refusal | None:
    if lifetime is None:
        return None if limits.is_endless else Refusal.TIME
    return None if 0 < lifetime <= limits.longest else Refusal.TIME


def token_of(session: Session) -> Token:
    """Return the one token that a session has."""
    return Token(Kind.PERSONAL, session.session_id, session.generation, session.expires_at or 0)

"""What a client asks for and gets (RFC 6749 section 3.3; Client-Server API, Scope; MSC2967).

A device id may use every character of RFC 6749 section 3.3, so also "/". Only ids with a "." or
".." between slashes are refused: something on the way could resolve them as a path (C306).
"""

import re
from collections.abc import Iterable

from synapse_nextgen_auth.oauth.errors import invalid_scope
from synapse_nextgen_auth.oauth.scopes.permissions import (
    API,
    DEVICE,
    EMAIL,
    NARROW,
    OPENID,
    PERMISSIONS,
    PROFILE,
    ROOM,
    SERVER_ADMIN,
    Permission,
)
from synapse_nextgen_auth.oauth.wording import quoted
from synapse_nextgen_auth.records import frozen

STABLE = "urn:matrix:client:"
UNSTABLE = "urn:matrix:org.matrix.msc2967.client:"
# MSC4484, whose spelling has nothing to do with that of MSC2967.
_UNSTABLE_SERVER_ADMIN = "urn:matrix:client:cc.c10y.msc4484.server_administration"
# More would not fit on a page that people read, nor into the mask of a token that carries a part.
MAX_ROOMS = 8

OURS = "urn:nextgen-auth:"

# Device ids that Synapse gives a meaning of its own (C307).
RESERVED_DEVICE_IDS = ("guest_device", "dummy-device")

_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
_WHOLE = frozenset(permission.scope for permission in PERMISSIONS if not permission.followed_by)
_BEGINNINGS = tuple(permission.scope for permission in PERMISSIONS if permission.followed_by)
_GRAVE = frozenset(permission.scope for permission in PERMISSIONS if permission.grave)
_BY_SCOPE = {permission.scope: permission for permission in PERMISSIONS}
_ROOM_ID = re.compile(r"![^:\s]+(:[^\s/]+)?")


@frozen
class Scope:
    """The scope tokens we know, as the client spelled and ordered them.

    Make it with `parse`: the rules between tokens hold for every scope that exists. A process remembers
    many, each beside the row that it is from: so it is the text of that, which `parse` reads back.
    """

    text: str

    @property
    def tokens(self) -> tuple[str, ...]:
        """What it consists of."""
        return tuple(self.text.split())

    @property
    def effective(self) -> frozenset[str]:
        """The same permissions in their stable spelling."""
        return frozenset(map(_stable, self.tokens))

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """What it allows, in the order of the table."""
        return tuple(
            permission for permission in PERMISSIONS if _tokens_of(permission, self.effective)
        )

    @property
    def openid(self) -> bool:
        """Whether an ID token and userinfo are asked for."""
        return OPENID in self.tokens

    @property
    def email(self) -> bool:
        """Whether userinfo may tell the e-mail address; has a meaning only with `openid`."""
        return EMAIL in self.tokens

    @property
    def profile(self) -> bool:
        """Whether userinfo may tell name and picture; has a meaning only with `openid`."""
        return PROFILE in self.tokens

    @property
    def api(self) -> bool:
        """Whether the Client-Server API is open to it."""
        return API in self.effective

    @property
    def is_narrow(self) -> bool:
        """Whether parts of the Client-Server API are open to it, and not all of it."""
        return not self.api and not NARROW.isdisjoint(self.tokens)

    @property
    def opens_matrix(self) -> bool:
        """Whether anything of Matrix is open to it."""
        return self.api or self.is_narrow or SERVER_ADMIN in self.effective

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms that it is narrowed to, in the order asked for; none is all of them."""
        return tuple(token[len(ROOM) :] for token in self.tokens if token.startswith(ROOM))

    @property
    def admin(self) -> bool:
        """Whether power over the server is asked for; it also takes an account that is an admin."""
        return any(_stable(token) in _GRAVE for token in self.tokens)

    @property
    def without_admin(self) -> "Scope":
        """The same scope for an account that is no administrator (any more)."""
        return of_tokens(token for token in self.tokens if _stable(token) not in _GRAVE)

    @property
    def device_id(self) -> str | None:
        """The device that the client allocates; there is one exactly if there is `api`."""
        ids = (token[len(DEVICE) :] for token in self.effective if token.startswith(DEVICE))
        return next(ids, None)

    def mask_of(self, part: "Scope") -> int | None:
        """Return which tokens of this scope are in `part`, a bit each; `None` if all of them are."""
        bits = [(_stable(token) in part.effective) << i for i, token in enumerate(self.tokens)]
        return None if all(bits) else sum(bits)

    def under(self, mask: int) -> "Scope":
        """Return the part of this scope that a mask stands for."""
        return of_tokens(token for i, token in enumerate(self.tokens) if mask >> i & 1)


def parse(text: str) -> Scope:
    """Read a `scope` parameter; tokens we do not know are left out, and the answer tells."""
    tokens = tuple(dict.fromkeys(text.split(" ")))
    if not all(map(_TOKEN.fullmatch, tokens)):
        raise invalid_scope("scope must be tokens of printable ASCII, one space between two")
    # One that was to narrow the others would be missed: whoever wrote it would get more than they want.
    for token in tokens:
        if token.casefold().startswith(OURS) and not _is_known(token):
            raise invalid_scope(f"{quoted(token)} is no scope of this server")
    scope = of_tokens(token for token in tokens if _is_known(token))
    if not scope.text:
        raise invalid_scope("scope contains nothing that this server knows")
    reason = _refuse(scope)
    if reason:
        raise invalid_scope(reason)
    # Of the same text there is one.
    return Scope(text) if scope.text == text else scope


def of_tokens(tokens: Iterable[str]) -> Scope:
    """Return a scope of these, which fit together."""
    return Scope(" ".join(tokens))


def of_row(text: str) -> Scope:
    """Read a scope that we wrote down; of what is for other services alone that is nothing."""
    return parse(text) if text else Scope("")


def is_token(text: str) -> bool:
    """Say whether this could stand in a scope (RFC 6749 section 3.3)."""
    return _TOKEN.fullmatch(text) is not None


def knows(text: str) -> bool:
    """Say whether anything in a `scope` parameter is for us to read, be it wrong."""
    return any(
        _is_known(token) or token.casefold().startswith(OURS) or not is_token(token)
        for token in text.split(" ")
    )


def narrow(granted: Scope, text: str) -> Scope:
    """Read the `scope` of a refresh: part of what was granted, or all of it (RFC 6749 section 6).

    A client may repeat what it asked for at first: what the server does not know is left out here
    as it was there.
    """
    part = parse(text)
    if not part.effective <= granted.effective:
        raise invalid_scope("scope must not go beyond what the session was granted")
    if granted.rooms and part.is_narrow and not part.rooms:
        # A room is less than all of them, so whoever leaves it out asks for more.
        raise invalid_scope("scope must keep a room, as the session was granted some rooms alone")
    return part


def with_device(text: str, device_id: str) -> str:
    """Return a scope that opens the Matrix API with this device, unless it names one; spelled alike."""
    tokens = text.split(" ")
    for beginning in (STABLE, UNSTABLE):
        api, device = (each.replace(STABLE, beginning, 1) for each in (API, DEVICE))
        if api in tokens and not any(token.startswith(device) for token in tokens):
            return f"{text} {device}{device_id}"
    return text


def refuse_device_id(device_id: str) -> str | None:
    """Say why a client may not allocate this device id (C306, C307)."""
    if not _TOKEN.fullmatch(device_id):
        return "the device id is empty or has characters that a scope must not have"
    if not 10 <= len(device_id) <= 255:
        return f"the device id {quoted(device_id)} must have 10 to 255 characters"
    if device_id in RESERVED_DEVICE_IDS:
        return f"the device id {quoted(device_id)} is reserved"
    if {".", ".."} & set(device_id.split("/")):
        return f"the device id {quoted(device_id)} must not look like a relative path"
    return None


def _is_known(token: str) -> bool:
    stable = _stable(token)
    return stable in _WHOLE or stable.startswith(_BEGINNINGS)


def _stable(token: str) -> str:
    if token.startswith(UNSTABLE):
        stable = STABLE + token[len(UNSTABLE) :]
        return token if stable == SERVER_ADMIN else stable
    return SERVER_ADMIN if token == _UNSTABLE_SERVER_ADMIN else token


def _tokens_of(permission: Permission, effective: frozenset[str]) -> list[str]:
    """Return by what a scope asks for this, in the stable spelling."""
    if permission.followed_by:
        return [token for token in effective if token.startswith(permission.scope)]
    return [permission.scope] if permission.scope in effective else []


def _refuse(scope: Scope) -> str | None:
    # Two spellings of the same permission are a mistake we cannot answer "as asked" (C305).
    if len({token.startswith(UNSTABLE) for token in scope.tokens if _is_matrix(token)}) > 1:
        return "scope must not mix urn:matrix:client: with urn:matrix:org.matrix.msc2967.client:"
    effective = scope.effective
    asked = {permission.scope: _tokens_of(permission, effective) for permission in PERMISSIONS}
    return (
        _refuse_together(asked)
        or _refuse_rooms(scope.rooms)
        or (refuse_device_id(scope.device_id) if scope.device_id is not None else None)
    )


def _refuse_together(asked: dict[str, list[str]]) -> str | None:
    """Say what does not fit together, by the scopes of permissions and the tokens that ask for each."""
    those = [permission for permission in PERMISSIONS if asked[permission.scope]]
    for permission in those:
        count = len(asked[permission.scope])
        if permission.followed_by and count > 1 and not permission.is_repeated:
            return f"scope must contain exactly one {permission.scope} token, not {count}"
    for permission in those:
        missing = [needed for needed in permission.needs if not asked[needed]]
        if missing:
            return _say_missing(permission, _BY_SCOPE[missing[0]])
        if permission.excludes and asked[permission.excludes]:
            return f"scope must not narrow {permission.excludes} by {permission.scope}"
        one_of = permission.needs_one_of
        if one_of and not any(asked[each] for each in one_of):
            needed = ", ".join(one_of)
            return f"scope with a {permission.scope} token must also contain one of {needed}"
    return None


def _refuse_rooms(rooms: tuple[str, ...]) -> str | None:
    if len(rooms) > MAX_ROOMS:
        return f"scope must name at most {MAX_ROOMS} rooms"
    for room_id in rooms:
        if len(room_id) > 255 or not _ROOM_ID.fullmatch(room_id):
            return f"{quoted(room_id)} is not the id of a room"
    return None


def _say_missing(permission: Permission, needed: Permission) -> str:
    subject = f"a {permission.scope} token" if permission.followed_by else permission.scope
    behind = f" and {needed.followed_by}" if needed.followed_by else ""
    return f"scope with {subject} must also contain {needed.scope}{behind}"


def _is_matrix(token: str) -> bool:
    """Say whether a token is spelled in one of MSC2967's two ways."""
    return token.startswith((STABLE, UNSTABLE)) and _stable(token) != SERVER_ADMIN

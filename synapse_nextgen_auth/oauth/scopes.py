"""What a client asks for and gets (RFC 6749 section 3.3; Client-Server API, Scope; MSC2967).

A device id may use every character of RFC 6749 section 3.3, so also "/". Only ids with a "." or
".." between slashes are refused: something on the way could resolve them as a path (C306).
"""

import re

import attrs

from synapse_nextgen_auth.oauth.errors import invalid_scope
from synapse_nextgen_auth.oauth.wording import quoted

OPENID = "openid"
EMAIL = "email"
PROFILE = "profile"
ADMIN = "urn:synapse:admin:*"
API = "urn:matrix:client:api:*"

STABLE = "urn:matrix:client:"
UNSTABLE = "urn:matrix:org.matrix.msc2967.client:"

# Device ids that Synapse gives a meaning of its own (C307).
RESERVED_DEVICE_IDS = ("guest_device", "dummy-device")

_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
_PLAIN = frozenset({OPENID, EMAIL, PROFILE, ADMIN, API})


@attrs.frozen
class Scope:
    """The scope tokens we know, as the client spelled and ordered them.

    Make it with `parse`: the rules between tokens hold for every scope that exists.
    """

    tokens: tuple[str, ...]

    @property
    def text(self) -> str:
        """The scope as one parameter; `parse` reads it back to the same scope."""
        return " ".join(self.tokens)

    @property
    def effective(self) -> frozenset[str]:
        """The same permissions in their stable spelling."""
        return frozenset(map(_stable, self.tokens))

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
    def admin(self) -> bool:
        """Whether Synapse's admin API is asked for; it also takes an account that is an admin."""
        return ADMIN in self.tokens

    @property
    def without_admin(self) -> "Scope":
        """The same scope for an account that is no administrator (any more)."""
        return Scope(tuple(token for token in self.tokens if token != ADMIN))

    @property
    def device_id(self) -> str | None:
        """The device that the client allocates; there is one exactly if there is `api`."""
        return next(iter(_device_ids(self.effective)), None)

    def mask_of(self, part: "Scope") -> int | None:
        """Return which tokens of this scope are in `part`, a bit each; `None` if all of them are."""
        bits = [(_stable(token) in part.effective) << i for i, token in enumerate(self.tokens)]
        return None if all(bits) else sum(bits)

    def under(self, mask: int) -> "Scope":
        """Return the part of this scope that a mask stands for."""
        return Scope(tuple(token for i, token in enumerate(self.tokens) if mask >> i & 1))


def parse(text: str) -> Scope:
    """Read a `scope` parameter; tokens we do not know are left out, and the answer tells."""
    tokens = tuple(dict.fromkeys(text.split(" ")))
    if not all(map(_TOKEN.fullmatch, tokens)):
        raise invalid_scope("scope must be tokens of printable ASCII, one space between two")
    scope = Scope(tuple(token for token in tokens if _is_known(token)))
    if not scope.tokens:
        raise invalid_scope("scope contains nothing that this server knows")
    reason = _refuse(scope)
    if reason:
        raise invalid_scope(reason)
    return scope


def narrow(granted: Scope, text: str) -> Scope:
    """Read the `scope` of a refresh: part of what was granted, or all of it (RFC 6749 section 6).

    A client may repeat what it asked for at first: what the server does not know is left out here
    as it was there.
    """
    part = parse(text)
    if not part.effective <= granted.effective:
        raise invalid_scope("scope must not go beyond what the session was granted")
    return part


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
    return stable in _PLAIN or stable.startswith(STABLE + "device:")


def _stable(token: str) -> str:
    if token.startswith(UNSTABLE):
        return STABLE + token[len(UNSTABLE) :]
    return token


def _device_ids(effective: frozenset[str]) -> list[str]:
    prefix = STABLE + "device:"
    return [token[len(prefix) :] for token in effective if token.startswith(prefix)]


def _refuse(scope: Scope) -> str | None:
    devices = _device_ids(scope.effective)
    # Two spellings of the same permission are a mistake we cannot answer "as asked" (C305).
    if len({token.startswith(UNSTABLE) for token in scope.tokens if _is_matrix(token)}) > 1:
        return "scope must not mix urn:matrix:client: with urn:matrix:org.matrix.msc2967.client:"
    if len(devices) > 1:
        return f"scope must contain exactly one {STABLE}device: token, not {len(devices)}"
    if scope.api and not devices:
        return f"scope with {API} must also contain {STABLE}device: and the id of the device"
    if devices and not scope.api:
        return f"scope with a {STABLE}device: token must also contain {API}"
    if scope.admin and not scope.api:
        return f"scope with {ADMIN} must also contain {API}"
    return refuse_device_id(devices[0]) if devices else None


def _is_matrix(token: str) -> bool:
    return token.startswith((STABLE, UNSTABLE))

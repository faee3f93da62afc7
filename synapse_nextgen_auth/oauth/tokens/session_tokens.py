"""The shape of our tokens: a small signed statement about a session (docs/topics/tokens.md).

A token is 45 bytes in base64url behind a typed prefix: session id, generation, expiry and a MAC.
Reading one costs no database; there is no row per token, and nothing in the database makes one.

An access token that may do less than its session has three bytes more: which of the session's scope
tokens it carries.
"""

import base64
import binascii
import enum
import re
import struct
import unicodedata

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose, Secret, digest, urlsafe

_EXPIRY_BYTES = 5
_FIELDS = struct.Struct(f">16sI{_EXPIRY_BYTES}s")
_MASK_BYTES = 3
_MAC_BYTES = 20
_BODY = re.compile(r"[A-Za-z0-9_-]{60}(?:[A-Za-z0-9_-]{4})?")


class Kind(enum.Enum):
    """What a token is for; prefix and key differ, so one can never pass for another (C109)."""

    ACCESS = "nga_"
    REFRESH = "ngr_"
    PERSONAL = "ngp_"
    SERVICE = "ngs_"  # of an application service, which has no session: `service_tokens.py`
    RESOURCE = "ngx_"  # for a service of others; it opens nothing here


_PREFIX_LENGTH = 4
_KINDS = {kind.value: kind for kind in Kind}
# In whatever somebody pastes: in the letters of a telephone that begins a sentence, but in no word of
# theirs ("things_"). A password that has so many letters behind it would be taken for one.
_PREFIX = f"(?<![A-Za-z])(?i:{'|'.join(_KINDS)})"
_WHOLE = re.compile(_PREFIX + r"[A-Za-z0-9_-]{60}(?:[A-Za-z0-9_-]{4})?(?![A-Za-z0-9_-])")
_MOST_OF_ONE = re.compile(_PREFIX + r"(?:\s*[A-Za-z0-9_-]){40,}")
_PURPOSES = {
    Kind.ACCESS: Purpose.ACCESS_TOKEN,
    Kind.REFRESH: Purpose.REFRESH_TOKEN,
    Kind.PERSONAL: Purpose.PERSONAL_TOKEN,
    Kind.SERVICE: Purpose.SERVICE_TOKEN,
    Kind.RESOURCE: Purpose.RESOURCE_TOKEN,
}
# What opens a session.
OPENING = frozenset({Kind.ACCESS, Kind.PERSONAL})


@frozen
class Token:
    """What a token says: which session, which generation of it, and until when (seconds; 0: no end).

    `mask` has a bit for each scope token of the session, the first one lowest; `None` is all of
    them. Only access tokens have one (RFC 6749 section 6), and those for services, which have it over
    the words of the session that are of services.
    """

    kind: Kind
    session_id: str
    generation: int
    expires_at: int
    mask: int | None = None

    def is_expired(self, now: int) -> bool:
        """Say whether the token's own time is over."""
        return self.expires_at != 0 and now >= self.expires_at


def kind_of(text: str) -> Kind | None:
    """Return which kind of token of ours `text` claims to be, `None` for somebody else's."""
    return _KINDS.get(text[:_PREFIX_LENGTH])


def looks_like(kind: Kind, text: str) -> bool:
    """Say whether a text has the form of such a token, whoever made it."""
    return kind_of(text) is kind and _BODY.fullmatch(text, _PREFIX_LENGTH) is not None


def find(text: str) -> str | None:
    """Return the token of ours that stands in what somebody typed or pasted, whoever made it.

    Whatever they took along is left out: quotes, "Bearer", line ends, what nobody sees. One that was cut
    or changed is found, too, though it opens nothing: who sees the most of it may guess the rest.
    """
    shown = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    found = _WHOLE.search(shown) or _MOST_OF_ONE.search(shown)
    if found is None:
        return None
    joined = "".join(found[0].split())
    return joined[:_PREFIX_LENGTH].lower() + joined[_PREFIX_LENGTH:]


def mint(keys: Keyring, token: Token) -> Secret:
    """Write a token down and sign it."""
    fields = _pack(token)
    mac = keys.mac(_PURPOSES[token.kind], fields)[:_MAC_BYTES]
    return Secret(token.kind.value + urlsafe(fields + mac))


def read(keys: Keyring, text: str) -> Token | None:
    """Read a token; `None` unless we signed exactly this one."""
    kind = kind_of(text)
    if kind is None or not _BODY.fullmatch(text, _PREFIX_LENGTH):
        return None
    try:
        raw = base64.urlsafe_b64decode(text[_PREFIX_LENGTH:])
    except binascii.Error:
        return None
    fields, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not keys.proves(_PURPOSES[kind], fields, mac):
        return None
    return _unpack(kind, fields)


def _pack(token: Token) -> bytes:
    expiry = token.expires_at.to_bytes(_EXPIRY_BYTES, "big")
    fields = _FIELDS.pack(bytes.fromhex(token.session_id), token.generation, expiry)
    return fields if token.mask is None else fields + token.mask.to_bytes(_MASK_BYTES, "big")


def _unpack(kind: Kind, fields: bytes) -> Token:
    session_id, generation, expiry = _FIELDS.unpack(fields[: _FIELDS.size])
    mask = int.from_bytes(fields[_FIELDS.size :], "big") if len(fields) > _FIELDS.size else None
    return Token(kind, session_id.hex(), generation, int.from_bytes(expiry, "big"), mask)


def surrogate(session_id: str) -> str:
    """Return what `user_ips` gets instead of the token: stable per session, opens nothing (C337)."""
    return f"nextgen_session_{digest(session_id)[:32]}"

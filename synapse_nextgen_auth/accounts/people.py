"""The people on this homeserver: how they name themselves, and who may sign in (CS API, moderation)."""

import enum
import re

import attrs

from synapse_nextgen_auth.records import frozen


class Standing(enum.Enum):
    """Why an account may not sign in or use a session just now."""

    DEACTIVATED = "deactivated"
    LOCKED = "locked"
    EXPIRED = "expired"
    APPROVAL_PENDING = "approval_pending"
    GUEST = "guest"
    APPSERVICE = "appservice"
    SERVER_LIMIT = "server_limit"
    BLOCKED = "blocked"


@frozen
class Account:
    """What Synapse knows about an account, as far as it says who may go on."""

    user_id: str
    is_admin: bool = False
    is_deactivated: bool = False
    is_locked: bool = False
    is_expired: bool = False
    is_approved: bool = True
    is_guest: bool = False
    is_appservice: bool = False
    exceeds_limit: bool = False
    is_blocked: bool = False  # by another module, which was asked about what is to begin
    is_shadow_banned: bool = False
    # All that could be in the way; `admission.refuse` says what is, for which intent. Made once: each
    # Matrix request asks.
    standings: tuple[Standing, ...] = attrs.field(init=False, eq=False, repr=False)

    @standings.default
    def _standings(self) -> tuple[Standing, ...]:
        found = (
            (self.is_deactivated, Standing.DEACTIVATED),
            (self.is_locked, Standing.LOCKED),
            (self.is_guest, Standing.GUEST),
            (self.is_appservice, Standing.APPSERVICE),
            (not self.is_approved, Standing.APPROVAL_PENDING),
            (self.is_expired, Standing.EXPIRED),
            (self.exceeds_limit, Standing.SERVER_LIMIT),
            (self.is_blocked, Standing.BLOCKED),
        )
        return tuple(standing for applies, standing in found if applies)


@frozen
class Identifier:
    """What somebody typed to say who they are: a Matrix id, an e-mail address, or a phone number."""

    user_id: str | None = None
    email: str | None = None
    phone: str | None = None  # digits, with the country's first (`msisdn` of the CS API)


_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
MAX_IDENTIFIER = 255
MAX_PASSWORD = 512  # bytes; beyond, normalising alone costs seconds (C231)


_PHONE = re.compile(r"\+[0-9][0-9 ()./-]{4,38}")
_FEWEST_DIGITS, _MOST_DIGITS = 5, 15  # E.164


def identify(typed: str, *, server_name: str, by_phone: bool = False) -> Identifier | None:
    """Read what a person typed: `@me:server`, `me`, `me:server` or an e-mail address.

    With `by_phone` also `+49 151 …`, which is a name where nobody can have a phone number. Spaces
    around it are dropped, so that every spelling of one account shares one rate limit (C235).
    `None` for what can be nobody.
    """
    text = typed.strip()
    if not text or len(text) > MAX_IDENTIFIER or not text.isprintable():
        return None
    if text.startswith("@"):
        localpart, _, server = text[1:].partition(":")
        return Identifier(user_id=f"@{localpart}:{server or server_name}")
    if text.endswith(f":{server_name}"):
        return Identifier(user_id=f"@{text}")
    if _EMAIL.fullmatch(text):
        return Identifier(email=text)
    if by_phone and _PHONE.fullmatch(text):
        digits = re.sub(r"[^0-9]", "", text)
        if _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS:
            return Identifier(phone=digits)
    return Identifier(user_id=f"@{text}:{server_name}")


# As the specification has it for new accounts, in any case, as people write it (`spelled` finds them).
_LOCALPART = re.compile(r"[A-Za-z0-9._=/+-]{1,255}")


def meant(login_hint: str | None, *, server_name: str) -> Identifier | None:
    """Read whom a `login_hint` names: `mxid:@me:server` (MSC4198), `@me:server`, `me`, or an address.

    Only a hint: nonsense, and somebody of another server, is nobody. A scheme is the same in any case
    (RFC 3986 section 3.1).
    """
    if not login_hint or len(login_hint) > MAX_IDENTIFIER + 5 or not login_hint.isprintable():
        return None
    scheme, _, rest = login_hint.partition(":")
    scheme = scheme.lower()
    if scheme == "mxid" or login_hint.startswith("@"):
        user_id = rest if scheme == "mxid" else login_hint
        localpart, _, server = user_id[1:].partition(":")
        is_ours = user_id.startswith("@") and localpart and server == server_name
        return Identifier(user_id=user_id) if is_ours else None
    if scheme == "mailto":
        return Identifier(email=rest) if rest else None
    if _EMAIL.fullmatch(login_hint):
        return Identifier(email=login_hint)
    if _LOCALPART.fullmatch(login_hint):
        return Identifier(user_id=f"@{login_hint}:{server_name}")
    return None


_MATRIX_ID = re.compile(r"@[^\s:@]+:[A-Za-z0-9.:\[\]-]+")


def meant_elsewhere(login_hint: str | None, *, server_name: str) -> str | None:
    """Return the Matrix ID that a `login_hint` names where it is one of another server."""
    if not login_hint or len(login_hint) > MAX_IDENTIFIER + 5 or not login_hint.isprintable():
        return None
    scheme, _, rest = login_hint.partition(":")
    user_id = rest if scheme.lower() == "mxid" else login_hint
    is_id = _MATRIX_ID.fullmatch(user_id) is not None
    return user_id if is_id and user_id.partition(":")[2] != server_name else None


def hinted(login_hint: str | None, *, server_name: str) -> str:
    """Return what to fill in for a `login_hint`; whether there is such an account is not looked up."""
    found = meant(login_hint, server_name=server_name)
    if found is None:
        return ""
    if found.user_id is not None:
        return found.user_id[1:].removesuffix(f":{server_name}")
    return found.email or ""

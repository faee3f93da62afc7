"""What is worth writing down for the account's owner and the operator."""

import enum
import json
from ipaddress import ip_address, ip_network

import attrs

from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import digest


class EventKind(str, enum.Enum):
    """The kinds of events; the value is what the database keeps."""

    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    CONSENTED = "consented"
    SESSION_BEGUN = "session_begun"
    SESSION_ENDED = "session_ended"
    REFRESHED_ELSEWHERE = "refreshed_elsewhere"
    ADMIN_GRANTED = "admin_granted"
    ADMIN_USED = "admin_used"
    REVOKED_BY_ANOTHER = "revoked_by_another"
    REFRESH_REUSED = "refresh_token_reused"
    CODE_REUSED = "code_reused"
    OPERATION_APPROVED = "operation_approved"
    LEGACY_LOGIN_ALLOWED = "legacy_login_allowed"
    PASSWORD_LINK_MADE = "password_link_made"  # noqa: S105 - a kind of event
    PASSWORD_SET = "password_set"  # noqa: S105 - a kind of event
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a kind of event
    PASSWORD_REMOVED = "password_removed"  # noqa: S105 - a kind of event
    ADDRESS_ADDED = "address_added"
    ADDRESS_REMOVED = "address_removed"
    PHONE_ADDED = "phone_added"
    PHONE_REMOVED = "phone_removed"
    PROVIDER_CONNECTED = "provider_connected"
    PROVIDER_DISCONNECTED = "provider_disconnected"
    FACTOR_SKIPPED = "factor_skipped"
    FACTORS_RESET = "factors_reset"
    FACTORS_LOST = "factors_lost"
    FACTOR_REMOVAL_ASKED = "factor_removal_asked"
    FACTOR_REMOVAL_CANCELLED = "factor_removal_cancelled"
    PASSKEY_COPIED = "passkey_copied"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    FACTOR_REFUSED = "factor_refused"
    FACTOR_GUESSED = "factor_guessed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    LEGACY_SESSION_BEGUN = "legacy_session_begun"
    ALL_SIGNED_OUT = "all_signed_out"
    APP_REVOKED = "app_revoked"
    OPERATION_REFUSED = "operation_refused"
    DATA_DOWNLOADED = "data_downloaded"
    ACCOUNT_DEACTIVATED = "account_deactivated"
    PERSONAL_TOKEN_MADE = "personal_token_made"  # noqa: S105 - a kind of event
    PERSONAL_TOKEN_ENDING = "personal_token_ending"  # noqa: S105 - a kind of event
    PERSONAL_TOKEN_ENDED = "personal_token_ended"  # noqa: S105 - a kind of event
    INVITATION_MADE = "invitation_made"
    INVITATION_ENDED = "invitation_ended"
    ADMIN_CHANGED = "admin_changed"
    KEY_ROTATED = "key_rotated"
    GIVEN_UP = "given_up"


# A phone goes back and forth between networks all day long: from each, one a month is enough.
_MONTH = 30 * 24 * 3600
_NETWORK_BITS = {4: 24, 6: 48}


@frozen
class Event:
    """One row of events; `address` is the network address of whoever did it.

    The id of most is drawn when they are written: the same thing twice is two events. One that has an
    `event_id` before is written once, however often it is told.
    """

    kind: EventKind = attrs.field(converter=EventKind)
    happened_at: int
    user_id: str | None = None
    client_id: str | None = None
    session_id: str | None = None
    address: str | None = None
    detail: str | None = None
    event_id: str | None = None

    @classmethod
    def of(
        cls,
        session: Session,
        kind: EventKind,
        now: int,
        *,
        address: str | None = None,
        detail: str | None = None,
    ) -> "Event":
        """Make an event of a session."""
        client_id = None if session.is_personal else session.client_id
        return cls(kind, now, session.user_id, client_id, session.session_id, address, detail)

    @classmethod
    def refreshed_elsewhere(cls, session: Session, now: int, *, address: str) -> "Event":
        """Make the event of a session that refreshes from here: one a month for each network."""
        event = cls.of(session, EventKind.REFRESHED_ELSEWHERE, now, address=address)
        roughly = attrs.evolve(event, happened_at=now // _MONTH, address=_network(address))
        return attrs.evolve(event, event_id=digest(roughly.said))

    @property
    def said(self) -> str:
        """All that it says, but for its id; no field runs into the next."""
        return json.dumps(attrs.astuple(self)[:-1])


def in_order(drawn: str, *, at: int, place: int = 0) -> str:
    """Return the id of an event that a list has in its place among those of the same second.

    `at` is in milliseconds, `place` is its place in a transaction.
    """
    return f"{at:012x}{place:04x}{drawn}"


def _network(address: str) -> str:
    """Return the network that an address belongs to, roughly as providers hand them out."""
    try:
        bits = _NETWORK_BITS[ip_address(address).version]
    except ValueError:
        return address
    return str(ip_network((address, bits), strict=False))

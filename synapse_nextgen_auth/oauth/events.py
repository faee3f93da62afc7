"""What is worth writing down for the account's owner and the operator."""

import enum
import json

import attrs

from synapse_nextgen_auth.secret import digest


class Happened(str, enum.Enum):
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
    KEY_ROTATED = "key_rotated"


# Of these one a day is enough, each time it would say the same: a phone goes back and forth between
# two networks all day long.
_ONCE_A_DAY = frozenset({Happened.REFRESHED_ELSEWHERE})
_DAY = 24 * 3600


@attrs.frozen
class Event:
    """One row of events; `address` is the network address of whoever did it."""

    kind: Happened
    happened_at: int
    user_id: str | None = None
    client_id: str | None = None
    session_id: str | None = None
    address: str | None = None
    detail: str | None = None

    @property
    def event_id(self) -> str:
        """Name the event by what it says, so that a retried transaction repeats it and adds none."""
        when = self.happened_at // _DAY if self.kind in _ONCE_A_DAY else self.happened_at
        return digest(json.dumps(attrs.astuple(attrs.evolve(self, happened_at=when))))

"""What is worth writing down for the account's owner and the operator."""

import enum
import json
from ipaddress import ip_address, ip_network

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


# A phone goes back and forth between networks all day long: from each, one a month is enough.
_MONTH = 30 * 24 * 3600
_NETWORK_BITS = {4: 24, 6: 48}


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
        said = self if self.kind is not Happened.REFRESHED_ELSEWHERE else self._roughly()
        return digest(json.dumps(attrs.astuple(said)))

    def _roughly(self) -> "Event":
        """Return the month and the network instead of the second and the address."""
        network = _network(self.address) if self.address else None
        return attrs.evolve(self, happened_at=self.happened_at // _MONTH, address=network)


def _network(address: str) -> str:
    """Return the network that an address belongs to, roughly as providers hand them out."""
    try:
        bits = _NETWORK_BITS[ip_address(address).version]
    except ValueError:
        return address
    return str(ip_network((address, bits), strict=False))

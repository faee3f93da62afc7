"""An approval: a person lets one session do one dangerous thing, once, within minutes (MSC4312)."""

import enum

import attrs

from synapse_nextgen_auth.clock import is_recent

WINDOW = 600  # seconds


class Operation(str, enum.Enum):
    """What may be approved; the value is what the database keeps and the spec calls it."""

    CROSS_SIGNING_RESET = "org.matrix.cross_signing_reset"


@attrs.frozen
class Approval:
    """One row of approvals, bound to the account *and* the session that asked (C299)."""

    approval_id: str
    user_id: str
    session_id: str
    operation: Operation = attrs.field(converter=Operation)
    requested_at: int
    approved_at: int | None = None
    used_at: int | None = None

    def is_open(self, now: int) -> bool:
        """Say whether the person may still decide."""
        return (
            self.approved_at is None
            and self.used_at is None
            and is_recent(self.requested_at, now, within=WINDOW)
        )

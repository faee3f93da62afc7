"""Where a person goes on after an attempt: something of ours by its id, never an address (C194)."""

import enum

from synapse_nextgen_auth.records import frozen


class Kind(str, enum.Enum):
    """What the person was about to do; the value is what the database keeps."""

    GRANT = "grant"  # let a client in
    DEVICE = "device"  # let a device in whose code they entered
    APPROVAL = "approval"  # let a session do one dangerous thing
    ACCOUNT = "account"  # look at their account; the id says at what of it
    LEGACY = "legacy"  # let a client in that knows only `m.login.sso`
    HOME = "home"


@frozen
class Onward:
    """What the person was about to do, and the id that it has."""

    kind: Kind = Kind.HOME
    id: str | None = None

    @property
    def grant_id(self) -> str | None:
        """The grant, where it is one."""
        return self.id if self.kind is Kind.GRANT else None

"""What the security events of an account look like."""

from typing import ClassVar

from synapse_nextgen_auth.oauth.events import EventKind
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.account.frame import ConsolePage
from synapse_nextgen_auth.web.pages.content import ClientCard

# What somebody may have to look at; all else is the account's everyday life.
_GRAVE = frozenset(
    {
        EventKind.REFRESH_REUSED,
        EventKind.CODE_REUSED,
        EventKind.SIGN_IN_FAILED,
        EventKind.FACTOR_REFUSED,
        EventKind.FACTOR_GUESSED,
        EventKind.FACTOR_REMOVAL_ASKED,
    }
)


@frozen
class EventLine:
    """One thing that happened; `at` is in seconds since the epoch.

    `client` is the application that it is about, `device` the id of a device; `address` is where it
    came from, `place` roughly where that is. `operation` is what was approved or refused.
    """

    kind: EventKind
    at: int
    client: ClientCard | None = None
    device: str | None = None
    address: str | None = None
    place: str | None = None
    operation: str | None = None

    @property
    def is_grave(self) -> bool:
        """Whether somebody else may have tried something."""
        return self.kind in _GRAVE


@frozen(kw_only=True)
class EventsPage(ConsolePage):
    """List what happened, the newest first. `older_url` leads on, `newest_url` back."""

    template: ClassVar[str] = "pages/account_events.html"

    events: tuple[EventLine, ...]
    older_url: str | None = None
    newest_url: str | None = None
    kept_days: int

"""What the pages say to whoever lost every second factor, and to whoever stops their removal."""

import enum
from typing import ClassVar

import attrs

from synapse_nextgen_auth.accounts.factors.lost import WhyNot
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent


class LostState(enum.Enum):
    """How far it is with the removal of the factors of an account."""

    OFFERED = "offered"  # it may be asked for
    WAITING = "waiting"
    READY = "ready"
    RESTING = "resting"  # it was stopped, and nobody asks again for a while


class StopState(enum.Enum):
    """What became of what the link in a notice is about."""

    WAITING = "waiting"
    STOPPED = "stopped"
    USED = "used"
    OVER = "over"  # or there never was such a thing


@frozen(kw_only=True)
class LostPage(PageContent):
    """Say what helps whoever lost every factor, and ask whether they are to be removed.

    Times in seconds since the epoch, the URLs are relative. `days` is the waiting time, `why_not` says
    why this account is not helped so. `until` is when it is over, or no longer in anybody's way.
    `has_codes`: recovery codes of the account are left.
    """

    template: ClassVar[str] = "pages/factor_lost.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    action: str
    server_name: str
    user_id: str
    state: LostState
    days: int
    why_not: WhyNot | None = None
    asked_at: int | None = None
    ready_at: int | None = None
    until: int | None = None
    has_codes: bool = False
    is_late: bool = False
    back_url: str
    restart_url: str
    client: ClientCard | None = None


@frozen(kw_only=True)
class StopPage(PageContent):
    """Ask whoever opened the link in a notice whether to stop it, or say what became of it."""

    template: ClassVar[str] = "pages/factor_lost_cancel.html"
    of_the_visit: ClassVar[tuple[str, ...]] = ("csrf",)

    csrf: str
    server_name: str
    state: StopState
    user_id: str = ""
    asked_at: int | None = None
    ready_at: int | None = None
    address: str | None = attrs.field(default=None, repr=False)
    password_url: str | None = "account-password"  # noqa: S105 - a page
    home_url: str = "./"

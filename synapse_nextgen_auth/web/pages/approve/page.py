"""What the pages about one dangerous operation say."""

from typing import ClassVar

from synapse_nextgen_auth.accounts.approvals import Operation
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent


@frozen
class AskedDevice:
    """A device that is to be signed out; `asks` if it is the one that wants it."""

    name: str
    device_id: str
    client: ClientCard | None = None
    last_seen: int | None = None
    asks: bool = False


@frozen
class ApprovePage(PageContent):
    """Ask whether a dangerous `operation` may go on.

    `client` and `device_name` (or id) say who asks, `address` from where, `place` roughly where that
    is; after `expires_at` nobody may decide any more. The rest is what it would do: to which `devices`,
    of which some are `gone` meanwhile, with which `added` address of which `medium`. The URLs are
    relative.
    """

    template: ClassVar[str] = "pages/approve.html"

    csrf: str
    action: str
    server_name: str
    user_id: str
    operation: Operation
    accounts_url: str
    asked_at: int
    expires_at: int
    address: str | None = None
    place: str | None = None
    client: ClientCard | None = None
    device_name: str | None = None
    devices: tuple[AskedDevice, ...] = ()
    gone: tuple[str, ...] = ()
    medium: str | None = None
    added: str | None = None
    erase: bool = False
    logout_devices: bool = False


@frozen
class ApprovedPage(PageContent):
    """Say that the operation is allowed, though not done: the application has `minutes` for it."""

    template: ClassVar[str] = "pages/approved.html"

    operation: Operation
    server_name: str
    minutes: int


@frozen
class NotApprovedPage(PageContent):
    """Say that nothing was changed, and where to look if somebody else asked for it."""

    template: ClassVar[str] = "pages/not_approved.html"

    server_name: str
    account_url: str

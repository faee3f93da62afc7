"""What the pages of a device grant say: the code, the question, the end (RFC 8628)."""

from enum import Enum
from typing import ClassVar

from synapse_nextgen_auth.accounts.user_agents import Program
from synapse_nextgen_auth.oauth.scopes.permissions import Permission
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import PageContent, RoomLine, ServiceLine


class LinkError(Enum):
    """Why a user code was not taken."""

    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    TOO_MANY_TRIES = "too_many_tries"


@frozen
class LinkPage(PageContent):
    """Ask for the code that a device shows; `retry_after` is in seconds."""

    template: ClassVar[str] = "pages/link.html"

    csrf: str
    action: str
    server_name: str
    user_code: str
    error: LinkError | None = None
    retry_after: int | None = None


@frozen
class DeviceGrantPage(PageContent):
    """Ask whether a device that shows `user_code` may use the account.

    `asked_at` is in seconds since the epoch, `asked_minutes` how long ago that is, `asked_from` a
    network address, `rooms` those that it is for by id and name, where it is for some alone,
    `services` those of others, `asked_by` what the device says of itself. `client_name` is what the
    application calls itself: no redirect proves a host, so none is shown (C149). `any_account` is false
    where the device asks for this one. `is_another` says that the form came from a page that named
    somebody else.
    """

    template: ClassVar[str] = "pages/device_grant.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    action: str
    server_name: str
    user_id: str
    permissions: tuple[Permission, ...]
    user_code: str
    asked_at: int
    asked_minutes: int
    asked_from: str | None = None
    asked_by: Program | None = None
    rooms: tuple[RoomLine, ...] = ()
    services: tuple[ServiceLine, ...] = ()
    client_name: str | None = None
    display_name: str | None = None
    device_id: str | None = None
    missing_confirmation: bool = False
    any_account: bool = True
    is_another: bool = False


@frozen
class DeviceDonePage(PageContent):
    """Say that the device was let in or turned away."""

    template: ClassVar[str] = "pages/device_done.html"

    server_name: str
    approved: bool
    client_name: str | None = None

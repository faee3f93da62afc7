"""What the pages about the applications of an account say."""

from typing import ClassVar

from synapse_nextgen_auth.oauth.scopes.permissions import Permission
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.account.frame import ConsolePage
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent, RoomLine, ServiceLine


@frozen
class AppLine:
    """An application that may do something with the account. The URL is relative.

    `agreed_at` is when its owner last let it in, in seconds since the epoch, absent where that is
    forgotten; `sessions` is in how many places it is signed in now. `rooms` are those
    that it is for, where it is for some alone, each by its id, with its name; `services` are those of
    others.
    """

    client: ClientCard
    url: str
    sessions: int
    permissions: tuple[Permission, ...] = ()
    agreed_at: int | None = None
    last_used: int | None = None
    rooms: tuple[RoomLine, ...] = ()
    services: tuple[ServiceLine, ...] = ()

    @property
    def is_grave(self) -> bool:
        """Whether it has power over the server."""
        return any(permission.grave for permission in self.permissions)


@frozen(kw_only=True)
class AppsPage(ConsolePage):
    """List what may use an account; `is_missing` says that the one of the link is not among it."""

    template: ClassVar[str] = "pages/account_apps.html"

    apps: tuple[AppLine, ...]
    is_missing: bool = False


@frozen(kw_only=True)
class AppPage(ConsolePage):
    """Show one application. The URLs are relative."""

    template: ClassVar[str] = "pages/account_app.html"

    app: AppLine
    end_url: str
    devices_url: str


@frozen(kw_only=True)
class EndAppPage(PageContent):
    """Ask whether to take from an application what it may do. The URLs are relative."""

    template: ClassVar[str] = "pages/account_app_end.html"

    csrf: str
    action: str
    server_name: str
    user_id: str
    app: AppLine
    apps_url: str
    accounts_url: str

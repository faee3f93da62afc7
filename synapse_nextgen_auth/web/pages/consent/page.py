"""What the consent page says."""

from typing import ClassVar

from synapse_nextgen_auth.oauth.scopes.permissions import Permission
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent, RoomLine, ServiceLine


@frozen
class ConsentPage(PageContent):
    """Ask whether the application may use the account.

    `user_id` is the whole Matrix ID. `replaces` is the name (or id) of a signed-in device that
    this one takes the place of. `redirect_host` is where the answer goes: a host, or the scheme
    of an app. `rooms` are those that it is for, where it is for some alone, each by its id, with its
    name; `services` are those of others that it is for. `action` is a relative URL. `any_account` is
    false where the application asks for this one. `is_another` says that the form came from a page that
    named somebody else.
    """

    template: ClassVar[str] = "pages/consent.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    action: str
    server_name: str
    client: ClientCard
    user_id: str
    permissions: tuple[Permission, ...]
    redirect_host: str
    display_name: str | None = None
    device_id: str | None = None
    replaces: str | None = None
    rooms: tuple[RoomLine, ...] = ()
    services: tuple[ServiceLine, ...] = ()
    any_account: bool = True
    is_another: bool = False

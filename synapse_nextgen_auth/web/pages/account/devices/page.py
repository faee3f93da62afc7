"""What the pages about devices and sessions say: where an account is signed in."""

from typing import ClassVar

from synapse_nextgen_auth.accounts.management import Place
from synapse_nextgen_auth.accounts.signed_in import How, Kind, Part, Several
from synapse_nextgen_auth.accounts.user_agents import Program
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.account.frame import ConsolePage
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent, RoomLine, ServiceLine


@frozen(kw_only=True)
class Line:
    """A device, website or browser of an account, as its owner sees it.

    `client` is the application that speaks for it, absent when it signed in the legacy way. `program`
    is what a browser or a legacy application says of itself. Times are in seconds since the epoch.
    `url` is relative and leads to its own page. `unused` are the days since somebody used it, if many.
    `town` is roughly where `address` is.
    """

    kind: Kind
    url: str
    device_id: str | None = None
    name: str | None = None
    client: ClientCard | None = None
    program: Program | None = None
    how: How | None = None
    began: int | None = None
    last_seen: int | None = None
    address: str | None = None
    town: str | None = None
    is_verified: bool | None = None
    unused: int | None = None
    is_here: bool = False

    @property
    def needs_a_look(self) -> bool:
        """Whether it stands before the others."""
        return self.is_verified is False or self.unused is not None


@frozen(kw_only=True)
class DevicesPage(ConsolePage):
    """List where an account is signed in; the URLs are relative.

    `looked_at` are those that need a look, `others` the rest of this page of the list. `part` says
    which page it is; `search` is what the list was searched for, if it can be. `unverified` and `rest`
    say how many devices are not verified, and how much there is but for this browser. `is_missing` says
    that what the link was about is not among them.
    """

    template: ClassVar[str] = "pages/account_devices.html"

    looked_at: tuple[Line, ...]
    others: tuple[Line, ...]
    part: Part
    devices_url: str
    previous_url: str | None = None
    next_url: str | None = None
    search: str | None = None
    can_search: bool = False
    unverified: int = 0
    unverified_url: str
    rest: int = 0
    rest_url: str
    is_missing: bool = False


@frozen(kw_only=True)
class DevicePage(ConsolePage):
    """Show one device, website or browser. The URLs are relative.

    `rooms` are those that it is for, by id and name, where it is for some alone, `services` those of
    others. `tokens_url` leads to the personal tokens. `longest` says how long a name may be;
    `is_too_long` that the one that was typed is longer.
    """

    template: ClassVar[str] = "pages/account_device.html"

    action: str
    line: Line
    permissions: tuple[str, ...] = ()
    rooms: tuple[RoomLine, ...] = ()
    services: tuple[ServiceLine, ...] = ()
    end_url: str
    tokens_url: str = Place.TOKENS.value
    typed_name: str = ""
    longest: int = 100
    is_too_long: bool = False


@frozen(kw_only=True)
class EndDevicePage(PageContent):
    """Ask whether to sign a device, website or browser out. The URLs are relative."""

    template: ClassVar[str] = "pages/account_device_end.html"

    csrf: str
    action: str
    server_name: str
    user_id: str
    line: Line
    devices_url: str
    accounts_url: str


@frozen(kw_only=True)
class EndSeveralPage(PageContent):
    """Name everything that would be signed out at once, and ask. The URLs are relative.

    `shown` is what the form sends back of it: what came since is not signed out.
    """

    template: ClassVar[str] = "pages/account_devices_end.html"

    csrf: str
    action: str
    server_name: str
    user_id: str
    several: Several
    lines: tuple[Line, ...]
    shown: str
    devices_url: str
    accounts_url: str

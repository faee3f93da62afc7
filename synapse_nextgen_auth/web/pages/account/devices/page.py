"""What the account pages say: where an account is signed in."""

from typing import ClassVar

import attrs

from synapse_nextgen_auth.web.pages.account.frame import ConsolePage
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent


@attrs.frozen
class DeviceLine:
    """A device of an account, as its owner sees it.

    `client` is the application that speaks for it, absent when it signed in the legacy way.
    `last_seen` is in seconds since the epoch. `url` is relative and leads to its own page.
    """

    device_id: str
    name: str
    url: str
    client: ClientCard | None = None
    last_seen: int | None = None
    address: str | None = None


@attrs.frozen
class SessionLine:
    """A website or service that an account is signed in to, without a device, as its owner sees it.

    `began` and `last_used` are in seconds since the epoch. `url` is relative and leads to its own page.
    """

    client: ClientCard
    url: str
    began: int
    last_used: int
    address: str | None = None


@attrs.frozen(kw_only=True)
class DevicesPage(ConsolePage):
    """List where an account is signed in.

    `more_sessions` says that there are more sessions without a device than the page lists,
    `is_missing` that what the link was about is not among them.
    """

    template: ClassVar[str] = "pages/account_devices.html"

    devices: tuple[DeviceLine, ...]
    sessions: tuple[SessionLine, ...] = ()
    more_sessions: bool = False
    is_missing: bool = False


@attrs.frozen(kw_only=True)
class DevicePage(ConsolePage):
    """Show one device. The URLs are relative."""

    template: ClassVar[str] = "pages/account_device.html"

    device: DeviceLine
    end_url: str


@attrs.frozen(kw_only=True)
class EndDevicePage(PageContent):
    """Ask whether to sign a device out. The URLs are relative."""

    template: ClassVar[str] = "pages/account_device_end.html"

    csrf: str
    action: str
    server_name: str
    user_id: str
    device: DeviceLine
    devices_url: str
    accounts_url: str


@attrs.frozen(kw_only=True)
class EndSessionPage(PageContent):
    """Show a session without a device, and ask whether to end it. The URLs are relative."""

    template: ClassVar[str] = "pages/account_session_end.html"

    csrf: str
    action: str
    server_name: str
    user_id: str
    session: SessionLine
    devices_url: str
    accounts_url: str

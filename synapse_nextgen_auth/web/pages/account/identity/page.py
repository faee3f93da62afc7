"""What the pages say on which somebody begins the reset of their cryptographic identity."""

from typing import ClassVar

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.account.devices.page import Line
from synapse_nextgen_auth.web.pages.content import PageContent


@frozen(kw_only=True)
class ResetPage(PageContent):
    """Ask which device is to reset the identity, or, once one is `chosen`, whether it may.

    The URLs are relative. `has_legacy` says that there are devices that signed in the old way, for
    which nothing can be allowed here. `is_missing` says that what the link was about is not among
    them. `minutes` is how long the application then has.
    """

    template: ClassVar[str] = "pages/account_identity_reset.html"

    csrf: str
    server_name: str
    user_id: str
    accounts_url: str
    action: str
    back_url: str
    minutes: int
    choices: tuple[Line, ...] = ()
    chosen: Line | None = None
    choose_url: str | None = None
    has_legacy: bool = False
    is_missing: bool = False
    is_other_account: bool = False


@frozen(kw_only=True)
class ResetAllowedPage(PageContent):
    """Say what to do on the device that may reset the identity now, within `minutes`."""

    template: ClassVar[str] = "pages/account_identity_allowed.html"

    server_name: str
    line: Line
    minutes: int

"""What the pages say on which somebody closes their account."""

from typing import ClassVar

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import PageContent


@frozen(kw_only=True)
class DeactivatePage(PageContent):
    """Ask whether the account is to be closed for good. The URLs are relative.

    `is_forbidden` is whether a module does not let it be closed, `needs_tick` whether somebody pressed
    without saying that they know what it means.
    """

    template: ClassVar[str] = "pages/account_deactivate.html"

    csrf: str
    server_name: str
    user_id: str
    accounts_url: str
    action: str
    back_url: str
    is_forbidden: bool = False
    needs_tick: bool = False
    erase: bool = False
    is_other_account: bool = False


@frozen(kw_only=True)
class DeactivatedPage(PageContent):
    """Say that the account is closed; `is_unbound` is whether every identity server forgot it."""

    template: ClassVar[str] = "pages/account_deactivated.html"

    server_name: str
    user_id: str
    is_erased: bool
    is_unbound: bool

"""What the page says on which an address of an account is removed.

One is added on the pages of a sign-up that ask for an address and its code (`mailbox/page.py`).
"""

from typing import ClassVar

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import PageContent


@frozen(kw_only=True)
class RemoveAddressPage(PageContent):
    """Ask whether an address or number is to go; the URLs are relative.

    `may_go` says that something else lets the person in. `is_last_for_recovery` that nobody who forgot
    the password gets a link any more. `is_factor` that codes go there which are a second factor, and
    `is_last_factor` that it stays because the account must have one.
    """

    template: ClassVar[str] = "pages/account_address_remove.html"

    csrf: str
    server_name: str
    user_id: str
    accounts_url: str
    action: str
    back_url: str
    address: str
    may_go: bool = True
    is_last_for_recovery: bool = False
    is_factor: bool = False
    is_last_factor: bool = False

"""What the page about the data of an account says."""

from typing import ClassVar

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.account.frame import ConsolePage


@frozen(kw_only=True)
class DataPage(ConsolePage):
    """Offer what is kept about the account, and the way to its end. The URLs are relative."""

    template: ClassVar[str] = "pages/account_data.html"

    action: str
    deactivate_url: str

"""What the overview says."""

from typing import ClassVar

import attrs

from synapse_nextgen_auth.web.pages.account.frame import ConsolePage


@attrs.frozen(kw_only=True)
class OverviewPage(ConsolePage):
    """Lead to everything that one looks after. The URLs are relative.

    `others` are further accounts that are signed in in this browser.
    """

    template: ClassVar[str] = "pages/account.html"

    sign_out_url: str
    display_name: str | None = None
    others: tuple[str, ...] = ()

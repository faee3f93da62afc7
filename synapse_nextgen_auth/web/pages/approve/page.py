"""What the pages about one dangerous operation say."""

from typing import ClassVar

import attrs

from synapse_nextgen_auth.accounts.approvals import Operation
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent


@attrs.frozen
class ApprovePage(PageContent):
    """Ask whether a dangerous `operation` may go on.

    `client` and `device_name` (or id) say who asks. The URLs are relative.
    """

    template: ClassVar[str] = "pages/approve.html"

    csrf: str
    action: str
    server_name: str
    user_id: str
    operation: Operation
    accounts_url: str
    client: ClientCard | None = None
    device_name: str | None = None


@attrs.frozen
class ApprovedPage(PageContent):
    """Say that the operation is allowed, though not done: the application has `minutes` for it."""

    template: ClassVar[str] = "pages/approved.html"

    operation: Operation
    server_name: str
    minutes: int

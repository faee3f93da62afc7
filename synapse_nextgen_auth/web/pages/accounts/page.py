"""What the page says on which a person chooses an account."""

from typing import ClassVar

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent


@frozen
class AccountLine:
    """An account that is signed in in this browser.

    `is_asked_for` says that the application asks for it, `is_barred` that it cannot be used now.
    """

    user_id: str
    display_name: str | None = None
    is_present: bool = False
    is_asked_for: bool = False
    is_barred: bool = False


@frozen
class AccountsPage(PageContent):
    """Ask which account goes on; `action` is a relative URL.

    `client` is the application that waits for the choice. `asked_for` is whom it asks for, a Matrix ID
    or an e-mail address, and `is_only` says that it takes nobody else. `present` is who is signed in
    and is somebody else. Whoever is asked for and not signed in stands in no line of `accounts`.
    """

    template: ClassVar[str] = "pages/accounts.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    action: str
    server_name: str
    accounts: tuple[AccountLine, ...]
    client: ClientCard | None = None
    present: str | None = None
    asked_for: str | None = None
    is_only: bool = False
    can_cancel: bool = False

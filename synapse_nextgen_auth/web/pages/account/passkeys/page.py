"""What the pages say on which an account gets passkeys, and loses them."""

from enum import Enum
from typing import ClassVar

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.account.frame import ConsolePage
from synapse_nextgen_auth.web.pages.content import PageContent


class PasskeyError(Enum):
    """Why a new passkey was not taken."""

    TOO_LONG = "too_long"  # its name
    LATE = "late"
    WRONG = "wrong"
    KEY = "key"  # it can never prove anything
    TAKEN = "taken"
    TOO_MANY = "too_many"


class Stays(Enum):
    """Why a passkey stays."""

    LAST_WAY_IN = "last_way_in"
    MAILBOX = "mailbox"
    DEMANDED = "demanded"


@frozen
class PasskeyCard:
    """A passkey, as pages show it; times in seconds, the URL is relative.

    `opens` says that it lets its owner in alone; `is_lost` that it was made for another address of this
    server, at which alone browsers use it.
    """

    name: str
    url: str
    made_at: int
    last_used_at: int | None = None
    may_sync: bool = False
    is_synced: bool = False
    opens: bool = True
    is_lost: bool = False


@frozen(kw_only=True)
class AddPasskeyPage(PageContent):
    """Let the browser make a passkey. `question` is what it is asked (JSON), `handle` goes with it.

    `error` is why the last one was not taken. The URLs are relative.
    """

    template: ClassVar[str] = "pages/account_passkey_add.html"

    csrf: str
    server_name: str
    user_id: str
    accounts_url: str
    action: str
    back_url: str
    question: str
    handle: str
    name: str
    longest: int
    error: PasskeyError | None = None


@frozen(kw_only=True)
class PasskeyPage(ConsolePage):
    """Show one passkey, and let its owner call it something else. The URLs are relative."""

    template: ClassVar[str] = "pages/account_passkey.html"

    action: str
    passkey: PasskeyCard
    remove_url: str
    back_url: str
    typed_name: str
    longest: int
    is_too_long: bool = False


@frozen(kw_only=True)
class RemovePasskeyPage(PageContent):
    """Ask whether a passkey is to open the account no more; `why_not` says why it stays."""

    template: ClassVar[str] = "pages/account_passkey_remove.html"

    csrf: str
    server_name: str
    user_id: str
    accounts_url: str
    action: str
    back_url: str
    passkey: PasskeyCard
    why_not: Stays | None = None

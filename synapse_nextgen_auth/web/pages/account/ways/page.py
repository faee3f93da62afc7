"""What the pages say about how an account is signed in to."""

from typing import ClassVar

from synapse_nextgen_auth.accounts.new_passwords import Judgement, PasswordPolicy
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.account.frame import ConsolePage
from synapse_nextgen_auth.web.pages.account.passkeys.page import PasskeyCard
from synapse_nextgen_auth.web.pages.content import PageContent, ProviderCard


@frozen
class Connected:
    """Somebody at a provider who is let in to the account; the URL is relative.

    `known_as` is what the provider calls them: without a name it is a row of letters.
    """

    provider: ProviderCard
    known_as: str
    url: str
    is_configured: bool = True


@frozen
class Connectable:
    """A provider that may be connected; the URL is relative."""

    provider: ProviderCard
    url: str


@frozen(kw_only=True)
class WaysPage(ConsolePage):
    """Show how an account is signed in to, and lead to what can be changed. The URLs are relative.

    `factors_url` is there where people have second factors here, `factors` says how many this one has.
    `connectable` are the providers that may be connected. `passkeys` are those of the account, and
    `add_passkey_url` is there where it may have some. `may_remove_password` says that something
    else lets the person in.
    """

    template: ClassVar[str] = "pages/account_ways.html"

    has_password: bool
    passwords_are_on: bool
    may_remove_password: bool
    password_url: str
    remove_password_url: str
    connected: tuple[Connected, ...] = ()
    connectable: tuple[Connectable, ...] = ()
    codes_open_it: bool = False
    code_addresses: tuple[str, ...] = ()
    reset_url: str | None = None
    passkeys: tuple[PasskeyCard, ...] = ()
    add_passkey_url: str | None = None
    factors_url: str | None = None
    factors: int = 0


@frozen(kw_only=True)
class OwnPasswordPage(PageContent):
    """Ask whoever is signed in for a new password. `retry_after` is in seconds.

    `is_possible` is whether accounts have passwords here that can be changed.
    """

    template: ClassVar[str] = "pages/account_password.html"

    csrf: str
    server_name: str
    user_id: str
    accounts_url: str
    action: str
    back_url: str
    localpart: str
    policy: PasswordPolicy
    has_password: bool
    is_possible: bool = True
    signs_out: bool = True
    judgement: Judgement | None = None
    retry_after: int | None = None
    is_other_account: bool = False


@frozen(kw_only=True)
class RemovePasswordPage(PageContent):
    """Ask whether an account is to have no password any more; `may_go` if something else lets in."""

    template: ClassVar[str] = "pages/account_password_remove.html"

    csrf: str
    server_name: str
    user_id: str
    accounts_url: str
    action: str
    back_url: str
    may_go: bool


@frozen(kw_only=True)
class ConnectPage(PageContent):
    """Ask whether a provider is to let the person in from now on."""

    template: ClassVar[str] = "pages/account_connect.html"

    csrf: str
    server_name: str
    user_id: str
    accounts_url: str
    action: str
    back_url: str
    provider: ProviderCard


@frozen(kw_only=True)
class DisconnectPage(PageContent):
    """Ask whether somebody at a provider is to be let in no more; `may_go` if something else is left."""

    template: ClassVar[str] = "pages/account_disconnect.html"

    csrf: str
    server_name: str
    user_id: str
    accounts_url: str
    action: str
    back_url: str
    connected: Connected
    may_go: bool


@frozen(kw_only=True)
class TakenPage(PageContent):
    """Say that whoever signed in at a provider has another account here, and not whose that is."""

    template: ClassVar[str] = "pages/account_provider_taken.html"

    server_name: str
    user_id: str
    provider: ProviderCard
    back_url: str

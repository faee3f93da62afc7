"""What the pages say on which people look after their second factors."""

from typing import ClassVar

import attrs

from synapse_nextgen_auth.accounts.user_agents import Program
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.account.frame import ConsolePage
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.factor.page import (
    AppProblem,
    MailChoice,
    MailShown,
    SecretShown,
)


@frozen(kw_only=True)
class AppLine:
    """An authenticator app in a list; times in seconds since the epoch, the URLs are relative."""

    name: str
    made_at: int
    used_at: int | None = None
    is_readable: bool = True
    url: str
    remove_url: str


@frozen(kw_only=True)
class BrowserLine:
    """A browser that is not asked for a second factor, until a time; `id` is what its button sends."""

    id: str
    made_at: int
    expires_at: int
    agent: Program | None = None


@frozen(kw_only=True)
class MailLine:
    """The address that codes go to; times in seconds since the epoch."""

    address: str
    made_at: int
    used_at: int | None = None


@frozen(kw_only=True)
class LostFactorsPage(ConsolePage):
    """Ask whether to stop that the factors are removed as lost. The URLs are relative.

    `asked_at` (seconds since the epoch) is missing where nothing waits.
    """

    template: ClassVar[str] = "pages/account_factor_lost.html"

    action: str
    asked_at: int | None = None
    ready_at: int | None = None
    address: str | None = attrs.field(default=None, repr=False)
    password_url: str | None = None
    back_url: str


@frozen(kw_only=True)
class FactorsPage(ConsolePage):
    """Show the second factors of an account, and its recovery codes. The URLs are relative.

    `browsers` are not asked for one at sign-in.

    `has_any` where it has one, whatever it is. `mail` is where codes go; `mail_url` is there where they
    go somewhere, or may. `is_demanded` says that this server wants it to.
    `may_add` is False where it is to have none but those that it has. `codes` are left, of `of_codes`.
    `has_passkeys` where they are on the page of ways to sign in.
    `closes_old` where the first one keeps applications out that ask for the password themselves.
    """

    template: ClassVar[str] = "pages/account_factors.html"

    closes_old: bool = False
    apps: tuple[AppLine, ...] = ()
    has_any: bool = False
    has_passkeys: bool = False
    codes: int = 0
    of_codes: int = 0
    few: int = 0
    is_demanded: bool = False
    may_add: bool = True
    browsers: tuple[BrowserLine, ...] = ()
    mail: MailLine | None = None
    mail_url: str | None = None
    add_url: str | None
    codes_url: str
    back_url: str


@frozen(kw_only=True)
class AddAppPage(PageContent):
    """Show the secret of an app to be, and ask for a code of it; before that, for a name."""

    template: ClassVar[str] = "pages/account_factor_add.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    server_name: str
    user_id: str
    accounts_url: str
    action: str
    back_url: str
    longest: int
    name: str = ""
    secret: SecretShown | None = attrs.field(default=None, repr=False)
    problem: AppProblem | None = None


@frozen(kw_only=True)
class AppPage(ConsolePage):
    """Show one app, and ask for another name."""

    template: ClassVar[str] = "pages/account_factor.html"

    app: AppLine
    action: str
    longest: int
    typed: str
    is_too_long: bool = False


@frozen(kw_only=True)
class RemoveAppPage(PageContent):
    """Ask whether an app is to go; `may_go` if the account may do without.

    `is_last` says that nothing asks for a second factor any more then, `leaves_mail` that it stays since
    only mails would open the account.
    """

    template: ClassVar[str] = "pages/account_factor_remove.html"

    csrf: str
    server_name: str
    user_id: str
    accounts_url: str
    action: str
    back_url: str
    name: str
    may_go: bool
    is_last: bool
    leaves_mail: bool = False


@frozen(kw_only=True)
class FactorMailPage(PageContent):
    """Turn codes by e-mail on and off. The URLs are relative, `retry_after` is in seconds.

    Codes go to `address`, and may go to those of `choices`; `mail` is there once one was sent. It is off
    again with one press where it `may_go`, and `is_last` if nothing else asks for a second factor then.
    """

    template: ClassVar[str] = "pages/account_factor_mail.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    server_name: str
    user_id: str
    accounts_url: str
    action: str
    back_url: str
    addresses_url: str
    address: str | None = None
    choices: tuple[MailChoice, ...] = ()
    mail: MailShown | None = None
    may_go: bool = True
    is_last: bool = False
    has_addresses: bool = True
    problem: AppProblem | None = None
    retry_after: int | None = None


@frozen(kw_only=True)
class RecoveryCodesPage(PageContent):
    """Ask whether to make new recovery codes. `made_at` is of those that there are."""

    template: ClassVar[str] = "pages/account_recovery_codes.html"

    csrf: str
    server_name: str
    user_id: str
    accounts_url: str
    action: str
    back_url: str
    left: int
    made_at: int | None = None

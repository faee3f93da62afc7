"""What the sign-in page says."""

from enum import Enum
from typing import ClassVar

from synapse_nextgen_auth.accounts.ways import Ways
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent, ProviderCard


class SignInError(Enum):
    """Why a sign-in did not work; an unknown account is a wrong password (C226)."""

    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a kind of error
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    PASSWORD_LOGIN_DISABLED = "password_login_disabled"  # noqa: S105 - a kind of error
    MISSING_FIELDS = "missing_fields"
    BUSY = "busy"
    OTHER_ACCOUNT = "other_account"
    TOO_LONG = "too_long"
    UNCHECKED = "unchecked"
    PASSKEY = "passkey"  # it proves nothing, or nobody knows it
    PASSKEY_LATE = "passkey_late"


@frozen
class SignInPage(PageContent):
    """Ask for the password, or for another proof.

    `action` is a relative URL. `ways` is what can be typed, in a form each; `failed` is the login type
    of the form that `error` is about. `identifier` is what the person typed, or a hint; the password is
    never kept. `retry_after` is in seconds. `is_token` says that a token was typed for the password.
    `client` is the application that sent the person here,
    `can_cancel` says that there is somebody to tell no,
    `asked_for` the Matrix ID of the one account that it asks for. `again` is the Matrix ID of whoever
    is signed in and proves once more that it is them; `other_account_url` is relative, for anybody else.
    `sign_up_url` leads to where somebody gets an account who has none, if `offers_sign_up`.
    `code_url` leads to where a code is sent to an address, if `offers_code`.
    `providers` come as the operator has them, `last_provider` is the id of the one that this browser
    used last. A button of one sends `decision=provider:<its id>`. `cannot_confirm` names those that are
    left out, because they cannot tell that somebody signs in anew, which is asked here. Where
    somebody `can_recover` who forgot their password, `recovery_url` is relative. `passkey` is what the
    browser asks its passkeys (JSON), if `offers_passkey`.
    """

    template: ClassVar[str] = "pages/sign_in.html"
    is_timed: ClassVar[bool] = True
    of_the_visit: ClassVar[tuple[str, ...]] = (
        *("csrf", "action"),
        *("sign_up_url", "recovery_url", "code_url", "passkey"),
    )

    csrf: str
    action: str
    identifier: str
    server_name: str
    ways: Ways
    client: ClientCard | None = None
    can_cancel: bool = False
    asked_for: str | None = None
    error: SignInError | None = None
    retry_after: int | None = None
    is_token: bool = False
    again: str | None = None
    other_account_url: str | None = None
    failed: str | None = None
    providers: tuple[ProviderCard, ...] = ()
    last_provider: str | None = None
    cannot_confirm: tuple[str, ...] = ()
    sign_up_url: str = "register"
    offers_sign_up: bool = False
    can_recover: bool = False
    recovery_url: str = ""
    code_url: str = "sign-in-email"
    offers_code: bool = False
    offers_passkey: bool = False
    passkey: str = ""

    @property
    def is_common(self) -> bool:
        """Whether nobody has typed anything yet, and nobody is known."""
        return not (self.identifier or self.error or self.again or self.asked_for)

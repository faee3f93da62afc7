"""What the pages of a sign-in say that ask for a second factor, or for one to be set up."""

import enum
from typing import ClassVar

import attrs

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent
from synapse_nextgen_auth.web.qr import Picture


class FactorWay(enum.Enum):
    """What proves a second factor; the value is what the address says."""

    APP = "app"
    RECOVERY_CODE = "recovery-code"
    EMAIL = "email"


class FactorProblem(enum.Enum):
    """What is wrong with a code."""

    MISSING = "missing"
    WRONG = "wrong"
    USED = "used"
    OVER = "over"  # in this attempt no more are looked at
    TOO_OFTEN = "too_often"
    PASSKEY = "passkey"
    PASSKEY_LATE = "passkey_late"
    MAIL_LATE = "mail_late"  # no code that was sent holds any more
    MAIL_TOO_OFTEN = "mail_too_often"  # so many are not sent


class FactorRefused(enum.Enum):
    """Why a second factor let nobody in, as the log and the metrics have it."""

    WRONG = "wrong_factor"
    USED = "used_factor"
    OVER = "factor_over"
    TOO_OFTEN = "factor_too_often"
    PASSKEY = "passkey_factor"
    LATE = "late_factor"


class AppProblem(enum.Enum):
    """Why an app was not set up."""

    MISSING = "missing"
    WRONG = "wrong"
    NAME = "name"  # it is too long
    OVER = "over"  # the secret waited too long for its code
    TOO_MANY = "too_many"
    PASSKEY = "passkey"  # what the browser made is none, or came too late
    PASSKEY_KEY = "passkey_key"  # the one that it made can never prove anything
    # Of codes by e-mail:
    MAIL_MISSING = "mail_missing"
    MAIL_WRONG = "mail_wrong"
    MAIL_LATE = "mail_late"
    MAIL_OVER = "mail_over"  # no more are looked at
    MAIL_TOO_OFTEN = "mail_too_often"  # so many are not sent
    MAIL_GONE = "mail_gone"  # the account has that address no more
    MAIL_LAST = "mail_last"  # the account must have a factor


@frozen
class OtherWay:
    """Something else that would do; the URL is relative."""

    way: FactorWay
    url: str


@frozen
class MailShown:
    """A code by e-mail: to which address, as much of that as is shown, and what became of it.

    `minutes` is for how long it is good, 0 if it is not any more; `wait` in how many seconds another may
    be sent. `is_refused` says that the mail server takes nothing for the address, `is_waiting` that it
    did not take it yet.
    """

    address: str
    is_sent: bool = False
    minutes: int = 0
    wait: int = 0
    is_refused: bool = False
    is_waiting: bool = False


@frozen
class MailChoice:
    """An address that codes may go to, and what a form calls it."""

    id: str
    address: str


@frozen(kw_only=True)
class FactorPage(PageContent):
    """Ask for a second factor. The URLs are relative, `retry_after` is in seconds.

    `way` is which code is asked for, `None` where the account has nothing that could be typed.
    `mail` is there where that is a code by e-mail.
    `passkey` is what the browser asks passkeys, where the account has any (JSON).
    `is_by_mail` says that it has codes by e-mail, which prove nothing to whom a mail let in.
    `is_unreadable` says that an app of the account cannot be read any more.
    `restart_url` begins the sign-in anew. For so many `remember_days` this browser may be spared the
    question, if its person wants that; 0: nobody is asked. `lost_url` helps whoever lost all of them,
    where anything does.
    """

    template: ClassVar[str] = "pages/factor.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    action: str
    server_name: str
    user_id: str
    way: FactorWay | None
    others: tuple[OtherWay, ...] = ()
    mail: MailShown | None = None
    is_by_mail: bool = False
    passkey: str = ""
    restart_url: str
    problem: FactorProblem | None = None
    retry_after: int | None = None
    is_unreadable: bool = False
    remember_days: int = 0
    can_cancel: bool = False
    client: ClientCard | None = None
    lost_url: str | None = None


@frozen
class SecretShown:
    """The secret of an app, as a camera and as a person read it, and as a link."""

    picture: Picture = attrs.field(repr=False)
    letters: str = attrs.field(repr=False)
    url: str = attrs.field(repr=False)


@frozen(kw_only=True)
class EnrolPage(PageContent):
    """Ask somebody to set up a second factor before they are signed in.

    `may_wait` says that they may do it later, until the day of `deadline` (seconds since the epoch),
    where that is known. `secret` is there once they began. `question` is what the browser is asked to
    make a passkey (JSON), with its `handle`, where people may have some. Codes may go to the addresses
    of `mails`; `mail` is there once one was sent.
    """

    template: ClassVar[str] = "pages/factor_enrol.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    action: str
    server_name: str
    user_id: str
    secret: SecretShown | None = attrs.field(default=None, repr=False)
    may_wait: bool = False
    deadline: int | None = None
    problem: AppProblem | None = None
    question: str = ""
    handle: str = ""
    mails: tuple[MailChoice, ...] = ()
    mail: MailShown | None = None
    retry_after: int | None = None
    can_cancel: bool = False
    client: ClientCard | None = None


@frozen(kw_only=True)
class CodesPage(PageContent):
    """Show recovery codes, this once. `sign_in_at` is an address that is printed with them.

    The form goes on, or back to the account.
    """

    template: ClassVar[str] = "pages/recovery_codes.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    server_name: str
    user_id: str
    codes: tuple[str, ...] = attrs.field(repr=False)
    made_at: int
    sign_in_at: str
    action: str
    with_app: bool = False
    with_factor: bool = False

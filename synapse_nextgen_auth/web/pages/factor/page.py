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


class FactorProblem(enum.Enum):
    """What is wrong with a code."""

    MISSING = "missing"
    WRONG = "wrong"
    USED = "used"
    OVER = "over"  # in this attempt no more are looked at
    TOO_OFTEN = "too_often"
    PASSKEY = "passkey"
    PASSKEY_LATE = "passkey_late"


class FactorRefused(enum.Enum):
    """Why a second factor let nobody in, as the log and the metrics have it."""

    WRONG = "wrong_factor"
    USED = "used_factor"
    OVER = "factor_over"
    TOO_OFTEN = "factor_too_often"
    PASSKEY = "passkey_factor"


class AppProblem(enum.Enum):
    """Why an app was not set up."""

    MISSING = "missing"
    WRONG = "wrong"
    NAME = "name"  # it is too long
    OVER = "over"  # the secret waited too long for its code
    TOO_MANY = "too_many"
    PASSKEY = "passkey"  # what the browser made is none, or came too late


@frozen
class OtherWay:
    """Something else that would do; the URL is relative."""

    way: FactorWay
    url: str


@frozen(kw_only=True)
class FactorPage(PageContent):
    """Ask for a second factor. The URLs are relative, `retry_after` is in seconds.

    `way` is which code is asked for, `None` where the account has nothing that could be typed.
    `passkey` is what the browser asks passkeys, where the account has any (JSON).
    `is_unreadable` says that an app of the account cannot be read any more.
    `restart_url` begins the sign-in anew. For so many `remember_days` this browser may be spared the
    question, if its person wants that; 0: nobody is asked. `lost_url` helps whoever lost all of them,
    where anything does.
    """

    template: ClassVar[str] = "pages/factor.html"

    csrf: str
    action: str
    server_name: str
    user_id: str
    way: FactorWay | None
    others: tuple[OtherWay, ...] = ()
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
    make a passkey (JSON), with its `handle`, where people may have some.
    """

    template: ClassVar[str] = "pages/factor_enrol.html"

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
    can_cancel: bool = False
    client: ClientCard | None = None


@frozen(kw_only=True)
class CodesPage(PageContent):
    """Show recovery codes, this once. `sign_in_at` is an address that is printed with them.

    The form goes on, or back to the account.
    """

    template: ClassVar[str] = "pages/recovery_codes.html"

    csrf: str
    server_name: str
    user_id: str
    codes: tuple[str, ...] = attrs.field(repr=False)
    made_at: int
    sign_in_at: str
    action: str
    with_app: bool = False

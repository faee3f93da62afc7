"""What the overview says."""

from typing import ClassVar

from synapse_nextgen_auth.accounts.verdict import Verdict
from synapse_nextgen_auth.oauth.events import EventKind
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.account.frame import ConsolePage


@frozen(kw_only=True)
class Figures:
    """What there is, in numbers. `kind` is what happened last, at `at` (seconds since the epoch).

    `device` is of that event: it is told roughly.
    """

    emails: int = 0
    phones: int = 0
    has_password: bool = False
    providers: int = 0
    devices: int = 0
    unverified: int = 0
    websites: int = 0
    programs: int = 0
    tokens: int = 0
    powerful_tokens: int = 0
    browsers: int = 0
    apps: int = 0
    kind: EventKind | None = None
    at: int = 0
    device: None = None


@frozen
class Other:
    """Another account that is signed in in this browser; `url` is where to choose it."""

    user_id: str
    url: str


@frozen
class ShownCard:
    """What another module says; `url` is https, or relative, and `hint` what is to be had there."""

    title: str
    text: str = ""
    url: str | None = None
    hint: str | None = None


@frozen(kw_only=True)
class OverviewPage(ConsolePage):
    """Say whether the account is safe, and lead to everything that one looks after.

    The URLs are relative. `end_others_url` signs out everywhere else, `password_url` is where to take
    another password, if that is possible: for when something odd happened. `factors_url` is there where
    people have second factors, `lost_url` where somebody wants them removed: it stops that.
    `cards` are what other modules say.
    """

    template: ClassVar[str] = "pages/account.html"

    sign_out_url: str
    verdict: Verdict
    figures: Figures
    events_url: str
    end_others_url: str
    password_url: str | None = None
    factors_url: str | None = None
    lost_url: str | None = None
    display_name: str | None = None
    cards: tuple[ShownCard, ...] = ()
    others: tuple[Other, ...] = ()

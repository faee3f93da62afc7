"""The pages people see: what each needs to know.

A page is a frozen record that names its template; the wording lives in the template, so that a
record carries kinds (an enum) and never sentences. Text from elsewhere may hold anything at all:
everything is escaped on its way out (C198, C199).
"""

import re
from enum import Enum
from typing import ClassVar

import attrs

from synapse_nextgen_auth.accounts.approvals import Operation
from synapse_nextgen_auth.oauth import redirects
from synapse_nextgen_auth.oauth.permissions import Permission

_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_SCHEMES_THAT_RUN = {"javascript", "data", "vbscript", "blob", "filesystem", "view-source"}


def _scheme(url: str) -> str | None:
    match = _SCHEME.match(url)
    return match[1].lower() if match else None


def _web_link(url: str | None) -> str | None:
    """Keep a URL that opens a web page; a client's word for its own pages is not trusted."""
    if url is None or _UNPRINTABLE.search(url) or _scheme(url) not in {"https", "http"}:
        return None
    return url


def _way_forward(url: str | None) -> str | None:
    """Keep a URL that goes somewhere (an app's own scheme, too) and drop one that would run."""
    if url is None or _UNPRINTABLE.search(url) or _scheme(url) in _SCHEMES_THAT_RUN:
        return None
    return url


@attrs.frozen
class Page:
    """What can be rendered: the fields of a page are the names that its template uses."""

    template: ClassVar[str]


@attrs.frozen
class ClientCard:
    """The application that asks.

    `name` is what it calls itself, or its host again if it gives no name (`is_named` is false then).
    `host` is the host of its own page (punycode, no port unless unusual), or where its people are
    sent: what a person can verify. One that ends in a colon is the scheme of an app. `others` are
    more hosts of which any may be the one. The URIs are links; one that is not http(s) is dropped.
    """

    name: str
    host: str
    uri: str | None = attrs.field(default=None, converter=_web_link)
    tos_uri: str | None = attrs.field(default=None, converter=_web_link)
    policy_uri: str | None = attrs.field(default=None, converter=_web_link)
    others: tuple[str, ...] = ()
    is_named: bool = True

    @property
    def is_local(self) -> bool:
        """Whether no host stands for it, only the machine that it runs on."""
        return redirects.stays_here(self.host)

    @property
    def initial(self) -> str:
        """The first letter or digit of the name: a picture that needs no third party."""
        return next((letter.upper()[0] for letter in self.name if letter.isalnum()), "?")


class SignInError(Enum):
    """Why a sign-in did not work; an unknown account is a wrong password (C226)."""

    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a kind of error
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    PASSWORD_LOGIN_DISABLED = "password_login_disabled"  # noqa: S105 - a kind of error
    MISSING_FIELDS = "missing_fields"
    BUSY = "busy"
    OTHER_ACCOUNT = "other_account"
    TOO_LONG = "too_long"


@attrs.frozen
class SignInPage(Page):
    """Ask for the password.

    `action` is a relative URL. `identifier` is what the person typed, or a hint; the password is
    never kept. `retry_after` is in seconds. `client` is the application that sent the person here,
    `asked_for` the Matrix ID of the one account that it asks for.
    """

    template: ClassVar[str] = "pages/sign_in.html"

    csrf: str
    action: str
    identifier: str
    server_name: str
    client: ClientCard | None = None
    asked_for: str | None = None
    error: SignInError | None = None
    retry_after: int | None = None
    email_allowed: bool = False


@attrs.frozen
class ConsentPage(Page):
    """Ask whether the application may use the account.

    `user_id` is the whole Matrix ID. `replaces` is the name (or id) of a signed-in device that
    this one takes the place of. `redirect_host` is where the answer goes: a host, or the scheme
    of an app. `action` is a relative URL. `any_account` is false where the application asks for this
    one.
    """

    template: ClassVar[str] = "pages/consent.html"

    csrf: str
    action: str
    server_name: str
    client: ClientCard
    user_id: str
    permissions: tuple[Permission, ...]
    redirect_host: str
    display_name: str | None = None
    device_id: str | None = None
    replaces: str | None = None
    any_account: bool = True


@attrs.frozen
class HomePage(Page):
    """Say who is signed in here, if anybody is. The URLs are relative; signing out is a POST."""

    template: ClassVar[str] = "pages/home.html"

    csrf: str
    server_name: str
    user_id: str | None
    sign_in_url: str
    sign_out_url: str
    devices_url: str


class LinkError(Enum):
    """Why a user code was not taken."""

    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    TOO_MANY_TRIES = "too_many_tries"


@attrs.frozen
class LinkPage(Page):
    """Ask for the code that a device shows; `retry_after` is in seconds."""

    template: ClassVar[str] = "pages/link.html"

    csrf: str
    action: str
    server_name: str
    user_code: str
    error: LinkError | None = None
    retry_after: int | None = None


@attrs.frozen
class DeviceGrantPage(Page):
    """Ask whether a device that shows `user_code` may use the account.

    `asked_at` is a time in words, `asked_minutes` how long ago that is, `asked_from` a network
    address, `asked_by` a guess at the device. `client_name` is what the application calls itself: no
    redirect proves a host, so none is shown (C149).
    """

    template: ClassVar[str] = "pages/device_grant.html"

    csrf: str
    action: str
    server_name: str
    user_id: str
    permissions: tuple[Permission, ...]
    user_code: str
    asked_at: str
    asked_minutes: int
    asked_from: str | None = None
    asked_by: str | None = None
    client_name: str | None = None
    display_name: str | None = None
    device_id: str | None = None
    missing_confirmation: bool = False


@attrs.frozen
class DeviceDonePage(Page):
    """Say that the device was let in or turned away."""

    template: ClassVar[str] = "pages/device_done.html"

    server_name: str
    approved: bool
    client_name: str | None = None


@attrs.frozen
class DeviceLine:
    """A device of an account, as its owner sees it.

    `client` is the application that speaks for it, absent when it signed in the legacy way.
    `last_seen` is a time in words, in UTC. `url` is relative and leads to its own page.
    """

    device_id: str
    name: str
    url: str
    client: ClientCard | None = None
    last_seen: str | None = None
    address: str | None = None


@attrs.frozen
class SessionLine:
    """A website or service that an account is signed in to, without a device, as its owner sees it.

    `began` and `last_used` are times in words, in UTC. `url` is relative and leads to its own page.
    """

    client: ClientCard
    url: str
    began: str
    last_used: str
    address: str | None = None


@attrs.frozen
class DevicesPage(Page):
    """List where an account is signed in; `home_url` is relative.

    `more_sessions` says that there are more sessions without a device than the page lists.
    """

    template: ClassVar[str] = "pages/devices.html"

    server_name: str
    user_id: str
    devices: tuple[DeviceLine, ...]
    home_url: str
    sessions: tuple[SessionLine, ...] = ()
    more_sessions: bool = False


@attrs.frozen
class DevicePage(Page):
    """Show one device, and ask whether to sign it out if `asks_to_end`. The URLs are relative."""

    template: ClassVar[str] = "pages/device.html"

    csrf: str
    action: str
    server_name: str
    user_id: str
    device: DeviceLine
    devices_url: str
    end_url: str
    asks_to_end: bool


@attrs.frozen
class SessionPage(Page):
    """Show a session without a device, and ask whether to end it. The URLs are relative."""

    template: ClassVar[str] = "pages/session.html"

    csrf: str
    action: str
    server_name: str
    user_id: str
    session: SessionLine
    devices_url: str


@attrs.frozen
class SignedOutPage(Page):
    """Say that this browser is signed out, and offer the relative `sign_in_url`."""

    template: ClassVar[str] = "pages/signed_out.html"

    server_name: str
    sign_in_url: str


class Message(Enum):
    """What a page says when it can only say something."""

    UNKNOWN_CLIENT = "unknown_client"
    BAD_REDIRECT_URI = "bad_redirect_uri"
    BAD_REQUEST = "bad_request"
    REQUEST_EXPIRED = "request_expired"
    OTHER_BROWSER = "other_browser"
    ALREADY_DONE = "already_done"
    BAD_CSRF = "bad_csrf"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    UNAVAILABLE = "unavailable"
    DRAINING = "draining"
    TOO_MANY_REQUESTS = "too_many_requests"
    ACCOUNT_LOCKED = "account_locked"
    ACCOUNT_DEACTIVATED = "account_deactivated"
    ACCOUNT_EXPIRED = "account_expired"
    APPROVAL_PENDING = "approval_pending"
    GUEST_NOT_ALLOWED = "guest_not_allowed"
    APPSERVICE_NOT_ALLOWED = "appservice_not_allowed"
    LOGIN_BLOCKED = "login_blocked"
    SERVER_LIMIT = "server_limit"
    DEVICE_TAKEN = "device_taken"
    TOO_MANY_DEVICES = "too_many_devices"
    ADMIN_NOT_ALLOWED = "admin_not_allowed"


class ForwardLabel(Enum):
    """What the button of a message says; without one it says "Continue"."""

    TRY_AGAIN = "try_again"
    HOME = "home"
    OTHER_ACCOUNT = "other_account"
    DEVICES = "devices"


@attrs.frozen
class MessagePage(Page):
    """Say what happened and what to do now.

    `reference` is the event id to quote to an administrator. `detail` is for the developer of the
    application and shown to everybody, so nothing of ours goes in (C206). `forward_url` is
    relative or an absolute way back to the application; one that would run as a script is dropped.
    `retry_after` is in seconds. `devices_url` is relative.
    """

    template: ClassVar[str] = "pages/message.html"

    kind: Message
    server_name: str
    reference: str | None = None
    detail: str | None = None
    forward_url: str | None = attrs.field(default=None, converter=_way_forward)
    forward_label: ForwardLabel | None = None
    client: ClientCard | None = None
    retry_after: int | None = None
    devices_url: str | None = None


def _is_web_address(_: object, attribute: "attrs.Attribute[str]", url: str) -> None:
    if _web_link(url) is None:
        message = f"{attribute.name} is not an http or https URL"
        raise ValueError(message)


@attrs.frozen
class FormPostPage(Page):
    """Send the answer to the application as a form (`response_mode=form_post`).

    `action` is the checked redirect URI; `fields` are the names and values of the answer, in order.
    """

    template: ClassVar[str] = "pages/form_post.html"

    action: str = attrs.field(validator=_is_web_address)
    fields: tuple[tuple[str, str], ...] = attrs.field(repr=False)  # holds the code
    server_name: str
    client: ClientCard | None = None


@attrs.frozen
class WayBackPage(Page):
    """Send the answer to the application by a link, where it is too long for a redirect."""

    template: ClassVar[str] = "pages/way_back.html"

    forward_url: str | None = attrs.field(converter=_way_forward, repr=False)  # holds the code
    server_name: str
    client: ClientCard | None = None


@attrs.frozen
class AskAgainPage(Page):
    """Ask the same once more from a page of ours, with the cookie that a foreign form came without.

    `request` is the whole authorization request, as JSON.
    """

    template: ClassVar[str] = "pages/ask_again.html"

    action: str
    request: str
    server_name: str
    client: ClientCard | None = None


class Refusal(Enum):
    """Why an authorization request is refused, as a person sees it."""

    MISTAKE = "mistake"
    NOT_SIGNED_IN = "not_signed_in"
    BUSY = "busy"


@attrs.frozen
class RefusedPage(Page):
    """Say why the application's request is refused, and offer the way back without going it.

    `destination` is where that leads: a host, or the scheme of an app. The answer is a link
    (`forward_url`) or a form (`fields` for the `redirect_uri`, if that is http or https). `detail` is
    for the application's developer.
    """

    template: ClassVar[str] = "pages/refused.html"

    kind: Refusal
    server_name: str
    client: ClientCard
    destination: str
    detail: str
    forward_url: str | None = attrs.field(default=None, converter=_way_forward)
    redirect_uri: str | None = attrs.field(default=None, converter=_web_link)
    fields: tuple[tuple[str, str], ...] = ()


@attrs.frozen
class ApprovePage(Page):
    """Ask whether a dangerous `operation` may go on.

    `client` and `device_name` (or id) say who asks. `action` is a relative URL.
    """

    template: ClassVar[str] = "pages/approve.html"

    csrf: str
    action: str
    server_name: str
    user_id: str
    operation: Operation
    client: ClientCard | None = None
    device_name: str | None = None


@attrs.frozen
class ApprovedPage(Page):
    """Say that the operation is allowed, though not done: the application has `minutes` for it."""

    template: ClassVar[str] = "pages/approved.html"

    operation: Operation
    server_name: str
    minutes: int


PAGES: tuple[type[Page], ...] = (
    SignInPage,
    ConsentPage,
    HomePage,
    LinkPage,
    DeviceGrantPage,
    DeviceDonePage,
    DevicesPage,
    DevicePage,
    SessionPage,
    SignedOutPage,
    MessagePage,
    FormPostPage,
    WayBackPage,
    AskAgainPage,
    RefusedPage,
    ApprovePage,
    ApprovedPage,
)

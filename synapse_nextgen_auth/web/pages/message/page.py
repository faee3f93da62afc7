"""What a page says that can only say something."""

from enum import Enum
from typing import ClassVar

import attrs

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent, way_forward


class Message(Enum):
    """What a page says when it can only say something."""

    UNKNOWN_CLIENT = "unknown_client"
    BLOCKED_CLIENT = "blocked_client"
    BAD_REDIRECT_URI = "bad_redirect_uri"
    BAD_REDIRECT_URL = "bad_redirect_url"
    BAD_REQUEST = "bad_request"
    REQUEST_EXPIRED = "request_expired"
    OTHER_BROWSER = "other_browser"
    ALREADY_DONE = "already_done"
    DECLINED = "declined"
    LEGACY_CLOSED = "legacy_closed"
    BAD_CSRF = "bad_csrf"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    UNAVAILABLE = "unavailable"
    UNDER_WAY = "under_way"
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
    NO_SECOND_FACTOR = "no_second_factor"


class ForwardLabel(Enum):
    """What the button of a message says; without one it says "Continue"."""

    TRY_AGAIN = "try_again"
    HOME = "home"
    OTHER_ACCOUNT = "other_account"
    DEVICES = "devices"
    APPLICATION = "application"


@frozen
class MessagePage(PageContent):
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
    forward_url: str | None = attrs.field(default=None, converter=way_forward)
    forward_label: ForwardLabel | None = None
    client: ClientCard | None = None
    retry_after: int | None = None
    devices_url: str | None = None

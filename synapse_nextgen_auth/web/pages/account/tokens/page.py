"""What the pages about personal tokens say."""

from typing import ClassVar

import attrs

from synapse_nextgen_auth.oauth.tokens.personal_tokens import Refusal
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.account.frame import ConsolePage
from synapse_nextgen_auth.web.pages.content import PageContent, RoomLine


@frozen(kw_only=True)
class TokenLine:
    """A personal token, as its owner sees it; times in seconds since the epoch.

    `permissions` are the scopes of what it may do, `rooms` where, if that is in some rooms alone.
    `address` is from where it was used last, as far as that is known yet. `expires_at` is absent of one
    that has no end. `made_by` is the administrator who made it, where the account did not, `made_for`
    the account that it speaks for, where that is another.
    """

    name: str
    permissions: tuple[str, ...]
    rooms: tuple[RoomLine, ...] = ()
    device_id: str | None = None
    made_at: int
    expires_at: int | None = None
    ends_soon: bool = False
    last_used: int | None = None
    address: str | None = None
    town: str | None = None
    is_grave: bool = False
    made_by: str | None = None
    made_for: str | None = None
    renew_url: str
    end_url: str


@frozen(kw_only=True)
class TokensPage(ConsolePage):
    """List the personal tokens of an account. The URLs are relative.

    `password_url` leads to one that goes in the place of a password, where that is taken.
    `is_offered` is whether its owner may make more; `left` how many. `is_missing` says that what the
    link was about is not among them.
    """

    template: ClassVar[str] = "pages/account_tokens.html"

    tokens: tuple[TokenLine, ...]
    add_url: str
    is_offered: bool
    left: int
    most: int
    is_missing: bool = False
    password_url: str | None = None


@frozen
class PartChoice:
    """Something that a token may be allowed: the field of the form, and its scope."""

    field: str
    scope: str
    is_chosen: bool = False
    is_grave: bool = False


@frozen
class DeviceChoice:
    """A device that a token may take over."""

    value: str
    label: str
    is_chosen: bool = False


@frozen
class LifetimeChoice:
    """For how long a token may be good, in seconds; `None` is without an end."""

    seconds: int | None
    is_chosen: bool = False


@frozen(kw_only=True)
class AddTokenPage(ConsolePage):
    """Ask what a token is for. The URLs are relative.

    `renews` is the name of the token whose place it takes. It `takes_new`, a device of its own, or
    `takes_none`, or one of `devices` is chosen. `is_password` is of one for an application that asks for
    a password. `is_less` is of one whose former opens more than may be given now.
    """

    template: ClassVar[str] = "pages/account_token_add.html"

    action: str
    back_url: str
    longest_name: int
    most_rooms: int
    permissions: tuple[PartChoice, ...]
    devices: tuple[DeviceChoice, ...]
    lifetimes: tuple[LifetimeChoice, ...]
    renews: str | None = None
    name: str = ""
    rooms: str = ""
    takes_new: bool = True
    takes_none: bool = False
    problem: Refusal | None = None
    is_less: bool = False
    is_password: bool = False


@frozen(kw_only=True)
class TokenMadePage(PageContent):
    """Show a token, once. The URLs are relative, but for `server_url`, which it is for.

    `is_password` says that it does in the place of a password, too, `is_grave` that it has
    power over the server.
    """

    template: ClassVar[str] = "pages/account_token_made.html"

    csrf: str
    server_name: str
    user_id: str
    accounts_url: str
    name: str
    token: str = attrs.field(repr=False)
    server_url: str
    device_id: str | None = None
    expires_at: int | None = None
    back_url: str
    is_password: bool = False
    is_grave: bool = False


@frozen(kw_only=True)
class EndTokenPage(PageContent):
    """Ask whether to end a token. The URLs are relative."""

    template: ClassVar[str] = "pages/account_token_end.html"

    csrf: str
    action: str
    server_name: str
    user_id: str
    accounts_url: str
    line: TokenLine
    back_url: str

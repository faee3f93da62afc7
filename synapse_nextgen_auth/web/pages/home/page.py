"""What the start page says, and the one after signing out."""

from typing import ClassVar

import attrs

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.account.frame import Loss
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent, way_forward


@frozen
class HomePage(PageContent):
    """Say who is signed in here, if anybody is. The URLs are relative; signing out is a POST.

    `others` are further accounts that are signed in in this browser. `sign_up_url` is where people get
    an account who have none, if they do. `loss` is what the pages of the account warn of as well.
    """

    template: ClassVar[str] = "pages/home.html"

    csrf: str
    server_name: str
    user_id: str | None
    sign_in_url: str
    sign_out_url: str
    devices_url: str
    accounts_url: str
    others: tuple[str, ...] = ()
    sign_up_url: str | None = None
    loss: Loss | None = None


@frozen
class SignedOutPage(PageContent):
    """Say that this browser is signed out, and offer the relative `sign_in_url`.

    `forward_url` leads to the application that asked for it (`client`); `stays` says that other accounts
    are signed in still.
    """

    template: ClassVar[str] = "pages/signed_out.html"

    server_name: str
    sign_in_url: str
    forward_url: str | None = attrs.field(default=None, converter=way_forward)
    client: ClientCard | None = None
    stays: bool = False

"""What the pages say around a sign-in through a provider."""

from typing import ClassVar

import attrs

from synapse_nextgen_auth.accounts.attempts.arrivals import Trouble
from synapse_nextgen_auth.homeserver.people.providers.new_accounts import NameProblem
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent, web_link


def counted(kind: Trouble) -> str:
    """Return what the metrics call an end of the way through a provider."""
    return f"provider_{kind.value}"


@frozen
class ToProviderPage(PageContent):
    """Go on to the provider, by itself or by a click.

    It is a page and no redirect: browsers apply `form-action` to what follows a form, and nobody can
    say to which hosts a provider sends people.
    """

    template: ClassVar[str] = "pages/to_provider.html"

    provider_name: str
    forward_url: str | None = attrs.field(converter=web_link)
    server_name: str


@frozen
class TroublePage(PageContent):
    """Say why the way through a provider ended. `again_url` leads to the sign-in page, relative.

    `account` is the Matrix ID that was asked for, where one was. It `connects` where the provider was to
    be connected to an account; then the URL leads back to that.
    """

    template: ClassVar[str] = "pages/provider_trouble.html"

    kind: Trouble
    server_name: str
    provider_name: str
    again_url: str
    account: str | None = None
    connects: bool = False


@frozen
class OfferedEmail:
    """An address that the provider vouches for, and whether the account takes it over."""

    address: str
    is_used: bool = True


@frozen
class NewAccountPage(PageContent):
    """Ask somebody whom a provider let in for the name of their account, and for what it takes over.

    `localpart` is what stands in the field; `must_choose` is false where the name is given. `shown` says
    whom the form is about; `is_another` that somebody else came back since it was shown before.
    `display_name`, `emails` and `has_picture` are what the provider knows; `uses_…` what was ticked.
    """

    template: ClassVar[str] = "pages/new_account.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    action: str
    server_name: str
    provider_name: str
    localpart: str
    must_choose: bool = True
    display_name: str | None = None
    emails: tuple[OfferedEmail, ...] = ()
    has_picture: bool = False
    uses_display_name: bool = True
    uses_picture: bool = True
    terms_url: str | None = None
    terms_version: str | None = None
    terms_name: str | None = None
    terms_missing: bool = False
    shown: str = ""
    is_another: bool = False
    error: NameProblem | None = None
    client: ClientCard | None = None

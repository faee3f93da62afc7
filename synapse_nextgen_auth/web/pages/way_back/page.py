"""What the pages say that lie between a person and the application's own."""

from enum import Enum
from typing import ClassVar

import attrs

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent, way_forward, web_link


def _is_web_address(_: object, attribute: "attrs.Attribute[str]", url: str) -> None:
    if web_link(url) is None:
        message = f"{attribute.name} is not an http or https URL"
        raise ValueError(message)


@frozen
class FormPostPage(PageContent):
    """Send the answer to the application as a form (`response_mode=form_post`).

    `action` is the checked redirect URI; `fields` are the names and values of the answer, in order.
    """

    template: ClassVar[str] = "pages/form_post.html"

    action: str = attrs.field(validator=_is_web_address)
    fields: tuple[tuple[str, str], ...] = attrs.field(repr=False)  # holds the code
    server_name: str
    client: ClientCard | None = None


@frozen
class WayBackPage(PageContent):
    """Send the answer to the application by a link, where it is too long for a redirect."""

    template: ClassVar[str] = "pages/way_back.html"

    forward_url: str | None = attrs.field(converter=way_forward, repr=False)  # holds the code
    server_name: str
    client: ClientCard | None = None


@frozen
class AskAgainPage(PageContent):
    """Ask the same once more from a page of ours, with the cookie that a foreign form came without.

    `request` is the whole request, as JSON; `signs_out` says what it is about.
    """

    template: ClassVar[str] = "pages/ask_again.html"

    action: str
    request: str
    server_name: str
    client: ClientCard | None = None
    signs_out: bool = False


class Refusal(Enum):
    """Why an authorization request is refused, as a person sees it."""

    MISTAKE = "mistake"
    NOT_SIGNED_IN = "not_signed_in"
    BUSY = "busy"


@frozen
class RefusedPage(PageContent):
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
    forward_url: str | None = attrs.field(default=None, converter=way_forward)
    redirect_uri: str | None = attrs.field(default=None, converter=web_link)
    fields: tuple[tuple[str, str], ...] = ()

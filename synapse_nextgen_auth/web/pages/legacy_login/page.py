"""What the page says that lets in a client which knows only `m.login.sso`."""

from enum import Enum
from typing import ClassVar

from synapse_nextgen_auth.oauth import loopback
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import PageContent


class Place(Enum):
    """What is at the end of the way: all that tells who the client is."""

    WEBSITE = "website"
    APP = "app"
    THIS_COMPUTER = "this_computer"

    @classmethod
    def of(cls, destination: str) -> "Place":
        """Return what a host, or the scheme of an app with its colon, is."""
        if destination in loopback.SPELLINGS:
            return cls.THIS_COMPUTER
        return cls.APP if destination.endswith(":") else cls.WEBSITE


@frozen
class LegacyLoginPage(PageContent):
    """Ask whether the client that waits at `destination` may have the whole account.

    `destination` is a host, or the scheme of an app with its colon: all that is known of the client.
    `action` is a relative URL.
    """

    template: ClassVar[str] = "pages/legacy_login.html"
    is_timed: ClassVar[bool] = True

    csrf: str
    action: str
    server_name: str
    user_id: str
    destination: str
    place: Place
    display_name: str | None = None

"""What every page shares: the record that it is made of, the application it speaks of, its links.

A page is a frozen record that names its template; the wording lives in the template, so that a
record carries kinds (an enum) and never sentences. Text from elsewhere may hold anything at all:
everything is escaped on its way out (C198, C199).
"""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

import attrs

from synapse_nextgen_auth.oauth.clients import redirects
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.loads import NOTHING, Loads

if TYPE_CHECKING:
    from synapse_nextgen_auth.oauth.resources import Resources

_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_SCHEMES_THAT_RUN = {"javascript", "data", "vbscript", "blob", "filesystem", "view-source"}


def _scheme(url: str) -> str | None:
    match = _SCHEME.match(url)
    return match[1].lower() if match else None


def web_link(url: str | None) -> str | None:
    """Keep a URL that opens a web page; a client's word for its own pages is not trusted."""
    if url is None or _UNPRINTABLE.search(url) or _scheme(url) not in {"https", "http"}:
        return None
    return url


def way_forward(url: str | None) -> str | None:
    """Keep a URL that goes somewhere (an app's own scheme, too) and drop one that would run."""
    if url is None or _UNPRINTABLE.search(url) or _scheme(url) in _SCHEMES_THAT_RUN:
        return None
    return url


@frozen
class PageContent:
    """What can be rendered: the fields of a page are the names that its template uses.

    Some pages are the same for many people, but for fields that are of one visit, `of_the_visit`: its
    proof and where its form goes. Our template puts them into attributes, and asks nothing of them.

    What `is_timed` asks for something that has to be there in time, and says how much of that is left.
    """

    template: ClassVar[str]
    of_the_visit: ClassVar[tuple[str, ...]] = ()
    is_timed: ClassVar[bool] = False

    @property
    def is_common(self) -> bool:
        """Whether nothing else in it is of one person, so that it may be kept for the next one."""
        return False

    @property
    def loads(self) -> Loads:
        """What the browser may load for it beside our own files."""
        return NOTHING


def initial(name: str) -> str:
    """Return the first letter or digit of a name: a picture that needs no third party."""
    return next((letter.upper()[0] for letter in name if letter.isalnum()), "?")


# The brands that the Matrix specification names: `brand-<name>.svg` is the mark of each.
BRANDS = ("apple", "facebook", "github", "gitlab", "google", "twitter")


@frozen
class ProviderCard:
    """Somebody who says who a person is, as a button shows it (Synapse: an identity provider).

    `icon_url` is a picture that we serve, relative, if there is one. `is_linked` where it is known to
    let in the account that the page is about. `brand` is what the operator says that it is.
    """

    provider_id: str
    name: str
    icon_url: str | None = None
    is_linked: bool = False
    brand: str | None = None

    @property
    def mark(self) -> str | None:
        """The static file with the mark of its brand, where that is one of those that we have."""
        return f"brand-{self.brand}.svg" if self.brand in BRANDS else None

    @property
    def initial(self) -> str:
        """The letter in the place of a picture."""
        return initial(self.name)


@frozen
class ClientCard:
    """The application that asks.

    `name` is what it calls itself, or its host again if it gives no name (`is_named` is false then).
    `host` is the host of its own page (punycode, no port unless unusual), or where its people are
    sent: what a person can verify. One that ends in a colon is the scheme of an app. `others` are
    more hosts of which any may be the one. The URIs are links; one that is not http(s) is dropped.
    """

    name: str
    host: str
    uri: str | None = attrs.field(default=None, converter=web_link)
    tos_uri: str | None = attrs.field(default=None, converter=web_link)
    policy_uri: str | None = attrs.field(default=None, converter=web_link)
    others: tuple[str, ...] = ()
    is_named: bool = True

    @property
    def is_local(self) -> bool:
        """Whether no host stands for it, only the machine that it runs on."""
        return redirects.stays_here(self.host)

    @property
    def initial(self) -> str:
        """The letter in the place of a picture."""
        return initial(self.name)

    @classmethod
    def of(
        cls, client: Client, languages: tuple[str, ...], *, redirect_uri: str | None = None
    ) -> "ClientCard":
        """Show a client in the reader's languages: what it calls itself, and who stands behind it.

        Every page shows it so; one of a grant or its answer says which redirect URI that is for.
        """
        host, *others = client.places(redirect_uri)
        return cls(
            name=client.name_for(languages, redirect_uri=redirect_uri),
            host=host,
            uri=client.page_for("client_uri", languages),
            tos_uri=client.page_for("tos_uri", languages),
            policy_uri=client.page_for("policy_uri", languages),
            others=tuple(others),
            is_named=client.is_configured or client.text_for("client_name", languages) is not None,
        )


@frozen
class RoomLine:
    """A room that something is for: its id, and what its members call it."""

    room_id: str
    name: str | None = None

    @classmethod
    def of(cls, named: Sequence[tuple[str, str | None]]) -> "tuple[RoomLine, ...]":
        """Return a line for each room."""
        return tuple(cls(*each) for each in named)


@frozen
class ServiceLine:
    """A service of others that something is for: what it is called, where it is, and what it takes.

    `may` are sentences of the operator's.
    """

    name: str
    place: str
    may: tuple[str, ...]

    @classmethod
    def of(
        cls, known: "Resources", kept: Iterable[str], languages: Sequence[str]
    ) -> "tuple[ServiceLine, ...]":
        """Return a line for each service of which something was granted, in its own order."""
        asked = [tuple(each.split("#", 1)) for each in kept]
        if not asked:
            return ()
        return tuple(
            cls(
                server.name.for_(languages),
                server.place,
                tuple(
                    each.about.for_(languages)
                    for each in server.scopes
                    if (server.resource, each.word) in asked
                ),
            )
            for server in known.servers
            if any((server.resource, word) in asked for word in server.words)
        )

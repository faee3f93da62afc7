"""What every page of the console shares: whose account it is, and the way about.

A page that looks after the account is a record that is a `ConsolePage`, and its template extends
`console.html`. A dialog ("are you sure") is a card and extends `base.html`.
"""

from synapse_nextgen_auth.accounts.management import SECTIONS, Done, Place
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import PageContent


@frozen
class Section:
    """A place of the navigation; the URL is relative. `is_here` where the page belongs to it."""

    place: Place
    url: str
    is_here: bool = False


@frozen
class Loss:
    """That somebody wants the second factors removed as lost, from a time on; `url` stops that."""

    ready_at: int
    url: str


@frozen(kw_only=True)
class ConsolePage(PageContent):
    """A page with the navigation; the URLs are relative.

    `accounts_url` is where to choose another account that comes back here. `done` is what was just
    done, for the notice that says so. `loss` is what somebody else may have asked for. `is_outdated`
    where the form was sent after too long, so that nothing was done.
    """

    csrf: str
    server_name: str
    user_id: str
    sections: tuple[Section, ...]
    accounts_url: str
    done: Done | None = None
    loss: Loss | None = None
    is_outdated: bool = False


def sections_at(place: Place, *, hidden: frozenset[Place] = frozenset()) -> tuple[Section, ...]:
    """Return the navigation of a page; what is hidden is not for this server."""
    here = place.section
    return tuple(
        Section(each, each.value, is_here=each is here) for each in SECTIONS if each not in hidden
    )

"""What the page says on which a person chooses how they read."""

from typing import ClassVar

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import PageContent


@frozen
class LanguageLine:
    """A language that pages can be in: its BCP 47 tag, and what it calls itself."""

    tag: str
    name: str
    is_chosen: bool = False


@frozen
class ZoneLine:
    """A time zone as people of the page's language call it; `name` is that of the tz database."""

    name: str
    words: str
    is_chosen: bool = False


@frozen(kw_only=True)
class LanguagePage(PageContent):
    """Ask for the language and the time zone; `action` is a relative URL.

    `account` is who is signed in: the choice is theirs everywhere then. `came_from` is the page that led
    here, relative, and where a choice leads back to. No language is chosen where the browser's is shown.
    """

    template: ClassVar[str] = "pages/language.html"

    csrf: str
    action: str
    server_name: str
    languages: tuple[LanguageLine, ...]
    zones: tuple[ZoneLine, ...]
    usual_zone: str
    account: str | None = None
    came_from: str | None = None

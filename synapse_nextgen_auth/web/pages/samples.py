"""What a page may have to show, for whoever looks at all of them: the tests, and a person.

The samples of a page are in `samples.py` beside its record. A server that runs needs none of them.
"""

from importlib import import_module

from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent, RoomLine, ServiceLine

LONG = "Pneumonoultramicroscopicsilicovolcanoconiosis" * 6
LONG_ID = f"@{LONG[:180]}:matrix.{LONG[:60]}.example.org"
API = "urn:matrix:client:api:*"
DEVICE_SCOPE = "urn:matrix:client:device:HJKLQWERTY"
ADMIN = "urn:synapse:admin:*"
NARROW = "urn:nextgen-auth:read urn:nextgen-auth:send"
GARDEN = (
    RoomLine("!garden:example.org", "The garden"),
    RoomLine("!n8vYkzR0u3dZxW4mQ1bT7cLfH5gJ9sPaE2oK6yUiNr"),
)
SERVICES = (
    ServiceLine("Calendar", "calendar.example.org", ("See your appointments", "Change them")),
    ServiceLine("Wiki", "urn:example:wiki", ("Write pages in your name",)),
)
RIGHT_TO_LEFT = "\u202e\u200fتطبيق المراسلة الآمن\u202c Element"

ELEMENT = ClientCard(
    "Element X",
    "element.io",
    "https://element.io/",
    "https://element.io/terms",
    "https://element.io/privacy",
)
BARE = ClientCard("gomuks", "gomuks.app")
LOCAL = ClientCard("Scripts", "127.0.0.1")
UGLY = ClientCard(LONG, f"{LONG[:60].lower()}.{LONG[:60].lower()}.example", f"https://{LONG}/")


def samples_of(page: type[PageContent]) -> dict[str, PageContent]:
    """Return the samples of a page by their names, friendly and hostile ones."""
    folder = page.__module__.rpartition(".")[0]
    found: dict[str, PageContent] = import_module(f"{folder}.samples").SAMPLES[page]
    return found

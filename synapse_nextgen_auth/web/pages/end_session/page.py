"""What the page says that asks whether to sign out."""

from typing import ClassVar

from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.web.pages.content import ClientCard, PageContent


@frozen
class EndSessionPage(PageContent):
    """Ask whether to sign out, which an application wants (`client`, where it is known which).

    `user_id` is who is signed in, `others` how many accounts beside. `action` is a relative URL, and
    `fields` are what the answer must say again.
    """

    template: ClassVar[str] = "pages/end_session.html"

    csrf: str
    action: str
    server_name: str
    user_id: str | None
    others: int = 0
    client: ClientCard | None = None
    fields: tuple[tuple[str, str], ...] = ()

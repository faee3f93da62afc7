"""The picture of a provider."""

from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.people.providers.icons import KEPT
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.pages.message.error import PageError
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.visits import Visit


async def show(visit: Visit) -> Outgoing:
    """Answer with the picture; a provider's name says the same, so it may be missing."""
    site = visit.site
    picture = await site.providers.icons.read(
        visit.parameters.get("of") or "", address=visit.address, now=site.now()
    )
    if picture is None:
        raise PageError(404, Message.NOT_FOUND)
    return Outgoing(
        200,
        picture.content,
        (
            ("Content-Type", picture.content_type),
            ("Cache-Control", f"public, max-age={KEPT}"),
            answers.NOSNIFF,
            # A picture may be a document with scripts (SVG), should somebody open it by itself.
            ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ),
    )

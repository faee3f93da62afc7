"""The picture of a provider."""

from synapse_nextgen_auth.homeserver.http import Outgoing
from synapse_nextgen_auth.homeserver.media import Picture
from synapse_nextgen_auth.homeserver.people.providers.icons import KEPT
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.pages.content import initial
from synapse_nextgen_auth.web.pages.message.error import PageError
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.visits import Visit

# Where there is no picture: grey, which goes with the colours of every operator.
_LETTER = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><style>
rect{fill:#e3e6eb}text{fill:#171b22;font:650 14px sans-serif;text-anchor:middle}
@media(prefers-color-scheme:dark){rect{fill:#2f3641}text{fill:#e8ebf0}}
</style><rect width="24" height="24"/><text x="12" y="17">%s</text></svg>"""


async def show(visit: Visit) -> Outgoing:
    """Answer with the picture, or with the provider's letter where it cannot be read."""
    site = visit.site
    provider_id = visit.parameters.get("of") or ""
    picture = await site.providers.icons.read(provider_id, address=visit.address, now=site.now())
    if picture is None:
        provider = site.providers.known.get(provider_id)
        if provider is None:
            raise PageError(404, Message.NOT_FOUND)
        # A letter or digit, so nothing in it has to be escaped.
        picture = Picture((_LETTER % initial(provider.name)).encode(), "image/svg+xml")
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

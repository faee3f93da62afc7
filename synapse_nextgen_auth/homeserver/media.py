"""Pictures of the media repository, handed out by routes of ours, where it runs in this process.

Media is not served without a token any more (Matrix 1.11), and a browser on our pages has none.
"""

from typing import Any

import attrs
from synapse.media._base import FileInfo

from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.records import frozen

NEEDS = (
    Needed("synapse.media._base", "FileInfo"),
    Needed("synapse.media.media_storage", "MediaStorage.fetch_media", ("file_info",)),
    *members("synapse.server", "HomeServer", "get_media_repository"),
)


@frozen
class Picture:
    """A picture and its media type."""

    content: bytes = attrs.field(repr=False)
    content_type: str


async def fetch(hs: Any, where: FileInfo, content_type: str) -> Picture | None:
    """Return what is stored there, `None` where nothing is."""
    responder = await hs.get_media_repository().media_storage.fetch_media(where)
    if responder is None:
        return None
    held = _Held()
    with responder:
        await responder.write_to_consumer(held)
    return Picture(held.content, content_type)


class _Held:
    """A consumer of Twisted's that keeps what it is given."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: FBT001, N802 (Twisted's)
        """Let it produce."""

    def unregisterProducer(self) -> None:  # noqa: N802 (Twisted's)
        """Be done."""

    def write(self, data: bytes) -> None:
        """Keep a piece."""
        self._pieces.append(data)

    @property
    def content(self) -> bytes:
        """All of it."""
        return b"".join(self._pieces)

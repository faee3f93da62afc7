"""Pictures of providers: an mxc address of the configuration, read where the media repository runs.

Media is not served without a token any more (Matrix 1.11), and a person who signs in has none yet. So a
route of ours hands out these few pictures, and no other media.
"""

import logging
from typing import Any

from synapse.media._base import FileInfo
from synapse.server import HomeServer

from synapse_nextgen_auth.homeserver.media import Picture, fetch
from synapse_nextgen_auth.homeserver.people.providers.listing import Providers
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members

NEEDS = (
    Needed("synapse.media._base", "FileInfo"),
    Needed(
        "synapse.media.media_repository",
        "MediaRepository.get_remote_media_info",
        (
            "server_name",
            "media_id",
            "max_timeout_ms",
            "ip_address",
            "use_federation",
            "allow_authenticated",
        ),
    ),
    Needed("synapse.storage.databases.main", "DataStore.get_local_media", ("media_id",)),
    *members("synapse.server", "HomeServer", "get_media_repository"),
)

logger = logging.getLogger(__name__)

# What browsers show as a picture and never run.
_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"})
_LARGEST = 512 * 1024
_PATIENCE_MS = 10_000
# As long as browsers keep one, in seconds.
KEPT = 3600


class Icons:
    """The pictures of the providers of one homeserver, as this process can read them."""

    def __init__(self, hs: HomeServer, providers: Providers) -> None:
        self._hs = hs
        self._providers = providers
        self._kept: dict[str, tuple[int, Picture | None]] = {}

    def has(self, provider_id: str) -> bool:
        """Say whether it is worth asking: a picture is configured, and the media is here."""
        provider = self._providers.get(provider_id)
        return bool(provider and provider.icon and self._hs.config.media.can_load_media_repo)

    async def read(self, provider_id: str, *, address: str, now: int) -> Picture | None:
        """Return the picture of a provider, or that there is none that can be shown."""
        if not self.has(provider_id):
            return None
        known = self._kept.get(provider_id)
        if known is None or not known[0] <= now < known[0] + KEPT:
            provider = self._providers.get(provider_id)
            icon = (provider and provider.icon) or ""
            self._kept[provider_id] = known = (now, await self._load(icon, address))
        return known[1]

    async def _load(self, mxc: str, address: str) -> Picture | None:
        server_name, _, media_id = mxc.removeprefix("mxc://").partition("/")
        try:
            return await self._fetch(server_name, media_id, address)
        except Exception as error:  # noqa: BLE001 - no picture is no reason to keep people out
            logger.info("Could not read %s for the sign-in page: %s", mxc, error)
            return None

    async def _fetch(self, server_name: str, media_id: str, address: str) -> Picture | None:
        repository: Any = self._hs.get_media_repository()
        if server_name == self._hs.hostname:
            media = await repository.store.get_local_media(media_id)
            where = FileInfo(None, media_id)
        else:
            media = await repository.get_remote_media_info(
                server_name,
                media_id,
                max_timeout_ms=_PATIENCE_MS,
                ip_address=address,
                use_federation=True,
                allow_authenticated=True,
            )
            where = FileInfo(server_name, media.filesystem_id)
        if media is None or media.quarantined_by or media.media_type not in _TYPES:
            return None
        if not media.media_length or media.media_length > _LARGEST:
            return None
        return await fetch(self._hs, where, media.media_type)

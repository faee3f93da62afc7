"""Name and picture of an account: read, and changed as the client API changes them (C303)."""

import enum
import io
import logging
from typing import Any

from synapse.api.errors import SynapseError
from synapse.handlers.profile import MAX_DISPLAYNAME_LEN
from synapse.media._base import FileInfo
from synapse.media.media_storage import SpamMediaException
from synapse.types import Requester, UserID, create_requester

from synapse_nextgen_auth.accounts import pictures
from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.homeserver import media
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.database.caches import recall
from synapse_nextgen_auth.homeserver.media import Picture
from synapse_nextgen_auth.homeserver.people.accounts import People
from synapse_nextgen_auth.homeserver.startup import versions
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.records import frozen

NEEDS = (
    Needed("synapse.handlers.profile", "MAX_DISPLAYNAME_LEN"),
    Needed("synapse.media._base", "FileInfo", ("server_name", "file_id", "thumbnail")),
    Needed("synapse.media.media_storage", "SpamMediaException"),
    Needed(
        "synapse.media.media_repository",
        "MediaRepository.create_or_update_content",
        ("media_type", "upload_name", "content", "content_length", "auth_user"),
    ),
    Needed("synapse.storage.databases.main", "DataStore.get_local_media", ("media_id",)),
    Needed("synapse.storage.databases.main", "DataStore.get_local_media_thumbnails", ("media_id",)),
    Needed("synapse.storage.databases.main", "DataStore.get_profileinfo", ("user_id",)),
    Needed("synapse.storage.databases.main", "DataStore.get_user_suspended_status", ("user_id",)),
    Needed(
        "synapse.module_api.callbacks.media_repository_callbacks",
        "MediaRepositoryModuleApiCallbacks.is_user_allowed_to_upload_media_of_size",
        ("user_id", "size"),
    ),
    Needed("synapse.types", "create_requester", ("user_id", "shadow_banned")),
    *members(
        "synapse.server",
        "HomeServer",
        "get_media_repository",
        "get_module_api_callbacks",
        "get_profile_handler",
    ),
)

logger = logging.getLogger(__name__)

LONGEST_NAME = MAX_DISPLAYNAME_LEN
# Whatever the operator allows for media: a picture that stands beside a name is no larger.
LARGEST = 10 * 1024 * 1024
# A page shows it this large, in pixels, on a fine screen.
_SHOWN = 96
_NAME, _PICTURE = "displayname", "avatar_url"


class Refusal(enum.Enum):
    """Why a name or a picture is not taken; the value is what the script of the page knows it by."""

    SUSPENDED = "suspended"
    NOT_ALLOWED = "not_allowed"  # by this server's settings, or a module
    TOO_LONG = "too_long"
    TOO_LARGE = "too_large"
    NO_PICTURE = "no_picture"
    TYPE = "type"
    DIMENSIONS = "dimensions"
    ELSEWHERE = "elsewhere"  # the media repository is in another process


@frozen
class Refused(Exception):
    """A name or a picture is not taken."""

    why: Refusal


@frozen
class Profile:
    """What others see of an account, and what its person may change of it."""

    name: str
    has_picture: bool
    may_name: bool
    may_picture: bool
    is_suspended: bool


class Profiles:
    """The profiles of accounts."""

    def __init__(self, homeserver: Homeserver, people: People) -> None:
        self._homeserver = homeserver
        self._people = people
        self._hs = homeserver.hs
        self._store = homeserver.store
        config = homeserver.hs.config
        self._sets_names = bool(config.registration.enable_set_displayname)
        self._sets_pictures = bool(config.registration.enable_set_avatar_url)
        # Which types a picture may have; `None` for any that browsers draw.
        self.types: frozenset[str] | None = (
            frozenset(config.server.allowed_avatar_mimetypes)
            if config.server.allowed_avatar_mimetypes
            else None
        )
        limits = [LARGEST, config.server.max_avatar_size]
        self._most_pixels = 0
        if config.media.can_load_media_repo:  # Synapse reads the rest of that section only there
            limits.append(config.media.max_upload_size)
            self._most_pixels = int(config.media.max_image_pixels)
        self.largest = min(limit for limit in limits if limit)

    async def of(self, user_id: str) -> Profile:
        """Return what there is to see, and to change."""
        found = await self._store.get_profileinfo(UserID.from_string(user_id))
        is_suspended = bool(await recall(self._store.get_user_suspended_status, user_id))
        return Profile(
            name=found.display_name or "",
            has_picture=bool(found.avatar_url),
            # Where changes are off, Synapse still takes the first one.
            may_name=not is_suspended and (self._sets_names or not found.display_name),
            may_picture=not is_suspended and (self._sets_pictures or not found.avatar_url),
            is_suspended=is_suspended,
        )

    async def set_name(self, user_id: str, name: str) -> None:
        """Set the display name, "" for none; raise `Refused`."""
        if len(name) > LONGEST_NAME:
            raise Refused(Refusal.TOO_LONG)
        profile = await self.of(user_id)
        if not profile.may_name:
            raise _refused(profile)
        await self._set(user_id, _NAME, name)

    async def remove_picture(self, user_id: str) -> None:
        """Let an account have no picture; raise `Refused`."""
        profile = await self.of(user_id)
        if not profile.may_picture:
            raise _refused(profile)
        await self._set(user_id, _PICTURE, "")

    async def set_picture(self, user_id: str, content: bytes) -> None:
        """Store a picture and let the account have it; raise `Refused`.

        Its type is what its bytes say. One that unfolds to gigabytes is refused before anybody tries.
        """
        profile = await self.of(user_id)
        if not profile.may_picture:
            raise _refused(profile)
        media_type = self._check(content)
        modules = self._hs.get_module_api_callbacks().media_repository
        if not await modules.is_user_allowed_to_upload_media_of_size(user_id, len(content)):
            raise Refused(Refusal.NOT_ALLOWED)
        repository: Any = self._hs.get_media_repository()
        try:
            address = await repository.create_or_update_content(
                media_type, None, io.BytesIO(content), len(content), UserID.from_string(user_id)
            )
        except SpamMediaException as error:
            raise Refused(Refusal.NOT_ALLOWED) from error
        except SynapseError as error:
            if error.code >= 500:
                raise
            raise Refused(Refusal.NOT_ALLOWED) from error
        await self._set(user_id, _PICTURE, str(address))

    def _check(self, content: bytes) -> str:
        if not self._hs.config.media.can_load_media_repo:
            raise Refused(Refusal.ELSEWHERE)
        if len(content) > self.largest:
            raise Refused(Refusal.TOO_LARGE)
        found = pictures.sniff(content)
        if found is None:
            raise Refused(Refusal.NO_PICTURE)
        if self.types is not None and found.media_type not in self.types:
            raise Refused(Refusal.TYPE)
        if not found.is_sound or found.width * found.height > self._most_pixels:
            raise Refused(Refusal.DIMENSIONS)
        return found.media_type

    async def _set(self, user_id: str, field: str, value: str) -> None:
        """Set it as its person would; what they may not do in rooms, this does not do either (C319)."""
        colleagues = self._homeserver.colleagues
        await colleagues.expect(colleagues.for_profiles, afresh=True)
        try:
            await versions.set_profile_field(
                self._hs.get_profile_handler(), await self._requester(user_id), field, value
            )
        except SynapseError as error:
            if error.code >= 500:
                raise
            raise Refused(Refusal.NOT_ALLOWED) from error

    async def _requester(self, user_id: str) -> Requester:
        account = await self._people.admit(user_id, Intent.SIGN_IN)
        return create_requester(user_id, shadow_banned=account.is_shadow_banned)

    async def picture(self, user_id: str) -> Picture | None:
        """Return the picture of an account, small where that is there; `None` where it cannot be shown.

        One that is on another server, or of a type that runs, is not.
        """
        if not self._hs.config.media.can_load_media_repo:
            return None
        found = await self._store.get_profileinfo(UserID.from_string(user_id))
        server_name, _, media_id = (found.avatar_url or "").removeprefix("mxc://").partition("/")
        if server_name != self._hs.hostname or not media_id:
            return None
        try:
            return await self._read(media_id)
        except Exception as error:  # noqa: BLE001 - a letter stands in its place
            logger.info("Could not read the picture of %s: %s", user_id, type(error).__name__)
            return None

    async def _read(self, media_id: str) -> Picture | None:
        stored = await self._store.get_local_media(media_id)
        if stored is None or stored.quarantined_by or stored.media_type not in _TYPES:
            return None
        small = [
            each
            for each in await self._store.get_local_media_thumbnails(media_id)
            if each.type in _TYPES and min(each.width, each.height) >= _SHOWN
        ]
        if small:
            chosen = min(small, key=lambda each: each.width * each.height)
            where = FileInfo(server_name=None, file_id=media_id, thumbnail=chosen)
            return await media.fetch(self._hs, where, chosen.type)
        if not stored.media_length or stored.media_length > LARGEST:
            return None
        where = FileInfo(server_name=None, file_id=media_id)
        return await media.fetch(self._hs, where, stored.media_type)


_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def _refused(profile: Profile) -> Refused:
    return Refused(Refusal.SUSPENDED if profile.is_suspended else Refusal.NOT_ALLOWED)

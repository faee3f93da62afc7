"""What an administrator does to accounts, as Synapse's own admin API does it; in the main process."""

import enum
import logging
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from synapse.api.errors import Codes, SynapseError
from synapse.types import Requester, UserID, create_requester
from synapse.util.async_helpers import Linearizer
from synapse.util.threepids import canonicalise_email

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.people.threepids import Threepids
from synapse_nextgen_auth.homeserver.startup import versions
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.records import frozen

NEEDS = (
    Needed("synapse.types", "create_requester", ("user_id",)),
    Needed("synapse.util.threepids", "canonicalise_email", ("address",)),
    Needed("synapse.handlers.register", "RegistrationHandler.check_username", ("localpart",)),
    Needed(
        "synapse.handlers.register",
        "RegistrationHandler.register_user",
        ("localpart", "default_display_name", "by_admin", "approved"),
    ),
    Needed(
        "synapse.handlers.deactivate_account",
        "DeactivateAccountHandler.deactivate_account",
        ("user_id", "erase_data", "requester", "by_admin"),
    ),
    Needed(
        "synapse.handlers.deactivate_account",
        "DeactivateAccountHandler.activate_account",
        ("user_id",),
    ),
    Needed("synapse.storage.databases.main", "DataStore.is_user_erased", ("user_id",)),
    Needed("synapse.storage.databases.main", "DataStore.set_server_admin", ("user", "admin")),
    Needed(
        "synapse.storage.databases.main", "DataStore.set_user_locked_status", ("user_id", "locked")
    ),
    *members(
        "synapse.server",
        "HomeServer",
        "get_clock",
        "get_deactivate_account_handler",
        "get_module_api_callbacks",
        "get_profile_handler",
        "get_registration_handler",
    ),
)

logger = logging.getLogger(__name__)


class NoName(enum.Enum):
    """Why nobody can be called so."""

    INVALID = "invalid"
    TAKEN = "taken"
    RESERVED = "reserved"


_OF_CODES: dict[str, NoName] = {
    Codes.USER_IN_USE: NoName.TAKEN,
    Codes.EXCLUSIVE: NoName.RESERVED,
}


@frozen
class Forbidden(Exception):
    """A module does not let it be done."""


@frozen
class Taken(Exception):
    """Somebody else got the name at this moment."""


def canonical_email(text: str) -> str | None:
    """Return an address as Synapse keeps it, `None` of what is none."""
    try:
        return str(canonicalise_email(text))
    except ValueError:
        return None


async def name_trouble(homeserver: Homeserver, localpart: str) -> NoName | None:
    """Say why nobody can be called so."""
    try:
        await homeserver.hs.get_registration_handler().check_username(localpart)
    except SynapseError as error:
        return _OF_CODES.get(error.errcode, NoName.INVALID)
    return None


async def make(homeserver: Homeserver, localpart: str, *, display_name: str | None) -> str:
    """Make an account without a password, and return its Matrix id; a module may forbid it."""
    handler = homeserver.hs.get_registration_handler()
    try:
        user_id: str = await handler.register_user(
            localpart=localpart, default_display_name=display_name, by_admin=True, approved=True
        )
    except SynapseError as error:
        if error.code == 429:
            raise Forbidden from error
        if error.errcode == Codes.USER_IN_USE:
            raise Taken from error
        raise
    return user_id


_turns: WeakKeyDictionary[Homeserver, Linearizer] = WeakKeyDictionary()


def turn(homeserver: Homeserver) -> AbstractAsyncContextManager[None]:
    """Wait for others who take power from an account: of two who do that to each other, one stays."""
    if homeserver not in _turns:
        _turns[homeserver] = Linearizer(name="nextgen_power", clock=homeserver.hs.get_clock())
    queue: AbstractAsyncContextManager[None] = _turns[homeserver].queue("")
    return queue


async def set_picture(homeserver: Homeserver, user_id: str, url: str) -> None:
    """Let a new account have a picture; one that this server does not take, it has not."""
    handler, requester = homeserver.hs.get_profile_handler(), create_requester(user_id)
    try:
        await versions.set_profile_field(handler, requester, "avatar_url", url)
    except SynapseError as error:
        if error.code >= 500:
            raise
        logger.info("%s was not given the picture that an administrator named", user_id)


async def set_admin(homeserver: Homeserver, user_id: str, *, is_admin: bool) -> None:
    """Let an account administer the server, or not any more."""
    await homeserver.store.set_server_admin(UserID.from_string(user_id), is_admin)


async def lock(homeserver: Homeserver, user_id: str, *, is_locked: bool) -> None:
    """Lock an account, or unlock it."""
    await homeserver.store.set_user_locked_status(user_id, is_locked)


async def close(
    homeserver: Homeserver, threepids: Threepids, user_id: str, *, erase: bool, by: str
) -> None:
    """Close an account; raise `Forbidden` where a module says no, and `Away` as other closings do."""
    colleagues = homeserver.colleagues
    await colleagues.expect(colleagues.for_old_devices, afresh=True)
    modules: Any = homeserver.hs.get_module_api_callbacks().third_party_event_rules
    if not await modules.check_can_deactivate_user(user_id, True):
        raise Forbidden
    # Synapse leaves an account open when an identity server does not answer.
    await threepids.unbind_all(user_id)
    requester: Requester = create_requester(by)
    try:
        await homeserver.hs.get_deactivate_account_handler().deactivate_account(
            user_id, erase_data=erase, requester=requester, by_admin=True
        )
    except SynapseError as error:
        if error.code == 403:
            raise Forbidden from error
        raise


async def is_erased(homeserver: Homeserver, user_id: str) -> bool:
    """Say whether what an account wrote is hidden from whoever joins a room later."""
    store: Any = homeserver.store
    return bool(await store.is_user_erased(user_id))


async def reopen(homeserver: Homeserver, user_id: str) -> None:
    """Open an account again that was closed; what was deleted with it does not come back."""
    with _profiles_without_their_index(homeserver):
        await homeserver.hs.get_deactivate_account_handler().activate_account(user_id)


@contextmanager
def _profiles_without_their_index(homeserver: Homeserver) -> Iterator[None]:
    """Let Synapse make a profile though the index is not there yet that it builds in the background.

    It knows of other tables that this may be so, and has another way for them; of this one it does not,
    and fails in the first minutes of a server.
    """
    tables: set[str] = getattr(homeserver.store.db_pool, "_unsafe_to_upsert_tables", set())
    if "profiles" in tables:
        yield
        return
    tables.add("profiles")
    try:
        yield
    finally:
        tables.discard("profiles")

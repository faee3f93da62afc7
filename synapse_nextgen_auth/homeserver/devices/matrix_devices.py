"""Matrix devices and sessions: one session per device, and neither outlives what ends the other."""

import logging
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING

import attrs
from synapse.api.errors import NotFoundError, StoreError, SynapseError
from synapse.handlers.device import MAX_DEVICE_DISPLAY_NAME_LEN
from synapse.util.async_helpers import Linearizer

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.works import SignOutDevices
from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.homeserver import background
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.background import Background
from synapse_nextgen_auth.homeserver.colleagues import Away
from synapse_nextgen_auth.homeserver.patience import insist
from synapse_nextgen_auth.homeserver.startup import versions
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.clients.names import shortened
from synapse_nextgen_auth.oauth.sessions import End, Session
from synapse_nextgen_auth.oauth.tokens.session_tokens import surrogate
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import devices, outbox

if TYPE_CHECKING:
    from synapse_nextgen_auth.homeserver.devices import verified
else:
    verified = late.file("homeserver.devices.verified")

NEEDS = (
    Needed(
        "synapse.handlers.auth",
        "AuthHandler.delete_access_tokens_for_devices",
        ("user_id", "device_ids"),
    ),
    Needed(
        "synapse.handlers.device",
        "DeviceHandler.upsert_device",
        ("user_id", "device_id", "display_name"),
    ),
    Needed(
        "synapse.handlers.device", "DeviceHandler.notify_device_update", ("user_id", "device_ids")
    ),
    Needed("synapse.handlers.device", "DeviceHandler.delete_devices", ("user_id", "device_ids")),
    Needed(
        "synapse.handlers.device",
        "DeviceHandler.update_device",
        ("user_id", "device_id", "content"),
    ),
    Needed("synapse.handlers.device", "DeviceHandler.get_devices_by_user", ("user_id",)),
    Needed("synapse.handlers.auth", "AuthHandler.delete_access_token", ("access_token",)),
    Needed("synapse.handlers.device", "MAX_DEVICE_DISPLAY_NAME_LEN"),
    Needed("synapse.storage.databases.main", "DataStore.delete_devices", ("user_id", "device_ids")),
    Needed("synapse.storage.databases.main", "DataStore.get_dehydrated_device", ("user_id",)),
    Needed(
        "synapse.storage.database",
        "DatabasePool.simple_select_one_onecol",
        ("table", "keyvalues", "retcol", "allow_none", "desc"),
    ),
    *members(
        "synapse.server",
        "HomeServer",
        "get_auth_handler",
        "get_clock",
        "get_device_handler",
    ),
)

logger = logging.getLogger(__name__)


@frozen
class Device:
    """A Matrix device; `last_seen` in seconds since the epoch."""

    device_id: str
    name: str
    last_seen: int | None
    address: str | None
    user_agent: str | None = attrs.field(default=None, repr=False)


LONGEST_NAME = MAX_DEVICE_DISPLAY_NAME_LEN


def as_device_name(name: str) -> str:
    """Return the name of a client as that of a device: Synapse takes no longer ones."""
    return shortened(name, MAX_DEVICE_DISPLAY_NAME_LEN)


class Devices:
    """What sessions do to devices, and devices to sessions."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver
        self._colleagues = homeserver.colleagues
        self._handler = homeserver.hs.get_device_handler()
        self._auth_handler = homeserver.hs.get_auth_handler()
        self.verified = late.made(lambda: verified.Verified(homeserver))
        # Within a process they ask one after the other, so that the database has to settle no more
        # than one request of each process at a time.
        self._places = Linearizer(name="nextgen_places", clock=homeserver.hs.get_clock())

    async def is_reserved(self, user_id: str, device_id: str) -> bool:
        """Say whether the id is taken by something that is no device one can sign in to (C307)."""
        if await self.dehydrated(user_id) == device_id:
            return True
        return bool(
            await self._homeserver.store.db_pool.simple_select_one_onecol(
                table="devices",
                keyvalues={"user_id": user_id, "device_id": device_id},
                retcol="hidden",
                allow_none=True,
                desc="nextgen_is_hidden_device",
            )
        )

    async def dehydrated(self, user_id: str) -> str | None:
        """Return the device that waits for an account's messages while nobody is signed in (MSC3814)."""
        found = await self._homeserver.store.get_dehydrated_device(user_id)
        return None if found is None else str(found[0])

    async def name_of(self, user_id: str, device_id: str) -> str | None:
        """Return how an existing device is called: its display name, else its id."""
        name = await self._homeserver.device_name(user_id, device_id)
        return None if name is None else name or device_id

    async def is_free(self, session: Session) -> bool:
        """Say whether the device of a session is still to be made."""
        return session.device_id is None or (
            await self._homeserver.device_name(session.user_id, session.device_id) is None
        )

    def place(self, user_id: str) -> AbstractAsyncContextManager[None]:
        """Wait for those that look for room in the same account, where there is a limit (C314)."""
        place: AbstractAsyncContextManager[None] = self._places.queue(user_id)
        return place

    async def list_for(self, user_id: str) -> list[Device]:
        """Return the devices of an account, the one last seen first."""
        found = [
            Device(
                device_id=device["device_id"],
                name=device["display_name"] or device["device_id"],
                last_seen=_seconds(device.get("last_seen_ts")),
                address=device.get("last_seen_ip"),
                user_agent=device.get("last_seen_user_agent"),
            )
            for device in await self._handler.get_devices_by_user(user_id)
        ]
        return sorted(found, key=lambda device: -(device.last_seen or 0))

    async def expect_to_provide(self, device_id: str | None) -> None:
        """Raise `Away` unless a device can be made: ask before anything is spent on it."""
        if device_id is not None:
            await self._colleagues.expect(self._colleagues.for_new_devices)

    async def provide(self, session: Session, *, display_name: str) -> None:
        """Make sure the device of a fresh session exists and only this session speaks for it.

        Its keys stay; earlier legacy tokens of it die. Raises `StoreError` when it cannot be made,
        and `Away` when the process that tells others of it went away meanwhile.
        """
        if session.device_id is None:
            return
        known = await self._homeserver.device_name(session.user_id, session.device_id)
        await self._colleagues.work_with(
            self._colleagues.for_new_devices,
            partial(
                self._handler.upsert_device,
                session.user_id,
                session.device_id,
                # A name that the person gave the device stays.
                display_name=known or as_device_name(display_name),
            ),
        )
        # Last, because it cannot be taken back.
        forget = await versions.tokens_left_in_memory(
            self._homeserver.store, session.user_id, session.device_id
        )
        await self._auth_handler.delete_access_tokens_for_devices(
            session.user_id, [session.device_id]
        )
        await forget()

    async def unmake(self, session: Session) -> None:
        """Delete a device that was made a moment ago and that nobody was told of.

        Not as `/logout` does: what the person agreed to stays good, so that the application can try
        again. The other homeservers hear of it as soon as they can be told.
        """
        if session.device_id is None:
            return
        device_ids = [session.device_id]
        await self._homeserver.store.delete_devices(session.user_id, device_ids)
        background.begin(
            self._homeserver.hs,
            Background.DEVICE_UNMADE,
            self._handler.notify_device_update,
            session.user_id,
            device_ids,
        )

    async def remove(self, user_id: str, device_id: str, *, is_over: bool = False) -> None:
        """Delete the device as `/logout` does; one that is gone already is fine.

        Raises `Away` when a process that it needs is not there: then nothing was deleted. What was
        begun is finished later by itself, also where the session `is_over` already.
        """
        names = self._colleagues.for_old_devices
        is_begun = is_over
        try:
            await self._colleagues.expect(names, afresh=True)
            is_begun = True
            await self._colleagues.work_with(names, partial(self._delete, user_id, device_id))
        except Away:
            if is_begun:
                background.begin(
                    self._homeserver.hs,
                    Background.DEVICE_REMOVED_LATER,
                    self._finish,
                    user_id,
                    device_id,
                )
            raise

    async def remove_all(self, user_id: str, device_ids: Sequence[str]) -> None:
        """Delete several devices as `/delete_devices` does; call `expect_to_remove` first.

        What could not be done, as a process went away, is done later by itself.
        """
        names = self._colleagues.for_old_devices
        try:
            await self._colleagues.work_with(
                names, partial(self._handler.delete_devices, user_id, list(device_ids))
            )
        except Away:
            for device_id in device_ids:
                background.begin(
                    self._homeserver.hs,
                    Background.DEVICE_REMOVED_LATER,
                    self._finish,
                    user_id,
                    device_id,
                )
            raise

    async def rename(self, user_id: str, device_id: str, name: str) -> bool:
        """Give a device another display name; False where there is no such one."""
        try:
            await self._handler.update_device(user_id, device_id, {"display_name": name})
        except NotFoundError:
            return False
        return True

    async def _delete(self, user_id: str, device_id: str) -> None:
        try:
            await self._handler.delete_devices(user_id, [device_id])
        except StoreError as error:
            if error.code != 404:
                raise

    async def expect_to_remove(self) -> None:
        """Raise `Away` unless devices can be deleted: ask before anything is changed for it."""
        await self._colleagues.expect(self._colleagues.for_old_devices, afresh=True)

    async def sign_out(self, work: SignOutDevices, entry_id: str | None) -> None:
        """Sign an account out of what it had when its password was set, as a change of it does.

        Its sessions are over already. What fails here the outbox does, where it waits.
        """
        try:
            await self._sign_out(work)
            if entry_id is not None:
                await self._homeserver.run(outbox.done, entry_id)
        except Exception:
            logger.warning("Could not delete the devices of %s yet", work.user_id, exc_info=True)

    async def finish_sign_out(self, work: SignOutDevices) -> None:
        """Do the same some time later, in the main process; what is gone already is fine."""
        await self.expect_to_remove()
        await self._sign_out(work)

    async def _sign_out(self, work: SignOutDevices) -> None:
        left = await self._homeserver.run(end_session.left_behind, work)
        await self._colleagues.work_with(
            self._colleagues.for_old_devices, partial(self._delete_all, work, left)
        )

    async def _delete_all(self, work: SignOutDevices, device_ids: list[str]) -> None:
        await self._handler.delete_devices(work.user_id, device_ids)
        # Those that are of no device.
        for token in await self._homeserver.read(
            devices.list_stock_tokens, work.user_id, last=work.last_token
        ):
            await self.remove_token(token)

    async def remove_token(self, token: str) -> None:
        """Delete one of Synapse's own tokens; one that is gone already is fine."""
        try:
            await self._auth_handler.delete_access_token(token)
        except SynapseError as error:
            if error.code != 401:
                raise

    async def finish(self, user_id: str, device_id: str) -> None:
        """Delete what is left of a device, unless somebody signed in on it again meanwhile.

        Raises `Away` when a process that it needs is not there.
        """
        await self._colleagues.expect(self._colleagues.for_old_devices)
        if not await self._homeserver.run(end_session.has_heir, user_id, device_id):
            await self._colleagues.work_with(
                self._colleagues.for_old_devices, partial(self._delete, user_id, device_id)
            )

    async def _finish(self, user_id: str, device_id: str) -> None:
        """Delete what is left of a device as soon as that can be done."""
        if not await insist(self._homeserver, partial(self.finish, user_id, device_id)):
            logger.error("Gave up removing device %s of %s", device_id, user_id)

    async def logged_out(self, session: Session) -> None:
        """Tell other modules that a session logged out, as of a stock token, but without one (C335)."""
        await self._auth_handler.password_auth_provider.on_logged_out(
            user_id=session.user_id,
            device_id=session.device_id,
            access_token=surrogate(session.session_id),
        )

    async def end_sessions(
        self, user_id: str, device_ids: Collection[str], why: End
    ) -> list[Session]:
        """End whatever sessions live on these devices; return them."""
        return await self._homeserver.run(
            end_session.end_for_devices,
            user_id,
            tuple(device_ids),
            why=why,
            now=self._homeserver.now(),
        )


def _seconds(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else milliseconds // 1000

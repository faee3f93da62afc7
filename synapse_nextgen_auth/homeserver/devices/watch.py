"""What Synapse does to devices and accounts, and what that means for their sessions.

Whatever it deletes, closes, locks or gives another password to, whoever asked for it.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from synapse_nextgen_auth import late
from synapse_nextgen_auth.flows import end_session
from synapse_nextgen_auth.homeserver import http
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.devices.matrix_devices import Devices
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.sessions import End

if TYPE_CHECKING:
    from synapse_nextgen_auth.flows import close_account, factor_mail, own_ways
else:
    close_account, factor_mail, own_ways = late.files(
        "flows.close_account", "flows.factor_mail", "flows.own_ways"
    )

NEEDS = (
    Needed(
        "synapse.handlers.register", "RegistrationHandler.register_device", ("user_id", "device_id")
    ),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.user_set_password_hash",
        ("user_id", "password_hash"),
    ),
    Needed(
        "synapse.storage.databases.main", "DataStore.set_user_locked_status", ("user_id", "locked")
    ),
    Needed(
        "synapse.push.pusherpool", "PusherPool.remove_pushers_by_devices", ("user_id", "devices")
    ),
    Needed("synapse.handlers.device", "DeviceHandler.delete_all_devices_for_user", ("user_id",)),
    *members(
        "synapse.server",
        "HomeServer",
        "get_device_handler",
        "get_pusherpool",
        "get_registration_handler",
    ),
)


class Watch:
    """Hears what becomes of devices and accounts."""

    def __init__(self, homeserver: Homeserver, devices: Devices) -> None:
        self._homeserver = homeserver
        self._devices = devices
        self._handler = homeserver.hs.get_device_handler()
        self._stock_remove: Any = None

    def begin(self) -> None:
        """End sessions when Synapse deletes their device, or gives it to a legacy sign-in.

        Deleted devices are refused without this too, through Synapse's own cache; it keeps an ended
        session from coming back with a later device of the same id (C333).
        """
        # Part of deleting a device; other modules hear of a logout while its pushers are still there.
        pushers = self._homeserver.hs.get_pusherpool()
        self._stock_remove = patches.instead(
            pushers, "remove_pushers_by_devices", self._remove_pushers
        )
        patches.after(self._handler, "delete_all_devices_for_user", self._all_deleted)
        # Not at `check_device_registered`: uploading the keys of a device goes through that, too.
        registration = self._homeserver.hs.get_registration_handler()
        patches.after(registration, "register_device", self._registered)
        # Not at the handler: that may fail halfway, when the new password is in force already.
        store = self._homeserver.store
        patches.after(store, "user_set_password_hash", self._password_set)
        patches.after(store, "set_user_locked_status", self._lock_set)
        self._homeserver.api.register_third_party_rules_callbacks(
            on_user_deactivation_status_changed=self._deactivated,
            on_remove_user_third_party_identifier=self._address_removed,
        )

    async def _remove_pushers(self, user_id: str, devices: Collection[str]) -> None:
        """Hear that devices were deleted: their pushers are about to be."""
        await self._deleted(user_id, devices)
        await self._stock_remove(user_id, devices)

    async def _deleted(self, user_id: str, devices: Collection[str]) -> None:
        for session in await self._devices.end_sessions(user_id, devices, End.LOGOUT):
            await self._devices.logged_out(session)

    async def _all_deleted(
        self, _result: Any, user_id: str, except_device_id: str | None = None
    ) -> None:
        """After /logout/all, a password change that logs out, a deactivation: the rest goes, too."""
        await self._homeserver.run(
            end_session.sign_out_everywhere,
            user_id,
            now=self._homeserver.now(),
            keep_device=except_device_id,
        )

    async def _deactivated(self, user_id: str, deactivated: bool, _by_admin: bool) -> None:  # noqa: FBT001
        """Leave nothing behind that slipped in while the account was being taken down (C317)."""
        if deactivated:
            await self._handler.delete_all_devices_for_user(user_id)
            await self._homeserver.run(close_account.clear, user_id, now=self._homeserver.now())

    async def _address_removed(self, user_id: str, medium: str, address: str) -> None:
        """Let no code and no link be good that went to an address which an account has no more."""
        if medium == "email":
            now, network = self._homeserver.now(), http.address_of_request()
            owner = own_ways.Owner(user_id=user_id, now=now, address=network)
            await self._homeserver.run(factor_mail.address_gone, address, owner)

    async def _password_set(
        self, _result: Any, user_id: str, *_args: object, **_kwargs: object
    ) -> None:
        """Let nobody collect what was approved under the former password."""
        await self._homeserver.run(end_session.withdraw, user_id, now=self._homeserver.now())

    async def _lock_set(self, _result: Any, user_id: str, locked: bool) -> None:  # noqa: FBT001
        """Let nobody collect after the lock what was approved before it, even once it is lifted."""
        if locked:
            await self._homeserver.run(end_session.withdraw, user_id, now=self._homeserver.now())

    async def _registered(
        self,
        registered: tuple[str, ...],
        user_id: str,
        device_id: str | None = None,
        initial_display_name: str | None = None,  # noqa: ARG002 (modules name it)
        is_guest: bool = False,  # noqa: FBT001, FBT002 (Synapse's)
        is_appservice_ghost: bool = False,  # noqa: FBT001, FBT002 (Synapse's)
        **_kwargs: object,
    ) -> None:
        device_id = registered[0]
        await self._homeserver.run(
            end_session.take_over,
            user_id,
            device_id,
            is_person=not (is_guest or is_appservice_ghost),
            address=http.address_of_request(),
            now=self._homeserver.now(),
        )

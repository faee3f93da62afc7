"""Accounts that Synapse closes, whoever asks: what is ours of them goes, wherever a process dies.

Synapse marks the account and tells modules much later; a process that dies in between never does. So
what is left to do is written down before the mark.
"""

import logging
from typing import TYPE_CHECKING, Any

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.works import FinishClosing
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.http import address_of_request
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.secret import Keyring

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts import notices
    from synapse_nextgen_auth.flows import close_account
else:
    notices, close_account = late.files("accounts.notices", "flows.close_account")

NEEDS = (
    Needed(
        "synapse.handlers.deactivate_account",
        "DeactivateAccountHandler.deactivate_account",
        ("user_id", "erase_data", "requester", "id_server", "by_admin"),
    ),
    Needed(
        "synapse.handlers.deactivate_account",
        "DeactivateAccountHandler.notify_account_deactivated",
        ("user_id", "by_admin"),
    ),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.set_user_deactivated_status",
        ("user_id", "deactivated"),
    ),
    Needed("synapse.storage.databases.main", "DataStore.user_get_threepids", ("user_id",)),
    Needed("synapse.handlers.device", "DeviceHandler.delete_all_devices_for_user", ("user_id",)),
    *members(
        "synapse.server", "HomeServer", "get_deactivate_account_handler", "get_device_handler"
    ),
)


logger = logging.getLogger(__name__)


class Closings:
    """Sees to it that what is closed is closed wholly; without `keys` no address hears of it."""

    def __init__(self, homeserver: Homeserver, keys: Keyring | None) -> None:
        self._homeserver = homeserver
        self._keys = keys
        self._by_person: dict[str, FinishClosing] = {}
        self._under_way: set[str] = set()

    def install(self) -> None:
        """Take part in each closing."""
        store, handler = (
            self._homeserver.store,
            self._homeserver.hs.get_deactivate_account_handler(),
        )
        self._stock_mark: Any = patches.instead(store, "set_user_deactivated_status", self._mark)
        self._stock_close: Any = patches.instead(handler, "deactivate_account", self._close)

    def is_under_way(self, user_id: str) -> bool:
        """Say whether this process takes an account down, with its addresses and its password."""
        return user_id in self._under_way

    async def finish(self, work: FinishClosing) -> None:
        """Finish what a process began and did not end; main process only."""
        is_closed, hs = await self._homeserver.is_closed(work.user_id), self._homeserver.hs
        if is_closed:
            await hs.get_device_handler().delete_all_devices_for_user(work.user_id)
        await self._homeserver.run(close_account.finish, work, now=self._homeserver.now())
        if is_closed:
            # Modules hear of it, and the account leaves its rooms.
            handler = hs.get_deactivate_account_handler()
            await handler.notify_account_deactivated(work.user_id, by_admin=not work.by_person)

    async def _close(self, user_id: str, *args: Any, **kwargs: Any) -> Any:
        self._under_way.add(user_id)
        try:
            return await self._close_by(user_id, *args, **kwargs)
        finally:
            self._under_way.discard(user_id)

    async def _close_by(
        self,
        user_id: str,
        erase_data: bool,  # noqa: FBT001 (Synapse's)
        requester: Any,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Remember who closes an account, and where they read of it: Synapse takes its addresses."""
        if kwargs.get("by_admin") or (len(args) > 1 and args[1]):
            return await self._stock_close(user_id, erase_data, requester, *args, **kwargs)
        threepids = await self._homeserver.store.user_get_threepids(user_id)
        addresses = [each.address for each in threepids if each.medium == "email"]
        self._by_person[user_id] = FinishClosing(
            user_id,
            by_person=1,
            address=address_of_request() or "",
            also_to=notices.seal_addresses(self._keys, addresses)
            if self._keys and addresses
            else "",
        )
        try:
            return await self._stock_close(user_id, erase_data, requester, *args, **kwargs)
        finally:
            self._by_person.pop(user_id, None)

    async def _mark(self, user_id: str, deactivated: bool) -> None:  # noqa: FBT001 (Synapse's)
        if not deactivated:
            await self._stock_mark(user_id, deactivated)
            return
        work = self._by_person.get(user_id) or FinishClosing(user_id, 0, "", "")
        await self._homeserver.run(close_account.expect, work, now=self._homeserver.now())
        await self._stock_mark(user_id, deactivated)
        try:
            await self._homeserver.run(close_account.finish, work, now=self._homeserver.now())
        except Exception:
            # Synapse goes on, whatever is wrong with us; the main process does it a minute later.
            logger.warning("Could not finish closing %s yet", user_id, exc_info=True)

"""Passwords and addresses that Synapse itself changes, whoever asks it: their owner is told.

It is heard of where Synapse writes its rows, on every process. What our pages change they write in
transactions of their own; what Synapse does of it afterwards finds nothing to change.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from synapse_nextgen_auth import late
from synapse_nextgen_auth.homeserver import http
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.people.closings import Closings
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.secret import Keyring
from synapse_nextgen_auth.store.txn import Txn

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts import notices
    from synapse_nextgen_auth.flows import changed_by_synapse as flow
    from synapse_nextgen_auth.flows import own_ways
    from synapse_nextgen_auth.flows.changed_by_synapse import Change
    from synapse_nextgen_auth.homeserver.matrix.uia import used
    from synapse_nextgen_auth.store import own_ways as rows
    from synapse_nextgen_auth.store import passwords
else:
    notices, flow, own_ways, used, rows, passwords = late.files(
        "accounts.notices",
        "flows.changed_by_synapse",
        "flows.own_ways",
        "homeserver.matrix.uia.used",
        "store.own_ways",
        "store.passwords",
    )

NEEDS = (
    Needed(
        "synapse.storage.databases.main",
        "DataStore.user_set_password_hash",
        ("user_id", "password_hash"),
    ),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.user_add_threepid",
        ("user_id", "medium", "address", "validated_at", "added_at"),
    ),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.user_delete_threepid",
        ("user_id", "medium", "address"),
    ),
)

logger = logging.getLogger(__name__)

P = ParamSpec("P")


class ChangedBySynapse:
    """Writes down what Synapse changes."""

    def __init__(self, homeserver: Homeserver, keys: Keyring, closings: Closings) -> None:
        self._homeserver = homeserver
        self._keys = keys
        self._closings = closings
        self._stock_set: Any = None
        self._stock_add: Any = None
        self._stock_delete: Any = None

    def install(self) -> None:
        """Hear of it from now on."""
        store = self._homeserver.store
        self._stock_set = patches.instead(store, "user_set_password_hash", self._set_password)
        self._stock_add = patches.instead(store, "user_add_threepid", self._add)
        self._stock_delete = patches.instead(store, "user_delete_threepid", self._delete)

    async def _set_password(self, user_id: str, password_hash: str | None) -> None:
        if password_hash is None:  # as part of a closing
            await self._stock_set(user_id, password_hash)
            return
        change = self._change(user_id)
        had_one = await self._homeserver.read(passwords.of_account, user_id) is not None
        await self._stock_set(user_id, password_hash)
        await self._write(user_id, flow.password_set, change, had_one=had_one)

    async def _add(
        self, user_id: str, medium: str, address: str, validated_at: int, added_at: int
    ) -> None:
        """Synapse takes an address from whoever has it: who confirmed it before can come late."""
        change, also_to = self._change(user_id), self._also_to(medium, address)
        had_it = await self._homeserver.read(rows.owner_of, medium, address)
        await self._stock_add(user_id, medium, address, validated_at, added_at)
        if had_it == user_id:
            return
        await self._write(user_id, flow.address_added, change, medium)
        if had_it is not None:
            of, now = (had_it, medium, address), change.owner.now
            await self._write(had_it, flow.address_lost, *of, also_to=also_to, now=now)

    async def _delete(self, user_id: str, medium: str, address: str) -> None:
        change, also_to = self._change(user_id), self._also_to(medium, address)
        had_it = await self._homeserver.read(rows.owner_of, medium, address)
        await self._stock_delete(user_id, medium, address)
        if had_it == user_id and not self._closings.is_under_way(user_id):
            await self._write(user_id, flow.address_removed, change, medium, also_to=also_to)

    def _change(self, user_id: str) -> "Change":
        now, network = self._homeserver.now(), http.address_of_request()
        return flow.Change(
            owner=own_ways.Owner(user_id=user_id, now=now, address=network),
            by=http.signed_in_with_request(),
            is_approved=used.is_approved(),
        )

    def _also_to(self, medium: str, address: str) -> str:
        return notices.seal_addresses(self._keys, [address]) if medium == rows.EMAIL else ""

    async def _write(
        self,
        user_id: str,
        happened: Callable[Concatenate[Txn, P], None],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """Write it down; it is done, and whoever asked for it hears so, whatever becomes of this."""
        try:
            await self._homeserver.run(happened, *args, **kwargs)
        except Exception:
            logger.warning("Could not write down what was changed of %s", user_id, exc_info=True)

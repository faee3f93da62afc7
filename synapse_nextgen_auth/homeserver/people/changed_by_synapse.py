"""Passwords and addresses that Synapse itself changes, whoever asks it: their owner is told.

It is heard of where Synapse writes its rows, on every process. What our pages change they write in
transactions of their own; what Synapse does of it afterwards finds nothing to change.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.outbox import NotYet
from synapse_nextgen_auth.accounts.works import NoteChange
from synapse_nextgen_auth.homeserver import http
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.people.closings import Closings
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.secret import Keyring, digest
from synapse_nextgen_auth.store.txn import Txn

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts import notices
    from synapse_nextgen_auth.flows import changed_by_synapse as flow
    from synapse_nextgen_auth.homeserver.matrix.uia import used
    from synapse_nextgen_auth.store import own_ways as rows
    from synapse_nextgen_auth.store import passwords
else:
    notices, flow, used, rows, passwords = late.files(
        "accounts.notices",
        "flows.changed_by_synapse",
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

# What waits in the outbox says so of a password that an account had before.
_HAD = "1"
# Seconds after which nobody is at it any more, however long the database takes.
_LONGEST = 10 * 60


class ChangedBySynapse:
    """Writes down what Synapse changes.

    Synapse's transaction is not ours, and a process can die between the two. So what is about to be
    changed is written down before, and the main process looks after it a minute later.
    """

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

    async def finish(self, work: NoteChange) -> None:
        """Write down what a process had Synapse do, and died before it did; main process only.

        It may not have died, but take longer, or have a clock that is behind.
        """
        said = self._address_in(work)
        if said is None or await self._homeserver.run(flow.finish, work, said):
            return
        if self._homeserver.now() < work.at + _LONGEST:
            raise NotYet(work.what)

    async def _set_password(self, user_id: str, password_hash: str | None) -> None:
        if password_hash is None:  # as part of a closing
            await self._stock_set(user_id, password_hash)
            return
        had = await self._homeserver.read(passwords.of_account, user_id)
        work = self._work(
            user_id, flow.PASSWORD, had=_HAD if had else "", about=digest(password_hash)
        )
        await self._noted(work, "", partial(self._stock_set, user_id, password_hash))

    async def _add(
        self, user_id: str, medium: str, address: str, validated_at: int, added_at: int
    ) -> None:
        """Synapse takes an address from whoever has it: who confirmed it before can come late."""
        had_it = await self._homeserver.read(rows.owner_of, medium, address)
        add = partial(self._stock_add, user_id, medium, address, validated_at, added_at)
        if had_it == user_id or medium not in {rows.EMAIL, rows.PHONE}:
            await add()
            return
        about = self._sealed(address)
        work = self._work(user_id, flow.ADDED_ONE, had=had_it or "", medium=medium, about=about)
        await self._noted(work, address, add)

    async def _delete(self, user_id: str, medium: str, address: str) -> None:
        had_it = await self._homeserver.read(rows.owner_of, medium, address)
        delete = partial(self._stock_delete, user_id, medium, address)
        is_ours = had_it == user_id and medium in {rows.EMAIL, rows.PHONE}
        if not is_ours or self._closings.is_under_way(user_id):
            await delete()
            return
        work = self._work(user_id, flow.REMOVED_ONE, medium=medium, about=self._sealed(address))
        await self._noted(work, address, delete)

    def _work(
        self, user_id: str, what: str, *, about: str, had: str = "", medium: str = ""
    ) -> NoteChange:
        return NoteChange(
            user_id=user_id,
            what=what,
            at=self._homeserver.now(),
            by=http.signed_in_with_request() or "",
            network=http.address_of_request() or "",
            is_approved=int(used.is_approved()),
            had=had,
            medium=medium,
            about=about,
        )

    def _sealed(self, address: str) -> str:
        return notices.seal_addresses(self._keys, [address])

    def _address_in(self, work: NoteChange) -> str | None:
        """Return the address or number, if it is about one; `None` if no key of ours fits any more."""
        if not work.medium:
            return ""
        addresses = notices.unseal_addresses(self._keys, work.about)
        return None if addresses is None else addresses[0]

    async def _noted(
        self, work: NoteChange, said: str, change: Callable[[], Awaitable[None]]
    ) -> None:
        """Have Synapse change it, between two notes: the main process looks after the first alone.

        Once it is done, whoever asked for it hears so, whatever becomes of the second.
        """
        await self._homeserver.run(flow.expect, work)
        try:
            await change()
        except self._homeserver.database_errors:
            # Whoever tries again is told of that alone.
            await self._write(flow.failed, work, said)
            raise
        await self._write(flow.note, work, said)

    async def _write(
        self, then: Callable[[Txn, NoteChange, str], None], work: NoteChange, said: str
    ) -> None:
        try:
            await self._homeserver.run(then, work, said)
        except Exception:
            logger.warning(
                "Could not write down yet what was changed of %s", work.user_id, exc_info=True
            )

"""Sessions, clients, accounts and devices as requests look them up: many read at once.

A process that has just started knows none of them. When everybody comes back to it, a transaction
and a thread for each would cost more than all the rest; so what comes together is one statement.
What Synapse keeps goes into its own caches, as its own methods would have put it there.
"""

import logging
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from synapse.api.errors import StoreError
from synapse.logging.context import PreserveLoggingContext
from synapse.server import HomeServer
from synapse.types import UserID, UserInfo
from twisted.enterprise.adbapi import ConnectionLost
from twisted.internet.defer import Deferred

from synapse_nextgen_auth import late
from synapse_nextgen_auth.homeserver import background
from synapse_nextgen_auth.homeserver.background import Background
from synapse_nextgen_auth.homeserver.database import known_methods
from synapse_nextgen_auth.homeserver.database.caches import cache_of, recall, recall_through
from synapse_nextgen_auth.homeserver.database.gathered import Gathered
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.clients.record import Client
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import accounts, clients, devices, sessions
from synapse_nextgen_auth.store.accounts import AccountRow
from synapse_nextgen_auth.store.devices import DeviceRow
from synapse_nextgen_auth.store.txn import Txn

if TYPE_CHECKING:
    from synapse_nextgen_auth.oauth.grants.device_grants import DeviceGrant
    from synapse_nextgen_auth.store import device_grants
else:
    device_grants = late.file("store.device_grants")

NEEDS = (
    Needed("synapse.storage.databases.main", "DataStore.get_device", ("user_id", "device_id")),
    Needed("synapse.storage.databases.main", "DataStore.get_user_by_id", ("user_id",)),
    Needed("synapse.storage.databases.main", "DataStore.get_user_locked_status", ("user_id",)),
    Needed("synapse.util.caches.deferred_cache", "DeferredCache.get", ("key",)),
    Needed("synapse.util.caches.deferred_cache", "DeferredCache.set", ("key", "value")),
    *members("synapse.server", "HomeServer", "get_datastores", "get_reactor"),
)

logger = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Device = tuple[str, str]  # account and device

_MOST = 200  # of one kind in a statement
# How long (seconds) others wait for a statement under way: one connection that is dead, and does not
# know it, must not keep everybody from the others.
_PATIENCE = 1


class Read(Protocol):
    """What runs a SELECT: `Homeserver.read`."""

    def __call__(
        self, select: Callable[[Txn, Sequence[K]], Mapping[K, V]], keys: Sequence[K], /
    ) -> Awaitable[Mapping[K, V]]:
        """Return what the SELECT finds of these keys."""


class _Lookup(Generic[K, V]):
    """One kind of them."""

    def __init__(
        self, hs: HomeServer, read: Read, select: Callable[[Txn, Sequence[K]], Mapping[K, V]]
    ) -> None:
        self._read = partial(read, select)
        module = hs.get_datastores().main.database_engine.module
        self._database_errors = (module.Error, ConnectionLost)
        reactor: Any = hs.get_reactor()
        self._gathered = Gathered[K, V | _Unreadable](
            self._answer,
            most=_MOST,
            begin=partial(background.begin, hs, Background.LOOKUPS),
            move_on=partial(reactor.callLater, _PATIENCE),
            alone=True,
        )

    async def ask(self, key: K) -> V | None:
        """Return what is there, `None` if nothing is; whatever becomes of its neighbours.

        A connection that breaks takes all of a batch with it, so they are asked for once more,
        together again: a database that is away is not asked by each of them.
        """
        try:
            found = await self._gathered.ask(key)
        except self._database_errors:
            found = await self._gathered.ask(key)
        if isinstance(found, _Unreadable):
            raise found.error
        return found

    async def _answer(self, keys: Sequence[K]) -> Mapping[K, "V | _Unreadable"]:
        """Read them; of a row that cannot be read only those hear who ask for it."""
        try:
            return await self._read(keys)
        except self._database_errors:
            raise
        except Exception as error:
            if len(keys) == 1:
                logger.warning("Could not read a row that was looked up", exc_info=True)
                return {keys[0]: _Unreadable(error)}
            half = len(keys) // 2
            return {**await self._answer(keys[:half]), **await self._answer(keys[half:])}


@frozen
class _Unreadable:
    """Stands for what is there and cannot be read."""

    error: Exception


class Lookups:
    """What a request has to know and this process may not remember; `polls` reads what is polled."""

    def __init__(self, hs: HomeServer, read: Read, *, polls: Read | None = None) -> None:
        # Its methods with a cache are descriptors that only Synapse's own plugin understands.
        self._store: Any = hs.get_datastores().main
        self._sessions = _Lookup[str, Session](hs, read, look_up_sessions)
        self._clients = _Lookup[str, Client](hs, read, look_up_clients)
        self._polls: _Lookup[str, DeviceGrant] = _Lookup(hs, polls or read, look_up_polls)
        self._accounts = _Lookup[str, AccountRow](hs, read, look_up_accounts)
        self._devices = _Lookup[Device, DeviceRow](hs, read, look_up_devices)
        self._knows_accounts = known_methods.are_known(known_methods.OF_ACCOUNTS)
        self._knows_devices = known_methods.are_known(known_methods.OF_DEVICES)

    async def session(self, session_id: str) -> Session | None:
        """Return the session as the database has it, living or ended."""
        return await self._sessions.ask(session_id)

    async def client(self, client_id: str) -> Client | None:
        """Return the registered client as the database has it."""
        return await self._clients.ask(client_id)

    async def polled(self, device_code: str) -> "DeviceGrant | None":
        """Return the device grant with a code of this digest as the database has it now."""
        return await self._polls.ask(device_code)

    async def user(self, user_id: str) -> UserInfo | None:
        """Return what Synapse knows about an account, by way of its replicated cache."""
        known = self._store.get_user_by_id
        found: UserInfo | None
        if self._knows_accounts and _have_caches(known, self._store.get_user_locked_status):
            found = await recall_through(known, user_id, self._user)
        else:
            found = await recall(known, user_id)
        return found

    async def device(self, user_id: str, device_id: str) -> Mapping[str, Any] | None:
        """Return what Synapse knows about a device, by way of its replicated cache."""
        known = self._store.get_device
        found: Mapping[str, Any] | None
        if self._knows_devices and _have_caches(known):
            found = await recall_through(known, (user_id, device_id), self._device)
        else:
            found = await recall(known, user_id, device_id)
        return found

    async def _user(self, user_id: str) -> UserInfo | None:
        locked = _Promise(self._store.get_user_locked_status, user_id)
        try:
            row = await self._accounts.ask(user_id)
        except BaseException as error:  # a cancellation, too: nothing stays pending in the cache
            locked.fail(error)
            raise
        if row is None:
            locked.fail(StoreError(404, "No row found"))
            return None
        locked.keep(bool(row.locked))
        return _user_info(row)

    async def _device(self, device: Device) -> Mapping[str, Any] | None:
        found = await self._devices.ask(device)
        if found is None:
            return None
        user_id, device_id = device
        return {"user_id": user_id, "device_id": device_id, "display_name": found.display_name}


class _Promise:
    """A value on its way into one of Synapse's caches, unless it is there or on its way already.

    It is pending from before the database is asked, so that of a change in between nothing stale
    stays.
    """

    def __init__(self, cached_function: Any, key: str) -> None:
        cache = cached_function.cache
        self._value: Deferred[Any] | None = None
        try:
            known = cache.get(key, update_metrics=False)
            if not known.called:
                known.addErrback(lambda _: None)  # whoever asked hears of it
        except KeyError:
            self._value = Deferred()
            cache.set(key, self._value).addErrback(lambda _: None)

    def keep(self, value: Any) -> None:
        """Hand the value over."""
        if self._value is not None:
            with PreserveLoggingContext():
                self._value.callback(value)

    def fail(self, error: BaseException) -> None:
        """Leave nothing in the cache."""
        if self._value is not None:
            with PreserveLoggingContext():
                self._value.errback(error)


def _have_caches(*functions: Any) -> bool:
    return all(cache_of(each) is not None for each in functions)


def look_up_sessions(txn: Txn, session_ids: Sequence[str]) -> dict[str, Session]:
    """Return these sessions by their ids."""
    return sessions.by_ids(txn, session_ids)


def look_up_clients(txn: Txn, client_ids: Sequence[str]) -> dict[str, Client]:
    """Return these clients by their ids, but for what is blocked."""
    return {client.client_id: client for client in clients.list_admitted(txn, client_ids)}


def look_up_polls(txn: Txn, digests: Sequence[str]) -> "dict[str, DeviceGrant]":
    """Return the device grants that devices poll for, by the digests of their codes."""
    return device_grants.by_device_codes(txn, digests)


def look_up_accounts(txn: Txn, user_ids: Sequence[str]) -> dict[str, AccountRow]:
    """Return the rows of these accounts by their names."""
    return {row.name: row for row in accounts.list_by_ids(txn, user_ids)}


def look_up_devices(txn: Txn, pairs: Sequence[Device]) -> dict[Device, DeviceRow]:
    """Return these devices by account and id."""
    return {(row.user_id, row.device_id): row for row in devices.list_by_ids(txn, pairs)}


def _user_info(row: AccountRow) -> UserInfo:
    return UserInfo(
        user_id=UserID.from_string(row.name),
        appservice_id=row.appservice_id,
        consent_server_notice_sent=row.consent_server_notice_sent,
        consent_version=row.consent_version,
        consent_ts=row.consent_ts,
        user_type=row.user_type,
        creation_ts=row.creation_ts,
        is_admin=bool(row.admin),
        is_deactivated=bool(row.deactivated),
        is_guest=bool(row.is_guest),
        is_shadow_banned=bool(row.shadow_banned),
        approved=row.approved is None or bool(row.approved),
        locked=bool(row.locked),
        suspended=bool(row.suspended),
    )

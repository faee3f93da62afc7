"""E-mail addresses and phone numbers of an account, as far as Synapse has to hear of a change.

The rows themselves change in a flow of ours (`flows/own_ways.py`), which knows whose an address is.
"""

import logging

from synapse.util.async_helpers import yieldable_gather_results
from synapse.util.threepids import check_3pid_allowed

from synapse_nextgen_auth.homeserver import services
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.colleagues import Colleagues
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store.own_ways import EMAIL, PHONE

NEEDS = (
    Needed("synapse.util.async_helpers", "yieldable_gather_results", ("func", "iter")),
    Needed(
        "synapse.util.threepids",
        "check_3pid_allowed",
        ("hs", "medium", "address", "registration"),
    ),
    Needed("synapse.storage.databases.main", "DataStore.user_get_threepids", ("user_id",)),
    Needed("synapse.storage.databases.main", "DataStore.user_get_bound_threepids", ("user_id",)),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.get_id_servers_user_bound",
        ("user_id", "medium", "address"),
    ),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.remove_user_bound_threepid",
        ("user_id", "medium", "address", "id_server"),
    ),
    Needed(
        "synapse.handlers.identity",
        "IdentityHandler.try_unbind_threepid",
        ("mxid", "medium", "address", "id_server"),
    ),
    Needed(
        "synapse.handlers.auth",
        "AuthHandler.delete_local_threepid",
        ("user_id", "medium", "address"),
    ),
    Needed(
        "synapse.module_api.callbacks.third_party_event_rules_callbacks",
        "ThirdPartyEventRulesModuleApiCallbacks.on_add_user_third_party_identifier",
        ("user_id", "medium", "address"),
    ),
    Needed(
        "synapse.module_api.callbacks.third_party_event_rules_callbacks",
        "ThirdPartyEventRulesModuleApiCallbacks.on_threepid_bind",
        ("user_id", "medium", "address"),
    ),
    *members(
        "synapse.server",
        "HomeServer",
        "get_auth_handler",
        "get_identity_handler",
        "get_module_api_callbacks",
    ),
)

logger = logging.getLogger(__name__)

_PATIENCE = 10  # seconds that an identity server has


@frozen
class Threepid:
    """An address or a number of an account; `added_at` in seconds since the epoch."""

    medium: str
    address: str
    added_at: int


class Threepids:
    """The addresses and numbers of accounts."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._hs = homeserver.hs
        self._store = homeserver.store
        self._colleagues: Colleagues = homeserver.colleagues
        config = homeserver.hs.config
        self.may_change = bool(config.registration.enable_3pid_changes)
        self.takes_emails = self.may_change and bool(config.email.can_verify_email)
        self.takes_phones = self.may_change and bool(
            config.registration.account_threepid_delegate_msisdn
        )

    async def of(self, user_id: str) -> tuple[Threepid, ...]:
        """Return what an account has, the addresses first, each kind in the order of their coming."""
        found = await self._store.user_get_threepids(user_id)
        listed = [
            Threepid(each.medium, each.address, each.added_at // 1000)
            for each in found
            if each.medium in {EMAIL, PHONE}
        ]
        return tuple(sorted(listed, key=lambda each: (each.medium, each.added_at, each.address)))

    async def may_have(self, medium: str, address: str) -> bool:
        """Say whether an account may have it: `allowed_local_3pids`, modules (`is_3pid_allowed`)."""
        return bool(await check_3pid_allowed(self._hs, medium, address, registration=False))

    async def added(self, user_id: str, medium: str, address: str) -> None:
        """Tell modules that an account has it now, as Synapse does where it adds one itself."""
        modules = self._hs.get_module_api_callbacks().third_party_event_rules
        await modules.on_add_user_third_party_identifier(user_id, medium, address)
        await modules.on_threepid_bind(user_id, medium, address)

    async def expect_to_remove(self) -> None:
        """Raise `Away` unless what Synapse's main process does of a removal can be done."""
        await self._colleagues.expect(self._colleagues.for_old_devices, afresh=True)

    async def removed(self, user_id: str, medium: str, address: str) -> bool:
        """Let Synapse do the rest of a removal; say whether every identity server took its word back.

        Notifications that went to an address go with it, and modules hear of it.
        """
        is_unbound = await self.unbind(user_id, medium, address)
        handler = self._hs.get_auth_handler()
        await handler.delete_local_threepid(user_id, medium, address)
        return is_unbound

    async def unbind_all(self, user_id: str) -> bool:
        """Take the word of an account back at every identity server; say whether all of them did."""
        bound = [
            (user_id, medium, address)
            for medium, address in await self._store.user_get_bound_threepids(user_id)
        ]
        # At once: somebody waits, and each that is silent takes all the time that it has.
        return all(await yieldable_gather_results(self._unbind, bound))

    async def unbind(self, user_id: str, medium: str, address: str) -> bool:
        """Ask the identity servers to which this was given to forget it; say whether all of them did.

        One that does not answer stops nobody. It is forgotten here, so that it is not asked again and
        again by whatever takes the account down.
        """
        return await self._unbind((user_id, medium, address))

    async def _unbind(self, of: tuple[str, str, str]) -> bool:
        servers = await self._store.get_id_servers_user_bound(*of)
        return all(await yieldable_gather_results(self._unbind_at, servers, of))

    async def _unbind_at(self, server: str, of: tuple[str, str, str]) -> bool:
        unbind = self._hs.get_identity_handler().try_unbind_threepid
        try:
            return await services.within(self._hs, _PATIENCE, unbind, *of, server)
        except Exception as error:  # noqa: BLE001 (whatever is wrong with it, people go on)
            # What went wrong may repeat the address.
            logger.warning(
                "Identity server %s keeps what it has of %s: %s",
                server,
                of[0],
                type(error).__name__,
            )
        await self._store.remove_user_bound_threepid(*of, server)
        return False

"""Closing an account, as Synapse does it, with no identity server in its way."""

import logging
from typing import TYPE_CHECKING, Any

from synapse.api.errors import SynapseError
from synapse.types import create_requester

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members

if TYPE_CHECKING:
    from synapse_nextgen_auth.homeserver.people.threepids import Threepids

NEEDS = (
    Needed(
        "synapse.handlers.deactivate_account",
        "DeactivateAccountHandler.deactivate_account",
        ("user_id", "erase_data", "requester", "id_server", "by_admin"),
    ),
    Needed(
        "synapse.module_api.callbacks.third_party_event_rules_callbacks",
        "ThirdPartyEventRulesModuleApiCallbacks.check_can_deactivate_user",
        ("user_id", "by_admin"),
    ),
    Needed("synapse.types", "create_requester", ("user_id",)),
    *members(
        "synapse.server",
        "HomeServer",
        "get_deactivate_account_handler",
        "get_module_api_callbacks",
    ),
)

logger = logging.getLogger(__name__)


class Forbidden(Exception):
    """A module does not let this account be closed."""


class Deactivation:
    """How accounts are closed."""

    def __init__(self, homeserver: Homeserver, threepids: "Threepids") -> None:
        self._homeserver = homeserver
        self._hs = homeserver.hs
        self._threepids = threepids
        self._asked: set[str] = set()
        modules = self._hs.get_module_api_callbacks().third_party_event_rules
        self._ask_modules: Any = patches.instead(
            modules, "check_can_deactivate_user", self._ask_once
        )

    async def _ask_once(self, user_id: str, by_admin: bool) -> bool:  # noqa: FBT001 (Synapse's)
        """Ask the modules, unless they said yes to this very closing a moment ago."""
        if user_id in self._asked and not by_admin:
            return True
        may_close: bool = await self._ask_modules(user_id, by_admin)
        return may_close

    async def close(self, user_id: str, *, erase: bool) -> bool:
        """Close an account for good; say whether every identity server took its word back.

        Raises `Forbidden`, and `Away` where a process that it needs is not there: then nothing changed.
        Synapse leaves an account open when an identity server does not answer; so those are asked
        before, once it is known that it may be closed.
        """
        await self._homeserver.colleagues.expect(
            self._homeserver.colleagues.for_old_devices, afresh=True
        )
        if not await self._ask_modules(user_id, False):
            raise Forbidden
        is_unbound = await self._threepids.unbind_all(user_id)
        handler = self._hs.get_deactivate_account_handler()
        self._asked.add(user_id)
        try:
            await handler.deactivate_account(
                user_id, erase_data=erase, requester=create_requester(user_id)
            )
        except SynapseError as error:
            if error.code == 403:
                raise Forbidden from error
            raise
        finally:
            self._asked.discard(user_id)
        logger.info("%s closed their account%s", user_id, ", to be erased" if erase else "")
        return is_unbound

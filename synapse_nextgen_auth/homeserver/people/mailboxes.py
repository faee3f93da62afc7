"""What Synapse says of an address: whose it is, who may have it, and how often it is written to."""

from typing import Any

from synapse.api.errors import LimitExceededError
from synapse.util.threepids import check_3pid_allowed
from twisted.internet.address import IPv4Address

from synapse_nextgen_auth.accounts import codes
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.records import frozen

NEEDS = (
    Needed(
        "synapse.handlers.identity",
        "IdentityHandler.ratelimit_request_token_requests",
        ("request", "medium", "address"),
    ),
    Needed(
        "synapse.storage.databases.main", "DataStore.get_user_id_by_threepid", ("medium", "address")
    ),
    Needed(
        "synapse.util.threepids",
        "check_3pid_allowed",
        ("hs", "medium", "address", "registration"),
    ),
    Needed("synapse.api.errors", "LimitExceededError"),
    Needed("synapse.storage.databases.main", "DataStore.user_get_threepids", ("user_id",)),
    *members("synapse.server", "HomeServer", "get_identity_handler"),
)

_EMAIL = "email"


@frozen
class _From:
    """As much of a request as Synapse's limit of mails looks at."""

    address: str

    def getClientAddress(self) -> IPv4Address:  # noqa: N802 (Twisted's name)
        """Return where it comes from."""
        return IPv4Address("TCP", self.address, 0)


class Mailboxes:
    """What Synapse says of addresses; each is one that `accounts/addresses.py` made."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._hs = homeserver.hs
        self._store = homeserver.store

    @property
    def code_lifetime(self) -> int:
        """For how long a code is good, in seconds."""
        return codes.lifetime(self._hs.config.email.email_validation_token_lifetime // 1000)

    async def newcomers_may_have(self, address: str) -> bool:
        """Say whether somebody new may have it: `allowed_local_3pids`, modules (`is_3pid_allowed`)."""
        return bool(await check_3pid_allowed(self._hs, _EMAIL, address, registration=True))

    async def owner(self, address: str) -> str | None:
        """Return the account that it belongs to."""
        found: str | None = await self._store.get_user_id_by_threepid(_EMAIL, address)
        return found

    async def of(self, user_id: str) -> tuple[str, ...]:
        """Return the addresses of an account."""
        threepids = await self._store.user_get_threepids(user_id)
        return tuple(each.address for each in threepids if each.medium == _EMAIL)

    async def wait(self, address: str, *, network: str) -> int | None:
        """Count one mail that somebody asks for; return for how long to wait if it is one too many.

        These are Synapse's own limits of such mails, of a network and of an address
        (`rc_3pid_validation`), together with those that its own endpoints count.
        """
        limit = self._hs.get_identity_handler().ratelimit_request_token_requests
        request: Any = _From(network)
        try:
            await limit(request, _EMAIL, address)
        except LimitExceededError as error:
            return max(1, -(-(error.retry_after_ms or 1000) // 1000))
        return None

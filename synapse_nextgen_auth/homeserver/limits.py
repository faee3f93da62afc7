"""Rate limits of our own: per network or account, over all processes, counted in the database."""

import enum
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING

from synapse_nextgen_auth import late
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.oauth.networks import network, site
from synapse_nextgen_auth.oauth.rates import Rate

if TYPE_CHECKING:
    from synapse_nextgen_auth.store import throttle
    from synapse_nextgen_auth.store.throttle import Bucket
else:
    throttle = late.file("store.throttle")

logger = logging.getLogger(__name__)

# As many as this number of networks may do what is counted, the 65,536 of one IPv6 /48 may together.
_SITE = 8
# How many networks and accounts are remembered that have to wait; whoever is forgotten costs a query.
_MAX_REMEMBERED = 10_000
# A flood of requests is no flood of lines.
_LINE_EVERY = 60  # seconds


class Limited(enum.Enum):
    """What is limited, under the names that its counts have in the database; none ever changes.

    During an upgrade processes of two releases count together.
    """

    ATTEMPT = "nextgen_attempt"
    AUTHORIZATION = "nextgen_authorization"
    CLIENT_REGISTRATION = "nextgen_client_registration"
    DEVICE_AUTHORIZATION = "nextgen_device_authorization"
    RECOVERY = "nextgen_recovery"
    RECOVERY_SHARE = "nextgen_recovery_share"
    RECOVERY_MAILBOX = "nextgen_recovery_mailbox"
    EMAIL_CODE = "nextgen_email_code"
    EMAIL_CODE_SHARE = "nextgen_email_code_share"
    EMAIL_CODE_ADDRESS = "nextgen_email_code_address"
    FACTOR_CODE = "nextgen_factor_code"
    FACTOR_CODE_SHARE = "nextgen_factor_code_share"
    FACTOR_CODE_ADDRESS = "nextgen_factor_code_address"
    SIGN_UP_MESSAGE = "nextgen_sign_up_message"
    SIGN_UP_SHARE = "nextgen_sign_up_share"
    SIGN_UP_ADDRESS = "nextgen_sign_up_address"
    PASSKEY = "nextgen_passkey"
    RENDEZVOUS = "nextgen_rendezvous"


class Limiter:
    """Counts actions of one kind per network, or account; whoever has to wait is refused from memory.

    `path` and `option` are what the operator knows them by, in the metrics and in the log.
    """

    def __init__(
        self, homeserver: Homeserver, kind: Limited, rate: Rate, *, path: str, option: str
    ) -> None:
        self._homeserver = homeserver
        self._name = kind.value
        self._rate = rate
        self._path = path
        self._option = option
        self._told: OrderedDict[str, int] = OrderedDict()
        self._waiting: OrderedDict[str, tuple[int, int]] = OrderedDict()  # since, until

    async def count(self, address: str) -> int | None:
        """Count one action; return for how many seconds to wait if that was one too many."""
        return await self._fill(*self._of(address))

    async def take_back(self, address: str) -> None:
        """Let an action not have counted that `count` let somebody do."""
        whom = self._of(address)
        await self._homeserver.settle(throttle.take_back, self._buckets(*whom))
        for one in whom:
            self._waiting.pop(one.key, None)

    async def count_account(self, user_id: str) -> int | None:
        """Count one action of somebody signed in, who is not to pay for the network they are in."""
        return await self._fill(throttle.Bucket(user_id, self._rate))

    def _of(self, address: str) -> tuple["Bucket", ...]:
        wider = site(address)
        around = () if wider is None else (throttle.Bucket(wider, self._rate.times(_SITE)),)
        return (throttle.Bucket(network(address), self._rate), *around)

    def _buckets(self, *whom: "Bucket") -> list["Bucket"]:
        return [throttle.Bucket(f"{self._name} {one.key}", one.rate) for one in whom]

    async def _fill(self, *whom: "Bucket") -> int | None:
        now = self._homeserver.now()
        for one in whom:
            since, until = self._waiting.get(one.key, (0, 0))
            if since <= now < until:
                self.refused(one.key)
                return until - now
        full = await self._homeserver.settle(throttle.fill, self._buckets(*whom), now=now)
        for one in whom:
            self._waiting.pop(one.key, None)
        if full is None:
            return None
        key = full.key.removeprefix(f"{self._name} ")
        self._waiting[key] = (now, now + full.wait)
        if len(self._waiting) > _MAX_REMEMBERED:
            self._waiting.popitem(last=False)
        self.refused(key)
        return full.wait

    def refused(self, whom: str) -> None:
        """Count a refusal, and write it down: at most once a minute for each of them."""
        self._homeserver.metrics.refusal(self._path, "rate_limited")
        now = self._homeserver.now()
        since = self._told.get(whom)
        if since is not None and since <= now < since + _LINE_EVERY:
            return
        self._told.pop(whom, None)
        self._told[whom] = now
        if len(self._told) > _MAX_REMEMBERED:
            self._told.popitem(last=False)
        logger.info("Too many requests of %s for %s: over %s", whom, self._path, self._option)

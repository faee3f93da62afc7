"""How often somebody may have a message sent: from a network, and to a mailbox, whoever asks for it.

A stranger must not keep the owner of a mailbox from having a mail by asking for many (C239). So there
is more for a mailbox than one network may ask for, and what a network is refused counts nowhere else.
"""

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.limits import Limited, Limiter
from synapse_nextgen_auth.oauth.networks import network
from synapse_nextgen_auth.oauth.rates import Rate
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Keyring, Purpose


@frozen(kw_only=True)
class Shares:
    """How many messages there are: of a network, of a network to one mailbox, to one mailbox."""

    network: Rate
    of_mailbox: Rate
    mailbox: Rate

    @classmethod
    def as_synapse(cls, homeserver: Homeserver) -> "Shares":
        """Return as many as Synapse sends by itself (`rc_3pid_validation`); of two networks both."""
        settings = homeserver.hs.config.ratelimiting.rc_3pid_validation
        rate = Rate(settings.per_second, settings.burst_count)
        return cls(network=rate, of_mailbox=rate, mailbox=rate.times(2))


class MailLimits:
    """Counts messages of one kind over all processes; what is written of a mailbox does not name it.

    Unlike Synapse's own limit, it takes the hosts of an IPv6 network for one (C241).
    """

    def __init__(
        self,
        homeserver: Homeserver,
        keys: Keyring,
        shares: Shares,
        *,
        kind: tuple[Limited, Limited, Limited],
        path: str,
        option: str = "rc_3pid_validation",
    ) -> None:
        self._keys = keys
        self._networks, self._shares, self._mailboxes = (
            Limiter(homeserver, each, rate, path=path, option=option)
            for each, rate in zip(
                kind, (shares.network, shares.of_mailbox, shares.mailbox), strict=True
            )
        )

    async def wait(self, address: str, mailbox: str) -> int | None:
        """Count one message; return for how many seconds to wait if that was one too many.

        `address` is that of who asks, in the network; `mailbox` may be a phone number as well.
        """
        wait = await self._networks.count(address)
        if wait is not None:
            return wait
        name = self._keys.mac(Purpose.CODE, f"limit {mailbox.casefold()}".encode()).hex()[:32]
        wait = await self._shares.count_account(f"{name} {network(address)}")
        return await self._mailboxes.count_account(name) if wait is None else wait

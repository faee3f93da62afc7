"""How often somebody may have a mail sent: from a network, and to a mailbox, whoever asks for it.

As often as Synapse lets people ask for its own (`rc_3pid_validation`), counted over all processes.
"""

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.limits import Limited, Limiter
from synapse_nextgen_auth.oauth.rates import Rate
from synapse_nextgen_auth.secret import Keyring, Purpose

_OPTION = "rc_3pid_validation"


class MailLimits:
    """Mails that a page is asked for; what is written of a mailbox says nothing about it."""

    def __init__(
        self,
        homeserver: Homeserver,
        keys: Keyring,
        *,
        networks: Limited,
        mailboxes: Limited,
        path: str,
    ) -> None:
        settings = homeserver.hs.config.ratelimiting.rc_3pid_validation
        rate = Rate(settings.per_second, settings.burst_count)
        self._keys = keys
        self._networks = Limiter(homeserver, networks, rate, path=path, option=_OPTION)
        self._mailboxes = Limiter(homeserver, mailboxes, rate, path=path, option=_OPTION)

    async def wait(self, address: str, mailbox: str) -> int | None:
        """Count one mail; return for how many seconds to wait if that was one too many."""
        wait = await self._networks.count(address)
        if wait is not None:
            return wait
        name = self._keys.mac(Purpose.RECOVERY, mailbox.casefold().encode("utf-8")).hex()[:32]
        return await self._mailboxes.count_account(name)

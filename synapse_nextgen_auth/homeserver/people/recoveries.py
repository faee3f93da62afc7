"""Who asked for a link, looked up in the main process; only they hear of it, by mail (C250)."""

import logging

from synapse.util.threepids import canonicalise_email

from synapse_nextgen_auth.accounts import links
from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.links import Link, LinkKind
from synapse_nextgen_auth.accounts.mail.letters import Letter, RecoveryLink
from synapse_nextgen_auth.accounts.recoveries import Request
from synapse_nextgen_auth.accounts.works import Recover
from synapse_nextgen_auth.flows import links as flows
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted, People
from synapse_nextgen_auth.homeserver.people.password_changes import PasswordChanges
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.secret import Keyring, digest

NEEDS = (
    Needed("synapse.util.threepids", "canonicalise_email", ("address",)),
    Needed(
        "synapse.storage.databases.main", "DataStore.get_user_id_by_threepid", ("medium", "address")
    ),
)

logger = logging.getLogger(__name__)


class Recoveries:
    """Links for people who forgot their password."""

    def __init__(
        self,
        homeserver: Homeserver,
        people: People,
        changes: PasswordChanges,
        keys: Keyring,
        *,
        page_url: str,
    ) -> None:
        self._homeserver = homeserver
        self._people = people
        self._changes = changes
        self._keys = keys
        self._page_url = page_url

    @property
    def lifetime(self) -> int:
        """How long a link lives (`email.validation_token_lifetime`), in seconds."""
        milliseconds = self._homeserver.hs.config.email.email_validation_token_lifetime
        return min(max(60, int(milliseconds) // 1000), links.LONGEST)

    async def answer(self, work: Recover) -> None:
        """Send a link to the account with that address, if there is one and it may have a password.

        Done twice it is the same link, sent once.
        """
        request = Request.unseal(self._keys, work.asked)
        now = self._homeserver.now()
        if request is None or now >= request.expires_at or not self._changes.are_possible:
            return
        found = await self._owner(request.address)
        if found is None:
            return
        user_id, address = found
        secret = links.secret_of(self._keys, work.request)
        link = Link(
            digest=digest(secret.reveal()),
            kind=LinkKind.RECOVERY,
            user_id=user_id,
            created_at=now,
            expires_at=request.expires_at,
            address=address,
            attempt_id=request.attempt_id,
        )
        amount, unit = links.told(request.expires_at - request.asked_at)
        mail = RecoveryLink(
            url=links.url_of(self._page_url, secret),
            user_id=user_id,
            amount=amount,
            unit=unit.value,
        )
        letter = Letter(address, request.lang, mail)
        posted = letter.posted(self._keys, expires=request.expires_at)
        await self._homeserver.run(flows.make, link, mails=(posted,), now=now)

    async def _owner(self, typed: str) -> tuple[str, str] | None:
        """Return whose address this is, and how Synapse writes it: the mail goes there (C257)."""
        try:
            address = canonicalise_email(typed)
        except ValueError:
            return None
        store = self._homeserver.store
        user_id = await store.get_user_id_by_threepid("email", address)
        if user_id is None:
            return None
        try:
            await self._people.admit(user_id, Intent.SET_PASSWORD)
        except NotAdmitted as refused:
            logger.info("No link for %s, who asked for one: %s", user_id, refused.why.value)
            return None
        return user_id, address

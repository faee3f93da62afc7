"""Making the account of somebody who signs up, in the order and the number of stock's `/register`."""

import copy
import enum
import logging
from typing import Any, Protocol

import attrs
from synapse.api.constants import LoginType
from synapse.api.errors import (
    Codes,
    LimitExceededError,
    ResourceLimitError,
    SynapseError,
)
from synapse.api.ratelimiting import Ratelimiter
from synapse.config.server import is_threepid_reserved
from synapse.types import UserID
from synapse.util.threepids import canonicalise_email, check_3pid_allowed

from synapse_nextgen_auth.accounts.attempts import sign_ups
from synapse_nextgen_auth.accounts.attempts.sign_ups import Demands, Person
from synapse_nextgen_auth.flows import invitations as invitation_flows
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.people.invitations import by_our_pages
from synapse_nextgen_auth.homeserver.people.sign_ups.sessions import Sessions
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.store import invitations

NEEDS = (
    *members(
        "synapse.server",
        "HomeServer",
        "get_auth_handler",
        "get_clock",
        "get_password_auth_provider",
        "get_registration_handler",
        "get_registration_ratelimiter",
        "get_user_directory_handler",
    ),
    Needed("synapse.handlers.register", "RegistrationHandler.check_username", ("localpart",)),
    Needed(
        "synapse.handlers.register",
        "RegistrationHandler.register_user",
        (
            "localpart",
            "password_hash",
            "threepid",
            "default_display_name",
            "address",
            "user_agent_ips",
        ),
    ),
    Needed(
        "synapse.handlers.register",
        "RegistrationHandler.register_with_store",
        ("user_id",),
    ),
    Needed("synapse.handlers.register", "RegistrationHandler.post_consent_actions", ("user_id",)),
    Needed(
        "synapse.handlers.user_directory",
        "UserDirectoryHandler.handle_local_profile_change",
        ("user_id", "profile"),
    ),
    Needed("synapse.storage.databases.main", "DataStore.get_profileinfo", ("user_id",)),
    Needed(
        "synapse.handlers.register",
        "RegistrationHandler.post_registration_actions",
        ("user_id", "auth_result", "access_token"),
    ),
    Needed(
        "synapse.handlers.auth",
        "PasswordAuthProvider.get_username_for_registration",
        ("uia_results", "params"),
    ),
    Needed(
        "synapse.handlers.auth",
        "PasswordAuthProvider.get_displayname_for_registration",
        ("uia_results", "params"),
    ),
    Needed("synapse.handlers.auth", "AuthHandler.hash", ("password",)),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.get_user_agents_ips_to_ui_auth_session",
        ("session_id",),
    ),
    Needed(
        "synapse.storage.databases.main", "DataStore.get_users_by_id_case_insensitive", ("user_id",)
    ),
    Needed(
        "synapse.storage.databases.main", "DataStore.get_user_id_by_threepid", ("medium", "address")
    ),
    Needed("synapse.storage.databases.main", "DataStore.get_one_registration_token", ("token",)),
    Needed("synapse.storage.databases.main", "DataStore.registration_token_is_valid", ("token",)),
    Needed("synapse.storage.databases.main", "DataStore.upsert_monthly_active_user", ("user_id",)),
    Needed("synapse.util.threepids", "check_3pid_allowed", ("hs", "medium", "address")),
    Needed("synapse.util.threepids", "canonicalise_email", ("address",)),
    Needed("synapse.config.server", "is_threepid_reserved", ("reserved_threepids", "threepid")),
    Needed("synapse.api.ratelimiting", "Ratelimiter.__init__", ("store", "clock", "cfg")),
    Needed("synapse.api.ratelimiting", "Ratelimiter.ratelimit", ("requester", "key", "update")),
    *members("synapse.api.constants", "LoginType", "EMAIL_IDENTITY", "MSISDN"),
)

logger = logging.getLogger(__name__)


class Trouble(enum.Enum):
    """Why nobody gets this account."""

    NAME_INVALID = "name_invalid"
    NAME_TAKEN = "name_taken"
    NAME_RESERVED = "name_reserved"
    NAME_OF_INVITATION = "name_of_invitation"  # it is for another one
    TOKEN_WRONG = "token_wrong"  # noqa: S105 (a kind of trouble)
    ADDRESS_TAKEN = "address_taken"
    ADDRESS_DENIED = "address_denied"
    ADDRESS_OF_INVITATION = "address_of_invitation"  # it is for another one
    REFUSED = "refused"
    FULL = "full"
    TOO_OFTEN = "too_often"
    BUSY = "busy"
    BEGUN = "begun"  # it is this person's, and another one is not to be had beside it


# Another name helps.
OF_THE_NAME = frozenset(
    {
        Trouble.NAME_INVALID,
        Trouble.NAME_TAKEN,
        Trouble.NAME_RESERVED,
        Trouble.NAME_OF_INVITATION,
    }
)
# Another address, or number, helps.
OF_THE_ADDRESS = frozenset(
    {Trouble.ADDRESS_TAKEN, Trouble.ADDRESS_DENIED, Trouble.ADDRESS_OF_INVITATION}
)
_OF_CODES: dict[str, Trouble] = {
    Codes.INVALID_USERNAME: Trouble.NAME_INVALID,
    Codes.USER_IN_USE: Trouble.NAME_TAKEN,
    Codes.EXCLUSIVE: Trouble.NAME_RESERVED,
}
_MEDIA = (LoginType.EMAIL_IDENTITY, LoginType.MSISDN)


@frozen
class NotMade(Exception):
    """There is no account; `retry_after` in seconds, where time helps."""

    why: Trouble
    retry_after: int | None = None


@frozen
class Claimed:
    """Which account is made for a sign-up, and the token that was counted for it."""

    user_id: str
    token: str | None = attrs.field(default=None, repr=False)


class Claim(Protocol):
    """What a sign-up asks of the account that is made for it, as it is made."""

    @property
    def claimed(self) -> Claimed | None:
        """The account that the sign-up has, whether it is there already or not."""

    async def take(self, user_id: str) -> None:
        """Let the sign-up have this account and no other; raise where it may not have it."""

    async def leave(self) -> None:
        """Let the sign-up have another one: it is certain that there is none of this name."""


class NewPeople:
    """The accounts of people who sign up with a password."""

    def __init__(self, homeserver: Homeserver, sessions: Sessions) -> None:
        hs = homeserver.hs
        self._hs = hs
        self._homeserver = homeserver
        self._store = homeserver.store
        self._sessions = sessions
        self._handler = hs.get_registration_handler()
        self._modules = hs.get_password_auth_provider()
        self._tokens = Ratelimiter(
            store=self._store,
            clock=hs.get_clock(),
            cfg=hs.config.ratelimiting.rc_registration_token_validity,
        )
        self._inhibits = bool(hs.config.registration.inhibit_user_in_use_error)

    def _claiming(self, claim: Claim) -> Any:
        """Return Synapse's handler as it is for this one sign-up.

        It claims its account after all modules were asked, just before it is made. Nobody else's is
        touched: a person of a provider has a copy of their own, too.
        """
        handler: Any = copy.copy(self._handler)
        make = handler.register_with_store

        async def claimed(user_id: str, **given: Any) -> None:
            await claim.take(user_id)
            await make(user_id=user_id, **given)

        handler.register_with_store = claimed
        return handler

    async def check_rate(self, address: str) -> None:
        """Raise `NotMade` where nobody there may make an account just now; it counts nothing."""
        try:
            await self._hs.get_registration_ratelimiter().ratelimit(None, address, update=False)
        except LimitExceededError as error:
            raise _too_often(error) from error

    async def name_trouble(self, localpart: str) -> Trouble | None:
        """Say why nobody can be called that, as far as a person is told before the end."""
        try:
            await self._handler.check_username(localpart, inhibit_user_in_use_error=self._inhibits)
        except SynapseError as error:
            return _OF_CODES.get(error.errcode, Trouble.NAME_INVALID)
        return None

    async def token_is_good(self, token: str, *, address: str) -> bool:
        """Say whether a registration token lets somebody in; raise `NotMade` who asks too often."""
        try:
            await self._tokens.ratelimit(None, (address,))
        except LimitExceededError as error:
            raise _too_often(error) from error
        with by_our_pages():
            return bool(await self._store.registration_token_is_valid(token))

    async def hash(self, password: str) -> str:
        """Return what Synapse keeps of a password; the password itself is kept nowhere."""
        hashed: str = await self._hs.get_auth_handler().hash(password)
        return hashed

    async def make(
        self,
        person: Person,
        demands: Demands,
        claim: Claim,
        *,
        counting: frozenset[str],
        address: str,
    ) -> str:
        """Return the Matrix id of the account: one for each sign-up, however often it is asked.

        Everything is asked again that Synapse asks of a new account: its rules for names, the modules
        that look for spam, the limit of users. Of what was completed, `counting` is what counts.
        Raises `NotMade`.
        """
        session = person.session
        found = await self._sessions.completed(session)
        results = {kind: result for kind, result in found.items() if kind in counting}
        if demands.needs_dummy(results):
            await self._sessions.need_dummy(session)
            results[sign_ups.DUMMY] = True
        if not demands.covered(results):
            raise NotMade(Trouble.TOKEN_WRONG)  # it was given back just now
        before = claim.claimed
        if before is not None and before.token is not None:
            results[sign_ups.TOKEN] = before.token
        elif sign_ups.TOKEN in results and not await self._sessions.keep_token(session):
            raise NotMade(Trouble.TOKEN_WRONG)
        name = UserID(person.localpart, self._homeserver.server_name).to_string()
        user_id = name if before is None else before.user_id
        if await self._is_made(user_id, person):
            await claim.take(user_id)
            await self._catch_up(user_id)
        else:
            user_id = await self._register(person, results, claim, address=address)
        token = results.get(sign_ups.TOKEN)
        if isinstance(token, str):
            now = self._homeserver.now()
            await self._homeserver.run(invitation_flows.welcome, token, user_id, now=now)
        # Whoever comes back to it after a failure does it again.
        await self._handler.post_registration_actions(user_id, results, access_token=None)
        return user_id

    async def _register(
        self, person: Person, results: dict[str, Any], claim: Claim, *, address: str
    ) -> str:
        before = claim.claimed
        token = results.get(sign_ups.TOKEN)
        if isinstance(token, str) and not await self._knows(token):
            raise NotMade(Trouble.TOKEN_WRONG)
        await self._check_invited(token, person, results.get(LoginType.EMAIL_IDENTITY))
        await self._check_addresses(results)
        params = {"username": person.localpart}
        if before is None:
            localpart = await self._modules.get_username_for_registration(results, params)
        else:
            localpart = UserID.from_string(before.user_id).localpart
        for kind in _MEDIA:
            await self._check_in_use(results.get(kind))
        seen = await self._store.get_user_agents_ips_to_ui_auth_session(person.session)
        name = await self._modules.get_displayname_for_registration(results, params)
        email = results.get(LoginType.EMAIL_IDENTITY)
        try:
            user_id: str = await self._claiming(claim).register_user(
                localpart=(localpart or person.localpart).lower(),
                password_hash=person.password_hash,
                threepid=email,
                default_display_name=name or person.display_name,
                address=address,
                user_agent_ips=seen,
            )
        except LimitExceededError as error:
            raise _too_often(error) from error
        except ResourceLimitError as error:
            raise NotMade(Trouble.FULL) from error
        except SynapseError as error:
            after = claim.claimed
            if error.code >= 500 or (after and await self._is_made(after.user_id, person)):
                raise
            if before is None and after is not None:
                await claim.leave()
            # A module's "no" comes as a 429 without a time: Synapse hides it behind its rate limit.
            raise NotMade(_OF_CODES.get(error.errcode, Trouble.REFUSED)) from error
        reserved = self._hs.config.server.mau_limits_reserved_threepids
        if email and is_threepid_reserved(reserved, email):
            await self._store.upsert_monthly_active_user(user_id)
        await self._sessions.note_made(person.session, user_id)
        logger.info("%s signed up", user_id)
        return user_id

    async def _is_made(self, user_id: str, person: Person) -> bool:
        """Say whether the account that a sign-up claimed is there.

        Nobody else's has this very hash: it is salted. But its person may have set another password
        since, so what was noted for the session counts as well.
        """
        if await self._sessions.made(person.session) == user_id:
            return True
        known = await self._store.get_users_by_id_case_insensitive(user_id)
        found: str | None = known.get(user_id)
        return found == person.password_hash

    async def _catch_up(self, user_id: str) -> None:
        """Do what Synapse does once an account is there: whoever made it may have died over that."""
        profile = await self._store.get_profileinfo(UserID.from_string(user_id))
        directory = self._hs.get_user_directory_handler()
        await directory.handle_local_profile_change(user_id, profile)
        if not self._hs.config.consent.user_consent_at_registration:
            await self._handler.post_consent_actions(user_id)

    async def _knows(self, token: str) -> bool:
        """Say whether the token is still there: an operator may have deleted it meanwhile."""
        return await self._store.get_one_registration_token(token) is not None

    async def _check_invited(self, token: Any, person: Person, email: Any) -> None:
        """Raise `NotMade` where the token is an invitation for somebody else."""
        if not isinstance(token, str):
            return
        invitation = await self._homeserver.read(invitations.get, token)
        address = None if email is None else email["address"]
        if invitation is None or invitation.admits(localpart=person.localpart, address=address):
            return
        is_named = invitation.username in {None, person.localpart}
        raise NotMade(Trouble.ADDRESS_OF_INVITATION if is_named else Trouble.NAME_OF_INVITATION)

    async def _check_addresses(self, results: dict[str, Any]) -> None:
        for kind in _MEDIA:
            found = results.get(kind)
            if found is not None and not await check_3pid_allowed(
                self._hs, found["medium"], found["address"], registration=True
            ):
                raise NotMade(Trouble.ADDRESS_DENIED)

    async def _check_in_use(self, found: Any) -> None:
        if found is None:
            return
        medium, address = found["medium"], found["address"]
        if medium == "email":
            address = canonicalise_email(address)
        if await self._store.get_user_id_by_threepid(medium, address) is not None:
            raise NotMade(Trouble.ADDRESS_TAKEN)


def _too_often(error: LimitExceededError) -> NotMade:
    return NotMade(Trouble.TOO_OFTEN, max(1, -(-(error.retry_after_ms or 1000) // 1000)))

"""Making the account of somebody who signs up, in the order and the number of stock's `/register`."""

import enum
import logging
from typing import Any

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
    Needed("synapse.api.ratelimiting", "Ratelimiter.ratelimit", ("requester", "key", "update")),
    *members("synapse.api.constants", "LoginType", "EMAIL_IDENTITY", "MSISDN"),
)

logger = logging.getLogger(__name__)


class Trouble(enum.Enum):
    """Why nobody gets this account."""

    NAME_INVALID = "name_invalid"
    NAME_TAKEN = "name_taken"
    NAME_RESERVED = "name_reserved"
    TOKEN_WRONG = "token_wrong"  # noqa: S105 (a kind of trouble)
    ADDRESS_TAKEN = "address_taken"
    ADDRESS_DENIED = "address_denied"
    REFUSED = "refused"
    FULL = "full"
    TOO_OFTEN = "too_often"
    BUSY = "busy"


# Another name helps.
OF_THE_NAME = frozenset({Trouble.NAME_INVALID, Trouble.NAME_TAKEN, Trouble.NAME_RESERVED})
# Another address, or number, helps.
OF_THE_ADDRESS = frozenset({Trouble.ADDRESS_TAKEN, Trouble.ADDRESS_DENIED})
_OF_CODES: dict[str, Trouble] = {
    Codes.INVALID_USERNAME: Trouble.NAME_INVALID,
    Codes.USER_IN_USE: Trouble.NAME_TAKEN,
    Codes.EXCLUSIVE: Trouble.NAME_RESERVED,
}
_MEDIA = (LoginType.EMAIL_IDENTITY, LoginType.MSISDN)


@attrs.frozen
class NotMade(Exception):
    """There is no account; `retry_after` in seconds, where time helps."""

    why: Trouble
    retry_after: int | None = None


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

    async def make(self, person: Person, demands: Demands, *, address: str) -> str:
        """Return the Matrix id of the account: one for each session, however often it is asked.

        Everything is asked again that Synapse asks of a new account: its rules for names, the modules
        that look for spam, the limit of users. Raises `NotMade`.
        """
        session = person.session
        results = await self._sessions.completed(session)
        if demands.needs_dummy(results):
            await self._sessions.need_dummy(session)
            results[sign_ups.DUMMY] = True
        assert demands.covered(results), "the stages are gone through before"  # noqa: S101
        token = results.get(sign_ups.TOKEN)
        if isinstance(token, str) and not await self._sessions.keep_token(session):
            raise NotMade(Trouble.TOKEN_WRONG)  # it was given back
        user_id = await self._sessions.made(session) or await self._made_before(person)
        if user_id is None:
            user_id = await self._register(person, results, address=address)
        if isinstance(token, str):
            await self._sessions.use_token(session)
            now = self._homeserver.now()
            await self._homeserver.run(invitation_flows.welcome, token, user_id, now=now)
        # Whoever comes back to it after a failure does it again.
        await self._handler.post_registration_actions(user_id, results, access_token=None)
        return user_id

    async def _register(self, person: Person, results: dict[str, Any], *, address: str) -> str:
        token = results.get(sign_ups.TOKEN)
        if isinstance(token, str) and not await self._knows(token):
            raise NotMade(Trouble.TOKEN_WRONG)
        await self._check_invited(token, person, results.get(LoginType.EMAIL_IDENTITY))
        await self._check_addresses(results)
        params = {"username": person.localpart}
        localpart = await self._modules.get_username_for_registration(results, params)
        for kind in _MEDIA:
            await self._check_in_use(results.get(kind))
        seen = await self._store.get_user_agents_ips_to_ui_auth_session(person.session)
        name = await self._modules.get_displayname_for_registration(results, params)
        email = results.get(LoginType.EMAIL_IDENTITY)
        try:
            user_id: str = await self._handler.register_user(
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
            if error.code >= 500:
                raise
            # A module's "no" comes as a 429 without a time: Synapse hides it behind its rate limit.
            raise NotMade(_OF_CODES.get(error.errcode, Trouble.REFUSED)) from error
        reserved = self._hs.config.server.mau_limits_reserved_threepids
        if email and is_threepid_reserved(reserved, email):
            await self._store.upsert_monthly_active_user(user_id)
        await self._sessions.note_made(person.session, user_id)
        logger.info("%s signed up", user_id)
        return user_id

    async def _made_before(self, person: Person) -> str | None:
        """Return the account that was made for this person by a process that died over it.

        Nobody else's has this very hash: it is salted.
        """
        user_id = UserID(person.localpart, self._homeserver.server_name).to_string()
        known = await self._store.get_users_by_id_case_insensitive(user_id)
        return user_id if known.get(user_id) == person.password_hash else None

    async def _knows(self, token: str) -> bool:
        """Say whether the token is still there: an operator may have deleted it meanwhile."""
        return await self._store.get_one_registration_token(token) is not None

    async def _check_invited(self, token: Any, person: Person, email: Any) -> None:
        """Raise `NotMade` where the token is an invitation for somebody else."""
        if not isinstance(token, str):
            return
        invitation = await self._homeserver.read(invitations.get, token)
        address = None if email is None else email["address"]
        if invitation and not invitation.admits(localpart=person.localpart, address=address):
            raise NotMade(Trouble.TOKEN_WRONG)

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

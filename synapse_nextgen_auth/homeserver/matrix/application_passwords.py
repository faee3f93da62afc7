"""A personal token in the place of the password at `/login`, for clients that ask for one.

What they get is that same token with its device: nothing of Synapse's is made. Whoever has it could
use it as it is, so no rule about passwords or second factors is in its way, and no password provider is
asked.
"""

import logging
from collections.abc import Hashable
from typing import Any

from synapse.api.errors import Codes, InvalidClientTokenError, LoginError, SynapseError
from synapse.handlers.auth import (
    INVALID_USERNAME_OR_PASSWORD,
    convert_client_dict_legacy_fields_to_identifier,
    login_id_phone_to_thirdparty,
)
from synapse.types import UserID
from synapse.util.threepids import canonicalise_email

from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.auth.token_check import TokenCheck
from synapse_nextgen_auth.homeserver.database.outage import answered_503
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.oauth.wording import logged

NEEDS = (
    Needed(
        "synapse.handlers.auth",
        "convert_client_dict_legacy_fields_to_identifier",
        ("submission",),
    ),
    Needed("synapse.handlers.auth", "login_id_phone_to_thirdparty", ("identifier",)),
    Needed("synapse.handlers.auth", "AuthHandler.check_user_exists", ("user_id",)),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.get_user_id_by_threepid",
        ("medium", "address"),
    ),
    Needed("synapse.util.threepids", "canonicalise_email", ("address",)),
    *members("synapse.server", "HomeServer", "get_auth_handler"),
)

logger = logging.getLogger(__name__)


class ApplicationPasswords:
    """Finds whose token it is, and whether it is theirs who sign in."""

    def __init__(self, homeserver: Homeserver, check: TokenCheck) -> None:
        self._homeserver = homeserver
        self._check = check
        self._handler = homeserver.hs.get_auth_handler()
        # Of the same failures as Synapse's own: a token is no way to try passwords more often.
        self._failures = self._handler._failed_login_attempts_ratelimiter  # noqa: SLF001

    async def find(self, submission: dict[str, Any], text: str) -> Session:
        """Return the living session of this token, which is of the account that is named."""
        identifier = _identifier(submission)
        keys: list[Hashable] = []
        if identifier.get("type") == "m.id.thirdparty":
            keys, named = await self._of_address(identifier)
        else:
            named = self._of_name(identifier)
        if named is not None:
            keys.append(named.lower())
        session = await self._living(text)
        if session is not None and named is not None and await self._is_of(session, named):
            return (
                session  # nobody guesses one: the failures of others keep its owner out of nothing
            )
        for key in keys:
            await self._failures.ratelimit(None, key, update=False)
        await self._failures.can_do_action(None, keys[-1])
        raise _wrong()

    def answer(self, session: Session, text: str) -> dict[str, Any]:
        """Return what a client learns: nothing that it did not bring, but its device and its end.

        That is a use of the token; what is refused is none.
        """
        self._check.activity.seen(session, session.generation, self._homeserver.now())
        logger.info(
            "A personal token of %s was taken as a password, session %s, device %s",
            session.user_id,
            session.session_id,
            logged(session.device_id, 255),
        )
        said: dict[str, Any] = {
            "user_id": session.user_id,
            "access_token": text,
            "home_server": self._homeserver.server_name,
            "device_id": session.device_id,
        }
        if session.expires_at is not None:
            said["expires_in_ms"] = max(0, session.expires_at - self._homeserver.now()) * 1000
        return said

    async def _living(self, text: str) -> Session | None:
        try:
            with answered_503(self._homeserver):
                return await self._check.session(self._check.read(text), is_noted=False)
        except InvalidClientTokenError:
            return None

    async def _is_of(self, session: Session, named: str) -> bool:
        """Say whether it is the session's account that is named; Synapse finds it in any case."""
        with answered_503(self._homeserver):
            return bool(session.user_id == await self._handler.check_user_exists(named))

    def _of_name(self, identifier: dict[str, Any]) -> str:
        if identifier.get("type") != "m.id.user":
            raise SynapseError(400, "Unknown login identifier type")
        name = identifier.get("user")
        if not isinstance(name, str) or not name:
            raise SynapseError(400, "User identifier is missing 'user' key")
        if name.startswith("@"):
            return name
        return UserID(name, self._homeserver.server_name).to_string()

    async def _of_address(self, identifier: dict[str, Any]) -> tuple[list[Hashable], str | None]:
        """Return what its failures are counted by, and whose it is."""
        medium, address = identifier.get("medium"), identifier.get("address")
        if not isinstance(medium, str) or not isinstance(address, str):
            raise SynapseError(400, "Invalid thirdparty identifier")
        if medium == "email":
            try:
                address = canonicalise_email(address)
            except ValueError as problem:
                raise SynapseError(400, str(problem)) from None
        with answered_503(self._homeserver):
            user_id = await self._homeserver.store.get_user_id_by_threepid(medium, address)
        return [(medium, address)], None if user_id is None else str(user_id)


def _identifier(submission: dict[str, Any]) -> dict[str, Any]:
    """Return who is named, in the newest of the ways in which clients write it."""
    identifier: dict[str, Any] = convert_client_dict_legacy_fields_to_identifier(submission)
    if identifier.get("type") == "m.id.phone":
        return login_id_phone_to_thirdparty(identifier)
    return identifier


def _wrong() -> LoginError:
    """Say the same as of a wrong password."""
    return LoginError(403, msg=INVALID_USERNAME_OR_PASSWORD, errcode=Codes.FORBIDDEN)

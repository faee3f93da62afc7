"""Synapse's session of a sign-up: what was completed, as its own fallback pages write it down.

Modules are handed what stands there, and `/register` would be too; but its address is ours, so that no
session of ours can be ended there.
"""

from collections.abc import Mapping
from typing import Any

from synapse.api.errors import LoginError
from synapse.handlers.ui_auth import UIAuthSessionDataConstants

from synapse_nextgen_auth.accounts.attempts import sign_ups
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members

NEEDS = (
    *members("synapse.server", "HomeServer", "get_auth_handler"),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.create_ui_auth_session",
        ("clientdict", "uri", "method", "description"),
    ),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.mark_ui_auth_stage_complete",
        ("session_id", "stage_type", "result"),
    ),
    Needed(
        "synapse.storage.databases.main", "DataStore.get_completed_ui_auth_stages", ("session_id",)
    ),
    Needed(
        "synapse.storage.databases.main",
        "DataStore.add_user_agent_ip_to_ui_auth_session",
        ("session_id", "user_agent", "ip"),
    ),
    Needed(
        "synapse.handlers.auth", "AuthHandler.add_oob_auth", ("stagetype", "authdict", "clientip")
    ),
    Needed("synapse.handlers.auth", "AuthHandler.get_session_data", ("session_id", "key")),
    Needed("synapse.handlers.auth", "AuthHandler.set_session_data", ("session_id", "key", "value")),
    *members(
        "synapse.handlers.ui_auth",
        "UIAuthSessionDataConstants",
        "REGISTERED_USER_ID",
        "REGISTRATION_TOKEN",
    ),
)


# What Synapse calls it, too.
_WHAT = "register a new account"
# What Synapse's checkers say of a stage.
Result = str | bool | dict[str, Any]


class StageFailed(Exception):
    """What somebody gave for a stage is not good enough, says Synapse."""


class Sessions:
    """What people have completed of what Synapse asks of a new account."""

    def __init__(self, homeserver: Homeserver, uri: str) -> None:
        self._store = homeserver.store
        self._auth_handler = homeserver.hs.get_auth_handler()
        self._uri = uri

    async def begin(self, params: Mapping[str, Any]) -> str:
        """Return the id of a new session; `params` are what modules are told, as of `/register`."""
        session = await self._store.create_ui_auth_session(dict(params), self._uri, "POST", _WHAT)
        return str(session.session_id)

    async def seen(self, session: str, *, user_agent: str, address: str) -> None:
        """Note from where somebody goes on with it: modules that look for spam are told."""
        await self._store.add_user_agent_ip_to_ui_auth_session(session, user_agent, address)

    async def check(
        self, session: str, kind: str, given: Mapping[str, Any], *, address: str
    ) -> None:
        """Let Synapse check what somebody gave for a stage, and write it down; raise `StageFailed`."""
        try:
            await self._auth_handler.add_oob_auth(
                kind, {**given, "type": kind, "session": session}, address
            )
        except LoginError as error:
            raise StageFailed(error.msg) from error

    async def complete(self, session: str, kind: str, *, result: Result) -> None:
        """Write down that a stage was completed that we checked ourselves, with its result."""
        await self._store.mark_ui_auth_stage_complete(session, kind, result)

    async def completed(self, session: str) -> dict[str, Any]:
        """Return what was completed, with the results."""
        found: dict[str, Any] = await self._store.get_completed_ui_auth_stages(session)
        return found

    async def made(self, session: str) -> str | None:
        """Return the account that was made for this session, if one was."""
        key = UIAuthSessionDataConstants.REGISTERED_USER_ID
        found: str | None = await self._auth_handler.get_session_data(session, key, None)
        return found

    async def note_made(self, session: str, user_id: str) -> None:
        """Remember whose account was made for it, as `/register` does."""
        key = UIAuthSessionDataConstants.REGISTERED_USER_ID
        await self._auth_handler.set_session_data(session, key, user_id)

    async def token(self, session: str) -> str | None:
        """Return the registration token that it was begun with."""
        key = UIAuthSessionDataConstants.REGISTRATION_TOKEN
        found: str | None = await self._auth_handler.get_session_data(session, key, None)
        return found

    async def need_dummy(self, session: str) -> None:
        """Complete the stage that asks for nothing, as clients of `/register` do."""
        await self.complete(session, sign_ups.DUMMY, result=True)

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
from synapse_nextgen_auth.homeserver.people.invitations import by_our_pages
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.store import token_holds
from synapse_nextgen_auth.store.token_holds import Hold

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
    *members("synapse.handlers.ui_auth", "UIAuthSessionDataConstants", "REGISTERED_USER_ID"),
)


# What Synapse calls it, too.
_WHAT = "register a new account"
# What Synapse's checkers say of a stage.
Result = str | bool | dict[str, Any]


# For so long (seconds) at least a token is held once its account is being made.
_MAKING = 300


class StageFailed(Exception):
    """What somebody gave for a stage is not good enough, says Synapse."""


class Sessions:
    """What people have completed of what Synapse asks of a new account."""

    def __init__(self, homeserver: Homeserver, uri: str) -> None:
        self._homeserver = homeserver
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

    async def check_token(
        self, session: str, token: str, *, browser: str, expires_at: int, address: str
    ) -> None:
        """Let a session hold a registration token, until its time is over; raise `StageFailed`.

        It is counted and held in one transaction, so that whatever fails then, it is given back.
        """
        try:
            with by_our_pages(Hold(session, browser, expires_at)):
                await self.check(session, sign_ups.TOKEN, {"token": token}, address=address)
        except Exception:
            await self.give_back(session)
            raise

    async def free(self, browser: str, token: str) -> None:
        """Give back a token that the same browser holds in another sign-up: its person begins anew."""
        await self._homeserver.run(token_holds.free, browser, token)

    async def give_back(self, session: str) -> None:
        """Give back the token of a session, if it holds one."""
        await self._homeserver.run(token_holds.give_back, session)

    async def keep_token(self, session: str) -> bool:
        """Hold a token while the account is made; False when it is not held any more."""
        now = self._homeserver.now()
        return await self._homeserver.run(
            token_holds.keep_until, session, now=now, expires_at=now + _MAKING
        )

    async def again(self, former: str, params: Mapping[str, Any]) -> str:
        """Return a new session with all that another one has completed but for the token."""
        session = await self.begin(params)
        for kind, result in (await self.completed(former)).items():
            if kind != sign_ups.TOKEN:
                await self.complete(session, kind, result=result)
        return session

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

    async def need_dummy(self, session: str) -> None:
        """Complete the stage that asks for nothing, as clients of `/register` do."""
        await self.complete(session, sign_ups.DUMMY, result=True)

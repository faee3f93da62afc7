"""Accounts: who they are to Synapse, and whether they may go on."""

import logging
from typing import TYPE_CHECKING

import attrs
from synapse.api.errors import (
    ResourceLimitError,
)
from synapse.types import UserID, UserInfo

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.admission import (
    NOTHING,
    Asked,
    Intent,
    Reason,
    is_asked_afresh,
    matters,
    refuse,
)
from synapse_nextgen_auth.accounts.people import Account, Standing
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.devices.matrix_devices import as_device_name
from synapse_nextgen_auth.homeserver.people.hashing import PasswordHashes
from synapse_nextgen_auth.homeserver.people.login_callbacks import LoginCallbacks
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.records import frozen

if TYPE_CHECKING:
    from synapse_nextgen_auth.homeserver.people import failures, passwords
else:
    failures, passwords = late.files("homeserver.people.failures", "homeserver.people.passwords")

NEEDS = (
    Needed("synapse.storage.databases.main", "DataStore.get_profileinfo", ("user_id",)),
    Needed("synapse.storage.databases.main", "DataStore.user_get_threepids", ("user_id",)),
    Needed("synapse.api.auth_blocking", "AuthBlocking.check_auth_blocking", ("user_id",)),
    Needed(
        "synapse.handlers.account_validity",
        "AccountValidityHandler.on_user_login",
        ("user_id", "auth_provider_type", "auth_provider_id"),
    ),
    Needed(
        "synapse.handlers.account_validity", "AccountValidityHandler.is_user_expired", ("user_id",)
    ),
    *members(
        "synapse.server",
        "HomeServer",
        "get_account_validity_handler",
        "get_auth_blocking",
        "get_module_api_callbacks",
    ),
)

logger = logging.getLogger(__name__)


@frozen
class NotAdmitted(Exception):
    """The account may not go on."""

    why: Reason


@frozen
class Newcomer:
    """What is about to begin a session, as modules that look for spam are told."""

    device_id: str | None
    device_name: str
    user_agent: str
    address: str


_REMEMBERED = 20_000  # accounts; a forgotten one costs microseconds


class People:
    """Synapse's accounts."""

    def __init__(self, homeserver: Homeserver, hashes: PasswordHashes) -> None:
        self._homeserver = homeserver
        self.hashes = hashes
        self._store = homeserver.store
        self.failures = late.made(lambda: failures.Failures(homeserver))
        self.login_callbacks = LoginCallbacks(homeserver)
        self.passwords = late.made(
            lambda: passwords.Passwords(homeserver, self.login_callbacks, hashes.hash_of_nobody)
        )
        self._made: dict[str, tuple[UserInfo, Account]] = {}

    async def admit(
        self,
        user_id: str,
        intent: Intent,
        asked: Asked = NOTHING,
        *,
        newcomer: Newcomer | None = None,
    ) -> Account:
        """Return the account if it may go on; raise `NotAdmitted` otherwise.

        There is no other way to an account. With `newcomer` the spam checker modules are asked too,
        about a session that is to begin, and only if nothing else is in the way (C325).
        """
        account = await self._account(user_id, intent)
        why = refuse(account, intent, asked)
        if account is not None and why is None and newcomer is not None:
            is_blocked = await self._is_blocked(user_id, newcomer)
            why = refuse(attrs.evolve(account, is_blocked=is_blocked), intent, asked)
        if account is None or why is not None:
            raise NotAdmitted(why or Standing.DEACTIVATED)
        return account

    async def _account(self, user_id: str, intent: Intent) -> Account | None:
        """Return the account with what matters for this intent, `None` if there is none."""
        is_often = intent is Intent.MATRIX_API or intent is Intent.REFRESH
        if not is_often and is_asked_afresh(intent):
            user = await self._homeserver.user_now(user_id)
        else:
            user = await self._homeserver.user(user_id)
        if user is None:
            return None
        if not is_often:
            return await self._made_of(user, user_id, intent)
        # Each Matrix request comes here. Nothing is looked up for it but what Synapse has in memory,
        # and that is the same object until something of the account changes.
        known = self._made.get(user_id)
        if known is not None and known[0] is user:
            return known[1]
        account = await self._made_of(user, user_id, intent)
        if len(self._made) >= _REMEMBERED:
            self._made.clear()
        self._made[user_id] = (user, account)
        return account

    def is_ordinary(self, user_id: str, user: UserInfo) -> bool:
        """Say whether nothing about an account is in anybody's way, as far as this is in memory.

        `user` is what Synapse's cache has of it now.
        """
        known = self._made.get(user_id)
        if known is None or known[0] is not user:
            return False
        return not known[1].standings and not known[1].is_shadow_banned

    async def _made_of(self, user: UserInfo, user_id: str, intent: Intent) -> Account:
        has_expiry, has_limit = (
            matters(standing, intent) for standing in (Standing.EXPIRED, Standing.SERVER_LIMIT)
        )
        return Account(
            user_id=user_id,
            is_admin=user.is_admin,
            is_deactivated=user.is_deactivated,
            is_locked=user.locked,
            is_expired=has_expiry and await self._is_expired(user_id),
            is_approved=user.approved or not self._approval_required,
            is_guest=user.is_guest,
            is_appservice=user.appservice_id is not None,
            exceeds_limit=has_limit and await self._exceeds_limit(user_id),
            is_shadow_banned=user.is_shadow_banned,
        )

    async def scope_in_force(self, session: Session) -> str:
        """Return what a session may do now: the admin scope is nothing without the account's flag.

        It is looked up each time, so that a demotion shows at once (C311, C313).
        """
        if not session.granted.admin:
            return session.scope
        user = await self._homeserver.user(session.user_id)
        is_admin = user is not None and user.is_admin
        return session.scope if is_admin else session.granted.without_admin.text

    async def made_at(self, user_id: str) -> int | None:
        """Return when an account was made, in seconds; `None` of one that nobody reads for any more."""
        user = await self._homeserver.user_now(user_id)
        if user is None or user.is_deactivated:
            return None
        return int(user.creation_ts)

    async def profile(self, user_id: str) -> tuple[str | None, str | None]:
        """Return display name and avatar (an mxc URI)."""
        profile = await self._store.get_profileinfo(UserID.from_string(user_id))
        return profile.display_name, profile.avatar_url

    async def email(self, user_id: str) -> str | None:
        """Return the account's verified e-mail address, the oldest if it has several."""
        threepids = await self._store.user_get_threepids(user_id)
        emails = sorted((t for t in threepids if t.medium == "email"), key=lambda t: t.added_at)
        return emails[0].address if emails else None

    async def emails(self, user_id: str) -> tuple[str, ...]:
        """Return every verified e-mail address of the account."""
        threepids = await self._store.user_get_threepids(user_id)
        return tuple(each.address for each in threepids if each.medium == "email")

    async def has_email(self, user_id: str, address: str) -> bool:
        """Say whether an address is one of the account's, in any case."""
        threepids = await self._store.user_get_threepids(user_id)
        wanted = ("email", address.casefold())
        return any((each.medium, each.address.casefold()) == wanted for each in threepids)

    async def signed_in(self, user_id: str) -> None:
        """Tell account-validity modules about a session that began, as Synapse's login does (C335)."""
        await self._homeserver.hs.get_account_validity_handler().on_user_login(
            user_id, auth_provider_type="m.login.password", auth_provider_id=None
        )

    async def _is_blocked(self, user_id: str, newcomer: Newcomer) -> bool:
        checker = self._homeserver.hs.get_module_api_callbacks().spam_checker
        verdict = await checker.check_login_for_spam(
            user_id,
            device_id=newcomer.device_id,
            initial_display_name=as_device_name(newcomer.device_name),
            request_info=[(newcomer.user_agent, newcomer.address)],
            auth_provider_id=None,
        )
        return bool(verdict != checker.NOT_SPAM)

    async def _is_expired(self, user_id: str) -> bool:
        handler = self._homeserver.hs.get_account_validity_handler()
        return bool(await handler.is_user_expired(user_id))

    async def _exceeds_limit(self, user_id: str) -> bool:
        """Say whether the server is disabled or full for this account (C322)."""
        try:
            await self._homeserver.hs.get_auth_blocking().check_auth_blocking(user_id=user_id)
        except ResourceLimitError:
            return True
        return False

    @property
    def _approval_required(self) -> bool:
        msc3866 = self._homeserver.hs.config.experimental.msc3866
        return bool(msc3866.enabled and msc3866.require_approval_for_new_accounts)

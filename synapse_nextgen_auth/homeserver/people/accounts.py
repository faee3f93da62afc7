"""Accounts: who they are to Synapse, whether they may go on, and whether a password is theirs."""

import logging
from contextlib import AbstractAsyncContextManager
from typing import Any

import attrs
from synapse.api.errors import (
    LimitExceededError,
    LoginError,
    ResourceLimitError,
    SynapseError,
    UserDeactivatedError,
)
from synapse.api.ratelimiting import Ratelimiter
from synapse.types import UserID, UserInfo
from synapse.util.async_helpers import Linearizer
from synapse.util.threepids import canonicalise_email

from synapse_nextgen_auth.accounts.admission import (
    NOTHING,
    Asked,
    Intent,
    Reason,
    is_asked_afresh,
    matters,
    refuse,
)
from synapse_nextgen_auth.accounts.people import MAX_PASSWORD, Account, Identifier, Standing
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.devices.matrix_devices import as_device_name
from synapse_nextgen_auth.homeserver.people.failures import Failures
from synapse_nextgen_auth.homeserver.people.login_callbacks import LoginCallbacks
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.networks import network
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.secret import Secret

NEEDS = (
    Needed(
        "synapse.handlers.auth", "AuthHandler.validate_login", ("login_submission", "ratelimit")
    ),
    Needed("synapse.handlers.auth", "AuthHandler.validate_hash", ("password", "stored_hash")),
    Needed("synapse.handlers.auth", "AuthHandler.hash", ("password",)),
    *members("synapse.handlers.auth", "AuthHandler", "get_supported_login_types"),
    Needed(
        "synapse.storage.databases.main", "DataStore.get_users_by_id_case_insensitive", ("user_id",)
    ),
    Needed(
        "synapse.storage.databases.main", "DataStore.get_user_id_by_threepid", ("medium", "address")
    ),
    Needed("synapse.storage.databases.main", "DataStore.get_profileinfo", ("user_id",)),
    Needed("synapse.storage.databases.main", "DataStore.user_get_threepids", ("user_id",)),
    Needed("synapse.util.threepids", "canonicalise_email", ("address",)),
    Needed("synapse.api.auth_blocking", "AuthBlocking.check_auth_blocking", ("user_id",)),
    Needed(
        "synapse.handlers.account_validity",
        "AccountValidityHandler.on_user_login",
        ("user_id", "auth_provider_type", "auth_provider_id"),
    ),
    Needed(
        "synapse.handlers.account_validity", "AccountValidityHandler.is_user_expired", ("user_id",)
    ),
    Needed("synapse.api.ratelimiting", "Ratelimiter.ratelimit", ("requester", "key")),
    *members(
        "synapse.server",
        "HomeServer",
        "get_account_validity_handler",
        "get_auth_blocking",
        "get_auth_handler",
        "get_clock",
        "get_module_api_callbacks",
    ),
)

logger = logging.getLogger(__name__)

# Passwords are checked two at a time per process, so that a flood of guesses leaves the threads to
# the rest of Synapse; whoever would wait behind this many is told to come back (C230).
_CHECKS_AT_ONCE = 2
_MAX_WAITING = 20

# A hash of nothing that anybody types: checked where there is no hash, so that an unknown account or
# address takes as long as a known one (C227).
_NOBODY = "nextgen-nobody"


@attrs.frozen
class Wrong(Exception):
    """The password does not open an account; the same for every reason (C226).

    `user_id` is whose it was tried on, `None` where nobody is called that.
    """

    user_id: str | None = None


@attrs.frozen
class TryLater(Exception):
    """Too many attempts, or too many people at once; `retry_after` in seconds."""

    retry_after: int
    busy: bool = False


@attrs.frozen
class PasswordsOff(Exception):
    """This homeserver does not let people sign in with passwords."""


@attrs.frozen
class NotAdmitted(Exception):
    """The account may not go on."""

    why: Reason


@attrs.frozen
class Newcomer:
    """What is about to begin a session, as modules that look for spam are told."""

    device_id: str | None
    device_name: str
    user_agent: str
    address: str


_REMEMBERED = 20_000  # accounts; a forgotten one costs microseconds


class People:
    """Synapse's accounts."""

    def __init__(self, homeserver: Homeserver) -> None:
        hs = homeserver.hs
        self._homeserver = homeserver
        self._store = homeserver.store
        self._auth_handler = hs.get_auth_handler()
        self._by_address = _limiter(homeserver, hs.config.ratelimiting.rc_login_address)
        self._by_account = _limiter(homeserver, hs.config.ratelimiting.rc_login_account)
        self._checks = Linearizer(
            name="nextgen_password_checks", max_count=_CHECKS_AT_ONCE, clock=hs.get_clock()
        )
        self._waiting = 0
        self._has_passwords = bool(hs.config.auth.password_localdb_enabled)
        self.failures = Failures(homeserver)
        self._nobodys_hash: str | None = None
        self.login_callbacks = LoginCallbacks(homeserver)
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

    async def profile(self, user_id: str) -> tuple[str | None, str | None]:
        """Return display name and avatar (an mxc URI)."""
        profile = await self._store.get_profileinfo(UserID.from_string(user_id))
        return profile.display_name, profile.avatar_url

    async def email(self, user_id: str) -> str | None:
        """Return the account's verified e-mail address, the oldest if it has several."""
        threepids = await self._store.user_get_threepids(user_id)
        emails = sorted((t for t in threepids if t.medium == "email"), key=lambda t: t.added_at)
        return emails[0].address if emails else None

    @property
    def passwords_enabled(self) -> bool:
        """Whether anybody can sign in with a password here."""
        return "m.login.password" in self._auth_handler.get_supported_login_types()

    @property
    def emails_known(self) -> bool:
        """Whether people may have an e-mail address here to sign in with."""
        return bool(self._homeserver.hs.config.email.can_verify_email)

    async def check_password(
        self, identifier: Identifier, password: Secret, *, address: str
    ) -> str:
        """Return the Matrix id of the account that this password opens.

        Raises `Wrong`, `TryLater` or `PasswordsOff`. Synapse's `rc_login` limits count before the
        account is looked up, so unknown ones are limited too (C238).
        """
        if not self.passwords_enabled:
            raise PasswordsOff
        if len(password.reveal().encode("utf-8", "surrogatepass")) > MAX_PASSWORD:
            raise Wrong
        async with self._place():
            try:
                await self._by_address.ratelimit(None, network(address))
                user_id = await self._validate(identifier, password)
                await self._by_account.ratelimit(None, user_id.lower())
            except LimitExceededError as error:
                raise TryLater(_seconds(error)) from error
        return user_id

    async def signed_in(self, user_id: str) -> None:
        """Tell account-validity modules about a session that began, as Synapse's login does (C335)."""
        await self._homeserver.hs.get_account_validity_handler().on_user_login(
            user_id, auth_provider_type="m.login.password", auth_provider_id=None
        )

    async def _validate(self, identifier: Identifier, password: Secret) -> str:
        submission = {
            "type": "m.login.password",
            "identifier": _as_matrix(identifier),
            "password": password.reveal(),
        }
        nobodys_hash = await self._hash_of_nobody()
        try:
            user_id, callback = await self._auth_handler.validate_login(submission, ratelimit=True)
        except LimitExceededError:
            raise
        except SynapseError as error:
            if not isinstance(error, (LoginError, UserDeactivatedError)):
                # Synapse found the identifier malformed: nobody is called that.
                logger.info("Refused a sign-in: %s", error.msg)
            owner, has_hash = await self._owner(identifier)
            if not has_hash and self._has_passwords:
                # Synapse had nothing to compare with.
                await self._auth_handler.validate_hash(password.reveal(), nobodys_hash)
            raise Wrong(owner) from error
        self.login_callbacks.keep(user_id, callback)
        return user_id

    async def _hash_of_nobody(self) -> str:
        if self._nobodys_hash is None:
            self._nobodys_hash = await self._auth_handler.hash(_NOBODY)
        return self._nobodys_hash

    async def _owner(self, identifier: Identifier) -> tuple[str | None, bool]:
        """Return whose account this is, if anybody's, and whether it has a hash of a password.

        Found as Synapse finds it: in any case, but never one of several.
        """
        user_id = identifier.user_id
        if identifier.email is not None:
            user_id = await self._owner_of_address(identifier.email)
        # Also where nobody has the address, so that it takes as long.
        asked = user_id or UserID(_NOBODY, self._homeserver.server_name).to_string()
        known = await self._store.get_users_by_id_case_insensitive(asked)
        owner = asked if asked in known else next(iter(known), None)
        if owner is None or (len(known) > 1 and owner != asked):
            return None, False
        return owner, bool(known[owner])

    async def _owner_of_address(self, address: str) -> str | None:
        try:
            canonical = canonicalise_email(address)
        except ValueError:
            return None
        user_id: str | None = await self._store.get_user_id_by_threepid("email", canonical)
        return user_id

    def _place(self) -> AbstractAsyncContextManager[None]:
        if self._waiting >= _MAX_WAITING:
            raise TryLater(5, busy=True)
        return _Counted(self, self._checks.queue("passwords"))

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


class _Counted:
    """A place in the queue for password checks, counted while somebody waits in it."""

    def __init__(self, people: People, place: Any) -> None:
        self._people = people
        self._place = place

    async def __aenter__(self) -> None:
        self._people._waiting += 1  # noqa: SLF001 (of this file)
        await self._place.__aenter__()

    async def __aexit__(self, *exc: object) -> None:
        self._people._waiting -= 1  # noqa: SLF001 (of this file)
        await self._place.__aexit__(*exc)


def _limiter(homeserver: Homeserver, settings: Any) -> Ratelimiter:
    return Ratelimiter(store=homeserver.store, clock=homeserver.hs.get_clock(), cfg=settings)


def _seconds(error: LimitExceededError) -> int:
    return max(1, -(-(error.retry_after_ms or 1000) // 1000))


def _as_matrix(identifier: Identifier) -> dict[str, str]:
    if identifier.email is not None:
        return {"type": "m.id.thirdparty", "medium": "email", "address": identifier.email}
    return {"type": "m.id.user", "user": identifier.user_id or ""}

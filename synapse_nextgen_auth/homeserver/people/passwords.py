"""Passwords, and what modules check in their place: whose account they open.

All of it goes through `AuthHandler.validate_login`, as `/login` does: Synapse's own passwords, the
password-provider modules, and the login types that only a module knows.
"""

import copy
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
from synapse.api.errors import LimitExceededError, LoginError, SynapseError, UserDeactivatedError
from synapse.api.ratelimiting import Ratelimiter
from synapse.types import UserID
from synapse.util.async_helpers import Linearizer
from synapse.util.threepids import canonicalise_email

from synapse_nextgen_auth.accounts.people import MAX_PASSWORD, Identifier
from synapse_nextgen_auth.accounts.ways import PASSWORD, PASSWORD_FIELD, Ways, find_ways
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.people.login_callbacks import LoginCallbacks
from synapse_nextgen_auth.homeserver.people.module_checks import (
    CHECKS_AT_ONCE,
    Checks,
    Overdue,
)
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members
from synapse_nextgen_auth.oauth.networks import network
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Secret
from synapse_nextgen_auth.store import passwords as rows

NEEDS = (
    Needed(
        "synapse.handlers.auth",
        "AuthHandler.validate_login",
        ("login_submission", "ratelimit", "is_reauth"),
    ),
    Needed("synapse.handlers.auth", "AuthHandler.validate_hash", ("password", "stored_hash")),
    Needed("synapse.handlers.auth", "AuthHandler._check_local_password", ("user_id", "password")),
    *members("synapse.handlers.auth", "PasswordAuthProvider", "get_supported_login_types"),
    Needed(
        "synapse.storage.databases.main", "DataStore.get_users_by_id_case_insensitive", ("user_id",)
    ),
    Needed(
        "synapse.storage.databases.main", "DataStore.get_user_id_by_threepid", ("medium", "address")
    ),
    Needed("synapse.util.threepids", "canonicalise_email", ("address",)),
    Needed("synapse.api.ratelimiting", "Ratelimiter.__init__", ("store", "clock", "cfg")),
    Needed("synapse.api.ratelimiting", "Ratelimiter.ratelimit", ("requester", "key")),
    *members("synapse.server", "HomeServer", "get_auth_handler", "get_clock", "get_reactor"),
)

logger = logging.getLogger(__name__)

# Passwords are checked two at a time per process, so that a flood of guesses leaves the threads to
# the rest of Synapse; whoever would wait behind this many is told to come back (C230).
_CHECKS_AT_ONCE = 2
_MAX_WAITING = 20
_SOON, _COME_BACK = 5, 30

# A hash of nothing that anybody types: checked where there is no hash, so that an unknown account or
# address takes as long as a known one (C227).
_NOBODY = "nextgen-nobody"


@frozen
class Opened:
    """The account that was opened, and which hash the password fits, if Synapse's own."""

    user_id: str
    password_hash: str | None = attrs.field(default=None, repr=False)


@frozen
class Wrong(Exception):
    """What was typed does not open an account; the same for every reason (C226).

    `user_id` is whose it was tried on, `None` where nobody is called that.
    """

    user_id: str | None = None


@frozen
class TryLater(Exception):
    """Too many attempts, or too many people at once; `retry_after` in seconds."""

    retry_after: int
    busy: bool = False


@frozen
class CouldNotCheck(Exception):
    """A module failed or did not answer: nobody knows whether it was right."""

    retry_after: int = _COME_BACK


@frozen
class PasswordsOff(Exception):
    """This homeserver does not let people sign in like this."""


class Passwords:
    """What is typed into a form, and whose account it opens."""

    def __init__(
        self,
        homeserver: Homeserver,
        login_callbacks: LoginCallbacks,
        hash_of_nobody: Callable[[str], Awaitable[str]],
    ) -> None:
        hs = homeserver.hs
        self._homeserver = homeserver
        self._store = homeserver.store
        self._reactor = hs.get_reactor()
        self._auth_handler = hs.get_auth_handler()
        self._by_address = _limiter(homeserver, hs.config.ratelimiting.rc_login_address)
        self._by_account = _limiter(homeserver, hs.config.ratelimiting.rc_login_account)
        self._own, self._of_modules = (
            Linearizer(name=f"nextgen_{name}_checks", max_count=at_once, clock=hs.get_clock())
            for name, at_once in (("password", _CHECKS_AT_ONCE), ("module", CHECKS_AT_ONCE))
        )
        self._waiting = 0
        # By module: how many checks it still owes an answer that nobody waits for any more.
        self._overdue: Counter[int] = Counter()
        self._options = hs.config.auth
        self._make_hash_of_nobody = hash_of_nobody
        self._nobodys_hash: str | None = None
        self._login_callbacks = login_callbacks

    @property
    def ways(self) -> Ways:
        """What the sign-in page can ask for; asked each time, as modules may come later."""
        return self._ways(passwords=bool(self._options.password_enabled_for_login))

    @property
    def ways_again(self) -> Ways:
        """The same for somebody who is signed in and proves it again (`only_for_reauth`)."""
        return self._ways(passwords=bool(self._options.password_enabled_for_reauth))

    async def may_have_one(self, user_id: str) -> bool:
        """Say whether a password may open this account: its own, or one that a module knows.

        To be told to nobody else than whoever is signed in to it (C226).
        """
        modules = self._auth_handler.password_auth_provider
        if PASSWORD in modules.get_supported_login_types():
            return True
        known = await self._store.get_users_by_id_case_insensitive(user_id)
        return bool(known.get(user_id))

    def _ways(self, *, passwords: bool) -> Ways:
        config = self._homeserver.hs.config
        modules = self._auth_handler.password_auth_provider
        by_module = bool(modules.check_3pid_auth_callbacks)
        delegate = config.registration.account_threepid_delegate_msisdn
        return find_ways(
            modules.get_supported_login_types(),
            passwords=passwords,
            localdb=bool(self._options.password_localdb_enabled),
            email=by_module or bool(config.email.can_verify_email),
            phone=by_module or bool(delegate),
        )

    async def check(
        self,
        identifier: Identifier,
        answers: Mapping[str, Secret],
        *,
        login_type: str = PASSWORD,
        address: str,
        again: bool = False,
    ) -> Opened:
        """Return the account that these answers open, by the fields' names.

        Raises `Wrong`, `TryLater`, `CouldNotCheck` or `PasswordsOff`. Synapse's `rc_login` limits
        count before the account is looked up, so unknown ones are limited too (C238).
        """
        way = (self.ways_again if again else self.ways).find(login_type)
        if way is None:
            raise PasswordsOff
        wanted = {field.name for field in way.fields}
        if answers.keys() != wanted or any(map(is_too_long, answers.values())):
            raise Wrong
        typed = {name: secret.reveal() for name, secret in answers.items()}
        submission = {"type": login_type, "identifier": _as_matrix(identifier), **typed}
        async with self._place():
            try:
                await self._by_address.ratelimit(None, network(address))
                opened = await self._validate(identifier, submission, again=again)
                await self._by_account.ratelimit(None, opened.user_id.lower())
            except LimitExceededError as error:
                raise TryLater(_seconds(error)) from error
        return opened

    async def fitting(self, user_id: str, password: Secret) -> str | None:
        """Return the hash that an account has now, if a password fits it that was right a moment ago.

        No limit counts it: whoever asks had to know the former one.
        """
        known = await self._homeserver.read(rows.of_account, user_id)
        if known is None:
            return None
        async with self._place():
            fits = await self._auth_handler.validate_hash(password.reveal(), known)
        return known if fits else None

    def _noting(self, check: Callable[..., Any], seen: dict[str, str]) -> Callable[..., Any]:
        """Note which hash an account had before a password was compared with it."""

        async def noted(user_id: str, password: str) -> Any:
            before = await self._store.get_users_by_id_case_insensitive(user_id)
            found = await check(user_id, password)
            if found is not None:
                seen[found] = before.get(found) or ""
            return found

        return noted

    async def _validate(
        self, identifier: Identifier, submission: dict[str, Any], *, again: bool
    ) -> Opened:
        nobodys_hash = await self._hash_of_nobody()
        modules = Checks(self._auth_handler.password_auth_provider, self._overdue, self._reactor)
        handler: Any = copy.copy(self._auth_handler)
        handler.password_auth_provider = modules.watched
        seen: dict[str, str] = {}
        handler._check_local_password = self._noting(  # noqa: SLF001 (a copy; in NEEDS)
            handler._check_local_password,  # noqa: SLF001
            seen,
        )
        try:
            user_id, callback = await handler.validate_login(
                submission, ratelimit=True, is_reauth=again
            )
        except LimitExceededError:
            raise
        except SynapseError as error:
            if not modules.troubles and not isinstance(error, (LoginError, UserDeactivatedError)):
                # Synapse found the identifier malformed: nobody is called that.
                logger.info("Refused a sign-in: %s", error.msg)
            owner, has_hash = await self._owner(identifier)
            if submission["type"] == PASSWORD and not has_hash and self._has_passwords:
                # Synapse had nothing to compare with.
                await self._auth_handler.validate_hash(
                    submission[PASSWORD_FIELD.name], nobodys_hash
                )
            if any(isinstance(trouble, Overdue) for trouble in modules.troubles):
                raise TryLater(_SOON, busy=True) from error
            if modules.troubles:
                raise CouldNotCheck from error
            raise Wrong(owner) from error
        if self._has_modules and not await self._exists(user_id):
            # Nobody's account was closed: the module did not make one, or means another server's.
            logger.warning("A module let in %s, whose account does not exist here", user_id)
            raise CouldNotCheck
        self._login_callbacks.keep(user_id, callback)
        return Opened(user_id, seen.get(user_id))

    @property
    def _has_passwords(self) -> bool:
        return bool(self._options.password_localdb_enabled)

    @property
    def _has_modules(self) -> bool:
        modules = self._auth_handler.password_auth_provider
        return bool(modules.auth_checker_callbacks or modules.check_3pid_auth_callbacks)

    async def _hash_of_nobody(self) -> str:
        if self._nobodys_hash is None:
            self._nobodys_hash = await self._make_hash_of_nobody(_NOBODY)
        return self._nobodys_hash

    async def spelled(self, user_id: str) -> str | None:
        """Return the account that somebody means who writes its name in any case."""
        owner, _has_hash = await self._owner(Identifier(user_id=user_id))
        return owner

    async def _exists(self, user_id: str) -> bool:
        return user_id in await self._store.get_users_by_id_case_insensitive(user_id)

    async def _owner(self, identifier: Identifier) -> tuple[str | None, bool]:
        """Return whose account this is, if anybody's, and whether it has a hash of a password.

        Found as Synapse finds it: in any case, but never one of several.
        """
        user_id = identifier.user_id
        if user_id is None:
            user_id = await self._owner_of_address(identifier)
        # Also where nobody has the address, so that it takes as long.
        asked = user_id or UserID(_NOBODY, self._homeserver.server_name).to_string()
        known = await self._store.get_users_by_id_case_insensitive(asked)
        owner = asked if asked in known else next(iter(known), None)
        if owner is None or (len(known) > 1 and owner != asked):
            return None, False
        return owner, bool(known[owner])

    async def _owner_of_address(self, identifier: Identifier) -> str | None:
        medium, address = "msisdn", identifier.phone or ""
        if identifier.email is not None:
            medium = "email"
            try:
                address = canonicalise_email(identifier.email)
            except ValueError:
                return None
        user_id: str | None = await self._store.get_user_id_by_threepid(medium, address)
        return user_id

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """Wait for a place among the checks, unless too many wait; whoever waits or is in it counts."""
        if self._waiting >= _MAX_WAITING:
            raise TryLater(_SOON, busy=True)
        checks = self._of_modules if self._has_modules else self._own
        self._waiting += 1
        try:
            async with checks.queue("passwords"):
                yield
        finally:
            self._waiting -= 1


def is_too_long(typed: Secret) -> bool:
    """Say whether this is more than anybody types: normalising alone would cost seconds (C231)."""
    return len(typed.reveal().encode("utf-8", "surrogatepass")) > MAX_PASSWORD


def _limiter(homeserver: Homeserver, settings: Any) -> Ratelimiter:
    return Ratelimiter(store=homeserver.store, clock=homeserver.hs.get_clock(), cfg=settings)


def _seconds(error: LimitExceededError) -> int:
    return max(1, -(-(error.retry_after_ms or 1000) // 1000))


def _as_matrix(identifier: Identifier) -> dict[str, str]:
    if identifier.email is not None:
        return {"type": "m.id.thirdparty", "medium": "email", "address": identifier.email}
    if identifier.phone is not None:
        return {"type": "m.id.thirdparty", "medium": "msisdn", "address": identifier.phone}
    return {"type": "m.id.user", "user": identifier.user_id or ""}

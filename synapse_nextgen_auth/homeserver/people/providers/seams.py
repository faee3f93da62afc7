"""Where a sign-in through a provider leaves Synapse's handlers and comes to us.

Synapse's handlers, callback addresses and mappings do everything that they do for a legacy client; only
their end is ours, where the address to come back to is one that we made (`accounts/attempts/starts.py`).
Whatever else they do, for UI authentication and for legacy clients, stays theirs.
"""

import inspect
import logging
from typing import Any, NoReturn

import attrs
from synapse.api.errors import LimitExceededError, RedirectException, SynapseError
from synapse.handlers.sso import MappingException

from synapse_nextgen_auth.accounts.attempts.arrivals import Statement, Trouble
from synapse_nextgen_auth.accounts.attempts.newcomers import Newcomer
from synapse_nextgen_auth.accounts.attempts.starts import Start
from synapse_nextgen_auth.flows.arrive import Expected
from synapse_nextgen_auth.homeserver.matrix.legacy_login import SsoGate
from synapse_nextgen_auth.homeserver.people.providers import (
    emails,
    guard,
    identities,
    mappings,
    registrations,
    statements,
    troubles,
)
from synapse_nextgen_auth.homeserver.people.providers.desk import Desk
from synapse_nextgen_auth.homeserver.people.providers.guard import Guard
from synapse_nextgen_auth.homeserver.people.providers.handlers import Handlers
from synapse_nextgen_auth.homeserver.people.providers.listing import (
    Kind,
    Providers,
)
from synapse_nextgen_auth.homeserver.startup import patches
from synapse_nextgen_auth.homeserver.startup.needed import Needed, members

NEEDS = (
    Needed(
        "synapse.handlers.sso",
        "SsoHandler.complete_sso_login_request",
        (
            "auth_provider_id",
            "remote_user_id",
            "request",
            "client_redirect_url",
            "sso_to_matrix_id_mapper",
            "grandfather_existing_users",
            "extra_login_attributes",
            "auth_provider_session_id",
            "registration_enabled",
        ),
    ),
    Needed("synapse.handlers.sso", "MappingException"),
    Needed(
        "synapse.handlers.sso",
        "SsoHandler.get_sso_user_by_remote_user_id",
        ("auth_provider_id", "remote_user_id"),
    ),
    Needed(
        "synapse.handlers.sso",
        "SsoHandler._redirect_to_next_new_user_step",
        (
            "auth_provider_id",
            "remote_user_id",
            "attributes",
            "client_redirect_url",
            "extra_login_attributes",
            "auth_provider_session_id",
        ),
    ),
    Needed(
        "synapse.handlers.sso",
        "SsoHandler._register_mapped_user",
        ("attributes", "auth_provider_id", "remote_user_id"),
    ),
    Needed("synapse.handlers.sso", "SsoHandler.render_error", ("request", "error")),
    Needed(
        "synapse.handlers.auth",
        "AuthHandler.complete_sso_login",
        (
            "registered_user_id",
            "auth_provider_id",
            "request",
            "client_redirect_url",
            "extra_attributes",
            "auth_provider_session_id",
        ),
    ),
    *members(
        "synapse.server",
        "HomeServer",
        "get_auth_handler",
        "get_datastores",
        "get_reactor",
        "get_sso_handler",
    ),
)

logger = logging.getLogger(__name__)

# Who completes a sign-in by the module API does not say through which provider it went.
_UNKNOWN = "<unknown>"
_START = "_nextgen_start"


class Seams:
    """The ends of Synapse's sign-ins through providers, taken over once its handlers are there."""

    def __init__(self, providers: Providers, desk: Desk, gate: SsoGate) -> None:
        self._providers = providers
        self._desk = desk
        self._gate = gate
        self._is_installed = False

    def install(self, hs: Any) -> None:
        """Take over the ends, once: a process may have several listeners."""
        if self._is_installed:
            return
        self._is_installed = True
        sso, auth_handler = hs.get_sso_handler(), hs.get_auth_handler()
        self._sso = sso
        self._store = hs.get_datastores().main
        self._stock_request = patches.instead(sso, "complete_sso_login_request", self.found)
        self._stock_step = patches.instead(sso, "_redirect_to_next_new_user_step", self.new_user)
        patches.instead(sso, "_register_mapped_user", self.register)
        self._stock_error = patches.instead(sso, "render_error", self.failed)
        self._stock_end = patches.instead(auth_handler, "complete_sso_login", self.signed_in)
        around = Guard(hs.get_reactor(), self._claimed, self._desk.fail)
        Handlers(self._providers, self._desk, around, self.failed).take(hs)
        for change in patches.changes():
            logger.debug("In Synapse %s has ours %s: %s", change.name, change.how, change.ours)

    async def found(
        self,
        auth_provider_id: str,
        remote_user_id: str,
        request: Any,
        client_redirect_url: str,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Hear whom a provider let in: sign them in as Synapse does, or see that they are who they were.

        Nobody is made an account, and nothing of one is changed, who proves again who they are. Where an
        application asks for one account, nobody is made another.
        """
        given = (auth_provider_id, remote_user_id, request, client_redirect_url)
        said = self._cleaned(given, args, kwargs)
        start = self._desk.start_of(client_redirect_url)
        if start is None:
            if self._is_lost(request, client_redirect_url) or await self._gate.stops(request):
                return
            await self._stock_request(*given, **said)
            return
        setattr(request, _START, start)
        guard.named(request)
        if start.provider_id != auth_provider_id:
            self._desk.fail(request, start, Trouble.OTHER_PROVIDER)
            return
        if why := identities.refuse_id(remote_user_id):
            logger.warning("Provider %s says who somebody is by %s", auth_provider_id, why)
            self._desk.fail(request, start, Trouble.BROKEN)
            return
        expected = await self._desk.expected(start)
        if isinstance(expected, Trouble):
            self._desk.fail(request, start, expected)
            return
        if expected.connects:
            await self._connect(request, start, remote_user_id, said)
        else:
            await self._prove(start, expected, given, said)

    async def _prove(
        self, start: Start, expected: Expected, given: tuple[Any, ...], said: dict[str, Any]
    ) -> None:
        """Sign in whom a provider let in, or see that they are who they were."""
        auth_provider_id, remote_user_id, request, _ = given
        if expected.user_id is None:
            await self._sign_in(start, given, said)
            return
        user_id = await self._sso.get_sso_user_by_remote_user_id(auth_provider_id, remote_user_id)
        if user_id is None and not expected.proves_again:
            await self._sign_in(start, given, said, only=expected.user_id)
        elif user_id != expected.user_id:
            self._desk.fail(request, start, Trouble.OTHER_ACCOUNT)
        elif expected.proves_again:
            statement = self._statement(request, start, said.get("auth_provider_session_id"))
            await self._desk.arrived(request, start, statement, user_id=user_id)
        else:
            await self._sign_in(start, given, said)

    async def _connect(
        self, request: Any, start: Start, remote_user_id: str, said: dict[str, Any]
    ) -> None:
        """Let whom a provider let in wait for the account that asked for them.

        Synapse is not asked: it would sign somebody in, and make an account for whoever has none. Whose
        they are by then the page finds out that takes the answer.
        """
        statement = self._statement(request, start, said.get("auth_provider_session_id"))
        newcomer = Newcomer(start.provider_id, remote_user_id, statement=statement)
        await self._desk.arrived(request, start, statement, newcomer=newcomer)

    def _is_lost(self, request: Any, url: str) -> bool:
        """Say whether somebody comes back to us with a start of which we know nothing, and tell them.

        Synapse would make a login token, and put it into an address of ours.
        """
        if not self._desk.leads_here(url):
            return False
        self._desk.fail(request, Start("", ""), Trouble.OVER)
        return True

    def _cleaned(
        self, given: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        """Return what else was said, by names, so that Synapse hears nothing that cannot be stored."""
        bound = inspect.signature(self._stock_request).bind(*given, *args, **kwargs)
        said = dict([*bound.arguments.items()][len(given) :])
        return {
            **said,
            "sso_to_matrix_id_mapper": mappings.cleaning(said["sso_to_matrix_id_mapper"]),
        }

    def _only(self, user_id: str, said: dict[str, Any]) -> dict[str, Any]:
        """Return what lets Synapse find this account by its name, make none, and connect no other."""
        find = said["grandfather_existing_users"]

        async def only() -> str | None:
            found: str | None = await find()
            return found if found == user_id else None

        return {**said, "grandfather_existing_users": only, "registration_enabled": False}

    async def _sign_in(
        self,
        start: Start,
        given: tuple[Any, ...],
        said: dict[str, Any],
        *,
        only: str | None = None,
    ) -> None:
        provider_id, remote_user_id, request, back = given
        session = said.get("auth_provider_session_id")
        if only is not None:
            said = self._only(only, said)
        known = await self._sso.get_sso_user_by_remote_user_id(provider_id, remote_user_id)
        try:
            await self._stock_request(*given, **said)
        except _NewcomerFound as found:
            statement = self._statement(request, start, session)
            newcomer = Newcomer.of(
                provider_id, remote_user_id, found.attributes, statement, extras=found.extras
            )
            await self._desk.arrived(request, start, statement, newcomer=newcomer)
        except RedirectException:
            raise  # a mapping provider has pages of its own, and comes back by itself
        except Exception as error:
            if guard.is_ending(request):
                raise
            user_id = await registrations.account_of(self._store, (provider_id, remote_user_id))
            if user_id is None or user_id != (only or user_id):
                self._without(error, start, request, only=only)
            elif known is not None and isinstance(error, MappingException):
                logger.warning(
                    "What provider %s says of %s could not be read: %s", provider_id, user_id, error
                )
                self._desk.fail(request, start, Trouble.BROKEN)
            else:
                # Another process made the account just now; or it is there, and its profile stays.
                logger.info(
                    "%s signs in though provider %s failed them",
                    user_id,
                    provider_id,
                    exc_info=True,
                )
                extras = said.get("extra_login_attributes")
                await self.signed_in(
                    user_id, provider_id, request, back, extras, auth_provider_session_id=session
                )

    def _without(self, error: Exception, start: Start, request: Any, *, only: str | None) -> None:
        """Say that there is no account, nor another one than that which is asked for."""
        if isinstance(error, MappingException) and only is not None:
            trouble = Trouble.OTHER_ACCOUNT
        elif isinstance(error, LimitExceededError):
            trouble = Trouble.UNAVAILABLE
        elif isinstance(error, SynapseError) and error.code < 500:
            logger.info("Provider %s brought nobody an account: %s", start.provider_id, error.msg)
            trouble = Trouble.NO_ACCOUNT
        else:
            raise error
        self._desk.fail(request, start, trouble)

    async def new_user(
        self,
        auth_provider_id: str,
        remote_user_id: str,
        attributes: Any,
        client_redirect_url: str,
        *args: Any,
        **kwargs: Any,
    ) -> NoReturn:
        """Stop where Synapse would ask a new person something on pages of its own."""
        given = (auth_provider_id, remote_user_id, attributes, client_redirect_url)
        if self._desk.start_of(client_redirect_url) is not None:
            said = inspect.signature(self._stock_step).bind(*given, *args, **kwargs).arguments
            raise _NewcomerFound(attributes, said.get("extra_login_attributes"))
        await self._stock_step(*given, *args, **kwargs)
        raise AssertionError("it redirects")

    async def register(
        self, attributes: Any, auth_provider_id: str, remote_user_id: str, *args: Any, **kwargs: Any
    ) -> str:
        """Make an account as Synapse does, but in one step, and with addresses that it can have."""
        free = await emails.free(self._store, attributes.emails)
        given = attrs.evolve(attributes, emails=free)
        person = auth_provider_id, remote_user_id
        return await registrations.register(self._sso, given, person, *args, **kwargs)

    async def signed_in(
        self,
        registered_user_id: str,
        auth_provider_id: str,
        request: Any,
        client_redirect_url: str,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Take whose account it is to the browser that asked, where stock would make a login token."""
        given = (registered_user_id, auth_provider_id, request, client_redirect_url)
        start = self._desk.start_of(client_redirect_url)
        if start is None:
            if self._is_lost(request, client_redirect_url):
                return
            if await self._gate.stops(request, registered_user_id):
                return
            if self._gate.leads_on(request, client_redirect_url):
                return
            await self._stock_end(*given, *args, **kwargs)
            return
        guard.ending(request)
        if auth_provider_id not in {start.provider_id, _UNKNOWN}:
            self._desk.fail(request, start, Trouble.OTHER_PROVIDER)
            return
        said = inspect.signature(self._stock_end).bind(*given, *args, **kwargs).arguments
        statement = self._statement(request, start, said.get("auth_provider_session_id"))
        await self._desk.arrived(
            request,
            start,
            statement,
            user_id=registered_user_id,
            extras=said.get("extra_attributes"),
        )

    def failed(
        self,
        request: Any,
        error: str,
        error_description: str | None = None,
        code: int = 400,
    ) -> None:
        """Say on our page what went wrong, if it was on a way of ours."""
        trouble = Trouble.UNAVAILABLE if guard.is_late(request) else troubles.of_error(error)
        start = getattr(request, _START, None) or self._claimed(request)
        if trouble is Trouble.OTHER_TAB and (start is not None or self._desk.knows(request)):
            # Whose answer it is nobody knows: the one cookie is of what the browser began last.
            start = Start("", "")
        if start is None:
            self._stock_error(request, error, error_description, code)
        else:
            self._desk.fail(request, start, trouble)

    def _claimed(self, request: Any) -> Start | None:
        claimed = troubles.addresses(request, _openid_cookies())
        return next((start for url in claimed if (start := self._desk.start_of(url))), None)

    def _statement(self, request: Any, start: Start, session: object) -> Statement:
        """Return what was said of the sign-in; who was asked for a fresh one and is trusted has it."""
        said = attrs.evolve(statements.of(request), session=statements.session(session))
        provider = self._providers.get(start.provider_id)
        # A CAS server gives no ticket that says otherwise (`renew`, CAS protocol section 2.5.1).
        is_sure = provider is not None and provider.kind is Kind.CAS
        if start.is_fresh and (is_sure or self._providers.trusts(start.provider_id)):
            return attrs.evolve(said, auth_time=self._desk.now())
        return said


class _NewcomerFound(Exception):
    """Somebody has no account yet, and is asked something before there is one."""

    def __init__(self, attributes: Any, extras: dict[str, Any] | None) -> None:
        super().__init__()
        self.attributes = attributes
        self.extras = extras


def _openid_cookies() -> tuple[bytes, ...]:
    try:
        from synapse.handlers.oidc import _SESSION_COOKIES  # noqa: PLC0415 (needs Authlib)
    except ImportError:
        return ()
    return tuple(name for name, _ in _SESSION_COOKIES)

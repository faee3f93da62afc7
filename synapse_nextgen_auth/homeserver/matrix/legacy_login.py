"""`/login` beside ours: what it offers, and for whom it is still open (CS API, MSC3824).

`GET` always answers, because there are clients that fail without it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from synapse.api.errors import Codes, SynapseError, UserLockedError
from synapse.http.server import HttpServer, finish_request
from synapse.http.servlet import RestServlet, parse_json_object_from_request
from synapse.http.site import SynapseRequest
from synapse.rest.client.login import LoginRestServlet, SsoRedirectServlet

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.legacy_login import IN_BROWSER, NEEDS_FACTOR, LegacyLoginRules
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.database.outage import answered_503
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing, incoming, send
from synapse_nextgen_auth.homeserver.matrix.old_doors import OldDoors
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.oauth.metadata import Endpoints
from synapse_nextgen_auth.oauth.sessions import Session
from synapse_nextgen_auth.oauth.tokens import session_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind
from synapse_nextgen_auth.secret import Keyring, digest

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts.attempts import extras
    from synapse_nextgen_auth.homeserver.matrix.application_passwords import ApplicationPasswords
    from synapse_nextgen_auth.store import first_sessions, legacy_logins, login_tokens
else:
    extras, first_sessions, legacy_logins, login_tokens = late.files(
        "accounts.attempts.extras",
        "store.first_sessions",
        "store.legacy_logins",
        "store.login_tokens",
    )

NEEDS = (
    Needed("synapse.rest.client.login", "LoginRestServlet.on_GET", ("request",)),
    Needed("synapse.rest.client.login", "LoginRestServlet.on_POST", ("request",)),
    Needed(
        "synapse.rest.client.login",
        "LoginRestServlet._complete_login",
        ("user_id", "login_submission"),
    ),
    Needed("synapse.rest.client.login", "LoginRestServlet._do_token_login", ("login_submission",)),
    Needed(
        "synapse.rest.client.login",
        "LoginRestServlet._do_other_login",
        ("login_submission", "request_info"),
    ),
    Needed("synapse.storage.databases.main", "DataStore.get_user_locked_status", ("user_id",)),
    Needed(
        "synapse.module_api.callbacks.spamchecker_callbacks",
        "SpamCheckerModuleApiCallbacks.check_login_for_spam",
        ("user_id", "device_id", "initial_display_name", "request_info", "auth_provider_id"),
    ),
    Needed(
        "synapse.handlers.account_validity",
        "AccountValidityHandler.on_user_login",
        ("user_id", "auth_provider_type", "auth_provider_id"),
    ),
    Needed("synapse.rest.client.login", "SsoRedirectServlet.PATTERNS"),
    Needed("synapse.handlers.auth", "AuthHandler.check_user_exists", ("user_id",)),
    Needed("synapse.http.server", "finish_request", ("request",)),
)

_SSO, _TOKEN, _PASSWORD = "m.login.sso", "m.login.token", "m.login.password"
_APPSERVICE = "m.login.application_service"


class Login(LoginRestServlet):
    """Synapse's servlet; the operator may have closed some of its ways."""

    def __init__(
        self,
        homeserver: Homeserver,
        rules: LegacyLoginRules,
        doors: OldDoors,
        keys: Keyring,
        passwords: "ApplicationPasswords",
    ) -> None:
        super().__init__(homeserver.hs)
        self._passwords = passwords
        self._doors = doors
        self._keys = keys
        self._homeserver = homeserver
        self._rules = rules
        self._account_url = doors.account_url

    def on_GET(self, request: SynapseRequest) -> tuple[int, dict[str, Any]]:  # noqa: N802 (Synapse's)
        """Name the open ways; `m.login.sso` leads to our pages whether or not there are providers."""
        status, answer = super().on_GET(request)
        flows = [flow for flow in answer["flows"] if not self._rules.is_closed(flow["type"])]
        if self._rules.offers_tokens and all(flow["type"] != _PASSWORD for flow in flows):
            flows = [{"type": _PASSWORD}, *flows]
        if not self._rules.is_closed(_SSO):
            flows = [
                {**flow, **self._preferred} if flow["type"] == _SSO else flow
                for flow in (_with_sso(flows) if self._rules.through_us else flows)
            ]
        return status, {**answer, "flows": flows}

    async def on_POST(self, request: SynapseRequest) -> tuple[int, Any]:  # noqa: N802 (Synapse's)
        """Sign in as Synapse does, unless nobody gets in this way any more."""
        submission = parse_json_object_from_request(request)
        assert request.content is not None  # noqa: S101 (read just now)
        request.content.seek(0)
        if self._token_in(submission) is None and self._rules.is_closed(submission.get("type")):
            raise self._closed("This server has closed this way of signing in.")
        return await super().on_POST(request)

    def _token_in(self, submission: dict[str, Any]) -> str | None:
        """Return the personal token that stands in the place of the password, by its form alone.

        Whoever pastes it may bring something along: a line's end, quotes, "Bearer".
        """
        password = submission.get("password")
        if not self._rules.takes_tokens or submission.get("type") != _PASSWORD:
            return None
        if not isinstance(password, str):
            return None
        text = session_tokens.find(password)
        return text if text and session_tokens.looks_like(Kind.PERSONAL, text) else None

    async def _do_other_login(
        self, login_submission: dict[str, Any], *args: Any, request_info: Any, **kwargs: Any
    ) -> Any:
        """Answer a personal token with itself; it is nobody's password, and is shown to no provider."""
        text = self._token_in(login_submission)
        if text is None:
            return await super()._do_other_login(
                login_submission, *args, request_info=request_info, **kwargs
            )
        session = await self._passwords.find(login_submission, text)
        await self._account_ratelimiter.ratelimit(None, session.user_id.lower())
        store: Any = self._homeserver.store
        with answered_503(self._homeserver):
            is_locked = await store.get_user_locked_status(session.user_id)
        if is_locked:
            raise UserLockedError
        if session.device_id is None:
            raise SynapseError(
                403,
                "This token has no device, and signing in takes one. Make one that has."
                f" Your account is at {self._account_url}",
                Codes.FORBIDDEN,
            )
        await self._ask_modules(session, login_submission, request_info)
        return self._passwords.answer(session, text)

    async def _ask_modules(
        self, session: Session, submission: dict[str, Any], request_info: Any
    ) -> None:
        """Ask and tell other modules what Synapse would of any sign-in."""
        verdict = await self._spam_checker.check_login_for_spam(
            session.user_id,
            device_id=session.device_id,
            initial_display_name=submission.get("initial_device_display_name"),
            request_info=[(request_info.user_agent, request_info.ip)],
            auth_provider_id=None,
        )
        if verdict != self._spam_checker.NOT_SPAM:
            raise SynapseError(
                403,
                "Login was blocked by the server",
                errcode=verdict[0],
                additional_fields=verdict[1],
            )
        await self._account_validity_handler.on_user_login(
            session.user_id, auth_provider_type=_PASSWORD, auth_provider_id=None
        )

    async def _do_token_login(
        self, login_submission: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Tell the client what a mapping said beside the account, where it came with this sign-in."""
        token = login_submission.get("token")
        sealed = None
        if isinstance(token, str):
            with answered_503(self._homeserver):
                sealed = await self._homeserver.read(legacy_logins.extras_of, digest(token))
        result = await super()._do_token_login(login_submission, *args, **kwargs)
        # What is said beside an account has names of its own, as with stock.
        result.update(extras.unseal(self._keys, sealed, result["user_id"]))  # type: ignore[typeddict-item]
        return result

    async def _complete_login(
        self, user_id: str, login_submission: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Stop where the account signs in here; nobody hears that without the right password."""
        login_type = login_submission.get("type")
        if login_type == _APPSERVICE:  # of nobody who could prove anything
            return await super()._complete_login(user_id, login_submission, *args, **kwargs)
        with answered_503(self._homeserver):
            # Synapse finds the account in any case of its letters, and so do we.
            known = await self.auth_handler.check_user_exists(user_id) or user_id
        if self._rules.depends(login_type):
            with answered_503(self._homeserver):
                is_closed = await self._homeserver.read(first_sessions.has_one, known)
            if is_closed:
                raise self._closed(IN_BROWSER)
        if await self._doors.stops(known, door=str(login_type)) and not (
            login_type == _TOKEN and await self._is_from_us(login_submission["token"])
        ):
            raise self._closed(NEEDS_FACTOR)
        return await super()._complete_login(user_id, login_submission, *args, **kwargs)

    async def _is_from_us(self, token: str) -> bool:
        """Say whether a login token was given out on a page of ours, which asks for the factor."""
        with answered_503(self._homeserver):
            return await self._homeserver.read(
                login_tokens.is_from_us, digest(token), now=self._homeserver.now()
            )

    @property
    def _preferred(self) -> dict[str, bool]:
        if not self._rules.prefer_oauth:
            return {}
        return dict.fromkeys(
            ("oauth_aware_preferred", "org.matrix.msc3824.delegated_oidc_compatibility"), True
        )

    def _closed(self, why: str) -> SynapseError:
        """Tell the person what to do: clients show this text."""
        is_open = not self._rules.is_closed(_SSO) and not self._rules.depends(_SSO)
        text = (
            f"{why} Choose single sign-on in this app, or use one that opens the browser to sign in."
            f" Your account is at {self._account_url}"
            if is_open
            else f"{why} Use an app that opens the browser to sign in."
            f" Your account is at {self._account_url}"
        )
        return SynapseError(403, text, Codes.FORBIDDEN)


class SsoGate:
    """Stops at the end of a way of Synapse's own who came in by none of our pages.

    A CAS ticket and a SAML answer that nobody asked for need no redirect of ours; nor does anybody
    while this server drains. `show` renders the page that says so. Where `has_stages` says that other
    modules ask something of whoever signs in, such people are led to our page, which lets them.
    """

    def __init__(
        self,
        homeserver: Homeserver,
        rules: LegacyLoginRules,
        show: Callable[[Incoming], Outgoing],
        *,
        page_url: str,
        has_stages: Callable[[], bool],
    ) -> None:
        self._homeserver = homeserver
        self._rules = rules
        self._show = show
        self._page_url = page_url
        self._has_stages = has_stages

    async def stops(self, request: Any, user_id: str | None = None) -> bool:
        """Say on a page that this way is closed if it is, for everybody or for this account."""
        if not await self._is_closed(user_id):
            return False
        if not request._disconnected:  # noqa: SLF001 (as Synapse asks it)
            send(request, self._show(incoming(request)))
        return True

    def leads_on(self, request: Any, client_redirect_url: str) -> bool:
        """Lead to our page who came past all that other modules ask, if they ask anything."""
        if not self._has_stages():
            return False
        if not request._disconnected:  # noqa: SLF001 (as Synapse asks it)
            asked = urlencode({"redirectUrl": client_redirect_url})
            request.redirect(f"{self._page_url}?{asked}".encode("ascii"))
            finish_request(request)
        return True

    async def _is_closed(self, user_id: str | None) -> bool:
        if self._rules.is_closed(_SSO):
            return True
        if user_id is None or not self._rules.depends(_SSO):
            return False
        with answered_503(self._homeserver):
            return await self._homeserver.read(first_sessions.has_one, user_id)


def _with_sso(flows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the flows with `m.login.sso`, and with the token that it ends in."""
    types = [flow["type"] for flow in flows]
    more = [{"type": each} for each in (_SSO, _TOKEN) if each not in types]
    # After all that people may choose from: simple clients take the first one they know.
    at = types.index(_APPSERVICE) if _APPSERVICE in types else len(flows)
    return [*flows[:at], *more, *flows[at:]]


class SsoRedirect(RestServlet):
    """`/login/sso/redirect` and `/login/cas/redirect`: to our page, which offers every way in.

    It is there whether or not Synapse knows a provider, and sets no cookie: our page does.
    """

    PATTERNS = SsoRedirectServlet.PATTERNS

    def __init__(self, rules: LegacyLoginRules, page_url: str) -> None:
        super().__init__()
        self._rules = rules
        self._page_url = page_url

    async def on_GET(self, request: SynapseRequest, idp_id: str | None = None) -> None:  # noqa: N802 (Synapse's)
        """Send the browser on; what the client asks for is read by our page, once."""
        if self._rules.is_closed(_SSO):
            raise SynapseError(
                403, "This server has closed this way of signing in.", Codes.FORBIDDEN
            )
        query = bytes(request.uri).partition(b"?")[2].decode("ascii", "replace")
        asked = parse_qs(query, keep_blank_values=True)
        passed = {
            "redirectUrl": asked.get("redirectUrl", []),
            "action": asked.get("action") or asked.get("org.matrix.msc3824.action", []),
            "idp": [idp_id] if idp_id else [],
        }
        location = f"{self._page_url}?{urlencode(passed, doseq=True)}"
        request.redirect(location.encode("ascii"))  # type: ignore[no-untyped-call]
        finish_request(request)


def register(  # noqa: PLR0913 (what they need)
    homeserver: Homeserver,
    http_server: HttpServer,
    *,
    rules: LegacyLoginRules,
    doors: OldDoors,
    endpoints: Endpoints,
    keys: Keyring,
    passwords: "ApplicationPasswords",
) -> None:
    """Serve them in the place of Synapse's."""
    Login(homeserver, rules, doors, keys, passwords).register(http_server)
    if rules.through_us:
        SsoRedirect(rules, endpoints.url("legacy-sign-in")).register(http_server)

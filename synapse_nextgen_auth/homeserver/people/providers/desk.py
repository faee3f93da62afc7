"""Where providers' answers are taken down, to wait for the browser that asked."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from synapse_nextgen_auth.accounts.attempts import extras as sealed_extras
from synapse_nextgen_auth.accounts.attempts.arrivals import Arrival, Statement, Trouble
from synapse_nextgen_auth.accounts.attempts.newcomers import Newcomer
from synapse_nextgen_auth.accounts.attempts.starts import Start
from synapse_nextgen_auth.flows import arrive
from synapse_nextgen_auth.flows.arrive import Expected, Hint
from synapse_nextgen_auth.homeserver.api import Homeserver
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing, incoming, send
from synapse_nextgen_auth.homeserver.people.providers.arrival_cookie import ArrivalCookie
from synapse_nextgen_auth.homeserver.startup.needed import Needed
from synapse_nextgen_auth.secret import Keyring, digest, random_token

NEEDS = (
    Needed("synapse.storage.databases.main", "DataStore.get_user_deactivated_status", ("user_id",)),
)

logger = logging.getLogger(__name__)

# Says by which digest attempts know the browser that asks.
BrowserOf = Callable[[Incoming], str | None]
# Renders the page that says what went wrong.
Show = Callable[[Incoming, Trouble, Start], Outgoing]


class Desk:
    """The desk of one homeserver; `arrive_url` is the page that people come back to."""

    def __init__(
        self,
        homeserver: Homeserver,
        keys: Keyring,
        *,
        arrive_url: str,
        cookie: ArrivalCookie,
        browser: BrowserOf,
        show: Show,
    ) -> None:
        self._homeserver = homeserver
        self._store: Any = homeserver.store
        self._keys = keys
        self._arrive_url = arrive_url
        self._cookie = cookie
        self._browser = browser
        self._show = show
        self._warned: set[str] = set()

    def now(self) -> int:
        """Return the time in seconds since the epoch."""
        return self._homeserver.now()

    def knows(self, request: Any) -> bool:
        """Say whether this browser ever began anything on our pages."""
        return self._browser(incoming(request)) is not None

    def url(self, start: Start) -> str:
        """Return the address that a start comes back to."""
        return start.url(self._keys, self._arrive_url)

    def start_of(self, url: str) -> Start | None:
        """Return which attempt this address is of, if we made it."""
        return Start.read(self._keys, self._arrive_url, url)

    def leads_here(self, url: str) -> bool:
        """Say whether this is an address of our page, which no client of the old kind has.

        That of a start that we do not know any more, because the secret is another one, is one.
        """
        return url.partition("?")[0] == self._arrive_url

    async def expected(self, start: Start) -> Expected | Trouble:
        """Return what the attempt waits for, or why it does not."""
        return await self._homeserver.read(arrive.expected, start, now=self.now())

    async def asked(self, request: Any, start: Start) -> Hint | Trouble:
        """Return what the application said of whoever goes to a provider, in the browser that began."""
        browser = self._browser(incoming(request))
        return await self._homeserver.run(
            arrive.ask, start.attempt_id, browser=browser, now=self.now()
        )

    async def arrived(
        self,
        request: Any,
        start: Start,
        statement: Statement,
        *,
        user_id: str | None = None,
        newcomer: Newcomer | None = None,
        extras: Mapping[str, Any] | None = None,
    ) -> None:
        """Let an answer wait, and send the browser to where it is taken."""
        trouble = await self._refuse(start, statement, user_id)
        if trouble is not None:
            self.fail(request, start, trouble)
            return
        value = random_token()
        arrival = Arrival(
            digest=digest(value.reveal()),
            attempt_id=start.attempt_id,
            provider=start.provider_id,
            arrived_at=self.now(),
            user_id=user_id,
            newcomer=newcomer.seal(self._keys) if newcomer else None,
            provider_session=statement.session,
            amr=statement.amr,
            acr=statement.acr,
            auth_time=statement.auth_time,
            extras=sealed_extras.seal(self._keys, user_id, extras) if user_id else None,
        )
        await self._homeserver.run(arrive.arrive, arrival)
        before = self._cookie.read(request.requestHeaders.getRawHeaders(b"Cookie") or ())
        location = f"{self._arrive_url}?attempt={start.attempt_id}"
        send(
            request,
            Outgoing(
                303,
                headers=(
                    ("Location", location),
                    ("Cache-Control", "no-store"),
                    self._cookie.write((value, *before)),
                ),
            ),
        )

    async def _refuse(
        self, start: Start, statement: Statement, user_id: str | None
    ) -> Trouble | None:
        expected = await self.expected(start)
        if isinstance(expected, Trouble):
            return expected
        if expected.connects and user_id is not None:
            # A mapping with pages of its own went on to a sign-in; that is not what was asked for.
            return Trouble.BROKEN
        if start.is_fresh and not statement.is_fresh(since=expected.since):
            if statement.auth_time is not None:
                return Trouble.NOT_FRESH
            self._warn(start.provider_id)
            return Trouble.DOES_NOT_SAY
        # As Synapse asks where we answer in its place.
        if user_id is not None and await self._store.get_user_deactivated_status(user_id):
            return Trouble.DEACTIVATED
        return None

    def _warn(self, provider_id: str) -> None:
        """Tell the operator what only they can change, once."""
        if provider_id in self._warned:
            return
        self._warned.add(provider_id)
        logger.warning(
            "Provider %s does not say when people prove there who they are (auth_time), so nobody can"
            " confirm by it that it is them. The option providers.trusted_to_be_fresh believes it all"
            " the same, and so whoever sits at a browser that is signed in there",
            provider_id,
        )

    def fail(self, request: Any, start: Start, trouble: Trouble) -> None:
        """Say what went wrong; nothing is written, and the attempt goes on."""
        self._homeserver.metrics.sign_in(f"provider_{trouble.value}")
        logger.info(
            "Provider %s brought no proof for attempt %s: %s",
            start.provider_id,
            start.attempt_id,
            trouble.value,
        )
        if not request._disconnected:  # noqa: SLF001 (as Synapse asks it)
            send(request, self._show(incoming(request), trouble, start))

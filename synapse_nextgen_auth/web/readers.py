"""Who reads a page: in which language, and the answer that is made of it.

Every page goes through here, so that none forgets to say which language it is in.
"""

from typing import TYPE_CHECKING

import attrs

from synapse_nextgen_auth.accounts.attempts.onward import Kind, Onward
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.oauth import languages
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.choices import Choice
from synapse_nextgen_auth.web.languages import Asked, wanted
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.site import Site

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts.preferences import Preferences

# Seconds; whoever has as long needs no warning (WCAG 2.2.1).
_NO_LIMIT = 20 * 3600


@attrs.define
class Reader:
    """Whoever sent a request. It changes when it is found what a client asked for.

    `keeps_opener` once it is known that the person is on the way to approve something: the window that
    the application opened must be able to tell it in the end (Client-Server API, "Fallback"; C178).
    Who `is_recognised` is signed in, and it was looked up how they read.
    """

    _site: Site
    _incoming: Incoming = attrs.field(repr=False)
    _asked: Asked | None = None
    _preferences: "Preferences | None" = None
    keeps_opener: bool = attrs.field(default=False, init=False)
    _ends_at: int | None = attrs.field(default=None, init=False)
    is_recognised: bool = attrs.field(default=False, init=False)

    def goes_on(self, onward: Onward) -> None:
        """Note where the person goes on, as far as it matters for how pages are answered."""
        if onward.kind is Kind.APPROVAL:
            self.keeps_opener = True

    def ends(self, at: int) -> None:
        """Note until when the person can go on with what the page is about; the first end counts."""
        self._ends_at = at if self._ends_at is None else min(at, self._ends_at)

    @property
    def minutes_left(self) -> int | None:
        """How many minutes they have still, rounded down but not to none; `None` without a limit."""
        if self._ends_at is None:
            return None
        left = self._ends_at - self._site.now()
        return max(left // 60, 1) if left < _NO_LIMIT else None

    def asked_in(self, ui_locales: str | None, *, at: int | None = None) -> None:
        """Note the languages that the client asked for (`ui_locales`, OpenID Connect Core 3.1.2.1).

        `at` is when, in seconds, where that is known.
        """
        self._asked = Asked(ui_locales, at) if ui_locales else None

    def prefers(self, preferences: "Preferences | None") -> None:
        """Note what the account that is signed in was set to."""
        self._preferences = preferences
        self.is_recognised = True

    @property
    def choice(self) -> Choice:
        """What was chosen in this browser."""
        return self._site.choice_cookie.read(self._incoming.raw_headers("Cookie"))

    @property
    def chosen_language(self) -> str | None:
        """The language that was chosen, in this browser or else for the account."""
        account = self._preferences.language if self._preferences else None
        return self.choice.language or account

    @property
    def chosen_time_zone(self) -> str | None:
        """The time zone that was chosen, in this browser or else for the account."""
        account = self._preferences.time_zone if self._preferences else None
        return self.choice.time_zone or account

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the person wants to read, the most wanted first."""
        return wanted(
            self._incoming,
            self._asked,
            choice=self.choice,
            account=self._preferences.language if self._preferences else None,
            now=self._site.now(),
        )

    @property
    def language(self) -> str:
        """The language among ours that the person reads best."""
        tags = self._site.templates.languages.tags
        return languages.lookup(tags, self.languages) or self._site.config.languages.default

    @property
    def time_zone(self) -> str:
        """The time zone in which the person reads times."""
        return self.chosen_time_zone or self._site.config.languages.time_zone

    def answer(
        self,
        page: PageContent,
        status: int = 200,
        *,
        goes_to: str | None = None,
        goes_further: bool = False,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Outgoing:
        """Answer with a page; `answers.page` says what the words mean."""
        # A catalogue that is broken is English.
        language = self._site.templates.languages.get(self.language)
        return answers.page(
            status,
            self._site.templates.render(
                page,
                lang=language.tag,
                time_zone=self.time_zone,
                minutes_left=self.minutes_left if page.is_timed else None,
            ),
            goes_to=goes_to,
            goes_further=goes_further,
            keeps_opener=self.keeps_opener,
            loads=page.loads,
            headers=(
                ("Content-Language", language.tag),
                ("Vary", "Accept-Language, Cookie"),
                *headers,
            ),
        )

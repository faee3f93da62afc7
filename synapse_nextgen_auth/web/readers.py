"""Who reads a page: in which language, and the answer that is made of it.

Every page goes through here, so that none forgets to say which language it is in.
"""

import attrs

from synapse_nextgen_auth.accounts.attempts.onward import Kind, Onward
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.oauth import languages
from synapse_nextgen_auth.web import answers
from synapse_nextgen_auth.web.languages import wanted
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.site import Site
from synapse_nextgen_auth.web.translations import ENGLISH


@attrs.define
class Reader:
    """Whoever sent a request. It changes when it is found what a client asked for.

    `keeps_opener` once it is known that the person is on the way to approve something: the window that
    the application opened must be able to tell it in the end (Client-Server API, "Fallback"; C178).
    """

    _site: Site
    _incoming: Incoming = attrs.field(repr=False)
    _ui_locales: str | None = None
    keeps_opener: bool = attrs.field(default=False, init=False)

    def goes_on(self, onward: Onward) -> None:
        """Note where the person goes on, as far as it matters for how pages are answered."""
        if onward.kind is Kind.APPROVAL:
            self.keeps_opener = True

    def asked_in(self, ui_locales: str | None) -> None:
        """Note the languages that the client asked for (`ui_locales`, OpenID Connect Core 3.1.2.1)."""
        self._ui_locales = ui_locales

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the person wants to read, the most wanted first."""
        return wanted(self._incoming, self._ui_locales)

    @property
    def language(self) -> str:
        """The language among ours that the person reads best."""
        return languages.lookup(self._site.templates.languages.tags, self.languages) or ENGLISH

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
            self._site.templates.render(page, lang=language.tag),
            goes_to=goes_to,
            goes_further=goes_further,
            keeps_opener=self.keeps_opener,
            loads=page.loads,
            headers=(
                ("Content-Language", language.tag),
                ("Vary", "Accept-Language"),
                *headers,
            ),
        )

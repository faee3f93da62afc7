"""A browser at one of our pages: who visits, and whether a form is one of ours in this browser.

The dispatcher does all of it for every page, before the page is asked.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlencode

import attrs

from synapse_nextgen_auth import late
from synapse_nextgen_auth.accounts.attempts import typed
from synapse_nextgen_auth.accounts.management import Done
from synapse_nextgen_auth.accounts.sign_ins import SignIn
from synapse_nextgen_auth.accounts.works import SendMail
from synapse_nextgen_auth.clock import is_recent
from synapse_nextgen_auth.flows import sign_in as signing_in
from synapse_nextgen_auth.flows.as_signed_in import as_signed_in
from synapse_nextgen_auth.homeserver.http import Incoming, Outgoing
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.grants.parameters import Parameters
from synapse_nextgen_auth.records import frozen
from synapse_nextgen_auth.secret import Purpose, Secret, urlsafe
from synapse_nextgen_auth.store import preferences, sign_ins
from synapse_nextgen_auth.store.txn import Txn
from synapse_nextgen_auth.web import browser, forms
from synapse_nextgen_auth.web.browser import Visitor
from synapse_nextgen_auth.web.came_from import page_of_ours
from synapse_nextgen_auth.web.forms import Form
from synapse_nextgen_auth.web.link_cookie import LinkCookie
from synapse_nextgen_auth.web.pages import onward
from synapse_nextgen_auth.web.pages.content import PageContent
from synapse_nextgen_auth.web.pages.message.error import PageError
from synapse_nextgen_auth.web.pages.message.page import ForwardLabel, Message
from synapse_nextgen_auth.web.readers import Reader
from synapse_nextgen_auth.web.site import Site

if TYPE_CHECKING:
    from synapse_nextgen_auth.accounts.factors.lost import Request
    from synapse_nextgen_auth.accounts.mail import letters
    from synapse_nextgen_auth.accounts.mail.letters import Mail
else:
    letters = late.file("accounts.mail.letters")

P = ParamSpec("P")
T = TypeVar("T")

NOT_OURS = OAuthError("invalid_request", "the form is not of this browser", 403)
_DONE = re.compile(r"([a-z_]{1,40})\.([A-Za-z0-9_-]{43})")


@frozen
class Visit:
    """A request for a page: who asks, and for what.

    Not what the request came with: a form is given to a page once it is proven to be ours, and the
    cookie is nobody's business here. `typed` is what the person typed into the form of this page before
    they had to prove again who they are, or before the page `is_outdated`: it fills the form in. `lost`
    is that somebody wants the second factors of the account that is signed in removed, as they were
    lost; only its own pages know of it.
    """

    site: Site
    visitor: Visitor
    reader: Reader
    _incoming: Incoming = attrs.field(repr=False)
    typed: Form = attrs.field(factory=dict, repr=False)
    lost: "Request | None" = None
    is_outdated: bool = False

    @property
    def sign_in(self) -> SignIn | None:
        """The present sign-in of the browser: whom this page is about."""
        return self.visitor.sign_in

    def as_signed_in(
        self, flow: Callable[Concatenate[Txn, P], T]
    ) -> Callable[Concatenate[Txn, P], T]:
        """Return a flow as the present sign-in may run it: not once that is over."""
        return as_signed_in(self.sign_in, flow)

    @property
    def sign_ins(self) -> tuple[SignIn, ...]:
        """Every sign-in of the browser that holds."""
        return self.visitor.sign_ins

    @property
    def user_id(self) -> str | None:
        """The account that is signed in."""
        return self.visitor.user_id

    @property
    def is_fresh(self) -> bool:
        """Whether the person proved so recently who they are that they may do something dangerous."""
        proven_at = self.sign_in.proven_at if self.sign_in else None
        return proven_at is not None and is_recent(
            proven_at, self.site.now(), within=self.site.lifetimes.fresh
        )

    def about(self, sign_in: SignIn | None) -> "Visit":
        """Return the visit of a page that is about this sign-in of the browser, not the present one."""
        return attrs.evolve(self, visitor=attrs.evolve(self.visitor, sign_in=sign_in))

    @property
    def csrf(self) -> str:
        """The value that the forms of a page must carry."""
        return browser.csrf(self.site.issuer.keys, self.visitor, now=self.site.now())

    @property
    def comes_from_here(self) -> bool:
        """Whether a page of ours led to this look: a form, it may be, whose policy still holds.

        Those browsers tell that hold redirects to it (Fetch Metadata Request Headers, section 2.3).
        """
        return self._incoming.header("Sec-Fetch-Site") == "same-origin"

    @property
    def came_from(self) -> str | None:
        """The page of ours that led here, relative, where its link lets the browser say so."""
        said = self._incoming.header("Referer") or ""
        return page_of_ours(said, below=self.site.issuer.identifier)

    @property
    def binding(self) -> str | None:
        """What attempts know the browser by; `None` for one that was never here."""
        return None if self.visitor.is_new else self.visitor.digest

    @property
    def arrivals(self) -> tuple[Secret, ...]:
        """What the browser was given with answers of identity providers that wait for it."""
        return self.site.arrival_cookie.read(self._incoming.raw_headers("Cookie"))

    @property
    def link(self) -> Secret | None:
        """The secret of the link that the person opened, out of its cookie."""
        return self.site.link_cookie.read(self._incoming.raw_headers("Cookie"))

    @property
    def invited(self) -> Secret | None:
        """The secret of the mail with an invitation that the person opened, out of its cookie."""
        return self.site.invitation_cookie.read(self._incoming.raw_headers("Cookie"))

    def cookie(self, cookie: LinkCookie) -> Secret | None:
        """Return what the browser has in another cookie of ours."""
        return cookie.read(self._incoming.raw_headers("Cookie"))

    @property
    def parameters(self) -> Parameters:
        """What the query says."""
        return forms.parse(self._incoming.query)

    def saying(self, url: str, done: Done) -> str:
        """Return the page of ours that says there what was just done, in this browser and nowhere else.

        A link of others must not make a page say that something was done (C197).
        """
        mac = urlsafe(self.site.issuer.keys.mac(Purpose.DONE, self._done_message(done.value)))
        return f"{url}{'&' if '?' in url else '?'}{urlencode({'done': f'{done.value}.{mac}'})}"

    @property
    def done(self) -> Done | None:
        """What the page says was just done, if that was so in this browser."""
        match = _DONE.fullmatch(self.parameters.get("done") or "")
        if match is None or self.visitor.is_new:
            return None
        mac = urlsafe_b64decode(match[2] + "=")
        is_so = self.site.issuer.keys.proves(Purpose.DONE, self._done_message(match[1]), mac)
        return next((each for each in Done if is_so and each.value == match[1]), None)

    def _done_message(self, done: str) -> bytes:
        return f"{self.visitor.digest} {self.user_id} {done}".encode()

    @property
    def address(self) -> str:
        """The network address, as Synapse sees it."""
        return self._incoming.address

    @property
    def user_agent(self) -> str:
        """The browser's name for itself."""
        return self._incoming.user_agent

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the person wants to read, the most wanted first."""
        return self.reader.languages

    def letter(self, to: str, mail: "Mail", *, expires: int = 0) -> SendMail:
        """Return a mail to whoever is here, in their language, for a flow to put into the outbox."""
        letter = letters.Letter(to, self.reader.language, mail, self.reader.time_zone)
        return letter.posted(self.site.issuer.keys, expires=expires)

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
        return self.reader.answer(
            page,
            status,
            goes_to=goes_to,
            goes_further=goes_further,
            headers=headers,
        )


async def greet(site: Site, incoming: Incoming, reader: Reader) -> Visit:
    """Return the visit; a browser without a good cookie is new."""
    cookie = site.cookies.read(incoming)
    if cookie is None:
        return Visit(site, browser.fresh(), reader, incoming)
    visitor = Visitor(cookie, is_new=False)
    now, lifetimes = site.now(), site.lifetimes.browsers
    found = await site.homeserver.read(sign_ins.list_of_browser, tuple(visitor.secrets))
    found = [each for each in found if each.holds(now, lifetimes)]
    ahead = [each for each in found if each.is_from_the_future(now)]
    for each in ahead:
        right = await site.homeserver.run(signing_in.set_right, each, now=now)
        found[found.index(each)] = right
    visitor = visitor.knowing(found)
    # The browser was here, and with it everybody who is signed in there.
    unnoted = [
        each.digest
        for each in visitor.sign_ins
        if now - each.last_active_at >= lifetimes.noted_every
    ]
    if unnoted:
        await site.homeserver.run(signing_in.note_visit, unnoted, now=now)
    if visitor.user_id is not None:
        reader.prefers(await site.homeserver.read(preferences.get, visitor.user_id))
    return Visit(site, visitor, reader, incoming)


async def recognise(site: Site, incoming: Incoming, reader: Reader) -> None:
    """Find out in which language and zone whoever is signed in reads, and note nothing of the visit."""
    cookie = site.cookies.read(incoming)
    if cookie is None or reader.is_recognised:
        return
    visitor = Visitor(cookie, is_new=False)
    now, lifetimes = site.now(), site.lifetimes.browsers
    found = await site.homeserver.read(sign_ins.list_of_browser, tuple(visitor.secrets))
    user_id = visitor.knowing([each for each in found if each.holds(now, lifetimes)]).user_id
    if user_id is not None:
        reader.prefers(await site.homeserver.read(preferences.get, user_id))


def prove(visit: Visit, incoming: Incoming, *, by_header: bool = False) -> Form:
    """Return what a person posted; stop unless it came from a form of ours in this browser.

    What a script of ours sends is no form, and proves itself `by_header`.
    """
    site = visit.site
    form = {} if by_header else forms.once(forms.parse(incoming.body))
    proof = incoming.header("X-Csrf") if by_header else form.get("csrf")
    proven = browser.proves(site.issuer.keys, visit.visitor, proof, now=site.now())
    if not proven or browser.is_from_elsewhere(incoming, site.origin):
        raise PageError(
            403,
            Message.BAD_CSRF,
            forward_url=onward.again(incoming),
            forward_label=ForwardLabel.TRY_AGAIN,
            refusal=NOT_OURS,
        )
    return form


def outdated(visit: Visit, incoming: Incoming) -> Visit | None:
    """Return the visit with what was typed, if the form is of this browser and was open for too long."""
    site, form = visit.site, forms.parse(incoming.body).values
    is_old = browser.is_outdated(site.issuer.keys, visit.visitor, form.get("csrf"), now=site.now())
    kept = typed.kept(form) if is_old else {}
    if not kept or browser.is_from_elsewhere(incoming, site.origin):
        return None
    return attrs.evolve(visit, typed=kept, is_outdated=True)


def with_cookie(visit: Visit, outgoing: Outgoing) -> Outgoing:
    """Give a new browser its cookie, until it is closed."""
    if not visit.visitor.is_new:
        return outgoing
    return outgoing.having(visit.site.cookies.write(visit.visitor.cookie))

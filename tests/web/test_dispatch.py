"""What the dispatcher does for every page and path, so that none of them can forget it.

The pages and endpoints here are the tests' own. That ours are served so is shown over HTTP, by
`tests/homeserver`.
"""

import asyncio
import re
from contextlib import contextmanager
from types import SimpleNamespace

import attrs
import pytest
from twisted.python.failure import Failure
from twisted.web.test.requesthelper import DummyRequest

from support.incoming import incoming
from support.pages import TEMPLATES
from support.records import NOW
from synapse_nextgen_auth.accounts.admission import Intent
from synapse_nextgen_auth.accounts.factors.policy import FactorPolicy
from synapse_nextgen_auth.accounts.management import Place, Target
from synapse_nextgen_auth.accounts.people import Standing
from synapse_nextgen_auth.accounts.sign_ins import FRESH, BrowserLifetimes, SignIn
from synapse_nextgen_auth.config import Config
from synapse_nextgen_auth.homeserver.http import MAX_BODY, Outgoing, Tree
from synapse_nextgen_auth.homeserver.people.accounts import NotAdmitted
from synapse_nextgen_auth.homeserver.people.second_factors import SecondFactors
from synapse_nextgen_auth.late import Broken
from synapse_nextgen_auth.oauth.errors import OAuthError
from synapse_nextgen_auth.oauth.metadata import PREFIX, Endpoints
from synapse_nextgen_auth.secret import Keyring, Secret
from synapse_nextgen_auth.store import preferences
from synapse_nextgen_auth.web import answers, browser, dispatch
from synapse_nextgen_auth.web.browser import Visitor
from synapse_nextgen_auth.web.forms import FORM
from synapse_nextgen_auth.web.kinds import (
    AccountPage,
    Endpoint,
    Files,
    Page,
    RendezvousEndpoint,
    Root,
    ToIssuer,
)
from synapse_nextgen_auth.web.pages.message.error import PageError
from synapse_nextgen_auth.web.pages.message.page import Message
from synapse_nextgen_auth.web.pages.onward import Onward
from synapse_nextgen_auth.web.routes import ROOTS, WELL_KNOWN
from synapse_nextgen_auth.web.site import Issuer, Lifetimes, Site

KEYS = Keyring.of(b"k" * 32)
COOKIE = "c" * 43
KNOWN = Visitor(Secret(COOKIE), is_new=False)
OUR_COOKIE = ("Cookie", f"__Host-nextgen_auth={COOKIE}")
ORIGIN = "https://matrix.example.com"
TYPE = ("Content-Type", FORM)


@attrs.define
class Process:
    """A homeserver and a notebook of what is counted; `sign_in` is who is signed in."""

    drain: "Process" = attrs.field(default=attrs.Factory(lambda self: self, takes_self=True))
    metrics: "Process" = attrs.field(default=attrs.Factory(lambda self: self, takes_self=True))
    server_name: str = "example.com"
    is_closed: bool = False
    counted: list = attrs.field(factory=list)
    sign_in: SignIn | None = None

    @contextmanager
    def passing(self):
        yield

    @contextmanager
    def timed(self, path):
        self.counted.append(("timed", path))
        yield

    def refusal(self, path, reason):
        self.counted.append((path, reason))

    def now(self):
        return NOW

    def why_away(self, error):
        return str(error) if isinstance(error, ConnectionError) else None

    async def read(self, what, *_args, **_kwargs):
        if what is preferences.get:
            return None
        return [self.sign_in] if self.sign_in else []


@attrs.define
class Accounts:
    """Accounts that may all go on, unless `why` says why not; it notes who was asked for, and when."""

    asked: list
    why: Standing | None = None

    async def admit(self, user_id, intent, *_args, **_kwargs):
        self.asked.append((user_id, intent))
        if self.why is not None:
            raise NotAdmitted(self.why)


@pytest.fixture
def process():
    return Process()


@pytest.fixture
def people(asked):
    return Accounts(asked)


@pytest.fixture
def site(process, people):
    issuer = Issuer(Endpoints.under(f"{ORIGIN}/"), None, b"", KEYS, None)
    nothing = dict.fromkeys(
        (
            "clients",
            "devices",
            "token_check",
            "rates",
            "legacy",
            "login_tokens",
            "new_passwords",
            "password_changes",
            "recoveries",
            "rotations",
            "invitations",
            "providers",
            "mailer",
            "mailboxes",
            "sign_in_codes",
            "places",
            "reading",
            "sign_ups",
            "profiles",
            "threepids",
            "deactivation",
            "other_modules",
            "resources",
            "application_services",
        )
    )
    nobody = SimpleNamespace(have_factor_rules=False)
    return Site(
        homeserver=process,
        config=Config(),
        second_factors=SecondFactors(process, FactorPolicy(), nobody),
        issuer=issuer,
        templates=TEMPLATES,
        people=people,
        lifetimes=Lifetimes(None, BrowserLifetimes()),
        **nothing,
    )


@pytest.fixture
def asked():
    """Return what the page and the accounts were asked, in order."""
    return []


@pytest.fixture
def ask(site, asked):
    """Return a function that sends a request to a page, which answers with whatever it is told to."""

    def ask_(*headers, answer=None, **request):
        async def show(visit):
            asked.append(visit)
            return _do(answer)

        async def submit(visit, form):
            asked.append(dict(form))
            return _do(answer)

        return serve(site, Page(show=show, submit=submit), *headers, **request)

    return ask_


@pytest.fixture
def ask_of_account(site, asked):
    """Return a function that sends a request to a page about an account."""

    async def onward(_visit):
        return Onward.to_account(Target(Place.DEVICE, "PHONE"))

    def ask_(*headers, dangerous=None, **request):
        async def show(_visit, user_id):
            asked.append(("show", user_id))
            return Outgoing(200)

        async def submit(_visit, user_id, form):
            asked.append(("submit", user_id, form.get("decision")))
            return Outgoing(200)

        page = AccountPage(show=show, submit=submit, onward=onward, dangerous=dangerous)
        return serve(site, page, *headers, **request)

    return ask_


def _do(answer):
    if isinstance(answer, Exception):
        raise answer
    return answer or Outgoing(200)


def serve(site, route, *headers, path="/hello", **request):
    root = Root(PREFIX, {"/hello": route})
    handle = dispatch.handler(site, root)
    return asyncio.run(handle(incoming(*headers, path=f"{PREFIX}{path}", **request)))


def csrf():
    return browser.csrf(KEYS, KNOWN, now=NOW)


def cookies(outgoing):
    return [value for name, value in outgoing.headers if name == "Set-Cookie"]


def test_c181_a_form_of_ours_in_this_browser_reaches_the_page(ask, asked):
    body = f"csrf={csrf()}&decision=approve".encode()
    outgoing = ask(OUR_COOKIE, TYPE, method="POST", body=body)

    assert outgoing.status == 200
    assert asked == [{"csrf": csrf(), "decision": "approve"}]


@pytest.mark.parametrize(
    "headers",
    [
        (TYPE,),
        (OUR_COOKIE, TYPE, ("Sec-Fetch-Site", "cross-site")),
        (OUR_COOKIE, TYPE, ("Origin", "https://evil.example")),
        (("Cookie", f"__Host-nextgen_auth={'d' * 43}"), TYPE),
    ],
    ids=["no cookie", "another site", "another origin", "another browser"],
)
def test_c186_no_other_form_reaches_the_page(ask, asked, process, headers):
    """It is refused and counted, and no browser gets a cookie for it."""
    outgoing = ask(*headers, method="POST", body=f"csrf={csrf()}".encode())

    assert outgoing.status == 403
    assert asked == []
    assert cookies(outgoing) == []
    assert ("/hello", "invalid_request") in process.counted


@pytest.mark.parametrize("body", [b"", b"csrf=", b"decision=approve", b"csrf=1.x"])
def test_c181_a_form_without_its_value_reaches_no_page(ask, asked, body):
    assert ask(OUR_COOKIE, TYPE, method="POST", body=body).status == 403
    assert asked == []


ALICE = "@alice:example.com"
LOOK, PRESS = {}, {"method": "POST", "body": b"csrf=%b&decision=go"}


def signed_in(process, *, ago=0):
    process.sign_in = SignIn(KNOWN.digest, ALICE, NOW - ago, NOW)


def requested(request_):
    """Return a request of the browser that we know, with the value that its form must carry."""
    body = request_.get("body", b"").replace(b"%b", csrf().encode())
    return (OUR_COOKIE, TYPE), {**request_, "body": body}


@pytest.mark.parametrize(
    ("request_", "page"),
    [(LOOK, ("show", ALICE)), (PRESS, ("submit", ALICE, "go"))],
    ids=["look", "press"],
)
def test_c179_a_page_about_an_account_is_asked_when_the_account_may_go_on(
    ask_of_account, process, asked, request_, page
):
    """It is asked for before the page is, at the look and at the press, and the page is told."""
    headers, request_ = requested(request_)
    signed_in(process)

    assert ask_of_account(*headers, **request_).status == 200
    assert asked == [(ALICE, Intent.SIGN_IN), page]


@pytest.mark.parametrize("request_", [LOOK, PRESS], ids=["look", "press"])
@pytest.mark.parametrize("why", Standing)
def test_c179_no_page_about_an_account_is_asked_for_one_that_may_not_go_on(
    ask_of_account, process, people, asked, request_, why
):
    headers, request_ = requested(request_)
    signed_in(process)
    people.why = why

    assert ask_of_account(*headers, **request_).status in {403, 503}
    assert asked == [(ALICE, Intent.SIGN_IN)]


@pytest.mark.parametrize("request_", [LOOK, PRESS], ids=["look", "press"])
def test_who_is_not_signed_in_goes_to_sign_in_first(ask_of_account, asked, request_):
    """And a new browser takes its cookie along."""
    headers, request_ = requested(request_)
    outgoing = ask_of_account(*headers, **request_)

    assert outgoing.status == 303
    assert ("Location", "sign-in?page=account-device&id=PHONE") in outgoing.headers
    assert asked == []
    assert len(cookies(ask_of_account())) == 1


@pytest.mark.parametrize(
    ("request_", "dangerous", "status"),
    [
        (LOOK, None, 200),
        (LOOK, lambda _visit: False, 200),
        (LOOK, lambda _visit: True, 303),
        (PRESS, None, 200),
        (PRESS, lambda _visit: False, 303),
        (PRESS, lambda _visit: True, 303),
    ],
)
def test_what_is_dangerous_asks_for_a_sign_in_of_late(
    ask_of_account, process, people, request_, dangerous, status
):
    """The form of such a page always does, and whoever signs in anew may do so as somebody else."""
    headers, request_ = requested(request_)
    signed_in(process, ago=FRESH)
    people.why = None if status == 200 else Standing.LOCKED

    assert ask_of_account(*headers, dangerous=dangerous, **request_).status == status
    assert bool(people.asked) == (status == 200)

    signed_in(process, ago=FRESH - 1)
    people.why = None
    assert ask_of_account(*headers, dangerous=dangerous, **request_).status == 200


def test_c181_a_forged_form_is_refused_before_anybody_is_sent_to_sign_in(ask_of_account, asked):
    outgoing = ask_of_account(OUR_COOKIE, TYPE, method="POST", body=b"csrf=1.x&decision=go")

    assert outgoing.status == 403
    assert asked == []


@pytest.mark.parametrize(
    ("headers", "request_", "status"),
    [
        ((TYPE,), {"method": "PUT"}, 405),
        ((TYPE,), {"method": "HEAD"}, 405),
        ((TYPE,), {"method": "POST", "body": b"x" * (MAX_BODY + 1)}, 413),
        ((("Content-Type", "text/plain"),), {"method": "POST", "body": b"x"}, 415),
    ],
)
def test_what_no_browser_sends_is_refused_before_anybody_is_greeted(
    ask, asked, headers, request_, status
):
    assert ask(*headers, **request_).status == status
    assert asked == []


def test_a_new_browser_gets_its_cookie_with_an_answer_and_with_no_refusal(ask):
    """And one that has a good one keeps that."""
    message = PageError(400, Message.BAD_REQUEST)

    assert len(cookies(ask())) == 1
    assert cookies(ask(OUR_COOKIE)) == []
    assert cookies(ask(answer=message)) == []
    assert cookies(ask(answer=OAuthError("invalid_request"))) == []
    assert cookies(ask(answer=ValueError("a fault of ours"))) == []


def test_c206_every_error_is_a_page_that_says_nothing_of_ours(ask, process):
    outgoing = ask(answer=ValueError("SELECT secret FROM nextgen_sessions"))

    assert outgoing.status == 503
    assert b"nextgen" not in outgoing.body.replace(b"/_synapse/client/auth", b"")
    assert ("Retry-After", "5") in outgoing.headers
    assert ("/hello", "temporarily_unavailable") in process.counted


@pytest.fixture
def ask_of(site):
    """Return a function that sends a request to a path of a kind, where something is raised."""

    def ask_(kind, error):
        async def fail(*_args):
            raise error

        if kind == "rendezvous":
            root = Root(PREFIX, {"/": RendezvousEndpoint({"GET": fail})}, counted_as="/hello")
        else:
            route = Page(show=fail) if kind == "page" else Endpoint({"GET": fail})
            root = Root(PREFIX, {"/hello": route})
        path = f"{PREFIX}/{'a' * 32}" if kind == "rendezvous" else f"{PREFIX}/hello"
        return asyncio.run(dispatch.handler(site, root)(incoming(path=path)))

    return ask_


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("endpoint", f"{PREFIX}/hello"),
        ("page", f"{PREFIX}/hello"),
        ("rendezvous", "a rendezvous"),
    ],
)
def test_c102_a_database_that_is_away_is_no_mistake_of_ours(ask_of, process, caplog, kind, where):
    """One line without a traceback; the reference on the page stands in it."""
    outgoing = ask_of(kind, ConnectionError("the database system is shutting down"))

    (record,) = caplog.records
    line = record.getMessage()
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert line.startswith(f"No database for GET {where}")
    assert line.endswith(": the database system is shutting down")
    if kind == "page":
        assert re.search(r"\((\S+)\): ", line)[1].encode() in outgoing.body
    assert outgoing.status == 503
    assert ("Retry-After", "5") in outgoing.headers
    assert ("/hello", "temporarily_unavailable") in process.counted


@pytest.mark.parametrize("kind", ["endpoint", "page"])
def test_a_mistake_of_ours_is_an_error_with_a_traceback(ask_of, caplog, kind):
    assert ask_of(kind, ValueError("a fault of ours")).status == 503

    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage().startswith(f"Could not serve GET {PREFIX}/hello")
    assert isinstance(record.exc_info[1], ValueError)


@pytest.mark.parametrize("kind", ["endpoint", "page", "rendezvous"])
def test_an_installation_that_is_not_whole_is_one_line(ask_of, caplog, kind):
    """Which file it is; half a module in a traceback says no more."""
    outgoing = ask_of(kind, Broken("flows.hello cannot be imported: SyntaxError: it is cut short"))

    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("ERROR", None)
    assert record.getMessage().startswith("Could not serve GET ")
    assert record.getMessage().endswith(
        ": flows.hello cannot be imported: SyntaxError: it is cut short"
    )
    assert outgoing.status == 503
    assert outgoing.body


def test_what_cannot_even_be_dispatched_has_an_answer(caplog):
    """The dispatcher of pages is such a file, too: no browser shows an empty page."""
    sent = DummyRequest([b""])
    sent.cookies, sent.startedWriting = [], False

    async def handle(_incoming):
        raise AssertionError

    failure = Failure(Broken("web.page_dispatch is missing"))
    Tree(handle)._leaf._send_error_response(failure, sent)

    assert (sent.responseCode, sent.written) == (
        503,
        [b"This server cannot answer now. Try again later.\n"],
    )
    assert sent.responseHeaders.getRawHeaders("Content-Type") == ["text/plain; charset=utf-8"]
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("ERROR", None)
    assert record.getMessage().endswith(": web.page_dispatch is missing")


def test_c382_a_process_that_stops_asks_no_page_and_no_endpoint(site, process, ask, asked):
    async def answer(_site, _incoming):
        raise AssertionError

    process.is_closed = True

    assert ask().status == 503
    assert asked == []
    assert serve(site, Endpoint({"GET": answer})).status == 503


def test_an_endpoint_answers_every_origin_and_head_where_there_is_get(site):
    async def answer(_site, _incoming):
        return answers.json_answer(200, {})

    route = Endpoint({"GET": answer})
    head, post = serve(site, route, method="HEAD"), serve(site, route, method="POST")

    assert head.status == 200
    assert post.status == 405
    assert ("Allow", "GET, HEAD, OPTIONS") in post.headers
    for outgoing in (head, post):
        assert ("Access-Control-Allow-Origin", "*") in outgoing.headers


@pytest.mark.parametrize(
    ("path", "kind", "called"),
    [
        (PREFIX, ToIssuer, ""),
        (f"{PREFIX}/token", Endpoint, "/token"),
        (f"{PREFIX}/", Page, "/"),
        (f"{PREFIX}/sign-in", Page, "/sign-in"),
        (f"{PREFIX}/sign-in/", None, None),
        (f"{PREFIX}/sign-inx", None, None),
        (f"{PREFIX}x/sign-in", None, None),
        (f"{PREFIX}/static", None, None),
        (f"{PREFIX}/static/", Files, "/static/"),
        (f"{PREFIX}/static/0/style.css", Files, "/static/"),
        ("/_synapse/client/%61uth/sign-in", None, None),
        *((f"{root}{PREFIX}{end}", Endpoint, None) for root in WELL_KNOWN for end in ("", "/")),
        *((f"{root}{end}", None, None) for root in WELL_KNOWN for end in ("", "/", "/x")),
        ("/_synapse/client/rendezvous", None, None),
        ("/_synapse/client/rendezvous/", RendezvousEndpoint, "/"),
        (f"/_synapse/client/rendezvous/{'a' * 32}", RendezvousEndpoint, "/"),
    ],
)
def test_a_path_leads_to_what_the_table_says(path, kind, called):
    """Exactly as it is spelled, below the root that Synapse leaves to us."""
    found = [root.find(path) for root in ROOTS]
    routes = [route for _, route in found if route is not None]

    assert [type(route) for route in routes] == ([kind] if kind else [])
    if called is not None:
        assert [name for name, route in found if route is not None] == [called]

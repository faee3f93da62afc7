"""Through providers of other people, as people do it: in a real Chromium, with and without scripts."""

from contextlib import suppress
from html import escape
from itertools import count
from urllib.parse import urlencode, urlsplit

import attrs
import pytest
import requests
from playwright.sync_api import Error

from support.chromium import Tab, parse, problems
from support.databases import SqliteDatabase
from support.oauth import Browser, Server
from support.providers.servers import PASSWORD
from support.synapse import Homeserver

VIEWS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 860}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 320, "height": 640}},
}
# A client of the old kind whose people are asked nothing.
TRUSTED = "https://client.example.com/old/"
_numbers = count(1)


@pytest.fixture(scope="module")
def homeserver(tmp_path_factory, make_providers):
    """Yield a homeserver that knows a provider of each kind, and passwords too."""
    directory = tmp_path_factory.mktemp("homeserver-browser-providers")
    homeserver = Homeserver(directory, SqliteDatabase(directory))
    trusted = {"sso": {"client_whitelist": [TRUSTED]}}
    homeserver.config = {**make_providers(homeserver.base_url).config, **trusted}
    next(each for each in homeserver.config["oidc_providers"] if each["idp_id"] == "picks").update(
        idp_brand="github"
    )
    with homeserver:
        yield homeserver


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def name():
    """Return the name of somebody whom nobody knows yet."""
    return f"vera{next(_numbers)}"


@attrs.define(eq=False)
class Visitor(Tab):
    """A tab of somebody whom providers know by a name."""

    @property
    def is_here(self):
        """Say whether the page is one of ours, and none that goes on by itself."""
        ours = self.page.url.startswith(self.server.base_url) and self.page.locator("main.card")
        return bool(ours and ours.count()) and not self.goes_on

    @property
    def goes_on(self):
        return self.page.locator('meta[http-equiv="refresh"]').count() > 0

    def complaints_about_us(self):
        """Return what went wrong on our pages; what providers load is their own affair."""
        return [said for said in self.complaints if self.server.base_url in said]

    def begin(self, client, **changes):
        parameters, verifier = client.request(**changes)
        self.authorize(parameters)
        return verifier

    def press_provider(self, provider):
        """Press the button of a provider, and wait for a page of its own or, without one, for ours."""
        before = self.page.url
        self.page.locator(f'button[value="provider:{provider}"]').click()
        self.until(lambda: self.page.url != before and not self.waits(), patience=20)

    def waits(self):
        """Say whether the page is on its way elsewhere."""
        try:
            return self.goes_on or self.page.evaluate("document.readyState") != "complete"
        except Error:  # it left while we asked
            return True

    def pass_provider(self, name):
        """Do what the provider's pages ask, until there is one of ours."""
        for _ in range(8):
            self.until(lambda: not self.waits(), patience=20)
            if self.is_here:
                return
            with suppress(Error):  # it went on by itself
                self._answer(name)
        pytest.fail(f"the provider keeps asking: {self.page.url} {self.text[:1000]}")

    def _answer(self, name):
        for field in ("login", "username"):
            if self.page.locator(f'input[name="{field}"]').count():
                self.page.locator(f'input[name="{field}"]').fill(name, timeout=5000)
                self.page.locator('input[name="password"]').fill(PASSWORD, timeout=5000)
        before = self.page.url
        button = self.page.locator('button[type="submit"], input[type="submit"], button').first
        button.click(timeout=5000)
        self.until(lambda: self.page.url != before, patience=5)

    def through(self, provider, name):
        """Sign in with a provider."""
        self.press_provider(provider)
        self.pass_provider(name)


@pytest.fixture
def visit(browser, server):
    """Return a function that opens a browser of its own, or a tab beside another one."""
    visitors, contexts = [], []

    def open_(*, beside=None, **options):
        if beside is None:
            context = browser.new_context(ignore_https_errors=True, **options)
            context.set_default_timeout(60_000)
            contexts.append(context)
        else:
            context = beside.page.context
        visitors.append(Visitor(context.new_page(), server))
        return visitors[-1]

    yield open_
    for context in contexts:
        context.close()
    assert [said for visitor in visitors for said in visitor.complaints_about_us()] == []


@pytest.fixture
def look_at(axe):
    """Return a function that gives one to look at a tab with; at the end nothing may be found."""
    found = {}

    def look_at_(tab):
        def look(name):
            # What rests at first is dimmed, which is no colour to judge.
            tab.page.wait_for_selector("button[aria-disabled]", state="detached")
            found[name] = problems(tab, axe)

        return look

    yield look_at_
    assert {name: listed for name, listed in found.items() if listed} == {}


def whoami(server, client, told, verifier):
    answer = client.redeem(told["code"], verifier)
    assert answer.status_code == 200, answer.text
    return server.whoami(answer.json()["access_token"]).json()["user_id"]


@pytest.mark.parametrize("js", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("provider", ["oidc-works", "saml", "cas"])
def test_c391_a_provider_leads_in_with_and_without_scripts(
    visit, server, client, name, provider, js
):
    """From the application over our page to the provider and back, twice, and out again."""
    for _ in range(2):
        tab = visit(java_script_enabled=js)
        verifier = tab.begin(client)
        tab.through(provider, name)
        told = tab.leave("Continue", client.redirect_uri)

        assert whoami(server, client, told, verifier) == f"@{name}:localhost"
    tab.open()
    tab.press("Sign out")

    assert tab.heading == "You are signed out"


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_axe_finds_nothing_on_the_way(visit, look_at, client, name, view):
    """On every page of ours that somebody meets on the way, and nothing is scrolled sideways."""
    tab = visit(**view)
    look = look_at(tab)
    tab.begin(client)
    look("sign in")
    mark = tab.page.locator("button[value='provider:oidc-picks'] img.provider-icon")
    wide = mark.evaluate("(mark) => mark.decode().then(() => mark.naturalWidth)")
    assert wide > 0
    assert "brand-github.svg" in mark.get_attribute("src")
    tab.press_provider("oidc-picks")
    tab.page.get_by_role("link", name="Cancel").click()
    tab.until(lambda: tab.is_here)
    look("declined")
    tab.press("Sign in")
    tab.through("oidc-picks", name)
    look("new account")
    tab.page.get_by_label("Username").fill("12345")
    tab.press("Create the account")
    look("a name that cannot be")
    tab.page.get_by_label("Username").fill(f"{name}-chosen")
    tab.press("Create the account")
    look("consent")
    tab.begin(client, prompt="select_account")
    look("accounts")
    tab.choose("Use another account")
    look("another account")
    tab.begin(client, prompt="login")
    look("prove again")
    tab.begin(client, login_hint="@nobody:localhost")
    look("another account is asked for")
    tab.open("end-session")
    look("end session")
    tab.press("Sign out")
    look("signed out")

    assert tab.heading == "You are signed out"


def test_two_people_take_turns_in_one_browser(visit, server, client, name):
    """Each with another provider; the chooser, a fresh proof and signing one out keep them apart."""
    first, second = f"@{name}:localhost", f"@{name}-b:localhost"
    tab = visit()
    tab.begin(client)
    tab.through("oidc-works", name)
    verifier = tab.begin(client, prompt="select_account")
    tab.choose("Use another account")
    tab.through("cas", f"{name}-b")
    told = tab.leave("Continue", client.redirect_uri)
    assert whoami(server, client, told, verifier) == second

    verifier = tab.begin(client, prompt="select_account")
    assert second in tab.text
    tab.choose(first)
    told = tab.leave("Continue", client.redirect_uri)
    assert whoami(server, client, told, verifier) == first

    verifier = tab.begin(client, prompt="login", login_hint=first)
    assert tab.heading == "Confirm that it is you"
    tab.through("oidc-works", name)
    told = tab.leave("Continue", client.redirect_uri)
    assert whoami(server, client, told, verifier) == first

    tab.open()
    tab.press("Sign out")
    tab.begin(client)
    assert second in tab.text
    assert first not in tab.text


def test_another_person_at_the_provider_confirms_nothing(visit, client, name):
    """Who is asked to prove again, and comes back as somebody else, is told whose account it is."""
    tab = visit()
    tab.begin(client)
    tab.through("saml", name)
    tab.begin(client, prompt="login")

    tab.through("saml", f"{name}-b")

    assert tab.heading == "This sign-in does not count"
    assert "another account than the one that is needed here" in tab.text
    tab.press("Sign in")
    assert tab.heading == "Confirm that it is you"
    tab.through("saml", name)
    assert tab.heading == "Allow access to your account?"


@pytest.mark.parametrize("provider", ["oidc-works", "saml", "cas"])
def test_going_back_and_reloading_harm_nobody(visit, server, client, name, provider):
    """Whatever page comes up says what to do, and the way on still leads to the application."""
    tab = visit()
    verifier = tab.begin(client)
    tab.press_provider(provider)
    tab.page.go_back()
    tab.until(lambda: not tab.waits())
    tab.begin(client)
    tab.page.reload()
    verifier = tab.begin(client)
    tab.through(provider, name)
    consent = tab.heading
    tab.page.reload()
    assert tab.heading == consent
    for _ in range(3):
        tab.page.go_back()
        tab.until(lambda: not tab.waits())
        if tab.is_here:
            assert tab.page.locator("h1").count() == 1
    parameters, verifier = client.request()
    told = tab.let_in(parameters, None)

    assert whoami(server, client, told, verifier) == f"@{name}:localhost"


@pytest.mark.parametrize("provider", ["oidc-works", "saml", "cas"])
def test_two_tabs_on_their_way_at_once(visit, server, client, name, provider):
    """Each ends signed in, or says that another tab went further and how to go on."""
    one = visit()
    two = visit(beside=one)
    verifiers = [tab.begin(client) for tab in (one, two)]
    for tab in (one, two):
        tab.press_provider(provider)

    for tab, verifier in zip((one, two), verifiers, strict=True):
        tab.pass_provider(name)
        if tab.path != "consent":
            assert tab.heading == "You are not signed in"
            assert "go back to the application and begin again" in tab.text
            verifier = tab.begin(client)  # noqa: PLW2901 - of the second try
            if tab.path == "sign-in":
                tab.through(provider, name)
        told = tab.leave("Continue", client.redirect_uri)
        assert whoami(server, client, told, verifier) == f"@{name}:localhost"


@pytest.mark.parametrize("js", [True, False], ids=["scripts", "no scripts"])
def test_c202_a_form_leads_straight_to_a_provider(visit, server, client, client_site, name, js):
    """Where a form of ours ends at a provider nobody knows before: a page is in between."""
    parameters, verifier = client.request(idp_hint="oidc-works", unknown="x" * 20_000)
    fields = "".join(
        f'<input type="hidden" name="{field}" value="{escape(value)}">'
        for field, value in parameters.items()
    )
    form = (
        f'<form method="post" action="{server.url("authorize")}">{fields}<button>Go</button></form>'
    )
    tab = visit(java_script_enabled=js)
    tab.page.goto(client_site.page("/form", form))
    tab.page.get_by_text("Go", exact=True).click()
    if not js:
        tab.press("Continue")
    tab.pass_provider(name)
    told = tab.leave("Continue", client.redirect_uri)

    assert whoami(server, client, told, verifier) == f"@{name}:localhost"


def begin_the_old_way(tab, url=TRUSTED):
    """Arrive as a client sends people here that knows only `m.login.sso`."""
    query = urlencode({"redirectUrl": url})
    tab.page.goto(f"{tab.server.base_url}/_matrix/client/v3/login/sso/redirect?{query}")


def old_login(server, told):
    token = {"type": "m.login.token", "token": told["loginToken"]}
    url = f"{server.base_url}/_matrix/client/v3/login"
    return requests.post(url, json=token, timeout=30).json()["user_id"]


@pytest.mark.parametrize("js", [True, False], ids=["scripts", "no scripts"])
def test_c202_a_password_leads_straight_to_a_trusted_client_of_the_old_kind(
    visit, server, homeserver, js
):
    """Browsers apply the policy of the page with the form to where its answer leads."""
    user, tab = homeserver.new_user(), visit(java_script_enabled=js)
    begin_the_old_way(tab)
    tab.fill_in(user)

    told = tab.leave("Sign in", TRUSTED)

    assert old_login(server, told) == user.user_id


def test_c202_a_new_account_leads_straight_to_a_trusted_client_of_the_old_kind(visit, server, name):
    """The form that makes it is the last one on the way."""
    tab = visit()
    begin_the_old_way(tab)
    tab.through("oidc-picks", name)
    tab.page.get_by_label("Username").fill(f"{name}-chosen")

    told = tab.leave("Create the account", TRUSTED)

    assert old_login(server, told) == f"@{name}-chosen:localhost"


def test_c202_a_choice_leads_straight_to_a_trusted_client_of_the_old_kind(
    visit, server, homeserver
):
    """So it is where somebody who just signed in for it is chosen once more."""
    first, second = homeserver.new_user(), homeserver.new_user()
    tab = visit()
    tab.open("sign-in")
    tab.sign_in(first)
    begin_the_old_way(tab)
    tab.press("Use another account")
    beside = visit(beside=tab)
    beside.open("sign-in")
    beside.sign_in(second)
    tab.page.reload()
    row = tab.page.locator("button.row-link").get_by_text(second.user_id, exact=True)
    with tab.page.expect_request(f"{TRUSTED}*") as sent:
        row.click()

    assert old_login(server, parse(urlsplit(sent.value.url).query)) == second.user_id


def test_c202_nobody_may_name_where_the_forms_of_a_page_lead(server):
    """A client of the old kind that nobody trusts is reached by the page that asks, and by no other."""
    browser = Browser(server)
    page = browser.get(server.url("legacy-sign-in"), params={"redirectUrl": "https://evil.example"})

    assert "form-action 'self';" in page.headers["Content-Security-Policy"]

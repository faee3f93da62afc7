"""What pages do with accounts that change, with addresses from strangers, and with our own faults."""

import re
from urllib.parse import urljoin

import pytest

from support.answers import assert_page, offered
from support.oauth import Browser

pytestmark = pytest.mark.one_database


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def change(homeserver, server, user):
    """Return a function that changes the account as an administrator does."""
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]

    def change_(**settings):
        path = f"/_synapse/admin/v2/users/{user.user_id}"
        changed = server.api("PUT", path, admin, json=settings)
        assert changed.status_code == 200, changed.text

    return change_


def code_of(homeserver, user):
    return homeserver.query(
        "SELECT code_digest FROM nextgen_grants WHERE user_id = ?", user.user_id
    )


@pytest.mark.parametrize("moment", ["before the password", "before the page", "before the answer"])
def test_c179_a_lock_counts_at_every_step(homeserver, server, user, change, moment):
    """A locked account gets a page that says so, whenever the lock comes, and may be unlocked."""
    client = server.client()
    parameters, verifier = client.request()
    browser = Browser(server)
    browser.authorize(parameters)
    if moment == "before the password":
        change(locked=True)
        page = browser.sign_in(user.localpart, user.password)
    else:
        browser.sign_in(user.localpart, user.password)
        consent = browser.page
        change(locked=True)
        page = browser.get(consent.url)
        if moment == "before the answer":
            browser.page = consent
            page = browser.submit(decision="approve")

    assert_page(page, "This account is locked", "Use another account", status=403)
    assert code_of(homeserver, user) == []
    change(locked=False)
    told = Browser(server).let_in(parameters, user.localpart, user.password)
    assert client.redeem(told["code"], verifier).status_code == 200


@pytest.mark.parametrize("moment", ["before the password", "before the page", "before the answer"])
def test_c179_a_deactivation_counts_at_every_step(homeserver, server, user, change, moment):
    """Nothing is left to sign in to, and the browser of the account is signed out."""
    parameters, _ = server.client().request()
    browser = Browser(server)
    browser.authorize(parameters)
    if moment == "before the password":
        change(deactivated=True)
        page = browser.sign_in(user.localpart, user.password)
        assert_page(page, "The username or the password is not right", status=403)
    else:
        browser.sign_in(user.localpart, user.password)
        consent = browser.page
        change(deactivated=True)
        browser.page = consent
        page = browser.get(consent.url) if "page" in moment else browser.submit(decision="approve")
        assert "Location" not in page.headers
        assert page.status_code in {200, 403}
        assert "Allow access" not in page.text

    assert code_of(homeserver, user) == []


def test_c179_admin_rights_count_at_every_step(homeserver, server, change, user):
    """Who is no administrator any more when pressing Continue gives no power away."""
    change(admin=True)
    client = server.client()
    scope = client.request()[0]["scope"] + " urn:synapse:admin:*"
    browser = Browser(server)
    browser.authorize(client.request(scope=scope)[0])
    consent = browser.sign_in(user.localpart, user.password)
    change(admin=False)

    page = browser.submit(decision="approve")

    assert "administer" in consent.text
    assert_page(page, "Only an administrator can allow this", status=403)
    assert code_of(homeserver, user) == []


PLACES = [
    "//evil.example",
    "/\\evil.example",
    "/%09/evil.example",
    "https:evil.example",
    "http:///evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "/.//evil.example",
    "%00",
    "evil.example",
]
NAMES = ["next", "return_to", "redirect", "redirect_uri", "post_auth_action", "url", "continue",
         "post_logout_redirect_uri", "target", "grant", "request", "device", "action"]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_c194_signing_in_leads_to_no_address_from_a_link(server, user, place):
    """Whatever name it comes under; and ids of ours are looked up, never followed."""
    for name in NAMES:
        browser = Browser(server)
        page = browser.get(f"{server.url('sign-in')}?{name}={place}")
        if page.status_code == 200:
            page = browser.sign_in(user.localpart, user.password)

        assert page.url.startswith(server.issuer), (name, page.url)
        assert "Location" not in page.headers
        assert "evil" not in page.text, name
        assert page.status_code in {200, 400, 403}


@pytest.mark.parametrize("place", PLACES)
def test_c194_signing_out_leads_to_no_address_from_a_form(server, user, place):
    """The page after it offers to sign in again, and nothing else."""
    browser = Browser.of(server, user)
    browser.get(server.issuer)

    page = browser.submit(decision="sign-out", post_logout_redirect_uri=place, next=place)

    assert_page(page, "You are signed out", status=200)
    said = page.text.partition("<footer")[0]
    assert re.findall(r'<a [^>]*href="([^"]*)"', said) == ["sign-in"]


def test_c206_a_fault_of_ours_is_a_page_that_tells_nothing(start_homeserver):
    """A reference to quote, a time to come back, and no word about what broke; the log has it."""
    from support.oauth import Server  # noqa: PLC0415

    homeserver = start_homeserver()
    server = Server(homeserver.base_url)
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    client = server.client()
    homeserver.query("ALTER TABLE nextgen_browsers RENAME TO nextgen_browsers_away")
    homeserver.query("ALTER TABLE nextgen_sessions RENAME TO nextgen_sessions_away")

    page = browser.get(server.url("account"))
    homeserver.query("ALTER TABLE nextgen_clients RENAME TO nextgen_clients_away")
    answer = client.redeem("code", "v" * 43)

    assert_page(page, "The server is not ready", status=503)
    assert page.headers["Retry-After"]
    (reference,) = re.findall(r"quote <code>([0-9a-f]{12})</code>", page.text)
    assert f"({reference})" in homeserver.log_text()
    assert answer.status_code == 503
    assert answer.json().keys() <= {"error", "error_description"}
    for text in (page.text, answer.text):
        assert not re.search(r"nextgen_|Traceback|sqlite|SELECT|\.py|no such|1\.\d+\.\d", text)


@pytest.mark.parametrize(
    "path", ["nothing", "a/b/c", "sign-out", "authorize?client_id=nobody", "sign-in?grant=old"]
)
def test_every_message_has_a_way_forward(server, path):
    """Where there is nowhere better to go, it is the start page, from however deep a path."""
    browser = Browser(server)
    page = browser.get(server.url(path))
    (link,) = re.findall(
        r'<a class="button[^"]*" href="([^"]+)"[^>]*>Go to the start page', page.text
    )

    assert page.status_code >= 400
    assert "Welcome to <bdi>localhost</bdi>" in browser.get(urljoin(page.url, link)).text


def test_c206_the_developer_learns_what_is_wrong_with_the_request(server):
    """And only that: it is in the error that travels, or in a box of its own on the page."""
    client = server.client()
    wrong = Browser(server).authorize(
        client.request(redirect_uri="https://client.example.com/x")[0]
    )
    travels = Browser(server).authorize(client.request(code_challenge=None)[0])

    assert_page(wrong, "For the developer", "redirect_uri", status=400)
    assert_page(travels, "For the developer", "code_challenge", status=400)
    assert "code_challenge" in offered(travels, client.redirect_uri)["error_description"]

"""The account page: where an account is signed in, and signing out there."""

import html
import re
import time
from urllib.parse import urlencode

import pytest

from support.oauth import API, DEVICE, Browser, Server, device_id, web_client
from support.transactions import transactions

pytestmark = pytest.mark.one_database


@pytest.fixture
def somebody(homeserver):
    """Return an account with a session of ours and a legacy one, and a browser signed in to it."""
    user = homeserver.new_user()
    server = Server(homeserver.base_url)
    device = device_id()
    tokens = server.client().sign_in(user.localpart, user.password, scope=f"{API} {DEVICE}{device}")
    legacy = homeserver.login(user)
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    browser.sign_in(user.localpart, user.password)
    return server, user, browser, (device, tokens["access_token"]), legacy


def test_the_management_page_is_announced_with_what_it_can_do(homeserver):
    """Clients find the page and the actions it knows in the metadata (MSC4191)."""
    metadata = Server(homeserver.base_url).metadata()

    assert metadata["account_management_uri"].endswith("/_synapse/client/auth/account")
    assert metadata["account_management_actions_supported"] == [
        "org.matrix.profile",
        "org.matrix.devices_list",
        "org.matrix.device_view",
        "org.matrix.device_delete",
        "org.matrix.account_deactivate",
        "org.matrix.cross_signing_reset",
    ]


def test_the_list_shows_sessions_of_both_kinds(somebody):
    """A session of ours stands there with its client, a legacy one beside it."""
    server, _, browser, (device, _), legacy = somebody

    page = browser.get(server.url("account-devices"))

    assert page.status_code == 200
    assert device in page.text
    assert legacy["device_id"] in page.text
    assert "client.example.com" in page.text


@pytest.mark.parametrize("which", ["ours", "legacy"])
def test_a_device_is_signed_out_after_a_question(somebody, which):
    """A link only asks; the answer ends the session at once, ours or legacy (C197)."""
    server, _, browser, (device, token), legacy = somebody
    if which == "legacy":
        device, token = legacy["device_id"], legacy["access_token"]
    link = server.url(f"account?action=org.matrix.device_delete&device_id={device}")

    asked = browser.get(link)
    still = server.whoami(token).status_code
    browser.submit(decision="end")

    assert asked.status_code == 200
    assert device in asked.text
    assert still == 200
    assert server.whoami(token).status_code == 401
    assert device not in browser.get(server.url("account-devices")).text


def test_deep_links_survive_signing_in(homeserver, somebody):
    """Somebody who is not signed in gets to the device after signing in."""
    server, user, _, (device, _), _ = somebody
    browser = Browser(server)

    browser.get(server.url(f"account?action=org.matrix.device_view&device_id={device}"))
    page = browser.sign_in(user.localpart, user.password)

    assert page.url.endswith(f"account-device?id={device}")
    assert device in page.text


@pytest.mark.parametrize("spelled", ["mxid:@bob:elsewhere.example", "@bob:elsewhere.example"])
def test_a_link_for_an_account_of_another_server_says_so(homeserver, server, spelled):
    """It does not open the page of whoever is signed in here."""
    browser = Browser.of(server, homeserver.new_user())
    query = urlencode({"action": "org.matrix.profile", "login_hint": spelled})
    page = browser.get(server.url(f"account?{query}"))

    assert "Which account?" in page.text
    assert "@bob:elsewhere.example" in page.text.replace("<wbr>", "")


@pytest.mark.parametrize("spelled", ["mxid:{0}", "{0}", "{1}"])
def test_a_link_for_another_account_says_which_is_which(homeserver, server, spelled):
    """The action goes on with whichever is chosen; nobody is switched or signed in by a link."""
    alice, bob = homeserver.new_user(), homeserver.new_user()
    browser = Browser.of(server, alice)
    hint = spelled.format(bob.user_id, bob.localpart)
    link = server.url(f"account?{urlencode({'action': 'profile', 'login_hint': hint})}")

    page = browser.get(link)
    still = browser.get(server.url("account"))
    browser.get(link)
    asked = browser.submit(decision="another")
    done = browser.sign_in(bob.localpart, bob.password)
    both = browser.get(server.url(f"account?{urlencode({'login_hint': f'mxid:{alice.user_id}'})}"))
    back = browser.submit(decision=alice.user_id)

    assert "Which account?" in page.text
    assert alice.user_id in page.text
    assert bob.user_id in page.text
    assert alice.user_id in still.text
    assert "/sign-in" in asked.url
    assert done.url.endswith("/account-profile")
    assert "Which account?" in both.text
    assert back.url.endswith("/account")
    assert alice.user_id in back.text


@pytest.mark.parametrize("action", ["org.matrix.profile", None])
@pytest.mark.parametrize("spelled", ["mxid:{0}", "{0}", "{1}", "mxid:@bob:elsewhere.example"])
def test_a_link_for_another_account_says_so_after_signing_in(homeserver, server, spelled, action):
    """Whoever signs in as somebody else does not land on that one's page without a word."""
    alice, bob = homeserver.new_user(), homeserver.new_user()
    hint = spelled.format(bob.user_id, bob.localpart)
    query = urlencode({"action": action or "", "login_hint": hint})
    browser = Browser(server)
    browser.get(server.url(f"account?{query}"))

    page = browser.sign_in(alice.localpart, alice.password)
    chosen = browser.submit(decision=alice.user_id)

    assert "Which account?" in page.text
    assert alice.user_id in page.text
    assert (bob.user_id if "elsewhere" not in hint else hint[5:]) in page.text.replace("<wbr>", "")
    assert chosen.url.endswith("/account-profile" if action else "/account")
    assert alice.user_id in chosen.text


def test_a_link_fills_in_the_sign_in_page(homeserver, server):
    """For somebody who is not signed in, with the name that the client means."""
    user = homeserver.new_user()
    browser = Browser(server)
    query = urlencode({"action": "org.matrix.profile", "login_hint": f"mxid:{user.user_id}"})
    page = browser.get(server.url(f"account?{query}"))
    done = browser.sign_in(user.localpart, user.password)
    own = browser.get(server.url(f"account?{query}"))

    assert f'value="{user.user_id}"' in page.text or f'value="{user.localpart}"' in page.text
    assert done.url.endswith("/account-profile")
    assert own.url.endswith("/account-profile")


def test_an_id_token_names_whose_account_a_link_means(homeserver, server):
    """Element Web adds it; what is no ID token of ours names nobody."""
    alice, bob = homeserver.new_user(), homeserver.new_user()
    tokens = server.client().sign_in(
        bob.localpart, bob.password, scope=f"openid {API} {DEVICE}{device_id()}"
    )
    browser = Browser.of(server, alice)
    page = browser.get(server.url(f"account?id_token_hint={tokens['id_token']}"))
    both = browser.get(
        server.url(f"account?login_hint={alice.localpart}&id_token_hint={tokens['id_token']}")
    )
    own = browser.get(server.url("account?id_token_hint=x.y.z"))

    assert "Which account?" in both.text
    assert "Which account?" in page.text
    assert bob.user_id in page.text
    assert own.url.partition("?")[0].endswith("/account")


def test_c301_somebody_elses_device_is_out_of_reach(homeserver, somebody):
    """Asking for, or ending, another account's device changes nothing there."""
    server, _, _, (device, token), _ = somebody
    thief = homeserver.new_user()
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    browser.sign_in(thief.localpart, thief.password)
    home = browser.get(server.url(""))
    csrf = re.search(r'name="csrf" value="([^"]+)"', home.text)[1]

    link = server.url(f"account-device-end?id={device}")
    page = browser.get(link)
    browser.http.post(link, data={"csrf": csrf, "decision": "end"}, timeout=60)

    assert "The device that you came for is not signed in to this account" in page.text
    # What the link named goes on with whoever is chosen, and nothing else is said of it.
    assert page.text.count(device) == page.text.count("accounts?page=") == 1
    assert server.whoami(token).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "action=x&device_id=y",
        "action=org.matrix.device_delete",
        "action=%00",
        "device_id=" + "a" * 9000,
    ],
)
def test_unknown_wishes_show_the_overview(somebody, query):
    """What we do not understand is no error for a person."""
    server, _, browser, _, _ = somebody

    page = browser.get(server.url(f"account?{query}"))

    assert page.status_code == (400 if "%00" in query else 200)
    assert "<h1>" in page.text


WIKI = {
    "client_name": "Wiki",
    "client_uri": "https://wiki.example.com/",
    "redirect_uris": ["https://wiki.example.com/callback"],
    "token_endpoint_auth_method": "none",
}


def visiting(server, user):
    """Return a browser in which this account has just signed in."""
    return Browser.of(server, user)


def told(server, tokens):
    """Return the status of userinfo for the access token of a website."""
    return server.api("GET", "/_synapse/client/auth/userinfo", tokens["access_token"]).status_code


def websites(browser, server):
    """Return the links to the sessions without a device that the account page lists."""
    page = browser.get(server.url("account-devices")).text
    links = re.findall(r'href="account-device(\?id=%7Esession[^"]+|\?id=~session[^"]+)"', page)
    return [f"account-device-end{html.unescape(link)}" for link in links]


def test_a_website_is_listed_and_signed_out_after_a_question(homeserver, server):
    """It has no device, so no device list shows it: the account page does, and ends it."""
    user = homeserver.new_user()
    wiki = server.client(web_client(**WIKI))
    tokens = wiki.sign_in(user.localpart, user.password, scope="openid")
    browser = visiting(server, user)

    page = browser.get(server.url("account-devices"))
    (link,) = websites(browser, server)
    asked = browser.get(server.url(link))
    still = told(server, tokens)
    browser.submit(decision="end")

    assert "Wiki" in page.text
    assert "wiki.example.com" in page.text
    assert "Sign this website out?" in asked.text
    assert still == 200
    assert told(server, tokens) == 401
    assert wiki.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert websites(browser, server) == []


def test_c301_somebody_elses_website_is_out_of_reach(homeserver, server):
    """Whoever knows the link of another account's session gets the own list, and ends nothing."""
    user, thief = homeserver.new_user(), homeserver.new_user()
    wiki = server.client(web_client(**WIKI))
    tokens = wiki.sign_in(user.localpart, user.password, scope="openid")
    (link,) = websites(visiting(server, user), server)
    browser = visiting(server, thief)
    home = browser.get(server.url(""))
    csrf = re.search(r'name="csrf" value="([^"]+)"', home.text)[1]

    page = browser.get(server.url(link))
    browser.http.post(server.url(link), data={"csrf": csrf, "decision": "end"}, timeout=60)

    assert "Wiki" not in page.text
    assert told(server, tokens) == 200


def test_signing_in_again_in_the_same_browser_replaces_the_website(homeserver, server):
    """Also after the person signed in again there; what another browser has stays."""
    user = homeserver.new_user()
    wiki = server.client(web_client(**WIKI))
    here, elsewhere = Browser(server), Browser(server)
    first, other = (
        wiki.sign_in(user.localpart, user.password, scope="openid", browser=browser)
        for browser in (here, elsewhere)
    )
    here.get(server.url("sign-in"))
    here.sign_in(user.localpart, user.password)

    parameters, verifier = wiki.request(scope="openid")
    here.authorize(parameters)
    code = here.answer(here.submit(decision="approve"))["code"]
    second = wiki.redeem(code, verifier).json()

    assert [told(server, tokens) for tokens in (first, other, second)] == [401, 200, 200]
    assert len(websites(here, server)) == 2


def test_thousands_of_websites_cost_no_more_queries_than_one(homeserver, server):
    """Each with a client of its own; the page lists fifty, and says of how many."""
    user, browser = homeserver.new_user(), None
    wiki = server.client(web_client(**WIKI))
    wiki.sign_in(user.localpart, user.password, scope="openid")
    browser = visiting(server, user)
    browser.get(server.url("account-devices"))
    since = len(homeserver.log_text())
    browser.get(server.url("account-devices"))
    (usual,) = transactions(
        homeserver, "/_synapse/client/auth/account-devices", since=since, count=1
    )
    homeserver.query(MANY_CLIENTS, wiki.id)
    homeserver.query(MANY_SESSIONS, user.user_id, int(time.time()))

    since, began = len(homeserver.log_text()), time.monotonic()
    page = browser.get(server.url("account-devices"))
    took = time.monotonic() - began
    (many,) = transactions(
        homeserver, "/_synapse/client/auth/account-devices", since=since, count=1
    )
    homeserver.query("DELETE FROM nextgen_sessions WHERE user_id = ?", user.user_id)
    homeserver.query("DELETE FROM nextgen_clients WHERE client_id LIKE 'many %'")
    print(f"the account page with 5,000 websites: {took:.3f} s")

    assert page.status_code == 200
    assert page.text.count("account-device?id=~session") >= 48
    assert re.search("of 5,?003<", page.text)
    assert many == usual


NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
MANY_CLIENTS = (
    "INSERT INTO nextgen_clients"
    " (client_id, digest, metadata, secret_hash, created_at, last_used_at) "
    + NUMBERS
    + "SELECT 'many ' || i, NULL, metadata, secret_hash, created_at, last_used_at"
    " FROM n, nextgen_clients WHERE client_id = ?"
)
MANY_SESSIONS = (
    "INSERT INTO nextgen_sessions (session_id, user_id, client_id, scope, generation, rotated_at,"
    " confirmed_generation, auth_time, created_at, last_active_at) "
    + NUMBERS
    + "SELECT 'many ' || i, u, 'many ' || i, 'openid', 1, t, 0, t, t, t"
    " FROM n, (SELECT CAST(? AS TEXT) AS u, CAST(? AS BIGINT) AS t) AS given"
)


def verdict(page):
    """Return what the overview says of the account, and the checks that are not well."""
    (title,) = re.findall(r'<h2 id="safe">([^<]+)</h2>', page.text)
    rows = re.findall(r'<li class="row-go">(?:(?!</li>).)*</li>', page.text, re.DOTALL)
    bad = [
        re.sub(r"\s+", " ", re.sub("<[^>]+>", "", re.search(r"<bdi>.*?</bdi>", row)[0]))
        for row in rows
        if "tag-danger" in row or "tag-warning" in row
    ]
    return title, bad


def test_the_overview_says_whether_the_account_is_safe(homeserver, server):
    """What needs a look stands first, and leads to where it is mended."""
    user = homeserver.new_user(admin=True)
    browser = Browser.of(server, user)
    safe = verdict(browser.get(server.url("account")))
    admin = f"{API} {DEVICE}{device_id()} urn:synapse:admin:*"
    server.client().sign_in(user.localpart, user.password, scope=admin)
    homeserver.login(user, device_id="FORGOTTEN")
    homeserver.query(
        "UPDATE devices SET last_seen = ? WHERE user_id = ? AND device_id = 'FORGOTTEN'",
        *((int(time.time()) - 91 * 24 * 3600) * 1000, user.user_id),
    )
    page = browser.get(server.url("account"))
    rows = re.findall(r'class="row-link" href="([^"]+)"', page.text)

    assert safe == ("Your account looks safe", [])
    assert verdict(page) == (
        "2 things need a look",
        ["Something was not used for three months", "An application has power over the server"],
    )
    assert rows[:2] == ["account-devices", "account-apps"]
    assert "2 devices" in page.text


def test_the_overview_says_to_act_until_somebody_did(homeserver, server):
    """A refresh token that came twice is what a thief leaves behind; signing out helps against it."""
    user = homeserver.new_user()
    client = server.client()
    tokens = client.sign_in(user.localpart, user.password, scope=f"{API} {DEVICE}{device_id()}")
    newer = client.refresh(tokens["refresh_token"]).json()
    client.refresh(newer["refresh_token"])
    client.refresh(tokens["refresh_token"])
    browser = Browser.of(server, user)
    page = browser.get(server.url("account"))
    browser.get(server.url("account-devices-end?id=others"))
    browser.submit(decision="end")

    assert verdict(page) == ("Act now", ["A token or code was used twice"])
    assert 'href="account-devices-end?id=others"' in page.text
    assert 'href="account-password"' in page.text
    assert verdict(browser.get(server.url("account"))) == ("Your account looks safe", [])


def test_the_overview_leads_to_the_other_accounts_of_the_browser(homeserver, server):
    """To where they are chosen: a link signs nobody in and switches nobody."""
    alice, bob = homeserver.new_user(), homeserver.new_user()
    browser = Browser.of(server, alice)
    browser.get(server.url("sign-in?another=1"))
    browser.get(server.url("accounts?page=account"))
    browser.submit(decision="another")
    browser.sign_in(bob.localpart, bob.password)
    page = browser.get(server.url("account"))
    (link,) = re.findall(r'id="others".*?href="([^"]+)"', page.text, re.DOTALL)
    choosing = browser.get(server.url(html.unescape(link)))

    assert alice.user_id in page.text.partition('id="others"')[2]
    assert alice.user_id in choosing.text


def test_the_overview_costs_no_more_queries_with_thousands_than_with_one(homeserver, server):
    """One query for each table; every session and application counts."""
    user = homeserver.new_user()
    wiki = server.client(web_client(**WIKI))
    wiki.sign_in(user.localpart, user.password, scope="openid")
    browser = visiting(server, user)
    browser.get(server.url("account"))
    took = []
    for _ in range(2):
        since = len(homeserver.log_text())
        page = browser.get(server.url("account"))
        took += transactions(homeserver, "/_synapse/client/auth/account", since=since, count=1)
        if len(took) == 1:
            homeserver.query(MANY_CLIENTS, wiki.id)
            homeserver.query(MANY_SESSIONS, user.user_id, int(time.time()))
    homeserver.query("DELETE FROM nextgen_sessions WHERE user_id = ?", user.user_id)
    homeserver.query("DELETE FROM nextgen_clients WHERE client_id LIKE 'many %'")

    assert page.text.count("websites") == 1
    assert took[0] == took[1]
    assert len(took[0]) <= 8, took[0]

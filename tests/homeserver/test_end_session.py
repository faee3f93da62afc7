"""Clients that sign people out of the browser (OpenID Connect RP-Initiated Logout 1.0)."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
import requests

from support.answers import assert_page
from support.oauth import Browser, Client, Server, web_client

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]

BYE = "https://client.example.com/bye"
QUESTION = "Sign out?"


@pytest.fixture
def client(server):
    return server.client(web_client(post_logout_redirect_uris=[BYE]))


@pytest.fixture
def alice(homeserver):
    return homeserver.new_user()


@pytest.fixture
def bob(homeserver):
    return homeserver.new_user()


def sign_in(client, browser, user):
    """Let the client know an account of this browser; return its ID token."""
    browser.get(browser.server.url("sign-in"))
    browser.sign_in(user.localpart, user.password)
    return client.sign_in(
        user.localpart, user.password, browser=browser, scope="openid", login_hint=user.user_id
    )["id_token"]


@pytest.fixture
def both(server, client, alice, bob):
    """Return a browser with two accounts, Bob's the present one, and the ID token of each."""
    browser = Browser(server)
    return browser, sign_in(client, browser, alice), sign_in(client, browser, bob)


def end(browser, **query):
    """Go where a client sends the browser."""
    headers = query.pop("headers", {})
    return browser.get(browser.server.url("end-session"), params=query, headers=headers)


def signed_in(homeserver, *users):
    """Return which of these are signed in in any browser."""
    return [
        homeserver.query(
            "SELECT COUNT(*) FROM nextgen_browsers WHERE user_id = ? AND ended_at IS NULL",
            user.user_id,
        )
        == [(1,)]
        for user in users
    ]


def assert_sent(answer, uri, **query):
    """Check where a browser is sent."""
    assert answer.status_code == 303, answer.text
    location = answer.headers["Location"]
    assert location.partition("?")[0].rstrip("#") == uri
    assert dict(parse_qsl(urlsplit(location).query)) == query


def test_it_can_be_found_and_registered(server, client):
    """In both documents, and in the answer to the registration."""
    assert server.metadata()["end_session_endpoint"] == server.url("end-session")
    assert client.registered["post_logout_redirect_uris"] == [BYE]


@pytest.mark.parametrize(
    "uris", [["http://client.example.com/bye"], ["https://elsewhere.example/"], ["javascript:x"]]
)
def test_an_address_that_may_not_be_is_left_out(server, uris):
    """A client that worked before goes on working; the answer says what holds."""
    registered = server.client(web_client(post_logout_redirect_uris=[*uris, BYE])).registered

    assert registered["post_logout_redirect_uris"] == [BYE]


def test_c185_a_link_with_an_id_token_signs_its_account_out(homeserver, both, alice, bob):
    """At once, and no other account; the browser goes back with the client's state."""
    browser, alices, _bobs = both
    headers = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
    answer = end(
        browser, id_token_hint=alices, post_logout_redirect_uri=BYE, state="s p", headers=headers
    )

    assert_sent(answer, BYE, state="s p")
    assert signed_in(homeserver, alice, bob) == [False, True]
    assert bob.user_id in browser.get(browser.server.issuer).text


def test_it_ends_the_codes_of_that_account(client, both, alice, bob):
    """What it approved and nobody redeemed; the sessions that began go on (as by our own button)."""
    browser, _alices, bobs = both
    tokens = client.sign_in(bob.localpart, bob.password, browser=browser, login_hint=bob.user_id)
    parameters, verifier = client.request(login_hint=bob.user_id)
    code = browser.let_in(parameters, bob.localpart, bob.password)["code"]
    end(browser, id_token_hint=bobs)

    assert client.redeem(code, verifier).json()["error"] == "invalid_grant"
    assert client.server.whoami(tokens["access_token"]).status_code == 200


def test_without_a_place_to_go_a_page_says_so(both):
    """That Bob is signed out, and Alice is not."""
    browser, _alices, bobs = both

    assert_page(
        end(browser, id_token_hint=bobs), "You are signed out", "stay signed in", status=200
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    ],
)
def test_c185_an_image_or_a_frame_signs_nobody_out(homeserver, both, alice, bob, headers):
    """Whatever it shows: there is a question, which nobody sees."""
    browser, alices, _bobs = both
    answer = end(browser, id_token_hint=alices, headers=headers)

    assert_page(answer, QUESTION, alice.user_id, status=200)
    assert signed_in(homeserver, alice, bob) == [True, True]


def test_c185_an_id_token_of_another_browser_is_a_question(homeserver, client, server, alice):
    """Whoever has one of the account may not end what it did not come from."""
    here, there = Browser(server), Browser(server)
    sign_in(client, here, alice)
    elsewhere = sign_in(client, there, alice)

    assert_page(end(here, id_token_hint=elsewhere), QUESTION, alice.user_id, status=200)
    assert_page(end(there, id_token_hint=elsewhere), "You are signed out", status=200)


def test_a_refreshed_id_token_is_of_the_same_sign_in(client, both, alice):
    """And a sign-in that was proven once more is the one that it was."""
    browser, alices, _bobs = both
    asked = {"browser": browser, "scope": "openid", "login_hint": alice.user_id}
    tokens = client.sign_in(alice.localpart, alice.password, prompt="login", **asked)
    refreshed = client.refresh(tokens["refresh_token"]).json()

    assert claims(refreshed["id_token"])["sid"] == claims(tokens["id_token"])["sid"]
    assert_page(end(browser, id_token_hint=alices), "You are signed out", status=200)


def claims(token):
    """Return what an ID token says, unchecked."""
    return jwt.decode(token, options={"verify_signature": False})


def spoilt(text):
    header, payload, signature = text.split(".")
    return f"{header}.{payload}.{signature[::-1]}"


@pytest.mark.parametrize("hint", ["none", "nonsense", "spoilt", "of a stranger"])
def test_c185_without_a_good_hint_there_is_a_question(homeserver, client, both, alice, bob, hint):
    """And only its button does anything: one for this account, one for all, one for neither."""
    browser, alices, _bobs = both
    stranger = sign_in(client, Browser(client.server), homeserver.new_user())
    tokens = {
        "none": None,
        "nonsense": "x.y.z",
        "spoilt": spoilt(alices),
        "of a stranger": stranger,
    }
    query = {"id_token_hint": tokens[hint], "client_id": client.id, "post_logout_redirect_uri": BYE}

    page = end(browser, **{name: value for name, value in query.items() if value})
    assert_page(page, QUESTION, bob.user_id, "Test client", status=200)
    assert signed_in(homeserver, alice, bob) == [True, True]
    stays = browser.submit(decision="stay")
    assert bob.user_id in stays.text
    assert signed_in(homeserver, alice, bob) == [True, True]
    end(browser, **{name: value for name, value in query.items() if value}, state="xyz")
    assert_sent(browser.submit(decision="sign-out"), BYE, state="xyz")
    assert signed_in(homeserver, alice, bob) == [True, False]
    end(browser)
    browser.submit(decision="sign-out-all")
    assert signed_in(homeserver, alice, bob) == [False, False]


def test_a_frame_may_ask_about_the_account_that_is_meant(homeserver, both, alice, bob):
    """And the answer is about that one, not about the present one."""
    browser, alices, _bobs = both
    end(browser, id_token_hint=alices, headers={"Sec-Fetch-Dest": "iframe"})
    browser.submit(decision="sign-out")

    assert signed_in(homeserver, alice, bob) == [False, True]


@pytest.mark.parametrize("ended", ["elsewhere", "by time"])
def test_c185_an_account_that_left_meanwhile_takes_nobody_with_it(
    homeserver, both, alice, bob, ended
):
    """The page names Alice, and so its button is about her; Bob is the present one, and stays."""
    browser, alices, _bobs = both
    end(browser, id_token_hint=alices, headers={"Sec-Fetch-Dest": "iframe"})
    assert alice.user_id in browser.page.text
    change = {"elsewhere": "ended_at = signed_in_at", "by time": "signed_in_at = 0"}[ended]
    homeserver.query(f"UPDATE nextgen_browsers SET {change} WHERE user_id = ?", alice.user_id)

    browser.submit(decision="sign-out")

    assert signed_in(homeserver, alice, bob) == [False, True]
    assert bob.user_id in browser.get(browser.server.issuer).text


def test_c185_an_account_that_was_never_here_takes_nobody_with_it(homeserver, both, alice, bob):
    """A form that names a stranger's account signs nobody out."""
    browser, *_ = both
    end(browser)
    browser.submit(decision="sign-out", account=homeserver.new_user().user_id)

    assert signed_in(homeserver, alice, bob) == [True, True]


@pytest.mark.parametrize(
    "query",
    [
        {"post_logout_redirect_uri": "https://evil.example/"},
        {"post_logout_redirect_uri": f"{BYE}?more"},
        {"post_logout_redirect_uri": "//evil.example"},
        {"post_logout_redirect_uri": "javascript:alert(1)"},
        {"client_id": "another"},
    ],
)
def test_c194_nobody_is_sent_where_it_is_not_registered(homeserver, both, alice, bob, query):
    """Nor signed out: the client is mistaken, or is not who it says."""
    browser, alices, _bobs = both
    answer = end(browser, id_token_hint=alices, **query)

    assert_page(answer, "The application made a mistake", status=400)
    assert signed_in(homeserver, alice, bob) == [True, True]


def test_c194_where_nobody_is_signed_in_a_stranger_gets_a_link(server, client):
    """Anybody can register a client, and would have a redirector."""
    answer = end(Browser(server), client_id=client.id, post_logout_redirect_uri=BYE, state="s")

    assert_page(answer, "You are signed out", f'href="{BYE}?state=s#"', status=200)


@pytest.mark.parametrize("has_cookie", [False, True])
def test_c194_an_id_token_of_the_attacker_makes_no_redirector(server, both, has_cookie):
    """It proves that somebody was signed in somewhere; nobody was here, and nobody is signed out."""
    _browser, alices, _bobs = both
    stranger = Browser(server)
    if has_cookie:
        stranger.get(server.url("sign-in"))
    answer = end(stranger, id_token_hint=alices, post_logout_redirect_uri=BYE, state="s")

    assert_page(answer, "You are signed out", f'href="{BYE}?state=s#"', status=200)


def test_c194_nor_where_somebody_else_is_signed_in(homeserver, server, both):
    """There is a question, and they may stay."""
    _browser, alices, _bobs = both
    carol = homeserver.new_user()
    answer = end(Browser.of(server, carol), id_token_hint=alices, post_logout_redirect_uri=BYE)

    assert_page(answer, QUESTION, carol.user_id, status=200)
    assert signed_in(homeserver, carol) == [True]


def test_a_form_of_the_client_works_like_a_link(homeserver, server, both, alice, bob):
    """It comes without our cookie, so the browser asks once more; the token stays out of addresses."""
    browser, alices, _bobs = both
    form = {"id_token_hint": alices, "post_logout_redirect_uri": BYE, "state": "s"}
    answer = requests.post(server.url("end-session"), data=form, allow_redirects=False, timeout=30)

    assert_page(answer, "Continue to sign out", status=200)
    assert "Set-Cookie" not in answer.headers
    again = re.search(r'name="synapse_nextgen_auth_again" value="([^"]+)"', answer.text)[1]
    packed = {"synapse_nextgen_auth_again": again.replace("&#34;", '"')}
    posted = browser.http.post(
        server.url("end-session"), data=packed, allow_redirects=False, timeout=30
    )
    assert_sent(posted, BYE, state="s")
    assert signed_in(homeserver, alice, bob) == [False, True]


def test_a_form_without_a_token_becomes_a_link(server, client):
    """With all that it said."""
    form = {"client_id": client.id, "state": "s", "post_logout_redirect_uri": BYE}
    answer = requests.post(server.url("end-session"), data=form, allow_redirects=False, timeout=30)

    assert answer.status_code == 303
    assert answer.headers["Location"] == f"end-session?{urlencode(form)}"


def test_c185_our_question_is_a_form_of_this_browser(homeserver, both, alice, bob):
    """Another site can show it to nobody, and send it for nobody."""
    browser, *_ = both
    end(browser)
    csrf = re.search(r'name="csrf" value="([^"]+)"', browser.page.text)[1]
    for form in ({"decision": "sign-out-all"}, {"decision": "sign-out-all", "csrf": csrf[::-1]}):
        refused = browser.http.post(
            browser.server.url("sign-out"), data=form, allow_redirects=False, timeout=30
        )
        assert refused.status_code == 403

    assert signed_in(homeserver, alice, bob) == [True, True]


def test_a_configured_client_is_sent_back_too(start_homeserver):
    """By the addresses of its entry."""
    entry = {
        "client_id": "wiki",
        "client_name": "Wiki",
        "redirect_uris": ["https://wiki.example.net/cb"],
        "post_logout_redirect_uris": [BYE],
        "token_endpoint_auth_method": "none",
    }
    homeserver = start_homeserver(module={"clients": [entry]})
    browser = Browser.of(Server(homeserver.base_url), homeserver.new_user())
    end(browser, client_id="wiki", post_logout_redirect_uri=BYE)

    assert_sent(browser.submit(decision="sign-out"), BYE)


def test_a_configured_client_is_sent_back_where_nobody_is_signed_in(start_homeserver):
    """With an ID token: its person pressed "Sign out" there twice. Without one there is a link."""
    entry = {
        "client_id": "wiki",
        "client_secret": "a-secret-of-the-wiki",
        "redirect_uris": ["https://wiki.example.net/cb"],
        "post_logout_redirect_uris": [BYE],
        "token_endpoint_auth_method": "client_secret_post",
    }
    homeserver = start_homeserver(module={"clients": [entry]})
    server, user = Server(homeserver.base_url), homeserver.new_user()
    wiki = Client(server, entry)
    parameters, verifier = wiki.request(scope="openid")
    code = Browser(server).let_in(parameters, user.localpart, user.password)["code"]
    token = wiki.redeem(code, verifier, client_secret=entry["client_secret"]).json()["id_token"]

    assert_sent(end(Browser(server), id_token_hint=token, post_logout_redirect_uri=BYE), BYE)
    link = end(Browser(server), client_id="wiki", post_logout_redirect_uri=BYE)
    assert_page(link, "You are signed out", f'href="{BYE}#"', status=200)

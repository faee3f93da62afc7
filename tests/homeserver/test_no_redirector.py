"""No open redirector: whoever registers a client must not get people sent to a place of their choice
with nobody signed in (RFC 9700 section 4.11.2)."""  # noqa: D205, D209

import html
import json
import re
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from support.answers import (
    assert_offered,
    assert_page,
    assert_sent_back,
    offered,
    sent_back,
)
from support.oauth import Browser, web_client
from support.public import CALLBACK
from support.rows import unchanged
from synapse_nextgen_auth.web.asked import AGAIN

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]

APP = "com.example.client:/cb"
WRONG = [
    ({"prompt": "none"}, "login_required"),
    ({"scope": "no-such-scope"}, "invalid_scope"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"code_challenge": None}, "invalid_request"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"id_token_hint": "nonsense"}, "invalid_request"),
    ({"request": "e30.e30."}, "request_not_supported"),
]


def ask(server, parameters, http=requests, method="GET"):
    where = {"params" if method == "GET" else "data": parameters}
    return http.request(method, server.url("authorize"), allow_redirects=False, timeout=30, **where)


@pytest.fixture
def signed_in(homeserver, server):
    return Browser.of(server, homeserver.new_user())


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post", None])
@pytest.mark.parametrize(("wrong", "error"), WRONG, ids=lambda value: str(value)[:40])
def test_a_stranger_is_shown_the_error_and_the_way(homeserver, server, wrong, error, mode):
    """A page, 400, that names the host; its link or form carries the very answer, in that mode."""
    client = server.client()
    parameters, _ = client.request(response_mode=mode, **wrong)
    with unchanged(homeserver):
        answer = ask(server, parameters)

    assert_offered(answer, parameters, error)
    assert_page(answer, "Go to", "client.example.com")
    assert "<form" in answer.text if mode == "form_post" else "<form" not in answer.text
    assert "form_post.js" not in answer.text
    if mode == "fragment":
        assert f'href="{client.redirect_uri}#error=' in answer.text


def test_the_form_may_go_there(server):
    """By `form_post` the policy lets the form go to the client, and nowhere else."""
    parameters, _ = server.client().request(response_mode="form_post", prompt="none")
    policy = ask(server, parameters).headers["Content-Security-Policy"]

    assert "form-action 'self' https://client.example.com;" in policy


def test_an_app_is_named_by_its_scheme(server):
    """There is no host to name."""
    app = web_client(application_type="native", redirect_uris=[APP])
    parameters, _ = server.client(app).request(prompt="none")
    answer = ask(server, parameters)

    assert_offered(answer, parameters, "login_required")
    assert "Open the app com.example.client<" in answer.text
    assert f'href="{APP}?error=login_required' in answer.text


@pytest.mark.parametrize("who", ["cookie", "signed out", "ended", "elsewhere"])
def test_a_browser_in_which_nobody_is_signed_in_is_a_stranger(homeserver, server, who):
    """A cookie alone is nobody, and so is one whose person has left."""
    user = homeserver.new_user()
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    if who in {"signed out", "ended"}:
        browser.sign_in(user.localpart, user.password)
    if who == "signed out":
        browser.get(server.url(""))
        browser.submit()
    if who == "ended":
        homeserver.query(
            "UPDATE nextgen_browsers SET signed_in_at = 0 WHERE user_id = ?", user.user_id
        )
    if who == "elsewhere":
        Browser.of(server, user)
    parameters, _ = server.client().request(prompt="none")

    assert_offered(ask(server, parameters, browser.http), parameters, "login_required")


@pytest.mark.parametrize(("wrong", "error"), WRONG[1:], ids=lambda value: str(value)[:40])
def test_with_somebody_signed_in_the_client_is_told_at_once(server, signed_in, wrong, error):
    """As ever: they trust their own browser to go where clients send it."""
    parameters, _ = server.client().request(**wrong)

    assert_sent_back(ask(server, parameters, signed_in.http), parameters, error)


@pytest.mark.parametrize(("wrong", "error"), WRONG, ids=lambda value: str(value)[:40])
def test_a_client_that_the_operator_wrote_down_is_told_at_once(public_server, wrong, error):
    """Nobody else chose where it lives; single sign-on inside a company asks silently."""
    server = public_server
    parameters, _ = server.client().request(client_id="public", redirect_uri=CALLBACK, **wrong)

    assert_sent_back(ask(server, parameters), parameters, error)


def test_a_persons_own_no_goes_to_the_client(server):
    """Cancel on a page of ours is a decision, not a redirect that nobody asked for."""
    parameters, _ = server.client().request()
    browser = Browser(server)
    browser.authorize(parameters)

    assert_sent_back(browser.submit(decision="cancel"), parameters, "access_denied")


@pytest.mark.parametrize("wrong", [{"scope": "no-such-scope"}, {"prompt": "none"}])
def test_a_form_from_the_clients_site_is_asked_again_first(server, signed_in, wrong):
    """It comes without our cookie; with it, the client is told as after a link."""
    parameters, _ = server.client().request(**wrong)
    bare = ask(server, parameters, method="POST")
    assert bare.status_code == 303
    assert bare.headers["Location"].startswith("authorize?")
    location = server.url(bare.headers["Location"])

    stranger = requests.get(location, allow_redirects=False, timeout=30)
    somebody = signed_in.http.get(location, allow_redirects=False, timeout=30)
    assert "error" in offered(stranger, parameters["redirect_uri"])
    assert "error" in sent_back(somebody, parameters["redirect_uri"])


def test_nothing_of_the_client_runs_on_the_page(server):
    """Its name, its state and its mistakes are text (C198)."""
    evil = '"><svg onload=alert(1)>'
    client = server.client(web_client(client_name=evil))
    for mode in ("query", "form_post"):
        parameters, _ = client.request(state=evil, response_mode=mode, prompt=evil)
        answer = ask(server, parameters)

        assert "<svg onload" not in answer.text
        assert offered(answer, client.redirect_uri)["state"] == evil


# Long requests


HUGE = {"state": "\U0001f600" * 4096, "nonce": "n" * 2048, "login_hint": "h" * 2048}


def continued(server, page, http):
    """Press Continue on the page that asks again, as the browser's script does."""
    again = html.unescape(re.search(rf'name="{AGAIN}" value="([^"]*)"', page.text)[1])
    return http.post(
        server.url("authorize"),
        data={AGAIN: again},
        headers={"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        allow_redirects=False,
        timeout=30,
    )


def test_a_long_form_is_asked_again_by_a_form(homeserver, server, signed_in):
    """No address of ours becomes longer than a proxy reads, and whoever is signed in stays so."""
    parameters, _ = server.client().request(**HUGE)
    with unchanged(homeserver):
        page = ask(server, parameters, method="POST")
    answer = continued(server, page, signed_in.http)

    assert_page(page, "Continue to sign in", "form_post.js", status=200)
    assert "Set-Cookie" not in page.headers
    assert answer.headers["Location"].startswith("consent?grant=")
    assert "Set-Cookie" not in answer.headers
    grant = answer.headers["Location"].partition("=")[2]
    state = homeserver.query("SELECT state FROM nextgen_grants WHERE grant_id = ?", grant)
    assert state == [(HUGE["state"],)]


def test_an_id_token_in_a_form_comes_into_no_address(homeserver, server):
    """Histories and the logs of proxies keep addresses."""
    parameters, _ = server.client().request(id_token_hint="a.b.c")
    page = ask(server, parameters, method="POST")

    assert_page(page, "Continue to sign in", status=200)
    assert_offered(continued(server, page, requests), parameters, "invalid_request")


def test_a_long_form_of_a_stranger_begins_after_one_round(homeserver, server):
    """Once our own page asked there is no cookie to wait for; a foreign one cannot pretend."""
    parameters, _ = server.client().request(**HUGE)
    page = ask(server, parameters, method="POST")
    foreign = requests.post(
        server.url("authorize"),
        data={AGAIN: html.unescape(re.search(rf'name="{AGAIN}" value="([^"]*)"', page.text)[1])},
        headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        timeout=30,
    )
    begun = continued(server, page, requests)

    assert "Set-Cookie" not in foreign.headers
    assert begun.headers["Location"].startswith("sign-in?grant=")
    assert "Set-Cookie" in begun.headers


@pytest.mark.parametrize(
    "again",
    ["", "x", "[]", "{}", "7", '"x"', '{"state": 7}', '{"client_id": ["x"]}', '{"state": "\\u0000"}',
     '{"state": "\\ud800"}', "[" * 5000, '{"a": "b", "a": "c"}', '[["client_id", "x"]]'],
)  # fmt: skip
def test_whatever_stands_in_its_field_is_a_request_or_a_page(homeserver, server, again):
    """Anybody can write it; without a known client there is only a page (C011)."""
    with unchanged(homeserver):
        answer = requests.post(server.url("authorize"), data={AGAIN: again}, timeout=30)

    assert_page(answer)


@pytest.mark.parametrize("value", ["1", "true", "{", "[]"])
@pytest.mark.parametrize("name", ["again", AGAIN])
def test_a_parameter_that_we_do_not_know_is_ignored(server, name, value):
    """A client may have one of any name; what is no request of a page of ours is none (RFC 6749 3.1)."""
    parameters, _ = server.client().request(**{name: value})
    answer = ask(server, parameters, method="POST")

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("authorize?")


def test_beside_its_field_nothing_counts(server):
    """Not even a second client."""
    parameters, _ = server.client().request()
    form = {AGAIN: json.dumps(parameters), "client_id": "another"}
    answer = requests.post(
        server.url("authorize"), data=form, headers={"Sec-Fetch-Site": "same-origin"},
        allow_redirects=False, timeout=30,
    )  # fmt: skip

    assert answer.headers["Location"].startswith("sign-in?grant=")


@pytest.mark.parametrize("state", ["s" * 4096, "a\nb\r\n" + "%" * 4000, "\U0001f600" * 4096])
@pytest.mark.parametrize("mode", ["query", "fragment"])
def test_no_location_is_longer_than_a_proxy_reads(server, signed_in, state, mode):
    """A short answer is a redirect, a long one a page with a link; the state is whole in both."""
    parameters, _ = server.client().request(state=state, response_mode=mode)
    page = ask(server, parameters, method="POST", http=signed_in.http)
    signed_in.get(server.url(page.headers["Location"]))
    answer = signed_in.submit(decision="approve")

    assert all(len(value) < 8000 for value in answer.headers.values())
    if answer.status_code == 303:
        told = signed_in.answer(answer)
    else:
        assert_page(answer, "Back to the application", "way_back.js", status=200)
        told = link(answer, mode)
    assert told["state"] == state
    assert "code" in told


def link(page, mode):
    """Return what the link of a page carries."""
    url = re.search(r'<a class="button[^"]*" href="([^"]*)"', page.text)[1].replace("&amp;", "&")
    parts = urlsplit(url)
    encoded = parts.fragment if mode == "fragment" else parts.query
    return dict(parse_qsl(encoded, keep_blank_values=True))

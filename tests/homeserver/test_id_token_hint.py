"""`id_token_hint`: the client asks for one person, and gets nobody else (OpenID Connect Core 3.1.2)."""

import base64
import json
import re
from urllib.parse import urljoin

import pytest

from support.answers import assert_page, assert_sent_back, sent_back
from support.oauth import Browser, claims, web_client
from support.rows import unchanged

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]

ASKS_FOR = "The application asks for"
ANOTHER = "That is another account"


@pytest.fixture
def client(server):
    """Return a client whose consent is remembered, so that it may get a code silently."""
    return server.client(web_client(token_endpoint_auth_method="client_secret_post"))


def redeem(client, code, verifier):
    return client.redeem(code, verifier, client_secret=client.registered["client_secret"]).json()


def sign_in(client, browser, user):
    """Let the client in with `openid`; return the ID token."""
    parameters, verifier = client.request(scope="openid")
    code = browser.let_in(parameters, user.localpart, user.password)["code"]
    return redeem(client, code, verifier)["id_token"]


@pytest.fixture
def two(homeserver, server, client):
    """Return a browser with Bob signed in, Alice and Bob, and the ID token of each."""
    alice, bob = homeserver.new_user(), homeserver.new_user()
    alices = sign_in(client, Browser(server), alice)
    browser = Browser(server)
    return browser, alice, bob, alices, sign_in(client, browser, bob)


def test_silence_answers_for_the_right_person_only(homeserver, client, two):
    """Bob is signed in and agreed: a hint for Alice gets `login_required`, one for Bob his code."""
    browser, _alice, bob, alices, bobs = two
    wrong, _ = client.request(scope="openid", prompt="none", id_token_hint=alices)
    right, verifier = client.request(scope="openid", prompt="none", id_token_hint=bobs)
    with unchanged(homeserver):
        refused = browser.authorize(wrong)
    given = browser.authorize(right)

    assert_sent_back(refused, wrong, "login_required")
    code = sent_back(given, client.redirect_uri)["code"]
    assert claims(redeem(client, code, verifier)["id_token"])["sub"] == bob.user_id


def test_with_pages_that_person_is_asked_to_sign_in(client, two):
    """Their name is filled in, the page says who is meant, and afterwards the code is theirs."""
    browser, alice, _bob, alices, _bobs = two
    parameters, verifier = client.request(scope="openid", id_token_hint=alices)
    chooser = browser.authorize(parameters)
    asked = browser.submit(decision="another")

    assert_page(chooser, ASKS_FOR, alice.user_id, status=200)
    assert_page(asked, ASKS_FOR, alice.user_id, f'value="{alice.localpart}"', status=200)
    consent = browser.sign_in(alice.localpart, alice.password)
    if consent.status_code == 200:
        assert "Use another account" not in consent.text
        consent = browser.submit(decision="approve")
    code = browser.answer(consent)["code"]
    assert claims(redeem(client, code, verifier)["id_token"])["sub"] == alice.user_id


def test_another_person_gets_no_code_on_any_way(homeserver, client, two):
    """Not by signing in, nor by the consent page, its form, or another account there."""
    browser, alice, bob, alices, _bobs = two
    parameters, _ = client.request(scope="openid", id_token_hint=alices)
    asked = browser.authorize(parameters)
    consent = asked.url.replace("/accounts?", "/consent?")
    browser.submit(decision="another")
    with unchanged(homeserver):
        refused = browser.sign_in(bob.localpart, bob.password)
        around = browser.get(consent)
        csrf = re.search(r'name="csrf" value="([^"]+)"', around.text)[1]
        for decision in ("approve", "switch"):
            form = {"csrf": csrf, "decision": decision}
            posted = browser.http.post(consent, data=form, allow_redirects=False, timeout=30)
            assert posted.headers["Location"].startswith("accounts?grant=")
        form = {"csrf": csrf, "decision": bob.user_id}
        posted = browser.http.post(asked.url, data=form, allow_redirects=False, timeout=30)

    assert_page(refused, ANOTHER, alice.user_id, status=403)
    assert_page(around, ASKS_FOR, alice.user_id, status=200)
    assert browser.get(urljoin(asked.url, posted.headers["Location"])).url == asked.url
    told = assert_sent_back(browser.submit(decision="cancel"), parameters, "login_required")
    assert "code" not in told


def test_who_declines_on_the_sign_in_page_is_not_there_either(homeserver, server, client):
    """Where one account only is taken, it is that one which is missing."""
    alice = homeserver.new_user()
    hint = sign_in(client, Browser(server), alice)
    parameters, _ = client.request(scope="openid", id_token_hint=hint)
    browser = Browser(server)

    browser.authorize(parameters)
    told = assert_sent_back(browser.submit(decision="cancel"), parameters, "login_required")

    assert "code" not in told


def test_a_hint_and_a_fresh_sign_in_go_together(client, two):
    """With `prompt=login` the right person proves again who they are, and nobody else can."""
    browser, _alice, bob, _alices, bobs = two
    parameters, verifier = client.request(scope="openid", prompt="login", id_token_hint=bobs)
    asked = browser.authorize(parameters)

    assert_page(asked, "Confirm that it is you", bob.user_id, status=200)
    assert "Not you?" not in asked.text
    answer = browser.answer(browser.sign_in(bob.localpart, bob.password))
    assert claims(redeem(client, answer["code"], verifier)["id_token"])["sub"] == bob.user_id


def tampered(text):
    """Let Bob's token name somebody else."""
    header, payload, signature = text.split(".")
    body = json.loads(base64.urlsafe_b64decode(payload + "=="))
    body["sub"] = "@somebody:localhost"
    payload = base64.urlsafe_b64encode(json.dumps(body).encode()).rstrip(b"=").decode()
    return f"{header}.{payload}.{signature}"


@pytest.mark.parametrize("prompt", [None, "none", "login"])
@pytest.mark.parametrize(
    "spoil",
    [
        tampered,
        lambda text: text.rpartition(".")[0] + ".",
        lambda text: "nonsense" + text[:0],
        lambda text: text + "x" * 9000,
    ],
    ids=["tampered", "unsigned", "nonsense", "too-long"],
)
def test_a_hint_that_cannot_be_read_is_refused(homeserver, client, two, spoil, prompt):
    """Whoever is signed in might not be whom the client means, and nothing is begun."""
    browser, *_, bobs = two
    parameters, _ = client.request(scope="openid", prompt=prompt, id_token_hint=spoil(bobs))
    with unchanged(homeserver):
        answer = browser.authorize(parameters)

    assert_sent_back(answer, parameters, "invalid_request")


def of_a_retired_key(text):
    """Return the token as if its key had been replaced long ago: nobody knows that one any more."""
    header, payload, signature = text.split(".")
    named = json.loads(base64.urlsafe_b64decode(header + "=="))
    named["kid"] = "0" * 32
    header = base64.urlsafe_b64encode(json.dumps(named).encode()).rstrip(b"=").decode()
    return f"{header}.{payload}.{signature}"


def test_a_hint_whose_key_was_retired_asks_for_a_sign_in(homeserver, client, two):
    """Silence tells nothing about who is signed in, Bob himself included; with pages he signs in."""
    browser, _alice, bob, alices, bobs = two
    for token in (alices, bobs):
        silent, _ = client.request(
            scope="openid", prompt="none", id_token_hint=of_a_retired_key(token)
        )
        with unchanged(homeserver):
            answer = browser.authorize(silent)
        assert_sent_back(answer, silent, "login_required")
    parameters, verifier = client.request(scope="openid", id_token_hint=of_a_retired_key(bobs))
    asked = browser.authorize(parameters)

    assert_page(asked, "Confirm that it is you", bob.user_id, status=200)
    code = browser.answer(browser.sign_in(bob.localpart, bob.password))["code"]
    assert claims(redeem(client, code, verifier)["id_token"])["sub"] == bob.user_id


def test_the_token_of_another_client_is_no_hint(homeserver, server, two):
    """Else a client could ask about people whose tokens it was never given."""
    browser, *_, bobs = two
    other = server.client(web_client(client_name="Another"))
    parameters, _ = other.request(scope="openid", id_token_hint=bobs)
    with unchanged(homeserver):
        answer = browser.authorize(parameters)

    assert_sent_back(answer, parameters, "invalid_request")


def test_an_empty_hint_is_none(client, two):
    """Present but empty is absent (RFC 6749 section 3.1); two are one too many."""
    browser, _alice, _bob, _alices, bobs = two
    empty, _ = client.request(scope="openid", prompt="none", id_token_hint="")
    given = browser.authorize(empty)
    parameters, _ = client.request(scope="openid", prompt="none")
    twice = [*parameters.items(), ("id_token_hint", bobs), ("id_token_hint", bobs)]

    assert "code" in sent_back(given, client.redirect_uri)
    assert_sent_back(browser.authorize(twice), parameters, "invalid_request")

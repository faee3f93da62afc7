"""Sign-ins on their way: proven again by whoever is signed in, and never for another account."""

import re

import pytest

from support.oauth import Browser
from synapse_nextgen_auth.secret import digest, random_id

AGAIN = "Confirm that it is you"


@pytest.fixture
def alice(homeserver):
    return homeserver.register_user(f"a{random_id()[:8]}", "alice's own words")


@pytest.fixture
def bob(homeserver):
    return homeserver.register_user(f"b{random_id()[:8]}", "bob's own words")


@pytest.fixture
def browser(server, alice):
    return Browser.of(server, alice)


def rows(homeserver, browser):
    """Return the attempts of a browser: purpose, where to, whose, and whether they ended."""
    return homeserver.query(
        "SELECT purpose, onward, user_id, ended_at IS NOT NULL FROM nextgen_attempts"
        " WHERE browser = ? ORDER BY created_at, purpose DESC",
        digest(browser.cookie.partition(".")[0]),
    )


def test_a_look_at_the_sign_in_page_writes_nothing(homeserver, server):
    """There is an attempt once somebody does something for it."""
    browser = Browser(server)
    browser.authorize(server.client().request()[0])

    assert rows(homeserver, browser) == []


def test_a_password_sign_in_is_an_attempt_that_has_ended(homeserver, server, alice):
    """It says for what, and who."""
    browser = Browser(server)
    browser.authorize(server.client().request()[0])
    browser.sign_in(alice.localpart, "not the password")
    assert rows(homeserver, browser) == []
    browser.sign_in(alice.localpart, alice.password)

    assert rows(homeserver, browser) == [("sign_in", "grant", alice.user_id, True)]


@pytest.mark.parametrize("fresh", [{"prompt": "login"}, {"max_age": "0"}])
def test_who_is_signed_in_proves_it_again(homeserver, server, browser, alice, fresh):
    """The page names the account; the sign-in is the same one, with another secret."""
    before = browser.secret
    client = server.client()
    parameters, verifier = client.request(**fresh)
    page = browser.authorize(parameters)

    assert AGAIN in page.text
    assert alice.user_id in page.text
    assert "autofocus" in page.text
    code = browser.let_in(parameters, alice.localpart, alice.password)["code"]
    assert client.redeem(code, verifier).status_code == 200
    assert rows(homeserver, browser)[1:] == [("prove_again", "grant", alice.user_id, True)]
    assert browser.secret != before
    count = "SELECT COUNT(*) FROM nextgen_browsers WHERE user_id = ?"
    assert homeserver.query(count, alice.user_id) == [(1,)]


def test_c262_nobody_else_proves_it_for_them(server, browser, alice, bob):
    """Whatever name and password a form carries, it is the account that is signed in."""
    parameters, _ = server.client().request(prompt="login")
    browser.authorize(parameters)

    page = browser.sign_in(bob.localpart, bob.password)

    assert page.status_code == 403
    assert AGAIN in page.text
    assert alice.user_id in page.text
    assert bob.localpart not in page.text


def test_not_you_is_another_sign_in(server, browser, alice, bob):
    """The link on that page leads to the list, and to the form for anybody; Bob gets the code."""
    client = server.client()
    parameters, verifier = client.request(prompt="login")
    page = browser.authorize(parameters)
    link = re.search(r'href="(accounts\?[^"]*)"', page.text)
    browser.get(server.url(link[1].replace("&amp;", "&")))
    browser.submit(decision="another")
    browser.sign_in(bob.localpart, bob.password)
    code = browser.answer(browser.submit(decision="approve"))["code"]

    tokens = client.redeem(code, verifier).json()

    assert server.whoami(tokens["access_token"]).json()["user_id"] == bob.user_id


def test_c023_what_one_account_proved_is_no_other_ones(homeserver, server, browser, alice, bob):
    """Bob signs in freshly; Alice, who is signed in from before, cannot go on with that."""
    parameters, _ = server.client().request(prompt="login")
    page = browser.authorize(parameters)
    browser.get(f"{page.url}&account=another")
    consent = browser.sign_in(bob.localpart, bob.password)
    homeserver.query(
        "UPDATE nextgen_browsers SET ended_at = 1 WHERE digest = ?", digest(browser.secret)
    )

    page = browser.get(consent.url)

    assert "Which account?" in page.text
    assert "Confirm that it is you" in browser.submit(decision=alice.user_id).text


@pytest.mark.parametrize(
    "attempt_id", ["0" * 32, "x", "../consent", "//evil.example", "0" * 5000, "%00"]
)
def test_c261_an_attempt_that_is_not_there_leads_nowhere(server, browser, attempt_id):
    """A page that says so, and never an error of ours."""
    page = browser.get(server.url("sign-in"), params={"attempt": attempt_id})

    assert page.status_code == 400
    assert "Location" not in page.headers

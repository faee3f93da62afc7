"""Several accounts that are signed in in one browser."""

import re

import pytest

from support.oauth import Browser
from synapse_nextgen_auth.secret import digest


@pytest.fixture
def alice(homeserver):
    return homeserver.new_user()


@pytest.fixture
def bob(homeserver):
    return homeserver.new_user()


def sign_in(browser, user):
    """Sign one more account in to a browser."""
    browser.get(browser.server.url("sign-in"))
    page = browser.sign_in(user.localpart, user.password)
    assert page.status_code == 200, page.text


@pytest.fixture
def both(server, alice, bob):
    """Return a browser with two accounts, Bob's the present one."""
    browser = Browser.of(server, alice)
    sign_in(browser, bob)
    return browser


def whose(browser):
    """Return the account that a browser's pages are about, `None` without one."""
    page = browser.get(browser.server.issuer)
    found = re.search(r"@[a-z0-9]+:localhost", page.text)
    return found and found[0]


def press(browser, decision):
    """Press a button of the start page."""
    browser.get(browser.server.issuer)
    return browser.submit(decision=decision)


def test_whoever_signs_in_is_the_present_one(homeserver, both, alice, bob):
    """And the other one stays signed in."""
    assert whose(both) == bob.user_id
    rows = homeserver.query(
        "SELECT ended_at FROM nextgen_browsers WHERE user_id IN (?, ?)", alice.user_id, bob.user_id
    )
    assert rows == [(None,), (None,)]


def test_signing_out_of_one_leaves_the_other(both, alice, bob):
    """Who is the present one then; and then nobody."""
    press(both, "sign-out")
    assert whose(both) == alice.user_id
    press(both, "sign-out")
    assert whose(both) is None


def test_signing_out_of_all_leaves_nobody(homeserver, both, alice, bob):
    """In the database, too."""
    press(both, "sign-out-all")

    assert whose(both) is None
    for user in (alice, bob):
        ((ended_at,),) = homeserver.query(
            "SELECT ended_at FROM nextgen_browsers WHERE user_id = ?", user.user_id
        )
        assert ended_at is not None


def test_c190_one_that_is_over_is_not_replaced_by_the_next(homeserver, both, alice, bob):
    """A page that named one account must not be about another one all of a sudden."""
    homeserver.query(
        "UPDATE nextgen_browsers SET last_active_at = 0 WHERE digest = ?", digest(both.secret)
    )

    assert whose(both) is None


def test_c190_visits_keep_everybody_of_the_browser(homeserver, both, alice, bob):
    """Also an account that is only used when a client names it."""
    long_ago = "UPDATE nextgen_browsers SET last_active_at = last_active_at - 864000"
    for _ in range(3):
        homeserver.query(f"{long_ago} WHERE user_id IN (?, ?)", alice.user_id, bob.user_id)
        page = both.get(both.server.url("accounts"))

    assert alice.user_id in page.text
    assert bob.user_id in page.text


def test_signing_in_again_is_the_same_sign_in(homeserver, server, both, bob):
    """Its secret is another one, its id is not, and what it approved is good still."""
    client = server.client()
    parameters, verifier = client.request()
    code = both.let_in(parameters, bob.localpart, bob.password)["code"]
    before = both.secret
    sign_in(both, bob)

    assert both.secret != before
    assert client.redeem(code, verifier).status_code == 200
    rows = homeserver.query("SELECT digest FROM nextgen_browsers WHERE user_id = ?", bob.user_id)
    assert rows == [(digest(both.secret),)]


def test_a_cookie_from_before_there_were_several_is_good(server, alice, bob):
    """Its one value was the secret: the browser stays signed in, and takes in another account."""
    browser = Browser.of(server, alice)
    secret = browser.secret
    (cookie,) = browser.http.cookies
    cookie.value = secret

    assert whose(browser) == alice.user_id
    sign_in(browser, bob)
    assert browser.cookie.startswith(f"{secret}.")
    assert whose(browser) == bob.user_id
    press(browser, "sign-out")
    assert whose(browser) == alice.user_id


def test_a_code_ends_with_the_sign_in_that_gave_it_out(server, both, alice, bob):
    """And not with another one of the same browser."""
    client = server.client()
    pending = {}
    parameters, verifier = client.request()
    pending["bob"] = (both.let_in(parameters, bob.localpart, bob.password)["code"], verifier)
    parameters, verifier = client.request()
    both.authorize(parameters)
    both.submit(decision="switch")
    both.submit(decision="another")
    both.sign_in(alice.localpart, alice.password)
    pending["alice"] = (both.answer(both.submit(decision="approve"))["code"], verifier)
    press(both, "sign-out")  # Alice, who signed in last

    assert client.redeem(*pending["alice"]).json()["error"] == "invalid_grant"
    tokens = client.redeem(*pending["bob"]).json()
    assert server.whoami(tokens["access_token"]).json()["user_id"] == bob.user_id


def test_c190_a_locked_account_is_in_nobodys_way(homeserver, server, both, alice, bob):
    """The other one of the browser goes on."""
    press(both, "sign-out")
    sign_in(both, bob)
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    changed = server.api(
        "PUT", f"/_synapse/admin/v2/users/{alice.user_id}", admin, json={"locked": True}
    )
    assert changed.status_code == 200, changed.text

    assert whose(both) == bob.user_id
    assert both.get(server.url("account")).status_code == 200

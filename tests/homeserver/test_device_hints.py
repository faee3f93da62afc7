"""Whom a device means that asks for a code: `login_hint` and `id_token_hint` in its request."""

import pytest

from support.answers import assert_page
from support.oauth import API, DEVICE, Browser, device_id, web_client
from support.television import DEVICE_CODE

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]

QUESTION = "Is this your device?"


@pytest.fixture
def client(server):
    return server.client(
        web_client(grant_types=["authorization_code", "refresh_token", DEVICE_CODE])
    )


@pytest.fixture
def alice(homeserver):
    return homeserver.new_user()


@pytest.fixture
def bob(homeserver):
    return homeserver.new_user()


@pytest.fixture
def browser(server, alice):
    """Return a browser in which Alice is signed in."""
    return Browser.of(server, alice)


def begin(client, **asked):
    """Ask for codes as a device does; return what it is told."""
    form = {"client_id": client.id, "scope": f"{API} {DEVICE}{device_id()}", **asked}
    answer = client.server.post("device-authorization", form)
    assert answer.status_code == 200, answer.text
    return answer.json()


def enter(browser, codes):
    """Follow the link that the device shows, and press its button."""
    browser.get(codes["verification_uri_complete"])
    return browser.submit(user_code=codes["user_code"])


def whose(client, browser, codes):
    """Say yes; return whose tokens the device collects."""
    done = browser.submit(decision="approve", confirm="yes")
    assert done.status_code == 200, done.text
    polled = client.server.token(
        grant_type=DEVICE_CODE, device_code=codes["device_code"], client_id=client.id
    )
    assert polled.status_code == 200, polled.text
    return client.server.whoami(polled.json()["access_token"]).json()["user_id"]


def id_token_of(client, user):
    return client.sign_in(user.localpart, user.password, scope="openid")["id_token"]


@pytest.mark.parametrize("spelled", ["mxid:{0.user_id}", "{0.user_id}", "{0.localpart}"])
def test_a_hint_for_somebody_else_lets_the_person_choose(client, browser, alice, bob, spelled):
    """Whoever is signed in goes on, once they said so."""
    codes = begin(client, login_hint=spelled.format(bob))
    page = enter(browser, codes)

    assert_page(page, "Which account?", alice.user_id, bob.user_id, status=200)
    page = browser.submit(decision=alice.user_id)
    assert_page(page, QUESTION, alice.user_id, status=200)
    assert whose(client, browser, codes) == alice.user_id


def test_a_hint_for_somebody_else_lets_them_sign_in(client, browser, bob):
    """With the name filled in."""
    codes = begin(client, login_hint=f"mxid:{bob.user_id}")
    enter(browser, codes)
    form = browser.submit(decision="another")

    assert f'value="{bob.localpart}"' in form.text
    browser.sign_in(bob.localpart, bob.password)
    assert whose(client, browser, codes) == bob.user_id


def test_a_hint_for_who_is_signed_in_asks_at_once(client, browser, alice):
    """There is nothing to choose."""
    codes = begin(client, login_hint=alice.user_id)

    assert_page(enter(browser, codes), QUESTION, alice.user_id, status=200)


def test_c179_a_page_that_named_somebody_else_lets_nobody_in(client, browser, alice, bob):
    """The device gets nobody's account but the one that its person read."""
    browser.get(client.server.url("sign-in"))
    browser.sign_in(bob.localpart, bob.password)
    codes, other = begin(client), begin(client)
    of_bob = enter(browser, codes)
    assert bob.user_id in of_bob.text
    chooser = browser.submit(decision="switch").url
    browser.submit(decision=alice.user_id)
    enter(browser, other)
    browser.submit(decision="switch")
    browser.submit(decision=bob.user_id)
    assert chooser

    browser.page = of_bob
    again = browser.submit(decision="approve", confirm="yes")

    assert_page(again, QUESTION, "another account was chosen", alice.user_id, status=409)
    assert whose(client, browser, codes) == alice.user_id


HINTED = {"id token": lambda client, bob: {"id_token_hint": id_token_of(client, bob)},
          "name": lambda client, bob: {"login_hint": bob.user_id}}  # fmt: skip


def refused(client, codes):
    """Return what the device hears."""
    polled = client.server.token(
        grant_type=DEVICE_CODE, device_code=codes["device_code"], client_id=client.id
    )
    return polled.status_code, polled.json()["error"]


@pytest.mark.parametrize("hint", HINTED.values(), ids=HINTED)
@pytest.mark.parametrize("page", ["chooser", "sign-in"])
def test_a_device_that_asks_for_somebody_else_can_be_told_no(client, browser, bob, hint, page):
    """Whoever cannot be who it asks for, and never comes to the question, says no before it."""
    codes = begin(client, **hint(client, bob))
    shown = enter(browser, codes)
    if page == "sign-in":
        shown = browser.submit(decision="another")
    assert 'value="cancel"' in shown.text

    assert_page(browser.submit(decision="cancel"), "The device was turned away", status=200)
    assert refused(client, codes) == (400, "access_denied")
    browser.page = shown
    assert browser.submit(decision="cancel").status_code == 409


def test_where_nobody_is_signed_in_a_device_can_be_told_no(server, client):
    """Nobody has to sign in to turn it away."""
    codes, browser = begin(client), Browser(server)
    enter(browser, codes)

    assert_page(browser.submit(decision="cancel"), "The device was turned away", status=200)
    assert refused(client, codes) == (400, "access_denied")


def test_where_nobody_is_signed_in_the_name_is_filled_in(server, client, bob):
    """As for any other sign-in."""
    page = enter(Browser(server), begin(client, login_hint=bob.user_id))

    assert f'value="{bob.localpart}"' in page.text


def test_an_id_token_lets_in_that_account_or_none(client, browser, alice, bob):
    """Alice can neither be chosen nor sign in for it; Bob can."""
    codes = begin(client, id_token_hint=id_token_of(client, bob))
    page = enter(browser, codes)

    assert_page(page, "takes no other one", bob.user_id, status=200)
    assert "Which account?" in browser.submit(decision=alice.user_id).text
    browser.submit(decision="another")
    refused = browser.sign_in(alice.localpart, alice.password)
    assert_page(refused, "That is another account", status=403)
    page = browser.sign_in(bob.localpart, bob.password)
    assert_page(page, QUESTION, bob.user_id, status=200)
    assert "Use another account" not in page.text
    assert whose(client, browser, codes) == bob.user_id


def test_a_token_of_another_client_is_no_hint(server, client, bob):
    """Nor is anything else that we did not make for this client."""
    other = server.client(web_client(client_name="Another"))
    for token in (id_token_of(other, bob), "nonsense"):
        form = {"client_id": client.id, "scope": "openid", "id_token_hint": token}
        answer = server.post("device-authorization", form)

        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("hint", ["tel:+1", "x" * 5000, "mxid:@x:elsewhere.org"])
def test_a_hint_that_names_nobody_changes_nothing(client, browser, alice, hint):
    """The device gets its codes, and whoever is signed in is asked."""
    assert_page(enter(browser, begin(client, login_hint=hint)), QUESTION, alice.user_id, status=200)

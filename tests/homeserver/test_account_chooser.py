"""Choosing among the accounts of a browser, and hints that name one (OpenID Connect Core 3.1.2.1)."""

import re

import pytest

from support.answers import assert_page, assert_sent_back, sent_back
from support.oauth import Browser, web_client
from support.rows import unchanged

pytestmark = pytest.mark.one_database

WHICH = "Which account?"
ASKS_FOR = "Asked for by the application"


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


@pytest.fixture
def both(server, browser, bob):
    """Return a browser with two accounts, Bob's the present one."""
    browser.get(server.url("sign-in"))
    browser.sign_in(bob.localpart, bob.password)
    return browser


@pytest.fixture
def client(server):
    return server.client()


def let_in(browser, client, verifier, page):
    """Agree on the consent page; return whose tokens the client gets."""
    assert "Allow access" in page.text, page.text
    code = browser.answer(browser.submit(decision="approve"))["code"]
    tokens = client.redeem(code, verifier).json()
    return client.server.whoami(tokens["access_token"]).json()["user_id"]


def rows(page):
    """Return what can be chosen on a page, in that order."""
    return re.findall(r'<button class="row-link"[^>]*value="([^"]*)"', page.text)


def test_select_account_asks_whoever_is_signed_in(both, client, alice, bob):
    """The present one first; the choice holds for this grant, and for the pages after it."""
    parameters, verifier = client.request(prompt="select_account")
    page = both.authorize(parameters)

    assert WHICH in page.text
    assert rows(page) == [bob.user_id, alice.user_id, "another"]
    consent = both.submit(decision=alice.user_id)
    assert alice.user_id in consent.text
    assert let_in(both, client, verifier, consent) == alice.user_id
    assert alice.user_id in both.get(client.server.issuer).text


def test_select_account_of_nobody_is_a_sign_in(server, client, alice):
    """There is nothing to choose; whoever signs in is the chosen one."""
    browser = Browser(server)
    parameters, verifier = client.request(prompt="select_account")
    browser.authorize(parameters)

    assert let_in(browser, client, verifier, browser.sign_in(alice.localpart, alice.password)) == (
        alice.user_id
    )


def test_another_account_signs_in_for_it(browser, client, bob):
    """From the list to the form, and back to the consent."""
    parameters, verifier = client.request(prompt="select_account")
    browser.authorize(parameters)
    form = browser.submit(decision="another")

    assert 'name="password"' in form.text
    assert let_in(browser, client, verifier, browser.sign_in(bob.localpart, bob.password)) == (
        bob.user_id
    )


def test_c038_two_tabs_choose_differently(both, client, alice, bob):
    """Each grant keeps the account that was chosen for it."""
    (first, one), (second, two) = (client.request(prompt="select_account") for _ in range(2))
    both.authorize(first)
    of_alice = both.submit(decision=alice.user_id)
    both.authorize(second)
    of_bob = both.submit(decision=bob.user_id)

    assert let_in(both, client, one, both.get(of_alice.url)) == alice.user_id
    assert let_in(both, client, two, both.get(of_bob.url)) == bob.user_id


def test_c179_a_page_that_named_somebody_else_lets_nobody_in(homeserver, both, client, alice, bob):
    """The cookie is the same again, so the form works; but the grant is another account's meanwhile."""
    parameters, verifier = client.request(prompt="select_account")
    chooser = both.authorize(parameters).url
    of_bob = both.submit(decision=bob.user_id)
    both.get(chooser)
    both.submit(decision=alice.user_id)
    both.authorize(client.request(prompt="select_account")[0])
    both.submit(decision=bob.user_id)

    both.page = of_bob
    with unchanged(homeserver):
        again = both.submit(decision="approve")

    assert_page(again, "another account was chosen", alice.user_id, status=409)
    assert let_in(both, client, verifier, again) == alice.user_id


def test_c181_nobody_is_chosen_who_is_not_signed_in_here(both, client, homeserver):
    """A form that names somebody else leads to the sign-in page."""
    other = homeserver.new_user()
    parameters, _ = client.request(prompt="select_account")
    both.authorize(parameters)

    page = both.submit(decision=other.user_id)

    assert 'name="password"' in page.text
    assert other.user_id not in page.text


@pytest.mark.parametrize("decision", ["", "approve", "alice", "//evil.example"])
def test_c181_what_is_no_choice_is_refused(both, client, decision):
    """And the grant waits."""
    parameters, _ = client.request(prompt="select_account")
    both.authorize(parameters)

    assert both.submit(decision=decision).status_code == 400


def test_consent_names_the_account_and_leads_to_the_others(both, client, alice, bob):
    """So do all pages that name one."""
    parameters, verifier = client.request()
    consent = both.authorize(parameters)

    assert bob.user_id in consent.text
    page = both.submit(decision="switch")
    assert rows(page) == [bob.user_id, alice.user_id, "another"]
    assert let_in(both, client, verifier, both.submit(decision=alice.user_id)) == alice.user_id


def test_the_account_pages_are_about_the_chosen_one(server, both, alice, bob):
    """Switching is a form; the page that named the other one is over with it."""
    devices = both.get(server.url("account"))
    link = re.search(r'href="(accounts\?page=[^"]+)"', devices.text)[1].replace("&amp;", "&")
    both.get(server.url(link))
    page = both.submit(decision=alice.user_id)

    assert bob.user_id in devices.text
    assert page.url == devices.url
    assert alice.user_id in page.text


HINTS = {
    "mxid": "mxid:{0.user_id}".format,
    "bare id": "{0.user_id}".format,
    "localpart": "{0.localpart}".format,
}


@pytest.mark.parametrize("hint", HINTS.values(), ids=HINTS)
def test_a_hint_for_somebody_else_says_which_is_which(browser, client, alice, bob, hint):
    """Whoever is signed in may go on, or the other one signs in."""
    parameters, verifier = client.request(login_hint=hint(bob))
    page = browser.authorize(parameters)

    assert_page(page, WHICH, ASKS_FOR, alice.user_id, bob.user_id, status=200)
    assert rows(page) == ["another", alice.user_id, "another"]
    assert (
        let_in(browser, client, verifier, browser.submit(decision=alice.user_id)) == alice.user_id
    )


def test_a_hint_for_somebody_else_lets_them_sign_in(browser, client, bob):
    """With the name filled in."""
    parameters, verifier = client.request(login_hint=f"mxid:{bob.user_id}")
    browser.authorize(parameters)
    form = browser.submit(decision="another")

    assert f'value="{bob.localpart}"' in form.text
    assert let_in(browser, client, verifier, browser.sign_in(bob.localpart, bob.password)) == (
        bob.user_id
    )


@pytest.mark.parametrize("hint", HINTS.values(), ids=HINTS)
def test_a_hint_for_who_is_signed_in_is_followed(both, client, alice, hint):
    """Also where somebody else is the present one: the page names the account."""
    parameters, verifier = client.request(login_hint=hint(alice))
    page = both.authorize(parameters)

    assert let_in(both, client, verifier, page) == alice.user_id


SPELLED = {
    "scheme": lambda user: f"MXID:{user.user_id}",
    "id": lambda user: f"@{user.localpart.upper()}:localhost",
    "mxid": lambda user: f"Mxid:@{user.localpart.capitalize()}:localhost",
    "localpart": lambda user: user.localpart.upper(),
}


@pytest.mark.parametrize("hint", SPELLED.values(), ids=SPELLED)
def test_a_hint_is_followed_in_any_case(both, client, alice, hint):
    """As Synapse finds whoever signs in, and as schemes are compared (RFC 3986 section 3.1)."""
    parameters, verifier = client.request(login_hint=hint(alice))
    page = both.authorize(parameters)

    assert let_in(both, client, verifier, page) == alice.user_id


def test_a_hint_in_another_case_is_the_account_on_the_list(both, client, alice):
    """Whoever is signed in is marked, and nobody is asked to sign in as them."""
    hint = f"@{alice.localpart.upper()}:localhost"
    page = both.authorize(client.request(login_hint=hint, prompt="select_account")[0])

    assert "Asked for by the application" in page.text
    assert hint not in page.text


def test_a_hint_in_the_case_of_an_account_is_that_account(homeserver, browser, client, alice):
    """Old servers have accounts that differ by nothing else."""
    loud = f"@{alice.localpart.upper()}:localhost"
    homeserver.query(
        "INSERT INTO users (name, creation_ts, admin, is_guest, approved, deactivated)"
        " SELECT ?, creation_ts, admin, is_guest, approved, deactivated FROM users WHERE name = ?",
        loud,
        alice.user_id,
    )

    page = browser.authorize(client.request(login_hint=loud)[0])

    assert_page(page, WHICH, alice.user_id, loud, status=200)


@pytest.mark.parametrize("is_hers", [True, False])
def test_c029_an_address_is_compared_with_who_is_here_only(
    homeserver, browser, client, alice, bob, is_hers
):
    """Whose it is otherwise is not told: the same for an address of somebody and of nobody."""
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    address = f"{alice.localpart}@mail.example"
    owner = alice if is_hers else bob
    threepids = {"threepids": [{"medium": "email", "address": address}]}
    path = f"/_synapse/admin/v2/users/{owner.user_id}"
    assert client.server.api("PUT", path, admin, json=threepids).status_code == 200
    parameters, _ = client.request(login_hint=f"mailto:{address.capitalize()}")

    page = browser.authorize(parameters)

    assert ("Allow access" in page.text) is is_hers
    assert (WHICH in page.text) is not is_hers
    assert bob.user_id not in page.text


@pytest.mark.parametrize("hint", ["tel:+1", "mxid:@x:elsewhere.org", "Alice Liddell", "mxid:"])
def test_a_hint_that_names_nobody_changes_nothing(browser, client, alice, hint):
    """As if there were none."""
    parameters, _ = client.request(login_hint=hint)

    assert alice.user_id in browser.authorize(parameters).text


def test_declining_tells_the_client_no(both, client):
    """From the list, too."""
    parameters, _ = client.request(prompt="select_account")
    both.authorize(parameters)

    assert_sent_back(both.submit(decision="cancel"), parameters, "access_denied")


@pytest.fixture
def known(server, both, alice, bob):
    """Return a client that both accounts agreed to, so that it may get codes silently."""
    client = server.client(web_client(token_endpoint_auth_method="client_secret_post"))
    for user in (alice, bob):
        parameters, _ = client.request(scope="openid", login_hint=user.user_id)
        both.let_in(parameters, user.localpart, user.password)
    return client


def test_silence_cannot_choose(homeserver, both, known):
    """With several accounts and no hint (OpenID Connect Core section 3.1.2.6)."""
    silent, _ = known.request(scope="openid", prompt="none")
    with unchanged(homeserver):
        answer = both.authorize(silent)

    assert_sent_back(answer, silent, "account_selection_required")


def test_silence_follows_a_hint(homeserver, both, known, alice):
    """To whoever of them is meant, and to nobody else."""
    for_alice, _ = known.request(scope="openid", prompt="none", login_hint=alice.user_id)
    for_nobody, _ = known.request(
        scope="openid", prompt="none", login_hint=homeserver.new_user().user_id
    )
    with unchanged(homeserver):
        refused = both.authorize(for_nobody)
    given = both.authorize(for_alice)

    assert_sent_back(refused, for_nobody, "login_required")
    assert sent_back(given, known.redirect_uri)["code"]


@pytest.fixture
def address(homeserver, alice):
    """Return the e-mail address of Alice's account."""
    address = f"{alice.localpart}@example.com"
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        alice.user_id,
        address,
    )
    return address


@pytest.mark.parametrize("method", ["none", "client_secret_post"])
@pytest.mark.parametrize("several", [False, True])
def test_c029_silence_tells_no_stranger_who_is_signed_in(
    homeserver, browser, alice, address, method, several
):
    """By its id, its name or its address: a client that nobody here agreed to hears the same of all."""
    bob = homeserver.new_user()
    if several:
        browser.get(browser.server.url("sign-in?account=another"))
        browser.sign_in(bob.localpart, bob.password)
    client = browser.server.client(web_client(token_endpoint_auth_method=method))
    absent = homeserver.new_user()
    hints = [
        *(f"mxid:{alice.user_id}", alice.user_id, alice.localpart, address, f"mailto:{address}"),
        *(f"mxid:{absent.user_id}", absent.user_id, absent.localpart, "absent@example.com"),
        *(bob.user_id, "nobody"),
    ]
    for hint in hints:
        silent, _ = client.request(scope="openid", prompt="none", login_hint=hint)
        with unchanged(homeserver):
            answer = browser.authorize(silent)
        assert_sent_back(answer, silent, "login_required")


def test_c029_who_agreed_does_not_tell_of_the_others(homeserver, both, server, alice, bob):
    """Bob let the client in; whether Alice is here is still none of its business."""
    client = server.client(web_client(token_endpoint_auth_method="client_secret_post"))
    parameters, _ = client.request(scope="openid", login_hint=bob.user_id)
    both.let_in(parameters, bob.localpart, bob.password)

    for user in (alice, homeserver.new_user()):
        silent, _ = client.request(scope="openid", prompt="none", login_hint=user.user_id)
        assert_sent_back(both.authorize(silent), silent, "login_required")
    silent, _ = client.request(scope="openid", prompt="none", login_hint=bob.user_id)
    assert sent_back(both.authorize(silent), client.redirect_uri)["code"]

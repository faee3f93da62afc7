"""What other modules ask for is asked whichever way somebody comes, and for whatever they came."""

import itertools
import re
from urllib.parse import urlencode

import pytest
import requests

from support.commands import Operator
from support.extenders import PATH
from support.oauth import Browser, Server
from support.providers.journey import agree, begin, choose, whoami
from support.providers.person import Person
from support.smtp import SECRET
from synapse_nextgen_auth.secret import Keyring

pytestmark = pytest.mark.newest_only

V3 = "/_matrix/client/v3"
PASSWORD = "seven brave otters juggle"
TERMS = "org.example.terms"
_numbers = itertools.count()


@pytest.fixture
def homeserver(extended):
    return extended


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def say(homeserver):
    """Return a function that lets the human say something of an attempt or account."""
    return lambda **said: requests.post(homeserver.base_url + PATH, json=said, timeout=30).json()


@pytest.fixture
def name():
    """Return the name of an account of which a human is asked."""
    return f"human-{next(_numbers)}-everywhere"


@pytest.fixture
def user(homeserver, name):
    return homeserver.register_user(name)


def answer_terms(browser):
    assert "/stage?attempt=" in browser.page.url, (browser.page.url, browser.page.text)
    return browser.submit(field_accept="yes", stage=TERMS, decision="continue")


def answer_human(browser, say, said="yes"):
    assert "first&lt;/b&gt;" in browser.page.text, browser.page.text
    say(**{browser.page.url.partition("attempt=")[2]: said})
    return browser.submit(stage="human", decision="continue")


def is_signed_in(server, browser):
    page = browser.http.get(server.url("account-data"), timeout=30, allow_redirects=False)
    return page.status_code == 200


def purposes(say, name):
    return {purpose for user_id, purpose in say()["asked"] if user_id == f"@{name}:localhost"}


def by_code(homeserver, server, user, mailbox):
    """Come with the code of a mail; the account has nothing else that opens it."""
    address = f"{user.localpart}@example.com"
    homeserver.query("UPDATE users SET password_hash = NULL WHERE name = ?", user.user_id)
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        *(user.user_id, address),
    )
    browser = Browser(server)
    browser.get(server.url("sign-in-email"))
    browser.submit(email=address, decision="send")
    browser.submit(code=mailbox.last_to(address).code, decision="check")
    return browser


def by_link(homeserver, server, user, _):
    """Come with a link that sets a password."""
    operator = Operator(homeserver.base_url, Keyring.of(SECRET.encode()))
    browser = Browser(server)
    browser.get(operator.ask("set-password-link", user=user.user_id)["url"])
    browser.submit(password=PASSWORD, sign_out="yes", decision="set")
    return browser


def by_password(_, server, user, __):
    browser = Browser(server)
    browser.get(server.url("sign-in"))
    browser.submit(identifier=user.localpart, password=user.password, decision="sign-in")
    return browser


WAYS = {
    "code": (by_code, "sign_in"),
    "link": (by_link, "recover"),
    "password": (by_password, "sign_in"),
}


@pytest.mark.parametrize("way", WAYS)
def test_c021_however_somebody_proves_who_they_are(homeserver, server, mailbox, say, user, way):
    """They are signed in once both modules have their answer, and not before."""
    come, purpose = WAYS[way]
    browser = come(homeserver, server, user, mailbox)
    before = is_signed_in(server, browser)
    answer_terms(browser)
    between = is_signed_in(server, browser)
    answer_human(browser, say)

    assert (before, between) == (False, False)
    assert is_signed_in(server, browser)
    assert purposes(say, user.localpart) == {purpose}


def test_c021_a_new_account_is_asked_before_it_is_signed_in(homeserver, server, say, name):
    """It is there already; whoever goes away then is asked when they come back."""
    client, browser = server.client(), Browser(server)
    browser.authorize(client.request(prompt="create")[0])
    browser.submit(username=name, password=PASSWORD, display_name="", decision="create")
    if "/register-email" in browser.page.url:
        browser.submit(decision="skip")
    answer_terms(browser)
    between = is_signed_in(server, browser)
    again = Browser(server)
    again.get(server.url("sign-in"))
    again.submit(identifier=name, password=PASSWORD, decision="sign-in")
    asked_again = again.page.text
    answer_human(browser, say)

    assert not between
    assert "first&lt;/b&gt;" in asked_again
    assert not is_signed_in(server, again)
    assert "/consent?grant=" in browser.page.url
    assert purposes(say, name) == {"sign_up", "sign_in"}


@pytest.mark.parametrize("provider", ["oidc-silent", "oidc-picks"])
def test_c021_whoever_comes_by_a_provider_is_asked_at_each_sign_in(
    homeserver, server, liar, say, name, provider
):
    """With the account that it makes, by itself or on our page, and with one that is there.

    A no ends it.
    """
    liar.says(name)
    newcomer = Person(name)
    begin(server, newcomer)
    newcomer.get(choose(newcomer, provider))
    if provider == "oidc-picks":
        newcomer.submit(username=name, decision="create")
    answer_terms(newcomer)
    answer_human(newcomer, say, "no")
    refused = newcomer.page
    # As if they came back a minute later.
    homeserver.query(
        "UPDATE users SET creation_ts = creation_ts - 60 WHERE name = ?", f"@{name}:localhost"
    )
    person = Person(name)
    client, verifier = begin(server, person)
    person.get(choose(person, provider))
    before = is_signed_in(server, person)
    answer_human(person, say)
    tokens = agree(server, person, client, verifier)

    assert refused.status_code == 403
    assert "Somebody said &lt;no&gt;." in refused.text
    assert not is_signed_in(server, newcomer)
    assert not before
    assert whoami(server, tokens) == f"@{name}:localhost"
    assert purposes(say, name) == {"sign_up", "sign_in"}


def test_c021_nobody_approves_anything_before_they_were_asked(homeserver, server, say, user):
    """The page of an app's request comes after the sign-in, and with it after the modules."""
    signed_in = by_password(homeserver, server, user, None)
    answer_terms(signed_in)
    answer_human(signed_in, say)
    client = server.client()
    parameters, verifier = client.request()
    signed_in.authorize(parameters)
    code = signed_in.answer(signed_in.submit(decision="approve"))["code"]
    token = client.redeem(code, verifier).json()["access_token"]
    doomed = homeserver.login(user)["device_id"]

    def ask(**body):
        return server.api("DELETE", f"{V3}/devices/{doomed}", token, json=body)

    challenge = ask().json()
    browser = Browser(server)
    browser.get(challenge["params"]["m.login.sso"]["url"])
    csrf = re.search(r'name="csrf" value="([^"]+)"', browser.page.text)[1]
    browser.sign_in(user.localpart, user.password)
    asked = browser.page
    forced = browser.http.post(
        challenge["params"]["m.login.sso"]["url"],
        data={"csrf": csrf, "decision": "approve"},
        allow_redirects=False,
        timeout=30,
    )
    early = ask(auth={"session": challenge["session"]})
    answer_human(browser, say)
    page = browser.page
    browser.submit(decision="approve")
    done = ask(auth={"session": challenge["session"]})

    assert "/stage?attempt=" in asked.url
    assert forced.status_code in {303, 403}
    assert early.status_code == 401
    assert "/approve?" in page.url
    assert done.status_code == 200, done.text


def test_c021_an_older_client_gets_no_token_before_its_person_was_asked(
    homeserver, server, say, user
):
    """By its browser: whoever types a password into it is asked nothing, as the page says."""
    browser = Browser(server)
    query = urlencode({"redirectUrl": "https://client.example/back"})
    browser.get(f"{server.base_url}{V3}/login/sso/redirect?{query}")
    browser.submit(identifier=user.localpart, password=user.password, decision="sign-in")
    answer_terms(browser)
    between = browser.page.text
    answer_human(browser, say)
    browser.submit(decision="approve")

    assert "loginToken" not in between
    assert "loginToken=" in browser.page.headers["Location"]

"""Signing up in the browser: the first page, the terms, and straight on to the application."""

import html
import itertools
import json
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from support import newcomers, usher
from support.oauth import Browser, Server
from support.synapse import Homeserver
from support.waiting import eventually

pytestmark = [pytest.mark.one_database]

PASSWORD = "seven brave otters juggle"
OPEN = {"enable_registration": True, "enable_registration_without_verification": True}
BRIDGE = {
    "id": "bridge",
    "url": None,
    "as_token": "the token of a bridge",
    "hs_token": "the token of its homeserver",
    "sender_localpart": "bridgebot",
    "namespaces": {"users": [{"exclusive": True, "regex": "@bridged_.*"}]},
}
_names = itertools.count()


def a_name():
    """Return a name that nobody has."""
    return f"newcomer{next(_names)}"


@pytest.fixture(scope="module")
def open_homeserver(tmp_path_factory, make_database):
    """Yield a homeserver on which people make accounts with a name and a password."""
    directory = tmp_path_factory.mktemp("homeserver-open")
    bridge = directory / "bridge.yaml"
    bridge.write_text(json.dumps(BRIDGE))
    config = {**OPEN, "app_service_config_files": [str(bridge)]}
    with Homeserver(directory, make_database("sqlite", directory), config=config) as homeserver:
        yield homeserver


@pytest.fixture
def server(open_homeserver):
    return Server(open_homeserver.base_url)


@pytest.fixture
def browser(server):
    return Browser(server)


def sign_up(browser, name, *, password=PASSWORD, **fields):
    """Fill in the first page and send it."""
    return browser.submit(
        username=name, password=password, decision="create", **{"display_name": "", **fields}
    )


def to_the_page(browser, **changes):
    """Come to the first page for a client; return what the client needs to go on."""
    client = browser.server.client()
    parameters, verifier = client.request(**{"prompt": "create", **changes})
    browser.authorize(parameters)
    return client, verifier, parameters


def test_a_name_and_a_password_lead_straight_on_to_the_client(open_homeserver, browser):
    """The account is there, the person is signed in, and agrees once more to let the client in."""
    name = a_name()
    client, verifier, parameters = to_the_page(browser)
    page = sign_up(browser, name)
    assert "/consent?" in page.url
    answer = browser.answer(browser.submit(decision="approve"))
    tokens = client.redeem(answer["code"], verifier, redirect_uri=parameters["redirect_uri"]).json()

    who = browser.server.whoami(tokens["access_token"]).json()

    assert who["user_id"] == f"@{name}:{open_homeserver.server_name}"
    assert Browser(browser.server).get(browser.server.url("sign-in")).status_code == 200
    again = Browser(browser.server)
    again.get(browser.server.url("sign-in"))
    assert again.sign_in(name, PASSWORD).status_code == 200
    ended = open_homeserver.query(
        "SELECT proofs, ended_at IS NOT NULL FROM nextgen_attempts WHERE purpose = 'sign_up'"
        " AND user_id = ?",
        who["user_id"],
    )
    assert [(bool(re.search('"password"', proofs)), done) for proofs, done in ended] == [
        (True, True)
    ]


def test_whoever_signs_up_for_a_link_to_another_account_is_told(open_homeserver, browser):
    """The link means somebody who has an account: the new one does not get its page without a word."""
    meant, name = open_homeserver.new_user(), a_name()
    query = urlencode({"page": "account-profile", "hint": meant.user_id})
    browser.get(browser.server.url(f"register?{query}"))
    page = sign_up(browser, name)
    chosen = browser.submit(decision=f"@{name}:{open_homeserver.server_name}")

    assert "Which account?" in page.text
    assert meant.user_id in page.text.replace("<wbr>", "")
    assert chosen.url.endswith("/account-profile")
    # Sealed: it may be somebody's address.
    kept = "SELECT attempt_id FROM nextgen_attempts WHERE answers LIKE ?"
    assert open_homeserver.query(kept, f"%{meant.localpart}%") == []


def test_what_is_missing_is_said_at_once_and_nothing_is_begun(open_homeserver, browser):
    """Every field that wants another look, with a link to it."""
    taken = open_homeserver.new_user()
    browser.get(browser.server.url("register"))
    page = sign_up(browser, taken.localpart, password="")

    assert page.status_code == 400
    assert "That username is taken." in page.text
    assert "Choose another password." in page.text
    assert 'href="#username"' in page.text
    assert open_homeserver.query(
        "SELECT COUNT(*) FROM ui_auth_sessions WHERE clientdict LIKE ?", f"%{taken.localpart}%"
    ) == [(0,)]


def test_clients_are_told_that_people_sign_up_here_and_lead_them_there(server, browser):
    """Initiating User Registration via OpenID Connect 1.0; MSC2964."""
    to_the_page(browser)

    assert "create" in server.metadata()["prompt_values_supported"]
    assert "/register?grant=" in browser.page.url
    assert "<h1>Create an account</h1>" in browser.page.text


def test_a_new_account_is_wanted_whoever_is_signed_in(open_homeserver, server):
    """Nobody is asked to choose among those who are there; the new one goes on, and they stay."""
    user, name = open_homeserver.new_user(), a_name()
    browser = Browser.of(server, user)
    to_the_page(browser)
    page = sign_up(browser, name)

    assert f"@{name}:" in re.sub("<[^>]+>", "", page.text)
    assert "/consent?" in page.url
    assert user.user_id in browser.get(server.url("accounts")).text


def test_whoever_has_an_account_goes_on_with_it_for_the_same_client(open_homeserver, browser):
    """The link on the page keeps the grant."""
    user = open_homeserver.new_user()
    client, verifier, parameters = to_the_page(browser)
    (link,) = re.findall(r'<a href="(sign-in[^"]+)"', browser.page.text)
    browser.get(browser.server.url(link))
    browser.sign_in(user.localpart, user.password)
    answer = browser.answer(browser.submit(decision="approve"))

    assert client.redeem(answer["code"], verifier, redirect_uri=parameters["redirect_uri"]).ok


def test_a_client_hears_of_somebody_who_goes_no_further(browser):
    """On the first page, where there is no attempt yet."""
    to_the_page(browser)

    assert browser.answer(browser.submit(decision="cancel"))["error"] == "access_denied"


def test_the_way_to_an_account_stands_on_the_sign_in_page_and_the_start_page(server, browser):
    """Where anybody gets one."""
    browser.authorize(server.client().request()[0])
    (grant,) = re.findall(r"grant=([0-9a-f]+)", browser.page.url)

    assert f'href="register?grant={grant}"' in browser.page.text
    assert 'href="register"' in browser.get(server.url("")).text


def test_where_nobody_gets_an_account_the_page_says_so(homeserver):
    """And clients are not told that anybody does; who comes all the same may sign in."""
    server = Server(homeserver.base_url)
    browser = Browser(server)
    to_the_page(browser)

    assert "create" not in server.metadata()["prompt_values_supported"]
    assert "<h1>No new accounts here</h1>" in browser.page.text
    assert "takes no new accounts now" in browser.page.text
    assert "homeserver.yaml" not in browser.page.text
    assert "For the people who run" not in browser.page.text
    assert 'href="sign-in?grant=' in browser.page.text
    assert 'name="password"' not in browser.page.text
    assert 'href="register' not in browser.get(server.url("sign-in")).text
    assert browser.answer(to_the_page(browser) and browser.submit(decision="cancel")) is not None


TERMS = {
    "user_consent": {
        "version": "1.0",
        "template_dir": "",
        "require_at_registration": True,
        "policy_name": "Privacy policy",
    },
}
QUICK = {"per_second": 1000, "burst_count": 1000}


@pytest.fixture(scope="module")
def strict_homeserver(tmp_path_factory, make_database):
    """Yield a homeserver that asks new people for a token and for the terms, and a module about them."""
    directory = tmp_path_factory.mktemp("homeserver-strict")
    terms = {**TERMS["user_consent"], "template_dir": str(directory / "terms")}
    (directory / "terms" / "en").mkdir(parents=True)
    for name in ("1.0", "success"):
        (directory / "terms" / "en" / f"{name}.html").write_text("<h1>Be kind</h1>")
    config = {
        "enable_registration": True,
        "registration_requires_token": True,
        "rc_registration": QUICK,
        "rc_registration_token_validity": QUICK,
        "user_consent": terms,
        "form_secret": "a secret for the links to the terms",
    }
    homeserver = Homeserver(directory, make_database("postgres", directory), config=config)
    usher.copy_to(homeserver)
    usher.order(homeserver)
    with homeserver:
        yield homeserver


@pytest.fixture
def strict(strict_homeserver):
    usher.order(strict_homeserver)
    return Browser(Server(strict_homeserver.base_url))


@pytest.fixture
def token(strict_homeserver):
    """Return a registration token for one account."""
    name = a_name()
    strict_homeserver.query(
        "INSERT INTO registration_tokens (token, uses_allowed, pending, completed) VALUES (?, 1, 0, 0)",
        name,
    )
    return name


def counts(homeserver, token):
    """Return how often a token is pending, and how often it was used."""
    return homeserver.query(
        "SELECT pending, completed FROM registration_tokens WHERE token = ?", token
    )[0]


def accept(browser):
    (version,) = re.findall(r'name="accept_terms" value="([^"]+)"', browser.page.text)
    return browser.submit(accept_terms=version, decision="continue")


def test_token_and_terms_are_asked_and_kept_as_register_keeps_them(
    strict_homeserver, strict, token
):
    """Two pages, each with its number; the version of the terms stands with the account."""
    name = a_name()
    to_the_page(strict)
    assert "Step 1 of 2" in strict.page.text
    page = sign_up(strict, name, token=token)
    assert "Step 2 of 2" in page.text
    assert counts(strict_homeserver, token) == (1, 0)
    assert "<bdi>Privacy policy</bdi></a>" in strict.page.text  # as the operator calls them
    assert "Accept the terms" in strict.submit(decision="continue").text
    page = accept(strict)

    user_id = f"@{name}:{strict_homeserver.server_name}"
    assert "/consent?" in page.url
    assert counts(strict_homeserver, token) == (0, 1)
    assert strict_homeserver.query("SELECT consent_version FROM users WHERE name = ?", user_id) == [
        ("1.0",)
    ]
    assert strict_homeserver.query("SELECT COUNT(*) FROM nextgen_token_holds") == [(0,)]


def test_modules_are_asked_once_each_as_register_asks_them(strict_homeserver, strict, token):
    """With the stages that were completed, and the name; the one about spam inside of Synapse."""
    name = a_name()
    strict.get(strict.server.url("register"))
    sign_up(strict, name, token=token)
    assert usher.asked(strict_homeserver) == []
    accept(strict)

    # As of a client that goes through the flow without an address.
    kinds = ("registration_token", "terms", "dummy")
    results = {f"m.login.{kind}": token if kind == kinds[0] else True for kind in kinds}
    said = usher.asked(strict_homeserver)
    assert said[0] == ["username", results, {"username": name}]
    assert said[1] == ["display_name", results, {"username": name}]
    assert said[2][:3] == ["spam", None, name]
    assert [address for _agent, address in said[2][3]] == ["127.0.0.1"]
    assert len(said) == 3


def test_a_module_may_give_another_name(strict_homeserver, strict, token):
    """`get_username_for_registration` and `get_displayname_for_registration` win."""
    name = a_name()
    usher.order(strict_homeserver, username=f"{name}.corp", display_name="Somebody")
    strict.get(strict.server.url("register"))
    sign_up(strict, name, token=token, display_name="Me")
    accept(strict)

    assert strict_homeserver.query(
        "SELECT displayname FROM profiles WHERE user_id = ?", f"{name}.corp"
    ) == [("Somebody",)]


def test_what_somebody_wants_to_be_called_is_their_display_name(strict_homeserver, strict, token):
    name = a_name()
    strict.get(strict.server.url("register"))
    sign_up(strict, name, token=token, display_name="Nora Neu")
    accept(strict)

    assert strict_homeserver.query("SELECT displayname FROM profiles WHERE user_id = ?", name) == [
        ("Nora Neu",)
    ]


@pytest.mark.parametrize("verdict", ["DENY", "SHADOW_BAN"])
def test_a_module_that_says_no_is_not_named(strict_homeserver, strict, token, verdict):
    """No reason and no time to wait; whoever is only shadow-banned sees what everybody sees."""
    name = a_name()
    usher.order(strict_homeserver, spam=verdict)
    to_the_page(strict)
    sign_up(strict, name, token=token)
    page = accept(strict)

    if verdict == "SHADOW_BAN":
        assert "/consent?" in page.url
        return
    assert page.status_code == 403
    assert "did not accept the sign-up" in page.text
    assert "Retry-After" not in page.headers
    assert name in page.text
    assert counts(strict_homeserver, token) == (1, 0)
    usher.order(strict_homeserver)
    assert "/consent?" in strict.submit(username=name, decision="create", display_name="").url
    assert counts(strict_homeserver, token) == (0, 1)


def test_a_name_that_was_taken_between_two_pages_is_chosen_anew(strict_homeserver, strict, token):
    """The password, the token and the terms stay."""
    name, another = a_name(), a_name()
    to_the_page(strict)
    sign_up(strict, name, token=token)
    strict_homeserver.register_user(name)
    page = accept(strict)
    assert page.status_code == 400
    assert "That username is taken." in page.text
    page = strict.submit(username=another, decision="create", display_name="")

    assert "/consent?" in page.url
    fresh = Browser(strict.server)
    fresh.get(strict.server.url("sign-in"))
    assert fresh.sign_in(another, PASSWORD).status_code == 200
    assert usher.asked(strict_homeserver)[-1][2] == another


def test_a_token_that_is_used_up_is_said_and_another_one_taken(strict_homeserver, strict, token):
    """Somebody else was faster; nothing is begun for whoever gives a wrong one."""
    strict_homeserver.query("UPDATE registration_tokens SET completed = 1 WHERE token = ?", token)
    strict.get(strict.server.url("register"))
    page = sign_up(strict, a_name(), token=token)

    assert page.status_code == 400
    assert "This registration token cannot be used" in page.text
    assert strict_homeserver.query("SELECT COUNT(*) FROM nextgen_token_holds") == [(0,)]
    strict_homeserver.query(
        "UPDATE registration_tokens SET uses_allowed = 2 WHERE token = ?", token
    )
    assert "Step 2 of 2" in sign_up(strict, a_name(), token=token).text


def test_a_token_that_was_deleted_between_two_pages_is_asked_for_again(
    strict_homeserver, strict, token
):
    """At the end; another one goes on with the same attempt, without the terms once more."""
    name, another = a_name(), a_name()
    strict_homeserver.query(
        "INSERT INTO registration_tokens (token, uses_allowed, pending, completed) VALUES (?, 1, 0, 0)",
        another,
    )
    to_the_page(strict)
    sign_up(strict, name, token=token)
    strict_homeserver.query("DELETE FROM registration_tokens WHERE token = ?", token)
    page = accept(strict)
    assert "This registration token cannot be used" in page.text
    page = strict.submit(username=name, token=another, decision="create", display_name="")

    assert "/consent?" in page.url
    assert counts(strict_homeserver, another) == (0, 1)


def test_whoever_goes_back_to_the_first_page_holds_the_token_once(strict_homeserver, strict, token):
    """Also in another tab of the same browser; the last one goes on."""
    to_the_page(strict)
    first = strict.page
    sign_up(strict, a_name(), token=token)
    strict.page = first
    page = sign_up(strict, a_name(), token=token)

    assert "Step 2 of 2" in page.text
    assert counts(strict_homeserver, token) == (1, 0)
    assert "/consent?" in accept(strict).url
    assert counts(strict_homeserver, token) == (0, 1)


def test_whoever_cancels_gives_the_token_back(strict_homeserver, strict, token):
    """At once, and the client hears of it."""
    to_the_page(strict)
    sign_up(strict, a_name(), token=token)

    assert strict.answer(strict.submit(decision="cancel"))["error"] == "access_denied"
    assert counts(strict_homeserver, token) == (0, 0)


def test_a_sign_up_that_took_too_long_gives_its_token_back(strict_homeserver, strict, token):
    """Within a minute; Synapse would wait for two days."""
    strict.get(strict.server.url("register"))
    sign_up(strict, a_name(), token=token)
    strict_homeserver.query("UPDATE nextgen_token_holds SET expires_at = 1")

    assert eventually(lambda: counts(strict_homeserver, token) == (0, 0))
    assert strict_homeserver.query("SELECT COUNT(*) FROM nextgen_token_holds") == [(0,)]


def test_a_second_press_and_another_tab_lead_to_where_the_first_one_led(strict, token):
    """Nobody gets two accounts; the page of a stage that is done leads to the next one."""
    to_the_page(strict)
    sign_up(strict, a_name(), token=token)
    terms = strict.page
    accept(strict)
    strict.page = terms
    again = accept(strict)
    back = strict.get(terms.url)

    assert again.status_code == 403  # a form from before the sign-in
    assert back.status_code == 409
    assert "consent?grant=" in back.text


def test_c278_a_sign_up_is_of_the_browser_that_began_it(strict, token):
    """Whoever knows its address sees nothing of it, and cannot go on with it in any way."""
    to_the_page(strict)
    sign_up(strict, a_name(), token=token)
    attempt = strict.page.url.partition("attempt=")[2]
    stranger = Browser(strict.server)
    stranger.get(strict.server.url("sign-in"))

    for page in ("register", "register-terms", "sign-in", "new-account"):
        answer = stranger.get(strict.server.url(f"{page}?attempt={attempt}"))
        assert answer.status_code in {400, 403}, page
    assert strict.get(strict.server.url(f"sign-in?attempt={attempt}")).status_code == 400


def test_c181_no_form_of_a_sign_up_works_from_elsewhere(strict_homeserver, strict, token):
    """Without the value of this browser nothing is begun, and nothing goes on."""
    strict.get(strict.server.url("register"))
    fields = {"username": a_name(), "password": PASSWORD, "token": token, "decision": "create"}
    first = strict.http.post(strict.page.url, data=fields, timeout=30, allow_redirects=False)
    sign_up(strict, a_name(), token=token)
    terms = {"accept_terms": "1.0", "decision": "continue", "csrf": "wrong"}
    second = strict.http.post(strict.page.url, data=terms, timeout=30, allow_redirects=False)

    assert (first.status_code, second.status_code) == (403, 403)
    assert counts(strict_homeserver, token) == (1, 0)


def told(browser, name):
    """Return what the page says of a name."""
    browser.get(browser.server.url("register"))
    page = sign_up(browser, name)
    found = re.findall(
        r'<div class="field-error" id="username-error">.*?<div>(.*?)</div>', page.text
    )
    return page.status_code, html.unescape(found[0]) if found else None


CANNOT_BE = (
    "That cannot be a username. Use the letters a to z, digits and the signs . _ = - / and +,"
    " not only digits, and no _ at the beginning."
)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "Choose a username."),
        ("@", "Choose a username."),
        ("_alice", CANNOT_BE),
        ("12345", CANNOT_BE),
        ("al ice", CANNOT_BE),
        ("älice", CANNOT_BE),
        ("a" * 250, CANNOT_BE),
        ("bridged_alice", "That username is reserved. Choose another one."),
    ],
)
def test_c245_a_name_that_nobody_can_have_is_said_at_its_field(browser, name, said):
    """As `/register/available` says it."""
    assert told(browser, name) == (400, said)


def test_c245_a_name_that_was_ever_somebodys_is_taken(open_homeserver, browser):
    """In any case, with the sign before it and the server behind it, and of a closed account."""
    user, closed = open_homeserver.new_user(), open_homeserver.new_user()
    token = open_homeserver.login(closed)["access_token"]
    auth = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": closed.localpart},
        "password": closed.password,
    }
    answer = browser.server.api(
        "POST", "/_matrix/client/v3/account/deactivate", token, json={"auth": auth}
    )
    assert answer.ok, answer.text
    taken = (400, "That username is taken. Choose another one.")

    for name in (user.localpart, user.localpart.upper(), f"@{user.localpart}:localhost"):
        assert told(browser, name) == taken, name
    assert told(browser, closed.localpart) == taken


def test_a_name_in_capitals_becomes_one_in_small_letters(open_homeserver, browser):
    """As `/register` has it; people may go on writing it as they like."""
    name = a_name()
    browser.get(browser.server.url("register"))
    sign_up(browser, name.upper())

    (row,) = open_homeserver.query(
        "SELECT COUNT(*) FROM users WHERE name = ?", f"@{name}:{open_homeserver.server_name}"
    )
    assert row == (1,)


def test_c247_whoever_comes_back_after_a_failure_gets_the_account_that_was_made(
    strict_homeserver, strict, token
):
    """A process died when the account was there and nobody was signed in: nobody is asked again."""
    name = a_name()
    to_the_page(strict)
    sign_up(strict, name, token=token)
    attempt = strict.page.url.partition("attempt=")[2]
    user = strict_homeserver.register_user(name)
    (answers,) = strict_homeserver.query(
        "SELECT answers FROM nextgen_attempts WHERE attempt_id = ?", attempt
    )[0]
    person = newcomers.answer(json.loads(answers)["account"])
    strict_homeserver.query(
        "UPDATE users SET password_hash = ? WHERE name = ?", person["password_hash"], user.user_id
    )
    usher.order(strict_homeserver)
    page = accept(strict)

    assert "/consent?" in page.url
    assert user.user_id in re.sub("<[^>]+>", "", page.text)
    assert usher.asked(strict_homeserver) == []
    assert counts(strict_homeserver, token) == (0, 1)


def test_an_account_of_somebody_else_is_never_gone_on_with(strict_homeserver, strict, token):
    """Whoever has the name by now has another hash."""
    name = a_name()
    to_the_page(strict)
    sign_up(strict, name, token=token)
    strict_homeserver.register_user(name, PASSWORD)

    assert "That username is taken." in accept(strict).text


def test_an_expired_sign_up_says_so_and_leads_to_a_new_one(strict_homeserver, strict, token):
    """In words; the grant is over as well."""
    strict.get(strict.server.url("register"))
    sign_up(strict, a_name(), token=token)
    strict_homeserver.query("UPDATE nextgen_attempts SET expires_at = 1 WHERE purpose = 'sign_up'")
    page = strict.get(strict.page.url)

    assert page.status_code == 400
    assert "took too long" in page.text or "expired" in page.text


def test_a_hundred_sign_ups_at_once_lose_nothing(open_homeserver, server):
    """On SQLite, where one writes at a time."""
    names = [a_name() for _ in range(100)]
    browsers = [Browser(server) for _ in names]
    for browser in browsers:
        browser.get(server.url("register"))
    with ThreadPoolExecutor(20) as pool:
        pages = list(pool.map(sign_up, browsers, names))

    assert [page.status_code for page in pages] == [200] * 100
    made = open_homeserver.query("SELECT name FROM users")
    assert {f"@{name}:{open_homeserver.server_name}" for name in names} <= {
        name for (name,) in made
    }
    ended = open_homeserver.query(
        "SELECT COUNT(*) FROM nextgen_attempts WHERE purpose = 'sign_up' AND ended_at IS NULL"
    )
    assert ended == [(0,)]


@pytest.fixture(scope="module")
def discreet(tmp_path_factory, make_database):
    """Yield a homeserver that tells nobody which names are in use, and where accounts are approved."""
    directory = tmp_path_factory.mktemp("homeserver-discreet")
    config = {
        **OPEN,
        "inhibit_user_in_use_error": True,
        "experimental_features": {
            "msc3866": {"enabled": True, "require_approval_for_new_accounts": True}
        },
    }
    with Homeserver(directory, make_database("sqlite", directory), config=config) as homeserver:
        yield homeserver


@pytest.mark.parametrize("name", ["in-use", "free"])
def test_c245_a_server_that_does_not_tell_tells_nothing(discreet, name):
    """`inhibit_user_in_use_error`: a taken name is as unknown as a free one, and none is named."""
    if name == "in-use":
        discreet.register_user(name, PASSWORD)
    answer = Browser(Server(discreet.base_url)).get(
        Server(discreet.base_url).url(f"register-available?username={name}")
    )

    assert answer.json() == {"username": name, "state": "unknown"}


@pytest.mark.parametrize("together", [True, False])
def test_the_first_page_sent_twice_leads_to_the_account_that_the_first_press_made(
    open_homeserver, browser, together
):
    """A double click without scripts: no second account, and nobody reads that the name is taken."""
    name = a_name()
    to_the_page(browser)
    tabs = [browser, Browser(browser.server)]
    tabs[1].http.cookies.update(browser.http.cookies)
    tabs[1].page = browser.page
    with ThreadPoolExecutor(2 if together else 1) as pool:
        pages = list(pool.map(sign_up, tabs, [name, name]))
    first, second = sorted(pages, key=lambda page: page.status_code)

    assert "/consent?" in first.url
    assert second.status_code == 409
    assert "is taken" not in second.text
    assert 'href="consent?grant=' in second.text
    assert open_homeserver.query(
        "SELECT COUNT(*) FROM users WHERE name = ?", f"@{name}:{open_homeserver.server_name}"
    ) == [(1,)]
    other = Browser(browser.server)
    other.get(browser.server.url("register"))
    assert "That username is taken." in sign_up(other, name).text


def test_whoever_waits_for_approval_reads_so(discreet):
    """MSC3866: the account is made, and may not be used before somebody approves it."""
    homeserver = discreet
    server, name = Server(homeserver.base_url), a_name()
    browser = Browser(server)
    to_the_page(browser)
    page = sign_up(browser, name)

    assert page.status_code == 403
    assert "Your account is waiting for approval" in page.text
    user_id = f"@{name}:{homeserver.server_name}"
    assert homeserver.query("SELECT approved FROM users WHERE name = ?", user_id) in (
        [(0,)],
        [(False,)],
    )
    # A name in use is told at the end alone, where Synapse is not to tell it.
    another = Browser(server)
    another.get(server.url("register"))
    assert "That username is taken." in sign_up(another, name).text
    assert homeserver.query("SELECT COUNT(*) FROM ui_auth_sessions") == [(2,)]


def test_a_full_server_says_that_it_has_no_room(start_homeserver):
    """`limit_usage_by_mau`, with room for nobody."""
    homeserver = start_homeserver(
        config={
            **OPEN,
            "limit_usage_by_mau": True,
            "max_mau_value": 0,
            "admin_contact": "mailto:a@b",
        }
    )
    browser = Browser(Server(homeserver.base_url))
    browser.get(browser.server.url("register"))
    page = sign_up(browser, a_name())

    assert page.status_code == 503
    assert "no room for new people" in page.text


def test_too_many_accounts_from_one_place_are_told_when_to_come_back(start_homeserver):
    """`rc_registration`, with the time that it says."""
    homeserver = start_homeserver(
        config={**OPEN, "rc_registration": {"per_second": 0.001, "burst_count": 1}}
    )
    server = Server(homeserver.base_url)
    pages = []
    for _ in range(2):
        browser = Browser(server)
        browser.get(server.url("register"))
        pages.append(sign_up(browser, a_name()))

    assert [page.status_code for page in pages] == [200, 429]
    assert int(pages[1].headers["Retry-After"]) > 500
    assert "Too many accounts were made just now." in pages[1].text

"""What other modules add to a sign-in and to the overview, over HTTP."""

import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
import requests

from support.extenders import PATH
from support.oauth import Browser, Server
from support.providers.person import Person
from support.waiting import eventually
from synapse_nextgen_auth.web.pages.stage.stage import REFUSED

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]


@pytest.fixture(scope="session")
def homeserver(extended):
    return extended


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def say(homeserver):
    """Return a function that lets the human say something of an attempt or account."""
    return lambda **said: requests.post(homeserver.base_url + PATH, json=said, timeout=30).json()


def at_the_stage(server, user, parameters=None):
    """Prove who one is, and be asked."""
    browser = Browser(server)
    if parameters is None:
        browser.get(server.url("sign-in"))
    else:
        browser.authorize(parameters)
    browser.submit(identifier=user.localpart, password=user.password, decision="sign-in")
    assert "/stage?attempt=" in browser.page.url, browser.page.text
    return browser


def legacy_sign_in(server, browser):
    """Go where a client that knows no OAuth sends its person; return the page that asks them."""
    asked = {"redirectUrl": "https://app.example/"}
    url = f"{server.base_url}/_matrix/client/v3/login/sso/redirect"
    page = browser.http.get(url, params=asked, timeout=30)
    assert "/legacy-login?login=" in page.url
    return browser.get(page.url)


def accept(browser):
    return browser.submit(field_accept="yes", stage="org.example.terms", decision="continue")


def is_signed_in(browser):
    answer = browser.http.get(browser.server.url("account-data"), timeout=30, allow_redirects=False)
    return answer.status_code == 200


def test_the_terms_are_asked_once_for_each_version(homeserver, server, say):
    """The example of the documentation, word for word; nobody is signed in before, by no URL."""
    user, client = homeserver.new_user(), server.client()
    parameters, _ = client.request()
    browser = at_the_stage(server, user, parameters)
    shown = browser.page.text
    for page in ("account-data", "sign-in", f"consent?grant={'0' * 32}", "account"):
        browser.http.get(server.url(page), timeout=30)
    before = is_signed_in(browser)
    browser.submit(stage="org.example.terms", decision="continue")
    incomplete = browser.page
    accept(browser)

    assert "https://example.org/terms/2" in shown
    assert not before
    assert incomplete.status_code == 400
    assert "/consent?grant=" in browser.page.url, browser.page.text
    assert is_signed_in(browser)
    assert is_signed_in(Browser.of(server, user)), "it is remembered"
    assert eventually(lambda: ["signed_in", user.user_id] in say()["heard"])
    assert "A listener of another module failed at signed_in" in homeserver.log_text()
    browser.get(server.url("account"))
    assert "Version 2" in browser.page.text
    browser.get(server.url("account"))
    assert homeserver.log_text().count("Card broken of another module is left out") == 1


def test_c021_whoever_was_signed_in_before_is_asked_before_an_application_is_let_in(
    homeserver, server
):
    """Silence is answered with an error; on pages they sign in anew, and are asked."""
    user, client = homeserver.new_user(), server.client()
    browser = at_the_stage(server, user)
    accept(browser)
    homeserver.query("DELETE FROM account_data WHERE user_id = ?", user.user_id)
    homeserver.restart()
    silent = browser.authorize(client.request(prompt="none")[0])
    browser.authorize(client.request()[0])

    assert "error=consent_required" in silent.headers["Location"]
    assert "/sign-in?grant=" in browser.page.url
    browser.submit(password=user.password, decision="sign-in")
    assert "/stage?attempt=" in browser.page.url
    accept(browser)
    assert "/consent?grant=" in browser.page.url


def test_c021_whoever_was_signed_in_before_lets_nothing_else_in_either(homeserver, server):
    """No client that knows only `m.login.sso`, and no device by a token of another."""
    user, client = homeserver.new_user(), server.client()
    parameters, verifier = client.request()
    browser = at_the_stage(server, user, parameters)
    accept(browser)
    code = browser.answer(browser.submit(decision="approve"))["code"]
    token = client.redeem(code, verifier).json()["access_token"]
    legacy = legacy_sign_in(server, browser)
    kept = browser.page
    homeserver.query("DELETE FROM account_data WHERE user_id = ?", user.user_id)
    homeserver.restart()
    path = "/_matrix/client/v1/login/get_token"
    asked = server.api("POST", path, token, json={}).json()["params"]["m.login.sso"]["url"]

    browser.get(asked)
    assert "/sign-in?request=" in browser.page.url
    browser.page = kept
    browser.submit(decision="approve")
    assert "/sign-in?legacy=" in browser.page.url
    browser.get(legacy.url)
    assert "/sign-in?legacy=" in browser.page.url
    browser.submit(password=user.password, decision="sign-in")
    assert "/stage?attempt=" in browser.page.url
    accept(browser)
    assert "loginToken=" in browser.submit(decision="approve").headers["Location"]
    assert "/approve?request=" in browser.get(asked).url


def test_c021_a_ticket_that_nobody_asked_for_is_led_to_the_stages(homeserver, server, liar):
    """CAS brings people past every page of ours; they sign in on them then."""
    user = homeserver.new_user()
    ticket = f"{server.base_url}/_matrix/client/r0/login/cas/ticket"
    service = f"{ticket}?{urlencode({'redirectUrl': 'https://app.example/?a=b'})}"
    liar.says(user.localpart)
    page = Person(user.localpart).get(f"{liar.issuer}/login?{urlencode({'service': service})}")

    assert "/sign-in?legacy=" in page.url, page.text
    assert "loginToken" not in page.text
    assert homeserver.query("SELECT 1 FROM login_tokens WHERE user_id = ?", user.user_id) == []


def test_an_attempt_waits_until_somebody_says_yes(homeserver, server, say):
    """Or no: then it is over, in their words; nothing of them is HTML."""
    user = homeserver.register_user("human-a")
    browser = at_the_stage(server, user)
    accept(browser)
    shown = browser.page
    browser.submit(stage="human", decision="continue")
    waits = browser.page
    attempt = say()["waiting"][-1]
    say(**{attempt: "yes"})
    browser.submit(stage="human", decision="continue")

    assert "Somebody looks at it &lt;b&gt;first&lt;/b&gt;" in shown.text
    assert re.search(r'value="continue"[^>]*>Look again</button>', shown.text)
    assert "Nobody answered yet." in waits.text
    assert is_signed_in(browser)

    refused = at_the_stage(server, user)
    say(**{say()["waiting"][-1]: "no"})
    refused.submit(stage="human", decision="continue")
    assert refused.page.status_code == 403
    assert "Somebody said &lt;no&gt;." in refused.page.text
    assert not is_signed_in(refused)
    assert REFUSED in homeserver.log_text()


def test_c021_whoever_was_signed_out_signs_in_with_all_that_is_asked(homeserver, server, say):
    """A page kept from a proof that was asked again is a sign-in like any other, once that is over."""
    user = homeserver.register_user("human-c")
    browser = at_the_stage(server, user)
    accept(browser)
    say(**{say()["waiting"][-1]: "yes"})
    browser.submit(stage="human", decision="continue")
    assert is_signed_in(browser)
    homeserver.query(
        "UPDATE nextgen_browsers SET signed_in_at = signed_in_at - 3600, auth_time = auth_time - 3600"
        " WHERE user_id = ?",
        user.user_id,
    )
    proof = re.search(
        r'name="csrf" value="([^"]+)"', browser.get(server.url("account-profile")).text
    )

    def post(path, **fields):
        data = {"csrf": proof[1], **fields}
        return browser.http.post(server.url(path), data=data, allow_redirects=False, timeout=30)

    kept = server.url(post("account-email", email="a@example.org").headers["Location"])
    assert "sign-in?attempt=" in kept
    assert post("sign-out").status_code == 200
    browser.get(kept)
    browser.submit(identifier=user.localpart, password=user.password, decision="sign-in")

    assert "/stage?attempt=" in browser.page.url
    assert not is_signed_in(browser)


def test_a_module_hears_one_answer_however_often_somebody_presses(homeserver, server, say):
    """Eight presses at once: it may spend a code by the first."""
    user = homeserver.register_user("human-presses")
    browser = at_the_stage(server, user)
    accept(browser)
    page = browser.page
    attempt = say()["waiting"][-1]
    say(**{attempt: "yes"})

    def press(_):
        one = Browser(server)
        one.http.cookies.update(browser.http.cookies)
        one.page = page
        return one.submit(stage="human", decision="continue").status_code

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(press, range(8)))

    assert say()["answered"].count(attempt) == 1
    assert set(found) <= {200, 303, 400, 409}, found


def test_c278_nobody_else_answers_for_an_attempt(homeserver, server):
    """Whoever knows its id, in another browser."""
    user = homeserver.new_user()
    url = at_the_stage(server, user).page.url
    other = Browser(server)
    other.get(server.url("sign-in"))
    csrf = re.search(r'name="csrf" value="([^"]+)"', other.page.text)[1]
    form = {"csrf": csrf, "field_accept": "yes", "stage": "org.example.terms"}
    answer = other.http.post(url, data={**form, "decision": "continue"}, timeout=30)

    assert answer.status_code == 400
    assert not is_signed_in(other)


def test_a_module_that_fails_signs_nobody_in(homeserver, server, say):
    """What was proven is kept: when it works again, they go on where they were."""
    user = homeserver.register_user("broken-a")
    browser = at_the_stage(server, user)
    accept(browser)

    assert browser.page.status_code == 503
    assert browser.page.headers["Retry-After"] == "5"
    assert not is_signed_in(browser)
    say(**{user.user_id: "well"})
    browser.get(browser.page.url)
    assert is_signed_in(browser)


def test_whoever_cancels_is_not_signed_in(homeserver, server):
    """And the application hears so."""
    user, client = homeserver.new_user(), server.client()
    browser = at_the_stage(server, user, client.request()[0])
    browser.submit(decision="cancel")

    assert not is_signed_in(browser)
    assert browser.answer(browser.page)["error"] == "access_denied"


@pytest.mark.parametrize(("name", "closed"), [("stays-here", False), ("goes", True)])
def test_a_module_decides_once_whether_an_account_is_closed(homeserver, server, say, name, closed):
    """As in Synapse: one that asks a human would ask twice. Where it says no nothing is half done."""
    user = homeserver.register_user(name)
    browser = at_the_stage(server, user)
    accept(browser)
    browser.get(server.url("account-deactivate"))
    browser.submit(confirm="yes", erase="yes", decision="deactivate")

    assert browser.page.status_code == (200 if closed else 403)
    assert say()["closing"].count(user.user_id) == 1
    assert is_signed_in(browser) is not closed

"""Clients that know only the old API: `/login`, `m.login.sso`, and the ways that are closed."""

from urllib.parse import parse_qs, urlencode, urlsplit

import attrs
import pytest
import requests

from support.oauth import Browser, Server
from support.providers.person import Person
from synapse_nextgen_auth.accounts.approvals import MOST_AT_ONCE

V3 = "/_matrix/client/v3"
WAITS_AT = "http://localhost:40123/sso?step=2#top"
PREFERRED = {"oauth_aware_preferred": True, "org.matrix.msc3824.delegated_oidc_compatibility": True}


def flows(server):
    answer = requests.get(f"{server.base_url}{V3}/login", timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["flows"]


def types(server):
    return [flow["type"] for flow in flows(server)]


def begin(server, browser, url=WAITS_AT, *, path="sso/redirect", **asked):
    """Go where a client sends its person, as a browser does; return the page."""
    answer = browser.http.get(
        f"{server.base_url}{V3}/login/{path}",
        params={"redirectUrl": url, **asked},
        allow_redirects=False,
        timeout=30,
    )
    assert answer.status_code == 302, answer.text
    return browser.get(answer.headers["Location"])


def login_token(page):
    assert page.status_code == 303, page.text
    return parse_qs(urlsplit(page.headers["Location"]).query)["loginToken"][0]


def login(server, token, **changes):
    request = {"type": "m.login.token", "token": token} | changes
    return requests.post(f"{server.base_url}{V3}/login", json=request, timeout=30)


def by_password(server, user):
    identifier = {"type": "m.id.user", "user": user.localpart}
    request = {"type": "m.login.password", "identifier": identifier, "password": user.password}
    return requests.post(f"{server.base_url}{V3}/login", json=request, timeout=30)


def tokens_of(homeserver, user):
    sql = "SELECT COUNT(*) FROM login_tokens WHERE user_id = ?"
    return homeserver.query(sql, user.user_id)[0][0]


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def browser(server):
    return Browser(server)


def test_c331_single_sign_on_is_offered_and_preferred(server):
    """Also where Synapse knows no provider; simple clients find the password first (MSC3824)."""
    found = flows(server)

    assert [flow["type"] for flow in found] == [
        *("m.login.password", "m.login.sso", "m.login.token", "m.login.application_service")
    ]
    assert found[1] == {"type": "m.login.sso", **PREFERRED}


def test_a_legacy_client_signs_in_on_our_page(server, browser, user):
    """The token comes beside whatever the client's address had, and works once."""
    asked = begin(server, browser)
    confirm = browser.sign_in(user.localpart, user.password)
    done = browser.submit(decision="approve")
    first = login(server, login_token(done))
    second = login(server, login_token(done))

    assert 'name="password"' in asked.text
    assert user.user_id in confirm.text
    assert "40123" not in confirm.url
    assert done.headers["Location"].startswith("http://localhost:40123/sso?step=2&loginToken=")
    assert done.headers["Location"].endswith("#top")
    assert first.status_code == 200
    assert first.json()["user_id"] == user.user_id
    assert server.whoami(first.json()["access_token"]).status_code == 200
    assert second.status_code == 403


@pytest.mark.parametrize("path", ["sso/redirect", "cas/redirect", "sso/redirect/oidc-github"])
@pytest.mark.parametrize(
    "asked", [{}, {"action": "register"}, {"org.matrix.msc3824.action": "login"}], ids=str
)
def test_every_old_address_leads_to_the_page(server, browser, path, asked):
    page = begin(server, browser, path=path, **asked)

    assert page.status_code == 200
    assert 'name="password"' in page.text


def test_c195_nothing_goes_to_an_address_before_somebody_says_so(server, homeserver, user):
    """Signed in or not: the page names the host, and "cancel" gives nothing out."""
    browser = Browser.of(server, user)

    page = begin(server, browser, "https://client.example.com/callback")
    declined = browser.submit(decision="cancel")
    browser.page = page
    late = browser.submit(decision="approve")

    assert page.status_code == 200
    assert "client.example.com" in page.text
    assert declined.status_code == 200
    assert "Location" not in declined.headers
    assert late.status_code == 409
    assert tokens_of(homeserver, user) == 0


@pytest.mark.parametrize(
    "url",
    [
        *("javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "//evil.example"),
        *("/relative", "https://element.io@evil.example/", "https:evil.example", "", "x"),
        *("java\tscript:alert(1)", "https://a.example/\n", "https:///evil.example"),
        "https://a.example/" + "x" * 3000,
    ],
)
def test_c194_an_address_that_runs_or_misleads_is_refused(server, browser, url):
    page = begin(server, browser, url)

    assert page.status_code == 400
    assert "The application cannot be reached" in page.text
    assert "evil.example" not in page.text


def test_c194_an_address_that_stands_twice_is_refused(server, browser):
    page = browser.get(
        server.url("legacy-sign-in"),
        params=[("redirectUrl", WAITS_AT), ("redirectUrl", "https://b.example/")],
    )

    assert page.status_code == 400


@pytest.mark.parametrize(
    "url", ["nheko://login", "element://connect", "https://a.example/ü?x=ä", "http://[::1]:8080/"]
)
def test_apps_with_schemes_of_their_own_are_led_back(server, url, user):
    """And addresses that were written for people are escaped as browsers do it."""
    browser = Browser.of(server, user)
    begin(server, browser, url)

    done = browser.submit(decision="approve")

    assert done.status_code == 303
    assert done.headers["Location"].isascii()
    assert login(server, login_token(done)).status_code == 200


def test_another_browser_cannot_go_on_with_it(server, user):
    """Not even signed in as the same person."""
    browser, other = Browser.of(server, user), Browser.of(server, user)
    page = begin(server, browser)

    looked = other.get(page.url)
    other.page = page
    pressed = other.submit(decision="approve")

    assert looked.status_code == 403
    assert pressed.status_code == 403


def test_another_account_of_the_browser_may_be_chosen(server, homeserver, user):
    """The token is that of the account that the page named last."""
    other, browser = homeserver.new_user(), Browser.of(server, user)
    begin(server, browser)

    chooser = browser.submit(decision="switch")
    browser.submit(decision="another")
    confirm = browser.sign_in(other.localpart, other.password)
    done = login(server, login_token(browser.submit(decision="approve")))

    assert user.user_id in chooser.text
    assert other.user_id in confirm.text
    assert done.json()["user_id"] == other.user_id


def test_one_press_gives_one_token(server, homeserver, user):
    browser = Browser.of(server, user)
    page = begin(server, browser)

    first = browser.submit(decision="approve")
    browser.page = page
    second = browser.submit(decision="approve")

    assert (first.status_code, second.status_code) == (303, 409)
    assert tokens_of(homeserver, user) == 1


@pytest.mark.parametrize(
    ("url", "app"),
    [
        ("web+evil://app.element.io/", "web+evil:"),
        ("evil://app.element.io/x", "evil:"),
        ("evil://matrix.org:443/", "evil:"),
        ("evil://localhost/", "evil:"),
        ("nheko://login", "nheko:"),
        ("element://connect", "element:"),
        ("com.example.app:/back", "com.example.app:"),
    ],
)
def test_c195_an_app_is_no_host_and_not_on_this_computer(server, user, url, app):
    """What stands between the slashes of an app's address is nobody's word but its own."""
    page = begin(server, Browser.of(server, user), url)

    assert page.status_code == 200
    assert f"An app on this device, which opens addresses that begin with <strong><bdi>{app}" in (
        page.text
    )
    assert "The application at" not in page.text
    assert "An application on this computer" not in page.text


def test_c195_an_address_that_names_any_app_is_refused(server, user):
    """`intent:` says in its end which app gets it."""
    url = "intent://app.element.io/#Intent;scheme=evil;package=org.evil;end"

    assert begin(server, Browser.of(server, user), url).status_code == 400


@pytest.fixture(scope="module")
def trusting(tmp_path_factory, make_database, liar):
    """Yield a server that trusts one client, and closes ways for accounts that are ours."""
    from support.synapse import Homeserver  # noqa: PLC0415

    directory = tmp_path_factory.mktemp("homeserver-legacy")
    ways = dict.fromkeys(("password", "sso", "jwt"), "until_first_session")
    homeserver = Homeserver(
        directory,
        make_database("sqlite", directory),
        module={"legacy_login": ways},
        config={
            "sso": {"client_whitelist": ["https://trusted.example/"]},
            "cas_config": {"enabled": True, "server_url": liar.issuer},
            "jwt_config": {"enabled": True, "secret": "s" * 32, "algorithm": "HS256"},
        },
    )
    with homeserver:
        yield homeserver


def test_a_trusted_client_needs_no_question_after_a_sign_in(trusting):
    """But whoever was signed in before is asked: a link alone signs nobody in."""
    server, user = Server(trusting.base_url), trusting.new_user()
    browser = Browser(server)
    begin(server, browser, "https://trusted.example/app")

    done = browser.sign_in(user.localpart, user.password)
    again = begin(server, browser, "https://trusted.example/app")

    assert login(server, login_token(done)).status_code == 200
    assert again.status_code == 200
    assert "trusted.example" in again.text


def jwt_login(server, user):
    from jwt import encode  # noqa: PLC0415

    token = encode({"sub": user.localpart}, "s" * 32, algorithm="HS256")
    request = {"type": "org.matrix.login.jwt", "token": token}
    return requests.post(f"{server.base_url}{V3}/login", json=request, timeout=30)


def test_old_ways_close_for_an_account_from_its_first_session_on(trusting):
    """Whoever has none goes on as before, and the right password is what tells."""
    server, user, other = Server(trusting.base_url), trusting.new_user(), trusting.new_user()
    before = [by_password(server, user), jwt_login(server, user)]
    client = server.client()
    client.sign_in(user.localpart, user.password)
    wrong = by_password(server, type(user)(user.user_id, user.localpart, "wrong"))
    after = [by_password(server, user), jwt_login(server, user)]
    browser = Browser.of(server, user)
    page = begin(server, browser)

    assert [answer.status_code for answer in before] == [200, 200]
    assert [answer.status_code for answer in after] == [403, 403]
    assert "opens the browser" in after[0].json()["error"]
    assert after[0].json()["errcode"] == "M_FORBIDDEN"
    assert "browser" not in wrong.json()["error"]
    assert page.status_code == 403
    assert "signs in the old way" in page.text
    assert by_password(server, other).status_code == 200


def test_a_session_that_is_over_keeps_them_closed(trusting):
    server, user = Server(trusting.base_url), trusting.new_user()
    token = server.client().sign_in(user.localpart, user.password)["access_token"]
    server.api("POST", f"{V3}/logout", token)
    trusting.query("DELETE FROM nextgen_sessions WHERE user_id = ?", user.user_id)

    assert by_password(server, user).status_code == 403


def test_a_session_from_before_the_table_counts(trusting):
    server, user = Server(trusting.base_url), trusting.new_user()
    server.client().sign_in(user.localpart, user.password)
    trusting.query("DELETE FROM nextgen_first_sessions WHERE user_id = ?", user.user_id)

    assert by_password(server, user).status_code == 403


def test_closed_ways_are_not_offered_and_say_what_to_do(start_homeserver):
    """`GET /login` answers all the same, and ours goes on."""
    ways = dict.fromkeys(("password", "sso", "jwt"), "never")
    homeserver = start_homeserver(module={"legacy_login": ways})
    server, user = Server(homeserver.base_url), homeserver.new_user()
    redirect = requests.get(
        f"{server.base_url}{V3}/login/sso/redirect",
        params={"redirectUrl": WAITS_AT},
        allow_redirects=False,
        timeout=30,
    )
    page = requests.get(server.url("legacy-sign-in"), params={"redirectUrl": WAITS_AT}, timeout=30)

    refused = by_password(server, user)

    assert types(server) == ["m.login.application_service"]
    assert refused.status_code == 403
    assert "opens the browser" in refused.json()["error"]
    assert redirect.status_code == 403
    assert page.status_code == 403
    assert server.client().sign_in(user.localpart, user.password)["access_token"]


@pytest.fixture(scope="module")
def confirming(tmp_path_factory, make_database):
    """Yield a homeserver where legacy clients confirm in the browser, and hear no hint."""
    from support.synapse import Homeserver  # noqa: PLC0415

    directory = tmp_path_factory.mktemp("homeserver-confirming")
    module = {"legacy_login": {"prefer_oauth": False, "confirm_in_browser": True}}
    # In which Synapse would ask nobody who has just signed in.
    config = {
        "ui_auth": {"session_timeout": "5m"},
        "login_via_existing_session": {"enabled": True, "require_ui_auth": False},
    }
    database = make_database("sqlite", directory)
    with Homeserver(directory, database, module=module, config=config) as homeserver:
        yield homeserver


def test_the_hint_can_be_taken_away(confirming):
    homeserver = confirming

    assert {"type": "m.login.sso"} in flows(Server(homeserver.base_url))


@attrs.frozen
class Waiting:
    """A legacy client that wants to delete a device of its account."""

    server: Server
    user: object
    legacy: dict
    other: dict

    @classmethod
    def at(cls, homeserver):
        user = homeserver.new_user()
        legacy, other = homeserver.login(user), homeserver.login(user)
        return cls(Server(homeserver.base_url), user, legacy, other)

    def send(self, auth=None, devices=None):
        return self.ask("delete_devices", {"devices": devices or [self.other["device_id"]]}, auth)

    def ask(self, path, body, auth=None):
        body |= {} if auth is None else {"auth": auth}
        path = f"/_matrix/client/v3/{path}"
        return self.server.api("POST", path, self.legacy["access_token"], json=body)

    def approve(self, challenge):
        browser, page = self.open(challenge)
        browser.submit(decision="approve")
        return page

    def open(self, challenge):
        """Open the page that a client opens for the stage; return browser and page."""
        browser, base = Browser(self.server), self.server.base_url.rstrip("/")
        url = (
            f"{base}/_matrix/client/v3/auth/m.login.sso/fallback/web?session={challenge['session']}"
        )
        browser.get(url)
        return browser, browser.sign_in(self.user.localpart, self.user.password)


def test_c299_an_address_is_added_in_the_browser_by_whatever_endpoint(confirming):
    """Also by the older one, where Synapse asks nobody: with an address one resets the password."""
    waiting = Waiting.at(confirming)
    proof = {"sid": "1", "client_secret": "secret"}
    answer = waiting.ask("account/3pid", {"threePidCreds": proof})
    listed = waiting.server.api(
        "GET", "/_matrix/client/v3/account/3pid", waiting.legacy["access_token"]
    )

    assert (answer.status_code, answer.json()["errcode"]) == (403, "M_FORBIDDEN")
    assert f"Do that at {waiting.server.url('account')}" in answer.json()["error"]
    assert listed.status_code == 200


def test_c299_a_legacy_client_confirms_in_the_browser(confirming):
    """No password stage is offered or enough; what the page named is done once, and nothing else."""
    waiting = Waiting.at(confirming)
    third = confirming.login(waiting.user)
    challenge = waiting.send().json()
    auth = {"session": challenge["session"]}
    typed = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": waiting.user.localpart},
        "password": waiting.user.password,
    }
    tried = [waiting.send(auth | typed), waiting.send(auth | {"type": "m.login.sso"})]

    browser, page = waiting.open(challenge)
    browser.submit(decision="approve")
    other = waiting.send(auth, devices=[third["device_id"]])
    done = waiting.send(auth)
    again = waiting.send(auth, devices=[third["device_id"]]), waiting.send(auth)

    assert challenge["flows"] == [{"stages": ["m.login.sso"]}]
    assert [answer.status_code for answer in tried] == [401, 401]
    assert "Sign out this device?" in page.text
    assert waiting.other["device_id"] in page.text
    # Each is another question, with a page of its own.
    assert other.status_code == 401
    assert done.status_code == 200, done.text
    assert [answer.status_code for answer in again] == [401, 401]
    asked = [answer.json()["session"] for answer in (other, *again)]
    assert challenge["session"] not in asked
    for tokens, status in ((waiting.other, 401), (third, 200), (waiting.legacy, 200)):
        assert waiting.server.whoami(tokens["access_token"]).status_code == status


def test_c334_a_legacy_client_gets_a_login_token_once_its_person_approved_that(confirming):
    """As every other, though Synapse is told to ask nobody (`require_ui_auth: false`)."""
    waiting = Waiting.at(confirming)
    path = f"{waiting.server.base_url.rstrip('/')}/_matrix/client/v1/login/get_token"
    asked = {"headers": {"Authorization": f"Bearer {waiting.legacy['access_token']}"}}

    challenge = requests.post(path, json={}, timeout=30, **asked)
    page = waiting.approve(challenge.json())
    given = requests.post(path, json={}, timeout=30, **asked)
    nobody = requests.post(path, json={}, timeout=30)

    assert challenge.status_code == 401
    assert challenge.json()["flows"] == [{"stages": ["m.login.sso"]}]
    assert "Sign in another device?" in page.text
    assert given.status_code == 200, given.text
    assert "login_token" in given.json()
    assert (nobody.status_code, nobody.json()["errcode"]) == (401, "M_MISSING_TOKEN")


def log_out(confirming, tokens):
    answer = Server(confirming.base_url).api("POST", f"{V3}/logout", tokens["access_token"])
    assert answer.status_code == 200, answer.text


def test_c334_a_login_token_ends_with_the_legacy_device_that_asked(confirming):
    """Whoever notices at once that they were tricked signs that device out."""
    waiting = Waiting.at(confirming)
    path = "/_matrix/client/v1/login/get_token"
    token = waiting.legacy["access_token"]
    waiting.approve(waiting.server.api("POST", path, token, json={}).json())
    given = waiting.server.api("POST", path, token, json={}).json()["login_token"]
    log_out(confirming, waiting.legacy)

    late = login(waiting.server, given)

    assert late.status_code == 403, late.text


def test_c299_what_a_legacy_device_asked_for_ends_with_it(confirming):
    """Its page is over, and a later device of the same id has to ask anew."""
    waiting = Waiting.at(confirming)
    approved = waiting.send().json()
    waiting.approve(approved)
    third = confirming.login(waiting.user)
    browser, _page = waiting.open(waiting.send(devices=[third["device_id"]]).json())
    log_out(confirming, waiting.legacy)
    pressed = browser.submit(decision="approve")
    namesake = confirming.login(waiting.user, device_id=waiting.legacy["device_id"])
    body = {"devices": [waiting.other["device_id"]]}
    again = waiting.server.api("POST", f"{V3}/delete_devices", namesake["access_token"], json=body)

    assert pressed.status_code == 409
    assert again.status_code == 401
    assert again.json()["session"] != approved["session"]


def test_a_stolen_legacy_token_fills_nobody_elses_place(confirming):
    """As many questions wait as a device may ask, and another device of the account asks its own."""
    waiting = Waiting.at(confirming)
    for n in range(MOST_AT_ONCE):
        assert waiting.send(devices=[f"DEVICE{n}"]).status_code == 401
    rows = "SELECT COUNT(*) FROM ui_auth_sessions"
    before = confirming.query(rows)
    full = waiting.send(devices=["ONEMORE"])
    after = confirming.query(rows)
    body = {"devices": [waiting.legacy["device_id"]]}
    token = waiting.other["access_token"]
    owners = waiting.server.api("POST", f"{V3}/delete_devices", token, json=body)

    assert full.status_code == 429
    # Nor is a row of Synapse's left of each that is refused.
    assert after == before
    assert owners.status_code == 401, owners.text


def test_c299_an_approval_completes_no_session_of_synapses(confirming):
    """Which Synapse keeps for two days, when nobody knows any more what it was for."""
    waiting = Waiting.at(confirming)
    challenge = waiting.send().json()
    waiting.approve(challenge)
    done = waiting.send({"session": challenge["session"]})
    session = challenge["session"]
    completed = confirming.query(
        "SELECT stage_type FROM ui_auth_sessions_credentials WHERE session_id = ?", session
    )
    confirming.query("DELETE FROM nextgen_approvals WHERE ui_session = ?", session)
    later = waiting.send({"session": session}, devices=[waiting.legacy["device_id"]])

    assert done.status_code == 200, done.text
    assert completed == []
    assert later.status_code == 401
    assert waiting.server.whoami(waiting.legacy["access_token"]).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("account/deactivate", {"erase": True}, id="deactivate"),
        pytest.param(
            "account/password", {"new_password": "as the page said 1"}, id="change-password"
        ),
    ],
)
def test_c299_what_was_approved_is_sent_again(confirming, path, body):
    """Synapse reads the last request, so a session alone would do other than the page said."""
    waiting = Waiting.at(confirming)
    auth = {"session": waiting.ask(path, dict(body)).json()["session"]}
    waiting.approve(auth)
    alone = waiting.ask(path, {}, auth)
    there = waiting.server.whoami(waiting.legacy["access_token"]).status_code
    whole = waiting.ask(path, dict(body), auth)
    user = waiting.user.user_id
    erased = confirming.query("SELECT 1 FROM erased_users WHERE user_id = ?", user)

    assert alone.status_code in {400, 401}
    assert there == 200
    assert whole.status_code == 200, whole.text
    assert bool(erased) is ("erase" in body)


def test_a_question_of_a_legacy_client_that_ran_out_is_asked_anew(confirming):
    """It may go on naming the first session; the new page is the one that counts."""
    waiting = Waiting.at(confirming)
    first = waiting.send().json()["session"]
    confirming.query(
        "UPDATE nextgen_approvals SET requested_at = requested_at - 700 WHERE ui_session = ?", first
    )
    second = waiting.send({"session": first}).json()
    waiting.approve(second)
    done = waiting.send({"session": first})

    assert second["session"] != first
    assert done.status_code == 200, done.text


def test_a_refusal_ends_the_wait_of_a_legacy_client(confirming):
    """It is told, and the session of Synapse's is good for nothing."""
    waiting = Waiting.at(confirming)
    challenge = waiting.send().json()
    browser, _page = waiting.open(challenge)
    browser.submit(decision="cancel")

    told = waiting.send({"session": challenge["session"]})
    again = waiting.send({"session": challenge["session"]})

    assert (told.status_code, told.json()["errcode"]) == (403, "M_FORBIDDEN")
    assert again.status_code == 401
    assert waiting.server.whoami(waiting.other["access_token"]).status_code == 200


def test_c301_nobody_goes_on_with_the_session_of_somebody_else(confirming):
    """Neither another account, nor a session of ours of the same account."""
    waiting, stranger = Waiting.at(confirming), Waiting.at(confirming)
    challenge = waiting.send().json()
    browser, _page = waiting.open(challenge)
    browser.submit(decision="approve")
    auth = {"session": challenge["session"]}
    user = waiting.user
    ours = waiting.server.client().sign_in(user.localpart, user.password)["access_token"]
    path = "/_matrix/client/v3/delete_devices"
    body = {"devices": [waiting.other["device_id"]], "auth": auth}

    assert stranger.send(auth).status_code in {401, 403}
    assert waiting.server.api("POST", path, ours, json=body).status_code == 401
    assert waiting.send(auth).status_code == 200


def test_a_server_that_drains_has_the_ways_of_synapse(start_homeserver):
    """Nobody newly signs in on our pages, so nobody is led there."""
    homeserver = start_homeserver(module={"drain": True})
    server = Server(homeserver.base_url)
    redirect = requests.get(f"{server.base_url}{V3}/login/sso/redirect", timeout=30)

    assert types(server) == ["m.login.password", "m.login.application_service"]
    assert redirect.status_code == 404


def test_another_spelling_of_an_account_is_the_same_account(trusting):
    """Old servers have accounts with capitals; Synapse finds them in any case."""
    server, user = Server(trusting.base_url), trusting.new_user()
    server.client().sign_in(user.localpart, user.password)

    loud = attrs.evolve(user, localpart=user.localpart.upper())

    assert jwt_login(server, loud).status_code == 403
    assert by_password(server, loud).status_code == 403


def test_whoever_may_not_go_on_may_go_on_as_somebody_else(trusting):
    """The client waits, and another account of the browser perhaps may."""
    server, user = Server(trusting.base_url), trusting.new_user()
    server.client().sign_in(user.localpart, user.password)

    closed = begin(server, Browser.of(server, user))

    assert closed.status_code == 403
    assert 'href="accounts?legacy=' in closed.text


def by_ticket(server, liar, name):
    """Come from a CAS server that nobody was sent to, as any link may bring a browser there."""
    ticket = f"{server.base_url}/_matrix/client/r0/login/cas/ticket"
    service = f"{ticket}?{urlencode({'redirectUrl': 'https://app.example/'})}"
    liar.says(name)
    return Person(name).get(f"{liar.issuer}/login?{urlencode({'service': service})}")


def is_told(page):
    return page.status_code == 403 and "signs in the old way" in page.text


def test_a_ticket_that_nobody_asked_for_opens_no_account_that_is_ours(trusting, liar):
    """CAS needs no redirect of ours; the rule stands at the end of stock's way, too."""
    server, user, other = Server(trusting.base_url), trusting.new_user(), trusting.new_user()
    server.client().sign_in(user.localpart, user.password)

    closed = by_ticket(server, liar, user.localpart)
    still_open = by_ticket(server, liar, other.localpart)

    assert is_told(closed), closed.text
    assert tokens_of(trusting, user) == 0
    assert "loginToken=" in still_open.text


def test_what_is_closed_for_everybody_is_closed_at_its_end(start_homeserver, liar):
    """For what began before, for a ticket that nobody asked for, and while the server drains."""
    cas = {"cas_config": {"enabled": True, "server_url": liar.issuer}}
    homeserver = start_homeserver(config=cas)
    server, user = Server(homeserver.base_url), homeserver.new_user()
    browser = Browser.of(server, user)
    asked = begin(server, browser)
    homeserver.module = {"legacy_login": {"sso": "never"}}
    homeserver.restart()

    pressed = browser.submit(decision="approve")
    shown = browser.get(asked.url)
    found = [by_ticket(server, liar, name) for name in (user.localpart, "newcomer")]
    homeserver.module["drain"] = True
    homeserver.restart()
    found += [by_ticket(server, liar, name) for name in (user.localpart, "newcomer")]
    url = f"{server.base_url}{V3}/login/sso/redirect/cas"
    found.append(requests.get(url, params={"redirectUrl": WAITS_AT}, timeout=30))

    assert asked.status_code == 200
    assert [is_told(page) for page in (pressed, shown, *found)] == [True] * 7
    assert tokens_of(homeserver, user) == 0
    made = homeserver.query("SELECT COUNT(*) FROM users WHERE name = ?", "@newcomer:localhost")
    assert made == [(0,)]

"""What an account's state means to our pages, our endpoints and our tokens (security.md section 29).

Each state is entered by an account that was signed in before: with a session of ours, a stock one, a
browser, and a code on its way.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from urllib.parse import quote

import attrs
import pytest
import requests

from support.neighbours import Neighbours
from support.oauth import ISSUER_PATH, Browser, Client, Server, web_client
from support.synapse import User
from support.waiting import eventually

pytestmark = [pytest.mark.every_release, pytest.mark.one_database]

V3 = "/_matrix/client/v3"


@pytest.fixture
def homeserver(busy_homeserver):
    return busy_homeserver


@pytest.fixture
def neighbours(homeserver):
    return Neighbours(homeserver)


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@attrs.frozen
class SignedIn:
    """An account that was signed in everywhere before something happened to it."""

    user: User
    client: Client
    browser: Browser
    ours: dict
    stock: dict
    code: str
    verifier: str
    room: str

    @classmethod
    def everywhere(cls, homeserver, server, user):
        client, browser = server.client(), Browser(server)
        ours = client.sign_in(user.localpart, user.password, browser=browser)
        parameters, verifier = client.request()
        code = browser.let_in(parameters, user.localpart, user.password)["code"]
        stock = homeserver.login(user)
        room = server.api("POST", f"{V3}/createRoom", stock["access_token"], json={}).json()
        return cls(user, client, browser, ours, stock, code, verifier, room["room_id"])

    @property
    def server(self):
        return self.client.server

    def sign_in(self):
        """Try to sign in with the password in a browser that was never here."""
        parameters, _ = self.client.request()
        browser = Browser(self.server)
        browser.authorize(parameters)
        return browser.sign_in(self.user.localpart, self.user.password)

    def consent(self):
        """Go on in the browser that is signed in."""
        parameters, _ = self.client.request()
        return self.browser.authorize(parameters)

    def redeem(self):
        return self.client.redeem(self.code, self.verifier)

    def refresh(self):
        return self.client.refresh(self.ours["refresh_token"])

    def send(self, token):
        """Send a message."""
        path = f"{V3}/rooms/{quote(self.room)}/send/m.room.message/{hash(token)}"
        return self.server.api("PUT", path, token, json={"msgtype": "m.text", "body": "hello"})

    def on_the_api(self, token, *, reads_only):
        """Return what a token gets for a few different requests."""
        reads = ("account/whoami", "sync?timeout=0", "devices")
        answers = [self.server.api("GET", f"{V3}/{path}", token) for path in reads]
        if not reads_only:
            path = f"{V3}/profile/{quote(self.user.user_id)}/displayname"
            name = {"displayname": "New name"}
            answers += [self.server.api("PUT", path, token, json=name), self.send(token)]
        return [essence(answer) for answer in answers]

    def compare(self, *, reads_only=False):
        """Return what our token gets after making sure that a stock one gets the same."""
        ours = self.on_the_api(self.ours["access_token"], reads_only=reads_only)
        stock = self.on_the_api(self.stock["access_token"], reads_only=reads_only)
        assert ours == stock
        return ours


def essence(answer):
    body = answer.json()
    return answer.status_code, body.get("errcode"), body.get("soft_logout")


def lock(neighbours, user):
    neighbours.administer("PUT", user, {"locked": True})


def unlock(neighbours, user):
    neighbours.administer("PUT", user, {"locked": False})


def suspend(neighbours, user):
    path = "/_synapse/admin/v1/suspend/{user_id}"
    neighbours.administer("PUT", user, {"suspend": True}, path)


def unsuspend(neighbours, user):
    path = "/_synapse/admin/v1/suspend/{user_id}"
    neighbours.administer("PUT", user, {"suspend": False}, path)


def shadow_ban(neighbours, user):
    path = "/_synapse/admin/v1/users/{user_id}/shadow_ban"
    neighbours.administer("POST", user, {}, path)


def unban(neighbours, user):
    path = "/_synapse/admin/v1/users/{user_id}/shadow_ban"
    neighbours.administer("DELETE", user, None, path)


def expire(neighbours, user):
    neighbours.add("expired", user.user_id)


def renew(neighbours, user):
    neighbours.drop("expired", user.user_id)


def disapprove(neighbours, user):
    neighbours.administer("PUT", user, {"approved": False})


def approve(neighbours, user):
    neighbours.administer("PUT", user, {"approved": True})


def deactivate(neighbours, user, *, erase=False):
    path = "/_synapse/admin/v1/deactivate/{user_id}"
    neighbours.administer("POST", user, {"erase": erase}, path)


def erase(neighbours, user):
    deactivate(neighbours, user, erase=True)


def reactivate(neighbours, user):
    body = {"deactivated": False, "password": user.password}
    # A young Synapse fails until it has built an index in the background.
    assert eventually(lambda: neighbours.ask("PUT", user, body).ok)


@attrs.frozen
class State:
    """What a state means: what is refused with which words, and what the API answers."""

    enter: object
    leave: object
    page: str | None = None  # what the sign-in and consent pages say instead
    api: tuple = ()  # an answer that the API must be seen to give


STATES = {
    "locked": State(lock, unlock, "This account is locked", (401, "M_USER_LOCKED", True)),
    "suspended": State(suspend, unsuspend, None, (403, "M_USER_SUSPENDED", None)),
    "shadow-banned": State(shadow_ban, unban, None, (200, None, None)),
    "expired": State(
        expire, renew, "This account has expired", (403, "ORG_MATRIX_EXPIRED_ACCOUNT", None)
    ),
    "approval withdrawn": State(
        disapprove, approve, "Your account is waiting for approval", (200, None, None)
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_c315_c318_c319_c321_a_state_that_may_pass(homeserver, server, neighbours, name):
    """New sign-ins wait, sessions stay: the API answers as ever, and a refresh always works."""
    state = STATES[name]
    person = SignedIn.everywhere(homeserver, server, homeserver.new_user())

    state.enter(neighbours, person.user)
    pages = [person.sign_in(), person.consent()]
    # Synapse lets the shadow-banned wait for seconds when they write.
    on_the_api = person.compare(reads_only=name == "shadow-banned")
    refreshed = person.refresh()
    redeemed = person.redeem()
    state.leave(neighbours, person.user)

    assert refreshed.status_code == 200, refreshed.text
    assert state.api in on_the_api
    for page in pages:
        if state.page:
            assert page.status_code == 403
            assert state.page in page.text
        else:
            assert page.status_code == 200
            assert 'value="approve"' in page.text
    if state.page:
        assert (redeemed.status_code, redeemed.json()["error"]) == (400, "invalid_grant")
    else:
        assert redeemed.status_code == 200
    # Afterwards everything goes on, and nobody has to sign in again.
    assert person.compare() == [(200, None, None)] * 5
    assert server.whoami(refreshed.json()["access_token"]).status_code == 200
    assert person.client.refresh(refreshed.json()["refresh_token"]).status_code == 200
    assert 'value="approve"' in person.consent().text


@pytest.mark.parametrize("name", [name for name in STATES if STATES[name].page])
def test_c315_a_wrong_password_says_nothing_of_the_state(homeserver, server, neighbours, name):
    """Only who knows the password learns that an account is locked (C226)."""
    user = homeserver.new_user()
    STATES[name].enter(neighbours, user)
    browser = Browser(server)
    browser.get(server.url("sign-in"))

    page = browser.sign_in(user.localpart, "not the password")

    assert STATES[name].page not in page.text
    assert 'name="password"' in page.text


@pytest.mark.parametrize("name", [name for name in STATES if STATES[name].page])
def test_c315_consent_given_meanwhile_is_refused(homeserver, server, neighbours, name):
    """The state may change while somebody looks at the consent page (C179)."""
    user = homeserver.new_user()
    parameters, _ = server.client().request()
    browser = Browser(server)
    browser.authorize(parameters)
    browser.sign_in(user.localpart, user.password)
    STATES[name].enter(neighbours, user)

    page = browser.submit(decision="approve")

    assert page.status_code == 403
    assert STATES[name].page in page.text


def test_c315_a_locked_account_can_still_sign_out(homeserver, server, neighbours):
    """`/logout` is the one request that a locked account may make."""
    person = SignedIn.everywhere(homeserver, server, homeserver.new_user())
    lock(neighbours, person.user)

    out = server.api("POST", f"{V3}/logout", person.ours["access_token"])
    unlock(neighbours, person.user)

    assert out.status_code == 200
    assert server.whoami(person.ours["access_token"]).status_code == 401
    assert person.refresh().json()["error"] == "invalid_grant"


def test_c315_a_locked_account_tells_nobody_who_it_is(homeserver, server, neighbours):
    """Userinfo and a client that asks about the token learn that it does not work now."""
    user = homeserver.new_user()
    client = server.client()
    tokens = client.sign_in(user.localpart, user.password, scope="openid profile")
    lock(neighbours, user)

    refused = server.api("GET", f"{ISSUER_PATH}userinfo", tokens["access_token"])
    unlock(neighbours, user)
    again = server.api("GET", f"{ISSUER_PATH}userinfo", tokens["access_token"])

    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    assert again.json()["sub"] == user.user_id


@pytest.mark.parametrize("gone", [deactivate, erase])
def test_c101_c326_a_deactivated_account_has_nothing_left(homeserver, server, neighbours, gone):
    """Every session, browser and code is over, and stays over when the account comes back."""
    person = SignedIn.everywhere(homeserver, server, homeserver.new_user())
    pending = Browser(server)
    parameters, _ = person.client.request()
    pending.authorize(parameters)
    pending.sign_in(person.user.localpart, person.user.password)

    gone(neighbours, person.user)
    approved = pending.submit(decision="approve")
    refused = [person.redeem(), person.refresh()]
    on_the_api = person.compare()
    sign_in, consent = person.sign_in(), person.consent()
    reactivate(neighbours, person.user)
    revived = [person.redeem(), person.refresh()]

    assert "Location" not in approved.headers
    for answer in refused + revived:
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert on_the_api == [(401, "M_UNKNOWN_TOKEN", False)] * 5
    assert 'value="approve"' not in sign_in.text + consent.text
    assert person.compare() == on_the_api
    assert 'name="password"' in person.consent().text
    assert 'value="approve"' in person.sign_in().text


@pytest.mark.parametrize("racing", ["refresh", "redeem", "consent"])
def test_c317_a_race_with_a_deactivation_leaves_no_way_in(homeserver, server, neighbours, racing):
    """Whoever comes first: nothing works afterwards, nor when the account comes back."""
    for _ in range(3):
        person = SignedIn.everywhere(homeserver, server, homeserver.new_user())
        person.consent()
        act = {
            "refresh": person.refresh,
            "redeem": person.redeem,
            # Three tabs with the same page.
            "consent": lambda browser=person.browser: copy(browser).submit(decision="approve"),
        }[racing]
        with ThreadPoolExecutor(4) as pool:
            going = pool.submit(deactivate, neighbours, person.user)
            answers = [answer.result() for answer in [pool.submit(act) for _ in range(3)]]
            going.result()
        reactivate(neighbours, person.user)

        assert all(answer.status_code < 500 for answer in answers)
        assert sessions_of(homeserver, person.user) == []
        assert 'name="password"' in person.consent().text
        for answer in answers:
            if answer.status_code == 200 and "refresh_token" in answer.text:
                renewed = person.client.refresh(answer.json()["refresh_token"])
                assert renewed.json()["error"] == "invalid_grant"
                assert server.whoami(answer.json()["access_token"]).status_code == 401
            elif "code=" in answer.headers.get("Location", ""):
                code = person.browser.answer(answer)["code"]
                assert person.client.redeem(code, "v" * 43).json()["error"] == "invalid_grant"


def sessions_of(homeserver, user):
    """Return the living sessions of an account."""
    living = "SELECT session_id FROM nextgen_sessions WHERE user_id = ? AND ended_at IS NULL"
    return homeserver.query(living, user.user_id)


def test_c326_what_has_no_device_is_over_too(homeserver, server, neighbours):
    """A session that only told a client who somebody is ends with the account."""
    user = homeserver.new_user()
    client = server.client()
    tokens = client.sign_in(user.localpart, user.password, scope="openid")

    deactivate(neighbours, user)
    refused = server.api("GET", f"{ISSUER_PATH}userinfo", tokens["access_token"]).status_code
    reactivate(neighbours, user)

    assert refused == 401
    assert server.api("GET", f"{ISSUER_PATH}userinfo", tokens["access_token"]).status_code == 401
    assert client.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_c319_a_shadow_banned_person_sees_no_difference(homeserver, server, neighbours):
    """The same pages and the same answers, word for word, but for names and random values."""
    seen = []
    for banned in (False, True):
        user = homeserver.new_user()
        if banned:
            shadow_ban(neighbours, user)
        client, browser = server.client(), Browser(server)
        parameters, verifier = client.request()
        pages = [browser.authorize(parameters), browser.sign_in(user.localpart, user.password)]
        code = browser.answer(browser.submit(decision="approve"))["code"]
        tokens = client.redeem(code, verifier)
        refreshed = client.refresh(tokens.json()["refresh_token"])
        answers = [*pages, tokens, refreshed, server.whoami(tokens.json()["access_token"])]
        seen.append([(a.status_code, sorted(a.headers), blurred(a.text, user)) for a in answers])

    assert seen[0] == seen[1]


def test_c319_what_a_shadow_banned_person_sends_goes_nowhere(sqlite_homeserver):
    """Our token is as shadow-banned as its account: Synapse answers, and forgets."""
    server = Server(sqlite_homeserver.base_url)
    person = SignedIn.everywhere(sqlite_homeserver, server, sqlite_homeserver.new_user())
    token = person.ours["access_token"]
    heard = person.send(person.stock["access_token"]).json()["event_id"]
    shadow_ban(Neighbours(sqlite_homeserver), person.user)

    unheard = person.send(token).json()["event_id"]

    path = f"{V3}/rooms/{quote(person.room)}/event/"
    assert server.api("GET", f"{path}{heard}", token).status_code == 200
    assert server.api("GET", f"{path}{unheard}", token).status_code == 404


def blurred(text, user):
    """Take out of an answer what differs between any two people."""
    text = text.replace(user.localpart, "somebody")
    text = re.sub(r"TESTDEVICE[0-9A-F]{8}", "DEVICE", text)
    text = re.sub(r"ng[ar]_[\w-]{60}", "TOKEN", text)
    text = re.sub(r"You have [0-9]+ minutes? for this page", "TIME", text)
    return re.sub(r"[0-9a-f]{32}|[0-9]{10}\.[\w-]{43}", "RANDOM", text)


def test_c321_an_account_that_waits_for_approval_waits_with_us_too(homeserver, server, neighbours):
    """No tokens by any grant before, a normal sign-in after."""
    localpart = homeserver.new_user().localpart + "-waits"
    neighbours.registered(username=localpart, password="correct-horse")
    user = User(f"@{localpart}:{homeserver.server_name}", localpart, "correct-horse")
    client, browser = server.client(), Browser(server)
    parameters, verifier = client.request()
    browser.authorize(parameters)

    waiting = browser.sign_in(user.localpart, user.password)
    approve(neighbours, user)
    page = browser.authorize(parameters)
    code = browser.let_in(parameters, user.localpart, user.password)["code"]

    assert waiting.status_code == 403
    assert "Your account is waiting for approval" in waiting.text
    assert 'name="password"' in page.text, "nobody was signed in before"
    assert client.redeem(code, verifier).status_code == 200


@pytest.mark.parametrize("user_type", ["support", "bot"])
def test_special_accounts_sign_in_like_any_other(homeserver, server, neighbours, user_type):
    user = homeserver.new_user()
    neighbours.administer("PUT", user, {"user_type": user_type})

    person = SignedIn.everywhere(homeserver, server, user)

    assert person.compare() == [(200, None, None)] * 5
    assert person.refresh().status_code == 200
    assert person.redeem().status_code == 200


def test_c323_a_guest_gets_nothing_from_us(homeserver, server, neighbours):
    """Guests have a token of Synapse's own; it opens nothing of ours, and they cannot sign in."""
    url = f"{homeserver.base_url}{V3}/register?kind=guest"
    guest = requests.post(url, json={}, timeout=30).json()
    other = homeserver.new_user()
    homeserver.query(
        "UPDATE users SET password_hash ="
        " (SELECT password_hash FROM users WHERE name = ?) WHERE name = ?",
        other.user_id,
        guest["user_id"],
    )
    client, browser = server.client(), Browser(server)
    parameters, _ = client.request()
    browser.authorize(parameters)

    page = browser.sign_in(guest["user_id"], other.password)
    userinfo = server.api("GET", f"{ISSUER_PATH}userinfo", guest["access_token"])
    refreshed = client.refresh(guest["access_token"])
    revoked = server.revoke(token=guest["access_token"])
    whoami = server.whoami(guest["access_token"]).json()

    assert page.status_code == 403
    assert "Guests cannot do this" in page.text
    assert userinfo.status_code == 401
    assert refreshed.json()["error"] == "invalid_grant"
    assert revoked.status_code == 200
    assert whoami["is_guest"] is True


def test_c327_nobody_signs_in_as_an_account_of_a_bridge(homeserver, server, neighbours):
    """Even with the right password: the account belongs to a program."""
    user = neighbours.bridged(f"bridge_{homeserver.new_user().localpart}")
    parameters, _ = server.client().request()
    browser = Browser(server)
    browser.authorize(parameters)

    page = browser.sign_in(user.localpart, user.password)

    assert page.status_code == 403
    assert "This account belongs to a program" in page.text


def test_c325_the_spam_checker_is_asked_and_obeyed(homeserver, server, neighbours):
    """With the device, the client's name, the person's browser and address, as at `/login`."""
    user = homeserver.new_user()
    client, browser = server.client(), Browser(server)
    browser.http.headers["User-Agent"] = "Netscape Navigator"
    parameters, _ = client.request()
    browser.authorize(parameters)
    browser.sign_in(user.localpart, user.password)
    neighbours.add("blocked", user.user_id)

    page = browser.submit(decision="approve")
    ((device, name, request, provider),) = neighbours.calls("check_login_for_spam", user.user_id)

    assert page.status_code == 403
    assert "This sign-in was refused" in page.text
    assert device == parameters["scope"].rpartition(":")[2]
    assert name == "Test client"
    assert request[0] == "Netscape Navigator"
    assert request[1] in {"127.0.0.1", "::1"}
    assert provider is None


def test_c325_the_spam_checker_hears_the_name_that_the_device_gets(homeserver, server, neighbours):
    """A long name of a client is cut before, so that no module has to expect what `/login` refuses."""
    user = homeserver.new_user()
    client = server.client(web_client(client_name="n" * 2048))

    client.sign_in(user.localpart, user.password)
    ((_, name, _, _),) = neighbours.calls("check_login_for_spam", user.user_id)

    assert name == "n" * 99 + "…"


def test_c325_a_remembered_consent_does_not_get_around_it(homeserver, server, neighbours):
    """Where the consent page is left out, the spam checker is asked all the same."""
    user = homeserver.new_user()
    client, browser = server.client(CONFIDENTIAL), Browser(server)
    parameters, _ = client.request(scope="openid")
    first = browser.let_in(parameters, user.localpart, user.password)
    again, _ = client.request(scope="openid")
    remembered = browser.answer(browser.authorize(again))
    neighbours.add("blocked", user.user_id)
    blocked, _ = client.request(scope="openid")

    page = browser.authorize(blocked)
    silent, _ = client.request(scope="openid", prompt="none")
    silently = browser.answer(browser.authorize(silent))

    assert "code" in first
    assert "code" in remembered
    assert page.status_code == 403
    assert "This sign-in was refused" in page.text
    assert silently["error"] == "access_denied"
    assert "code" not in silently


CONFIDENTIAL = {
    "client_name": "Dashboard",
    "client_uri": "https://dashboard.example.org/",
    "redirect_uris": ["https://dashboard.example.org/callback"],
    "token_endpoint_auth_method": "client_secret_post",
}


LIMITS = {
    "disabled": {"hs_disabled": True, "hs_disabled_message": "Closed for today"},
    "full": {"limit_usage_by_mau": True, "max_mau_value": 0, "mau_trial_days": 0},
}


def test_c322_a_full_or_disabled_server_takes_nobody_in_and_loses_nobody(start_homeserver):
    """New sign-ins are told to come back, with a 503; a refresh works, never `invalid_grant`."""
    homeserver = start_homeserver()
    server = Server(homeserver.base_url)
    people = {
        name: SignedIn.everywhere(homeserver, server, homeserver.new_user()) for name in LIMITS
    }
    homeserver.query("DELETE FROM monthly_active_users")
    for name, limit in LIMITS.items():
        homeserver.config = limit
        homeserver.restart()
        person = people[name]

        sign_in, consent = person.sign_in(), person.consent()
        redeemed, refreshed = person.redeem(), person.refresh()
        stock = requests.post(
            f"{homeserver.base_url}{V3}/login",
            json={
                "type": "m.login.password",
                "identifier": {"type": "m.id.user", "user": person.user.localpart},
                "password": person.user.password,
            },
            timeout=30,
        )

        assert stock.json()["errcode"] == "M_RESOURCE_LIMIT_EXCEEDED"
        for page in (sign_in, consent):
            assert page.status_code == 503
            assert "The server takes nobody in just now" in page.text
        assert redeemed.status_code == 503
        assert redeemed.json()["error"] == "temporarily_unavailable"
        assert int(redeemed.headers["Retry-After"]) > 0
        assert refreshed.status_code == 200
        assert person.compare()[0] == (200, None, None)


TERMS = """<form method="post" action="consent">
<input type="hidden" name="v" value="{{ version }}"><input type="hidden" name="u" value="{{ user }}">
<input type="hidden" name="h" value="{{ userhmac }}"></form>"""


def with_terms(homeserver):
    """Return the settings of a homeserver whose terms people have to agree to."""
    folder = homeserver.directory / "terms" / "en"
    folder.mkdir(parents=True)
    (folder / "1.0.html").write_text(TERMS)
    (folder / "success.html").write_text("Thank you")
    (listener,) = homeserver.settings()["listeners"]
    shown = {**listener, "resources": [{"names": ["client", "consent"], "compress": False}]}
    terms = {
        "version": "1.0",
        "template_dir": str(folder.parent),
        "block_events_error": "Agree to the terms at %(consent_uri)s",
    }
    return {"listeners": [shown], "user_consent": terms}


def test_terms_that_nobody_agreed_to_yet(start_homeserver):
    """Sign-in and refresh go on; what Synapse refuses a stock token it refuses ours, until then."""
    homeserver = start_homeserver()
    server = Server(homeserver.base_url)
    person = SignedIn.everywhere(homeserver, server, homeserver.new_user())
    homeserver.config = with_terms(homeserver)
    homeserver.restart()

    pages = [person.sign_in(), person.consent()]
    refreshed, redeemed = person.refresh(), person.redeem()
    on_the_api = person.compare()
    refused = person.send(person.ours["access_token"])
    browser = requests.Session()
    terms = browser.get(refused.json()["consent_uri"], timeout=30).text
    form = dict(re.findall(r'name="(\w)" value="([^"]*)"', terms))
    browser.post(f"{homeserver.base_url}/_matrix/consent", data=form, timeout=30)

    assert [page.status_code for page in pages] == [200, 200]
    assert all('value="approve"' in page.text for page in pages)
    assert [refreshed.status_code, redeemed.status_code] == [200, 200]
    assert on_the_api[0] == (200, None, None)
    assert (403, "M_CONSENT_NOT_GIVEN", None) in on_the_api
    assert person.compare() == [(200, None, None)] * 5

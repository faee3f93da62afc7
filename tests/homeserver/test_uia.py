"""Interactive re-authentication with our tokens: passwords complete nothing, a page may (MSC4312)."""

import attrs
import pytest
import requests

from support.accounts import no_account
from support.keys import master_key, public_key
from support.oauth import API, DEVICE, Browser, device_id
from support.transactions import transactions

pytestmark = pytest.mark.every_release

V3 = "/_matrix/client/v3"
RESET = f"{V3}/keys/device_signing/upload"


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def tokens(client, user):
    return client.sign_in(user.localpart, user.password)


def password(user, session=None):
    stage = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user.localpart},
        "password": user.password,
    }
    return stage | ({"session": session} if session else {})


OPERATIONS = {
    "delete_devices": lambda other: ("POST", f"{V3}/delete_devices", {"devices": [other]}),
    "delete_device": lambda other: ("DELETE", f"{V3}/devices/{other}", {}),
    "password": lambda _: ("POST", f"{V3}/account/password", {"new_password": "battery-staple"}),
    "deactivate": lambda _: ("POST", f"{V3}/account/deactivate", {"erase": True}),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_c118_no_stage_completes_it_with_our_token(homeserver, server, user, tokens, name):
    """Nothing, a dummy, the right password, SSO, a session of a stock token: the same challenge."""
    other = homeserver.login(user)
    method, path, body = OPERATIONS[name](other["device_id"])
    begun = server.api(method, path, other["access_token"], json=body).json()["session"]
    ours = server.api(method, path, tokens["access_token"], json=body).json()["session"]
    attempts = [
        None,
        {},
        {"type": "m.login.dummy"},
        {"type": "m.login.dummy", "session": begun},
        {"type": "m.login.dummy", "session": ours},
        password(user),
        password(user, begun),
        password(user, ours),
        {"session": begun},
        {"session": ours},
        {"type": "m.login.sso", "session": begun},
        {"type": "m.login.sso", "session": ours},
        {"type": "m.oauth", "session": begun},
        {"type": "org.matrix.cross_signing_reset"},
    ]

    answers = [
        server.api(method, path, tokens["access_token"], json=body | {"auth": auth})
        for auth in attempts
    ]

    for answer in answers:
        assert answer.status_code == 401, answer.text
        assert answer.json()["flows"] == [{"stages": ["m.login.sso"]}]
        assert answer.json()["session"] == ours
        assert "errcode" not in answer.json(), "clients would take it for the end"
    assert server.whoami(other["access_token"]).status_code == 200
    assert server.whoami(tokens["access_token"]).status_code == 200
    assert homeserver.login(user)["device_id"], "the password is the same"


def test_c118_a_stage_done_with_a_stock_token_is_not_ours(homeserver, server, user, tokens):
    """A UIA session that a stock token completed does not pass for our token."""
    stock = homeserver.login(user)
    victim = homeserver.login(user)
    method, path, body = OPERATIONS["delete_device"](victim["device_id"])
    session = server.api(method, path, stock["access_token"], json=body).json()["session"]
    done = server.api(method, path, stock["access_token"], json={"auth": password(user, session)})
    again = homeserver.login(user, device_id=victim["device_id"])

    answer = server.api(method, path, tokens["access_token"], json={"auth": {"session": session}})

    assert done.status_code == 200
    assert answer.status_code == 401
    assert server.whoami(again["access_token"]).status_code == 200


def test_c118_a_stock_token_still_completes_it_with_its_password(homeserver, server, user):
    stock, other = homeserver.login(user), homeserver.login(user)
    method, path, body = OPERATIONS["delete_device"](other["device_id"])
    session = server.api(method, path, stock["access_token"], json=body).json()["session"]

    done = server.api(method, path, stock["access_token"], json={"auth": password(user, session)})

    assert done.status_code == 200
    assert server.whoami(other["access_token"]).status_code == 401


def test_the_first_identity_and_the_same_one_again_need_no_approval(server, user, tokens):
    """Setting up encryption asks nobody anything (MSC3967)."""
    keys = master_key(user.user_id)

    first = server.api("POST", RESET, tokens["access_token"], json=keys)
    same = server.api("POST", RESET, tokens["access_token"], json=keys)

    assert (first.status_code, same.status_code) == (200, 200)


@pytest.fixture
def reset(server, user, tokens):
    """Return a function that tries to replace the cryptographic identity of an account."""
    assert server.api("POST", RESET, tokens["access_token"], json=master_key(user.user_id)).ok
    wanted = public_key()

    def attempt(key=wanted, *, with_tokens=tokens, auth=None):
        body = master_key(user.user_id, key) | ({"auth": auth} if auth is not None else {})
        return server.api("POST", RESET, with_tokens["access_token"], json=body)

    return attempt


def look(browser, url, user):
    """Open the page of an approval, sign in if need be; return the page."""
    page = browser.get(url)
    if 'name="password"' in page.text:
        page = browser.sign_in(user.localpart, user.password)
    return page


def approve(browser, url, user, says="Reset your cryptographic identity?"):
    """Open the page of an approval, sign in and agree; return the last page."""
    page = look(browser, url, user)
    assert says in page.text, page.text
    return browser.submit(decision="approve")


def test_c299_the_reset_asks_for_an_approval_on_a_page(server, reset):
    """401 with both names of the stage, the page for each, and a session to come back with."""
    challenge = reset()
    body = challenge.json()
    (url,) = {param["url"] for param in body["params"].values()}

    assert challenge.status_code == 401
    assert body["flows"] == [
        {"stages": ["m.oauth"]},
        {"stages": ["org.matrix.cross_signing_reset"]},
    ]
    assert body["params"].keys() == {"m.oauth", "org.matrix.cross_signing_reset"}
    assert body["completed"] == []
    assert url.startswith(f"{server.issuer}approve?")
    assert body["session"]
    assert reset().json()["session"] == body["session"], "a repeated question is the same one"


def test_c299_an_approved_reset_succeeds_once(homeserver, server, client, user, tokens, reset):
    """The retry of any form works, with a refreshed token too; the next reset asks again."""
    key = public_key()
    challenge = reset(key)
    url = challenge.json()["params"]["m.oauth"]["url"]
    page = approve(Browser(server), url, user)
    renewed = client.refresh(tokens["refresh_token"]).json()
    auth = {"type": "m.oauth", "session": challenge.json()["session"]}

    done = reset(key, with_tokens=renewed, auth=auth)
    other = public_key()
    more = [reset(other, with_tokens=renewed, auth=auth), reset(other, with_tokens=renewed)]

    assert page.status_code == 200
    assert done.status_code == 200, done.text
    assert key in str(identity(server, user, renewed))
    assert [answer.status_code for answer in more] == [401, 401]
    assert key in str(identity(server, user, renewed))
    (kinds,) = zip(
        *homeserver.query(
            "SELECT kind FROM nextgen_events WHERE user_id = ? AND detail LIKE ?",
            user.user_id,
            "org.matrix.cross_signing_reset device %",
        ),
        strict=True,
    )
    assert kinds == ("operation_approved",)


@pytest.mark.parametrize("auth", [None, {}, {"type": "org.matrix.cross_signing_reset"}])
def test_c299_however_a_client_asks_again(server, user, reset, auth):
    """Some retry the same request, some name the stage, some the session."""
    url = reset().json()["params"]["org.matrix.cross_signing_reset"]["url"]
    approve(Browser(server), url, user)

    assert reset(auth=auth).status_code == 200


def test_c118_no_stage_completes_the_reset(server, user, tokens, reset):
    """Without the approval neither password nor dummy nor naming the stage will do."""
    before = identity(server, user, tokens)
    session = reset().json()["session"]
    attempts = [
        {"type": "m.login.dummy", "session": session},
        password(user, session),
        {"type": "m.oauth", "session": session},
        {"type": "org.matrix.cross_signing_reset", "session": session},
        {"session": session},
    ]

    answers = [reset(auth=auth) for auth in attempts]

    assert [answer.status_code for answer in answers] == [401] * len(attempts)
    assert identity(server, user, tokens) == before


def test_c299_another_session_cannot_use_the_approval(server, client, user, tokens, reset):
    """A stolen token of a second device finds nothing in the minutes after an approval."""
    thief = client.sign_in(user.localpart, user.password)
    challenge = reset()
    approve(Browser(server), challenge.json()["params"]["m.oauth"]["url"], user)
    auth = {"type": "m.oauth", "session": challenge.json()["session"]}

    stolen = [reset(with_tokens=thief), reset(with_tokens=thief, auth=auth)]

    assert [answer.status_code for answer in stolen] == [401, 401]
    assert stolen[0].json()["session"] != challenge.json()["session"]
    assert reset().status_code == 200


def test_c299_a_stock_token_cannot_use_it_either(homeserver, server, user, reset):
    stock = homeserver.login(user)
    challenge = reset()
    approve(Browser(server), challenge.json()["params"]["m.oauth"]["url"], user)
    auth = {"type": "m.oauth", "session": challenge.json()["session"]}

    assert reset(with_tokens=stock, auth=auth).status_code == 400
    assert reset(with_tokens=stock).json()["flows"] == [{"stages": ["m.login.password"]}]
    assert reset().status_code == 200


def test_c299_the_same_device_after_another_sign_in_asks_anew(server, client, user):
    """The approval belongs to the session, not to the name of its device."""
    scope = f"{API} {DEVICE}{device_id()}"
    first = client.sign_in(user.localpart, user.password, scope=scope)
    token = first["access_token"]
    server.api("POST", RESET, token, json=master_key(user.user_id))
    wanted = master_key(user.user_id)
    challenge = server.api("POST", RESET, token, json=wanted).json()
    approve(Browser(server), challenge["params"]["m.oauth"]["url"], user)

    second = client.sign_in(user.localpart, user.password, scope=scope)
    answer = server.api("POST", RESET, second["access_token"], json=wanted)

    assert answer.status_code == 401


def test_c299_a_refusal_ends_the_wait_of_the_client(homeserver, server, user, reset):
    """It hears of it once, in words; who only looks at the page has agreed to nothing either."""
    url = reset().json()["params"]["m.oauth"]["url"]
    browser = Browser(server)
    browser.get(url)
    browser.sign_in(user.localpart, user.password)
    looked = reset().status_code

    page = browser.submit(decision="cancel")
    late = browser.get(url)
    told, again = reset(), reset()

    assert looked == 401
    assert "Nothing was changed" in page.text
    assert late.status_code == 409, "another tab cannot approve it any more"
    assert (told.status_code, told.json()["errcode"]) == (403, "M_FORBIDDEN")
    assert "refused in the browser" in told.json()["error"]
    assert again.status_code == 401
    assert again.json()["params"]["m.oauth"]["url"] != url
    [[detail]] = homeserver.query(
        "SELECT detail FROM nextgen_events WHERE user_id = ? AND kind = ?",
        *(user.user_id, "operation_refused"),
    )
    assert detail.startswith("org.matrix.cross_signing_reset device ")


def test_c299_an_approval_is_given_once(server, user, reset):
    """A second click, or the link opened again, says that this is done."""
    url = reset().json()["params"]["m.oauth"]["url"]
    browser = Browser(server)
    approve(browser, url, user)

    again = browser.get(url)

    assert again.status_code == 409
    assert "This is already done" in again.text


def test_c301_somebody_elses_request_is_nobodys_business(homeserver, server, user, reset):
    """Another account sees neither the page nor whose it is, and cannot approve."""
    url = reset().json()["params"]["m.oauth"]["url"]
    other = homeserver.new_user()
    browser = Browser.of(server, other)

    page = browser.get(url)
    unknown = browser.get(url[:-1] + ("0" if url[-1] != "0" else "1"))

    assert page.status_code == 403
    assert user.localpart not in page.text
    assert unknown.status_code == 400
    assert reset().status_code == 401


def test_c302_a_locked_account_approves_nothing(homeserver, server, user, reset):
    """Its browser is still signed in, but its pages say that it is locked."""
    url = reset().json()["params"]["m.oauth"]["url"]
    browser = Browser.of(server, user)
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    path = f"/_synapse/admin/v2/users/{user.user_id}"
    server.api("PUT", path, admin, json={"locked": True})

    page = browser.get(url)
    server.api("PUT", path, admin, json={"locked": False})

    assert page.status_code == 403
    assert "This account is locked" in page.text
    assert reset().status_code == 401


def test_c302_an_account_that_is_not_there_approves_nothing(homeserver, server, user, reset):
    """Its browser is still signed in, and the request still waits."""
    url = reset().json()["params"]["m.oauth"]["url"]
    browser = Browser.of(server, user)

    with no_account(homeserver, user):
        page = browser.get(url)

    assert page.status_code == 403
    assert "It has been deactivated" in page.text
    assert reset().status_code == 401


def identity(server, user, tokens):
    """Return the cross-signing keys of an account."""
    body = {"device_keys": {user.user_id: []}}
    answer = server.api("POST", f"{V3}/keys/query", tokens["access_token"], json=body)
    return answer.json()["master_keys"]


# What is deleted, changed or ended


def test_a_retry_takes_at_most_one_transaction_more_than_with_a_stock_token(
    homeserver, server, user, tokens
):
    """The same request on the same devices: stock with its password, ours after the approval."""
    stock = homeserver.login(user)
    kept = [homeserver.login(user)["device_id"] for _ in range(2)]
    counts, path = [], f"{V3}/delete_devices"
    for token, its_id in zip((stock["access_token"], tokens["access_token"]), kept, strict=True):
        body = {"devices": [its_id]}
        challenge = server.api("POST", path, token, json=body).json()
        auth = password(user, challenge["session"])
        if token == tokens["access_token"]:
            auth = {"type": "m.login.sso", "session": challenge["session"]}
            look(browser := Browser(server), page_of(challenge), user)
            browser.submit(decision="approve")
        since = len(homeserver.log_text())
        done = server.api("POST", path, token, json=body | {"auth": auth})
        assert done.status_code == 200, done.text
        counts += transactions(homeserver, path, since=since, count=1)

    assert len(counts[1]) <= len(counts[0]) + 1, counts


def ask(server, tokens, name, other=""):
    """Send what has to be approved; return how to send it again, and the page to approve it on."""
    method, path, body = OPERATIONS[name](other)

    def send(auth=None, **changes):
        said = body | changes | ({"auth": auth} if auth is not None else {})
        return server.api(method, path, tokens["access_token"], json=said)

    answer = send()
    assert answer.status_code == 401, answer.text
    return send, answer.json()


def page_of(challenge):
    return challenge["params"]["m.login.sso"]["url"]


def fallback_of(server, challenge, release="v3", stage="m.login.sso"):
    base = server.base_url.rstrip("/")
    session = challenge["session"]
    return f"{base}/_matrix/client/{release}/auth/{stage}/fallback/web?session={session}"


def test_c299_devices_are_deleted_once_somebody_approved_it(homeserver, server, user, tokens):
    """The page names them; the same request passes once, and another list is another question."""
    first, second = homeserver.login(user), homeserver.login(user)
    server.api(
        "PUT",
        f"{V3}/devices/{first['device_id']}",
        first["access_token"],
        json={"display_name": "Old tablet"},
    )
    send, challenge = ask(server, tokens, "delete_devices", first["device_id"])
    both = [first["device_id"], second["device_id"]]
    browser = Browser(server)

    page = look(browser, fallback_of(server, challenge), user)
    approved = browser.submit(decision="approve")
    other = send(devices=both)
    done = send({"type": "m.login.sso", "session": challenge["session"]})
    fresh = homeserver.login(user, device_id=first["device_id"])
    again = send({"session": challenge["session"]})

    assert "Sign out this device?" in page.text
    assert "Old tablet" in page.text
    assert first["device_id"] in page.text
    assert second["device_id"] not in page.text
    assert "Test client" in page.text
    assert "approved.js" in approved.text
    assert other.status_code == 401
    assert other.json()["session"] != challenge["session"]
    assert done.status_code == 200, done.text
    assert server.whoami(first["access_token"]).status_code == 401
    assert server.whoami(second["access_token"]).status_code == 200
    assert again.status_code == 401
    assert server.whoami(fresh["access_token"]).status_code == 200


def test_a_device_that_vanished_meanwhile_is_named_as_gone(homeserver, server, user, tokens):
    """And one of another account is as good as gone: nobody learns anything about it (C301)."""
    vanished, left = homeserver.login(user), homeserver.login(user)
    somebody = homeserver.new_user()
    foreign = homeserver.login(somebody)
    path = f"{V3}/delete_devices"
    ids = [vanished["device_id"], left["device_id"], foreign["device_id"]]
    challenge = server.api("POST", path, tokens["access_token"], json={"devices": ids}).json()
    server.api("POST", f"{V3}/logout", vanished["access_token"], json={})
    browser = Browser(server)

    page = look(browser, page_of(challenge), user)
    browser.submit(decision="approve")
    done = server.api("POST", path, tokens["access_token"], json={"devices": ids})

    for gone in (vanished, foreign):
        assert f"<bdi>{gone['device_id']}</bdi> is not there any more" in page.text
    assert done.status_code == 200
    assert server.whoami(left["access_token"]).status_code == 401
    assert server.whoami(foreign["access_token"]).status_code == 200


@pytest.mark.parametrize("its_id", ["\\ud800", "a\\u0000b", "a" * 513])
def test_c214_nobody_is_asked_about_what_is_no_device_id(server, tokens, its_id):
    """Half a character, NUL, what is longer than any: a page could not show it, nor Synapse look."""
    url = f"{server.base_url.rstrip('/')}{V3}/delete_devices"
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    body = f'{{"devices": ["{its_id}"]}}'
    answer = requests.post(url, data=body, headers=headers, timeout=30)

    assert (answer.status_code, answer.json()["errcode"]) == (400, "M_INVALID_PARAM")


def test_nobody_is_asked_about_no_device(server, tokens):
    """Nothing would happen, so nothing needs an approval; without a list Synapse says what it lacks."""
    path, token = f"{V3}/delete_devices", tokens["access_token"]

    assert server.api("POST", path, token, json={"devices": []}).status_code == 200
    assert server.api("POST", path, token, json={}).status_code == 400
    assert server.api("POST", path, token, json={"devices": ["D"] * 2000}).status_code == 401
    too_many = [f"D{number}" for number in range(1001)]
    assert server.api("POST", path, token, json={"devices": too_many}).status_code == 413


def test_c299_a_password_that_was_approved_is_set(homeserver, server, user, tokens):
    """Another one is another question; no password is in any row, and other devices are signed out."""
    other = homeserver.login(user)
    send, challenge = ask(server, tokens, "password")
    page = look(browser := Browser(server), page_of(challenge), user)
    browser.submit(decision="approve")

    changed = send(new_password="another-battery")
    missing = server.api("POST", f"{V3}/account/password", tokens["access_token"], json={})
    rows = homeserver.query("SELECT * FROM nextgen_approvals WHERE user_id = ?", user.user_id)
    sessions = homeserver.query("SELECT clientdict, serverdict FROM ui_auth_sessions")
    done = send({"session": challenge["session"]})

    assert "Change your password?" in page.text
    assert "All your other devices are signed out" in page.text
    assert changed.status_code == 401
    assert (missing.status_code, missing.json()["errcode"]) == (400, "M_MISSING_PARAM")
    assert "battery" not in str(rows)
    assert "battery" not in str(sessions)
    assert done.status_code == 200, done.text
    assert server.whoami(other["access_token"]).status_code == 401
    assert server.whoami(tokens["access_token"]).status_code == 200
    assert homeserver.login(attrs.evolve(user, password="battery-staple"))["device_id"]


def test_c302_an_approved_deactivation_ends_everything(homeserver, server, client, user, tokens):
    """The page says that there is no way back, and what becomes of the messages."""
    browser = Browser.of(server, user)
    send, challenge = ask(server, tokens, "deactivate")

    page = browser.get(page_of(challenge))
    kept = server.api("POST", f"{V3}/account/deactivate", tokens["access_token"], json={})
    browser.submit(decision="approve")
    done = send({"session": challenge["session"]})

    assert "Deactivate your account for ever?" in page.text
    assert "There is no way back" in page.text
    assert "are hidden from people who join" in page.text
    assert kept.json()["session"] != challenge["session"], "not to erase is another question"
    assert done.status_code == 200, done.text
    assert server.whoami(tokens["access_token"]).status_code == 401
    assert client.refresh(tokens["refresh_token"]).status_code == 400
    assert homeserver.query(
        "SELECT COUNT(*) FROM nextgen_sessions WHERE user_id = ? AND ended_at IS NULL", user.user_id
    ) == [(0,)]


@pytest.mark.parametrize("release", ["r0", "v3", "unstable"])
def test_the_fallback_leads_to_the_page(server, user, reset, tokens, release):
    """Whatever stage a client opens; what is not ours is Synapse's own."""
    challenge = reset().json()
    url = challenge["params"]["m.oauth"]["url"]
    for stage in ("m.oauth", "org.matrix.cross_signing_reset", "m.login.sso"):
        answer = requests.get(
            fallback_of(server, challenge, release, stage), allow_redirects=False, timeout=30
        )
        assert (answer.status_code, answer.headers["Location"]) == (302, url)
    unknown = [
        requests.get(fallback_of(server, {"session": session}, release, stage), timeout=30)
        for stage in ("m.oauth", "m.login.sso", "m.login.nothing")
        for session in ("nobodys", "%00")
    ]

    assert [
        (a.status_code, a.url, a.text[:200]) for a in unknown if a.status_code not in {400, 404}
    ] == []


def test_c178_the_way_to_an_approval_keeps_the_window_that_opened_it(server, user, reset):
    """Every page on it, a message included; the same pages elsewhere do not."""
    url, browser = reset().json()["params"]["m.oauth"]["url"], Browser(server)
    opener = "Cross-Origin-Opener-Policy"

    pages = [browser.get(url)]
    wrong = browser.sign_in(user.localpart, "wrong")
    pages.append(wrong)
    pages.append(browser.http.post(wrong.url, data={"csrf": "x"}, timeout=30))  # a message
    pages.append(browser.sign_in(user.localpart, user.password))
    pages.append(browser.get(server.url(f"accounts?{url.partition('?')[2]}")))
    pages.append(browser.get(url + "0"))  # none that is ours, but
    browser.get(url)
    pages.append(browser.submit(decision="approve"))
    pages.append(browser.get(url))

    is_open = [page.headers[opener] for page in pages]
    assert is_open == ["unsafe-none"] * 5 + ["same-origin"] + ["unsafe-none"] * 2
    assert browser.get(server.url("sign-in")).headers[opener] == "same-origin"


def test_a_client_that_repeats_its_request_is_one_challenge(homeserver, server, user, reset):
    """Twice a second for two minutes: nothing is written while its person reads."""
    first = reset()
    before = rows_of(homeserver, user)

    again = [reset() for _ in range(8)]

    assert {answer.json()["session"] for answer in again} == {first.json()["session"]}
    assert rows_of(homeserver, user) == before
    assert len(before) == 1


def rows_of(homeserver, user):
    rows = homeserver.query("SELECT * FROM nextgen_approvals WHERE user_id = ?", user.user_id)
    return [tuple(row) for row in rows]


@pytest.fixture
def begun(server, user):
    """Return a function that opens our page of the reset, as a client's link does."""

    def open_page(action="org.matrix.cross_signing_reset"):
        browser = Browser.of(server, user)
        browser.get(server.url(f"account?action={action}"))
        return browser

    return open_page


@pytest.mark.parametrize("action", ["org.matrix.cross_signing_reset", "cross_signing_reset"])
def test_c299_a_reset_begun_on_our_page_is_for_the_one_device_there_is(
    homeserver, user, reset, begun, action
):
    """The one alone is chosen; it passes once, whatever its keys are, and is written down (MSC4191)."""
    homeserver.login(user)
    browser = begun(action)
    asked = browser.page.text

    page = browser.submit(decision="allow")
    first, second = public_key(), public_key()
    answers = [reset(first), reset(second)]

    assert "Only if nothing else is left" in asked
    assert page.status_code == 200, page.text
    assert "may be reset once" in page.text
    assert [answer.status_code for answer in answers] == [200, 401], answers[0].text
    assert homeserver.query(
        "SELECT kind FROM nextgen_events WHERE user_id = ? AND detail LIKE ?",
        *(user.user_id, "org.matrix.cross_signing_reset device %"),
    ) == [("operation_approved",)]


def test_c299_a_reset_begun_on_our_page_is_for_the_device_that_was_chosen(
    server, client, user, reset, begun
):
    """No other session finds anything in the minutes after it, nor does the chosen one for more."""
    mine = device_id()
    scope = f"{API} {DEVICE}{mine}"
    chosen = client.sign_in(user.localpart, user.password, scope=scope)
    browser = begun()
    asked = browser.page.text

    question = browser.get(server.url(f"account-identity-reset?id={mine}"))
    page = browser.submit(decision="allow")
    stolen = [reset(), reset(auth={"type": "m.oauth"})]
    deleting = server.api(
        "POST", f"{V3}/delete_devices", chosen["access_token"], json={"devices": [mine]}
    )

    assert "On which device will you do it?" in asked
    assert f"account-identity-reset?id={mine}" in asked
    assert 'value="allow"' not in asked, "nothing is chosen"
    assert mine in question.text
    assert page.status_code == 200
    assert [answer.status_code for answer in stolen] == [401, 401]
    assert deleting.status_code == 401
    assert reset(with_tokens=chosen).status_code == 200


def test_c299_where_a_device_asks_already_our_page_shows_its_request(reset, begun):
    """Also when it asked between the look and the press: then nothing else is allowed."""
    browser = begun()
    url = reset().json()["params"]["m.oauth"]["url"]

    pressed = browser.submit(decision="allow")
    again = begun()

    assert (pressed.url, again.page.url) == (url, url)
    assert reset(public_key()).status_code == 401
    assert browser.submit(decision="approve").status_code == 200
    assert reset().status_code == 200


def test_only_devices_of_ours_can_be_allowed_to_reset(homeserver, server, user, begun):
    """A legacy one is told how it is done there; one that is gone, or another's, is none."""
    legacy = homeserver.login(user)["device_id"]
    browser = begun()
    shown = browser.page

    gone = browser.get(server.url(f"account-identity-reset?id={legacy}"))

    assert "Begin in the application itself" in shown.text
    assert 'value="allow"' not in shown.text
    assert gone.status_code == 404
    assert 'value="allow"' not in gone.text

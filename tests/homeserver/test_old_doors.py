"""The ways in that ask for no second factor: closed for accounts that have one, each by its name."""

import json
import time

import pytest
import requests

from support import gatekeeper
from support.oauth import Browser, Server
from support.synapse import Homeserver, User
from support.television import Television
from synapse_nextgen_auth.secret import digest

V3 = "/_matrix/client/v3"
GET_TOKEN = "/_matrix/client/v1/login/get_token"
WHY = "This account signs in with a second factor, which this app cannot ask for."
WAITS_AT = "http://localhost:40123/sso"
BRIDGE = {
    "id": "bridge",
    "url": None,
    "as_token": "the-token-of-a-bridge",
    "hs_token": "the token of its homeserver",
    "sender_localpart": "bridgebot",
    "namespaces": {"users": [{"exclusive": False, "regex": "@.*"}]},
}

pytestmark = [pytest.mark.one_database, pytest.mark.every_release]


def make(directory, database, **factors):
    """Return a homeserver with every old door that there is, not started yet."""
    bridge = directory / "bridge.yaml"
    bridge.write_text(json.dumps(BRIDGE))
    homeserver = Homeserver(
        directory,
        database,
        module={"factors": {"policy": "optional", **factors}},
        config={
            "app_service_config_files": [str(bridge)],
            "jwt_config": {"enabled": True, "secret": "s" * 32, "algorithm": "HS256"},
            "login_via_existing_session": {"enabled": True, "require_ui_auth": False},
            "enable_registration": True,
            "enable_registration_without_verification": True,
            "email": {"smtp_host": "localhost", "smtp_port": 1, "notif_from": "x <x@example.com>"},
            "ui_auth": {"session_timeout": "5m"},
        },
    )
    gatekeeper.copy_to(homeserver)
    return homeserver


@pytest.fixture(scope="module")
def doors(tmp_path_factory, make_database):
    """Yield a homeserver where such sign-ins are refused, as is the default."""
    directory = tmp_path_factory.mktemp("homeserver-doors")
    with make(directory, make_database("sqlite", directory)) as homeserver:
        yield homeserver


@pytest.fixture(scope="module")
def lenient(tmp_path_factory, make_database):
    """Yield one where they pass and owners are told; guards must have a factor in a week."""
    directory = tmp_path_factory.mktemp("homeserver-lenient")
    guards = [{"matching": "@guard.*:localhost", "rule": "required"}]
    rules = {"legacy_logins": "warn", "accounts": guards, "grace_period": "7d"}
    with make(directory, make_database("sqlite", directory), **rules) as homeserver:
        yield homeserver


@pytest.fixture(scope="module")
def strict(tmp_path_factory, make_database):
    """Yield one where everybody must have a factor, now."""
    directory = tmp_path_factory.mktemp("homeserver-strict")
    with make(directory, make_database("sqlite", directory), policy="required") as homeserver:
        yield homeserver


@pytest.fixture
def server(doors):
    return Server(doors.base_url)


@pytest.fixture
def user(doors):
    """Return somebody who has an authenticator app since a moment ago."""
    return with_app(doors, doors.new_user())


def with_app(homeserver, user):
    homeserver.query(
        "INSERT INTO nextgen_totp_apps (app_id, user_id, secret, name, made_at, confirmed_at)"
        " VALUES (?, ?, 'sealed', 'Phone', 1, 1)",
        *(f"app of {user.localpart}", user.user_id),
    )
    return user


def without_app(homeserver, user):
    homeserver.query("DELETE FROM nextgen_totp_apps WHERE user_id = ?", user.user_id)


def login(homeserver, **request):
    headers = request.pop("headers", None)
    url = f"{homeserver.base_url}{V3}/login"
    return requests.post(url, json=request, headers=headers, timeout=30)


def who(user, name=None):
    return {"identifier": {"type": "m.id.user", "user": name or user.localpart}}


def by_password(homeserver, user):
    return login(homeserver, type="m.login.password", password=user.password, **who(user))


def by_other_letters(homeserver, user):
    loud = who(user, f"@{user.localpart.upper()}:localhost")
    return login(homeserver, type="m.login.password", password=user.password, **loud)


def by_address(homeserver, user):
    address = f"{user.localpart}@example.com"
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        *(user.user_id, address),
    )
    identifier = {"type": "m.id.thirdparty", "medium": "email", "address": address}
    request = {"type": "m.login.password", "password": user.password}
    return login(homeserver, identifier=identifier, **request)


def by_provider(homeserver, user):
    """The login type of a module of somebody else."""
    answers = {"passphrase": gatekeeper.SECRET, "otp": gatekeeper.CODE, "floor": "3"}
    return login(homeserver, type=gatekeeper.OTP, **answers, **who(user))


def by_jwt(homeserver, user):
    from jwt import encode  # noqa: PLC0415

    token = encode({"sub": user.localpart}, "s" * 32, algorithm="HS256")
    return login(homeserver, type="org.matrix.login.jwt", token=token)


def by_foreign_token(homeserver, user):
    """A login token that no page of ours gave out."""
    now = int(time.time() * 1000)
    homeserver.query(
        "INSERT INTO login_tokens (token, user_id, expiry_ts) VALUES (?, ?, ?)",
        *(f"token {user.localpart} {now}", user.user_id, now + 120_000),
    )
    return login(homeserver, type="m.login.token", token=f"token {user.localpart} {now}")


DOORS = [by_password, by_other_letters, by_address, by_provider, by_jwt, by_foreign_token]


@pytest.mark.parametrize("door", DOORS)
def test_c293_no_old_way_in_leads_past_the_factor(doors, user, door):
    """Each is open before there is one, and says where to go then."""
    without_app(doors, user)
    before = door(doors, user)
    with_app(doors, user)
    doors.query("DELETE FROM user_threepids WHERE user_id = ?", user.user_id)

    answer = door(doors, user)

    assert before.status_code == 200, before.text
    assert answer.status_code == 403
    assert answer.json()["errcode"] == "M_FORBIDDEN"
    assert answer.json()["error"].startswith(WHY)
    assert Server(doors.base_url).url("account") in answer.json()["error"]
    devices = "SELECT COUNT(*) FROM access_tokens WHERE user_id = ?"
    assert doors.query(devices, user.user_id) == [(1,)], "the one from before stays"
    token = before.json()["access_token"]
    assert Server(doors.base_url).whoami(token).status_code == 200


def test_nobody_learns_without_the_password_who_has_a_factor(doors, user):
    """As the answer to a wrong one, of whoever."""
    guess = User(user.user_id, user.localpart, "wrong")
    other = doors.new_user()
    answers = [
        by_password(doors, guess),
        by_password(doors, User(other.user_id, other.localpart, "x")),
    ]

    assert answers[0].status_code == answers[1].status_code == 403
    assert answers[0].json() == answers[1].json()


def test_c293_single_sign_on_leads_to_the_pages_that_ask(doors, server, user):
    """`m.login.sso`: who proved one thing there is asked for the other."""
    browser = Browser(server)
    begin_single_sign_on(server, browser)

    page = browser.sign_in(user.localpart, user.password)

    assert "/factor?attempt=" in page.url
    assert signed_in(doors, user) == 0


def signed_in(homeserver, user):
    found = homeserver.query(
        "SELECT COUNT(*) FROM nextgen_browsers WHERE user_id = ?", user.user_id
    )
    return found[0][0]


def begin_single_sign_on(server, browser):
    begun = browser.http.get(
        f"{server.base_url}{V3}/login/sso/redirect",
        params={"redirectUrl": WAITS_AT},
        allow_redirects=False,
        timeout=30,
    )
    return browser.get(begun.headers["Location"])


def proved_two(homeserver, browser):
    homeserver.query(
        "UPDATE nextgen_browsers SET level = 2, signed_in_at = ? WHERE digest = ?",
        *(int(time.time()), digest(browser.secret)),
    )


def test_c295_a_browser_from_before_lets_no_old_client_in(doors, server):
    """Nor does its page stay good that was shown before the account had a factor."""
    user = doors.new_user()
    browser = Browser.of(server, user)
    begin_single_sign_on(server, browser)
    with_app(doors, user)

    refused = browser.submit(decision="approve")
    proved_two(doors, browser)
    begin_single_sign_on(server, browser)
    allowed = browser.submit(decision="approve")

    assert "/sign-in?legacy=" in refused.url
    token = allowed.headers["Location"].partition("loginToken=")[2]
    assert login(doors, type="m.login.token", token=token).status_code == 200


def test_c295_a_browser_from_before_lets_nothing_in(doors, server, client_of):
    """No application, with and without a question, and no device."""
    user = doors.new_user()
    browser = Browser.of(server, user)
    parameters, _ = client_of.request(scope="openid")
    shown = browser.authorize(parameters)
    with_app(doors, user)

    refused = browser.submit(decision="approve")
    again = browser.sign_in(user.localpart, user.password)
    silent, _ = client_of.request(scope="openid", prompt="none")

    assert "/consent?grant=" in shown.url
    assert "/sign-in?grant=" in refused.url
    assert "/factor?attempt=" in again.url
    assert browser.answer(browser.authorize(silent))["error"] == "consent_required"


def test_c295_a_browser_from_before_signs_no_device_in(doors, server):
    """Neither is the question shown, nor does the one that was shown before still let it in."""
    user = doors.new_user()
    television = Television.begin(server)
    browser = Browser.of(server, user)
    browser.get(server.url("link"))
    asked = browser.submit(user_code=television.user_code)
    with_app(doors, user)

    refused = browser.submit(decision="approve", confirm="yes", account=user.user_id)
    waits = television.poll()
    proved_two(doors, browser)
    browser.get(asked.url)
    browser.submit(decision="approve", confirm="yes", account=user.user_id)

    assert "/device?grant=" in asked.url
    assert "/sign-in?device=" in refused.url
    assert waits.json()["error"] == "authorization_pending"
    # Polled too soon is slowed down; the row says that it was let in.
    assert doors.query(
        "SELECT COUNT(*) FROM nextgen_device_grants WHERE user_id = ? AND approved_at IS NOT NULL",
        user.user_id,
    ) == [(1,)]


@pytest.fixture
def client_of(server):
    return server.client()


def legacy_of(homeserver, user):
    """Return a session from before the account had a factor."""
    without_app(homeserver, user)
    found = homeserver.login(user)
    with_app(homeserver, user)
    return found


OPERATIONS = {
    "delete_devices": ("POST", f"{V3}/delete_devices", {"devices": ["OTHER"]}),
    "delete_device": ("DELETE", f"{V3}/devices/OTHER", {}),
    "password": ("POST", f"{V3}/account/password", {"new_password": "battery-staple"}),
    "deactivate": ("POST", f"{V3}/account/deactivate", {}),
    "login_token": ("POST", GET_TOKEN, {}),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_c293_no_password_that_is_typed_into_an_app_confirms_anything(
    doors, server, user, operation
):
    """User-Interactive Authentication: a session from before the factor goes to the browser."""
    legacy = legacy_of(doors, user)
    method, path, body = OPERATIONS[operation]
    typed = {"type": "m.login.password", "password": user.password, **who(user)}

    def ask(**auth):
        body_of = body | ({"auth": auth} if auth else {})
        return server.api(method, path, legacy["access_token"], json=body_of)

    asked = ask()
    again = ask(**typed, session=asked.json()["session"])

    for answer in (asked, again):
        assert answer.status_code == 401, answer.text
        assert answer.json()["flows"] == [{"stages": ["m.login.sso"]}]
        assert "/approve?request=" in answer.json()["params"]["m.login.sso"]["url"]
    assert server.whoami(legacy["access_token"]).status_code == 200
    tokens = "SELECT COUNT(*) FROM login_tokens WHERE user_id = ?"
    assert doors.query(tokens, user.user_id) == [(0,)]


def test_c295_a_browser_from_before_approves_nothing(doors, server):
    """What a session asks for waits until its person proved the factor."""
    user = doors.new_user()
    browser = Browser.of(server, user)
    legacy = legacy_of(doors, user)
    body = {"devices": ["OTHER"]}
    asked = server.api("POST", f"{V3}/delete_devices", legacy["access_token"], json=body)
    url = asked.json()["params"]["m.login.sso"]["url"]

    page = browser.get(url)
    proved_two(doors, browser)

    assert "/sign-in?request=" in page.url
    assert "/approve?request=" in browser.get(url).url
    browser.submit(decision="approve")
    answer = server.api("POST", f"{V3}/delete_devices", legacy["access_token"], json=body)
    assert answer.status_code == 200


def test_c293_a_login_token_that_was_approved_with_the_factor_works(doors, server):
    """`login_via_existing_session`, confirmed on the page by somebody who proved two things."""
    user = doors.new_user()
    browser = Browser.of(server, user)
    legacy = legacy_of(doors, user)
    asked = server.api("POST", GET_TOKEN, legacy["access_token"], json={})
    proved_two(doors, browser)
    browser.get(asked.json()["params"]["m.login.sso"]["url"])
    browser.submit(decision="approve")

    given = server.api("POST", GET_TOKEN, legacy["access_token"], json={})

    assert given.status_code == 200, given.text
    token = given.json()["login_token"]
    assert login(doors, type="m.login.token", token=token).status_code == 200


def forget_password(homeserver, user):
    """Set a password with a mailbox alone, as apps without a browser do; return the answer."""
    address, sid = f"{user.localpart}@example.com", f"sid{user.localpart}"
    homeserver.query("DELETE FROM user_threepids WHERE user_id = ?", user.user_id)
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        *(user.user_id, address),
    )
    homeserver.query(
        "INSERT INTO threepid_validation_session"
        " (session_id, medium, address, client_secret, last_send_attempt, validated_at)"
        " VALUES (?, 'email', ?, 'secret', 1, ?)",
        *(sid, address, int(time.time() * 1000)),
    )
    url = f"{homeserver.base_url}{V3}/account/password"
    begun = requests.post(url, json={"new_password": "battery-staple"}, timeout=30).json()
    proof = {"sid": sid, "client_secret": "secret"}
    auth = {"type": "m.login.email.identity", "threepid_creds": proof, "session": begun["session"]}
    body = {"auth": auth, "new_password": "battery-staple"}
    return requests.post(url, json=body, timeout=30)


def test_c293_a_mailbox_alone_sets_no_password(doors, user):
    """`/account/password` without a token; it goes on for whoever has no factor."""
    other = doors.new_user()
    answer = forget_password(doors, user)

    assert answer.status_code == 403, answer.text
    assert answer.json()["errcode"] == "M_FORBIDDEN"
    assert answer.json()["error"].startswith(WHY)
    without_app(doors, user)
    assert by_password(doors, user).status_code == 200, "the password is the same"
    assert forget_password(doors, other).status_code == 200
    assert by_password(doors, other).status_code == 403


def test_c293_who_reads_the_mailbox_of_the_codes_sets_no_password_by_it(lenient):
    """However lenient the operator is: with the next code to it, one mailbox would be two factors."""
    user = lenient.new_user()
    lenient.query(
        "INSERT INTO nextgen_factor_mail (user_id, address, made_at) VALUES (?, ?, 1)",
        *(user.user_id, f"{user.localpart}@example.com"),
    )

    answer = forget_password(lenient, user)

    assert answer.status_code == 403, answer.text
    assert answer.json()["error"].startswith(WHY)
    assert told(lenient, user) == []
    assert by_password(lenient, user).status_code == 200, "the password is the same"


def test_where_no_factor_is_asked_for_a_mailbox_of_before_refuses_no_password(
    tmp_path, make_database
):
    """Who had codes sent before `factors.policy` was switched off signs in with the password alone."""
    with make(tmp_path, make_database("sqlite", tmp_path), policy="off") as homeserver:
        user = homeserver.new_user()
        homeserver.query(
            "INSERT INTO nextgen_factor_mail (user_id, address, made_at) VALUES (?, ?, 1)",
            *(user.user_id, f"{user.localpart}@example.com"),
        )

        assert forget_password(homeserver, user).status_code == 200


def test_application_services_and_administrators_are_no_people(doors, server, user):
    """A bridge signs in as its users, an administrator as anybody: both prove other things."""
    headers = {"Authorization": f"Bearer {BRIDGE['as_token']}"}
    bridged = login(doors, type="m.login.application_service", headers=headers, **who(user))
    admin = doors.login(doors.new_user(admin=True))["access_token"]
    path = f"/_synapse/admin/v1/users/{user.user_id}/login"

    as_user = server.api("POST", path, admin, json={})

    assert bridged.status_code == 200, bridged.text
    assert as_user.status_code == 200, as_user.text


def registered(homeserver, name, **more):
    body = {"username": name, "password": "correct-horse", "auth": {"type": "m.login.dummy"}}
    url = f"{homeserver.base_url}{V3}/register"
    answer = requests.post(url, json=body | more, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_c293_a_new_account_that_needs_a_factor_gets_no_session(strict):
    """It is made, and signs in in the browser, where it sets one up."""
    made = registered(strict, "newcomer")

    assert made["user_id"] == "@newcomer:localhost"
    assert "access_token" not in made
    assert (
        by_password(strict, User(made["user_id"], "newcomer", "correct-horse")).status_code == 403
    )
    browser = Browser(Server(strict.base_url))
    browser.get(browser.server.url("sign-in"))
    assert "/factor-enrol?attempt=" in browser.sign_in("newcomer", "correct-horse").url


def test_a_new_account_that_needs_none_gets_one(doors):
    assert registered(doors, "newcomer")["access_token"]


def test_c293_whoever_must_have_a_factor_and_has_none_gets_in_nowhere(strict):
    """By no old way, whoever never set one up."""
    user = strict.new_user()

    answers = [door(strict, user) for door in DOORS]

    assert {answer.status_code for answer in answers} == {403}


def told(homeserver, user):
    return homeserver.query(
        "SELECT kind, detail FROM nextgen_events WHERE user_id = ? AND kind = 'factor_skipped'",
        user.user_id,
    )


def test_where_the_operator_lets_them_the_owner_is_told(lenient):
    """Each time, and by which way; nobody is told of an account without a factor."""
    user, other = with_app(lenient, lenient.new_user()), lenient.new_user()

    assert by_password(lenient, user).status_code == 200
    assert by_jwt(lenient, user).status_code == 200
    assert by_password(lenient, other).status_code == 200
    assert told(lenient, user) == [
        ("factor_skipped", "m.login.password"),
        ("factor_skipped", "org.matrix.login.jwt"),
    ]
    assert told(lenient, other) == []


def test_who_must_have_one_is_given_time_from_the_first_sign_in_on(lenient):
    """Also when that was an old one; then each is one too many."""
    guard, user = lenient.register_user("guard"), lenient.new_user()
    since = "SELECT since FROM nextgen_factor_owed WHERE user_id = ?"
    lenient.login(guard)
    lenient.login(user)
    ((began,),) = lenient.query(since, guard.user_id)

    assert abs(began - time.time()) < 60
    assert lenient.query(since, user.user_id) == []
    assert told(lenient, guard) == []
    lenient.query(
        "UPDATE nextgen_factor_owed SET since = ? WHERE user_id = ?",
        *(began - 7 * 24 * 3600, guard.user_id),
    )
    lenient.login(guard)
    assert told(lenient, guard) == [("factor_skipped", "m.login.password")]


def test_c293_every_process_has_its_doors_closed(homeserver_with_worker):
    """A worker that serves `/login` and the deletion of devices knows of a factor at once."""
    homeserver = homeserver_with_worker
    worker, user = homeserver.workers["worker1"], homeserver.new_user()
    server = Server(worker.base_url)
    legacy = by_password(worker, user)
    with_app(homeserver, user)

    refused = by_password(worker, user)
    asked = server.api(
        *("POST", f"{V3}/delete_devices", legacy.json()["access_token"]),
        json={"devices": ["OTHER"]},
    )

    assert legacy.status_code == 200, legacy.text
    assert refused.status_code == 403
    assert refused.json()["error"].startswith(WHY)
    assert asked.json()["flows"] == [{"stages": ["m.login.sso"]}]

"""Requests that take a fresh or a stronger sign-in, on the main process and a worker (MSC4363)."""

import re
import time

import pytest
import requests
from pyotp import TOTP

from support.admin_api import MAS_ADMIN, ROOT
from support.oauth import ADMIN, API, DEVICE, Browser, Server, claims, device_id
from support.personal_tokens import make_token
from support.redis import RedisServer
from support.step_up import (
    TWO,
    gets_a_second_factor,
    loses_the_second_factor,
    proved,
    with_two_factors,
)
from support.synapse import Homeserver

V3 = "/_matrix/client/v3"
PREFIX = "org.matrix.msc4363."
MESSAGE = "This request takes a stronger or more recent sign-in"
BEGINS = f'Bearer error="insufficient_user_authentication", error_description="{MESSAGE}"'
REQUESTS = [
    {"path": "admin_api", "factors": 2, "max_age": "10m"},
    {"path": f"{V3}/user/*/filter/**", "methods": ["POST"], "factors": 2},
    {"path": "/_matrix/client/*/rooms/*/state/m.room.topic", "max_age": "5m"},
    {"path": f"{V3}/delete_devices", "factors": 2},
    {"path": f"{V3}/createRoom", "methods": ["POST"], "factors": 2},
    {"path": "/_matrix/client/*/logout"},
    {"path": "/_matrix/client/*/refresh"},
]
REQUESTS[-1]["factors"] = REQUESTS[-2]["factors"] = 2

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, make_database):
    """Yield a homeserver with one worker that protects a few requests."""
    directory = tmp_path_factory.mktemp("homeserver-guarded")
    redis = RedisServer()
    homeserver = Homeserver(
        directory,
        make_database("postgres", directory),
        module={
            "factors": {"policy": "optional", "legacy_logins": "allow"},
            "step_up": {"requests": REQUESTS},
        },
        config={"refreshable_access_token_lifetime": "5m"},
        redis=redis.start(),
    )
    try:
        homeserver.start()
        homeserver.add_worker()
        yield homeserver
    finally:
        homeserver.stop()
        redis.stop()


@pytest.fixture
def everywhere(guarded):
    """Return the main process, and the worker."""
    return [Server(guarded.base_url), Server(guarded.workers["worker1"].base_url)]


@pytest.fixture
def main(everywhere):
    return everywhere[0]


class Application:
    """A client of one device, whose person has two factors."""

    def __init__(self, homeserver, *, admin=False):
        self.homeserver, self.server = homeserver, Server(homeserver.base_url)
        self.client, self.person = self.server.client(), homeserver.new_user(admin=admin)
        self.browser = with_two_factors(homeserver, self.server, self.person)
        self.scope = f"{API} {DEVICE}{device_id()}" + (f" {ADMIN}" if admin else "")
        self.tokens = None

    def sign_in(self, *, level=1, ago=0, **asked):
        """Let the application in by a sign-in like this; return its access token.

        Nobody lets anything in with one factor who has two: they got the second one after that.
        """
        loses_the_second_factor(self.homeserver, self.person)
        try:
            return self.let_in(level=level, ago=ago, **asked)
        finally:
            gets_a_second_factor(self.homeserver, self.person)

    def let_in(self, *, level, ago, **asked):
        proved(self.homeserver, self.browser, level=level, ago=ago)
        parameters, verifier = self.client.request(scope=self.scope, **asked)
        page = self.browser.authorize(parameters)
        page = self.browser.submit(decision="approve") if page.status_code == 200 else page
        answer = self.client.redeem(self.browser.answer(page)["code"], verifier)
        assert answer.status_code == 200, answer.text
        self.tokens = answer.json()
        return self.tokens["access_token"]


@pytest.fixture
def app(guarded):
    return Application(guarded)


def challenged(answer):
    """Return what an answer asks for, after a look at both ways of saying it."""
    assert answer.status_code == 401, answer.text
    said, header = answer.json(), answer.headers["WWW-Authenticate"]
    assert said.pop("errcode") == f"{PREFIX}M_INSUFFICIENT_USER_AUTHENTICATION"
    assert said.pop("error") == MESSAGE
    fields = {name.removeprefix(PREFIX): value for name, value in said.items()}
    assert all(name.startswith(PREFIX) for name in said)
    assert header == BEGINS + "".join(f', {name}="{value}"' for name, value in fields.items())
    return fields


def filtering(server, user, token):
    return server.api("POST", f"{V3}/user/{user.user_id}/filter", token, json={})


def test_a_session_of_one_factor_is_told_what_to_ask_for(everywhere, app):
    """The same on each process, at the first request and when the session is in memory."""
    token = app.sign_in()

    for server in everywhere:
        for _ in range(3):
            assert challenged(filtering(server, app.person, token)) == {"acr_values": TWO}
            assert server.whoami(token).status_code == 200


def test_what_the_challenge_says_leads_to_a_token_that_is_enough(everywhere, app):
    """Round once: challenge, sign-in, request; and a refresh gives the former level back."""
    first = app.sign_in(ago=1000)
    asked = challenged(filtering(everywhere[0], app.person, first))

    second = app.sign_in(level=2, **asked)

    for server in everywhere:
        assert filtering(server, app.person, second).status_code == 200
        assert server.whoami(first).status_code == 401
    renewed = app.client.refresh(app.tokens["refresh_token"]).json()["access_token"]
    for server in everywhere:
        assert challenged(filtering(server, app.person, renewed)) == {"acr_values": TWO}
        assert filtering(server, app.person, second).status_code == 200
        assert server.whoami(renewed).json()["device_id"] == app.scope.rpartition(":")[2]


def test_a_session_that_began_with_two_factors_keeps_them(everywhere, app):
    app.sign_in(level=2)
    renewed = app.client.refresh(app.tokens["refresh_token"]).json()["access_token"]

    assert [filtering(each, app.person, renewed).status_code for each in everywhere] == [200] * 2


def test_a_personal_token_is_one_factor_whatever_made_it(guarded, everywhere):
    """It lies in a file: whoever has that has one thing, for as long as the token is good."""
    person = guarded.new_user()
    browser = with_two_factors(guarded, everywhere[0], person)
    proved(guarded, browser, level=2)
    token = make_token(browser, may_whole="on", device="new")
    answers = [filtering(server, person, token) for server in everywhere]

    assert [challenged(answer)["acr_values"] for answer in answers] == [TWO] * 2
    assert all(server.whoami(token).status_code == 200 for server in everywhere)


@pytest.mark.parametrize(
    "path", ["state/m.room.topic", "state/m%2Eroom.topic", "state/m.room.topic/"]
)
def test_c297_a_proof_grows_old(everywhere, app, path):
    """However the path is spelled, and however often the session is used."""
    fresh = app.sign_in()
    path = f"/_matrix/client/r0/rooms/!nowhere:localhost/{path}"
    allowed = [each.api("GET", path, fresh).status_code for each in everywhere]
    app.sign_in(ago=400)
    old = app.tokens["access_token"]

    assert allowed == [403, 403]
    for server in everywhere:
        assert server.whoami(old).status_code == 200
        assert challenged(server.api("GET", path, old)) == {"max_age": 300}


# Other ways to write the path of a request, and whether Synapse takes them.
WRITTEN = [
    ("POST", "client/r0/createRoom", True),
    ("POST", "client/api/v1/createRoom", True),
    ("POST", "client/unstable/createRoom", True),
    ("PUT", "client/v3/createRoom/transaction", True),
    ("PUT", "client/api/v1/createRoom/transaction", True),
    ("POST", "client/v3/createRoom?x=/logout", True),
    ("PUT", "client/v3/createRoom/", True),
    ("POST", "client/v3/%63reateRoom", False),
    ("POST", "client/api%2Fv1/createRoom", False),
    ("POST", "client//v3/createRoom", False),
    ("POST", "client/v3//createRoom", False),
    ("POST", "/client/v3/createRoom", False),
    ("POST", "client/v3/./createRoom", False),
    ("POST", "client/v3/logout/../createRoom", False),
    ("POST", "client/v3/createroom", False),
    ("POST", "client/v3/createRoom;x", False),
    ("POST", "Client/v3/createRoom", False),
    ("POST", "client/unstable/org.example/createRoom", False),
]


@pytest.mark.parametrize(("method", "path", "is_taken"), WRITTEN)
def test_however_a_path_is_written_nobody_gets_around_it(everywhere, app, method, path, is_taken):
    """What Synapse takes for the request is asked for the same; anything else it does not know."""
    token, url = app.sign_in(), f"{everywhere[0].base_url}/_matrix/{path}"
    headers = {"Authorization": f"Bearer {token}"}

    answer = sent_as_written(method, url, headers=headers, json={})

    if is_taken:
        assert challenged(answer) == {"acr_values": TWO}
    else:
        assert answer.status_code == 404
        assert answer.json()["errcode"] == "M_UNRECOGNIZED"
    assert everywhere[0].whoami(token).status_code == 200


def sent_as_written(method, url, **more):
    """Return the answer to a request for just this address, dots and all."""
    with requests.Session() as http:
        prepared = http.prepare_request(requests.Request(method, url, **more))
        prepared.url = url
        return http.send(prepared, timeout=30)


def test_an_administrator_proves_more_before_they_administer(guarded, everywhere):
    """Who is none, or whose session may not administer, hears what they always heard."""
    admin = Application(guarded, admin=True)
    token, path = admin.sign_in(), f"/_synapse/admin/v2/users/{admin.person.user_id}"
    legacy = guarded.login(admin.person)["access_token"]
    assert [each.api("GET", path, legacy).status_code for each in everywhere] == [200, 200]
    asked = {"acr_values": TWO, "max_age": 600}
    assert [challenged(each.api("GET", path, token)) for each in everywhere] == [asked, asked]
    for prefix in ("r0", "v3", "api/v1", "unstable"):
        whois = f"/_matrix/client/{prefix}/admin/whois/{admin.person.user_id}"
        assert challenged(everywhere[0].api("GET", whois, token)) == asked
    stale = admin.sign_in(level=2, ago=700)
    assert challenged(everywhere[0].api("GET", path, stale))["max_age"] == 600
    enough = admin.sign_in(level=2)
    other = Application(guarded).sign_in()
    for server in everywhere:
        assert server.api("GET", path, enough).status_code == 200
        assert server.api("GET", path, other).status_code == 403


def test_nobody_else_is_asked(guarded, everywhere, app):
    """Tokens that Synapse gave out, no token, and one that opens nothing."""
    legacy = guarded.login(app.person)["access_token"]
    token = app.sign_in()
    everywhere[0].revoke(token=token, client_id=app.client.id)

    for server in everywhere:
        assert filtering(server, app.person, legacy).status_code == 200
        gone = filtering(server, app.person, token)
        assert gone.json()["errcode"] == "M_UNKNOWN_TOKEN"
        assert gone.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        assert filtering(server, app.person, "nga_x").json()["errcode"] == "M_UNKNOWN_TOKEN"


def test_whoever_wants_to_go_may(guarded, everywhere, app):
    """Signing out, and a refresh, are never challenged, whatever an operator writes."""
    app.sign_in()
    renewed = app.client.refresh(app.tokens["refresh_token"])
    extra = {"refresh_token": True}
    legacy = guarded.login(app.person, **extra)["refresh_token"]
    refreshed = everywhere[0].api("POST", f"{V3}/refresh", "", json={"refresh_token": legacy})

    assert (renewed.status_code, refreshed.status_code) == (200, 200)
    token = renewed.json()["access_token"]
    logout = "/_matrix/client/api/v1/logout"
    assert everywhere[0].api("POST", logout, token, json={}).status_code == 200


def test_a_stepped_up_token_approves_nothing(main, app):
    """Where Synapse asks once more who it is, the page of that request stays."""
    first = app.sign_in()
    path, body = f"{V3}/delete_devices", {"devices": ["ELSEWHERE"]}
    asked = challenged(main.api("POST", path, first, json=body))

    token = app.sign_in(level=2, **asked)
    answer = main.api("POST", path, token, json=body)

    assert answer.status_code == 401
    assert answer.json()["flows"] == [{"stages": ["m.login.sso"]}]
    assert "WWW-Authenticate" not in answer.headers or "insufficient" not in str(answer.headers)


def test_a_browser_that_is_signed_in_with_one_factor_has_to_prove_both(main, app):
    """What the challenge asks for is asked of the person, too."""
    asked = challenged(filtering(main, app.person, app.sign_in()))
    parameters, _ = app.client.request(scope=app.scope, **asked)

    assert "/sign-in?grant=" in app.browser.authorize(parameters).url
    other = Browser(main)
    page = other.authorize(parameters)
    assert "/factor?attempt=" in other.sign_in(app.person.localpart, app.person.password).url
    assert 'name="password"' in page.text


def test_from_the_challenge_to_the_code_of_an_app_and_back(main, guarded):
    """All of it as people do it: an app that is set up, a challenge, both factors, the request."""
    app = Application(guarded)
    loses_the_second_factor(guarded, app.person)
    first = app.let_in(level=1, ago=0)
    app.browser.get(main.url("account-factor-add"))
    page = app.browser.submit(name="Phone", decision="begin")
    secret = re.search(r"\b(?:[A-Z2-7]{4} ){3,}[A-Z2-7]{1,4}\b", page.text)[0]
    totp, step = TOTP(secret.replace(" ", "")), int(time.time()) // 30
    done = app.browser.submit(code=totp.generate_otp(step), decision="confirm")
    assert done.status_code == 200, done.text
    asked = challenged(filtering(main, app.person, first))

    other = Browser(main)
    parameters, verifier = app.client.request(scope=f"{app.scope} openid", **asked)
    other.authorize(parameters)
    other.sign_in(app.person.localpart, app.person.password)
    other.submit(code=totp.generate_otp(step + 1), decision="check")
    code = other.answer(other.submit(decision="approve"))["code"]
    tokens = app.client.redeem(code, verifier).json()
    said = claims(tokens["id_token"])

    assert (said["acr"], said["amr"]) == (TWO, ["pwd", "otp", "mfa"])
    assert filtering(main, app.person, tokens["access_token"]).status_code == 200


def displayname(server, token, user, name):
    """Let a session change somebody's name."""
    path = f"{V3}/profile/{user.user_id}/displayname"
    return server.api("PUT", path, token, json={"displayname": name})


def test_c311_an_administrator_who_proved_too_little_is_none_elsewhere(everywhere, guarded):
    """The same names, aliases and redacted words: theirs by the flag, once they proved enough."""
    app, other = Application(guarded, admin=True), guarded.new_user()
    main, theirs = everywhere[0], guarded.login(other)["access_token"]
    alias = f"theirs-{other.localpart}"
    room = main.api("POST", f"{V3}/createRoom", theirs, json={"room_alias_name": alias})
    room_id = room.json()["room_id"]
    weak = app.sign_in()

    for server in everywhere:
        assert displayname(server, weak, other, "owned").status_code in {400, 403}
        assert displayname(server, weak, app.person, "mine").status_code == 200
        listed = f"{V3}/directory/list/room/{room_id}"
        made_public = server.api("PUT", listed, weak, json={"visibility": "public"})
        assert made_public.status_code in {403, 404}
        alias_path = f"{V3}/directory/room/%23{alias}:{other.user_id.partition(':')[2]}"
        assert server.api("DELETE", alias_path, weak).status_code in {403, 404}
    assert challenged(main.api("GET", "/_synapse/admin/v1/rooms", weak))["acr_values"] == TWO
    seen = main.api("GET", f"{V3}/profile/{other.user_id}", theirs).json()
    assert seen["displayname"] == other.localpart

    assert main.api("GET", alias_path, theirs).json()["room_id"] == room_id

    strong = app.sign_in(level=2, acr_values=TWO)
    for number, server in enumerate(everywhere):
        assert displayname(server, strong, other, f"said {number}").status_code == 200
    renewed = app.client.refresh(app.tokens["refresh_token"]).json()["access_token"]
    for server in everywhere:
        assert displayname(server, renewed, other, "again").status_code in {400, 403}


def test_our_own_admin_api_is_protected_as_synapses_is(guarded, everywhere):
    """Whoever proved too little, or too long ago, hears of it there in the words of RFC 9470."""
    app = Application(guarded, admin=True)
    app.scope += f" {MAS_ADMIN}"
    path = f"/_synapse/client/auth/{ROOT}users"
    weak = app.sign_in()
    refused = [server.api("GET", path, weak) for server in everywhere]
    strong = app.let_in(level=2, ago=0)

    for answer in refused:
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == BEGINS + f', acr_values="{TWO}", max_age="600"'
        assert answer.json()["errors"]
    for server in everywhere:
        assert server.api("GET", path, strong).status_code == 200

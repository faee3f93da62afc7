"""Application services that sign in by a key: what their tokens open is what `as_token` opened."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from support import bridges
from support.answers import assert_not_kept, assert_refused
from support.keys import master_key
from support.neighbours import Neighbours
from support.oauth import API, DEVICE, ISSUER_PATH, Server, device_id
from support.synapse import User
from support.tokens import OTHER_KEYS, inside, made_from
from support.waiting import eventually
from synapse_nextgen_auth.oauth.tokens import service_tokens
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind

pytestmark = pytest.mark.every_release

V3 = "/_matrix/client/v3"
WHOAMI = f"{V3}/account/whoami"


@pytest.fixture
def homeserver(busy_homeserver):
    return busy_homeserver


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def keyed(server):
    """Return a token of the bridge whose `as_token` counts no more."""
    return bridges.token("keyed", server)


@pytest.fixture
def ghost(server, keyed, user):
    """Return a user of that bridge, registered by it."""
    return registered(server, keyed, f"keyed_{user.localpart}").json()["user_id"]


def registered(server, token, localpart, **more):
    body = {"type": "m.login.application_service", "username": localpart, "inhibit_login": True}
    return server.api("POST", f"{V3}/register", token, json=body | more)


def test_a_bridge_proves_itself_and_is_its_sender(server):
    """A short-lived token alone: no refresh token, no scope, no device."""
    answer = bridges.ask("keyed", server)
    tokens = answer.json()
    whoami = server.whoami(tokens["access_token"]).json()

    assert_not_kept(answer)
    assert tokens.keys() == {"access_token", "token_type", "expires_in"}
    assert tokens["expires_in"] <= 300
    assert abs(inside(tokens["access_token"]).expires_at - time.time() - tokens["expires_in"]) <= 5
    assert whoami == {"user_id": "@keyed_bot:localhost", "is_guest": False}


def test_it_registers_users_and_acts_as_them(server, keyed, ghost, user):
    """In its namespace alone, and on devices that are there (MSC4326)."""
    device = device_id()
    made = server.api("PUT", f"{V3}/devices/{device}?user_id={ghost}", keyed, json={})
    acting = server.api("GET", f"{WHOAMI}?user_id={ghost}&device_id={device}", keyed).json()
    nowhere = server.api("GET", f"{WHOAMI}?user_id={ghost}&device_id=NOWHERE", keyed)
    as_person = server.api("GET", f"{WHOAMI}?user_id={user.user_id}", keyed)
    outside = registered(server, keyed, f"other_{user.localpart}")

    assert made.status_code == 201
    assert (acting["user_id"], acting["device_id"]) == (ghost, device)
    assert nowhere.status_code == 400
    assert as_person.status_code == 403
    assert (outside.status_code, outside.json()["errcode"]) == (400, "M_EXCLUSIVE")


def test_c329_it_keeps_devices_and_keys_without_asking_anybody(server, keyed, ghost, user):
    """MSC4190 as with `as_token`, and sessions of people are not touched."""
    device = device_id()
    client = server.client()
    ours = client.sign_in(user.localpart, user.password, scope=f"{API} {DEVICE}{device}")
    path, who = f"{V3}/devices/{device}?user_id={ghost}", f"?user_id={ghost}"
    upload = f"{V3}/keys/device_signing/upload{who}"
    asked = [
        server.api("PUT", path, keyed, json={}),
        *(server.api("POST", upload, keyed, json=master_key(ghost)) for _ in range(2)),
        server.api("DELETE", path, keyed, json={}),
        server.api("POST", f"{V3}/delete_devices{who}", keyed, json={"devices": [device]}),
    ]

    assert [answer.status_code for answer in asked] == [201, 200, 200, 200, 200]
    assert server.whoami(ours["access_token"]).status_code == 200


def test_it_signs_its_users_in_where_it_may(homeserver, server, user):
    """`m.login.application_service` of a bridge without MSC4190; the other hears why not."""
    token = bridges.token("puppets", server)
    name = f"puppets_{user.localpart}"
    registered(server, token, name).raise_for_status()
    approved = User(f"@{name}:localhost", name, "")
    Neighbours(homeserver).administer("PUT", approved, {"approved": True})
    who = {"type": "m.id.user", "user": name}
    body = {"type": "m.login.application_service", "identifier": who}
    answer = server.api("POST", f"{V3}/login", token, json=body)
    other = server.api("POST", f"{V3}/login", bridges.token("keyed", server), json=body)

    assert server.whoami(answer.json()["access_token"]).json()["user_id"] == f"@{name}:localhost"
    assert other.status_code in {400, 403}


def test_it_creates_rooms_and_speaks(server, keyed, ghost):
    """As often as it likes, where its registration says so, and as of another time."""
    room = server.api("POST", f"{V3}/createRoom?user_id={ghost}", keyed, json={}).json()["room_id"]
    body = {"msgtype": "m.text", "body": "from the other side"}
    path = f"{V3}/rooms/{room}/send/m.room.message"
    with ThreadPoolExecutor(8) as pool:
        sent = pool.map(
            lambda n: server.api("PUT", f"{path}/{n}?user_id={ghost}", keyed, json=body), range(40)
        )
        assert {answer.status_code for answer in sent} == {200}

    then = f"{path}/then?user_id={ghost}&ts=1500000000000"
    event = server.api("PUT", then, keyed, json=body).json()["event_id"]
    found = server.api("GET", f"{V3}/rooms/{room}/event/{event}?user_id={ghost}", keyed).json()
    assert (found["sender"], found["origin_server_ts"]) == (ghost, 1500000000000)


def test_only_its_own_pings_are_its(server, keyed):
    """Who is known hears that it has no address, not that it is somebody else."""
    path = "/_matrix/client/v1/appservice/{}/ping"
    own = server.api("POST", path.format("keyed"), keyed, json={})
    other = server.api("POST", path.format("puppets"), keyed, json={})

    assert (own.status_code, own.json()["errcode"]) == (400, "M_URL_NOT_SET")
    assert other.status_code == 403


def test_a_shared_token_that_is_refused_opens_nothing(server, user):
    """Wherever it comes; that of a bridge which did not ask for that goes on."""
    refused, goes_on = bridges.KEYED["as_token"], bridges.PUPPETS["as_token"]
    answers = [
        server.whoami(refused),
        server.api("GET", f"{WHOAMI}?user_id=@keyed_bot:localhost", refused),
        registered(server, refused, f"keyed_{user.localpart}"),
        server.api("POST", "/_matrix/client/v1/appservice/keyed/ping", refused, json={}),
        server.api("POST", f"{V3}/login", refused, json={"type": "m.login.application_service"}),
    ]

    assert [answer.status_code for answer in answers] == [401] * 5
    assert {answer.json()["errcode"] for answer in answers} == {"M_UNKNOWN_TOKEN"}
    assert server.whoami(goes_on).json()["user_id"] == "@puppets_bot:localhost"


def test_where_it_may_come_from_counts(server):
    """`ip_range_whitelist` of the registration: these tests come from elsewhere."""
    token = bridges.token("far", server)

    assert server.whoami(token).status_code == 401
    assert server.whoami(bridges.FAR["as_token"]).status_code == 401


@pytest.mark.parametrize(
    "odd",
    [
        lambda token: made_from(token, expires_at=int(time.time()) - 1),
        lambda token: made_from(token, keys=OTHER_KEYS),
        lambda token: made_from(token, kind=Kind.ACCESS),
        lambda token: made_from(token, kind=Kind.PERSONAL),
        lambda token: made_from(token, session_id=service_tokens.tag("gone", "keyed") * 2),
        lambda token: token[:-1],
        lambda token: token.swapcase(),
        lambda token: "ngs_" + "A" * 60,
        lambda token: "ngs_",
    ],
)
def test_c330_what_was_never_given_opens_nothing(server, keyed, user, odd):
    """Expired, of another secret or kind, of a client that left: 401, and `/register` says so too."""
    text = odd(keyed)
    answers = [server.whoami(text), registered(server, text, f"keyed_{user.localpart}")]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert {answer.json()["errcode"] for answer in answers} == {"M_UNKNOWN_TOKEN"}
    assert server.whoami(keyed).status_code == 200


def test_it_counts_in_the_header_alone(homeserver, server, keyed):
    """An address ends up in logs (RFC 9700 section 4.3.2)."""
    answer = requests.get(
        f"{homeserver.base_url}{WHOAMI}", params={"access_token": keyed}, timeout=30
    )

    assert (answer.status_code, answer.json()["errcode"]) == (401, "M_MISSING_TOKEN")


@pytest.mark.parametrize("scope", [API, "openid", "urn:synapse:admin:*"])
def test_it_asks_for_no_scope(server, scope):
    """Its registration says what it may do; nothing is left out in silence."""
    assert_refused(bridges.ask("keyed", server, scope=scope), "invalid_scope")


def test_it_asks_for_no_service_of_others(server):
    """Its token is for Synapse alone (RFC 8707)."""
    answer = bridges.ask("keyed", server, resource="https://api.example.org/")

    assert_refused(answer, "invalid_target")


def test_c330_only_the_key_proves_it(server, keyed):
    """Neither another key, nor its shared token, nor a token of its own, nor a used proof."""
    once = bridges.proof("keyed", server)
    ask = {"grant_type": "client_credentials"}
    server.post("token", ask | once).raise_for_status()
    secret = bridges.KEYED["as_token"]
    answers = [
        bridges.ask("keyed", server, key=bridges.OTHER_KEY),
        server.post("token", ask | once),
        server.post("token", ask, auth=("keyed", secret)),
        server.post("token", ask | {"client_id": "keyed", "client_secret": secret}),
        server.post("token", ask | {"client_id": "keyed"}),
        server.api("POST", f"{ISSUER_PATH}token", keyed, data=ask),
    ]

    for answer in answers:
        assert_refused(answer, "invalid_client", status=401)


def test_c330_its_token_is_no_session(server, keyed):
    """Nobody to userinfo and the token endpoint, and no administrator."""
    client = server.client()
    userinfo = server.api("GET", f"{ISSUER_PATH}userinfo", keyed)

    assert (userinfo.status_code, userinfo.json()["error"]) == (401, "invalid_token")
    assert client.refresh(keyed).json()["error"] == "invalid_grant"
    assert client.redeem(keyed, "v" * 43).json()["error"] == "invalid_grant"
    assert server.api("GET", "/_synapse/admin/v1/rooms", keyed).status_code == 403


def test_it_may_ask_about_its_own_tokens(server, keyed):
    """And nobody else about them (RFC 7662)."""
    own = server.post("introspect", {"token": keyed, **bridges.proof("keyed", server)}).json()
    other = server.post("introspect", {"token": keyed, **bridges.proof("puppets", server)}).json()
    shared = {"token": bridges.KEYED["as_token"], **bridges.proof("keyed", server)}

    assert own == {
        "active": True,
        "client_id": "keyed",
        "aud": "keyed",
        "iss": server.issuer,
        "sub": "@keyed_bot:localhost",
        "username": "@keyed_bot:localhost",
        "token_type": "Bearer",
        "exp": inside(keyed).expires_at,
    }
    assert other == {"active": False}
    assert server.post("introspect", shared).json() == {"active": False}


def test_a_revoked_token_is_over_and_others_are_good(homeserver, server, keyed):
    """By whoever has it (MSC4254); what is written down opens nothing and goes with its time."""
    stays = bridges.token("keyed", server)
    assert server.revoke(token=keyed).status_code == 200
    rows = homeserver.query(
        "SELECT expires_at FROM nextgen_revoked_tokens WHERE token_id = ?",
        inside(keyed).session_id,
    )
    introspected = server.post("introspect", {"token": keyed, **bridges.proof("keyed", server)})

    assert server.whoami(keyed).status_code == 401
    assert introspected.json() == {"active": False}
    assert rows == [(inside(keyed).expires_at,)]
    assert server.whoami(stays).status_code == 200
    assert server.revoke(token=keyed).status_code == 200


def test_c330_revocation_of_a_shared_token_ends_nothing(server):
    """It is none of ours."""
    assert server.revoke(token=bridges.PUPPETS["as_token"]).status_code == 200
    assert server.whoami(bridges.PUPPETS["as_token"]).status_code == 200


def test_c337_synapse_notes_no_token_of_it(homeserver, server, keyed, ghost):
    """`track_appservice_user_ips` keeps what a request came with: something that opens nothing."""
    server.api("GET", f"{WHOAMI}?user_id={ghost}", keyed).raise_for_status()
    sql = "SELECT access_token, device_id FROM user_ips WHERE user_id = ?"

    assert eventually(lambda: homeserver.query(sql, "@keyed_bot:localhost"))
    rows = homeserver.query(sql, "@keyed_bot:localhost")
    assert {device for _, device in rows} == {"dummy-device"}
    assert all(token.startswith("nextgen_session_") for token, _ in rows)

"""The admin API's personal sessions: tokens that administrators make, for themselves and for others."""

import re
import time

import pytest
import requests

from support.admin_api import MAS_ADMIN, AdminApi, scope
from support.oauth import ADMIN, API, DEVICE, Browser, device_id
from support.personal_tokens import make_token
from synapse_nextgen_auth.oauth.scopes.permissions import READ, SERVER_ADMIN

pytestmark = [pytest.mark.one_database, pytest.mark.newest_only]


@pytest.fixture
def admin(homeserver):
    return homeserver.new_user(admin=True)


@pytest.fixture
def api(server, admin):
    tokens = server.client().sign_in(admin.localpart, admin.password, scope=f"{scope()} {ADMIN}")
    return AdminApi.of(server, tokens["access_token"])


def ulid_of(homeserver, api, user):
    """Return what the API calls an account: it is told of with whatever is signed in to it."""
    homeserver.login(user)
    told = api.get("compat-sessions", **{"page[last]": 1, "count": "false"})["data"][0]
    ((key,),) = homeserver.query(
        "SELECT item_key FROM nextgen_ulids WHERE kind = 'user' AND ulid = ?",
        told["attributes"]["user_id"],
    )
    assert key == user.user_id
    return told["attributes"]["user_id"]


@pytest.fixture
def bot(homeserver, api):
    """An account, and its ULID."""
    user = homeserver.new_user()
    return user, ulid_of(homeserver, api, user)


def make(api, ulid, wanted=READ, **further):
    body = {"actor_user_id": ulid, "human_name": "Bridge", "scope": wanted, **further}
    return api.do("POST", "personal-sessions", body, status=201)


def test_an_administrator_makes_one_for_another_account(server, api, admin, bot):
    """Shown once; it acts as the account, which finds it on its page with who made it."""
    user, ulid = bot
    made = make(api, ulid, f"{API} {DEVICE}BRIDGEDEVICE", expires_in=3600)
    said = made["attributes"]
    told = server.whoami(said["access_token"]).json()

    assert (told["user_id"], told["device_id"]) == (user.user_id, "BRIDGEDEVICE")
    assert (said["actor_user_id"], said["human_name"]) == (ulid, "Bridge")
    assert said["owner_user_id"] not in {None, ulid}
    assert said["expires_at"] is not None
    again = api.get(f"personal-sessions/{made['id']}")["data"]["attributes"]
    assert again["access_token"] is None
    assert again["last_active_at"] is None or again["last_active_at"] >= said["created_at"]
    browser = Browser.of(server, user)
    page = browser.get(server.url("account-tokens")).text
    assert "Bridge" in page
    assert admin.user_id in page
    for filters in (
        {"filter[actor_user]": ulid},
        {"filter[owner_user]": said["owner_user_id"]},
        {"filter[actor_user]": ulid, "filter[status]": "active", "filter[scope]": API},
        {"filter[actor_user]": ulid, "filter[expires]": "true"},
        {"filter[actor_user]": ulid, "filter[expires_after]": "2020-01-01T00:00:00Z"},
    ):
        assert [each["id"] for each in api.get("personal-sessions", **filters)["data"]] == [
            made["id"]
        ]
    for filters in (
        {"filter[owner_user]": ulid},
        {"filter[actor_user]": ulid, "filter[status]": "revoked"},
        {"filter[actor_user]": ulid, "filter[expires]": "false"},
        {"filter[actor_user]": ulid, "filter[expires_before]": "2020-01-01T00:00:00Z"},
    ):
        assert api.get("personal-sessions", **filters)["data"] == []


def test_where_it_takes_a_device_and_names_none_it_gets_a_new_one(server, api, bot):
    """As scripts for matrix-authentication-service ask for it."""
    _, ulid = bot
    made = make(api, ulid, API)["attributes"]

    assert made["scope"].startswith(f"{API} {DEVICE}")
    assert server.whoami(made["access_token"]).json()["device_id"] in made["scope"]
    assert make(api, ulid)["attributes"]["scope"] == READ


def test_another_value_takes_the_place_of_the_former(server, api, bot):
    user, ulid = bot
    made = make(api, ulid, f"{API} {DEVICE}{device_id()}")
    old = made["attributes"]["access_token"]
    path = f"personal-sessions/{made['id']}"
    assert server.whoami(old).status_code == 200
    renewed = api.do("POST", f"{path}/regenerate", {"expires_in": 60}, status=201)
    new = renewed["attributes"]["access_token"]

    assert renewed["id"] == made["id"]
    assert server.whoami(old).status_code == 401
    assert server.whoami(new).json()["user_id"] == user.user_id
    third = api.do("POST", f"{path}/regenerate", status=201)["attributes"]["access_token"]
    assert server.whoami(new).status_code == 401
    assert server.whoami(third).status_code == 200


def test_either_ends_it(server, api, bot):
    """The administrator, and the account on its page or with the token itself."""
    _, ulid = bot
    first, second = (make(api, ulid, f"{API} {DEVICE}{device_id()}") for _ in range(2))
    done = api.do("POST", f"personal-sessions/{first['id']}/revoke")

    assert done["attributes"]["revoked_at"] is not None
    assert done["attributes"]["human_name"] == "Bridge"
    assert server.whoami(first["attributes"]["access_token"]).status_code == 401
    assert "already" in api.refused("POST", f"personal-sessions/{first['id']}/revoke", 409)
    api.refused("POST", f"personal-sessions/{first['id']}/regenerate", 422, json={})
    revoked = requests.post(
        server.url("revoke"), {"token": second["attributes"]["access_token"]}, timeout=30
    )
    assert revoked.status_code == 200
    over = api.get("personal-sessions", **{"filter[actor_user]": ulid, "filter[status]": "revoked"})
    assert {each["id"] for each in over["data"]} == {first["id"], second["id"]}
    assert {each["attributes"]["human_name"] for each in over["data"]} == {"Bridge"}


def test_c311_it_opens_nothing_when_its_owner_is_no_administrator_any_more(
    homeserver, server, api, admin, bot
):
    """Locked, closed or demoted: looked at on each request, and good again when they are again."""
    _, ulid = bot
    token = make(api, ulid, f"{API} {DEVICE}{device_id()}")["attributes"]["access_token"]
    other = homeserver.new_user(admin=True)
    power = server.client().sign_in(
        other.localpart, other.password, scope=f"{API} {DEVICE}{device_id()} {ADMIN}"
    )["access_token"]

    def change(**body):
        path = f"/_synapse/admin/v2/users/{admin.user_id}"
        assert server.api("PUT", path, power, json=body).status_code == 200

    assert server.whoami(token).status_code == 200
    change(admin=False)
    assert server.whoami(token).status_code == 401
    change(admin=True)
    assert server.whoami(token).status_code == 200
    change(locked=True)
    assert server.whoami(token).status_code == 401
    change(locked=False)
    assert server.whoami(token).status_code == 200
    change(deactivated=True)
    assert server.whoami(token).status_code == 401


def test_only_its_owner_lets_it_have_another_value(homeserver, server, api, bot):
    user, ulid = bot
    own = make_token(Browser.of(server, user))
    theirs = api.get("personal-sessions", **{"filter[actor_user]": ulid})["data"][0]

    assert theirs["attributes"]["owner_user_id"] == ulid
    api.refused("POST", f"personal-sessions/{theirs['id']}/regenerate", 403, json={})
    assert server.api("GET", "/_matrix/client/v3/joined_rooms", own).status_code != 401


def test_c301_whoever_made_one_ends_it_on_their_page_and_no_stranger_does(
    homeserver, server, api, admin, bot
):
    """It speaks for another account; a third one finds nothing by its link."""
    user, ulid = bot
    token = make(api, ulid, f"{API} {DEVICE}{device_id()}")["attributes"]["access_token"]
    browser = Browser.of(server, admin)
    page = browser.get(server.url("account-tokens")).text
    assert user.user_id in page
    link = re.search(r'"(account-token-end\?id=[0-9a-f]+)"', page)[1]
    other = Browser.of(server, homeserver.new_user())
    assert user.user_id not in other.get(server.url(link)).text
    assert server.whoami(token).status_code == 200
    browser.get(server.url(link))
    browser.submit(decision="end")
    assert server.whoami(token).status_code == 401


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"scope": ""}, 400),
        ({"scope": "nothing we know"}, 400),
        ({"scope": "urn:nextgen-auth:everything"}, 400),
        ({"scope": f"{API} {DEVICE}one {DEVICE}twotwotwotwo"}, 400),
        ({"scope": f"{API} {ADMIN}"}, 400),
        ({"scope": MAS_ADMIN}, 400),
        ({"human_name": ""}, 400),
        ({"human_name": "x" * 101}, 400),
        ({"human_name": "a\0b"}, 400),
        ({"human_name": "  "}, 400),
        ({"human_name": "\u200b"}, 400),
        ({"human_name": "\u200d\u202e"}, 400),
        ({"expires_in": 0}, 400),
        ({"expires_in": -1}, 400),
        ({"expires_in": 2**31 - 1}, 400),
        ({"expires_in": "soon"}, 400),
        ({"actor_user_id": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, 404),
        ({"actor_user_id": "@bot:localhost"}, 400),
        ({"device_id": "X"}, 400),
    ],
    ids=str,
)
def test_c311_c305_what_is_not_made(api, bot, change, status):
    """No power for who has none, no scope that nobody knows, no time that the operator forbids."""
    body = {"actor_user_id": bot[1], "human_name": "Bridge", "scope": READ} | change

    api.refused("POST", "personal-sessions", status, json=body)


def test_its_name_is_one_line_that_turns_nothing(server, api, bot):
    """As one that somebody types on the page."""
    made = make(api, bot[1], human_name="a\nb\u202e \x1b\u200bc")

    assert made["attributes"]["human_name"] == "a b c"
    page = Browser.of(server, bot[0]).get(server.url("account-tokens")).text
    assert "a b c" in page
    assert "\u202e" not in page


def test_c117_no_token_has_more_power_than_the_one_that_makes_it(homeserver, server, api, admin):
    """Who manages accounts by theirs makes none for the rest of the server, for nobody."""
    tokens = server.client().sign_in(admin.localpart, admin.password, scope=scope())
    less = AdminApi.of(server, tokens["access_token"])
    for user in (admin, homeserver.new_user(admin=True)):
        body = {"actor_user_id": ulid_of(homeserver, api, user), "human_name": "Tool"}
        for wanted in (f"{API} {ADMIN}", SERVER_ADMIN, f"{MAS_ADMIN} {SERVER_ADMIN}"):
            refused = less.refused("POST", "personal-sessions", 403, json={**body, "scope": wanted})
            assert "Your own token has no" in refused, wanted
        assert less.do("POST", "personal-sessions", {**body, "scope": MAS_ADMIN}, status=201)
    made = make(api, ulid_of(homeserver, api, admin), f"{API} {ADMIN}")
    path = f"personal-sessions/{made['id']}/regenerate"
    assert "Your own token has no" in less.refused("POST", path, 403, json={})
    assert api.do("POST", path, status=201)


def test_one_whose_time_is_over_gets_no_other_value(homeserver, server, api, bot):
    """Though no chore has looked at it yet."""
    made = make(api, bot[1], f"{API} {DEVICE}{device_id()}")
    homeserver.query(
        "UPDATE nextgen_sessions SET expires_at = ? WHERE user_id = ?",
        *(int(time.time()) - 1, bot[0].user_id),
    )

    refused = api.refused("POST", f"personal-sessions/{made['id']}/regenerate", 422, json={})
    assert "over" in refused


def test_c311_one_with_power_gets_no_other_value_when_its_account_has_none(homeserver, server, api):
    """It would open nothing, and again when the account is an administrator's again."""
    user = homeserver.new_user(admin=True)
    ulid = ulid_of(homeserver, api, user)
    made = make(api, ulid, MAS_ADMIN)
    path = f"/_synapse/admin/v2/users/{user.user_id}"
    assert server.api("PUT", path, api.token, json={"admin": False}).status_code == 200

    refused = api.refused("POST", f"personal-sessions/{made['id']}/regenerate", 400, json={})
    assert "is no administrator" in refused


def test_c317_nothing_is_made_for_an_account_that_is_closed(homeserver, server, api, bot):
    user, ulid = bot
    closed = server.api("POST", f"/_synapse/admin/v1/deactivate/{user.user_id}", api.token, json={})
    assert closed.status_code == 200

    body = {"actor_user_id": ulid, "human_name": "Bridge", "scope": READ}
    api.refused("POST", "personal-sessions", 410, json=body)

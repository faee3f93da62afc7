"""The sessions behind tokens for services of others: replayed, locked, and side by side."""

from functools import partial

import pytest

from support import admin_api
from support.admin_api import AdminApi
from support.answers import assert_refused
from support.oauth import API, DEVICE, Client, device_id
from support.public import CALENDAR, CALLBACK, WIKI
from support.services import INACTIVE, PROOF, begun, got, look, renewed
from support.tokens import inside
from support.waiting import eventually

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]


@pytest.fixture(scope="module")
def homeserver(public_homeserver):
    return public_homeserver


@pytest.fixture
def server(public_server):
    return public_server


@pytest.fixture
def begin(server, user):
    client = Client(server, {"client_id": "basic", "redirect_uris": [CALLBACK]})
    return partial(begun, server, client, user)


@pytest.fixture
def ask(server):
    return lambda form, **more: server.post("token", form | more, **PROOF)


def age(homeserver, tokens, *, generation):
    """Wait until the generation counts as used, and let it lie further back than the grace."""
    session_id = inside(tokens["refresh_token"]).session_id
    row = "FROM nextgen_sessions WHERE session_id = ?"
    assert eventually(
        lambda: (generation,) in homeserver.query(f"SELECT confirmed_generation {row}", session_id)
    )
    homeserver.query(
        "UPDATE nextgen_sessions SET rotated_at = rotated_at - 31 WHERE session_id = ?", session_id
    )


@pytest.mark.parametrize("scope", ["calendar.read", f"{API} {DEVICE}DEVICE calendar.read"])
def test_c094_a_copied_refresh_token_is_noticed_where_no_service_asks(
    homeserver, server, begin, ask, user, scope
):
    """A JWT says nothing of its use to us: it counts as used when it leaves, beside the grace."""
    first = got(ask(begin(scope.replace("DEVICE", device_id())), resource=CALENDAR))
    second = got(ask(renewed(first, resource=CALENDAR)))
    assert got(ask(renewed(first, resource=CALENDAR)))["refresh_token"] == second["refresh_token"]
    age(homeserver, first, generation=2)

    assert_refused(ask(renewed(first, resource=CALENDAR)), "invalid_grant")

    assert_refused(ask(renewed(second, resource=CALENDAR)), "invalid_grant")
    assert look(server, second["access_token"]) == INACTIVE
    written = homeserver.query("SELECT kind FROM nextgen_events WHERE user_id = ?", user.user_id)
    assert ("refresh_token_reused",) in written


def test_c101_a_locked_account_gets_no_token_for_a_service(homeserver, server, begin, ask, user):
    """Which checks signatures and hears of no lock. No 4xx, and nothing is spent."""
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]

    def lock(is_locked):
        path = f"/_synapse/admin/v2/users/{user.user_id}"
        assert server.api("PUT", path, admin, json={"locked": is_locked}).ok

    tokens = got(ask(begin(f"{API} {DEVICE}{device_id()} calendar.read wiki")))
    lock(is_locked=True)
    for resource in (CALENDAR, WIKI):
        refused = ask(renewed(tokens, resource=resource))
        assert (refused.status_code, refused.json()["error"]) == (503, "temporarily_unavailable")
        assert "Retry-After" in refused.headers
    assert inside(got(ask(renewed(tokens)))["refresh_token"]).generation == 2
    lock(is_locked=False)
    after = got(ask(renewed(tokens, resource=CALENDAR)))

    assert look(server, after["access_token"])["active"] is True


def test_administrators_find_and_end_what_is_for_services(homeserver, server, begin, ask, user):
    """By its word, or with the service, and by no other; the list says what it may do there."""
    admin = homeserver.new_user(admin=True)
    signed_in = server.client().sign_in(admin.localpart, admin.password, scope=admin_api.scope())
    api = AdminApi.of(server, signed_in["access_token"])
    its = api.get(f"users/by-username/{user.localpart}")["data"]["id"]
    tokens = got(ask(begin("calendar.read")))
    beside = got(ask(begin("openid wiki")))

    for path in ("sessions", "oauth2-sessions"):
        for word in ("calendar.read", f"{CALENDAR}#calendar.read"):
            found = api.get(path, **{"filter[user]": its, "filter[scope]": word})["data"]
            assert [each["attributes"]["scope"] for each in found] == ["calendar.read"]
        elsewhere = {"filter[user]": its, "filter[scope]": f"{WIKI}#calendar.read"}
        assert api.get(path, **elsewhere)["data"] == []
    named = {"filter[user]": its, "filter[scope]": "calendar.read"}
    ended = api.ask("POST", "sessions/end", params=named, json={}).json()
    assert ended == {"matching": 1, "ended": 1, "left": 0}
    assert_refused(ask(renewed(tokens)), "invalid_grant")
    assert got(ask(renewed(beside, resource=WIKI)))["scope"] == "wiki"

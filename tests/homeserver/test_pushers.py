"""Pushers go with their session, also where its device stays: they would go on telling a thief."""

import pytest

from support.oauth import Browser
from support.pushers import ask_for_pusher, pushkeys, set_pusher
from support.tokens import inside
from support.waiting import eventually

pytestmark = pytest.mark.every_release


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


@pytest.fixture
def client(server):
    return server.client()


@pytest.fixture
def tokens(server, client, user):
    tokens = client.sign_in(user.localpart, user.password)
    set_pusher(server, tokens["access_token"])
    return tokens


@pytest.fixture
def other(server, client, user):
    """Another session of the account, whose pusher stays."""
    tokens = client.sign_in(user.localpart, user.password)
    set_pusher(server, tokens["access_token"], "other")
    return tokens


def by_refresh_reuse(homeserver, client, user, tokens):
    second = client.refresh(tokens["refresh_token"]).json()
    client.refresh(second["refresh_token"])
    assert client.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def by_a_sign_in_on_its_device(homeserver, client, user, tokens):
    client.sign_in(user.localpart, user.password, scope=tokens["scope"])


def by_a_legacy_sign_in_on_its_device(homeserver, client, user, tokens):
    homeserver.login(user, device_id=device_of(tokens))


def device_of(tokens):
    return tokens["scope"].rpartition(":")[2]


@pytest.mark.parametrize(
    "end", [by_refresh_reuse, by_a_sign_in_on_its_device, by_a_legacy_sign_in_on_its_device]
)
def test_pushers_go_with_a_session_whose_device_stays(homeserver, client, user, tokens, other, end):
    """Those of this device; the device and the pushers of others stay."""
    assert pushkeys(homeserver, user) == ["key", "other"]

    end(homeserver, client, user, tokens)

    assert eventually(lambda: pushkeys(homeserver, user) == ["other"])
    path = f"/_matrix/client/v3/devices/{device_of(tokens)}"
    assert client.server.api("GET", path, other["access_token"]).status_code == 200


def is_written_down(homeserver, tokens):
    """Say whether the database knows that the tokens were used: nothing is written of them any more."""
    sql = "SELECT confirmed_generation FROM nextgen_sessions WHERE session_id = ?"
    return homeserver.query(sql, inside(tokens["refresh_token"]).session_id) == [(1,)]


def test_pushers_go_with_a_session_that_was_idle_too_long(public_homeserver, public_server):
    """Its client hears of that when it comes to refresh."""
    user, client = public_homeserver.new_user(), public_server.client()
    tokens = client.sign_in(user.localpart, user.password)
    set_pusher(public_server, tokens["access_token"])
    assert eventually(lambda: is_written_down(public_homeserver, tokens))
    public_homeserver.query(
        "UPDATE nextgen_sessions SET rotated_at = 1, last_active_at = 1 WHERE session_id = ?",
        inside(tokens["refresh_token"]).session_id,
    )

    assert client.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"

    assert eventually(lambda: pushkeys(public_homeserver, user) == [])


def test_pushers_go_when_a_code_comes_back(homeserver, server, client, user, other):
    """A spent code that a thief shows, with another verifier, ends the session of the honest one."""
    parameters, verifier = client.request()
    code = Browser(server).let_in(parameters, user.localpart, user.password)["code"]
    tokens = client.redeem(code, verifier).json()
    set_pusher(server, tokens["access_token"])

    client.redeem(code, "x" * 43)

    assert server.whoami(tokens["access_token"]).json()["soft_logout"] is True
    assert eventually(lambda: pushkeys(homeserver, user) == ["other"])


def test_who_signs_in_again_keeps_the_pusher_that_he_sets_then(
    homeserver, server, client, user, tokens
):
    """Only what was set before the session ended goes, however late that is done."""
    by_refresh_reuse(homeserver, client, user, tokens)
    again = client.sign_in(user.localpart, user.password, scope=tokens["scope"])
    set_pusher(server, again["access_token"], "new")

    assert eventually(lambda: pushkeys(homeserver, user) == ["new"])


def test_a_refresh_takes_no_pusher_away(homeserver, server, client, user, tokens):
    renewed = client.refresh(tokens["refresh_token"]).json()
    server.whoami(renewed["access_token"])

    assert pushkeys(homeserver, user) == ["key"]


def devices(homeserver, user):
    """Return which device each push key of an account belongs to."""
    return dict(
        homeserver.query("SELECT pushkey, device_id FROM pushers WHERE user_name = ?", user.user_id)
    )


@pytest.mark.parametrize("whose", ["ours", "stock"])
def test_c117_a_pusher_that_is_turned_elsewhere_goes_with_who_did_that(
    homeserver, server, client, user, whose
):
    """A thief finds the push keys of all devices, and would leave one of them behind for himself."""
    honest = homeserver.login(user)["access_token"]
    if whose == "ours":
        honest = client.sign_in(user.localpart, user.password)["access_token"]
    set_pusher(server, honest)
    thief = client.sign_in(user.localpart, user.password)
    set_pusher(server, thief["access_token"], host="thief.example.org")

    assert devices(homeserver, user) == {"key": device_of(thief)}
    server.revoke(token=thief["access_token"])
    assert pushkeys(homeserver, user) == []


def test_who_sets_the_pusher_of_another_device_as_it_was_leaves_it_there(
    homeserver, server, client, user, tokens
):
    """As Synapse means it: to switch it on and off."""
    other = client.sign_in(user.localpart, user.password)
    set_pusher(server, other["access_token"])

    assert devices(homeserver, user) == {"key": device_of(tokens)}


def test_a_device_may_turn_its_own_pusher_elsewhere(homeserver, server, user, tokens):
    set_pusher(server, tokens["access_token"], host="new.example.com")

    assert devices(homeserver, user) == {"key": device_of(tokens)}


@pytest.fixture
def thief(server, client, user):
    return client.sign_in(user.localpart, user.password)["access_token"]


@pytest.mark.parametrize(
    "without", ["lang", "data", "kind", "app_display_name", "device_display_name"]
)
def test_c117_a_request_that_synapse_refuses_changes_no_pusher(
    homeserver, server, user, tokens, thief, without
):
    """Neither takes it from its device nor turns it elsewhere."""
    before = homeserver.query("SELECT * FROM pushers WHERE user_name = ?", user.user_id)

    answer = ask_for_pusher(server, thief, host="thief.example.org", without=[without])

    assert answer.status_code == 400
    assert homeserver.query("SELECT * FROM pushers WHERE user_name = ?", user.user_id) == before


def test_c117_a_gateway_that_synapse_refuses_changes_no_pusher(
    homeserver, server, user, tokens, thief
):
    """It is looked at later than the rest of the request."""
    answer = ask_for_pusher(server, thief, host="thief.example.org/elsewhere?")

    assert answer.status_code == 400
    assert devices(homeserver, user) == {"key": device_of(tokens)}


def test_c117_a_locked_account_changes_no_pusher(homeserver, server, user, tokens, thief):
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    path = f"/_synapse/admin/v2/users/{user.user_id}"
    assert server.api("PUT", path, admin, json={"locked": True}).status_code == 200

    answer = ask_for_pusher(server, thief, host="thief.example.org")

    assert (answer.status_code, answer.json()["errcode"]) == (401, "M_USER_LOCKED")
    assert devices(homeserver, user) == {"key": device_of(tokens)}


def test_c117_a_push_key_is_a_text(homeserver, server, client, user, thief):
    """SQLite takes the number for the text, so that the device of another would keep it."""
    honest = client.sign_in(user.localpart, user.password)
    set_pusher(server, honest["access_token"], "12345")

    answer = ask_for_pusher(server, thief, 12345, host="thief.example.org")

    assert (answer.status_code, answer.json()["errcode"]) == (400, "M_INVALID_PARAM")
    assert devices(homeserver, user) == {"12345": device_of(honest)}


@pytest.mark.parametrize("heir", ["nobody", "ours", "stock"])
def test_c379_a_pusher_that_a_clock_ahead_dated_goes_with_its_session(
    homeserver, client, user, tokens, other, heir
):
    """Whoever comes after does not inherit it."""
    homeserver.query("UPDATE pushers SET ts = ts + 3600000 WHERE user_name = ?", user.user_id)

    if heir == "ours":
        by_a_sign_in_on_its_device(homeserver, client, user, tokens)
    elif heir == "stock":
        by_a_legacy_sign_in_on_its_device(homeserver, client, user, tokens)
    else:
        by_refresh_reuse(homeserver, client, user, tokens)

    assert eventually(lambda: pushkeys(homeserver, user) == ["other"])

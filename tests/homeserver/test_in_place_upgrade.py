"""A client that signed in the legacy way gets a session for the same device, and keeps its keys."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from support.keys import device_keys, public_key
from support.oauth import API, DEVICE, Browser
from support.waiting import eventually

V3 = "/_matrix/client/v3"
COUNT = 5


@pytest.fixture
def user(homeserver):
    return homeserver.new_user()


def upgrade(server, user, device):
    """Sign in through the browser with the device id that the client has; return the tokens."""
    return server.client().sign_in(user.localpart, user.password, scope=f"{API} {DEVICE}{device}")


def ask(server, method, path, token, **options):
    """Send a request that must work."""
    answer = server.api(method, f"{V3}/{path}", token, **options)
    assert answer.ok, answer.text
    return answer.json()


def send_to(server, user, device, token, word):
    """Send a message to a device."""
    message = {"messages": {user.user_id: {device: {"word": word}}}}
    ask(server, "PUT", f"sendToDevice/org.example.word/{word}", token, json=message)


def words(answer):
    """Return what a sync brought for the device."""
    events = answer.get("to_device", {}).get("events", [])
    return [event["content"]["word"] for event in events]


def refreshed(server, refresh_token):
    url = f"{server.base_url}{V3}/refresh"
    return requests.post(url, json={"refresh_token": refresh_token}, timeout=30).status_code


def keys_of(server, user, token):
    body = {"device_keys": {user.user_id: []}}
    return ask(server, "POST", "keys/query", token, json=body)["device_keys"][user.user_id]


def claim(server, user, device, token):
    """Take a one-time key of the device, as somebody who writes to it does."""
    body = {"one_time_keys": {user.user_id: {device: "signed_curve25519"}}}
    taken = ask(server, "POST", "keys/claim", token, json=body)["one_time_keys"]
    return list(taken[user.user_id][device])


def one_time_keys(user, device):
    """Return the body of `/keys/upload` with one-time keys and a fallback key."""

    def key():
        return {
            "key": public_key(),
            "signatures": {user.user_id: {f"ed25519:{device}": public_key()}},
        }

    return {
        "one_time_keys": {f"signed_curve25519:{n}": key() for n in range(COUNT)},
        "fallback_keys": {"signed_curve25519:fallback": {**key(), "fallback": True}},
    }


def test_a_legacy_session_becomes_one_of_ours_in_place(homeserver, server, user):
    """Keys, one-time keys and waiting messages stay; the legacy tokens of that device die."""
    old = homeserver.login(user, refresh_token=True)
    other = homeserver.login(user, refresh_token=True)
    device, before = old["device_id"], old["access_token"]
    body = device_keys(user.user_id, device) | one_time_keys(user, device)
    ask(server, "POST", "keys/upload", before, json=body)
    path = f"devices/{device}"
    ask(server, "PUT", path, before, json={"display_name": "Kitchen"})
    since = ask(server, "GET", "sync?timeout=0", before)["next_batch"]
    known = keys_of(server, user, before)
    send_to(server, user, device, other["access_token"], "before")

    tokens = upgrade(server, user, device)
    now = tokens["access_token"]
    send_to(server, user, device, other["access_token"], "after")
    synced = ask(server, "GET", f"sync?timeout=0&since={since}", now)

    assert server.whoami(now).json()["device_id"] == device
    assert ask(server, "GET", path, now)["display_name"] == "Kitchen"
    assert keys_of(server, user, now) == known
    assert device in known
    assert words(synced) == ["before", "after"]
    assert synced["device_one_time_keys_count"]["signed_curve25519"] == COUNT
    assert synced["device_unused_fallback_key_types"] == ["signed_curve25519"]
    assert claim(server, user, device, other["access_token"])[0].startswith("signed_curve25519:")
    # The legacy tokens of this device are dead, those of the other one are not.
    assert server.whoami(before).status_code == 401
    assert refreshed(server, old["refresh_token"]) in {401, 403}
    assert server.whoami(other["access_token"]).status_code == 200
    assert refreshed(server, other["refresh_token"]) == 200
    assert ask(server, "POST", "keys/upload", now, json={})["one_time_key_counts"] == {
        "signed_curve25519": COUNT - 1
    }


def test_until_the_code_is_redeemed_nothing_is_lost(homeserver, server, user):
    """Whoever gives up in the browser, or crashes before the tokens, still has the legacy session."""
    old = homeserver.login(user, refresh_token=True)
    client, browser = server.client(), Browser(server)
    parameters, _ = client.request(scope=f"{API} {DEVICE}{old['device_id']}")

    code = browser.let_in(parameters, user.localpart, user.password)["code"]
    wrong = client.redeem(code, "w" * 43)

    assert wrong.json()["error"] == "invalid_grant"
    assert server.whoami(old["access_token"]).status_code == 200
    assert refreshed(server, old["refresh_token"]) == 200


def test_nobody_upgrades_the_device_of_somebody_else(homeserver, server, user):
    """The same device id of another account is another device; theirs notices nothing (C309)."""
    old = homeserver.login(user)
    device = old["device_id"]
    ask(server, "POST", "keys/upload", old["access_token"], json=device_keys(user.user_id, device))
    known = keys_of(server, user, old["access_token"])
    stranger = homeserver.new_user()

    upgrade(server, stranger, device)

    assert server.whoami(old["access_token"]).json()["user_id"] == user.user_id
    assert keys_of(server, user, old["access_token"]) == known


def test_legacy_tokens_of_an_upgraded_device_stay_dead_after_its_logout(homeserver, server, user):
    """Signing out deletes the device; nothing of what was there before comes back."""
    old = homeserver.login(user, refresh_token=True)
    tokens = upgrade(server, user, old["device_id"])

    ask(server, "POST", "logout", tokens["access_token"])

    assert server.whoami(tokens["access_token"]).status_code == 401
    assert server.whoami(old["access_token"]).status_code == 401
    assert refreshed(server, old["refresh_token"]) in {401, 403}
    devices = "SELECT device_id FROM devices WHERE user_id = ?"
    assert eventually(lambda: homeserver.query(devices, user.user_id) == [])


def test_matrix_nio_goes_on_where_it_was(homeserver, server, user):
    """A library that knows nothing of this takes the new token and reads what waited for it."""
    import nio  # noqa: PLC0415 (slow, and for this test only)

    other = homeserver.login(user)["access_token"]

    async def run():
        client = nio.AsyncClient(server.base_url.rstrip("/"), user.user_id)
        loop = asyncio.get_running_loop()
        try:
            await client.login(user.password, device_name="nio")
            device, legacy = client.device_id, client.access_token
            await client.sync(timeout=0)
            send_to(server, user, device, other, "waiting")
            tokens = await loop.run_in_executor(None, upgrade, server, user, device)
            refused = await client.whoami()
            client.restore_login(user.user_id, device, tokens["access_token"])
            who = await client.whoami()
            synced = await client.sync(timeout=0)
        finally:
            await client.close()
        return legacy, device, refused, who, synced

    with ThreadPoolExecutor(1) as executor:
        legacy, device, refused, who, synced = executor.submit(asyncio.run, run()).result()

    assert refused.status_code == "M_UNKNOWN_TOKEN"
    assert (who.user_id, who.device_id) == (user.user_id, device)
    assert [event.source["content"]["word"] for event in synced.to_device_events] == ["waiting"]
    assert server.whoami(legacy).status_code == 401

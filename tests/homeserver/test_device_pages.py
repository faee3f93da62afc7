"""The pages about devices: which are verified, another name, and signing out several at once."""

import html
import re
from copy import deepcopy

import pytest
from signedjson.key import encode_verify_key_base64, generate_signing_key, get_verify_key
from signedjson.sign import sign_json

from support.keys import device_keys
from support.oauth import API, DEVICE, Browser, device_id, web_client

KEYS = "/_matrix/client/v3/keys"


def a_key():
    """Return a signing key that is called by its public half, as those of cross-signing are."""
    key = generate_signing_key("x")
    key.version = encode_verify_key_base64(get_verify_key(key))
    return key


def cross_signing_key(user, usage, key):
    return {
        "user_id": user.user_id,
        "usage": [usage],
        "keys": {f"ed25519:{key.version}": key.version},
    }


def upload(server, token, path, body):
    answer = server.api("POST", f"{KEYS}/{path}", token, json=body)
    assert answer.status_code == 200, answer.text
    assert not answer.json().get("failures"), answer.text


def with_keys(server, homeserver, user, its_id):
    """Sign in on a device of that id with fresh keys; return its token and what it says of itself."""
    token = homeserver.login(user, device_id=its_id)["access_token"]
    keys = device_keys(user.user_id, its_id)
    upload(server, token, "upload", keys)
    return token, keys["device_keys"]


def verify(server, user, token, keys, key):
    """Sign a device with the self-signing key, as a client of the same account does."""
    signed = sign_json(
        deepcopy({k: v for k, v in keys.items() if k != "signatures"}), user.user_id, key
    )
    upload(server, token, "signatures/upload", {user.user_id: {keys["device_id"]: signed}})


def cross_sign(server, user, token):
    """Give the account cross-signing keys; return the one that signs devices."""
    master, key = a_key(), a_key()
    signing = sign_json(cross_signing_key(user, "self_signing", key), user.user_id, master)
    body = {"master_key": cross_signing_key(user, "master", master), "self_signing_key": signing}
    upload(server, token, "device_signing/upload", body)
    return key


def row(page, its_id):
    """Return what the list says of a device."""
    (found,) = re.findall(
        rf'<li class="row-go">(?:(?!</li>).)*?id={its_id}".*?</li>', page.text, re.DOTALL
    )
    return " ".join(re.sub("<[^>]+>", " ", found).split())


def test_a_signature_counts_for_the_keys_that_it_was_made_for(homeserver, server, user, browser):
    """Whoever signs in under the id of a verified device with other keys is not verified by that."""
    token, first = with_keys(server, homeserver, user, "FIRST")
    before = browser.get(server.url("account-devices"))
    key = cross_sign(server, user, token)
    other, taken = with_keys(server, homeserver, user, "TAKEN")
    with_keys(server, homeserver, user, "STRANGE")
    homeserver.login(user, device_id="KEYLESS")
    verify(server, user, token, first, key)
    verify(server, user, token, taken, key)
    good = browser.get(server.url("account-devices"))
    server.api("POST", "/_matrix/client/v3/logout", other, json={})
    with_keys(server, homeserver, user, "TAKEN")
    page = browser.get(server.url("account-devices"))
    one = browser.get(server.url("account-device?id=TAKEN"))

    assert "erified" not in row(before, "FIRST")
    assert " Verified" in row(good, "TAKEN")
    assert " Verified" in row(page, "FIRST")
    assert "Not verified" in row(page, "TAKEN")
    assert "Not verified" in row(page, "STRANGE")
    assert "erified" not in row(page, "KEYLESS")
    assert "Nobody has verified this device" in one.text


def test_all_that_are_not_verified_are_signed_out_as_they_were_named(
    homeserver, server, user, browser
):
    """What was verified or came while the page was open stays; so does what it never was about."""
    token, first = with_keys(server, homeserver, user, "FIRST")
    key = cross_sign(server, user, token)
    verify(server, user, token, first, key)
    strange, _ = with_keys(server, homeserver, user, "STRANGE")
    mine, keys = with_keys(server, homeserver, user, "MINE")
    page = browser.get(server.url("account-devices-end?id=unverified"))
    verify(server, user, token, keys, key)
    late, _ = with_keys(server, homeserver, user, "LATE")
    done = browser.submit(decision="end")

    assert "These 2 are signed out" in page.text
    assert "It was signed out." in done.text
    assert [server.whoami(each).status_code for each in (token, strange, mine, late)] == [
        *(200, 401, 200, 200)
    ]


def test_everything_but_this_browser_is_signed_out(homeserver, server, user):
    """Devices of both kinds, websites and other browsers, each of them named before."""
    client = server.client()
    ours = client.sign_in(user.localpart, user.password, scope=f"{API} {DEVICE}{device_id()}")
    legacy = homeserver.login(user)
    wiki = server.client(web_client(client_name="Wiki"))
    website = wiki.sign_in(user.localpart, user.password, scope="openid")
    elsewhere, here = Browser.of(server, user), Browser.of(server, user)
    page = here.get(server.url("account-devices-end?id=others"))
    named = page.text.count('class="row-body"')
    here.submit(decision="end")
    tokens = (ours["access_token"], legacy["access_token"])
    events = homeserver.query(
        "SELECT kind FROM nextgen_events WHERE user_id = ? AND kind = 'all_signed_out'",
        user.user_id,
    )

    assert legacy["device_id"] in page.text
    assert "Wiki" in page.text
    # A browser of each application, and one that only looked.
    assert named == 6
    assert [server.whoami(token).status_code for token in tokens] == [401, 401]
    assert wiki.refresh(website["refresh_token"]).json()["error"] == "invalid_grant"
    assert "/sign-in" in elsewhere.get(server.url("account")).url
    assert here.get(server.url("account")).url.endswith("/account")
    assert len(events) == 1


def test_a_browser_is_named_and_signed_out(homeserver, server, user):
    """By what it says of itself; this one says so."""
    elsewhere, here = Browser(server), Browser.of(server, user)
    elsewhere.http.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0"
    elsewhere.get(server.url("sign-in"))
    elsewhere.sign_in(user.localpart, user.password)
    page = here.get(server.url("account-devices"))
    (link,) = re.findall(
        r'href="(account-device\?id=[^"]+)"[^>]*>\s*Firefox', page.text.replace("<bdi>", "")
    )
    one = here.get(server.url(html.unescape(link)))
    here.get(server.url(html.unescape(link).replace("account-device", "account-device-end")))
    here.submit(decision="end")

    assert page.text.count("This browser") == 1
    assert "A browser of yours" in one.text
    assert "/sign-in" in elsewhere.get(server.url("account")).url
    assert here.get(server.url("account")).url.endswith("/account")


@pytest.mark.parametrize(
    ("typed", "name"),
    [("Kitchen radio", "Kitchen radio"), ("  two \n words ", "two words"), ("x" * 100, "x" * 100)],
)
def test_a_device_gets_another_name(homeserver, server, user, browser, typed, name):
    """It says so where it was done, and other clients of the account read it."""
    token = homeserver.login(user, device_id="RADIO")["access_token"]
    browser.get(server.url("account-device?id=RADIO"))
    page = browser.submit(decision="rename", name=typed)
    told = server.api("GET", "/_matrix/client/v3/devices/RADIO", token).json()
    forged = Browser.of(server, user).get(page.url)

    assert "The device has its new name." in page.text
    assert told["display_name"] == name
    # The address alone does not make another browser say it (C197).
    assert "The device has its new name." not in forged.text


def test_a_name_that_is_too_long_is_said_to_be(homeserver, server, user, browser):
    """What was typed stands there still."""
    homeserver.login(user, device_id="RADIO")
    browser.get(server.url("account-device?id=RADIO"))
    page = browser.submit(decision="rename", name="y" * 101)

    assert page.status_code == 400
    assert "Take at most 100 letters" in page.text
    assert "y" * 101 in page.text


def test_a_search_shows_what_is_meant(homeserver, server, user, browser):
    """Of everything there is, whatever page it stands on."""
    for n in range(21):
        homeserver.login(user, device_id=f"DEVICE{n:02}")
    page = browser.get(server.url("account-devices?search=device13"))

    assert page.text.count('class="row-body"') == 1
    assert "DEVICE13" in page.text
    assert 'value="device13"' in page.text

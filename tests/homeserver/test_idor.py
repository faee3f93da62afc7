"""Every id of an account page is looked up of the account that is signed in (C301)."""

import html
import re

import pytest

from support.oauth import API, DEVICE, Browser, device_id, web_client
from support.personal_tokens import A_TOKEN, make_token
from support.rows import rows_of_ours

# Each makes something for its owner, and returns the page about it and what its form would say.


def a_device(homeserver, server, owner):
    its_id = device_id()
    server.client().sign_in(owner.localpart, owner.password, scope=f"{API} {DEVICE}{its_id}")
    return f"account-device-end?id={its_id}", {"decision": "end"}


def a_legacy_device(homeserver, server, owner):
    its_id = homeserver.login(owner)["device_id"]
    return f"account-device-end?id={its_id}", {"decision": "end"}


def a_device_to_rename(homeserver, server, owner):
    its_id = homeserver.login(owner)["device_id"]
    return f"account-device?id={its_id}", {"decision": "rename", "name": "mine now"}


def a_website(homeserver, server, owner):
    wiki = server.client(web_client(client_name="Wiki"))
    wiki.sign_in(owner.localpart, owner.password, scope="openid")
    return f"account-device-end?id={linked(server, owner, 'session')}", {"decision": "end"}


def a_browser(homeserver, server, owner):
    Browser.of(server, owner)
    return f"account-device-end?id={linked(server, owner, 'browser')}", {"decision": "end"}


def linked(server, owner, kind):
    """Return what the owner's list calls a thing of this kind."""
    page = Browser.of(server, owner).get(server.url("account-devices"))
    return re.search(rf"account-device\?id=(~{kind}\.\w+)", html.unescape(page.text))[1]


def a_device_that_resets(homeserver, server, owner):
    its_id = device_id()
    server.client().sign_in(owner.localpart, owner.password, scope=f"{API} {DEVICE}{its_id}")
    return f"account-identity-reset?id={its_id}", {"decision": "allow"}


def an_address(homeserver, server, owner):
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        *(owner.user_id, f"{owner.localpart}@example.com"),
    )
    page = Browser.of(server, owner).get(server.url("account-profile"))
    link = re.search(r"account-address-remove\?id=\w+", html.unescape(page.text))[0]
    return link, {"decision": "remove"}


def an_invitation(homeserver, server, owner):
    token = f"t-{owner.localpart}"
    homeserver.query(
        "INSERT INTO nextgen_invitations (token, made_at, invited_by, rooms, slot)"
        " VALUES (?, 1, ?, '[]', 0)",
        *(token, owner.user_id),
    )
    homeserver.query(
        "INSERT INTO registration_tokens (token, uses_allowed, pending, completed)"
        " VALUES (?, 1, 0, 0)",
        token,
    )
    return "account-invitations", {"decision": "withdraw", "invitation": token}


def a_token(homeserver, server, owner):
    browser = Browser.of(server, owner)
    make_token(browser)
    page = browser.get(server.url("account-tokens"))
    return re.search(r"account-token-end\?id=\w+", page.text)[0], {"decision": "end"}


def a_token_to_renew(homeserver, server, owner):
    url, _form = a_token(homeserver, server, owner)
    fields = {**A_TOKEN, "name": "Mine", "decision": "make"}
    return url.replace("-end", "-add"), fields


THINGS = [
    a_token,
    a_token_to_renew,
    an_invitation,
    an_address,
    a_device_that_resets,
    a_device,
    a_legacy_device,
    a_device_to_rename,
    a_website,
    a_browser,
]


def stored(homeserver, owner):
    """Return what there is of an account: our rows with its name in them, and its devices."""
    rows = [(table, row) for table, rows in rows_of_ours(homeserver).items() for row in rows]
    devices = homeserver.query(
        "SELECT device_id, display_name FROM devices WHERE user_id = ?", owner.user_id
    )
    addresses = homeserver.query(
        "SELECT medium, address FROM user_threepids WHERE user_id = ?", owner.user_id
    )
    ours = [each for each in rows if owner.user_id in each[1]]
    return sorted(map(repr, ours + devices + addresses))


@pytest.mark.parametrize("thing", THINGS)
def test_c301_nobody_elses_things_are_shown_or_changed(homeserver, server, thing):
    """Neither by a link nor by a form, with a proof of the thief's own browser and account."""
    owner, thief = homeserver.new_user(), homeserver.new_user()
    url, form = thing(homeserver, server, owner)
    browser = Browser.of(server, thief)
    home = browser.get(server.url(""))
    csrf = re.search(r'name="csrf" value="([^"]+)"', home.text)[1]
    before = stored(homeserver, owner)

    looked = browser.get(server.url(url))
    pressed = browser.http.post(server.url(url), data={"csrf": csrf, **form}, timeout=60)

    assert looked.status_code in {200, 404}
    assert pressed.status_code in {200, 404}
    assert owner.user_id not in looked.text + pressed.text
    # Or it leads to the thief's own profile, which has forms of its own.
    is_profile = looked.url == server.url("account-profile")
    assert is_profile or "<form" not in looked.text.partition("<main")[2]
    assert stored(homeserver, owner) == before

"""Personal tokens: made on a page, and what Synapse, its workers and our endpoints make of them."""

import html
import json
import os
import re
import subprocess
import sys
import time
import uuid
from urllib.parse import quote, quote_plus

import pytest

from support.markdown import DOCS, fences
from support.oauth import DEVICE, Browser, Server
from support.personal_tokens import A_BOT, A_TOKEN, make_token, token_links
from support.public import SECRET
from support.tokens import made_from
from support.waiting import eventually
from synapse_nextgen_auth.oauth.tokens.session_tokens import Kind

V3 = "/_matrix/client/v3"
READ = "urn:nextgen-auth:read"


def page_of(browser):
    """Return what the list says, as people read it."""
    page = browser.get(browser.server.url("account-tokens"))
    main = page.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


def test_a_bot_has_a_device_and_all_of_the_api(homeserver, server, user, browser):
    """Plain Bearer, as long as its time; the device is called as the token."""
    token = make_token(browser, **A_BOT)

    whoami = server.whoami(token).json()
    assert whoami["user_id"] == user.user_id
    assert re.fullmatch("[A-Z]{10}", whoami["device_id"])
    device = server.api("GET", f"{V3}/devices/{whoami['device_id']}", token).json()
    assert device["display_name"] == "Bot"
    room = server.api("POST", f"{V3}/createRoom", token, json={}).json()["room_id"]
    sent = server.api(
        "PUT",
        f"{V3}/rooms/{quote(room)}/send/m.room.message/{uuid.uuid4().hex}",
        token,
        json={"msgtype": "m.text", "body": "20 degrees"},
    )
    assert sent.status_code == 200, sent.text
    assert server.api("GET", f"{V3}/sync", token, params={"timeout": 0}).status_code == 200
    said = page_of(browser)
    assert "Bot" in said
    assert "Use your whole account" in said
    assert "Power over the server" not in said


def test_c113_a_narrow_one_opens_what_it_says_and_no_more(homeserver, server, browser, user):
    """No device, no admin API, no tokens: of the parts of the API that were chosen."""
    whole = make_token(browser, **A_BOT)
    rooms = [
        server.api("POST", f"{V3}/createRoom", whole, json={}).json()["room_id"] for _ in range(2)
    ]
    token = make_token(browser, name="Widget", rooms=rooms[0])

    assert server.whoami(token).json().get("device_id") is None
    assert server.api("GET", f"{V3}/rooms/{rooms[0]}/messages", token).status_code == 200
    refused = server.api("GET", f"{V3}/rooms/{rooms[1]}/messages", token)
    assert (refused.status_code, refused.json()["errcode"]) == (403, "M_FORBIDDEN")
    joined = server.api("GET", f"{V3}/sync", token, params={"timeout": 0}).json()["rooms"]["join"]
    assert set(joined) == {rooms[0]}
    for method, path in (
        ("GET", "/_synapse/admin/v2/users"),
        ("POST", f"{V3}/logout"),
        ("POST", f"{V3}/createRoom"),
    ):
        assert server.api(method, path, token, json={}).status_code == 403, path
    assert "Only in" in page_of(browser)


def test_c337_it_is_shown_once_and_kept_nowhere(homeserver, server, browser, user):
    """No row of any table has it, used or not; the page of the list has not either."""
    token = make_token(browser, **A_BOT)
    assert server.whoami(token).status_code == 200
    eventually(lambda: homeserver.query(
        "SELECT 1 FROM user_ips WHERE user_id = ?", user.user_id
    ))  # fmt: skip

    assert token not in browser.get(server.url("account-tokens")).text
    assert token not in browser.get(server.url("account-token-add")).text
    for table in ("access_tokens", "user_ips", "nextgen_sessions", "nextgen_personal_tokens"):
        assert token not in repr(homeserver.query(f"SELECT * FROM {table}"))
    assert token[4:] not in homeserver.log_text()


def test_last_use_and_from_where_are_shown(homeserver, server, browser):
    token = make_token(browser)
    assert "Not used yet" in page_of(browser)
    assert server.api("GET", f"{V3}/joined_rooms", token).status_code == 200

    eventually(lambda: "Last used" in page_of(browser))
    eventually(lambda: "127.0.0.1" in page_of(browser))


@pytest.mark.parametrize("kind", [Kind.ACCESS, Kind.REFRESH])
def test_c109_one_kind_of_token_never_stands_for_another(homeserver, server, browser, kind):
    """Though it were signed by our keys: not here, and not at the token endpoint."""
    token = make_token(browser, **A_BOT)
    other = made_from(token, kind=kind)

    assert server.whoami(other).status_code == 401
    for text in (token, other):
        refused = server.client().refresh(text)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        own = server.client().refresh(text, client_id="urn:nextgen-auth:personal-tokens")
        assert (own.status_code, own.json()["error"]) == (401, "invalid_client")
    assert server.whoami(token).status_code == 200


def test_c109_of_a_session_that_signed_in_there_is_none(server, user):
    """Also once its own access token was used, and is in memory."""
    access = server.client().sign_in(user.localpart, user.password)["access_token"]
    assert server.whoami(access).status_code == 200

    assert server.whoami(made_from(access, kind=Kind.PERSONAL)).status_code == 401
    assert server.whoami(access).status_code == 200


def test_its_time_is_over(homeserver, server, browser):
    """The token says so itself; so does its session, whatever a token says."""
    token = make_token(browser, **A_BOT)
    expired = made_from(token, expires_at=int(time.time()) - 1)
    answer = server.whoami(expired)

    assert answer.status_code == 401
    assert answer.json()["soft_logout"] is True
    assert server.whoami(token).status_code == 200


def test_c124_whoever_finds_it_ends_it(server, browser):
    """No client needs to be named; the device goes with it, and the list forgets it."""
    bot, widget = make_token(browser, **A_BOT), make_token(browser, name="Widget")
    for token in (bot, widget):
        assert server.whoami(token).status_code == 200
        assert server.revoke(token=token).status_code == 200
        assert server.whoami(token).status_code == 401

    said = page_of(browser)
    assert "Bot" not in said
    assert "Widget" not in said


def test_ending_it_on_the_page(homeserver, server, browser, user):
    token = make_token(browser, **A_BOT)
    device_id = server.whoami(token).json()["device_id"]
    url = token_links(browser)[0].replace("-add", "-end")
    browser.get(server.url(url))
    page = browser.submit(decision="end")

    assert "The token is over" in page.text
    assert server.whoami(token).status_code == 401
    assert not homeserver.query("SELECT 1 FROM devices WHERE device_id = ?", device_id)


def test_a_renewed_one_keeps_its_device_and_keys(homeserver, server, browser, user):
    """The one before it is over at once, and the name stands in the form already."""
    first = make_token(browser, **A_BOT)
    device_id = server.whoami(first).json()["device_id"]
    keys = {
        "device_keys": {
            "user_id": user.user_id,
            "device_id": device_id,
            "algorithms": ["m.olm.v1.curve25519-aes-sha2"],
            "keys": {f"ed25519:{device_id}": "x" * 43},
            "signatures": {},
        }
    }
    assert server.api("POST", f"{V3}/keys/upload", first, json=keys).status_code == 200
    (url,) = token_links(browser)
    form = browser.get(server.url(url)).text
    assert 'value="Bot"' in form
    assert re.search(rf'value="at {device_id}" selected', form)
    second = make_token(browser, at=url, **{**A_BOT, "device": f"at {device_id}"})

    assert server.whoami(first).status_code == 401
    assert server.whoami(second).json()["device_id"] == device_id
    asked = {"device_keys": {user.user_id: [device_id]}}
    found = server.api("POST", f"{V3}/keys/query", second, json=asked).json()["device_keys"]
    assert found[user.user_id][device_id]["keys"] == keys["device_keys"]["keys"]
    assert len(token_links(browser)) == 1


def test_a_renewed_one_without_a_device_takes_the_place_of_the_former(server, browser):
    first = make_token(browser)
    (url,) = token_links(browser)
    second = make_token(browser, at=url, name="Dashboard 2")

    assert server.whoami(first).status_code == 401
    assert server.whoami(second).status_code == 200
    assert len(token_links(browser)) == 1


def test_c310_an_app_on_the_device_is_signed_out(homeserver, server, browser, user):
    """Legacy ones, too: one token at a time speaks for a device."""
    old = homeserver.login(user, device_id="OLDANDGOOD")
    token = make_token(browser, **{**A_BOT, "device": "at OLDANDGOOD"})

    assert server.whoami(old["access_token"]).status_code == 401
    assert server.whoami(token).json()["device_id"] == "OLDANDGOOD"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "Give it a name"),
        ({"name": "a" * 101}, "at most 100 letters"),
        ({"may_read": ""}, "at least one thing"),
        ({"may_encrypt": "on"}, "takes a device"),
        ({"may_whole": "on"}, "takes a device"),
        ({"device": "at NOBODYSDEVICE"}, "not there any more"),
        ({"device": "x"}, "not there any more"),
        ({"rooms": "#alias:localhost"}, "not the id of a room"),
        ({"rooms": " ".join(f"!{n}:localhost" for n in range(9))}, "at most 8 rooms"),
        ({"rooms": "!a:localhost", "may_whole": "on", "device": "new"}, "Your whole account, or"),
        ({"lifetime": "forever"}, "Choose one of these"),
        ({"lifetime": str(400 * 24 * 3600)}, "Choose one of these"),
        ({"lifetime": "-1"}, "Choose one of these"),
        ({"rooms": "!a:localhost", "may_profile": "on"}, "Leave them out, or the rooms"),
    ],
)
def test_what_is_not_made_says_why(homeserver, server, browser, user, fields, said):
    browser.get(server.url("account-token-add"))
    page = browser.submit(decision="make", **(A_TOKEN | fields))

    assert page.status_code == 400
    assert said in html.unescape(page.text)
    assert "ngp_" not in page.text
    assert not homeserver.query("SELECT 1 FROM nextgen_sessions WHERE user_id = ?", user.user_id)


def test_c311_power_over_the_server_is_for_administrators(homeserver, server, browser):
    """It is offered to nobody else, and refused to whoever asks; the flag counts at each use."""
    assert "may_administer" not in browser.get(server.url("account-token-add")).text
    asked = {**A_BOT, "may_administer": "on", "decision": "make"}
    refused = browser.submit(**asked)
    assert refused.status_code == 403
    assert "ngp_" not in refused.text

    admin = homeserver.new_user(admin=True)
    of_admin = Browser.of(server, admin)
    users = "/_synapse/admin/v2/users"
    plain = make_token(of_admin, **A_BOT)
    assert server.api("GET", users, plain).status_code == 403
    powerful = make_token(of_admin, **{**A_BOT, "may_administer": "on"})
    assert server.api("GET", users, powerful).status_code == 200
    assert "Power over the server" in page_of(of_admin)
    of_admin.get(server.url("account-token-add"))
    alone = of_admin.submit(decision="make", **{**A_TOKEN, "may_administer": "on"})
    assert alone.status_code == 400
    assert "takes the use of your whole account" in html.unescape(alone.text)
    assert "1 with power over the server" in of_admin.get(server.url("account")).text


@pytest.mark.parametrize("field", ["may_manage_accounts", "may_look_after"])
def test_what_has_no_use_for_a_device_gets_none(homeserver, server, field):
    """Though the form is sent as it stands there; a device of the account is refused."""
    browser = Browser.of(server, homeserver.new_user(admin=True))
    wanted = {**A_TOKEN, "may_read": "", field: "on"}
    browser.get(server.url("account-token-add"))
    made = browser.submit(decision="make", **{**wanted, "device": "new"})
    assert "Whoever has this token has power over this server" in html.unescape(made.text)
    token = re.search(r">(ngp_[^<]+)<", made.text)[1]
    assert "device_id" not in server.whoami(token).json()
    make_token(browser, **A_BOT)
    form = browser.get(server.url("account-token-add")).text
    device = re.search(r'<option value="(at [A-Z]{10})"', form)[1]
    refused = browser.submit(decision="make", **{**wanted, "device": device})

    assert refused.status_code == 400
    assert "Choose \u201cNone\u201d" in html.unescape(refused.text)


def test_a_proof_of_late_is_asked_for(homeserver, server, browser, user):
    """Whoever finds an open browser makes no token there."""
    homeserver.query(
        "UPDATE nextgen_browsers SET signed_in_at = signed_in_at - 3600, auth_time = NULL"
        " WHERE user_id = ?",
        user.user_id,
    )
    looked = browser.get(server.url("account-token-add"))

    assert "may_read" not in looked.text
    assert 'name="password"' in looked.text


def test_it_asks_for_no_interactive_authentication(homeserver, server, browser, user):
    """What takes a person in a browser is nothing for a program, with the password or without."""
    token = make_token(browser, **A_BOT)
    device_id = server.whoami(token).json()["device_id"]
    proof = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": user.user_id},
        "password": user.password,
    }
    for method, path, body in (
        ("DELETE", f"{V3}/devices/{device_id}", {}),
        ("POST", f"{V3}/account/deactivate", {}),
        ("POST", f"{V3}/account/password", {"new_password": "correct horse battery"}),
    ):
        for auth in ({}, {"auth": proof}):
            answer = server.api(method, path, token, json={**body, **auth})
            assert (answer.status_code, answer.json()["errcode"]) == (403, "M_FORBIDDEN"), path
            assert "flows" not in answer.json()
    assert server.whoami(token).status_code == 200


def test_a_new_password_that_signs_out_ends_them(homeserver, server, browser, user):
    """As everything else that is signed in, with a device or without."""
    tokens = [make_token(browser, **A_BOT), make_token(browser)]
    new = "correct horse battery staple of the meadow"
    page = browser.get(server.url("account-password"))
    assert 'name="sign_out"' in page.text
    browser.submit(
        account=user.user_id, current=user.password, password=new, sign_out="yes", decision="set"
    )

    for token in tokens:
        eventually(lambda token=token: server.whoami(token).status_code == 401)


def test_c317_with_the_account_they_are_over(homeserver, server, browser, user):
    tokens = [make_token(browser, **A_BOT), make_token(browser)]
    assert all(server.whoami(each).status_code == 200 for each in tokens)
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    path = f"/_synapse/admin/v1/deactivate/{user.user_id}"
    assert server.api("POST", path, admin, json={}).status_code == 200

    assert [server.whoami(each).status_code for each in tokens] == [401, 401]
    assert not homeserver.query(
        "SELECT 1 FROM nextgen_personal_tokens WHERE user_id = ?", user.user_id
    )
    assert not homeserver.query(
        "SELECT 1 FROM devices WHERE user_id = ? AND hidden = ?", user.user_id, True
    )


def test_they_are_listed_where_one_signs_out(homeserver, server, browser, user):
    """Signing out everything else ends them, too."""
    token = make_token(browser, name="Barometer")
    assert "Barometer" in browser.get(server.url("account-devices")).text
    assert "1 personal token" in browser.get(server.url("account")).text
    page = browser.get(server.url("account-devices-end?id=others"))
    assert "Barometer" in page.text
    shown = re.search(r'name="shown" value="([^"]+)"', page.text)[1]
    browser.submit(decision="end", shown=shown)

    assert server.whoami(token).status_code == 401


def test_the_owner_takes_them_along(homeserver, server, browser):
    token = make_token(browser, name="Weather")
    browser.get(server.url("account-data"))
    answer = browser.submit(decision="download")
    (known,) = json.loads(answer.text)["personal_tokens"]

    assert known["name"] == "Weather"
    assert known.keys() == {"name", "made_at", "expires_at"}
    assert token not in answer.text


def test_c134_who_may_hear_of_it(public_homeserver):
    """Clients that the operator wrote down; to those that anybody registers it is nothing."""
    server, user = Server(public_homeserver.base_url), public_homeserver.new_user()
    token = make_token(Browser.of(server, user), device="new")
    told = server.post("introspect", {"token": token}, auth=("basic", quote_plus(SECRET))).json()

    assert told["active"] is True
    assert told["token_type"] == "Bearer"
    assert told["username"] == user.user_id
    assert told["scope"] == f"{READ} {DEVICE}{told['device_id']}"
    assert told["exp"] > time.time() + 29 * 24 * 3600
    assert "client_id" not in told
    registered = server.client(
        {
            "client_uri": "https://client.example.com/",
            "redirect_uris": ["https://client.example.com/callback"],
            "token_endpoint_auth_method": "client_secret_post",
        }
    )
    form = {
        "token": token,
        "client_id": registered.id,
        "client_secret": registered.registered["client_secret"],
    }
    assert server.post("introspect", form).json() == {"active": False}
    assert server.revoke(token=token).status_code == 200
    gone = server.post("introspect", {"token": token}, auth=("basic", quote_plus(SECRET)))
    assert gone.json() == {"active": False}


def test_a_worker_takes_it_and_hears_that_it_is_over(homeserver_with_worker):
    """Warm there, with its device and without: the next request is refused.

    It gets no login token, by which somebody would be signed in for longer than it is good.
    """
    main, worker = (
        Server(homeserver_with_worker.base_url),
        Server(homeserver_with_worker.workers["worker1"].base_url),
    )
    user = homeserver_with_worker.new_user()
    browser = Browser.of(main, user)
    tokens = [make_token(browser, **A_BOT), make_token(browser)]
    asked = main.api("POST", "/_matrix/client/v1/login/get_token", tokens[0], json={})
    assert (asked.status_code, asked.json()["errcode"]) == (403, "M_FORBIDDEN")
    for token in tokens:
        for _ in range(3):
            assert worker.api("GET", f"{V3}/joined_rooms", token).status_code == 200
        assert main.revoke(token=token).status_code == 200

        eventually(
            lambda token=token: worker.api("GET", f"{V3}/joined_rooms", token).status_code == 401
        )


def block_of(language, beginning, homeserver, **words):
    """Return an example of the page about applications, as somebody here would type it."""
    (found,) = [
        text
        for kind, text in fences(DOCS / "setup" / "applications.md")
        if kind == language and text.startswith(beginning)
    ]
    for said, here in {
        "https://matrix.example.com": homeserver.base_url.rstrip("/"),
        **words,
    }.items():
        assert said in found
        found = found.replace(said, here)
    return found


def test_the_script_of_the_page_says_something(homeserver, server, browser, user):
    bot = make_token(browser, **A_BOT)
    room = server.api("POST", f"{V3}/createRoom", bot, json={}).json()["room_id"]
    token = make_token(browser, may_send="on")
    script = block_of("sh", "curl -X PUT", homeserver)
    run = subprocess.run(
        ["sh", "-c", script],
        env={"PATH": os.environ["PATH"], "TOKEN": token, "ROOM": room},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    event_id = json.loads(run.stdout)["event_id"]
    path = f"{V3}/rooms/{quote(room)}/event/{quote(event_id)}"
    assert server.api("GET", path, bot).json()["content"]["body"] == "The backup is done"


def test_the_bot_of_the_page_is_let_in(homeserver, server, browser, user):
    """matrix-nio takes the token as it takes any."""
    token = make_token(browser, **A_BOT)
    device_id = server.whoami(token).json()["device_id"]
    words = {"@bot:example.com": user.user_id, "HJKLQWERTY": device_id}
    run = subprocess.run(
        [sys.executable, "-c", block_of("python", "import asyncio", homeserver, **words)],
        env={"PATH": os.environ["PATH"], "TOKEN": token},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert f"user_id='{user.user_id}'" in run.stdout
    assert f"device_id='{device_id}'" in run.stdout


def test_a_password_that_an_administrator_sets_ends_them(homeserver, server, browser, user):
    """Where it signs out, as Synapse does unless told not to."""
    tokens = [make_token(browser, **A_BOT), make_token(browser)]
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    path = f"/_synapse/admin/v1/reset_password/{user.user_id}"
    new = {"new_password": "correct horse battery staple"}
    kept = server.api("POST", path, admin, json={**new, "logout_devices": False})
    assert kept.status_code == 200
    assert [server.whoami(each).status_code for each in tokens] == [200, 200]

    assert server.api("POST", path, admin, json=new).status_code == 200
    for token in tokens:
        eventually(lambda token=token: server.whoami(token).status_code == 401)


def test_its_session_is_over_with_its_time(homeserver, server, browser, user):
    """Whatever the token says; it is no sign-out, so a bot keeps its keys."""
    token = make_token(browser, **A_BOT)
    homeserver.query(
        "UPDATE nextgen_sessions SET expires_at = ? WHERE user_id = ?",
        *(int(time.time()) - 1, user.user_id),
    )
    answer = server.whoami(token)

    assert (answer.status_code, answer.json()["soft_logout"]) == (401, True)
    assert "Bot" not in page_of(browser)


def test_it_is_written_down(homeserver, server, browser, user):
    """When it was made, from where, and that it is over."""
    token = make_token(browser, **A_BOT)
    server.revoke(token=token)
    said = html.unescape(browser.get(server.url("account-events")).text)

    assert "Made a personal token for a program" in said
    assert "A personal token is over" in said
    assert homeserver.query(
        "SELECT kind, address FROM nextgen_events WHERE user_id = ? AND kind LIKE 'personal%'"
        " ORDER BY kind DESC",
        user.user_id,
    ) == [("personal_token_made", "127.0.0.1"), ("personal_token_ended", "127.0.0.1")]

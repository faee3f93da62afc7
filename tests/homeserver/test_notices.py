"""Accounts are told what happened to them: by mail, and in their room for server notices."""

import time

import pytest
import requests

from support.oauth import API, DEVICE, Browser, Server, device_id, web_client
from support.personal_tokens import A_BOT, make_token
from support.redis import RedisServer
from support.television import DEVICE_CODE
from support.waiting import eventually

pytestmark = [pytest.mark.newest_only, pytest.mark.one_database]

DAY = 24 * 3600
NEW_DEVICE = "A new device signed in to your account"


@pytest.fixture
def homeserver(mailing_homeserver):
    return mailing_homeserver


@pytest.fixture
def server(homeserver):
    return Server(homeserver.base_url)


@pytest.fixture
def user(homeserver):
    """Return somebody who has been here for a day, with two addresses."""
    user = homeserver.new_user()
    homeserver.query(
        "UPDATE users SET creation_ts = creation_ts - ? WHERE name = ?", DAY, user.user_id
    )
    now = int(time.time() * 1000)
    for name in ("", "second-"):
        homeserver.query(
            "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
            " VALUES (?, 'email', ?, ?, ?)",
            *(user.user_id, f"{name}{user.localpart}@example.com", now, now),
        )
    return user


def address_of(user):
    return f"{user.localpart}@example.com"


def call(homeserver, access_token, method, path, **options):
    answer = requests.request(
        method,
        f"{homeserver.base_url}/_matrix/client/v3{path}",
        headers={"Authorization": f"Bearer {access_token}"},
        timeout=30,
        **options,
    )
    answer.raise_for_status()
    return answer.json()


def room_says(homeserver, user, access_token):
    """Return what the room for server notices says, once its invitation is accepted."""

    def invited():
        return homeserver.query(
            "SELECT room_id FROM local_current_membership WHERE user_id = ?"
            " AND membership = 'invite'",
            user.user_id,
        )

    [[room_id]] = eventually(invited)
    call(homeserver, access_token, "POST", f"/join/{room_id}", json={})
    return eventually(lambda: room_says_again(homeserver, user, access_token))


def room_says_again(homeserver, user, access_token):
    """Return what it says by now, the newest first."""
    [[room_id]] = homeserver.query(
        "SELECT room_id FROM local_current_membership WHERE user_id = ?", user.user_id
    )
    path = f"/rooms/{room_id}/messages?dir=b&limit=50"
    found = call(homeserver, access_token, "GET", path)["chunk"]
    return [event["content"]["body"] for event in found if event["type"] == "m.room.message"]


@pytest.mark.parametrize(
    ("chosen", "subject"), [(None, "Ein neues Gerät"), ("ar", "سجّل جهاز جديد")]
)
def test_a_notice_is_in_the_language_of_its_reader(
    homeserver, server, user, mailbox, chosen, subject
):
    """The one that they chose, wherever the event comes from; else that of their last sign-in."""
    browser = Browser(server)
    browser.http.headers["Accept-Language"] = "de"
    browser.get(server.url("sign-in"))
    browser.sign_in(user.localpart, user.password)
    for fields in ({"decision": chosen}, {"decision": "time-zone", "time_zone": "Asia/Kolkata"}):
        if chosen is not None:
            browser.get(server.url("language"))
            browser.submit(**fields)

    homeserver.login(user)
    mail = mailbox.last_to(address_of(user))

    assert mail.subject.startswith(subject)
    assert f'<html lang="{chosen or "de"}"' in mail.html
    assert ("UTC+5:30" in mail.text) == (chosen is not None)


def test_a_new_device_is_told_to_every_address_and_in_matrix(homeserver, server, user, mailbox):
    """When, from where, by which application, and what to do: the link lets nobody in."""
    browser = Browser(server)
    tokens = server.client().sign_in(user.localpart, user.password, browser=browser)
    mail = mailbox.last_to(address_of(user))
    again = mailbox.last_to(f"second-{address_of(user)}")
    [said] = room_says(homeserver, user, tokens["access_token"])

    assert mail.subject == f"{NEW_DEVICE} on {homeserver.server_name}"
    assert again.text == mail.text
    assert "Network address: 127.0.0.1" in mail.text
    assert user.user_id in mail.text
    assert mail.link == f"{server.issuer}account"
    assert mail.link in said
    assert said.startswith(mail.subject)
    assert "Nobody reads what is sent back" not in said
    assert tokens["access_token"] not in mail.html


def test_a_personal_token_is_told_of_once(homeserver, server, user, mailbox):
    """With its device or without; it is no new device beside that, and the mail has it not."""
    browser = Browser.of(server, user)
    token = make_token(browser, **A_BOT)
    mail = mailbox.last_to(address_of(user))

    subject = f"Something about a personal token for your account on {homeserver.server_name}"
    assert mail.subject == subject
    assert "A personal token was made" in mail.text
    assert "Network address: 127.0.0.1" in mail.text
    assert token not in mail.html
    assert eventually(lambda: told_all(homeserver))
    assert [each.subject for each in mailbox.to(address_of(user))] == [subject]


def test_the_same_device_again_is_nothing_new(homeserver, server, user, mailbox):
    """Whoever signs in again in an app that was signed out for safety; and it holds up no notice."""
    device = homeserver.login(user)["device_id"]
    mailbox.last_to(address_of(user))
    homeserver.query("UPDATE nextgen_notices SET due_at = due_at - 7200")
    homeserver.query("UPDATE nextgen_events SET happened_at = happened_at - 3600")
    homeserver.login(user, device_id=device)

    assert eventually(lambda: told_all(homeserver))
    assert len(mailbox.to(address_of(user))) == 1
    homeserver.login(user, initial_device_display_name="Of a thief")
    assert "Of a thief" in mailbox.to(address_of(user), 2)[-1].text


def test_a_new_device_is_not_hidden_by_many_sign_ins(homeserver, user, mailbox):
    """Whoever has the password could sign in a hundred times on a second one within ten minutes."""
    homeserver.login(user, initial_device_display_name="Of a friend")
    told = mailbox.last_to(address_of(user)).text
    assert "Of a friend" in told
    assert "Network address: 127.0.0.1" in told
    homeserver.login(user, initial_device_display_name="Of a thief")
    now = int(time.time())
    for n in range(120):
        homeserver.query(
            "INSERT INTO nextgen_events (event_id, kind, happened_at, user_id, detail, address)"
            " VALUES (?, ?, ?, ?, ?, '127.0.0.1')",
            f"many {n} {user.user_id}",
            "session_begun" if n % 2 else "legacy_session_begun",
            *(now + 1, user.user_id, None if n % 2 else "device LOUD"),
        )
    homeserver.query(
        "UPDATE nextgen_outbox SET due_at = ? WHERE kind = 'tell' AND subject = ?",
        *(now, f"new_device {user.user_id}"),
    )
    homeserver.login(homeserver.new_user())  # wakes the outbox
    _, second = mailbox.to(address_of(user), 2)

    assert "Of a thief" in second.text
    assert "LOUD" in second.text


def told_all(homeserver):
    return not homeserver.query(
        "SELECT 1 FROM nextgen_outbox WHERE kind IN ('tell', 'send_notice')"
        " AND due_at <= ? AND given_up_at IS NULL",
        int(time.time()),
    )


def test_a_legacy_sign_in_is_a_new_device_too(homeserver, user, mailbox):
    """It has no page of ours to be seen on."""
    homeserver.login(user, initial_device_display_name="Old <b>phone</b>")
    mail = mailbox.last_to(address_of(user))

    assert mail.subject.startswith(NEW_DEVICE)
    assert "Old <b>phone</b>" in mail.text
    assert "<b>phone" not in mail.html


def test_somebody_who_signed_up_just_now_is_not_told_of_their_own_device(homeserver, mailbox):
    """They know."""
    user = homeserver.new_user()
    homeserver.query(
        "INSERT INTO user_threepids (user_id, medium, address, validated_at, added_at)"
        " VALUES (?, 'email', ?, 1, 1)",
        *(user.user_id, address_of(user)),
    )
    homeserver.login(user)

    assert eventually(lambda: told_all(homeserver))
    assert mailbox.none_to(address_of(user))


def test_ten_new_devices_are_two_mails(homeserver, user, mailbox):
    """The first at once, the others together; none of them is forgotten."""
    for n in range(10):
        homeserver.login(user, initial_device_display_name=f"Device number {n}")
    first = mailbox.last_to(address_of(user))
    homeserver.query(
        "UPDATE nextgen_outbox SET due_at = ? WHERE kind = 'tell' AND subject = ?",
        *(int(time.time()), f"new_device {user.user_id}"),
    )
    homeserver.login(homeserver.new_user())  # wakes the outbox
    _, second = mailbox.to(address_of(user), 2)

    assert "Device number 0" in first.text
    for n in range(1, 10):
        assert f"Device number {n}" in second.text


def ask_as_a_device(server, *, name="A television", **hint):
    """Ask for codes as a device does; return what it is told."""
    grants = ["authorization_code", "refresh_token", DEVICE_CODE]
    client = server.client(web_client(client_name=name, grant_types=grants))
    form = {"client_id": client.id, "scope": f"{API} {DEVICE}{device_id()}", **hint}
    answer = server.post("device-authorization", form)
    assert answer.status_code == 200, answer.text
    return answer.json()


def left(homeserver):
    """Say what is still to be shown or sent, of any account, but what waits for its turn."""
    return homeserver.query(
        "SELECT subject FROM nextgen_outbox WHERE kind IN ('show_question', 'send_notice')"
        " OR kind = 'ask' AND tries = 0"
    )


@pytest.mark.parametrize("spelled", ["mxid:{0.user_id}", "{0.localpart}"])
def test_a_device_that_says_whose_it_is_is_shown_in_matrix(homeserver, server, spelled):
    """With a link to the page that asks for the code, which is on the device alone."""
    user = homeserver.new_user()
    access_token = homeserver.login(user)["access_token"]
    codes = ask_as_a_device(server, login_hint=spelled.format(user))
    again = ask_as_a_device(server, login_hint=user.user_id)
    [said] = room_says(homeserver, user, access_token)
    assert eventually(lambda: not left(homeserver))

    assert said.startswith("A device wants to sign in to your account")
    assert user.user_id in said
    assert "127.0.0.1" in said
    assert codes["verification_uri"] in said
    for each in (codes, again):
        assert each["user_code"] not in said
        assert each["user_code"].replace("-", "") not in said
        assert each["device_code"] not in said
        assert "user_code" not in said
    assert homeserver.query(
        "SELECT COUNT(*) FROM events WHERE type = 'm.room.message' AND room_id IN"
        " (SELECT room_id FROM local_current_membership WHERE user_id = ?)",
        user.user_id,
    ) == [(1,)]


def test_a_device_that_names_nobody_hears_the_same(homeserver, server):
    """Nothing is sent to an account that is not there, or closed, or a bridge's; no answer tells."""
    closed = homeserver.new_user()
    tokens = homeserver.login(closed)
    admin = homeserver.login(homeserver.new_user(admin=True))["access_token"]
    path = f"/_synapse/admin/v1/deactivate/{closed.user_id}"
    assert server.api("POST", path, admin, json={}).status_code == 200
    names = ["@nobody-at-all:localhost", closed.user_id, "@elsewhere:example.com", "@:"]
    answers = [ask_as_a_device(server, login_hint=name) for name in names]

    assert tokens["access_token"]
    assert eventually(lambda: not left(homeserver))
    assert [set(each) for each in answers] == [set(answers[0])] * len(names)
    assert not homeserver.query(
        "SELECT 1 FROM nextgen_notices WHERE about = 'device_questions' AND user_id IN"
        " (?, '@nobody-at-all:localhost')",
        closed.user_id,
    )
    assert not homeserver.query(
        "SELECT 1 FROM local_current_membership WHERE user_id = ?", closed.user_id
    )


def test_c299_what_a_session_asks_for_is_shown_in_matrix_and_answered_on_the_page(
    homeserver, server
):
    """The link needs a sign-in of the account, and nothing passes by the message."""
    user = homeserver.new_user()
    other = homeserver.login(user)
    token = server.client().sign_in(user.localpart, user.password)["access_token"]
    body = {"devices": [other["device_id"]]}
    path = "/_matrix/client/v3/delete_devices"
    challenge = server.api("POST", path, token, json=body).json()
    [said] = room_says(homeserver, user, other["access_token"])
    still = server.api("POST", path, token, json=body)
    url = challenge["params"]["m.login.sso"]["url"]
    stranger = homeserver.new_user()
    theirs = Browser.of(server, stranger).get(url)
    browser = Browser(server)
    browser.get(url)
    page = browser.sign_in(user.localpart, user.password)
    browser.submit(decision="approve")
    done = server.api("POST", path, token, json=body)
    late = browser.get(url)

    assert said.startswith("An app asks for your approval")
    assert "sign out devices of yours" in said
    assert url in said
    assert token not in said
    assert still.status_code == 401
    assert theirs.status_code == 403
    assert "Sign out this device?" in page.text
    assert done.status_code == 200, done.text
    assert late.status_code == 409


LURE = "Confirm at https://evil.example/x"


def test_c258_an_application_says_nothing_in_the_name_of_this_server(homeserver, server):
    """Whoever registers one chooses its name: nothing in it is a link in the official room."""
    user = homeserver.new_user()
    access_token = homeserver.login(user)["access_token"]
    ask_as_a_device(server, name=f"{LURE}, #help:evil.example", login_hint=user.user_id)
    [said] = room_says(homeserver, user, access_token)

    assert "Application: Confirm at https:\u200b//evil.\u200bexample/x, #help:\u200bevil" in said
    assert said.count("evil.example") == said.count("://evil") == 0


def test_c258_a_device_says_nothing_in_the_name_of_this_server(homeserver, server, user, mailbox):
    """Whoever has its token chooses its name: it is one line, in Matrix and in mails."""
    other = homeserver.login(user)
    token = server.client().sign_in(user.localpart, user.password)["access_token"]
    own = server.whoami(token).json()["device_id"]
    name = {"display_name": f"Phone\n\n-- \n{LURE}"}
    call(homeserver, token, "PUT", f"/devices/{own}", json=name)
    homeserver.login(user, initial_device_display_name=f"Phone\n\n-- \n{LURE}")
    body = {"devices": [other["device_id"]]}
    server.api("POST", "/_matrix/client/v3/delete_devices", token, json=body)
    said = room_says(homeserver, user, other["access_token"])
    [asked] = eventually(
        lambda: [
            each for each in room_says_again(homeserver, user, token) if "sign out devices" in each
        ]
    )

    for each in (*said, asked, mailbox.last_to(address_of(user)).text):
        assert LURE not in each
        assert "\nConfirm" not in each
    assert "Device: Phone -- Confirm at https:\u200b//evil" in asked


def edit_of(homeserver, user, access_token):
    """Return what the message that asked says once it is over."""
    [[room_id]] = homeserver.query(
        "SELECT room_id FROM local_current_membership WHERE user_id = ?", user.user_id
    )

    def said():
        found = call(homeserver, access_token, "GET", f"/rooms/{room_id}/messages?dir=b&limit=9")
        return [each for each in reversed(found["chunk"]) if each["type"] == "m.room.message"]

    def edits():
        return [each["content"] for each in said() if "m.relates_to" in each["content"]]

    [content], first = eventually(edits), said()[0]
    assert content["m.relates_to"] == {"rel_type": "m.replace", "event_id": first["event_id"]}
    assert content["body"] == f"* {content['m.new_content']['body']}"
    return content["m.new_content"]["body"]


@pytest.mark.parametrize(
    ("decision", "said"), [("approve", "This was allowed"), ("cancel", "This was refused")]
)
def test_what_was_answered_says_so_in_matrix(homeserver, server, decision, said):
    """In the message that asked, so that nobody goes to a page for nothing; and the next is shown."""
    user = homeserver.new_user()
    other = homeserver.login(user)["access_token"]
    token = server.client().sign_in(user.localpart, user.password)["access_token"]
    path, body = "/_matrix/client/v3/delete_devices", {"devices": ["NONE"]}
    challenge = server.api("POST", path, token, json=body).json()
    room_says(homeserver, user, other)
    following = server.api("POST", path, token, json={"devices": ["NEITHER"]}).json()
    follows = following["params"]["m.login.sso"]["url"]
    assert eventually(lambda: is_put_off(homeserver, follows))
    browser = Browser(server)
    browser.get(challenge["params"]["m.login.sso"]["url"])
    browser.sign_in(user.localpart, user.password)
    browser.submit(decision=decision)
    edit = edit_of(homeserver, user, other)

    assert said in edit
    assert "An app asked for your approval" in edit
    assert "sign out devices of yours" in edit
    assert eventually(lambda: follows in room_says_again(homeserver, user, other)[0])


def is_put_off(homeserver, url):
    """Say whether the question of this page was to be shown, and waits for its turn."""
    return homeserver.query(
        "SELECT 1 FROM nextgen_outbox WHERE kind = 'ask' AND tries > 0 AND subject = ?",
        f"approval_questions {url.rpartition('request=')[2]}",
    )


@pytest.mark.parametrize(
    ("decision", "said"), [("approve", "This was allowed"), ("cancel", "This was refused")]
)
def test_what_became_of_a_device_is_said_in_matrix(homeserver, server, decision, said):
    user = homeserver.new_user()
    access_token = homeserver.login(user)["access_token"]
    codes = ask_as_a_device(server, login_hint=user.user_id)
    room_says(homeserver, user, access_token)
    browser = Browser.of(server, user)
    browser.get(codes["verification_uri_complete"])
    browser.submit(user_code=codes["user_code"])
    assert browser.submit(decision=decision, confirm="yes").status_code == 200
    edit = edit_of(homeserver, user, access_token)

    assert said in edit
    assert edit.startswith("A device wanted to sign in to your account")
    assert codes["user_code"] not in edit


@pytest.mark.parametrize("decision", ["approve", "cancel"])
def test_what_a_stranger_answered_alarms_nobody(homeserver, server, decision):
    """Who names an account, and answers as another, has it told of nothing that it never did."""
    user = homeserver.new_user()
    access_token = homeserver.login(user)["access_token"]
    codes = ask_as_a_device(server, login_hint=user.user_id)
    room_says(homeserver, user, access_token)
    answer(server, homeserver.new_user(), codes, decision)
    [subject, wait] = ending_of(homeserver, user)
    assert wait > 60
    end(homeserver, subject, server)
    edit = edit_of(homeserver, user, access_token)

    assert "Your account did not answer in time" in edit
    for word in ("allowed", "refused", "password"):
        assert word not in edit


def answer(server, user, codes, decision):
    """Answer a device as somebody."""
    browser = Browser.of(server, user)
    page = browser.get(codes["verification_uri_complete"])
    page = browser.submit(user_code=codes["user_code"])
    if "Which account?" in page.text:
        browser.submit(decision=user.user_id)
    assert browser.submit(decision=decision, confirm="yes").status_code == 200


def ending_of(homeserver, user):
    """Return what waits to be said to somebody of the end of a question, and for how long it does."""
    [found] = eventually(
        lambda: homeserver.query(
            "SELECT subject, due_at FROM nextgen_outbox WHERE kind = 'end_question'"
            " AND payload LIKE ?",
            f"%{user.user_id}%",
        )
    )
    return found[0], found[1] - int(time.time())


def end(homeserver, subject, server):
    """Let the time of a device's question be over."""
    now = int(time.time())
    homeserver.query(
        "UPDATE nextgen_device_grants SET expires_at = ? WHERE grant_id = ?",
        *(now, subject.split(" ")[1]),
    )
    homeserver.query("UPDATE nextgen_outbox SET due_at = ? WHERE subject = ?", now, subject)
    ask_as_a_device(server, login_hint="@nobody:localhost")  # wakes the outbox


def test_what_nobody_answered_says_that_it_is_over(homeserver, server):
    user = homeserver.new_user()
    access_token = homeserver.login(user)["access_token"]
    ask_as_a_device(server, login_hint=user.user_id)
    room_says(homeserver, user, access_token)
    subject, _ = ending_of(homeserver, user)
    end(homeserver, subject, server)
    edit = edit_of(homeserver, user, access_token)

    assert "Your account did not answer in time" in edit


def test_who_left_the_room_is_not_asked_back_to_be_told_that_it_is_over(homeserver, server):
    user = homeserver.new_user()
    other = homeserver.login(user)["access_token"]
    token = server.client().sign_in(user.localpart, user.password)["access_token"]
    path, body = "/_matrix/client/v3/delete_devices", {"devices": ["NONE"]}
    challenge = server.api("POST", path, token, json=body).json()
    room_says(homeserver, user, other)
    [[room_id]] = homeserver.query(
        "SELECT room_id FROM local_current_membership WHERE user_id = ?", user.user_id
    )
    call(homeserver, other, "POST", f"/rooms/{room_id}/leave", json={})
    browser = Browser(server)
    browser.get(challenge["params"]["m.login.sso"]["url"])
    browser.sign_in(user.localpart, user.password)
    browser.submit(decision="cancel")

    assert eventually(lambda: not open_for(homeserver, user))
    assert homeserver.query(
        "SELECT membership FROM local_current_membership WHERE user_id = ?", user.user_id
    ) == [("leave",)]


def open_for(homeserver, user):
    """Say what is still to be said of questions to an account."""
    return homeserver.query(
        "SELECT subject FROM nextgen_outbox WHERE kind IN ('ask', 'show_question', 'end_question')"
        " AND payload LIKE ?",
        f"%{user.user_id}%",
    )


@pytest.fixture
def own_redis():
    """Yield a Redis that no other homeserver of the same name talks over."""
    redis = RedisServer()
    try:
        yield redis.start()
    finally:
        redis.stop()


def test_c365_what_happens_on_a_worker_is_told_by_the_main_process(own_redis, start_homeserver):
    """It alone can speak in the room: what a worker writes down does not wait for its next look."""
    homeserver = start_homeserver(
        "postgres",
        module={"notices": {"device_questions": True}},
        config={"server_notices": {"system_mxid_localpart": "notices"}},
        redis=own_redis,
    )
    worker, user = Server(homeserver.add_worker().base_url), homeserver.new_user()
    homeserver.query(
        "UPDATE users SET creation_ts = creation_ts - ? WHERE name = ?", DAY, user.user_id
    )
    tokens = worker.client().sign_in(user.localpart, user.password)
    [device] = room_says(homeserver, user, tokens["access_token"])
    codes = ask_as_a_device(worker, login_hint=user.user_id)

    def both():
        said = room_says_again(homeserver, user, tokens["access_token"])
        return said if len(said) == 2 else None

    question, first = eventually(both)

    assert first == device
    assert device.startswith(NEW_DEVICE)
    assert question.startswith("A device wants to sign in to your account")
    assert codes["user_code"] not in question
